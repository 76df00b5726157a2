"""The statements of the page `balancedness`, each against a computation that does not go through the same code."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.linalg import fractional_matrix_power
from tolerances import EXACT, FLOW, SLOPE

import lnn
from lnn.symbolic import balance

WIDTHS = (7, 6, 8, 5)
SMALL = ((2, 3, 2), (2, 3, 1, 2))


def differences(weights):
    """D_1, …, D_{N-1}, entry by entry."""
    found = []
    for below, above in zip(weights[:-1], weights[1:], strict=True):
        d = below.shape[0]
        D = np.array(
            [[above[:, a] @ above[:, b] - below[a] @ below[b] for b in range(d)] for a in range(d)], dtype=float
        )
        found.append(D)
    return found


def far(first, second):
    return max(float(np.linalg.norm(A - B)) for A, B in zip(first, second, strict=True))


class Wavy:
    """A loss that is neither convex nor quadratic: Σ sin(W_ab + c_ab) + W_ab²/4."""

    def __init__(self, shape):
        self.shift = np.arange(np.prod(shape)).reshape(shape) / 7

    def __call__(self, W):
        return (np.sin(W + self.shift) + W**2 / 4).sum(axis=(-2, -1))

    def gradient(self, W):
        return np.cos(W + self.shift) + W / 2


def slopes_by_differences(weights, loss, step=1e-6):
    """∂φ/∂W_j by central differences."""
    place, found = lnn.pack(weights), []
    for k in range(place.size):
        shift = np.zeros_like(place)
        shift[k] = step
        up, down = (loss(lnn.end_to_end(lnn.unpack(place + s * shift, lnn.widths(weights)))) for s in (1, -1))
        found.append(float(up - down) / (2 * step))
    return lnn.unpack(np.array(found), lnn.widths(weights))


def start(scale=0.4, seed=0):
    return lnn.initial.gaussian(WIDTHS, scale, rng=np.random.default_rng(seed))


def quadratic(seed=1, norm=4.0):
    rng = np.random.default_rng(seed)
    return lnn.LeastSquares(lnn.Everything((5, 7)), lnn.datasets.low_rank((5, 7), 3, norm=norm, rng=rng).ravel())


def rotated_balanced(W, seed=2):
    """A balanced factorization of W whose hidden layers are in general position."""
    rng = np.random.default_rng(seed)
    W1, W2, W3 = lnn.initial.balanced(W, WIDTHS)
    O1, O2 = (np.linalg.qr(rng.standard_normal((d, d)))[0] for d in (6, 8))
    return O1 @ W1, O2 @ W2 @ O1.T, W3 @ O2.T


def matrix_with(values, seed=3):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((d, len(values))))[0] for d in (5, 7))
    return (U * np.array(values)) @ V.T


def test_def_balanced_is_the_vanishing_of_all_differences():
    """def-balanced: incoming and outgoing weights of the units of each hidden layer have the same inner products."""
    balanced = rotated_balanced(matrix_with([3.0, 2.0, 1.0]))
    assert max(np.abs(D).max() for D in differences(balanced)) < EXACT
    assert lnn.imbalance(balanced) < EXACT
    stretched = (2 * balanced[0], balanced[1] / 2, balanced[2])
    np.testing.assert_allclose(lnn.end_to_end(stretched), lnn.end_to_end(balanced), rtol=0, atol=EXACT)
    assert lnn.imbalance(stretched) > 1
    turned = (*balanced[:2], balanced[2] @ np.diag([2.0] + 7 * [1.0]))  # the last pair alone is out of balance
    assert np.abs(differences(turned)[0]).max() < EXACT < 0.1 < lnn.imbalance(turned)


def test_def_unbalancedness_is_the_largest_frobenius_norm():
    """def-unbalancedness: entry by entry, over widths that differ; the pair that attains it may be any."""
    largest = set()
    for factor in (1.0, 0.05):
        W1, W2, W3 = start()
        weights = (W1, factor * W2, factor**2 * W3)
        expected = max(float(np.sqrt((D**2).sum())) for D in differences(weights))
        assert lnn.imbalance(weights) == pytest.approx(expected, rel=EXACT)
        for mine, theirs in zip(lnn.imbalances(weights), differences(weights), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=EXACT)
        largest.add(int(np.argmax([np.linalg.norm(D) for D in differences(weights)])))
    assert largest == {0, 1}
    assert lnn.imbalance(start()[:1]) == 0  # N = 1: there is no pair


def test_lem_exchange_holds_for_gradients_by_differences():
    """lem-exchange: W_{j+1}ᵀG_{j+1} = G_jW_jᵀ, with G_j by finite differences of the objective."""
    weights = start()
    G = slopes_by_differences(weights, Wavy((5, 7)))
    for j in range(2):
        left, right = weights[j + 1].T @ G[j + 1], G[j] @ weights[j].T
        assert np.linalg.norm(left) > 0.1
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-8)


@pytest.mark.parametrize("loss", [Wavy((5, 7)), quadratic()], ids=["wavy", "quadratic"])
def test_prop_conservation_drift_falls_with_the_tolerance(loss):
    """prop-conservation: what drifts along the flow is the solver's error alone, while the differences are large."""
    weights = start()
    drifts = []
    for rtol in (1e-5, 1e-7, 1e-9):
        path = lnn.gradient_flow(weights, loss, [0.0, 2.0], rtol=rtol, atol=rtol / 1e3)
        assert far(path[-1], weights) > 0.5
        drifts.append(far(differences(path[-1]), differences(weights)))
    assert drifts[-1] < FLOW < 0.1 < lnn.imbalance(weights)
    assert drifts[2] < drifts[1] / 10 < drifts[0] / 100


def test_prop_conservation_squared_norms_gain_equally():
    """prop-conservation, cor-layer-norms: all layers gain the same squared Frobenius norm, and it is not zero."""
    path = lnn.gradient_flow(start(), quadratic(), [0.0, 2.0])
    gains = [float((W[-1] ** 2).sum() - (W[0] ** 2).sum()) for W in path.weights]
    assert abs(gains[0]) > 0.1
    assert max(gains) - min(gains) < FLOW


def test_prop_conservation_needs_a_gradient_common_to_all_layers():
    """prop-conservation, rem-common-gradient: with another matrix in one layer, the differences move at first order."""
    weights, rng = start(), np.random.default_rng(5)
    G, other = rng.standard_normal((2, 5, 7))
    common = lnn.pullback(weights, G)
    mixed = (common[0], lnn.pullback(weights, other)[1], common[2])
    for slopes, first_order in ((common, False), (mixed, True)):
        moves = []
        for step in (1e-3, 5e-4):
            after = [W - step * S for W, S in zip(weights, slopes, strict=True)]
            moves.append(far(differences(after), differences(weights)))
        order = np.log2(moves[0] / moves[1])
        assert order == pytest.approx(1 if first_order else 2, abs=SLOPE)


def test_prop_conservation_fails_for_the_antisymmetric_part():
    """rem-antisymmetric: round a closed curve the antisymmetric form has the integral -2π x, the symmetric one 0."""
    s = np.linspace(0, 2 * np.pi, 4001)
    row = np.stack([np.cos(s), np.sin(s)], axis=-1)
    middle, step = (row[1:] + row[:-1]) / 2, np.diff(row, axis=0)
    for X, expected in (([[0, 3], [-3, 0]], -6 * np.pi), ([[1, 3], [3, -2]], 0.0)):
        integral = -np.einsum("ta,ab,tb->", middle, np.array(X, dtype=float), step)
        assert integral == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("widths", SMALL)
def test_prop_conservation_symbolic_rates_vanish(widths):
    """prop-conservation: SymPy finds rates 0 for an arbitrary loss gradient, and its layer gradients are lnn's."""
    assert all(rate.is_zero_matrix for rate in balance.flow_rates(widths))
    weights, G = balance.network(widths), balance.loss_gradient(widths)
    entries = [list(matrix) for matrix in (*weights, G)]
    function = sp.lambdify([x for group in entries for x in group], balance.layer_gradients(weights, G))
    rng = np.random.default_rng(0)
    numbers = [rng.standard_normal(W.shape) for W in (*weights, G)]
    symbolic = function(*np.concatenate([A.ravel() for A in numbers]))
    for mine, theirs in zip(symbolic, lnn.pullback(numbers[:-1], numbers[-1]), strict=True):
        np.testing.assert_allclose(np.asarray(mine, dtype=float), theirs, rtol=0, atol=EXACT)


def test_cor_weight_decay_contracts_at_rate_two_lambda():
    """prop-conservation, cor-weight-decay: D_j(t) = exp(-2λt) D_j(0) for φ + (λ/2) Σ‖W_j‖²."""
    weights, loss, decay = start(), Wavy((5, 7)), 0.3

    def field(_, place):
        W1, W2, W3 = lnn.unpack(place, WIDTHS)
        G = loss.gradient(W3 @ W2 @ W1)
        slopes = (W2.T @ W3.T @ G, W3.T @ G @ W1.T, G @ W1.T @ W2.T)
        return -lnn.pack([S + decay * W for S, W in zip(slopes, (W1, W2, W3), strict=True)])

    run = solve_ivp(field, (0, 2), lnn.pack(weights), method="DOP853", rtol=1e-10, atol=1e-12)
    after = differences(lnn.unpack(run.y[:, -1], WIDTHS))
    assert far(after, [np.exp(-4 * decay) * D for D in differences(weights)]) < FLOW
    assert all(rest.is_zero_matrix for widths in SMALL for rest in balance.decay_residuals(widths))


def test_prop_near_zero_bound_holds_and_is_attained():
    """prop-near-zero: ‖D_j‖_F ≤ ε² d_j √(d_{j-1}² + d_{j+1}²), with equality for orthogonal signs."""
    rng, eps = np.random.default_rng(0), 0.03
    for _ in range(50):
        weights = [eps * rng.choice([-1.0, 1.0], (m, n)) for m, n in ((6, 7), (8, 6), (5, 8))]
        for D, (a, b, c) in zip(differences(weights), ((7, 6, 8), (6, 8, 5)), strict=True):
            assert np.linalg.norm(D) <= eps**2 * b * np.hypot(a, c)
    signs = np.array([1.0, -1, 1, -1, 1, -1])
    extreme = (eps * np.outer(signs, np.ones(7)), eps * np.outer(np.ones(8), np.ones(6)))
    assert lnn.imbalance(extreme) == pytest.approx(eps**2 * 6 * np.hypot(7, 8), rel=EXACT)
    alike = (eps * np.ones((6, 7)), eps * np.ones((8, 6)))  # parallel vectors: here it is seen that D_j is a difference
    assert lnn.imbalance(alike) == pytest.approx(eps**2 * 6 * (8 - 7), rel=1e3 * EXACT)
    one = (np.zeros((1, 3)), eps * np.ones((5, 1)))  # d_j = 1: the constant is max(d_{j-1}, d_{j+1})
    assert lnn.imbalance(one) == pytest.approx(eps**2 * 5, rel=EXACT)


def test_prop_near_zero_gaussian_mean_is_exact():
    """prop-near-zero: E‖D_j‖_F² = ε⁴ d_j [(d_{j+1} - d_{j-1})² + (d_{j+1} + d_{j-1})(d_j + 1)], by simulation."""
    rng, eps, count = np.random.default_rng(0), 0.5, 40_000
    m, p, n = 2, 3, 6
    below, above = eps * rng.standard_normal((count, p, m)), eps * rng.standard_normal((count, n, p))
    squares = (lnn.imbalances((below, above))[0] ** 2).sum(axis=(1, 2))
    expected = eps**4 * p * ((n - m) ** 2 + (n + m) * (p + 1))
    error = squares.std() / np.sqrt(count)
    assert error < 0.01 * expected
    assert abs(squares.mean() - expected) < 5 * error


def test_prop_near_zero_persists_through_training():
    """prop-near-zero: unbalancedness is O(ε²) at the end of training as it was at the start."""
    loss, ends = quadratic(), []
    for scale in (0.2, 0.1, 0.05):
        path = lnn.gradient_flow(start(scale), loss, [0.0, 400.0], stop=0.1 * float(loss(np.zeros((5, 7)))))
        assert path.outcome is lnn.Outcome.CONVERGED
        ends.append(np.sqrt(sum((D**2).sum() for D in differences(path[-1]))))
    np.testing.assert_allclose(np.log2(np.divide(ends[:-1], ends[1:])), 2, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("widths", "excess"), [((5, 5, 5), 0), ((7, 5, 5, 5), 0), ((3, 5, 5, 3), 2), ((7, 6, 8, 5), 1), ((2, 7, 7, 3), 5)]
)
def test_prop_near_zero_padded_identity_is_balanced_iff_ranks_agree(widths, excess):
    """prop-near-zero: ‖D_j‖_F = s² √|r_{j+1} - r_j| for s times the padded identity."""
    weights = lnn.initial.identity(widths, scale=1.5)
    norms = [np.linalg.norm(D) for D in differences(weights)]
    assert max(norms) == pytest.approx(1.5**2 * np.sqrt(excess), abs=EXACT)
    ranks = [np.linalg.matrix_rank(W) for W in weights]
    assert (len(set(ranks)) == 1) == (excess == 0)


def test_prop_gd_drift_one_step_is_exact():
    """prop-gd-drift: D_j changes by η²(G_{j+1}ᵀG_{j+1} - G_jG_jᵀ), a large step included."""
    weights, loss = start(), Wavy((5, 7))
    W1, W2, W3 = weights
    G = loss.gradient(W3 @ W2 @ W1)
    slopes = (W2.T @ W3.T @ G, W3.T @ G @ W1.T, G @ W1.T @ W2.T)
    for step in (0.5, 0.01):
        after = differences(lnn.gradient_step(weights, loss, step))
        for j, (new, old) in enumerate(zip(after, differences(weights), strict=True)):
            expected = step**2 * (slopes[j + 1].T @ slopes[j + 1] - slopes[j] @ slopes[j].T)
            assert np.linalg.norm(expected) > 1e-4
            np.testing.assert_allclose(new - old, expected, rtol=0, atol=EXACT)


def test_prop_gd_drift_orders_and_limit():
    """prop-gd-drift: slope 1 over a fixed time, and drift / η tends to the integral of E_j along the flow."""
    weights, loss = start(), quadratic()
    fine = np.linspace(0, 1, 1001)
    flow = lnn.gradient_flow(weights, loss, fine)
    integrals = [np.zeros((6, 6)), np.zeros((8, 8))]
    for k, network in enumerate(flow):
        G = lnn.pullback(network, loss.gradient(lnn.end_to_end(network)))
        weight = 5e-4 if k in (0, 1000) else 1e-3
        for j in range(2):
            integrals[j] = integrals[j] + weight * (G[j + 1].T @ G[j + 1] - G[j] @ G[j].T)
    drifts, gaps = [], []
    for step in (0.005, 0.0025, 0.00125):
        path = lnn.gradient_descent(weights, loss, step, round(1 / step))
        moved = [new - old for new, old in zip(differences(path[-1]), differences(weights), strict=True)]
        drifts.append(max(np.linalg.norm(M) for M in moved))
        gaps.append(far([M / step for M in moved], integrals))
    assert np.log2(drifts[1] / drifts[2]) == pytest.approx(1, abs=SLOPE)
    assert np.log2(gaps[1] / gaps[2]) == pytest.approx(1, abs=SLOPE)
    assert gaps[2] < 0.05 * max(np.linalg.norm(M) for M in integrals)


def test_prop_gd_drift_never_exceeds_the_fall_of_the_loss():
    """prop-gd-drift: ‖D_j^{(K)} - D_j^{(0)}‖ ≤ 2η(φ⁰ - φᴷ) where every step decreases enough, for ever."""
    weights, loss, step = start(), quadratic(), 0.01
    path = lnn.gradient_descent(weights, loss, step, 3000)
    gradients = lnn.pullback(path.weights, loss.gradient(path.end_to_end))
    squares = sum((G**2).sum(axis=(-2, -1)) for G in gradients)
    assert (np.diff(path.losses) <= -step / 2 * squares[:-1] + EXACT).all()
    for k in (1, 10, 100, 3000):
        assert far(differences(path[k]), differences(weights)) <= 2 * step * (path.losses[0] - path.losses[k])


@pytest.mark.parametrize("a", [0.5, 1.0, 3.0])
def test_prop_gd_drift_bound_is_attained_by_one_step(a):
    """prop-gd-drift: from (a, 0) a step a^{-2} on ½(w_2w_1 - 1)² has equality in the hypothesis and in the bound."""
    one = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
    weights, step = (np.array([[a]]), np.array([[0.0]])), a**-2
    path = lnn.gradient_descent(weights, one, step, 1)
    slopes = slopes_by_differences(weights, one)
    assert path.losses[0] - path.losses[1] == pytest.approx(step / 2 * sum((S**2).sum() for S in slopes), rel=1e-6)
    drift = far(differences(path[1]), differences(weights))
    assert drift == pytest.approx(2 * step * (path.losses[0] - path.losses[1]), rel=1e-6)


def test_prop_gd_drift_bound_needs_steps_that_decrease_the_objective():
    """prop-gd-drift: where the objective rises, the fall is negative and the drift is not."""
    path = lnn.gradient_descent(start(2.0), quadratic(), 0.05, 1)
    assert path.losses[1] > path.losses[0]
    assert far(differences(path[1]), differences(path[0])) > 1


@pytest.mark.parametrize("widths", SMALL)
def test_prop_gd_drift_symbolic_step_is_the_numerical_one(widths):
    """prop-gd-drift: SymPy's polynomial in η has no first order, and its value is what a step of lnn does."""
    weights, G = balance.network(widths), balance.loss_gradient(widths)
    changes = balance.step_changes(widths)
    assert all(entry.coeff(balance.ETA, k) == 0 for change in changes for entry in change for k in (0, 1))
    rng = np.random.default_rng(0)
    numbers = [rng.standard_normal(W.shape) for W in (*weights, G)]
    symbols = [x for matrix in (*weights, G) for x in matrix]
    values = np.concatenate([A.ravel() for A in numbers])
    network, slope = numbers[:-1], numbers[-1]
    after = [W - 0.3 * S for W, S in zip(network, lnn.pullback(network, slope), strict=True)]
    for change, new, old in zip(changes, differences(after), differences(network), strict=True):
        symbolic = sp.lambdify([balance.ETA, *symbols], change)(0.3, *values)
        np.testing.assert_allclose(np.asarray(symbolic, dtype=float), new - old, rtol=0, atol=1e2 * EXACT)


def test_prop_heavy_ball_drift_is_below_its_bound():
    """prop-heavy-ball: D is not conserved, the antisymmetric charge is, and the drift is at most 2(φ - inf φ)/γ²."""
    weights, loss = start(), quadratic()

    def field(_, state, friction):
        place, speed = np.split(state, 2)
        W1, W2, W3 = lnn.unpack(place, WIDTHS)
        G = loss.gradient(W3 @ W2 @ W1)
        force = -lnn.pack((W2.T @ W3.T @ G, W3.T @ G @ W1.T, G @ W1.T @ W2.T))
        return np.concatenate([speed, force - friction * speed])

    drifts = []
    for friction in (4.0, 8.0, 16.0):
        rest = np.concatenate([lnn.pack(weights), np.zeros(lnn.pack(weights).size)])
        run = solve_ivp(field, (0, 2 * friction), rest, "DOP853", args=(friction,), rtol=1e-9, atol=1e-11)
        place, speed = np.split(run.y, 2)
        W, V = lnn.unpack(place.T, WIDTHS), lnn.unpack(speed.T, WIDTHS)
        for j in range(2):
            charge = W[j + 1].mT @ V[j + 1] - V[j] @ W[j].mT
            assert np.abs(charge - charge.mT).max() < FLOW < 1e-4 < np.abs(charge).max()
        worst = max(far(differences([layer[k] for layer in W]), differences(weights)) for k in range(len(run.t)))
        assert worst < 2 * float(loss(lnn.end_to_end(weights))) / friction**2
        drifts.append(worst)
    assert np.log2(drifts[1] / drifts[2]) == pytest.approx(2, abs=2 * SLOPE)
    assert all(rest.is_zero_matrix for widths in SMALL for rest in balance.heavy_ball_residuals(widths))


def scalar_ball(w, v, friction, end):
    """Heavy ball for two scalar layers on ½(w_2w_1 - 1)²: places (w_1, w_2) over time."""

    def field(_, state):
        w1, w2, v1, v2 = state
        slope = w1 * w2 - 1
        return [v1, v2, -slope * w2 - friction * v1, -slope * w1 - friction * v2]

    return solve_ivp(field, (0, end), [*w, *v], "Radau", rtol=1e-9, atol=1e-12).y[:2]


def test_prop_heavy_ball_bound_is_nearly_attained():
    """prop-heavy-ball: if one layer alone moves, with much friction, the drift is nearly 2(φ - inf φ)/γ²."""
    friction = 400.0
    w1, w2 = scalar_ball((10.0, 0.0), (0.0, 0.0), friction, 100.0)
    drift = abs((w2**2 - w1**2)[-1] + 100.0)
    assert 0.98 < drift / (2 * 0.5 / friction**2) <= 1


def test_prop_heavy_ball_needs_a_start_at_rest():
    """prop-heavy-ball: a push at the start adds (1 - e^{-γt})/γ times the speed of D, beyond every multiple of 1/γ²."""
    friction = 400.0
    w1, w2 = scalar_ball((1.0, 1.0), (0.0, 1.0), friction, 1.0)  # at a minimizer, pushed along w_2
    assert abs((w2**2 - w1**2)[-1]) > 1 / friction


def test_cor_weight_decay_critical_points_are_balanced():
    """cor-weight-decay: where descent on φ + (λ/2)Σ‖W_j‖² comes to rest; without decay it rests out of balance."""
    target, ends = np.diag([3.0, 2.0, 1.0]) @ np.eye(3, 4), {}
    for decay in (0.0, 0.2):
        weights = lnn.initial.gaussian((4, 3, 5, 3), 0.6, rng=np.random.default_rng(0))
        for _ in range(3000):
            W1, W2, W3 = weights
            G = W3 @ W2 @ W1 - target
            slopes = (W2.T @ W3.T @ G, W3.T @ G @ W1.T, G @ W1.T @ W2.T)
            moves = [S + decay * W for S, W in zip(slopes, weights, strict=True)]
            weights = tuple(W - 0.05 * M for W, M in zip(weights, moves, strict=True))
        ends[decay] = max(np.abs(M).max() for M in moves), max(np.linalg.norm(D) for D in differences(weights))
    assert max(rest for rest, _ in ends.values()) < 1e-9
    assert ends[0.2][1] < 1e-9 < 1 < ends[0.0][1]


@pytest.mark.parametrize("widths", [(7, 6, 8, 5), (5, 6, 9, 7, 8), (4, 9, 6), (7, 5)])
def test_def_balanced_init_factors_any_matrix(widths):
    """def-balanced-init, prop-balanced-init: exact product, exact balance, diagonal hidden layers."""
    A = np.random.default_rng(0).standard_normal((widths[-1], widths[0]))
    weights = lnn.initial.balanced(A, widths)
    assert lnn.widths(weights) == widths
    np.testing.assert_allclose(np.linalg.multi_dot([np.eye(len(A)), *weights[::-1]]), A, rtol=0, atol=EXACT)
    assert all(np.linalg.norm(D) < EXACT for D in differences(weights))
    roots = np.linalg.svd(A, compute_uv=False) ** (1 / len(weights))
    for W in weights[1:-1]:
        expected = np.zeros(W.shape)
        np.fill_diagonal(expected[: len(roots), : len(roots)], roots)
        np.testing.assert_allclose(W, expected, rtol=0, atol=EXACT)


def test_def_balanced_init_refuses_layers_that_are_too_narrow():
    """def-balanced-init: a hidden width below min(d_0, d_N) cannot carry the rank."""
    with pytest.raises(ValueError, match="hidden widths must be at least"):
        lnn.initial.balanced(np.eye(5, 7), (7, 4, 5))


@pytest.mark.parametrize("values", [[3.0, 2.0, 1.5, 1.0, 0.5], [2.0, 2.0, 0.5], [1.0]], ids=["full", "double", "one"])
def test_prop_balanced_svd_layers_are_roots_and_products_telescope(values):
    """prop-balanced-svd: singular values σ^{1/N}, and both telescoping products, rank-deficient cases included."""
    W = matrix_with(values)
    weights = rotated_balanced(W)
    for layer in weights:
        expected = np.zeros(min(layer.shape))
        expected[: len(values)] = np.array(values) ** (1 / 3)
        # Cubes: rounding leaves 1e-16 where W has a zero singular value, so the layers have 5e-6 there.
        np.testing.assert_allclose(np.linalg.svd(layer, compute_uv=False) ** 3, expected**3, rtol=0, atol=EXACT)
    for j in range(4):
        above = np.linalg.multi_dot([np.eye(5), np.eye(5), *weights[:j:-1], weights[j]]) if j < 3 else np.eye(5)
        below = np.linalg.multi_dot([*weights[:j][::-1], np.eye(7)]) if j else np.eye(7)
        # cubes on both sides: no fractional power is taken
        np.testing.assert_allclose(
            np.linalg.matrix_power(above @ above.T, 3), np.linalg.matrix_power(W @ W.T, 3 - j), rtol=0, atol=1e3 * EXACT
        )
        np.testing.assert_allclose(
            np.linalg.matrix_power(below.T @ below, 3), np.linalg.matrix_power(W.T @ W, j), rtol=0, atol=1e3 * EXACT
        )


def test_prop_balanced_svd_agrees_with_scipy_at_full_rank():
    """prop-balanced-svd: W_3 (W_3)ᵀ and W_3W_2(W_3W_2)ᵀ against SciPy's fractional powers of WWᵀ."""
    W = matrix_with([3.0, 2.0, 1.5, 1.0, 0.5])
    _, W2, W3 = rotated_balanced(W)
    for product, power in ((W3, 1 / 3), (W3 @ W2, 2 / 3)):
        np.testing.assert_allclose(
            product @ product.T, fractional_matrix_power(W @ W.T, power), rtol=0, atol=1e2 * EXACT
        )


def test_prop_balanced_svd_spaces_align_even_where_vectors_need_not():
    """prop-balanced-svd: singular spaces of neighbours agree at a double singular value."""
    W1, W2, W3 = rotated_balanced(matrix_with([2.0, 2.0, 0.5]))
    for below, above in ((W1, W2), (W2, W3)):
        left, right = np.linalg.svd(below)[0], np.linalg.svd(above)[2].T
        for space in (slice(0, 2), slice(2, 3), slice(3, None)):
            P, Q = left[:, space] @ left[:, space].T, right[:, space] @ right[:, space].T
            np.testing.assert_allclose(P, Q, rtol=0, atol=1e2 * EXACT)


def test_prop_balanced_svd_factorizations_differ_by_the_unique_hidden_frames():
    """prop-balanced-svd: W_j = Q_j S^{1/N} Q_{j-1}ᵀ with Q_j = W_j ⋯ W_1 V S^{-j/N}; any orthonormal Q_j will do."""
    rng = np.random.default_rng(8)
    values = np.array([2.0, 2.0, 0.5])
    U, V, Q1, Q2 = (np.linalg.qr(rng.standard_normal((d, 3)))[0] for d in (5, 7, 6, 8))
    root = np.diag(values ** (1 / 3))
    weights = (Q1 @ root @ V.T, Q2 @ root @ Q1.T, U @ root @ Q2.T)
    assert all(np.linalg.norm(D) < EXACT for D in differences(weights))
    np.testing.assert_allclose(lnn.end_to_end(weights), (U * values) @ V.T, rtol=0, atol=EXACT)
    np.testing.assert_allclose(weights[1] @ weights[0] @ V / values ** (2 / 3), Q2, rtol=0, atol=EXACT)


@pytest.mark.parametrize("values", [[2.0, 0.5], [1.5, 1.5], []], ids=["simple", "double", "zero"])
def test_prop_balanced_svd_holds_at_depth_four_through_narrow_layers(values):
    """prop-balanced-svd: N = 4, hidden widths below min(d_0, d_N) but not below the rank, W = 0 included."""
    rng, widths, rank = np.random.default_rng(11), (5, 2, 6, 3, 4), len(values)
    Q = [np.linalg.qr(rng.standard_normal((d, d)))[0][:, :rank] for d in widths]
    weights = [(above * np.array(values) ** 0.25) @ below.T for below, above in zip(Q[:-1], Q[1:], strict=True)]
    assert lnn.imbalance(weights) < EXACT
    W = (Q[-1] * np.array(values)) @ Q[0].T
    for j in range(5):
        above, below = np.eye(4), np.eye(5)
        for layer in weights[j:][::-1]:
            above = above @ layer
        for layer in weights[:j]:
            below = layer @ below
        expected = np.linalg.matrix_power(W @ W.T, 4 - j), np.linalg.matrix_power(W.T @ W, j)
        for product, power in zip((above @ above.T, below.T @ below), expected, strict=True):
            np.testing.assert_allclose(np.linalg.matrix_power(product, 4), power, rtol=0, atol=1e2 * EXACT)
    for layer in weights:
        found = np.linalg.svd(layer, compute_uv=False)
        np.testing.assert_allclose(found[:rank], np.sort(values)[::-1] ** np.array(0.25), rtol=0, atol=EXACT)
        assert np.abs(found[rank:]).max(initial=0) < EXACT


def test_prop_balanced_svd_is_stable():
    """lem-nearly-balanced: the telescoped products differ by at most ½(N-j)(N-j-1) b^{2(N-j-1)} δ."""
    exact = rotated_balanced(matrix_with([1.5, 1.0, 0.5]))
    noise = start(1.0, seed=9)
    for size in (1e-5, 1e-3, 1e-1):
        near = [W + size * Z for W, Z in zip(exact, noise, strict=True)]
        delta = max(np.linalg.norm(D) for D in differences(near))
        b = max(np.linalg.svd(W, compute_uv=False)[0] for W in near)
        root = near[2] @ near[2].T
        for j, product in ((0, near[2] @ near[1] @ near[0]), (1, near[2] @ near[1])):
            k = 3 - j
            gap = np.linalg.norm(product @ product.T - np.linalg.matrix_power(root, k))
            bound = 0.5 * k * (k - 1) * b ** (2 * (k - 1)) * delta
            assert 1e-2 * bound < gap <= bound


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_lem_nearly_balanced_constants_are_the_best(depth):
    """lem-nearly-balanced: scalar layers with squares 1 - (N - i)δ come as near to the bounds as one likes."""
    delta = 1e-6
    layers = [np.array([[np.sqrt(1 - (depth - i) * delta)]]) for i in range(1, depth + 1)]
    assert lnn.imbalance(layers) == pytest.approx(delta, rel=1e-6)
    for j in range(depth - 1):
        product = np.prod([W[0, 0] for W in layers[j:]])
        gap = abs(product**2 - layers[-1][0, 0] ** (2 * (depth - j)))
        assert 0.9999 < gap / (0.5 * (depth - j) * (depth - j - 1) * delta) <= 1
    assert layers[-1][0, 0] ** 2 - layers[-2][0, 0] ** 2 == pytest.approx(delta, rel=1e-6)
