"""Losses that change with time, against closed forms and recurrences."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import lnn
from lnn.flow import METHODS

A, OMEGA = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]]), 1.7
START = np.array([[0.3, 1.0, -1.0], [2.0, 0.1, 0.4]])


class Swinging:
    """½‖W - A sin ωt‖²."""

    def __call__(self, W, t):
        return 0.5 * np.sum((W - A * np.sin(OMEGA * t)) ** 2)

    def gradient(self, W, t):
        return W - A * np.sin(OMEGA * t)


class Told(Swinging):
    """The same, of an author who gave t a value for those who do not say it."""

    def __call__(self, W, t=0.0):
        return super().__call__(W, t)

    def gradient(self, W, t=0.0):
        return super().gradient(W, t)


def exact(t, start):
    """The solution of Ẇ = A sin ωt - W from START at time `start`: shape (len(t), 2, 3)."""

    def forced(t):
        return A * (np.sin(OMEGA * t) - OMEGA * np.cos(OMEGA * t)) / (1 + OMEGA**2)

    return np.array([forced(u) + np.exp(start - u) * (START - forced(start)) for u in t])


@pytest.mark.parametrize("loss", [Swinging(), Told()])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("begin", [0.0, -3.0, 40.0])
def test_a_flow_asks_a_loss_at_the_time_where_it_is(loss, method, begin):
    times = begin + np.array([0.0, 0.4, 1.1, 3.0])
    loose = {"rtol": 1e-6, "atol": 1e-7} if method in ("RK23", "RKC2", "BDF", "Radau") else {}
    for path in (
        lnn.gradient_flow((START,), loss, times, method=method, **loose),
        lnn.end_to_end_flow(START, loss, 1, times, method=method, **loose),
    ):
        expected = exact(times, begin)
        np.testing.assert_allclose(path.end_to_end, expected, atol=3e-4 if loose else 1e-6)
        said = [
            0.5 * np.linalg.norm(W - A * np.sin(OMEGA * t)) ** 2 for W, t in zip(path.end_to_end, times, strict=True)
        ]
        np.testing.assert_allclose(path.losses, said, rtol=1e-12)


def test_a_flow_stops_where_the_loss_of_that_moment_is_low_enough():
    whole = lnn.gradient_flow((START,), Swinging(), np.linspace(5, 7, 4001))
    stop = 0.6 * whole.losses[0]
    path = lnn.gradient_flow((START,), Swinging(), [5.0, 7.0], stop=stop)
    assert path.outcome is lnn.Outcome.CONVERGED and path.losses[-1] == pytest.approx(stop, rel=1e-9)
    assert whole.times[np.argmax(whole.losses <= stop)] == pytest.approx(path.times[-1], abs=6e-4)


def test_two_balanced_layers_follow_their_end_to_end_flow_when_the_target_moves():
    weights = lnn.initial.balanced(START, (3, 2, 2))
    times = [1.0, 1.5, 3.0]
    layers, product = lnn.gradient_flow(weights, Swinging(), times), lnn.end_to_end_flow(START, Swinging(), 2, times)
    np.testing.assert_allclose(layers.end_to_end, product.end_to_end, atol=1e-6)
    still = lnn.gradient_flow(weights, lnn.LeastSquares(lnn.Everything((2, 3)), A * np.sin(OMEGA)), times)
    assert np.abs(still.end_to_end[-1] - layers.end_to_end[-1]).max() > 0.1


@pytest.mark.parametrize("begin", [0.0, 2.5])
@pytest.mark.parametrize("every", [1, 3])
def test_a_descent_asks_a_loss_at_the_beginning_of_the_step(begin, every):
    eta, W, kept = 0.2, START, [START]
    for k in range(7):
        W = W - eta * (W - A * np.sin(OMEGA * (begin + eta * k)))
        kept.append(W)
    chosen = sorted({*range(0, 8, every), 7})
    for path in (
        lnn.gradient_descent((START,), Swinging(), eta, 7, start=begin, every=every),
        lnn.gradient_descent((START,), Swinging(), lambda k: eta, 7, start=begin, every=every),
        lnn.momentum((START,), Told(), eta, 7, beta=0, start=begin, every=every),
        lnn.end_to_end_descent(START, Swinging(), 1, eta, 7, start=begin, every=every),
        lnn.end_to_end_descent(START, Swinging(), 1, lambda k: eta, 7, start=begin, every=every),
    ):
        np.testing.assert_allclose(path.end_to_end, np.array(kept)[chosen], atol=1e-12)
        said = [Swinging()(kept[k], begin + eta * k) for k in chosen]
        np.testing.assert_allclose(path.losses, said, rtol=1e-11)
    path = lnn.gradient_descent((START,), Swinging(), eta, 3, start=begin)
    np.testing.assert_allclose(lnn.gradient_descent(path, Swinging(), eta, 4).end_to_end[-1], W, atol=1e-12)


def test_a_target_that_runs_away_is_no_gradient_of_the_wrong_sign():
    class Away:
        def __call__(self, W, t):
            return 0.5 * np.sum((W - 10 * t) ** 2)

        def gradient(self, W, t):
            return W - 10 * t

    class Uphill(Away):
        def gradient(self, W, t):
            return 10 * t - W

    for run in (
        lambda loss: lnn.gradient_flow((np.ones((1, 1)),), loss, [0.5, 0.6, 0.7]),
        lambda loss: lnn.gradient_descent((np.ones((1, 1)),), loss, 0.05, 9, start=0.5),
    ):
        assert (np.diff(run(Away()).losses) > 0).all()
        with pytest.raises(ValueError, match="wrong sign"):
            run(Uphill())


class Logarithmic:
    """½‖W - log t‖², which there is for t > 0 alone; the flow of one entry is Ẇ = log t - W."""

    def __call__(self, W, t):
        return 0.5 * np.sum((W - math.log(t)) ** 2)

    def gradient(self, W, t):
        return W - math.log(t)


def test_a_loss_is_asked_at_times_of_the_run_alone():
    start = np.ones((1, 1))
    for path in (
        lnn.gradient_flow((start,), Logarithmic(), [1.0, 3.0]),
        lnn.end_to_end_flow(start, Logarithmic(), 1, [1.0, 3.0]),
    ):
        exact = solve_ivp(lambda t, W: np.log(t) - W, (1, 3), [1.0], rtol=1e-11, atol=1e-12).y[0, -1]
        assert path.end_to_end[-1].item() == pytest.approx(exact, rel=1e-8)
        assert path.losses[-1] == pytest.approx(0.5 * (exact - np.log(3)) ** 2, rel=1e-7)
    path = lnn.gradient_descent((start,), Logarithmic(), 0.5, 2, start=1.0)
    again = lnn.record(zip(path.times, path, strict=True), Logarithmic())
    assert np.array_equal(again.losses, path.losses) and path.losses[1] == 0.5 * (0.5 - np.log(1.5)) ** 2


def test_a_loss_that_takes_the_time_in_one_of_its_methods_is_refused():
    class Half(Swinging):
        def gradient(self, W):
            return W

    with pytest.raises(TypeError, match="has to take t in both"):
        lnn.gradient_flow((START,), Half(), [0.0, 1.0])
