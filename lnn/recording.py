"""How a run becomes a record: which iterates are kept, their losses, and when it ends."""

import sys
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise
from math import isclose, isfinite
from typing import Any

import numpy as np

from lnn import network
from lnn.losses import Loss, gradient_at, takes_stacks, values_along
from lnn.models import Model
from lnn.numerics.checks import Matrix, Weights, check_array, check_count, finite
from lnn.trajectory import Outcome, Trajectory, sealed

TOGETHER = 2**16  # entries of the networks whose losses are computed in one call: they should stay in the cache


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
