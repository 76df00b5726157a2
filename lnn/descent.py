"""Discrete dynamics: gradient descent over the layers, and the rule that it induces on their product."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnn.losses import center
from lnn.network import check, end_to_end, layer_gradients, pack, prefixes, split, widths
from lnn.numerics.checks import Matrix, Weights, check_count, check_matrix, check_positive, representable
from lnn.numerics.fused import sweep
from lnn.theory.preconditioner import apply
from lnn.trajectory import Loss, Trajectory, check_loss, record

Every = int | Sequence[int]
Step = Callable[[int], object]
Maker = Callable[[Matrix, Weights], Step]


def _layer_step(weights: Weights, loss: Loss, step_size: float) -> Weights:
    below = prefixes(weights)
    gradients = layer_gradients(weights, below, loss.gradient(below[-1]))
    return tuple(W - step_size * D for W, D in zip(weights, gradients, strict=True))


def _end_to_end_step(W: Matrix, loss: Loss, depth: int, step_size: float) -> Matrix:
    return W - step_size * apply(W, loss.gradient(W), depth)


def gradient_step(weights: Iterable[ArrayLike], loss: Loss, step_size: float) -> Weights:
    """One step of gradient descent, W_j - η ∂φ/∂W_j for every layer at once.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
    loss : Loss
    step_size : float
        η, in flow units a step.

    Returns
    -------
    tuple of N arrays, shaped as the weights

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it, the step size is not positive, or the step leads beyond
        the largest float.

    Notes
    -----
    `def-gd`, page `linear_networks`.
    """
    network = check(weights)
    check_loss(loss, end_to_end(network))
    with np.errstate(over="ignore", invalid="ignore"):
        stepped = _layer_step(network, loss, check_positive(step_size, "step_size"))
    return tuple(representable(W, f"layer {j} after the step") for j, W in enumerate(stepped, start=1))


def descend(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    maker: Maker,
    *,
    every: Every,
    stop: float | None,
    progress: bool,
) -> Trajectory:
    """Trajectory of a network that moves in place: the loop that all descents over the layers share.

    Parameters
    ----------
    maker : callable
        From a vector with all entries of the network, and its layers as views of that vector, a function of k that
        makes step k = 1, 2, … on them.
    weights, loss, step_size, steps, every, stop, progress
        As in `gradient_descent`.
    """
    network = check(weights)
    check_loss(loss, end_to_end(network))
    step_size, steps = check_positive(step_size, "step_size"), check_count(steps, "steps", least=0)
    vector = pack(network)
    layers = split(vector, widths(network))
    step = maker(vector, layers)

    def iterates() -> Iterator[tuple[float, Weights]]:
        yield 0.0, layers
        for k in range(1, steps + 1):
            step(k)
            yield step_size * k, layers

    return record(iterates(), loss, every=every, stop=stop, steps=steps, progress=progress, vector=vector)


def end_to_end_step(W: ArrayLike, loss: Loss, depth: int, step_size: float) -> Matrix:
    """One step W - η Σ_j [WWᵀ]^{(N-j)/N} ∇ℓ(W) [WᵀW]^{(j-1)/N} of the discrete end-to-end rule.

    Parameters
    ----------
    W : array, shape (m, n)
    loss : Loss
    depth : int
        N ≥ 1.
    step_size : float
        η, in flow units a step.

    Returns
    -------
    array, shape (m, n)

    Raises
    ------
    TypeError, ValueError
        If `W` is no matrix, the loss does not fit it, the depth is below 1, the step size is not positive, or the step
        leads beyond the largest float.

    Notes
    -----
    `prop-discrete`, page `end_to_end_dynamics`; [ACH18].
    """
    W = check_matrix(W, "W")
    depth, step_size = check_count(depth, "depth"), check_positive(step_size, "step_size")
    with np.errstate(over="ignore", invalid="ignore"):
        return representable(_end_to_end_step(W, check_loss(loss, W), depth, step_size), "W after the step")


def gradient_descent(
    weights: Iterable[ArrayLike],
    loss: Loss,
    step_size: float,
    steps: int,
    *,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """Gradient descent over the layers of a linear neural network.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start.
    loss : Loss
    step_size : float
        η, in flow units a step.
    steps : int
        Number of steps, 0 or more.
    every : int or increasing sequence of ints
        Keep every so manieth step, or the steps with these numbers; the last one in any case.
    stop : float, optional
        End the run at the first kept step whose loss is at most this.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    Trajectory
        Step k at time η·k. A run that blows up ends as DIVERGED, with its finite steps kept.

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it, the step size is not positive, or `steps` negative.

    Notes
    -----
    `def-gd`, page `linear_networks`.
    """
    eta = check_positive(step_size, "step_size")

    def maker(_: Matrix, layers: Weights) -> Step:
        return sweep(layers, layers, loss.gradient, factor=-eta, add=True, center=center(loss))

    return descend(weights, loss, eta, steps, maker, every=every, stop=stop, progress=progress)


def end_to_end_descent(
    W: ArrayLike,
    loss: Loss,
    depth: int,
    step_size: float,
    steps: int,
    *,
    every: Every = 1,
    stop: float | None = None,
    progress: bool = False,
) -> Trajectory:
    """The discrete end-to-end rule: what gradient descent over a balanced network of some depth does to the product.

    Parameters
    ----------
    W : array, shape (m, n)
        End-to-end matrix to start from.
    loss : Loss
    depth : int
        N ≥ 1; at N = 1 it is gradient descent on `W`.
    step_size, steps, every, stop, progress
        As in `gradient_descent`.

    Returns
    -------
    Trajectory
        A matrix is a network of depth 1: `weights` holds the end-to-end matrices alone.

    Raises
    ------
    TypeError, ValueError
        As `gradient_descent` does, or if the depth is below 1.

    Notes
    -----
    `prop-discrete`, page `end_to_end_dynamics`; [ACH18].
    """
    start = check_matrix(W, "W")
    check_loss(loss, start)
    depth, step_size = check_count(depth, "depth"), check_positive(step_size, "step_size")
    steps = check_count(steps, "steps", least=0)

    def iterates() -> Iterator[tuple[float, Weights]]:
        W = start
        yield 0.0, (W,)
        for k in range(1, steps + 1):
            W = _end_to_end_step(W, loss, depth, step_size)
            yield step_size * k, (W,)
            if not np.isfinite(W).all():  # a decomposition would raise; `record` says that the run has diverged
                return

    return record(iterates(), loss, every=every, stop=stop, steps=steps, progress=progress)
