"""Functions of singular values: norms, quasi-norms and ranks.

They take singular values, not matrices: write `nuclear_norm(singular_values(W))`, and, of a stack of matrices,
`nuclear_norm(singular_values(W), axis=-1)`. An array of two or more axes without a word on its axis is refused: it may
as well be a matrix.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import ArpackError, svds

from lnn.numerics.checks import check_array, check_count, check_matrix, check_positive, representable

Values = NDArray[np.float64]
LARGE, FEW = 300, 20  # from this size on, and up to a 20th of all, the leading singular values alone are found faster


def check_values(values: ArrayLike, axis: int | None = None) -> Values:
    """Return `values` as a float64 array of shape (…, r) of singular values, in any order.

    Parameters
    ----------
    values : array, shape (r,)
        Or, with `axis`, shape (…, r).
    axis : -1, optional
        Says that the last axis of an array of several axes runs over singular values: that it is no matrix.

    Raises
    ------
    TypeError, ValueError
        As `check_array` does, or if there is no axis, there are several and `axis` is not said, or a value is negative.
    """
    array = check_array(values, "singular values")
    if array.ndim < 1:
        raise ValueError("singular values must come as an array of shape (…, r), got a single number")
    if axis not in (None, -1):
        raise ValueError(f"singular values must stand along the last axis, axis=-1, got axis={axis!r}")
    if array.ndim > 1 and axis is None:
        raise ValueError(
            f"an array of shape {array.shape} may be a matrix or a stack of spectra: of a matrix W take "
            f"singular_values(W) first, for a stack say axis=-1"
        )
    if (array < 0).any():
        raise ValueError(f"singular values must not be negative, got {array.min()}")
    return array


def singular_values(W: ArrayLike, leading: int | None = None) -> Values:
    """Singular values of W, shape (…, m, n), in falling order: shape (…, min(m, n)).

    Each is right to rounding relative to the largest, whatever the scale of W.

    Parameters
    ----------
    W : array, shape (…, m, n)
    leading : int, optional
        Only so many of the largest, shape (…, leading). Of a large matrix they cost far less than all, which would be
        found at once: a Lanczos process in the place of a decomposition.

    Raises
    ------
    TypeError, ValueError
        If `W` is not a finite real matrix, `leading` is no number from 1 to min(m, n), or a singular value is too large
        for a float.
    """
    matrices = check_matrix(W, "W")
    least = min(matrices.shape[-2:])
    if leading is None:
        values = np.asarray(np.linalg.svd(matrices, compute_uv=False), dtype=np.float64)
    elif check_count(leading, "leading") > least:
        raise ValueError(f"leading must be at most {least}, the number of singular values, got {leading}")
    else:
        stack = matrices.reshape(-1, *matrices.shape[-2:])
        values = np.array([_leading(V, leading) for V in stack]).reshape(*matrices.shape[:-2], leading)
    return representable(values, "the spectrum of W")


def _leading(W: Values, count: int) -> Values:
    """The `count` largest singular values of one matrix."""
    size = np.abs(W).max()
    if min(W.shape) < max(LARGE, FEW * count) or size == 0:
        return np.asarray(np.linalg.svd(W, compute_uv=False)[:count])
    start = np.random.default_rng(0).standard_normal(min(W.shape))  # any one, but always the same
    try:
        values = svds(W / size, count, v0=start, return_singular_vectors=False)
    except ArpackError:  # it did not converge
        return np.asarray(np.linalg.svd(W, compute_uv=False)[:count])
    return np.asarray(size * np.sort(values)[::-1])


def nuclear_norm(values: ArrayLike, *, axis: int | None = None) -> Values:
    """Nuclear norm Σ σ_r of a matrix with the given singular values, shape (…, r) to (…).

    Parameters
    ----------
    values : array, shape (r,)
        Or, with `axis`, shape (…, r).
    axis : -1, optional
        Says that `values` is a stack of spectra, and no matrix.

    Raises
    ------
    TypeError, ValueError
        If `values` are not singular values, or their sum is too large for a float.
    """
    with np.errstate(over="ignore"):
        return representable(check_values(values, axis).sum(axis=-1), "the nuclear norm")


def schatten(values: ArrayLike, p: float, *, axis: int | None = None) -> Values:
    """Schatten-p norm (Σ σ_r^p)^{1/p}; for 0 < p < 1 a quasi-norm, for p = inf the spectral norm.

    `values` and `axis` as in `nuclear_norm`.

    Raises
    ------
    TypeError, ValueError
        If `values` are not singular values, `p` is not positive, or the norm too large for a float, as for p near 0.

    Examples
    --------
    >>> float(schatten([3.0, 4.0], 2))
    5.0
    """
    values = check_values(values, axis)
    p = np.inf if np.ndim(p) == 0 and p == np.inf else check_positive(p, "p")
    largest = values.max(axis=-1, keepdims=True)
    if np.isinf(p):
        return largest[..., 0]
    # Dividing by the largest value first keeps σ^p from overflowing or vanishing.
    ratios = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        norm = largest[..., 0] * (ratios**p).sum(axis=-1) ** (1 / np.float64(p))
    return representable(norm, f"the Schatten-{p:g} norm")


def _ratios(values: ArrayLike, axis: int | None) -> Values:
    """Singular values as fractions of the largest one; NaN where all are zero."""
    values = check_values(values, axis)
    largest = values.max(axis=-1, keepdims=True)
    return np.divide(values, largest, out=np.full_like(values, np.nan), where=largest > 0)


def effective_rank(values: ArrayLike, *, axis: int | None = None) -> Values:
    """Effective rank of [RV07]: the exponential of the entropy of σ_r / Σσ, between 1 and the rank.

    A zero matrix has no such distribution; its effective rank is NaN. `values` and `axis` as in `nuclear_norm`.

    >>> float(effective_rank([1.0, 1.0, 0.0]))
    2.0
    """
    ratios = _ratios(values, axis)
    shares = ratios / ratios.sum(axis=-1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares != 0)
    return np.exp(-(shares * logs).sum(axis=-1))


def stable_rank(values: ArrayLike, *, axis: int | None = None) -> Values:
    """Stable rank ‖W‖_F² / ‖W‖_2², between 1 and the rank; NaN for a zero matrix.

    `values` and `axis` as in `nuclear_norm`.
    """
    return (_ratios(values, axis) ** 2).sum(axis=-1)


def soft_threshold(values: ArrayLike, threshold: float, *, axis: int | None = None) -> Values:
    """Soft thresholding max(σ_r - threshold, 0): the proximal map of the nuclear norm, on the spectrum.

    `values` and `axis` as in `nuclear_norm`.

    Raises
    ------
    TypeError, ValueError
        If `values` are not singular values, or `threshold` is no finite number, or negative.
    """
    threshold = check_positive(threshold, "threshold", or_zero=True)
    return np.maximum(check_values(values, axis) - threshold, 0)


shrink = soft_threshold  # its name in the first edition
