"""A CP factorization is a tuple of factor matrices, one a mode, and its one privileged operation is a sum of products.

The n-th matrix has shape (d_n, R); its r-th column is the vector w_r^n, and the r-th columns of all N together are the
component w_r^1 ⊗ ⋯ ⊗ w_r^N. As for networks, leading axes are free.
"""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnn.models import check_factors
from lnn.numerics.checks import Matrix, Weights, check_array, check_count, check_positive, check_rng


def check(factors: Iterable[ArrayLike]) -> Weights:
    """Return `factors` as a CP factorization: a tuple of float64 matrices with one number of columns.

    Parameters
    ----------
    factors : iterable of N ≥ 2 arrays, the n-th of shape (…, d_n, R)
        Leading axes (a time axis, say) must be the same for all modes.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two matrices, one is not finite and real, or two do not fit.
    """
    found = check_factors(factors, sys.modules[__name__], least=2)
    for n, W in enumerate(found[1:], start=2):
        if W.shape[-1] != found[0].shape[-1]:
            raise ValueError(f"factor {n} has {W.shape[-1]} components, but factor 1 has {found[0].shape[-1]}")
    return found


def khatri_rao(factors: Sequence[Matrix]) -> Matrix:
    """Column-wise Kronecker product, shape (…, d_1 ⋯ d_N, R): its r-th column is w_r^1 ⊗ ⋯ ⊗ w_r^N, row by row."""
    K = factors[0]
    for W in factors[1:]:
        K = (K[..., :, None, :] * W[..., None, :, :]).reshape(*K.shape[:-2], -1, K.shape[-1])
    return K


def product(factors: Weights) -> Matrix:
    """End-to-end tensor of a factorization that has been checked: `end_to_end` for inner loops."""
    flat = khatri_rao(factors[:-1]) @ factors[-1].mT
    return flat.reshape(*flat.shape[:-2], *(W.shape[-2] for W in factors))


def gradients(factors: Weights, G: Matrix) -> Weights:
    """Gradients of a factorization that has been checked: `pullback` for inner loops."""
    lead, order = G.ndim - len(factors), len(factors)
    found = []
    for n in range(order):
        others = khatri_rao([*factors[:n], *factors[n + 1 :]])
        unfolded = np.moveaxis(G, lead + n, lead).reshape(*G.shape[:lead], G.shape[lead + n], -1)
        found.append(unfolded @ others)
    return tuple(found)


def end_to_end(factors: Iterable[ArrayLike]) -> Matrix:
    """End-to-end tensor Σ_r w_r^1 ⊗ ⋯ ⊗ w_r^N of a CP factorization.

    Parameters
    ----------
    factors : N arrays, the n-th of shape (…, d_n, R)

    Returns
    -------
    array, shape (…, d_1, …, d_N)

    Raises
    ------
    TypeError, ValueError
        As `check` does.

    Notes
    -----
    `def-cp`, page `beyond_linear`; [RMC21].
    """
    return product(check(factors))


def pullback(factors: Iterable[ArrayLike], G: ArrayLike) -> Weights:
    """Gradients of ℓ(Σ_r w_r^1 ⊗ ⋯ ⊗ w_r^N) with respect to every factor, from the gradient G of ℓ at that tensor.

    Column r of the n-th is G contracted, in all modes but the n-th, with the other vectors of component r.

    Parameters
    ----------
    factors : N arrays, the n-th of shape (…, d_n, R)
    G : array, shape (…, d_1, …, d_N)

    Returns
    -------
    tuple of N arrays, shaped as the factors

    Raises
    ------
    TypeError, ValueError
        As `check` does, or if `G` has not the shape of the end-to-end tensor.

    Notes
    -----
    `lem-cp-gradient`, page `beyond_linear`.
    """
    found, G = check(factors), check_array(G, "G")
    expected = (*found[0].shape[:-2], *(W.shape[-2] for W in found))
    if G.shape != expected:
        raise ValueError(f"G must have the shape {expected} of the end-to-end tensor, got {G.shape}")
    return gradients(found, G)


def component_norms(factors: Iterable[ArrayLike]) -> Matrix:
    """Norms ‖w_r^1 ⊗ ⋯ ⊗ w_r^N‖ = Π_n ‖w_r^n‖ of the components, shape (…, R), in the components' own order.

    >>> component_norms((np.array([[3.0], [4.0]]), np.array([[0.0], [2.0]])))
    array([10.])
    """
    return np.prod([np.linalg.norm(W, axis=-2) for W in check(factors)], axis=0)


def pulls(factors: Iterable[ArrayLike], G: ArrayLike) -> Matrix:
    """Pulls γ_r = ⟨-G, ŵ_r^1 ⊗ ⋯ ⊗ ŵ_r^N⟩ of a loss with gradient G on the components' directions.

    Parameters
    ----------
    factors : N arrays, the n-th of shape (…, d_n, R)
    G : array, shape (…, d_1, …, d_N)

    Returns
    -------
    array, shape (…, R)
        NaN for a component that is zero, which has no direction.

    Raises
    ------
    TypeError, ValueError
        As `pullback` does.

    Notes
    -----
    `thm-component-norms`, page `beyond_linear`; [RMC21].
    """
    found, norms = check(factors), component_norms(factors)
    inner = -(found[0] * pullback(found, G)[0]).sum(axis=-2)
    return np.divide(inner, norms, out=np.full_like(norms, np.nan), where=norms > 0)


def imbalance(factors: Iterable[ArrayLike]) -> Matrix:
    """The largest |‖w_r^n‖² - ‖w_r^m‖²| over components r and modes n, m, shape (…): gradient flow conserves each.

    Raises
    ------
    TypeError, ValueError
        As `check` does.

    Notes
    -----
    `lem-component-balance`, page `beyond_linear`; [RMC21].
    """
    squares = np.stack([(W**2).sum(axis=-2) for W in check(factors)])
    return np.ptp(squares, axis=0).max(axis=-1)


def balance(factors: Iterable[ArrayLike]) -> Weights:
    """The factorization with the same components in which the N vectors of each component have one norm.

    Raises
    ------
    TypeError, ValueError
        As `check` does.
    """
    found = check(factors)
    common = component_norms(found) ** (1 / len(found))
    scaled = []
    for W in found:
        norms = np.linalg.norm(W, axis=-2)
        ratio = np.divide(common, norms, out=np.zeros_like(norms), where=norms > 0)
        scaled.append(W * ratio[..., None, :])
    return tuple(scaled)


def gaussian(shape: Sequence[int], components: int, scale: float, *, rng: np.random.Generator) -> Weights:
    """Factors whose entries are independent, normal, with mean 0 and standard deviation `scale`.

    Parameters
    ----------
    shape : (d_1, …, d_N)
    components : int
        The number R of components.
    scale : float
    rng : numpy.random.Generator

    Returns
    -------
    tuple of N arrays, the n-th of shape (d_n, R)

    Raises
    ------
    TypeError, ValueError
        If the order is below 2, a size no positive whole number, the scale not positive, or `rng` no generator.
    """
    sizes = tuple(check_count(d, f"d_{n}") for n, d in enumerate(shape, start=1))
    if len(sizes) < 2:
        raise ValueError(f"a tensor factorization needs an order of at least 2, got {len(sizes)}")
    R, scale, rng = check_count(components, "components"), check_positive(scale, "scale"), check_rng(rng)
    return tuple(scale * rng.standard_normal((d, R)) for d in sizes)
