"""Accelerated and adaptive descents over the factors of a network: each a rule, and a function to run it.

Every one acts entry by entry, through the gradients of the factors; on a network of depth 1 it is the published
optimizer itself. Rules for whole matrices go straight to `descend`. A step k of step size η is stamped η·k, as in plain
descent, so that `path.times / step_size` counts the steps; as a time of the flow that stamp has a meaning for plain
descent alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from lnn.descent import Options, descend
from lnn.numerics.checks import Matrix, check_positive
from lnn.trajectory import Loss, Trajectory

Two = tuple[Matrix, Matrix]


def check_fraction(value: Any, name: str) -> float:
    """Return `value` as a float in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If it is no real number, or not in that interval.
    """
    number = not isinstance(value, (bool, np.bool_)) and not np.iscomplexobj(value)
    zero = number and np.ndim(value) == 0 and value == 0
    fraction = 0.0 if zero else check_positive(value, name)
    if fraction >= 1:
        raise ValueError(f"{name} must lie in [0, 1), got {fraction}")
    return fraction


@dataclass(frozen=True)
class Momentum:
    """Heavy ball: the directions are velocities V ← β V + G, from rest.

    Parameters
    ----------
    beta : float
        β, in [0, 1); at 0 it is gradient descent.
    """

    beta: float = 0.9
    entrywise = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", check_fraction(self.beta, "beta"))

    def start(self, factors: Matrix) -> Matrix:
        """At rest."""
        return np.zeros_like(factors)

    def update(self, k: int, gradients: Matrix, velocity: Matrix) -> Two:
        """Velocity, twice: as direction and as memory."""
        velocity = self.beta * velocity + gradients
        return velocity, velocity


@dataclass(frozen=True)
class AdaGrad:
    """AdaGrad, diagonal: directions g_k / (ε + √(g_1² + … + g_k²)).

    Parameters
    ----------
    epsilon : float
        ε > 0 (the source's δ).
    """

    epsilon: float = 1e-8
    entrywise = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", check_positive(self.epsilon, "epsilon"))

    def start(self, factors: Matrix) -> Matrix:
        """No squares yet."""
        return np.zeros_like(factors)

    def update(self, k: int, gradients: Matrix, squares: Matrix) -> Two:
        """Directions, and the sum of all squares."""
        squares = squares + gradients**2
        return gradients / (self.epsilon + np.sqrt(squares)), squares


@dataclass(frozen=True)
class AdaDelta:
    """AdaDelta: directions √(ε + running mean of directions²) / √(ε + running mean of g²) · g.

    Parameters
    ----------
    rho : float
        ρ of both running means, in [0, 1).
    epsilon : float
        ε > 0.
    """

    rho: float = 0.95
    epsilon: float = 1e-6
    entrywise = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", check_fraction(self.rho, "rho"))
        object.__setattr__(self, "epsilon", check_positive(self.epsilon, "epsilon"))

    def start(self, factors: Matrix) -> Two:
        """No squares and no moves yet."""
        return np.zeros_like(factors), np.zeros_like(factors)

    def update(self, k: int, gradients: Matrix, memory: Two) -> tuple[Matrix, Two]:
        """Directions, and the running means of the squares of gradients and directions."""
        squares, moves = memory
        squares = self.rho * squares + (1 - self.rho) * gradients**2
        directions = np.sqrt(moves + self.epsilon) / np.sqrt(squares + self.epsilon) * gradients
        return directions, (squares, self.rho * moves + (1 - self.rho) * directions**2)


@dataclass(frozen=True)
class Adam:
    """Adam: directions m̂ / (√v̂ + ε), with m̂, v̂ the unbiased running means of g and g².

    Parameters
    ----------
    betas : (β₁, β₂)
        Of the running means of g and of g², both in [0, 1).
    epsilon : float
        ε > 0.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    entrywise = True

    def __post_init__(self) -> None:
        if np.shape(self.betas) != (2,):
            raise ValueError(f"betas must be a pair of numbers, got {self.betas!r}")
        betas = tuple(check_fraction(value, f"beta {j}") for j, value in enumerate(self.betas, start=1))
        object.__setattr__(self, "betas", betas)
        object.__setattr__(self, "epsilon", check_positive(self.epsilon, "epsilon"))

    def start(self, factors: Matrix) -> Two:
        """Two means of nothing."""
        return np.zeros_like(factors), np.zeros_like(factors)

    def update(self, k: int, gradients: Matrix, memory: Two) -> tuple[Matrix, Two]:
        """Directions, and the running means."""
        (beta1, beta2), (first, second) = self.betas, memory
        first = beta1 * first + (1 - beta1) * gradients
        second = beta2 * second + (1 - beta2) * gradients**2
        unbiased = np.sqrt(second / (1 - beta2**k))
        return first / (1 - beta1**k) / (unbiased + self.epsilon), (first, second)


def momentum(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    beta: float = 0.9,
    **options: Unpack[Options],
) -> Trajectory:
    """Heavy ball: W_j ← W_j - η V_j with the velocity V_j ← β V_j + ∂φ/∂W_j, from rest.

    Parameters
    ----------
    weights, loss, step_size, steps
        As in `gradient_descent`.
    beta : float
        β, in [0, 1); at 0 it is gradient descent. For one more edition `decay` is another name for it.
    options
        `model`, `every`, `stop`, `progress` of `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if β is not in [0, 1).

    Notes
    -----
    Page `acceleration`; [Pol64].
    """
    beta = options.pop("decay", beta)  # type: ignore[typeddict-item]
    return descend(weights, loss, Momentum(beta), step_size, steps, **options)


def adagrad(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    epsilon: float = 1e-8,
    **options: Unpack[Options],
) -> Trajectory:
    """AdaGrad, diagonal: every entry is moved by -η g_k / (ε + √(g_1² + … + g_k²)), g its partial derivative.

    Parameters
    ----------
    weights, loss, steps
        As in `gradient_descent`.
    step_size : float
        η, in units of the weights: the first step moves every entry by η.
    epsilon : float
        ε (the source's δ).
    options
        `model`, `every`, `stop`, `progress` of `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if ε is not positive.

    Notes
    -----
    Page `acceleration`; Figure 1 of [DHS11] with no regularizer.
    """
    return descend(weights, loss, AdaGrad(epsilon), step_size, steps, **options)


def adadelta(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    rho: float = 0.95,
    epsilon: float = 1e-6,
    **options: Unpack[Options],
) -> Trajectory:
    """AdaDelta: every entry is moved by η times -√(ε + running mean of moves²) / √(ε + running mean of g²) · g.

    Parameters
    ----------
    weights, loss, steps
        As in `gradient_descent`.
    step_size : float
        η; the source's rule has none, which is η = 1.
    rho : float
        ρ of both running means, in [0, 1). For one more edition `decay` is another name for it.
    epsilon : float
        ε.
    options
        `model`, `every`, `stop`, `progress` of `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if ρ is not in [0, 1) or ε not positive.

    Notes
    -----
    Page `acceleration`; Algorithm 1 of [Zei12]. The mean of the moves is that of the rule's own moves, before η.
    """
    rho = options.pop("decay", rho)  # type: ignore[typeddict-item]
    return descend(weights, loss, AdaDelta(rho, epsilon), step_size, steps, **options)


def adam(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    **options: Unpack[Options],
) -> Trajectory:
    """Adam: every entry is moved by -η m̂ / (√v̂ + ε), with m̂, v̂ the unbiased running means of g and g².

    Parameters
    ----------
    weights, loss, steps
        As in `gradient_descent`.
    step_size : float
        η (the source's α), in units of the weights: a step moves an entry by about η.
    betas : (β₁, β₂)
        Of the running means of g and of g², both in [0, 1). For one more edition `decays` is another name for it.
    epsilon : float
        ε.
    options
        `model`, `every`, `stop`, `progress` of `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if a β is not in [0, 1) or ε not positive.

    Notes
    -----
    Page `acceleration`; Algorithm 1 of [KB15].
    """
    betas = options.pop("decays", betas)  # type: ignore[typeddict-item]
    return descend(weights, loss, Adam(betas, epsilon), step_size, steps, **options)
