"""Displayed formulas, read off the pages as they stand, against witnesses: tests/displays/."""

import numpy as np
import pytest
from displays import compared, complaint, displays, given, table
from displays.algebra import mp
from displays.formula import Formula
from displays.latex import mutants, tokens

ALL = [(chapter, one) for chapter, found in table().items() for one in found]
by_place = pytest.mark.parametrize(("chapter", "one"), ALL, ids=[f"{one.where}-{one.names.__name__}" for _, one in ALL])


@by_place
def test_a_formula_agrees_with_its_witness(chapter, one):
    assert one.where in displays(chapter), (
        f"{chapter} has no display {one.where}; it has {', '.join(displays(chapter))}"
    )
    assert complaint(one, compared(one, displays(chapter)[one.where]), given(one)) == ""


@by_place
def test_with_a_sign_or_a_digit_changed_it_does_not(chapter, one):
    changed = [new for part in compared(one, displays(chapter)[one.where]) for new in mutants(part)]
    unnoticed = [" ".join(new) for new in changed if not complaint(one, [new], given(one))]
    assert changed and len(unnoticed) == one.alike, unnoticed


x, A, B = mp.mpf(3), np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"\tfrac12x^2 - \frac1{10}\,x", mp.mpf("4.2")),
        (r"2x(1 + x)/4", 6),
        (r"\lvert 1 - x\rvert^{x - 1}|x - 5|", 8),
        (r"\sqrt{x + 1} + \log e^x - \sqrt[3]8", 3),
        (r"\sum_{j=1}^3 j^2 - 1", 13),
        (r"\prod_{k \ne x} k", 8),
        (r"\int_0^x 2t\,dt", 9),
        (r"\operatorname{tr}(A^\top B)", 16),
        (r"\lVert A\rVert_F^2 - \langle A, B\rangle", -2),
        (r"\begin{cases} 1/0, & x = 2, \\ x, & x < 0, \\ 7 & x \ge 3. \end{cases}", 7),
        (r"\binom x2 + \lceil x/2 \rceil", 5),
        (r"a_{12} + a_{1,2} - w^{(x - 1)}", 12 + 12 - 20),
        (r"f(x + 1) + \det A - f(1)", 12),
    ],
)
def test_a_formula_has_the_value_that_a_reader_gives_it(latex, value):
    names = {"x": x, "A": A, "B": B, r"\range k": (2, 3, 4), "f": lambda y: 2 * y - 1}
    names |= {"a_": lambda i, j: 10 * i + j, "w^": lambda k: 10 * k}
    assert abs(Formula((), names).read(tokens(latex)) - value) < 1e-9
