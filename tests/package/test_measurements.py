import numpy as np
import pytest
from draws import seeds
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

import lnn

kinds = st.sampled_from(["Everything", "Samples", "Entries", "Products"])


def build(kind, m, n, rng):
    if kind == "Everything":
        return lnn.Everything((m, n))
    if kind == "Samples":
        return lnn.Samples(rng.standard_normal((n, 4)))
    if kind == "Entries":
        return lnn.Entries(rng.random((m, n)) < 0.6)
    return lnn.Products(rng.standard_normal((5, m, n)))


@given(kinds, seeds, st.integers(1, 5), st.integers(1, 5))
def test_the_adjoint_moves_the_map_to_the_other_side(kind, seed, m, n):
    rng = np.random.default_rng(seed)
    measure = build(kind, m, n, rng)
    W = rng.standard_normal((3, m, n))
    r = rng.standard_normal(measure(W).shape)
    left, right = np.sum(measure(W) * r, axis=-1), np.sum(W * measure.adjoint(r), axis=(-2, -1))
    np.testing.assert_allclose(left, right, rtol=EXACT, atol=EXACT * 50)


@given(kinds, seeds)
def test_leading_axes_are_free(kind, seed):
    rng = np.random.default_rng(seed)
    measure = build(kind, 3, 4, rng)
    W = rng.standard_normal((2, 5, 3, 4))
    for index in np.ndindex(2, 5):
        np.testing.assert_allclose(measure(W)[index], measure(W[index]), rtol=EXACT, atol=EXACT)
        r = measure(W)
        np.testing.assert_allclose(measure.adjoint(r)[index], measure.adjoint(r[index]), rtol=EXACT, atol=EXACT)


def test_each_measures_what_its_name_says():
    W = np.arange(6.0).reshape(2, 3)
    assert lnn.Everything((2, 3))(W).tolist() == [0, 1, 2, 3, 4, 5]
    assert lnn.Samples(np.array([[1.0], [0.0], [1.0]]))(W).tolist() == [2, 8]
    assert lnn.Entries(np.array([[True, False, False], [False, False, True]]))(W).tolist() == [0, 5]
    assert lnn.Products(np.ones((1, 2, 3)))(W).tolist() == [15]


def test_what_the_caller_does_to_an_array_later_changes_no_measurement():
    X, mask, A = np.ones((3, 2)), np.ones((2, 3), bool), np.ones((1, 2, 3))
    kinds = lnn.Samples(X), lnn.Entries(mask), lnn.Products(A)
    before = [measure(np.ones((2, 3))) for measure in kinds]
    X[:], mask[:], A[:] = 7, False, 7
    for measure, expected in zip(kinds, before, strict=True):
        assert np.array_equal(measure(np.ones((2, 3))), expected)
        assert np.array_equal(measure(np.ones((2, 3)).tolist()), expected)
        assert np.array_equal(measure.adjoint(expected.tolist()), measure.adjoint(expected))


def test_samples_in_rows_are_refused_in_words():
    samples = lnn.Samples(np.ones((3, 5)))
    with pytest.raises(ValueError, match=r"samples of 3 features need W of shape \(…, m, 3\), got \(3, 2\)"):
        samples(np.ones((3, 2)))
    with pytest.raises(ValueError, match="5 samples, the columns of X, are a multiple of 5 numbers, got 9"):
        lnn.LeastSquares(samples, np.ones(9))
    with pytest.raises(TypeError, match=r"boolean, got dtype int64: write mask.astype\(bool\)"):
        lnn.Entries(np.ones((2, 3), int))


@pytest.mark.parametrize("kind", ["Everything", "Entries", "Products"])
def test_a_transposed_matrix_is_not_measured_in_silence(kind):
    measure = build(kind, 2, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"shape \(2, 3\), got \(3, 2\)"):
        measure(np.ones((3, 2)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lnn.Everything((2, 0)), ValueError, "n must be at least 1"),
        (lambda: lnn.Samples(np.ones(3)), ValueError, "2 axes"),
        (lambda: lnn.Samples(np.full((2, 2), np.inf)), ValueError, "finite"),
        (lambda: lnn.Entries(np.ones((2, 2))), TypeError, "boolean, got dtype float64"),
        (lambda: lnn.Entries(np.ones(3, dtype=bool)), ValueError, r"\(m, n\), got \(3,\)"),
        (lambda: lnn.Products(np.ones((2, 2))), ValueError, r"\(k, m, n\), got \(2, 2\)"),
    ],
)
def test_what_is_no_measurement_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
