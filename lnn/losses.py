"""Losses of the linear model: functions of the end-to-end matrix that carry their own gradient."""

import inspect
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from lnn.classification import CrossEntropy, ExponentialLoss, LogisticLoss
from lnn.measurements import Entries, Everything, Measurement, Products, Samples, as_array, check_observed, predictions
from lnn.numerics.checks import (
    Matrix,
    ReadOnly,
    check_array,
    check_count,
    check_matrix,
    check_number,
    check_positive,
    check_rng,
    offers,
)

FLOAT = np.dtype(np.float64)


class Loss(Protocol):
    """A differentiable function ℓ of the end-to-end matrix: called, its value; `gradient`, its gradient.

    Any class with these two methods will do. A run asks it about one matrix at a time, of shape (m, n), at the moment
    when the run is there. Formulas over whole trajectories need a loss that takes stacks, of shape (…, m, n), as those
    of the package do. A run overwrites the matrix that it gave to `gradient`: a loss that remembers it makes a copy.

    A loss ℓ(W, t) that changes with time has a second argument called t in both methods: flows ask it at the time where
    they are, descents at that of the step's beginning, and `losses` are those of each moment.
    """

    def __call__(self, W: Matrix) -> Matrix:
        """Values ℓ(W), shape (…)."""
        ...

    def gradient(self, W: Matrix) -> Matrix:
        """Gradients ∇ℓ(W), shape (…, m, n)."""
        ...


def check_loss(loss: Loss) -> Loss:
    """Return `loss` if it is one. It is not asked anything: a loss may draw random numbers.

    Raises
    ------
    TypeError
        If it cannot be called or has no `gradient`, or is a class.
    """
    if not offers(loss, "__call__", "gradient"):
        got = f"{type(loss).__name__}, where the weights come first" if isinstance(loss, tuple | list) else repr(loss)
        raise TypeError(f"a loss must be callable and have a method gradient, got {got}")
    return loss


class AtTime:
    """A loss ℓ(W, t) as a loss of W alone, at the time `t` that a run sets.

    Parameters
    ----------
    loss : Loss
        Whose `__call__` and `gradient` take a second argument, called t.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss, self.t = loss, 0.0

    def __call__(self, W: Matrix) -> Matrix:
        """Value ℓ(W, t)."""
        return self.loss(W, t=self.t)  # type: ignore[call-arg]

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient ∇ℓ(W, t)."""
        return self.loss.gradient(W, t=self.t)  # type: ignore[call-arg]


def at_time(loss: Loss) -> Loss:
    """Return `loss`, if it is one; one that changes with time as an `AtTime`.

    Raises
    ------
    TypeError
        If it is no loss, or only one of `__call__` and `gradient` takes a time.
    """
    if takes_stacks(check_loss(loss)):
        return loss
    timed = ["t" in inspect.signature(function).parameters for function in (loss, loss.gradient)]
    if timed[0] != timed[1]:
        raise TypeError("a loss that changes with time has to take t in both, its call and its gradient")
    return AtTime(loss) if timed[0] else loss


def gradient_at(loss: Loss, W: Matrix) -> Matrix:
    """Gradient of a loss at one matrix, shape (m, n): the same shape.

    The loss may write to the matrix, and to what it returned when it is asked again.

    Raises
    ------
    TypeError, ValueError
        If it holds no real numbers, or has another shape.
    """
    G = np.asarray(loss.gradient(W))
    if G.shape != W.shape:
        raise ValueError(f"at a matrix of shape {W.shape} the gradient of the loss has shape {G.shape}")
    if G.dtype is FLOAT:
        return G
    if G.dtype.kind not in "fiub":
        raise TypeError(f"the gradient of the loss must hold real numbers, got dtype {G.dtype}")
    return G.astype(FLOAT)


def check_gradient(loss: Loss, shape: tuple[int, ...], *, rng: np.random.Generator, tolerance: float = 1e-6) -> float:
    """Largest error of the gradient of a loss, relative to its norm, against central differences of the loss.

    At three matrices with standard normal entries, along three such directions each, with the best of seven steps;
    what the values are known to, to rounding, counts as no error.

    Parameters
    ----------
    loss : Loss
    shape : (m, n)
        Of the end-to-end matrix; longer for tensors.
    rng : numpy.random.Generator
    tolerance : float
        An error above it is refused.

    Returns
    -------
    float
        About 1e-10 where all is right.

    Raises
    ------
    TypeError, ValueError
        If `loss` is none, its gradient or value has a wrong shape, or the error is above the tolerance, as it also is
        where the gradient is a random estimate.
    """
    check_loss(loss)
    tolerance, rng, largest = check_positive(tolerance, "tolerance"), check_rng(rng), 0.0
    for W in rng.standard_normal((3, *Everything(shape).shape)):
        G = gradient_at(loss, W.copy()).copy()
        for V in rng.standard_normal((3, *shape)):
            h = 10.0 ** -np.arange(7) / np.linalg.norm(V)
            with np.errstate(over="ignore", invalid="ignore"):
                values = np.array([values_along(loss, np.stack([W - t * V, W + t * V])) for t in h])
                slopes, noise = np.diff(values)[:, 0] / (2 * h), 1e-15 * np.abs(values).max(axis=1) / h
            slopes, noise = slopes[np.isfinite(slopes)], noise[np.isfinite(slopes)]
            told, rounding = float((G * V).sum()), noise.min(initial=np.inf)
            sure = slopes[noise <= max(1e-3 * np.abs(slopes).max(initial=0.0), rounding)]
            measured = min(sure.tolist(), key=lambda slope: abs(slope - told), default=np.nan)
            size = max(float(np.linalg.norm(G)), abs(measured)) or 1.0
            largest = max(largest, abs(measured - told) / size)
            if not abs(measured - told) <= tolerance * size + rounding < np.inf:
                raise ValueError(
                    f"the gradient says that the loss rises with slope {told:.6g} in some direction, but its values "
                    f"rise with slope {measured:.6g}"
                )
    return largest


def values_along(loss: Loss, W: Matrix) -> Matrix:
    """Values of a loss at every matrix of a stack, shape (T, m, n): shape (T,).

    In one call if the loss is known to take stacks, one by one otherwise: nothing in the shape of an answer tells
    whether a loss that was written for one matrix took the stack for something else.

    Raises
    ------
    TypeError, ValueError
        If the loss does not accept a matrix of this shape, or its value is no single real number.
    """
    if len(W) > 1 and takes_stacks(loss):
        return np.asarray(loss(W))
    values = np.zeros(len(W))
    for k, V in enumerate(W):
        try:
            value = np.asarray(loss(V.copy()))  # the loss may write to it
        except (ValueError, IndexError) as error:
            raise ValueError(f"the loss does not accept the end-to-end matrix, of shape {V.shape}: {error}") from error
        if value.shape != ():
            raise ValueError(f"at a matrix of shape {V.shape} the loss has shape {value.shape}: no number")
        if value.dtype.kind not in "fiub":
            raise TypeError(f"the loss must be a real number, got {value}")
        values[k] = value
    return values


def _residual(measure: Measurement, W: Matrix, observed: Matrix) -> Matrix:
    """𝒜(W) - y, shape (…, k); measurements of another number are refused, where NumPy would repeat a single one."""
    measured = np.asarray(measure(W))
    if measured.shape[-1:] != observed.shape:
        raise ValueError(
            f"W, of shape {np.shape(W)}, gives {measured.shape[-1]} measurements, observed {observed.size}"
        )
    return measured - observed


@dataclass(frozen=True, eq=False)
class LeastSquares(ReadOnly):
    """Half the sum of squares ℓ(W) = ½ ‖𝒜(W) - y‖², with ∇ℓ(W) = 𝒜*(𝒜(W) - y).

    Residuals below 1e-154 square to a loss of zero, those beyond 1e154 to an infinite one (with NumPy's warning).

    Parameters
    ----------
    measure : Measurement
    observed : array, shape (k,)
        Of `Everything` also the matrix itself, shape (m, n), and of `Samples` the matrix Y, a column a sample.
    constant : float
        Added to the loss: what no W can do anything about, as `fit` finds it.

    Raises
    ------
    TypeError, ValueError
        If `observed` is not finite and real, or does not fit what `measure` gives, or `constant` is no number.
    """

    measure: Measurement
    observed: Matrix
    target: Matrix | None = field(init=False, repr=False)  # the matrix Φ of ½‖W - Φ‖_F², where all entries are seen
    constant: float = field(repr=False, default=0.0, kw_only=True)

    @classmethod
    def to(cls, target: ArrayLike) -> "LeastSquares":
        """Half the squared distance ½‖W - Φ‖_F² from a matrix, or tensor, Φ.

        Raises
        ------
        TypeError, ValueError
            If `target` is not finite and real, or has fewer than two axes.

        Examples
        --------
        >>> float(LeastSquares.to(np.eye(2))(np.zeros((2, 2))))
        1.0
        """
        target = check_matrix(target, "target")
        return cls(Everything(target.shape), target)

    @classmethod
    def fit(cls, X: ArrayLike, Y: ArrayLike, *, samples: Literal["columns", "rows"]) -> "LeastSquares":
        """Linear regression ½‖W X - Y‖_F² on samples, whose number no step has to pay for.

        If there are more samples than features, they are turned by an orthogonal matrix Q, once: X Q = [X_0 0] with a
        square X_0 and Y Q = [Y_0 Y_1], so that ½‖W X - Y‖_F² = ½‖W X_0 - Y_0‖_F² + ½‖Y_1‖_F², and nothing is squared.
        The loss then measures on X_0 and observes Y_0, and has ½‖Y_1‖_F² as its `constant`.

        Parameters
        ----------
        X : array, shape (d_0, samples)
            Or, with samples in rows, (samples, d_0).
        Y : array, shape (d_N, samples)
            Or (samples, d_N). A vector is one output.
        samples : "columns" or "rows"
            How they stand in X and Y.

        Raises
        ------
        TypeError, ValueError
            If X or Y is no finite matrix, they do not hold equally many samples, or `samples` is neither.
        """
        if samples not in ("columns", "rows"):
            raise ValueError(f'samples must be "columns" or "rows", got {samples!r}')
        X, Y = check_matrix(X, "X"), check_array(Y, "Y")
        Y = np.atleast_2d(Y) if samples == "columns" or Y.ndim > 1 else Y[:, None]
        axis = 1 if samples == "columns" else 0
        if X.ndim != 2 or Y.ndim != 2 or X.shape[axis] != Y.shape[axis]:
            raise ValueError(f"X and Y must have as many {samples}, one for each sample, got {X.shape} and {Y.shape}")
        X, Y = (X, Y) if samples == "columns" else (X.T, Y.T)
        features, count = X.shape
        if count <= features:
            return cls(Samples(X), Y)
        R: Matrix = np.asarray(np.linalg.qr(np.concatenate([X, Y]).T, mode="r"))
        constant = 0.5 * float((R[features:, features:] ** 2).sum())
        return cls(Samples(R[:features, :features].T), R[:features, features:].T, constant=constant)

    def __post_init__(self) -> None:
        observed, _ = check_observed(self.measure, self.observed)
        object.__setattr__(self, "observed", observed)
        object.__setattr__(self, "constant", check_number(self.constant, "constant"))
        target = self.measure.adjoint(observed) if type(self.measure) is Everything else None
        object.__setattr__(self, "target", target)
        super().__post_init__()

    def __call__(self, W: Matrix) -> Matrix:
        """Loss at W, shape (…, m, n): shape (…)."""
        W = as_array(W)
        if self.target is not None and W.shape[-self.target.ndim :] == self.target.shape:
            residual = (W - self.target).reshape(*W.shape[: -self.target.ndim], -1)
        else:
            residual = _residual(self.measure, W, self.observed)
        return 0.5 * (residual**2).sum(axis=-1) + self.constant

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient at W, shape (…, m, n): the same shape."""
        W = as_array(W)
        if self.target is not None and W.shape[-self.target.ndim :] == self.target.shape:
            return W - self.target  # what the next line gives, at half its price for small matrices
        return self.measure.adjoint(_residual(self.measure, W, self.observed))


@dataclass(frozen=True, eq=False)
class PowerLoss(ReadOnly):
    """The sum of powers ℓ(W) = (1/p) Σ_i |𝒜(W)_i - y_i|^p; at p = 2 it is `LeastSquares`.

    Parameters
    ----------
    measure : Measurement
    observed : array, shape (k,)
    p : float
        At least 2, so that the gradient is differentiable almost everywhere and Lipschitz near 0.

    Raises
    ------
    TypeError, ValueError
        As `LeastSquares` does, or if p < 2.

    Notes
    -----
    `prop-lp-stability`, page `acceleration`; [ACH18].
    """

    measure: Measurement
    observed: Matrix
    p: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "observed", check_observed(self.measure, self.observed)[0])
        object.__setattr__(self, "p", check_positive(self.p, "p"))
        if self.p < 2:
            raise ValueError(f"p must be finite and at least 2, got {self.p}")
        super().__post_init__()

    def __call__(self, W: Matrix) -> Matrix:
        """Loss at W, shape (…, m, n): shape (…)."""
        return (np.abs(_residual(self.measure, W, self.observed)) ** self.p).sum(axis=-1) / self.p

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient at W, shape (…, m, n): the same shape."""
        residual = _residual(self.measure, W, self.observed)
        return self.measure.adjoint(np.sign(residual) * np.abs(residual) ** (self.p - 1))


@dataclass(frozen=True, eq=False)
class HuberLoss(ReadOnly):
    """Huber's loss ℓ(W) = Σ_i h(𝒜(W)_i - y_i): h(z) = ½z² up to |z| = δ, and with constant slope ±δ beyond.

    Far from the observations its gradient does not change: near the origin it is constant as long as every |𝒜(W)_i|
    is below |y_i| - δ.

    Parameters
    ----------
    measure : Measurement
    observed : array, shape (k,)
    threshold : float
        δ > 0.

    Raises
    ------
    TypeError, ValueError
        As `LeastSquares` does, or if the threshold is not positive.

    Notes
    -----
    `thm-rank-one-trajectory`, page `beyond_linear`; [RMC21].
    """

    measure: Measurement
    observed: Matrix
    threshold: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "observed", check_observed(self.measure, self.observed)[0])
        object.__setattr__(self, "threshold", check_positive(self.threshold, "threshold"))
        super().__post_init__()

    def __call__(self, W: Matrix) -> Matrix:
        """Loss at W, shape (…, m, n): shape (…)."""
        size, near = np.abs(_residual(self.measure, W, self.observed)), self.threshold
        return np.where(size <= near, 0.5 * size**2, near * (size - 0.5 * near)).sum(axis=-1)

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient at W, shape (…, m, n): the same shape."""
        residual = _residual(self.measure, W, self.observed)
        return self.measure.adjoint(np.clip(residual, -self.threshold, self.threshold))


@dataclass(frozen=True, eq=False)
class Batches(ReadOnly):
    """Half the sum of squares ½ ‖W X - Y‖_F² of samples, with a gradient that is estimated from a few of them.

    Every call of `gradient` draws samples anew, without replacement, and scales up their gradient: its mean is the
    gradient of the whole. Descent on it is stochastic gradient descent, and any other rule takes it too.

    Parameters
    ----------
    X : array, shape (d_0, samples)
    Y : array, shape (d_N, samples)
    batch : int
        How many samples a gradient sees.
    label_noise : float
        Standard deviation of the normal numbers that are added to the entries of Y in every gradient, anew each time.
    rng : numpy.random.Generator

    Raises
    ------
    TypeError, ValueError
        If X or Y is no finite matrix, their columns or the batch do not fit each other, the noise is negative, or `rng`
        is no generator.
    """

    X: Matrix
    Y: Matrix
    batch: int
    label_noise: float = field(default=0.0, kw_only=True)
    rng: np.random.Generator = field(kw_only=True)

    def __post_init__(self) -> None:
        X, Y = Samples(self.X).X, check_matrix(self.Y, "Y").copy()
        samples = X.shape[1]
        if Y.ndim != 2 or Y.shape[1] != samples:
            raise ValueError(f"Y must have a column for each of the {samples} columns of X, got shape {Y.shape}")
        if check_count(self.batch, "batch") > samples:
            raise ValueError(f"batch must be at most the number of samples, {samples}, got {self.batch}")
        check_rng(self.rng)
        object.__setattr__(self, "label_noise", check_positive(self.label_noise, "label_noise", or_zero=True))
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "Y", Y)
        super().__post_init__()

    def __call__(self, W: Matrix) -> Matrix:
        """Loss of all samples at W, shape (…, m, n): shape (…)."""
        return 0.5 * (self._residuals(W, self.X, self.Y) ** 2).sum(axis=(-2, -1))

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient of a new batch at W, shape (…, m, n), times samples/batch: the same shape."""
        samples = self.X.shape[1]
        drawn = self.rng.choice(samples, self.batch, replace=False)
        X, Y = self.X[:, drawn], self.Y[:, drawn]
        if self.label_noise:
            Y = Y + self.label_noise * self.rng.standard_normal(Y.shape)
        return samples / self.batch * self._residuals(W, X, Y) @ X.T

    def _residuals(self, W: Matrix, X: Matrix, Y: Matrix) -> Matrix:
        found = predictions(W, X)
        if found.shape[-2] != len(Y):
            raise ValueError(f"W must have {len(Y)} rows, one for each output, got shape {np.shape(W)}")
        return found - Y


def takes_stacks(loss: object) -> bool:
    """Whether a loss is known to answer for a stack of matrices with the stack of its answers, and to stay the same.

    Those of the package on measurements of the package are; classes derived from them may be anything.
    """
    if type(loss) in (LogisticLoss, ExponentialLoss, CrossEntropy):
        return True
    measure = getattr(loss, "measure", None)
    known = type(loss) in (LeastSquares, PowerLoss, HuberLoss)
    return known and type(measure) in (Everything, Entries, Samples, Products)
