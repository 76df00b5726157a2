"""Linear residual networks: (I + A_N) ⋯ (I + A_1), with square factors A_j that start near zero."""

import sys
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lnn import network
from lnn.models import check_same_shape, fitting
from lnn.numerics.checks import Matrix, Weights


def check(factors: Iterable[ArrayLike]) -> Weights:
    """Return `factors` as float64 matrices, if they are square and of one size."""
    found = check_same_shape(factors, sys.modules[__name__])
    if found[0].shape[-2] != found[0].shape[-1]:
        raise ValueError(f"residual layers must be square, got shape {found[0].shape[-2:]}")
    return found


def layers(factors: Weights) -> Weights:
    """The layers I + A_j."""
    return tuple(np.eye(A.shape[-1]) + A for A in factors)


def product(factors: Weights) -> Matrix:
    """End-to-end matrix (I + A_N) ⋯ (I + A_1)."""
    return network.product(layers(factors))


def pullback(factors: Weights, G: Matrix) -> Weights:
    """Gradients with respect to the A_j: those of the layers I + A_j."""
    found, G = layers(factors), fitting(G, factors[0].shape)
    return network.layer_gradients(found, network.prefixes(found), G)
