import copy
import dataclasses
import pickle

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


X, LABELS, W = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0, 1.0]), np.ones((2, 2))
KEPT = {
    "Everything": lambda: lnn.Everything((2, 2)),
    "Samples": lambda: lnn.Samples(X),
    "Entries": lambda: lnn.Entries(np.eye(2, dtype=bool)),
    "Products": lambda: lnn.Products(W[None]),
    "LeastSquares": lambda: lnn.LeastSquares.to(W),
    "LeastSquares.fit": lambda: lnn.LeastSquares.fit(X, X, samples="columns"),
    "PowerLoss": lambda: lnn.PowerLoss(lnn.Samples(X), X, 3),
    "HuberLoss": lambda: lnn.HuberLoss(lnn.Products(W[None]), [1.0], 3),
    "Batches": lambda: lnn.Batches(X, X, 2, rng=np.random.default_rng(0)),
    "LogisticLoss": lambda: lnn.LogisticLoss(X, LABELS),
    "ExponentialLoss": lambda: lnn.ExponentialLoss(X, LABELS),
    "CrossEntropy": lambda: lnn.CrossEntropy(X, [0, 1, 0]),
    "NuclearSolution": lambda: lnn.nuclear.minimize(lnn.Everything((2, 2)), W, max_iterations=2),
    "OverlappedSolution": lambda: lnn.unfolding.minimize(lnn.Entries(W == 1), np.ones(4), max_iterations=2),
    "Ensemble": lambda: lnn.ensemble_descent((W[None],), lnn.LeastSquares.to(W), 0.1, 2),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_keeps_arrays_keeps_them_from_being_written_to_also_in_pickles_and_copies(name):
    first = KEPT[name]()
    for twin in (first, copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        seen = 0
        for field in dataclasses.fields(twin):
            value, same = getattr(twin, field.name), getattr(first, field.name)
            for array, other in zip(*(v if isinstance(v, tuple) else (v,) for v in (value, same)), strict=True):
                if isinstance(array, np.ndarray):
                    seen += 1
                    assert not array.flags.writeable and np.array_equal(array, other)
        assert seen or name == "Everything"


@pytest.mark.parametrize("kind", ["LeastSquares", "PowerLoss", "HuberLoss"])
@pytest.mark.parametrize("shape", [(2, 2), (1, 4)])
def test_lists_and_frames_are_matrices_and_what_is_none_is_refused_in_words(kind, shape):
    seen = lnn.Everything(shape) if shape == (2, 2) else lnn.Entries(np.ones(shape, bool))
    loss = getattr(lnn, kind)(seen, np.ones(4), *{"PowerLoss": (4,), "HuberLoss": (0.1,)}.get(kind, ()))

    class Frame:
        def __array__(self, *_, **__):
            return 1.0 + np.arange(4.0).reshape(shape)

    W = np.asarray(Frame())
    for other in (W.tolist(), tuple(map(tuple, W)), Frame(), W.view(type("Odd", (np.ndarray,), {}))):
        assert loss(other) == loss(W) and np.array_equal(loss.gradient(other), loss.gradient(W))
        assert type(loss.gradient(other)) is np.ndarray
    masked = np.ma.masked_less(W, 2)
    for ask in (loss, loss.gradient):
        with pytest.raises(TypeError, match="one with 1 entries masked out"):
            ask(masked)
        with pytest.raises(TypeError, match="W must be one array, got a tuple of 2 matrices: of a network take end"):
            ask((W, W))
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
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 2, rng=rng)(np.ones((1, 3))), "must have 2 rows"),
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 2, rng=rng).gradient(np.ones((1, 3))), "2 rows"),
        (lambda rng: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 2, rng=rng)(np.ones(3)), "need W of shape"),
    ],
)
def test_batches_that_are_none_are_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(np.random.default_rng(0))


@pytest.mark.parametrize(
    ("features", "outputs", "samples"), [(4, 3, 30), (4, 3, 5), (4, 3, 6), (4, 3, 4), (5, 2, 3), (1, 1, 9)]
)
def test_a_fit_is_the_loss_of_all_samples_at_the_price_of_few(features, outputs, samples):
    rng = np.random.default_rng(samples)
    X, Y = rng.standard_normal((features, samples)), rng.standard_normal((outputs, samples))
    X[0] *= 1e-4  # an ill-conditioned one
    loss = lnn.LeastSquares.fit(X, Y, samples="columns")
    assert loss.measure.X.shape == (features, min(features, samples))
    rows = lnn.LeastSquares.fit(X.T, Y.T, samples="rows")
    W = rng.standard_normal((2, 5, outputs, features))
    V = rng.standard_normal((outputs, features))
    for k in np.ndindex(2, 5):
        value = sum(0.5 * np.sum((W[k] @ x - y) ** 2) for x, y in zip(X.T, Y.T, strict=True))
        slope = sum(np.outer(W[k] @ x - y, x) for x, y in zip(X.T, Y.T, strict=True))
        for each in (loss, rows):
            assert each(W)[k] == pytest.approx(value, rel=1e-13) and each(W[k]) == pytest.approx(value, rel=1e-13)
            np.testing.assert_allclose(each.gradient(W[k]), slope, rtol=0, atol=1e-13 * np.abs(slope).max())
    curve = lnn.hessian_vector((W[0, 0],), loss, (V,))[0]
    np.testing.assert_allclose(curve, V @ X @ X.T, rtol=0, atol=1e-12)


def test_a_fit_is_right_where_the_residual_is_small_and_at_the_minimum():
    """The least value is that of NumPy's least squares; through XXᵀ and YXᵀ nothing would be left of 1e-10."""
    rng = np.random.default_rng(0)
    X, truth = rng.standard_normal((6, 400)), rng.standard_normal((3, 6))
    Y = truth @ X + 1e-10 * rng.standard_normal((3, 400))
    best, left, *_ = np.linalg.lstsq(X.T, Y.T)
    loss = lnn.LeastSquares.fit(X, Y, samples="columns")
    assert loss(best.T) == pytest.approx(0.5 * left.sum(), rel=1e-3) and loss.constant < 1e-17
    assert loss(best.T) == pytest.approx(loss.constant, rel=1e-6)
    assert loss(truth) == pytest.approx(0.5 * np.sum((truth @ X - Y) ** 2), rel=1e-3)


def test_runs_on_a_fit_are_those_on_all_samples():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((50, 3)), rng.standard_normal(50)
    weights = lnn.initial.gaussian((3, 4, 1), 0.5, rng=rng)
    short = lnn.LeastSquares.fit(X, y, samples="rows")
    whole = lnn.LeastSquares(lnn.Samples(X.T), y)
    one, other = (lnn.gradient_descent(weights, loss, 0.005, 100) for loss in (short, whole))
    np.testing.assert_allclose(one.losses, other.losses, rtol=1e-11)
    np.testing.assert_allclose(one.end_to_end, other.end_to_end, rtol=0, atol=1e-12)
    assert short.measure.X.size == 9
    for twin in (dataclasses.replace(short), pickle.loads(pickle.dumps(short))):
        assert twin(one.end_to_end[3]) == short(one.end_to_end[3]) and twin.constant == short.constant > 0
    np.testing.assert_allclose(lnn.LeastSquares.fit(X.T, y, samples="columns")(np.ones((1, 3))), short(np.ones((1, 3))))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda X, Y: lnn.LeastSquares.fit(X, Y), TypeError, "samples"),
        (lambda X, Y: lnn.LeastSquares.fit(X, Y, samples="row"), ValueError, 'must be "columns" or "rows"'),
        (lambda X, Y: lnn.LeastSquares.fit(X, Y, samples="rows"), ValueError, r"many rows, .* got \(3, 8\) and"),
        (lambda X, Y: lnn.LeastSquares.fit(X, Y[:, 1:], samples="columns"), ValueError, "as many columns"),
        (lambda X, Y: lnn.LeastSquares.fit(X[None], Y, samples="columns"), ValueError, "as many columns"),
        (lambda X, Y: lnn.LeastSquares.fit(X * np.nan, Y, samples="columns"), ValueError, "X must be finite"),
        (lambda X, Y: lnn.LeastSquares.to(X[0]), ValueError, r"target must be a matrix .*, got shape \(8,\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((3, 8)), np.ones((2, 8)))


def test_the_distance_to_a_matrix_or_a_tensor_is_a_loss():
    rng = np.random.default_rng(3)
    for shape in ((4, 6), (2, 3, 4)):
        target, W = rng.standard_normal((2, *shape))
        loss = lnn.LeastSquares.to(target)
        assert loss(W) == pytest.approx(0.5 * sum((W.flat[k] - target.flat[k]) ** 2 for k in range(W.size)), rel=EXACT)
        np.testing.assert_array_equal(loss.gradient(W), W - target)
        target[...] = 0
        assert loss(W) != pytest.approx(0.5 * (W**2).sum())


class Tripled(lnn.Everything):
    """A measurement that is derived from one of the package, and is another one."""

    def __call__(self, W):
        return 3 * super().__call__(W)

    def adjoint(self, r):
        return 3 * super().adjoint(r)


def test_a_derived_measurement_is_asked_and_not_what_it_is_derived_from():
    W, target = np.random.default_rng(0).standard_normal((2, 2, 3))
    loss = lnn.LeastSquares(Tripled((2, 3)), target)
    G = 3 * (3 * W - target)
    assert loss(W) == pytest.approx(0.5 * np.sum((3 * W - target) ** 2), rel=EXACT)
    np.testing.assert_allclose(loss.gradient(W), G, rtol=EXACT)
    np.testing.assert_allclose(lnn.gradient_descent((W,), loss, 0.1, 1)[-1][0], W - 0.1 * G, rtol=EXACT)
    np.testing.assert_allclose(lnn.ensemble_descent((W[None],), loss, 0.1, 1)[0][-1][0], W - 0.1 * G, rtol=EXACT)
    np.testing.assert_allclose(lnn.hessian_vector((W,), loss, (W,))[0], 9 * W, rtol=EXACT)
    least = lnn.nuclear.minimize(Tripled((2, 2)), [3.0, 0.0, 0.0, 6.0])
    np.testing.assert_allclose(least.matrix, np.diag([1.0, 2.0]), atol=1e-6)


class Careless:
    """Half the squared distance from a matrix, in buffers that are used again; it writes to what it is given."""

    def __init__(self, target):
        self.target, self.buffer, self.number = target, np.zeros_like(target), np.zeros(())

    def __call__(self, W):
        W -= self.target
        self.buffer[...] = W
        self.number[...] = 0.5 * (W**2).sum()
        return self.number

    def gradient(self, W):
        W -= self.target
        self.buffer[...] = W
        return self.buffer


@pytest.mark.parametrize("depth", [1, 2])
def test_a_loss_may_write_to_its_matrix_and_answer_in_a_buffer_of_its_own(depth):
    rng = np.random.default_rng(depth)
    target, *weights = 0.5 * rng.standard_normal((depth + 1, 3, 3))
    before, times = np.array(weights), [0, 0.3, 0.7]
    many = [np.stack([W, 2 * W, -W]) for W in weights]
    stop = 0.5 * float(lnn.LeastSquares.to(target)(lnn.end_to_end(weights)))
    runs = [
        lambda loss: lnn.gradient_descent(weights, loss, 0.1, 5),
        lambda loss: lnn.gradient_descent(weights, loss, 0.1, 50, stop=stop),
        lambda loss: lnn.adam(weights, loss, 0.1, 5),
        lambda loss: lnn.gradient_descent(weights, loss, 0.1, 5, model=lnn.diagonal),
        lambda loss: lnn.end_to_end_descent(weights[0], loss, depth, 0.1, 5),
        lambda loss: lnn.gradient_flow(weights, loss, times),
        lambda loss: lnn.gradient_flow(weights, loss, times, stop=stop),
        lambda loss: lnn.end_to_end_flow(weights[0], loss, depth, times),
        lambda loss: lnn.ensemble_descent(many, loss, 0.1, 5),
    ]
    for run in runs:
        path, right = run(Careless(target)), run(lnn.LeastSquares.to(target))
        np.testing.assert_allclose(path.losses, right.losses, rtol=1e-9)
        for W, V in zip(path.weights, right.weights, strict=True):
            np.testing.assert_allclose(W, V, rtol=0, atol=1e-9)
    right = lnn.LeastSquares.to(target)
    for step in (lnn.gradient_step, lambda weights, loss, eta: (lnn.end_to_end_step(weights[0], loss, depth, eta),)):
        for W, V in zip(step(weights, Careless(target), 0.1), step(weights, right, 0.1), strict=True):
            np.testing.assert_allclose(W, V, rtol=0, atol=1e-14)
    assert lnn.check_gradient(Careless(target), (3, 3), rng=rng) < 1e-8
    assert np.array_equal(weights, before)


@pytest.mark.parametrize("kind", [bool, np.uint8, int, np.float32, list])
def test_a_gradient_of_other_numbers_is_one_of_floats(kind):
    class Hinge:
        """Σ max(W, 0), with a slope of 0 or 1: no sign of unsigned numbers is lost."""

        def __call__(self, W):
            return np.maximum(W, 0).sum()

        def gradient(self, W):
            return (W > 0).tolist() if kind is list else (W > 0).astype(kind)

    start = np.array([[1.0, -2.0, 3.0]])
    moved = np.array([[0.5, -2.0, 2.5]])
    for path in (
        lnn.gradient_descent((start,), Hinge(), 0.1, 5),
        lnn.momentum((start,), Hinge(), 0.1, 5, beta=0),
        lnn.end_to_end_descent(start, Hinge(), 1, 0.1, 5),
        lnn.gradient_flow((start,), Hinge(), [0, 0.5]),
        lnn.end_to_end_flow(start, Hinge(), 1, [0, 0.5]),
        lnn.ensemble_descent((start[None],), Hinge(), 0.1, 5)[0],
    ):
        np.testing.assert_allclose(path.end_to_end[-1], moved, rtol=1e-12)
    np.testing.assert_allclose(lnn.gradient_step((start,), Hinge(), 0.5)[0], moved, rtol=1e-12)


@pytest.mark.parametrize("answer", [None, "3.0", 1j, [1.0]])
def test_a_loss_that_is_no_number_is_named(answer):
    class Answers:
        def __call__(self, W):
            return answer if self.value else 1.0

        def gradient(self, W):
            return W if self.value else np.full(W.shape, answer)

    loss = Answers()
    for loss.value, words in ((True, "must be a real number|no number"), (False, "must hold real numbers")):
        if answer == [1.0] and not loss.value:
            continue
        for run in (lnn.gradient_descent, lambda weights, loss, *_: lnn.gradient_flow(weights, loss, [0, 1.0])):
            with pytest.raises((TypeError, ValueError), match=words):
                run((np.ones((2, 3)),), loss, 0.1, 2)


class Cubic:
    """A loss of one's own, with a gradient that is right up to the given factor of one entry."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def __call__(self, W):
        return (W**3).sum() + 5.0 * W[0, 0] * W[1, 1]

    def gradient(self, W):
        G = 3 * W**2
        G[0, 0] += 5.0 * W[1, 1]
        G[1, 1] += 5.0 * W[0, 0]
        G[1, 2] *= self.factor
        return G


def test_a_right_gradient_passes_and_one_with_a_wrong_entry_does_not():
    rng = np.random.default_rng(0)
    assert lnn.check_gradient(Cubic(), (2, 3), rng=rng) < 1e-8
    for factor in (1.0001, 0.0, -1.0):
        with pytest.raises(ValueError, match=r"rises with slope .* but its values rise with slope"):
            lnn.check_gradient(Cubic(factor), (2, 3), rng=rng)
    assert 1e-6 < lnn.check_gradient(Cubic(1.0001), (2, 3), rng=rng, tolerance=1e-2) < 1e-3
    losses = (
        lnn.LeastSquares.fit(rng.standard_normal((3, 9)), rng.standard_normal((2, 9)), samples="columns"),
        lnn.PowerLoss(lnn.Entries(np.arange(6).reshape(2, 3) < 5), np.ones(5), 4),
        lnn.LogisticLoss(rng.standard_normal((3, 9)), np.r_[np.ones(5), -np.ones(4)]),
        lnn.CrossEntropy(rng.standard_normal((3, 9)), np.arange(9) % 2),
        lnn.LeastSquares.to(np.zeros((2, 3, 4))),
    )
    for loss, shape in zip(losses, [(2, 3), (2, 3), (1, 3), (2, 3), (2, 3, 4)], strict=True):
        assert lnn.check_gradient(loss, shape, rng=rng) < 1e-7


@pytest.mark.parametrize("size", [1e-12, 1e-5, 1e5, 1e12])
def test_a_right_gradient_passes_at_every_scale_and_a_wrong_one_does_not(size):
    rng = np.random.default_rng(1)
    target, X = rng.standard_normal((2, 2, 3))
    for loss in (
        lnn.LeastSquares.to(size * target),
        lnn.LeastSquares(lnn.Samples(size * X.T), X[:, :2]),
        lnn.PowerLoss(lnn.Everything((2, 3)), size * target, 3),
        lnn.HuberLoss(lnn.Everything((2, 3)), size * target, 9 * size),
    ):
        assert lnn.check_gradient(loss, (2, 3), rng=rng) < 1e-3

        class Off:
            def __init__(self, loss, factor):
                self.loss, self.factor = loss, factor

            def __call__(self, W):
                return self.loss(W)

            def gradient(self, W):
                return self.factor * self.loss.gradient(W)

        for factor in (-1, 0, 0.99, 2):
            with pytest.raises(ValueError, match="rises with slope"):
                lnn.check_gradient(Off(loss, factor), (2, 3), rng=rng)


def test_what_cannot_be_checked_is_refused():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3, 9))
    with pytest.raises(ValueError, match="rises with slope"):  # an estimate is no gradient
        lnn.check_gradient(lnn.Batches(X, X[:2], 2, rng=rng), (2, 3), rng=rng)
    with pytest.raises(TypeError, match="a loss must be callable"):
        lnn.check_gradient(np.ones((2, 3)), (2, 3), rng=rng)
    with pytest.raises(ValueError, match="samples of 3 features"):
        lnn.check_gradient(lnn.LeastSquares(lnn.Samples(X), X[:2]), (2, 4), rng=rng)
    with pytest.raises(ValueError, match="shape must be a pair"):
        lnn.check_gradient(Cubic(), 3, rng=rng)
