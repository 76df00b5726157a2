"""The record of a run: where the weights were, when, at what loss, and how it ended."""

import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import accumulate, pairwise
from math import isclose, isfinite
from typing import Any, NamedTuple, Protocol

import numpy as np

from lnn.network import check, product
from lnn.numerics.checks import Matrix, Weights, check_array, check_count
from lnn.theory.spectrum import singular_values

TOGETHER = 2**16  # entries of the networks that are looked at together: they should stay in the cache


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


def _kept(every: int | Sequence[int]) -> Container[int]:
    """Numbers of the iterates to keep: every so manieth, or those given and the first."""
    if isinstance(every, Sequence | np.ndarray):
        return frozenset({0, *(check_count(k, "a number in every", least=0) for k in every)})
    return range(0, sys.maxsize, check_count(every, "every"))


class _Keeper:
    """Networks that are kept at once and looked at some at a time: many small matrices cost little more than one."""

    def __init__(self, loss: Loss, threshold: float, vector: Matrix | None) -> None:
        self.loss, self.threshold, self.vector = loss, threshold, vector
        self.times: list[float] = []
        self.losses: list[float] = []
        self.settled: list[Weights] = []  # stacks of layers whose losses are known
        self.waiting: list[Matrix] = []  # networks, as vectors, whose losses are not
        self.together = 1  # how many wait for each other; the first one for none
        self.outcome = Outcome.FINISHED

    def keep(self, time: float, weights: Weights) -> bool:
        """Keep a copy, if it is finite; whether the run may go on."""
        if self.vector is None:
            entries = np.concatenate([W.ravel() for W in weights])
        else:
            entries = self.vector.copy()
        # The sum of squares is five times faster than a look at every entry; it may overflow where they do not.
        finite = isfinite(time + entries.dot(entries)) or (isfinite(time) and bool(np.isfinite(entries).all()))
        if finite:
            self.times.append(time)
            self.waiting.append(entries)
        if self.waiting and (not finite or len(self.waiting) >= self.together):
            self.settle(weights)
            self.together = 1 if self.threshold > -np.inf else 1 + TOGETHER // entries.size
        if not finite and self.outcome is Outcome.FINISHED:
            self.outcome = Outcome.DIVERGED
        return self.outcome is Outcome.FINISHED

    def settle(self, like: Weights) -> None:
        """Losses of those that wait, shaped as `like`, up to the first that ends the run; the rest is dropped."""
        stack = np.array(self.waiting) if len(self.waiting) > 1 else self.waiting[0][None]
        ends = accumulate((W.size for W in like), initial=0)
        layers = tuple(stack[:, a:b].reshape(-1, *W.shape) for W, (a, b) in zip(like, pairwise(ends), strict=True))
        W = product(layers)
        values = self._values(W)
        finite = np.isfinite(values) & np.isfinite(W).all(axis=(-2, -1))
        good = len(values) if finite.all() else int(np.argmin(finite))
        if good < len(values):
            self.outcome = Outcome.DIVERGED
        if (values[:good] <= self.threshold).any():
            good = int(np.argmax(values[:good] <= self.threshold)) + 1
            self.outcome = Outcome.CONVERGED
        self.settled.append(tuple(V[:good] for V in layers))
        self.losses.extend(values[:good].tolist())
        self.waiting.clear()
        del self.times[len(self.losses) :]

    def _values(self, W: Matrix) -> Matrix:
        """Losses of a stack, in one call if the loss takes stacks: it is believed if the last of them is right."""
        last = float(self.loss(W[-1]))
        if len(W) > 1:
            try:
                values = np.asarray(self.loss(W), dtype=float)
            except Exception:  # a loss that was written for one matrix
                values = np.array([])
            if values.shape == W.shape[:1] and isclose(values[-1], last, rel_tol=1e-9):
                return values
        return np.array([*(float(self.loss(V)) for V in W[:-1]), last])


def record(
    iterates: Iterable[tuple[float, Weights]],
    loss: Loss,
    *,
    every: int | Sequence[int] = 1,
    stop: float | None = None,
    steps: int | None = None,
    progress: bool = False,
    vector: Matrix | None = None,
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
    vector : array, shape (n,), optional
        If the iterates are one network that moves, and all its entries stand in this vector, layer by layer and row by
        row: one copy of it then takes the place of one of each layer.

    Returns
    -------
    Trajectory
        DIVERGED, with the finite part kept, if a loss, weight, product or time was NaN or infinite.

    Raises
    ------
    TypeError, ValueError
        If `every` is no count and no sequence of counts, `stop` no finite number, there is no iterate, or the first one
        already has a loss or product that is not finite.
    """
    numbers = _kept(every)
    threshold = -np.inf if stop is None else check_stop(stop)
    if progress:
        from tqdm.auto import tqdm

        iterates = tqdm(iterates, total=None if steps is None else steps + 1, leave=False)
    keeper = _Keeper(loss, threshold, vector)
    pending: tuple[float, Weights] | None = None
    # A run that blows up says so by its outcome, not by warnings.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k, pending in enumerate(iterates):
            if k in numbers:
                latest, pending = pending, None
                if not keeper.keep(*latest):
                    break
        if pending is not None:
            latest = pending
            keeper.keep(*latest)
        if keeper.waiting:
            keeper.settle(latest[1])
    if not keeper.losses and keeper.outcome is Outcome.DIVERGED:
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(loss(product(latest[1])))
        raise ValueError(f"the loss is not finite at the first network, or a weight, product or time: loss {value:g}")
    if not keeper.losses:
        raise ValueError("there is nothing to record: the iterates are empty")
    layers = tuple(np.concatenate(stacks) for stacks in zip(*keeper.settled, strict=True))
    return Trajectory(np.array(keeper.times), layers, np.array(keeper.losses), keeper.outcome)
