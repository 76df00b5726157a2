"""Gradient descent and the discrete end-to-end rule, against the definitions written out in loops."""

import numpy as np
import pytest
from draws import WIDTHS, network, seeds
from hypothesis import given
from scipy.linalg import fractional_matrix_power
from tolerances import EXACT

import lnn


def problem(seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((WIDTHS[0], 9)), rng.standard_normal((WIDTHS[-1], 9))
    weights = tuple(0.3 * W for W in network(WIDTHS, rng))
    return weights, lnn.LeastSquares(lnn.Samples(X), Y.ravel())


@given(seeds)
def test_a_gradient_step_moves_every_layer_down_its_own_derivative(seed):
    weights, loss = problem(seed)
    rng = np.random.default_rng(seed)
    stepped = lnn.gradient_step(weights, loss, 0.01)
    for j, W in enumerate(weights):
        D = rng.standard_normal(W.shape)
        h = 1e-5

        def value(t, j=j, D=D):
            return float(loss(lnn.end_to_end([*weights[:j], weights[j] + t * D, *weights[j + 1 :]])))

        slope = (value(h) - value(-h)) / (2 * h)
        assert np.sum((W - stepped[j]) * D) == pytest.approx(0.01 * slope, rel=1e-6, abs=1e-8)


def test_gradient_descent_repeats_the_step_and_stamps_flow_time():
    weights, loss = problem(1)
    path = lnn.gradient_descent(weights, loss, 0.003, 20, every=[0, 7, 20])
    assert np.allclose(path.times, [0, 0.021, 0.06], rtol=EXACT)
    for _ in range(20):
        weights = lnn.gradient_step(weights, loss, 0.003)
    for got, expected in zip(path[-1], weights, strict=True):
        np.testing.assert_allclose(got, expected, atol=EXACT)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_an_end_to_end_step_is_the_sum_of_fractional_powers(depth):
    rng = np.random.default_rng(depth)
    W = rng.standard_normal((4, 6))
    loss = lnn.LeastSquares(lnn.Everything((4, 6)), rng.standard_normal(24))
    G, expected = loss.gradient(W), W.copy()
    for j in range(1, depth + 1):
        left = np.eye(4) if j == depth else fractional_matrix_power(W @ W.T, (depth - j) / depth).real
        right = np.eye(6)
        if j > 1:  # W'W has a kernel, on which a positive power is zero
            values, V = np.linalg.eigh(W.T @ W)
            values = np.where(values > 1e-10 * values[-1], values, 0)
            right = (V * values ** ((j - 1) / depth)) @ V.T
        expected -= 0.1 * left @ G @ right
    np.testing.assert_allclose(lnn.end_to_end_step(W, loss, depth, 0.1), expected, atol=1e-10)


def test_descent_on_a_quadratic_contracts_at_the_known_rate():
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), np.arange(6.0))
    path = lnn.gradient_descent((np.zeros((2, 3)),), loss, 0.25, 30)
    np.testing.assert_allclose(path.losses, path.losses[0] * 0.75 ** (2 * np.arange(31)), rtol=1e-10)
    assert np.array_equal(path.end_to_end, lnn.end_to_end_descent(np.zeros((2, 3)), loss, 1, 0.25, 30).end_to_end)


def test_divergence_is_an_outcome_and_misuse_an_error():
    weights, loss = problem(2)
    assert lnn.gradient_descent(weights, loss, 10.0, 200).outcome is lnn.Outcome.DIVERGED
    assert lnn.gradient_descent(weights, loss, 1e-3, 0).outcome is lnn.Outcome.FINISHED
    with pytest.raises(ValueError, match="step_size must be positive"):
        lnn.gradient_descent(weights, loss, -1.0, 3)
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        lnn.gradient_descent(weights, loss, 1.0, -1)
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        lnn.end_to_end_step(np.eye(2), lnn.LeastSquares(lnn.Everything((2, 2)), np.zeros(4)), 0, 0.1)


def partials(weights, loss):
    """Gradients of all layers with explicit products: lem-gradient, word for word."""
    sizes = lnn.widths(weights)
    found = []
    for j in range(len(weights)):
        below, above = np.eye(sizes[0]), np.eye(sizes[-1])
        for W in weights[:j]:
            below = W @ below
        for W in weights[:j:-1]:
            above = above @ W
        found.append(above.T @ loss.gradient(np.linalg.multi_dot([above, weights[j], below])) @ below.T)
    return found


@pytest.mark.parametrize("one_thread", [True, False])  # by SciPy's products, or NumPy's
@pytest.mark.parametrize("widths", [WIDTHS, (7, 5), (3, 4, 2)])
@pytest.mark.parametrize("decay", [0.0, 0.7, 1 / 0.001])
@pytest.mark.parametrize("size", [0.001, [0.001, 0.0005, 0.002], "falling", "falling, by layers"])
def test_weight_decay_and_step_sizes_are_those_of_the_formula(monkeypatch, one_thread, widths, decay, size):
    monkeypatch.setattr(lnn.numerics.fused, "ONE_THREAD", 0)
    monkeypatch.setattr(lnn.numerics.fused, "one_thread", lambda: one_thread)
    rng = np.random.default_rng(3)
    weights = tuple(0.2 * W for W in network(widths, rng))
    loss = lnn.PowerLoss(lnn.Samples(rng.standard_normal((widths[0], 9))), rng.standard_normal(9 * widths[-1]), 3)
    N = len(weights)

    def sizes(k):
        etas = {"falling": [2e-3 / (k + 1)], "falling, by layers": [2e-3 / (k + 1) ** j for j in range(N)]}
        return etas[size] if isinstance(size, str) else size[:N] if isinstance(size, list) else [size]

    asked = (lambda k: sizes(k)[0] if len(sizes(k)) == 1 else sizes(k)) if isinstance(size, str) else size
    asked = asked[:N] if isinstance(asked, list) else asked
    path = lnn.gradient_descent(weights, loss, asked, 6, weight_decay=decay)
    time, W = 0.0, weights
    for k in range(1, 7):
        etas = np.broadcast_to(sizes(k), N)
        if size not in ("falling", "falling, by layers"):
            stepped = lnn.gradient_step(W, loss, asked, weight_decay=decay)
        W = [V - eta * (G + decay * V) for V, G, eta in zip(W, partials(W, loss), etas, strict=True)]
        if not isinstance(size, str):
            assert all(np.allclose(A, B, rtol=0, atol=1e-12) for A, B in zip(stepped, W, strict=True))
        time += etas.mean()
        assert path.times[k] == pytest.approx(time, rel=1e-12)
        for got, expected in zip(path[k], W, strict=True):
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
        assert path.losses[k] == pytest.approx(float(loss(np.linalg.multi_dot(W[::-1]) if N > 1 else W[0])), rel=1e-10)


@pytest.mark.parametrize("verb", [lnn.momentum, lnn.adagrad, lnn.adadelta, lnn.adam])
@pytest.mark.parametrize("model", [lnn.network, lnn.diagonal])
def test_for_one_matrix_weight_decay_is_a_penalty_in_the_loss(verb, model):
    Phi, decay = np.arange(6.0).reshape(2, 3), 0.3

    class Penalized:
        def __call__(self, W):
            return 0.5 * np.sum((W - Phi) ** 2) + 0.5 * decay * np.sum(W**2)

        def gradient(self, W):
            return W - Phi + decay * W

    start = (np.ones((2, 3)),)
    path = verb(start, lnn.LeastSquares(lnn.Everything((2, 3)), Phi), 0.02, 25, weight_decay=decay, model=model)
    twin = verb(start, Penalized(), 0.02, 25, model=model)
    np.testing.assert_allclose(path.end_to_end, twin.end_to_end, rtol=1e-12)
    np.testing.assert_allclose(path.losses, 0.5 * ((twin.end_to_end - Phi) ** 2).sum(axis=(1, 2)), rtol=1e-9)


def test_every_layer_of_an_optimizer_has_the_step_size_that_it_was_given():
    weights, loss = problem(5)
    both = [lnn.adam(weights, loss, size, 1) for size in (0.01, 0.03)]
    path = lnn.adam(weights, loss, [0.01, 0.03, 0.01], 1)
    for j, which in enumerate([0, 1, 0]):
        np.testing.assert_allclose(path[-1][j], both[which][-1][j], rtol=1e-12)
    assert path.times[-1] == pytest.approx(0.05 / 3, rel=EXACT)
    rule = lnn.gradient_descent(weights, loss, [0.1, 0.2, 0.3], 1, rule=type("Signs", (), {
        "start": lambda self, factors: None, "update": lambda self, k, G, memory: ([np.sign(D) for D in G], None)
    })())  # fmt: skip
    for before, after, eta in zip(weights, rule[-1], (0.1, 0.2, 0.3), strict=True):
        np.testing.assert_allclose(np.abs(after - before), eta, rtol=1e-12)


@pytest.mark.parametrize("depth", [2, 3])
def test_two_layers_with_weight_decay_end_where_soft_thresholding_says_and_three_at_the_scalar_minimum(depth):
    """At depth 2 the penalty is λ times the nuclear norm; at depth N (Nλ/2) Σ σ^(2/N), minimized mode by mode."""
    rng = np.random.default_rng(1)
    U, V = np.linalg.qr(rng.standard_normal((4, 4)))[0], np.linalg.qr(rng.standard_normal((5, 5)))[0][:, :4]
    values, decay = np.array([3.0, 2.0, 1.0, 0.1]), 0.2
    weights = lnn.initial.balanced(0.5 * U @ V.T, (5, *(4,) * depth))
    loss = lnn.LeastSquares(lnn.Everything((4, 5)), U * values @ V.T)
    path = lnn.gradient_descent(weights, loss, 0.05, 4000, weight_decay=decay, every=4000)
    grid = np.linspace(0, 3, 300_001)
    penalty = depth * decay / 2 * grid ** (2 / depth)
    expected = [grid[np.argmin(0.5 * (grid - s) ** 2 + penalty)] for s in values]
    np.testing.assert_allclose(path.singular_values[-1], expected, atol=2e-5)
    if depth == 2:
        np.testing.assert_allclose(path.singular_values[-1], lnn.soft_threshold(values, decay), atol=1e-9)


@pytest.mark.parametrize("verb", [lnn.gradient_descent, lnn.adam, lnn.gradient_step])
@pytest.mark.parametrize(
    ("size", "options", "error", "message"),
    [
        ([0.1, 0.2], {}, ValueError, r"step_size must be a number, or one for each of 3 factors, got shape \(2,\)"),
        ([0.1, 0.2, -1], {}, ValueError, "step_size of factor 3 must be positive and finite, got -1"),
        (0.1, {"weight_decay": -1}, ValueError, "weight_decay must be positive and finite, or 0, got -1"),
        (0.1, {"weight_decay": [1]}, TypeError, "weight_decay must be a real number"),
        (0.1, {"weight_decay": True}, TypeError, "weight_decay must be a real number"),
        ("0.1", {}, TypeError, "step_size must be a real number"),
    ],
)
def test_a_step_size_or_a_decay_out_of_range_is_refused(verb, size, options, error, message):
    weights, loss = problem(0)
    with pytest.raises(error, match=message):
        verb(weights, loss, size, *([] if verb is lnn.gradient_step else [3]), **options)


def test_a_schedule_out_of_range_is_refused_at_its_step():
    weights, loss = problem(0)
    for verb in (lnn.gradient_descent, lnn.adam):
        with pytest.raises(ValueError, match=r"step_size\(3\) must be positive and finite, got 0"):
            verb(weights, loss, lambda k: 1e-3 * (3 - k), 5)
        with pytest.raises(ValueError, match=r"step_size\(1\) must be a number, or one for each of 3 factors"):
            verb(weights, loss, lambda k: [1e-3, 1e-3], 5)
    with pytest.raises(ValueError, match=r"step_size\(2\) must be positive"):
        lnn.end_to_end_descent(np.eye(7)[:5], loss, 2, lambda k: 1.5 - k, 5)


def test_the_end_to_end_rule_takes_a_schedule_too():
    weights, loss = problem(4)
    path = lnn.end_to_end_descent(lnn.end_to_end(weights), loss, 3, lambda k: 1e-3 / k, 4)
    W = lnn.end_to_end(weights)
    for k in range(1, 5):
        W = lnn.end_to_end_step(W, loss, 3, 1e-3 / k)
    np.testing.assert_allclose(path.end_to_end[-1], W, atol=EXACT)
    assert path.times.tolist() == pytest.approx([0, 1e-3, 1.5e-3, 11e-3 / 6, 25e-3 / 12], rel=1e-12)


def samples(seed):
    rng = np.random.default_rng(seed)
    weights = tuple(0.3 * W for W in network(WIDTHS, rng))
    return weights, rng.standard_normal((WIDTHS[0], 12)), rng.standard_normal((WIDTHS[-1], 12))


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("every", [1, 4])
def test_stochastic_descent_sees_a_fresh_batch_and_fresh_noise_in_every_step(noise, every):
    weights, X, Y = samples(8)
    path = lnn.sgd(weights, X, Y, 0.002, 9, batch=4, label_noise=noise, rng=np.random.default_rng(7), every=every)
    rng, W = np.random.default_rng(7), weights
    for _ in range(9):
        drawn = rng.choice(12, 4, replace=False)
        labels = [Y[:, i] for i in drawn]
        if noise:
            labels = list((np.array(labels).T + noise * rng.standard_normal((WIDTHS[-1], 4))).T)
        steps = [np.zeros_like(V) for V in W]
        for i, label in zip(drawn, labels, strict=True):  # sample by sample, layer by layer
            single = type("Single", (), {
                "gradient": lambda self, V, x=X[:, i], y=label: np.outer(V @ x - y, x)
            })()  # fmt: skip
            for total, G in zip(steps, partials(W, single), strict=True):
                total += G
        W = [V - 0.002 * 12 / 4 * total for V, total in zip(W, steps, strict=True)]
    for got, expected in zip(path[-1], W, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
    clean = lnn.LeastSquares(lnn.Samples(X), Y)
    np.testing.assert_allclose(path.losses, clean(path.end_to_end), rtol=1e-12)


def test_with_all_samples_and_no_noise_it_is_gradient_descent():
    weights, X, Y = samples(9)
    path = lnn.sgd(weights, X.tolist(), Y.tolist(), 0.002, 9, batch=12, rng=np.random.default_rng(0), weight_decay=0.1)
    plain = lnn.gradient_descent(weights, lnn.LeastSquares(lnn.Samples(X), Y), 0.002, 9, weight_decay=0.1)
    np.testing.assert_allclose(path.end_to_end, plain.end_to_end, atol=1e-12)


def test_label_noise_shakes_a_minimum_by_its_known_variance():
    """A step w ← (1 - ηs) w + ησ√s ξ has the stationary variance ησ² / (2 - ηs)."""
    eta, noise, x = 0.25, 0.3, 1.4
    path = lnn.sgd((np.zeros((1, 1)),), [[x]], [[0.0]], eta, 40_000, batch=1, label_noise=noise,
                   rng=np.random.default_rng(1))  # fmt: skip
    expected = eta * noise**2 / (2 - eta * x**2)
    assert np.var(path.end_to_end[100:]) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"label_noise": -1}, ValueError, "label_noise must be positive and finite, or 0"),
        ({"batch": 13}, ValueError, "batch must be at most the number of samples, 12, got 13"),
        ({"rng": 3}, TypeError, "rng must be a numpy.random.Generator"),
    ],
)
def test_a_batch_or_a_noise_that_cannot_be_is_refused(options, error, message):
    weights, X, Y = samples(9)
    with pytest.raises(error, match=message):
        lnn.sgd(weights, X, Y, 0.01, 3, **({"batch": 4, "rng": np.random.default_rng(0)} | options))
