import numpy as np
import pytest
from draws import seeds, slope
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT, SLOPE

import lnn


@pytest.mark.parametrize("p", [2, 3, 4, 6])
def test_the_gradient_leaves_a_taylor_remainder_of_second_order(p):
    rng = np.random.default_rng(0)
    loss = lnn.PowerLoss(lnn.Samples(rng.standard_normal((4, 9))), rng.standard_normal(27), p)
    W, V = rng.standard_normal((2, 3, 4))
    sizes = 10.0 ** -np.arange(2, 5)
    remainders = [abs(loss(W + h * V) - loss(W) - h * np.sum(V * loss.gradient(W))) for h in sizes]
    assert abs(slope(sizes, remainders) - 2) < SLOPE


@given(seeds, st.integers(1, 4), st.integers(1, 4))
def test_at_p_2_the_power_loss_is_least_squares(seed, m, n):
    rng = np.random.default_rng(seed)
    measure = lnn.Products(rng.standard_normal((6, m, n)))
    y, W = rng.standard_normal(6), rng.standard_normal((3, m, n))
    least, power = lnn.LeastSquares(measure, y), lnn.PowerLoss(measure, y, 2)
    np.testing.assert_allclose(least(W), power(W), rtol=EXACT)
    np.testing.assert_allclose(least.gradient(W), power.gradient(W), rtol=EXACT, atol=EXACT)


def test_least_squares_is_half_the_squared_distance_on_all_entries():
    rng = np.random.default_rng(1)
    W, target = rng.standard_normal((2, 5, 7))
    loss = lnn.LeastSquares(lnn.Everything((5, 7)), target.ravel())
    assert np.isclose(loss(W), 0.5 * np.linalg.norm(W - target) ** 2, rtol=EXACT)
    np.testing.assert_allclose(loss.gradient(W), W - target, rtol=EXACT)


def test_the_matrix_itself_is_observed_and_its_shape_is_checked():
    rng = np.random.default_rng(2)
    target, X = rng.standard_normal((4, 6)), rng.standard_normal((6, 9))
    W = rng.standard_normal((4, 6))
    for measure, matrix in ((lnn.Everything((4, 6)), target), (lnn.Samples(X), target @ X)):
        for kind in (lnn.LeastSquares, lambda *a: lnn.PowerLoss(*a, 4), lambda *a: lnn.HuberLoss(*a, 0.3)):
            assert kind(measure, matrix)(W) == kind(measure, matrix.ravel())(W)
        assert lnn.LeastSquares(measure, matrix)(target) < 1e-20
        with pytest.raises(ValueError, match=r"flat vector, as measure\(W\) is, or .*, got shape \((6|9), 4\)"):
            lnn.LeastSquares(measure, matrix.T)
    tensor = rng.standard_normal((2, 3, 4))
    assert lnn.LeastSquares(lnn.Everything((2, 3, 4)), tensor)(tensor) == 0


@pytest.mark.parametrize("kind", ["LeastSquares", "PowerLoss", "HuberLoss"])
def test_losses_from_one_array_that_is_used_again_are_their_own(kind):
    y, losses = np.zeros(4), []
    for k in range(3):
        y[:] = k
        options = {"PowerLoss": (2,), "HuberLoss": (100.0,)}.get(kind, ())
        losses.append(getattr(lnn, kind)(lnn.Everything((2, 2)), y, *options))
    assert [float(loss(np.zeros((2, 2)))) for loss in losses] == [0, 2, 8]


@pytest.mark.parametrize("kind", ["LeastSquares", "PowerLoss", "HuberLoss"])
@pytest.mark.parametrize("shape", [(2, 2), (1, 4)])
def test_lists_and_frames_are_matrices_and_what_is_none_is_refused_in_words(kind, shape):
    seen = lnn.Everything(shape) if shape == (2, 2) else lnn.Entries(np.ones(shape, bool))
    loss = getattr(lnn, kind)(seen, np.ones(4), *{"PowerLoss": (4,), "HuberLoss": (0.1,)}.get(kind, ()))

    class Frame:
        def __array__(self, *_, **__):
            return 1.0 + np.arange(4.0).reshape(shape)

    W = np.asarray(Frame())
    for other in (W.tolist(), Frame()):
        assert loss(other) == loss(W) and np.array_equal(loss.gradient(other), loss.gradient(W))
    for wrong in ([[1, 2], [3]], [["a", "b"], ["c", "d"]], None):
        for ask in (loss, loss.gradient):
            with pytest.raises((TypeError, ValueError)) as refusal:
                ask(wrong)
            assert "attribute" not in str(refusal.value)


@pytest.mark.parametrize("p", ["4", True, np.True_, None, [4.0], 4j])
def test_a_power_is_a_real_number(p):
    with pytest.raises(TypeError, match="p must be a real number"):
        lnn.PowerLoss(lnn.Everything((1, 1)), [1.0], p)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lnn.LeastSquares(lnn.Everything((2, 2)), np.ones(3)), ValueError, "holds 3 numbers"),
        (lambda: lnn.LeastSquares(lnn.Entries(np.eye(2, dtype=bool)), np.ones(3)), ValueError, "holds 3 numbers"),
        (lambda: lnn.LeastSquares(lnn.Samples(np.ones((2, 4))), np.ones(6)), ValueError, "holds 6 numbers"),
        (lambda: lnn.LeastSquares(lnn.Products(np.ones((5, 2, 2))), np.ones(6)), ValueError, "holds 6 numbers"),
        (lambda: lnn.LeastSquares(lnn.Everything((2, 2)), np.ones((2, 3))), ValueError, "flat vector"),
        (lambda: lnn.LeastSquares(lnn.Everything((2, 2)), [1, 2, 3, np.nan]), ValueError, "finite"),
        (lambda: lnn.PowerLoss(lnn.Everything((1, 1)), [1.0], 1.5), ValueError, "at least 2, got 1.5"),
    ],
)
def test_observations_that_do_not_fit_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_batch_has_the_gradient_of_the_whole_as_its_mean():
    rng = np.random.default_rng(5)
    X, Y, W = rng.standard_normal((3, 6)), rng.standard_normal((2, 6)), rng.standard_normal((2, 3))
    whole = lnn.LeastSquares(lnn.Samples(X), Y)
    draws = np.array([lnn.Batches(X, Y, 2, rng=np.random.default_rng(k)).gradient(W) for k in range(4000)])
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - whole.gradient(W)) < 5 * error).all() and error.min() > 0
    singles = {tuple(np.round(6 * np.outer(W @ x - y, x), 9).ravel()) for x, y in zip(X.T, Y.T, strict=True)}
    one = lnn.Batches(X, Y, 1, rng=np.random.default_rng(0))
    assert {tuple(np.round(one.gradient(W), 9).ravel()) for _ in range(100)} == singles
    np.testing.assert_allclose(lnn.Batches(X, Y, 6, rng=rng).gradient(W), whole.gradient(W), rtol=1e-12)
    np.testing.assert_allclose(lnn.Batches(X, Y, 2, rng=rng)(W), whole(W), rtol=EXACT)


@pytest.mark.parametrize(("verb", "eta"), [(lnn.gradient_descent, 0.002), (lnn.adam, 0.01)])
def test_a_run_on_batches_follows_its_draws_and_records_the_loss_of_all(verb, eta):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((3, 20))
    Y = rng.standard_normal((2, 3)) @ X
    weights = lnn.initial.gaussian((3, 4, 2), 0.5, rng=rng)
    paths = [verb(weights, lnn.Batches(X, Y, 4, rng=np.random.default_rng(1)), eta, 1500, every=n) for n in (1, 500)]
    assert np.array_equal(paths[0].end_to_end[-1], paths[1].end_to_end[-1])
    whole = lnn.LeastSquares(lnn.Samples(X), Y)
    np.testing.assert_allclose(paths[0].losses, whole(paths[0].end_to_end), rtol=1e-10, atol=1e-14)
    assert paths[0].losses[-1] < 1e-2 * paths[0].losses[0] and (np.diff(paths[0].losses) > 0).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((4, 2)), 2, rng=rng), "a column for each of the 4 columns"),
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 5, rng=rng), "at most the number of samples, 4"),
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 0, rng=rng), "batch must be at least 1"),
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 2, rng=0), "rng must be a numpy"),
    ],
)
def test_batches_that_are_none_are_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(np.random.default_rng(0))
