"""The results of the page `beyond_norms`, each against an independent computation."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad, solve_ivp
from scipy.linalg import fractional_matrix_power as power
from scipy.optimize import minimize
from tolerances import EXACT, FLOW

import lnn
from lnn.symbolic import norms

MASK = np.array([[False, True], [True, True]])
SEEN = lnn.Entries(MASK)
LOSS = lnn.LeastSquares(SEEN, np.array([1.0, 1.0, 0.0]))


def plain_loss(W, observed=(1.0, 1.0, 0.0)):
    """ℓ(W) entry by entry."""
    return 0.5 * ((W[0, 1] - observed[0]) ** 2 + (W[1, 0] - observed[1]) ** 2 + (W[1, 1] - observed[2]) ** 2)


def plain_rank(values):
    shares = np.asarray(values) / np.sum(values)
    return float(np.exp(-sum(s * np.log(s) for s in shares)))


def matrices(count, rng):
    """Matrices with positive determinant, from near a completion to far from all."""
    W = rng.standard_normal((count, 2, 2)) * rng.choice([0.1, 0.5, 2.0], (count, 1, 1))
    W += np.array([[0.0, 1.0], [1.0, 0.0]])
    W[:, 0, 0] *= rng.choice([1, 30], count)
    return W[W[:, 0, 0] * W[:, 1, 1] > W[:, 0, 1] * W[:, 1, 0]]


def flow(start, depth, times, loss=LOSS, width=3, **knobs):
    """The flow of a balanced network whose hidden layers are wider than the matrix."""
    d = len(start)
    weights = lnn.initial.balanced(start, (d, *[max(width, d)] * (depth - 1), d))
    return lnn.gradient_flow(weights, loss, times, method="LSODA", **{"rtol": 1e-10, "atol": 1e-13} | knobs)


def quasi(p, T):
    """The quasi-norm A -> ‖vec(TA)‖_p with T invertible, its constant c, and its largest value on E_ij."""

    def rho(A):
        return float((np.abs(T @ A) ** p).sum() ** (1 / p))

    units = [np.eye(4)[k].reshape(2, 2) for k in range(4)]
    return rho, 2 ** (1 / p - 1) if p < 1 else 1.0, [rho(E) for E in units]


def test_prop_completions_closed_forms_and_monotony():
    """`prop-completions`."""
    tau = np.linspace(0, 4, 41)
    for p in (0.3, 0.5, 1, 2, 3.5):
        symbolic = sp.lambdify(norms.tau, norms.schatten_power(sp.Float(p)), "numpy")(tau)
        schatten = []
        for x in 2 * np.sinh(tau):
            s = np.sqrt(np.linalg.eigvalsh(np.array([[x * x + 1, x], [x, 1]])))
            # The smaller value from the determinant: eigenvalues of WᵀW have lost its digits.
            schatten.append(s[1] ** p + s[1] ** -p)
        np.testing.assert_allclose(schatten, symbolic, rtol=1e-10)
        assert (np.diff(symbolic ** (1 / p)) > 0).all()
        W = norms.completion().W.subs(norms.tau, 1.3)
        mine = lnn.schatten(lnn.singular_values(np.array(W, dtype=float)), p) ** p
        assert np.isclose(mine, 2 * np.cosh(1.3 * p), rtol=EXACT * 100)
    ranks = [plain_rank([np.exp(s), np.exp(-s)]) for s in tau]
    assert np.isclose(ranks[0], 2) and (np.diff(ranks) < 0).all() and 1 < ranks[-1] < 1.01


def test_prop_completions_entropy_slope_by_sympy_and_by_quadrature():
    """`prop-completions`: dH/dτ = -τ/cosh²τ, against the entropy of computed singular values."""
    rates = norms.entropy_slope()
    assert norms.characteristic_remainders() == (0, 0)
    for function in (rates.entrywise, rates.formula):
        slope = sp.lambdify(norms.tau, function)
        W = np.array([[2 * np.sinh(1.7), 1], [1, 0]])
        lost = quad(slope, 0, 1.7)[0]
        assert np.isclose(np.log(lnn.effective_rank(lnn.singular_values(W))), np.log(2) + lost, rtol=1e-9)


@pytest.mark.parametrize("p", [0.4, 0.7, 1, 2])
def test_lem_quasi_norm_has_a_positive_floor_and_the_stated_constant(p):
    """`lem-quasi-norm`: ρ ≥ κ‖·‖_F, and the constant c = 2^{1/p-1} of the triangle inequality."""
    rng = np.random.default_rng(1)
    rho, c, _ = quasi(p, rng.standard_normal((2, 2)))
    spheres = rng.standard_normal((4000, 2, 2))
    spheres /= np.sqrt((spheres**2).sum(axis=(1, 2), keepdims=True))
    floor = min(
        minimize(lambda a: rho(a.reshape(2, 2)) / np.linalg.norm(a), s.ravel(), method="Nelder-Mead").fun
        for s in spheres[:5]
    )
    assert floor > 1e-2
    for A, B in zip(spheres[::2], spheres[1::2], strict=True):
        assert rho(A + B) <= c * (rho(A) + rho(B)) * (1 + EXACT)
    if p <= 1:  # Schatten-p of e1e1ᵀ and e2e2ᵀ, and of their sum: the constant is attained
        one, both = lnn.schatten(np.array([[1.0, 0.0], [1.0, 1.0]]), p, axis=-1)
        assert np.isclose(both, c * (one + one), rtol=EXACT)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_prop_determinant_rate_by_sympy_and_by_finite_differences(depth):
    """`prop-determinant`: d/dt det W = -N det W ⟨UΣ^{1-2/N}Vᵀ, G⟩, for a general loss."""
    rng = np.random.default_rng(depth)
    rates = norms.determinant_rate(depth)
    names = sp.symbols("a b s1 s2 g11 g12 g21 g22")
    values = np.array([0.7, -1.1, 1.6, 0.4, *rng.standard_normal(4)])
    swap = {s: sp.Symbol(s.name) for s in rates.entrywise.free_symbols | rates.formula.free_symbols}
    derived, formula = (float(sp.lambdify(names, r.subs(swap))(*values)) for r in rates)
    assert np.isclose(derived, formula, rtol=1e-10)

    a, b, s1, s2 = values[:4]
    U, V = (np.array([[np.cos(x), -np.sin(x)], [np.sin(x), np.cos(x)]]) for x in (a, b))
    W = U @ np.diag([s1, s2]) @ V.T
    G = values[4:].reshape(2, 2)
    velocity = -sum(
        power(W @ W.T, (depth - j) / depth) @ G @ power(W.T @ W, (j - 1) / depth) for j in range(1, depth + 1)
    )
    h = 1e-6
    slope = (np.linalg.det(W + h * velocity) - np.linalg.det(W - h * velocity)) / (2 * h)
    assert np.isclose(slope, formula, rtol=1e-7)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_prop_determinant_sign_is_kept_in_every_size_and_formula_holds_along_the_flow(depth):
    """`prop-determinant`, d = 3, hidden widths 5 and a full-rank regression loss whose target has det < 0."""
    rng = np.random.default_rng(7)
    start = 0.5 * np.eye(3) + 0.1 * rng.standard_normal((3, 3))
    target = np.diag([1.0, 0.8, -0.6])
    loss = lnn.LeastSquares(lnn.Everything((3, 3)), target.ravel())
    t = np.linspace(0, 4, 1601)
    run = flow(start, depth, t, loss, width=5)
    det = np.array(
        [
            sum(
                W[0, i] * (W[1, (i + 1) % 3] * W[2, (i + 2) % 3] - W[1, (i + 2) % 3] * W[2, (i + 1) % 3])
                for i in range(3)
            )
            for W in run.end_to_end
        ]
    )
    assert np.linalg.det(start) > 0 and (det > 0).all()
    rate = [-depth * np.sum((power(W @ W.T, -1 / depth) @ W) * (W - target)) for W in run.end_to_end]
    area = np.concatenate([[0], np.cumsum((np.array(rate[1:]) + rate[:-1]) / 2 * np.diff(t))])
    np.testing.assert_allclose(np.log(det), np.log(det[0]) + area, atol=1e-4)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_prop_determinant_a_singular_start_stays_singular(depth):
    """`prop-determinant`, last claim: rank 2 of 3, for data of full rank, while at depth 1 the rank rises."""
    rng = np.random.default_rng(8)
    start = 0.3 * rng.standard_normal((3, 2)) @ rng.standard_normal((2, 3))
    loss = lnn.LeastSquares(lnn.Everything((3, 3)), np.diag([1.0, 0.8, -0.6]).ravel())
    times = [0, 0.5, 2]
    run = flow(start, depth, times, loss, width=5)
    assert run.losses[-1] < 0.9 * run.losses[0] and (run.singular_values[:, 1] > 1e-2).all()
    assert (run.singular_values[:, 2] < 1e-8).all()
    shallow = lnn.gradient_flow([start], loss, times)
    assert abs(np.linalg.det(shallow.end_to_end[-1])) > 1e-2


def test_prop_determinant_needs_depth_and_balance():
    """`prop-determinant`: at depth 1, and for layers that are not balanced, the sign is lost."""
    shallow = lnn.gradient_flow([0.5 * np.eye(2)], LOSS, [0, 20])
    skew = lnn.gradient_flow([2 * np.eye(2), 0.3 * np.eye(2)], LOSS, [0, 20])
    for run in (shallow, skew):
        det = np.linalg.det(run.end_to_end)
        assert det[0] > 0.1 and det[-1] < -0.9


def s_over(W):
    return np.linalg.svd(W, compute_uv=False)[1] > 0.999 * np.sqrt(2 * plain_loss(W))


def share_over(W):
    values = np.linalg.svd(W, compute_uv=False)
    return values[1] / values.sum() > 0.49 * plain_loss(W)


def test_lem_entry_bound_for_random_matrices_and_at_its_edge():
    """`lem-entry-bound`: three inequalities, and that the first is nearly attained."""
    rng = np.random.default_rng(2)
    W = matrices(100_000, rng)
    ell = np.array([plain_loss(A) for A in W])
    s = np.linalg.svd(W, compute_uv=False)
    assert len(W) > 10_000 and (W[:, 0, 0] ** 2 > 1 / (2 * ell) - 2).all()
    assert (s[:, 1] < np.sqrt(2 * ell)).all()
    small = ell < 0.25
    share = s[small, 1] / s[small].sum(axis=1)
    assert small.sum() > 1000 and (share < 2 * ell[small] / np.sqrt(1 - 4 * ell[small])).all()

    c = 1e-2  # far out σ_2 comes as near to √(2ℓ) as one likes; and a bound p_2 < 0.49 ℓ would be false
    for x, over in ((1e7, s_over), (2 / c, share_over)):
        far = np.array([[x, 1.0], [1.0, c]])
        assert np.linalg.det(far) > 0 and over(far)

    r = 0.05  # w_12 = w_21 = 1 - q, w_11 on the boundary det = 0
    q = (np.sqrt(1 + 4 * r * r) - 1) / 2
    c = np.sqrt(r * r - 2 * q * q)
    edge = np.array([[(1 - q) ** 2 / c * (1 + 1e-9), 1 - q], [1 - q, c]])
    assert np.isclose(2 * plain_loss(edge), r * r) and np.linalg.det(edge) > 0
    slack = edge[0, 0] ** 2 - (1 / r**2 - 2)
    assert 0 < slack < 3 * r**2


def test_thm_norms_to_infinity_sharp_bound_by_sympy_and_by_optimization():
    """`thm-norms-to-infinity`: the least |w_11| at given loss, its series, and the bound under it."""
    r = sp.Symbol("r", positive=True)
    sharp, bound = norms.sharp_bound(3)
    value = 0.2
    start = np.array([0.05, 0.05])

    def entry(x):
        c = value**2 - x @ x
        return (1 - x[0]) * (1 - x[1]) / np.sqrt(c) if c > 0 else np.inf

    least = minimize(entry, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12}).fun
    assert np.isclose(least, float(sharp.subs(r, value)), atol=10 * value**5)
    assert np.isclose(np.sqrt(1 / value**2 - 2), float(bound.subs(r, value)), atol=10 * value**5)
    assert sp.expand(sharp - bound) == r**3


@pytest.mark.parametrize("depth", [3, 4])
def test_thm_norms_to_infinity_along_the_flow(depth):
    """`thm-norms-to-infinity`: every bound at every time, from a start that is not symmetric."""
    start = np.array([[0.3, 0.2], [0.05, 0.25]])
    run = flow(start, depth, np.concatenate([[0], np.geomspace(0.1, 1e5, 120)]))
    rng = np.random.default_rng(3)
    quasis = [quasi(p, rng.standard_normal((2, 2))) for p in (0.5, 1, 2)]
    for W in run.end_to_end:
        ell = plain_loss(W)
        assert W[0, 0] * W[1, 1] > W[0, 1] * W[1, 0] and W[0, 0] ** 2 > 1 / (2 * ell) - 2
        if ell < 0.25:
            q = min(0.5, 2 * ell / np.sqrt(1 - 4 * ell))
            s = np.linalg.svd(W, compute_uv=False)
            assert s[1] < np.sqrt(2 * ell) and plain_rank(s) < plain_rank([q, 1 - q])
            for rho, c, units in quasis:
                assert rho(W) > units[0] / c * (1 / np.sqrt(2 * ell) - np.sqrt(2)) - 5 * c**2 * max(units)
    last = run.end_to_end[-1]
    assert plain_loss(last) < 1e-4 and abs(last[0, 0]) > 100 and lnn.effective_rank(run.singular_values[-1]) < 1.0001


def log_flow(depth, start, times, loss=LOSS):
    """(λ1, λ2, θ) by the equations of the page, with logarithms."""

    def field(t, state):
        s, (c, d) = np.exp(state[:2]), (np.cos(state[2]), np.sin(state[2]))
        U = np.array([[c, -d], [d, c]])
        H = U.T @ loss.gradient(U * s @ U.T) @ U
        gain = sum(s[1] ** (2 - 2 * j / depth) * s[0] ** ((2 * j - 2) / depth) for j in range(1, depth + 1))
        return [*(-depth * s ** (1 - 2 / depth) * np.diag(H)), -gain * H[1, 0] / (s[0] - s[1])]

    values, U = np.linalg.eigh(start)
    state = [*np.log(values[::-1]), np.arctan2(U[1, 1], U[0, 1])]
    return solve_ivp(field, (times[0], times[-1]), state, "LSODA", times, rtol=1e-10, atol=1e-12).y.T


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_rem_rate_and_logarithmic_coordinates(depth):
    """`rem-rate`: w_11 ≈ ((2N+2)t)^{N/(2N+2)}, ℓ ≈ 1/(2 w_11²); and the coordinates agree with the layers early on."""
    start = 0.3 * np.array([[1.0, 0.5], [0.5, 1.0]])
    times = np.array([0.0, 1.0, 10.0, 1e6])
    states = log_flow(depth, start, times)
    c, d = np.cos(states[:, 2]), np.sin(states[:, 2])
    s = np.exp(states[:, :2])
    entry = s[:, 0] * c**2 + s[:, 1] * d**2
    layers = flow(start, depth, times[:3]).end_to_end
    np.testing.assert_allclose(entry[:3], layers[:, 0, 0], rtol=FLOW)
    assert np.isclose(entry[-1], ((2 * depth + 2) * 1e6) ** (depth / (2 * depth + 2)), rtol=1e-3)
    residual, slope = (float(x.subs(sp.Symbol("lambda", positive=True), s[-1, 0])) for x in norms.late_rate())
    y = (s[-1, 0] - s[-1, 1]) * c[-1] * d[-1]
    assert np.isclose(y - 1, residual, rtol=1e-2)
    z = s[-1, 0] * d[-1] ** 2 + s[-1, 1] * c[-1] ** 2
    assert np.isclose(2 * c[-1] * d[-1] * (y - 1) + d[-1] ** 2 * z, slope, rtol=1e-2)


def dissipation(W, depth):
    """-dℓ/dt at W along the end-to-end dynamics."""
    u, s, vt = np.linalg.svd(W)
    terms = ((u.T @ LOSS.gradient(W) @ vt.T) ** 2)[None]
    j = np.arange(1, depth + 1)[:, None, None]
    weights = s[:, None] ** (2 * (depth - j) / depth) * s[None, :] ** (2 * (j - 1) / depth)
    return float((weights * terms).sum())


def least_dissipation(level, depth, turns):
    """Least dissipation at this loss over a grid: residuals on a sphere, hidden entries up to 10,000, both signs."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, turns), np.linspace(-np.pi, np.pi, 2 * turns - 1))
    a, b, c = np.sqrt(2 * level) * np.stack(
        [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)]
    ).reshape(3, -1, 1)
    x = np.r_[0, np.geomspace(1e-3, 1e4, 25)]
    x = np.r_[-x, x][None]
    W = np.stack(np.broadcast_arrays(x, 1 + a, 1 + b, c), axis=-1).reshape(-1, 2, 2)
    u, s, vt = np.linalg.svd(W)
    pulls = (u.mT @ LOSS.gradient(W) @ vt.mT) ** 2
    gains = sum(
        s[:, :, None] ** (2 * (depth - j) / depth) * s[:, None, :] ** (2 * (j - 1) / depth) for j in range(1, depth + 1)
    )
    return float((gains * pulls).sum(axis=(1, 2)).min())


@pytest.mark.parametrize("depth", [2, 3])
def test_thm_loss_levels_no_level_between_not_even_at_infinity(depth):
    """`thm-loss-levels`: over all W of a loss, large ones included, the dissipation vanishes at 0, 1/2 and 1 only.

    On a grid, not by a search: the least value found hardly changes when the grid is refined, and the same grid finds
    the three levels.
    """
    for level in (0.2, 0.35, 0.75, 1.3):
        coarse, fine = (least_dissipation(level, depth, turns) for turns in (21, 41))
        assert 1e-2 < fine <= coarse * (1 + EXACT) < 2 * fine
    at = {level: least_dissipation(level, depth, 41) for level in (1e-4, 0.5, 0.55, 1.0, 1.1)}
    assert max(at[1e-4], at[0.5], at[1.0]) < 1e-3 < 1e-2 < min(at[0.55], at[1.1])


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_thm_loss_levels_a_rotation_ends_at_one_half(depth):
    """`thm-loss-levels`: from α [0 -1; 1 0], det > 0, W stays antidiagonal, ẇ = N |w|^{2-2/N} (1 - w), bounded."""
    times = np.r_[0, np.geomspace(0.1, 3000, 40)]
    run = flow(0.3 * np.array([[0.0, -1.0], [1.0, 0.0]]), depth, times)
    W = run.end_to_end
    assert np.abs(W[:, [0, 1], [0, 1]]).max() < FLOW and np.abs(W).max() < 1 + FLOW
    assert np.linalg.det(W[0]) > 0 and abs(run.losses[-1] - 0.5) < (1e-6 if depth == 2 else 2e-3)
    for entry in (W[:, 0, 1], W[:, 1, 0]):
        scalar = solve_ivp(
            lambda _, w: depth * np.abs(w) ** (2 - 2 / depth) * (1 - w),
            (0, 3000), entry[:1], method="LSODA", t_eval=times, rtol=1e-10, atol=1e-13,
        ).y[0]  # fmt: skip
        np.testing.assert_allclose(entry, scalar, atol=1e-6)


@pytest.mark.parametrize("depth", [2, 3])
def test_lem_definite_symmetric_positive_definite_matrices_stay_so(depth):
    """`lem-definite`: 3×3, symmetric data; not if the data are not symmetric; w_12 > 0 and unequal eigenvalues."""
    rng = np.random.default_rng(10)
    B = 0.5 * rng.standard_normal((3, 3))
    start, target = B @ B.T + 0.05 * np.eye(3), rng.standard_normal((3, 3))
    times = np.linspace(0, 0.6, 31)
    for Y, symmetric in ((target + target.T, True), (target, False)):
        W = flow(start, depth, times, lnn.LeastSquares(lnn.Everything((3, 3)), Y.ravel()), width=4).end_to_end
        assert (np.abs(W - W.mT).max() < FLOW) == symmetric
        if symmetric:
            assert np.linalg.eigvalsh(W[-1])[0] > 0 > np.linalg.eigvalsh(Y)[0]
    for epsilon in (-0.4, 0.0, 0.4):
        loss = lnn.LeastSquares(SEEN, np.array([1.0, 1.0, epsilon]))
        for w12 in (0.0, 0.1):
            W = flow(np.array([[0.2, w12], [w12, 0.2]]), depth, np.linspace(0, 5, 51), loss).end_to_end[1:]
            assert (W[:, 0, 1] > 0).all() and (np.ptp(np.linalg.eigvalsh(W), axis=1) > 1e-4).all()
    below = flow(np.array([[0.2, -0.1], [-0.1, 0.2]]), depth, np.linspace(0, 5, 51)).end_to_end
    assert below[0, 0, 1] < 0 < below[-1, 0, 1]  # the sign of w_12 matters: this one passes through 0


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_thm_loss_levels_the_saddles_at_one_half_are_strict(depth):
    """`thm-loss-levels`: layers of rank one with product e1 e2ᵀ rest; on a line φ = 1/2 - s²/2 + s⁴/2."""
    rng = np.random.default_rng(depth)
    inner = [v / np.linalg.norm(v) for v in rng.standard_normal((depth - 1, 3))]
    e1, e2 = np.eye(2)
    f = [e2, *inner, e1]
    weights = [np.outer(f[j + 1], f[j]) for j in range(depth)]
    W = np.outer(e1, e2)
    assert max(np.abs(P).max() for P in lnn.pullback(weights, LOSS.gradient(W))) < EXACT
    for s in (0.01, 0.1, 0.7):
        moved = [A.copy() for A in weights]
        moved[0] += s * np.outer(f[1], e1)
        moved[-1] += s * np.outer(e2, f[-2])
        product = np.linalg.multi_dot([*moved[::-1], np.eye(2)])
        assert np.isclose(plain_loss(product), 0.5 - s**2 / 2 + s**4 / 2, atol=EXACT)


@pytest.mark.parametrize("depth", [2, 3])
def test_thm_loss_levels_only_three_limits(depth):
    """`thm-loss-levels`: exceptional starts rest at 1/2 and 1, all others tried end at 0."""
    unit = np.array([[0.0, 1.0], [0.0, 0.0]])
    t = [0, 10, 3000]
    for start, level in ((0.5 * unit, 0.5), (0.5 * unit.T, 0.5), (-0.5 * unit, 1.0)):
        run = flow(start, depth, t, width=2)
        assert abs(run.losses[-1] - level) < (1e-6 if level == 0.5 or depth == 2 else 1e-2)
    rng = np.random.default_rng(4)
    for _ in range(6):
        run = flow(0.4 * rng.standard_normal((2, 2)), depth, t, rtol=1e-8, atol=1e-11)
        assert run.losses[-1] < 2e-3


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_thm_loss_levels_dissipation_vanishes_at_the_stationary_points_only(depth):
    """`thm-loss-levels`: minus the derivative of the loss, against the gradients of the layers."""
    rng = np.random.default_rng(5)
    W = rng.standard_normal((2, 2))
    weights = lnn.initial.balanced(W, (2, *[3] * (depth - 1), 2))
    pulled = lnn.pullback(weights, LOSS.gradient(W))
    assert np.isclose(dissipation(W, depth), sum((P**2).sum() for P in pulled), rtol=1e-8)
    resting = ((1, [[0, 0], [0, 0]]), (0.5, [[0, 1], [0, 0]]), (0.5, [[0, 0], [1, 0]]), (0, [[3, 1], [1, 0]]))
    for level, point in resting:
        point = np.array(point, dtype=float)
        assert plain_loss(point) == level and dissipation(point, depth) < EXACT
    for point in ([[0, 0], [0, 0.5]], [[1, 0], [0, 0]], [[1, 1], [1, 1]], [[0.5, 1], [0, 0]]):
        assert dissipation(np.array(point, dtype=float), depth) > 1e-3


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.5])
def test_cor_identity_start_the_loss_goes_to_zero_and_the_inequalities_of_the_proof_hold(depth, alpha):
    """`cor-identity-start`: W = W^T, 0 < y < 1, x > z, x ≥ min(α, 1/2)."""
    run = flow(alpha * np.eye(2), depth, np.concatenate([[0], np.geomspace(1e-2, 40, 60), [90]]), width=2)
    W = run.end_to_end[1:]
    x, y, z = W[:, 0, 0], W[:, 0, 1], W[:, 1, 1]
    assert np.abs(y - W[:, 1, 0]).max() < FLOW
    assert (y > 0).all() and (y < 1).all() and (x > z).all() and (x >= min(alpha, 0.5)).all()
    # w_12 < 1 and w_22 tell the flow from a run that has crossed over; the loss obeys the rate of the remark.
    assert 0.2 < run.losses[-1] * 2 * ((2 * depth + 2) * 90) ** (depth / (depth + 1)) < 5


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_prop_negative_start_follows_a_scalar_equation(depth):
    """`prop-negative-start`: W = yΠ, ẏ = N y^{2-2/N}(1-y)."""
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    t = np.linspace(0, 15, 31)
    run = flow(0.05 * swap, depth, t)
    scalar = solve_ivp(
        lambda _, y: depth * y ** (2 - 2 / depth) * (1 - y), (0, 15), [0.05], t_eval=t, rtol=1e-10, atol=1e-12
    ).y[0]
    np.testing.assert_allclose(run.end_to_end, scalar[:, None, None] * swap, atol=FLOW)
    assert abs(scalar[-1] - 1) < 1e-3


def test_prop_perturbed_inequality_for_random_matrices():
    """`prop-perturbed`, part 1, for both signs of z and z', and with det < 0 where zz' < 0."""
    rng = np.random.default_rng(6)
    tightest = np.inf
    for z, other, e in ((1, 1, 0.2), (-2, -0.5, -0.3), (0.7, 1.4, 0.0), (1.2, -0.8, 0.1)):
        sizes = rng.choice([0.03, 0.3, 1], (60_000, 1, 1))
        W = np.array([[0, z], [other, e]]) + rng.standard_normal((60_000, 2, 2)) * sizes
        W[:, 0, 0] *= 20
        W = W[np.linalg.det(W) * z * other > 0]
        ell = np.array([plain_loss(A, (z, other, e)) for A in W])
        right = np.abs(W[:, 0, 0]) * abs(e) + np.sqrt(2 * ell) * np.sqrt(W[:, 0, 0] ** 2 + z * z + other * other)
        assert len(W) > 5000 and (right > abs(z * other)).all()
        tightest = min(tightest, (right / abs(z * other)).min())
    assert tightest < 1.2


@pytest.mark.parametrize("epsilon", [0.3, 0.1])
def test_prop_perturbed_the_flow_ends_near_the_completion_of_rank_one(epsilon):
    """`prop-perturbed`, part 2: w_11 ends at or above zz'/ε; and part 3 for -ε."""
    start = 0.1 * np.array([[1.0, 0.5], [0.5, 1.0]])
    loss = lnn.LeastSquares(SEEN, np.array([1.0, 1.0, epsilon]))
    run = flow(start, 3, [0, 1e5], loss)
    assert run.losses[-1] < 1e-8
    assert 1 - FLOW < run.end_to_end[-1, 0, 0] * epsilon < 1.1
    mirrored = lnn.LeastSquares(SEEN, np.array([1.0, 1.0, -epsilon]))
    below = flow(start, 3, [0, 10, 100, 1000], mirrored)
    assert (below.losses > epsilon**2 / 2).all() and below.end_to_end[-1, 0, 0] > 3 / epsilon


@pytest.mark.parametrize("d", [3, 4])
def test_prop_larger_smallest_singular_value_under_the_loss(d):
    """`prop-larger`: σ_d < √(2ℓ) for random matrices with det > 0, and the hidden entry grows along the flow."""
    rng = np.random.default_rng(d)
    known, target = np.ones((d, d), bool), np.eye(d)
    known[0, 0], target[:2, :2] = False, [[0, 1], [1, 0]]
    for x in (-5.0, 0.0, 7.0):
        assert np.isclose(np.linalg.det(target + x * np.eye(d)[:, :1] * np.eye(d)[0]), -1)
    W = target + 0.3 * rng.standard_normal((20_000, d, d))
    W[:, 0, 0] *= 20
    W = W[np.linalg.det(W) > 0]
    gaps = ((W - target)[:, known] ** 2).sum(axis=1)
    smallest = np.linalg.svd(W, compute_uv=False)[:, -1]
    assert len(W) > 500 and (smallest < np.sqrt(gaps)).all()
    seen = lnn.Entries(known)
    start = 0.1 * np.eye(d) + 0.01 * rng.standard_normal((d, d))
    run = flow(start, 3, [0, 100, 1000], lnn.LeastSquares(seen, seen(target)))
    assert run.losses[-1] < 1e-3 and abs(run.end_to_end[-1, 0, 0]) > 20
