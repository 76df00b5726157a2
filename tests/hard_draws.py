"""What the tests of hard inputs draw: matrices of many scales, any rank and spectrum, and exact products of them."""

import mpmath
import numpy as np
from hypothesis import strategies as st

KINDS = ("gaussian", "zero", "one entry", "rank one", "repeated values", "spread values")
BAD = {
    "nan": lambda x: np.where(np.arange(np.size(x)).reshape(np.shape(x)) == 0, np.nan, x),
    "infinite": lambda x: np.where(np.arange(np.size(x)).reshape(np.shape(x)) == 0, -np.inf, x),
    "complex": lambda x: np.asarray(x) + 1j,
    "text": lambda x: np.asarray(x).astype(str),
    "empty": lambda x: np.zeros((0, *np.shape(x)[1:])),
    "masked": lambda x: np.ma.masked_array(x, mask=np.arange(np.size(x)).reshape(np.shape(x)) == 0),
    "ragged": lambda x: [[1.0, 2.0], [3.0]],
    "nothing": lambda x: None,
}

kinds = st.sampled_from(KINDS)
powers = st.integers(-40, 40)  # of ten: products and squares of a few such numbers are floats
widths = st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def hard(rng, m, n, kind, power=0):
    """Matrix of shape (m, n) of this kind, with a largest entry near 10^power."""
    size, k = 10.0**power, min(m, n)
    if kind == "zero":
        return np.zeros((m, n))
    if kind == "one entry":
        W = np.zeros((m, n))
        W[rng.integers(m), rng.integers(n)] = size
        return W
    if kind == "rank one":
        return size * np.outer(rng.standard_normal(m), rng.standard_normal(n))
    if kind in ("repeated values", "spread values"):
        U, V = (np.linalg.qr(rng.standard_normal((d, k)))[0] for d in (m, n))
        values = np.ones(k) if kind == "repeated values" else 10.0 ** -np.sort(rng.uniform(0, 100, k))
        return size * ((U * values) @ V.T)
    return size * rng.standard_normal((m, n))


def network(draw):
    """Layers of random widths, each of its own kind and scale."""
    rng, sizes = np.random.default_rng(draw(seeds)), draw(widths)
    return tuple(hard(rng, m, n, draw(kinds), draw(powers)) for m, n in zip(sizes[1:], sizes[:-1], strict=True))


networks = st.composite(network)()


def exact(matrix):
    """The matrix with 60 digits, and exponents without end."""
    with mpmath.workdps(60):
        return mpmath.matrix(np.asarray(matrix).tolist())


def gap(found, wanted):
    """Largest difference of a float matrix from an exact one, as an exact number."""
    with mpmath.workdps(60):
        difference = exact(found) - wanted
        return max(abs(x) for x in difference)


def size(matrix):
    """Largest entry of an exact matrix in absolute value."""
    return max(abs(x) for x in matrix)
