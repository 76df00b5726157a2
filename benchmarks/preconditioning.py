"""Applying the preconditioner of depth 3 against multiplying by its Kronecker matrix: time and memory over width."""

import numpy as np

from benchmarks.timing import least_times, peak_memory
from lnn.theory import preconditioner

DEPTH = 3


def records(width: int, explicit: bool, rounds: int, turn: float) -> list[dict]:
    """Seconds and bytes of both ways at one width; the explicit one forms its matrix, as W changes at every step."""
    rng = np.random.default_rng(width)
    W, G = rng.standard_normal((2, width, width))

    def ours():
        return preconditioner.precondition(W, G, DEPTH)

    def kronecker():
        return (preconditioner.matrix(W, DEPTH) @ G.ravel(order="F")).reshape(width, width, order="F")

    contenders = {"lnn": ours, "Kronecker": kronecker} if explicit else {"lnn": ours}
    if explicit:
        assert np.allclose(ours(), kronecker())
    best = least_times(contenders, rounds, turn)
    return [
        {
            "part": "preconditioner",
            "case": {"width": width},
            "contender": name,
            "seconds": best[name],
            "bytes": peak_memory(run),
        }
        for name, run in contenders.items()
    ]


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    widths, largest = ((3, 4, 6, 8), 6) if small else ((8, 12, 16, 24, 32, 48, 100, 200, 400), 48)
    rounds, turn = (2, 1e-4) if small else (10, 2e-3)
    return [record for width in widths for record in records(width, width <= largest, rounds, turn)]
