import numpy as np
import pytest
from draws import depths, seeds
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import fractional_matrix_power
from tolerances import EXACT

import lnn
from lnn.theory import preconditioner

sides = st.integers(1, 5)


@given(seeds, sides, sides, depths, st.integers(0, 5))
def test_one_svd_does_what_the_kronecker_matrix_does_at_any_rank(seed, m, n, depth, rank):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    G = rng.standard_normal((m, n))
    explicit = (preconditioner.matrix(W, depth) @ G.ravel(order="F")).reshape(m, n, order="F")
    scale = 1 + np.abs(explicit).max()
    np.testing.assert_allclose(lnn.precondition(W, G, depth), explicit, atol=1e-10 * scale)


def test_it_is_the_sum_of_fractional_powers():
    W, G = np.random.default_rng(0).standard_normal((2, 5, 5))
    for depth in (2, 3, 4):
        total = sum(
            np.real(fractional_matrix_power(W @ W.T, (depth - j) / depth))
            @ G
            @ np.real(fractional_matrix_power(W.T @ W, (j - 1) / depth))
            for j in range(1, depth + 1)
        )
        np.testing.assert_allclose(lnn.precondition(W, G, depth), total, atol=1e-8)


def test_powers_from_singular_values_keep_the_digits_that_eigenvalues_lose():
    rng = np.random.default_rng(1)
    W, G = rng.standard_normal((2, 5, 7))
    U, values, Vt = np.linalg.svd(W)
    padded = np.pad(values, (0, 2))
    exact = sum(
        (U * values ** (2 * (3 - j) / 3)) @ U.T @ G @ (Vt.T * padded ** (2 * (j - 1) / 3)) @ Vt for j in (1, 2, 3)
    )

    def power(S, exponent):
        eigenvalues, Q = np.linalg.eigh(S)
        return (Q * np.maximum(eigenvalues, 0) ** exponent) @ Q.T if exponent else np.eye(len(S))

    rough = sum(power(W @ W.T, (3 - j) / 3) @ G @ power(W.T @ W, (j - 1) / 3) for j in (1, 2, 3))
    assert np.abs(lnn.precondition(W, G, 3) - exact).max() < 1e-13
    assert np.abs(rough - exact).max() > 1e-8


def test_at_depth_1_nothing_happens():
    G = np.random.default_rng(2).standard_normal((3, 4))
    assert np.array_equal(lnn.precondition(np.ones((3, 4)), G, 1), G)
    np.testing.assert_allclose(preconditioner.matrix(np.ones((3, 4)), 1), np.eye(12), atol=EXACT)


def test_leading_axes_are_free():
    W, G = np.random.default_rng(3).standard_normal((2, 6, 4, 5))
    together = lnn.precondition(W, G, 3)
    for k in range(6):
        np.testing.assert_allclose(together[k], lnn.precondition(W[k], G[k], 3), rtol=1e-10, atol=EXACT)


def test_gains_are_those_of_an_explicit_sum():
    values = np.array([2.0, 0.5, 0.0])
    for depth in (1, 2, 3, 5):
        for r, a in enumerate(values):
            for s, b in enumerate(values):
                total = sum(a ** (2 * (depth - j) / depth) * b ** (2 * (j - 1) / depth) for j in range(1, depth + 1))
                assert np.isclose(preconditioner.gains(values, depth)[r, s], total, rtol=EXACT)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lnn.precondition(np.eye(2), np.ones((2, 3)), 2), ValueError, r"shape \(2, 2\), got \(2, 3\)"),
        (lambda: lnn.precondition(np.eye(2), np.eye(2), 0), ValueError, "depth must be at least 1, got 0"),
        (lambda: lnn.precondition(np.eye(2), np.eye(2), 2.5), TypeError, "whole number"),
        (lambda: preconditioner.matrix(np.ones((2, 3, 3)), 2), ValueError, "single matrix"),
        (lambda: preconditioner.gains([-1.0], 2), ValueError, "negative"),
    ],
)
def test_wrong_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
