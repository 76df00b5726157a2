"""Losses of classifiers against sums in high precision, differences and each other; margins against loops."""

import mpmath
import numpy as np
import pytest
from draws import WIDTHS, network, seeds
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

import lnn

KINDS = ("LogisticLoss", "ExponentialLoss", "CrossEntropy")


def problem(kind, seed=0, samples=9, leading=()):
    rng = np.random.default_rng(seed)
    X, rows = rng.standard_normal((4, samples)), 3 if kind == "CrossEntropy" else 1
    labels = rng.integers(0, rows, samples) if rows > 1 else rng.choice([-1, 1], samples)
    return getattr(lnn, kind)(X, labels), rng.standard_normal((*leading, rows, 4)), X, labels


def by_definition(kind, W, X, labels):
    """The loss in 400 digits, sample by sample: the parts of a tail survive there."""
    with mpmath.workdps(400):
        total = mpmath.mpf(0)
        for x, y in zip(X.T, labels, strict=True):
            scores = [mpmath.fsum(mpmath.mpf(a) * mpmath.mpf(b) for a, b in zip(row, x, strict=True)) for row in W]
            if kind == "CrossEntropy":
                chances = [mpmath.exp(s) for s in scores]
                total -= mpmath.log(chances[y] / mpmath.fsum(chances))
            else:
                tail = mpmath.exp(-int(y) * scores[0])
                total += tail if kind == "ExponentialLoss" else mpmath.log(1 + tail)
        return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", [0.0, 1.0, -3.0, 30.0, 300.0, 600.0, -30.0, -600.0])
def test_the_loss_of_one_sample_is_right_to_rounding_in_both_tails(kind, score):
    rows = [[score]] if kind != "CrossEntropy" else [[0.25], [score], [-1.5]]
    label = 1  # the class of the second row, or +1
    loss, W = getattr(lnn, kind)([[1.0]], [label]), np.array(rows)
    wanted = by_definition(kind, W, np.array([[1.0]]), [label])
    assert float(abs(mpmath.mpf(float(loss(W))) - wanted) / wanted) < 1e-13
    # The slope is small where the loss is, and right there too: a difference in high precision.
    h = mpmath.mpf(10) ** -60
    with mpmath.workdps(400):
        V = [[mpmath.mpf(0)] for _ in rows]
        V[-1 if kind != "CrossEntropy" else 1] = [h]
        moved = [[mpmath.mpf(w[0]) + v[0]] for w, v in zip(rows, V, strict=True)]
        slope = (by_definition(kind, moved, np.array([[1.0]]), [label]) - wanted) / h
    found = loss.gradient(W)[1 if kind == "CrossEntropy" else 0, 0]
    assert float(abs(mpmath.mpf(float(found)) - slope) / abs(slope)) < 1e-13


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
def test_loss_gradient_and_second_derivative_belong_together(kind, seed):
    loss, W, X, labels = problem(kind, seed)
    assert float(abs(by_definition(kind, W, X, labels) / float(loss(W)) - 1)) < EXACT
    V, h = np.random.default_rng(seed).standard_normal(W.shape), 1e-5
    rise = (loss(W + h * V) - loss(W - h * V)) / (2 * h)
    turn = (loss.gradient(W + h * V) - loss.gradient(W - h * V)) / (2 * h)
    size = 1 + float(np.exp(np.abs(W @ X).max())) * np.abs(X).max() ** 3 * np.abs(V).max()  # of what is differenced
    assert abs(rise - (loss.gradient(W) * V).sum()) < 1e-7 * size
    np.testing.assert_allclose(loss.hessian_vector(W, V), turn, rtol=0, atol=1e-7 * size)


@pytest.mark.parametrize("kind", KINDS)
def test_stacks_are_answered_one_by_one(kind):
    loss, W, X, labels = problem(kind, leading=(2, 5))
    V = W[::-1]
    for ask in (loss, loss.gradient, lambda W: lnn.margin(W, X, labels)):
        found = ask(W)
        for k in np.ndindex(2, 5):
            np.testing.assert_allclose(found[k], ask(W[k]), rtol=EXACT, atol=1e-15)
    np.testing.assert_allclose(loss.hessian_vector(W, V)[1, 3], loss.hessian_vector(W[1, 3], V[1, 3]), rtol=1e-10)


def test_the_cross_entropy_of_two_rows_is_the_logistic_loss_of_their_difference():
    logistic, _, X, signs = problem("LogisticLoss")
    W = np.random.default_rng(1).standard_normal((2, 4))
    both = lnn.CrossEntropy(X, (signs + 1) // 2)
    np.testing.assert_allclose(both(W), logistic(W[1:] - W[:1]), rtol=EXACT)
    np.testing.assert_allclose(both.gradient(W)[1:], logistic.gradient(W[1:] - W[:1]), rtol=1e-10)
    assert lnn.CrossEntropy(X, np.zeros(9))(W[:1]) == 0  # one class: nothing to be wrong about


@pytest.mark.parametrize("kind", KINDS)
def test_descent_over_layers_separates_the_classes_and_sharpness_knows_the_loss(kind):
    rng = np.random.default_rng(2)
    rows = 3 if kind == "CrossEntropy" else 1
    truth, X = rng.standard_normal((rows, 4)), rng.standard_normal((4, 12))
    labels = np.argmax(truth @ X, axis=0) if rows > 1 else np.sign(truth @ X)[0]
    loss = getattr(lnn, kind)(X, labels)
    start = lnn.initial.gaussian((4, 5, rows), 0.1, rng=rng)
    path = lnn.gradient_descent(start, loss, 0.02, 3000, every=100)
    found = lnn.margin(path, X, labels)
    assert path.losses[-1] < 0.02 * path.losses[0] and found[0] < 0 < found[-1]
    h, move = 1e-5, network((4, 5, rows), rng)
    ahead, behind = (
        lnn.pack(lnn.pullback(near, loss.gradient(lnn.end_to_end(near))))
        for near in ([W + s * h * V for W, V in zip(start, move, strict=True)] for s in (1, -1))
    )
    product = lnn.pack(lnn.hessian_vector(start, loss, move))
    np.testing.assert_allclose(product, (ahead - behind) / (2 * h), rtol=0, atol=1e-7 * np.abs(product).max())


@given(seeds, st.integers(1, 8))
def test_the_margin_is_that_of_the_worst_sample_and_what_the_exponential_loss_says(seed, samples):
    for kind in ("ExponentialLoss", "CrossEntropy"):
        loss, W, X, labels = problem(kind, seed, samples)
        scores = W @ X
        if kind == "CrossEntropy":
            rivals = [scores[y, i] - scores[k, i] for i, y in enumerate(labels) for k in range(3) if k != y]
        else:
            rivals = [y * s for y, s in zip(labels, scores[0], strict=True)]
            low, high = -np.log(loss(W)), -np.log(loss(W) / samples)  # log of a sum and of a mean of exponentials
            assert low - 1e-9 <= lnn.margin(W, X, labels) * np.linalg.norm(W) <= high + 1e-9
        found = lnn.margin(W, X, labels)
        assert found == pytest.approx(min(rivals) / np.sqrt((W**2).sum()), rel=1e-12)
        factors = lnn.initial.balanced(W, (4, 4, W.shape[0]))
        assert lnn.margin(factors, X, labels) == pytest.approx(found, rel=1e-9)
        assert lnn.margin(list(factors), X, labels) == pytest.approx(found, rel=1e-9)
        assert lnn.margin(W.tolist(), X, labels) == lnn.margin([W.tolist()], X, labels) == found
        assert lnn.margin(1e3 * W, X, labels) == pytest.approx(found, rel=1e-12)
    assert np.isnan(lnn.margin(np.zeros((1, 4)), X, np.ones(samples)))


def test_alignment_is_that_of_the_top_eigenvectors_and_one_for_balanced_layers():
    stack = network(WIDTHS, np.random.default_rng(3), 4)
    found = lnn.alignment(stack)
    assert found.shape == (4, 2)
    for k, j in np.ndindex(4, 2):
        u = np.linalg.eigh(stack[j][k] @ stack[j][k].T)[1][:, -1]
        v = np.linalg.eigh(stack[j + 1][k].T @ stack[j + 1][k])[1][:, -1]
        assert found[k, j] == pytest.approx(abs(u @ v), abs=1e-9) and 0 <= found[k, j] <= 1 + EXACT
    even = lnn.initial.balanced(np.random.default_rng(4).standard_normal((5, 7)), (7, 6, 8, 5))
    np.testing.assert_allclose(lnn.alignment(even), 1, rtol=EXACT)
    assert lnn.alignment(stack[:1]).shape == (4, 0)
    path = lnn.gradient_descent(even, lnn.LeastSquares(lnn.Everything((5, 7)), np.ones((5, 7))), 0.01, 3)
    assert lnn.alignment(path).shape == (4, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lnn.LogisticLoss(np.ones((2, 3)), [0, 1, 1]), r"\+1 and -1, got 0: of 0 and 1 make 2 \* labels - 1"),
        (lambda: lnn.LogisticLoss(np.ones((3, 2)), [1, 1, 1]), "2 numbers, one for each column of X"),
        (lambda: lnn.CrossEntropy(np.ones((2, 3)), [0, 1, -1]), "numbers of classes"),
        (lambda: lnn.CrossEntropy(np.ones((2, 3)), [0, 1, 0.5]), "numbers of classes"),
        (lambda: lnn.CrossEntropy(np.ones((2, 3)), [0, 1, 2])(np.ones((2, 2))), "a label is 2, but W, of .* 2 rows"),
        (lambda: lnn.LogisticLoss(np.ones((2, 3)), [1, 1, 1])(np.ones((3, 2))), "W with one row"),
        (lambda: lnn.LogisticLoss(np.ones((2, 3)), [1, 1, 1])(np.ones((1, 3))), "samples of 2 features need W"),
        (lambda: lnn.margin(np.ones((2, 2)), np.ones((2, 3)), [1, -1, 1]), "numbers of classes"),
        (lambda: lnn.margin(np.ones((1, 2)), np.ones((2, 3)), [0, 1, 1]), "two classes"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_loss_is_its_own_and_takes_stacks():
    X, labels = np.ones((2, 3)), np.array([1, -1, 1])
    loss = lnn.LogisticLoss(X, labels)
    before = loss(np.ones((1, 2)))
    X[:], labels[:] = 7, -1
    assert loss(np.ones((1, 2))) == before
    path = lnn.gradient_descent((np.ones((1, 2)),), loss, 0.1, 5)
    np.testing.assert_array_equal(path.losses, loss(path.end_to_end))
