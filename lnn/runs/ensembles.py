"""Many networks that descend together: one loop over steps for all of them, and one record."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnn import network
from lnn.descent import Every, StepSize, check_step_size
from lnn.losses import LeastSquares, Loss, at_time, gradient_at, takes_stacks, values_along
from lnn.numerics.checks import Matrix, ReadOnly, Weights, check_count, check_positive
from lnn.numerics.fused import small, sweeps
from lnn.runs.recording import apart, check_every, check_sign
from lnn.trajectory import Outcome, Trajectory, sealed


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(ReadOnly):
    """The record of networks that descended together, the members; their axes … stand behind that of time.

    Parameters
    ----------
    times : array, shape (T,)
    weights : N arrays, the j-th of shape (T, …, d_j, d_{j-1})
    losses : array, shape (T, …)
    lengths : array of ints, shape (…)
        How many of the T networks of a member are finite; those after them are nothing.

    Notes
    -----
    `ensemble[m]` is the trajectory of a member, without what is not finite.
    """

    times: Matrix
    weights: Weights
    losses: Matrix
    lengths: NDArray[np.int64]

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Which members left every bound, shape (…)."""
        return np.asarray(self.lengths < len(self.times))

    def __getitem__(self, member: int | tuple[int, ...]) -> Trajectory:
        """The run of one member by itself.

        Raises
        ------
        IndexError
            If there is none with this index, or more than one.
        """
        n = self.lengths[member]
        if np.ndim(n):
            raise IndexError(f"the members have the axes {self.lengths.shape}: {member} is no single one")
        at: Any = (slice(n), *member) if isinstance(member, tuple) else (slice(n), member)
        outcome = Outcome.DIVERGED if self.diverged[member] else Outcome.FINISHED
        weights = tuple(W[at].copy() for W in self.weights)
        return sealed(self.times[:n], weights, self.losses[at].copy(), outcome, None, network)

    def __repr__(self) -> str:
        return f"Ensemble({self.lengths.size} members, {self.diverged.sum()} diverged, {len(self.times)} times)"


def _gradients(loss: Loss) -> Callable[[Matrix], Matrix]:
    """The gradients of a loss at a stack of matrices, as a function of the stack."""
    if takes_stacks(loss):
        return lambda W: loss.gradient(np.ascontiguousarray(W))
    return lambda W: np.array([gradient_at(loss, V).copy() for V in np.ascontiguousarray(W)])


def ensemble_descent(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: StepSize,
    steps: int,
    *,
    weight_decay: float = 0.0,
    every: Every = 1,
) -> Ensemble:
    """Gradient descent over the layers of many networks at once, on one loss: far faster than one by one if small.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})
        Where to start: leading axes count the members.
    loss, step_size, steps, weight_decay, every
        As in `gradient_descent`. A loss that is not the package's is asked for one member at a time.

    Returns
    -------
    Ensemble
        Times as in `gradient_descent`. A member that blows up is marked as diverged, and the others go on.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if there are no leading axes, or if the loss changes with time.
    """
    if at_time(loss) is not loss:
        raise TypeError("an ensemble descends on a loss of W alone: for ℓ(W, t) call gradient_descent for each member")
    start, numbers = network.check(weights), check_every(every)
    schedule = step_size if callable(step_size) else None
    eta = 1.0 if schedule else check_step_size(step_size, len(start))
    decay = check_positive(weight_decay, "weight_decay", or_zero=True)
    steps, axes = check_count(steps, "steps", least=0), start[0].shape[:-2]
    if not axes:
        raise ValueError("an ensemble needs weights with leading axes: gradient_descent takes one network")
    single = tuple(W.reshape(-1, *W.shape[-2:]) for W in start)
    # A row of entries for each member. Those of a member stand next to each other in memory, or those of all members.
    rows = np.concatenate([W.reshape(len(W), -1) for W in single], axis=1)
    entries = rows.copy("F" if small(single) else "C")
    one, moves, kept = tuple(W[0] for W in single), np.zeros_like(entries), [rows]
    mean, time, times = float(np.mean(eta)), 0.0, [0.0]

    def spread(eta: float | Matrix) -> Matrix:
        """Step sizes of all entries of a member."""
        return np.repeat(np.full(len(one), eta), [W.size for W in one])

    size: Any = eta if isinstance(eta, float) and not schedule else spread(eta)
    together = takes_stacks(loss)  # any other one may change: it is asked when the members are there
    center = loss.target if type(loss) is LeastSquares else None
    with np.errstate(over="ignore", invalid="ignore"):
        # One that does not fit is refused here.
        values = [values_along(loss, network.product(apart(rows[:1] if together else rows, one)))]
        calls = sweeps(apart(entries, one), apart(moves, one), _gradients(loss), center=center)
        if decay:
            shrink = np.zeros_like(entries)
            calls += [partial(np.multiply, entries, decay, shrink), partial(np.add, moves, shrink, moves)]
        calls += [partial(np.multiply, moves, size, moves), partial(np.subtract, entries, moves, entries)]
        for k in range(1, steps + 1):
            if schedule:
                eta = check_step_size(schedule(k), len(one), f"step_size({k})")
                size[...], time = spread(eta), time + float(np.mean(eta))
            else:
                time = mean * k
            for call in calls:
                call()
            if k in numbers or k == steps:
                times.append(time)
                kept.append(entries.copy())
                if not together:
                    values.append(values_along(loss, network.product(apart(kept[-1], one))))
        path = tuple(W.reshape(len(W), *axes, *W.shape[-2:]) for W in apart(np.array(kept), one))
        products = network.product(path)
        if together:
            values = [values_along(loss, products.reshape(-1, *products.shape[-2:]))]
        losses = np.reshape(values, products.shape[:-2])
    finite = np.isfinite(losses) & np.isfinite(products).all(axis=(-2, -1))
    for W in path:
        finite &= np.isfinite(W).all(axis=(-2, -1))
    if not finite[0].all():
        raise ValueError("the loss is not finite at the first network of a member")
    lengths = np.where(finite.all(axis=0), len(finite), np.argmin(finite, axis=0))
    ensemble = Ensemble(np.array(times), path, losses, lengths)
    for member in () if together else np.ndindex(axes):
        check_sign(ensemble[member], loss, tuple(W[member] for W in start))
    return ensemble
