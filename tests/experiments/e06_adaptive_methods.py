"""E6: overparameterized gradient descent against AdaGrad and AdaDelta; page `acceleration`."""

from collections.abc import Callable

import numpy as np

import lnn
from experiments import Row
from experiments.e05_real_regression import iterations, problem


def race(verb: Callable[..., lnn.Trajectory], start: tuple[np.ndarray, ...], sizes: list[float], steps: int) -> float:
    """Iterations above an excess of 1e-6 at ℓ4, with the best of the step sizes."""
    loss, lowest = problem(4)
    runs = lnn.grid(lambda step_size: verb(start, loss, step_size, steps), {"step_size": sizes})
    return float(runs.table(lambda path: iterations(path, lowest)).min())


def starts(seed: int) -> dict[int, tuple[np.ndarray, ...]]:
    """Near-zero nets of hidden width 1, by depth."""
    rng = np.random.default_rng(seed)
    return {n: lnn.initial.gaussian((7, *[1] * n), 0.01, rng=rng) for n in (1, 2, 3)}


def measure() -> list[Row]:
    """Rows of E6."""
    nets = starts(0)
    deep = race(lnn.gradient_descent, nets[2], [0.1, 0.2, 0.5, 1.0], 1000)
    rows = []
    for name, verb, sizes in (
        ("AdaGrad", lnn.adagrad, [0.05, 0.1, 0.2, 0.5, 1.0]),
        ("AdaDelta", lnn.adadelta, [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]),
    ):
        count = race(verb, nets[1], sizes, 2000)
        rows.append(
            Row(
                f"ℓ4 regression, Auto MPG: overparameterized gradient descent (depth 2) is faster than {name}",
                "faster (curves on the gas sensor data, each method with its best step size)",
                f"iterations to 1e-6 from one start: {deep:.0f} against {count:.0f}",
                deep < count,
            )
        )
    return rows
