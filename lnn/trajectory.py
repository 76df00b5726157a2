"""The record of a run: where the factors were, when, at what loss, and how it ended."""

import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from math import isclose, isfinite
from types import ModuleType
from typing import Any, NamedTuple, Protocol, overload

import numpy as np

from lnn import network
from lnn.losses import takes_stacks
from lnn.models import Model, name_of
from lnn.numerics.checks import Matrix, Weights, check_array, check_count, finite
from lnn.theory.spectrum import singular_values

TOGETHER = 2**16  # entries of the networks whose losses are computed in one call: they should stay in the cache


class Loss(Protocol):
    """A differentiable function ℓ of the end-to-end matrix: called, its value; `gradient`, its gradient.

    Any class with these two methods will do. A run asks it about one matrix at a time, of shape (m, n), at the moment
    when the run is there. Formulas over whole trajectories need a loss that takes stacks, of shape (…, m, n), as those
    of the package do. A run overwrites the matrix that it gave to `gradient`: a loss that remembers it makes a copy.
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
        If it cannot be called or has no `gradient`.
    """
    if not (callable(loss) and callable(getattr(loss, "gradient", None))):
        got = f"{type(loss).__name__}, where the weights come first" if isinstance(loss, tuple | list) else repr(loss)
        raise TypeError(f"a loss must be callable and have a method gradient, got {got}")
    return loss


def check_single(start: Weights) -> Weights:
    """Return factors, checked before, if they are those of one network, which a run can start from.

    Raises
    ------
    ValueError
        If they have leading axes.
    """
    if start[0].ndim != 2:
        raise ValueError(f"a run starts from one network, got leading axes {start[0].shape[:-2]}")
    return start


def gradient_at(loss: Loss, W: Matrix) -> Matrix:
    """Gradient of a loss at one matrix, shape (m, n): the same shape.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    G = loss.gradient(W)
    if np.shape(G) != W.shape:
        raise ValueError(f"at a matrix of shape {W.shape} the gradient of the loss has shape {np.shape(G)}")
    return np.asarray(G)


def values_along(loss: Loss, W: Matrix) -> Matrix:
    """Values of a loss at every matrix of a stack, shape (T, m, n): shape (T,).

    In one call if the loss is known to take stacks, one by one otherwise: nothing in the shape of an answer tells
    whether a loss that was written for one matrix took the stack for something else.

    Raises
    ------
    ValueError
        If the loss does not accept a matrix of this shape, or its value is no single number.
    """
    if len(W) > 1 and takes_stacks(loss):
        return np.asarray(loss(W))
    values = np.zeros(len(W))
    for k, V in enumerate(W):
        try:
            value = loss(V)
        except (ValueError, IndexError) as error:
            raise ValueError(f"the loss does not accept the end-to-end matrix, of shape {V.shape}: {error}") from error
        if np.shape(value) != ():
            raise ValueError(f"at a matrix of shape {V.shape} the loss has shape {np.shape(value)}: no number")
        values[k] = value
    return values


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
    """A network, or the factors of another model, with a time axis in front, and the loss along it.

    Parameters
    ----------
    times : array, shape (T,)
        In flow units: step k of a descent with step size η stands at η·k.
    weights : tuple of arrays, shape (T, …) each
        Of layers, N arrays, the j-th of shape (T, d_j, d_{j-1}); the factors of any other model.
    losses : array, shape (T,)
    outcome : Outcome
    effort : Effort, optional
        What a flow cost.
    model : Model
        What the weights are factors of: layers (`lnn.network`), `lnn.tensor`, and so on.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not finite, or the shapes do not fit.

    Notes
    -----
    All arrays are read-only, and finite: a diverging run keeps its finite part. `path[k]` is the network at `times[k]`,
    `path[a:b]` a trajectory; every function of `lnn` that takes weights takes `path.weights` too, and answers for all
    times.
    """

    times: Matrix
    weights: Weights
    losses: Matrix
    outcome: Outcome
    effort: Effort | None = None
    model: Model = network

    def __post_init__(self) -> None:
        weights = self.model.check(self.weights)
        for name in ("times", "losses"):
            array = check_array(getattr(self, name), name)
            for W in weights:
                if array.shape != W.shape[:1] or W.ndim != 3:
                    raise ValueError(f"{name} have shape {array.shape}, but the weights {W.shape}")
            object.__setattr__(self, name, _read_only(array.copy()))
        object.__setattr__(self, "weights", tuple(_read_only(W.copy()) for W in weights))

    def __reduce__(self) -> tuple[Any, ...]:
        # Modules cannot be pickled, and arrays come out of a pickle or a copy writable.
        model = self.model.__name__ if isinstance(self.model, ModuleType) else self.model
        return sealed, (self.times, self.weights, self.losses, self.outcome, self.effort, model)

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, k: int) -> Weights: ...
    @overload
    def __getitem__(self, k: slice) -> "Trajectory": ...
    def __getitem__(self, k: int | slice) -> "Weights | Trajectory":
        """Network at the k-th recorded time, or the trajectory over a slice of them."""
        weights = tuple(W[k] for W in self.weights)
        if not isinstance(k, slice):
            return weights
        if not len(self.times[k]):
            raise ValueError(f"an empty slice of a trajectory of {len(self)} times: {k.start}:{k.stop}")
        return sealed(self.times[k], weights, self.losses[k], self.outcome, self.effort, self.model)

    def __iter__(self) -> Iterator[Weights]:
        return (self[k] for k in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> Matrix:
        raise TypeError("a Trajectory is no array: take its end_to_end, or its weights")

    def read_by(self, model: Model) -> Weights:
        """The weights, for a function of `model` that was given the trajectory in their place.

        Raises
        ------
        TypeError
            If they are factors of another model.
        """
        if self.model != model:
            wanted, got = name_of(model), name_of(self.model)
            raise TypeError(f"this function reads trajectories of the model {wanted}, got one of {got}")
        return self.weights

    @property
    def depth(self) -> int:
        """Number of layers N, or of factors."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """(d_0, …, d_N), input first; layers have them."""
        layers = self.read_by(network)
        return (layers[0].shape[-1], *(W.shape[-2] for W in layers))

    @property
    def factors(self) -> Weights:
        """The weights; an older name for those of tensors, kept for one edition."""
        return self.weights

    @cached_property
    def end_to_end(self) -> Matrix:
        """End-to-end matrices, shape (T, d_N, d_0), or tensors, shape (T, d_1, …, d_N)."""
        return _read_only(self.model.product(self.weights))

    @cached_property
    def singular_values(self) -> Matrix:
        """Singular values of the end-to-end matrices, falling: shape (T, min(d_0, d_N)).

        Raises
        ------
        ValueError
            If the model gives tensors.
        """
        if self.end_to_end.ndim != 3:
            raise ValueError(f"matrices have singular values, got tensors of shape {self.end_to_end.shape[1:]}")
        return _read_only(singular_values(self.end_to_end))

    @cached_property
    def component_norms(self) -> Matrix:
        """Norms of the components, where the model has any: shape (T, R) of a tensor, (T, N - 1, R) of a tree."""
        return _read_only(self.model.component_norms(self.weights))  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        if self.model is network:
            what = f"depth {self.depth}, widths {'-'.join(map(str, self.widths))}"
        else:
            shape = "x".join(map(str, np.shape(self.model.product(self[0]))))
            what = f"{name_of(self.model)}, {shape}, {self.depth} factors"
        losses = f"loss {self.losses[0]:.3g} -> {self.losses[-1]:.3g}"
        return f"Trajectory({what}, {len(self)} times, {losses}, {self.outcome.name})"


def _read_only(array: Matrix) -> Matrix:
    array.flags.writeable = False
    return array


def sealed(
    times: Matrix, weights: Weights, losses: Matrix, outcome: Outcome, effort: Effort | None, model: Model | str
) -> Trajectory:
    """A trajectory of arrays that nobody else holds and that are known to fit: neither checked nor copied."""
    path = object.__new__(Trajectory)
    for array in (times, losses, *weights):
        array.flags.writeable = False
    vars(path).update(
        times=times,
        weights=weights,
        losses=losses,
        outcome=outcome,
        effort=effort,
        model=import_module(model) if isinstance(model, str) else model,
    )
    return path


def check_stop(stop: Any) -> float:
    """Return a loss to stop at as a finite number.

    Raises
    ------
    TypeError, ValueError
        If it is no single finite real number.
    """
    if np.asarray(stop).dtype.kind == "b":
        raise TypeError(f"stop must be a real number, got {stop!r}")
    value = check_array(stop, "stop")
    if value.ndim != 0:
        raise ValueError(f"stop must be a single number, got shape {value.shape}")
    return float(value)


def check_every(every: Any) -> Container[int]:
    """Numbers of the iterates to keep: every k-th, or those given and the first.

    Raises
    ------
    TypeError, ValueError
        If it is no positive whole number and no increasing sequence of whole numbers from 0 on.
    """
    if np.ndim(every) == 0:
        return range(0, sys.maxsize, check_count(every, "every"))
    numbers = [check_count(k, "every number in every", least=0) for k in every]
    if any(after <= before for before, after in pairwise(numbers)):
        raise ValueError(f"every must be a whole number, or increase, got {numbers}")
    return frozenset({0, *numbers})


def flat(factors: Weights) -> Matrix:
    """A new vector with all entries of factors, shape (P,), one after the other, row by row."""
    return np.concatenate(list(map(np.ravel, factors)))


def apart(entries: Matrix, like: Weights) -> Weights:
    """The inverse of `flat`: factors of the shapes of others, whose entries stand in arrays of shape (…, P)."""
    found, first = [], 0
    for W in like:
        found.append(entries[..., first : first + W.size].reshape(*entries.shape[:-1], *W.shape))
        first += W.size
    return tuple(found)


class _Recorder:
    """Copies of the iterates that are kept, and their losses.

    Losses that take stacks are computed some at a time: many small matrices cost little more than one.
    """

    def __init__(self, loss: Loss, model: Model, threshold: float) -> None:
        self.loss, self.model, self.threshold = loss, model, threshold
        self.outcome = Outcome.FINISHED
        self.times: list[float] = []
        self.losses: list[float] = []
        self.settled: list[Weights] = []  # stacks of factors whose losses are known
        self.waiting: list[Matrix] = []  # iterates, as vectors, whose losses are not
        self.together = 1  # how many wait for each other; the first one for none

    def keep(self, time: float, entries: Matrix) -> bool:
        """Keep an iterate, if it is finite; whether it is time to settle."""
        if isfinite(time) and finite(entries):
            self.times.append(time)
            self.waiting.append(entries)
        else:
            self.outcome = Outcome.DIVERGED
        return len(self.waiting) >= self.together or self.outcome is Outcome.DIVERGED

    def settle(self, like: Weights) -> bool:
        """Losses of those that wait, shaped as `like`; the first that ends the run is the last. Whether to go on."""
        if self.waiting:
            factors = apart(np.array(self.waiting), like)
            W = self.model.product(factors)
            values = values_along(self.loss, W)
            whole = np.isfinite(values) & np.isfinite(W).reshape(len(W), -1).all(axis=1)
            good = len(whole) if whole.all() else int(np.argmin(whole))
            if good < len(whole):
                self.outcome = Outcome.DIVERGED
            low = values[:good] <= self.threshold
            if low.any():
                good = int(np.argmax(low)) + 1
                self.outcome = Outcome.CONVERGED
            self.settled.append(tuple(F[:good] for F in factors))
            self.losses.extend(values[:good].tolist())
            del self.times[len(self.losses) :]
            if self.threshold == -np.inf and takes_stacks(self.loss):
                self.together = 1 + TOGETHER // self.waiting[0].size
            self.waiting.clear()
        return self.outcome is Outcome.FINISHED


def record(
    iterates: Iterable[tuple[float, Weights]],
    loss: Loss,
    *,
    model: Model = network,
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
    model : Model
        What the weights are factors of.
    every : int or increasing sequence of ints
        Keep every k-th iterate, or those with the given numbers; the last one is kept in any case.
    stop : float, optional
        End the run, CONVERGED, at the first kept iterate whose loss is at most this.
    steps : int, optional
        Number of iterates after the first, for the progress bar.
    progress : bool
        Show a bar (needs the package tqdm).
    vector : array, shape (n,), optional
        If the iterates are one network that moves, and all its entries stand in this vector, factor by factor and row
        by row: one copy of it then takes the place of one of each factor.

    Returns
    -------
    Trajectory
        DIVERGED, with the finite part kept, if a loss, weight, product or time was NaN or infinite.

    Raises
    ------
    TypeError, ValueError
        If `every` is no count and no increasing sequence of counts, `stop` no finite number, there is no iterate, or
        the first one already has a loss or product that is not finite.
    """
    numbers = check_every(every)
    recorder = _Recorder(loss, model, -np.inf if stop is None else check_stop(stop))
    if progress:
        from tqdm.auto import tqdm

        iterates = tqdm(iterates, total=None if steps is None else steps + 1, leave=False)
    k, last = -1, -1
    # A run that blows up says so by its outcome, not by warnings.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k, (time, weights) in enumerate(iterates):
            if k in numbers:
                last = k
                full = recorder.keep(time, flat(weights) if vector is None else vector.copy())
                if full and not recorder.settle(weights):
                    break
        if last < k:
            recorder.keep(time, flat(weights) if vector is None else vector.copy())
        if k >= 0:
            recorder.settle(weights)
    if k < 0:
        raise ValueError("there is nothing to record: the iterates are empty")
    if not recorder.losses:
        with np.errstate(over="ignore", invalid="ignore"):
            value = values_along(loss, model.product(weights)[None])[0]
        raise ValueError(f"the loss is not finite at the first network, or a weight, product or time: loss {value:g}")
    factors = tuple(map(np.concatenate, zip(*recorder.settled, strict=True)))
    times, losses = np.array(recorder.times), np.array(recorder.losses)
    return sealed(times, factors, losses, recorder.outcome, None, model)


def check_sign(path: Trajectory, loss: Loss) -> Trajectory:
    """Return the record of a run downhill, unless the loss rose in it because its gradient points the wrong way.

    Where the loss rose from each kept moment to the next, as it also does with too large a step, its slope along the
    gradient at the first network is measured by a central difference.

    Raises
    ------
    ValueError
        If that slope is the negative of what the gradient says, to a tenth of it.
    """
    if (len(path.losses) == 1 and path.outcome is not Outcome.DIVERGED) or (np.diff(path.losses) <= 0).any():
        return path
    with np.errstate(all="ignore"):
        W = path.end_to_end[0].copy()
        G = gradient_at(loss, W.copy())
        steepness = float(np.linalg.norm(G))
        h = 1e-4 * float(np.linalg.norm(W) or np.linalg.norm(path.end_to_end[-1]) or 1.0)
        behind, ahead = values_along(loss, W + h * np.array([-G, G]) / steepness)
        rise, told = ahead - behind, 2 * h * steepness
        if abs(rise) > 1e-10 * max(abs(ahead), abs(behind)) and isclose(rise, -told, rel_tol=0.1):
            raise ValueError(
                f"the gradient of the loss has the wrong sign: where it says that the loss rises by {told:.3g}, "
                f"at the first network, the loss falls by {-rise:.3g}"
            )
    return path
