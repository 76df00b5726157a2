import numpy as np
import pytest
from draws import WIDTHS, seeds, widths
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

import lnn
from lnn import initial


@given(seeds, st.integers(1, 5), st.integers(1, 5), st.lists(st.integers(5, 7), max_size=4), st.integers(0, 5))
def test_balanced_has_the_product_asked_for_and_no_imbalance_at_any_rank(seed, d0, dN, hidden, rank):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((dN, rank)) @ rng.standard_normal((rank, d0))
    weights = initial.balanced(A, (d0, *hidden, dN))
    assert lnn.widths(weights) == (d0, *hidden, dN)
    np.testing.assert_allclose(lnn.end_to_end(weights), A, atol=EXACT * 100)
    assert lnn.imbalance(weights) < EXACT * 100


def test_hidden_layers_as_narrow_as_the_smaller_end_are_wide_enough():
    A = np.random.default_rng(0).standard_normal((2, 5))
    weights = initial.balanced(A, (5, 2, 2, 2))
    np.testing.assert_allclose(lnn.end_to_end(weights), A, atol=EXACT)


def test_gaussian_entries_have_the_standard_deviation_asked_for():
    weights = initial.gaussian((300, 200, 100), 0.01, rng=np.random.default_rng(0))
    for W in weights:
        assert abs(W.std() / 0.01 - 1) < 0.02 and abs(W.mean()) < 3e-4
    assert [W.shape for W in weights] == [(200, 300), (100, 200)]


@given(seeds, widths)
def test_orthogonal_layers_have_all_singular_values_equal(seed, widths):
    for W in initial.orthogonal(widths, 0.5, rng=np.random.default_rng(seed)):
        np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), 0.5, rtol=EXACT)


def test_orthogonal_is_spread_evenly_over_the_rotations():
    rng = np.random.default_rng(0)
    draws = np.array([initial.orthogonal((2, 2), rng=rng)[0] for _ in range(4000)])
    # Uniform on the orthogonal group: entries have mean 0 and variance 1/d, and half of the determinants are -1.
    assert np.abs(draws.mean(axis=0)).max() < 0.05
    assert abs((draws**2).mean() - 0.5) < 0.02
    assert abs((np.linalg.det(draws) < 0).mean() - 0.5) < 0.04


def test_identity_is_balanced_with_equal_widths_and_padded_otherwise():
    assert lnn.imbalance(initial.identity((4, 4, 4, 4), 0.3)) == 0
    assert lnn.imbalance(initial.identity((4, 4, 2))) > 0
    assert np.array_equal(initial.identity(WIDTHS)[0], np.eye(6, 7))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: initial.gaussian((3, 2), 1.0, rng=None), TypeError, "numpy.random.Generator"),
        (lambda: initial.gaussian((3, 2), -1.0, rng=np.random.default_rng(0)), ValueError, "scale must be positive"),
        (lambda: initial.gaussian((3,), 1.0, rng=np.random.default_rng(0)), ValueError, "depth N of at least 1"),
        (lambda: initial.balanced(np.eye(3), (3, 2, 3)), ValueError, r"at least min\(d_0, d_N\) = 3, got \(2,\)"),
        (lambda: initial.balanced(np.eye(3), (3, 4, 2)), ValueError, r"shape \(2, 3\), got \(3, 3\)"),
        (lambda: initial.identity((3, 0, 3)), ValueError, "width d_1 must be at least 1, got 0"),
    ],
)
def test_wrong_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def rank_one_sums(A, lam, hidden):
    """Exact factors of `thm-lambda-balanced` for lam > 0 as their W_2W_2ᵀ and W_1ᵀW_1, through eigenvalues."""
    m, n = A.shape
    root = lambda S: np.linalg.eigh(lam**2 / 4 * np.eye(len(S)) + S)  # noqa: E731
    halves = [(Q * np.sqrt(e)) @ Q.T for e, Q in (root(A @ A.T), root(A.T @ A))]
    return halves[0] + lam / 2 * np.eye(m), halves[1] - lam / 2 * np.eye(n)


@pytest.mark.parametrize(
    "widths", [(5, 4, 4), (4, 4, 4), (2, 3, 3), (3, 3, 5), (3, 5, 5), (2, 4, 6), (1, 1, 1), (4, 1, 1)]
)
@pytest.mark.parametrize("lam", [1e-3, 0.7, 30.0])
@pytest.mark.parametrize("rank", [0, 1, 9])
def test_an_imbalance_is_what_was_asked_for_in_every_shape_that_has_one(widths, lam, rank):
    rng = np.random.default_rng(7)
    n, hidden, m = widths
    A = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    weights = initial.balanced(A, widths, imbalance=lam)
    mirrored = initial.balanced(A.T, widths[::-1], imbalance=-lam)
    for factors, matrix, sign in ((weights, A, 1), (mirrored, A.T, -1)):
        (D,) = lnn.imbalances(factors)
        size = 1 + lam + np.abs(A).max()
        np.testing.assert_allclose(lnn.end_to_end(factors), matrix, rtol=0, atol=1e-13 * size)
        np.testing.assert_allclose(D, sign * lam * np.eye(hidden), rtol=0, atol=1e-13 * size)
    if hidden == m:  # then the factors are unique up to a rotation of the hidden layer
        upper, lower = rank_one_sums(A, lam, hidden)
        atol = 1e-14 * size**2 * max(1, 1 / lam)  # of the reference: it takes roots of eigenvalues down to λ²/4
        np.testing.assert_allclose(weights[1] @ weights[1].T, upper, rtol=0, atol=atol)
        np.testing.assert_allclose(weights[0].T @ weights[0], lower, rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("widths", "lam", "message"),
    [
        ((3, 4, 3), 0.5, r"an imbalance of 0.5 I the hidden layer must not be wider than the output, 3, got 4"),
        ((3, 4, 5), -0.5, r"must not be wider than the input, 3, got 4"),
        ((3, 4, 4, 5), 0.5, r"needs two layers, widths \(d_0, d_1, d_2\), got \(3, 4, 4, 5\)"),
        ((3, 5), 0.5, "needs two layers"),
        ((3, 2, 3), 0.5, r"at least min\(d_0, d_N\) = 3, got \(2,\)"),
        ((3, 3, 3), np.nan, "imbalance must be finite, got 1 of 1 entries"),
    ],
)
def test_an_imbalance_that_no_layers_have_is_refused(widths, lam, message):
    with pytest.raises(ValueError, match=message):
        initial.balanced(np.ones((widths[-1], widths[0])), widths, imbalance=lam)
    if lam == 0.5 and len(widths) == 3 and widths[1] > widths[2]:  # and rightly so: W_2ᵀW_2 would need a rank beyond m
        W1, W2 = np.zeros((4, 3)), np.ones((3, 4))
        assert np.linalg.matrix_rank(W2.T @ W2 - W1 @ W1.T) < 4


def test_scales_may_be_given_layer_by_layer():
    scales = (0.1, 2.0, 30.0)
    for make in (
        lambda s: initial.gaussian(WIDTHS, s, rng=np.random.default_rng(0)),
        lambda s: initial.orthogonal(WIDTHS, s, rng=np.random.default_rng(0)),
        lambda s: initial.identity(WIDTHS, s),
    ):
        ones = make(1.0)
        for kind in (tuple, list, np.array):
            for W, one, scale in zip(make(kind(scales)), ones, scales, strict=True):
                np.testing.assert_allclose(W, scale * one, rtol=EXACT)
        with pytest.raises(ValueError, match="scale must be one number, or 3 of them, one for each layer, got 2"):
            make(scales[:2])
        with pytest.raises(ValueError, match="scale 2 must be positive and finite"):
            make((0.1, -1.0, 1.0))
