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
