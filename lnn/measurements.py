"""Linear maps from a matrix, or a tensor, to a vector of observations, each with its adjoint."""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnn.numerics.checks import Matrix, ReadOnly, check_array, check_count, check_matrix, no_network, offers


def as_array(W: ArrayLike) -> Matrix:
    """W as an array: arrays as they are, in inner loops; lists, frames, masked arrays and the like are checked."""
    return W if type(W) is np.ndarray else check_array(no_network(W, "W"), "W")


def _flat(W: ArrayLike, shape: tuple[int, ...]) -> Matrix:
    """Entries of W, shape (…, *shape), row by row; other shapes are refused, for a transpose has as many entries."""
    W = as_array(W)
    lead = max(0, W.ndim - len(shape))
    if W.shape[lead:] != shape:
        raise ValueError(
            f"this measurement takes {'matrices' if len(shape) == 2 else 'tensors'} of shape {shape}, got {W.shape}"
        )
    return W.reshape(*W.shape[:lead], -1)


def predictions(W: ArrayLike, X: Matrix) -> Matrix:
    """Predictions W X of a linear model on samples, the columns of X, for W of shape (…, m, d_0): (…, m, samples)."""
    W = as_array(W)
    if W.ndim < 2 or W.shape[-1] != len(X):
        raise ValueError(
            f"samples of {len(X)} features need W of shape (…, m, {len(X)}), got {W.shape}: X holds a sample a column"
        )
    return W @ X


def _residuals(r: Matrix, count: int) -> Matrix:
    """Residuals of shape (…, k); another number is refused, for a single one would spread over all places."""
    r = as_array(r)
    if r.shape[-1:] != (count,):
        raise ValueError(f"this measurement gives {count} numbers, got residuals of shape {r.shape}")
    return r


class Measurement(Protocol):
    """A linear map 𝒜 from matrices of shape (…, m, n) to vectors of shape (…, k).

    Called, it measures; `adjoint` is 𝒜*, so that ⟨𝒜(W), r⟩ = ⟨W, 𝒜*(r)⟩. `Everything`, `Entries` and `Products` take
    tensors of a higher order as well: more axes in place of m, n.
    """

    def __call__(self, W: Matrix) -> Matrix:
        """Observations 𝒜(W), shape (…, k)."""
        ...

    def adjoint(self, r: Matrix) -> Matrix:
        """Matrix 𝒜*(r), shape (…, m, n)."""
        ...


def check_observed(measure: Measurement, observed: ArrayLike) -> tuple[Matrix, tuple[int, ...]]:
    """Return `observed` as a finite vector that fits the measurement, and the shape (m, n) of the matrices measured.

    The vector is a copy. It may come as a matrix: of `Everything` the one observed, of `Samples` that of the
    targets, a column a sample.

    Raises
    ------
    TypeError
        If the measurement cannot be called or has no adjoint, or is a class, or the observations are no real numbers.
    ValueError
        If the observations are no finite flat vector, or not as many as the measurement gives, or no matrix that fits.
    """
    y = check_array(observed, "observed").copy()
    if y.ndim != 1:
        if isinstance(measure, Everything):
            good, needed = y.shape == measure.shape, f", or have shape {measure.shape}"
        elif isinstance(measure, Samples):
            samples = measure.X.shape[1]
            good = y.ndim == 2 and y.shape[1] == samples
            needed = f", or a matrix with {samples} columns, one for each sample (for rows there is LeastSquares.fit)"
        else:
            good, needed = False, ""
        if not good:
            raise ValueError(f"observed must be a flat vector, as measure(W) is{needed}, got shape {y.shape}")
        y = y.ravel()
    if not offers(measure, "__call__", "adjoint"):
        raise TypeError(f"a measurement must be callable and have a method adjoint, got {measure!r}")
    try:
        shape = np.shape(measure.adjoint(y))
        count = np.shape(measure(np.zeros(shape)))[-1]
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"observed holds {y.size} numbers, which is not what the measurement gives: {error}"
        ) from error
    if count != y.size:
        raise ValueError(f"observed holds {y.size} numbers, but the measurement gives {count}")
    return y, shape


@dataclass(frozen=True, eq=False)
class Everything(ReadOnly):
    """All entries of a matrix of shape (m, n), row by row: the measurement behind ½‖W - Φ‖_F².

    Parameters
    ----------
    shape : (m, n)
        Or, of tensors, (d_1, …, d_N).
    """

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(np.shape(self.shape)) != 1 or len(self.shape) < 2:
            raise ValueError(f"shape must be a pair (m, n), or longer for tensors, got {self.shape!r}")
        names = ("m", "n") if len(self.shape) == 2 else [f"d_{j + 1}" for j in range(len(self.shape))]
        sizes = tuple(check_count(size, name) for name, size in zip(names, self.shape, strict=True))
        object.__setattr__(self, "shape", sizes)

    def __call__(self, W: Matrix) -> Matrix:
        """Entries of W, shape (…, m, n), as a vector of shape (…, m·n)."""
        return _flat(W, self.shape)

    def adjoint(self, r: Matrix) -> Matrix:
        """Matrix of shape (…, m, n) with the entries r, shape (…, m·n)."""
        r = _residuals(r, math.prod(self.shape))
        return r.reshape(*r.shape[:-1], *self.shape)


@dataclass(frozen=True, eq=False)
class Samples(ReadOnly):
    """Predictions W X of a linear model on samples, the columns of X: the measurement of linear regression.

    Parameters
    ----------
    X : array, shape (d_0, samples)
    """

    X: Matrix

    def __post_init__(self) -> None:
        X = check_matrix(self.X, "X")
        if X.ndim != 2:
            raise ValueError(f"X must have shape (d_0, samples), got {X.shape}")
        object.__setattr__(self, "X", X.copy())
        super().__post_init__()

    def __call__(self, W: Matrix) -> Matrix:
        """Predictions for W, shape (…, d_N, d_0), as a vector of shape (…, d_N·samples)."""
        found = predictions(W, self.X)
        return found.reshape(*found.shape[:-2], -1)

    def adjoint(self, r: Matrix) -> Matrix:
        """R Xᵀ, shape (…, d_N, d_0), with R the residuals r, shape (…, d_N·samples), as a matrix."""
        r, samples = np.atleast_1d(as_array(r)), self.X.shape[1]
        if r.shape[-1] % samples:
            raise ValueError(
                f"predictions for {samples} samples, the columns of X, are a multiple of {samples} numbers, "
                f"got {r.shape[-1]}"
            )
        return r.reshape(*r.shape[:-1], -1, samples) @ self.X.T


@dataclass(frozen=True, eq=False)
class Entries(ReadOnly):
    """The entries of a matrix where a mask is true: the measurement of matrix completion.

    Parameters
    ----------
    mask : boolean array, shape (m, n)
        Or, of tensors, (d_1, …, d_N).
    """

    mask: NDArray[np.bool_]
    places: NDArray[np.intp] = field(init=False, repr=False)  # ten times faster than the mask itself as an index

    def __post_init__(self) -> None:
        mask = np.asarray(self.mask)
        if mask.dtype != bool:
            hint = ": write mask.astype(bool)" if mask.dtype.kind in "iuf" else ""
            raise TypeError(f"mask must be boolean, got dtype {mask.dtype}{hint}")
        if mask.ndim < 2 or mask.size == 0:
            raise ValueError(f"mask must have shape (m, n), got {mask.shape}")
        object.__setattr__(self, "mask", mask.copy())
        object.__setattr__(self, "places", np.flatnonzero(mask))
        super().__post_init__()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (m, n) of the matrices that are measured."""
        return self.mask.shape

    def __call__(self, W: Matrix) -> Matrix:
        """Observed entries of W, shape (…, m, n), as a vector of shape (…, k), row by row."""
        return _flat(W, self.shape)[..., self.places]

    def adjoint(self, r: Matrix) -> Matrix:
        """Matrix of shape (…, m, n) with r, shape (…, k), at the observed places and 0 elsewhere."""
        r = _residuals(r, self.places.size)
        W = np.zeros((*r.shape[:-1], self.mask.size))
        W[..., self.places] = r
        return W.reshape(*r.shape[:-1], *self.shape)


@dataclass(frozen=True, eq=False)
class Products(ReadOnly):
    """Inner products ⟨A_i, W⟩ with given matrices: the measurement of matrix sensing.

    Parameters
    ----------
    A : array, shape (k, m, n)
        Or, of tensors, (k, d_1, …, d_N).
    """

    A: Matrix

    def __post_init__(self) -> None:
        A = check_array(self.A, "A")
        if A.ndim < 3:
            raise ValueError(f"A must have shape (k, m, n), got {A.shape}")
        object.__setattr__(self, "A", A.copy())
        super().__post_init__()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (m, n) of the matrices that are measured."""
        return self.A.shape[1:]

    def __call__(self, W: Matrix) -> Matrix:
        """Inner products of W, shape (…, m, n), with A_1, …, A_k: shape (…, k)."""
        return _flat(W, self.shape) @ self.A.reshape(len(self.A), -1).T

    def adjoint(self, r: Matrix) -> Matrix:
        """Σ_i r_i A_i, shape (…, m, n), for r of shape (…, k)."""
        r = _residuals(r, len(self.A))
        return (r @ self.A.reshape(len(self.A), -1)).reshape(*r.shape[:-1], *self.shape)
