import numpy as np
import pytest
from draws import seeds
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

import lnn


@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_norms_of_the_spectrum_are_norms_of_the_matrix(seed, m, n):
    W = np.random.default_rng(seed).standard_normal((m, n))
    values = lnn.singular_values(W)
    assert np.isclose(lnn.nuclear_norm(values), np.linalg.norm(W, "nuc"), rtol=EXACT)
    assert np.isclose(lnn.schatten(values, 2), np.linalg.norm(W), rtol=EXACT)
    assert np.isclose(lnn.schatten(values, np.inf), np.linalg.norm(W, 2), rtol=EXACT)
    assert np.isclose(lnn.schatten(values, 1), lnn.nuclear_norm(values), rtol=EXACT)
    assert np.isclose(lnn.stable_rank(values), np.linalg.norm(W) ** 2 / np.linalg.norm(W, 2) ** 2, rtol=EXACT)


@given(seeds, st.integers(1, 6))
def test_effective_and_stable_rank_lie_between_one_and_the_rank(seed, count):
    values = np.random.default_rng(seed).exponential(size=count) + 1e-9
    assert 1 - EXACT <= lnn.stable_rank(values) <= lnn.effective_rank(values) ** 2 <= (1 + EXACT) * count**2
    assert 1 - EXACT <= lnn.effective_rank(values) <= count * (1 + EXACT)


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_equal_singular_values_have_their_number_as_rank(rank):
    values = np.array([3.0] * rank + [0.0] * 3)
    assert np.isclose(lnn.effective_rank(values), rank, rtol=EXACT)
    assert np.isclose(lnn.stable_rank(values), rank, rtol=EXACT)


def test_effective_rank_is_the_exponential_of_the_entropy():
    from scipy.stats import entropy

    values = -np.sort(-np.random.default_rng(0).exponential(size=(4, 7)))
    np.testing.assert_allclose(lnn.effective_rank(values, axis=-1), np.exp(entropy(values, axis=-1)), rtol=EXACT)


@given(st.floats(0.2, 4), st.integers(-140, 140))
def test_schatten_norms_scale_with_the_matrix_at_any_size(p, exponent):
    values = np.array([3.0, 2.0, 1.0])
    scale = 10.0**exponent
    assert np.isclose(lnn.schatten(scale * values, p) / scale, lnn.schatten(values, p), rtol=1e-11)
    assert np.isclose(lnn.effective_rank(scale * values), lnn.effective_rank(values), rtol=1e-11)


def test_a_zero_matrix_has_norm_zero_and_no_rank():
    zero = np.zeros(3)
    assert lnn.schatten(zero, 0.5) == lnn.nuclear_norm(zero) == 0
    assert np.isnan(lnn.effective_rank(zero)) and np.isnan(lnn.stable_rank(zero))


def test_shrink_is_the_proximal_map_of_the_sum():
    from scipy.optimize import minimize_scalar

    for value in (0.3, 1.0, 2.5):
        best = minimize_scalar(lambda x, v=value: 0.7 * x + 0.5 * (x - v) ** 2, bounds=(0, 4), method="bounded").x
        assert np.isclose(lnn.soft_threshold([value], 0.7)[0], best, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lnn.nuclear_norm([-1.0]), ValueError, "negative, got -1"),
        (lambda: lnn.nuclear_norm(3.0), ValueError, "single number"),
        (lambda: lnn.schatten([1.0], 0), ValueError, "p must be positive and finite, got 0"),
        (lambda: lnn.schatten([1.0], True), TypeError, "p must be a real number"),
        (lambda: lnn.schatten([1.0], [2.0]), TypeError, "p must be a real number"),
        (lambda: lnn.soft_threshold([1.0], np.True_), TypeError, "threshold must be a real number"),
        (lambda: lnn.soft_threshold([1.0], [0.5]), TypeError, "threshold must be a real number"),
        (lambda: lnn.soft_threshold([1.0], np.inf), ValueError, "threshold must be positive and finite, or 0"),
        (lambda: lnn.soft_threshold([1.0], -1), ValueError, "got -1"),
        (lambda: lnn.effective_rank([np.nan]), ValueError, "finite"),
        (lambda: lnn.stable_rank([1j]), TypeError, "real"),
    ],
)
def test_what_is_no_spectrum_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


FUNCTIONS = {
    "nuclear_norm": lnn.nuclear_norm,
    "schatten": lambda values, **said: lnn.schatten(values, 1.5, **said),
    "effective_rank": lnn.effective_rank,
    "stable_rank": lnn.stable_rank,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_stack_of_spectra_is_measured_one_by_one(name):
    values = np.random.default_rng(1).exponential(size=(3, 2, 4))
    values[1, 0] = 0  # a zero matrix in the stack spoils no other
    values[2, 1, 2:] = 0
    single = np.array([[FUNCTIONS[name](spectrum) for spectrum in row] for row in values])
    np.testing.assert_allclose(FUNCTIONS[name](values, axis=-1), single, rtol=EXACT)
    assert single.shape == (3, 2) and np.isfinite(np.delete(single.ravel(), 2)).all()


def test_a_threshold_of_zero_changes_nothing():
    np.testing.assert_array_equal(lnn.soft_threshold([3.0, 1.0, 0.0], 0), [3.0, 1.0, 0.0])
    assert lnn.singular_values([[3, 0, 0], [0, 4, 0]]).dtype == np.float64


BOTH = np.ones((2, 3))  # a matrix of nuclear norm √6, and the spectra of two matrices with orthonormal rows


@pytest.mark.parametrize("name", [*FUNCTIONS, "soft_threshold", "gains"])
def test_a_matrix_is_not_taken_for_a_stack_of_spectra(name):
    function = (
        FUNCTIONS.get(name)
        or {
            "soft_threshold": lambda values, **said: lnn.soft_threshold(values, 0.1, **said),
            "gains": lambda values, **said: lnn.preconditioner.gains(values, 3, **said),
        }[name]
    )
    for matrix in (BOTH, -BOTH, BOTH.tolist(), np.ones((4, 2, 3))):
        with pytest.raises(ValueError, match=r"may be a matrix or a stack of spectra: of a matrix W take singular_v"):
            function(matrix)
    np.testing.assert_allclose(function(BOTH, axis=-1), [function(BOTH[0])] * 2, rtol=EXACT)
    with pytest.raises(ValueError, match=r"must stand along the last axis, axis=-1, got axis=0"):
        function(BOTH, axis=0)


def test_ones_are_a_matrix_of_rank_one_or_two_spectra_and_each_has_its_norm():
    assert np.isclose(lnn.nuclear_norm(lnn.singular_values(BOTH)), np.linalg.norm(BOTH, "nuc"), rtol=EXACT)
    rows = np.stack([np.eye(3), np.eye(3)[::-1]])
    np.testing.assert_array_equal(lnn.singular_values(rows), BOTH)  # one array, two meanings: the caller says which
    np.testing.assert_allclose(lnn.nuclear_norm(BOTH, axis=-1), np.linalg.norm(rows, "nuc", axis=(1, 2)), rtol=EXACT)


def test_the_first_edition_called_it_shrink():
    assert lnn.shrink is lnn.soft_threshold


def test_margins_of_a_whole_trajectory_are_those_of_its_matrices():
    W, target = np.random.default_rng(2).standard_normal((7, 2, 3)), np.eye(2, 3)
    found = lnn.guarantees.deficiency_margin(W, target)
    np.testing.assert_allclose(found, [1 - np.linalg.norm(V - target) for V in W], rtol=EXACT)
