"""Whether a chain of relations holds at the values that are given for its names."""

import operator
from itertools import pairwise

import numpy as np

from displays import formula
from displays.algebra import valued
from displays.latex import RELATIONS, split

ORDER = {
    "<": operator.lt, ">": operator.gt, r"\le": operator.le, r"\ge": operator.ge, r"\ne": operator.ne,
    r"\neq": operator.ne,
}  # fmt: skip


def sides(part, names):
    """The values of the sides of a chain, and the signs between them."""
    whole, signs, values, at = formula.Formula((), names), [], [], -1
    for side in split(part, *RELATIONS):
        at += len(side) + 1
        signs += part[at : at + 1]
        values.append(valued(names[r"\leftarrow"]) if part[at : at + 1] == [r"\leftarrow"] else whole.read(side))
    if r"\value" in names:  # an expression that is displayed alone has one of these values
        signs, values = ["="], [*values, min(names[r"\value"], key=lambda x: abs(x - values[0]))]
    return values, signs


def zero(value):
    """Whether a side is the number 0, which also stands for a matrix."""
    return np.ndim(value) == 0 and value == 0


def size(value):
    """The largest entry."""
    return float(np.max(np.abs(np.asarray(value, dtype=float))))


def wrong(part, names, tight=False, tolerance=1e-9):
    """What is wrong with a chain of relations, in words; empty if it holds, and the tight ones with equality.

    `tight` is for all of them, or has the places of those that are attained; 0 on one side never is. "About equal" is
    compared only where it is tight.
    """
    values, signs = sides(part, names)
    tight = range(len(signs)) if tight is True else tight or ()
    vanishing = float(any(map(zero, values)))
    for place, ((a, b), sign) in enumerate(zip(pairwise(values), signs, strict=True)):
        if np.shape(a) != np.shape(b) and not zero(a) and not zero(b):
            return f"shapes {np.shape(a)} and {np.shape(b)}"
        same = size(a - b) <= tolerance * max(size(a), size(b), vanishing)
        attained = place in tight and not zero(a) and not zero(b)
        if sign in ORDER and not attained:
            same = ORDER[sign](a, b) or (same and sign in (r"\le", r"\ge"))
        if not same and (sign != r"\approx" or attained):
            return f"{a} {sign} {b}"
    return ""
