"""Whole runs of one network against what JAX makes of them: one loop, compiled as a whole."""

from benchmarks.peers import jax_run
from benchmarks.steps import descent, long, problem
from benchmarks.timing import have, least_times

DEPTH, WIDTHS = 3, (2, 3, 10, 30, 100, 300)


def one_width(width: int, rounds: int, turn: float) -> list[dict]:
    """Seconds of a step within a whole run of one network, and of compiling the loop that it is for JAX."""
    steps, compiling = 5 * long(DEPTH, width), None
    contenders = {"lnn": descent(DEPTH, width, steps)}
    if have("jax"):
        contenders["JAX"], compiling = jax_run(*problem(DEPTH, width), steps)
    best, case = least_times(contenders, rounds, turn), {"depth": DEPTH, "width": width, "steps": steps}
    records = [{"part": "loop", "case": case, "contender": name, "seconds": s / steps} for name, s in best.items()]
    return [r | {"compiling": compiling} if r["contender"] == "JAX" else r for r in records]


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    widths, rounds, turn = ((2, 3), 2, 1e-3) if small else (WIDTHS, 20, 1e-2)
    return [record for width in widths for record in one_width(width, rounds, turn)]
