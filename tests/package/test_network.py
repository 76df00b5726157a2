import numpy as np
import pytest
from draws import WIDTHS, network, seeds, slope, widths
from hypothesis import given
from tolerances import EXACT, SLOPE

import lnn
from lnn.network import layer_gradients, prefixes


@given(seeds, widths)
def test_end_to_end_is_the_product_from_the_right(seed, widths):
    weights = network(widths, np.random.default_rng(seed))
    x = np.random.default_rng(seed + 1).standard_normal(widths[0])
    y = x
    for W in weights:
        y = W @ y
    np.testing.assert_allclose(lnn.end_to_end(weights) @ x, y, rtol=EXACT, atol=EXACT * (1 + np.abs(y).max()))


@given(seeds, widths)
def test_pullback_is_the_formula_of_the_gradient_lemma(seed, widths):
    rng = np.random.default_rng(seed)
    weights, G = network(widths, rng), rng.standard_normal((widths[-1], widths[0]))
    for j, D in enumerate(lnn.pullback(weights, G)):
        above, below = np.eye(widths[-1]), np.eye(widths[0])
        for W in weights[:j]:
            below = W @ below
        for W in reversed(weights[j + 1 :]):
            above = above @ W
        expected = above.T @ G @ below.T
        np.testing.assert_allclose(D, expected, rtol=EXACT, atol=EXACT * (1 + np.abs(expected).max()))


def test_pullback_leaves_a_taylor_remainder_of_second_order():
    rng = np.random.default_rng(1)
    weights, direction = network(WIDTHS, rng), network(WIDTHS, rng)
    G = rng.standard_normal((WIDTHS[-1], WIDTHS[0]))
    value = np.sum(G * lnn.end_to_end(weights))
    first = sum(np.sum(D * V) for D, V in zip(lnn.pullback(weights, G), direction, strict=True))
    sizes = 10.0 ** -np.arange(1, 5)
    remainders = []
    for h in sizes:
        moved = tuple(W + h * V for W, V in zip(weights, direction, strict=True))
        remainders.append(abs(np.sum(G * lnn.end_to_end(moved)) - value - h * first))
    assert abs(slope(sizes, remainders) - 2) < SLOPE


def test_a_trajectory_is_a_network_with_a_time_axis_in_front():
    rng = np.random.default_rng(2)
    stacked = network(WIDTHS, rng, 4, 3)
    G = rng.standard_normal((4, 3, WIDTHS[-1], WIDTHS[0]))
    gradients = lnn.pullback(stacked, G)
    for index in np.ndindex(4, 3):
        one = tuple(W[index] for W in stacked)
        np.testing.assert_allclose(lnn.end_to_end(stacked)[index], lnn.end_to_end(one), rtol=EXACT)
        for D, expected in zip(gradients, lnn.pullback(one, G[index]), strict=True):
            np.testing.assert_allclose(D[index], expected, rtol=EXACT, atol=EXACT)


class Counting(np.ndarray):
    """An array that counts the matrix products it takes part in."""

    products = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        Counting.products += ufunc is np.matmul
        plain = [np.asarray(x) for x in inputs]
        return np.asarray(getattr(ufunc, method)(*plain, **kwargs)).view(Counting)


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8])
def test_two_sweeps_take_three_products_for_every_layer_but_one(depth):
    weights = tuple(np.eye(3).view(Counting) for _ in range(depth))
    Counting.products = 0
    layer_gradients(weights, prefixes(weights), np.eye(3).view(Counting))
    assert Counting.products == 3 * (depth - 1)


@given(seeds, widths)
def test_unpack_undoes_pack(seed, widths):
    weights = network(widths, np.random.default_rng(seed), 2)
    again = lnn.unpack(lnn.pack(weights), widths)
    assert all(np.array_equal(V, W) for V, W in zip(again, weights, strict=True))
    assert lnn.widths(again) == widths


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ((), ValueError, "depth 0"),
        (np.eye(3), TypeError, "single matrix"),
        ((np.ones((7, 5)), np.ones((8, 6))), ValueError, "layer 2 maps 6 -> 8, but layer 1 ends in 7"),
        ((np.ones((2, 2, 2)), np.ones((3, 2, 2))), ValueError, r"leading axes \(3,\)"),
        ((np.ones(3),), ValueError, "layer 1 must be a matrix"),
        ((np.eye(2), np.full((2, 2), np.nan)), ValueError, "layer 2 must be finite"),
        ((np.eye(2) * 1j,), TypeError, "layer 1 must hold real numbers"),
        ((np.ones((0, 2)),), ValueError, "layer 1 must not be empty"),
    ],
)
def test_what_is_no_network_is_refused_with_the_layer_named(weights, error, message):
    with pytest.raises(error, match=message):
        lnn.check(weights)


def test_a_gradient_of_another_shape_is_refused():
    weights = network(WIDTHS, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"\(5, 7\) of the end-to-end matrix, got \(7, 5\)"):
        lnn.pullback(weights, np.ones((7, 5)))


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match="length 12, got shape"):
        lnn.unpack(np.ones(11), (2, 3, 2))


def test_packing_leaves_every_leading_axis_in_place():
    weights = network((3, 4, 2), np.random.default_rng(0), 5, 6)
    flat = lnn.pack(weights)
    assert flat.shape == (5, 6, 20)
    np.testing.assert_array_equal(flat[2, 3], np.concatenate([W[2, 3].ravel() for W in weights]))
    again = lnn.unpack(flat, (3, 4, 2))
    assert all(np.array_equal(V, W) for V, W in zip(again, weights, strict=True))


def test_whole_numbers_unpack_to_a_network_of_floats():
    first, last = lnn.unpack(range(20), (3, 4, 2))
    assert first.dtype == last.dtype == np.float64
    assert first.shape == (4, 3) and last.shape == (2, 4) and last[-1, -1] == 19


def test_the_checks_of_the_public_pullback_cost_no_more_than_a_few_small_products():
    """Nineteen times plain NumPy once, at width 6; three times now. The best of many rounds, side by side."""
    from timeit import timeit

    rng = np.random.default_rng(0)
    weights, G = network((6, 6, 6, 6), rng), rng.standard_normal((6, 6))

    def plain():
        W1, W2, W3 = weights
        above = W3.T @ G
        return W2.T @ above, above @ W1.T, G @ (W2 @ W1).T

    for D, wanted in zip(lnn.pullback(weights, G), plain(), strict=True):
        np.testing.assert_allclose(D, wanted, rtol=1e-12)
    rounds = [(timeit(lambda: lnn.pullback(weights, G), number=200), timeit(plain, number=200)) for _ in range(20)]
    checked, bare = np.min(rounds, axis=0)
    assert checked < 8 * bare


def test_results_are_arrays_of_their_own_also_where_there_is_nothing_to_compute():
    W, G, vector = np.ones((2, 3)), np.full((2, 3), 2.0), np.ones(6)
    given = lnn.end_to_end((W,)), lnn.pullback((W,), G)[0], lnn.precondition(W, G, 1), lnn.unpack(vector, (3, 2))[0]
    for array in (*given, lnn.unfolding.unfold(W, 0), *lnn.gradient_step((W,), lnn.LeastSquares.to(G), 0.1)):
        array += 5
    assert (W == 1).all() and (G == 2).all() and (vector == 1).all()


@pytest.mark.parametrize(
    "read", [lnn.singular_values, lambda W: lnn.precondition(W, W, 2), lambda W: lnn.modes.project(W, W, W)]
)
def test_layers_are_no_matrices_over_time(read):
    with pytest.raises(TypeError, match="W must be one array, got a tuple of 3 matrices"):
        read((np.eye(2),) * 3)
