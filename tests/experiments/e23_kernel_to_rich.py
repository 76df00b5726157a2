"""E23: sparse regression by a signed diagonal network, over the scale of its start. Page `other_networks`.

The limit of the flow solves X α^N h(Xᵀν) = y (`thm-hyperbolic-entropy`, `prop-diagonal-depth`); Newton's method finds
it. The published figure has 1000 coordinates, five of them not zero; its curves are read from memory, not from the
paper.
"""

import numpy as np
from scipy.optimize import linprog

import lnn
from experiments import Row

SCALES = np.geomspace(1e-4, 1, 9)


def bend(z, N):
    """The function h, its derivative and its integral."""
    if N == 2:
        return 2 * np.sinh(z), 2 * np.cosh(z), 2 * np.cosh(z)
    p, low, high = N / (N - 2), 1 - z, 1 + z
    integral = (low ** (1 - p) + high ** (1 - p)) / (p - 1)
    return low**-p - high**-p, p * (low ** (-p - 1) + high ** (-p - 1)), integral


def limit(X, y, alpha, N):
    """The limit of the flow from u = v = α."""
    nu, scale = np.zeros(len(y)), alpha**N
    for _ in range(100):
        z = X.T @ nu
        value, slope, whole = bend(z, N)
        rest = y - scale * X @ value
        if np.abs(rest).max() < 1e-9 * np.abs(y).max():
            return scale * value
        step = np.linalg.solve((X * (scale * slope)) @ X.T, rest)
        move = X.T @ step
        room = 4 if N == 2 else 0.9 * (1 - np.sign(move) * z)
        part = min(1.0, np.min(room / np.maximum(np.abs(move), 1e-300)))
        here, slack = scale * whole.sum() - y @ nu, rest @ step
        while part > 1e-12:
            there = scale * bend(z + part * move, N)[2].sum() - y @ (nu + part * step)
            if there <= here - 1e-4 * part * slack + 1e-13 * abs(here):
                break
            part /= 2
        nu = nu + part * step
    raise ArithmeticError("Newton's method did not converge")


def least_l1(X, y):
    """Basis pursuit."""
    d = X.shape[1]
    found = linprog(np.ones(2 * d), A_eq=np.hstack([X, -X]), b_eq=y).x
    return found[:d] - found[d:]


def flow_agrees():
    """Whether the flow of the package ends at the limit, at both depths, on a small problem."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((15, 40)), rng.standard_normal(15)
    loss, gaps = lnn.LeastSquares(lnn.Samples(X.T), y), []
    for N, alpha in ((2, 0.1), (3, 0.3)):
        start = [np.full((1, 40), alpha)] * 2
        path = lnn.gradient_flow(start, loss, [0, 300], model=lnn.diagonal.Signed(N), method="LSODA", stop=1e-16)
        gaps.append(np.abs(path.end_to_end[-1, 0] - limit(X, y, alpha, N)).max())
    return max(gaps)


def measure() -> list[Row]:
    """Errors and excesses over the scale, and the scale that suffices, over the number of samples."""
    rng = np.random.default_rng(0)
    d, sparse, k = 1000, 5, 100
    truth = np.r_[np.full(sparse, sparse**-0.5), np.zeros(d - sparse)]
    inputs = rng.standard_normal((200, d))
    outputs = inputs @ truth + 0.1 * rng.standard_normal(200)
    X, y = inputs[:k], outputs[:k]
    l1, l2 = least_l1(X, y), np.linalg.pinv(X) @ y
    error, excess, dense = {}, {}, {}
    for N in (2, 3):
        found = np.array([limit(X, y, alpha, N) for alpha in SCALES])
        error[N] = ((found - truth) ** 2).sum(axis=1)
        excess[N] = np.abs(found).sum(axis=1) - np.abs(l1).sum()
        dense[N] = np.linalg.norm(found, axis=1) - np.linalg.norm(l2)
    ends = [float(((w - truth) ** 2).sum()) for w in (l1, l2)]
    turn = {N: float(np.exp(np.interp(ends[1] / 2, error[N], np.log(SCALES)))) for N in (2, 3)}
    needed = []
    for count in (100, 200):
        good = [a for a in SCALES if ((limit(inputs[:count], outputs[:count], a, 2) - truth) ** 2).sum() <= 0.025]
        needed.append(max(good))
    gap = flow_agrees()
    monotone = all((np.diff(excess[N]) > -1e-6).all() and (np.diff(dense[N]) < 1e-4).all() for N in (2, 3))
    monotone &= all(excess[N][-1] > 4 and dense[N][0] > 0.5 for N in (2, 3))
    return [
        Row(
            "the flow ends at the minimizer of the stated function, depths 2 and 3",
            "theorem (Woodworth et al. 2020)",
            f"largest gap {'below 1e-5' if gap < 1e-5 else f'{gap:.0e}'}",
            bool(gap < 1e-5),
        ),
        Row(
            "depth 2, d = 1000, 5 not zero, 100 samples: the error leads from that of the least ℓ_2 norm "
            "to that of the least ℓ_1 norm",
            "a transition over the scale (figure of Woodworth et al. 2020, from memory)",
            f"error {error[2][-1]:.2f} at scale 1, {error[2][0]:.3f} at 1e-4; "
            f"least ℓ_2 norm {ends[1]:.2f}, least ℓ_1 {ends[0]:.3f}",
            bool(abs(error[2][-1] / ends[1] - 1) < 0.01 and error[2][0] < 2 * ends[0]),
        ),
        Row(
            "… the ℓ_1 norm above the least one rises with the scale, the ℓ_2 norm falls (up to 1e-4), "
            "at depths 2 and 3",
            "excess norms over the scale, one falling and one rising (the same figure)",
            f"at scales 1e-4 and 1: depth 2 ℓ_1 {excess[2][0]:.2f} and {excess[2][-1]:.1f}, "
            f"ℓ_2 {dense[2][0]:.2f} and {dense[2][-1]:.2f}",
            bool(monotone),
        ),
        Row(
            "… deeper networks are rich at larger scales",
            "the transition of depth 3 is at a larger scale and sharper (Woodworth et al. 2020, from memory)",
            f"half the error of the least ℓ_2 norm at scale {turn[2]:.2f} at depth 2, {turn[3]:.2f} at depth 3",
            bool(turn[3] > 3 * turn[2]),
        ),
        Row(
            "more samples allow a larger scale: error at most 0.025 at depth 2",
            "the largest sufficient scale rises with the number of samples (the same figure)",
            f"100 samples {needed[0]:.3f}, 200 samples {needed[1]:.3f}",
            bool(needed[1] > needed[0]),
        ),
    ]
