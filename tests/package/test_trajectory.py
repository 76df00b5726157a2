import dataclasses

import numpy as np
import pytest
from draws import WIDTHS, network
from tolerances import EXACT

import lnn
from lnn.trajectory import record

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
    monkeypatch.setattr(lnn.trajectory, "TOGETHER", together)
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
    monkeypatch.setattr(lnn.trajectory, "TOGETHER", together)
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


def test_every_must_be_a_count_or_a_list_of_steps():
    with pytest.raises(ValueError, match="every"):
        record(stream([1, 2]), LOSS, every=0)


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
