"""Second derivatives over the layers against differences of gradients, whole Hessians and known values."""

import numpy as np
import pytest
from draws import WIDTHS, network

import lnn
from lnn.theory.sharpness import hessian_vector, sharpness


def problem(kind, widths=WIDTHS, seed=0):
    rng = np.random.default_rng(seed)
    shape = (widths[-1], widths[0])
    weights, direction = network(widths, rng), network(widths, rng)
    if kind == "samples":
        measure = lnn.Samples(rng.standard_normal((widths[0], 9)))
    else:
        measure = lnn.Entries(rng.random(shape) < 0.6)
    observed = rng.standard_normal(measure(np.zeros(shape)).shape)
    loss = {
        "power": lambda: lnn.PowerLoss(measure, observed, 4),
        "huber": lambda: lnn.HuberLoss(measure, observed, 0.8),
    }.get(kind, lambda: lnn.LeastSquares(measure, observed))()
    return weights, loss, direction


def gradient(weights, loss):
    return lnn.pack(lnn.pullback(weights, loss.gradient(lnn.end_to_end(weights))))


@pytest.mark.parametrize("widths", [(5, 4), (5, 4, 3), WIDTHS, (3, 6, 2, 7, 4)])
@pytest.mark.parametrize("kind", ["entries", "samples", "power", "huber"])
def test_the_product_with_the_hessian_is_the_slope_of_the_gradient(kind, widths):
    weights, loss, direction = problem(kind, widths)
    h = 1e-5
    ahead, behind = (
        gradient(tuple(W + s * h * V for W, V in zip(weights, direction, strict=True)), loss) for s in (1, -1)
    )
    found = lnn.pack(hessian_vector(weights, loss, direction))
    slope = (ahead - behind) / (2 * h)
    np.testing.assert_allclose(found, slope, rtol=0, atol=1e-7 * np.abs(slope).max())


@pytest.mark.parametrize("widths", [(3, 2, 4), (8, 9, 7, 6)])  # a whole Hessian, and Lanczos
def test_the_sharpness_is_the_largest_eigenvalue_of_the_whole_hessian(widths):
    weights, loss, _ = problem("entries", widths)
    size = lnn.pack(weights).size
    rows = [lnn.pack(hessian_vector(weights, loss, lnn.unpack(e, widths))) for e in np.eye(size)]
    H = np.stack(rows)
    np.testing.assert_allclose(H, H.T, rtol=0, atol=1e-12 * np.abs(H).max())
    assert sharpness(weights, loss) == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=1e-8)


class Ridge(lnn.LeastSquares):
    """A loss derived from one of the package, with a gradient of its own."""

    def gradient(self, W):
        return super().gradient(W) + W


class Concave:
    def __call__(self, W):
        return -0.5 * np.sum(W**2)

    def gradient(self, W):
        return -W

    def hessian_vector(self, W, V):
        return -V if self.right else -V[:1]


def test_a_derived_loss_says_its_second_derivatives_itself():
    W = np.ones((2, 3))
    with pytest.raises(TypeError, match="or one with a method hessian_vector"):
        hessian_vector((W,), Ridge(lnn.Everything((2, 3)), W), (W,))
    with pytest.raises(TypeError, match="or one with a method hessian_vector"):
        hessian_vector((W,), type("Half", (lnn.HuberLoss,), {})(lnn.Everything((2, 3)), W, 1.0), (W,))
    smoothed = type("Smoothed", (lnn.CrossEntropy,), {"gradient": lambda loss, W: W})
    with pytest.raises(TypeError, match="or one with a method hessian_vector"):
        sharpness((W,), smoothed(np.ones((3, 1)), [0]))
    loss = Concave()
    for loss.right in (True, False):
        if loss.right:
            assert [sharpness((np.ones((n, n)),), loss) for n in (3, 9)] == pytest.approx([-1.0, -1.0])
        else:
            with pytest.raises(ValueError, match=r"at a matrix of shape \(2, 3\) hessian_vector has shape \(1, 3\)"):
                hessian_vector((W,), loss, (W,))


@pytest.mark.parametrize("width", [2, 30])  # a whole Hessian, and Lanczos
def test_where_the_hessian_is_zero_the_sharpness_is_too(width):
    layers = np.zeros((width, 3)), np.zeros((width, width)), np.zeros((2, width))
    assert sharpness(layers, lnn.LeastSquares.to(np.ones((2, 3)))) == 0


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_at_a_balanced_minimum_it_is_the_largest_gain_of_the_preconditioner(depth):
    """There the Hessian is JᵀJ, and JJᵀ is the preconditioner: its largest eigenvalue is N σ_1^{2-2/N}."""
    target = np.random.default_rng(1).standard_normal((4, 4))
    weights = lnn.initial.balanced(target, (4,) * (depth + 1))
    largest = np.linalg.norm(target, 2)
    found = sharpness(weights, lnn.LeastSquares(lnn.Everything((4, 4)), target.ravel()))
    assert found == pytest.approx(depth * largest ** (2 - 2 / depth), rel=1e-8)


def test_descent_leaves_a_minimum_above_two_over_the_sharpness_and_returns_below():
    target = np.random.default_rng(2).standard_normal((3, 3))
    loss = lnn.LeastSquares(lnn.Everything((3, 3)), target.ravel())
    minimum = lnn.initial.balanced(target, (3, 3, 3))
    nudged = tuple(W + 1e-6 * V for W, V in zip(minimum, network((3, 3, 3), np.random.default_rng(3)), strict=True))
    edge = 2 / sharpness(minimum, loss)
    below, above = (lnn.gradient_descent(nudged, loss, factor * edge, 400).losses for factor in (0.9, 1.1))
    assert below[-1] < below[0] and above.max() > 1e3 * above[0]


def test_a_loss_of_ones_own_says_its_second_derivative():
    class Own:
        def __call__(self, W):
            return 0.25 * (W**4).sum()

        def gradient(self, W):
            return W**3

        def hessian_vector(self, W, V):
            return 3 * W**2 * V

    weights, _, direction = problem("entries")
    found = lnn.pack(hessian_vector(weights, Own(), direction))
    quartic = lnn.PowerLoss(lnn.Everything(lnn.end_to_end(weights).shape), np.zeros(lnn.end_to_end(weights).size), 4)
    np.testing.assert_allclose(found, lnn.pack(hessian_vector(weights, quartic, direction)), rtol=1e-9, atol=1e-12)


def test_what_does_not_fit_is_refused():
    weights, loss, direction = problem("entries")

    class Plain:
        def __call__(self, W):
            return W.sum()

        def gradient(self, W):
            return np.ones(W.shape)

    with pytest.raises(TypeError, match="second derivatives need a loss of the package, or one with a method"):
        sharpness(weights, Plain())
    with pytest.raises(ValueError, match="single networks of one shape"):
        hessian_vector(weights, loss, direction[:2])
    with pytest.raises(ValueError, match="single networks of one shape"):
        hessian_vector([np.stack([W, W]) for W in weights], loss, [np.stack([W, W]) for W in weights])
