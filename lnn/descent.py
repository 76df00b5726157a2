"""Discrete dynamics: descent over the factors of a network, and what it induces on their product."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from lnn import network
from lnn.losses import Loss, center, check_loss, gradient_at
from lnn.models import Model, gradients
from lnn.numerics.checks import Matrix, Weights, check_count, check_matrix, check_positive, finite, representable
from lnn.numerics.fused import sweeps
from lnn.recording import apart, check_sign, check_single, flat, record
from lnn.theory.preconditioner import apply
from lnn.trajectory import Trajectory

Every = int | Sequence[int]


class Rule(Protocol):
    """What a step is, given the gradients: W_j ← W_j - η D_j with directions D_j that may remember earlier gradients.

    A rule sees the gradients of all factors as a tuple of matrices; one that does the same to every entry may say so
    (`entrywise = True`) and gets all entries in one vector. It may keep what it is given, but not change it.
    """

    def start(self, factors: Any, /) -> Any:
        """The memory before the first step."""
        ...

    def update(self, k: int, gradients: Any, memory: Any, /) -> tuple[Any, Any]:
        """Directions of step k = 1, 2, …, shaped as the gradients, and the memory after it."""
        ...


class Plain:
    """Gradient descent: the directions are the gradients."""

    entrywise = True

    def start(self, factors: Any) -> None:
        """No memory."""

    def update(self, k: int, gradients: Any, memory: None) -> tuple[Any, None]:
        """The gradients."""
        return gradients, None


class Options(TypedDict, total=False):
    """What every descent takes by name, as `gradient_descent` describes it."""

    model: Model
    every: Every
    stop: float | None
    progress: bool


def slopes(factors: Weights, loss: Loss, model: Model = network) -> Weights:
    """Gradients of the loss with respect to all factors, checked before: what `fused` computes fast for layers."""
    return gradients(model)(factors, gradient_at(loss, model.product(factors)))


def gradients_into(
    targets: Weights, factors: Weights, loss: Loss, model: Model, *, factor: float = 1.0, add: bool = False
) -> list[Callable[[], object]]:
    """Calls that write `factor` times the gradients at the factors, as they are then, to the targets, or add it there.

    Layers take the fast path of `lnn.numerics.fused`, other models the readable `slopes`.
    """
    if model is network:
        return sweeps(factors, targets, partial(gradient_at, loss), factor=factor, add=add, center=center(loss))

    def write() -> None:
        for target, G in zip(targets, slopes(factors, loss, model), strict=True):
            target[...] = add * target + factor * G

    return [write]


def descend(
    weights: Iterable[ArrayLike],
    loss: Loss,
    rule: Rule,
    step_size: float,
    steps: int,
    *,
    model: Model = network,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """Descent over the factors by a rule: the one loop behind `gradient_descent` and the optimizers.

    Parameters
    ----------
    weights, loss, step_size, steps, model, every, stop, progress
        As in `gradient_descent`.
    rule : Rule
        Any object with `start` and `update`.

    Returns
    -------
    Trajectory
        Step k at time η·k. A run that blows up ends as DIVERGED, with its finite steps kept; so does one whose rule
        overflows, divides by zero or finds no decomposition.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if the directions have not the shapes of the gradients.
    """
    check_loss(loss)
    start = check_single(model.check(weights))
    step_size, steps = check_positive(step_size, "step_size"), check_count(steps, "steps", least=0)
    vector, in_place = flat(start), type(rule) is Plain
    factors, D = apart(vector, start), np.zeros_like(vector)
    if in_place:
        calls = gradients_into(factors, factors, loss, model, factor=-step_size, add=True)
    else:
        calls = gradients_into(apart(D, start), factors, loss, model)

    def iterates() -> Iterator[tuple[float, Weights]]:
        entrywise = getattr(rule, "entrywise", False)
        moving: Any = vector if entrywise else factors
        memory = None if in_place else rule.start(moving)
        yield 0.0, factors
        for k in range(1, steps + 1):
            for call in calls:
                call()
            if not in_place:
                given = D.copy()
                try:
                    if not finite(given):
                        raise FloatingPointError
                    # A square beyond the largest float would divide every later move to nothing: that is no rest.
                    with np.errstate(over="raise", divide="raise", invalid="raise"):
                        directions, memory = rule.update(k, given if entrywise else apart(given, start), memory)
                        pairs = [(moving, directions)] if entrywise else zip(moving, directions, strict=True)
                        for W, V in pairs:
                            if np.shape(V) != W.shape:
                                raise ValueError(f"the rule moves {W.shape} by a direction of shape {np.shape(V)}")
                            W -= step_size * V
                except (FloatingPointError, np.linalg.LinAlgError):
                    vector.fill(np.nan)
            yield step_size * k, factors

    path = record(iterates(), loss, model=model, every=every, stop=stop, steps=steps, progress=progress, vector=vector)
    return check_sign(path, loss)


def gradient_step(weights: Iterable[ArrayLike], loss: Loss, step_size: float, *, model: Model = network) -> Weights:
    """One step of gradient descent, W_j - η ∂φ/∂W_j for every factor at once.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Or the factors of the model.
    loss : Loss
    step_size : float
        η, in flow units a step.
    model : Model
        What the weights are factors of: layers by default.

    Returns
    -------
    tuple of N arrays, shaped as the weights

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it, the step size is not positive, or the step leads beyond
        the largest float.

    Notes
    -----
    `def-gd`, page `linear_networks`.
    """
    factors, step_size = model.check(weights), check_positive(step_size, "step_size")
    with np.errstate(over="ignore", invalid="ignore"):
        D = slopes(factors, check_loss(loss), model)
        stepped = [W - step_size * G for W, G in zip(factors, D, strict=True)]
    name = "layer" if model is network else "factor"
    return tuple(representable(W, f"{name} {j} after the step") for j, W in enumerate(stepped, start=1))


def gradient_descent(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    model: Model = network,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """Gradient descent over the layers of a linear neural network, or over the factors of another model.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start; or the factors of the model.
    loss : Loss
    step_size : float
        η, in flow units a step.
    steps : int
        Number of steps, 0 or more.
    model : Model
        What the weights are factors of: layers by default, `lnn.tensor`, anything with `check`, `product`, `pullback`.
    every : int or increasing sequence of ints
        Keep every k-th step, or the steps with these numbers; the last one in any case.
    stop : float, optional
        End the run at the first kept step whose loss is at most this.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    Trajectory
        Step k at time η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it, the step size is not positive, `steps` negative, or the
        loss rises at every step because its gradient has the wrong sign.

    Notes
    -----
    `def-gd`, page `linear_networks`.
    """
    return descend(weights, loss, Plain(), step_size, steps, model=model, every=every, stop=stop, progress=progress)


def _end_to_end_step(W: Matrix, loss: Loss, depth: int, step_size: float) -> Matrix:
    return W - step_size * apply(W, gradient_at(loss, W), depth)


def end_to_end_step(W: ArrayLike, loss: Loss, depth: int, step_size: float) -> Matrix:
    """One step W - η Σ_j [WWᵀ]^{(N-j)/N} ∇ℓ(W) [WᵀW]^{(j-1)/N} of the discrete end-to-end rule.

    Parameters
    ----------
    W : array, shape (m, n)
    loss : Loss
    depth : int
        N ≥ 1.
    step_size : float
        η, in flow units a step.

    Returns
    -------
    array, shape (m, n)

    Raises
    ------
    TypeError, ValueError
        If `W` is no matrix, the loss does not fit it, the depth is below 1, the step size is not positive, or the step
        leads beyond the largest float.

    Notes
    -----
    `prop-discrete`, page `end_to_end_dynamics`; [ACH18].
    """
    W = check_matrix(W, "W")
    depth, step_size = check_count(depth, "depth"), check_positive(step_size, "step_size")
    with np.errstate(over="ignore", invalid="ignore"):
        return representable(_end_to_end_step(W, check_loss(loss), depth, step_size), "W after the step")


def end_to_end_descent(
    W: ArrayLike,
    loss: Loss,
    depth: int,
    step_size: float,
    steps: int,
    *,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """The discrete end-to-end rule: what gradient descent over a balanced network of some depth does to the product.

    Parameters
    ----------
    W : array, shape (m, n)
        End-to-end matrix to start from.
    loss : Loss
    depth : int
        N ≥ 1; at N = 1 it is gradient descent on `W`.
    step_size, steps, every, stop, progress
        As in `gradient_descent`.

    Returns
    -------
    Trajectory
        A matrix is a network of depth 1: `weights` holds the end-to-end matrices alone.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if the depth is below 1.

    Notes
    -----
    `prop-discrete`, page `end_to_end_dynamics`; [ACH18].
    """
    start = check_matrix(W, "W")
    check_loss(loss)
    depth, step_size = check_count(depth, "depth"), check_positive(step_size, "step_size")
    steps = check_count(steps, "steps", least=0)

    def iterates() -> Iterator[tuple[float, Weights]]:
        W = start
        yield 0.0, (W,)
        for k in range(1, steps + 1):
            W = _end_to_end_step(W, loss, depth, step_size)
            yield step_size * k, (W,)
            if not np.isfinite(W).all():  # a decomposition would raise; `record` says that the run has diverged
                return

    return check_sign(record(iterates(), loss, every=every, stop=stop, steps=steps, progress=progress), loss)
