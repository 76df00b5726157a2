"""Many small networks that descend together, against JAX's vmap over a loop that is compiled as a whole."""

from functools import partial

import numpy as np

import lnn
from benchmarks.peers import ETA, beside_loop

DEPTH, MEMBERS, STEPS = 2, 100, {2: 20_000, 3: 20_000, 10: 2_000}


def problem(width: int, members: int = MEMBERS):
    """Layers that keep the size of what passes through them, an axis of members in front, and a target."""
    rng = np.random.default_rng(width)
    weights = rng.standard_normal((DEPTH, members, width, width)) / np.sqrt(width)
    return tuple(weights), rng.standard_normal((width, width))


def one_width(width: int, members: int, steps: int, rounds: int) -> list[dict]:
    """Seconds of a whole run of all members, and of compiling the loop that it is for JAX."""
    weights, target = problem(width, members)
    loss, case = lnn.LeastSquares.to(target), {"width": width, "members": members, "steps": steps}
    ours = partial(lnn.ensemble_descent, weights, loss, ETA, steps, every=steps)
    return beside_loop("ensemble", case, ours, weights, target, rounds=rounds, turn=0, together=True)


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    if small:
        return one_width(2, 3, 4, 2)
    return [record for width, steps in STEPS.items() for record in one_width(width, MEMBERS, steps, 20)]
