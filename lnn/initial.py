"""Networks to start from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnn.numerics.checks import (
    Matrix,
    Weights,
    check_matrix,
    check_number,
    check_positive,
    check_rng,
    check_widths,
    representable,
)


def _layers(widths: Sequence[int], scale: float | Sequence[float]) -> list[tuple[float, int, int]]:
    """Scale, rows and columns of every layer; the scale is one number for all, or one for each."""
    sizes = check_widths(widths)
    depth = len(sizes) - 1
    if np.ndim(scale) == 0:
        scales = [check_positive(scale, "scale")] * depth
    else:
        scales = [check_positive(s, f"scale {j}") for j, s in enumerate(scale, start=1)]  # type: ignore[arg-type]
        if len(scales) != depth:
            raise ValueError(f"scale must be one number, or {depth} of them, one for each layer, got {len(scales)}")
    return list(zip(scales, sizes[1:], sizes[:-1], strict=True))


def gaussian(widths: Sequence[int], scale: float | Sequence[float], *, rng: np.random.Generator) -> Weights:
    """Network whose entries are independent, normal, with mean 0 and standard deviation `scale`.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    scale : float, or N of them
        Standard deviation of one entry, in all layers or layer by layer; near 0, the network is almost balanced
        (`prop-near-zero`).
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
    layers, rng = _layers(widths, scale), check_rng(rng)
    with np.errstate(over="ignore"):
        return tuple(representable(s * rng.standard_normal((m, n)), f"a layer of scale {s:g}") for s, m, n in layers)


def orthogonal(widths: Sequence[int], scale: float | Sequence[float] = 1.0, *, rng: np.random.Generator) -> Weights:
    """Network of `scale` times matrices with orthonormal rows or columns, whichever are fewer, uniformly drawn.

    With equal widths and one scale it is exactly balanced, W_{j+1}ᵀW_{j+1} = W_jW_jᵀ = scale² I.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    scale : float, or N of them
        Common value of all singular values, in all layers or layer by layer.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1})

    Raises
    ------
    TypeError, ValueError
        As `gaussian` does.
    """

    def layer(scale: float, m: int, n: int) -> Matrix:
        tall = rng.standard_normal((max(m, n), min(m, n)))
        Q, R = np.linalg.qr(tall)
        Q *= np.sign(np.diag(R))  # without the signs the distribution is not the uniform one
        return scale * (Q if m >= n else Q.T)

    layers, rng = _layers(widths, scale), check_rng(rng)
    return tuple(layer(*sizes) for sizes in layers)


def identity(widths: Sequence[int], scale: float | Sequence[float] = 1.0) -> Weights:
    """Network of `scale` times identities, padded with zeros where a layer is not square.

    It is balanced if and only if all layers have the same rank min(d_j, d_{j-1}), as with equal widths (a linear
    residual network at zero), and one scale.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    scale : float, or N of them
        For all layers, or layer by layer.

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1})

    Raises
    ------
    TypeError, ValueError
        If a width is not a positive whole number or the scale is not positive.
    """
    return tuple(s * np.eye(m, n) for s, m, n in _layers(widths, scale))


def balanced(matrix: ArrayLike, widths: Sequence[int], *, imbalance: float = 0.0) -> Weights:
    """Balanced network with a given end-to-end matrix A = UΣVᵀ: W_1 = Σ^{1/N}Vᵀ, W_j = Σ^{1/N}, W_N = UΣ^{1/N}.

    Or, at depth 2, with a given imbalance: W_2ᵀW_2 - W_1W_1ᵀ = λI, where the singular values of W_2 and W_1 are the
    square roots of √(λ²/4 + σ²) ± λ/2. That W_2ᵀW_2, or W_1W_1ᵀ, then has full rank says which shapes there are: the
    hidden layer is not wider than the output if λ > 0, and than the input if λ < 0.

    Parameters
    ----------
    matrix : array, shape (d_N, d_0)
        The matrix A.
    widths : (d_0, …, d_N)
        Hidden widths of at least min(d_0, d_N), so that the factors can be padded with zeros.
    imbalance : float
        λ.

    Returns
    -------
    tuple of N arrays, the j-th of shape (d_j, d_{j-1}), with product A and imbalance zero, or λI

    Raises
    ------
    TypeError, ValueError
        If the shape of `matrix` is not (d_N, d_0), or a hidden layer is too narrow; for λ ≠ 0 also if the depth is not
        2, or the hidden layer too wide.

    Notes
    -----
    `def-balanced-init`, page `balancedness`; Procedure 1 of [ACGH19]. With λ, `thm-lambda-balanced`, page
    `end_to_end_dynamics`.
    """
    sizes = check_widths(widths)
    A = check_matrix(matrix, "matrix")
    if A.shape != (sizes[-1], sizes[0]):
        raise ValueError(f"widths {sizes} need a matrix of shape {(sizes[-1], sizes[0])}, got {A.shape}")
    rank = min(A.shape)
    if min(sizes) < rank:
        raise ValueError(f"hidden widths must be at least min(d_0, d_N) = {rank}, got {sizes[1:-1]}")
    depth, lam = len(sizes) - 1, check_number(imbalance, "imbalance")
    if lam != 0:
        return _imbalanced(A, sizes, lam)
    if depth == 1:
        return (A.copy(),)
    U, values, Vt = np.linalg.svd(A, full_matrices=False)
    root = np.diag(values ** (1 / depth))

    def padded(block: Matrix, m: int, n: int) -> Matrix:
        return np.pad(block, ((0, m - block.shape[0]), (0, n - block.shape[1])))

    blocks = [root @ Vt, *[root] * (depth - 2), U @ root]
    return tuple(padded(B, m, n) for B, m, n in zip(blocks, sizes[1:], sizes[:-1], strict=True))


def _imbalanced(A: Matrix, sizes: tuple[int, ...], lam: float) -> Weights:
    """The factors of `thm-lambda-balanced`."""
    if len(sizes) != 3:
        raise ValueError(f"an imbalance of λI needs two layers, widths (d_0, d_1, d_2), got {sizes}")
    n, hidden, m = sizes
    side, width = ("output", m) if lam > 0 else ("input", n)
    if hidden > width:
        raise ValueError(
            f"with an imbalance of {lam:g} I the hidden layer must not be wider than the {side}, {width}, got {hidden}"
        )
    if lam < 0:
        below, above = _imbalanced(A.T, (m, hidden, n), -lam)
        return above.T.copy(), below.T.copy()
    U, values, Vt = np.linalg.svd(A)
    values = np.pad(values[:hidden], (0, max(0, hidden - len(values))))
    root = np.sqrt(lam / 2 + np.hypot(lam / 2, values))  # without cancellation; the other one is values / root
    below = np.zeros((hidden, n))
    rank = min(hidden, n)
    below[:rank] = (values / root)[:rank, None] * Vt[:rank]
    return below, U[:, :hidden] * root
