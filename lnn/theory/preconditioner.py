"""The preconditioner that depth puts in front of a gradient: Σ_j [WWᵀ]^{(N-j)/N} G [WᵀW]^{(j-1)/N}.

Fractional powers come from the singular values of W. Taking them from the eigenvalues of WWᵀ would square
the condition number first and leave 1e-6 instead of 1e-15 at depth 3.
"""

import numpy as np
from numpy.typing import ArrayLike

from lnn.numerics.checks import Matrix, check_count, check_matrix, representable
from lnn.theory.spectrum import check_values


def _powers(values: Matrix, depth: int) -> Matrix:
    """σ^{2k/N} for k = 0, …, N-1 on a new last axis, with 0^0 = 1: shape (…, r) to (…, r, N)."""
    exponents = 2 * np.arange(depth) / depth
    return values[..., None] ** exponents


def gains(values: ArrayLike, depth: int, *, axis: int | None = None) -> Matrix:
    """Eigenvalues Σ_j σ_r^{2(N-j)/N} σ_{r'}^{2(j-1)/N} of the preconditioner, for all pairs (r, r').

    Entry (r, r') is the factor by which depth stretches the gradient's component u_r v_{r'}ᵀ.

    Parameters
    ----------
    values : array, shape (k,)
        Singular values of W, padded with zeros up to the larger side where the kernel matters. Or, with `axis`, shape
        (…, k).
    depth : int
        N ≥ 1; at N = 1 every gain is 1.
    axis : -1, optional
        Says that `values` is a stack of spectra, and no matrix.

    Returns
    -------
    array, shape (…, k, k), symmetric

    Raises
    ------
    TypeError, ValueError
        If a value is negative or not finite, the depth is not a positive whole number, or a gain is too large for a
        float.

    Notes
    -----
    `prop-preconditioner`, page `end_to_end_dynamics`; [ACH18].

    >>> gains([2.0, 0.0], 2)
    array([[4., 2.],
           [2., 0.]])
    """
    with np.errstate(over="ignore", invalid="ignore"):
        powers = _powers(check_values(values, axis), check_count(depth, "depth"))
        return representable(powers @ powers[..., ::-1].mT, "the matrix of gains")


def apply(W: Matrix, G: Matrix, depth: int) -> Matrix:
    """`precondition` without the checks, for inner loops."""
    if depth == 1:
        return G
    U, values, Vt = np.linalg.svd(W, full_matrices=False)
    powers = _powers(values, depth)
    inside = U.mT @ G @ Vt.mT
    result = U @ ((powers @ powers[..., ::-1].mT) * inside) @ Vt
    # Where W is not square, one side of the gradient also has a part outside the singular vectors. There one of
    # the two fractional powers is 0^{…}, and only the term whose exponent is 0 is left: σ^{2(N-1)/N}.
    m, n = W.shape[-2:]
    last = powers[..., -1]
    if m < n:
        result += (U * last[..., None, :]) @ (U.mT @ G - inside @ Vt)
    elif m > n:
        result += ((G @ Vt.mT - U @ inside) * last[..., None, :]) @ Vt
    return result


def precondition(W: ArrayLike, G: ArrayLike, depth: int) -> Matrix:
    """A gradient G as a network of the given depth moves it: Σ_j [WWᵀ]^{(N-j)/N} G [WᵀW]^{(j-1)/N}.

    One thin singular value decomposition, memory O(mn); the (mn)×(mn) matrix is never formed.

    Parameters
    ----------
    W, G : arrays, shape (…, m, n)
        End-to-end matrix and gradient of the loss at it.
    depth : int
        N ≥ 1; at N = 1 the result is G.

    Returns
    -------
    array, shape (…, m, n)

    Raises
    ------
    TypeError, ValueError
        If `W` or `G` is not a finite real matrix, the shapes differ, the depth is not a positive whole number, or the
        result is too large for a float.

    Notes
    -----
    Where W loses rank the powers are not smooth for N > 2: a rounding error ε in W moves the result by ε^{2/N}.
    `thm-end-to-end`, page `end_to_end_dynamics`; [ACH18].
    """
    W = check_matrix(W, "W")
    G, depth = check_matrix(G, "G", W.shape[-2:]).copy(), check_count(depth, "depth")  # at depth 1 it is the result
    with np.errstate(over="ignore", invalid="ignore"):
        return representable(apply(W, G, depth), "the preconditioned gradient")


def matrix(W: ArrayLike, depth: int) -> Matrix:
    """The preconditioner as an explicit matrix P_W = Σ_j [WᵀW]^{(j-1)/N} ⊗ [WWᵀ]^{(N-j)/N}.

    For demonstrations: vec(precondition(W, G, N)) = P_W vec(G), where vec stacks columns.

    Parameters
    ----------
    W : array, shape (m, n)
    depth : int
        N ≥ 1.

    Returns
    -------
    array, shape (mn, mn), symmetric and positive semi-definite

    Raises
    ------
    TypeError, ValueError
        If `W` is not a single finite real matrix, the depth is not a positive whole number, or an entry is too large
        for a float.

    Notes
    -----
    `prop-preconditioner`, page `end_to_end_dynamics`; [ACH18].
    """
    W, depth = check_matrix(W, "W"), check_count(depth, "depth")
    if W.ndim != 2:
        raise ValueError(f"W must be a single matrix of shape (m, n), got {W.shape}")
    m, n = W.shape
    U, values, Vt = np.linalg.svd(W)
    P = np.zeros((m * n, m * n))
    with np.errstate(over="ignore", invalid="ignore"):
        left = _powers(np.pad(values, (0, m - len(values))), depth)
        right = _powers(np.pad(values, (0, n - len(values))), depth)
        for k in range(depth):
            P += np.kron((Vt.T * right[:, k]) @ Vt, (U * left[:, depth - 1 - k]) @ U.T)
    return representable(P, "the preconditioner")
