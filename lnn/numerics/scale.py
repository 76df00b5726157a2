"""Products and sums of squares of numbers of any size: what the package promises about scale, and how it keeps it.

Entries from 1e-150 to 1e150 are safe everywhere, and so are zeros among them. Sums of squares and products of layers
are taken of numbers brought near 1 by powers of two, which rounds nothing, and scaled back at the end: what can be
written as a float comes out to rounding, relative to the sizes of the factors. What is too large for a float (about
1e308) is refused, or ends a run as DIVERGED. What is too small (about 1e-308) is rounded, at last to zero, as
everywhere in floating point.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Exponent = NDArray[np.int_]


def unit(matrix: Array) -> tuple[Array, Exponent]:
    """A matrix, shape (…, m, n), as one with a largest entry in [1/2, 1) and the power of two taken out of it.

    Returns
    -------
    array, shape (…, m, n)
    exponent : integer array, shape (…, 1, 1)
        0 for a zero matrix.
    """
    exponent = np.frexp(np.abs(matrix).max(axis=(-2, -1), keepdims=True))[1].astype(int)
    return np.ldexp(matrix, -exponent), exponent


def scaled(matrix: Array, exponent: Exponent | int, name: str) -> Array:
    """A matrix times a power of two: the way back from `unit`.

    Raises
    ------
    ValueError
        If an entry, or one of `matrix` itself, is too large for a float.
    """
    with np.errstate(over="ignore"):
        return representable(np.ldexp(matrix, exponent), name, float(np.max(exponent)))


def representable(result: Array, name: str, exponent: float = np.inf) -> Array:
    """Return `result` if it is finite.

    Raises
    ------
    ValueError
        If it is not: finite arguments gave numbers that are too large for a float.
    """
    if not np.isfinite(result).all():
        lost = result.size - int(np.isfinite(result).sum())
        power = f" of a size near 1e{round(exponent * np.log10(2))}" if np.isfinite(exponent) else ""
        raise ValueError(f"{name} has {lost} of {result.size} entries{power} that leave the range of floats, 1e308")
    return result


def frobenius(matrix: Array) -> Array:
    """Frobenius norm of a finite matrix, shape (…, m, n) to (…); infinite only if it is itself too large for a float.

    >>> float(frobenius(np.array([[3e-200, 4e-200]])))
    5e-200
    """
    small, exponent = unit(matrix)
    with np.errstate(over="ignore"):
        return np.asarray(np.ldexp(np.linalg.norm(small, axis=(-2, -1)), exponent[..., 0, 0]))
