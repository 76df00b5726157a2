"""A ConvNet for 28×28 images whose dense layers are products of matrices: one each, or more in its twin."""

from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from lnn.numerics.checks import check_positive, check_rng

Factors = tuple[jax.Array, ...]


class ConvNet(eqx.Module):
    """Two convolutions, each with ReLU and 2×2 max pooling, then two dense layers with a ReLU and dropout between.

    A dense layer maps x to W_k ⋯ W_1 x + b. It holds the factors (W_1, …, W_k), the one applied first in front, as
    everywhere in this package; k = 1 is the usual layer.

    Attributes
    ----------
    kernels : two arrays, shapes (5, 5, 1, 32) and (5, 5, 32, 64)
        Height, width, channels in, channels out; zero padding keeps the size of the image.
    kernel_biases : two arrays, shapes (32,) and (64,)
    dense : two tuples of matrices
        Products of shapes (512, 3136) and (10, 512).
    biases : two arrays, shapes (512,) and (10,)
    """

    kernels: tuple[jax.Array, jax.Array]
    kernel_biases: tuple[jax.Array, jax.Array]
    dense: tuple[Factors, Factors]
    biases: tuple[jax.Array, jax.Array]

    def __call__(self, images: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """Logits, shape (count, 10), of images of shape (count, 28, 28); with dropout if a key is given."""
        x = images[..., None]
        for kernel, bias in zip(self.kernels, self.kernel_biases, strict=True):
            x = _pool(jax.nn.relu(_convolve(x, kernel) + bias))
        x = x.reshape(len(x), -1)
        x = jax.nn.relu(_dense(self.dense[0], x) + self.biases[0])
        x = eqx.nn.Dropout(0.5, inference=key is None)(x, key=key)
        return _dense(self.dense[1], x) + self.biases[1]


def _convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
    # Channels last: on the CPU a training step takes half the time of Equinox's own layer, which puts them first.
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _pool(x: jax.Array) -> jax.Array:
    count, height, width, channels = x.shape
    return x.reshape(count, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def _dense(factors: Factors, x: jax.Array) -> jax.Array:
    """W_k ⋯ W_1 x for each row x."""
    return reduce(lambda x, W: x @ W.T, factors, x)


def _gaussian(shape: tuple[int, ...], std: float, rng: np.random.Generator) -> jax.Array:
    return jnp.asarray(std * rng.standard_normal(shape), jnp.float32)


def draw(*, std: float = 0.1, rng: np.random.Generator) -> ConvNet:
    """ConvNet with independent weights N(0, std²), not truncated, and zero biases.

    Parameters
    ----------
    std : float
    rng : numpy.random.Generator

    Returns
    -------
    ConvNet

    Raises
    ------
    TypeError, ValueError
        If `std` is not positive or `rng` is no generator.

    Notes
    -----
    The net of [ACH18]'s last experiment.
    """
    std, rng = check_positive(std, "std"), check_rng(rng)
    shapes = ((5, 5, 1, 32), (5, 5, 32, 64), (512, 7 * 7 * 64), (10, 512))
    first, second, hidden, last = (_gaussian(shape, std, rng) for shape in shapes)
    return ConvNet(
        (first, second), (jnp.zeros(32), jnp.zeros(64)), ((hidden,), (last,)), (jnp.zeros(512), jnp.zeros(10))
    )


def overparameterize(net: ConvNet, *, std: float = 0.1, rng: np.random.Generator) -> ConvNet:
    """The net with one more square matrix, entries N(0, std²), after the others of each dense layer: 512×512 and 10×10.

    Parameters
    ----------
    net : ConvNet
    std : float
    rng : numpy.random.Generator

    Returns
    -------
    ConvNet
        It shares all other weights with `net`.

    Raises
    ------
    TypeError, ValueError
        If `std` is not positive or `rng` is no generator.
    """
    std, rng = check_positive(std, "std"), check_rng(rng)
    hidden, last = (
        (*factors, _gaussian((len(bias), len(bias)), std, rng))
        for factors, bias in zip(net.dense, net.biases, strict=True)
    )
    return ConvNet(net.kernels, net.kernel_biases, (hidden, last), net.biases)


def collapse(net: ConvNet) -> ConvNet:
    """The net of the original architecture with the same outputs: the factors of each dense layer multiplied out.

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    hidden, last = (reduce(lambda product, W: W @ product, factors) for factors in net.dense)
    return ConvNet(net.kernels, net.kernel_biases, ((hidden,), (last,)), net.biases)


def gains(net: ConvNet) -> tuple[float, float]:
    """By how much a small gradient step moves each dense product, on average over all directions, for depths 1 and 2.

    The linear map G ↦ AAᵀG + GWᵀW on matrices of the shape of the product AW has the trace n‖A‖² + m‖W‖² (Frobenius
    norms), m×n being that shape; divided by mn this is the mean of its eigenvalues. With one factor it is 1.

    Returns
    -------
    two floats

    Raises
    ------
    ValueError
        If a layer has more than two factors.

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    means = []
    for factors in net.dense:
        if len(factors) > 2:
            raise ValueError(f"the mean gain is that of one or two factors, got {len(factors)}")
        if len(factors) == 1:
            means.append(1.0)
            continue
        W, A = factors
        m, n = len(A), W.shape[1]
        means.append(float((A**2).sum() / m + (W**2).sum() / n))
    return means[0], means[1]
