"""Displayed formulas of the pages, read as they stand and compared with witnesses.

`PYTHONPATH=tests .venv/bin/python -m displays` counts those that have one, and lists the others.

A display is found by its label, or by that of the statement or exercise it belongs to and its place there: "eq-gains",
"lem-descent 2". The modules of this package say, chapter by chapter, what the names in it are, as functions of a
`Draw`: numbers and matrices drawn at random, and what `lnn.theory`, `lnn.symbolic` or a loop makes of them. Its parts
are what stands between commas, quads and line ends; those that state nothing are left out.
"""

import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from displays.latex import Unreadable, parts
from displays.relations import sides, wrong

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "pages"))  # for `python -m displays`; pytest has it already
import seals

CHAPTERS = (
    "linear_networks", "balancedness", "end_to_end_dynamics", "convergence", "acceleration", "matrix_completion",
    "singular_value_dynamics", "beyond_norms", "beyond_linear", "large_steps", "other_networks", "nonlinear_networks",
)  # fmt: skip
DISPLAY = re.compile(r"^ *\$\$\n(.*?)^ *\$\$(?: \((eq-[\w-]+)\))?", re.M | re.S)


class Witness(NamedTuple):
    """What is given for the names of a display, which of its parts are compared, and whether bounds are equalities."""

    where: str
    names: object
    parts: tuple[int, ...]
    tight: bool | tuple[int, ...]
    draws: int
    tolerance: float
    alike: int


class Draw:
    """Random numbers and matrices, and a depth N from 2 on, another one with every draw."""

    def __init__(self, seed):
        self.rng, self.depth = np.random.default_rng(seed), 2 + seed % 3

    def between(self, low, high, count=None):
        return self.rng.uniform(low, high, count)

    def matrix(self, rows, columns):
        return self.rng.standard_normal((rows, columns))

    def rotation(self, size):
        return np.linalg.qr(self.matrix(size, size))[0]


TABLE: dict[str, list[Witness]] = {}


def witness(where, *parts, tight=False, draws=3, tolerance=1e-9, alike=0):
    """Enter a function from a `Draw` to the names of a display.

    `parts` are those compared, all if none is given; with `tight`, bounds have to be attained. `alike` is how many of
    the changes of a sign or a digit leave the formula true. The chapter is called like the module, or its CHAPTER.
    """

    def enter(names):
        one = Witness(where, names, parts, tight, draws, tolerance, alike)
        chapter = names.__globals__.get("CHAPTER", names.__module__.rpartition(".")[2])
        TABLE.setdefault(chapter, []).append(one)
        return names

    return enter


@cache
def displays(chapter):
    """The displays of a chapter: where they stand, and their LaTeX."""
    text = (ROOT / "chapters" / f"{chapter}.md").read_text(encoding="utf-8")
    found = {}
    for label, piece in seals.pieces(text).items():
        for place, display in enumerate(DISPLAY.finditer(piece), start=1):
            found[display[2] or f"{label} {place}"] = display[1]
    return found


def compared(one, latex):
    """The parts of a display that a witness is about."""
    found = parts(latex)
    return [found[k] for k in (one.parts or range(len(found)))]


def complaint(one, found, given):
    """What is wrong with the parts in one of the draws, empty if nothing."""
    for part in found:
        for names in given:
            try:
                said = wrong(part, names, names.get(r"\tight", one.tight), one.tolerance)
            except (Unreadable, ArithmeticError, LookupError, TypeError, ValueError) as error:
                said = f"unreadable: {error!r}"
            if said:
                return f"{' '.join(part)}: {said}"
    return ""


@cache
def drawn(names, seed):
    """The names that a function gives for a draw."""
    return names(Draw(seed))


def given(one):
    """The names of a display in all draws."""
    return [drawn(one.names, seed) for seed in range(one.draws)]


def side(chapter, where, part, place, names):
    """The value of one side of a part of another display: what follows from a formula is compared with it."""
    return sides(parts(displays(chapter)[where])[part], names)[0][place]


def table():
    """All witnesses, by chapter."""
    for module in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        import_module(f"displays.{module.stem}")
    return TABLE
