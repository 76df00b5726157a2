"""The integrators: their order, their stability, what they keep between steps, and what they cost."""

import numpy as np
import pytest
from draws import slope
from tolerances import SLOPE

from lnn.numerics.chebyshev import Chebyshev, Switch, chebyshev_coefficients
from lnn.numerics.integrate import FORMULAS, METHODS, End, between, solve, steps
from lnn.numerics.runge_kutta import DormandPrince, Ends, norm

ORDERS = {"DP5": 5, "RKC2": 2}


def pendulum(y, out):
    """Write (y', -sin y): the pendulum, a nonlinear problem without stiffness."""
    out[:] = y[1], -np.sin(y[0])


START = np.array([1.0, 0.5])


def reference(times):
    return solve(pendulum, START, np.asarray(times, dtype=float), "DOP853", 1e-13, 1e-14).states


def linear(rates):
    """Field of y' = -rates·y, whose solution from 1 is exp(-rates·t); and a counter of its evaluations."""
    count = [0]

    def field(y, out):
        count[0] += 1
        np.multiply(-rates, y, out=out)

    return field, count


def fixed_steps(name, count, span=2.0):
    """State after `count` equal steps, without error control."""
    ends = Ends(pendulum, START, 1e-6, 1e-6)
    formula = FORMULAS[name](ends)
    if name == "RKC2":
        formula.radius = 10 * count  # four or five stages at every step size
    for _ in range(count):
        formula.attempt(span / count)
        ends.advance()
    return ends.y.copy()


@pytest.mark.parametrize("name", ORDERS)
def test_the_global_error_falls_with_the_order_of_the_formula(name):
    counts = np.array([20, 40, 80, 160])
    exact = reference([0, 2])[-1]
    errors = [norm(fixed_steps(name, count) - exact) for count in counts]
    assert slope(1 / counts, errors) == pytest.approx(ORDERS[name], abs=2 * SLOPE)


@pytest.mark.parametrize(("name", "local"), [("DP5", 5), ("RKC2", 3)])
def test_the_interpolant_is_as_accurate_as_the_step(name, local):
    """Cubic Hermite alone would give the pair the slope 4."""
    sizes = np.array([0.4, 0.2, 0.1, 0.05])
    errors = []
    for h in sizes:
        formula = FORMULAS[name](Ends(pendulum, START, 1e-6, 1e-6))
        if name == "RKC2":
            formula.radius = 4 / h
        formula.attempt(h)
        errors.append(norm(between(formula, h, 0.3) - reference([0, 0.3 * h])[-1]))
    assert slope(sizes, errors) > local - 3 * SLOPE


@pytest.mark.parametrize("name", ORDERS)
def test_the_interpolant_meets_both_ends_of_the_step(name):
    ends = Ends(pendulum, START, 1e-6, 1e-6)
    formula = FORMULAS[name](ends)
    formula.longest()
    formula.attempt(0.1)
    assert np.array_equal(between(formula, 0.1, 0.0), ends.y)
    assert np.array_equal(between(formula, 0.1, 1.0), ends.y_next)


@pytest.mark.parametrize(("name", "power"), [("DP5", 5), ("RKC2", 3)])
def test_the_error_estimate_has_the_order_that_step_control_believes(name, power):
    sizes, ratios = np.array([0.2, 0.1, 0.05, 0.025]), []
    for h in sizes:
        formula = FORMULAS[name](Ends(pendulum, START, 1e-6, 1e-6))
        if name == "RKC2":
            formula.radius = 4 / h
        ratios.append(formula.attempt(h))
    assert formula.order == power
    assert slope(sizes, ratios) == pytest.approx(power, abs=3 * SLOPE)


def stability(s, z):
    """R(z) of RKC2 with s stages, straight from the recurrence for y' = λy, z = hλ."""
    first, table = chebyshev_coefficients(s)
    older, old = np.ones_like(z), 1 + first * z
    for one, mu, nu, mut, gamma in table:
        older, old = old, one + mu * old + nu * older + mut * z * old + gamma * z
    return old


@pytest.mark.parametrize("s", [2, 3, 5, 10, 50, 200])
def test_the_stabilized_formula_is_of_order_two_and_stable_as_far_as_published(s):
    z = np.array([-1e-2, 1e-2])
    assert np.abs(stability(s, z) - (1 + z + z**2 / 2)).max() < 2e-7  # z³/6 and smaller, no z or z² left
    reach = 2 / 3 * (s**2 - 1) * (1 - 2 / 15 * 2 / 13)
    inside = stability(s, np.linspace(-reach, -1e-3, 20_001))
    assert np.abs(inside).max() < 1
    assert np.abs(stability(s, np.array([-1.1 * reach - 1])))[0] > 1


def test_the_number_of_stages_is_the_least_that_is_stable():
    formula = Chebyshev(Ends(pendulum, START, 1e-6, 1e-6))
    formula.radius = 1.0
    for h in (0.1, 3.0, 40.0, 1e4):
        s = formula.stages(h)
        assert abs(stability(s, np.array([-h]))[0]) < 1
        assert s <= 3 or abs(stability(s - 2, np.array([-h]))[0]) > 1


def test_a_step_of_the_stabilized_formula_is_its_stability_polynomial():
    rates = np.geomspace(0.1, 1000, 30)
    field, _ = linear(rates)
    ends = Ends(field, np.ones(30), 1e-6, 1e-6)
    formula = Chebyshev(ends)
    formula.radius = 1200.0
    formula.attempt(0.3)
    assert np.abs(ends.y_next - stability(formula.stages(0.3), -0.3 * rates)).max() < 1e-11


def test_the_spectral_radius_comes_out_with_its_margin():
    field, count = linear(np.geomspace(1, 5000, 60))
    formula = Chebyshev(Ends(field, np.ones(60), 1e-6, 1e-6))
    formula.estimate()
    assert 0.95 * 5000 < formula.radius <= 1.2 * 5000 * 1.01
    assert count[0] <= 51


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_a_stiff_linear_problem_is_solved_to_tolerance(name, rtol):
    rates = np.geomspace(0.5, 2000, 40)
    field, count = linear(rates)
    times = np.linspace(0, 2, 21)
    found = solve(field, np.ones(40), times, name, rtol, 1e-12)
    assert found.end is End.LAST
    assert found.evaluations == count[0]
    assert np.array_equal(found.times, times)
    # One step may err by rtol·‖y‖, of norm √40 at first; the errors of all steps add up, and decay.
    assert np.linalg.norm(found.states - np.exp(-np.outer(times, rates)), axis=1).max() < 100 * rtol * np.sqrt(40)


def test_stiffness_costs_the_stabilized_formula_a_fraction_of_the_pair():
    def evaluations(name, stiffness):
        field, count = linear(np.geomspace(0.5, stiffness, 40))
        solve(field, np.ones(40), np.array([0, 2.0]), name, 1e-4, 1e-12)
        return count[0]

    for name in ("RKC2", "switch"):
        assert 8 * evaluations(name, 1e4) < evaluations("DP5", 1e4)
    # The pair pays for the stiffness, the stabilized formula for its root.
    assert evaluations("DP5", 1e4) > 7 * evaluations("DP5", 1e3)
    assert evaluations("RKC2", 1e4) < 4.5 * evaluations("RKC2", 1e3)


def test_the_switch_takes_the_pair_where_accuracy_limits_and_the_stabilized_formula_where_stability_does():
    def used(field, y, end, rtol):
        formula, names = Switch(Ends(field, y, rtol, 1e-12)), []
        for _ in steps(formula, 0.0, end):
            names.append(type(formula.active).__name__)
        return names

    assert set(used(pendulum, START, 20.0, 1e-8)) == {"DormandPrince"}
    stiff, _ = linear(np.geomspace(0.5, 1e4, 40))
    names = used(stiff, np.ones(40), 2.0, 1e-5)
    assert names[0] == "DormandPrince"
    assert names[-1] == "Chebyshev"

    def oscillating_then_stiff(y, out):  # a rotation, until the clock y[2] has run down; then a stiff decay
        fast = 1e3 * (y[2] > 5)
        out[:] = y[1] - fast * y[0], -y[0] - fast * y[1], 1.0

    names = used(oscillating_then_stiff, np.array([1.0, 0.0, 0.0]), 10.0, 1e-6)
    assert names[10] == "DormandPrince"
    assert names[-1] == "Chebyshev"


@pytest.mark.parametrize("name", FORMULAS)
def test_the_error_falls_with_the_tolerance(name):
    times = np.linspace(0, 10, 41)
    exact = reference(times)
    errors = [
        np.abs(solve(pendulum, START, times, name, rtol, rtol).states - exact).max() for rtol in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[1] < errors[0] / 8  # the stabilized formula: (1e-2)^(2/3) = 1/21
    assert errors[2] < errors[1] / 8
    assert errors[2] < 1e-4


@pytest.mark.parametrize("name", FORMULAS)
def test_times_to_keep_cost_no_evaluations(name):
    few = solve(pendulum, START, np.array([0, 10.0]), name, 1e-6, 1e-6)
    many = solve(pendulum, START, np.linspace(0, 10, 5001), name, 1e-6, 1e-6)
    assert len(many.times) == 5001
    assert many.evaluations == few.evaluations
    assert np.array_equal(many.states[-1], few.states[-1])


@pytest.mark.parametrize("name", METHODS)
def test_an_event_ends_the_solution_at_its_moment(name):
    field, _ = linear(np.array([1.0, 3.0]))
    found = solve(field, np.ones(2), np.array([0, 0.1, 0.5, 1e6]), name, 1e-8, 1e-10, event=lambda y: y[0] - 0.5)
    assert found.end is End.EVENT
    assert np.allclose(found.times, [0, 0.1, 0.5, np.log(2)], atol=1e-5)
    assert found.states[-1, 0] == pytest.approx(0.5, abs=1e-7)
    at_once = solve(field, np.ones(2), np.array([0, 1.0]), name, 1e-8, 1e-10, event=lambda y: y[0] - 1)
    assert at_once.end is End.EVENT
    assert len(at_once.times) == 1


@pytest.mark.parametrize("name", FORMULAS)
def test_a_solution_that_blows_up_ends_short_just_before(name):
    def square(y, out):
        np.multiply(y, y, out=out)

    with np.errstate(all="ignore"):
        found = solve(square, np.ones(1), np.linspace(0, 2, 201), name, 1e-6, 1e-9)
    assert found.end is End.SHORT
    assert 0.98 < found.times[-1] < 1.01
    assert np.isfinite(found.states).all()


@pytest.mark.parametrize("name", FORMULAS)
def test_a_field_that_is_not_finite_at_the_start_ends_short(name):
    def nowhere(y, out):
        out[:] = np.nan

    with np.errstate(all="ignore"):
        found = solve(nowhere, np.ones(3), np.array([0, 1.0]), name, 1e-6, 1e-9)
    assert found.end is End.SHORT
    assert np.array_equal(found.states, np.ones((1, 3)))


@pytest.mark.parametrize("name", FORMULAS)
def test_a_point_of_rest_is_left_alone(name):
    found = solve(lambda y, out: out.fill(0.0), np.zeros(4), np.array([0, 1.0, 1e8]), name, 1e-6, 1e-9)
    assert found.end is End.LAST
    assert not found.states.any()
    assert found.evaluations < 2000


def test_the_last_evaluation_of_an_attempt_is_at_its_right_end():
    seen = []

    def field(y, out):
        seen.append(y.copy())
        pendulum(y, out)

    for name in FORMULAS:
        formula = FORMULAS[name](Ends(field, START, 1e-6, 1e-6))
        for _ in steps(formula, 0.0, 1.0):
            assert np.array_equal(seen[-1], formula.ends.y_next)


def test_the_pair_spends_six_evaluations_a_step():
    ends = Ends(pendulum, START, 1e-8, 1e-8)
    formula = DormandPrince(ends)
    attempts = sum(1 for _ in steps(formula, 0.0, 10.0)) + formula.failed
    assert ends.evaluations == 2 + 6 * attempts  # and two for the first step
