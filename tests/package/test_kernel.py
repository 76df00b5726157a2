"""The tangent kernel against derivatives one by one, a step of the flow, and the Hessian."""

import numpy as np
import pytest
from draws import WIDTHS, network

import lnn


@pytest.mark.parametrize("widths", [(5, 3), (5, 4, 3), WIDTHS, (3, 6, 2, 7, 4)])
def test_the_kernel_is_that_of_the_derivatives_of_all_predictions(widths):
    rng = np.random.default_rng(0)
    stack, X = network(widths, rng, 2), rng.standard_normal((widths[0], 4))
    found = lnn.tangent_kernel(stack, X)
    for k in range(2):
        flat, h = lnn.pack([W[k] for W in stack]), 1e-6
        predict = lambda vector: (lnn.end_to_end(lnn.unpack(vector, widths)) @ X).ravel()  # noqa: E731
        J = np.stack([(predict(flat + h * e) - predict(flat - h * e)) / (2 * h) for e in np.eye(flat.size)], axis=-1)
        np.testing.assert_allclose(found[k], J @ J.T, rtol=0, atol=1e-7 * np.abs(found[k]).max())
        np.testing.assert_allclose(lnn.tangent_kernel([W[k] for W in stack], X), found[k], rtol=1e-12)


def test_predictions_move_by_the_kernel_times_the_residuals():
    rng = np.random.default_rng(1)
    weights, X, Y = network((4, 5, 3), rng), rng.standard_normal((4, 6)), rng.standard_normal((3, 6))
    measure, h = lnn.Samples(X), 1e-7
    moved = lnn.gradient_step(weights, lnn.LeastSquares(measure, Y), h)
    before = measure(lnn.end_to_end(weights))
    velocity = (measure(lnn.end_to_end(moved)) - before) / h
    wanted = -lnn.tangent_kernel(weights, X) @ (before - Y.ravel())
    np.testing.assert_allclose(velocity, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_at_a_minimum_its_largest_eigenvalue_is_the_sharpness():
    rng = np.random.default_rng(2)
    weights, X = network((4, 5, 6, 3), rng), rng.standard_normal((4, 7))
    loss = lnn.LeastSquares(lnn.Samples(X), lnn.end_to_end(weights) @ X)
    largest = np.linalg.eigvalsh(lnn.tangent_kernel(weights, X))[-1]
    assert largest == pytest.approx(lnn.sharpness(weights, loss), rel=1e-9)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="samples of 2 features need a network of as many inputs, got 3"):
        lnn.tangent_kernel((np.ones((7, 2, 3)),), np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"^X must be finite"):
        lnn.tangent_kernel((np.ones((2, 3)),), np.full((3, 4), np.nan))
    with pytest.raises(ValueError, match="the tangent kernel has"):
        lnn.tangent_kernel((1e200 * np.eye(2), np.eye(2)), np.eye(2))
