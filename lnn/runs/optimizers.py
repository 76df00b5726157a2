"""Accelerated, adaptive and stochastic descents over the factors: each a rule or a loss, and a function to run it.

Every one acts entry by entry, through the gradients of the factors; on a network of depth 1 it is the published
optimizer itself. Rules for whole matrices go straight to `gradient_descent`. A step k of step size η is stamped η·k, as
in plain descent, so that `path.times / step_size` counts the steps; as a time of the flow that stamp has a meaning for
plain descent alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from lnn.descent import Every, StepSize, gradient_descent
from lnn.losses import Batches, Loss
from lnn.models import Model
from lnn.numerics.checks import Matrix, check_positive
from lnn.runs.recording import Observe
from lnn.trajectory import Trajectory

Memory = tuple[Matrix, ...]


class Options(TypedDict, total=False):
    """What every descent takes by name, as `gradient_descent` describes it."""

    weight_decay: float
    model: Model
    start: float | None
    every: Every
    stop: float | None
    observe: Observe | None
    keep: str
    progress: bool


def check_fraction(value: Any, name: str) -> float:
    """Return `value` as a float in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If it is no real number, or not in that interval.
    """
    fraction = check_positive(value, name, or_zero=True)
    if fraction >= 1:
        raise ValueError(f"{name} must lie in [0, 1), got {fraction}")
    return fraction


class Entrywise:
    """What rules that do the same to every entry share: constants in their ranges, memories that start at zero."""

    entrywise = True
    memories = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name == "betas" and np.shape(value) != (2,):
                raise ValueError(f"betas must be a pair of numbers, got {value!r}")
            if name == "betas":
                checked: Any = tuple(check_fraction(beta, f"beta {j}") for j, beta in enumerate(value, start=1))
            else:
                checked = check_positive(value, name) if name == "epsilon" else check_fraction(value, name)
            object.__setattr__(self, name, checked)

    def start(self, factors: Matrix) -> Memory:
        """Zeros."""
        return tuple(np.zeros_like(factors) for _ in range(self.memories))


@dataclass(frozen=True)
class Momentum(Entrywise):
    """The rule of the heavy ball: directions V ← β V + g, from rest."""

    beta: float = 0.9

    def update(self, k: int, g: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        """Velocity, as direction and as memory."""
        velocity = self.beta * memory[0] + g
        return velocity, (velocity,)


@dataclass(frozen=True)
class AdaGrad(Entrywise):
    """The rule of AdaGrad, diagonal: directions g_k / (ε + √(g_1² + … + g_k²))."""

    epsilon: float = 1e-8

    def update(self, k: int, g: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        """Directions, and the sum of all squares."""
        squares = memory[0] + g**2
        return g / (self.epsilon + np.sqrt(squares)), (squares,)


@dataclass(frozen=True)
class AdaDelta(Entrywise):
    """The rule of AdaDelta: directions √(ε + running mean of directions²) / √(ε + running mean of g²) · g."""

    rho: float = 0.95
    epsilon: float = 1e-6
    memories = 2

    def update(self, k: int, g: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        """Directions, and the running means of the squares of gradients and directions."""
        squares, moves = memory
        squares = self.rho * squares + (1 - self.rho) * g**2
        directions = np.sqrt(moves + self.epsilon) / np.sqrt(squares + self.epsilon) * g
        return directions, (squares, self.rho * moves + (1 - self.rho) * directions**2)


@dataclass(frozen=True)
class Adam(Entrywise):
    """The rule of Adam: directions m̂ / (√v̂ + ε), with m̂, v̂ the unbiased running means of g and g²."""

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    memories = 2

    def update(self, k: int, g: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        """Directions, and the running means."""
        (beta1, beta2), (first, second) = self.betas, memory
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g**2
        unbiased = np.sqrt(second / (1 - beta2**k))
        return first / (1 - beta1**k) / (unbiased + self.epsilon), (first, second)


def sgd(
    weights: Trajectory | Iterable[ArrayLike],
    X: Matrix,
    Y: Matrix,
    step_size: StepSize,
    steps: int,
    *,
    batch: int,
    label_noise: float = 0.0,
    rng: np.random.Generator,
    **options: Unpack[Options],
) -> Trajectory:
    """Stochastic gradient descent on ½ ‖W X - Y‖_F²: every step sees a fresh batch of samples, its gradient scaled up.

    Parameters
    ----------
    weights, step_size, steps, options
        As in `gradient_descent`.
    X, Y : arrays, shapes (d_0, samples) and (d_N, samples)
    batch : int
        How many samples a step sees, drawn without replacement; with all of them it is gradient descent.
    label_noise : float
        Standard deviation of normal numbers that are added to the labels of the batch, anew in every step.
    rng : numpy.random.Generator

    Returns
    -------
    Trajectory
        With the losses of all samples, without noise.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` and `Batches` do. Any other rule takes `Batches` too.
    """
    loss = Batches(X, Y, batch, label_noise=label_noise, rng=rng)
    return gradient_descent(weights, loss, step_size, steps, **options)


def momentum(
    weights: Trajectory | Iterable[ArrayLike],
    loss: Loss,
    step_size: StepSize,
    steps: int,
    *,
    beta: float = 0.9,
    **options: Unpack[Options],
) -> Trajectory:
    """Heavy ball: W_j ← W_j - η V_j with the velocity V_j ← β V_j + ∂φ/∂W_j, from rest.

    Parameters
    ----------
    weights, loss, step_size, steps, options
        As in `gradient_descent`, which describes the options.
    beta : float
        β, in [0, 1); at 0 it is gradient descent. For one more edition `decay` is another name for it.

    Returns
    -------
    Trajectory
        Step k at η·k.

    Notes
    -----
    Page `acceleration`; [Pol64].
    """
    beta = options.pop("decay", beta)  # type: ignore[typeddict-item]
    return gradient_descent(weights, loss, step_size, steps, rule=Momentum(beta), **options)


def adagrad(
    weights: Trajectory | Iterable[ArrayLike],
    loss: Loss,
    step_size: StepSize,
    steps: int,
    *,
    epsilon: float = 1e-8,
    **options: Unpack[Options],
) -> Trajectory:
    """AdaGrad, diagonal: every entry is moved by -η g_k / (ε + √(g_1² + … + g_k²)), g its partial derivative.

    Parameters
    ----------
    weights, loss, steps, options
        As in `gradient_descent`, which describes the options.
    step_size : float
        η, in units of the weights: the first step moves every entry by η.
    epsilon : float
        ε (the source's δ).

    Returns
    -------
    Trajectory
        Step k at η·k.

    Notes
    -----
    Page `acceleration`; Figure 1 of [DHS11] with no regularizer.
    """
    return gradient_descent(weights, loss, step_size, steps, rule=AdaGrad(epsilon), **options)


def adadelta(
    weights: Trajectory | Iterable[ArrayLike],
    loss: Loss,
    step_size: StepSize,
    steps: int,
    *,
    rho: float = 0.95,
    epsilon: float = 1e-6,
    **options: Unpack[Options],
) -> Trajectory:
    """AdaDelta: every entry is moved by η times -√(ε + running mean of moves²) / √(ε + running mean of g²) · g.

    Parameters
    ----------
    weights, loss, steps, options
        As in `gradient_descent`, which describes the options.
    step_size : float
        η; the source's rule has none, which is η = 1.
    rho : float
        ρ of both running means, in [0, 1). For one more edition `decay` is another name for it.
    epsilon : float
        ε.

    Returns
    -------
    Trajectory
        Step k at η·k.

    Notes
    -----
    Page `acceleration`; Algorithm 1 of [Zei12]. The mean of the moves is that of the rule's own moves, before η.
    """
    rho = options.pop("decay", rho)  # type: ignore[typeddict-item]
    return gradient_descent(weights, loss, step_size, steps, rule=AdaDelta(rho, epsilon), **options)


def adam(
    weights: Trajectory | Iterable[ArrayLike],
    loss: Loss,
    step_size: StepSize,
    steps: int,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    **options: Unpack[Options],
) -> Trajectory:
    """Adam: every entry is moved by -η m̂ / (√v̂ + ε), with m̂, v̂ the unbiased running means of g and g².

    Parameters
    ----------
    weights, loss, steps, options
        As in `gradient_descent`, which describes the options.
    step_size : float
        η (the source's α), in units of the weights: a step moves an entry by about η.
    betas : (β₁, β₂)
        Of the running means of g and of g², both in [0, 1). For one more edition `decays` is another name for it.
    epsilon : float
        ε.

    Returns
    -------
    Trajectory
        Step k at η·k.

    Notes
    -----
    Page `acceleration`; Algorithm 1 of [KB15].
    """
    betas = options.pop("decays", betas)  # type: ignore[typeddict-item]
    return gradient_descent(weights, loss, step_size, steps, rule=Adam(betas, epsilon), **options)
