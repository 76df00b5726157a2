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
