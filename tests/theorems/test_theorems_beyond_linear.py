"""The results of the page `beyond_linear`, each against a computation of another kind."""

from functools import partial

import numpy as np
import pytest
from draws import slope
from scipy.integrate import quad, simpson, solve_ivp
from tolerances import FLOW, SLOPE

import lnn
from lnn.convex import unfolding
from lnn.models import hierarchical, tensor
from lnn.symbolic import tensors as symbolic

tensor_flow = partial(lnn.gradient_flow, model=tensor)
SHAPES = {2: (5, 4), 3: (3, 4, 5), 4: (2, 3, 4, 5)}
HARD = np.zeros((2, 2, 2))
HARD[0, 0, 1] = HARD[0, 1, 0] = HARD[1, 0, 0] = 1


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def sensing_loss(shape, rng):
    """Twenty random linear measurements of a tensor, with observations that nothing near the start fits."""
    return lnn.LeastSquares(lnn.Products(rng.standard_normal((20, *shape)) / 3), 3 * rng.standard_normal(20))


def speed(of, factors, loss, model):
    """Derivative of a function of the factors along gradient flow, by difference quotients of the loss alone."""
    shapes, flat = [w.shape for w in factors], np.concatenate([w.ravel() for w in factors])
    ends = np.cumsum([np.prod(s) for s in shapes])[:-1]

    def parts(y):
        return [p.reshape(s) for p, s in zip(np.split(y, ends), shapes, strict=True)]

    def along(f, v, h=1e-3):  # of fourth order in h
        values = [np.asarray(f(parts(flat + k * h * v))) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)

    v = -np.array([along(lambda w: loss(model.end_to_end(w)), e) for e in np.eye(flat.size)])
    size = np.linalg.norm(v)
    return size * along(of, v / size)


@pytest.mark.parametrize("order", SHAPES)
def test_def_cp_and_prop_product_pooling_the_network_is_the_tensor(order, rng):
    """`def-cp`, `prop-product-pooling`: sums of products of filters, one input after another, and one-hot inputs."""
    factors = tensor.gaussian(SHAPES[order], 3, 1.0, rng=rng)
    W = tensor.end_to_end(factors)

    def network(inputs):
        return sum(np.prod([w[:, r] @ x for w, x in zip(factors, inputs, strict=True)]) for r in range(3))

    inputs = [rng.standard_normal(d) for d in W.shape]
    contracted = W
    for x in inputs:
        contracted = np.tensordot(x, contracted, axes=(0, 0))
    assert network(inputs) == pytest.approx(float(contracted), rel=1e-10)
    for index in np.ndindex(*W.shape):
        one_hot = [np.eye(d)[i] for d, i in zip(W.shape, index, strict=True)]
        assert network(one_hot) == pytest.approx(W[index], rel=1e-10, abs=1e-12)


def test_prop_product_pooling_every_function_has_so_many_channels(rng):
    """`prop-product-pooling`: the factorization by fibres, with the product of all sizes but the largest."""
    W = rng.standard_normal((3, 5, 2))
    places = list(np.ndindex(3, 2))
    factors = (
        np.stack([np.eye(3)[i] for i, _ in places], axis=1),
        np.stack([W[i, :, k] for i, k in places], axis=1),
        np.stack([np.eye(2)[k] for _, k in places], axis=1),
    )
    assert factors[0].shape[1] == 6
    np.testing.assert_allclose(tensor.end_to_end(factors), W, atol=1e-14)


def test_prop_product_pooling_the_training_loss_is_that_of_completion(rng):
    """`prop-product-pooling`: part 3, a loss that is not square, summed over one-hot inputs one after another."""
    factors = tensor.gaussian((3, 4, 2), 2, 1.0, rng=rng)
    mask = lnn.datasets.random_mask((3, 4, 2), 9, rng=rng)
    labels = dict(zip(zip(*np.nonzero(mask), strict=True), rng.standard_normal(9), strict=True))

    def network(inputs):
        return sum(np.prod([w[:, r] @ x for w, x in zip(factors, inputs, strict=True)]) for r in range(2))

    def psi(value, label, threshold=0.3):  # Huber's
        gap = abs(value - label)
        return gap**2 / 2 if gap <= threshold else threshold * (gap - threshold / 2)

    hot = [[np.eye(d)[i] for d, i in zip((3, 4, 2), index, strict=True)] for index in labels]
    training = sum(psi(network(inputs), y) for inputs, y in zip(hot, labels.values(), strict=True))
    completion = lnn.HuberLoss(lnn.Entries(mask), np.array(list(labels.values())), threshold=0.3)
    assert training == pytest.approx(float(completion(tensor.end_to_end(factors))), rel=1e-12)
    assert training > 0.1


def test_lem_cp_gradient_contracts_the_gradient_with_the_other_vectors(rng):
    """`lem-cp-gradient`: entry by entry, with loops."""
    factors, G = tensor.gaussian((2, 3, 4), 2, 1.0, rng=rng), rng.standard_normal((2, 3, 4))
    found = tensor.pullback(factors, G)
    for r in range(2):
        a, b, c = (w[:, r] for w in factors)
        np.testing.assert_allclose(found[0][:, r], [b @ G[i] @ c for i in range(2)], rtol=1e-10)
        np.testing.assert_allclose(found[1][:, r], [a @ G[:, j] @ c for j in range(3)], rtol=1e-10)
        np.testing.assert_allclose(found[2][:, r], [a @ G[:, :, k] @ b for k in range(4)], rtol=1e-10)


def test_prop_border_rank_slices_and_distance():
    """`prop-border-rank`: the witness, and the family of rank 2 in numbers."""
    found = symbolic.border_rank()
    assert not found["diagonalizable"]
    np.testing.assert_array_equal(np.array(found["quotient"], float), HARD[1] @ np.linalg.inv(HARD[0]))
    for eps in (0.5, 0.1):
        a, b = np.array([1, eps])[:, None], np.array([1, 0.0])[:, None]
        factors = [np.hstack([a / eps, -b / eps]), np.hstack([a, b]), np.hstack([a, b])]
        gap = np.sum((tensor.end_to_end(factors) - HARD) ** 2)
        assert gap == pytest.approx(3 * eps**2 + eps**4)
        symbol = next(iter(found["distance"].free_symbols))
        assert gap == pytest.approx(float(found["distance"].subs(symbol, eps)))
        assert tensor.component_norms(factors)[0] == pytest.approx(float(found["norm"].subs(symbol, eps)))


def test_prop_border_rank_flow_with_two_components_diverges_and_with_three_does_not(rng):
    """`prop-border-rank`: norms grow, directions become opposite, the loss tends to zero."""
    loss = lnn.LeastSquares(lnn.Everything(HARD.shape), HARD.ravel())
    times = [0, 1e2, 1e3, 1e4]
    path = tensor_flow(tensor.gaussian((2, 2, 2), 2, 0.4, rng=rng), loss, times, method="LSODA")
    assert (np.diff(path.component_norms[1:], axis=0) > 0.5).all() and 0 < path.losses[-1] < 1e-4
    one, two = (tensor.end_to_end([w[:, [r]] for w in path[-1]]) for r in (0, 1))
    assert np.sum(one * two) / path.component_norms[-1].prod() < -0.9
    three = tensor_flow(tensor.gaussian((2, 2, 2), 4, 0.4, rng=rng), loss, times, method="LSODA")
    assert three.losses[-1] < 1e-8 and three.component_norms[-1].max() < 5


@pytest.mark.parametrize("order", SHAPES)
def test_lem_component_balance_differences_are_conserved(order, rng):
    """`lem-component-balance`: along the flow of an unbalanced start, and symbolically."""
    loss = sensing_loss(SHAPES[order], rng)
    path = tensor_flow(tensor.gaussian(SHAPES[order], 3, 0.8, rng=rng), loss, np.linspace(0, 1, 6))
    squares = np.stack([(w**2).sum(axis=1) for w in path.weights])
    differences = squares - squares[:1]
    assert np.ptp(squares, axis=1).max() > 0.1  # they move
    assert np.ptp(differences, axis=1).max() < 1e-7
    assert symbolic.imbalance_speed(order).is_zero_matrix


def test_lem_component_balance_two_zero_vectors_stay_and_one_does_not(rng):
    """`lem-component-balance`: part 2, and why it needs two."""
    loss = sensing_loss((3, 4, 5), rng)
    two, one = ([w.copy() for w in tensor.gaussian((3, 4, 5), 2, 0.8, rng=rng)] for _ in range(2))
    two[0][:, 0] = two[1][:, 0] = one[0][:, 0] = 0
    path = tensor_flow(two, loss, [0, 0.5, 1])
    assert not path.weights[0][:, :, 0].any() and not path.weights[1][:, :, 0].any()
    assert np.linalg.norm(tensor_flow(one, loss, [0, 0.5]).weights[0][-1][:, 0]) > 0.01


@pytest.mark.parametrize("order", SHAPES)
def test_thm_component_norms_speed_is_that_of_difference_quotients(order, rng):
    """`thm-component-norms`: σ̇_r = N γ_r σ_r^{2-2/N}, against a flow that knows the loss alone."""
    shape = SHAPES[order]
    loss, start = sensing_loss(shape, rng), tensor.balance(tensor.gaussian(shape, 2, 0.8, rng=rng))
    norms = tensor.component_norms(start)
    G = loss.gradient(tensor.end_to_end(start))
    stated = []
    for r in range(2):
        vectors = [w[:, r] for w in start]
        unit = vectors[0] / np.linalg.norm(vectors[0])
        for v in vectors[1:]:
            unit = np.multiply.outer(unit, v / np.linalg.norm(v))
        stated.append(-order * np.sum(G * unit) * norms[r] ** (2 - 2 / order))
    measured = speed(tensor.component_norms, start, loss, tensor)
    np.testing.assert_allclose(measured, stated, atol=FLOW * np.abs(stated).max())
    assert np.abs(stated).min() > 1e-3
    np.testing.assert_allclose(order * tensor.pulls(start, G) * norms ** (2 - 2 / order), stated, rtol=1e-10)
    if order < 4:  # SymPy takes minutes at order 4
        assert symbolic.component_norm_defect(order) == 0


def test_thm_component_norms_zero_stays_zero_and_the_clock_adds_up_the_pulls(rng):
    """`thm-component-norms`: parts 1 and 3."""
    loss = sensing_loss((3, 4, 5), rng)
    start = [w.copy() for w in tensor.balance(tensor.gaussian((3, 4, 5), 3, 0.8, rng=rng))]
    for w in start:
        w[:, 1] = 0
    times = np.linspace(0, 0.5, 2001)
    path = tensor_flow(start, loss, times)
    norms = path.component_norms
    assert not norms[:, 1].any() and (norms[:, [0, 2]] > 0).all()
    pulls = tensor.pulls(path.weights, loss.gradient(path.end_to_end))[:, [0, 2]]
    clock = -(norms[:, [0, 2]] ** (-1 / 3))
    integral = simpson(pulls, x=times, axis=0)
    np.testing.assert_allclose(clock[-1] - clock[0], integral, rtol=1e-5)


def test_thm_component_norms_leave_no_equation_for_the_tensor_alone(rng):
    """`thm-component-norms`: one tensor, split in two balanced ways, moves at two speeds; a matrix does not."""
    for order in (2, 3):
        loss, speeds = lnn.LeastSquares(lnn.Everything((2,) * order), rng.standard_normal(2**order)), []
        for c in (0.5, 0.1):
            size = np.array([c, 1 - c]) ** (1 / order)
            factors = [np.array([size, [0.0, 0.0]]) for _ in range(order)]
            assert tensor.end_to_end(factors)[(0,) * order] == pytest.approx(1)
            slope_ = loss.gradient(tensor.end_to_end(factors))[(0,) * order]
            measured = speed(lambda w: tensor.end_to_end(w)[(0,) * order], factors, loss, tensor)  # noqa: B023
            exponent = 2 - 2 / order
            assert measured == pytest.approx(-order * (c**exponent + (1 - c) ** exponent) * slope_, rel=FLOW)
            speeds.append(measured)
        assert (abs(speeds[0] / speeds[1] - 1) < FLOW) == (order == 2)


def test_prop_unbalanced_components_bounds_hold_and_are_sharper_than_published(rng):
    """`prop-unbalanced-components`: the factor from the flow's own speed; equality with balance alone."""
    loss = sensing_loss((3, 4, 5), rng)
    start = [w * s for w, s in zip(tensor.gaussian((3, 4, 5), 2, 0.8, rng=rng), (2.0, 0.7, 0.8), strict=True)]
    measured = speed(tensor.component_norms, start, loss, tensor)
    factor = measured / tensor.pulls(start, loss.gradient(tensor.end_to_end(start)))
    squares, s = np.stack([(w**2).sum(axis=0) for w in start]), tensor.component_norms(start)
    eps = np.ptp(squares, axis=0)
    assert (factor > 1.05 * 3 * s ** (4 / 3)).all() and (factor < 3 * (s ** (2 / 3) + eps) ** 2).all()
    assert (3 * s**2 / (s ** (2 / 3) + eps) < 3 * s ** (4 / 3)).all()
    level = tensor.balance(start)
    even = speed(tensor.component_norms, level, loss, tensor)
    even /= tensor.pulls(level, loss.gradient(tensor.end_to_end(level)))
    np.testing.assert_allclose(even, 3 * s ** (4 / 3), rtol=FLOW)  # so no larger constant would do


def frozen(A, scale=1e6):
    return lnn.HuberLoss(lnn.Everything(A.shape), scale * np.sign(A).ravel(), 1.0)


def test_prop_frozen_pull_rises_within_its_bounds_and_waits_as_stated(rng):
    """`prop-frozen-pull`: parts 1 and 2, and the waiting time in closed form."""
    A = rng.choice([-1.0, 1.0], size=(3, 4, 5))
    start = tensor.balance(tensor.gaussian(A.shape, 4, 0.1, rng=rng))
    loss = frozen(A)
    path = tensor_flow(start, loss, np.linspace(0, 9, 901), stop=float(loss(0 * A)) - 50)
    gammas = tensor.pulls(path.weights, np.broadcast_to(-A, path.end_to_end.shape))
    assert (np.diff(gammas, axis=0) > -1e-9).all() and (gammas[0] < 0).any()
    y = path.component_norms ** (1 / 3)
    low, high = (1 / y[0] - np.outer(path.times, c) for c in (np.full(4, np.sqrt(60)), gammas[0]))
    assert (1 / y >= low - 1e-9).all() and (1 / y <= high + 1e-9).all()
    # speed of the pull, by the formula of part 1 at the start
    r, vectors = 0, [w[:, 0] / np.linalg.norm(w[:, 0]) for w in start]
    names = ["ijk,j,k->i", "ijk,i,k->j", "ijk,i,j->k"]
    across = [np.einsum(n, A, *vectors[:k], *vectors[k + 1 :]) for k, n in enumerate(names)]
    speed = y[0, r] * sum(np.sum(g**2) - (g @ v) ** 2 for g, v in zip(across, vectors, strict=True))
    dense = tensor_flow(start, loss, np.linspace(0, 1e-3, 5))
    measured = tensor.pulls(dense.weights, np.broadcast_to(-A, dense.end_to_end.shape))[:, r]
    assert np.gradient(measured, dense.times, edge_order=2)[0] == pytest.approx(speed, rel=1e-4)
    for order in (2, 3, 4):
        found = symbolic.waiting_time(order)
        values = {symbol: {"x": 0.02, "gamma": 2.0}[symbol.name] for symbol in found.free_symbols}
        integral = quad(lambda s, N=order: 1 / (N * 2.0 * s ** (2 - 2 / N)), 0.02, 1)[0]
        assert float(found.subs(values)) == pytest.approx(integral, rel=1e-8)


def blow_up(A, vectors):
    """Time at which ẇ^n = A[w^m : m ≠ n] blows up from one component of order 3, and the largest norm at each time."""

    def field(_, y):
        a, b, c = np.split(y, ends)
        parts = (np.einsum("ijk,j,k", A, b, c), np.einsum("ijk,i,k", A, a, c), np.einsum("ijk,i,j", A, a, b))
        return np.concatenate(parts)

    def far(_, y):
        return np.linalg.norm(np.split(y, ends)[0]) - 1e4

    far.terminal, ends = True, np.cumsum([len(v) for v in vectors])[:-1]
    run = solve_ivp(field, (0, 1e3), np.concatenate(vectors), events=far, rtol=1e-10, atol=1e-12, dense_output=True)
    return run.t[-1] if run.status == 1 else np.inf, lambda t: np.linalg.norm(np.split(run.sol(t), ends)[0], axis=0)


def first_without_condition(rng):
    """A frozen gradient and components of which one blows up first, although the sufficient condition fails."""
    A = rng.choice([-1.0, 1.0], size=(3, 4, 5))
    while True:
        start = tensor.balance(tensor.gaussian(A.shape, 3, 1.0, rng=rng))
        runs = [blow_up(A, [w[:, r] for w in start]) for r in range(3)]
        q, *rest = np.argsort([end for end, _ in runs])
        a, pulls = tensor.component_norms(start) ** (1 / 3), tensor.pulls(start, -A)
        fails = any(a[q] * pulls[q] <= a[r] * np.linalg.norm(A) for r in rest)
        if fails and runs[rest[0]][0] > 1.3 * runs[q][0]:
            return A, start, q, rest, runs


def test_prop_frozen_pull_the_first_leaves_the_others_at_the_size_of_the_start(rng):
    """`prop-frozen-pull`: part 3 without the condition of part 4; blow-up times scale, and so do the others."""
    A, start, q, rest, runs = first_without_condition(rng)
    bounds = [norm(np.linspace(0, runs[q][0], 2001)).max() for _, norm in (runs[r] for r in rest)]
    loss, shares = frozen(A, 1e9), []
    for alpha in (0.5, 0.1, 0.02):
        level = float(loss(0 * A)) - 1e4
        path = tensor_flow([alpha * w for w in start], loss, [0, 1e5], stop=level)
        assert path.outcome is lnn.Outcome.CONVERGED
        assert path.times[-1] == pytest.approx(runs[q][0] / alpha, rel=0.1)
        shares.append(path.component_norms[-1, rest] ** (1 / 3) / alpha)
        assert path.component_norms[-1].argmax() == q and (shares[-1] <= 1.001 * np.array(bounds)).all()
    np.testing.assert_allclose(shares, np.broadcast_to(shares[-1], (3, 2)), rtol=0.1)


def head_start(rng):
    """A Huber loss on observed entries, four components, one of them with the head start of the theorem."""
    units = [w / np.linalg.norm(w, axis=0) for w in tensor.gaussian((4, 5, 6), 2, 1.0, rng=rng)]
    target = tensor.end_to_end([units[0] * [9, 6], *units[1:]])
    seen = lnn.Entries(np.abs(target) > 0.6)
    loss = lnn.HuberLoss(seen, seen(target), 0.2)
    start = [w.copy() for w in tensor.balance(tensor.gaussian((4, 5, 6), 4, 1.0, rng=rng))]
    for w, u in zip(start, units, strict=True):
        w[:, 0] = 14 * (u[:, 0] + 0.1 * w[:, 1])
    start = tensor.balance(start)
    a, A = tensor.component_norms(start) ** (1 / 3), -loss.gradient(0 * target)
    ratio = np.linalg.norm(A) / tensor.pulls(start, -A)[0]
    assert (a[0] > a[1:] * ratio).all()
    return loss, start, A, 1 / (1 / a[1:] - ratio / a[0])


def test_prop_frozen_pull_the_condition_on_the_start_makes_a_component_first(rng):
    """`prop-frozen-pull`: parts 3 and 4, with constants from the bounds of part 2, at three sizes."""
    loss, start, A, constants = head_start(rng)
    gaps = []
    for alpha in (0.01, 0.003, 0.001):
        level = float(loss(0 * A)) - 0.25
        path = tensor_flow([alpha * w for w in start], loss, [0, 1e6], stop=level)
        assert path.outcome is lnn.Outcome.CONVERGED
        y = path.component_norms[-1] ** (1 / 3)
        assert (y[1:] <= alpha * constants).all() and y[0] > 10 * y[1:].max()
        gaps.append(y[1:].max())
    assert abs(slope([0.01, 0.003, 0.001], gaps) - 1) < SLOPE


def test_thm_rank_one_trajectory_distance_vanishes_with_the_start(rng):
    """`thm-rank-one-trajectory`: same sphere, one component alone; the distance falls with α, as its cube."""
    loss, start, A, _ = head_start(rng)
    rho_0 = np.abs(loss.observed).min() - 0.2
    np.testing.assert_allclose(A[loss.measure.mask], 0.2 * np.sign(loss.observed))
    gaps, alphas = [], (0.02, 0.01, 0.005)
    for alpha in alphas:
        wait = tensor_flow([alpha * w for w in start], loss, [0, 1e6], stop=float(loss(0 * A)) - 0.25, rtol=1e-10)
        rho = np.linalg.norm(wait.end_to_end[-1])
        assert rho <= rho_0
        np.testing.assert_allclose(loss.gradient(wait.end_to_end[-1]), -A, atol=1e-12)
        alone = [w[:, :1] for w in wait[-1]]
        alone = [w * (rho / tensor.component_norms(alone)) ** (1 / 3) for w in alone]
        times = np.linspace(0, 5, 51)
        full, one = (tensor_flow(f, loss, times, method="LSODA", rtol=1e-10, atol=1e-13) for f in (wait[-1], alone))
        gaps.append(np.abs(full.end_to_end - one.end_to_end).max())
    assert one.losses[-1] < 0.8 * one.losses[0]  # it has gone somewhere
    assert abs(slope(alphas, gaps) - 3) < 3 * SLOPE


def test_thm_rank_one_trajectory_needs_only_that_one_is_first(rng):
    """`thm-rank-one-trajectory`: from a start for which `eq-tensor-head-start` fails; and only that one."""
    A, start, q, rest, _ = first_without_condition(rng)
    loss = lnn.HuberLoss(lnn.Everything(A.shape), 3 * A.ravel(), threshold=1.0)  # frozen up to norm 2
    gaps, wrong, alphas = [], [], (0.04, 0.02, 0.01)
    for alpha in alphas:
        wait = tensor_flow([alpha * w for w in start], loss, [0, 1e6], stop=float(loss(0 * A)) - 0.5, rtol=1e-10)
        rho, times = np.linalg.norm(wait.end_to_end[-1]), [0, 0.1, 0.2]
        assert rho < 2
        full = tensor_flow(wait[-1], loss, times, rtol=1e-10, atol=1e-13)
        for r, found in ((q, gaps), (rest[0], wrong)):
            alone = [w[:, [r]] for w in wait[-1]]
            alone = [w * (rho / tensor.component_norms(alone)) ** (1 / 3) for w in alone]
            one = tensor_flow(alone, loss, times, rtol=1e-10, atol=1e-13)
            found.append(np.abs(full.end_to_end - one.end_to_end).max())
    assert abs(slope(alphas, gaps) - 3) < 3 * SLOPE
    assert min(wrong) > 0.05


def test_prop_overlapped_dual_every_completion_is_above_the_bound(rng):
    """`prop-overlapped-dual`: the certificate is feasible, and the solver closes the gap."""
    target = tensor.end_to_end(tensor.gaussian((4, 5, 6), 2, 1.0, rng=rng))
    mask = lnn.datasets.random_mask(target.shape, 70, rng=rng)
    seen = lnn.Entries(mask)
    found = unfolding.minimize(seen, seen(target), gap=1e-5)
    assert found.converged and 0 <= found.gap <= 1e-5
    np.testing.assert_array_equal(seen(found.tensor), seen(target))
    total = found.parts.sum(axis=0)
    assert np.abs(total[~mask]).max() < 1e-12
    spectral = [np.linalg.norm(np.moveaxis(found.parts[n], n, 0).reshape(target.shape[n], -1), 2) for n in range(3)]
    assert max(spectral) <= 1 + 1e-12
    assert np.sum(total * target) == pytest.approx(found.bound)
    for _ in range(20):
        other = np.where(mask, target, rng.standard_normal(target.shape))
        assert unfolding.overlapped_norm(other) >= found.bound
    assert unfolding.overlapped_norm(found.tensor) == pytest.approx(found.value)
    assert "converged after" in repr(found)


def test_def_hierarchical_ranks_are_bounded_by_the_local_components_that_are_left(rng):
    """`def-hierarchical`: matricizations by singular values, with local components set to zero."""
    weights = [w.copy() for w in hierarchical.gaussian((5, 4, 6, 3), 4, 1.0, rng=rng)]
    weights[4][[0, 2]] = 0  # node (1, 2): two local components left
    weights[6][1] = 0  # root: three left
    T = hierarchical.end_to_end(weights)
    assert np.count_nonzero(hierarchical.component_norms(weights) > 0, axis=1).tolist() == [2, 4, 3]
    ranks = {n: np.linalg.matrix_rank(unfolding.unfold(T, n)) for n in range(4)}
    assert ranks == {0: 2, 1: 2, 2: 4, 3: 3}
    assert np.linalg.matrix_rank(T.reshape(20, 18)) == 2  # at most 3 by the root, at most 2 through the left node


@pytest.mark.parametrize("node", [0, 1, 2])
def test_thm_local_components_speed_is_that_of_difference_quotients(node, rng):
    """`thm-local-components`: one local component balanced, the rest anyhow; at each inner node of order 4."""
    shape, r = (3, 2, 4, 2), 1
    weights = [w.copy() for w in hierarchical.gaussian(shape, 2, 0.9, rng=rng)]
    left, right = hierarchical.children(4 + node, 4)
    places = [(left, np.s_[:, r]), (right, np.s_[:, r]), (4 + node, np.s_[r, :])]
    common = np.prod([np.linalg.norm(weights[j][place]) for j, place in places]) ** (1 / 3)
    for j, place in places:
        weights[j][place] *= common / np.linalg.norm(weights[j][place])
    loss = sensing_loss(shape, rng)
    measured = speed(lambda w: hierarchical.component_norms(w)[node, r], weights, loss, hierarchical)
    only = [w.copy() for w in weights]
    only[4 + node][[q for q in range(2) if q != r]] = 0
    for j, place in places:
        only[j][place] /= common
    pull = -np.sum(loss.gradient(hierarchical.end_to_end(weights)) * hierarchical.end_to_end(only))
    assert abs(pull) > 1e-2
    assert measured == pytest.approx(3 * pull * common**4, rel=FLOW)
    assert symbolic.local_component_defect(node) == 0


def test_thm_local_components_conserves_what_the_witness_says(rng):
    """`thm-local-components`: differences of squared norms at every node, in numbers and symbolically."""
    assert symbolic.hierarchical_imbalance_speed().is_zero_matrix
    loss = sensing_loss((3, 2, 4, 2), rng)
    path = tensor_flow(
        hierarchical.gaussian((3, 2, 4, 2), 3, 0.8, rng=rng), loss, np.linspace(0, 0.5, 4), model=hierarchical
    )
    squares = hierarchical.vectors(path.weights) ** 2
    assert np.ptp(squares, axis=0).max() > 0.1
    assert np.ptp(squares - squares[..., :1, :], axis=0).max() < 1e-7
