"""Diagonal networks: the entrywise product u_1 ∘ ⋯ ∘ u_N of matrices of one shape; rows make a linear predictor.

With a row of d entries as its matrix, W x = Σ_i u_1i ⋯ u_Ni x_i: a network in which every input has a path of its own.
`Signed` is the difference of two of them, which can reach entries of both signs from one start.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lnn.models import check_same_shape, fitting
from lnn.numerics.checks import Matrix, Weights, check_count


def check(factors: Iterable[ArrayLike]) -> Weights:
    """Return `factors` as float64 matrices, if they have one shape (…, m, n)."""
    return check_same_shape(factors, sys.modules[__name__])


def product(factors: Weights) -> Matrix:
    """End-to-end matrix u_1 ∘ ⋯ ∘ u_N."""
    W = factors[0]
    for u in factors[1:]:
        W = W * u
    return W


def pullback(factors: Weights, G: Matrix) -> Weights:
    """Gradients G ∘ Π_{i≠j} u_i, without a division: a factor may be zero."""
    found, G = [], fitting(G, factors[0].shape)
    for j in range(len(factors)):
        others = factors[:j] + factors[j + 1 :]
        found.append(G * product(others) if others else G.copy())
    return tuple(found)


@dataclass(frozen=True)
class Signed:
    """The difference u^N - v^N of two entrywise powers, with the factors (u, v).

    Parameters
    ----------
    power : int
        N ≥ 1. At 2, gradient flow from equal small u, v goes to the least ℓ_1 norm that fits.
    """

    power: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "power", check_count(self.power, "power"))

    def check(self, factors: Iterable[ArrayLike]) -> Weights:
        """Return `factors` as two float64 matrices, if they have one shape (…, m, n)."""
        found = check_same_shape(factors, self)
        if len(found) != 2:
            raise ValueError(f"the model Signed has the factors (u, v), got {len(found)}")
        return found

    def product(self, factors: Weights) -> Matrix:
        """End-to-end matrix u^N - v^N."""
        u, v = factors
        return np.asarray(u**self.power - v**self.power)

    def pullback(self, factors: Weights, G: Matrix) -> Weights:
        """Gradients N u^(N-1) ∘ G and -N v^(N-1) ∘ G."""
        u, v = factors
        N, G = self.power, fitting(G, u.shape)
        return N * u ** (N - 1) * G, -N * v ** (N - 1) * G
