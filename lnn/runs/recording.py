"""How a run becomes a record: which iterates are kept, their losses, and when it ends."""

import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import pairwise
from math import isclose, isfinite
from typing import Any

import numpy as np

from lnn import network
from lnn.losses import AtTime, Batches, Loss, at_time, gradient_at, takes_stacks, values_along
from lnn.models import Model, check_model
from lnn.numerics.checks import Matrix, Weights, check_count, check_number, finite
from lnn.trajectory import Effort, Outcome, Trajectory, sealed

TOGETHER = 2**16  # entries of the networks whose losses are computed in one call: they should stay in the cache
Observe = Mapping[str, Callable[[Any], Any]]


def starting(weights: Any, model: Model) -> Weights:
    """Factors of one network for a run to start from: those given, or the last ones of a trajectory.

    Raises
    ------
    TypeError, ValueError
        If the model does not accept them, or they have leading axes.
    """
    check_model(model)
    if isinstance(weights, Trajectory):
        weights.read_by(model)
        weights = weights[-1]
    start = model.check(weights)
    if start[0].ndim != 2:
        raise ValueError(
            f"a run starts from one network, got leading axes {start[0].shape[:-2]}: ensemble_descent takes many"
        )
    return start


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
    return np.concatenate(list(map(np.ravel, factors)), dtype=np.float64)


def apart(entries: Matrix, like: Weights) -> Weights:
    """The inverse of `flat`: factors of the shapes of others, whose entries stand in arrays of shape (…, P)."""
    found, first = [], 0
    for W in like:
        found.append(entries[..., first : first + W.size].reshape(*entries.shape[:-1], *W.shape))
        first += W.size
    return tuple(found)


def check_observe(observe: Any) -> dict[str, tuple[Callable[[Any], Any], bool]]:
    """What to observe, and whether each is a function of the factors: of the end-to-end matrix otherwise.

    Raises
    ------
    TypeError
        If it is no mapping from names to functions.
    """
    if not isinstance(observe, Mapping) or not all(
        isinstance(name, str) and callable(f) for name, f in observe.items()
    ):
        raise TypeError(f"observe must map names to functions, as {{'norm': np.linalg.norm}}, got {observe!r}")
    found = {}
    for name, f in observe.items():
        try:
            first = next(iter(inspect.signature(f).parameters), "")
        except ValueError:  # some functions written in C do not say what they take
            first = ""
        found[name] = f, first in ("weights", "factors")
    return found


class Recorder:
    """Copies of the iterates that are kept, their losses, and what else is observed of them.

    Losses that take stacks are computed some at a time: many small matrices cost little more than one.

    Parameters
    ----------
    loss, model, observe, keep
        As `record` takes them.
    threshold : float
        The loss at which the run ends.
    """

    def __init__(
        self, loss: Loss, model: Model, observe: Observe | None = None, keep: str = "all", threshold: float = -np.inf
    ) -> None:
        if keep not in ("all", "last"):
            raise ValueError(f"keep must be 'all' or 'last', got {keep!r}")
        self.loss, self.model, self.keep, self.threshold = loss, model, keep, threshold
        self.observe = {} if observe is None else check_observe(observe)
        self.observed: dict[str, list[Any]] = defaultdict(list)
        self.outcome = Outcome.FINISHED
        self.times: list[float] = []
        self.losses: list[float] = []
        self.settled: list[Weights] = []  # stacks of factors whose losses are known
        self.waiting: list[Matrix] = []  # iterates, as vectors, whose losses are not
        self.together = 1  # how many wait for each other; the first one for none

    def take(self, time: float, entries: Matrix, like: Weights) -> bool:
        """Take an iterate, as a vector that nobody changes, shaped as `like`; whether the run goes on."""
        if isfinite(time) and finite(entries):
            self.times.append(time)
            self.waiting.append(entries)
        else:
            self.outcome = Outcome.DIVERGED
        if len(self.waiting) >= self.together or self.outcome is Outcome.DIVERGED:
            self.settle(like)
        return self.outcome is Outcome.FINISHED

    def settle(self, like: Weights) -> None:
        """Losses of those that wait; the first that ends the run is the last."""
        if not self.waiting:
            return
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
        if self.observe:
            self._look(W[:good], factors)
        first = 0
        if self.keep == "last" and good:
            first = good - 1
            self.settled.clear()
        if first or good < len(whole):
            factors = tuple(F[first:good] for F in factors)
        self.settled.append(factors)
        self.losses.extend(values[:good].tolist())
        del self.times[len(self.losses) :]
        if self.threshold == -np.inf and takes_stacks(self.loss) and not self.observe:
            self.together = 1 + TOGETHER // self.waiting[0].size
        self.waiting.clear()

    def _look(self, W: Matrix, factors: Weights) -> None:
        """Append what is observed of every network; who looks cannot change it, and may answer in one buffer."""
        for array in (W, *factors):
            array.flags.writeable = False
        for k, V in enumerate(W):
            at = tuple(F[k] for F in factors)
            for name, (look, by_factors) in self.observe.items():
                self.observed[name].append(deepcopy(look(at if by_factors else V)))

    def path(self, effort: Effort | None = None) -> Trajectory:
        """The trajectory of what was taken."""
        factors = tuple(map(np.concatenate, zip(*self.settled, strict=True)))
        times, losses, observed = np.array(self.times), np.array(self.losses), dict[str, Matrix]()
        for name, values in self.observed.items():
            observed[name] = check_series(values, name)
        return sealed(times, factors, losses, self.outcome, effort, self.model, observed)


def check_series(values: list[Any], name: str) -> Matrix:
    """What was observed, as one array with a time axis; NaN and infinity may be in it.

    Raises
    ------
    TypeError, ValueError
        If the values are no real numbers, nor arrays of them of one shape.
    """
    try:
        array = np.array(values)
    except ValueError as error:
        raise ValueError(f"what observe calls {name!r} must have one shape at all times") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"what observe calls {name!r} must be real numbers, got {values[0]!r}")
    return array.astype(np.float64)


def record(
    iterates: Iterable[tuple[float, Weights]],
    loss: Loss,
    *,
    model: Model = network,
    every: int | Sequence[int] = 1,
    stop: float | None = None,
    observe: Observe | None = None,
    keep: str = "all",
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
    observe : mapping from names to functions, optional
        What to record of every kept iterate, besides its loss, as `path.observed[name]`: f(W) of the end-to-end matrix,
        or f(weights) if the function calls its first argument `weights` or `factors`; a number, or an array.
    keep : "all" or "last"
        Which networks the trajectory holds: those of all kept iterates, or the last one alone.
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
        If `every` is no count and no increasing sequence of counts, `stop` no finite number, `observe` no mapping to
        functions that give numbers, `keep` another word, there is no iterate, or the first one already has a loss or
        product that is not finite.
    """
    numbers, loss = check_every(every), at_time(loss)
    recorder = Recorder(loss, model, observe, keep, -np.inf if stop is None else check_number(stop, "stop"))
    clock = loss if isinstance(loss, AtTime) else None
    if progress:
        from tqdm.auto import tqdm

        iterates = tqdm(iterates, total=None if steps is None else steps + 1, leave=False)
    k, last, shapes = -1, -1, None
    # A run that blows up says so by its outcome, not by warnings.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k, (time, weights) in enumerate(iterates):
            if vector is None:
                weights = tuple(map(np.asarray, weights))
                shapes, before = [W.shape for W in weights], shapes
                if before not in (None, shapes):
                    raise ValueError(f"the iterates must have one shape, got {before} and {shapes}")
            if clock is not None:
                clock.t = time  # that of the loss here, and of its gradient in the step that follows
            if k in numbers:
                last = k
                if not recorder.take(time, flat(weights) if vector is None else vector.copy(), weights):
                    break
        if last < k:
            recorder.take(time, flat(weights) if vector is None else vector.copy(), weights)
        if k >= 0:
            recorder.settle(weights)
    if k < 0:
        raise ValueError("there is nothing to record: the iterates are empty")
    if not recorder.losses:
        with np.errstate(over="ignore", invalid="ignore"):
            value = values_along(loss, model.product(weights)[None])[0]
        raise ValueError(f"the loss is not finite at the first network, or a weight, product or time: loss {value:g}")
    return recorder.path()


def check_sign(path: Trajectory, loss: Loss, start: Weights) -> Trajectory:
    """Return the record of a run from `start`, unless the loss rose in it because its gradient points the wrong way.

    Where the loss never fell from one kept moment to the next, as it also does not with too large a step, its slope
    along the gradient at the first network is measured by a central difference, on a copy: who goes on with the run
    needs the loss as it left it. A gradient that changes from call to call is an estimate, and the package's are right.

    Raises
    ------
    ValueError
        If that slope is the negative of what the gradient says, to a tenth of it.
    """
    if (len(path.losses) == 1 and path.outcome is not Outcome.DIVERGED) or (np.diff(path.losses) < 0).any():
        return path
    if takes_stacks(loss) or isinstance(loss, Batches):
        return path
    with suppress(Exception):  # it may hold what cannot be copied
        loss = deepcopy(loss)
    with np.errstate(all="ignore"):
        if isinstance(loss, AtTime):
            loss.t = float(path.times[0])
        W = path.model.product(start).copy()
        G = gradient_at(loss, W.copy()).copy()
        steepness = float(np.linalg.norm(G))
        if not 0 < steepness < np.inf:
            return path
        h = 1e-4 * float(np.linalg.norm(W) or np.linalg.norm(path.end_to_end[-1]) or 1.0)
        behind, ahead = values_along(loss, W + h * np.array([-G, G]) / steepness)
        rise, told = ahead - behind, 2 * h * steepness
        wrong = abs(rise) > 1e-10 * max(abs(ahead), abs(behind)) and isclose(rise, -told, rel_tol=0.1)
        if wrong and all(np.array_equal(G, gradient_at(loss, W.copy())) for _ in range(20)):
            raise ValueError(
                f"the gradient of the loss has the wrong sign: where it says that the loss rises by {told:.3g}, "
                f"at the first network, the loss falls by {-rise:.3g}"
            )
    return path
