"""Networks to start from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnn.numerics.checks import Matrix, Weights, check_matrix, check_positive, check_rng, check_widths, representable


def gaussian(widths: Sequence[int], scale: float, *, rng: np.random.Generator) -> Weights:
    """Network whose entries are independent, normal, with mean 0 and standard deviation `scale`.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    scale : float
        Standard deviation of one entry; near 0, the network is almost balanced (`prop-near-zero`).
    rng : numpy.random.Generator

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1})

    Raises
    ------
    TypeError, ValueError
        If a width is not a positive whole number, the scale not positive or near the largest float, or `rng` not a
        generator.
    """
    sizes, scale, rng = check_widths(widths), check_positive(scale, "scale"), check_rng(rng)
    with np.errstate(over="ignore"):
        return tuple(
            representable(scale * rng.standard_normal((m, n)), f"a layer of scale {scale:g}")
            for m, n in zip(sizes[1:], sizes[:-1], strict=True)
        )


def orthogonal(widths: Sequence[int], scale: float = 1.0, *, rng: np.random.Generator) -> Weights:
    """Network of `scale` times matrices with orthonormal rows or columns, whichever are fewer, uniformly drawn.

    With equal widths it is exactly balanced, W_{j+1}ᵀW_{j+1} = W_jW_jᵀ = scale² I.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    scale : float
        Common value of all singular values.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1})

    Raises
    ------
    TypeError, ValueError
        As `gaussian` does.
    """

    def layer(m: int, n: int) -> Matrix:
        tall = rng.standard_normal((max(m, n), min(m, n)))
        Q, R = np.linalg.qr(tall)
        Q *= np.sign(np.diag(R))  # without the signs the distribution is not the uniform one
        return scale * (Q if m >= n else Q.T)

    sizes, scale, rng = check_widths(widths), check_positive(scale, "scale"), check_rng(rng)
    return tuple(layer(m, n) for m, n in zip(sizes[1:], sizes[:-1], strict=True))


def identity(widths: Sequence[int], scale: float = 1.0) -> Weights:
    """Network of `scale` times identities, padded with zeros where a layer is not square.

    It is balanced if and only if all layers have the same rank min(d_j, d_{j-1}), as with equal widths (a linear
    residual network at zero).

    Parameters
    ----------
    widths : (d_0, …, d_N)
    scale : float

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1})

    Raises
    ------
    TypeError, ValueError
        If a width is not a positive whole number or the scale is not positive.
    """
    sizes, scale = check_widths(widths), check_positive(scale, "scale")
    return tuple(scale * np.eye(m, n) for m, n in zip(sizes[1:], sizes[:-1], strict=True))


def balanced(matrix: ArrayLike, widths: Sequence[int]) -> Weights:
    """Balanced network with a given end-to-end matrix A = UΣVᵀ: W_1 = Σ^{1/N}Vᵀ, W_j = Σ^{1/N}, W_N = UΣ^{1/N}.

    Parameters
    ----------
    matrix : array, shape (d_N, d_0)
        A.
    widths : (d_0, …, d_N)
        Hidden widths of at least min(d_0, d_N), so that the factors can be padded with zeros.

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1}), with product A and zero imbalance

    Raises
    ------
    TypeError, ValueError
        If the shape of `matrix` is not (d_N, d_0), or a hidden layer is too narrow.

    Notes
    -----
    `def-balanced-init`, page `balancedness`; Procedure 1 of [ACGH19].
    """
    sizes = check_widths(widths)
    A = check_matrix(matrix, "matrix")
    if A.shape != (sizes[-1], sizes[0]):
        raise ValueError(f"widths {sizes} need a matrix of shape {(sizes[-1], sizes[0])}, got {A.shape}")
    rank = min(A.shape)
    if min(sizes) < rank:
        raise ValueError(f"hidden widths must be at least min(d_0, d_N) = {rank}, got {sizes[1:-1]}")
    depth = len(sizes) - 1
    if depth == 1:
        return (A.copy(),)
    U, values, Vt = np.linalg.svd(A, full_matrices=False)
    root = np.diag(values ** (1 / depth))

    def padded(block: Matrix, m: int, n: int) -> Matrix:
        return np.pad(block, ((0, m - block.shape[0]), (0, n - block.shape[1])))

    blocks = [root @ Vt, *[root] * (depth - 2), U @ root]
    return tuple(padded(B, m, n) for B, m, n in zip(blocks, sizes[1:], sizes[:-1], strict=True))
