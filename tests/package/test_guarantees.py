"""Tests of lnn.guarantees: the record says what the theorem says, and refuses to say more."""

import math

import numpy as np
import pytest
from tolerances import EXACT

import lnn
from lnn.theory import guarantees

WIDTHS = (5, 6, 7, 4)


def target_and_weights(noise: float = 0.0, distance: float = 0.1):
    rng = np.random.default_rng(3)
    U, V = np.linalg.qr(rng.standard_normal((4, 4)))[0], np.linalg.qr(rng.standard_normal((5, 5)))[0]
    target = U @ np.diag([1.3, 1.2, 1.1, 1.0]) @ V[:4]
    direction = rng.standard_normal((4, 5))
    weights = lnn.initial.balanced(target + distance * direction / np.linalg.norm(direction), WIDTHS)
    return target, tuple(W + noise * rng.standard_normal(W.shape) for W in weights)


def test_the_margin_is_the_smallest_singular_value_less_the_distance():
    target, weights = target_and_weights()
    W = lnn.end_to_end(weights)
    by_hand = np.sqrt(np.linalg.eigvalsh(target @ target.T)[0]) - math.sqrt(float(((W - target) ** 2).sum()))
    assert abs(guarantees.deficiency_margin(W, target) - by_hand) < EXACT
    assert abs(by_hand - 0.9) < EXACT


def test_the_margin_of_a_trajectory_is_that_of_each_matrix():
    rng = np.random.default_rng(0)
    stack, target = rng.standard_normal((3, 2, 4, 5)), rng.standard_normal((4, 5))
    margins = guarantees.deficiency_margin(stack, target)
    assert margins.shape == (3, 2)
    assert margins[2, 1] == guarantees.deficiency_margin(stack[2, 1], target)


def test_the_certificate_carries_the_formulas_of_the_theorem():
    target, weights = target_and_weights(noise=1e-5)
    record = guarantees.certify(weights, target)
    c, N, size = record.margin, 3, 1.3
    assert record.holds and record.depth == N and not record.published
    assert abs(record.size - size) < 1e-10
    assert record.imbalance == lnn.imbalance(weights) > 0
    assert math.isclose(record.allowed_imbalance, c**2 / (40 * 9 * size ** (4 / 3)), rel_tol=1e-10)
    assert math.isclose(record.step_size, c**2 / (60 * 9 * size ** (10 / 3)), rel_tol=1e-10)
    assert math.isclose(record.rate, c ** (4 / 3), rel_tol=1e-10)
    assert math.isclose(record.loss, 0.5 * ((lnn.end_to_end(weights) - target) ** 2).sum(), rel_tol=1e-10)


def test_an_imbalance_that_is_rounding_is_shown_as_none():
    for noise, shown in ((0.0, True), (1e-9, False)):
        target, weights = target_and_weights(noise=noise)
        record = guarantees.certify(weights, target)
        assert record.holds and ("imbalance 0 <= " in repr(record)) == shown


def test_the_published_constants_ask_for_more_and_give_less():
    target, weights = target_and_weights(noise=1e-6)
    ours, published = guarantees.certify(weights, target), guarantees.certify(weights, target, published=True)
    c, size = ours.margin, np.linalg.norm(target)
    assert published.holds and published.published
    assert math.isclose(published.allowed_imbalance, c**2 / (256 * 27 * size ** (4 / 3)), rel_tol=1e-10)
    assert math.isclose(published.step_size, c ** (10 / 3) / (6144 * 27 * size ** (14 / 3)), rel_tol=1e-10)
    assert published.allowed_imbalance < ours.allowed_imbalance
    assert published.step_size < ours.step_size


def test_without_a_margin_nothing_is_promised():
    record = guarantees.certify(lnn.initial.identity((3, 3, 3)), -np.eye(3))
    assert not record.holds and record.margin < 0 and record.allowed_imbalance == 0
    assert math.isnan(record.step_size) and math.isnan(record.rate)
    assert "FAILS" in repr(record) and "margin" in repr(record) and "imbalance" not in repr(record)
    with pytest.raises(ValueError, match=r"does not apply: margin -2\.46"):
        record.iterations(1e-3)


def test_too_much_imbalance_is_named():
    target, weights = target_and_weights()
    W1, W2, W3 = weights
    record = guarantees.certify((2 * W1, W2 / 2, W3), target)
    assert record.margin > 0 and not record.holds
    assert "FAILS" in repr(record) and "imbalance" in repr(record)
    with pytest.raises(ValueError, match="imbalance"):
        record.bound([1])


def test_a_margin_of_zero_is_none():
    assert not guarantees.certify((np.eye(2),), np.diag([2.0, 1.0])).holds


def test_iterations_bring_the_bound_below_epsilon():
    target, weights = target_and_weights()
    record = guarantees.certify(weights, target)
    T = record.iterations(1e-6)
    assert record.bound(T) <= 1e-6
    assert T == math.ceil(math.log(record.loss / 1e-6) / (record.step_size * record.rate))
    assert record.iterations(1e-6, record.step_size / 2) in (2 * T, 2 * T - 1)
    assert record.iterations(record.loss) == 0 == record.iterations(10 * record.loss)


def test_the_bound_shrinks_geometrically_from_the_loss():
    target, weights = target_and_weights()
    record = guarantees.certify(weights, target)
    factor = 1 - 1e-4 * record.rate
    expected = record.loss * np.array([1.0, factor, factor**2])
    np.testing.assert_allclose(record.bound([0, 1, 2], 1e-4), expected, rtol=EXACT)


def test_the_record_refuses_what_the_theorem_does_not_cover():
    target, weights = target_and_weights()
    record = guarantees.certify(weights, target)
    with pytest.raises(ValueError, match="step sizes up to"):
        record.iterations(1e-6, 2 * record.step_size)
    with pytest.raises(ValueError, match="epsilon"):
        record.iterations(0.0)
    with pytest.raises(ValueError, match="negative"):
        record.bound([-1])
    with pytest.raises(ValueError, match="shape"):
        guarantees.certify(weights, target.T)
    with pytest.raises(ValueError, match="one network"):
        guarantees.certify(tuple(np.stack([W, W]) for W in weights), target)
    with pytest.raises(ValueError, match="single matrix"):
        guarantees.deficiency_margin(np.eye(2), np.ones((2, 2, 2)))


def test_the_repr_says_what_the_certificate_buys():
    target, weights = target_and_weights(noise=1e-5)
    record = guarantees.certify(weights, target)
    assert "holds" in repr(record) and f"{record.step_size:.3g}" in repr(record)
