"""Nuclear norm minimization: answers that come with their proof, and honesty where there is none."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize
from tolerances import EXACT

import lnn
from lnn.convex import nuclear

rng_of = np.random.default_rng


def problem(kind, seed=0, shape=(9, 7)):
    """A measurement of some kind and the observations of a rank-2 matrix."""
    rng = rng_of(seed)
    target = lnn.datasets.low_rank(shape, 2, rng=rng)
    measure = {
        "entries": lambda: lnn.Entries(lnn.datasets.random_mask(shape, 40, rng=rng)),
        "products": lambda: lnn.Products(lnn.datasets.sensing(shape, 35, rng=rng)),
        "samples": lambda: lnn.Samples(rng.standard_normal((shape[1], 4))),
        "dependent": lambda: lnn.Products(
            np.concatenate([A := lnn.datasets.sensing(shape, 20, rng=rng), A[:5] + A[5:10]])
        ),
        "everything": lambda: lnn.Everything(shape),
    }[kind]()
    return measure, measure(target), target


KINDS = ("entries", "products", "samples", "dependent", "everything")


class Sums:
    """A measurement as a student writes it, for one matrix: on a stack of square ones its sums mean something else."""

    def __call__(self, W):
        return [W[0][0], W.sum((0, 1))]

    def adjoint(self, r):
        W = np.full((3, 3), r[1])
        W[0, 0] += r[0]
        return W


def test_a_measurement_of_ones_own_is_asked_for_one_matrix_at_a_time():
    rows = np.stack([Sums().adjoint(e) for e in np.eye(2)])
    own, right = (nuclear.minimize(measure, [2.0, 1.0]) for measure in (Sums(), lnn.Products(rows)))
    assert own.value == pytest.approx(right.value, rel=1e-9)
    weights = (np.eye(3), 0.3 * np.ones((3, 3)))
    for run in (
        lambda loss: lnn.gradient_descent(weights, loss, 0.02, 9),
        lambda loss: lnn.gradient_flow(weights, loss, [0, 0.2, 0.5], stop=1e-3),
        lambda loss: lnn.ensemble_descent([np.stack([W] * 3) for W in weights], loss, 0.02, 9),
    ):
        own, right = (run(lnn.LeastSquares(measure, [2.0, 1.0])) for measure in (Sums(), lnn.Products(rows)))
        np.testing.assert_allclose(own.losses, right.losses, rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_is_feasible_and_its_dual_proves_it_best(kind):
    measure, observed, target = problem(kind)
    found = nuclear.minimize(measure, observed, gap=1e-7, max_iterations=20_000)
    assert found.converged
    assert found.residual == pytest.approx(np.linalg.norm(measure(found.matrix) - observed) / np.linalg.norm(observed))
    assert found.residual < EXACT
    assert np.linalg.norm(measure.adjoint(found.dual), 2) <= 1 + EXACT
    norm = np.linalg.norm(found.matrix, "nuc")
    assert found.value == pytest.approx(norm, rel=EXACT)
    assert found.bound == pytest.approx(found.dual @ observed, rel=EXACT)
    assert -EXACT <= found.gap == pytest.approx((norm - found.dual @ observed) / norm, abs=EXACT)
    assert found.gap <= 1e-7
    # Weak duality: the bound holds for the target too, which has the same observations.
    assert np.linalg.norm(target, "nuc") >= found.bound - EXACT * norm


@pytest.mark.parametrize("kind", ["entries", "products", "samples", "dependent"])
def test_no_other_matrix_with_these_observations_has_a_smaller_norm(kind):
    measure, observed, _ = problem(kind, seed=1)
    found = nuclear.minimize(measure, observed, gap=1e-9, max_iterations=50_000)
    # An orthonormal basis of the directions that no measurement sees, from the measurement written as a matrix.
    shape = found.matrix.shape
    rows = np.stack([measure(E.reshape(shape)) for E in np.eye(found.matrix.size)], axis=1)
    _, values, Vt = np.linalg.svd(rows)
    unseen = Vt[(values > 1e-10).sum() :]
    rng = rng_of(2)
    for size in (1e-3, 1e-1, 1.0):
        for _ in range(50):
            D = (rng.standard_normal(len(unseen)) @ unseen).reshape(shape)
            assert np.linalg.norm(found.matrix + size * D, "nuc") > found.value * (1 - 1e-9)


def test_an_independent_solver_finds_the_same_value():
    """With W = UVᵀ, ‖W‖_* is the least ½(‖U‖² + ‖V‖²): SciPy's SLSQP on the factors."""
    measure, observed, _ = problem("products", seed=3, shape=(4, 3))
    measure, observed = lnn.Products(measure.A[:6]), observed[:6]

    def split(x):
        return x[:12].reshape(4, 3), x[12:].reshape(3, 3)

    answers = []
    for seed in range(5):
        answer = scipy_minimize(
            lambda x: 0.5 * x @ x,
            rng_of(seed).standard_normal(21),
            jac=lambda x: x,
            constraints={"type": "eq", "fun": lambda x: measure(split(x)[0] @ split(x)[1]) - observed},
            method="SLSQP",
            options={"maxiter": 1000, "ftol": 1e-12},
        )
        answers.append(answer.fun if answer.success else np.inf)
    assert nuclear.minimize(measure, observed, gap=1e-9, max_iterations=50_000).value == pytest.approx(
        min(answers), rel=1e-6
    )


def test_the_missing_corner_of_a_small_matrix_comes_out_as_known():
    """Of [[a, b], [c, x]] with a > 0 the best is x = bc/a if |bc/a| ≤ a: rank 1; here that is 1·1/2 and 3·2/6."""
    mask = np.array([[True, True], [True, False]])
    for a, b, c in ((2.0, 1.0, 1.0), (6.0, 3.0, 2.0), (5.0, -2.0, 2.0)):
        found = nuclear.minimize(lnn.Entries(mask), [a, b, c], gap=1e-12, max_iterations=100_000)
        assert found.matrix[1, 1] == pytest.approx(b * c / a, abs=1e-4)
        assert found.value == pytest.approx(np.sqrt((a**2 + b**2) * (a**2 + c**2)) / a, rel=1e-9)


def test_one_observed_entry_gives_that_entry_and_zeros():
    mask = np.zeros((5, 4), dtype=bool)
    mask[2, 1] = True
    found = nuclear.minimize(lnn.Entries(mask), [-3.0])
    assert np.abs(found.matrix + 3.0 * mask).max() < EXACT
    assert found.dual == pytest.approx([-1.0])


def test_observations_of_zero_give_zero():
    measure, observed, _ = problem("products")
    found = nuclear.minimize(measure, 0 * observed)
    assert found.converged
    assert not found.matrix.any()
    assert found.value == found.bound == found.gap == found.residual == 0


def test_all_entries_give_the_matrix_itself():
    target = rng_of(0).standard_normal((6, 4))
    for measure in (lnn.Everything((6, 4)), lnn.Entries(np.ones((6, 4), dtype=bool))):
        found = nuclear.minimize(measure, measure(target))
        assert np.abs(found.matrix - target).max() < EXACT
        U, _, Vt = np.linalg.svd(target, full_matrices=False)
        assert np.abs(measure.adjoint(found.dual) - U @ Vt).max() < 1e-5  # the only subgradient


def test_half_of_the_entries_recover_a_matrix_of_low_rank_and_a_tenth_do_not():
    rng = rng_of(0)
    target = lnn.datasets.low_rank((40, 30), 2, rng=rng)
    many = lnn.Entries(lnn.datasets.random_mask(target.shape, 600, rng=rng))
    few = lnn.Entries(lnn.datasets.random_mask(target.shape, 150, rng=rng))
    found = nuclear.minimize(many, many(target), gap=1e-9)
    assert found.converged
    assert np.mean((found.matrix - target) ** 2) < 1e-10
    found = nuclear.minimize(few, few(target))
    # The certificate proves that the ground truth is not the matrix of least nuclear norm.
    assert found.value < 0.9 * np.linalg.norm(target, "nuc")
    assert np.mean((found.matrix - target) ** 2) > 0.1


def test_the_reference_problems_take_few_iterations():
    rng = rng_of(0)
    target = lnn.datasets.low_rank((100, 100), 5, rng=rng)
    for count, most in ((2_000, 600), (5_000, 200)):
        seen = lnn.Entries(lnn.datasets.random_mask(target.shape, count, rng=rng))
        found = nuclear.minimize(seen, seen(target))
        assert found.converged
        assert found.iterations <= most


def test_the_step_decides_on_speed_only():
    measure, observed, _ = problem("entries")
    values = [nuclear.minimize(measure, observed, step=s, gap=1e-8, max_iterations=50_000).value for s in (0.1, 0.2, 1)]
    assert np.ptp(values) < 2e-8 * values[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_gram_matrix_holds_the_inner_products_of_the_measurements(kind):
    measure, observed, target = problem(kind)
    rows = np.stack([measure(E.reshape(target.shape)) for E in np.eye(target.size)], axis=1)
    assert np.abs(nuclear.gram(measure, observed.size) - rows @ rows.T).max() < EXACT


def test_a_run_that_is_cut_short_says_so_and_is_still_feasible():
    measure, observed, _ = problem("entries")
    found = nuclear.minimize(measure, observed, max_iterations=3)
    assert not found.converged
    assert "NOT converged" in repr(found)
    assert found.iterations == 3
    assert found.gap > 1e-6
    assert found.residual < EXACT
    assert np.linalg.norm(measure.adjoint(found.dual), 2) <= 1 + EXACT
    better = nuclear.minimize(measure, observed, gap=1e-9, max_iterations=50_000)
    assert found.bound <= better.value <= found.value * (1 + 1e-9)


def test_observations_that_contradict_each_other_are_refused():
    measure, observed, _ = problem("dependent")
    spoiled = observed.copy()
    spoiled[-1] += 1.0
    with pytest.raises(ValueError, match="25 measurements have rank 20"):
        nuclear.minimize(measure, spoiled)
    samples, _, _ = problem("samples")
    repeated = lnn.Samples(np.hstack([samples.X, samples.X[:, :1]]))
    with pytest.raises(ValueError, match="contradict"):
        nuclear.minimize(repeated, rng_of(0).standard_normal(9 * 5))
    with pytest.raises(ValueError, match="rank 0"):
        nuclear.minimize(lnn.Products(np.zeros((2, 3, 3))), [1.0, 0.0])


@pytest.mark.parametrize(
    ("observed", "options", "kind", "message"),
    [
        ([[1.0], [2.0]], {}, ValueError, "flat vector"),
        ([1.0, 2.0, 3.0], {}, ValueError, "3 numbers"),
        ([1.0, np.nan], {}, ValueError, "finite"),
        ([1.0, 2j], {}, TypeError, "real"),
        ([1.0, 2.0], {"gap": 0.0}, ValueError, "gap must be positive"),
        ([1.0, 2.0], {"step": -1.0}, ValueError, "step must be positive"),
        ([1.0, 2.0], {"max_iterations": 0}, ValueError, "max_iterations must be at least 1"),
        ([1.0, 2.0], {"max_iterations": 10.0}, TypeError, "whole number"),
    ],
)
def test_misuse_is_named(observed, options, kind, message):
    with pytest.raises(kind, match=message):
        nuclear.minimize(lnn.Entries(np.eye(2) == 1), observed, **options)


def test_what_is_no_measurement_is_refused():
    with pytest.raises(TypeError, match="adjoint"):
        nuclear.minimize(lambda W: W.ravel(), [1.0])


def test_the_record_is_read_only_and_leaves_its_input_alone():
    observed = np.arange(12.0)
    found = nuclear.minimize(lnn.Everything((3, 4)), observed)
    assert np.array_equal(observed, np.arange(12.0))
    assert observed.flags.writeable
    assert not found.matrix.flags.writeable
    assert not found.dual.flags.writeable
    with pytest.raises(AttributeError):
        found.gap = 0.0


def test_the_bar_does_not_change_the_answer():
    measure, observed, _ = problem("entries")
    assert np.array_equal(
        nuclear.minimize(measure, observed, progress=True).matrix, nuclear.minimize(measure, observed).matrix
    )


def test_the_doctest_holds():
    import doctest

    assert doctest.testmod(nuclear).failed == 0
