"""The results of the page `linear_networks`, each against an independent computation."""

from functools import reduce
from itertools import combinations, pairwise
from itertools import product as pairs

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from tolerances import EXACT, FLOW, SLOPE

import lnn
from lnn.symbolic import landscape

WIDTHS = (7, 6, 8, 5)


class Quartic:
    """A loss that is neither convex nor quadratic, ℓ(W) = ⟨C, W⟩ + Σ w⁴/4 - Σ w²/2 + (tr AᵀW)³/6."""

    def __init__(self, shape, rng):
        self.C, self.A = rng.standard_normal((2, *shape))

    def __call__(self, W):
        along = (self.A * W).sum(axis=(-2, -1))
        return (self.C * W + W**4 / 4 - W**2 / 2).sum(axis=(-2, -1)) + along**3 / 6

    def gradient(self, W):
        along = (self.A * W).sum(axis=(-2, -1), keepdims=True)
        return self.C + W**3 - W + along**2 / 2 * self.A


class Linear:
    """The loss -Σ w, without a lower bound."""

    def __call__(self, W):
        return -W.sum(axis=(-2, -1))

    def gradient(self, W):
        return -np.ones_like(W)


def squared_distance(target):
    """W ↦ ½‖W - Φ‖_F²."""
    return lambda W: 0.5 * ((W - target) ** 2).sum()


def explicit_product(weights):
    """Entries of W_N ⋯ W_1 by loops over indices."""
    W = weights[0]
    for layer in weights[1:]:
        W = np.array([[sum(a * b for a, b in zip(row, column, strict=True)) for column in W.T] for row in layer])
    return W


def objective(theta, widths, loss):
    """φ as a function of one vector, the layers one after another, rows first."""
    weights, at = [], 0
    for m, n in zip(widths[1:], widths[:-1], strict=True):
        weights.append(theta[at : at + m * n].reshape(m, n))
        at += m * n
    return float(loss(reduce(lambda below, W: W @ below, weights)))


def numerical_gradient(theta, widths, loss, h=1e-5):
    slope = np.empty_like(theta)
    for i in range(theta.size):
        e = np.zeros_like(theta)
        e[i] = h
        slope[i] = (objective(theta + e, widths, loss) - objective(theta - e, widths, loss)) / (2 * h)
    return slope


def numerical_hessian(theta, widths, loss, h=1e-3):
    """Second differences of values of φ alone."""
    n, E = theta.size, h * np.eye(theta.size)
    H = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            values = [s * t * objective(theta + s * E[i] + t * E[j], widths, loss) for s, t in pairs((1, -1), repeat=2)]
            H[i, j] = H[j, i] = sum(values) / (4 * h**2)
    return H


def flat(weights):
    return np.concatenate([W.ravel() for W in weights])


def test_def_lnn_computes_the_product_of_its_layers():
    """`def-lnn`: the network maps x to W_N(⋯(W_1 x)), which is the end-to-end matrix times x."""
    rng = np.random.default_rng(1)
    weights = lnn.initial.gaussian(WIDTHS, 0.7, rng=rng)
    assert np.abs(lnn.end_to_end(weights) - explicit_product(weights)).max() < EXACT
    x = rng.standard_normal(7)
    y = x
    for W in weights:
        y = W @ y
    assert np.abs(lnn.end_to_end(weights) @ x - y).max() < EXACT


@pytest.mark.parametrize("widths", [(7, 6, 8, 5), (7, 2, 8, 5), (4, 9, 3, 6), (5, 7), (3, 1, 4)])
def test_prop_realizable_products_have_exactly_the_ranks_up_to_the_smallest_width(widths):
    """`prop-realizable`: products have rank at most min d_j, and every such matrix is a product."""
    rng = np.random.default_rng(2)
    r, m, n = min(widths), widths[-1], widths[0]
    assert np.linalg.matrix_rank(lnn.end_to_end(lnn.initial.gaussian(widths, 1.0, rng=rng))) == r
    for k in range(1, r + 1):
        C, B = rng.standard_normal((m, k)), rng.standard_normal((k, n))
        layers = [np.zeros((b, a)) for a, b in zip(widths[:-1], widths[1:], strict=True)]  # the proof's factors
        if len(layers) == 1:
            layers[0] = C @ B
        else:
            layers[0][:k], layers[-1][:, :k] = B, C
            for W in layers[1:-1]:
                W[:k, :k] = np.eye(k)
        assert np.abs(lnn.end_to_end(layers) - C @ B).max() < EXACT


def test_def_objective_sees_the_product_alone():
    """`def-objective`: φ(W_1, …, W_N) = ℓ(W_N ⋯ W_1), here for regression against loops over samples."""
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((7, 11)), rng.standard_normal((5, 11))
    weights = lnn.initial.gaussian(WIDTHS, 0.5, rng=rng)
    loss = lnn.LeastSquares(lnn.Samples(X), Y.ravel())
    value = 0.0
    for x, y in zip(X.T, Y.T, strict=True):
        for W in weights:
            x = W @ x
        value += 0.5 * ((x - y) ** 2).sum()
    assert abs(loss(lnn.end_to_end(weights)) - value) < EXACT * value


def test_prop_symmetry_changes_of_basis_leave_the_objective_and_flatten_minima():
    """`prop-symmetry`: A_j W_j A_{j-1}^{-1} has the same product; the Hessian at a minimum kills the tangent space."""
    rng = np.random.default_rng(4)
    W1, W2, W3 = weights = lnn.initial.gaussian(WIDTHS, 0.7, rng=rng)
    A1, A2 = rng.standard_normal((6, 6)) + 3 * np.eye(6), rng.standard_normal((8, 8)) + 3 * np.eye(8)
    moved = (A1 @ W1, A2 @ W2 @ np.linalg.inv(A1), W3 @ np.linalg.inv(A2))
    assert np.abs(lnn.end_to_end(moved) - lnn.end_to_end(weights)).max() < 1e-10

    widths = (2, 2, 2, 2)
    W1, W2, W3 = weights = lnn.initial.orthogonal(widths, rng=rng)
    loss = lnn.LeastSquares(lnn.Everything((2, 2)), lnn.end_to_end(weights).ravel())
    H = numerical_hessian(flat(weights), widths, loss)
    tangents = []
    for i in range(8):
        X1, X2 = np.eye(8)[i].reshape(2, 2, 2)
        tangents.append(flat((X1 @ W1, X2 @ W2 - W2 @ X1, -W3 @ X2)))
    T = np.array(tangents).T
    assert np.linalg.matrix_rank(T) == 8  # (N - 1) d²
    assert np.abs(H @ T).max() < 1e-5
    assert (np.linalg.eigvalsh(H) > 0.1).sum() == 4  # d², and the wrong tangent would not be flat:
    assert np.linalg.norm(H @ flat((W1, W2, W3))) > 1


@pytest.mark.parametrize("zero", [None, 0, 1])
def test_prop_symmetry_every_minimizer_lies_on_an_unbounded_curve_of_minimizers(zero):
    """`prop-symmetry`: also where the product is zero, because W_1 or another layer is."""
    rng = np.random.default_rng(27)
    weights = [W if j != zero else 0 * W for j, W in enumerate(lnn.initial.gaussian((3, 4, 2), 1.0, rng=rng))]
    target, first = explicit_product(weights), weights[0]
    curve = [(weights[0], c * weights[1]) if zero == 0 else (c * first, weights[1] / c) for c in (1.0, 10.0, 1e3)]
    assert np.linalg.norm(flat(curve[-1])) > 50 * np.linalg.norm(flat(weights))
    assert all(np.abs(explicit_product(point) - target).max() < EXACT * 1e3 for point in curve)


@pytest.mark.parametrize("widths", [(7, 5), (7, 6, 5), (7, 6, 8, 5), (4, 5, 3, 6, 2)])
def test_lem_gradient_agrees_with_finite_differences(widths):
    """`lem-gradient`: the gradient in layer j is W_{j+1:N}ᵀ ∇ℓ(W_{1:N}) W_{1:j-1}ᵀ."""
    rng = np.random.default_rng(5)
    loss = Quartic((widths[-1], widths[0]), rng)
    weights = lnn.initial.gaussian(widths, 0.5, rng=rng)
    found = flat(lnn.pullback(weights, loss.gradient(lnn.end_to_end(weights))))
    expected = numerical_gradient(flat(weights), widths, loss)
    assert np.abs(found - expected).max() < 1e-6 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("depth", range(1, 9))
def test_lem_gradient_takes_three_products_a_layer(depth):
    """`lem-gradient`: the end-to-end matrix and all gradients take exactly 3(N - 1) products."""
    count = 0

    class Counted(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            nonlocal count
            count += ufunc is np.matmul
            return getattr(ufunc, method)(*[np.asarray(x) for x in inputs], **options).view(Counted)

    rng = np.random.default_rng(6)
    weights = tuple(W.view(Counted) for W in lnn.initial.gaussian(range(2, depth + 3), 1.0, rng=rng))
    below = lnn.network.prefixes(weights)
    gradients = lnn.network.layer_gradients(weights, below, np.ones(below[-1].shape).view(Counted))
    assert count == 3 * (depth - 1)
    assert [D.shape for D in gradients] == [W.shape for W in weights]
    expected = lnn.pullback([np.asarray(W) for W in weights], np.ones(below[-1].shape))
    assert all(np.allclose(A, B) for A, B in zip(gradients, expected, strict=True))


@pytest.mark.parametrize("widths", [(2, 3, 2), (3, 2, 1, 2)])
def test_lem_gradient_symbolic_derivation_agrees_with_the_formula_and_with_lnn(widths):
    """`lem-gradient`: differentiated entry by entry in SymPy, for the general quadratic loss."""
    entrywise, formula = landscape.gradient(widths)
    assert all((A - B).applyfunc(sp.expand).is_zero_matrix for A, B in zip(entrywise, formula, strict=True))

    rng = np.random.default_rng(7)
    _, layers, loss = landscape.objective(widths)
    weights = lnn.initial.gaussian(widths, 0.8, rng=rng)
    coefficients = {s: rng.standard_normal() for s in [*loss.G, *loss.H.values()]}
    values = coefficients | {s: v for L, W in zip(layers, weights, strict=True) for s, v in zip(L, W.flat, strict=True)}
    size = len(loss.W)
    upper = np.zeros((size, size))
    for place, symbol in loss.H.items():
        upper[place] = coefficients[symbol]
    H = upper + np.triu(upper, 1).T
    W = lnn.end_to_end(weights)
    G = np.array([coefficients[g] for g in loss.G]).reshape(W.shape) + (H @ W.ravel()).reshape(W.shape)
    for A, B in zip(entrywise, lnn.pullback(weights, G), strict=True):
        evaluate = sp.lambdify(list(values), A, "numpy")
        assert np.abs(evaluate(*values.values()) - B).max() < 1e-10


def test_lem_gradient_pairs_every_layer_with_its_gradient_alike():
    """`lem-gradient`: ⟨W_j, ∂φ/∂W_j⟩ is the derivative of c -> ℓ(cW) at c = 1, for every layer."""
    rng = np.random.default_rng(8)
    loss, weights = Quartic((5, 7), rng), lnn.initial.gaussian(WIDTHS, 0.5, rng=rng)
    W = lnn.end_to_end(weights)
    along = (loss((1 + 1e-6) * W) - loss((1 - 1e-6) * W)) / 2e-6
    for A, D in zip(weights, lnn.pullback(weights, loss.gradient(W)), strict=True):
        assert abs((A * D).sum() - along) < 1e-6 * max(1, abs(along))


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("sign", [-1, 1])
def test_prop_nonconvex_a_midpoint_exceeds_both_ends(depth, sign):
    """`prop-nonconvex`: mirror images where ℓ(W) < ℓ(0), networks of product 0 where ℓ(W) > ℓ(0)."""
    rng = np.random.default_rng(9)
    widths = (*(4, 6, 5, 7, 3)[:depth], 3)
    slope = rng.standard_normal((3, 4))

    def loss(W):  # neither continuous nor convex, with an infimum that is not attained
        return np.arctan((slope * W).sum()) + np.sign((slope * W).sum()) / 2

    W = lnn.initial.gaussian(widths, 1.0, rng=rng)
    if np.sign((slope * lnn.end_to_end(W)).sum()) != sign:
        W = (-W[0], *W[1:])
    if sign < 0:
        first, second = W, (-W[0], -W[1], *W[2:])
    else:
        first, second = (2 * W[0], 0 * W[1], *W[2:]), (0 * W[0], 2 * W[1], *W[2:])
    halfway = tuple((A + B) / 2 for A, B in zip(first, second, strict=True))
    ends = [loss(lnn.end_to_end(first)), loss(lnn.end_to_end(second))]
    assert loss(lnn.end_to_end(halfway)) > max(ends) + 1e-3


def test_prop_nonconvex_needs_two_layers_and_a_loss_that_varies():
    """`prop-nonconvex`: at depth 1 the objective is the convex loss; a constant loss gives a constant objective."""
    rng = np.random.default_rng(10)
    loss = lnn.LeastSquares(lnn.Everything((3, 4)), rng.standard_normal(12))
    assert np.linalg.eigvalsh(numerical_hessian(rng.standard_normal(12), (4, 3), loss)).min() > 0.9
    second = numerical_hessian(rng.standard_normal(35), (4, 5, 3), loss)
    origin = numerical_hessian(np.zeros(35), (4, 5, 3), loss)
    assert np.linalg.eigvalsh(origin).min() < -0.1 and not np.allclose(second, origin)
    constant = lambda W: 0.0 * W.sum()  # noqa: E731
    assert np.abs(numerical_hessian(rng.standard_normal(35), (4, 5, 3), constant)).max() == 0


def test_prop_nonconvex_symbolic_midpoints_and_two_parameter_hessian():
    """`prop-nonconvex`: SymPy's midpoints, and its Hessian of ℓ(w_2 w_1) against differences of values."""
    for depth in (2, 3, 5):
        W = sp.MatMul(
            *[sp.MatrixSymbol(f"W{j}", *2 * [sp.Symbol("d", integer=True, positive=True)]) for j in range(depth, 0, -1)]
        )
        mirror, corners = landscape.mirror(depth), landscape.corners(depth)
        assert mirror.first == mirror.second == W == corners.halfway
        assert mirror.halfway.is_ZeroMatrix and corners.first.is_ZeroMatrix and corners.second.is_ZeroMatrix
    w1, w2, d1, d2 = sp.symbols("w1 w2 d1 d2", real=True)
    H = sp.lambdify((w1, w2, d1, d2), landscape.two_parameter_hessian(), "numpy")
    a, b = 0.7, -1.3
    loss = lambda W: np.exp(W).sum()  # noqa: E731
    expected = numerical_hessian(np.array([a, b]), (1, 1, 1), loss)
    assert np.abs(H(a, b, np.exp(a * b), np.exp(a * b)) - expected).max() < 1e-5
    determinant = landscape.two_parameter_hessian().det().subs({d1: w1 * w2 - 1, d2: 1})
    assert sp.expand(determinant + (w1 * w2 - 1) * (3 * w1 * w2 - 1)) == 0


@pytest.mark.parametrize("widths", [(4, 2, 3), (3, 5, 2), (2, 3, 2)])
def test_prop_origin_hessian_has_the_gradients_singular_values_with_both_signs(widths):
    """`prop-origin-hessian`: at N = 2 the eigenvalues are ±s_i, d_1 times each, and zeros."""
    rng = np.random.default_rng(11)
    loss = Quartic((widths[2], widths[0]), rng)
    size = widths[1] * (widths[0] + widths[2])
    found = np.linalg.eigvalsh(numerical_hessian(np.zeros(size), widths, loss))
    values = np.linalg.svd(loss.C, compute_uv=False)  # ∇ℓ(0) = C
    expected = np.zeros(size)
    signed = np.repeat(np.concatenate([values, -values]), widths[1])
    expected[: signed.size] = signed
    assert np.abs(found - np.sort(expected)).max() < 1e-4
    loss.C[:] = 0  # without a gradient at 0 the Hessian vanishes
    assert np.abs(numerical_hessian(np.zeros(size), widths, loss)).max() < 1e-5


def test_prop_origin_hessian_vanishes_from_depth_three_on_at_a_saddle():
    """`prop-origin-hessian`: for N >= 3 the Hessian is 0; φ - φ(0) is ±s t^N along a line: a saddle, as at N = 2."""
    rng = np.random.default_rng(12)
    for widths in [(3, 4, 2), (3, 2, 4, 2), (2, 3, 2, 2, 3)]:
        depth, loss = len(widths) - 1, Quartic((widths[-1], widths[0]), rng)
        size = sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))
        flatness = np.abs(numerical_hessian(np.zeros(size), widths, loss)).max()
        assert flatness < 1e-2 if depth > 2 else flatness > 0.1  # second differences: O(h^{N-2})
        U, values, Vt = np.linalg.svd(loss.C)
        start = [np.zeros((m, n)) for m, n in zip(widths[1:], widths[:-1], strict=True)]
        for W in start:
            W[0, 0] = 1
        start[0][0], start[-1][:, 0] = Vt[0], U[:, 0]
        for sign in (1, -1):
            line = [sign * start[0], *start[1:]]
            ts = np.array([0.02, 0.01])
            rises = np.array([objective(t * flat(line), widths, loss) for t in ts])
            assert np.allclose(rises / ts**depth, sign * values[0], rtol=0.02)


@pytest.mark.parametrize("widths", [(3, 4, 2), (3, 2, 4, 2)])
def test_prop_origin_hessian_without_a_slope_the_origin_is_minimal_for_convex_losses_alone(widths):
    """`prop-origin-hessian`: with ∇ℓ(0) = 0 the origin is a global minimum if ℓ is convex; -‖W‖² shows the "if"."""
    rng = np.random.default_rng(23)
    goal = rng.standard_normal((2, 6))
    X = rng.standard_normal((3, 6))
    X -= X @ goal.T @ np.linalg.inv(goal @ goal.T) @ goal
    loss = lnn.LeastSquares(lnn.Samples(X), goal.ravel())  # the inputs do not correlate with the goal: ∇ℓ(0) = 0
    assert np.abs(loss.gradient(np.zeros((2, 3)))).max() < EXACT
    bottom = objective(np.zeros(sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))), widths, loss)
    for scale in (0.1, 1.0, 3.0):
        network = lnn.initial.gaussian(widths, scale, rng=rng)
        assert objective(flat(network), widths, loss) > bottom
        assert objective(flat(network), widths, lambda W: -(W**2).sum()) < 0


@pytest.mark.parametrize("widths", [(3, 2, 2), (2, 1, 2), (2, 2, 1, 2)])
def test_prop_origin_hessian_symbolic_derivation_agrees_with_differences(widths):
    """`prop-origin-hessian`: SymPy's Hessian holds the gradient alone, and is what differences give."""
    rng = np.random.default_rng(13)
    H, G = landscape.origin_hessian(widths)
    assert H.free_symbols <= G.free_symbols
    loss = Quartic((widths[-1], widths[0]), rng)
    values = dict(zip(G, loss.C.flat, strict=True))
    found = np.array(H.subs(values), dtype=float)
    assert np.abs(found - numerical_hessian(np.zeros(len(found)), widths, loss)).max() < 1e-2
    if len(widths) > 3:
        assert H.is_zero_matrix
    else:
        assert np.isclose(np.linalg.eigvalsh(found)[0], -np.linalg.norm(loss.C, 2))


@pytest.mark.parametrize("widths", [(4, 5, 3), (4, 5, 6, 3), (4, 5, 6, 5, 3)])
def test_prop_escape_time_bounds_the_time_to_leave_the_origin(widths):
    """`prop-escape-time`: the bound holds along an independent integration, and is tight for equal scalar layers."""
    rng = np.random.default_rng(14)
    depth, goal = len(widths) - 1, rng.standard_normal((3, 4))
    loss = lnn.LeastSquares(lnn.Everything((3, 4)), goal.ravel())
    weights = lnn.initial.gaussian(widths, 0.1, rng=rng)

    def bound(low, high, M):
        c = 1 - depth / 2
        return np.log(high / low) / (2 * M) if c == 0 else (low**c - high**c) / (-2 * c * M)

    path = lnn.gradient_flow(weights, loss, np.linspace(0, 10, 300))
    rho = sum((W**2).sum(axis=(1, 2)) for W in path.weights) / depth
    slopes = np.linalg.norm(loss.gradient(path.end_to_end), axis=(1, 2))
    for k in np.flatnonzero(rho > 1.01 * rho[0]):
        assert path.times[k] >= bound(rho[0], rho[k], slopes[: k + 1].max() * (1 + 1e-9))

    # ẇ = w^{N-1} for the loss -w and N equal layers: here the bound is an equality.
    run = solve_ivp(lambda t, w: w ** (depth - 1), (0, 1), [0.5], rtol=1e-10, atol=1e-12)
    assert abs(bound(0.25, run.y[0, -1] ** 2, 1.0) - 1) < FLOW


def test_def_strict_saddle_origin_is_strict_at_depth_two_alone():
    """`def-strict-saddle`: descent leaves a strict saddle at a geometric rate, a non-strict one does not let go so."""
    loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
    shares = []
    for depth in (2, 3):
        w = lnn.gradient_descent([np.array([[1e-4]])] * depth, loss, 0.1, 50)
        shares.append(w.weights[0][-1, 0, 0] / 1e-4)
    assert shares[0] == pytest.approx(1.1**50, rel=1e-3)
    assert shares[1] == pytest.approx(1, rel=1e-2)


@pytest.mark.parametrize("widths", [(4, 5, 3), (3, 3, 4), (4, 3, 3)])
def test_prop_two_layers_every_stationary_point_with_a_slope_has_negative_curvature(widths):
    """`prop-two-layers`: at depth 2 with d_1 >= min(d_0, d_2), for subsets of singular values, any factorization."""
    rng = np.random.default_rng(15)
    d0, d1, d2 = widths
    goal = rng.standard_normal((d2, d0))
    loss = lnn.LeastSquares(lnn.Everything((d2, d0)), goal.ravel())
    U, values, Vt = np.linalg.svd(goal, full_matrices=False)
    for keep in pairs((0, 1), repeat=len(values)):
        if all(keep):
            continue
        A = rng.standard_normal((d1, d1)) + 3 * np.eye(d1)
        W1, W2 = lnn.initial.balanced((U * (keep * values)) @ Vt, widths)
        weights = (A @ W1, W2 @ np.linalg.inv(A))
        slope = numerical_gradient(flat(weights), widths, loss)
        assert np.abs(slope).max() < 1e-6
        assert np.linalg.eigvalsh(numerical_hessian(flat(weights), widths, loss))[0] < -1e-2


def keeping(kept, values, widths, rng):
    """A balanced network that keeps the modes `kept` of a random matrix with these singular values, and that matrix."""
    frames = [np.linalg.qr(rng.standard_normal((d, d)))[0] for d in widths]
    target = (frames[-1][:, : len(values)] * values) @ frames[0][:, : len(values)].T
    frames = [Q[:, list(kept)] if j in (0, len(widths) - 1) else Q[:, : len(kept)] for j, Q in enumerate(frames)]
    roots = values[list(kept)] ** (1 / (len(widths) - 1))
    return [(above * roots) @ below.T for below, above in pairwise(frames)], target


def ladder(kept, values, widths):
    """The eigenvalues that the proposition lists, in order."""
    depth, found = len(widths) - 1, []
    dropped = [m for m in range(len(values)) if m not in kept]
    for k in kept:
        found += [values[k] ** (1 - 2 / depth) * (values[k] + s * values[m]) for m in dropped for s in (1, -1)]
        found += [values[k] ** (2 - 2 / depth)] * abs(widths[0] - widths[-1])
        powers = [(2 * (depth - j) / depth, 2 * (j - 1) / depth) for j in range(1, depth + 1)]
        found += [sum(values[k] ** a * values[n] ** b for a, b in powers) for n in kept]
    if depth == 2:
        found += [s * values[m] for m in dropped for s in (1, -1)] * (widths[1] - len(kept))
    size = sum(a * b for a, b in pairwise(widths))
    return np.sort([*found, *[0.0] * (size - len(found))])


SUBSETS = [S for s in range(4) for S in combinations(range(3), s)]


@pytest.mark.parametrize("kept", SUBSETS, ids=str)
@pytest.mark.parametrize("widths", [(3, 4, 5), (4, 3, 3, 3), (3, 4, 3, 4), (3, 3, 4, 3, 3)], ids=str)
def test_prop_strict_saddles_spectrum_at_every_set_of_kept_modes(widths, kept):
    """`prop-strict-saddles`: all eigenvalues, against second differences of φ; the least one, and its sign."""
    rng, values = np.random.default_rng(21), np.array([1.1, 1.6, 0.7])
    weights, target = keeping(kept, values, widths, rng)
    loss = squared_distance(target)
    assert np.abs(numerical_gradient(flat(weights), widths, loss)).max() < 1e-6
    found, expected = np.linalg.eigvalsh(numerical_hessian(flat(weights), widths, loss)), ladder(kept, values, widths)
    assert np.abs(found - expected).max() < 1e-4
    if len(widths) > 3:
        pairs_of = [(values[k], values[m]) for k in kept for m in range(3) if m not in kept]
        least = min([0.0, *(k ** (1 - 2 / (len(widths) - 1)) * (k - m) for k, m in pairs_of)])
        assert abs(found[0] - least) < 1e-4
        assert (found[0] < -0.1) == any(m > k for k, m in pairs_of)
    else:
        assert (found[0] < -0.1) == (len(kept) < 3)


@pytest.mark.parametrize(
    ("values", "kept"), [((2.0, 2.0, 1.0), (0, 2)), ((2.0, 2.0, 1.0), (1,)), ((1.0, 2.0, 0.0), (0,))]
)
def test_prop_strict_saddles_with_repeated_and_vanishing_singular_values(values, kept):
    """`prop-strict-saddles`: a tie gives the eigenvalue 0, a zero of Φ counts as dropped."""
    widths, rng = (4, 3, 3, 3), np.random.default_rng(22)
    weights, target = keeping(kept, np.array(values), widths, rng)
    H = numerical_hessian(flat(weights), widths, squared_distance(target))
    assert np.abs(np.linalg.eigvalsh(H) - ladder(kept, np.array(values), widths)).max() < 1e-4


@pytest.mark.parametrize(
    ("widths", "kept"), [((4, 2, 3), (0, 2)), ((4, 3, 2, 3), (0, 1)), ((3, 2, 4, 3), (1, 2))], ids=str
)
def test_prop_strict_saddles_counts_negative_eigenvalues_without_balance_and_at_any_width(widths, kept):
    """`prop-strict-saddles`: layers of the rank of the product, a hidden layer as narrow as that included."""
    rng, values = np.random.default_rng(23), np.array([1.5, 1.0, 0.6])
    weights, target = keeping(kept, values, widths, rng)
    bases = [
        np.eye(d) if j in (0, len(widths) - 1) else rng.uniform(-1, 1, (d, d)) + 2 * np.eye(d)
        for j, d in enumerate(widths)
    ]
    moved = [bases[j + 1] @ W @ np.linalg.inv(bases[j]) for j, W in enumerate(weights)]
    assert lnn.imbalance(moved) > 0.1
    loss = squared_distance(target)
    assert np.abs(numerical_gradient(flat(moved), widths, loss)).max() < 1e-6
    found = np.linalg.eigvalsh(numerical_hessian(flat(moved), widths, loss))
    assert (found < -1e-3).sum() == (ladder(kept, values, widths) < 0).sum()
    if kept == (0, 1):  # the best approximation of rank 2 is a global minimum where a layer has width 2: not strict
        assert found[0] > -1e-4


def test_prop_strict_saddles_is_a_saddle_where_the_layers_are_wider_than_the_rank():
    """`prop-strict-saddles`: along one curve φ falls, along another it rises, to order t^N, eigenvalue or not."""
    widths, values, rng = (3, 3, 3, 3), np.array([1.5, 1.0, 0.6]), np.random.default_rng(24)
    for kept in [(), (0,), (0, 1)]:
        weights, target = keeping(kept, values, widths, rng)
        U, _, Vt = np.linalg.svd(target)
        free = [np.linalg.svd(W)[0][:, -1] for W in weights[:-1]]  # orthogonal to the range of W_j
        chain = [Vt[len(kept)], *free, U[:, len(kept)]]
        bumps = [np.outer(above, below) for below, above in pairwise(chain)]
        loss, shifts = squared_distance(target), (-0.1, 0, 0.1)
        line = [[W + t * B for W, B in zip(weights, bumps, strict=True)] for t in shifts]
        phi = [loss(explicit_product(point)) for point in line]
        assert phi[2] - phi[1] == pytest.approx(0.5e-6 - 1e-3 * values[len(kept)], rel=1e-6)
        assert phi[0] - phi[1] == pytest.approx(0.5e-6 + 1e-3 * values[len(kept)], rel=1e-6)


def test_prop_strict_saddles_needs_layers_of_the_rank_of_the_product():
    """`prop-strict-saddles`: with W_1 = W_3 = 0 and W_2 ≠ 0 nothing is kept, and yet the saddle is strict."""
    rng, widths = np.random.default_rng(25), (3, 2, 4, 3)
    target, middle = rng.standard_normal((3, 3)), rng.standard_normal((4, 2))
    H = numerical_hessian(
        flat([np.zeros((2, 3)), middle, np.zeros((3, 4))]), widths, lambda W: 0.5 * ((W - target) ** 2).sum()
    )
    assert np.linalg.eigvalsh(H)[0] == pytest.approx(-np.linalg.norm(target, 2) * np.linalg.norm(middle, 2), rel=1e-3)


SYMBOLIC = [((2, 1, 2), 1), ((3, 2, 2), 1), ((2, 2, 2, 3), 1), ((3, 2, 2, 3), 2), ((2, 2, 1, 2, 2), 1)]


@pytest.mark.parametrize(("widths", "kept"), SYMBOLIC)
def test_prop_strict_saddles_symbolic_spectrum_is_the_listed_one(widths, kept):
    """`prop-strict-saddles`: what SymPy finds entry by entry, with multiplicities, evaluated at numbers."""
    depth, values = len(widths) - 1, np.array([1.3, 0.9, 1.7])[: min(widths[0], widths[-1])]
    at = {f"s_{k + 1}": values[k] ** (1 / depth) for k in range(kept)}
    at |= {f"p_{m + 1}": value for m, value in enumerate(values[kept:])}
    spectrum = landscape.saddle_spectrum(widths, kept)
    found = [
        float(v.subs({s: at[s.name] for s in v.free_symbols})) for v, times in spectrum.items() for _ in range(times)
    ]
    assert np.allclose(np.sort(found), ladder(tuple(range(kept)), values, widths), rtol=0, atol=EXACT)
    assert {0, depth * sp.Symbol("s_1", positive=True) ** (2 * depth - 2)} <= set(spectrum)


@pytest.mark.parametrize("kept", [(0,), (1,)])
def test_prop_two_layers_needs_a_hidden_layer_that_is_wide_enough(kept):
    """`prop-two-layers`: at d_1 < min(d_0, d_2) the best approximation of rank d_1 has a slope and no way down."""
    weights, target = keeping(kept, np.array([2.0, 1.0]), (2, 1, 2), np.random.default_rng(26))
    loss = squared_distance(target)
    assert np.abs(numerical_gradient(flat(weights), (2, 1, 2), loss)).max() < 1e-6
    assert np.linalg.norm(explicit_product(weights) - target) > 0.5
    least = np.linalg.eigvalsh(numerical_hessian(flat(weights), (2, 1, 2), loss))[0]
    assert least > -1e-4 if kept == (0,) else least < -0.5


def test_thm_landscape_random_starts_leave_the_strict_saddle_and_depth_three_has_others():
    """`thm-landscape`: at depth 2 descent ends at global minima; at depth 3 some saddles lack negative curvature."""
    rng = np.random.default_rng(16)
    goal = np.diag([2.0, 1.0]) @ np.eye(2, 3)
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), goal.ravel())
    for _ in range(10):
        run = lnn.gradient_descent(lnn.initial.gaussian((3, 4, 2), 0.5, rng=rng), loss, 0.05, 3000, every=3000)
        assert run.losses[-1] < 1e-8
    # Exactly on the stable surface, w_2 = -w_1 in the plane, descent ends at the saddle, if rounding lets it.
    one = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
    end = lnn.gradient_descent(np.reshape([1.3, -1.3], (2, 1, 1)), one, 0.05, 300, every=300)
    assert end.losses[-1] == pytest.approx(0.5)
    # The ladder at depth 3: φ_k^{1/3}(φ_k - φ_m) where a kept value is below a dropped one, 0 in the natural order.
    for keep, expected in (((1, 0), 0.0), ((0, 1), 1.0 * (1 - 2)), ((0, 0), 0.0)):
        w = lnn.initial.balanced(np.diag(keep) @ goal, (3, 2, 3, 2))
        assert np.abs(numerical_gradient(flat(w), (3, 2, 3, 2), loss)).max() < 1e-8
        assert abs(np.linalg.eigvalsh(numerical_hessian(flat(w), (3, 2, 3, 2), loss))[0] - expected) < 5e-3


def test_def_gf_solves_the_layer_equations_and_loses_its_squared_slope():
    """`def-gf`: against LSODA on the differences of φ itself; dφ/dt = -‖∇φ‖²."""
    rng = np.random.default_rng(17)
    widths = (3, 2, 4, 2)
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), rng.standard_normal(6))
    weights = lnn.initial.gaussian(widths, 0.5, rng=rng)
    times = np.linspace(0, 1.5, 7)
    path = lnn.gradient_flow(weights, loss, times)
    other = solve_ivp(
        lambda t, y: -numerical_gradient(y, widths, loss),
        (0, 1.5),
        flat(weights),
        "LSODA",
        times,
        rtol=1e-9,
        atol=1e-10,
    )
    ours = np.concatenate([W.reshape(len(times), -1) for W in path.weights], axis=1)
    assert np.abs(ours - other.y.T).max() < FLOW
    fine = lnn.gradient_flow(weights, loss, [0.5 - 1e-4, 0.5, 0.5 + 1e-4])
    at = flat(fine[1])
    fall = (fine.losses[2] - fine.losses[0]) / 2e-4
    assert fall == pytest.approx(-(numerical_gradient(at, widths, loss) ** 2).sum(), rel=1e-5)


def test_prop_flow_exists_stays_within_reach_and_blows_up_without_a_lower_bound():
    """`prop-flow-exists`: ‖θ(t) - θ(0)‖² <= t(φ(θ(0)) - inf φ); without inf, depth 3 blows up at 1/w_0."""
    rng = np.random.default_rng(18)
    loss = lnn.LeastSquares(lnn.Everything((5, 7)), rng.standard_normal(35))
    path = lnn.gradient_flow(lnn.initial.gaussian(WIDTHS, 0.4, rng=rng), loss, np.linspace(0, 5, 101))
    moved = np.linalg.norm(lnn.pack(path.weights) - lnn.pack(path[0]), axis=1)
    assert path.outcome is lnn.Outcome.FINISHED
    assert (moved[1:] <= np.sqrt(path.times[1:] * path.losses[0])).all()
    assert (moved[1:] / np.sqrt(path.times[1:] * path.losses[0])).max() > 0.5  # a bound that is of the right size

    class Ramp:  # nearly max(1 - w, 0): at constant speed the bound is attained
        def __call__(self, W):
            return np.logaddexp(0, 40 * (1 - W)).sum(axis=(-2, -1)) / 40

        def gradient(self, W):
            return -1 / (1 + np.exp(40 * (W - 1)))

    ramp = lnn.gradient_flow([[[0.0]]], Ramp(), [0.0, 0.95])
    assert 0.97 < ramp.weights[0][-1, 0, 0] / np.sqrt(0.95 * ramp.losses[0]) <= 1

    two = lnn.gradient_flow([[[0.5]]] * 2, Linear(), np.linspace(0, 3, 31))
    assert two.weights[0][-1, 0, 0] == pytest.approx(0.5 * np.exp(3), rel=FLOW)
    three = lnn.gradient_flow([[[0.5]]] * 3, Linear(), np.linspace(0, 3, 301))
    assert three.outcome is lnn.Outcome.DIVERGED
    assert three.times[-1] == pytest.approx(2, abs=0.02)


def test_def_gd_moves_all_layers_at_once_by_the_old_gradient():
    """`def-gd`: steps with gradients from differences, all taken at the old network."""
    rng = np.random.default_rng(19)
    widths = (3, 2, 4, 2)
    loss = lnn.LeastSquares(lnn.Everything((2, 3)), rng.standard_normal(6))
    weights = lnn.initial.gaussian(widths, 0.7, rng=rng)
    theta = flat(weights)
    for _ in range(5):
        theta = theta - 0.1 * numerical_gradient(theta, widths, loss)
    run = lnn.gradient_descent(weights, loss, 0.1, 5)
    assert np.abs(flat(run[-1]) - theta).max() < 1e-8
    assert run.times[-1] == pytest.approx(0.5)


def test_thm_euler_distance_to_the_flow_is_of_first_order_and_under_the_bound():
    """`thm-euler`: over a fixed time the distance is O(η), and at most (M/2)(e^{Lt} - 1)η."""
    rng = np.random.default_rng(20)
    X, Y = rng.standard_normal((4, 10)) / 3, rng.standard_normal((2, 10))
    loss = lnn.LeastSquares(lnn.Samples(X), Y.ravel())
    weights = lnn.initial.gaussian((4, 3, 5, 2), 0.6, rng=rng)
    end = lnn.pack(lnn.gradient_flow(weights, loss, [0, 1], rtol=1e-11)[-1])
    steps = 50 * 2 ** np.arange(5)
    errors = [np.linalg.norm(lnn.pack(lnn.gradient_descent(weights, loss, 1 / k, k)[-1]) - end) for k in steps]
    assert abs(np.polyfit(np.log(1 / steps), np.log(errors), 1)[0] - 1) < SLOPE

    # In the plane, φ = ½(w_2 w_1 - 1)²: on the ball of radius 2 around 0, |Hessian| <= |p - 1| + |p| + ‖w‖² <= 9.
    one = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
    start = np.reshape([0.9, 0.5], (2, 1, 1))
    flow = lnn.gradient_flow(start, one, np.linspace(0, 0.5, 501))
    points = lnn.pack(flow.weights)
    M = max(np.linalg.norm(numerical_gradient(w, (1, 1, 1), one)) for w in points[::50])
    L, r = 9.0, 2 - np.linalg.norm(points, axis=1).max()
    for k in (125, 250, 500):
        eta = 0.5 / k
        assert eta * M * (np.exp(L * 0.5) - 1) <= 2 * r
        run = lnn.gradient_descent(start, one, eta, k)
        at = lnn.pack(lnn.gradient_flow(start, one, run.times).weights)
        gap = np.linalg.norm(lnn.pack(run.weights) - at, axis=1)
        assert (gap <= M / 2 * (np.exp(L * run.times) - 1) * eta + 1e-9).all()

    # With ℓ(w) = -w and two equal scalars the Hessian has norm L = 1, and the bound is nearly attained for short times.
    eta, steps = 1e-4, 1000
    reached = np.sqrt(2) * (1 + eta) ** steps
    M, T = np.sqrt(2) * np.exp(eta * steps), eta * steps
    assert 0.9 < (np.sqrt(2) * np.exp(T) - reached) / (M / 2 * (np.exp(T) - 1) * eta) <= 1
    run = lnn.gradient_descent(np.ones((2, 1, 1)), Linear(), eta, steps)
    assert np.linalg.norm(lnn.pack(run[-1])) == pytest.approx(reached, rel=1e-9)
