"""Discrete dynamics: descent over the factors of a network, and what it induces on their product."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from lnn import network
from lnn.losses import LeastSquares, Loss, at_time, check_loss, gradient_at
from lnn.models import Model, check_model, gradients
from lnn.numerics.checks import (
    Matrix,
    Weights,
    check_count,
    check_matrix,
    check_number,
    check_positive,
    finite,
    offers,
    representable,
)
from lnn.numerics.fused import sweeps
from lnn.runs.recording import Observe, apart, check_sign, flat, record, starting
from lnn.theory.preconditioner import apply
from lnn.trajectory import Outcome, State, Trajectory

Every = int | Sequence[int]
StepSize = float | Sequence[float] | Callable[[int], float | Sequence[float]]


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


def check_rule(rule: Any) -> Rule:
    """Return a rule if it is one; that of gradient descent for None.

    Raises
    ------
    TypeError
        If it has no `start` and `update`, or is a class.
    """
    if rule is None:
        return Plain()
    if not offers(rule, "start", "update"):
        raise TypeError(f"a rule must be an object with the methods start and update, got {rule!r}")
    found: Rule = rule
    return found


def check_step_size(value: Any, factors: int, name: str = "step_size") -> float | Matrix:
    """Return a step size as a positive number, or as an array of one for each factor.

    Raises
    ------
    TypeError, ValueError
        If one is no positive number, or there are not as many as factors.
    """
    if np.ndim(value) == 0:
        return check_positive(value, name)
    if np.shape(value) != (factors,):
        raise ValueError(f"{name} must be a number, or one for each of {factors} factors, got shape {np.shape(value)}")
    return np.array([check_positive(eta, f"{name} of factor {j}") for j, eta in enumerate(value, start=1)])


def slopes(factors: Weights, loss: Loss, model: Model = network) -> Weights:
    """Gradients of the loss with respect to all factors, checked before: what `fused` computes fast for layers."""
    return gradients(model)(factors, gradient_at(loss, model.product(factors).copy()))  # one factor may be the product


def gradients_into(
    targets: Weights,
    factors: Weights,
    loss: Loss,
    model: Model,
    *,
    factor: float | Matrix = 1.0,
    add: float | Matrix = 0.0,
) -> list[Callable[[], object]]:
    """Calls that write to the targets `factor` times the gradients at the factors, as they are then.

    They add `add` times what the targets hold; both numbers may be arrays of one for each. Layers take the fast path of
    `lnn.numerics.fused`, other models the readable `slopes`.
    """
    if model is network:
        # Where the gradient is W - Φ, one subtraction takes its place; what is derived from the class may have another.
        center = loss.target if type(loss) is LeastSquares else None
        return sweeps(factors, targets, partial(gradient_at, loss), factor=factor, add=add, center=center)
    scales = np.broadcast_to(factor, len(factors)), np.broadcast_to(add, len(factors))

    def write() -> None:
        for target, G, c, a in zip(targets, slopes(factors, loss, model), *scales, strict=True):
            target[...] = a * target + c * G if a else c * G  # what is written over may be NaN

    return [write]


def gradient_step(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float | Sequence[float],
    *,
    weight_decay: float = 0.0,
    model: Model = network,
) -> Weights:
    """One step of gradient descent, W_j - η (∂φ/∂W_j + λ W_j) for every factor at once.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Or the factors of the model.
    loss : Loss
    step_size : float, or N floats
        η, in flow units a step; or one for each factor.
    weight_decay : float
        λ ≥ 0.
    model : Model
        What the weights are factors of: layers by default.

    Returns
    -------
    tuple of N arrays, shaped as the weights

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it, a step size is not positive, or the step leads beyond
        the largest float.

    Notes
    -----
    `def-gd`, page `linear_networks`.
    """
    factors, decay = check_model(model).check(weights), check_positive(weight_decay, "weight_decay", or_zero=True)
    sizes = np.broadcast_to(check_step_size(step_size, len(factors)), len(factors))
    with np.errstate(over="ignore", invalid="ignore"):
        D = slopes(factors, check_loss(loss), model)
        stepped = [W - eta * (G + decay * W if decay else G) for W, G, eta in zip(factors, D, sizes, strict=True)]
    name = "layer" if model is network else "factor"
    return tuple(representable(W, f"{name} {j} after the step") for j, W in enumerate(stepped, start=1))


def gradient_descent(
    weights: Trajectory | Iterable[ArrayLike],
    loss: Loss,
    step_size: StepSize,
    steps: int,
    *,
    rule: Rule | None = None,
    weight_decay: float = 0.0,
    model: Model = network,
    start: float | None = None,
    every: Every = 1,
    stop: float | None = None,
    observe: Observe | None = None,
    keep: str = "all",
    progress: bool = False,
) -> Trajectory:
    """Gradient descent over the layers of a linear neural network, or over the factors of another model.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start; or the factors of the model. A trajectory goes on where it ended: from its last network and
        time, and, if the same rule made it, with its count of steps and its memory, to the numbers of one long run.
    loss : Loss
        If it changes with time it is asked at the time of the step's beginning.
    step_size : float, N floats, or a function
        η, in flow units a step; or one for each factor, as layers with rates of their own have; or a function that
        gives either for step k = 1, 2, …
    steps : int
        Number of steps, 0 or more.
    rule : Rule, optional
        How to move, given the gradients: any object with `start` and `update`; by default against the gradients.
    weight_decay : float
        λ ≥ 0, 0 by default: λ W_j is added to the gradient of every factor. `losses` are those of the loss alone.
    model : Model
        What the weights are factors of: layers by default, `lnn.tensor`, anything with `check`, `product`, `pullback`.
    start : float, optional
        Time of the first network: by default 0, or the last time of the trajectory that goes on.
    every : int or increasing sequence of ints
        Keep every k-th step, or the steps with these numbers, counted from the start of this run; by default every
        step, and the last one in any case.
    stop : float, optional
        End the run at the first kept step whose loss is at most this.
    observe : mapping from names to functions, optional
        What to record at every kept step as `path.observed[name]`: f(W) of the end-to-end matrix, or f(weights) if the
        function calls its first argument `weights` or `factors`; a number, or an array.
    keep : "all" or "last"
        Keep the networks of all kept steps, as by default, or the last one alone, which saves memory.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    Trajectory
        Step k at time η·k; where step sizes change, at the sum of them, where they differ from factor to factor, of
        their means. A run that blows up ends as DIVERGED, with its finite steps kept; so does one whose rule overflows,
        divides by zero or finds no decomposition.

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it, a step size is not positive, `steps` negative, an option
        out of its range, a direction of the rule is not shaped as its gradient, or the loss rises at every step because
        its gradient has the wrong sign.

    Notes
    -----
    `def-gd`, page `linear_networks`; `cor-weight-decay`, page `balancedness`.
    """
    loss, origin = at_time(loss), starting(weights, model)
    steps, decay = check_count(steps, "steps", least=0), check_positive(weight_decay, "weight_decay", or_zero=True)
    rule, schedule = check_rule(rule), step_size if callable(step_size) else None
    eta = 1.0 if schedule else check_step_size(step_size, len(origin))
    begin, state = 0.0, None
    if isinstance(weights, Trajectory):
        begin, state = float(weights.times[-1]), weights.state
    begin = begin if start is None else check_number(start, "start")
    vector, in_place = flat(origin), type(rule) is Plain and schedule is None
    factors, D = apart(vector, origin), np.zeros_like(vector)
    entrywise = getattr(rule, "entrywise", False)
    kind, done, made, memory = f"{type(rule).__module__}.{type(rule).__qualname__}", 0, 0, None
    if state is not None and state.rule == kind:
        done, memory = state.steps, deepcopy(state.memory)
    elif not in_place:
        memory = rule.start(vector if entrywise else factors)
    if in_place:
        calls = gradients_into(factors, factors, loss, model, factor=-eta, add=1 - eta * decay)
    else:
        calls = gradients_into(apart(D, origin), factors, loss, model)

    def spread(eta: float | Matrix) -> list[Any]:
        """The step size of everything that the rule moves: of the one vector, or of all factors."""
        if entrywise:
            return [eta if isinstance(eta, float) else np.repeat(eta, [W.size for W in origin])]
        return list(np.full(len(origin), eta))

    def move(k: int, sizes: list[Any]) -> None:
        """Move by the rule, from the gradients in D."""
        nonlocal memory
        given = D + decay * vector if decay else D.copy()
        try:
            if not finite(given):
                raise FloatingPointError
            # A square beyond the largest float would divide every later move to nothing: that is no rest.
            with np.errstate(over="raise", divide="raise", invalid="raise"):
                directions, memory = rule.update(k, given if entrywise else apart(given, origin), memory)
                pairs = [(vector, directions)] if entrywise else zip(factors, directions, strict=True)
                for (W, V), eta in zip(pairs, sizes, strict=True):
                    if np.shape(V) != W.shape:
                        raise ValueError(f"the rule moves {W.shape} by a direction of shape {np.shape(V)}")
                    W -= eta * V
        except (FloatingPointError, np.linalg.LinAlgError):
            vector.fill(np.nan)

    def iterates() -> Iterator[tuple[float, Weights]]:
        nonlocal made
        time, mean = begin, eta if isinstance(eta, float) else float(eta.mean())
        sizes = [] if in_place else spread(eta)
        yield time, factors
        for made in range(1, steps + 1):
            for call in calls:
                call()
            if schedule:
                size = check_step_size(schedule(done + made), len(origin), f"step_size({done + made})")
                sizes, time = spread(size), time + float(np.mean(size))
            else:
                time = begin + mean * made
            if not in_place:
                move(done + made, sizes)
            yield time, factors

    path = record(
        iterates(), loss, model=model, every=every, stop=stop, observe=observe, keep=keep, steps=steps,
        progress=progress, vector=vector,
    )  # fmt: skip
    if path.outcome is not Outcome.DIVERGED:
        object.__setattr__(path, "state", State(kind, done + made, deepcopy(memory)))  # the rule may use it again
    return check_sign(path, loss, origin)


def _end_to_end_step(W: Matrix, loss: Loss, depth: int, step_size: float) -> Matrix:
    return W - step_size * apply(W, gradient_at(loss, W.copy()), depth)


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
    step_size: float | Callable[[int], float],
    steps: int,
    *,
    start: float = 0.0,
    every: Every = 1,
    stop: float | None = None,
    observe: Observe | None = None,
    keep: str = "all",
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
    step_size : float, or a function
        η, in flow units a step; or a function that gives it for step k = 1, 2, …
    steps, start, every, stop, observe, keep, progress
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
    origin, depth = check_matrix(W, "W"), check_count(depth, "depth")
    loss, steps, time = at_time(loss), check_count(steps, "steps", least=0), check_number(start, "start")
    eta = 1.0 if callable(step_size) else check_positive(step_size, "step_size")

    def iterates() -> Iterator[tuple[float, Weights]]:
        W, now = origin, time
        yield now, (W,)
        for k in range(1, steps + 1):
            size = check_positive(step_size(k), f"step_size({k})") if callable(step_size) else eta
            W = _end_to_end_step(W, loss, depth, size)
            now = now + size if callable(step_size) else time + eta * k
            yield now, (W,)
            if not np.isfinite(W).all():  # a decomposition would raise; `record` says that the run has diverged
                return

    path = record(iterates(), loss, every=every, stop=stop, observe=observe, keep=keep, steps=steps, progress=progress)
    return check_sign(path, loss, (origin,))
