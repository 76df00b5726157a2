"""The statements of the page `convergence`, each against an independent computation."""

import math

import numpy as np
import pytest
import sympy as sp
from draws import network, slope
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, ncx2, norm
from tolerances import EXACT, SLOPE

import lnn
from lnn.symbolic import convergence as derive
from lnn.theory import guarantees, modes


def orthogonal(size, rng):
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def distance_loss(target):
    return lnn.LeastSquares(lnn.Everything(target.shape), target.ravel())


def well_conditioned(shape, rng, values=(1.3, 1.2, 1.1, 1.0)):
    U, V = orthogonal(shape[0], rng), orthogonal(shape[1], rng)
    sigma = np.zeros(shape)
    np.fill_diagonal(sigma, values)
    return U @ sigma @ V.T


def slow_descent(weights, target, step_size, steps):
    """Gradient descent on ½‖W - Φ‖² written out with loops, yielding the layers and their gradients."""
    weights, depth = [W.copy() for W in weights], len(weights)
    for _ in range(steps):
        product = np.linalg.multi_dot(weights[::-1]) if depth > 1 else weights[0]
        gradients = []
        for j in range(depth):
            above, below = np.eye(target.shape[0]), np.eye(target.shape[1])
            for W in weights[:j]:
                below = W @ below
            for W in weights[:j:-1]:
                above = above @ W
            gradients.append(above.T @ (product - target) @ below.T)
        yield [W.copy() for W in weights], gradients, product
        for W, G in zip(weights, gradients, strict=True):
            W -= step_size * G


# Gradient flow


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 4)])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_lem_smallest_gain_holds_for_square_and_rectangular_matrices(shape, depth):
    """`lem-smallest-gain`: λ_min(P_W) is N σ^{2-2/N} if W is square, σ^{2-2/N} if not."""
    W = np.random.default_rng(1).standard_normal(shape)
    m, n = shape
    left, right = np.linalg.eigh(W @ W.T), np.linalg.eigh(W.T @ W)

    def power(eig, p):
        values = np.where(eig[0] < 1e-10, 1.0 if p == 0 else 0.0, np.abs(eig[0]) ** p)
        return (eig[1] * values) @ eig[1].T

    P = sum(np.kron(power(right, (j - 1) / depth), power(left, (depth - j) / depth)) for j in range(1, depth + 1))
    sigma = np.linalg.svd(W, compute_uv=False)[-1]
    kappa = depth if m == n else 1
    assert abs(np.linalg.eigvalsh(P)[0] / (kappa * sigma ** (2 - 2 / depth)) - 1) < 1e-8


def test_lem_sublevel_bounds_the_smallest_singular_value():
    """`lem-sublevel`: σ_min(W) ≥ R (ℓ_0 - ℓ(W)) / (M_R - ℓ_0), for a convex loss that is no squared distance."""
    rng = np.random.default_rng(2)
    X, w = rng.standard_normal((3, 12)), rng.standard_normal((1, 3))

    def loss(w):
        return float(np.cosh(w @ X - 2.0).sum())

    zero, tight = loss(np.zeros((1, 3))), 0.0
    for R in (0.1, 1.0, 3.0):
        # the maximum of a convex function over a ball lies on its sphere; search it from many points
        sphere = rng.standard_normal((20_000, 3))
        sphere *= R / np.linalg.norm(sphere, axis=1)[:, None]
        ceiling = np.cosh(sphere @ X - 2.0).sum(axis=1).max()
        for size in np.geomspace(1e-3, 1, 20):
            for w in rng.standard_normal((20, 1, 3)):
                w *= size / np.linalg.norm(w)
                if loss(w) < zero:
                    bound = R * (zero - loss(w)) / (ceiling - zero)
                    assert bound <= size
                    tight = max(tight, bound / size)
    assert tight > 0.3  # the bound says something


@pytest.mark.parametrize(("shape", "kappa"), [((4, 4), 3), ((4, 5), 1), ((5, 4), 1)])
def test_cor_gf_the_linear_rate_holds_and_is_nearly_attained(shape, kappa):
    """`cor-gf`, item 2: rate 2 κ c^{2-2/N}, κ = N for square matrices only."""
    rng = np.random.default_rng(3)
    U, V = orthogonal(shape[0], rng), orthogonal(shape[1], rng)
    target = U @ (0.8 * np.eye(*shape)) @ V.T
    weights = lnn.initial.balanced(target - 0.01 * np.outer(U[:, -1], V[:, -1]), (shape[1], 6, 7, shape[0]))
    path = lnn.gradient_flow(weights, distance_loss(target), np.linspace(0, 2, 21))
    c = path.singular_values.min()
    bound = path.losses[0] * np.exp(-2 * kappa * c ** (4 / 3) * path.times)
    assert (path.losses <= bound * (1 + 1e-6)).all()
    rate = -np.log(path.losses[-1] / path.losses[0]) / 2
    assert rate < 1.05 * 2 * kappa * 0.8 ** (4 / 3)


def test_cor_gf_reaches_the_minimum_from_a_low_loss():
    """`cor-gf`: a convex loss below all rank-deficient matrices at the start tends to its minimum."""
    rng = np.random.default_rng(4)
    target = well_conditioned((3, 5), rng, (3.0, 2.0, 1.0))
    start = target + 0.95 * np.outer(orthogonal(3, rng)[:, 0], orthogonal(5, rng)[:, 0])
    for depth, widths in ((2, (5, 4, 3)), (4, (5, 4, 6, 7, 3))):
        path = lnn.gradient_flow(lnn.initial.balanced(start, widths), distance_loss(target), [0, 5, 30])
        assert path.depth == depth and path.losses[-1] < 1e-12
        assert (path.singular_values[:, -1] > 0.05 - 1e-9).all()


def test_cor_gf_needs_no_minimizer():
    """`cor-gf`: with unbounded sublevel sets the loss still tends to its infimum, while the weights grow."""

    class Exponential:
        X = np.array([[1.0, 0.8, 1.2], [0.5, -0.9, 0.1]])

        def __call__(self, W):
            return np.exp(-(W @ self.X)).sum(axis=(-2, -1))

        def gradient(self, W):
            return -np.exp(-(W @ self.X)) @ self.X.T

    loss = Exponential()
    W = np.array([[0.05, -0.02]])
    assert loss(W) < 3  # the loss of zero, the only rank-deficient matrix
    for widths in ((2, 2, 1), (2, 3, 2, 1)):
        path = lnn.gradient_flow(lnn.initial.balanced(W, widths), loss, [0, 1, 10, 100, 1000], method="LSODA")
        assert (np.diff(path.losses) < 0).all() and path.losses[-1] < 2e-2
        assert (np.diff(path.singular_values[:, 0]) > 0).all() and path.singular_values[-1, 0] > 3


@pytest.mark.parametrize("shape", [(3, 3), (2, 4)])
def test_cor_gf_the_inequality_behind_the_convergence(shape):
    """`cor-gf`: ⟨W, P_W⁻¹W⟩ = ‖θ‖²/N² at balanced layers, and (ℓ(W) - ℓ(Z))² ≤ ⟨W-Z, P_W⁻¹(W-Z)⟩ · (-dℓ/dt)."""
    rng, least = np.random.default_rng(20), math.inf
    m, n = shape
    for depth in (2, 3, 5):
        for _ in range(50):
            W, Z = rng.standard_normal((2, *shape))
            layers = lnn.initial.balanced(W, (n, *[5] * (depth - 1), m))
            # P_W = J Jᵀ with J the derivative of the product by the layers: no formula of the book is used
            J = []
            for j, layer in enumerate(layers):
                for entry in np.eye(layer.size):
                    changed = [*layers[:j], entry.reshape(layer.shape), *layers[j + 1 :]]
                    J.append(np.linalg.multi_dot(changed[::-1]).ravel())
            P = np.transpose(J) @ J
            squared_norm = sum((layer**2).sum() for layer in layers)
            assert abs(W.ravel() @ np.linalg.solve(P, W.ravel()) / (squared_norm / depth**2) - 1) < 1e-8
            G = np.sinh(W)  # the gradient of a convex loss
            ahead = W - 0.01 * (P @ G.ravel()).reshape(shape) / np.linalg.norm(P, 2)
            for other in (Z, ahead):
                gap = np.cosh(W).sum() - np.cosh(other).sum()
                q = (W - other).ravel() @ np.linalg.solve(P, (W - other).ravel())
                if gap > 0:
                    assert gap**2 <= q * (G.ravel() @ P @ G.ravel()) * (1 + 1e-8)
                    least = min(least, q * (G.ravel() @ P @ G.ravel()) / gap**2)
    assert least < 1.1  # no better constant is possible: along the flow both sides agree


def test_cor_gf_sublinear_rate_on_a_bounded_sublevel_set():
    """`cor-gf`, item 1: ℓ(W(t)) ≤ D²/(κ c^{2-2/N} t) for Σ(w_i - a)⁴/4, whose minimum is not strongly convex."""

    class Quartic:
        def __call__(self, W):
            return ((W - 2.0) ** 4).sum(axis=(-2, -1)) / 4

        def gradient(self, W):
            return (W - 2.0) ** 3

    loss, times = Quartic(), np.geomspace(0.01, 1e4, 40)
    for start in ([[0.8, 2.5, 1.3]], [[3.2, 2.0, 2.0]], [[1.0, 1.1, 0.9]]):
        W = np.array(start)
        radius = (4 * loss(W)) ** 0.25 * 3**0.25  # the ball of ℓ_4 within that of ℓ_2, touching it on the diagonal
        c, D = 2 * math.sqrt(3) - radius, 2 * radius
        assert c > 0 and loss(W) < loss(np.zeros((1, 3)))
        for depth in (2, 3):
            weights = lnn.initial.balanced(W, (3, *[2] * (depth - 1), 1))
            path = lnn.gradient_flow(weights, loss, np.array([0, *times]), method="LSODA")
            assert (path.singular_values >= c - 1e-6).all()
            assert (path.losses[1:] <= D**2 / (c ** (2 - 2 / depth) * times)).all()
            assert path.losses[-1] * 1e4**3 > path.losses[0]  # algebraic, not exponential


def to_hyperbola(a, b):
    """Nearest point to (a, b) of {(x - 1)(y - 1) ≥ 1, x > 1}, from a fine search and SciPy."""
    if a > 1 and b > 1 and (a - 1) * (b - 1) >= 1:
        return a, b

    def squared(z):  # x = 1 + e^z, y = 1 + e^{-z}
        return (1 + np.exp(z) - a) ** 2 + (1 + np.exp(-z) - b) ** 2

    grid = np.linspace(-8, 8, 1601)
    z = grid[squared(grid).argmin()]
    z = minimize_scalar(squared, bounds=(z - 0.02, z + 0.02), method="bounded", options={"xatol": 1e-12}).x
    return 1 + math.exp(z), 1 + math.exp(-z)


def nearest_in_K(W):
    """The antisymmetric part does not count, and the eigenvalues of the symmetric one move to the hyperbola."""
    values, vectors = np.linalg.eigh((W + W.T) / 2)
    return (vectors * to_hyperbola(*values)) @ vectors.T + (W - W.T) / 2


def test_ex_sublevel_at_infinity_touches_rank_deficiency_at_infinity():
    """`ex-sublevel-at-infinity`: ½dist² ≤ ½ at diag(k, 1/(k-1)) for all k, > ½ at singular matrices, and convex."""
    rng = np.random.default_rng(5)

    def loss(W):
        return 0.5 * ((W - nearest_in_K(W)) ** 2).sum()

    for k in (2.0, 3.0, 10.0, 100.0):
        assert loss(np.diag([k, 1 / (k - 1)])) <= 0.5 + EXACT
    assert abs(loss((2 - math.sqrt(0.5)) * np.eye(2)) - 0.5) < 1e-9  # a start
    for size in np.geomspace(0.1, 100, 200):
        u, v = orthogonal(2, rng)[0], orthogonal(2, rng)[0]
        for w in (u, v):  # symmetric ones are the nearest
            assert loss(size * np.outer(u, w)) > 0.5
        A, B = 3 * rng.standard_normal((2, 2, 2))
        assert loss((A + B) / 2) <= (loss(A) + loss(B)) / 2 + 1e-9
        slope_ = (loss(A + 1e-5 * B) - loss(A - 1e-5 * B)) / 2e-5
        assert abs(slope_ - ((A - nearest_in_K(A)) * B).sum()) < 1e-3


# Margin


def test_lem_whitened_regression_is_a_squared_distance():
    """`lem-whitened`: on whitened data least squares is ½‖W - YZᵀ‖² up to a constant."""
    rng = np.random.default_rng(6)
    X, Y = rng.standard_normal((5, 5)) @ rng.standard_normal((5, 30)), rng.standard_normal((3, 30))
    Z, transform = lnn.datasets.whiten(X)
    np.testing.assert_allclose(Z @ Z.T, np.eye(5), atol=1e-10)
    np.testing.assert_allclose(transform @ X, Z, atol=1e-10)
    target = Y @ Z.T
    constant = 0.5 * ((Y**2).sum() - (target**2).sum())
    for W in rng.standard_normal((4, 3, 5)):
        assert abs(0.5 * ((W @ Z - Y) ** 2).sum() - 0.5 * ((W - target) ** 2).sum() - constant) < 1e-11


def test_def_margin_is_the_smallest_singular_value_at_no_larger_loss():
    """`def-margin`, `lem-margin`: σ_min(W') ≥ c for every W' of no larger loss, with equality for one."""
    rng = np.random.default_rng(7)
    target = well_conditioned((3, 5), rng, (2.0, 1.5, 1.0))
    W = target + 0.2 * rng.standard_normal((3, 5))
    c, radius = guarantees.deficiency_margin(W, target), np.linalg.norm(W - target)
    assert 0 < c < 1
    others = rng.standard_normal((5000, 3, 5))
    others *= (radius * rng.random(5000) ** 0.1 / np.linalg.norm(others, axis=(1, 2)))[:, None, None]
    assert np.linalg.svd(target + others, compute_uv=False)[:, -1].min() >= c
    U, _, Vt = np.linalg.svd(target, full_matrices=False)
    worst = target - radius * np.outer(U[:, -1], Vt[-1])
    assert abs(np.linalg.svd(worst, compute_uv=False)[-1] - c) < EXACT
    assert abs(np.linalg.norm(worst - target) - radius) < EXACT


def test_def_margin_is_positive_exactly_below_the_rank_deficient_matrices():
    """`def-margin`: the best rank-deficient matrix is at distance σ_min(Φ)."""
    rng = np.random.default_rng(8)
    target = rng.standard_normal((3, 4))
    U, values, Vt = np.linalg.svd(target, full_matrices=False)
    truncated = (U[:, :2] * values[:2]) @ Vt[:2]
    for size in (0.9, 1.1):
        W = target + size * (truncated - target)
        below = np.linalg.norm(W - target) < np.linalg.norm(truncated - target)
        assert (guarantees.deficiency_margin(W, target) > 0) == below == (size < 1)


def test_def_delta_is_the_imbalance():
    """`def-delta`: the least δ is the largest Frobenius norm of the differences."""
    W1, W2, W3 = weights = network((7, 6, 8, 5), np.random.default_rng(9))
    by_hand = max(math.sqrt(((W2.T @ W2 - W1 @ W1.T) ** 2).sum()), math.sqrt(((W3.T @ W3 - W2 @ W2.T) ** 2).sum()))
    record = guarantees.certify(weights, np.ones((5, 7)))
    assert abs(record.imbalance / by_hand - 1) < EXACT


# The theorem and its lemmas


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_thm_gd_holds_along_a_run(depth, shape):
    """`thm-gd`, `lem-descent`: at the certified step size every step contracts, imbalance below 2δ, σ_min above c."""
    rng = np.random.default_rng(10)
    k = min(shape)
    target = well_conditioned(shape, rng, np.linspace(1.4, 1.0, k))
    error = rng.standard_normal(shape)
    start = target + 0.3 * error / np.linalg.norm(error)
    hidden = (6, 7, 5)[: depth - 1]
    exact = lnn.initial.balanced(start, (shape[1], *hidden, shape[0]))
    noise = [rng.standard_normal(W.shape) for W in exact]
    level = 1e-2
    while not guarantees.certify([W + level * Z for W, Z in zip(exact, noise, strict=True)], target).holds:
        level /= 1.5
    weights = [W + level * Z for W, Z in zip(exact, noise, strict=True)]
    record = guarantees.certify(weights, target)
    assert record.imbalance > 0.3 * record.allowed_imbalance  # the hypothesis is used
    eta, losses, N, size = record.step_size, [], depth, np.linalg.norm(target, 2)
    assert math.isclose(eta, record.margin**2 / (60 * N**2 * size ** (4 - 2 / N)))
    paid = last = 0.0
    for layers, gradients, product in slow_descent(weights, target, eta, 400):
        squares = sum((G**2).sum() for G in gradients)
        assert lnn.imbalance(layers) <= min(2 * record.allowed_imbalance, record.imbalance + eta**2 * paid) + EXACT
        assert np.linalg.svd(product, compute_uv=False)[-1] >= record.margin
        mu = max(np.linalg.norm(W, 2) for W in layers) ** 2
        assert mu**N <= 5 * size**2  # lem-layers (i)
        G = gradients[0] if shape[0] <= shape[1] else gradients[-1]
        loss = 0.5 * ((product - target) ** 2).sum()
        assert (G**2).sum() >= 0.75 * record.rate * 2 * loss  # lem-layers (ii)
        if losses:
            assert loss <= (1 - eta * record.rate) * losses[-1]
            assert losses[-1] - loss >= 0.75 * eta * last  # lem-descent
        losses.append(loss)
        last = squares
        paid += squares
    assert losses[-1] <= record.bound(399) < 0.99 * losses[0]


def test_thm_gd_the_iteration_count_suffices():
    """`thm-gd`: after T ≥ log(ℓ(0)/ε)/(η c^{2(N-1)/N}) steps the loss is at most ε."""
    rng = np.random.default_rng(11)
    target = well_conditioned((2, 3), rng, (1.1, 1.0))
    start = target + 0.1 * np.outer(orthogonal(2, rng)[0], orthogonal(3, rng)[0])
    weights = lnn.initial.balanced(start, (3, 4, 2))
    record = guarantees.certify(weights, target)
    T = record.iterations(1e-5)
    path = lnn.gradient_descent(weights, distance_loss(target), record.step_size, T, every=T)
    assert path.losses[-1] <= 1e-5
    assert T == math.ceil(math.log(0.5 * 0.1**2 / 1e-5) / (record.step_size * 0.9))


def test_thm_gd_at_depth_one():
    """`thm-gd`, N = 1: plain descent on a quadratic contracts the loss by (1 - η)²."""
    rng = np.random.default_rng(12)
    target = well_conditioned((2, 3), rng, (1.5, 1.0))
    record = guarantees.certify((target + 0.1,), target)
    assert record.holds and record.imbalance == 0 and record.rate == 1
    losses = [0.5 * ((product - target) ** 2).sum() for *_, product in slow_descent((target + 0.1,), target, 0.01, 3)]
    np.testing.assert_allclose(np.array(losses[1:]) / losses[:-1], 0.99**2, rtol=1e-10)


def test_cor_published_constants_are_covered():
    """`cor-published`: the published δ and η never exceed those of `thm-gd`."""
    rng = np.random.default_rng(13)
    for _ in range(200):
        depth, k = int(rng.integers(1, 7)), int(rng.integers(1, 5))
        target = well_conditioned((k, k + 1), rng, np.exp(rng.normal(0, 2, k)))
        start = target * (1 - 0.9 * rng.random() * np.linalg.svd(target, compute_uv=False)[-1] / np.linalg.norm(target))
        weights = lnn.initial.balanced(start, (k + 1, *[k] * (depth - 1), k))
        ours, published = guarantees.certify(weights, target), guarantees.certify(weights, target, published=True)
        assert ours.margin > 0 and ours.margin == published.margin
        assert 0 < published.allowed_imbalance <= ours.allowed_imbalance
        if published.holds:
            c, N, F = ours.margin, depth, np.linalg.norm(target)
            by_hand = c ** ((4 * N - 2) / N) / (6144 * N**3 * F ** ((6 * N - 4) / N))
            assert math.isclose(published.step_size, by_hand, rel_tol=1e-10)
            assert published.step_size <= ours.step_size


def test_eq_powers_is_sharp_for_scalars():
    """`lem-layers` rests on N(N-1)/2 μ^{N-1} δ, attained to first order by w_{j+1}² = w_j² + δ."""
    for depth in (2, 3, 6):
        delta = 1e-7
        squares = 1 + delta * np.arange(depth)
        gap = abs(np.prod(squares) - squares[-1] ** depth)
        assert abs(gap / (depth * (depth - 1) / 2 * delta) - 1) < 1e-5


def test_lem_drift_is_exact():
    """`lem-drift`: one step changes each difference by η²(G_{j+1}ᵀG_{j+1} - G_jG_jᵀ)."""
    rng = np.random.default_rng(14)
    weights, target, eta = network((7, 6, 8, 5), rng), rng.standard_normal((5, 7)), 0.01
    (before, gradients, _), (after, *_) = slow_descent(weights, target, eta, 2)
    for j in range(2):
        change = (
            after[j + 1].T @ after[j + 1]
            - after[j] @ after[j].T
            - (before[j + 1].T @ before[j + 1] - before[j] @ before[j].T)
        )
        expected = eta**2 * (gradients[j + 1].T @ gradients[j + 1] - gradients[j] @ gradients[j].T)
        np.testing.assert_allclose(change, expected, atol=1e-9 * np.abs(expected).max() + 1e-9)
        assert np.linalg.norm(expected) <= eta**2 * sum((G**2).sum() for G in gradients)


# Necessity


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("eta", [0.05, 0.3, 0.5])
def test_prop_necessity_without_a_margin_descent_ends_at_zero(depth, eta):
    """`prop-necessity`: Φ = -I from the identity tends to W = 0, loss d/2, for η ≤ ½, at even and odd depth."""
    # At depth 2 zero is a strict saddle, which rounding errors leave in the end: look before they have grown.
    last = round(12 / eta) if depth == 2 else 3999
    marks = [k for k in (0, 1, 10, 100) if k < last] + [last]
    a, expected = 1.0, []
    for _ in range(last + 1):
        expected.append(a)
        a -= eta * a ** (depth - 1) * (a**depth + 1)
    assert (np.diff(expected) <= 0).all() and min(expected) >= 0
    start = lnn.initial.identity([3] * (depth + 1))
    assert lnn.imbalance(start) == 0 and not guarantees.certify(start, -np.eye(3)).holds
    path = lnn.gradient_descent(start, distance_loss(-np.eye(3)), eta, last, every=marks[1:])
    for layer in path.weights:
        for k, row in zip(marks, layer, strict=True):
            np.testing.assert_allclose(row, expected[k] * np.eye(3), atol=1e-9)
    assert abs(path.losses[-1] - 1.5) < 0.02
    flow = lnn.gradient_flow(start, distance_loss(-np.eye(3)), [0, 1000], method="LSODA")
    assert abs(flow.losses[-1] - 1.5) < 1e-2 and (flow.losses >= 1.5 - 1e-6).all()


def test_prop_necessity_a_large_step_can_jump_at_odd_depth_only():
    """`prop-necessity`: at η = 1 the first step reaches -I if N is odd; even N never get below d/2."""
    for depth in (2, 3, 4, 5):
        start = lnn.initial.identity([2] * (depth + 1))
        path = lnn.gradient_descent(start, distance_loss(-np.eye(2)), 1.0, 1)
        assert path.losses[-1] == (0 if depth % 2 else 4)


def test_prop_necessity_without_balance_descent_diverges():
    """`prop-necessity`: from η(w_1² + w_2²) ≥ 14 + 8η²φ² on, w_1² + w_2² grows beyond all bounds."""
    rng = np.random.default_rng(15)
    for _ in range(200):
        target, eta = float(rng.choice([-1, 1]) * np.exp(rng.normal(0, 1))), float(np.exp(rng.normal(-2, 1)))
        needed = 14 + 8 * (eta * target) ** 2
        w1 = math.sqrt(needed * (1 + rng.random()) / eta)
        w2 = (target + abs(target) * rng.uniform(-0.99, 0.99) * 0.1 ** rng.integers(0, 8)) / w1
        assert guarantees.deficiency_margin([[w1 * w2]], [[target]]) > 0
        first = eta * (w1**2 + w2**2)
        for _ in range(60):
            error, s = w1 * w2 - target, w1**2 + w2**2
            assert eta * s >= first - 5 * (eta * target) ** 2 - 1e-9
            if s > 1e20:
                break
            w1, w2 = w1 - eta * w2 * error, w2 - eta * w1 * error
            if abs(error) < abs(target):
                assert abs(w1 * w2 - target) >= 13 * abs(error) * (1 - 1e-6) - 1e-12
        else:
            raise AssertionError("did not diverge")


def test_prop_necessity_between_two_and_four_descent_finds_a_flatter_minimum():
    """`prop-necessity`: below 2 nearby, between 2 and 4 a flatter minimum, beyond 4 none (measured)."""
    outcomes = {}
    for product in (1.5, 2.5, 3.5, 4.5, 20.0):
        w1 = math.sqrt(product / 0.01)
        start = (np.array([[w1]]), np.array([[1.01 / w1]]))
        outcomes[product] = lnn.gradient_descent(start, distance_loss(np.ones((1, 1))), 0.01, 2000, every=2000)
    for product in (1.5, 2.5, 3.5):
        end = 0.01 * sum(float(W[-1, 0, 0]) ** 2 for W in outcomes[product].weights)
        assert outcomes[product].losses[-1] < 1e-12 and end < 2
    assert all(outcomes[p].outcome is lnn.Outcome.DIVERGED for p in (4.5, 20.0))


def test_prop_necessity_rotations_are_learned_along_straight_lines():
    """`prop-necessity`, the variant: from identities the end-to-end matrix goes straight to a rotation."""
    for depth in (2, 3):
        angle = 2.5
        R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        start = lnn.initial.identity([2] * (depth + 1))
        path = lnn.gradient_flow(start, distance_loss(R), np.linspace(0, 40, 50))
        z = path.end_to_end[:, 0, 0] + 1j * path.end_to_end[:, 1, 0]
        along = (z - 1) / (np.exp(1j * angle) - 1)
        assert np.abs(along.imag).max() < 1e-7 and path.losses[-1] < 1e-10
        np.testing.assert_allclose(path.end_to_end[:, 0, 0], path.end_to_end[:, 1, 1], atol=1e-9)


# Random starts


@pytest.mark.parametrize(("size", "scale"), [(1, 0.5), (3, 0.3), (12, 0.1)])
def test_prop_random_init_the_exact_probability(size, scale):
    """`prop-random-init`: P(margin ≥ c) = F_{d,κ²}((κ - c/s)²), against simulated balanced networks."""
    rng = np.random.default_rng(16)
    target = np.zeros((1, size))
    target[0, -1] = 2.0
    draws = scale * rng.standard_normal((4000, 1, size))
    products = np.stack([lnn.end_to_end(lnn.initial.balanced(A, (size, 3, 2, 1))) for A in draws])
    margins = guarantees.deficiency_margin(products, target)
    kappa = 2.0 / scale
    for c in (0.0, 0.2 * scale):
        interval = binomtest(int((margins > c).sum()), 4000).proportion_ci(0.9999)
        assert interval.low <= ncx2.cdf((kappa - c / scale) ** 2, size, kappa**2) <= interval.high


def test_prop_random_init_tends_to_one_half_at_the_stated_rate():
    """`prop-random-init`: ½ - p obeys the bound, and κ(½ - p) → (d-1)/(2√(2π))."""
    for size in (2, 5, 30):
        for kappa in (30.0, 100.0, 1000.0):
            missing = 0.5 - ncx2.cdf(kappa**2, size, kappa**2)
            bound = (
                (size - 1) / (math.sqrt(2 * math.pi) * kappa) + (size - 1) / kappa**2 + 0.5 * math.exp(-(kappa**2) / 2)
            )
            assert 0 < missing <= bound
        assert abs(kappa * missing / ((size - 1) / (2 * math.sqrt(2 * math.pi))) - 1) < 0.02
    assert abs(ncx2.cdf(9.0, 1, 9.0) - (norm.cdf(6.0) - 0.5)) < 1e-10  # d = 1 in closed form


def test_prop_one_output_converges_from_every_start_that_is_not_opposite():
    """`prop-one-output`: also with an obtuse angle to the target; the opposite start ends at 0."""
    target = np.array([[1.0, 0.0, 0.0]])
    for depth in (2, 3):
        widths = (3, *[2] * (depth - 1), 1)
        for start, final in (([[-1.0, 0.3, 0.1]], 0.0), ([[-1.0, 0.0, 0.0]], 0.5), ([[0.0, 0.01, 0.0]], 0.0)):
            weights = lnn.initial.balanced(np.array(start), widths)
            path = lnn.gradient_flow(weights, distance_loss(target), [0, 3000], method="LSODA")
            assert abs(path.losses[-1] - final) < 1e-2 if final else path.losses[-1] < 1e-9


# Saxe


def aligned(depth, rng):
    """Aligned, not balanced, layers of widths (6, 5, 7, …, 4), their diagonals and the target."""
    widths = [*[6, 5, 7, 5][:depth], 4]
    Q = [orthogonal(d, rng) for d in widths]
    diagonals = 0.3 + rng.random((depth, 4))
    layers = []
    for j in range(depth):
        D = np.zeros((widths[j + 1], widths[j]))
        np.fill_diagonal(D[:4, :4], diagonals[j])
        layers.append(Q[j + 1] @ D @ Q[j].T)
    sigma = np.zeros((4, 6))
    np.fill_diagonal(sigma, [3.0, 2.0, 1.0, 0.0])
    return tuple(layers), diagonals, Q, Q[-1] @ sigma @ Q[0].T


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_prop_saxe_the_modes_decouple(depth):
    """`prop-saxe`: aligned layers stay aligned, each mode follows its own N scalar equations."""
    layers, diagonals, Q, target = aligned(depth, np.random.default_rng(17))
    times = np.linspace(0, 1.5, 5)
    path = lnn.gradient_flow(layers, distance_loss(target), times)
    modes_alone = []
    for r, phi in enumerate((3.0, 2.0, 1.0, 0.0)):

        def speed(_, a, phi=phi):
            return [-np.prod(np.delete(a, j)) * (np.prod(a) - phi) for j in range(depth)]

        alone = solve_ivp(speed, (0, 1.5), diagonals[:, r], t_eval=times, rtol=1e-10, atol=1e-12)
        modes_alone.append(alone.y.prod(axis=0))
    rotated = Q[-1].T @ path.end_to_end @ Q[0]
    expected = np.zeros((5, 4, 6))
    for r in range(4):
        expected[:, r, r] = modes_alone[r]
    np.testing.assert_allclose(rotated, expected, atol=1e-6)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_prop_saxe_closed_forms_against_a_full_simulation(depth):
    """`prop-saxe`, item 1: `lnn.modes` against gradient flow over the layers of a rectangular network."""
    rng = np.random.default_rng(18)
    U, V = orthogonal(4, rng)[:, :3], orthogonal(6, rng)[:, :3]
    target = U @ np.diag([3.0, 2.0, 1.0]) @ V.T
    weights = lnn.initial.balanced(0.01 * U @ V.T, (6, *[5] * (depth - 1), 4))
    times = np.linspace(0, 4, 9)
    path = lnn.gradient_flow(weights, distance_loss(target), times)
    for r, phi in enumerate((3.0, 2.0, 1.0)):
        np.testing.assert_allclose(path.singular_values[:, r], modes.trajectory(times, 0.01, phi, depth), rtol=1e-5)


def test_prop_saxe_symbolic_equation_and_solutions():
    """`prop-saxe`: lnn.symbolic (sympy) derives the rate of `lnn.modes`, its closed forms and its clock."""
    s, target, start, t = derive.s, derive.target, derive.start, derive.t
    for depth in (1, 2, 3, 4, 5):
        rate = sp.lambdify((s, target), derive.mode_equation(depth))
        for x in (0.1, 0.7, 1.9):
            assert abs(rate(x, 1.6) - modes.rate(x, 1.6, depth)) < EXACT
    for depth in (1, 2):
        solution = derive.mode_solution(depth)
        defect = sp.diff(solution, t) - derive.mode_equation(depth).subs(s, solution)
        assert sp.simplify(defect) == 0 and sp.simplify(solution.subs(t, 0) - start) == 0
        value = sp.lambdify((t, start, target), solution)
        np.testing.assert_allclose(value(1.3, 0.2, 1.6), modes.trajectory(1.3, 0.2, 1.6, depth), rtol=1e-12)
    for depth in (1, 2, 3, 4):
        clock = sp.lambdify((s, target), derive.clock(depth))
        elapsed = clock(1.5, 1.6) - clock(0.01, 1.6)
        assert abs(elapsed / modes.time_to_reach(1.5, 0.01, 1.6, depth) - 1) < 1e-11


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_prop_saxe_waiting_time(depth):
    """`prop-saxe`, item 2: the time to q φ is the leading term (sympy) up to a bounded remainder."""
    leading = sp.lambdify((derive.start, derive.target), derive.waiting_time(depth))
    starts = np.array([1e-6, 1e-8, 1e-10])
    remainders = [modes.time_to_reach(0.4 * 1.7, s, 1.7, depth) - leading(s, 1.7) for s in starts]
    by_hand = starts ** (2 / depth - 1) / ((depth - 2) * 1.7) if depth > 2 else np.log(1 / starts) / (2 * 1.7)
    np.testing.assert_allclose(leading(starts, 1.7), by_hand, rtol=1e-12)
    assert np.ptp(remainders) < 1e-2 * (1 if depth < 6 else 10) and abs(remainders[-1]) < 10
    if depth > 2:
        times = [float(modes.time_to_reach(0.5, s, 1.0, depth)) for s in starts]
        assert abs(slope(starts, times) + 1 - 2 / depth) < SLOPE


def test_prop_saxe_depth_sharpens_the_transition():
    """`prop-saxe`, item 3: rise time over waiting time is constant, ~1/log, ~s_0^{1-2/N} for N = 1, 2, ≥ 3."""
    starts = np.array([1e-4, 1e-6, 1e-8])
    shares = {}
    for depth in (1, 2, 3, 4):
        reach = [[float(modes.time_to_reach(q, s, 1.0, depth)) for s in starts] for q in (0.1, 0.5, 0.9)]
        shares[depth] = (np.array(reach[2]) - reach[0]) / reach[1]
    assert abs(shares[1][-1] - math.log(9) / math.log(2)) < 1e-4
    np.testing.assert_allclose(shares[2] * np.log(1 / starts), math.log(81), rtol=1e-3)
    for depth in (3, 4):
        assert abs(slope(starts, shares[depth]) - (1 - 2 / depth)) < SLOPE / 2


def test_prop_saxe_modes_separate():
    """`prop-saxe`, item 4: growth of the second mode, s_0^{-φ'/φ} at depth 2, (1-φ'/φ)^{-N/(N-2)} beyond."""
    starts = np.array([1e-6, 1e-8, 1e-10])

    def second(depth, ratio):
        waits = [float(modes.time_to_reach(0.5, s, 1.0, depth)) for s in starts]
        return np.array([modes.trajectory(w, s, ratio, depth) for w, s in zip(waits, starts, strict=True)])

    assert abs(slope(starts, second(2, 0.6)) - 0.4) < SLOPE / 2
    for depth in (3, 4, 5):
        growth = second(depth, 0.6) / starts
        limit = 0.4 ** (-depth / (depth - 2))
        assert abs(growth[-1] / limit - 1) < 0.05 and abs(growth[-1] - limit) < abs(growth[0] - limit)
