import numpy as np
import pytest

from lnn.numerics import checks


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[1, 2], [3]], ValueError, "different lengths"),
        ([[1j]], TypeError, "complex128"),
        ([["a"]], TypeError, "dtype"),
        ([[np.nan, 1.0]], ValueError, "1 of 2 entries"),
        ([[np.inf]], ValueError, "infinite"),
        ([], ValueError, "empty"),
        ([1.0, 2.0], ValueError, r"2 axes or more\), got shape \(2,\)"),
    ],
)
def test_what_is_no_matrix_is_refused_and_told_why(value, error, message):
    with pytest.raises(error, match=message):
        checks.check_matrix(value, "W")


def test_a_matrix_of_another_shape_is_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"shape \(2, 3\), got \(3, 2\)"):
        checks.check_matrix(np.ones((3, 2)), "W", (2, 3))


def test_integers_become_floats_and_floats_stay_where_they_are():
    W = np.ones((2, 3))
    assert checks.check_matrix(W) is W
    assert checks.check_matrix([[1, 2]]).dtype == np.float64


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_number_that_is_not_positive_is_refused(value):
    with pytest.raises(ValueError, match=r"step_size must be positive and finite, got"):
        checks.check_positive(value, "step_size")


@pytest.mark.parametrize("value", ["1", True, [1.0], 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="real number"):
        checks.check_positive(value, "step_size")


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_what_is_no_count_is_refused(value, error):
    with pytest.raises(error, match="depth must be"):
        checks.check_count(value, "depth")


@pytest.mark.parametrize(
    ("value", "error"), [((3,), ValueError), (3, ValueError), ((3, 0), ValueError), ((3, 2.5), TypeError)]
)
def test_what_are_no_widths_is_refused(value, error):
    with pytest.raises(error):
        checks.check_widths(value)


@pytest.mark.parametrize("value", [None, 0, np.random.RandomState(0)])
def test_what_is_no_generator_is_refused(value):
    with pytest.raises(TypeError, match="default_rng"):
        checks.check_rng(value)


@pytest.mark.parametrize("count", [1, 7, 4096, 4097])
def test_finite_is_finite_at_every_size_even_where_squares_overflow(count):
    values = np.linspace(-1.0, 2.0, count)
    assert (
        checks.finite(values)
        and checks.finite(1e200 * values)
        and checks.finite(np.asfortranarray(values.reshape(1, -1).T))
    )
    for bad in (np.nan, np.inf, -np.inf):
        values[-1] = bad
        assert not checks.finite(values)
    assert checks.finite(np.zeros(0)) and checks.finite(np.array(3.0))
