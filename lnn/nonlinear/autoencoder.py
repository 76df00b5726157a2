"""An autoencoder with linear layers between encoder and code, folded into the encoder after training [JZL20]."""

from functools import partial, reduce
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike, NDArray

from lnn.numerics.checks import check_array, check_count, check_positive, check_rng


class Autoencoder(eqx.Module):
    """x ↦ D(W_l ⋯ W_1 E(x)): two networks E and D with one hidden ReLU layer each, and l square matrices between.

    Attributes
    ----------
    encoder, decoder : equinox.nn.MLP
    linear : tuple of l ≥ 0 matrices
        The first one applied in front.
    """

    encoder: eqx.nn.MLP
    linear: tuple[jax.Array, ...]
    decoder: eqx.nn.MLP

    def code(self, x: jax.Array) -> jax.Array:
        """Code of one input, shape (size,) to (width,)."""
        return reduce(lambda z, W: W @ z, self.linear, self.encoder(x))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Reconstruction of one input, shape (size,) to (size,)."""
        return self.decoder(self.code(x))


def draw(size: int, hidden: int, width: int, layers: int, *, rng: np.random.Generator) -> Autoencoder:
    """Autoencoder for inputs of a size, with codes of a width and a number of square layers, all drawn as usual.

    As usual is uniform on ±1/√(inputs of the layer), the entries' variance being 1/(3·inputs): a square layer then
    shrinks a vector by √3 on average, and l of them by 3^{l/2}. Encoder and decoder come first from the generator:
    given generators in the same state, they are the same for every number of layers.

    Parameters
    ----------
    size, hidden, width : int
        Of the inputs, the hidden layers of encoder and decoder, and the code.
    layers : int
        l ≥ 0.
    rng : numpy.random.Generator

    Returns
    -------
    Autoencoder

    Raises
    ------
    TypeError, ValueError
        If a number is no whole number or too small, or `rng` is no generator.
    """
    size, hidden, width = (check_count(n, name) for n, name in ((size, "size"), (hidden, "hidden"), (width, "width")))
    layers, rng = check_count(layers, "layers", least=0), check_rng(rng)
    first, second = (jax.random.key(int(seed)) for seed in rng.integers(2**31, size=2))
    encoder = eqx.nn.MLP(size, width, hidden, depth=1, key=first)
    decoder = eqx.nn.MLP(width, size, hidden, depth=1, key=second)
    bound = 1 / np.sqrt(width)
    linear = tuple(jnp.asarray(rng.uniform(-bound, bound, (width, width)), jnp.float32) for _ in range(layers))
    return Autoencoder(encoder, linear, decoder)


def fold(net: Autoencoder) -> Autoencoder:
    """The same function without square layers: their product is multiplied into the encoder's last weight and bias."""
    last = net.encoder.layers[-1]
    fold_in = partial(reduce, lambda product, W: W @ product, net.linear)
    encoder = eqx.tree_at(
        lambda mlp: (mlp.layers[-1].weight, mlp.layers[-1].bias),
        net.encoder,
        (fold_in(last.weight), fold_in(last.bias)),
    )
    return Autoencoder(encoder, (), net.decoder)


def codes(net: Autoencoder, inputs: ArrayLike) -> NDArray[np.float64]:
    """Codes of inputs of shape (count, size): shape (count, width)."""
    return np.asarray(jax.vmap(net.code)(jnp.asarray(inputs, jnp.float32)), dtype=float)


def reconstruction_error(net: Autoencoder, inputs: ArrayLike) -> float:
    """Mean square error of the reconstructions as a share of the inputs' variance; 0 is perfect, 1 is their mean."""
    x = check_array(inputs, "inputs")
    gaps = np.asarray(jax.vmap(net)(jnp.asarray(x, jnp.float32)), dtype=float) - x
    return float((gaps**2).sum() / ((x - x.mean(axis=0)) ** 2).sum())


def blobs(count: int, *, side: int = 14, rng: np.random.Generator) -> NDArray[np.float64]:
    """Images of one round spot each, flattened: four numbers (two for the place, width, brightness) make an image.

    So the images fill a surface of dimension 4 in the space of dimension side². The centre is uniform in the middle
    half of the square [-1, 1]², the width in [0.2, 0.5], the brightness in [0.5, 1].

    Parameters
    ----------
    count, side : int
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (count, side²)

    Raises
    ------
    TypeError, ValueError
        If a number is no positive whole number or `rng` is no generator.
    """
    count, side, rng = check_count(count, "count"), check_count(side, "side"), check_rng(rng)
    x, y = np.meshgrid(*[np.linspace(-1, 1, side)] * 2)
    across, up = rng.uniform(-0.5, 0.5, (2, count, 1, 1))
    width, brightness = (rng.uniform(low, high, (count, 1, 1)) for low, high in ((0.2, 0.5), (0.5, 1)))
    spots = brightness * np.exp(-((x - across) ** 2 + (y - up) ** 2) / (2 * width**2))
    return np.asarray(spots.reshape(count, -1))


class Fit(NamedTuple):
    """A trained autoencoder and its loss, the mean square error of a batch, at every step."""

    net: Autoencoder
    losses: NDArray[np.float64]


def fit(
    net: Autoencoder,
    inputs: ArrayLike,
    steps: int,
    *,
    step_size: float = 1e-3,
    batch: int = 100,
    rng: np.random.Generator,
) -> Fit:
    """Train an autoencoder with Adam on batches drawn with replacement.

    Parameters
    ----------
    net : Autoencoder
    inputs : array, shape (count, size)
    steps : int
    step_size : float
    batch : int
    rng : numpy.random.Generator

    Returns
    -------
    Fit

    Raises
    ------
    TypeError, ValueError
        If a number is not positive, the inputs are no finite matrix, or `rng` is no generator.
    """
    x = jnp.asarray(check_array(inputs, "inputs"), jnp.float32)
    steps, batch, step_size = (
        check_count(steps, "steps"),
        check_count(batch, "batch"),
        check_positive(step_size, "step_size"),
    )
    chosen = jnp.asarray(check_rng(rng).integers(len(x), size=(steps, batch)))
    optimizer = optax.adam(step_size)
    weights, rest = eqx.partition(net, eqx.is_inexact_array)

    def error(weights: Autoencoder, rows: jax.Array) -> jax.Array:
        return jnp.mean((jax.vmap(eqx.combine(weights, rest))(rows) - rows) ** 2)

    @jax.jit
    def run(weights: Autoencoder, chosen: jax.Array) -> tuple[tuple[Autoencoder, optax.OptState], jax.Array]:
        def step(carry: tuple[Autoencoder, optax.OptState], rows: jax.Array) -> tuple[Any, jax.Array]:
            weights, state = carry
            value, gradient = jax.value_and_grad(error)(weights, x[rows])
            update, state = optimizer.update(gradient, state)
            return (eqx.apply_updates(weights, update), state), value

        return jax.lax.scan(step, (weights, optimizer.init(weights)), chosen)

    (weights, _), losses = run(weights, chosen)
    return Fit(eqx.combine(weights, rest), np.asarray(losses, dtype=float))
