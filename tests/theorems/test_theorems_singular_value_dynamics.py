"""The results of the page `singular_value_dynamics`, each against a computation of another kind."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.linalg import block_diag
from tolerances import EXACT, FLOW

import lnn
from lnn.symbolic import spectrum as symbolic

SHAPES = {"wide": (7, 6, 8, 9, 5), "tall": (5, 8, 6, 9, 7)}  # input first: W is 5×7 or 7×5


def widths_of(shape, depth):
    sizes = SHAPES[shape]
    return (sizes[0], *sizes[1:depth], sizes[-1])


def sensing_loss(rng, m, n):
    measure = lnn.Products(lnn.datasets.sensing((m, n), 20, rng=rng))
    return lnn.LeastSquares(measure, 3 * rng.standard_normal(20))


def start_with(values, m, n, rng):
    """Matrix with given singular values and random singular vectors."""
    U, V = (np.linalg.qr(rng.standard_normal((d, d)))[0][:, : len(values)] for d in (m, n))
    return (U * values) @ V.T


def around(weights, loss, h):
    """End-to-end matrices at times -2h, -h, 0, h, 2h along gradient flow through `weights`, by SciPy on the layers."""
    sizes = lnn.widths(weights)

    def field(_, y):
        w = lnn.unpack(y, sizes)
        return -lnn.pack(lnn.pullback(w, loss.gradient(lnn.end_to_end(w))))

    def state(t):
        if t == 0:
            return lnn.pack(weights)
        return solve_ivp(field, (0, t), lnn.pack(weights), rtol=1e-12, atol=1e-14, method="DOP853").y[:, -1]

    return np.stack([lnn.end_to_end(lnn.unpack(state(k * h), sizes)) for k in (-2, -1, 0, 1, 2)])


def quotient(values, h):
    """Derivative at the middle of five values, of fourth order in h."""
    return (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * h)


def signed_svd(W, U0, V0):
    """Singular value decomposition whose vectors point the way of U0 (and V0)."""
    U, values, Vt = np.linalg.svd(W, full_matrices=False)
    signs = np.sign((U * U0).sum(axis=0))
    assert (np.sign((Vt.T * V0).sum(axis=0)) == signs).all()
    return U * signs, values, Vt.T * signs


def stated_speed(W, G, depth, r):
    U, values, Vt = np.linalg.svd(W)
    return -depth * (values[r] ** 2) ** (1 - 1 / depth) * (G * np.outer(U[:, r], Vt[r])).sum()


@pytest.fixture
def rng():
    return np.random.default_rng(6)


@given(st.lists(st.just(0.0) | st.floats(1e-6, 1e3), min_size=1, max_size=8).filter(any))
def test_def_effective_rank_and_prop_rank_chain_order_four_measures(values):
    """`def-effective-rank`, `prop-rank-chain`: stable rank ≤ nuclear/spectral ≤ effective rank ≤ rank."""
    s = np.sort(values)[::-1]
    shares = [x / sum(s) for x in s if x > 0]
    effective = np.exp(-sum(p * np.log(p) for p in shares))
    assert lnn.effective_rank(s) == pytest.approx(effective, rel=1e-9)
    chain = [1, sum(x * x for x in s) / s[0] ** 2, sum(s) / s[0], float(lnn.effective_rank(s)), np.count_nonzero(s)]
    for smaller, larger in zip(chain[:-1], chain[1:], strict=True):
        assert smaller <= larger * (1 + 1e-9)


def test_prop_rank_chain_equality_continuity_and_invariance(rng):
    """`prop-rank-chain`: equality cases, continuity away from 0, no limit at 0, invariance."""
    W = start_with([2.0, 2.0, 2.0], 5, 7, rng)
    assert lnn.effective_rank(lnn.singular_values(W)) == pytest.approx(3, abs=1e-10)
    assert lnn.effective_rank([5.0, 0, 0]) == 1 < lnn.effective_rank([5.0, 1e-6, 0])
    assert lnn.effective_rank([2.0, 2.0, 1.9]) < 3
    W, E = rng.standard_normal((2, 5, 7))
    gaps = [
        abs(lnn.effective_rank(lnn.singular_values(W + h * E)) - lnn.effective_rank(lnn.singular_values(W)))
        for h in (1e-2, 1e-4, 1e-6)
    ]
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-4
    tiny = 1e-9
    assert lnn.effective_rank([tiny, tiny]) - lnn.effective_rank([tiny, 0]) == pytest.approx(1)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    turned = lnn.effective_rank(lnn.singular_values(-7.0 * Q @ W))
    assert turned == pytest.approx(float(lnn.effective_rank(lnn.singular_values(W))), rel=EXACT * 100)


def test_thm_analytic_svd_gives_smooth_values_where_sorted_ones_have_kinks(rng):
    """`thm-analytic-svd`: along a path with a zero and a crossing, u_rᵀWv_r is smooth, sorted values not."""
    U, V = (np.linalg.qr(rng.standard_normal((2, 2)))[0] for _ in range(2))
    times = np.linspace(0, 2, 401)
    curves = np.stack([2 - 2.6 * np.exp(-times), 0.5 + 1.1 * np.exp(-times)], axis=1)
    W = np.einsum("ir,tr,jr->tij", U, curves, V)
    sorted_values = lnn.singular_values(W)
    np.testing.assert_allclose(np.sort(np.abs(curves), axis=1), np.sort(sorted_values, axis=1), atol=1e-12)
    bends = [np.abs(np.diff(x, 2, axis=0)).max() / (times[1] ** 2) for x in (curves, sorted_values)]
    assert bends[0] < 3 < 100 < bends[1]  # second derivatives; a kink gives jump/h
    assert np.sign(curves[0, 0]) != np.sign(curves[-1, 0])
    assert np.sign(curves[0, 0] - curves[0, 1]) != np.sign(curves[-1, 0] - curves[-1, 1])


def product_series(factors):
    """Coefficients of a product of matrices whose coefficients are known."""
    result = factors[0]
    for series in factors[1:]:
        result = [sum(result[i] @ series[k - i] for i in range(k + 1)) for k in range(len(result))]
    return result


def test_lem_analytic_flow_the_layers_are_given_by_a_power_series(rng):
    """`lem-analytic-flow`: the series of the layers, from the flow's recursion, has a radius and gives their path."""
    target, order, t = rng.standard_normal((2, 3)), 40, 0.005
    layers = [rng.standard_normal((4, 3)), rng.standard_normal((5, 4)), rng.standard_normal((2, 5))]
    series = [[W] for W in layers]
    for k in range(order):  # (k + 1) W_j[k + 1] is minus coefficient k of the gradient of layer j
        G = product_series(series[::-1])
        G[0] = G[0] - target
        turned = [[A.T for A in coefficients] for coefficients in series]
        new = [product_series([*turned[j + 1 :], G, *turned[:j]])[k] for j in range(len(series))]
        for coefficients, A in zip(series, new, strict=True):
            coefficients.append(-A / (k + 1))
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), target.ravel())
    path = lnn.gradient_flow(layers, loss, [0, t], rtol=1e-12, atol=1e-14)
    for W, end in zip(series, path[-1], strict=True):
        sizes = [np.linalg.norm(A) * t**k for k, A in enumerate(W)]
        assert max(sizes[-5:]) < 1e-9 < 1e-3 < sizes[1]
        np.testing.assert_allclose(sum(A * t**k for k, A in enumerate(W)), end, atol=1e-9)


def test_lem_analytic_flow_needs_an_analytic_loss():
    """`lem-analytic-flow`: ℓ = -x - y g(x) with g(x) = e^{-1/x²} is smooth; y has Taylor series 0 at 0 and is not 0."""

    def field(_, state):
        x, y = state
        g = np.exp(-1 / x**2) if x > 0 else 0.0
        return [1 + (y * g * 2 / x**3 if x > 0 else 0.0), g]

    times = np.array([0, 0.1, 0.2, 1.0])
    y = solve_ivp(field, (0, 1), [0, 0], t_eval=times, rtol=1e-10, atol=1e-60).y[1]
    assert 0 < y[1] < 1e-40 and 0 < y[2] < 1e-10 and y[3] > 0.05  # below every power of t at 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_thm_singular_values_speed_is_that_of_difference_quotients(shape, depth, rng):
    """`thm-singular-values`: σ̇_r = -N (σ_r²)^{1-1/N} ⟨∇ℓ(W), u_r v_rᵀ⟩ for every r, on shapes with m ≠ n."""
    sizes = widths_of(shape, depth)
    m, n = sizes[-1], sizes[0]
    loss, W = sensing_loss(rng, m, n), start_with([2.0, 1.4, 0.9, 0.5, 0.2], m, n, rng)
    h = 2e-4
    values = lnn.singular_values(around(lnn.initial.balanced(W, sizes), loss, h))
    stated = [stated_speed(W, loss.gradient(W), depth, r) for r in range(5)]
    np.testing.assert_allclose(quotient(values, h), stated, atol=FLOW * np.abs(stated).max())
    assert np.abs(stated).min() > 1e-3  # nothing is compared with zero


def test_thm_singular_values_fails_without_balance(rng):
    """`thm-singular-values`: the same end-to-end matrix with layers 2 W_1 and W_2 / 2 moves at another speed."""
    sizes = widths_of("wide", 3)
    loss, W = sensing_loss(rng, 5, 7), start_with([2.0, 1.4, 0.9, 0.5, 0.2], 5, 7, rng)
    first, second, third = lnn.initial.balanced(W, sizes)
    values = lnn.singular_values(around((2 * first, second / 2, third), loss, 1e-3))
    stated = np.array([stated_speed(W, loss.gradient(W), 3, r) for r in range(5)])
    assert (np.abs(quotient(values, 1e-3) / stated - 1) > 0.1).any()


def test_thm_singular_values_holds_at_zero_and_through_a_change_of_sign():
    """`thm-singular-values`: at σ = 0 the speed is -⟨∇ℓ, uvᵀ⟩ at depth 1 and 0 beyond; the signed value is smooth."""
    loss = lnn.LeastSquares(lnn.Everything((2, 2)), np.diag([2.0, 1.0]).ravel())
    h = 1e-3
    through = around((np.diag([0.7, 0.0]),), loss, h)[:, 1, 1]
    assert quotient(through, h) == pytest.approx(1.0, abs=1e-9) and through[0] < 0 < through[-1]
    for depth in (2, 3):
        still = around(lnn.initial.balanced(np.diag([0.7, 0.0]), [2] * (depth + 1)), loss, h)[:, 1, 1]
        assert np.abs(still).max() < 1e-14
    signed = around(lnn.initial.balanced(np.diag([0.7, -0.3]), [2, 2, 2]), loss, h)[:, 1, 1]
    assert quotient(signed, h) == pytest.approx(-2 * 0.3 * (-0.3 - 1.0), abs=1e-8)  # -N (σ²)^{1/2} (σ - φ)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_thm_singular_values_at_a_crossing_the_speeds_are_eigenvalues(shape, depth, rng):
    """`thm-singular-values`, `rem-at-a-crossing`: two equal values part with the eigenvalues' speeds, m ≠ n."""
    sizes = widths_of(shape, depth)
    m, n = sizes[-1], sizes[0]
    loss, W = sensing_loss(rng, m, n), start_with([1.5, 1.5, 0.9, 0.5, 0.2], m, n, rng)
    U, _, Vt = np.linalg.svd(W)
    C = U[:, :2].T @ loss.gradient(W) @ Vt[:2].T
    stated = np.linalg.eigvalsh(-depth * 1.5 ** (2 - 2 / depth) * (C + C.T) / 2)
    h = 2e-4
    pair = lnn.singular_values(around(lnn.initial.balanced(W, sizes), loss, h))[:, :2]
    analytic = np.where(np.arange(5)[:, None] < 2, pair[:, ::-1], pair)[:, ::-1]  # names swapped at the crossing
    np.testing.assert_allclose(quotient(analytic, h), stated, rtol=1e-4)
    assert stated[1] - stated[0] > 0.1


def test_thm_analytic_svd_completes_vectors_by_transport(rng):
    """`thm-analytic-svd`: Q' = (P'P - PP')Q carries the range of P(0) to that of P(t), orthogonally."""
    X, Y = rng.standard_normal((2, 6, 2))

    def projection(t):
        basis = np.linalg.qr(X + np.sin(t) * Y)[0]
        return np.eye(6) - basis @ basis.T

    def field(t, q):
        P, h = projection(t), 1e-5
        slope = (projection(t + h) - projection(t - h)) / (2 * h)
        return ((slope @ P - P @ slope) @ q.reshape(6, 6)).ravel()

    Q = solve_ivp(field, (0, 1), np.eye(6).ravel(), rtol=1e-10, atol=1e-12).y[:, -1].reshape(6, 6)
    assert np.abs(Q.T @ Q - np.eye(6)).max() < 1e-7
    assert (
        np.abs(projection(1) @ Q - Q @ projection(0)).max() < 1e-7 < 0.1 < np.abs(projection(1) - projection(0)).max()
    )


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_thm_singular_values_symbolic_witness(depth):
    """`thm-singular-values`: SymPy's layer by layer derivative agrees with the statement."""
    assert symbolic.singular_value_defect(depth).is_zero_matrix


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 8])
def test_cor_integrated_clock_is_that_of_the_preconditioner(depth):
    """`cor-integrated`: h' is the reciprocal of the gain that `lnn.preconditioner` gives the pair (r, r)."""
    sigma, h = symbolic.clock(depth)
    for value in (0.2, 1.0, 3.7):
        gain = lnn.preconditioner.gains([value, 0.1], depth)[0, 0]
        assert float(sp.diff(h, sigma).subs(sigma, value)) == pytest.approx(1 / gain, rel=EXACT * 10)
        advance = float((h.subs(sigma, value) - h.subs(sigma, 0.1)).evalf())
        assert advance == pytest.approx(quad(lambda s: 1 / (depth * s ** (2 - 2 / depth)), 0.1, value)[0], rel=1e-8)


@pytest.mark.parametrize("depth", [2, 3])
def test_cor_integrated_rank_and_signs_are_conserved_from_depth_two_on(depth, rng):
    """`cor-integrated`: a start of rank 3 keeps rank 3; the determinant keeps its sign where depth 1 changes it."""
    sizes = widths_of("wide", depth)
    loss = sensing_loss(rng, 5, 7)
    path = lnn.gradient_flow(lnn.initial.balanced(start_with([1.0, 0.6, 0.3], 5, 7, rng), sizes), loss, [0, 0.2, 0.5])
    assert path.losses[-1] < 0.9 * path.losses[0]
    assert (path.singular_values[:, 3:] < 1e-8).all() and (path.singular_values[:, 2] > 1e-3).all()
    square = lnn.LeastSquares(lnn.Everything((2, 2)), np.diag([2.0, 1.0]).ravel())
    start = np.diag([0.7, -0.3])
    ends = [
        lnn.gradient_flow(lnn.initial.balanced(start, [2] * (N + 1)), square, [0, 2]).end_to_end[-1] for N in (1, depth)
    ]
    assert np.linalg.det(ends[0]) > 0 > np.linalg.det(ends[1])


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_cor_head_start_is_where_two_scalar_equations_end(depth):
    """`cor-head-start`: σ_2 at the moment when σ_1 = 1, against an integration of both equations by SciPy."""
    eps, kappa = 1e-3, 0.7

    def arrived(_, s):
        return s[0] - 1

    arrived.terminal = True
    ends = solve_ivp(
        lambda _, s: depth * s ** (2 - 2 / depth) * np.array([1, kappa]),
        (0, 1e4), [eps, eps], events=arrived, rtol=1e-11, atol=1e-15,
    ).y[:, -1]  # fmt: skip
    p = 1 - 2 / depth
    if depth == 1:
        stated = kappa + (1 - kappa) * eps
    elif depth == 2:
        stated = eps ** (1 - kappa)
    else:
        stated = (kappa + (1 - kappa) * eps**-p) ** (-1 / p)
    assert ends[1] == pytest.approx(stated, rel=1e-6)
    if depth >= 3:
        tiny = 1e-12 if depth == 3 else 1e-9
        ratio = (kappa + (1 - kappa) * tiny**-p) ** (-1 / p) / tiny
        assert ratio == pytest.approx((1 - kappa) ** (-1 / p), rel=0.01)


def stated_turning(W, G, depth):
    """Right-hand sides of `prop-singular-vectors`, entry by entry."""
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    V, k = Vt.T, len(s)
    C, A, B = U.T @ G @ V, np.zeros((k, k)), np.zeros((k, k))
    for r in range(k):
        for q in range(k):
            if r != q:
                F = 1 / ((s[q] ** 2) ** (1 / depth) - (s[r] ** 2) ** (1 / depth))
                A[r, q] = -F * (C[r, q] * s[q] + s[r] * C[q, r])
                B[r, q] = -F * (s[r] * C[r, q] + C[q, r] * s[q])
    power = np.diag((s**2) ** (0.5 - 1 / depth))
    dU = U @ A - (np.eye(len(U)) - U @ U.T) @ G @ V @ power
    dV = V @ B - (np.eye(len(V)) - V @ V.T) @ G.T @ U @ power
    return U, V, dU, dV


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_prop_singular_vectors_turn_as_stated(shape, depth, rng):
    """`prop-singular-vectors`: U̇ and V̇ against difference quotients along the layers' flow, with m ≠ n."""
    sizes = widths_of(shape, depth)
    m, n = sizes[-1], sizes[0]
    loss, W = sensing_loss(rng, m, n), start_with([2.0, 1.4, 0.9, 0.5, 0.2], m, n, rng)
    U, V, dU, dV = stated_turning(W, loss.gradient(W), depth)
    h = 2e-4
    pairs = [signed_svd(X, U, V) for X in around(lnn.initial.balanced(W, sizes), loss, h)]
    for stated, measured in ((dU, [p[0] for p in pairs]), (dV, [p[2] for p in pairs])):
        scale = np.abs(stated).max()
        np.testing.assert_allclose(quotient(np.stack(measured), h), stated, atol=1e-5 * scale)
        assert scale > 0.1


def test_prop_singular_vectors_symbolic_witness():
    """`prop-singular-vectors`: the stated turning solves both off-diagonal equations, for every depth at once."""
    assert symbolic.singular_vector_defect().is_zero_matrix


def test_cor_alignment_vectors_rest_if_and_only_if_the_gradient_is_aligned(rng):
    """`cor-alignment`: an aligned gradient gives no turning; any other component of the gradient gives some."""
    for m, n in ((5, 7), (7, 5)):
        W = start_with([2.0, 1.4, 0.9, 0.5, 0.2], m, n, rng)
        U, _, Vt = np.linalg.svd(W)
        aligned = (U[:, :5] * rng.standard_normal(5)) @ Vt[:5]
        _, _, dU, dV = stated_turning(W, aligned, 3)
        assert max(np.abs(dU).max(), np.abs(dV).max()) < 1e-12
        for r in range(m):
            for q in range(n):
                if r != q:
                    _, _, dU, dV = stated_turning(W, aligned + np.outer(U[:, r], Vt[q]), 3)
                    assert max(np.abs(dU).max(), np.abs(dV).max()) > 0.05


RELATIONS = {
    1: lambda s1, a, b, alpha: b + alpha * (s1 - a),
    2: lambda s1, a, b, alpha: b * (s1 / a) ** alpha,
    3: lambda s1, a, b, alpha: (b ** (-1 / 3) - alpha * a ** (-1 / 3) + alpha * s1 ** (-1 / 3)) ** -3.0,
    4: lambda s1, a, b, alpha: (b**-0.5 - alpha * a**-0.5 + alpha * s1**-0.5) ** -2.0,
}


@pytest.mark.parametrize("alpha", [0.6, -0.5])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_prop_one_entry_curve_is_followed_and_the_vectors_rest(depth, alpha, rng):
    """`prop-one-entry`: 1 and 3, one measurement aligned with the start, wide network, unequal starts."""
    U, V = (np.linalg.qr(rng.standard_normal((d, 2)))[0] for d in (5, 7))
    beside = np.linalg.svd(U)[0][:, 2:3] @ np.linalg.svd(V)[0][:, 2:3].T  # A may do what it likes elsewhere
    A = (U * [1.0, alpha]) @ V.T + 0.8 * beside
    loss = lnn.LeastSquares(lnn.Products(A[None]), np.array([4.0]))
    start = np.array([0.3, 0.2])
    weights = lnn.initial.balanced((U * start) @ V.T, widths_of("wide", depth))
    path = lnn.gradient_flow(weights, loss, np.linspace(0, 0.1 if depth == 1 else 0.7, 41))
    inside = U.T @ path.end_to_end @ V
    assert np.abs(inside[:, [0, 1], [1, 0]]).max() < FLOW
    if depth > 1:
        assert np.abs(path.end_to_end - U @ inside @ V.T).max() < FLOW
    s1, s2 = inside[:, 0, 0], inside[:, 1, 1]
    if depth == 1 and alpha < 0:
        s1, s2 = s1[s2 > 0], s2[s2 > 0]
    assert s1[-1] > 1.1 * start[0]
    np.testing.assert_allclose(s2, RELATIONS[depth](s1, *start, alpha), rtol=FLOW)
    curve = symbolic.one_entry_curve(depth)["curve"]
    names = sorted(curve.free_symbols, key=str)
    numbers = {"sigma_1": s1, "s_1": start[0], "s_2": start[1], "kappa": alpha}
    np.testing.assert_allclose(sp.lambdify(names, curve)(*(numbers[str(x)] for x in names)), s2, rtol=FLOW)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_prop_one_entry_symbolic_witness_solves_its_equation_and_has_the_limit(depth):
    """`prop-one-entry`: SymPy's curve satisfies relation and slope; infinite limit at depths 1, 2, plateau beyond."""
    result = symbolic.one_entry_curve(depth)
    assert result["defect"].is_zero_matrix
    s = sp.Symbol("s", positive=True)
    expected = {1: sp.oo, 2: sp.oo, 3: 8 * s, 4: 4 * s}[depth]
    assert sp.simplify(result["limit"] - expected) == 0 or result["limit"] == expected


def test_prop_one_entry_plateau_decides_who_stays_behind():
    """`prop-one-entry` 2: below the threshold σ_2 stays under its limit, above it σ_1 under its own."""
    for alpha, kept in ((1.1, 1), (1.45, 0)):  # threshold (s_1/s_2)^{1/3} = 2^{1/3}
        loss = lnn.LeastSquares(lnn.Products(np.diag([1.0, alpha])[None]), np.array([1e3]))
        start = lnn.initial.balanced(np.diag([0.02, 0.01]), (2, 2, 2, 2))
        path = lnn.gradient_flow(start, loss, [0, 0.5], stop=1.0)
        values = path.end_to_end[-1].diagonal()
        level = 0.01 ** (-1 / 3) - alpha * 0.02 ** (-1 / 3)
        limit = (abs(level) / (1 if kept else alpha)) ** -3.0
        assert 0.5 * limit < values[kept] < limit and values[1 - kept] > 500


@pytest.mark.parametrize("values", [[2.0, 1.4, 0.9, 0.5, 0.2], [2.0, 0.0, 0.0, 0.0, 0.0], [1.5, 1.5, 0.9, 0.5, 0.2]])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_prop_one_entry_with_two_active_modes_the_vectors_turn(depth, values, rng):
    """`prop-one-entry` 4: u_1ᵀWv_2 leaves 0 at the stated speed, also if σ_2 = 0 or σ_1 = σ_2, so not both rest."""
    sizes = widths_of("wide", depth)
    W = start_with(values, 5, 7, rng)
    U, s, Vt = np.linalg.svd(W)
    corner = np.zeros((5, 7), dtype=bool)
    corner[1, 3] = True
    loss = lnn.LeastSquares(lnn.Entries(corner), np.array([4.0]))
    h = 2e-4
    inside = U.T @ around(lnn.initial.balanced(W, sizes), loss, h) @ Vt.T
    for r, q in ((0, 1), (1, 0)):
        gain = sum(
            (1.0 if j == depth else s[r] ** (2 * (depth - j) / depth))
            * (1.0 if j == 1 else s[q] ** (2 * (j - 1) / depth))
            for j in range(1, depth + 1)
        )
        stated = -gain * (W[1, 3] - 4.0) * U[1, r] * Vt[q, 3]
        assert abs(stated) > 1e-3
        assert quotient(inside[:, r, q], h) == pytest.approx(stated, rel=1e-5)


def test_prop_one_entry_a_mode_alone_with_the_entry_rests(rng):
    """`prop-one-entry` 4: with a_1 alone not zero nothing need turn."""
    lone = block_diag([[2.0]], start_with([1.4, 0.9, 0.5, 0.2], 4, 6, rng))
    E = np.zeros((5, 7))
    E[0, 0] = 1.0
    _, _, dU, dV = stated_turning(lone, E, 2)
    assert max(np.abs(dU).max(), np.abs(dV).max()) < 1e-12


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_prop_one_entry_with_frozen_vectors_is_one_aligned_measurement(depth, rng):
    """`prop-one-entry` 3: ⟨Σ a_r u_r v_rᵀ, W⟩ in place of W_ij: line, power, plateau from random singular vectors."""
    U, V = (np.linalg.qr(rng.standard_normal((2, 2)))[0] for _ in range(2))
    pulls = U[0] * V[0]
    if pulls[0] < 0:
        V, pulls = -V, -pulls
    s = np.array([0.06, 0.03])
    loss = lnn.LeastSquares(lnn.Products(((U * pulls) @ V.T)[None]), np.array([3.0]))
    weights = lnn.initial.balanced((U * s) @ V.T, [2] * (depth + 1))
    inside = U.T @ lnn.gradient_flow(weights, loss, np.linspace(0, 12, 60)).end_to_end @ V
    assert np.abs(inside[:, [0, 1], [1, 0]]).max() < FLOW
    s1, s2 = inside[:, 0, 0], inside[:, 1, 1]
    keep = s2 > 0 if depth == 1 else slice(None)
    np.testing.assert_allclose(s2[keep], RELATIONS[depth](s1[keep], *s, pulls[1] / pulls[0]), rtol=FLOW)
    assert s1[-1] > 10 * s[0]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_prop_how_long_the_sine_falls_like_a_root_of_the_singular_value(depth, rng):
    """`prop-how-long` 2: rank 1, one entry of a 5×7 matrix: sin θ ∝ σ^{-1/N} on both sides."""
    corner = np.zeros((5, 7), dtype=bool)
    corner[1, 3] = True
    u, v = np.abs(rng.standard_normal(5)), np.abs(rng.standard_normal(7))
    W = 0.4 * np.outer(u / np.linalg.norm(u), v / np.linalg.norm(v))
    loss = lnn.LeastSquares(lnn.Entries(corner), np.array([5.0]))
    path = lnn.gradient_flow(lnn.initial.balanced(W, widths_of("wide", depth)), loss, np.linspace(0, 2, 21))
    U, values, Vt = np.linalg.svd(path.end_to_end)
    law = (values[:, 0] / values[0, 0]) ** (-1 / depth)
    assert law[-1] < 0.6
    for axis in (U[:, 1, 0], Vt[:, 0, 3]):
        sine = np.sqrt(1 - axis**2)
        np.testing.assert_allclose(sine / sine[0], law, rtol=1e-4)
