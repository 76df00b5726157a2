import copy
import dataclasses
import pickle

import numpy as np
import pytest
from draws import WIDTHS, network
from tolerances import EXACT

import lnn
from lnn.runs.recording import record

LOSS = lnn.LeastSquares(lnn.Everything((1, 1)), np.zeros(1))


def stream(values):
    """Networks of one number each, at times 0, 1, and so on."""
    return ((float(k), (np.array([[v]], dtype=float),)) for k, v in enumerate(values))


@pytest.fixture(scope="module")
def path():
    rng = np.random.default_rng(0)
    loss = lnn.LeastSquares(lnn.Everything((5, 7)), rng.standard_normal(35))
    return lnn.gradient_descent(network(WIDTHS, rng), loss, 1e-4, 40, every=10)


def test_a_trajectory_is_a_network_with_a_time_axis(path):
    assert len(path) == 5 and path.depth == 3 and path.widths == WIDTHS
    assert [W.shape for W in path[2]] == [(6, 7), (8, 6), (5, 8)]
    for k, weights in enumerate(path):
        np.testing.assert_allclose(path.end_to_end[k], lnn.end_to_end(weights), atol=EXACT * 1e3)
    expected = [np.linalg.svd(W, compute_uv=False) for W in path.end_to_end]
    np.testing.assert_allclose(path.singular_values, expected, rtol=1e-10)
    np.testing.assert_allclose(path.times, [0, 1e-3, 2e-3, 3e-3, 4e-3], rtol=EXACT)


def test_a_trajectory_cannot_be_changed(path):
    with pytest.raises(ValueError, match="read-only"):
        path.weights[0][0] = 0
    with pytest.raises(ValueError, match="read-only"):
        path.singular_values[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        path.losses = None


def test_a_slice_of_a_trajectory_is_one(path):
    some = path[1:4]
    assert isinstance(some, lnn.Trajectory) and some.times.tolist() == path.times[1:4].tolist()
    assert all(np.array_equal(A, B[1:4]) for A, B in zip(some.weights, path.weights, strict=True))
    assert np.array_equal(some.losses, path.losses[1:4]) and some.outcome is path.outcome
    assert np.array_equal(some.end_to_end, path.end_to_end[1:4]) and not some.losses.flags.writeable
    assert path[::-1].times[0] == path.times[-1] and len(path[-2:]) == 2
    with pytest.raises(ValueError, match="an empty slice of a trajectory of 5 times: 5:9"):
        path[5:9]


@pytest.mark.parametrize("way", [copy.deepcopy, copy.copy, lambda path: pickle.loads(pickle.dumps(path))])
@pytest.mark.parametrize("model", [lnn.network, lnn.tensor, lnn.diagonal.Signed(2)])
def test_a_copy_of_a_trajectory_cannot_be_changed_either(way, model):
    loss = lnn.LeastSquares(lnn.Everything((2, 2)), np.eye(2))
    path = lnn.gradient_descent((np.eye(2), 0.5 * np.eye(2)), loss, 0.1, 3, model=model)
    twin = way(path)
    assert twin.model == model and twin.outcome is path.outcome and repr(twin) == repr(path)
    for array in (twin.times, twin.losses, *twin.weights, twin.end_to_end, twin.singular_values):
        assert not array.flags.writeable
    assert np.array_equal(twin.end_to_end, path.end_to_end)


def test_the_arrays_of_the_caller_stay_the_callers():
    times, layers, losses = np.arange(2.0), np.ones((2, 2, 3)), np.ones(2)
    path = lnn.Trajectory(times, (layers,), losses, lnn.Outcome.FINISHED)
    times[:], layers[:], losses[:] = 7, 7, 7
    assert path.times.tolist() == [0, 1] and path.losses.tolist() == [1, 1] and (path.weights[0] == 1).all()


def test_a_trajectory_in_the_place_of_a_network_is_read_as_what_it_is():
    """With equal widths the time axis would pass for layers."""
    rng = np.random.default_rng(6)
    loss = lnn.LeastSquares(lnn.Everything((3, 3)), rng.standard_normal(9))
    path = lnn.gradient_flow((rng.standard_normal((3, 3)), rng.standard_normal((3, 3))), loss, [0.0, 0.1, 0.2])
    kept = lnn.imbalance(path)
    np.testing.assert_allclose(kept, [lnn.imbalance(weights) for weights in path], rtol=1e-12)
    assert kept.shape == (3,) and np.ptp(kept) < 1e-7
    assert lnn.widths(path) == (3, 3, 3) and np.array_equal(lnn.end_to_end(path), path.end_to_end)
    assert np.array_equal(lnn.pack(path), lnn.pack(path.weights))
    for take in (lnn.singular_values, np.asarray, lambda path: lnn.precondition(path, np.eye(3), 2)):
        with pytest.raises(TypeError, match="a Trajectory is no array: take its end_to_end, or its weights"):
            take(path)
    cube = lnn.gradient_descent((np.eye(2),) * 2, lnn.LeastSquares(lnn.Everything((2, 2)), np.ones(4)), 0.1, 2,
                                model=lnn.tensor)  # fmt: skip
    assert np.array_equal(lnn.tensor.imbalance(cube), lnn.tensor.imbalance(cube.weights))
    for take in (lnn.imbalance, lnn.widths, lnn.hierarchical.imbalance, lnn.tied.check):
        with pytest.raises(TypeError, match=r"reads trajectories of the model .*, got one of tensor"):
            take(cube)
    with pytest.raises(TypeError, match="of the model network, got one of tensor"):
        cube.widths  # noqa: B018


def test_tensors_have_component_norms_and_only_matrices_have_singular_values():
    rng = np.random.default_rng(7)
    factors = lnn.tensor.gaussian((2, 3, 4), 2, 0.5, rng=rng)
    loss = lnn.LeastSquares(lnn.Everything((2, 3, 4)), np.ones(24))
    path = lnn.gradient_descent(factors, loss, 0.01, 2, model=lnn.tensor)
    assert np.array_equal(path.component_norms, lnn.tensor.component_norms(path.weights))
    with pytest.raises(ValueError, match=r"got tensors of shape \(2, 3, 4\)"):
        path.singular_values  # noqa: B018


def test_the_repr_is_one_line_with_the_story(path):
    assert repr(path).startswith("Trajectory(depth 3, widths 7-6-8-5, 5 times, loss ") and "FINISHED" in repr(path)
    assert "\n" not in repr(path)


def test_record_keeps_every_so_manieth_and_the_last():
    assert record(stream(range(1, 9)), LOSS, every=3).times.tolist() == [0, 3, 6, 7]
    assert record(stream(range(1, 8)), LOSS, every=3).times.tolist() == [0, 3, 6]
    assert record(stream(range(1, 9)), LOSS, every=[2, 5]).times.tolist() == [0, 2, 5, 7]


def test_record_stops_at_the_loss_asked_for():
    path = record(stream([4, 2, 1, 0.5]), LOSS, stop=0.5)
    assert path.times.tolist() == [0, 1, 2] and path.outcome is lnn.Outcome.CONVERGED


def test_divergence_is_an_outcome_and_keeps_what_was_finite():
    path = record(stream([1, 1e100, 1e200, np.nan, 1]), LOSS)
    assert path.outcome is lnn.Outcome.DIVERGED and path.times.tolist() == [0, 1]
    assert np.isfinite(path.losses).all()
    assert record(stream([1, 2, np.inf]), LOSS, every=5).outcome is lnn.Outcome.DIVERGED


def test_an_infinite_loss_at_the_start_is_refused():
    with pytest.raises(ValueError, match="not finite at the first network"):
        record(stream([1e200]), LOSS)


def squares(kind):
    """½‖W‖² of the package, or of authors who did not think of stacks, or whose answer for a stack is another thing."""
    if kind == "the package's":
        return lnn.LeastSquares(lnn.Everything((5, 5)), np.zeros(25))

    class Squares:
        def __call__(self, W):
            if kind == "one sum for all":
                return 0.5 * (W**2).sum()
            if kind == "the wrong axes":  # of a stack of five matrices, five numbers that are not their losses
                return 0.5 * (W**2).sum(axis=(0, 1)) if W.ndim == 3 else 0.5 * (W**2).sum()
            (m, n), total = W.shape, 0.0  # fails on a stack
            for i in range(m):
                for j in range(n):
                    total += 0.5 * W[i, j] ** 2
            return total

        def gradient(self, W):
            return W

    return Squares()


@pytest.mark.parametrize("together", [1, 100, 2**15])  # entries: every network by itself, five at a time, all
@pytest.mark.parametrize("kind", ["the package's", "one sum for all", "the wrong axes", "one matrix"])
def test_losses_are_those_of_the_networks_however_many_are_looked_at_together(monkeypatch, kind, together):
    monkeypatch.setattr(lnn.runs.recording, "TOGETHER", together)
    rng = np.random.default_rng(4)
    networks = [(rng.standard_normal((4, 5)), rng.standard_normal((5, 4))) for _ in range(23)]  # a product of 5 x 5
    loss, calls = squares(kind), []
    value = type(loss).__call__
    monkeypatch.setattr(type(loss), "__call__", lambda self, W: calls.append(W.ndim) or value(self, W))
    path = record(((k, weights) for k, weights in enumerate(networks)), loss)
    expected = [0.5 * np.linalg.norm(V @ W) ** 2 for W, V in networks]
    np.testing.assert_allclose(path.losses, expected, rtol=EXACT)
    for k, weights in enumerate(networks):
        assert all(np.array_equal(A, B) for A, B in zip(path[k], weights, strict=True))
    if kind == "the package's":
        assert len(calls) <= {1: 23, 100: 9, 2**15: 2}[together]
    else:
        assert calls == [2] * 23  # one matrix at a time, once each


@pytest.mark.parametrize("together", [1, 7, 2**15])
def test_a_run_ends_where_it_does_however_many_are_looked_at_together(monkeypatch, together):
    monkeypatch.setattr(lnn.runs.recording, "TOGETHER", together)
    for last in (1e200, np.inf, np.nan):  # an infinite loss, an infinite weight, a NaN
        path = record(stream([1, 2, 3, 4, 5, last, 7, 8]), LOSS)
        assert path.outcome is lnn.Outcome.DIVERGED and path.times.tolist() == [0, 1, 2, 3, 4]
        assert path.losses.tolist() == [0.5, 2, 4.5, 8, 12.5]
    path = record(stream([4, 3, 2, 1, 0.5, np.nan]), LOSS, stop=0.5)
    assert path.outcome is lnn.Outcome.CONVERGED and path.times.tolist() == [0, 1, 2, 3]
    path = record(stream([4, 3, 2]), LOSS, every=5, stop=2)  # the last one is kept in any case, and counts
    assert path.outcome is lnn.Outcome.CONVERGED and path.times.tolist() == [0, 2]


def test_the_stream_ends_at_the_first_network_that_is_not_finite():
    asked = []

    def values():
        for v in (1, 2, np.nan, 3, 4):
            asked.append(v)
            yield v

    assert len(record(stream(values()), LOSS)) == 2 and len(asked) == 3


class Restless:
    """½‖W‖² plus what the last call has left, as a mini-batch or a moving target would."""

    def __init__(self):
        self.calls = 0

    def __call__(self, W):
        self.calls += 1
        return 0.5 * np.sum(W**2) + self.calls

    def gradient(self, W):
        return W


def test_a_loss_that_changes_is_asked_once_for_every_kept_iterate_with_or_without_a_stop():
    for options in ({}, {"stop": 0.1}):
        path = lnn.gradient_descent((np.ones((1, 2)),), Restless(), 0.5, 6, every=2, **options)
        assert path.losses.tolist() == pytest.approx([1 + 1, 1 / 16 + 2, 1 / 256 + 3, 1 / 4096 + 4], rel=1e-12)


def test_a_loss_written_for_one_matrix_has_the_losses_of_a_flow_right():
    rng = np.random.default_rng(8)
    Phi, start = rng.standard_normal((3, 3)), rng.standard_normal((3, 3))

    class One:
        def __call__(self, W):
            return 0.5 * ((W - Phi) ** 2).sum((0, 1))

        def gradient(self, W):
            return W - Phi

    for times in ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0]):
        path = lnn.gradient_flow((start,), One(), times)
        expected = 0.5 * np.linalg.norm(start - Phi) ** 2 * np.exp(-2 * np.array(times))
        np.testing.assert_allclose(path.losses, expected, rtol=1e-6)


def test_no_gradient_is_drawn_before_the_first_step():
    """A seeded stochastic loss: step k has the k-th draw, in a run and in single steps alike."""

    class Noisy:
        def __init__(self):
            self.rng = np.random.default_rng(5)

        def __call__(self, W):
            return 0.5 * np.sum(W**2)

        def gradient(self, W):
            return W + self.rng.standard_normal(W.shape)

    draws, W = np.random.default_rng(5).standard_normal((3, 2, 2)), np.eye(2)
    for draw in draws:
        W = W - 0.1 * (W + draw)
    np.testing.assert_allclose(lnn.gradient_descent((np.eye(2),), Noisy(), 0.1, 3).end_to_end[-1], W, rtol=EXACT)
    np.testing.assert_allclose(lnn.end_to_end_descent(np.eye(2), Noisy(), 1, 0.1, 3).end_to_end[-1], W, rtol=EXACT)
    loss, weights = Noisy(), (np.eye(2),)
    for _ in draws:
        weights = lnn.gradient_step(weights, loss, 0.1)
    np.testing.assert_allclose(weights[0], W, rtol=EXACT)


class Uphill:
    """½‖W - 1‖² with a gradient of the wrong sign."""

    def __call__(self, W):
        return 0.5 * np.sum((W - 1) ** 2)

    def gradient(self, W):
        return 1 - W


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize(
    "run",
    [
        lambda weights, loss: lnn.gradient_descent(weights, loss, 0.05, 80),
        lambda weights, loss: lnn.gradient_descent(weights, loss, 0.05, 80, every=80),
        lambda weights, loss: lnn.momentum(weights, loss, 0.05, 20),
        lambda weights, loss: lnn.gradient_flow(weights, loss, [0.0, 0.3]),
        lambda weights, loss: lnn.end_to_end_descent(lnn.end_to_end(weights), loss, 2, 0.05, 30),
        lambda weights, loss: lnn.ensemble_descent([np.stack([W, 2 * W]) for W in weights], loss, 0.05, 30),
    ],
)
def test_a_gradient_of_the_wrong_sign_is_refused(run, scale):
    weights = (np.full((2, 2), scale**0.5), 2 * np.full((2, 2), scale**0.5))
    with pytest.raises(ValueError, match="the gradient of the loss has the wrong sign"):
        run(weights, Uphill())


def test_what_is_recorded_is_made_of_floats_of_one_shape():
    ones = lnn.LeastSquares.to(np.zeros((2, 2)))
    for W in (np.ones((2, 2), int), np.ones((2, 2), np.float32), [[1, 1], [1, 1]]):
        path = record([(0.0, (W,)), (1, (W,))], ones)
        assert path.weights[0].dtype == np.float64 and path.weights[0].shape == (2, 2, 2) and path.losses[1] == 2
    any_six = lnn.LeastSquares(lnn.Products(np.ones((1, 2, 3))), [1.0])
    for other in ((np.ones((3, 2)),), (np.ones((2, 3)), np.ones((2, 2)))):
        with pytest.raises(ValueError, match=r"the iterates must have one shape, got \[\(2, 3\)\] and"):
            record([(0.0, (np.ones((2, 3)),)), (1.0, other)], any_six)
    with pytest.raises(TypeError, match="complex128"):
        record([(0.0, (np.ones((2, 2)) * 1j,))], ones)


def test_a_loss_that_climbs_to_a_plateau_is_refused_too():
    class Bounded:
        def __call__(self, W):
            return 1 - np.exp(-(W**2).sum())

        def gradient(self, W):
            return -2 * W * np.exp(-(W**2).sum())

    with pytest.raises(ValueError, match="wrong sign"):
        lnn.gradient_descent((np.ones((1, 1)),), Bounded(), 0.5, 20, every=[5, 19])
    path = lnn.gradient_descent((np.full((1, 1), 7.0),), Bounded(), 0.5, 20)  # on it from the beginning
    assert (path.losses == 1).all()


def test_a_random_gradient_has_no_wrong_sign_and_no_draw_is_lost_in_looking_for_one():
    """Where the loss rises in a step, by chance, the next run goes on with the draw after it."""

    class Coin:
        def __init__(self, seed):
            self.rng = np.random.default_rng(seed)

        def __call__(self, W):
            return 0.5 * (W**2).sum()

        def gradient(self, W):
            return W + 0.5 * self.rng.choice([-1, 1])

    start, samples = (np.full((1, 1), 0.26),), np.ones((1, 2))
    for seed in range(12):
        losses = Coin(seed), lnn.Batches(samples, np.array([[0.5, -0.5]]), 1, rng=np.random.default_rng(seed))
        for loss in losses:
            again = copy.deepcopy(loss)
            whole, path = lnn.gradient_descent(start, loss, 0.3, 6), start
            for _ in range(6):
                path = lnn.gradient_descent(path, again, 0.3, 1)
            assert np.array_equal(path.end_to_end[-1], whole.end_to_end[-1])


def test_a_step_that_is_too_large_is_no_wrong_sign():
    path = lnn.gradient_descent((np.full((2, 2), 5.0),), lnn.LeastSquares(lnn.Everything((2, 2)), np.ones(4)), 2.5, 40)
    assert path.outcome is lnn.Outcome.FINISHED and (np.diff(path.losses) > 0).all()


def test_every_must_be_a_count_or_a_list_of_steps():
    with pytest.raises(ValueError, match="every"):
        record(stream([1, 2]), LOSS, every=0)
    for wrong in ([5, 3], [2, 2], np.array([4, 1])):
        with pytest.raises(ValueError, match="every must be a whole number, or increase, got"):
            record(stream([1, 2]), LOSS, every=wrong)
    for wrong in (1.0, True, np.True_, [1, 2.0], "3", [True]):
        with pytest.raises(TypeError, match=r"every.* must be a whole number"):
            record(stream([1, 2]), LOSS, every=wrong)
    for right in (3, np.int64(3), np.array(3), [3, 6], (3, 6), range(3, 7, 3), np.array([0, 3, 6])):
        assert record(stream(range(1, 9)), LOSS, every=right).times.tolist() == [0, 3, 6, 7]


def test_progress_draws_a_bar_and_changes_nothing(capsys):
    shown = record(stream([3, 2, 1]), LOSS, progress=True, steps=2)
    assert np.array_equal(shown.losses, record(stream([3, 2, 1]), LOSS).losses)


class Student:
    """A loss as a student writes it: no base class, two methods."""

    def __call__(self, W):
        return np.cosh(W).sum(axis=(-2, -1))

    def gradient(self, W):
        return np.sinh(W)


def test_any_class_with_a_value_and_a_gradient_is_a_loss():
    weights = lnn.initial.gaussian(WIDTHS, 0.2, rng=np.random.default_rng(3))
    path = lnn.gradient_descent(weights, Student(), 1e-2, 50)
    assert path.losses[-1] < path.losses[0]


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (lambda W: 0.0, TypeError, "method gradient"),
        (lnn.LeastSquares(lnn.Everything((3, 3)), np.zeros(9)), ValueError, "does not accept"),
        (type("L", (), {"__call__": lambda s, W: W, "gradient": lambda s, W: W})(), ValueError, "the loss has shape"),
        (
            type("L", (), {"__call__": lambda s, W: 1.0, "gradient": lambda s, W: W[0]})(),
            ValueError,
            r"at a matrix of shape \(5, 7\) the gradient of the loss has shape \(7,\)",
        ),
    ],
)
@pytest.mark.parametrize("width", [7, 500])  # by SciPy's products, or NumPy's
@pytest.mark.parametrize(
    "run",
    [
        lambda weights, loss: lnn.gradient_descent(weights, loss, 0.1, 2),
        lambda weights, loss: lnn.adam(weights, loss, 0.1, 2),
        lambda weights, loss: lnn.gradient_flow(weights, loss, [0.0, 1.0]),
        lambda weights, loss: lnn.end_to_end_descent(lnn.end_to_end(weights), loss, 2, 0.1, 2),
        lambda weights, loss: lnn.end_to_end_flow(lnn.end_to_end(weights), loss, 2, [0.0, 1.0]),
    ],
)
def test_what_is_no_loss_is_refused(loss, error, message, run, width):
    with pytest.raises(error, match=message):
        run((np.full((width, 7), 0.1), np.full((5, width), 0.1)), loss)
