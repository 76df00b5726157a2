"""Runs on hard inputs: each comes to an end that its outcome names, with numbers that are finite and right."""

import matplotlib
import numpy as np
import pytest
from hard_draws import hard, kinds, powers, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

import lnn
from lnn.flow import METHODS
from lnn.trajectory import Outcome

matplotlib.use("agg")
import matplotlib.pyplot as plt

from lnn.draw import animate, plots

EXAMPLES = settings(max_examples=30)
DESCENTS = {
    "gradient_descent": lnn.gradient_descent,
    "momentum": lnn.momentum,
    "adagrad": lnn.adagrad,
    "adadelta": lnn.adadelta,
    "adam": lnn.adam,
    "end_to_end_descent": lambda weights, loss, *knobs, **more: lnn.end_to_end_descent(
        lnn.end_to_end(weights), loss, 3, *knobs, **more
    ),
}
sizes = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)


def problem(seed, widths, kind, power, aim):
    """A network of this scale and a loss whose observations have that scale: some entries, or one, or all."""
    rng = np.random.default_rng(seed)
    weights = tuple(hard(rng, m, n, kind, power) for m, n in zip(widths[1:], widths[:-1], strict=True))
    mask = rng.random((widths[-1], widths[0])) < rng.choice([0.0, 0.5, 1.0])
    mask[0, 0] = True
    return weights, lnn.LeastSquares(lnn.Entries(mask), 10.0**aim * rng.standard_normal(mask.sum()))


def sound(path, loss):
    """What holds of every record: finite, losses those of its networks, times increasing, an end that is named."""
    assert np.isfinite(path.times).all() and np.isfinite(path.losses).all() and np.isfinite(path.end_to_end).all()
    assert all(np.isfinite(W).all() for W in path.weights)
    assert (np.diff(path.times) > 0).all()
    np.testing.assert_allclose(path.losses, [loss(W) for W in path.end_to_end], rtol=1e-12)
    assert path.outcome in Outcome


@pytest.mark.parametrize("name", DESCENTS)
@given(seeds, sizes, kinds, powers, powers, st.integers(-300, 300), st.integers(1, 7))
@EXAMPLES
def test_a_descent_at_any_scale_and_step_size_ends_with_the_truth(name, seed, widths, kind, power, aim, step, every):
    weights, loss = problem(seed, widths, kind, power, aim)
    try:
        path = DESCENTS[name](weights, loss, 10.0**step, 20, every=every)
    except ValueError as refusal:
        assert "range of floats" in str(refusal) or "not finite at the first network" in str(refusal)
        return
    sound(path, loss)
    if path.outcome is Outcome.DIVERGED:
        assert len(path) < 1 + -(-20 // every)
    else:
        assert path.times[-1] == pytest.approx(20 * 10.0**step)


@given(seeds, powers, st.floats(-3, 0.6))
@EXAMPLES
def test_descent_on_one_layer_is_its_geometric_series_at_every_scale(seed, power, log_step):
    """W_k - Y = (1 - η)^k (W_0 - Y): it converges below η = 2 and grows beyond."""
    rng, eta = np.random.default_rng(seed), 10.0**log_step
    start, aim = 10.0**power * rng.standard_normal((2, 3, 4))
    path = lnn.gradient_descent((start,), lnn.LeastSquares(lnn.Everything((3, 4)), aim.ravel()), eta, 12)
    assert path.outcome is Outcome.FINISHED
    factors = (1 - eta) ** np.arange(13.0)
    scale = 10.0**power * max(1, abs(1 - eta) ** 12)
    np.testing.assert_allclose(
        path.end_to_end, aim + factors[:, None, None] * (start - aim), rtol=0, atol=1e-12 * scale
    )


@pytest.mark.parametrize("name", ["adagrad", "adadelta", "adam"])
def test_a_square_that_overflows_is_no_rest(name):
    """A gradient of 1e160 divided by the root of its infinite square would be a move of nothing."""
    loss = lnn.LeastSquares(lnn.Everything((1, 2)), np.zeros(2))

    class Steep:
        def __call__(self, W):
            return loss(W)

        def gradient(self, W):
            return 1e160 * loss.gradient(W)

    path = DESCENTS[name]((np.array([[1.0, 2.0]]),), Steep(), 0.1, 10)
    assert path.outcome is Outcome.DIVERGED and len(path) == 1


def test_a_diverging_end_to_end_descent_diverges_whatever_is_kept():
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), np.ones(6))
    for every in (1, 7, 1000):
        path = lnn.end_to_end_descent(np.eye(2, 3), loss, 3, 50.0, 200, every=every)
        assert path.outcome is Outcome.DIVERGED
        sound(path, loss)


def test_a_step_beyond_the_largest_float_is_refused():
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), np.zeros(6))
    with pytest.raises(ValueError, match=r"layer 1 after the step has 6 of 6 entries"):
        lnn.gradient_step((1e100 * np.ones((2, 3)),), loss, 1e250)
    with pytest.raises(ValueError, match="W after the step"):
        lnn.end_to_end_step(1e100 * np.ones((2, 3)), loss, 2, 1e250)


def test_a_time_that_is_no_float_ends_the_run():
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), np.zeros(6))
    path = lnn.gradient_descent((np.zeros((2, 3)),), loss, 1e308, 5)
    assert path.outcome is Outcome.DIVERGED and path.times.tolist() == [0.0, 1e308]


@pytest.mark.parametrize("method", METHODS)
@given(seeds, sizes, kinds, powers, powers, st.integers(-100, 100))
@settings(max_examples=15)
def test_a_flow_at_any_scale_ends_with_the_truth(method, seed, widths, kind, power, aim, end):
    weights, loss = problem(seed, widths, kind, power, aim)
    size = max(np.abs(W).max() for W in weights)
    try:
        path = lnn.gradient_flow(
            weights, loss, [0, 10.0**end], method=method, rtol=1e-5, atol=1e-9 * size or 1e-12, max_steps=30
        )
    except ValueError as refusal:
        assert "range of floats" in str(refusal) or "not finite at the first network" in str(refusal)
        return
    sound(path, loss)
    assert (path.times[-1] == 10.0**end) == (path.outcome is Outcome.FINISHED)
    if path.outcome is Outcome.FINISHED:
        assert path.losses[-1] <= path.losses[0] * (1 + 1e-3) + 1e-300
    assert path.effort.steps <= 30


@pytest.mark.parametrize("method", METHODS)
@given(seeds, powers)
@settings(max_examples=6)
def test_a_flow_on_one_layer_is_its_exponential_at_every_scale(method, seed, power):
    rng, c = np.random.default_rng(seed), 10.0**power
    start, aim = c * rng.standard_normal((2, 3, 4))
    loss = lnn.LeastSquares(lnn.Everything((3, 4)), aim.ravel())
    times = [0, 0.5, 3.0]
    path = lnn.gradient_flow((start,), loss, times, method=method, rtol=1e-5, atol=1e-8 * c)
    wanted = aim + np.exp(-np.array(times))[:, None, None] * (start - aim)
    np.testing.assert_allclose(path.end_to_end, wanted, rtol=0, atol=1e-2 * c)


def test_the_time_to_leave_a_tiny_start_is_right_or_refused():
    """A start below the absolute tolerance would grow at the solver's own pace."""
    start, loss = lnn.initial.balanced([[1e-40]], (1, 1, 1)), lnn.LeastSquares(lnn.Everything((1, 1)), np.ones(1))
    wanted = lnn.modes.time_to_reach(0.5, 1e-40, 1.0, 2)
    with pytest.raises(ValueError, match=r"atol is 1e-12, which leaves less than two digits .* at most 1e-22"):
        lnn.gradient_flow(start, loss, [0, 1e3], stop=0.125)
    for method in ("DOP853", "LSODA", "RK45"):
        path = lnn.gradient_flow(start, loss, [0, 1e3], method=method, atol=1e-30, stop=0.125)
        assert path.outcome is Outcome.CONVERGED and path.times[-1] == pytest.approx(wanted, rel=1e-5)


class Blind:
    """A loss whose gradient is not finite at the start, or somewhere on the way."""

    def __init__(self, gradient):
        self.gradient = gradient

    def __call__(self, W):
        return -W.sum(axis=(-2, -1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [np.nan, np.inf, "cliff"])
def test_a_gradient_that_is_not_finite_ends_a_flow_at_once(method, value):
    wall = Blind(lambda W: np.where(W > 2, np.nan, -1.0) if value == "cliff" else np.full(W.shape, value))
    path = lnn.gradient_flow((np.ones((2, 3)),), wall, [0, 5.0], method=method, max_steps=1000)
    assert path.outcome is Outcome.DIVERGED
    assert np.isfinite(path.weights[0]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_horizon_out_of_reach_ends_as_exhausted(method):
    rng = np.random.default_rng(0)
    weights, loss = problem(3, (3, 2, 4), "gaussian", 0, 0)
    weights = tuple(rng.standard_normal(W.shape) for W in weights)
    path = lnn.gradient_flow(weights, loss, [0, 0.01, 1e3], method=method, rtol=1e-8, max_steps=12)
    assert path.outcome is Outcome.EXHAUSTED
    assert 0 < path.times[-1] < 1e3 and path.losses[-1] < path.losses[0]


def test_knobs_of_a_flow_out_of_their_range_are_refused():
    start, loss = (np.ones((2, 3)),), lnn.LeastSquares(lnn.Everything((2, 3)), np.zeros(6))
    for rtol in (1e-300, 1e-15, 1.0, 1e300):
        with pytest.raises(ValueError, match=r"rtol must lie in \[2.2e-14, 1\)"):
            lnn.gradient_flow(start, loss, [0, 1.0], rtol=rtol)
    for times in ([0.0, np.inf], [0.0, 0.0], [1.0, 0.0], [-1.7e308, 1.7e308], [[0.0, 1.0]], []):
        with pytest.raises(ValueError, match="times must"):
            lnn.gradient_flow(start, loss, times)
    with pytest.raises(ValueError, match="max_steps must be at least 1, got 0"):
        lnn.gradient_flow(start, loss, [0, 1.0], max_steps=0)
    assert lnn.gradient_flow(start, loss, [0, 5e-324]).outcome is Outcome.FINISHED


def test_a_grid_keeps_every_kind_of_end():
    def run(x):
        if x == "divides by zero":
            return 1 // 0
        if x == "no decomposition":
            return np.linalg.cholesky(-np.eye(2))
        return x

    points = [1.0, np.nan, np.inf, "divides by zero", "no decomposition", -1e300]
    runs = lnn.grid(run, {"x": points})
    assert runs.diverged.tolist() == [False, True, True, True, True, False]
    assert runs.best()[0] == {"x": -1e300} and np.isinf(runs.table()[1:5]).all()
    with pytest.raises(ValueError, match="none of the 4 runs has a finite value, 4 diverged"):
        lnn.grid(run, {"x": points[1:5]}).best()


@pytest.mark.parametrize("power", [-40, 0, 40])
def test_pictures_of_any_scale_are_drawn(power):
    c = 10.0**power
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), c * np.arange(6.0))
    for start in (c * np.ones((2, 3)), np.zeros((2, 3))):
        path = lnn.gradient_descent((start,), loss, 0.1, 30)
        for draw in (plots.losses, plots.singular_values, plots.imbalances):
            ax = draw(path)
            ax.figure.canvas.draw()
            plt.close(ax.figure)
        assert "singular values" in animate.spectra({"a": path}, frames=5).text
    ax = plots.order(c * np.array([1.0, 2.0]), c * np.array([1.0, 2.0]), 1)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), c * np.array([1.0, 2.0]))
    ax.figure.canvas.draw()
    plt.close(ax.figure)


def test_pictures_refuse_what_their_axes_would_drop_in_silence():
    path = lnn.gradient_descent((np.ones((2, 3)),), lnn.LeastSquares(lnn.Everything((2, 3)), np.zeros(6)), 0.1, 3)
    for wrong, message in (
        ([1.0, 0.0], "errors must be positive"),
        ([1.0], r"one shape \(k,\), got \(2,\) and \(1,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.order([1.0, 2.0], wrong)
    with pytest.raises(ValueError, match="count must be at least 1, got -1"):
        plots.singular_values(path, count=-1)
    with pytest.raises(ValueError, match="excess_over must be finite"):
        plots.losses(path, excess_over=np.nan)
    assert not plt.get_fignums()
