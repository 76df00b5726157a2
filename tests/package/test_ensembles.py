"""Networks that descend together, against the runs of each of them alone."""

from itertools import product

import numpy as np
import pytest

import lnn

RNG = np.random.default_rng(5)


class Cosh:
    """A loss as a student writes it, for one matrix."""

    def __call__(self, W):
        assert W.ndim == 2
        return float(np.cosh(W).sum())

    def gradient(self, W):
        assert W.ndim == 2
        return np.sinh(W)


LOSSES = {
    "everything": lnn.LeastSquares(lnn.Everything((2, 4)), RNG.standard_normal(8)),
    "samples": lnn.PowerLoss(lnn.Samples(RNG.standard_normal((4, 6))), RNG.standard_normal(12), 3),
    "one at a time": Cosh(),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("axes", [(5,), (2, 3), (1,)])
@pytest.mark.parametrize("widths", [(4, 2), (4, 1, 2), (4, 3, 2), (4, 5, 3, 2)])
def test_every_member_runs_as_it_would_alone(loss, axes, widths):
    rng = np.random.default_rng(len(widths))
    weights = tuple(0.3 * rng.standard_normal((*axes, m, n)) for n, m in zip(widths, widths[1:], strict=False))
    before = [W.copy() for W in weights]
    together = lnn.ensemble_descent(weights, LOSSES[loss], 0.01, 10, every=4)
    assert all(np.array_equal(W, V) for W, V in zip(weights, before, strict=True))
    assert together.losses.shape == (4, *axes) and not together.diverged.any()
    for member in product(*map(range, axes)):
        alone = lnn.gradient_descent([W[member] for W in weights], LOSSES[loss], 0.01, 10, every=4)
        path = together[member]
        assert isinstance(path, lnn.Trajectory) and path.outcome is alone.outcome
        np.testing.assert_allclose(path.times, alone.times, rtol=1e-12)
        np.testing.assert_allclose(path.losses, alone.losses, rtol=1e-10)
        for W, V in zip(path.weights, alone.weights, strict=True):
            np.testing.assert_allclose(W, V, rtol=0, atol=1e-12)
        if len(axes) == 1:
            assert np.array_equal(together[member[0]].losses, path.losses)


@pytest.mark.parametrize("decay", [0.0, 0.4])
@pytest.mark.parametrize("eta", [0.02, [0.03, 0.01], lambda k: 0.05 / k, lambda k: [0.05 / k, 0.02]])
@pytest.mark.parametrize("widths", [(4, 2, 2), (4, 9, 2)])  # entry by entry, and by matrices
def test_step_sizes_and_weight_decay_are_those_of_a_run_alone(widths, eta, decay):
    weights = [0.3 * RNG.standard_normal((3, m, n)) for n, m in zip(widths, widths[1:], strict=False)]
    for loss in LOSSES.values():
        together = lnn.ensemble_descent(weights, loss, eta, 12, weight_decay=decay, every=5)
        for m in range(3):
            alone = lnn.gradient_descent([W[m] for W in weights], loss, eta, 12, weight_decay=decay, every=5)
            np.testing.assert_allclose(together[m].times, alone.times, rtol=1e-12)
            np.testing.assert_allclose(together[m].losses, alone.losses, rtol=1e-10)
            np.testing.assert_allclose(together[m].end_to_end, alone.end_to_end, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=r"step_size must be a number, or one for each of 2 factors, got shape \(3,\)"):
        lnn.ensemble_descent(weights, loss, [0.1] * 3, 1)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_member_that_diverges_is_marked_and_the_others_go_on(loss):
    rng = np.random.default_rng(1)
    weights = [0.3 * rng.standard_normal((3, 3, 4)), 0.3 * rng.standard_normal((3, 2, 3))]
    for W in weights:
        W[1] *= 60
    together = lnn.ensemble_descent(weights, LOSSES[loss], 0.02, 80)
    assert together.diverged.tolist() == [False, True, False]
    assert repr(together) == "Ensemble(3 members, 1 diverged, 81 times)"
    for m in range(3):
        alone = lnn.gradient_descent([W[m] for W in weights], LOSSES[loss], 0.02, 80)
        assert together[m].outcome is alone.outcome
        assert len(together[m]) == together.lengths[m] == len(alone)
        np.testing.assert_allclose(together[m].end_to_end, alone.end_to_end, rtol=1e-6, atol=1e-10)
        assert np.isfinite(together[m].losses).all()


def test_a_record_of_many_cannot_be_changed_and_gives_one_at_a_time():
    together = lnn.ensemble_descent((np.ones((2, 3, 2, 4)),), LOSSES["everything"], 0.1, 0)
    assert together.times.tolist() == [0.0] and len(together.weights[0]) == 1
    for array in (together.times, together.losses, together.lengths, *together.weights, *together[1, 2].weights):
        assert not array.flags.writeable
    with pytest.raises(IndexError, match=r"the members have the axes \(2, 3\): 1 is no single one"):
        together[1]
    with pytest.raises(IndexError):
        together[2, 0]


class Moving(Cosh):
    """A loss that changes whenever each of its members was asked for a gradient."""

    def __init__(self, members):
        self.members, self.asked = members, 0

    def __call__(self, W):
        return super().__call__(W - 0.1 * (self.asked // self.members))

    def gradient(self, W):
        self.asked += 1
        return super().gradient(W - 0.1 * ((self.asked - 1) // self.members))


@pytest.mark.parametrize("every", [1, 4, [2, 5]])
def test_a_loss_that_changes_is_recorded_as_it_was_when_the_members_were_there(every):
    weights = (0.5 * np.random.default_rng(0).standard_normal((3, 2, 4)),)
    together = lnn.ensemble_descent(weights, Moving(3), 0.05, 10, every=every)
    for m in range(3):
        alone = lnn.gradient_descent((weights[0][m],), Moving(1), 0.05, 10, every=every)
        np.testing.assert_allclose(together[m].losses, alone.losses, rtol=1e-12)


def test_what_is_no_ensemble_is_refused():
    loss = LOSSES["everything"]
    with pytest.raises(ValueError, match="an ensemble needs weights with leading axes"):
        lnn.ensemble_descent((np.ones((2, 4)),), loss, 0.1, 3)
    with pytest.raises(ValueError, match="the loss is not finite at the first network of a member"):
        lnn.ensemble_descent((np.full((3, 2, 4), 1e200),), loss, 0.1, 3)
    for rows in (1, 3):  # a single row would be subtracted from both
        with pytest.raises(ValueError, match="the loss does not accept the end-to-end matrix"):
            lnn.ensemble_descent((np.ones((3, rows, 4)),), loss, 0.1, 3)


def test_a_loss_that_changes_with_time_is_refused():
    class Moving(Cosh):
        def __call__(self, W, t):
            return super().__call__(W - t)

        def gradient(self, W, t):
            return super().gradient(W - t)

    with pytest.raises(TypeError, match="loss of W alone"):
        lnn.ensemble_descent((np.ones((3, 2, 4)),), Moving(), 0.01, 5)
