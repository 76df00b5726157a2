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
    X = rng.standard_normal((3, 12))

    def loss(w):
        return np.cosh(w @ X - 2.0).sum(axis=-1)

    zero = loss(np.zeros(3))
    for R in (0.1, 1.0, 3.0):
        # the maximum of a convex function over a ball lies on its sphere; search it from many points
        sphere = rng.standard_normal((20_000, 3))
        ceiling = loss(R * sphere / np.linalg.norm(sphere, axis=1)[:, None]).max()
        points = rng.standard_normal((20_000, 3)) * np.geomspace(1e-3, 1, 20_000)[:, None]
        below = points[loss(points) < zero]
        assert len(below) > 1000
        assert (R * (zero - loss(below)) / (ceiling - zero) <= np.linalg.norm(below, axis=1)).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (2, 4), (4, 2)])
def test_lem_sublevel_is_sharp_in_every_shape(shape):
    """`lem-sublevel`: equality at W = σI for ℓ(W) = -λ_min(sym W), which is 0 or more at singular W, and M_R = R."""
    rng, k, R = np.random.default_rng(21), min(shape), 0.7

    def loss(W):
        corner = W @ np.eye(shape[1], k) if shape[0] == k else np.eye(k, shape[0]) @ W
        return -np.linalg.eigvalsh((corner + corner.mT) / 2)[..., 0]

    singular = (
        rng.standard_normal((500, shape[0], k))
        @ np.diag([1.0] * (k - 1) + [0])
        @ rng.standard_normal((500, k, shape[1]))
    )
    assert (loss(singular) >= -1e-12).all() and abs(loss(np.zeros(shape))) == 0  # ℓ_0 = 0
    ball = rng.standard_normal((5000, *shape))
    ball *= R / np.linalg.norm(ball, axis=(1, 2))[:, None, None]
    extreme = np.zeros(shape)
    extreme[k - 1, k - 1] = -R
    assert loss(ball).max() <= R + EXACT and abs(loss(extreme) - R) < EXACT  # M_R = R
    W = 0.4 * rng.standard_normal((5000, *shape)) + np.eye(*shape)
    W = W[loss(W) < 0]
    bounds = R * -loss(W) / R
    assert len(W) > 100 and (bounds <= np.linalg.svd(W, compute_uv=False)[:, -1] + EXACT).all()
    assert abs(R * -loss(0.3 * np.eye(*shape)) / R - 0.3) < EXACT  # attained: no larger constant


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("shape", [(4, 4), (4, 5), (5, 4)])
def test_cor_gf_the_linear_rate_holds_and_is_nearly_attained(shape, depth):
    """`cor-gf`, item 2: rate 2 κ c^{2-2/N}, κ = N for square matrices only, and hardly more along the slowest."""
    rng, kappa = np.random.default_rng(3), depth if shape[0] == shape[1] else 1
    for sigma in (0.5, 2.0):  # on both sides of 1, so that no other power of c passes
        U, V = orthogonal(shape[0], rng), orthogonal(shape[1], rng)
        target = U @ (sigma * np.eye(*shape)) @ V.T
        widths = (shape[1], *(6, 7, 5, 8)[: depth - 1], shape[0])
        weights = lnn.initial.balanced(target - 0.005 * np.outer(U[:, -1], V[:, -1]), widths)
        times = np.linspace(0, 2 / (kappa * sigma ** (2 - 2 / depth)), 21)
        path = lnn.gradient_flow(weights, distance_loss(target), times)
        proved = 2 * kappa * path.singular_values.min() ** (2 - 2 / depth)
        assert (path.losses <= path.losses[0] * np.exp(-proved * times) * (1 + 1e-6)).all()
        rate = -np.log(path.losses[-1] / path.losses[0]) / times[-1]
        assert 1 - 1e-6 <= rate / proved < 1.03


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
    """`cor-gf`, item 1: ℓ(W(t)) ≤ D²/(κ c^{2-2/N} t) for Σ(w_i - a)⁴/4, whose minimum is not strongly convex.

    From one side only: gradient flow of a convex loss obeys D²/(2t) already at depth 1, so no example meets the bound.
    """

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


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (3, 3), (1, 5)])
def test_def_margin_is_positive_exactly_below_the_rank_deficient_matrices(shape):
    """`def-margin`, `lem-margin` 3: the best rank-deficient matrix is at distance σ_min(Φ), in every direction."""
    rng, k = np.random.default_rng(8), min(shape)
    target = rng.standard_normal(shape)
    U, values, Vt = np.linalg.svd(target, full_matrices=False)
    nearest = np.linalg.norm(target - (U[:, : k - 1] * values[: k - 1]) @ Vt[: k - 1])
    for _ in range(
        20
    ):  # no rank-deficient matrix is nearer: the best product of k - 1 columns and rows, by least squares
        left = rng.standard_normal((shape[0], k - 1))
        assert np.linalg.norm(target - left @ np.linalg.lstsq(left, target, rcond=None)[0]) >= nearest - EXACT
    for size in (0.5, 0.99, 1.01, 2.0):
        for direction in rng.standard_normal((20, *shape)):
            W = target + size * nearest * direction / np.linalg.norm(direction)
            margin = guarantees.deficiency_margin(W, target)
            assert (margin > 0) == (size < 1)
            assert abs(margin - (1 - size) * nearest) < EXACT * 10


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
    levels = 1e-2 / 1.5 ** np.arange(40)
    tries = ([W + level * Z for W, Z in zip(exact, noise, strict=True)] for level in levels)
    weights = next(layers for layers in tries if guarantees.certify(layers, target).holds)
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
            # lem-descent; to first order in η the quotient is 1, so no constant above 1 is possible
            assert 0.75 <= (losses[-1] - loss) / (eta * last) < 1
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


def test_cor_published_remains_twice_balanced():
    """`cor-published`: the steps add at most δ/36 to the imbalance, and nearly that for scalars with c near φ."""
    rng, shares = np.random.default_rng(22), []
    for depth in (2, 3, 6):
        for k in (1, 3):
            target = well_conditioned((k, k), rng, np.linspace(1.1, 1.0, k) * 1.7)
            weights = lnn.initial.balanced(0.999 * target, [k] * (depth + 1))
            record = guarantees.certify(weights, target, published=True)
            added = 2 / 3 * record.step_size * np.linalg.norm(target, 2) ** 2 / record.allowed_imbalance
            assert record.holds and added <= 1 / 36
            shares.append(36 * added)
    assert max(shares) > 0.99  # so δ/37 would be wrong


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_lem_layers_bounds_and_what_they_need(depth):
    """`lem-layers`: μ^N ≤ 5‖Φ‖² and λ_min(W_{2:N}W_{2:N}ᵀ) ≥ ¾ c^{2-2/N}; 4 and 1 are met, and balance is needed."""
    rng, N = np.random.default_rng(23), depth

    def sides(weights):
        above = np.linalg.multi_dot([*weights[:0:-1], np.eye(weights[1].shape[1])])
        return max(np.linalg.norm(W, 2) for W in weights) ** (2 * N), np.linalg.eigvalsh(above @ above.T)[0]

    size, c, worst = 1.3, 0.4, [0.0, np.inf]
    for shape in ((2, 2), (2, 3), (1, 4)):
        allowed = c**2 / (20 * N**2 * size ** (2 - 2 / N))
        for trial in range(40):
            values = np.r_[2 * size, c][-shape[0] :] if trial % 2 else np.r_[2 * size, c][: shape[0]]
            exact = lnn.initial.balanced(well_conditioned(shape, rng, values), (shape[1], *[4] * (N - 1), shape[0]))
            noise = [rng.standard_normal(W.shape) for W in exact]
            levels = 0.1 / 1.3 ** np.arange(60)
            nets = ([W + level * Z for W, Z in zip(exact, noise, strict=True)] for level in levels)

            def admitted(net, allowed=allowed):
                sigma = np.linalg.svd(np.linalg.multi_dot(net[::-1]), compute_uv=False)
                return lnn.imbalance(net) <= allowed and sigma[-1] >= 0.999 * c and sigma[0] <= 2.001 * size

            top, bottom = sides(next(net for net in nets if admitted(net)))
            assert top <= 5 * (1.001 * size) ** 2 and bottom >= 0.75 * (0.999 * c) ** (2 - 2 / N)
            worst = [max(worst[0], top / size**2), min(worst[1], bottom / c ** (2 - 2 / N))]
    assert worst[0] > 3.9 and worst[1] < 1.1  # nothing below 4, or above 1, could stand there
    stretched = [np.full((1, 1), 10.0), *[np.full((1, 1), (c / 10.0) ** (1 / (N - 1)))] * (N - 1)]
    top, bottom = sides(stretched)  # the product is c, but the layers are out of balance
    assert top > 5 * size**2 and bottom < 0.75 * c ** (2 - 2 / N)


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
        for eta in (0.7, 1.0, 1.3):  # beyond ½ the proposition says nothing; even powers stay above -1 all the same
            path = lnn.gradient_descent(start, distance_loss(-np.eye(2)), eta, 15)
            assert depth % 2 or path.losses.min() >= 1 - EXACT


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


def test_prop_necessity_growth_of_small_errors_needs_the_term_with_the_target():
    """`prop-necessity`: |e'| ≥ 13|e| while |e| < |φ| at u = 14 + 2(ηφ)², sharp at e → φ, false at u = 14."""
    for f in (0.1, 0.5, 2.0):
        for u, enough in ((14 + 2 * f**2, True), (14.0, False)):
            eta, target = 1.0, f
            s, product = u / eta, 2 * target * (1 - 1e-9)  # e just below φ
            assert s >= 2 * abs(product)
            w1, w2 = (math.sqrt(s + 2 * product) + math.sqrt(s - 2 * product)) / 2, 0.0
            w2 = product / w1
            error = w1 * w2 - target
            after = (w1 - eta * w2 * error) * (w2 - eta * w1 * error) - target
            assert (abs(after) >= 13 * abs(error) * (1 - 1e-6)) == enough
            assert abs(after) < 13 * abs(error) * (1 + 1e-6)


def test_prop_necessity_nothing_below_four_would_do():
    """`prop-necessity`: some starts with η(w_1² + w_2²) near 4 converge, none beyond the proved bound."""
    rng, eta, draws = np.random.default_rng(24), 1.0, 40_000
    target = rng.choice([-1, 1], draws) * np.exp(rng.uniform(-6, 1, draws))
    u = rng.uniform(2, 40, draws)
    angle = rng.uniform(0, 2 * np.pi, draws)
    w1, w2 = np.sqrt(u) * np.cos(angle), np.sqrt(u) * np.sin(angle)
    near = rng.random(draws) < 0.5  # half of them near the target
    w1, w2 = (
        np.where(near, np.sqrt(u), w1),
        np.where(near, target * (1 + 0.1 * rng.standard_normal(draws)) / np.sqrt(u), w2),
    )
    u = eta * (w1**2 + w2**2)
    for _ in range(500):
        error = np.clip(w1 * w2 - target, -1e60, 1e60)
        w1, w2 = np.clip(w1 - eta * w2 * error, -1e60, 1e60), np.clip(w2 - eta * w1 * error, -1e60, 1e60)
    converged = abs(w1 * w2 - target) < 1e-9
    assert u[converged].max() > 3.9
    assert not converged[u >= 14 + 8 * (eta * target) ** 2].any()


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
    """`prop-random-init`: P(margin ≥ c) = F_{d,ν²}((ν - c/s)²), against simulated balanced networks."""
    rng = np.random.default_rng(16)
    target = np.zeros((1, size))
    target[0, -1] = 2.0
    draws = scale * rng.standard_normal((4000, 1, size))
    products = np.stack([lnn.end_to_end(lnn.initial.balanced(A, (size, 3, 2, 1))) for A in draws])
    margins = guarantees.deficiency_margin(products, target)
    nu = 2.0 / scale
    for c in (0.0, 0.2 * scale):
        interval = binomtest(int((margins > c).sum()), 4000).proportion_ci(0.9999)
        assert interval.low <= ncx2.cdf((nu - c / scale) ** 2, size, nu**2) <= interval.high


def test_prop_random_init_tends_to_one_half_at_the_stated_rate():
    """`prop-random-init`: ½ - p obeys the bound, and ν(½ - p) → (d-1)/(2√(2π))."""
    for size in (2, 5, 30):
        for nu in (30.0, 100.0, 1000.0):
            missing = 0.5 - ncx2.cdf(nu**2, size, nu**2)
            bound = (size - 1) / (math.sqrt(2 * math.pi) * nu) + (size - 1) / nu**2 + 0.5 * math.exp(-(nu**2) / 2)
            assert 0 < missing <= bound
        assert abs(nu * missing / ((size - 1) / (2 * math.sqrt(2 * math.pi))) - 1) < 0.02
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


@pytest.mark.parametrize("phi", [0.6, 1.0, 2.3])
def test_prop_saxe_depth_sharpens_the_transition(phi):
    """`prop-saxe`, item 3: rise time over waiting time is constant, ~1/log, ~s_0^{1-2/N} for N = 1, 2, ≥ 3."""
    starts = np.array([1e-4, 1e-6, 1e-8, 1e-10])
    shares = {}
    for depth in (1, 2, 3, 4):
        reach = [[float(modes.time_to_reach(q * phi, s, phi, depth)) for s in starts] for q in (0.1, 0.5, 0.9)]
        shares[depth] = (np.array(reach[2]) - reach[0]) / reach[1]
    assert abs(shares[1][-1] - math.log(9) / math.log(2)) < 1e-4
    np.testing.assert_allclose(shares[2] * np.log(phi / starts), math.log(81), rtol=1e-3)
    for depth in (3, 4):
        assert abs(slope(starts, shares[depth]) - (1 - 2 / depth)) < SLOPE / 2

        def speed(_, x, depth=depth):
            return [depth * x[0] ** (2 - 2 / depth) * (1 - x[0])]

        rise = solve_ivp(speed, (0, 50), [0.1], events=lambda _, x: x[0] - 0.9, rtol=1e-10, atol=1e-12).t_events[0][0]
        constant = rise / phi ** (2 - 2 / depth) * (depth - 2) * phi  # of s_0^{1-2/N}
        assert abs(shares[depth][-1] / (constant * starts[-1] ** (1 - 2 / depth)) - 1) < 0.01


@pytest.mark.parametrize("phi", [0.6, 1.0, 2.3])
def test_prop_saxe_modes_separate(phi):
    """`prop-saxe`, item 4: growth of the second mode, s_0^{-φ'/φ} at depth 2, (1-φ'/φ)^{-N/(N-2)} beyond."""
    starts = np.array([1e-6, 1e-8, 1e-10, 1e-12])

    def second(depth, ratio):
        waits = [float(modes.time_to_reach(0.5 * phi, s, phi, depth)) for s in starts]
        return np.array([modes.trajectory(w, s, ratio * phi, depth) for w, s in zip(waits, starts, strict=True)])

    for ratio in (0.3, 0.6):
        assert abs(slope(starts, second(2, ratio)) - (1 - ratio)) < SLOPE / 2
        for depth in (3, 4, 5):
            growth = second(depth, ratio) / starts
            limit = (1 - ratio) ** (-depth / (depth - 2))
            assert abs(growth[-1] / limit - 1) < 0.05 and abs(growth[-1] - limit) < abs(growth[0] - limit)


def test_prop_saxe_modes_beyond_the_narrowest_layer_stay_zero():
    """`prop-saxe`: with hidden width 2 the third aligned mode is 0 for ever, the first two are learned."""
    rng = np.random.default_rng(25)
    Q = [orthogonal(d, rng) for d in (5, 2, 4)]
    layers = Q[1] @ np.eye(2, 5) @ Q[0].T, Q[2] @ np.eye(4, 2) @ Q[1].T
    sigma = np.zeros((4, 5))
    np.fill_diagonal(sigma, [3.0, 2.0, 1.0, 0.5])
    path = lnn.gradient_flow([0.3 * W for W in layers], distance_loss(Q[2] @ sigma @ Q[0].T), [0, 2, 20])
    rotated = Q[2].T @ path.end_to_end @ Q[0]
    np.testing.assert_allclose(rotated[-1], np.diag([3.0, 2.0, 0, 0]) @ np.eye(4, 5), atol=1e-6)
