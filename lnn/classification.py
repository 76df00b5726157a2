"""Losses of linear classifiers, of the end-to-end matrix W: small only where every sample is on its own side."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from lnn.measurements import Samples, predictions
from lnn.network import end_to_end
from lnn.numerics.checks import Matrix, ReadOnly, check_array, check_matrix


def _labels(labels: ArrayLike, samples: int) -> Matrix:
    found = check_array(labels, "labels")
    if found.shape != (samples,):
        raise ValueError(f"labels must be {samples} numbers, one for each column of X, got shape {found.shape}")
    return found.copy()


def _signs(labels: ArrayLike, samples: int) -> Matrix:
    signs = _labels(labels, samples)
    if (np.abs(signs) != 1).any():
        got = signs[np.abs(signs) != 1][0]
        raise ValueError(f"labels of two classes must be +1 and -1, got {got:g}: of 0 and 1 make 2 * labels - 1")
    return signs


def _classes(labels: ArrayLike, samples: int) -> NDArray[np.intp]:
    found = _labels(labels, samples)
    if (found < 0).any() or (found % 1 != 0).any():
        raise ValueError(f"labels must be the numbers of classes, 0, 1, 2, …, got {np.unique(found)[:3]}")
    return found.astype(np.intp)


def _margins(W: ArrayLike, X: Matrix, signs: Matrix) -> Matrix:
    """Margins y_i W x_i of two classes, shape (…, samples)."""
    scores = predictions(W, X)
    if scores.shape[-2] != 1:
        raise ValueError(f"two classes need W with one row, shape (…, 1, {len(X)}), got {np.shape(W)}")
    return signs * scores[..., 0, :]


def _rivals(W: ArrayLike, X: Matrix, classes: NDArray[np.intp]) -> Matrix:
    """Scores of all classes above that of the label, shape (…, m, samples); -inf for the label itself."""
    scores, columns = predictions(W, X), np.arange(X.shape[1])
    if scores.shape[-2] <= classes.max():
        raise ValueError(f"a label is {classes.max()}, but W, of shape {np.shape(W)}, has {scores.shape[-2]} rows")
    above = scores - scores[..., None, classes, columns]
    above[..., classes, columns] = -np.inf
    return above


@dataclass(frozen=True, eq=False)
class _TwoClasses(ReadOnly, ABC):
    """A sum Σ_i h(y_i W x_i) over samples: what subclasses say is h and its two derivatives."""

    X: Matrix
    labels: Matrix

    def __post_init__(self) -> None:
        X = Samples(self.X).X
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "labels", _signs(self.labels, X.shape[1]))
        super().__post_init__()

    @abstractmethod
    def _value(self, margins: Matrix) -> Matrix:
        """h(margin), for every sample."""

    @abstractmethod
    def _slope(self, margins: Matrix) -> Matrix:
        """h'(margin)."""

    @abstractmethod
    def _curvature(self, margins: Matrix) -> Matrix:
        """h''(margin)."""

    def __call__(self, W: Matrix) -> Matrix:
        """Loss at W, shape (…, 1, d_0): shape (…)."""
        return self._value(_margins(W, self.X, self.labels)).sum(axis=-1)

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient at W, shape (…, 1, d_0): the same shape."""
        slopes = self._slope(_margins(W, self.X, self.labels)) * self.labels
        return slopes[..., None, :] @ self.X.T

    def hessian_vector(self, W: Matrix, V: Matrix) -> Matrix:
        """Derivative of the gradient at W in the direction V, both of shape (…, 1, d_0): the same shape."""
        curvature = self._curvature(_margins(W, self.X, self.labels))
        return curvature[..., None, :] * predictions(V, self.X) @ self.X.T


class LogisticLoss(_TwoClasses):
    """The logistic loss ℓ(W) = Σ_i log(1 + exp(-y_i W x_i)) of two classes, y_i = ±1.

    Right to rounding relative to itself, however large or small it is.

    Parameters
    ----------
    X : array, shape (d_0, samples)
    labels : array, shape (samples,)
        +1 or -1.

    Raises
    ------
    TypeError, ValueError
        If X is no finite matrix, or the labels are not ±1, one for each of its columns.

    Examples
    --------
    >>> float(LogisticLoss([[1.0]], [1])(np.array([[0.0]])).round(6))  # log 2
    0.693147
    """

    def _value(self, margins: Matrix) -> Matrix:
        return np.logaddexp(0, -margins)

    def _slope(self, margins: Matrix) -> Matrix:
        return np.asarray(-expit(-margins))

    def _curvature(self, margins: Matrix) -> Matrix:
        return np.asarray(expit(margins) * expit(-margins))


class ExponentialLoss(_TwoClasses):
    """The exponential loss ℓ(W) = Σ_i exp(-y_i W x_i) of two classes, y_i = ±1.

    It is infinite, with NumPy's warning, for margins y_i W x_i below -709.

    Parameters
    ----------
    X : array, shape (d_0, samples)
    labels : array, shape (samples,)
        +1 or -1.

    Raises
    ------
    TypeError, ValueError
        As `LogisticLoss` does.
    """

    def _value(self, margins: Matrix) -> Matrix:
        return np.exp(-margins)

    def _slope(self, margins: Matrix) -> Matrix:
        return -np.exp(-margins)

    def _curvature(self, margins: Matrix) -> Matrix:
        return np.exp(-margins)


@dataclass(frozen=True, eq=False)
class CrossEntropy(ReadOnly):
    """The cross-entropy ℓ(W) = Σ_i log Σ_k exp((W x_i)_k - (W x_i)_{y_i}) of any number of classes, y_i = 0, 1, 2, ….

    A row of W for each class. Right to rounding relative to itself, however large or small it is.

    Parameters
    ----------
    X : array, shape (d_0, samples)
    labels : array, shape (samples,)
        The number of its class for every sample.

    Raises
    ------
    TypeError, ValueError
        If X is no finite matrix, or the labels are no whole numbers from 0 on, one for each of its columns.
    """

    X: Matrix
    labels: NDArray[np.intp]

    def __post_init__(self) -> None:
        X = Samples(self.X).X
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "labels", _classes(self.labels, X.shape[1]))
        super().__post_init__()

    def _shares(self, W: Matrix) -> tuple[Matrix, Matrix]:
        """Probabilities of the wrong classes, shape (…, m, samples), and of all of them together, (…, samples)."""
        above = _rivals(W, self.X, self.labels)
        wrong = np.logaddexp.reduce(above, axis=-2)  # from here on, nothing small is subtracted from 1
        return np.exp(above - np.logaddexp(0, wrong)[..., None, :]), np.asarray(expit(wrong))

    def __call__(self, W: Matrix) -> Matrix:
        """Loss at W, shape (…, m, d_0): shape (…)."""
        wrong = np.logaddexp.reduce(_rivals(W, self.X, self.labels), axis=-2)
        return np.logaddexp(0, wrong).sum(axis=-1)

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient at W, shape (…, m, d_0): the same shape."""
        shares, wrong = self._shares(W)
        shares[..., self.labels, np.arange(len(self.labels))] = -wrong
        return shares @ self.X.T

    def hessian_vector(self, W: Matrix, V: Matrix) -> Matrix:
        """Derivative of the gradient at W in the direction V, both of shape (…, m, d_0): the same shape."""
        shares, wrong = self._shares(W)
        shares[..., self.labels, np.arange(len(self.labels))] = 1 - wrong
        moves = predictions(V, self.X)
        return shares * (moves - (shares * moves).sum(axis=-2, keepdims=True)) @ self.X.T


def _layered(W: Any) -> bool:
    """Whether it stands for a network: a trajectory, or a list of matrices, good or bad ones, and not of rows."""
    try:
        return hasattr(W, "read_by") or (isinstance(W, tuple | list) and np.ndim(W[0]) != 1)
    except (ValueError, IndexError):  # rows of different lengths in the first one, or nothing at all
        return True


def margin(W: ArrayLike | Iterable[ArrayLike], X: ArrayLike, labels: ArrayLike) -> Matrix:
    """Normalized margin of a linear classifier: how far the worst sample is on its own side, over ‖W‖_F.

    It is min_i y_i W x_i / ‖W‖ for W with one row and labels ±1, the least signed distance of a sample from the
    separating hyperplane; with a row for each class, min_i min_{k≠y_i} ((W x_i)_{y_i} - (W x_i)_k) / ‖W‖_F. Positive
    if and only if every sample is classified rightly; NaN for W = 0.

    Parameters
    ----------
    W : array, shape (…, m, d_0)
        Or the weights of a network, or a trajectory: then it is the margin of the end-to-end matrix.
    X : array, shape (d_0, samples)
    labels : array, shape (samples,)
        +1 or -1 where W has one row, numbers of classes 0, 1, 2, … where it has more.

    Returns
    -------
    array, shape (…)

    Raises
    ------
    TypeError, ValueError
        If `W` is no matrix and no network, or X or the labels do not fit.

    Examples
    --------
    >>> float(margin(np.array([[3.0, 4.0]]), [[1.0], [0.0]], [1]))
    0.6
    """
    W = end_to_end(W) if _layered(W) else check_matrix(W, "W")  # type: ignore[arg-type]
    X = Samples(check_matrix(X, "X")).X
    if W.shape[-2] == 1:
        margins = _margins(W, X, _signs(labels, X.shape[1]))
    else:
        margins = -_rivals(W, X, _classes(labels, X.shape[1])).max(axis=-2)
    with np.errstate(invalid="ignore"):
        return np.asarray(margins.min(axis=-1) / np.linalg.norm(W, axis=(-2, -1)))
