"""Gradient flow: its field, its solvers behind one door, what it conserves, and how its runs end."""

import numpy as np
import pytest
from draws import WIDTHS, network
from scipy.integrate import solve_ivp
from tolerances import FLOW

import lnn
from lnn.flow import METHODS


def regression(seed=0, widths=WIDTHS, scale=0.5):
    """A network and a least-squares loss with a Φ of its shape."""
    rng = np.random.default_rng(seed)
    measure = lnn.Everything((widths[-1], widths[0]))
    return tuple(scale * W for W in network(widths, rng)), lnn.LeastSquares(
        measure, rng.standard_normal(widths[-1] * widths[0])
    )


def completion(depth, size=30, rank=3, count=350, seed=3):
    """Matrix completion from a small start: slow saddles first, a stiff end."""
    rng = np.random.default_rng(seed)
    target = lnn.datasets.low_rank((size, size), rank, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask(target.shape, count, rng=rng))
    scale = 1e-3 ** (1 / depth) / np.sqrt(size)
    return lnn.initial.gaussian((size,) * (depth + 1), scale, rng=rng), lnn.LeastSquares(seen, seen(target))


class Falling:
    """ℓ(W) = -‖W‖⁴/4, which has no lower bound: the flow of one layer is Ẇ = ‖W‖²W and ends at 1/(2‖W(0)‖²)."""

    def __call__(self, W):
        return -0.25 * (W**2).sum(axis=(-2, -1)) ** 2

    def gradient(self, W):
        return -(W**2).sum(axis=(-2, -1), keepdims=True) * W


class Counting:
    """A loss that counts its gradients."""

    def __init__(self, loss):
        self.loss, self.count = loss, 0

    def __call__(self, W):
        return self.loss(W)

    def gradient(self, W):
        self.count += 1
        return self.loss.gradient(W)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_same_flow(method):
    weights, loss = regression()
    times = np.linspace(0, 2, 9)
    exact = lnn.gradient_flow(weights, loss, times, method="DOP853", rtol=1e-12, atol=1e-14)
    rtol = {"RKC2": 1e-7, "RK23": 1e-8, "BDF": 1e-8}.get(method, 1e-9)
    path = lnn.gradient_flow(weights, loss, times, method=method, rtol=rtol)
    assert path.outcome is lnn.Outcome.FINISHED
    assert np.array_equal(path.times, times)
    error = np.abs(path.end_to_end - exact.end_to_end).max() / np.abs(exact.end_to_end).max()
    assert error < (1e-4 if method in ("RKC2", "BDF") else 10 * FLOW)
    assert np.allclose(path.losses, [loss(W) for W in path.end_to_end])
    assert (np.diff(path.losses) < 0).all()


def test_a_layer_alone_relaxes_exponentially():
    """At depth 1 the flow is linear: W(t) = Φ + (W(0) - Φ)e^{-t}."""
    weights, loss = regression(widths=(7, 5))
    times = np.linspace(0, 3, 7)
    target = loss.observed.reshape(5, 7)
    exact = target + (weights[0] - target) * np.exp(-times)[:, None, None]
    for method in METHODS:
        path = lnn.gradient_flow(weights, loss, times, method=method, rtol=1e-8)
        assert np.abs(path.end_to_end - exact).max() < 20 * FLOW


@pytest.mark.parametrize("depth", [2, 3])
def test_the_methods_for_large_networks_follow_a_flow_through_its_saddles(depth):
    weights, loss = completion(depth)
    times = np.linspace(0, 4, 101)
    exact = lnn.gradient_flow(weights, loss, times, rtol=1e-11, atol=1e-14).end_to_end
    scale = np.linalg.norm(exact, axis=(1, 2))

    def worst(method, rtol):
        W = lnn.gradient_flow(weights, loss, times, method=method, rtol=rtol).end_to_end
        return (np.linalg.norm(W - exact, axis=(1, 2)) / scale).max()

    assert worst("RK45", 1e-6) < 1e-4
    assert worst("RKC2", 1e-6) < 2e-2
    for method in ("RK45", "RKC2"):
        assert worst(method, 1e-6) < worst(method, 1e-4) / 5


@pytest.mark.parametrize("method", ["RKC2", "RK45"])
def test_the_drift_of_the_balance_falls_with_the_tolerance(method):
    weights, loss = regression(scale=1.0)
    start = lnn.imbalances(weights)
    drifts = []
    for rtol in (1e-3, 1e-5, 1e-7):
        path = lnn.gradient_flow(weights, loss, [0, 5.0], method=method, rtol=rtol)
        drifts.append(max(np.abs(D[-1] - D0).max() for D, D0 in zip(lnn.imbalances(path.weights), start, strict=True)))
    assert drifts[1] < drifts[0] / 5
    assert drifts[2] < drifts[1] / 5
    assert drifts[2] < (1e-2 if method == "RKC2" else 1e-4)


@pytest.mark.parametrize("method", ["RKC2", "DOP853", "LSODA"])
def test_a_long_horizon_ends_at_the_loss_asked_for(method):
    weights, loss = regression()
    times = np.append(0, np.geomspace(1e-2, 1e6, 50))
    tight = 1e-7 if method == "RKC2" else 1e-9
    path = lnn.gradient_flow(weights, loss, times, method=method, rtol=tight, stop=0.05)
    assert path.outcome is lnn.Outcome.CONVERGED
    assert path.losses[-1] == pytest.approx(0.05, rel=1e-6)
    assert (path.losses[:-1] > 0.05).all()
    assert np.array_equal(path.times[:-1], times[: len(path) - 1])
    assert times[len(path) - 2] < path.times[-1] <= times[len(path) - 1]
    exact = lnn.gradient_flow(weights, loss, times, rtol=1e-12, stop=0.05)
    assert path.times[-1] == pytest.approx(exact.times[-1], rel=1e-4)
    assert path.losses[-1] <= 0.05


@pytest.mark.parametrize("method", ["RKC2", "DOP853"])
def test_a_run_that_has_nothing_to_do_does_nothing(method):
    weights, loss = regression()
    path = lnn.gradient_flow(weights, loss, [0, 1.0], method=method, stop=1e6)
    assert path.outcome is lnn.Outcome.CONVERGED
    assert len(path) == 1
    path = lnn.gradient_flow(weights, loss, [0.5], method=method)
    assert path.outcome is lnn.Outcome.FINISHED
    assert path.effort.evaluations == 0
    assert all(np.array_equal(W, V) for W, V in zip(path[0], weights, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_a_flow_that_blows_up_keeps_its_finite_part_in_silence(method, capfd):
    start = np.array([[0.6, 0.0], [0.0, 0.8]])  # of norm 1: the flow ends at time 1/2
    path = lnn.gradient_flow((start,), Falling(), np.linspace(0, 1, 101), method=method, rtol=1e-6)
    assert path.outcome is lnn.Outcome.DIVERGED
    assert 0.4 < path.times[-1] <= 0.51
    assert np.isfinite(path.losses).all()
    assert np.isfinite(path.weights[0]).all()
    k = 40  # t = 0.4: ‖W‖ = 1/√(1 - 2t)
    assert np.linalg.norm(path.end_to_end[k]) == pytest.approx(1 / np.sqrt(0.2), rel=1e-2)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("method", ["RKC2", "DOP853"])
def test_an_end_to_end_flow_that_blows_up_says_so_too(method):
    path = lnn.end_to_end_flow(np.diag([0.6, 0.8]), Falling(), 3, np.linspace(0, 5, 101), method=method, rtol=1e-6)
    assert path.outcome is lnn.Outcome.DIVERGED
    assert 2 <= len(path) < 101


@pytest.mark.parametrize("method", ["RKC2", "DOP853"])
def test_the_effort_is_the_number_of_gradients(method):
    weights, loss = regression()
    loss = Counting(loss)
    path = lnn.gradient_flow(weights, loss, [0, 1.0], method=method, rtol=1e-5)
    assert path.effort.evaluations == loss.count - 3  # two at the door, one at the end: it stays the same
    assert 0 < path.effort.steps < path.effort.evaluations
    assert path.effort.failed == (0 if method == "RKC2" else None)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "DOP853"])  # its interpolant has own stages
def test_recorded_times_cost_nothing(method):
    weights, loss = regression()
    few = lnn.gradient_flow(weights, loss, [0, 4.0], method=method, rtol=1e-5)
    many = lnn.gradient_flow(weights, loss, np.linspace(0, 4, 501), method=method, rtol=1e-5)
    assert few.effort == many.effort
    assert np.array_equal(few.end_to_end[-1], many.end_to_end[-1])


def test_where_the_end_is_stiff_rkc2_needs_a_fraction_of_the_gradients_of_a_plain_pair():
    weights, loss = completion(2)
    efforts = {
        method: lnn.gradient_flow(weights, loss, [0, 1e6], method=method, rtol=1e-5, stop=0.5 * 350 * 1e-6).effort
        for method in ("RKC2", "RK45")
    }
    assert efforts["RKC2"].evaluations < 0.6 * efforts["RK45"].evaluations


@pytest.mark.parametrize(("former", "now"), [("switch", "RKC2"), ("DP5", "RK45")])
def test_methods_of_the_first_edition_are_replaced_by_those_nearest_to_them(former, now):
    weights, loss = regression()
    paths = [lnn.gradient_flow(weights, loss, [0, 1.0], method=method, rtol=1e-5) for method in (former, now)]
    assert np.array_equal(paths[0].end_to_end, paths[1].end_to_end)


def test_a_class_serves_as_a_method():
    weights, loss = regression()
    by_name, by_class = (lnn.gradient_flow(weights, loss, [0, 1.0], method=m, rtol=1e-5) for m in ("RKC2", lnn.RKC2))
    assert np.array_equal(by_name.weights[0], by_class.weights[0])


@pytest.mark.parametrize("count", [5_000, 2_000])
def test_the_reference_completion_takes_few_gradients(count):
    """Matrix completion 100×100 of rank 5 at depth 3, from layers of standard deviation s^{1/3}/√100, s = 1e-3."""
    weights, loss = completion(3, size=100, rank=5, count=count, seed=0)
    stop = 0.5 * count * 1e-6
    path = lnn.gradient_flow(weights, loss, [0, 1e6], method="RKC2", rtol=1e-5, stop=stop)
    assert path.outcome is lnn.Outcome.CONVERGED
    assert path.effort.evaluations < 2_000


@pytest.mark.parametrize("method", ["RK45", "RKC2", "DOP853"])
def test_the_end_to_end_flow_goes_through_the_same_door(method):
    rng = np.random.default_rng(0)
    target = rng.standard_normal((5, 6))
    loss = lnn.LeastSquares(lnn.Everything((5, 6)), target.ravel())
    W0 = rng.standard_normal((5, 6))
    weights = lnn.initial.balanced(W0, (6, 8, 7, 5))
    times = np.linspace(0, 1, 5)
    layers = lnn.gradient_flow(weights, loss, times)
    whole = lnn.end_to_end_flow(W0, loss, 3, times, method=method, rtol=1e-7 if method == "RKC2" else 1e-9)
    assert whole.depth == 1
    assert np.abs(whole.end_to_end - layers.end_to_end).max() < (1e-4 if method == "RKC2" else 10 * FLOW)


@pytest.mark.parametrize("method", ["RKC2", "DOP853"])
def test_the_bar_does_not_change_the_run(method):
    weights, loss = regression()
    plain = lnn.gradient_flow(weights, loss, [0, 1.0], method=method, rtol=1e-5)
    shown = lnn.gradient_flow(weights, loss, [0, 1.0], method=method, rtol=1e-5, progress=True)
    assert np.array_equal(plain.end_to_end, shown.end_to_end)


@pytest.mark.parametrize("method", METHODS)
def test_the_start_is_left_alone(method):
    weights, loss = regression()
    before = [W.copy() for W in weights]
    path = lnn.gradient_flow(weights, loss, [0, 1.0], method=method, rtol=1e-5)
    assert all(np.array_equal(W, V) for W, V in zip(weights, before, strict=True))
    assert all(np.array_equal(W, V) for W, V in zip(path[0], before, strict=True))
    assert all(W.flags.writeable for W in weights)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"times": [0, 2.0, 1.0]}, ValueError, "increasing"),
        ({"times": [0, 0.0]}, ValueError, "increasing"),
        ({"times": [[0, 1.0]]}, ValueError, "increasing"),
        ({"times": [0, np.nan]}, ValueError, "finite"),
        ({"times": []}, ValueError, "empty"),
        ({"rtol": 0.0}, ValueError, "rtol must be positive"),
        ({"rtol": -1e-3}, ValueError, "rtol must be positive"),
        ({"atol": 0.0}, ValueError, "atol must be positive"),
        ({"rtol": "tight"}, TypeError, "rtol must be a real number"),
        ({"method": "RK4"}, ValueError, "method must be one of RKC2, RK23, .*, or an OdeSolver"),
        ({"method": int}, ValueError, "method must be one of"),
        ({"method": None}, ValueError, "method must be one of"),
        ({"stop": np.nan}, ValueError, "stop must be finite"),
        ({"stop": [1.0, 2.0]}, ValueError, "stop must be a single number"),
        ({"stop": "soon"}, TypeError, "stop must hold real numbers"),
    ],
)
def test_misuse_is_named(options, kind, message):
    weights, loss = regression()
    options = {"times": [0, 1.0], "method": "RK45", **options}
    with pytest.raises(kind, match=message):
        lnn.gradient_flow(weights, loss, options.pop("times"), **options)


class Later:
    """A loss that stays the same for a while: its gradient is that of one row after the other, in a buffer."""

    def __init__(self, patience):
        self.patience, self.count, self.buffer = patience, 0, np.zeros((3, 3))

    def __call__(self, W):
        return 0.5 * np.sum(W**2)

    def gradient(self, W):
        self.count += 1
        self.buffer[...] = 0.0
        row = self.count // self.patience % 3
        self.buffer[row] = 3 * W[row]
        return self.buffer


@pytest.mark.parametrize("patience", [1, 7, 100])
def test_a_loss_that_changes_later_is_refused_too(patience):
    for run in (
        lambda loss: lnn.gradient_flow((np.eye(3), np.eye(3)), loss, [0, 1.0]),
        lambda loss: lnn.gradient_flow((np.eye(3) + 1, np.eye(3)), loss, [0, 1.0], max_steps=20_000),
        lambda loss: lnn.end_to_end_flow(np.eye(3), loss, 2, [0, 1.0]),
    ):
        with pytest.raises(ValueError, match="changed from one call to the next"):
            run(Later(patience))


def test_networks_and_losses_that_do_not_fit_are_refused():
    weights, loss = regression()
    with pytest.raises(ValueError, match="1 of 40 entries"):
        broken = (weights[0], weights[1], weights[2].copy())
        broken[2][0, 0] = np.nan
        lnn.gradient_flow(broken, loss, [0, 1.0], method="RKC2")
    with pytest.raises(ValueError, match="layer 2"):
        lnn.gradient_flow((weights[0], weights[2]), loss, [0, 1.0], method="RKC2")
    with pytest.raises(ValueError, match="does not accept"):
        lnn.gradient_flow(weights[:2], loss, [0, 1.0], method="RKC2")
    with pytest.raises(TypeError, match="gradient"):
        lnn.gradient_flow(weights, lambda W: 0.0, [0, 1.0], method="RKC2")
    huge = tuple(1e120 * W for W in weights)
    for method in METHODS:
        with pytest.raises(ValueError, match=r"the product of the layers has .* that leave the range of floats"):
            lnn.gradient_flow(huge, loss, [0, 1.0], method=method)


def fast(size):
    """A layer under ½‖(W - Φ)X‖² with X = size·I: it relaxes like exp(-size²·t)."""
    rng = np.random.default_rng(5)
    start, target = rng.standard_normal((2, 3, 3))
    samples = lnn.Samples(size * np.eye(3))
    return start, target, lnn.LeastSquares(samples, samples(target))


@pytest.mark.parametrize("method", METHODS)
def test_a_fast_flow_stops_where_a_slow_one_does(method):
    start, _, loss = fast(1e8)
    share = 0.01 * float(loss(start))
    path = lnn.gradient_flow((start,), loss, [0, 1e-15], method=method, rtol=1e-7, stop=share)
    assert path.outcome is lnn.Outcome.CONVERGED
    assert share * (1 - 1e-9) <= path.losses[-1] <= share
    assert path.times[-1] == pytest.approx(np.log(10) / 1e16, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("origin", [1.0, 100.0, -1e3])
def test_a_flow_does_not_depend_on_the_origin_of_time(method, origin):
    start, target, loss = fast(1e7)
    later = np.array([origin, origin + 5e-14 if origin == 1 else origin + 3e-13])
    plain = lnn.gradient_flow((start,), loss, later - origin, method=method, rtol=1e-7)
    moved = lnn.gradient_flow((start,), loss, later, method=method, rtol=1e-7)
    assert plain.outcome is moved.outcome is lnn.Outcome.FINISHED
    assert np.array_equal(moved.times, later)
    assert np.array_equal(plain.end_to_end, moved.end_to_end)
    exact = target + (start - target) * np.exp(-1e14 * (later[1] - origin))
    np.testing.assert_allclose(moved.end_to_end[1], exact, rtol=0, atol=1e-5)


def test_times_that_floats_cannot_tell_apart_are_told_apart():
    start, _, loss = fast(1e8)
    path = lnn.gradient_flow((start,), loss, [1.0, 2.0], rtol=1e-7, stop=0.01 * float(loss(start)))
    assert path.outcome is lnn.Outcome.CONVERGED and path.times.tolist() == [1.0, np.nextafter(1.0, 2.0)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("floor", ["exact", "arrived", "zero"])
def test_a_loss_at_its_floor_is_left_in_silence(method, floor, capfd):
    weights, loss = regression(scale=0.4)
    if floor == "exact":  # the gradient is 0, or a rounding
        loss = lnn.LeastSquares(loss.measure, lnn.end_to_end(weights).ravel())
    elif floor == "zero":  # a saddle of every order
        weights = tuple(0 * W for W in weights)
    else:
        weights = lnn.initial.balanced(loss.observed.reshape(WIDTHS[-1], WIDTHS[0]) * (1 + 1e-9), WIDTHS)
    path = lnn.gradient_flow(weights, loss, [0, 1.0, 300.0], method=method, rtol=1e-6)
    assert path.outcome is lnn.Outcome.FINISHED
    assert path.losses[-1] <= path.losses[0] + 1e-9
    assert np.abs(path.end_to_end[-1] - path.end_to_end[0]).max() < 1e-4
    assert capfd.readouterr() == ("", "")


class OneMatrix:
    """½‖W - Φ‖² in three ways that are right for one matrix, and accept a stack without noticing, or fail at it."""

    def __init__(self, target, kind):
        self.target = target
        self.value = {
            "sums over the first axes": lambda W: 0.5 * ((W - target) ** 2).sum((0, 1)),
            "takes a norm": lambda W: 0.5 * np.linalg.norm(W - target) ** 2,
            "takes a trace": lambda W: 0.5 * np.trace((W - target).T @ (W - target)),
        }[kind]

    def __call__(self, W):
        return self.value(W)

    def gradient(self, W):
        return W - self.target


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("kind", ["sums over the first axes", "takes a norm", "takes a trace"])
def test_the_losses_of_a_flow_are_those_of_its_matrices_one_by_one(kind, count):
    rng = np.random.default_rng(0)
    start, target = rng.standard_normal((2, 3, 3))
    path = lnn.gradient_flow((start,), OneMatrix(target, kind), np.linspace(0, 2, count))
    exact = 0.5 * np.linalg.norm(start - target) ** 2 * np.exp(-2 * path.times)
    np.testing.assert_allclose(path.losses, exact, rtol=FLOW)


class Noisy(Counting):
    """A loss whose gradient is another one at every call, as of mini-batches."""

    def gradient(self, W):
        return super().gradient(W) * (1 + 0.1 * self.count)


def test_a_loss_that_changes_is_refused_by_a_flow_before_its_first_step():
    weights, loss = regression()
    noisy = Noisy(loss)
    for run in (
        lambda: lnn.gradient_flow(weights, noisy, [0, 1.0]),
        lambda: lnn.end_to_end_flow(lnn.end_to_end(weights), noisy, 3, [0, 1.0]),
    ):
        noisy.count = 0
        with pytest.raises(ValueError, match="changed from one call to the next: a flow needs a loss that stays"):
            run()
        assert noisy.count == 2


def test_a_gradient_that_points_uphill_is_refused():
    class Uphill(Counting):
        def gradient(self, W):
            return -super().gradient(W)

    weights, loss = regression()
    with pytest.raises(ValueError, match="the gradient of the loss has the wrong sign"):
        lnn.gradient_flow(weights, Uphill(loss), [0, 1.0], rtol=1e-6)


def test_a_flow_starts_from_one_network_or_one_recorded_moment():
    weights, loss = regression()
    path = lnn.gradient_flow(weights, loss, [0, 0.5, 1.0])
    with pytest.raises(ValueError, match="a run starts from one network"):
        lnn.gradient_flow(path.weights, loss, [0, 1.0])
    on = lnn.gradient_flow(path[1], loss, [0.5, 1.0])
    np.testing.assert_allclose(on.end_to_end[-1], path.end_to_end[-1], rtol=FLOW, atol=FLOW)


@pytest.mark.parametrize("model", [lnn.tensor, lnn.hierarchical, lnn.diagonal, lnn.network])
def test_a_flow_over_the_factors_of_any_model_is_minus_their_gradient(model):
    """Against SciPy's solver on the pullback, with every factor in its place of one vector."""
    rng = np.random.default_rng(1)
    factors = {
        lnn.tensor: lambda: lnn.tensor.gaussian((3, 2, 4), 2, 0.5, rng=rng),
        lnn.hierarchical: lambda: lnn.hierarchical.gaussian((2, 3, 2, 3), 2, 0.7, rng=rng),
        lnn.diagonal: lambda: tuple(rng.standard_normal((3, 1, 5))),
        lnn.network: lambda: network(WIDTHS, rng),
    }[model]()
    shape = model.product(factors).shape
    loss = lnn.LeastSquares(lnn.Everything(shape), rng.standard_normal(int(np.prod(shape))))
    ends = np.cumsum([W.size for W in factors])

    def velocity(_, y):
        parts = [p.reshape(W.shape) for p, W in zip(np.split(y, ends[:-1]), factors, strict=True)]
        return -np.concatenate([D.ravel() for D in model.pullback(parts, loss.gradient(model.product(parts)))])

    y = np.concatenate([W.ravel() for W in factors])
    times = np.linspace(0, 2, 5)
    exact = solve_ivp(velocity, (0, 2), y, t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13).y.T
    path = lnn.gradient_flow(factors, loss, times, model=model)
    found = np.concatenate([W.reshape(len(times), -1) for W in path.weights], axis=1)
    np.testing.assert_allclose(found, exact, rtol=0, atol=FLOW)
    assert path.model is model and path.outcome is lnn.Outcome.FINISHED
    np.testing.assert_allclose(path.losses, [loss(W) for W in path.end_to_end], rtol=1e-12)


@pytest.mark.parametrize("method", ["DOP853", "LSODA", "RKC2"])
def test_under_weight_decay_conserved_quantities_contract_at_twice_its_rate(method):
    """cor-weight-decay: D_j(t) = e^(-2λt) D_j(0), for any loss; here one with a bend."""
    rng = np.random.default_rng(2)
    weights = tuple(0.6 * rng.standard_normal(shape) for shape in ((6, 4), (5, 6), (3, 5)))
    measure = lnn.Everything((3, 4))
    loss, times, decay = lnn.HuberLoss(measure, rng.standard_normal(12), 0.3), np.array([0.0, 0.5, 2.0]), 0.35
    options = {"rtol": 1e-7, "atol": 1e-9} if method == "RKC2" else {}
    path = lnn.gradient_flow(weights, loss, times, weight_decay=decay, method=method, **options)
    for D, start in zip(lnn.imbalances(path), lnn.imbalances(weights), strict=True):
        expected = np.exp(-2 * decay * times)[:, None, None] * start
        np.testing.assert_allclose(D, expected, atol=1e-4 if method == "RKC2" else 1e-7)
    assert np.array_equal(path.losses, loss(path.end_to_end))


def test_one_matrix_decays_as_its_closed_form_says():
    start, Phi, times, decay = np.array([[2.0, -1.0]]), np.array([[0.5, 1.0]]), np.array([3.0, 3.5, 5.0]), 0.6
    path = lnn.gradient_flow((start,), lnn.LeastSquares(lnn.Everything((1, 2)), Phi), times, weight_decay=decay)
    rest = Phi / (1 + decay)
    expected = rest + np.exp(-(1 + decay) * (times - 3))[:, None, None] * (start - rest)
    np.testing.assert_allclose(path.end_to_end, expected, rtol=1e-8)
    with pytest.raises(ValueError, match=r"weight_decay must be positive and finite, or 0, got -0\.1"):
        lnn.gradient_flow((start,), lnn.LeastSquares(lnn.Everything((1, 2)), Phi), times, weight_decay=-0.1)
