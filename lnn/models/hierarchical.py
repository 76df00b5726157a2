"""A hierarchical tensor factorization over a binary tree: modes are joined in pairs, pairs in pairs, up to one tensor.

The matrices stand level by level: first those of the N = 2^k leaves, (d_n, R) each, then N/2 of shape (R, R), and so
on, last the top one, (R, 1). A node takes the tensors U_1, U_2 that its two children hand up, R each, and hands up the
combinations Σ_q W[q, r] U_1[q] ⊗ U_2[q]. With order 2 it is a product of two matrices with weights between.
"""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnn.models import check_factors
from lnn.models.tensor import khatri_rao
from lnn.numerics.checks import Matrix, Weights, check_array, check_count, check_positive, check_rng


def _order(weights: Sequence[Matrix]) -> int:
    """Order N of the tensor, from the 2N - 1 matrices of the tree."""
    return (len(weights) + 1) // 2


def children(node: int, order: int) -> tuple[int, int]:
    """Numbers of the two children of the `node`-th matrix, `order` ≤ node < 2·`order` - 1, counted level by level."""
    first = 2 * (node - order)
    return first, first + 1


def check(weights: Iterable[ArrayLike]) -> Weights:
    """Return `weights` as a hierarchical factorization: 2N - 1 float64 matrices that fit the tree.

    Parameters
    ----------
    weights : iterable of 2N - 1 arrays, N = 2^k ≥ 2
        Leaves (…, d_n, R), inner nodes (…, R, R), the top (…, R, 1); leading axes the same for all.

    Raises
    ------
    TypeError, ValueError
        If the number of matrices fits no tree, one is not finite and real, or a shape does not fit.
    """
    found = check_factors(weights, sys.modules[__name__])
    N = _order(found)
    if len(found) < 3 or len(found) % 2 == 0 or N & (N - 1):
        raise ValueError(f"a binary tree with N = 2, 4, 8, … leaves has 2N - 1 matrices, got {len(found)}")
    R = found[0].shape[-1]
    for j, W in enumerate(found):
        inner = W.shape[-2:] if j < N else (R, W.shape[-1])
        expected = (*found[0].shape[:-2], inner[0], 1 if j == len(found) - 1 else R)
        if W.shape != expected:
            raise ValueError(f"factor {j + 1} must have shape {expected}, got {W.shape}")
    return found


def _sweep(weights: Weights) -> tuple[list[Matrix], list[Matrix]]:
    """What each node hands up, shape (…, D, R), and for inner nodes the products of what comes from below."""
    N = _order(weights)
    handed, joined = list(weights[:N]), []
    for node in range(N, len(weights)):
        left, right = children(node, N)
        joined.append(khatri_rao([handed[left], handed[right]]))
        handed.append(joined[-1] @ weights[node])
    return handed, joined


def product(weights: Weights) -> Matrix:
    """End-to-end tensor of a factorization that has been checked: `end_to_end` for inner loops."""
    top = _sweep(weights)[0][-1]
    return top.reshape(*top.shape[:-2], *(W.shape[-2] for W in weights[: _order(weights)]))


def gradients(weights: Weights, G: Matrix) -> Weights:
    """Gradients of a factorization that has been checked: one sweep up, one down; `pullback` for inner loops."""
    N = _order(weights)
    handed, joined = _sweep(weights)
    found, above = list(weights), list(handed)  # both are overwritten, from the top down
    above[-1] = G.reshape(handed[-1].shape)
    for node in range(len(weights) - 1, N - 1, -1):
        left, right = children(node, N)
        found[node] = joined[node - N].mT @ above[node]
        below = above[node] @ weights[node].mT
        below = below.reshape(*below.shape[:-2], handed[left].shape[-2], handed[right].shape[-2], -1)
        above[left] = (below * handed[right][..., None, :, :]).sum(axis=-2)
        above[right] = (below * handed[left][..., :, None, :]).sum(axis=-3)
    found[:N] = above[:N]
    return tuple(found)


def end_to_end(weights: Iterable[ArrayLike]) -> Matrix:
    """End-to-end tensor of a hierarchical factorization.

    Parameters
    ----------
    weights : 2N - 1 arrays
        As `check` takes them.

    Returns
    -------
    array, shape (…, d_1, …, d_N)

    Raises
    ------
    TypeError, ValueError
        As `check` does.

    Notes
    -----
    `def-hierarchical`, page `beyond_linear`; [RMC22].
    """
    return product(check(weights))


def pullback(weights: Iterable[ArrayLike], G: ArrayLike) -> Weights:
    """Gradients of ℓ(end-to-end tensor) with respect to every matrix, from the gradient G of ℓ at that tensor.

    Parameters
    ----------
    weights : 2N - 1 arrays
        As `check` takes them.
    G : array, shape (…, d_1, …, d_N)

    Returns
    -------
    tuple of 2N - 1 arrays, shaped as the weights

    Raises
    ------
    TypeError, ValueError
        As `check` does, or if `G` has not the shape of the end-to-end tensor.
    """
    found, G = check(weights), check_array(G, "G")
    expected = (*found[0].shape[:-2], *(W.shape[-2] for W in found[: _order(found)]))
    if G.shape != expected:
        raise ValueError(f"G must have the shape {expected} of the end-to-end tensor, got {G.shape}")
    return gradients(found, G)


def vectors(weights: Iterable[ArrayLike]) -> Matrix:
    """Norms of the three vectors of every local component, shape (…, N - 1, 3, R).

    At inner node ν, in the order of the matrices, component r consists of column r of the left child's matrix, column
    r of the right child's, and row r of the node's own.

    Raises
    ------
    TypeError, ValueError
        As `check` does.
    """
    found = check(weights)
    N = _order(found)
    norms = []
    for node in range(N, len(found)):
        left, right = (np.linalg.norm(found[child], axis=-2) for child in children(node, N))
        norms.append(np.stack([left, right, np.linalg.norm(found[node], axis=-1)], axis=-2))
    return np.stack(norms, axis=-3)


def component_norms(weights: Iterable[ArrayLike]) -> Matrix:
    """Norms of the local components of every inner node, shape (…, N - 1, R): products of three vectors' norms.

    Raises
    ------
    TypeError, ValueError
        As `check` does.

    Notes
    -----
    `thm-local-components`, page `beyond_linear`; [RMC22].
    """
    return vectors(weights).prod(axis=-2)


def imbalance(weights: Iterable[ArrayLike]) -> Matrix:
    """The largest difference of two squared norms within a local component, shape (…): gradient flow conserves each.

    Raises
    ------
    TypeError, ValueError
        As `check` does.
    """
    return np.ptp(vectors(weights) ** 2, axis=-2).max(axis=(-2, -1))


def gaussian(shape: Sequence[int], components: int, scale: float, *, rng: np.random.Generator) -> Weights:
    """Weights whose entries are independent, normal, with mean 0 and standard deviation `scale`.

    Parameters
    ----------
    shape : (d_1, …, d_N)
        N = 2, 4, 8, …
    components : int
        R, at every inner node.
    scale : float
    rng : numpy.random.Generator

    Returns
    -------
    tuple of 2N - 1 arrays, as `check` describes them

    Raises
    ------
    TypeError, ValueError
        If the order is no power of 2, a size no positive whole number, the scale not positive, or `rng` no generator.
    """
    sizes = tuple(check_count(d, f"d_{n}") for n, d in enumerate(shape, start=1))
    R, scale, rng, N = check_count(components, "components"), check_positive(scale, "scale"), check_rng(rng), len(sizes)
    if N < 2 or N & (N - 1):
        raise ValueError(f"a binary tree joins 2, 4, 8, … modes, got {N}")
    shapes = [*((d, R) for d in sizes), *[(R, R)] * (N - 2), (R, 1)]
    return tuple(scale * rng.standard_normal(pair) for pair in shapes)
