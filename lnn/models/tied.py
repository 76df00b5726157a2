"""The symmetric model U Uᵀ of one factor: two layers that are tied to be each other's transpose."""

import sys
from collections.abc import Iterable

from numpy.typing import ArrayLike

from lnn.models import check_factors, fitting
from lnn.numerics.checks import Matrix, Weights


def check(factors: Iterable[ArrayLike]) -> Weights:
    """Return `factors` as one float64 matrix U, shape (…, d, r), in a tuple."""
    found = check_factors(factors, sys.modules[__name__])
    if len(found) != 1:
        raise ValueError(f"the model tied has one factor: write (U,), got {len(found)}")
    return found


def product(factors: Weights) -> Matrix:
    """End-to-end matrix U Uᵀ."""
    (U,) = factors
    return U @ U.mT


def pullback(factors: Weights, G: Matrix) -> Weights:
    """Gradient (G + Gᵀ) U."""
    (U,) = factors
    G = fitting(G, (*U.shape[:-1], U.shape[-2]))
    return ((G + G.mT) @ U,)
