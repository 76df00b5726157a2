"""E5: ℓ2 and ℓ4 regression on real data at depths 1, 2, 3, hidden width 1; page `acceleration`."""

import numpy as np
from scipy.optimize import minimize

import lnn
from experiments import Row


def problem(p: int) -> tuple[lnn.PowerLoss, float]:
    """Mean of |wx - y|^p / p over the cars, and its minimum."""
    X, Y, _ = lnn.datasets.auto_mpg()
    scale = X.shape[1] ** (1 / p)
    loss = lnn.PowerLoss(lnn.Samples(X / scale), Y.ravel() / scale, p)
    found = minimize(
        lambda w: float(loss(w[None])),
        np.zeros(len(X)),
        jac=lambda w: loss.gradient(w[None])[0],
        method="BFGS",
        options={"gtol": 1e-11, "maxiter": 5000},
    )
    return loss, float(found.fun)


def iterations(path: lnn.Trajectory, lowest: float, level: float = 1e-6) -> float:
    """Number of iterations with an excess above the level; infinite for a diverged run."""
    return np.inf if path.outcome is lnn.Outcome.DIVERGED else float((path.losses - lowest > level).sum())


STARTS = 3


def least(p: int, depth: int, sizes: list[float]) -> dict[float, float]:
    """Least mean over the starts, over the step sizes, of the iterations above each level."""
    loss, lowest = problem(p)
    rng = np.random.default_rng(0)
    starts = [lnn.initial.gaussian((7, *[1] * depth), 0.01, rng=rng) for _ in range(STARTS)]

    def run(step_size: float, start: int) -> lnn.Trajectory:
        return lnn.gradient_descent(starts[start], loss, step_size, 2500, stop=lowest + 0.9e-6)

    runs = lnn.grid(run, {"step_size": sizes, "start": range(STARTS)})
    return {
        level: float(runs.table(lambda path: iterations(path, lowest, level)).mean(axis=1).min())  # noqa: B023
        for level in (1e-4, 1e-6)
    }


def measure() -> list[Row]:
    """Rows of E5."""
    coarse = [0.05, 0.1, 0.2, 0.5, 1.0]
    quartic = {n: least(4, n, coarse) for n in (1, 2, 3)}
    square = {n: least(2, n, coarse) for n in (1, 2)}
    fine = {n: least(4, n, list(np.geomspace(0.1, 1, 11)))[1e-6] for n in (1, 2)}
    gain = quartic[1][1e-6] / quartic[2][1e-6]
    return [
        Row(
            "ℓ4 regression, Auto MPG: depth 2 needs far fewer iterations to an excess of 1e-6 than depth 1, "
            "best step sizes of {1, 2, 5}×10^k that work for all starts",
            "depth accelerates (curves on the gas sensor data, no factor)",
            f"means of {STARTS} starts: {quartic[1][1e-6]:.0f} against {quartic[2][1e-6]:.0f}, {gain:.1f} times fewer",
            gain > 4,
        ),
        Row(
            "the same with a fine grid of step sizes: part of the factor is due to the coarse grid",
            None,
            f"means of {STARTS} starts: {fine[1]:.0f} against {fine[2]:.0f}, {fine[1] / fine[2]:.1f} times fewer",
            1.8 < fine[1] / fine[2] < gain,
        ),
        Row(
            "ℓ4 regression: depth 3 still beats depth 1 in spite of its wait near the origin",
            "depth accelerates (curves on the gas sensor data, no factor)",
            f"means of {STARTS} starts: {quartic[1][1e-6]:.0f} against {quartic[3][1e-6]:.0f}",
            quartic[3][1e-6] < quartic[1][1e-6],
        ),
        Row(
            "ℓ2 regression, Auto MPG: depth 2 does not help",
            "depth does not help (curves on the gas sensor data)",
            f"to 1e-4, means of {STARTS} starts: {square[1][1e-4]:.0f} against {square[2][1e-4]:.0f}",
            square[2][1e-4] > square[1][1e-4],
        ),
    ]
