"""The record of a run: where the weights were, when, at what loss, and how it ended."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from math import isfinite
from typing import Any, NamedTuple, Protocol

import numpy as np

from lnn.checks import Matrix, Weights, check_array, check_count
from lnn.interrupt import asked
from lnn.network import check, product
from lnn.spectrum import singular_values


class Loss(Protocol):
    """A differentiable function ℓ of the end-to-end matrix: called, its value; `gradient`, its gradient.

    Both take matrices of shape (…, m, n). Any class with these two methods will do. A run overwrites the matrix that it
    gave to `gradient`: a loss that wants to remember it makes a copy.
    """

    def __call__(self, W: Matrix) -> Matrix:
        """Values ℓ(W), shape (…)."""
        ...

    def gradient(self, W: Matrix) -> Matrix:
        """Gradients ∇ℓ(W), shape (…, m, n)."""
        ...


def check_loss(loss: Loss, W: Matrix) -> Loss:
    """Return `loss` if it gives a number and a gradient of the right shape at W, shape (m, n).

    Raises
    ------
    TypeError
        If it cannot be called or has no `gradient`.
    ValueError
        If it does not accept a matrix of this shape, or answers with other shapes.
    """
    if not (callable(loss) and callable(getattr(loss, "gradient", None))):
        raise TypeError(f"a loss must be callable and have a method gradient, got {loss!r}")
    try:
        with np.errstate(all="ignore"):
            value, gradient = np.shape(loss(W)), np.shape(loss.gradient(W))
    except (ValueError, IndexError) as error:
        raise ValueError(f"the loss does not accept the end-to-end matrix, of shape {W.shape}: {error}") from error
    if value != () or gradient != W.shape:
        raise ValueError(f"at a matrix of shape {W.shape} the loss has shape {value} and its gradient {gradient}")
    return loss


class Outcome(Enum):
    """How a run ended; the value is the sentence that says so."""

    FINISHED = "went to the end of its steps or times"
    CONVERGED = "stopped at the loss asked for"
    DIVERGED = "left every bound: the numbers stopped being finite, or the integrator's step fell to zero"
    EXHAUSTED = "spent the steps that the integrator was allowed"
    INTERRUPTED = "was stopped by Ctrl-C"


class Effort(NamedTuple):
    """What an integrator spent: evaluations of the gradient, accepted steps and failed ones (None: it does not say)."""

    evaluations: int
    steps: int | None = None
    failed: int | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """A network with a time axis in front, and the loss along it.

    Parameters
    ----------
    times : array, shape (T,)
        In flow units: step k of a descent with step size η stands at η·k.
    weights : tuple of N arrays, the j-th of shape (T, d_j, d_{j-1})
    losses : array, shape (T,)
    outcome : Outcome
    effort : Effort, optional
        What a flow cost.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not finite, or the shapes do not fit.

    Notes
    -----
    All arrays are read-only, and finite: a diverging run keeps its finite part. `path[k]` is the network at
    `times[k]`; every function of `lnn` that takes weights takes `path.weights` too, and answers for all times.
    """

    times: Matrix
    weights: Weights
    losses: Matrix
    outcome: Outcome
    effort: Effort | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", check(self.weights))
        for name in ("times", "losses"):
            array = check_array(getattr(self, name), name)
            if array.shape != self.weights[0].shape[:1] or self.weights[0].ndim != 3:
                raise ValueError(f"{name} have shape {array.shape}, but the layers {self.weights[0].shape}")
            object.__setattr__(self, name, array)
        for array in (self.times, self.losses, *self.weights):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, k: int) -> Weights:
        """Network at the k-th recorded time."""
        return tuple(W[k] for W in self.weights)

    def __iter__(self) -> Iterator[Weights]:
        return (self[k] for k in range(len(self)))

    @property
    def depth(self) -> int:
        """Number of layers N."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_0, …, d_N), input first."""
        return (self.weights[0].shape[-1], *(W.shape[-2] for W in self.weights))

    @cached_property
    def end_to_end(self) -> Matrix:
        """End-to-end matrices, shape (T, d_N, d_0)."""
        W = product(self.weights)
        W.flags.writeable = False
        return W

    @cached_property
    def singular_values(self) -> Matrix:
        """Singular values of the end-to-end matrices, falling: shape (T, min(d_0, d_N))."""
        values = singular_values(self.end_to_end)
        values.flags.writeable = False
        return values

    def __repr__(self) -> str:
        losses = f"loss {self.losses[0]:.3g} -> {self.losses[-1]:.3g}"
        widths = "-".join(map(str, self.widths))
        return f"Trajectory(depth {self.depth}, widths {widths}, {len(self)} times, {losses}, {self.outcome.name})"


def check_stop(stop: Any) -> float:
    """Return a loss to stop at as a finite number.

    Raises
    ------
    TypeError, ValueError
        If it is no single finite real number.
    """
    value = check_array(stop, "stop")
    if value.ndim != 0:
        raise ValueError(f"stop must be a single number, got shape {value.shape}")
    return float(value)


def _chooser(every: int | Sequence[int]) -> Callable[[int], bool]:
    """Which iterates to keep: every so manieth, or those with the given numbers and the first."""
    if isinstance(every, Sequence | np.ndarray):
        numbers = frozenset(check_count(k, "a number in every", least=0) for k in every)
        return lambda k: k == 0 or k in numbers
    step = check_count(every, "every")
    return lambda k: k % step == 0


def _is_finite(W: Matrix) -> bool:
    """Whether all entries are finite; their squares, which are summed five times faster, may overflow."""
    return isfinite(np.vdot(W, W)) or bool(np.isfinite(W).all())


def record(
    iterates: Iterable[tuple[float, Weights]],
    loss: Loss,
    *,
    every: int | Sequence[int] = 1,
    stop: float | None = None,
    steps: int | None = None,
    progress: bool = False,
) -> Trajectory:
    """Trajectory of a stream of networks: thins it, stops it, notices divergence, shows progress.

    Parameters
    ----------
    iterates : iterable of (time, weights)
        Networks of one shape; the first is always kept. What is kept is copied: they may be one network that moves.
    loss : Loss
    every : int or increasing sequence of ints
        Keep every so manieth iterate, or those with the given numbers; the last one is kept in any case.
    stop : float, optional
        End the run, CONVERGED, at the first kept iterate whose loss is at most this.
    steps : int, optional
        Number of iterates after the first, for the progress bar.
    progress : bool
        Show a bar (needs the package tqdm).

    Returns
    -------
    Trajectory
        DIVERGED, with the finite part kept, if a loss, weight, product or time was NaN or infinite; INTERRUPTED if
        Ctrl-C was pressed in an `interruptible` block.

    Raises
    ------
    TypeError, ValueError
        If `every` is no count and no sequence of counts, `stop` no finite number, there is no iterate, or the first one
        already has a loss or product that is not finite.
    """
    keeps = _chooser(every)
    threshold = -np.inf if stop is None else check_stop(stop)
    if progress:
        from tqdm.auto import tqdm

        iterates = tqdm(iterates, total=None if steps is None else steps + 1, leave=False)
    times: list[float] = []
    kept: list[Weights] = []
    losses: list[float] = []
    outcome = Outcome.FINISHED

    def keep(time: float, weights: Weights) -> bool:
        W = product(weights)
        value = float(loss(W))
        if not (isfinite(value) and isfinite(time) and all(map(_is_finite, (W, *weights)))):
            return False
        times.append(time)
        kept.append(tuple(W.copy() for W in weights))
        losses.append(value)
        return True

    pending: tuple[float, Weights] | None = None
    # A run that blows up says so by its outcome, not by warnings.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k, pending in enumerate(iterates):
            if keeps(k):
                latest, pending = pending, None
                if not keep(*latest):
                    outcome = Outcome.DIVERGED
                    break
                if losses[-1] <= threshold:
                    outcome = Outcome.CONVERGED
                    break
            if asked():
                outcome = Outcome.INTERRUPTED
                break
        if pending is not None and not keep(*pending):
            outcome = Outcome.DIVERGED
    if not kept and outcome is Outcome.DIVERGED:
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(loss(product(latest[1])))
        raise ValueError(f"the loss is not finite at the first network, or a weight, product or time: loss {value:g}")
    if not kept:
        raise ValueError("there is nothing to record: the iterates are empty")
    # As np.stack, at half its price: for small matrices this is a good part of what recording costs.
    stacked = tuple(np.concatenate(layers).reshape(-1, *layers[0].shape) for layers in zip(*kept, strict=True))
    return Trajectory(np.array(times), stacked, np.array(losses), outcome)
