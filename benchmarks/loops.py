"""Whole runs of one network against what JAX makes of them: one loop, compiled as a whole."""

from benchmarks.peers import beside_loop
from benchmarks.steps import descent, long, problem

DEPTH, WIDTHS = 3, (2, 3, 10, 30, 100, 300)


def one_width(width: int, rounds: int, turn: float) -> list[dict]:
    """Seconds of a step within a whole run of one network, and of compiling the loop that it is for JAX."""
    steps = 5 * long(DEPTH, width)
    case, ours = {"depth": DEPTH, "width": width, "steps": steps}, descent(DEPTH, width, steps)
    records = beside_loop("loop", case, ours, *problem(DEPTH, width), rounds=rounds, turn=turn)
    return [record | {"seconds": record["seconds"] / steps} for record in records]


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    widths, rounds, turn = ((2, 3), 2, 1e-3) if small else (WIDTHS, 20, 1e-2)
    return [record for width in widths for record in one_width(width, rounds, turn)]
