"""What a command of LaTeX makes of the groups that follow it: functions of a `Formula` and the command."""

from itertools import product

import numpy as np

from displays.algebra import NORMS, mp, quad, times, valued
from displays.latex import RELATIONS, Unreadable, split


def fraction(formula, token):
    """A fraction or a binomial coefficient."""
    top, bottom = formula.read(formula.inside()), formula.read(formula.inside())
    return mp.binomial(top, bottom) if token == r"\binom" else times(top, 1 / bottom)


def root(formula, _):
    """A square root, or another one."""
    order = formula.arguments("]")[0] if formula.next == "[" and formula.take() else 2
    return mp.root(formula.read(formula.inside()), int(order))


def norm(formula, _):
    """A norm of a column, or of a matrix: of operators, if nothing is written below."""
    (value,) = formula.arguments(r"\rVert")
    (kind,) = formula.inside() if formula.next == "_" and formula.take() else "2"
    return valued(NORMS[kind](np.asarray(value, dtype=float).reshape(np.shape(value) or (1, 1))))


def inner(formula, _):
    """An inner product."""
    a, b = formula.arguments(r"\rangle")
    return valued(np.sum(a * b))


def small(formula, _):
    """O(…) and o(…): nothing, as far as the tolerance allows."""
    formula.take("(")
    formula.at += len(next(split(formula.tokens[formula.at :], ")"))) + 1
    return mp.mpf(0)


def repeated(formula, token):
    r"""A sum or product: \sum_{j=1}^N, or over the range that is given for an index, as in \sum_{k\ne j}."""
    formula.take("_")
    below, above = formula.inside(), formula.inside() if formula.next == "^" and formula.take() else None
    if below[1:2] == ["="]:
        index, lists = [below[0]], [range(int(formula.read(below[2:])), int(formula.read(above)) + 1)]
        conditions = []
    else:
        cut = next((k for k, t in enumerate(below) if t in RELATIONS), len(below))
        index = [t for t in below[:cut] if t != ","]
        conditions = [[index[0], below[cut], *other] for other in split(below[cut + 1 :], ",")] if below[cut:] else []
        lists = [formula.names[f"\\range {i}"] for i in index]
    total, start = None, formula.at
    for values in product(*lists):
        here = formula.names | dict(zip(index, values, strict=True))
        if not any(formula.wrong(condition, here) for condition in conditions):
            part = type(formula)(formula.tokens[start:], here)
            value = part.term()
            end = start + part.at
            total = value if total is None else total + value if token == r"\sum" else times(total, value)
    if total is None:
        raise Unreadable("an empty sum or product")
    formula.at = end
    return total


def integral(formula, _):
    r"""An integral \int_a^b … dx of a function of one variable."""
    formula.take("_")
    low = formula.read(formula.inside())
    formula.take("^")
    high, rest = formula.read(formula.inside()), formula.tokens[formula.at :]
    end = rest.index("d")
    formula.at += end + 2
    inside = type(formula)
    return quad(lambda x: inside(rest[:end], formula.names | {rest[end + 1]: x}).sum(), low, high)


def rows(formula):
    """The cells of a table."""
    start, depth = formula.at, 1
    while depth:
        depth += {r"\cases": 1, r"\pmatrix": 1, r"\end": -1}.get(formula.take(), 0)
    return [list(split(row, "&")) for row in split(formula.tokens[start : formula.at - 1], r"\\")]


def matrix(formula, _):
    """A matrix of blocks."""
    cells = [[np.array(formula.read(cell), dtype=float) for cell in row] for row in rows(formula)]
    return np.block([[np.atleast_2d(cell) for cell in row] for row in cells])


def case(formula, _):
    """The value whose condition holds."""
    for value, *_, condition in rows(formula):
        if not formula.wrong(condition, formula.names):
            return formula.read(next(split(value, ",")))
    raise Unreadable("no case holds")
