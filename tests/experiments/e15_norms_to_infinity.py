"""E15: completing [∗ 1; 1 0]: all norms grow to infinity while the effective rank falls to 1, and what breaks this."""

import numpy as np
from scipy.integrate import solve_ivp

import lnn
from experiments import Row

SEEN = lnn.Entries(np.array([[False, True], [True, True]]))
LOSS = lnn.LeastSquares(SEEN, np.array([1.0, 1.0, 0.0]))
TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e6, 161)])
ORDERS = (0.5, 1, 2, np.inf)


def logarithmic_flow(depth: int, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The flow from a symmetric positive definite start, in logarithms of eigenvalues and one angle: W, logarithms."""

    def basis(angle):
        rows = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return np.moveaxis(np.array(rows), (0, 1), (-2, -1))

    def field(_, state):
        values, U = np.exp(state[:2]), basis(state[2])
        G = U.T @ LOSS.gradient(U * values @ U.T) @ U
        j = np.arange(1, depth + 1) / depth
        gain = (values[1] ** (2 - 2 * j) * values[0] ** (2 * j - 2 / depth)).sum()
        turn = -gain * G[1, 0] / (values[0] - values[1])
        return [*(-depth * values ** (1 - 2 / depth) * np.diag(G)), turn]

    values, U = np.linalg.eigh(start)
    state = [*np.log(values[::-1]), np.arctan2(U[1, 1], U[0, 1])]
    span = (TIMES[0], TIMES[-1])
    solution = solve_ivp(field, span, state, "LSODA", TIMES, rtol=1e-10, atol=1e-12)
    logs, U = solution.y[:2].T, basis(solution.y[2])
    return U * np.exp(logs)[:, None, :] @ U.mT, logs


def growth_row(depth: int) -> Row:
    """Layers at depths 3 and 4; at depth 2 the determinant is too small for them, and logarithms are needed."""
    if depth == 2:
        W, logs = logarithmic_flow(2, np.array([[0.3, 0.15], [0.15, 0.3]]))
        values, exponent = np.exp(logs), logs[-1].sum() / np.log(10)
        positive = bool(np.isfinite(logs).all())
    else:
        weights = lnn.initial.balanced(0.1 * np.eye(2), [2] * (depth + 1))
        run = lnn.gradient_flow(weights, LOSS, TIMES, method="LSODA", rtol=1e-9, atol=1e-12)
        W, values = run.end_to_end, run.singular_values
        det = np.linalg.det(W)
        positive, exponent = bool((det > 0).all()), np.log10(det[-1])
    losses, entry = LOSS(W), np.abs(W[:, 0, 0])
    late = TIMES > 10
    grown = np.array([lnn.schatten(values[late], p, axis=-1) for p in ORDERS])
    rank = float(lnn.effective_rank(values[-1]))
    above = bool((entry**2 > 1 / (2 * losses) - 2).all())
    measured = (
        f"at t = 1e6: loss {losses[-1]:.0e}, |w_11| = {entry[-1]:.0f}, effective rank {rank:.4f}, "
        f"determinant 10^{exponent:.0f}; |w_11|² > 1/(2ℓ) - 2 {'throughout' if above else 'not throughout'}"
    )
    holds = (
        positive
        and above
        and bool((np.diff(grown) > 0).all() and (grown[:, -1] > 10 * grown[:, 0]).all())
        and bool(np.isclose(entry[-1] * np.sqrt(2 * losses[-1]), 1, rtol=1e-3))
        and rank < 1 + 1e-4
    )
    claim = f"depth {depth}: from a start with det W(0) > 0 all norms go to infinity, the effective rank to 1"
    return Row(claim, "proved, if the loss tends to 0", measured, holds)


def rate_row() -> Row:
    slopes, predicted = [], []
    for depth in (3, 4):
        weights = lnn.initial.balanced(0.1 * np.eye(2), [2] * (depth + 1))
        run = lnn.gradient_flow(weights, LOSS, [0, 1e4, 1e5], method="LSODA", rtol=1e-9, atol=1e-12)
        slopes.append(float(np.log10(run.end_to_end[2, 0, 0] / run.end_to_end[1, 0, 0])))
        predicted.append(depth / (2 * depth + 2))
    W, _ = logarithmic_flow(2, np.array([[0.3, 0.15], [0.15, 0.3]]))
    late = TIMES >= 1e4
    slopes.insert(0, float(np.polyfit(np.log(TIMES[late]), np.log(W[late, 0, 0]), 1)[0]))
    predicted.insert(0, 1 / 3)
    measured = f"exponents at depths 2, 3, 4: {', '.join(f'{s:.3f}' for s in slopes)}"
    holds = bool(np.allclose(slopes, predicted, atol=2e-3))
    return Row("|w_11| grows like t^{N/(2N+2)} (formal calculation of the book)", None, measured, holds)


def integrator_row() -> Row:
    """From one start: descent at depth 2, a loose and a tight flow at depth 3."""
    start = np.array([[0.3, 0.2], [0.05, 0.25]])
    two, three = (lnn.initial.balanced(start, [2] * (depth + 1)) for depth in (2, 3))
    descent = lnn.gradient_descent(two, LOSS, 0.05, 4000, every=4000)
    loose = lnn.gradient_flow(three, LOSS, [0, 1e6], method="LSODA", rtol=1e-3, atol=1e-6)
    tight = lnn.gradient_flow(three, LOSS, [0, 1e6], method="LSODA", rtol=1e-10, atol=1e-13)
    signs = [float(np.linalg.det(run.end_to_end[-1])) for run in (descent, loose, tight)]
    entries = [float(run.end_to_end[-1, 0, 0]) for run in (descent, loose, tight)]
    told = {True: "keeps", False: "loses"}
    measured = (
        f"descent at depth 2 ends with determinant {signs[0]:.0f}, |w_11| = {entries[0]:.1f}; at depth 3 the tight "
        f"flow {told[signs[2] > 0]} the sign and reaches {entries[2]:.0f}, the loose one {told[signs[1] > 0]} it and "
        f"{'falls short' if entries[1] < 0.9 * entries[2] else 'reaches as much'}"
    )
    holds = bool(signs[0] < -0.99 and signs[1] < 0 < signs[2] and descent.losses[-1] < 1e-12)
    return Row("a careless integrator changes the sign of the determinant", None, measured, holds)


def mirror_row() -> Row:
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    finals = []
    for depth in (2, 3, 4):
        weights = lnn.initial.balanced(0.1 * swap, [2] * (depth + 1))
        finals.append(lnn.gradient_flow(weights, LOSS, [0, 60], method="LSODA").end_to_end[-1])
    error = max(np.abs(W - swap).max() for W in finals)
    nuclear = [float(lnn.nuclear_norm(lnn.singular_values(W))) for W in finals]
    measured = f"nuclear norms {', '.join(f'{x:.4f}' for x in nuclear)} (least possible: 2)"
    return Row("from a multiple of the permutation: the completion of least norm", None, measured, bool(error < 1e-6))


def perturbed_row() -> Row:
    ratios = []
    for epsilon in (0.3, 0.1, 0.03):
        loss = lnn.LeastSquares(SEEN, np.array([1.0, 1.0, epsilon]))
        weights = lnn.initial.balanced(0.1 * np.array([[1.0, 0.5], [0.5, 1.0]]), (2, 2, 2, 2))
        run = lnn.gradient_flow(weights, loss, [0, 1e6], method="LSODA")
        ratios.append(float(run.end_to_end[-1, 0, 0] * epsilon))
    measured = f"ε·w_11 at ε = 0.3, 0.1, 0.03: {', '.join(f'{x:.3f}' for x in ratios)}"
    holds = bool(all(1 - 1e-6 < x < 1.05 for x in ratios))
    return Row("w_22 = ε observed: the hidden entry grows to at least 1/ε", "at least of order 1/ε", measured, holds)


def rotation_row() -> Row:
    """A start with det > 0 from which the loss does not tend to zero."""
    weights = lnn.initial.balanced(0.1 * np.array([[0.0, -1.0], [1.0, 0.0]]), (2, 2, 2))
    run = lnn.gradient_flow(weights, LOSS, [0, 100], method="LSODA", rtol=1e-10, atol=1e-13)
    largest = float(np.abs(run.end_to_end).max())
    measured = f"loss {run.losses[-1]:.2f}, largest entry {largest:.2f}"
    holds = bool(abs(run.losses[-1] - 0.5) < 1e-3 and largest < 1.01)
    return Row("a rotation by a right angle, det > 0: the loss tends to 1/2, no norm grows", None, measured, holds)


def scale_row() -> Row:
    """Random starts with det < 0 at depths 2 and 3, over the scale of the start."""
    rng, scales, table, starts = np.random.default_rng(15), (1e-1, 1e-3, 1e-5), {}, 9
    for depth in (2, 3):
        rows = []
        for scale in scales:
            ends = []
            for _ in range(starts):
                A = scale * rng.standard_normal((2, 2))
                A = A if np.linalg.det(A) < 0 else A[::-1]
                weights = lnn.initial.balanced(A, [2] * (depth + 1))
                run = lnn.gradient_flow(weights, LOSS, [0, 1e5], method="LSODA", rtol=1e-8, atol=1e-13, stop=1e-9)
                ends.append([abs(run.end_to_end[-1, 0, 0]), lnn.effective_rank(run.singular_values[-1])])
            rows.append(np.median(ends, axis=0))
        table[depth] = np.array(rows)
    entry, rank = table[3].T
    holds = (np.diff(entry) > 0).all() and entry[-1] > 10 * entry[0] and (np.diff(rank) < 0).all() and rank[-1] < 1.15
    flat = table[2][:, 0].max() < 1 and table[2][:, 1].min() > 1.85
    measured = (
        f"at scales 0.1, 1e-3, 1e-5, medians of {starts} starts: effective rank "
        f"{', '.join(f'{x:.1f}' for x in rank)} at depth 3, "
        f"{', '.join(f'{x:.1f}' for x in table[2][:, 1])} at depth 2"
    )
    claim = (
        "det W(0) < 0, depth 3: in the median of random starts, the smaller the start, the larger |w_11| and the "
        "closer to rank one; not at depth 2"
    )
    return Row(claim, None, measured, bool(holds and flat))


def measure() -> list[Row]:
    """Rows of E15 for the reproductions table."""
    rows = [growth_row(depth) for depth in (2, 3, 4)]
    return [*rows, rate_row(), integrator_row(), mirror_row(), rotation_row(), scale_row(), perturbed_row()]
