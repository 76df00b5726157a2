"""RKC2, the stabilized solver: its order, its stability, what it costs, and that `solve_ivp` carries it."""

import numpy as np
import pytest
from draws import slope
from scipy.integrate import solve_ivp
from tolerances import EXACT, SLOPE

import lnn
from lnn.numerics.rkc2 import RKC2, coefficients, norm


def pendulum(_, y):
    """The pendulum, a nonlinear problem without stiffness: (y', -sin y)."""
    return np.array([y[1], -np.sin(y[0])])


def pushed(t, y):
    """A problem that depends on time."""
    return np.array([y[1], -np.sin(y[0]) + np.cos(3 * t)])


START = np.array([1.0, 0.5])


def exact(fun, times):
    return solve_ivp(fun, (0, times[-1]), START, method="DOP853", t_eval=times, rtol=1e-13, atol=1e-14).y


def linear(rates):
    """Right-hand side of y' = -rates·y, whose solution from 1 is exp(-rates·t)."""
    return lambda t, y: -rates * y


def solver(fun=pendulum, y0=START, end=2.0, radius=None, **options):
    made = RKC2(fun, 0.0, y0, end, **{"rtol": 1e-6, "atol": 1e-6, **options})
    made.radius = made.radius if radius is None else radius
    return made


@pytest.mark.parametrize("fun", [pendulum, pushed])
def test_the_global_error_falls_with_the_order_of_the_method(fun):
    counts, errors = np.array([20, 40, 80, 160]), []
    for count in counts:
        method = solver(fun, radius=10 * count)  # four or five stages at every step size
        for k in range(count):
            method.t = 2.0 * k / count
            method.y = method.advance(2.0 / count)
            method.f = fun(2.0 * (k + 1) / count, method.y)
        errors.append(norm(method.y - exact(fun, [2.0])[:, -1]))
    assert slope(1 / counts, errors) == pytest.approx(2, abs=2 * SLOPE)


def one_step(fun, h):
    """A solver after one step of length h, and the error estimate of that step."""
    made = solver(fun, end=h, radius=4 / h, rtol=0.9, atol=1e9, first_step=h)
    made.step()
    assert made.t == h
    return made, made.last[1] * (1e9 + 0.9 * max(norm(made.y), norm(START)))


@pytest.mark.parametrize("fun", [pendulum, pushed])
def test_the_interpolant_is_as_accurate_as_the_step_and_meets_its_ends(fun):
    sizes, errors = np.array([0.4, 0.2, 0.1, 0.05]), []
    for h in sizes:
        made, _ = one_step(fun, h)
        inside = made.dense_output()
        errors.append(norm(inside(0.3 * h) - exact(fun, [0.3 * h])[:, -1]))
        assert np.array_equal(inside(0.0), START) and np.array_equal(inside(h), made.y)
        assert np.array_equal(inside([0.0, h]), np.stack([START, made.y], axis=1))
    assert slope(sizes, errors) > 3 - 3 * SLOPE


def test_the_error_estimate_has_the_order_that_step_control_believes():
    """It is a third of the local error's constant, or so: h³ y'''/15 against an error of about that size."""
    sizes = np.array([0.2, 0.1, 0.05, 0.025])
    estimates = []
    for h in sizes:
        made = solver(radius=4 / h, end=h)
        y = made.advance(h)
        estimates.append(norm(0.8 * (made.y - y) + 0.4 * h * (made.f + pendulum(h, y))))
    assert slope(sizes, estimates) == pytest.approx(3, abs=3 * SLOPE)


def stability(s, z):
    """R(z) of RKC2 with s stages, straight from the recurrence for y' = λy, z = hλ."""
    first, table = coefficients(s)
    older, old = np.ones_like(z), 1 + first * z
    for _, one, mu, nu, mut, gamma in table:
        older, old = old, one + mu * old + nu * older + mut * z * old + gamma * z
    return old


@pytest.mark.parametrize("s", [2, 3, 5, 10, 50, 200])
def test_it_is_of_order_two_and_stable_as_far_as_published(s):
    z = np.array([-1e-2, 1e-2])
    assert np.abs(stability(s, z) - (1 + z + z**2 / 2)).max() < 2e-7  # z³/6 and smaller, no z or z² left
    reach = 2 / 3 * (s**2 - 1) * (1 - 2 / 15 * 2 / 13)
    inside = stability(s, np.linspace(-reach, -1e-3, 20_001))
    assert np.abs(inside).max() < 1
    assert np.abs(stability(s, np.array([-1.1 * reach - 1])))[0] > 1


def test_its_stages_stand_at_the_times_of_their_values():
    """Of y' = 1 every stage is c_j h: the times at which the right-hand side is asked."""
    asked = []

    def fun(t, y):
        asked.append((t, y[0]))
        return np.ones(1)

    made = solver(fun, np.zeros(1), radius=1e3)
    asked.clear()
    assert made.advance(0.5)[0] == pytest.approx(0.5, abs=EXACT)
    assert len(asked) == made.stages(0.5) - 1 > 10
    for t, y in asked:
        assert y == pytest.approx(t, abs=EXACT)


def test_the_number_of_stages_is_the_least_that_is_stable():
    made = solver(radius=1.0)
    for h in (0.1, 3.0, 40.0, 1e4):
        s = made.stages(h)
        assert abs(stability(s, np.array([-h]))[0]) < 1
        assert s <= 3 or abs(stability(s - 2, np.array([-h]))[0]) > 1


def test_a_step_is_its_stability_polynomial():
    rates = np.geomspace(0.1, 1000, 30)
    made = solver(linear(rates), np.ones(30), radius=1200.0)
    assert np.abs(made.advance(0.3) - stability(made.stages(0.3), -0.3 * rates)).max() < 1e-11


def test_the_spectral_radius_comes_out_with_its_margin():
    made = solver(linear(np.geomspace(1, 5000, 60)), np.ones(60), first_step=1e-3)
    assert 0.95 * 5000 < made.radius <= 1.2 * 5000 * 1.01
    assert made.nfev <= 51


@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_a_stiff_linear_problem_is_solved_to_tolerance_forwards_and_backwards(rtol):
    rates = np.geomspace(0.5, 2000, 40)
    times = np.linspace(0, 2, 21)
    wanted = np.exp(-np.outer(rates, times))
    found = solve_ivp(linear(rates), (0, 2), np.ones(40), method=RKC2, t_eval=times, rtol=rtol, atol=1e-12)
    back = solve_ivp(lambda t, y: rates * y, (0, -2), np.ones(40), method=RKC2, t_eval=-times, rtol=rtol, atol=1e-12)
    assert found.success and back.success
    # One step may err by rtol·‖y‖, of norm √40 at first; the errors of all steps add up, and decay.
    for y in (found.y, back.y):
        assert np.linalg.norm(y - wanted, axis=0).max() < 100 * rtol * np.sqrt(40)


def test_stiffness_costs_its_root_where_a_plain_pair_pays_for_all_of_it():
    def evaluations(method, stiffness):
        rates = np.geomspace(0.5, stiffness, 40)
        return solve_ivp(linear(rates), (0, 2), np.ones(40), method=method, rtol=1e-4, atol=1e-12).nfev

    assert 8 * evaluations(RKC2, 1e4) < evaluations("RK45", 1e4)
    assert evaluations("RK45", 1e4) > 7 * evaluations("RK45", 1e3)
    assert evaluations(RKC2, 1e4) < 4.5 * evaluations(RKC2, 1e3)


def test_the_error_falls_with_the_tolerance():
    times = np.linspace(0, 10, 41)
    wanted, errors = exact(pushed, times), []
    for rtol in (1e-4, 1e-6, 1e-8):
        found = solve_ivp(pushed, (0, 10), START, method=lnn.RKC2, t_eval=times, rtol=rtol, atol=rtol)
        errors.append(np.abs(found.y - wanted).max())
    assert errors[1] < errors[0] / 8  # (1e-2)^(2/3) = 1/21
    assert errors[2] < errors[1] / 8
    assert errors[2] < 1e-4


def test_what_solve_ivp_offers_works():
    def low(t, y):
        return y[0] - 0.5

    low.terminal = True
    options = {"method": RKC2, "rtol": 1e-8, "atol": 1e-10}
    found = solve_ivp(linear(np.array([1.0, 3.0])), (0, 1e6), np.ones(2), events=low, dense_output=True, **options)
    assert found.t_events[0][0] == pytest.approx(np.log(2), abs=1e-6)
    assert found.sol([0.1, 0.5])[0] == pytest.approx(np.exp([-0.1, -0.5]), abs=1e-6)
    rates = np.array([[1.0], [3.0]])
    one = solve_ivp(lambda t, y: -rates * y, (0, 1), np.ones(2), vectorized=True, **options)
    args = solve_ivp(lambda t, y, r: -r * y, (0, 1), np.ones(2), args=(rates[:, 0],), **options)
    assert np.array_equal(one.y, args.y)
    short = solve_ivp(pendulum, (0, 1), START, max_step=1e-2, first_step=1e-3, **options)
    assert short.t[1] == 1e-3 and np.diff(short.t).max() <= 1e-2 + 1e-15
    still = solve_ivp(lambda t, y: 0 * y, (0, 1e8), np.zeros(4), **options)
    assert still.success and not still.y.any() and still.nfev < 2000


def test_a_solution_that_blows_up_fails_just_before():
    with np.errstate(all="ignore"):
        found = solve_ivp(lambda t, y: y**2, (0, 2), np.ones(1), method=RKC2, rtol=1e-6, atol=1e-9)
        nowhere = solve_ivp(lambda t, y: np.nan * y, (0, 1), np.ones(3), method=RKC2)
    assert found.status == -1 and 0.98 < found.t[-1] < 1.01 and np.isfinite(found.y).all()
    assert nowhere.status == -1 and nowhere.t.tolist() == [0.0]


@pytest.mark.parametrize(
    "knob", [{"rtol": 1e-15}, {"rtol": np.nan}, {"atol": -1.0}, {"max_step": 0}, {"first_step": -1}]
)
def test_knobs_out_of_their_range_are_refused(knob):
    with pytest.raises(ValueError, match=r"rtol must be at least 2.2e-14, atol not negative, and steps positive"):
        solve_ivp(pendulum, (0, 1), START, method=RKC2, **knob)
