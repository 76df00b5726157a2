"""Linear convolutional networks of full width: the convolution w_1 ⋆ ⋯ ⋆ w_N of rows of D numbers, around a circle.

The factors have shape (1, D), and (a ⋆ b)_k = Σ_i a_i b_{k-i} with indices modulo D. Under the discrete Fourier
transform a convolution is an entrywise product: a diagonal network in another basis.
"""

import sys
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lnn.models import check_same_shape, fitting
from lnn.numerics.checks import Matrix, Weights


def check(factors: Iterable[ArrayLike]) -> Weights:
    """Return `factors` as float64 rows, if they have one shape (…, 1, D)."""
    found = check_same_shape(factors, sys.modules[__name__])
    if found[0].shape[-2] != 1:
        raise ValueError(f"kernels must be rows of shape (1, D), got {found[0].shape[-2:]}")
    return found


def product(factors: Weights) -> Matrix:
    """End-to-end row w_1 ⋆ ⋯ ⋆ w_N."""
    transform = np.fft.rfft(factors[0])
    for w in factors[1:]:
        transform = transform * np.fft.rfft(w)
    return np.fft.irfft(transform, factors[0].shape[-1])


def pullback(factors: Weights, G: Matrix) -> Weights:
    """Gradients: G correlated with the convolution of all other kernels."""
    found, G = [], fitting(G, factors[0].shape)
    for j in range(len(factors)):
        transform = np.fft.rfft(G)
        for w in factors[:j] + factors[j + 1 :]:
            transform = transform * np.fft.rfft(w).conj()
        found.append(np.fft.irfft(transform, G.shape[-1]))
    return tuple(found)
