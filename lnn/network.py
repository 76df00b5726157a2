"""A linear neural network is a tuple of matrices, and its one privileged operation is their product."""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnn.numerics.checks import Matrix, Weights, check_array, check_matrix, check_widths, representable


def check(weights: Iterable[ArrayLike]) -> Weights:
    """Return `weights` as a network: a tuple of float64 matrices whose shapes chain.

    Parameters
    ----------
    weights : iterable of N ≥ 1 arrays, the j-th of shape (…, d_j, d_{j-1})
        W_1 first. Leading axes (a time axis, say) must be the same for all layers.

    Raises
    ------
    TypeError, ValueError
        If there is no layer, a layer is not a finite real matrix, or two neighbours do not fit.
    """
    if hasattr(weights, "read_by"):  # a trajectory in the place of its weights
        weights = weights.read_by(sys.modules[__name__])
    if isinstance(weights, np.ndarray) and weights.ndim == 2:
        raise TypeError("weights must be a tuple of matrices, got a single matrix: write (W,) for a network of depth 1")
    if not isinstance(weights, Iterable):
        raise TypeError(f"weights must be a tuple of matrices, got an object of type {type(weights).__name__}")
    network: Weights = ()
    for j, W in enumerate(weights, start=1):
        network += (check_matrix(W, f"layer {j}"),)
    if not network:
        raise ValueError("a network needs at least one layer, got depth 0")
    for j in range(1, len(network)):
        below, above = network[j - 1], network[j]
        if above.shape[-1] != below.shape[-2]:
            raise ValueError(
                f"layer {j + 1} maps {above.shape[-1]} -> {above.shape[-2]}, but layer {j} ends in {below.shape[-2]}"
            )
        if above.shape[:-2] != below.shape[:-2]:
            raise ValueError(f"layer {j + 1} has leading axes {above.shape[:-2]}, but layer {j} has {below.shape[:-2]}")
    return network


def widths(weights: Iterable[ArrayLike]) -> tuple[int, ...]:
    """Widths (d_0, d_1, …, d_N) of a network, input first.

    >>> widths((np.zeros((6, 7)), np.zeros((8, 6))))
    (7, 6, 8)
    """
    network = check(weights)
    return (network[0].shape[-1], *(W.shape[-2] for W in network))


def product(weights: Weights) -> Matrix:
    """End-to-end matrix of a network that has been checked: `end_to_end` for inner loops."""
    W = weights[0]
    for layer in weights[1:]:
        W = layer @ W
    return W


def prefixes(weights: Weights) -> list[Matrix]:
    """The products W_j ⋯ W_1 for j = 1, …, N of a network that has been checked: the sweep up."""
    below = [weights[0]]
    for W in weights[1:]:
        below.append(W @ below[-1])
    return below


def layer_gradients(weights: Weights, below: list[Matrix], G: Matrix) -> Weights:
    """The sweep down: `pullback` for inner loops, where `below` holds the prefixes already."""
    gradients = []
    above = G  # (W_N ⋯ W_{j+1})ᵀ G, from j = N on
    for j in range(len(weights) - 1, 0, -1):
        gradients.append(above @ below[j - 1].mT)
        above = weights[j].mT @ above
    return (above, *reversed(gradients))


def end_to_end(weights: Iterable[ArrayLike]) -> Matrix:
    """End-to-end matrix W_{1:N} = W_N ⋯ W_1 of a network.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})

    Returns
    -------
    array, shape (…, d_N, d_0)

    Raises
    ------
    TypeError, ValueError
        As `check` does, or if the product is too large for a float.

    Notes
    -----
    `def-lnn`, page `linear_networks`.
    """
    network = check(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        W = product(network)
    return representable(W.copy() if W is network[0] else W, "the product of the layers")


def pullback(weights: Iterable[ArrayLike], G: ArrayLike) -> Weights:
    """Gradients of ℓ(W_N ⋯ W_1) with respect to every layer, from the gradient G of ℓ at the product.

    The j-th is (W_N ⋯ W_{j+1})ᵀ G (W_{j-1} ⋯ W_1)ᵀ. All N together take one sweep up, whose last product is W
    itself, and one sweep down: 3(N - 1) matrix products instead of O(N²).

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})
    G : array, shape (…, d_N, d_0)
        The gradient of a loss at the end-to-end matrix.

    Returns
    -------
    tuple of N arrays, shaped as the weights

    Raises
    ------
    TypeError, ValueError
        As `check` does, or if `G` has not the shape of the end-to-end matrix, or a gradient is too large for a float.

    Notes
    -----
    `lem-gradient`, page `linear_networks`; [ACH18].
    """
    network, G = check(weights), check_matrix(G, "G").copy()  # at depth 1 it is the gradient
    expected = (*network[0].shape[:-2], network[-1].shape[-2], network[0].shape[-1])
    if G.shape != expected:
        raise ValueError(f"G must have the shape {expected} of the end-to-end matrix, got {G.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        gradients = layer_gradients(network, prefixes(network), G)
    return tuple(representable(D, f"the gradient of layer {j}") for j, D in enumerate(gradients, start=1))


def pack(weights: Iterable[ArrayLike]) -> Matrix:
    """All entries of a network in one vector of shape (…, Σ d_j d_{j-1}), layer by layer, rows first."""
    network = check(weights)
    return np.concatenate([W.reshape(*W.shape[:-2], -1) for W in network], axis=-1)


def unpack(vector: ArrayLike, widths: Sequence[int]) -> Weights:
    """Network of the given widths whose entries stand in `vector`, the inverse of `pack`.

    Raises
    ------
    TypeError, ValueError
        If the entries are not finite real numbers, or the vector's length is not Σ d_j d_{j-1}.
    """
    return split(check_array(vector, "vector").copy(), check_widths(widths))


def split(flat: Matrix, widths: tuple[int, ...]) -> Weights:
    """`unpack` for vectors that may have stopped being finite, such as the end of a flow that blew up."""
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    sizes = [m * n for m, n in shapes]
    if flat.ndim < 1 or flat.shape[-1] != sum(sizes):
        raise ValueError(f"widths {widths} need a vector of length {sum(sizes)}, got shape {flat.shape}")
    pieces = np.split(flat, np.cumsum(sizes)[:-1], axis=-1)
    return tuple(p.reshape(*flat.shape[:-1], *shape) for p, shape in zip(pieces, shapes, strict=True))
