"""Losses that change with time: a run asks them for the moment at which it is."""

import inspect

from lnn.losses import Loss, check_loss, takes_stacks
from lnn.numerics.checks import Matrix


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
