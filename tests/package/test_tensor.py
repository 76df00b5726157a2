"""Factorized tensors: `lnn.tensor`, `lnn.hierarchical`, their flow and descent, and `lnn.unfolding`."""

import numpy as np
import pytest
from draws import seeds, slope
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT, SLOPE

import lnn
from lnn.convex import unfolding
from lnn.models import hierarchical, tensor

LETTERS = "abcdefgh"
shapes = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)


def by_einsum(factors):
    """End-to-end tensor of a CP factorization, by one sum over everything."""
    names = LETTERS[: len(factors)]
    return np.einsum(",".join(f"...{n}r" for n in names) + f"->...{names}", *factors)


def by_paths(weights):
    """End-to-end tensor of an order-4 tree, by one sum over all paths."""
    return np.einsum("...ap,...bp,...cq,...dq,...pr,...qr,...ro->...abcd", *weights)


@given(shapes, st.integers(1, 4), seeds)
def test_the_end_to_end_tensor_is_the_sum_of_products(shape, components, seed):
    rng = np.random.default_rng(seed)
    factors = tuple(rng.standard_normal((2, 3, d, components)) for d in shape)
    W = tensor.end_to_end(factors)
    assert W.shape == (2, 3, *shape)
    np.testing.assert_allclose(W, by_einsum(factors), rtol=EXACT, atol=EXACT * 10)
    np.testing.assert_allclose(W[1, 2], tensor.end_to_end([w[1, 2] for w in factors]), rtol=EXACT, atol=EXACT)


def test_the_tree_is_the_sum_over_its_paths():
    rng = np.random.default_rng(0)
    weights = tuple(rng.standard_normal((3, *w.shape)) for w in hierarchical.gaussian((5, 2, 4, 3), 6, 1.0, rng=rng))
    np.testing.assert_allclose(hierarchical.end_to_end(weights), by_paths(weights), rtol=EXACT, atol=EXACT * 1e3)
    one, two, top = hierarchical.gaussian((5, 3), 4, 1.0, rng=rng)
    np.testing.assert_allclose(hierarchical.end_to_end((one, two, top)), (one * top.T) @ two.T, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (tensor, (5, 3)),
        (tensor, (3, 4, 5)),
        (tensor, (3, 4, 2, 5)),
        (hierarchical, (5, 3)),
        (hierarchical, (5, 2, 4, 3)),
        (hierarchical, (2, 1, 3, 2, 1, 2, 2, 3)),
    ],
)
def test_the_pullback_leaves_a_taylor_remainder_of_second_order(model, shape):
    rng = np.random.default_rng(1)
    weights = model.gaussian(shape, 3, 0.7, rng=rng)
    step = model.gaussian(shape, 3, 0.7, rng=rng)
    loss = lnn.LeastSquares(lnn.Everything(shape), rng.standard_normal(np.prod(shape)))
    W = model.end_to_end(weights)
    linear = sum(np.sum(g * v) for g, v in zip(model.pullback(weights, loss.gradient(W)), step, strict=True))
    sizes = 10.0 ** -np.arange(3, 6)
    moved = [model.end_to_end([w + h * v for w, v in zip(weights, step, strict=True)]) for h in sizes]
    remainders = [abs(loss(M) - loss(W) - h * linear) for h, M in zip(sizes, moved, strict=True)]
    assert abs(slope(sizes, remainders) - 2) < SLOPE
    many = [np.stack([w, w + v]) for w, v in zip(weights, step, strict=True)]
    G = np.stack([loss.gradient(M) for M in model.end_to_end(many)])
    alone = model.pullback([w[1] for w in many], G[1])
    for both, single in zip(model.pullback(many, G), alone, strict=True):
        np.testing.assert_allclose(both[1], single, rtol=1e-10, atol=1e-10)


@given(shapes, st.integers(1, 4), seeds)
def test_component_norms_pulls_and_imbalance_are_those_of_the_components_one_by_one(shape, components, seed):
    rng = np.random.default_rng(seed)
    factors, G = tensor.gaussian(shape, components, 1.0, rng=rng), rng.standard_normal(shape)
    singles = [[w[:, [r]] for w in factors] for r in range(components)]
    tensors = [by_einsum(single) for single in singles]
    np.testing.assert_allclose(tensor.component_norms(factors), [np.linalg.norm(T) for T in tensors], rtol=1e-10)
    pulls = [-np.sum(G * T) / np.linalg.norm(T) for T in tensors]
    np.testing.assert_allclose(tensor.pulls(factors, G), pulls, rtol=1e-9, atol=1e-9)
    squares = [[np.linalg.norm(w) ** 2 for w in single] for single in singles]
    expected = max(max(row) - min(row) for row in squares)
    assert tensor.imbalance(factors) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    even = tensor.balance(factors)
    np.testing.assert_allclose(tensor.end_to_end(even), by_einsum(factors), rtol=1e-9, atol=1e-9)
    assert tensor.imbalance(even) < 1e-10 * (1 + expected)


def test_a_component_that_is_zero_has_no_pull_and_stays_zero_when_balanced():
    factors = (np.array([[0.0, 1.0], [0.0, 2.0]]), np.ones((3, 2)), np.ones((4, 2)))
    assert np.isnan(tensor.pulls(factors, np.ones((2, 3, 4)))).tolist() == [True, False]
    even = tensor.balance(factors)
    assert all((w[:, 0] == 0).all() for w in even) and np.isfinite(even[1]).all()


def test_local_components_are_a_row_and_two_columns():
    rng = np.random.default_rng(2)
    weights = hierarchical.gaussian((5, 2, 4, 3), 3, 1.0, rng=rng)
    a, b, c, d, left, right, top = weights
    nodes = [(a, b, left), (c, d, right), (left, right, top)]
    norm = np.linalg.norm
    expected = np.array([[[norm(u[:, r]), norm(v[:, r]), norm(w[r])] for r in range(3)] for u, v, w in nodes])
    np.testing.assert_allclose(hierarchical.component_norms(weights), expected.prod(-1), rtol=EXACT * 10)
    gaps = (expected**2).max(-1) - (expected**2).min(-1)
    assert hierarchical.imbalance(weights) == pytest.approx(gaps.max(), rel=1e-12)


@pytest.mark.parametrize(("model", "shape"), [(tensor, (3, 4, 5)), (hierarchical, (2, 3, 4, 2))])
def test_flow_and_descent_follow_the_pullback(model, shape):
    rng = np.random.default_rng(3)
    start = model.gaussian(shape, 2, 0.5, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask(shape, 20, rng=rng))
    loss = lnn.LeastSquares(seen, rng.standard_normal(20))
    by_hand = start
    for _ in range(3):
        gradients = model.pullback(by_hand, loss.gradient(model.end_to_end(by_hand)))
        by_hand = [w - 0.01 * g for w, g in zip(by_hand, gradients, strict=True)]
    steps = lnn.gradient_descent(start, loss, 0.01, 3, model=model)
    for w, expected in zip(steps[-1], by_hand, strict=True):
        np.testing.assert_allclose(w, expected, rtol=1e-10, atol=1e-12)
    ends = [lnn.gradient_descent(start, loss, 0.2 / k, k, model=model).end_to_end[-1] for k in (100, 200, 400)]
    flow = lnn.gradient_flow(start, loss, [0, 0.1, 0.2], model=model)
    errors = [np.linalg.norm(W - flow.end_to_end[-1]) for W in ends]
    assert abs(slope([1 / 100, 1 / 200, 1 / 400], errors) - 1) < SLOPE
    assert flow.outcome is lnn.Outcome.FINISHED and (np.diff(flow.losses) < 0).all()
    np.testing.assert_allclose(flow.losses, loss(flow.end_to_end), rtol=1e-12)
    np.testing.assert_allclose(flow.component_norms[1], model.component_norms(flow[1]), rtol=1e-12)
    assert len(flow) == 3 and len(list(flow)) == 3 and np.ptp(model.imbalance(flow)) < 1e-8


def test_a_trajectory_of_tensors_cannot_be_changed_and_says_what_it_is():
    rng = np.random.default_rng(4)
    loss = lnn.LeastSquares(lnn.Everything((2, 3, 4)), np.ones(24))
    path = lnn.gradient_flow(tensor.gaussian((2, 3, 4), 5, 0.1, rng=rng), loss, [0, 1], model=tensor)
    assert repr(path).startswith("Trajectory(tensor, 2x3x4, 3 factors, 2 times, loss 12 -> ")
    for array in (path.weights[0], path.end_to_end, path.component_norms, path.losses):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_measurements_of_tensors_have_their_adjoints():
    rng = np.random.default_rng(5)
    shape = (3, 4, 5)
    measures = [
        lnn.Everything(shape),
        lnn.Entries(lnn.datasets.random_mask(shape, 17, rng=rng)),
        lnn.Products(rng.standard_normal((6, *shape))),
    ]
    for measure in measures:
        W = rng.standard_normal((2, *shape))
        r = rng.standard_normal(measure(W).shape)
        np.testing.assert_allclose((measure(W) * r).sum(-1), (W * measure.adjoint(r)).sum((1, 2, 3)), rtol=1e-10)
        with pytest.raises(ValueError, match=r"tensors of shape \(3, 4, 5\), got \(4, 3, 5\)"):
            measure(np.zeros((4, 3, 5)))


def test_the_huber_loss_is_quadratic_near_and_linear_far():
    rng = np.random.default_rng(6)
    y = 3 * rng.standard_normal(60)
    loss = lnn.HuberLoss(lnn.Everything((3, 4, 5)), y, 0.8)
    W, V = rng.standard_normal((2, 3, 4, 5))
    z = (W.ravel() - y).tolist()
    assert loss(W) == pytest.approx(sum(x * x / 2 if abs(x) <= 0.8 else 0.8 * (abs(x) - 0.4) for x in z))
    h = 1e-6
    assert (loss(W + h * V) - loss(W - h * V)) / (2 * h) == pytest.approx(np.sum(V * loss.gradient(W)), rel=1e-6)
    assert loss(np.stack([W, V])).shape == (2,)


@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 4, 2, 5)])
def test_unfoldings_have_the_entries_of_the_tensor_and_the_norm_is_their_sum(shape):
    T = np.random.default_rng(7).standard_normal(shape)
    total = 0.0
    for mode in range(len(shape)):
        M = unfolding.unfold(T, mode)
        assert M.shape == (shape[mode], T.size // shape[mode])
        rows = [np.take(T, i, axis=mode).ravel() for i in range(shape[mode])]
        np.testing.assert_array_equal(M, rows)
        total += np.linalg.norm(M, "nuc")
    assert unfolding.overlapped_norm(T) == pytest.approx(total)


def test_of_a_matrix_the_overlapped_norm_is_minimized_where_the_nuclear_norm_is():
    rng = np.random.default_rng(8)
    target = lnn.datasets.low_rank((7, 9), 1, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask((7, 9), 40, rng=rng))
    twice = unfolding.minimize(seen, seen(target), gap=1e-6)
    once = lnn.nuclear.minimize(seen, seen(target), gap=1e-6)
    assert twice.value == pytest.approx(2 * once.value, rel=1e-5)
    np.testing.assert_allclose(twice.tensor, once.matrix, atol=1e-2)


def completion(shape=(4, 5, 6), seed=9):
    """Random observations of half the entries."""
    rng = np.random.default_rng(seed)
    seen = lnn.Entries(rng.random(shape) < 0.5)
    return seen, rng.standard_normal(int(seen.mask.sum()))


def test_a_certificate_is_feasible_and_the_gap_closes_within_the_iterations_of_the_page():
    seen, observed = completion()
    found = unfolding.minimize(seen, observed)  # with the default gap of 1e-4
    assert found.converged and found.iterations <= 300 and 0 <= found.gap <= 1e-4
    assert found.gap == pytest.approx((found.value - found.bound) / found.value)
    norms = [np.linalg.norm(unfolding.unfold(found.parts[n], n), 2) for n in range(3)]
    assert max(norms) <= 1 + 1e-12 and max(norms) > 0.99
    assert np.abs(found.parts.sum(axis=0)[~seen.mask]).max() < 1e-12
    again = unfolding.minimize(seen, observed, gap=1e-7, step=0.1)
    assert again.value == pytest.approx(found.value, rel=2e-4) and again.gap <= 1e-7
    assert again.bound <= found.value * (1 + 1e-12) and found.bound <= again.value * (1 + 1e-12)


def test_a_solution_says_how_it_ended():
    seen, observed = completion()
    cut = unfolding.minimize(seen, observed, max_iterations=7)
    assert not cut.converged and cut.iterations == 7 and cut.gap > 1e-4
    said = f"OverlappedSolution(4x5x6, norm {cut.value:.6g}, relative gap {cut.gap:.1e}, "
    assert repr(cut) == f"{said}NOT converged after 7 iterations)"
    whole = unfolding.minimize(seen, observed)
    assert repr(whole).endswith(f", converged after {whole.iterations} iterations)")
    for array in (whole.parts, whole.tensor):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_nothing_but_zeros_are_completed_by_zeros():
    seen, observed = completion()
    found = unfolding.minimize(seen, 0 * observed)
    assert found.tensor.shape == (4, 5, 6) and not found.tensor.any()
    assert found.parts.shape == (3, 4, 5, 6) and not found.parts.any()
    assert (found.value, found.bound, found.gap, found.iterations, found.converged) == (0.0, 0.0, 0.0, 0, True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tensor.check((np.ones((2, 3)),)), ValueError, "needs 2 factors or more, got 1"),
        (lambda: tensor.check((np.ones((2, 3)), np.ones((4, 2)))), ValueError, "2 components, but factor 1 has 3"),
        (lambda: tensor.check((np.ones((5, 2, 3)), np.ones((4, 3)))), ValueError, r"leading axes \(\), but"),
        (lambda: tensor.pullback([np.ones((2, 3))] * 3, np.ones((2, 2))), ValueError, r"shape \(2, 2, 2\)"),
        (lambda: tensor.gaussian((3,), 2, 1.0, rng=np.random.default_rng(0)), ValueError, "at least 2, got 1"),
        (lambda: tensor.gaussian((3, 4), 2, 1.0, rng=0), TypeError, "numpy.random.Generator"),
        (lambda: tensor.end_to_end((np.ones((2, 3)), np.full((2, 3), np.nan))), ValueError, "factor 2 must be finite"),
        (lambda: hierarchical.check([np.ones((2, 2))] * 5), ValueError, "2N - 1 matrices, got 5"),
        (lambda: hierarchical.check([np.ones((2, 2))] * 3), ValueError, r"factor 3 must have shape \(2, 1\)"),
        (lambda: hierarchical.gaussian((2, 3, 4), 2, 1.0, rng=np.random.default_rng(0)), ValueError, "4, 8, … modes"),
        (
            lambda: hierarchical.pullback([np.ones((2, 2)), np.ones((3, 2)), np.ones((2, 1))], np.ones((3, 2))),
            ValueError,
            r"shape \(2, 3\)",
        ),
        (lambda: unfolding.unfold(np.ones((2, 3)), 2), ValueError, "mode 2 needs a tensor of order 3"),
        (lambda: unfolding.minimize(lnn.Everything((2, 2)), np.ones(4)), TypeError, "from Entries"),
        (lambda: lnn.nuclear.minimize(lnn.Everything((2, 2, 2)), np.ones(8)), ValueError, "one of matrices"),
        (lambda: lnn.HuberLoss(lnn.Everything((2, 2)), np.ones(4), 0.0), ValueError, "threshold must be positive"),
        (lambda: lnn.Everything((3,)), ValueError, r"got \(3,\)"),
        (
            lambda: lnn.gradient_flow(
                [np.ones((4, 2, 3))] * 3, lnn.LeastSquares(lnn.Everything((2, 2, 2)), np.ones(8)), [0, 1], model=tensor
            ),
            ValueError,
            "got leading axes",
        ),
        (
            lambda: lnn.gradient_flow(
                [np.ones((2, 3))] * 3, lnn.LeastSquares(lnn.Everything((2, 2, 3)), np.ones(12)), [0, 1], model=tensor
            ),
            ValueError,
            "does not accept",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
