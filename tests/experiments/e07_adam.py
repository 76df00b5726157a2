"""E7: Adam against overparameterized gradient descent, and overparameterization under Adam; page `acceleration`."""

import numpy as np

import lnn
from experiments import Row
from experiments.e05_real_regression import problem
from experiments.e06_adaptive_methods import race, starts

SIZES = [0.1, 0.2, 0.5]


def measure() -> list[Row]:
    """Rows of E7."""
    nets = starts(0)
    plain, deep = (
        race(lnn.adam, nets[1], [0.05, *SIZES, 1.0], 800),
        race(lnn.gradient_descent, nets[2], [0.1, 0.2, 0.5, 1.0], 800),
    )
    G = problem(4)[0].gradient(np.zeros((1, 7)))
    gains: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(10):
        net = starts(seed)
        agree = bool((net[2][1] @ net[2][0] @ G.T).item() < 0)
        gains[agree].append(race(lnn.adam, net[1], SIZES, 800) / race(lnn.adam, net[2], SIZES, 800))
    rng = np.random.default_rng(1)
    wide = [
        plain / race(lnn.adam, lnn.initial.gaussian((7, 7, 1), 0.01, rng=rng), [0.05, *SIZES], 500) for _ in range(6)
    ]
    return [
        Row(
            "ℓ4 regression, Auto MPG: Adam is faster than overparameterized gradient descent (depth 2)",
            "faster (curves on the gas sensor data)",
            f"iterations to 1e-6 from one start: {plain:.0f} against {deep:.0f}",
            plain < deep,
        ),
        Row(
            "Adam with depth 2, hidden width 1, is faster than Adam: for starts at which the layers agree, and not for "
            "the others",
            "overparameterization on top of Adam is faster still (curves on the gas sensor data)",
            f"speed-up, layers agree: {min(gains[True]):.1f} to {max(gains[True]):.1f}; "
            f"disagree: {min(gains[False]):.1f} to {max(gains[False]):.1f}",
            min(gains[True]) > 1,
            in_full=min(gains[False]) > 1,
            said="in part",
        ),
        Row(
            "Adam with depth 2, hidden width 7, is faster than Adam from each of six starts",
            "no figure given at this width",
            f"speed-up {min(wide):.1f} to {max(wide):.1f}",
            min(wide) > 1,
        ),
    ]
