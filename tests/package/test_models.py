"""Every model against an explicit computation of its end-to-end matrix, finite differences and runs of its own."""

import numpy as np
import pytest
from draws import seeds, slope
from hypothesis import given
from tolerances import EXACT, SLOPE

import lnn
from lnn import convolution, diagonal, hierarchical, network, residual, tensor, tied
from lnn.descent import gradients_into
from lnn.models import gradients

RNG = np.random.default_rng(7)


def normal(*shapes):
    return tuple(0.6 * RNG.standard_normal(shape) for shape in shapes)


def circular(*kernels):
    """w_1 ⋆ ⋯ ⋆ w_N by a sum over all places."""
    total = kernels[0]
    for w in kernels[1:]:
        D = w.shape[-1]
        total = np.array([[sum(total[0, i] * w[0, (k - i) % D] for i in range(D)) for k in range(D)]])
    return total


MODELS = {
    "layers": (network, normal((6, 7), (8, 6), (5, 8)), lambda U, V, W: W @ V @ U),
    "tensor": (tensor, normal((3, 2), (4, 2), (5, 2)), lambda u, v, w: np.einsum("ar,br,cr->abc", u, v, w)),
    "hierarchical": (
        hierarchical,
        normal((3, 2), (4, 2), (2, 1)),
        lambda u, v, w: np.einsum("ar,br,r->ab", u, v, w[:, 0]),
    ),
    "diagonal": (diagonal, normal((1, 5), (1, 5), (1, 5)), lambda u, v, w: np.prod([u, v, w], axis=0)),
    "diagonal alone": (diagonal, normal((2, 3)), lambda u: u),
    "signed": (diagonal.Signed(3), normal((1, 6), (1, 6)), lambda u, v: u * u * u - v * v * v),
    "convolution": (convolution, normal((1, 6), (1, 6), (1, 6)), circular),
    "convolution, odd": (convolution, normal((1, 5), (1, 5)), circular),
    "residual": (residual, normal((4, 4), (4, 4)), lambda A, B: (np.eye(4) + B) @ (np.eye(4) + A)),
    "tied": (tied, normal((5, 3)), lambda U: np.array([[a @ b for b in U] for a in U])),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_product_is_that_of_the_definition_and_leading_axes_are_free(name):
    model, factors, explicit = MODELS[name]
    W = model.product(model.check(factors))
    np.testing.assert_allclose(W, explicit(*factors), rtol=0, atol=10 * EXACT)
    stacks = tuple(np.stack([w, 0 * w, 2 * w]) for w in factors)
    several = model.product(model.check(stacks))
    assert several.shape == (3, *W.shape)
    np.testing.assert_allclose(several[2], explicit(*(2 * w for w in factors)), rtol=0, atol=1e2 * EXACT)


@pytest.mark.parametrize("name", MODELS)
def test_the_pullback_leaves_a_taylor_remainder_of_second_order(name):
    model, factors, _ = MODELS[name]
    W = model.product(factors)
    loss = lnn.PowerLoss(lnn.Everything(W.shape), np.random.default_rng(1).standard_normal(W.size), 4)
    step = tuple(np.random.default_rng(2).standard_normal(w.shape) for w in factors)
    sizes = 10.0 ** -np.arange(3, 6)
    D = gradients(model)(factors, loss.gradient(W))
    assert [d.shape for d in D] == [w.shape for w in factors]
    linear = sum(np.sum(d * v) for d, v in zip(D, step, strict=True))
    moved = [model.product(tuple(w + h * v for w, v in zip(factors, step, strict=True))) for h in sizes]
    remainders = [abs(loss(M) - loss(W) - h * linear) for h, M in zip(sizes, moved, strict=True)]
    assert abs(slope(sizes, remainders) - 2) < SLOPE


@pytest.mark.parametrize("verb", [lnn.gradient_descent, lnn.momentum, lnn.adam, lnn.adagrad, lnn.adadelta])
@pytest.mark.parametrize("name", MODELS)
def test_every_descent_takes_every_model(name, verb):
    model, factors, explicit = MODELS[name]
    W = explicit(*factors)
    loss = lnn.LeastSquares(lnn.Everything(W.shape), W.ravel() + 0.1)
    path = verb(factors, loss, 1e-3, 12, every=5, model=model)
    assert path.model is model and path.outcome is lnn.Outcome.FINISHED and len(path) == 4
    assert path.losses[-1] < path.losses[0]
    np.testing.assert_allclose(path.end_to_end[-1], explicit(*path[-1]), rtol=0, atol=1e2 * EXACT)
    np.testing.assert_allclose(path.losses, [loss(M) for M in path.end_to_end], rtol=1e-12)
    if verb is lnn.gradient_descent:
        once = lnn.gradient_descent(factors, loss, 1e-3, 1, model=model)[-1]
        step = lnn.gradient_step(factors, loss, 1e-3, model=model)
        assert all(np.allclose(a, b, rtol=0, atol=EXACT) for a, b in zip(once, step, strict=True))


@given(seeds)
def test_a_diagonal_network_of_equal_factors_keeps_them_equal_and_its_signed_twin_follows_it(seed):
    """Π u_j from u_j = u moves as u^N does with a step size N times smaller: the gradient of u^N is N u^(N-1) G."""
    rng = np.random.default_rng(seed)
    u, X = 0.5 + rng.random((1, 4)), rng.standard_normal((4, 3))
    loss = lnn.LeastSquares(lnn.Samples(X), rng.standard_normal((1, 3)))
    many = lnn.gradient_descent((u, u, u), loss, 3e-4, 20, model=diagonal)
    assert np.array_equal(many.weights[0], many.weights[2])
    signed = lnn.gradient_descent((u, 0 * u), loss, 1e-4, 20, model=diagonal.Signed(3))
    np.testing.assert_allclose(signed.weights[0], many.weights[0], rtol=1e-9)
    assert not signed.weights[1].any()


def test_small_signed_diagonal_networks_find_the_least_l1_norm():
    """u² - v² from small equal u, v: a sparse vector from fewer observations than entries."""
    rng = np.random.default_rng(3)
    sparse = np.zeros((1, 30))
    sparse[0, [4, 17]] = 1.0, -2.0
    X = rng.standard_normal((30, 15)) / np.sqrt(15)
    loss = lnn.LeastSquares(lnn.Samples(X), sparse @ X)
    start = np.full((1, 30), 1e-4)
    path = lnn.gradient_descent((start, start), loss, 0.02, 6000, every=6000, model=diagonal.Signed(2))
    assert path.losses[-1] < 1e-6
    np.testing.assert_allclose(path.end_to_end[-1], sparse, atol=0.01)
    least = sparse @ X @ np.linalg.pinv(X)  # what gradient descent on W itself finds
    assert np.abs(least - sparse).max() > 0.3


def test_a_residual_network_of_zeros_is_the_identity_and_a_tied_one_is_two_layers_that_stay_each_others_transpose():
    assert np.array_equal(residual.product((np.zeros((3, 3)),) * 4), np.eye(3))
    rng = np.random.default_rng(4)
    U, S = rng.standard_normal((4, 2)), rng.standard_normal((4, 4))
    loss = lnn.LeastSquares(lnn.Everything((4, 4)), S + S.T)
    one = lnn.gradient_descent((U,), loss, 1e-3, 9, model=tied)
    two = lnn.gradient_descent((U.T, U), loss, 2e-3, 9)  # ∂φ/∂U is 2GU here, and GU for a layer of its own
    np.testing.assert_allclose(one.end_to_end, two.end_to_end, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diagonal.check((np.ones((1, 3)), np.ones((1, 4)))), r"factor 2 has shape \(1, 4\), but factor 1"),
        (lambda: diagonal.Signed(2).check((np.ones((1, 3)),) * 3), r"the factors \(u, v\), got 3"),
        (lambda: diagonal.Signed(0), "power must be at least 1, got 0"),
        (lambda: convolution.check((np.ones((2, 3)),)), r"rows of shape \(1, D\), got \(2, 3\)"),
        (lambda: residual.check((np.ones((2, 3)),)), r"square, got shape \(2, 3\)"),
        (lambda: tied.check((np.ones((2, 3)),) * 2), r"one factor: write \(U,\), got 2"),
        (lambda: diagonal.check(()), "diagonal needs 1 factors or more, got 0"),
        (lambda: lnn.gradient_descent((np.ones((1, 2)),), None, 1, 1), "a loss must be callable .*, got None"),
        (
            lambda: lnn.adam(lnn.LeastSquares(lnn.Everything((1, 2)), np.ones(2)), (np.ones((1, 2)),), 1, 1),
            "got tuple, where the weights come first",
        ),
    ],
)
def test_factors_that_do_not_fit_are_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@pytest.mark.parametrize("model", [lnn.network, lnn.diagonal])
def test_gradients_are_written_over_what_was_no_number(model):
    factors, loss = (np.full((2, 2), 0.5),) * 2, lnn.LeastSquares(lnn.Everything((2, 2)), np.ones(4))
    targets = tuple(np.full((2, 2), np.nan) for _ in factors)
    for call in gradients_into(targets, factors, loss, model, factor=-2.0):
        call()
    for target, G in zip(targets, model.pullback(factors, loss.gradient(model.product(factors))), strict=True):
        np.testing.assert_allclose(target, -2 * G, rtol=1e-12)


@pytest.mark.parametrize("model", [diagonal, diagonal.Signed(2), tied, residual, convolution])
def test_a_gradient_of_another_shape_is_not_spread_over_the_factors(model):
    factors = model.check(([[1.0, 2.0, 3.0]],) * 2 if model is convolution else (np.eye(3),) * (2 - (model is tied)))
    shape = np.shape(model.product(factors))
    for other in ((1, 1), (3, 1), shape[::-1] if model is convolution else (2, 3)):
        with pytest.raises(ValueError, match=r"G must have the shape .* of the end-to-end matrix, got"):
            model.pullback(factors, np.ones(other))
    assert all(
        np.shape(D) == np.shape(W) for D, W in zip(model.pullback(factors, np.ones(shape)), factors, strict=True)
    )
