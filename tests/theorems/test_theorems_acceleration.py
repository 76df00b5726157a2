"""The results of the page `acceleration`, each against an independent computation."""

import math

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import brentq, minimize_scalar
from tolerances import EXACT

import lnn
from lnn.symbolic import acceleration


def gradient(w, y, p):
    """Gradient of Σ |w_i - y_i|^p / p."""
    return [math.copysign(abs(a - b) ** (p - 1), a - b) for a, b in zip(w, y, strict=True)]


def rule(w, y, p, depth, eta):
    """The discrete end-to-end rule for one output, from the factors of a balanced network, in plain numbers.

    One Euler step of the end-to-end dynamics: Σ_j ‖w‖^{2(N-j)/N} G (wᵀw)^{(j-1)/N} with the powers by hand: for a
    row w, (wᵀw)^s = ‖w‖^{2s} ŵᵀŵ for s > 0 and the identity for s = 0.
    """
    norm = math.hypot(*w)
    unit = [a / norm for a in w]
    G = gradient(w, y, p)
    along = sum(g * u for g, u in zip(G, unit, strict=True))
    step = [0.0, 0.0]
    for j in range(1, depth + 1):
        left = norm ** (2 * (depth - j) / depth)
        for i in range(2):
            step[i] += left * (G[i] if j == 1 else norm ** (2 * (j - 1) / depth) * along * unit[i])
    return [a - eta * b for a, b in zip(w, step, strict=True)]


def layers(row, scalars, y, p, eta):
    """One step of gradient descent over a row and any scalars, each with its own partial derivative."""
    w = [math.prod(scalars) * a for a in row]
    G = gradient(w, y, p)
    pull = sum(a * g for a, g in zip(row, G, strict=True))
    others = [math.prod(scalars[:j] + scalars[j + 1 :]) for j in range(len(scalars))]
    return [a - eta * math.prod(scalars) * g for a, g in zip(row, G, strict=True)], [
        z - eta * other * pull for z, other in zip(scalars, others, strict=True)
    ]


def arrival(w, y, p, depth, eta, theta, limit, over_layers=False):
    """First step at which both errors are at most θ y_2; over the layers from balanced factors of w."""
    root = math.hypot(*w) ** (1 / depth)
    row, scalars = [a / root ** (depth - 1) for a in w], [root] * (depth - 1)
    for t in range(limit):
        if max(abs(a - b) for a, b in zip(w, y, strict=True)) <= theta * y[1]:
            return t
        if max(map(abs, w)) > 1e9:
            return math.inf
        if over_layers:
            row, scalars = layers(row, scalars, y, p, eta)
            w = [math.prod(scalars) * a for a in row]
        elif depth == 1:
            w = [a - eta * g for a, g in zip(w, gradient(w, y, p), strict=True)]
        else:
            w = rule(w, y, p, depth, eta)
    return math.inf


def start(p, depth, r, gamma, over_layers):
    """ω in units of y_2 for which the effective step after landing, γ, is the one given, by root finding."""

    def excess(s):
        q = math.exp(s)
        gain = (
            (q ** (1 / depth) - 1) * q ** (1 - 2 / depth) / (1 - 1 / q) if over_layers else q ** (2 - 2 / depth) / depth
        )
        return math.log(gain) - (p - 2) * math.log(r * (1 - 1 / q)) - math.log(gamma)

    return r / math.exp(brentq(excess, math.log(2), 120))


def landing(p, depth, r, omega, over_layers):
    """The landing step size from (ω, 0) in units of y_2."""
    q = r / omega
    if over_layers:
        return (q ** (1 / depth) - 1) / (omega ** (1 - 2 / depth) * (r - omega) ** (p - 1))
    return 1 / (depth * omega ** (2 - 2 / depth) * (r - omega) ** (p - 2))


def descent_bound(p, theta, R):
    """The lower bound on the steps of gradient descent, from its proof: (1-x)^{p-1} / ((p-2) x) at x = 2 R^{2-p}."""
    x = 2 * R ** (2 - p)
    return (1 - x) ** (p - 1) / ((p - 2) * x) * (theta ** (2 - p) - 1)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("p", [2, 2.5, 4, 6])
def test_the_rule_of_these_tests_is_that_of_the_package(depth, p):
    rng = np.random.default_rng(depth)
    w, y = rng.standard_normal(2), np.array([3.0, 1.0])
    step = lnn.end_to_end_step([w], lnn.PowerLoss(lnn.Everything((1, 2)), y, p), depth, 0.03)
    np.testing.assert_allclose(step[0], rule(w, y, p, depth, 0.03), rtol=1e-10)


@pytest.mark.parametrize("p", [2, 2.5, 3, 4, 6])
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
    at = lnn.gradient_descent(zero, loss, limit, 10)  # the cycle is unstable: rounding grows by up to 9 a step
    np.testing.assert_allclose(np.abs(at.end_to_end[:, 0, 0] - 3), 3, rtol=1e-6)
    above = lnn.gradient_descent(zero, loss, 1.03 * limit, 300)
    assert above.outcome is lnn.Outcome.DIVERGED or above.losses[-1] > 1e3 * above.losses[0]
    D = below.end_to_end[:, 0] - y
    for i, sign in enumerate((-1, 1)):  # the first error is negative, the second positive
        factor, size = acceleration.error_factor(acceleration.P, sign)
        step = factor.subs({acceleration.P: sp.Rational(p), size: abs(D[0, i]), acceleration.ETA: 0.97 * limit})
        assert D[1, i] == pytest.approx(D[0, i] * float(step), rel=1e-12)


@pytest.mark.parametrize("p", [2.5, 4, 6, 8])
@pytest.mark.parametrize("scaled", [0.001, 0.1, 0.4])
def test_prop_lp_stability_lower_bound_on_the_time(p, scaled):
    """prop-lp-stability: a coordinate is never faster than the bound, which is sharp for small steps."""
    start, theta = 1.7, 0.5
    eta = scaled / start ** (p - 2)
    D, T = start, 0
    while D > theta * start:
        D, T = D * (1 - eta * D ** (p - 2)), T + 1
    bound = (1 - scaled) ** (p - 1) / ((p - 2) * scaled) * (theta ** -(p - 2) - 1)
    assert bound <= T
    if scaled == 0.001:  # for small steps the constant is the best one
        assert 1.02 * bound > T


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize(("p", "ratios"), [(2.5, (130, 260)), (3, (24, 48)), (4, (12, 24)), (6, (12,))])
@pytest.mark.parametrize("over_layers", [False, True], ids=["rule", "layers"])
def test_claim_acceleration_and_thm_acceleration_layers(over_layers, p, ratios, depth):
    """claim-acceleration, thm-acceleration-layers: both bounds, a speed-up like r^{p-2}, in units with y_2 = 0.7."""
    theta, gains, unit = 0.5, [], 0.7
    for r in ratios:
        omega = start(p, depth, r, 1 / (2 * depth), over_layers)
        assert omega <= r / 2
        y, R = [unit * r, unit], r - omega
        eta = landing(p, depth, r, omega, over_layers) / unit ** (p - 2 / depth)
        upper = 1 + math.ceil(2 * depth * (theta ** (2 - p) - 1) / ((p - 2) * (1 - (depth - 1) / r)) - 1e-9)
        deep = arrival([unit * omega, 0.0], y, p, depth, eta, theta, 2 * upper, over_layers)
        assert deep <= upper
        lower = descent_bound(p, theta, R)
        top = 2 / (unit * R) ** (p - 2)
        for share in (0.5, 0.9, 0.99, 1.01, 2.0):
            assert arrival([unit * omega, 0.0], y, p, 1, share * top, theta, math.floor(lower)) == math.inf
        gains.append(lower / deep)
    if p >= 4:
        assert gains[-1] > 2
    if len(gains) == 2:
        assert gains[1] / gains[0] > 0.95 * 2 ** (p - 2)


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("p", [2.5, 4])
@pytest.mark.parametrize("over_layers", [False, True], ids=["rule", "layers"])
def test_claim_acceleration_and_thm_acceleration_layers_upper_bound_is_sharp(over_layers, p, depth):
    """claim-acceleration, thm-acceleration-layers: for small γ and large r nine tenths of the bound are too few."""
    gamma, theta, r = 0.004, 0.4, 1e3 if p == 4 else 1e7
    omega = start(p, depth, r, gamma, over_layers)
    steps = (theta ** (2 - p) - 1) / ((p - 2) * (1 - (depth - 1) / r) * gamma)
    eta = landing(p, depth, r, omega, over_layers)
    deep = arrival([omega, 0.0], [r, 1.0], p, depth, eta, theta, 10_000, over_layers)
    assert 1 + 0.9 * steps < deep <= 1 + math.ceil(steps)


@pytest.mark.parametrize("over_layers", [False, True], ids=["rule", "layers"])
def test_claim_acceleration_and_thm_acceleration_layers_need_a_small_effective_step(over_layers):
    """claim-acceleration, thm-acceleration-layers: with γ above 2 instead of 1/(2N) coordinate 2 never arrives."""
    for depth in (2, 3):
        for gamma, arrives in ((1 / (2 * depth), True), (2.2, False)):
            omega = start(4, depth, 64, gamma, over_layers)
            eta = landing(4, depth, 64, omega, over_layers)
            steps = arrival([omega, 0.0], [64.0, 1.0], 4, depth, eta, 0.1, 2000, over_layers)
            assert (steps < math.inf) == arrives


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_claim_acceleration_landing(depth):
    """claim-acceleration, part 2: the first step of the rule lands on (y_1, y_2/(N R^{p-2}))."""
    r, unit = 12, 0.7
    for p in (2.5, 4):
        for omega in (0.1, 3.0):
            eta = landing(p, depth, r, omega, False) / unit ** (p - 2 / depth)
            landed = rule([unit * omega, 0.0], [unit * r, unit], p, depth, eta)
            assert landed == pytest.approx([unit * r, unit / (depth * (r - omega) ** (p - 2))], rel=1e-9)


def test_claim_acceleration_invariant_region():
    """claim-acceleration, part 3: 0 ≤ e ≤ E and 0 ≤ d ≤ 1 until accuracy, for depths and ratios at the limits."""
    for depth, theta, p in ((2, 0.3, 4), (3, 0.5, 4), (6, 0.9, 4), (3, 0.5, 3)):
        r = max(6.0, 2 * (depth - 1) / theta, 2 * 8 ** (1 / (p - 2)))
        omega, a = start(p, depth, r, 1 / (2 * depth), False), 2 - 2 / depth
        eta = landing(p, depth, r, omega, False)
        w, kicked = rule([omega, 0.0], [r, 1.0], p, depth, eta), 0.0
        while 1 - w[1] > theta:
            e, d = w[0] - r, 1 - w[1]
            kicked = max(kicked, e)
            assert -1e-9 <= e <= 2 * (depth - 1) / r + EXACT and 0 <= d <= 1
            w = rule(w, [r, 1.0], p, depth, eta)
            assert 1 - w[1] <= d - (1 - (depth - 1) / r) * eta * r**a * d ** (p - 1) + EXACT
        assert kicked > 1e-5  # coordinate 1 is kicked


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_thm_acceleration_layers_move(depth):
    """thm-acceleration-layers, part 1: the closed step against descent over the layers of the package; SymPy's too."""
    rng, p, eta = np.random.default_rng(depth), 2.5, 0.02
    for _ in range(5):
        y, row, z = rng.uniform(1, 3, 2), rng.standard_normal(2), rng.uniform(0.5, 1.5)
        loss = lnn.PowerLoss(lnn.Everything((1, 2)), y, p)
        net = (row[None], *[np.array([[z]])] * (depth - 1))
        after = lnn.gradient_descent(net, loss, eta, 1)
        w = z ** (depth - 1) * row
        g, h = np.array(gradient(w, y, p)), eta * z ** (2 * depth - 2)
        k = h * (w @ g) / z ** (2 * depth)
        np.testing.assert_allclose(after.end_to_end[1, 0], (1 - k) ** (depth - 1) * (w - h * g), rtol=1e-10)
        np.testing.assert_allclose([W[1, 0, 0] for W in after.weights[1:]], (1 - k) * z, rtol=1e-10)
        plain_row, plain_scalars = layers(list(row), [z] * (depth - 1), list(y), p, eta)
        np.testing.assert_allclose(after.weights[0][1, 0], plain_row, rtol=1e-10)
        np.testing.assert_allclose([W[1, 0, 0] for W in after.weights[1:]], plain_scalars, rtol=1e-10)
    assert acceleration.layers_defect(depth).is_zero_matrix


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_thm_acceleration_layers_landing(depth):
    """thm-acceleration-layers, part 2: where the first step lands, with its own step size and with the rule's."""
    p, r, omega = sp.Rational(5, 2), 16.0, 0.3
    values = {acceleration.OMEGA: omega, acceleration.Y1: r}
    root = omega ** (1 / depth)
    for over_layers in (True, False):
        eta = landing(2.5, depth, r, omega, over_layers)
        row, scalars = layers([root, 0.0], [root] * (depth - 1), [r, 1.0], 2.5, eta)
        landed = math.prod(scalars) * row[0]
        symbol = (acceleration.layers_landing_step if over_layers else acceleration.landing_step)(p, depth)
        assert float(symbol.subs(values)) == pytest.approx(eta, rel=1e-10)
        assert float(acceleration.layers_landing(p, depth, symbol).subs(values)) == pytest.approx(landed, rel=1e-9)
        if over_layers:
            np.testing.assert_allclose([row[0], *scalars], r ** (1 / depth), rtol=1e-12)
        else:
            assert landed == pytest.approx(omega * (1 + (r / omega - 1) / depth) ** depth, rel=1e-10) and landed > 2 * r
            net = (np.array([[root, 0.0]]), *[np.array([[root]])] * (depth - 1))
            loss = lnn.PowerLoss(lnn.Everything((1, 2)), np.array([r, 1.0]), 4)
            wild = lnn.gradient_descent(net, loss, landing(4, depth, r, omega, False), 200)
            assert wild.outcome is lnn.Outcome.DIVERGED


def test_thm_acceleration_layers_invariant_region():
    """thm-acceleration-layers, part 3: u ≤ ρ ≤ z ≤ ρ exp(1/r²), 0 ≤ e ≤ θ, 0 ≤ d ≤ 1, by the package's descent."""
    for depth, theta, p in ((2, 0.3, 4), (3, 0.6, 3), (6, 0.7, 4), (10, 0.8, 5)):
        r = max(2 * (2 * depth) ** (1 / (p - 2)), 2 * (depth - 1) / theta)
        omega = start(p, depth, r, 1 / (2 * depth), True)
        eta, rho = landing(p, depth, r, omega, True), r ** (1 / depth)
        root = omega ** (1 / depth)
        net = (np.array([[root, 0.0]]), *[np.array([[root]])] * (depth - 1))
        path = lnn.gradient_descent(net, lnn.PowerLoss(lnn.Everything((1, 2)), np.array([r, 1.0]), p), eta, 400)
        u, z, w = path.weights[0][1:, 0, 0], path.weights[1][1:, 0, 0], path.end_to_end[1:, 0]
        e, d = w[:, 0] - r, 1 - w[:, 1]
        upto = slice(0, np.argmax(d <= theta) + 1)
        e, d, u, z = e[upto], d[upto], u[upto], z[upto]
        assert d[-1] <= theta < d[0] and len(d) >= 3
        assert (u <= rho * (1 + 1e-12)).all() and (rho <= z * (1 + 1e-12)).all()
        assert (z <= rho * math.exp(r**-2) * (1 + 1e-12)).all() and z[-1] > rho * (1 + 1e-9)
        assert (
            (e >= -1e-9).all() and (e <= (depth - 1) / r * math.exp((depth - 1) / r**2) + 1e-9).all() and (d >= 0).all()
        )
        h = eta * z ** (2 * depth - 2)
        assert (d[1:] <= d[:-1] - (1 - (depth - 1) / r) * h[:-1] * d[:-1] ** (p - 1) + EXACT).all()
        assert (h < 1 / depth).all()


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
@pytest.mark.parametrize("over_layers", [False, True], ids=["rule", "layers"])
def test_claim_acceleration_and_thm_acceleration_layers_speed_up_follows_the_prediction(over_layers, depth):
    """claim-acceleration, thm-acceleration-layers: from ω = y_2 the gain is that of the effective steps within 25 %."""
    gains, expected = [], []
    for r in (10, 20):
        top = 2 / (r - 1) ** 2
        plain = min(arrival([1.0, 0.0], [r, 1.0], 4, 1, s * top, 0.5, 5000) for s in np.linspace(0.6, 0.99, 14))
        eta = landing(4, depth, r, 1.0, over_layers)
        deep = arrival([1.0, 0.0], [r, 1.0], 4, depth, eta, 0.5, 5000, over_layers)
        gains.append(plain / deep)
        expected.append(eta * r ** (2 - 2 / depth) / top)
        assert gains[-1] == pytest.approx(expected[-1], rel=0.25)
    assert np.log2(gains[1] / gains[0]) == pytest.approx(np.log2(expected[1] / expected[0]), abs=0.15)
    if not over_layers:
        assert expected[1] == pytest.approx(20 ** (2 - 2 / depth) / (2 * depth), rel=1e-9)


@pytest.mark.parametrize(("p", "depth"), [(2.5, 2), (3, 4), (4, 2), (4, 3), (6, 2), (6, 5)])
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
    # Part 3 from two steps of the package at (y_1, 0): the effective step over the largest stable one.
    eta = float(limit.subs(values)) / depth / y1 ** (p - 2 / depth)
    arrived = lnn.PowerLoss(lnn.Everything((1, 2)), np.array([y1, 1.0]), p)
    moved = lnn.end_to_end_step([[y1, 0.0]], arrived, depth, eta)[0, 1]
    assert moved / (2 / y1 ** (p - 2)) == pytest.approx(float(limit.subs(values)) / (2 * depth), rel=1e-9)


@pytest.mark.parametrize(("p", "depth"), [(2.5, 2), (4, 2), (4, 3), (6, 4)])
def test_prop_monotone_tuning_over_the_layers(p, depth):
    """prop-monotone-tuning, part 2: descent over balanced layers never overshoots up to κ∘ and does beyond; κ∘ ≤ κ*."""
    y1, x = 4.0, np.linspace(0, 1, 20_001)[1:-1]
    kappa = (depth * (1 - x) / (x ** (depth - 1) * (1 - x**depth) ** (p - 1))).min()
    a, b = 2 - 2 / depth, p - 2
    assert kappa < 0.95 * (a + b) ** (a + b) / (a**a * b**b)
    for share, overshoots in ((0.999, False), (1.02, True)):
        eta, highest = share * kappa / depth / y1 ** (p - 2 / depth), []
        for s in np.linspace(0.01, 0.99, 99):
            root = (s * y1) ** (1 / depth)
            row, scalars = layers([root, 0.0], [root] * (depth - 1), [y1, 0.0], p, eta)
            highest.append(math.prod(scalars) * row[0])
        assert (max(highest) > y1) == overshoots
        assert all(w > s * y1 for w, s in zip(highest, np.linspace(0.01, 0.99, 99), strict=True))


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
        J, H = acceleration.linearization(depth)
        place = {acceleration.Y1: 10, acceleration.Y2: 1, acceleration.ETA: sp.Rational(1, 100)}
        numbers = np.array(J.subs({**place, H[0, 0]: 1, H[1, 1]: 1, H[0, 1]: 0}), float)
        uneven = np.array([[2.0, 0.3], [0.3, 1.1]])
        P = np.linalg.norm(y) ** (2 - 2 / depth) * (np.eye(2) + (depth - 1) * np.outer(y, y) / (y @ y))
        general = J.subs({**place, H[0, 0]: 2, H[1, 1]: 1.1, H[0, 1]: 0.3})
        np.testing.assert_allclose(np.array(general, float), np.eye(2) - 0.01 * P @ uneven, rtol=1e-9)
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
