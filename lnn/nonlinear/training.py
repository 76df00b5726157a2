"""Stochastic gradient descent on a ConvNet: shuffled batches, momentum, dropout; the loss recorded without dropout."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax
from numpy.typing import NDArray

from lnn.nonlinear.convnet import ConvNet
from lnn.nonlinear.digits import Digits
from lnn.numerics.checks import check_positive, check_rng


class Run(NamedTuple):
    """What training left: iterations (T,), training loss without dropout at each (T,), and the net at the last."""

    iterations: NDArray[np.int64]
    losses: NDArray[np.float64]
    net: ConvNet


def cross_entropy(net: ConvNet, images: jax.Array, labels: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """What is differentiated: mean cross-entropy in nats of images (count, 28, 28), with dropout if a key is given."""
    return optax.softmax_cross_entropy_with_integer_labels(net(images, key=key), labels).mean()


_logits = jax.jit(lambda net, images: net(images))


def logits(net: ConvNet, digits: Digits, *, batch: int = 250) -> NDArray[np.float32]:
    """Logits of all images, shape (count, 10), without dropout; in batches, which keeps the memory small."""
    starts = range(0, len(digits.labels), batch)
    return np.concatenate([_logits(net, digits.images[k : k + batch]) for k in starts])


def loss(net: ConvNet, digits: Digits) -> float:
    """Mean cross-entropy in nats, without dropout."""
    terms = optax.softmax_cross_entropy_with_integer_labels(logits(net, digits), digits.labels)
    return float(np.mean(terms, dtype=float))


def accuracy(net: ConvNet, digits: Digits) -> float:
    """Share of the images whose largest logit is that of their label."""
    return float((logits(net, digits).argmax(axis=1) == digits.labels).mean())


def batches(count: int, size: int, steps: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of the images of each step, shape (steps, size): one shuffle after another, leftovers dropped."""
    per_epoch = count // size
    epochs = -(-steps // per_epoch)
    shuffles = [rng.permutation(count)[: per_epoch * size].reshape(per_epoch, size) for _ in range(epochs)]
    return np.concatenate(shuffles)[:steps]


def train(
    net: ConvNet,
    digits: Digits,
    iterations: Sequence[int],
    *,
    step_size: float = 0.01,
    momentum: float = 0.9,
    dense_factors: tuple[float, float] = (1.0, 1.0),
    rng: np.random.Generator,
) -> Run:
    """Train a ConvNet and record its loss: batches of 64, momentum, dropout, a step size that decays as in the source.

    The step size falls by 5 % every 860 iterations: the schedule of the tutorial behind [ACH18]'s experiment, which
    took an epoch of 55,000 images for that. Two nets given generators in the same state see the same batches
    and the same dropout.

    Parameters
    ----------
    net : ConvNet
    digits : Digits
    iterations : increasing sequence of ints
        When to record; training ends at the last.
    step_size, momentum : float
    dense_factors : two floats
        By which the steps of the two dense layers' matrices are multiplied.
    rng : numpy.random.Generator

    Returns
    -------
    Run

    Raises
    ------
    TypeError, ValueError
        If a number is not positive, the iterations do not increase from 0 or more, or `rng` is no generator.
    """
    step_size, rng = check_positive(step_size, "step_size"), check_rng(rng)
    for factor in dense_factors:
        check_positive(factor, "a factor of dense_factors")
    when = np.asarray(iterations)
    if when.ndim != 1 or when.size == 0 or when[0] < 0 or (np.diff(when) <= 0).any():
        raise ValueError(f"iterations must increase, from 0 or more, got {list(iterations)}")
    optimizer = optax.sgd(optax.exponential_decay(step_size, 860, 0.95, staircase=True), momentum)
    key = jax.random.key(int(rng.integers(2**31)))

    @jax.jit
    def step(
        net: ConvNet, state: optax.OptState, images: jax.Array, labels: jax.Array, k: int
    ) -> tuple[ConvNet, optax.OptState]:
        gradient = jax.grad(cross_entropy)(net, images, labels, jax.random.fold_in(key, k))
        update, state = optimizer.update(gradient, state)
        scaled = tuple(
            tuple(factor * U for U in layer) for factor, layer in zip(dense_factors, update.dense, strict=True)
        )
        update = eqx.tree_at(lambda net: net.dense, update, scaled)
        return eqx.apply_updates(net, update), state

    # One compiled step called from Python: inside jax.lax.scan the CPU's convolutions run ten times slower.
    state, losses = optimizer.init(net), []
    chosen = batches(len(digits.labels), 64, int(when[-1]), rng=rng)
    for k in range(int(when[-1]) + 1):
        if k in when:
            losses.append(loss(net, digits))
        if k < when[-1]:
            net, state = step(net, state, digits.images[chosen[k]], digits.labels[chosen[k]], k)
    return Run(when, np.array(losses), net)
