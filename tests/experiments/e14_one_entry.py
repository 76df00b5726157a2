"""E14: one observation, σ_2 against σ_1: line, power, plateau, and how turning vectors depart from these curves."""

import numpy as np

import lnn
from experiments import Row

START, RATIO = 0.05, 0.5


def aligned(depth):
    """(σ_1, σ_2) along a flow with one measurement that shares its singular vectors with the start."""
    rng = np.random.default_rng(14)
    U, V = (lnn.initial.orthogonal((2, d), rng=rng)[0] for d in (3, 4))
    loss = lnn.LeastSquares(lnn.Products(((U * [1, RATIO]) @ V.T)[None]), np.array([1000.0]))
    weights = lnn.initial.balanced(START * U @ V.T, (4, *[5] * (depth - 1), 3))
    path = lnn.gradient_flow(weights, loss, np.concatenate([[0], np.geomspace(1e-6, 1, 400)]))
    moving = path.losses > 1e-3 * path.losses[0]
    return path.singular_values[moving, :2].T


def turned(depth, start, *, frozen, times):
    """(σ_1, σ_2) along a flow with one entry, or with its vectors kept: A = e_1e_1ᵀ or Σ a_r u_r v_rᵀ."""
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    A = (turn * turn[0] ** 2) @ turn.T if frozen else np.diag([1.0, 0.0])
    loss = lnn.LeastSquares(lnn.Products(A[None]), np.array([3.0]))
    weights = lnn.initial.balanced((turn * start) @ turn.T, [2] * (depth + 1))
    return lnn.gradient_flow(weights, loss, times).singular_values.T


def curve(depth, s1, start):
    """The stated σ_2 for resting vectors at the pulls' ratio tan² 0.6."""
    (first, second), alpha = start, np.tan(0.6) ** 2
    if depth == 2:
        return second * (s1 / first) ** alpha
    p = 1 - 2 / depth  # -1 at depth 1: the same formula
    return (second**-p + alpha * (s1**-p - first**-p)) ** (-1 / p)


def one_entry(depth):
    """σ_2/s_2, the angle in degrees that u_1 has turned, and σ_1/s_1, at the end of a flow with one observed entry."""
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    loss = lnn.LeastSquares(lnn.Entries(np.array([[True, False], [False, False]])), np.array([3.0]))
    weights = lnn.initial.balanced((turn * [0.06, 0.03]) @ turn.T, [2] * (depth + 1))
    W = lnn.gradient_flow(weights, loss, [0, 40], stop=1e-8).end_to_end[-1]
    U, s, _ = np.linalg.svd(W)
    return s[1] / 0.03, np.degrees(np.arccos(min(1, abs(U[:, 0] @ turn[:, 0])))), s[0] / 0.06


def measure() -> list[Row]:
    """The three curves for an aligned measurement, and the turning for an entry."""
    s1, s2 = aligned(1)
    line = np.polyfit(s1, s2, 1)[0]
    straight = np.abs(s2 - START - RATIO * (s1 - START)).max() < 1e-6 * s2.max()
    s1, s2 = aligned(2)
    power = np.polyfit(np.log(s1), np.log(s2), 1)[0]
    bend = np.abs(np.log(s2 / START) - RATIO * np.log(s1 / START)).max()
    s1, s2 = aligned(3)
    roots = s2 ** (-1 / 3)
    fit = np.polyfit(s1 ** (-1 / 3), roots, 1)  # σ_2^{-1/3} is affine in σ_1^{-1/3}; its value at 0 is the plateau
    plateau, off = fit[1] ** -3 / START, np.abs(np.polyval(fit, s1 ** (-1 / 3)) - roots).max()
    shown = s1.max() > 100 * START and s2.max() < 8 * START
    gaps = []
    for depth in (1, 2, 3):
        s1, s2 = turned(depth, (0.06, 0.03), frozen=True, times=np.linspace(0, 12, 121))
        gaps.append(np.abs(s2 / curve(depth, s1, (0.06, 0.03)) - 1).max() if s1[-1] > 1 else np.inf)
    early = []  # σ_2/s_2 when σ_1 has grown by 2 per cent, free and as stated
    for depth in (1, 2, 3):
        s1, s2 = turned(depth, (1.0, 0.01), frozen=False, times=np.linspace(0, 0.2, 2001))
        early.append((np.interp(1.02, s1, s2) / 0.01, curve(depth, 1.02, (1.0, 0.01)) / 0.01))
    grown, stated = np.array(early).T
    factors, angles, first = np.array([one_entry(depth) for depth in (1, 2, 3)]).T
    return [
        Row(
            "one aligned measurement, depth 1: σ_2 is linear in σ_1",
            "a line (one measurement, vectors assumed fixed)",
            f"slope {line:.3f} for pulls in the ratio {RATIO}",
            bool(straight and abs(line - RATIO) < 1e-6),
        ),
        Row(
            "… depth 2: a power of σ_1",
            "a power",
            f"exponent {power:.3f}",
            bool(bend < 1e-5 and abs(power - RATIO) < 1e-5),
        ),
        Row(
            "… depth 3: a finite limit",
            "a plateau",
            f"limit {plateau:.2f} times the start, expected 8",
            bool(shown and off < 1e-5 and abs(plateau - 8) < 1e-2),
        ),
        Row(
            "one entry with its singular vectors frozen, depths 1, 2, 3",
            "a line, a power, a plateau",
            f"on the three curves within {'1e-5' if max(gaps) < 1e-5 else 'more than 1e-5'}, σ_1 growing over 16 times",
            bool(max(gaps) < 1e-5),
        ),
        Row(
            "one entry, vectors free, s_1 = 100 s_2: the curves hold while the vectors have hardly turned",
            "vectors assumed fixed",
            f"when σ_1 has grown by 2 %, σ_2 has {', '.join(f'{x:.3f}' for x in grown)} times its start; "
            f"stated {', '.join(f'{x:.3f}' for x in stated)}",
            bool((np.abs((grown - 1) / (stated - 1) - 1) < 0.05).all() and stated[0] > 1.5),
        ),
        Row(
            "one entry, both modes active: the vectors are not fixed, and σ_2 grows by less than half at every depth",
            "vectors assumed fixed",
            f"depths 1, 2, 3: turned by {', '.join(f'{a:.0f}°' for a in angles)}; "
            f"σ_2 grew {', '.join(f'{f:.2f}' for f in factors)} times while σ_1 grew {first.min():.0f} times",
            bool((angles > 25).all() and (factors < 1.5).all() and (factors > 1).all() and first.min() > 40),
        ),
    ]
