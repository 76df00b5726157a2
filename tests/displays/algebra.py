"""Sums, products, powers and functions of numbers and matrices, as they are meant on a page."""

import numpy as np
from mpmath import MPContext

from displays.latex import Unreadable

mp = MPContext()
mp.dps = 30  # digits

GROUPS = {
    "(": (")", lambda x: x),
    "[": ("]", lambda x: x),
    "{": ("}", lambda x: x),
    r"\lvert": (r"\rvert", abs),
    "|": ("|", abs),
    r"\lfloor": (r"\rfloor", mp.floor),
    r"\lceil": (r"\rceil", mp.ceil),
}
FUNCTIONS = {
    r"\log": mp.log, r"\exp": mp.exp, r"\sin": mp.sin, r"\cos": mp.cos, r"\sinh": mp.sinh, r"\cosh": mp.cosh,
    r"\arsinh": mp.asinh, r"\tr": np.trace, r"\det": np.linalg.det, r"\vec": lambda A: A.reshape(-1, 1, order="F"),
    r"\diag": lambda *a: np.diag(a), r"\rank": np.linalg.matrix_rank,
}  # fmt: skip
NORMS = {
    "2": lambda A: np.linalg.norm(A, 2),
    "F": np.linalg.norm,
    "*": lambda A: np.linalg.norm(A, "nuc"),
    "1": lambda A: np.abs(A).sum(),
}


NODES = np.polynomial.legendre.leggauss(40)


def quad(function, low, high):
    """Integral of a smooth function, by Gauss."""
    low, high = float(low), float(high)
    found = sum(w * function(low + (high - low) * (x + 1) / 2) for x, w in zip(*NODES, strict=True))
    return found * (high - low) / 2


def valued(value):
    """A number with thirty digits, a matrix with sixteen; what has one entry is a number."""
    if isinstance(value, np.ndarray):
        return valued(value.item()) if value.size == 1 else value.astype(float)
    return value if callable(value) else mp.mpf(str(value) if hasattr(value, "free_symbols") else value)


def times(a, b):
    """The product of numbers and matrices."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return valued(a @ b)
    return valued(float(a) * b if isinstance(b, np.ndarray) else a * float(b) if isinstance(a, np.ndarray) else a * b)


def plus(a, b):
    """The sum of numbers or matrices; a number beside a square matrix is a multiple of I, which is read as 1."""
    if np.ndim(a) < np.ndim(b):
        a, b = b, a
    if np.ndim(a) > np.ndim(b) and b == 0:
        return a
    if np.ndim(a) > np.ndim(b) and len(set(a.shape)) == 1:
        return a + float(b) * np.eye(len(a))
    if np.shape(a) != np.shape(b):
        raise Unreadable(f"shapes {np.shape(a)} and {np.shape(b)} are added")
    return a + b


def power(base, exponent):
    """A power; of a symmetric matrix also one that is no whole number, with 0^0 = 1."""
    if not isinstance(base, np.ndarray):
        return mp.mpf(1) if exponent == 0 else base**exponent
    if exponent == int(exponent) and (exponent >= 0 or np.linalg.cond(base) < 1e12):
        return np.linalg.matrix_power(base, int(exponent))
    values, vectors = np.linalg.eigh(base)
    kept = values > 1e-12 * values.max()
    return (vectors[:, kept] * values[kept] ** float(exponent)) @ vectors[:, kept].T
