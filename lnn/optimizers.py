"""Accelerated and adaptive descents over the layers, each in the form of `gradient_descent`.

Every one acts on the layers, entry by entry, through their gradients; on a network of depth 1 it is the published
optimizer itself. A step k of step size η is stamped η·k, as in plain descent, so that `path.times / step_size` counts
the steps; as a time of the flow that stamp has a meaning for plain descent alone.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lnn.descent import Every, Step, descend
from lnn.losses import center
from lnn.network import split, widths
from lnn.numerics.checks import Matrix, Weights, check_positive
from lnn.numerics.fused import sweep
from lnn.trajectory import Loss, Trajectory

Memory = tuple[Matrix, ...]
Rule = Callable[[int, Matrix, Memory], tuple[Matrix, Memory]]


def _check_fraction(value: Any, name: str) -> float:
    """Return `value` as a float in [0, 1)."""
    number = 0.0 if isinstance(value, (int, float)) and value == 0 else check_positive(value, name)
    if number >= 1:
        raise ValueError(f"{name} must lie in [0, 1), got {number}")
    return number


def _run(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    rule: Rule,
    memories: int,
    every: Every,
    stop: float | None,
    progress: bool,
) -> Trajectory:
    """Descent in which `rule(k, gradient, memory)` gives the increment of the entries at step k and the new memory."""

    def maker(vector: Matrix, layers: Weights) -> Step:
        D, memory = np.zeros_like(vector), tuple(np.zeros_like(vector) for _ in range(memories))
        slopes = split(D, widths(layers))
        differentiate = sweep(layers, slopes, loss.gradient, factor=1.0, add=False, center=center(loss))

        def step(k: int) -> None:
            nonlocal memory
            differentiate(k)
            increment, memory = rule(k, D, memory)
            np.add(vector, increment, out=vector)
            if not np.isfinite([array.sum() for array in memory]).all():
                # A square beyond the largest float would divide every later move to nothing: that is no rest.
                vector.fill(np.nan)

        return step

    return descend(weights, loss, step_size, steps, maker, every=every, stop=stop, progress=progress)


def momentum(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    decay: float = 0.9,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """Heavy ball: W_j ← W_j + V_j with the velocity V_j ← β V_j - η ∂φ/∂W_j, from rest.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start.
    loss : Loss
    step_size : float
        η.
    steps : int
        Number of steps, 0 or more.
    decay : float
        β, in [0, 1); at 0 it is gradient descent.
    every, stop, progress
        As in `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if the decay is not in [0, 1).

    Notes
    -----
    Page `acceleration`; [Pol64].
    """
    eta, beta = check_positive(step_size, "step_size"), _check_fraction(decay, "decay")

    def rule(_: int, D: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        velocity = beta * memory[0] - eta * D
        return velocity, (velocity,)

    return _run(weights, loss, eta, steps, rule, 1, every, stop, progress)


def adagrad(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    epsilon: float = 1e-8,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """AdaGrad, diagonal: every entry is moved by -η g_k / (ε + √(g_1² + … + g_k²)), g its partial derivative.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start.
    loss : Loss
    step_size : float
        η, in units of the weights: the first step moves every entry by η.
    steps : int
        Number of steps, 0 or more.
    epsilon : float
        ε (the source's δ).
    every, stop, progress
        As in `gradient_descent`.

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
    eta, epsilon = check_positive(step_size, "step_size"), check_positive(epsilon, "epsilon")

    def rule(_: int, D: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        squares = memory[0] + D**2
        return -eta * D / (epsilon + np.sqrt(squares)), (squares,)

    return _run(weights, loss, eta, steps, rule, 1, every, stop, progress)


def adadelta(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    decay: float = 0.95,
    epsilon: float = 1e-6,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """AdaDelta: every entry is moved by η times -√(ε + running mean of moves²) / √(ε + running mean of g²) · g.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start.
    loss : Loss
    step_size : float
        η; the source's rule has none, which is η = 1.
    steps : int
        Number of steps, 0 or more.
    decay : float
        ρ of both running means, in [0, 1).
    epsilon : float
        ε.
    every, stop, progress
        As in `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if the decay is not in [0, 1) or ε not positive.

    Notes
    -----
    Page `acceleration`; Algorithm 1 of [Zei12]. The mean of the moves is that of the rule's own moves, before η.
    """
    eta, epsilon = check_positive(step_size, "step_size"), check_positive(epsilon, "epsilon")
    rho = _check_fraction(decay, "decay")

    def rule(_: int, D: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        squares, moves = memory
        squares = rho * squares + (1 - rho) * D**2
        move = -np.sqrt(moves + epsilon) / np.sqrt(squares + epsilon) * D
        return eta * move, (squares, rho * moves + (1 - rho) * move**2)

    return _run(weights, loss, eta, steps, rule, 2, every, stop, progress)


def adam(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    decays: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """Adam: every entry is moved by -η m̂ / (√v̂ + ε), with m̂, v̂ the unbiased running means of g and g².

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start.
    loss : Loss
    step_size : float
        η (the source's α), in units of the weights: a step moves an entry by about η.
    steps : int
        Number of steps, 0 or more.
    decays : (β₁, β₂)
        Of the running means of g and of g², both in [0, 1).
    epsilon : float
        ε.
    every, stop, progress
        As in `gradient_descent`.

    Returns
    -------
    Trajectory
        Step k at η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if a decay is not in [0, 1) or ε not positive.

    Notes
    -----
    Page `acceleration`; Algorithm 1 of [KB15].
    """
    eta, epsilon = check_positive(step_size, "step_size"), check_positive(epsilon, "epsilon")
    beta1, beta2 = (_check_fraction(value, f"decay {j}") for j, value in enumerate(decays, start=1))

    def rule(k: int, D: Matrix, memory: Memory) -> tuple[Matrix, Memory]:
        first = beta1 * memory[0] + (1 - beta1) * D
        second = beta2 * memory[1] + (1 - beta2) * D**2
        unbiased = np.sqrt(second / (1 - beta2**k))
        return -eta * (first / (1 - beta1**k)) / (unbiased + epsilon), (first, second)

    return _run(weights, loss, eta, steps, rule, 2, every, stop, progress)
