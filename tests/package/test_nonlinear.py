"""Non-linear networks with linear parts: what is proved about them, and what the room lnn.nonlinear does."""

from functools import cache

import numpy as np
import pytest
from draws import slope
from scipy.optimize import minimize
from tolerances import EXACT, SLOPE

pytest.importorskip("jax", reason="needs jax: pip install 'lnn[nonlinear]'")
import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import lnn
from lnn.nonlinear import autoencoder, convnet, digits, records, training
from lnn.symbolic import inside

load_digits = cache(digits.load)  # it reads text for three seconds; nothing here writes into the arrays
# Compiled as a whole: one after another, JAX would compile a hundred small operations.
slope_of_loss = jax.jit(jax.grad(training.cross_entropy))


def double(net):
    """The same net in double precision."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), net)


@pytest.fixture(scope="module")
def few():
    """Seven images and labels."""
    training_set, _ = load_digits()
    return training_set.images[::700], training_set.labels[::700]


@pytest.fixture(scope="module")
def nets():
    rng = np.random.default_rng(0)
    net = convnet.draw(rng=rng)
    return net, convnet.overparameterize(net, rng=rng)


def parameters(net):
    return sum(x.size for x in jax.tree.leaves(net))


# Statements


def test_prop_inside_a_network_in_symbols():
    """`prop-inside-a-network`: gradients of the factors, the exact step, the mean gain, and the heavy ball."""
    assert inside.step_remainder(2, 3, 4).is_zero_matrix
    assert all(rest.is_zero_matrix for rest in inside.layer_gradients_remainder(2, 3, 2))
    assert inside.gain_trace_remainder(2, 4, 3) == 0
    assert inside.heavy_ball_slope(5) == 0


def test_prop_inside_a_network_for_one_step_of_the_convnet_with_dropout(nets, few):
    """`prop-inside-a-network`: the twin's step and the formula with the gradient of the collapsed net agree exactly."""
    with jax.enable_x64(True):
        twin, key, eta = double(nets[1]), jax.random.key(3), 0.01
        few = (few[0].astype(float), few[1])
        G = slope_of_loss(convnet.collapse(twin), *few, key)
        g = slope_of_loss(twin, *few, key)
        stepped = convnet.collapse(jax.tree.map(lambda x, d: x - eta * d, twin, g))
        for factors, (product,), (gradient,) in zip(twin.dense, stepped.dense, G.dense, strict=True):
            W, A, slope_ = (np.asarray(x) for x in (*factors, gradient))
            expected = A @ W - eta * (A @ A.T @ slope_ + slope_ @ W.T @ W) + eta**2 * slope_ @ (A @ W).T @ slope_
            change = np.abs(expected - A @ W).max()
            assert change > 1e-8 and np.abs(product - expected).max() < 1e-9 * change
        for mine, others in zip(jax.tree.leaves(g.kernels), jax.tree.leaves(G.kernels), strict=True):
            assert np.abs(mine - others).max() < EXACT * max(1, np.abs(others).max())  # the rest sees no difference


def test_prop_inside_a_network_gains_are_the_mean_eigenvalue_of_the_step():
    """`prop-inside-a-network`: the mean gain, against the eigenvalues of the explicit matrix."""
    rng = np.random.default_rng(1)
    A, W = rng.standard_normal((4, 6)), rng.standard_normal((6, 3))
    explicit = np.kron(np.eye(3), A @ A.T) + np.kron(W.T @ W, np.eye(4))
    net = convnet.ConvNet((), (), ((W, A), (W,)), ())
    values = np.linalg.eigvalsh(explicit)
    assert np.allclose(convnet.gains(net), (values.mean(), 1.0))
    left, right = np.linalg.svd(A)[1] ** 2, np.r_[np.linalg.svd(W)[1] ** 2]
    assert np.allclose(np.sort((left[:, None] + right).ravel()), values)


def test_prop_inside_a_network_momentum_moves_the_product_by_the_same_map_to_first_order():
    """`prop-inside-a-network`: k heavy-ball steps on the factors, error of second order in the step size."""
    rng = np.random.default_rng(2)
    A, W, X, Y = (rng.standard_normal(shape) for shape in ((4, 5), (5, 3), (3, 7), (4, 7)))

    def gradient(M):  # of ½ Σ (tanh(MX) - Y)²: not linear in the product
        t = np.tanh(M @ X)
        return ((t - Y) * (1 - t**2)) @ X.T

    def after(eta, steps=4, beta=0.9):
        a, w, va, vw = A, W, 0 * A, 0 * W
        for _ in range(steps):
            G = gradient(a @ w)
            va, vw = beta * va - eta * G @ w.T, beta * vw - eta * a.T @ G
            a, w = a + va, w + vw
        weight = sum((1 - beta**i) / (1 - beta) for i in range(1, steps + 1))
        G = gradient(A @ W)
        return a @ w - A @ W, -eta * weight * (A @ A.T @ G + G @ W.T @ W)

    sizes = 1e-3 / 2.0 ** np.arange(5)
    errors = [np.linalg.norm(np.subtract(*after(eta))) for eta in sizes]
    assert abs(slope(sizes, errors) - 2) < SLOPE


def test_prop_inside_a_network_balanced_factors_follow_the_end_to_end_rule_while_the_rest_moves():
    """`prop-inside-a-network`: flow of three factors and a scale θ around them; the product obeys the rule."""
    rng = np.random.default_rng(3)
    weights = lnn.initial.balanced(rng.standard_normal((4, 3)), (3, 5, 6, 4))
    Y = rng.standard_normal((4, 3))
    theta = 0.7

    def speeds(weights, theta):  # of ½ ‖tanh(θM) - Y‖²
        M = lnn.end_to_end(weights)
        t = np.tanh(theta * M)
        inner = (t - Y) * (1 - t**2)
        return tuple(-g for g in lnn.pullback(weights, theta * inner)), -(inner * M).sum(), theta * inner

    h = 1e-4
    for _ in range(50):  # Heun's method; drift of balance is of second order in h
        first, rate, _ = speeds(weights, theta)
        guess = tuple(W + h * v for W, v in zip(weights, first, strict=True))
        second, other, _ = speeds(guess, theta + h * rate)
        weights = tuple(W + h / 2 * (v + w) for W, v, w in zip(weights, first, second, strict=True))
        theta += h / 2 * (rate + other)
    assert abs(theta - 0.7) > 1e-3
    assert lnn.imbalance(weights) < 1e-6
    velocity, _, G = speeds(weights, theta)
    W1, W2, W3 = weights
    v1, v2, v3 = velocity
    moving = v3 @ W2 @ W1 + W3 @ v2 @ W1 + W3 @ W2 @ v1
    rule = -lnn.precondition(W3 @ W2 @ W1, G, 3)
    assert np.abs(moving - rule).max() < 1e-6 * np.abs(rule).max()


def test_cor_decay_inside_weight_decay_on_factors_is_a_schatten_penalty_on_their_product():
    """`cor-decay-inside`: the two infima agree, with a parameter θ outside the product, for two and three factors."""
    rng = np.random.default_rng(4)
    Y, decay = rng.standard_normal((3, 4)), 0.3
    values, grid = lnn.singular_values(Y), np.linspace(0, 4, 4001)

    for depth in (2, 3):
        widths = (4, *[5] * (depth - 1), 3)

        def factored(flat, widths=widths):  # θ, and the factors
            misfit = np.exp(flat[0]) * lnn.end_to_end(lnn.unpack(flat[1:], widths)) - Y
            return 0.5 * (misfit**2).sum() + flat[0] ** 2 + decay / 2 * (flat[1:] ** 2).sum()

        def penalized(theta, depth=depth):  # for the misfit of a multiple of M, singular vectors of Y are optimal
            misfit = 0.5 * (np.exp(theta) * grid - values[:, None]) ** 2
            return (misfit + depth * decay / 2 * grid ** (2 / depth)).min(axis=1).sum() + theta**2

        size = sum(m * n for m, n in zip(widths[1:], widths[:-1], strict=True))
        starts = [np.r_[0.0, rng.standard_normal(size)] for _ in range(3)]
        best = min(minimize(factored, start, method="L-BFGS-B").fun for start in starts)
        assert abs(best / min(map(penalized, np.linspace(-1, 2, 301))) - 1) < 1e-4


def test_prop_folding_the_folded_autoencoder_is_the_same_function_and_the_code_has_the_rank_of_the_product():
    """`prop-folding`: outputs agree to rounding; covariance of the code P C Pᵀ, of rank at most that of P."""
    with jax.enable_x64(True):
        net = double_autoencoder(autoencoder.draw(9, 8, 6, 3, rng=np.random.default_rng(5)))
        thin = jnp.asarray(np.random.default_rng(6).standard_normal((6, 2)))
        net = eqx.tree_at(lambda net: net.linear[1], net, thin @ thin.T)  # of rank 2
        x = np.random.default_rng(7).standard_normal((40, 9))
        folded = autoencoder.fold(net)
        assert folded.linear == ()
        whole, code, before = (jit_of(part)(net, x) for part in (lambda n: n, lambda n: n.code, lambda n: n.encoder))
        assert np.abs(whole - jit_of(lambda n: n)(folded, x)).max() < EXACT
        assert np.abs(code - jit_of(lambda n: n.code)(folded, x)).max() < EXACT
        C, before = np.cov(np.asarray(code).T), np.cov(np.asarray(before).T)
        P = np.asarray(net.linear[2] @ net.linear[1] @ net.linear[0])
        assert np.allclose(C, P @ before @ P.T, rtol=0, atol=EXACT)
        assert (lnn.singular_values(C) > 1e-12).sum() == 2


def jit_of(part):
    """Compiled: what a part of a net makes of each row."""
    return eqx.filter_jit(lambda net, x: jax.vmap(part(net))(x))


def double_autoencoder(net):
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64) if eqx.is_inexact_array(x) else x, net)


# The ConvNet and its twin


def test_digits_are_split_evenly_and_nothing_is_lost():
    learn, held = load_digits()
    assert (learn.images.shape, held.images.shape) == ((4500, 28, 28), (500, 28, 28))
    assert np.array_equal(np.bincount(learn.labels), [450] * 10)
    assert np.array_equal(np.bincount(held.labels), [50] * 10)
    for part in (learn, held):
        assert part.images.min() == 0 and part.images.max() == 1


def test_the_twin_has_two_square_matrices_more_and_nothing_else(nets):
    net, twin = nets
    assert parameters(net) == 25 * 32 + 32 + 25 * 32 * 64 + 64 + 3136 * 512 + 512 + 5120 + 10
    assert parameters(twin) - parameters(net) == 512**2 + 10**2
    assert [tuple(W.shape for W in factors) for factors in twin.dense] == [
        ((512, 3136), (512, 512)),
        ((10, 512), (10, 10)),
    ]
    assert [W.shape for factors in convnet.collapse(twin).dense for W in factors] == [(512, 3136), (10, 512)]


def test_the_initial_weights_have_the_standard_deviation_asked_for():
    net = convnet.draw(std=0.02, rng=np.random.default_rng(8))
    for W in (*net.kernels, *(factors[0] for factors in net.dense)):
        assert abs(np.std(W) / 0.02 - 1) < 5 / np.sqrt(2 * W.size)  # five standard errors
        assert np.abs(W).max() > 2 * 0.02  # not truncated at two
    assert all((b == 0).all() for b in (*net.kernel_biases, *net.biases))


def test_the_forward_pass_is_that_of_equinox_layers(nets, few):
    """Channels last, own pooling: against Equinox's layers with channels first."""
    net, images = nets[0], few[0]

    @jax.jit
    def by_layers(net, x):
        for kernel, bias in zip(net.kernels, net.kernel_biases, strict=True):
            layer = eqx.nn.Conv2d(*kernel.shape[2:], 5, padding="SAME", key=jax.random.key(0))
            replaced = (jnp.transpose(kernel, (3, 2, 0, 1)), bias[:, None, None])
            layer = eqx.tree_at(lambda layer: (layer.weight, layer.bias), layer, replaced)
            x = jax.vmap(eqx.nn.MaxPool2d(2, 2))(jax.nn.relu(jax.vmap(layer)(x)))
        x = jnp.transpose(x, (0, 2, 3, 1)).reshape(len(x), -1)
        x = jax.nn.relu(x @ net.dense[0][0].T + net.biases[0])
        return x @ net.dense[1][0].T + net.biases[1]

    expected = by_layers(net, images[:, None])
    assert np.abs(net(images) - expected).max() < 1e-4 * np.abs(expected).max()


def test_dropout_needs_a_key_and_keeps_the_mean(nets, few):
    net, images = nets[0], few[0]
    sure = net(images)
    keys = jax.random.split(jax.random.key(1), 60)
    drawn = jax.lax.map(lambda key: net(images, key=key), keys)
    assert np.abs(drawn[0] - drawn[1]).max() > 0.1
    error = np.std(drawn, axis=0) / np.sqrt(len(keys))
    assert (np.abs(drawn.mean(axis=0) - sure) < 5 * error).all()


@pytest.fixture(scope="module")
def short(nets):
    learn = digits.Digits(*(part[::9] for part in load_digits()[0]))
    return [training.train(net, learn, [0, 30], rng=np.random.default_rng(9)) for net in nets]


def test_training_lowers_the_loss_of_both_nets(short):
    for run in short:
        assert run.losses[1] < 0.4 * run.losses[0]
        assert training.accuracy(run.net, load_digits()[1]) > 0.4  # 0.1 by chance


def test_the_trained_twin_collapses_into_the_original_architecture_with_the_same_outputs(nets, short, few):
    net, twin = nets[0], short[1].net
    collapsed = convnet.collapse(twin)
    assert jax.tree.map(jnp.shape, collapsed) == jax.tree.map(jnp.shape, net)
    with jax.enable_x64(True):
        images = few[0].astype(float)
        ours, theirs = double(twin)(images), convnet.collapse(double(twin))(images)
        assert np.abs(ours - theirs).max() < 1e-11 * np.abs(ours).max()


def test_the_mean_gains_at_the_start_are_those_of_gaussian_matrices(nets):
    hidden, last = convnet.gains(nets[1])
    assert abs(hidden / (2 * 512 * 0.01) - 1) < 0.02
    assert abs(last / (2 * 10 * 0.01) - 1) < 0.5
    assert convnet.gains(nets[0]) == (1.0, 1.0)


def test_one_step_of_train_is_one_step_of_momentum_with_its_own_factors_for_the_dense_layers(nets):
    """Against optax with one step written out: batch, key and factors."""
    net = nets[0]
    learn, _ = load_digits()
    learn = digits.Digits(*(part[::9] for part in learn))
    run = training.train(net, learn, [1], step_size=0.02, dense_factors=(3.0, 0.5), rng=np.random.default_rng(10))
    rng = np.random.default_rng(10)
    key = jax.random.fold_in(jax.random.key(int(rng.integers(2**31))), 0)
    chosen = rng.permutation(500)[:64]
    g = slope_of_loss(net, learn.images[chosen], learn.labels[chosen], key)
    for mine, start, slope_, factor in (
        (run.net.dense[0][0], net.dense[0][0], g.dense[0][0], 3.0),
        (run.net.dense[1][0], net.dense[1][0], g.dense[1][0], 0.5),
        (run.net.kernels[1], net.kernels[1], g.kernels[1], 1.0),
    ):
        assert (
            np.abs(mine - (start - 0.02 * factor * slope_)).max() < 1e-4 * np.abs(0.02 * factor * slope_).max() + 1e-6
        )


def test_batches_are_shuffles_without_repetition_within_an_epoch():
    chosen = training.batches(50, 8, 13, rng=np.random.default_rng(11))
    assert chosen.shape == (13, 8)
    assert len(set(chosen[:6].ravel())) == 48 and len(set(chosen[6:12].ravel())) == 48
    assert not np.array_equal(chosen[:6], chosen[6:12])


def test_the_loss_is_the_mean_cross_entropy_of_all_images(nets):
    _, held = load_digits()
    z = training.logits(nets[0], held, batch=130).astype(float)  # 500 is no multiple
    shifted = z - z.max(axis=1, keepdims=True)
    expected = np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(500), held.labels])
    assert abs(training.loss(nets[0], held) / expected - 1) < 1e-5
    assert training.accuracy(nets[0], held) == np.mean(z.argmax(axis=1) == held.labels)


def test_wrong_arguments_are_refused_with_numbers(nets):
    learn, _ = load_digits()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="must increase"):
        training.train(nets[0], learn, [5, 5], rng=rng)
    with pytest.raises(ValueError, match="got -1"):
        training.train(nets[0], learn, [1], dense_factors=(1.0, -1.0), rng=rng)
    with pytest.raises(TypeError, match="Generator"):
        convnet.draw(rng=0)
    with pytest.raises(ValueError, match="std must be positive"):
        convnet.overparameterize(nets[0], std=0.0, rng=rng)
    with pytest.raises(ValueError, match="got 3"):
        convnet.gains(convnet.overparameterize(nets[1], rng=rng))
    with pytest.raises(ValueError, match="layers must be at least 0"):
        autoencoder.draw(9, 8, 6, -1, rng=rng)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        autoencoder.fit(autoencoder.draw(9, 8, 6, 1, rng=rng), np.ones((4, 9)), 0, rng=rng)


# The long runs that are kept


def test_the_kept_runs_are_complete_and_the_same_for_all_seeds():
    runs = records.long_runs()
    assert set(runs) == {"original", "twin", "start", "steps"}
    for run in runs.values():
        assert run.losses.shape == (len(run.accuracies), len(run.iterations))
        assert np.isfinite(run.losses).all() and (run.losses > 0).all()
        assert run.iterations[0] == 0 and (np.diff(run.iterations) > 0).all()


def test_iterations_to_a_level_are_read_off_the_logarithm():
    k, losses = [0, 100, 200], [1.0, 1e-1, 1e-3]
    assert records.iterations_to(1e-2, k, losses) == pytest.approx(150)
    assert records.iterations_to(2.0, k, losses) == 0
    assert np.isnan(records.iterations_to(1e-4, k, losses))
    with pytest.raises(ValueError, match="one length"):
        records.iterations_to(1e-2, k, losses[:2])


# The autoencoder


def test_blobs_are_round_spots_made_of_four_numbers():
    x = autoencoder.blobs(300, rng=np.random.default_rng(12)).reshape(300, 14, 14)
    assert x.min() >= 0 and x.max() <= 1
    # Logarithms of a Gaussian spot are quadratic with one curvature in both directions: six monomials, four numbers.
    grid = np.meshgrid(*[np.linspace(-1, 1, 14)] * 2)
    basis = np.stack([np.ones((14, 14)), *grid, grid[0] ** 2 + grid[1] ** 2]).reshape(4, -1).T
    logs = np.log(x.reshape(300, -1).T)
    assert np.abs(basis @ np.linalg.lstsq(basis, logs, rcond=None)[0] - logs).max() < 1e-9


def test_encoder_and_decoder_start_alike_for_every_number_of_layers():
    few_, many = (autoencoder.draw(9, 8, 6, layers, rng=np.random.default_rng(13)) for layers in (0, 5))
    assert len(few_.linear) == 0 and len(many.linear) == 5
    for part in ("encoder", "decoder"):
        pairs = zip(
            *(jax.tree.leaves(eqx.filter(getattr(net, part), eqx.is_array)) for net in (few_, many)), strict=True
        )
        assert all(np.array_equal(a, b) for a, b in pairs)
    assert np.abs(many.linear[3]).max() <= 1 / np.sqrt(6)


def test_fit_is_adam_on_the_mean_square_error():
    """The first steps against optax called by hand."""
    x = np.random.default_rng(14).standard_normal((20, 9)).astype(np.float32)
    net = autoencoder.draw(9, 8, 6, 2, rng=np.random.default_rng(15))
    fitted = autoencoder.fit(net, x, 3, step_size=1e-2, batch=5, rng=np.random.default_rng(16))
    weights, rest = eqx.partition(net, eqx.is_inexact_array)
    adam = optax.adam(1e-2)
    state, losses = adam.init(weights), []
    loss = jax.jit(jax.value_and_grad(lambda w, rows: jnp.mean((jax.vmap(eqx.combine(w, rest))(rows) - rows) ** 2)))
    for rows in np.random.default_rng(16).integers(20, size=(3, 5)):
        value, g = loss(weights, x[rows])
        update, state = adam.update(g, state)
        weights = eqx.apply_updates(weights, update)
        losses.append(float(value))
    assert np.allclose(fitted.losses, losses, rtol=1e-4)
    final = eqx.combine(weights, rest)
    assert np.allclose(autoencoder.codes(fitted.net, x), autoencoder.codes(final, x), atol=1e-4)


def test_the_reconstruction_error_of_the_mean_is_one():
    x = np.random.default_rng(17).standard_normal((30, 9)) + 2
    net = autoencoder.draw(9, 8, 6, 1, rng=np.random.default_rng(18))
    silent = eqx.tree_at(
        lambda net: (net.decoder.layers[-1].weight, net.decoder.layers[-1].bias),
        net,
        (jnp.zeros((9, 8)), jnp.asarray(x.mean(axis=0), jnp.float32)),
    )
    assert abs(autoencoder.reconstruction_error(silent, x) - 1) < 1e-5
