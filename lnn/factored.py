"""Gradient flow and descent of factorized tensors, on the same roads as those of networks.

All parameters laid out in one row are a network of depth 1, whose loss is that of the tensor behind them: so every
solver and every rule of the package serves. A model is a module with the verbs below: `lnn.tensor`, `lnn.hierarchical`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from lnn import descent, flow
from lnn.models import tensor
from lnn.numerics.checks import Matrix, Weights
from lnn.trajectory import Effort, Loss, Outcome, Trajectory, check_loss


class Model(Protocol):
    """A way to write a tensor by a tuple of matrices; `product` and `gradients` are the doors without guard."""

    def check(self, factors: Iterable[ArrayLike], /) -> Weights:
        """The factors, if they fit each other."""
        ...

    def product(self, factors: Weights, /) -> Matrix:
        """End-to-end tensor."""
        ...

    def gradients(self, factors: Weights, G: Matrix, /) -> Weights:
        """Gradients with respect to every factor."""
        ...

    def component_norms(self, factors: Iterable[ArrayLike], /) -> Matrix:
        """Norms of the components."""
        ...


@dataclass(frozen=True, eq=False)
class RowLoss:
    """A loss of tensors as a function of the factors behind them, laid out in one row of shape (…, 1, P).

    Parameters
    ----------
    loss : Loss
        Of the end-to-end tensor.
    model : Model
    shapes : tuple of shapes
        Those of the factors.
    """

    loss: Loss
    model: Model
    shapes: tuple[tuple[int, int], ...]

    def __call__(self, W: Matrix) -> Matrix:
        """Loss, shape (…), of rows of shape (…, 1, P)."""
        return self.loss(self.model.product(self.unroll(W)))

    def gradient(self, W: Matrix) -> Matrix:
        """Gradient, shaped as the row."""
        factors = self.unroll(W)
        return roll(self.model.gradients(factors, self.loss.gradient(self.model.product(factors))))

    def unroll(self, row: Matrix) -> Weights:
        """Factors, the n-th of shape (…, *shapes[n]), that a row of shape (…, 1, P) holds."""
        ends = np.cumsum([m * n for m, n in self.shapes])[:-1]
        lead = row.shape[:-2]
        pieces = np.split(row[..., 0, :], ends, axis=-1)
        return tuple(piece.reshape(*lead, *shape) for piece, shape in zip(pieces, self.shapes, strict=True))


def roll(factors: Weights) -> Matrix:
    """All entries of the factors in one row, shape (…, 1, P)."""
    return np.concatenate([W.reshape(*W.shape[:-2], 1, -1) for W in factors], axis=-1)


@dataclass(frozen=True, eq=False, repr=False)
class FactorTrajectory:
    """A factorized tensor with a time axis in front, and the loss along it.

    Parameters
    ----------
    times : array, shape (T,)
    factors : tuple of arrays, the n-th of shape (T, *shape of the n-th factor)
    losses : array, shape (T,)
    outcome : Outcome
    model : Model
    effort : Effort, optional
        What a flow cost.

    Notes
    -----
    As in `Trajectory`, arrays are read-only and finite, and `path[k]` is the factorization at `times[k]`.
    """

    times: Matrix
    factors: Weights
    losses: Matrix
    outcome: Outcome
    model: Model
    effort: Effort | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", self.model.check(self.factors))
        for array in (self.times, self.losses, *self.factors):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, k: int) -> Weights:
        """Factorization at the k-th recorded time."""
        return tuple(W[k] for W in self.factors)

    def __iter__(self) -> Iterator[Weights]:
        return (self[k] for k in range(len(self)))

    @cached_property
    def end_to_end(self) -> Matrix:
        """End-to-end tensors, shape (T, d_1, …, d_N)."""
        W = self.model.product(self.factors)
        W.flags.writeable = False
        return W

    @cached_property
    def component_norms(self) -> Matrix:
        """Norms of the components: shape (T, R), or (T, N - 1, R) of a hierarchical factorization."""
        norms = self.model.component_norms(self.factors)
        norms.flags.writeable = False
        return norms

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.end_to_end.shape[1:]))
        losses = f"loss {self.losses[0]:.3g} -> {self.losses[-1]:.3g}"
        components = self.factors[0].shape[-1]
        story = f"{components} components, {len(self)} times, {losses}, {self.outcome.name}"
        return f"FactorTrajectory({shape}, {story})"


def _start(factors: Iterable[ArrayLike], loss: Loss, model: Model) -> tuple[Matrix, RowLoss]:
    """The factors in one row, and the loss of such rows, if all fits."""
    found = model.check(factors)
    if any(W.ndim != 2 for W in found):
        raise ValueError(f"a start has no leading axes, got factors of shapes {[W.shape for W in found]}")
    with np.errstate(all="ignore"):
        check_loss(loss, model.product(found))
    return roll(found), RowLoss(loss, model, tuple((m, n) for m, n in (W.shape for W in found)))


def _record(path: Trajectory, of: RowLoss) -> FactorTrajectory:
    factors = of.unroll(path.weights[0])
    return FactorTrajectory(path.times, factors, path.losses, path.outcome, of.model, path.effort)


def gradient_flow(
    factors: Iterable[ArrayLike], loss: Loss, times: ArrayLike, *, model: Model = tensor, **options: Any
) -> FactorTrajectory:
    """Gradient flow over the factors of a tensor.

    Parameters
    ----------
    factors : arrays
        Where to start, as `model.check` takes them.
    loss : Loss
        Of the end-to-end tensor, e.g. `LeastSquares` on `Entries` with a mask of its order.
    times : array, shape (T,)
        Increasing; when to keep the factors.
    model : Model
        `lnn.tensor` or `lnn.hierarchical`.
    options
        `method`, `rtol`, `atol`, `stop`, `progress` of `lnn.gradient_flow`.

    Returns
    -------
    FactorTrajectory

    Raises
    ------
    TypeError, ValueError
        If the factors do not fit each other or the loss, and as `lnn.gradient_flow` does.

    Notes
    -----
    `thm-component-norms`, page `beyond_linear`; [RMC21].
    """
    row, of = _start(factors, loss, model)
    return _record(flow.gradient_flow((row,), of, times, **options), of)


def gradient_descent(
    factors: Iterable[ArrayLike], loss: Loss, step_size: float, steps: int, *, model: Model = tensor, **options: Any
) -> FactorTrajectory:
    """Gradient descent over the factors of a tensor.

    Parameters
    ----------
    factors, loss, model
        As in `gradient_flow`.
    step_size : float
        η, in flow units a step.
    steps : int
        Number of steps, 0 or more.
    options
        `every`, `stop`, `progress` of `lnn.gradient_descent`.

    Returns
    -------
    FactorTrajectory

    Raises
    ------
    TypeError, ValueError
        If the factors do not fit each other or the loss, and as `lnn.gradient_descent` does.
    """
    row, of = _start(factors, loss, model)
    return _record(descent.gradient_descent((row,), of, step_size, steps, **options), of)
