"""Each optimizer against its published rule, written out entry by entry, and on a quadratic with a known answer."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from draws import WIDTHS, network
from tolerances import EXACT

import lnn

STEPS = 12


def problem(seed=0, widths=WIDTHS):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((widths[0], 11)), rng.standard_normal((widths[-1], 11))
    return tuple(0.4 * W for W in network(widths, rng)), lnn.PowerLoss(lnn.Samples(X), Y.ravel(), 4)


def partials(weights, loss):
    """Partial derivatives of the loss in all entries, by complex-free central differences of fourth order."""
    flat, sizes = lnn.pack(weights), lnn.widths(weights)

    def value(v):
        return float(loss(lnn.end_to_end(lnn.unpack(v, sizes))))

    h, found = 1e-3, np.empty_like(flat)
    for i in range(flat.size):
        e = np.zeros_like(flat)
        e[i] = h
        found[i] = (8 * (value(flat + e) - value(flat - e)) - (value(flat + 2 * e) - value(flat - 2 * e))) / (12 * h)
    return found


def gradient(flat, sizes, loss):
    """All partial derivatives in one vector, from lem-gradient written with explicit products."""
    weights = lnn.unpack(flat, sizes)
    W = np.linalg.multi_dot(weights[::-1]) if len(weights) > 1 else weights[0]
    G, parts = loss.gradient(W), []
    for j in range(len(weights)):
        above, below = np.eye(sizes[-1]), np.eye(sizes[0])
        for layer in weights[j + 1 :][::-1]:
            above = above @ layer
        for layer in weights[:j]:
            below = layer @ below
        parts.append((above.T @ G @ below.T).ravel())
    return np.concatenate(parts)


def heavy_ball(x, g, k, state, eta, beta):
    """[Pol64]: x_{k+1} = x_k - η g_k + β (x_k - x_{k-1}), one entry."""
    before = state.get("x", x)
    state["x"] = x
    return x - eta * g + beta * (x - before)


def adagrad(x, g, k, state, eta, delta):
    """[DHS11], Figure 1, diagonal: s = ‖g_{1:k}‖_2, H = δ + s, x_{k+1} = x_k - η g / H, one entry."""
    state.setdefault("history", []).append(g)
    return x - eta * g / (delta + math.sqrt(math.fsum(value**2 for value in state["history"])))


def adadelta(x, g, k, state, eta, rho, epsilon):
    """[Zei12], Algorithm 1, one entry; the running means as explicit sums over the past."""
    gradients, moves = state.setdefault("g", []), state.setdefault("move", [])
    gradients.append(g)
    mean_square = (1 - rho) * math.fsum(rho ** (len(gradients) - 1 - i) * v**2 for i, v in enumerate(gradients))
    mean_move = (1 - rho) * math.fsum(rho ** (len(moves) - 1 - i) * v**2 for i, v in enumerate(moves))
    moves.append(-math.sqrt(mean_move + epsilon) / math.sqrt(mean_square + epsilon) * g)
    return x + eta * moves[-1]


def adam(x, g, k, state, alpha, beta1, beta2, epsilon):
    """[KB15], Algorithm 1, one entry; the moments as explicit sums over the past."""
    past = state.setdefault("g", [])
    past.append(g)
    m = (1 - beta1) * math.fsum(beta1 ** (k - 1 - i) * v for i, v in enumerate(past))
    v = (1 - beta2) * math.fsum(beta2 ** (k - 1 - i) * v**2 for i, v in enumerate(past))
    return x - alpha * (m / (1 - beta1**k)) / (math.sqrt(v / (1 - beta2**k)) + epsilon)


CASES = {
    "momentum": (lnn.momentum, 0.0003, {"beta": 0.8}, heavy_ball, (0.8,)),
    "adagrad": (lnn.adagrad, 0.05, {"epsilon": 0.3}, adagrad, (0.3,)),
    "adadelta": (lnn.adadelta, 1.7, {"rho": 0.9, "epsilon": 0.02}, adadelta, (0.9, 0.02)),
    "adam": (lnn.adam, 0.04, {"betas": (0.7, 0.95), "epsilon": 0.1}, adam, (0.7, 0.95, 0.1)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("widths", [WIDTHS, (7, 5)])
def test_an_optimizer_is_its_published_rule_entry_by_entry(name, widths):
    verb, eta, options, one_entry, constants = CASES[name]
    weights, loss = problem(widths=widths)
    path = verb(weights, loss, eta, STEPS, **options)
    flat = lnn.pack(weights)
    states = [{} for _ in flat]
    for k in range(1, STEPS + 1):
        g = gradient(flat, widths, loss)
        flat = np.array([one_entry(x, d, k, s, eta, *constants) for x, d, s in zip(flat, g, states, strict=True)])
        np.testing.assert_allclose(lnn.pack(path[k]), flat, rtol=0, atol=1e3 * EXACT)
    assert np.allclose(path.times, eta * np.arange(STEPS + 1), rtol=EXACT)
    assert np.isclose(path.losses[-1], float(loss(lnn.end_to_end(lnn.unpack(flat, widths)))), rtol=1e-9)


def test_the_explicit_gradient_of_these_tests_is_the_derivative_of_the_loss():
    weights, loss = problem()
    exact = gradient(lnn.pack(weights), WIDTHS, loss)
    np.testing.assert_allclose(partials(weights, loss), exact, atol=1e-7 * np.abs(exact).max())


def quadratic(values, target):
    """½ Σ λ_i (w_i - y_i)² over a row w."""
    root = np.sqrt(np.array(values))
    return lnn.LeastSquares(lnn.Samples(np.diag(root)), root * np.array(target))


def test_the_heavy_ball_contracts_a_quadratic_by_the_root_of_its_decay():
    K = 64.0
    root = (math.sqrt(K) - 1) / (math.sqrt(K) + 1)
    eta = (1 + root) ** 2 / K
    path = lnn.momentum((np.ones((1, 3)),), quadratic([1, 20, K], [0, 0, 0]), eta, 300, beta=root**2)
    sizes = np.linalg.norm(path.end_to_end, axis=(1, 2))
    # At the extreme eigenvalues the root is double: the error is (k + const) root^k.
    assert (sizes[300] / 301) / (sizes[150] / 151) == pytest.approx(root**150, rel=0.05)


def test_the_heavy_ball_without_decay_is_gradient_descent():
    weights, loss = problem()
    ball, plain = lnn.momentum(weights, loss, 1e-4, 9, beta=0), lnn.gradient_descent(weights, loss, 1e-4, 9)
    assert plain.losses[-1] < plain.losses[0]
    np.testing.assert_allclose(ball.losses, plain.losses, rtol=EXACT)


def test_the_first_step_of_adagrad_and_adam_moves_every_entry_by_the_step_size():
    f = quadratic([1e-3, 1.0, 1e4], [1.0, -2.0, 3.0])
    for verb in (lnn.adagrad, lnn.adam):
        first = verb((np.zeros((1, 3)),), f, 0.25, 1, epsilon=1e-14).end_to_end[1, 0]
        np.testing.assert_allclose(first, [0.25, -0.25, 0.25], rtol=1e-9)


def test_adagrad_on_one_quadratic_finds_the_minimum_in_one_step_of_its_distance():
    path = lnn.adagrad((np.zeros((1, 2)),), quadratic([5.0, 5.0], [2.0, -2.0]), 2.0, 1, epsilon=1e-300)
    np.testing.assert_allclose(path.end_to_end[-1], [[2.0, -2.0]], rtol=EXACT)


def test_the_first_step_of_adadelta_has_the_size_of_the_published_formula():
    epsilon, rho = 1e-6, 0.95
    f = quadratic([1.0], [-3.0])
    moved = lnn.adadelta((np.zeros((1, 1)),), f, 1.0, 1, rho=rho, epsilon=epsilon).end_to_end[1, 0, 0]
    assert moved == pytest.approx(-3 * math.sqrt(epsilon / (0.05 * 9 + epsilon)), rel=1e-12)


@pytest.mark.parametrize(
    ("verb", "eta", "steps"), [(lnn.adagrad, 1.0, 3000), (lnn.adam, 0.05, 3000), (lnn.adadelta, 1.0, 6000)]
)
def test_adaptive_methods_reach_the_minimum_of_a_quadratic(verb, eta, steps):
    target = np.array([1.0, -2.0, 0.5])
    path = verb((np.zeros((1, 3)),), quadratic([0.5, 2.0, 7.0], target), eta, steps, every=steps)
    np.testing.assert_allclose(path.end_to_end[-1, 0], target, atol=2e-2)
    assert path.losses[-1] < 1e-3 * path.losses[0]


def test_scaling_the_loss_changes_plain_descent_and_not_adagrad_or_adam():
    one, many = quadratic([1.0, 3.0], [1.0, 2.0]), quadratic([100.0, 300.0], [1.0, 2.0])
    start = (np.full((1, 2), 0.1),)
    for verb in (lnn.adagrad, lnn.adam):
        a, b = (verb(start, f, 0.1, 20, epsilon=1e-300).end_to_end for f in (one, many))
        np.testing.assert_allclose(a, b, rtol=1e-9)
    a, b = (lnn.momentum(start, f, 0.001, 20).end_to_end for f in (one, many))
    assert np.abs(a - b)[-1].min() > 0.1


def test_divergence_is_an_outcome_with_the_finite_part_kept():
    path = lnn.momentum((np.ones((1, 2)),), problem(widths=(2, 1))[1], 50.0, 500)
    assert path.outcome is lnn.Outcome.DIVERGED
    assert len(path) > 1 and np.isfinite(path.losses).all()


def test_runs_are_thinned_and_stopped_as_plain_descent_is():
    f = quadratic([1.0, 2.0], [1.0, 2.0])
    path = lnn.adam((np.zeros((1, 2)),), f, 0.1, 500, every=7, stop=1e-2)
    assert path.outcome is lnn.Outcome.CONVERGED
    assert np.allclose(np.diff(path.times), 0.7)
    assert path.losses[-1] <= 1e-2 < path.losses[-2]


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        (lnn.momentum, {"beta": 1.0}, r"beta must lie in \[0, 1\), got 1.0"),
        (lnn.momentum, {"beta": -0.1}, "beta must be positive"),
        (lnn.adam, {"betas": (0.9, 1.5)}, r"beta 2 must lie in \[0, 1\), got 1.5"),
        (lnn.adagrad, {"epsilon": 0}, "epsilon must be positive"),
        (lnn.adadelta, {"epsilon": -1.0}, "epsilon must be positive"),
    ],
)
def test_constants_out_of_range_are_refused(verb, options, message):
    weights, loss = problem()
    with pytest.raises(ValueError, match=message):
        verb(weights, loss, 0.1, 3, **options)
    with pytest.raises(ValueError, match="step_size must be positive"):
        verb(weights, loss, 0.0, 3)


# A rule for whole matrices, as a reader writes it.
@dataclass(frozen=True)
class Orthogonalized:
    """Momentum whose directions are the orthogonal factors U Vᵀ of the velocities' singular value decompositions."""

    beta: float = 0.9

    def start(self, factors):
        return tuple(np.zeros_like(W) for W in factors)

    def update(self, k, gradients, memory):
        memory = tuple(self.beta * V + G for V, G in zip(memory, gradients, strict=True))
        return [U @ Vt for U, _, Vt in (np.linalg.svd(V, full_matrices=False) for V in memory)], memory


def test_a_rule_for_whole_matrices_needs_no_more_than_this():
    weights, loss = problem()
    eta = 1e-3
    path = lnn.gradient_descent(weights, loss, eta, 40, rule=Orthogonalized())
    assert path.outcome is lnn.Outcome.FINISHED and path.losses[-1] < path.losses[0]
    velocity = [np.zeros_like(W) for W in weights]
    for k in range(40):
        G = lnn.pullback(path[k], loss.gradient(path.end_to_end[k]))
        velocity = [0.9 * V + D for V, D in zip(velocity, G, strict=True)]
        for before, after, V in zip(path[k], path[k + 1], velocity, strict=True):
            move = (before - after) / eta
            values = lnn.singular_values(move)
            np.testing.assert_allclose(values, np.ones_like(values), rtol=1e-8)  # of full rank, and orthogonal
            np.testing.assert_allclose(np.sum(move * V), lnn.singular_values(V).sum(), rtol=1e-8)  # the one along V
    cube = lnn.tensor.gaussian((2, 3, 4), 2, 0.5, rng=np.random.default_rng(0))
    ones = lnn.LeastSquares(lnn.Everything((2, 3, 4)), np.ones(24))
    assert lnn.gradient_descent(cube, ones, 1e-2, 9, rule=Orthogonalized(), model=lnn.tensor).losses[-1] < float(
        ones(lnn.tensor.end_to_end(cube))
    )


@dataclass(frozen=True)
class Doubling:
    """A rule that blows up, or breaks down, at a step of its choice."""

    how: str

    def start(self, factors):
        return None

    def update(self, k, gradients, memory):
        if k < 4:
            return gradients, memory
        if self.how == "overflow":
            return [np.full_like(G, 1e300) * 1e300 for G in gradients], memory
        if self.how == "no decomposition":
            return [np.linalg.cholesky(-np.eye(len(G))) @ G for G in gradients], memory
        if self.how == "nan":
            return [np.full_like(G, np.nan) for G in gradients], memory
        return [-1e3 * W for W in gradients], memory


@pytest.mark.parametrize("how", ["overflow", "no decomposition", "nan", "growth"])
def test_a_rule_that_blows_up_ends_as_diverged_with_its_finite_part_kept(how):
    weights, loss = problem()
    path = lnn.gradient_descent(weights, loss, 1e-4, 400, rule=Doubling(how))
    assert path.outcome is lnn.Outcome.DIVERGED and np.isfinite(path.losses).all()
    assert len(path) == 4 if how != "growth" else len(path) > 4
    blown = lnn.gradient_descent(weights, loss, 1e200, 9, rule=Orthogonalized())
    assert blown.outcome is lnn.Outcome.DIVERGED and len(blown) == 1


@pytest.mark.parametrize("entrywise", [True, False])
def test_directions_of_other_shapes_are_refused(entrywise):
    weights, loss = problem()

    class Scalar:
        def start(self, factors):
            return None

        def update(self, k, gradients, memory):
            return np.float64(1.0) if entrywise else [G.T for G in gradients], memory

    rule = Scalar()
    rule.entrywise = entrywise
    with pytest.raises(ValueError, match=r"the rule moves \(.*\) by a direction of shape"):
        lnn.gradient_descent(weights, loss, 1e-3, 2, rule=rule)


def test_a_rule_may_keep_the_gradients_that_it_was_given():
    kept = []

    class Keeping:
        def start(self, factors):
            return kept

        def update(self, k, gradients, memory):
            memory.append(gradients)
            return gradients, memory

    weights, loss = problem()
    path = lnn.gradient_descent(weights, loss, 1e-4, 3, rule=Keeping())
    assert len(kept) == 3
    for k, gradients in enumerate(kept):
        expected = lnn.pullback(path[k], loss.gradient(path.end_to_end[k]))
        assert all(np.allclose(G, D, rtol=1e-9) for G, D in zip(gradients, expected, strict=True))


def test_the_old_names_of_the_knobs_hold_for_one_edition():
    weights, loss = problem()
    for verb, old, new in (
        (lnn.momentum, {"decay": 0.5}, {"beta": 0.5}),
        (lnn.adadelta, {"decay": 0.5}, {"rho": 0.5}),
        (lnn.adam, {"decays": (0.5, 0.6)}, {"betas": (0.5, 0.6)}),
    ):
        assert np.array_equal(verb(weights, loss, 1e-3, 4, **old).losses, verb(weights, loss, 1e-3, 4, **new).losses)
        with pytest.raises(TypeError):
            verb(weights, loss, 1e-3, 4, rate=1)


@pytest.mark.parametrize("zero", [0, 0.0, np.float32(0), np.int64(0), np.array(0.0)])
def test_a_fraction_is_any_real_number_and_no_truth_value(zero):
    weights, loss = problem()
    plain = lnn.gradient_descent(weights, loss, 1e-4, 3)
    np.testing.assert_allclose(lnn.momentum(weights, loss, 1e-4, 3, beta=zero).losses, plain.losses, rtol=EXACT)
    for wrong in (False, np.False_, "0", [0.5], None, 0j):
        with pytest.raises(TypeError, match="beta must be a real number"):
            lnn.momentum(weights, loss, 1e-4, 3, beta=wrong)
    for wrong in (0.9, (0.9,), None):
        with pytest.raises(ValueError, match="betas must be a pair of numbers"):
            lnn.adam(weights, loss, 1e-4, 3, betas=wrong)
