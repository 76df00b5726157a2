"""The statements of the chapter `end_to_end_dynamics`, each against an independent computation."""

import itertools

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad, solve_ivp
from scipy.linalg import fractional_matrix_power
from tolerances import EXACT, FLOW, SLOPE

import lnn
from lnn.symbolic import dynamics

WIDTHS = (7, 6, 8, 5)  # depth 3, wide
SHAPES = ((5, 7), (7, 5), (4, 4), (1, 6), (6, 1))


def rule_by_powers(W, G, depth):
    """The end-to-end rule term by term, with fractional powers from eigenvalues."""
    total = np.zeros_like(W)
    for j in range(1, depth + 1):
        left = power(W @ W.T, (depth - j) / depth)
        right = power(W.T @ W, (j - 1) / depth)
        total += left @ G @ right
    return total


def power(A, p):
    if p == 0:
        return np.eye(len(A))
    values, vectors = np.linalg.eigh(A)
    return (vectors * np.where(values > 1e-13, values, 0) ** p) @ vectors.T


def balanced_net(rng, widths, size=0.6):
    """A balanced network built by hand: rotated common singular values, in layers of any widths."""
    m, n, rank = widths[-1], widths[0], min(widths[0], widths[-1])
    values = size * np.exp(0.4 * rng.standard_normal(rank))
    bases = [np.linalg.qr(rng.standard_normal((d, d)))[0][:, :rank] for d in widths]
    net = tuple((bases[j] * values) @ bases[j - 1].T for j in range(1, len(widths)))
    assert net[-1].shape[0] == m and net[0].shape[1] == n
    return net


def quartic(rng, shape):
    return lnn.PowerLoss(lnn.Everything(shape), rng.standard_normal(shape[0] * shape[1]), 4)


def numerical_jacobian(field, x, h=1e-5):
    columns = [(field(x + h * e) - field(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    return np.stack(columns, axis=-1)


def single_field(w, g, depth):
    """The one-output field written out, for points w of shape (n,)."""
    r = np.linalg.norm(w)
    return r ** (2 - 2 / depth) * (g + (depth - 1) * w * (w @ g) / r**2)


def slope(x, y):
    return np.polyfit(np.log(x), np.log(y), 1)[0]


@pytest.mark.parametrize("widths", [WIDTHS, WIDTHS[::-1], (4, 5, 6), (3, 9, 5, 6, 4), (6, 3)])
def test_thm_end_to_end_velocity_of_the_product_follows_the_rule(widths):
    """thm-end-to-end: a tiny move along the layers' negative gradients moves the product as the rule says."""
    rng = np.random.default_rng(1)
    net, depth = balanced_net(rng, widths), len(widths) - 1
    W = np.linalg.multi_dot([*net[::-1], np.eye(widths[0])])
    G = rng.standard_normal(W.shape)

    def moved(t):  # lem-gradient, written out in loops
        layers = []
        for j in range(depth):
            above, below = np.eye(net[j].shape[0]), np.eye(widths[0])
            for V in net[j + 1 :]:
                above = V @ above
            for V in net[:j]:
                below = V @ below
            layers.append(net[j] - t * above.T @ G @ below.T)
        product = np.eye(widths[0])
        for V in layers:
            product = V @ product
        return product

    h = 1e-5
    velocity = (moved(h) - moved(-h)) / (2 * h)
    assert abs(velocity + rule_by_powers(W, G, depth)).max() < 1e-8
    assert abs(velocity + lnn.precondition(W, G, depth)).max() < 1e-8


def test_thm_end_to_end_gap_falls_with_the_tolerance():
    """thm-end-to-end, prop-widths: layers of any hidden widths and the matrix follow one path."""
    rng = np.random.default_rng(2)
    loss, W0, times = quartic(rng, (4, 5)), 0.5 * rng.standard_normal((4, 5)), np.linspace(0, 1, 6)
    gaps = []
    for rtol in (1e-5, 1e-9):
        tolerances = {"rtol": rtol, "atol": rtol / 1e3}
        rule = lnn.end_to_end_flow(W0, loss, 3, times, **tolerances).end_to_end
        for hidden in ((4, 4), (7, 6), (9, 12)):
            net = lnn.initial.balanced(W0, (5, *hidden, 4))
            path = lnn.gradient_flow(net, loss, times, **tolerances).end_to_end
            gaps.append(abs(path - rule).max())
    assert max(gaps[3:]) < FLOW
    assert max(gaps[3:]) < 1e-2 * min(gaps[:3])


def test_thm_end_to_end_needs_balance():
    """thm-end-to-end: from layers scaled against each other the product takes another path."""
    rng = np.random.default_rng(3)
    loss, W0 = quartic(rng, (4, 5)), 0.5 * rng.standard_normal((4, 5))
    net = lnn.initial.balanced(W0, (5, 6, 4))
    uneven = (2 * net[0], net[1] / 2)
    rule = lnn.end_to_end_flow(W0, loss, 2, [0, 0.5]).end_to_end[-1]
    path = lnn.gradient_flow(uneven, loss, [0, 0.5]).end_to_end[-1]
    assert np.linalg.norm(path - rule) > 1e-2


@pytest.mark.parametrize("hidden, other", [((4, 4), (6, 9)), ((8,), (4,)), ((1, 2, 3), (5, 4, 6))])
def test_prop_widths_holds_at_deficient_rank(hidden, other):
    """prop-widths: from rank 1, where the field is not Lipschitz, unrelated balanced networks give one path."""
    rng = np.random.default_rng(4)
    loss, times, paths = quartic(rng, (4, 5)), np.linspace(0, 1, 5), []
    ends = [rng.standard_normal(d) for d in (5, 4)]
    for inner in (hidden, other):  # layers 0.8 x_j x_{j-1}^T with unit vectors x_j, drawn anew but for the two ends
        x = [ends[0], *(rng.standard_normal(d) for d in inner), ends[1]]
        x = [v / np.linalg.norm(v) for v in x]
        net = [0.8 * np.outer(x[j], x[j - 1]) for j in range(1, len(x))]
        assert lnn.imbalance(net) < EXACT
        paths.append(lnn.gradient_flow(net, loss, times).end_to_end)
    assert np.linalg.norm(paths[0][-1] - paths[0][0]) > 0.1
    assert abs(paths[0] - paths[1]).max() < FLOW


def test_prop_widths_needs_balance():
    """prop-widths: scaled against each other, layers with the same product take another path."""
    rng = np.random.default_rng(27)
    loss, W0 = quartic(rng, (4, 5)), 0.5 * rng.standard_normal((4, 5))
    first, second = lnn.initial.balanced(W0, (5, 6, 4))
    ends = [lnn.gradient_flow(net, loss, [0, 0.5]).end_to_end[-1] for net in ((first, second), (2 * first, second / 2))]
    assert np.linalg.norm(ends[0] - ends[1]) > 1e-2


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_thm_end_to_end_symbolically(depth):
    """thm-end-to-end: the SymPy witness is zero, and its numbers agree with `lnn.precondition`."""
    assert dynamics.end_to_end_defect(depth) == sp.zeros(2, 3)
    W, G, by_layers, by_rule = dynamics.end_to_end_sides(depth)
    names = sorted(W.free_symbols | G.free_symbols, key=str)
    numbers = dict(zip(names, np.random.default_rng(26).uniform(0.5, 1.5, len(names)), strict=True))
    W, G, by_layers, by_rule = (np.array(M.subs(numbers), dtype=float) for M in (W, G, by_layers, by_rule))
    assert abs(by_layers + lnn.precondition(W, G, depth)).max() < EXACT * 100
    assert abs(by_rule - by_layers).max() < EXACT * 100


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_prop_preconditioner_against_loops_and_kronecker(shape, depth):
    """prop-preconditioner: one SVD, the explicit matrix, and powers of W W^T from eigenvalues agree."""
    rng = np.random.default_rng(5)
    W, G = rng.standard_normal(shape), rng.standard_normal(shape)
    by_svd = lnn.precondition(W, G, depth)
    scale = abs(by_svd).max()
    assert abs(by_svd - rule_by_powers(W, G, depth)).max() < 1e-4 * scale  # eigenvalues of W W^T lose digits
    P = lnn.preconditioner.matrix(W, depth)
    flat = P @ G.ravel(order="F")
    assert abs(flat - by_svd.ravel(order="F")).max() < EXACT * max(1, scale) * 10
    assert abs(P - P.T).max() < EXACT * max(1, scale) * 10


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_prop_preconditioner_spectrum_and_eigenvectors(shape, depth):
    """prop-preconditioner: eigenvectors u_r v_q^T, eigenvalues by the formula, in full orthonormal bases."""
    rng = np.random.default_rng(6)
    m, n = shape
    U, _ = np.linalg.qr(rng.standard_normal((m, m)))
    V, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = np.sort(rng.uniform(0.3, 2, min(m, n)))[::-1]
    W = (U[:, : len(values)] * values) @ V[:, : len(values)].T
    P, padded = lnn.preconditioner.matrix(W, depth), np.zeros(max(m, n))
    padded[: len(values)] = values
    s_, u_, formula = dynamics.gain(depth)
    gain = sp.lambdify((s_, u_), formula)
    found = []
    for r, q in itertools.product(range(m), range(n)):
        expected = sum(
            (1.0 if j == depth else padded[r] ** (2 * (depth - j) / depth))
            * (1.0 if j == 1 else padded[q] ** (2 * (j - 1) / depth))
            for j in range(1, depth + 1)
        )
        x = np.kron(V[:, q], U[:, r])
        assert abs(P @ x - expected * x).max() < 1e-11
        if padded[r] and padded[q]:
            assert abs(gain(padded[r], padded[q]) - expected) < EXACT
        found.append(expected)
    assert np.allclose(np.sort(found), np.linalg.eigvalsh(P), atol=1e-11)
    assert np.allclose(lnn.preconditioner.gains(padded, depth)[:m, :n].ravel(), found, atol=EXACT)
    assert max(found) <= depth * values[0] ** (2 - 2 / depth) * (1 + EXACT)
    low = (depth if m == n else 1) * values[-1] ** (2 - 2 / depth)
    assert min(found) >= low * (1 - EXACT)
    assert min(found) <= low * (1 + 1e-9)  # the bound is attained


@pytest.mark.parametrize("shape", SHAPES)
def test_prop_preconditioner_definite_iff_full_rank(shape):
    """prop-preconditioner: the kernel is spanned by the pairs of vanishing singular values, so full rank decides."""
    rng = np.random.default_rng(7)
    m, n = shape
    for depth, rank in itertools.product((2, 3), range(min(m, n) + 1)):
        W = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
        U, values, Vt = np.linalg.svd(W, full_matrices=False)
        values[rank:] = 0
        values[:rank] = np.linspace(2, 1, rank)
        spectrum = np.linalg.eigvalsh(lnn.preconditioner.matrix((U * values) @ Vt, depth))
        assert spectrum[0] > -1e-12
        # Exact zeros come back from the SVD as 1e-16, whose power 2/N is at most 1e-10.
        assert (spectrum < 1e-8).sum() == (m - rank) * (n - rank)


def test_prop_preconditioner_kernel_is_two_sided():
    """prop-preconditioner: P_W G = 0 iff W^T G = 0 and G W^T = 0."""
    rng = np.random.default_rng(8)
    U, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    V, _ = np.linalg.qr(rng.standard_normal((7, 7)))
    W = (U[:, :2] * [2, 1]) @ V[:, :2].T
    free = U[:, 2:] @ rng.standard_normal((3, 5)) @ V[:, 2:].T
    assert abs(lnn.precondition(W, free, 3)).max() < 1e-8
    left_only = U[:, 2:] @ rng.standard_normal((3, 2)) @ V[:, :2].T  # W^T G = 0, G W^T ≠ 0
    assert abs(W.T @ left_only).max() < EXACT
    assert np.linalg.norm(lnn.precondition(W, left_only, 3)) > 0.1


def test_prop_preconditioner_kronecker_identity_symbolically():
    """prop-preconditioner: vec(AXB) = (B^T ⊗ A) vec X, in symbols and in NumPy's own vec."""
    assert dynamics.kronecker_defect() == sp.zeros(6, 1)
    rng = np.random.default_rng(9)
    A, X, B = (rng.standard_normal(s) for s in ((3, 4), (4, 5), (5, 2)))
    assert abs((A @ X @ B).ravel(order="F") - np.kron(B.T, A) @ X.ravel(order="F")).max() < EXACT


def test_prop_preconditioner_loss_falls_between_its_bounds():
    """prop-preconditioner: along the end-to-end flow the loss never rises, and falls at a rate within the gains."""
    rng = np.random.default_rng(10)
    loss = quartic(rng, (4, 5))
    times = np.linspace(0, 1, 2001)
    path = lnn.end_to_end_flow(0.7 * rng.standard_normal((4, 5)), loss, 3, times)
    assert (np.diff(path.losses) < 0).all()
    rate = -np.gradient(path.losses, times)[1:-1]
    square = np.linalg.norm(loss.gradient(path.end_to_end), axis=(1, 2))[1:-1] ** 2
    values = path.singular_values[1:-1]
    assert (rate >= values[:, -1] ** (4 / 3) * square * (1 - 1e-3)).all()
    assert (rate <= 3 * values[:, 0] ** (4 / 3) * square * (1 + 1e-3)).all()


@pytest.mark.parametrize("widths, share", [((5, 6, 4), 1), ((4, 6, 7, 5), 1), ((4, 5, 6, 4), 3)])
def test_prop_preconditioner_bounds_are_attained(widths, share):
    """prop-preconditioner: the loss falls at the rate of each bound along the extreme directions, else between."""
    rng, depth, (n, *_, m) = np.random.default_rng(36), len(widths) - 1, widths
    net = balanced_net(rng, widths, 0.7)
    W = np.linalg.multi_dot(net[::-1])
    U, values, Vt = np.linalg.svd(W)
    low, high = share * values[-1] ** (2 - 2 / depth), depth * values[0] ** (2 - 2 / depth)
    rates, t = [], 1e-5
    for G in (np.outer(U[:, -1], Vt[-1]), np.outer(U[:, 0], Vt[0]), *rng.standard_normal((20, m, n))):
        G = G / np.linalg.norm(G)
        losses = []
        for step in (t, -t):  # one step along the gradients of ⟨G, W⟩, each from its definition
            layers = []
            for j, layer in enumerate(net):
                above = np.linalg.multi_dot([np.eye(m), *net[:j:-1], np.eye(widths[j + 1])])
                below = np.linalg.multi_dot([np.eye(widths[j]), *net[:j][::-1], np.eye(n)])
                layers.append(layer - step * above.T @ G @ below.T)
            losses.append((G * np.linalg.multi_dot(layers[::-1])).sum())
        rates.append((losses[1] - losses[0]) / (2 * t))
    assert abs(rates[0] / low - 1) < 1e-6 and abs(rates[1] / high - 1) < 1e-6
    assert all(low * (1 - 1e-6) <= rate <= high * (1 + 1e-6) for rate in rates)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_prop_preconditioner_symbolically(depth):
    """prop-preconditioner: in symbols every u_r v_q^T is an eigenvector, with the sum of powers as eigenvalue."""
    a, b = sp.symbols("a b", positive=True)
    values = (a**depth, b**depth, sp.Integer(0))
    sides = dynamics.preconditioner_sides(depth)
    for (image, direction, gain), (r, q) in zip(sides, itertools.product(range(2), range(3)), strict=True):
        assert (image - gain * direction).applyfunc(sp.cancel) == sp.zeros(2, 3)
        expected = sum(
            values[r] ** sp.Rational(2 * (depth - j), depth)
            * (values[q] ** sp.Rational(2 * (j - 1), depth) if j > 1 else 1)
            for j in range(1, depth + 1)
        )
        assert sp.expand(gain - expected) == 0


@pytest.mark.parametrize("depth, order", [(2, 1.0), (3, 2 / 3), (4, 0.5)])
def test_prop_field_regularity_exponent_at_deficient_rank(depth, order):
    """prop-field-regularity: raising a zero singular value to h changes the field by h^{2/N}."""
    G = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    sizes = 10.0 ** -np.arange(5, 10)
    W = np.zeros((len(sizes), 2, 3))
    W[:, 0, 0], W[:, 1, 1] = 1.0, sizes
    change = lnn.precondition(W, np.broadcast_to(G, W.shape), depth)[:, 0, 1] - 1.0
    assert abs(slope(sizes, change) - order) < SLOPE / 2


def test_prop_field_regularity_at_zero():
    """prop-field-regularity: at W = 0 the field is differentiable for N = 3 and has a kink for N = 2."""
    rng = np.random.default_rng(11)
    D, G = rng.standard_normal((2, 3, 4))
    quotients = {N: [np.linalg.norm(lnn.precondition(h * D, G, N)) / h for h in (1e-3, 1e-6)] for N in (2, 3)}
    assert quotients[3][1] < 0.2 * quotients[3][0]
    assert abs(quotients[2][1] / quotients[2][0] - 1) < 1e-6
    assert abs(lnn.precondition(-D, G, 2) - lnn.precondition(D, G, 2)).max() < EXACT * 10


@pytest.mark.parametrize("widths", [(5, 7, 4), (4, 7, 5), (5, 7, 6, 4), (4, 6, 9, 7, 5)])
def test_lem_defect_is_of_the_order_of_the_imbalance(widths):
    """lem-defect: velocity of the product less the rule is O(imbalance), also with wide hidden layers."""
    rng = np.random.default_rng(12)
    net, depth = balanced_net(rng, widths, 0.9), len(widths) - 1
    noise = [rng.standard_normal(W.shape) for W in net]
    G = rng.standard_normal((widths[-1], widths[0]))
    deltas, defects = [], []
    for size in 10.0 ** -np.arange(3, 6.5, 0.5):
        near = [W + size * E for W, E in zip(net, noise, strict=True)]
        h = 1e-5
        step = lnn.pullback(near, G)
        ends = [lnn.end_to_end([W - t * D for W, D in zip(near, step, strict=True)]) for t in (h, -h)]
        defect = (ends[0] - ends[1]) / (2 * h) + lnn.precondition(lnn.end_to_end(near), G, depth)
        deltas.append(float(lnn.imbalance(near)))
        defects.append(np.linalg.norm(defect))
    assert abs(slope(deltas, defects) - 1) < SLOPE


def discrete_gap(net, loss, depth, steps, T):
    deep = lnn.gradient_descent(net, loss, T / steps, steps)
    rule = lnn.end_to_end_descent(lnn.end_to_end(net), loss, depth, T / steps, steps)
    return abs(deep.end_to_end - rule.end_to_end).max()


def test_prop_discrete_order_in_the_step_size():
    """prop-discrete: from a balanced start descent and the rule differ by O(η) over a fixed time."""
    rng = np.random.default_rng(13)
    loss = lnn.LeastSquares(lnn.Everything((4, 5)), rng.standard_normal(20))
    net = balanced_net(rng, (5, 6, 7, 4), 0.8)
    steps = 2 ** np.arange(7, 12)
    gaps = [discrete_gap(net, loss, 3, k, 1.0) for k in steps]
    assert abs(slope(1 / steps, gaps) - 1) < SLOPE


def test_prop_discrete_order_in_the_imbalance():
    """prop-discrete: without a step size, the distance is O(imbalance)."""
    rng = np.random.default_rng(14)
    loss = lnn.LeastSquares(lnn.Everything((4, 5)), rng.standard_normal(20))
    net = balanced_net(rng, (5, 6, 7, 4), 0.8)
    noise = [rng.standard_normal(W.shape) for W in net]
    deltas, gaps = [], []
    for size in (1e-2, 1e-3, 1e-4):
        near = [W + size * E for W, E in zip(net, noise, strict=True)]
        rule = lnn.end_to_end_flow(lnn.end_to_end(near), loss, 3, [0, 1])
        path = lnn.gradient_flow(near, loss, [0, 1])
        deltas.append(float(lnn.imbalance(near)))
        gaps.append(np.linalg.norm(path.end_to_end[-1] - rule.end_to_end[-1]))
    assert abs(slope(deltas, gaps) - 1) < SLOPE


def test_prop_discrete_one_step_at_depth_two_is_exact():
    """prop-discrete, exercise 5: one step of descent is the rule plus η² G W^T G."""
    rng = np.random.default_rng(15)
    net = balanced_net(rng, (5, 6, 4))
    W, eta = net[1] @ net[0], 0.3
    loss = quartic(rng, W.shape)
    G = loss.gradient(W)
    deep = lnn.end_to_end(lnn.gradient_step(net, loss, eta))
    rule = W - eta * (fractional_matrix_power(W @ W.T, 0.5) @ G + G @ power(W.T @ W, 0.5))
    assert abs(lnn.end_to_end_step(W, loss, 2, eta) - rule).max() < 1e-7
    assert abs(deep - lnn.end_to_end_step(W, loss, 2, eta) - eta**2 * G @ W.T @ G).max() < EXACT * 100


@pytest.mark.parametrize("depth", [1, 2, 3, 7])
def test_cor_single_output_matches_the_general_rule(depth):
    """cor-single-output: closed form, symbolic form, the general rule, and the field at zero."""
    rng = np.random.default_rng(16)
    w, g = rng.standard_normal((2, 6))
    closed = single_field(w, g, depth)
    assert abs(lnn.precondition(w[None], g[None], depth)[0] - closed).max() < EXACT * 10
    w_, g_, from_sum, formula = dynamics.single_output_fields(depth, 6)
    for expression in (from_sum, formula):
        value = sp.lambdify((list(w_), list(g_)), expression)(w, g).ravel()
        assert abs(value - closed).max() < EXACT * 10
    at_zero = lnn.precondition(np.zeros((1, 6)), g[None], depth)
    assert abs(at_zero - (g if depth == 1 else 0)).max() < EXACT


def test_cor_single_output_along_a_flow():
    """cor-single-output: a balanced network with one output moves as the closed form says."""
    rng = np.random.default_rng(17)
    loss = quartic(rng, (1, 6))
    w0 = rng.standard_normal(6)
    h = 1e-4
    path = lnn.gradient_flow(lnn.initial.balanced(w0[None], (6, 3, 5, 1)), loss, [0, h, 2 * h])
    w = path.end_to_end[:, 0]
    velocity = (w[2] - w[0]) / (2 * h)
    expected = -single_field(w[1], loss.gradient(path.end_to_end)[1, 0], 3)
    assert abs(velocity - expected).max() < 1e-4 * abs(expected).max()


def warmup_run(eta, first, steps):
    """Descent on w_1 ω_2 by hand: iterates, gradients, and both factors."""
    rng = np.random.default_rng(18)
    C = rng.standard_normal((5, 9))
    H, b = C @ C.T / 9, rng.standard_normal(5)
    w1, omega = first * rng.standard_normal(5), 0.3
    record = []
    for _ in range(steps + 1):
        w = w1 * omega
        G = H @ w - b
        record.append((w, G, w1, omega))
        w1, omega = w1 - eta * omega * G, omega - eta * w1 @ G
    return record


def warmup_errors(eta, first, steps):
    """Errors of the momentum rule, by an explicit double loop, without and with its remainder."""
    run = warmup_run(eta, first, steps)
    plain, full, products = 0.0, 0.0, 0.0
    for t in range(steps):
        w, G, w1, omega = run[t]
        gamma = eta * (w1 @ G) / omega
        predicted = w - eta * omega**2 * G
        for tau in range(t):
            mu = -(eta**2) * run[tau][3] * (w1 @ G)
            predicted = predicted - mu * run[tau][1]
            if t < 30:
                chain = np.prod([1 - eta * (run[s][2] @ run[s][1]) / run[s][3] for s in range(tau, t)])
                products = max(products, abs(mu + gamma * eta * run[tau][3] ** 2 * chain))
        target = run[t + 1][0]
        plain = max(plain, abs(predicted - target).max())
        remainder = eta**2 * omega * (w1 @ G) * G - eta * (w1 @ G) * run[0][2]
        full = max(full, abs(predicted + remainder - target).max())
        assert abs((1 - gamma) * (w - eta * omega**2 * G) - target).max() < EXACT
    assert products < EXACT
    return plain, full


def test_prop_warmup_is_exact_with_its_remainder():
    """prop-warmup: the rule plus both remainders is one step of descent, from any start."""
    for first in (0.0, 0.2):
        assert warmup_errors(0.02, first, 100)[1] < EXACT


@pytest.mark.parametrize("first, order", [(0.0, 2), (0.2, 1)])
def test_prop_warmup_order_of_the_rule(first, order):
    """prop-warmup: O(η²) a step from w_1 = 0, and only O(η) from another start."""
    steps = np.array([50, 100, 200, 400])
    errors = [warmup_errors(2.0 / k, first, k)[0] for k in steps]
    assert abs(slope(2.0 / steps, errors) - order) < 2 * SLOPE


def test_prop_warmup_symbolically():
    """prop-warmup: one step equals (1 - γ)(w - ρ∇)."""
    assert dynamics.warmup_defect() == sp.zeros(2, 1)


def integral_by_quadrature(gradient, depth, r, R):
    """Line integral around the closed curve by SciPy, with the package's general rule for the field."""

    def field(w):
        return lnn.precondition(w[None], gradient(w)[None], depth)[0]

    def arc(s):
        def along(t):
            return s * field(s * np.array([np.cos(t), np.sin(t)])) @ [-np.sin(t), np.cos(t)]

        return quad(along, 0, np.pi, epsabs=1e-11)[0]

    ray = quad(lambda s: field(np.array([s, 0.0]))[0], r, R, epsabs=1e-11)[0]
    back = quad(lambda s: field(np.array([s, 0.0]))[0], -R, -r, epsabs=1e-11)[0]
    return back - arc(r) + ray + arc(R)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_thm_no_regularizer_line_integral(depth):
    """thm-no-regularizer: the integral is 2κ(N-1)(N-2)/(3N-2)(R^{3-2/N} - r^{3-2/N}), zero at N = 1, 2 only."""
    N_, r_, R_, formula = dynamics.line_integral()
    r, R, kappa = 0.3, 1.4, 1.7
    expected = kappa * float(formula.subs({N_: depth, r_: sp.Rational(3, 10), R_: sp.Rational(7, 5)}))
    found = integral_by_quadrature(lambda w: np.array([kappa, 0.0]), depth, r, R)
    assert abs(found - expected) < 1e-9
    by_hand = 2 * kappa * (depth - 1) * (depth - 2) / (3 * depth - 2) * (R ** (3 - 2 / depth) - r ** (3 - 2 / depth))
    assert abs(found - by_hand) < 1e-9
    assert (abs(found) > 0.1) == (depth > 2)


def test_thm_no_regularizer_for_a_gradient_that_is_not_constant():
    """thm-no-regularizer: on a shrinking curve the integral tends to that of the gradient at 0."""

    def gradient(w):
        return np.array([1.0 + w[1] ** 2 + abs(w[0]), w[0] - np.sin(w[1])])

    ratios = []
    for R in (1e-1, 1e-2, 1e-3):
        r = R / 2
        exact = 2 * 2 / 7 * (R ** (7 / 3) - r ** (7 / 3))  # N = 3
        ratios.append(abs(integral_by_quadrature(gradient, 3, r, R) / exact - 1))
    assert ratios[2] < 1e-2 and ratios[2] < ratios[1] < ratios[0]


def test_thm_no_regularizer_curl():
    """thm-no-regularizer: asymmetry (N-1)(N-2)/N r^{1-2/N} sin θ for the constant gradient (1, 0)."""
    N_, r_, t_, formula = dynamics.curl()
    value = sp.lambdify((N_, r_, t_), formula)
    g = np.array([1.0, 0.0])
    for depth, r, t in itertools.product((1, 2, 3, 6), (0.5, 1.5), (0.4, 2.0, 4.0)):
        J = numerical_jacobian(lambda w, N=depth: single_field(w, g, N), r * np.array([np.cos(t), np.sin(t)]))
        by_hand = (depth - 1) * (depth - 2) / depth * r ** (1 - 2 / depth) * np.sin(t)
        assert abs(J[1, 0] - J[0, 1] - by_hand) < 1e-8
        assert abs(value(depth, r, t) - by_hand) < EXACT


def test_thm_no_regularizer_at_depth_two():
    """thm-no-regularizer: at N = 2 a constant gradient gives ∇(‖w‖⟨g, w⟩), a quadratic loss in general no gradient."""
    assert dynamics.potential_defect() == sp.zeros(3, 1)
    rng = np.random.default_rng(19)
    w, g = rng.standard_normal((2, 4))
    slopes = numerical_jacobian(lambda x: np.atleast_1d(np.linalg.norm(x) * (g @ x)), w)[0]
    assert abs(lnn.precondition(w[None], g[None], 2)[0] - slopes).max() < 1e-8
    A = np.array([[2.0, 0.7], [0.7, -0.5]])
    b, x = rng.standard_normal((2, 2))
    J = numerical_jacobian(lambda v: single_field(v, A @ v - b, 2), x)
    names = dict(zip(sp.symbols("p q s b_1 b_2", real=True), (2.0, 0.7, -0.5, *b), strict=True))
    names |= dict(zip(sp.symbols("x y", real=True), x, strict=True))
    assert abs(J[1, 0] - J[0, 1]) > 1e-2
    assert abs(J[1, 0] - J[0, 1] - float(dynamics.quadratic_curl().subs(names))) < 1e-7


@pytest.mark.parametrize("shape", [(3, 4), (4, 1), (1, 4)])
def test_thm_no_regularizer_for_matrices(shape):
    """thm-no-regularizer: at N = 3 the Jacobian of P_W G is not symmetric, for several outputs as for one."""
    rng = np.random.default_rng(20)
    W, G = rng.standard_normal((2, *shape))
    J = numerical_jacobian(lambda x: lnn.precondition(x.reshape(shape), G, 3).ravel(), W.ravel())
    assert np.linalg.norm(J - J.T) > 1e-2 * np.linalg.norm(J)


def test_thm_no_regularizer_reduction_to_one_output():
    """thm-no-regularizer: on the matrices u w^T the component along u is the one-output field of G^T u."""
    rng = np.random.default_rng(21)
    u, w, G = rng.standard_normal(4), rng.standard_normal(5), rng.standard_normal((4, 5))
    u /= np.linalg.norm(u)
    for depth in (2, 3, 5):
        inside = u @ lnn.precondition(np.outer(u, w), G, depth)
        # Exact zeros among the singular values come back as 1e-16, which the power 2/N turns into up to 1e-6.
        assert abs(inside - single_field(w, u @ G, depth)).max() < 1e-5


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (4, 1), (1, 4)])
def test_thm_no_regularizer_closed_curve_of_matrices(shape):
    """thm-no-regularizer: for matrices, the integral along u w(t)^T tends to its formula with κ = ‖∇ℓ(0)^T u‖."""
    rng = np.random.default_rng(28)
    G0, depth, transposed = rng.standard_normal(shape), 3, shape[1] == 1
    G1 = G0.T if transposed else G0
    u = np.linalg.qr(rng.standard_normal((len(G1), 1)))[0][:, 0]
    kappa = np.linalg.norm(G1.T @ u)
    frame = np.linalg.qr(np.stack([G1.T @ u, rng.standard_normal(G1.shape[1])], axis=-1))[0].T
    frame[0] *= np.sign(frame[0] @ G1.T @ u)
    t = np.linspace(0, np.pi, 4001)
    arc, ray = np.stack([np.cos(t), np.sin(t)], axis=-1), np.linspace(0.5, 1, 4001)[:, None] * [1.0, 0.0]
    curve = np.concatenate([-ray[::-1], 0.5 * arc[::-1], ray, arc]) @ frame
    curve = np.einsum("i,kj->kji" if transposed else "i,kj->kij", u, curve)
    errors = []
    for R in (1e-1, 1e-2, 1e-3):
        middle, step = R * (curve[1:] + curve[:-1]) / 2, R * np.diff(curve, axis=0)
        gradient = G0 + middle + abs(middle)  # an odd part alone would integrate to zero
        found = (lnn.precondition(middle, gradient, depth) * step).sum()
        errors.append(abs(found / (kappa * 4 / 7 * R ** (7 / 3) * (1 - 2 ** (-7 / 3))) - 1))
    assert errors[2] < 1e-2 and errors[2] < errors[1] < errors[0]


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_prop_when_regularizer_formula(depth):
    """prop-when-regularizer: J - J^T for a loss in four dimensions, against finite differences."""
    assert dynamics.curl_formula_defect(depth) == 0
    rng = np.random.default_rng(22)
    A = rng.standard_normal((4, 4))
    A, b, w = A + A.T, *rng.standard_normal((2, 4))

    def gradient(x):
        return A @ x - b + x**3

    J = numerical_jacobian(lambda x: single_field(x, gradient(x), depth), w)
    v = (depth - 2) / depth * gradient(w) + (A + np.diag(3 * w**2)) @ w
    expected = (depth - 1) * np.linalg.norm(w) ** (-2 / depth) * (np.outer(w, v) - np.outer(v, w))
    assert np.linalg.norm(expected) > 0.1
    assert abs(J - J.T - expected).max() < 1e-6


def test_prop_when_regularizer_radial_losses_do():
    """prop-when-regularizer: symmetric Jacobian for radial losses; with a linear part at N = 2, not at N = 3."""
    rng = np.random.default_rng(23)
    b, w = rng.standard_normal((2, 4))
    for depth, linear, symmetric in ((2, 0, True), (2, 1, True), (3, 0, True), (3, 1, False)):
        J = numerical_jacobian(lambda x, N=depth, c=linear: single_field(x, c * b + x * (x @ x) + x, N), w)
        assert (np.linalg.norm(J - J.T) < 1e-6) == symmetric


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (5, 3)])
def test_prop_depth_two_matrices_asymmetric_pair(shape):
    """prop-depth-two-matrices: the asymmetry of the named pair of directions is σ_2 (G_12 - G_21)/(σ_1 + σ_2)."""
    rng = np.random.default_rng(24)
    W, G = rng.standard_normal((2, *shape))
    U, values, Vt = np.linalg.svd(W)
    D1, D2 = np.outer(U[:, 0], Vt[0]), np.outer(U[:, 0], Vt[1])
    h = 1e-6

    def change(D):
        return (lnn.precondition(W + h * D, G, 2) - lnn.precondition(W - h * D, G, 2)) / (2 * h)

    inner = U.T @ G @ Vt.T
    expected = values[1] * (inner[0, 1] - inner[1, 0]) / (values[0] + values[1])
    assert abs(expected) > 1e-2
    assert abs((D2 * change(D1)).sum() - (D1 * change(D2)).sum() - expected) < 1e-7


def test_rem_plateau_homogeneity():
    """rem-plateau: with a constant gradient, scaling the layers by ε scales time by ε^{-(N-2)} in both equations."""
    rng = np.random.default_rng(25)

    class Linear:
        def __init__(self, G):
            self.G = G

        def __call__(self, W):
            return (W * self.G).sum(axis=(-2, -1))

        def gradient(self, W):
            return np.broadcast_to(self.G, W.shape)

    loss, eps = Linear(rng.standard_normal((2, 3))), 0.5
    net = lnn.initial.gaussian((3, 4, 5, 2), 0.4, rng=rng)
    small = [eps * W for W in net]
    W0 = lnn.end_to_end(net)
    a = lnn.gradient_flow(net, loss, [0, 0.3]).end_to_end[-1]
    b = lnn.gradient_flow(small, loss, [0, 0.3 / eps]).end_to_end[-1]
    assert abs(eps**3 * a - b).max() < FLOW
    a = lnn.end_to_end_flow(W0, loss, 3, [0, 0.3]).end_to_end[-1]
    b = lnn.end_to_end_flow(eps**3 * W0, loss, 3, [0, 0.3 / eps]).end_to_end[-1]
    assert abs(eps**3 * a - b).max() < FLOW


@pytest.mark.parametrize("depth", [2, 3])
def test_rem_plateau_width_makes_the_network_faster_than_the_rule(depth):
    """rem-plateau: mean velocity N ε^{2N-2} h^{N-1} G, and the rule slower by (h/n)^{1-1/N} or more."""
    rng = np.random.default_rng(29)
    n, h, eps, G = 3, 20, 0.1, rng.standard_normal((1, 3))
    velocities, speeds = [], []
    for _ in range(2000):
        net = lnn.initial.gaussian((n, *(depth - 1) * (h,), 1), eps, rng=rng)
        W, velocity = np.linalg.multi_dot([*net[::-1], np.eye(n)]), np.zeros((1, n))
        for j in range(depth):
            above, below = np.eye(1), np.eye(n)
            for V in net[:j:-1]:
                above = above @ V
            for V in net[:j]:
                below = V @ below
            velocity += above @ above.T @ G @ below.T @ below
        velocities.append(velocity)
        speeds.append(np.linalg.norm(rule_by_powers(W, G, depth)))
    expected = depth * eps ** (2 * depth - 2) * h ** (depth - 1) * G
    assert np.linalg.norm(np.mean(velocities, axis=0) - expected) < 0.05 * np.linalg.norm(expected)
    assert np.linalg.norm(expected) > (h / n) ** (1 - 1 / depth) * np.mean(speeds)


def psd_root(A):
    values, vectors = np.linalg.eigh(A)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def lambda_layers(rng, widths, lam, rank):
    """Layers with W_2^T W_2 - W_1 W_1^T = λI: one of deficient rank drawn, the other an isometry times a root."""
    n, h, m = widths
    if lam < 0:
        first, second = lambda_layers(rng, (m, h, n), -lam, rank)
        return second.T, first.T
    first = rng.standard_normal((h, rank)) @ rng.standard_normal((rank, n))
    return first, np.linalg.qr(rng.standard_normal((m, h)))[0] @ psd_root(lam * np.eye(h) + first @ first.T)


def lambda_velocity(first, second, G):
    """Minus the derivative of the product along the layers' gradients, by central differences."""
    t = 1e-4

    def product(t):
        return (second - t * G @ first.T) @ (first - t * second.T @ G)

    return (product(-t) - product(t)) / (2 * t)


def lambda_rule(W, G, lam):
    m, n = W.shape
    return psd_root(lam**2 / 4 * np.eye(m) + W @ W.T) @ G + G @ psd_root(lam**2 / 4 * np.eye(n) + W.T @ W)


def test_thm_lambda_balanced_velocity_in_all_shapes_and_ranks():
    """thm-lambda-balanced: the rule, with one more term where h < m at λ > 0, and h < n at λ < 0."""
    rng, seen = np.random.default_rng(30), set()
    for n, h, m in itertools.product((1, 2, 3, 5), repeat=3):
        for sign, rank in itertools.product((1, -1), range(min(n, h, m) + 1)):
            if h > (m if sign > 0 else n):
                continue
            lam = sign * float(np.exp(rng.normal()))
            first, second = lambda_layers(rng, (n, h, m), lam, rank)
            assert abs(second.T @ second - first @ first.T - lam * np.eye(h)).max() < 1e-11
            W, G = second @ first, rng.standard_normal((m, n))
            found, rule = lambda_velocity(first, second, G), lambda_rule(W, G, lam)
            outside = np.eye(m) - second @ np.linalg.pinv(second), np.eye(n) - np.linalg.pinv(first) @ first
            extra = lam * outside[0] @ G if lam > 0 else -lam * G @ outside[1]
            scale = 1 + abs(found).max()
            assert abs(rule - extra - found).max() < 1e-6 * scale
            determined = h == (m if lam > 0 else n)
            assert (abs(rule - found).max() < 1e-6 * scale) == determined
            seen.add((sign, determined, rank < min(n, h, m), n < m, n > m))
    assert len(seen) == 24  # both signs, with and without the term, full and deficient rank, wide, tall and square


def test_thm_lambda_balanced_shapes():
    """thm-lambda-balanced: with h > m the imbalance always has an eigenvalue ≤ 0, so no λ > 0."""
    rng = np.random.default_rng(31)
    for n, h, m in ((4, 3, 2), (1, 5, 4), (3, 4, 1)):
        for _ in range(50):
            first, second = rng.standard_normal((h, n)), rng.standard_normal((m, h))
            assert np.linalg.eigvalsh(second.T @ second - first @ first.T)[0] < 1e-12


def test_thm_lambda_balanced_is_not_determined_at_lower_rank():
    """thm-lambda-balanced: with rank W < h < m two networks of one product move apart, at rank h they cannot."""
    rng, lam = np.random.default_rng(32), 0.8
    U, V = (np.linalg.qr(rng.standard_normal((d, d)))[0] for d in (4, 3))
    G = rng.standard_normal((4, 3))
    for values, same in (((1.3, 0.0), False), ((1.3, 0.6), True)):
        high = np.sqrt(lam / 2 + np.sqrt(lam**2 / 4 + np.square(values)))
        first = (values / high)[:, None] * V[:, :2].T
        turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
        velocities = []
        for columns, spin in (([0, 1], np.eye(2)), ([0, 2] if values[1] == 0 else [0, 1], turn)):
            layers = spin @ first, (U[:, columns] * high) @ spin.T
            assert abs(layers[1].T @ layers[1] - layers[0] @ layers[0].T - lam * np.eye(2)).max() < 1e-12
            assert abs(layers[1] @ layers[0] - (U[:, :2] * values) @ V[:, :2].T).max() < 1e-12
            velocities.append(lambda_velocity(*layers, G))
        assert (abs(velocities[0] - velocities[1]).max() < 1e-6) == same


def test_thm_lambda_balanced_along_a_flow_for_both_signs():
    """thm-lambda-balanced: widths (5, 3, 3) with λ and (5, 5, 3) with -λ take one path, the rule's."""
    rng, times = np.random.default_rng(33), np.linspace(0, 0.5, 5)
    for lam, rank in ((0.7, 3), (4.0, 1)):  # at rank 1 the rule leaves it at once
        loss = quartic(rng, (3, 5))
        W0 = rng.standard_normal((3, rank)) @ rng.standard_normal((rank, 5)) / 2
        U, values, Vt = np.linalg.svd(W0)
        values = np.append(values, [0, 0])
        high = np.sqrt(lam / 2 + np.sqrt(lam**2 / 4 + values**2))
        above = np.diag(values[:3] / high[:3]) @ Vt[:3], U * high[:3]
        below = high[:, None] * Vt, U @ np.eye(3, 5) * (values / high)
        rule = solve_ivp(
            lambda t, w, loss=loss, lam=lam: -lambda_rule(w.reshape(3, 5), loss.gradient(w.reshape(3, 5)), lam).ravel(),
            (0, 0.5),
            W0.ravel(),
            t_eval=times,
            rtol=1e-10,
            atol=1e-12,
        ).y.T.reshape(-1, 3, 5)
        for layers in (above, below):
            path = lnn.gradient_flow(layers, loss, times).end_to_end
            assert abs(path[0] - W0).max() < EXACT and abs(path - rule).max() < FLOW
        assert np.linalg.svd(rule[-1], compute_uv=False)[2] > 1e-3
        balanced = lnn.gradient_flow(lnn.initial.balanced(W0, (5, 5, 3)), loss, times).end_to_end
        assert abs(balanced - rule).max() > 1e-2


def test_thm_lambda_balanced_gains_between_their_bounds():
    """thm-lambda-balanced: 0 ≤ gain - |λ| ≤ (σ_r² + σ_q²)/|λ|, the upper bound sharp for large λ; it grows with |λ|."""
    s_, u_, l_, formula = dynamics.lambda_gain()
    gain = sp.lambdify((s_, u_, l_), formula)
    for s, u in ((2.0, 0.3), (1.0, 1e-9)):
        lams = np.geomspace(1e-3, 1e3, 30)
        values = gain(s, u, lams)
        assert np.allclose(values, gain(s, u, -lams), atol=EXACT) and (np.diff(values) > 0).all()
        share = (values - lams) * lams / (s**2 + u**2)
        assert (share > 0).all() and (share <= 1 + 1e-9).all() and share[-1] > 0.999
        assert abs(gain(s, u, 1e-12) - s - u) < 1e-9
        W = np.zeros((2, 2))
        W[0, 0], W[1, 1] = s, u
        applied = lambda_rule(W, np.array([[0.0, 1.0], [0.0, 0.0]]), 0.7)
        assert abs(applied - gain(s, u, 0.7) * np.array([[0, 1], [0, 0]])).max() < 1e-8


@pytest.mark.parametrize("sign", [1, -1])
def test_thm_lambda_balanced_linear_limit_of_second_order(sign):
    """thm-lambda-balanced: in the time |λ|t the product is within O(λ^{-2}) of the linear model, and no nearer."""
    rng = np.random.default_rng(34)
    loss, W0, clock = quartic(rng, (3, 3)), 0.5 * rng.standard_normal((3, 3)), np.linspace(0, 1, 6)
    U, values, Vt = np.linalg.svd(W0)
    linear = lnn.gradient_flow((W0,), loss, clock, rtol=1e-11, atol=1e-13).end_to_end
    gaps, lams = [], np.array([20.0, 40.0, 80.0])
    for lam in lams:
        high = np.sqrt(lam / 2 + np.sqrt(lam**2 / 4 + values**2))
        small, large = np.diag(values / high), np.diag(high)
        layers = (small @ Vt, U @ large) if sign > 0 else (large @ Vt, U @ small)
        path = lnn.gradient_flow(layers, loss, clock / lam, rtol=1e-11, atol=1e-13).end_to_end
        gaps.append(np.linalg.norm(path - linear, axis=(1, 2)).max())
    assert abs(slope(lams, gaps) + 2) < SLOPE


def test_thm_lambda_balanced_scalars_in_closed_form():
    """thm-lambda-balanced: two scalars along the layers' flow against the formula, for both signs of λ, w(0) and φ."""
    t_, lam_, phi_, start_, path, defect = dynamics.lambda_scalar_path()
    assert defect == 0
    formula, times = sp.lambdify((t_, lam_, phi_, start_), path), np.linspace(0, 1, 5)
    for lam, phi, start in itertools.product((0.01, 1.0, 8.0), (1.5, -0.7), (0.05, -0.4)):
        high = np.sqrt(lam / 2 + np.sqrt(lam**2 / 4 + start**2))
        target = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([phi]))
        for layers in (([[start / high]], [[high]]), ([[high]], [[start / high]])):
            found = lnn.gradient_flow(layers, target, times).end_to_end.ravel()
            assert abs(found - formula(times, lam, phi, start)).max() < FLOW
            L = np.hypot(lam, 2 * phi)
            high_z, low_z, z0 = (2 * phi + L) / lam, (2 * phi - L) / lam, (2 * start + np.hypot(lam, 2 * start)) / lam
            share = (z0 - high_z) / (z0 - low_z) * np.exp(-L * times)
            z = (high_z - low_z * share) / (1 - share)
            assert abs(found - lam / 4 * (z - 1 / z)).max() < FLOW


@pytest.mark.parametrize("outputs", [2, 3])
def test_thm_lambda_balanced_symbolically(outputs):
    """thm-lambda-balanced: in symbols: imbalance λI, two equal velocities, and with numbers the rule."""
    imbalance, W, G, by_layers, by_rule = dynamics.lambda_balanced_sides(outputs)
    lam = sp.Symbol("lambda", positive=True)
    assert imbalance == lam * sp.eye(2)
    assert (by_layers - by_rule).applyfunc(sp.cancel) == sp.zeros(outputs, 3)
    names = sorted(W.free_symbols | G.free_symbols, key=str)
    numbers = dict(zip(names, np.random.default_rng(35).uniform(0.5, 1.5, len(names)), strict=True))
    W, G, found = (np.array(M.subs(numbers).evalf(), dtype=float) for M in (W, G, by_rule))
    rule = lambda_rule(W, G, numbers[lam])
    if outputs == 3:  # rank W = 2 = h, so the projection onto the range of W_2 is that onto the range of W
        rule -= numbers[lam] * (np.eye(3) - W @ np.linalg.pinv(W)) @ G
    assert abs(found + rule).max() < EXACT * 1000
