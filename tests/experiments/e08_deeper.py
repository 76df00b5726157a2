"""E8: near-zero against identity initialization at depths 2, 4, 8; page `acceleration`."""

import numpy as np

import lnn
from experiments import Row
from experiments.e05_real_regression import iterations, problem

STEPS = 800


def measure() -> list[Row]:
    """Rows of E8."""
    loss, lowest = problem(4)
    rng, sizes = np.random.default_rng(0), [b * 10.0**k for k in range(-2, 2) for b in (1, 2, 5)]
    count, drop = {}, {}
    for depth in (2, 4, 8):
        widths = (7,) * depth + (1,)
        near = lnn.initial.gaussian(widths, 0.01, rng=rng)
        for kind, start in (("near", near), ("identity", (*lnn.initial.identity(widths)[:-1], near[-1]))):
            if kind == "identity":
                tried = [s for s in sizes if 0.05 <= s <= 0.5]
            else:
                tried = sizes

            def run(step_size: float, start: tuple[np.ndarray, ...] = start) -> lnn.Trajectory:
                return lnn.gradient_descent(start, loss, step_size, STEPS, stop=lowest + 0.9e-6)

            runs = lnn.grid(run, {"step_size": tried})
            count[depth, kind] = runs.table(lambda path: iterations(path, lowest)).min()
            drop[depth, kind] = 1 - runs.table(lambda path: path.losses[-1] / path.losses[0]).min()
    counts = ", ".join(f"{count[n, 'identity']:.0f}" for n in (2, 4, 8))
    return [
        Row(
            f"ℓ4 regression, near-zero initialization: the net of depth 2 arrives, that of depth 4 not in {STEPS} "
            f"iterations at any of {len(sizes)} step sizes",
            "stalls with depth (lecture of 2018)",
            f"one start at each depth: depth 2 after {count[2, 'near']:.0f} iterations; depth 4 not",
            bool(count[2, "near"] < STEPS < count[4, "near"]),
        ),
        Row(
            f"near-zero initialization at depth 8: each of {len(sizes)} step sizes fails",
            "every step size fails at depth 8 (lecture of 2018)",
            f"one start: largest drop of the loss {abs(drop[8, 'near']):.0%}",
            bool(drop[8, "near"] < 0.05),
        ),
        Row(
            "identity initialization: depths 2, 4 and 8 all arrive",
            "does not stall (lecture of 2018)",
            f"iterations to 1e-6 from one start at each depth: {counts}",
            all(count[n, "identity"] < STEPS for n in (2, 4, 8)),
        ),
    ]
