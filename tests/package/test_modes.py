"""Tests of lnn.modes against SciPy's integrator and against each other."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from tolerances import EXACT

import lnn
from lnn.theory import modes


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7])
def test_the_trajectory_solves_the_equation_of_its_mode(depth):
    times = np.linspace(0, 3, 7)
    by_hand = solve_ivp(
        lambda _, s: depth * s ** (2 - 2 / depth) * (1.7 - s), (0, 3), [0.05], t_eval=times, rtol=1e-11, atol=1e-13
    )
    np.testing.assert_allclose(modes.trajectory(times, 0.05, 1.7, depth), by_hand.y[0], rtol=1e-8)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_time_is_the_integral_of_one_over_the_speed(depth):
    integral = quad(lambda s: 1 / float(modes.rate(s, 0.9, depth)), 0.02, 0.8, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
    assert abs(modes.time_to_reach(0.8, 0.02, 0.9, depth) / integral - 1) < 1e-10


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_time_and_trajectory_are_inverse(depth):
    s = np.array([1e-3, 0.02, 0.5, 1.9, 1.9999])
    times = modes.time_to_reach(s, 1e-3, 2.0, depth)
    assert abs(times[0]) < EXACT and (np.diff(times) > 0).all()
    np.testing.assert_allclose(modes.trajectory(times, 1e-3, 2.0, depth), s, rtol=1e-9)


def test_the_rate_at_given_numbers():
    assert abs(modes.rate(8.0, 10.0, 3) - 3 * 16 * 2) < EXACT * 100
    assert modes.rate(0.0, 1.0, 2) == 0 == modes.rate(1.0, 1.0, 5)
    assert modes.rate(0.0, 1.0, 1) == 1


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_mode_arrives_and_stays(depth):
    assert modes.trajectory(1e6, 1e-2, 1.5, depth) == pytest.approx(1.5, rel=1e-12)
    assert modes.trajectory(0.0, 1e-2, 1.5, depth) == pytest.approx(1e-2, rel=1e-12)


def test_scaling_of_the_target_scales_the_time():
    fast, slow = modes.time_to_reach(2.0, 0.04, 4.0, 3), modes.time_to_reach(0.5, 0.01, 1.0, 3)
    assert abs(slow / fast / 4 ** (4 / 3) - 1) < 1e-10


def test_the_order_of_the_numbers_is_checked():
    with pytest.raises(ValueError, match="below the target"):
        modes.time_to_reach(0.5, 2.0, 1.0, 2)
    with pytest.raises(ValueError, match="initial, target"):
        modes.time_to_reach(1.5, 0.1, 1.0, 2)
    with pytest.raises(ValueError, match="negative"):
        modes.trajectory([-1.0], 0.1, 1.0, 2)
    with pytest.raises(ValueError, match="negative"):
        modes.rate(-0.1, 1.0, 2)
    with pytest.raises(ValueError, match="below the target"):
        modes.trajectory(1.0, 1.0, 0.5, 3)


@pytest.mark.parametrize("depth", [3, 4, 7])
@pytest.mark.parametrize("missing", [1e-8, 1e-9, 1e-10, 1e-12])
def test_next_to_the_target_the_time_is_its_integral_in_many_digits(depth, missing):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(30):
        s = mpmath.mpf(1.0) - mpmath.mpf(missing)
        missed = 1 - float(s)  # what the double next to 1 leaves
        power = 2 - mpmath.mpf(2) / depth
        # In the logarithm of what is missing, where the integrand is smooth.
        integral = mpmath.quad(
            lambda u: 1 / (depth * (1 - mpmath.exp(-u)) ** power),
            mpmath.linspace(-mpmath.log(0.5), -mpmath.log(mpmath.mpf(missed)), 6),
        )
    assert modes.time_to_reach(float(s), 0.5, 1.0, depth) == pytest.approx(float(integral), rel=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_borders_of_time_and_value_belong_to_the_curve(depth):
    assert modes.time_to_reach(0.1, 0.1, 1.0, depth) == pytest.approx(0, abs=1e-14)
    assert modes.trajectory([0.0], 0.1, 1.0, depth)[0] == pytest.approx(0.1, rel=1e-14)
    with pytest.raises(ValueError, match="initial, target"):
        modes.time_to_reach(1.0, 0.1, 1.0, depth)
    for function, first in ((modes.time_to_reach, 1.0), (modes.trajectory, 0.0)):
        with pytest.raises(ValueError, match="below the target"):
            function(first, 1.0, 1.0, depth)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_mode_keeps_shape_and_kind_of_its_times(depth):
    times = np.array([[0, 1, 2], [1, 2, 4]])  # whole numbers
    curve = modes.trajectory(times, 0.3, 1.4, depth)
    assert curve.shape == (2, 3) and curve.dtype == np.float64
    assert curve[0, 1] == curve[1, 0] and curve[0, 2] == curve[1, 1]
    assert (np.diff(curve, axis=1) > 0).all()


def test_curves_of_many_modes_are_those_of_each():
    times, targets = np.linspace(0, 4, 5).reshape(5, 1), np.array([[2.0, 1.0, 0.5], [3.0, 1.5, 0.2]])
    for starts in (0.1, 0.1 * targets):
        found = modes.mode_curve(times, starts, targets, 3)
        assert found.shape == (5, 1, 2, 3)
        for k in np.ndindex(5, 1, 2, 3):
            start = np.broadcast_to(starts, targets.shape)[k[2:]]
            by_hand = solve_ivp(
                lambda _, s, phi=targets[k[2:]]: 3 * s ** (4 / 3) * (phi - s), (0, 4), [start], rtol=1e-11, atol=1e-13,
                dense_output=True,
            )  # fmt: skip
            assert found[k] == pytest.approx(by_hand.sol(times[k[:2]])[0], rel=1e-7)
    with pytest.raises(ValueError, match=r"initial must be below the target, got 0.3 and 0.2"):
        modes.mode_curve([1.0], 0.3, [2.0, 0.2], 2)


def test_projected_on_its_directions_an_aligned_run_is_its_modes():
    rng = np.random.default_rng(0)
    target = rng.standard_normal((4, 3))
    U, values, Vt = np.linalg.svd(target, full_matrices=False)
    start = lnn.initial.balanced(0.05 * U @ Vt, (3, 5, 4))
    times = np.linspace(0, 6, 9)
    path = lnn.gradient_flow(start, lnn.LeastSquares.to(target), times)
    found = modes.project(path, U, Vt.T)
    np.testing.assert_allclose(found, modes.mode_curve(times, 0.05, values, 2), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found, path.singular_values, rtol=0, atol=1e-6)
    for k, r in np.ndindex(9, 3):
        assert found[k, r] == pytest.approx(U[:, r] @ path.end_to_end[k] @ Vt[r], abs=1e-13)
    np.testing.assert_allclose(modes.project(-path.end_to_end, U, Vt.T), -found, rtol=0, atol=1e-13)  # with its sign
    np.testing.assert_allclose(modes.project(target, U[:, :2], Vt.T[:, :2]), values[:2], rtol=1e-12)
    with pytest.raises(ValueError, match=r"W of shape \(4, 3\) needs U .* got \(4, 3\) and \(3, 2\)"):
        modes.project(target, U, Vt.T[:, :2])
    with pytest.raises(ValueError, match=r"needs U of shape \(m, r\)"):
        modes.project(target, Vt.T, U)
    for k, name in enumerate("WUV"):
        arguments = [target, U, Vt.T]
        arguments[k] = np.full_like(arguments[k], np.nan)
        with pytest.raises(ValueError, match=f"^{name} must be finite"):
            modes.project(*arguments)
    assert modes.mode_curve(1.5, 0.1, 2.0, 3) == modes.trajectory(1.5, 0.1, 2.0, 3)
    for starts, targets, name in (([np.nan], [1.0], "initial"), ([0.1], [np.nan], "targets")):
        with pytest.raises(ValueError, match=f"^{name} must be finite"):
            modes.mode_curve([1.0], starts, targets, 2)
