"""The results of the page `acceleration`, each against an independent computation."""

import math

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import brentq, minimize_scalar
from tolerances import EXACT

import lnn
from lnn.symbolic import acceleration


def rule(w, y, p, depth, eta):
    """The discrete end-to-end rule for one output, from the factors of a balanced network, in plain numbers.

    One Euler step of the end-to-end dynamics: Σ_j ‖w‖^{2(N-j)/N} G (wᵀw)^{(j-1)/N} with the powers by hand: for a
    row w, (wᵀw)^s = ‖w‖^{2s} ŵᵀŵ for s > 0 and the identity for s = 0.
    """
    norm = math.hypot(*w)
    unit = [a / norm for a in w]
    G = [(a - b) ** (p - 1) for a, b in zip(w, y, strict=True)]
    along = sum(g * u for g, u in zip(G, unit, strict=True))
    step = [0.0, 0.0]
    for j in range(1, depth + 1):
        left = norm ** (2 * (depth - j) / depth)
        for i in range(2):
            step[i] += left * (G[i] if j == 1 else norm ** (2 * (j - 1) / depth) * along * unit[i])
    return [a - eta * b for a, b in zip(w, step, strict=True)]


def arrival(w, y, p, depth, eta, theta, limit):
    """First step at which both errors are at most θ y_2."""
    for t in range(limit):
        if max(abs(a - b) for a, b in zip(w, y, strict=True)) <= theta * y[1]:
            return t
        if max(map(abs, w)) > 1e9:
            return math.inf
        if depth == 1:
            w = [a - eta * (a - b) ** (p - 1) for a, b in zip(w, y, strict=True)]
        else:
            w = rule(w, y, p, depth, eta)
    return math.inf


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("p", [2, 4, 6])
def test_the_rule_of_these_tests_is_that_of_the_package(depth, p):
    rng = np.random.default_rng(depth)
    w, y = rng.standard_normal(2), np.array([3.0, 1.0])
    step = lnn.end_to_end_step([w], lnn.PowerLoss(lnn.Everything((1, 2)), y, p), depth, 0.03)
    np.testing.assert_allclose(step[0], rule(w, y, p, depth, 0.03), rtol=1e-10)


def test_lem_exact_warmup():
    """lem-exact-warmup: the moves of a product with one scalar layer are explained without remainder."""
    rng = np.random.default_rng(0)
    X, Y, _ = lnn.datasets.auto_mpg()
    loss = lnn.PowerLoss(lnn.Samples(X / 392**0.25), Y.ravel() / 392**0.25, 4)
    start, eta = lnn.initial.gaussian((7, 1, 1), 0.3, rng=rng), 0.2
    path = lnn.gradient_descent(start, loss, eta, 25)
    omega, w1, w = path.weights[1].ravel(), path.weights[0][:, 0], path.end_to_end[:, 0]
    G = [loss.gradient(W)[0] for W in path.end_to_end]
    for t in range(25):
        moved = -eta * omega[t + 1] * omega[t] * G[t] + (omega[t + 1] - omega[t]) * w1[0]
        for tau in range(t):
            moved -= eta * (omega[t + 1] - omega[t]) * omega[tau] * G[tau]
        np.testing.assert_allclose(w[t + 1] - w[t], moved, atol=1e2 * EXACT)
    assert np.abs(w[-1] - w[0]).max() > 0.1


@pytest.mark.parametrize("p", [2, 4, 6])
def test_prop_lp_stability(p):
    """prop-lp-stability: stable below 2/M^{p-2}, a cycle at it, divergent above; by descent on a network of depth 1."""
    y = np.array([3.0, -1.5])
    loss, limit = lnn.PowerLoss(lnn.Everything((1, 2)), y, p), 2 / 3.0 ** (p - 2)
    zero = (np.zeros((1, 2)),)
    below = lnn.gradient_descent(zero, loss, 0.97 * limit, 300)
    assert (
        below.losses[-1] < 0.1 * below.losses[0]
        and (np.diff(np.abs(below.end_to_end - y).max(axis=2)[:, 0]) <= 0).all()
    )
    at = lnn.gradient_descent(zero, loss, limit, 50)
    np.testing.assert_allclose(np.abs(at.end_to_end[:, 0, 0] - 3), 3, rtol=1e-9)
    above = lnn.gradient_descent(zero, loss, 1.03 * limit, 300)
    assert above.outcome is lnn.Outcome.DIVERGED or above.losses[-1] > 1e3 * above.losses[0]
    factor, error = acceleration.error_factor(p)
    step = sp.lambdify((error, acceleration.ETA), factor)
    D = below.end_to_end[:, 0] - y
    np.testing.assert_allclose(D[1], D[0] * [float(step(d, 0.97 * limit)) for d in D[0]], rtol=1e-12)


@pytest.mark.parametrize("p", [4, 6, 8])
@pytest.mark.parametrize("scaled", [0.01, 0.1, 0.4])
def test_prop_lp_stability_lower_bound_on_the_time(p, scaled):
    """prop-lp-stability: a coordinate is never faster than the bound, which is sharp for small steps."""
    start, theta = 1.7, 0.5
    eta = scaled / start ** (p - 2)
    D, T = start, 0
    while D > theta * start:
        D, T = D * (1 - eta * D ** (p - 2)), T + 1
    bound = (1 - scaled) ** (p - 1) / ((p - 2) * scaled) * (theta ** -(p - 2) - 1)
    assert bound <= T
    if scaled == 0.01:
        assert bound + 1 >= 0.9 * T


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize(("p", "ratios"), [(4, (12, 24)), (6, (12,))])
def test_claim_acceleration(p, ratios, depth):
    """claim-acceleration: the landing, both bounds, and a speed-up that grows like r^{p-2}, in units with y_2 = 0.7."""
    theta, gains, a = 0.5, [], 2 - 2 / depth
    for r in ratios:
        y = [0.7 * r, 0.7]
        omega = brentq(lambda v: (y[0] / v) ** a - ((y[0] - v) / y[1]) ** (p - 2) / 2, 1e-12, y[0] / 2)  # noqa: B023
        R = (y[0] - omega) / y[1]
        eta = 1 / (depth * omega**a * (y[0] - omega) ** (p - 2))
        landed = rule([omega, 0.0], y, p, depth, eta)
        assert landed[0] == pytest.approx(y[0], rel=1e-12)
        assert landed[1] == pytest.approx(y[1] / (depth * R ** (p - 2)), rel=1e-9)
        gamma = eta * y[0] ** a * y[1] ** (p - 2)
        assert gamma == pytest.approx(1 / (2 * depth), rel=1e-9)
        upper = 1 + math.ceil(2 * (theta ** -(p - 2) - 1) / ((p - 2) * gamma))
        deep = arrival([omega, 0.0], y, p, depth, eta, theta, 2 * upper)
        assert deep <= upper
        lower = (1 - 2 * R ** -(p - 2)) ** (p - 1) * (theta ** -(p - 2) - 1) / (2 * (p - 2)) * R ** (p - 2)
        top = 2 / (y[0] - omega) ** (p - 2)
        for share in (0.5, 0.9, 0.99, 1.01, 2.0):
            assert arrival([omega, 0.0], y, p, 1, share * top, theta, int(lower)) == math.inf
        gains.append(lower / deep)
    assert gains[-1] > 2
    if len(gains) == 2:
        assert gains[1] / gains[0] > 3  # 2^{p-2} = 4 in the limit


def test_claim_acceleration_invariant_region():
    """claim-acceleration, part 3: -E ≤ e ≤ 0 and 0 ≤ d ≤ 1 until accuracy, for depths and ratios at the limits."""
    for depth, theta in ((2, 0.3), (3, 0.5), (6, 0.9)):
        r, p, a = max(6.0, 2 * (depth - 1) / theta), 4, 2 - 2 / depth
        omega = brentq(lambda v: (r / v) ** a - (r - v) ** 2 / 2, 1e-12, r / 2)  # noqa: B023
        eta = 1 / (depth * omega**a * (r - omega) ** 2)
        w = rule([omega, 0.0], [r, 1.0], p, depth, eta)
        while 1 - w[1] > theta:
            e, d = r - w[0], 1 - w[1]
            assert -2 * (depth - 1) / r - EXACT <= e <= 1e-9 and 0 <= d <= 1
            w = rule(w, [r, 1.0], p, depth, eta)
            assert 1 - w[1] <= d - 0.5 * eta * r**a * d ** (p - 1) + EXACT


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_claim_acceleration_effective_step_of_sympy_is_that_of_the_package(depth):
    """claim-acceleration, part 2: the symbolic effective step and landing step against lnn.end_to_end_step."""
    symbol, second = acceleration.effective_step(acceleration.N)
    y = np.array([7.0, 1.3])
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), y, 4)
    for w2 in (0.0, 0.4, 1.0):
        W = np.array([[7.0, w2]])
        moved = lnn.end_to_end_step(W, loss, depth, 0.01)[0, 1] - w2
        effective = float(
            symbol.subs({acceleration.N: depth, acceleration.ETA: 0.01, acceleration.Y1: 7.0, second: w2})
        )
        assert moved == pytest.approx(-effective * loss.gradient(W)[0, 1], rel=1e-9)
        base = 0.01 * 7.0 ** (2 - 2 / depth)
        assert base * (1 - EXACT) <= effective <= base * (1 + depth * (1.3 / 7) ** 2)
    eta = float(acceleration.landing_step(4, depth).subs({acceleration.OMEGA: 0.8, acceleration.Y1: 7.0}))
    assert lnn.end_to_end_step([[0.8, 0.0]], loss, depth, eta)[0, 0] == pytest.approx(7.0, rel=1e-10)


@pytest.mark.parametrize("depth", [2, 3])
def test_claim_acceleration_speed_up_follows_the_prediction(depth):
    """claim-acceleration: from ω = y_2 the gain is (y_1/ω)^{2-2/N}/(2N) within 25 %, and so is its growth."""
    gains, a = [], 2 - 2 / depth
    for r in (10, 20):
        top = 2 / (r - 1) ** 2
        plain = min(arrival([1.0, 0.0], [r, 1.0], 4, 1, s * top, 0.5, 5000) for s in np.linspace(0.6, 0.99, 14))
        deep = arrival([1.0, 0.0], [r, 1.0], 4, depth, 1 / (depth * (r - 1) ** 2), 0.5, 5000)
        gains.append(plain / deep)
        assert gains[-1] == pytest.approx(r**a / (2 * depth), rel=0.25)
    assert np.log2(gains[1] / gains[0]) == pytest.approx(a, abs=0.15)


@pytest.mark.parametrize(("p", "depth"), [(4, 2), (4, 3), (6, 2), (6, 5)])
def test_prop_monotone_tuning(p, depth):
    """prop-monotone-tuning: κ* by numerical maximization, monotone up to it, overshooting beyond it."""
    a, b = 2 - 2 / depth, p - 2
    peak = minimize_scalar(lambda s: -(s**a) * (1 - s) ** b, bounds=(0, 1), method="bounded", options={"xatol": 1e-12})
    place, limit, A, B = acceleration.monotone_limit()
    values = {A: sp.Rational(2 * depth - 2, depth), B: b}
    assert float(limit.subs(values)) == pytest.approx(-1 / peak.fun, rel=1e-9)
    assert float(place.subs(values)) == pytest.approx(peak.x, abs=1e-5)
    y1 = 4.0
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), np.array([y1, 0.0]), p)
    for share, overshoots in ((0.999, False), (1.05, True)):
        eta = share * float(limit.subs(values)) / depth / y1 ** (p - 2 / depth)
        after = [lnn.end_to_end_step([[s * y1, 0.0]], loss, depth, eta)[0, 0] / y1 for s in np.linspace(0.01, 0.99, 99)]
        assert (max(after) > 1) == overshoots
        assert all(g > s for g, s in zip(after, np.linspace(0.01, 0.99, 99), strict=True))
        effective = eta * y1 ** (2 - 2 / depth) / (2 / y1 ** (p - 2))
        assert effective == pytest.approx(share * float(limit.subs(values)) / (2 * depth), rel=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_prop_quadratic_no_gain(depth):
    """prop-quadratic-no-gain: the Jacobian by differences, its condition within a factor N, both ends attained."""
    rng = np.random.default_rng(depth)
    for _ in range(20):
        A = rng.standard_normal((3, 3))
        H, y = A @ A.T + 0.1 * np.eye(3), rng.standard_normal(3)
        root = np.linalg.cholesky(H)
        loss = lnn.LeastSquares(lnn.Samples(root), y @ root)
        eta, h, J = 0.01, 1e-6, np.empty((3, 3))
        for i in range(3):
            e = h * np.eye(3)[i]
            sides = [lnn.end_to_end_step([y + s * e], loss, depth, eta)[0] for s in (1, -1)]
            J[:, i] = (sides[0] - sides[1]) / (2 * h)
        spectrum = np.sort(np.linalg.eigvals((np.eye(3) - J) / eta).real)
        K, K1 = spectrum[-1] / spectrum[0], np.linalg.cond(H)
        assert K1 / depth * (1 - 1e-4) <= K <= depth * K1 * (1 + 1e-4)
    values = np.array([1.0, 8.0, 20.0])
    for i, expected in ((0, 20 / depth), (2, 20 * depth)):
        M = lnn.preconditioner.matrix(np.eye(3)[i : i + 1], depth) @ np.diag(values)
        assert np.linalg.cond(M) == pytest.approx(expected, rel=1e-9)


def test_prop_quadratic_no_gain_on_the_family():
    """prop-quadratic-no-gain, part 1 and H = I: one step of descent, and the symbolic Jacobian."""
    y = np.array([10.0, 1.0])
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), y, 2)
    assert lnn.gradient_descent((np.array([[-3.0, 7.0]]),), loss, 1.0, 1).losses[-1] < EXACT
    for depth in (2, 3):
        J = acceleration.linearization(depth)
        numbers = np.array(
            J.subs({acceleration.Y1: 10, acceleration.Y2: 1, acceleration.ETA: sp.Rational(1, 100)}), float
        )
        scale = np.linalg.norm(y) ** (2 - 2 / depth) / 100
        np.testing.assert_allclose(
            np.sort(np.linalg.eigvalsh(numbers)), np.sort([1 - depth * scale, 1 - scale]), rtol=1e-9
        )
        best = (depth - 1) / (depth + 1)
        path = lnn.end_to_end_descent([y * 1.01 + [0.0, 0.05]], loss, depth, 2 / (depth + 1) / (100 * scale), 12)
        errors = np.linalg.norm(path.end_to_end[:, 0] - y, axis=1)
        assert (errors[12] / errors[4]) ** (1 / 8) == pytest.approx(best, abs=0.03)


@pytest.mark.parametrize("depth", [2, 3])
def test_prop_quadratic_no_gain_bounds_rates_and_not_landings(depth):
    """prop-quadratic-no-gain: an aimed start lands on the minimum at once, where descent needs of the order of K."""
    w = np.array([2.0, 1.0])
    for K in (1e2, 1e3):
        # (I + (N-1) ŵŵᵀ) diag(1, K) v = λ v for v = (1, m), solved for the slope m by hand: a quadratic equation.
        n, c, s = depth - 1, 2 / math.sqrt(5), 1 / math.sqrt(5)
        m = max(np.roots([n * c * s * K, 1 + n * c**2 - K - n * s**2 * K, -n * c * s]))
        lam = 5 ** (1 - 1 / depth) * (1 + n * c * (c + s * K * m))
        v = np.array([1.0, m]) / math.hypot(1, m)
        root = np.sqrt([1.0, K])
        loss = lnn.LeastSquares(lnn.Samples(np.diag(root)), (w - v) * root)
        np.testing.assert_allclose(lnn.end_to_end_step([w], loss, depth, 1 / lam)[0], w - v, atol=1e-9)
        for share in np.linspace(0.2, 2.2, 21):
            flow = lnn.gradient_descent(([w],), loss, share / K, int(K))
            assert np.abs(flow.end_to_end[:, 0] - (w - v)).max(axis=1).min() > 1e-2
