"""E21: sharpness and imbalance of the minimizer that descent reaches, over the step size, with the flow's beside them.

Page `large_steps`.
"""

import numpy as np

import lnn
from experiments import Row


def scalar_ends(depth, step_sizes, starts=200, rounds=40, steps=500):
    """Sharpness of the ends, the flow's from the same starts; NaN where it does not converge."""
    rng = np.random.default_rng(21)
    first = np.exp(rng.uniform(-1.2, 1.2, (starts, depth)))
    first *= (rng.uniform(0.3, 0.9, starts) / first.prod(axis=1))[:, None] ** (1 / depth)
    low, high = -(first**2).min(axis=1), np.full(starts, 2.0)
    for _ in range(100):  # Π(w_j² + t) = 1
        t = (low + high) / 2
        small = (first**2 + t[:, None]).prod(axis=1) < 1
        low, high = np.where(small, t, low), np.where(small, high, t)
    flow = (1 / (first**2 + high[:, None])).sum(axis=1)
    ends = []
    for eta in step_sizes:
        w = first.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(rounds):
                for _ in range(steps):
                    others = np.stack([np.delete(w, j, axis=1).prod(axis=1) for j in range(depth)], axis=1)
                    w = w - eta * (w.prod(axis=1) - 1)[:, None] * others
                if (np.abs(w.prod(axis=1) - 1) < 1e-8).all():
                    break
            sharp = (1 / w**2).sum(axis=1)
        ends.append(np.where(np.abs(w.prod(axis=1) - 1) < 1e-8, sharp, np.nan))
    return np.array(ends), flow


def matrix_ends(fractions):
    """For step sizes 2/(fraction · the flow's sharpness): sharpness and imbalance reached, the flow's first."""
    rng = np.random.default_rng(22)
    U, V = np.linalg.qr(rng.standard_normal((4, 4)))[0], np.linalg.qr(rng.standard_normal((5, 5)))[0]
    Phi = U @ np.diag([2.0, 1.5, 1.0, 0.5]) @ V[:4]
    loss = lnn.LeastSquares(lnn.Everything((4, 5)), Phi)
    W1, W2 = lnn.initial.gaussian((5, 6, 4), 0.2, rng=rng)
    start = 5 * W1, W2 / 5
    flow = lnn.gradient_flow(start, loss, [0.0, 200.0])[-1]
    sharp = lnn.sharpness(flow, loss)
    rows = [(sharp, lnn.imbalance(flow), 0.0)]
    for fraction in fractions:
        path = lnn.gradient_descent(start, loss, 2 / (fraction * sharp), 20_000, every=20_000)
        rows.append((lnn.sharpness(path[-1], loss), lnn.imbalance(path[-1]), path.losses[-1]))
    return np.array(rows), 2 * np.linalg.norm(Phi, 2)


def measure() -> list[Row]:
    """Scalars at depths 2 and 4, and two matrices."""
    rows = []
    for depth in (2, 4):
        etas = np.array([0.02, 0.3, 0.6, 0.9]) * 2 / depth
        ends, flow = scalar_ends(depth, etas)
        excess = np.nanmax(ends / (2 / etas)[:, None])
        medians = np.nanmedian(ends, axis=1)
        larger = np.nanmax(ends / flow - 1)
        rest = np.isfinite(ends).sum(axis=1)
        said = ", ".join(f"{m:.2f}" for m in medians)
        rows.append(
            Row(
                f"{depth} scalars, target 1, {rest.min()} to {rest.max()} of 200 starts at rest: "
                "no end is sharper than 2/η, or than the flow's",
                "flatter than the flow's solution, at most 2/η",
                f"largest end {excess:.2f} times 2/η, {'never' if larger < 1e-6 else 'sometimes'} above the flow's",
                bool(excess < 1.001 and larger < 1e-6),
            )
        )
        rows.append(
            Row(
                f"… the larger the step, the flatter the end: η = {', '.join(f'{e:.2g}' for e in etas)}",
                "large steps find flat minima",
                f"median sharpness {said}; flow {np.median(flow):.2f}, least possible {depth}",
                bool((np.diff(medians) < 0).all() and medians[-1] >= depth),
            )
        )
    found, least = matrix_ends((1.5, 0.9, 0.75, 0.6))
    sharp, balance, losses = found.T
    rows.append(
        Row(
            "matrices 4×6×5, start out of balance, threshold at 1.5, 0.9, 0.75, 0.6 of the flow's sharpness",
            "balancing: layers end nearer to balance than they began",
            f"sharpness {', '.join(f'{s:.2f}' for s in sharp[1:])} (flow {sharp[0]:.2f}, least possible {least:.2f}); "
            f"imbalance {', '.join(f'{b:.2f}' for b in balance[1:])} (flow {balance[0]:.2f})",
            bool((losses < 1e-10).all() and (np.diff(sharp[1:]) < 0).all() and (np.diff(balance[1:]) < 0).all()),
        )
    )
    return rows
