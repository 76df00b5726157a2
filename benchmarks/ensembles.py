"""Many small networks that descend together, against JAX's vmap over a loop that is compiled as a whole."""

import numpy as np

import lnn
from benchmarks.peers import ETA, jax_run
from benchmarks.timing import have, least_times

DEPTH, MEMBERS, STEPS = 2, 100, {2: 20_000, 3: 20_000, 10: 2_000}


def problem(width: int, members: int = MEMBERS):
    """Layers that keep the size of what passes through them, an axis of members in front, and a target."""
    rng = np.random.default_rng(width)
    weights = rng.standard_normal((DEPTH, members, width, width)) / np.sqrt(width)
    return tuple(weights), rng.standard_normal((width, width))


def one_width(width: int, members: int, steps: int, rounds: int) -> list[dict]:
    """Seconds of a whole run of all members, and of compiling the loop that it is for JAX."""
    weights, target = problem(width, members)
    loss, compiling = lnn.LeastSquares.to(target), None
    contenders = {"lnn": lambda: lnn.ensemble_descent(weights, loss, ETA, steps, every=steps)}
    if have("jax"):
        contenders["JAX"], compiling = jax_run(weights, target, steps, together=True)
    best, case = least_times(contenders, rounds, 0), {"width": width, "members": members, "steps": steps}
    records = [{"part": "ensemble", "case": case, "contender": name, "seconds": s} for name, s in best.items()]
    return [r | {"compiling": compiling} if r["contender"] == "JAX" else r for r in records]


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    if small:
        return one_width(2, 3, 4, 2)
    return [record for width, steps in STEPS.items() for record in one_width(width, MEMBERS, steps, 20)]
