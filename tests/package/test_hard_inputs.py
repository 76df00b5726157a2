"""Hard inputs: any rank, spectrum and amount of data, at scales far from 1, gives the right number or a refusal."""

import mpmath
import numpy as np
import pytest
from hard_draws import BAD, exact, gap, hard, kinds, networks, powers, seeds, size, widths
from hypothesis import given, settings
from hypothesis import strategies as st

import lnn

LEAST = 1e-305
ROUNDING = 1e-13
EXAMPLES = settings(max_examples=40)

shapes = st.tuples(st.integers(1, 4), st.integers(1, 5))
depths = st.integers(1, 5)


def chain(layers):
    """Exact product of layers, the first one innermost."""
    with mpmath.workdps(60):
        W = layers[0]
        for layer in layers[1:]:
            W = layer * W
        return W


@given(networks)
@EXAMPLES
def test_products_and_their_gradients_are_right_at_every_scale(weights):
    layers = [exact(W) for W in weights]
    scale = mpmath.mpf(1)
    for layer in layers:
        scale *= 4 * size(layer)
    assert gap(lnn.end_to_end(weights), chain(layers)) <= ROUNDING * scale + LEAST

    G = hard(np.random.default_rng(0), weights[-1].shape[0], weights[0].shape[1], "gaussian", 20)
    for j in range(len(weights)):
        with mpmath.workdps(60):
            below = chain(layers[:j]).T if j else mpmath.eye(weights[0].shape[1])
            above = chain(layers[j + 1 :]).T if j + 1 < len(weights) else mpmath.eye(len(G))
            wanted = above * exact(G) * below
        if size(layers[j]) > 0:
            others = scale / size(layers[j]) * 4 * size(exact(G))
            assert gap(lnn.pullback(weights, G)[j], wanted) <= ROUNDING * others + LEAST


def test_what_is_too_large_for_a_float_is_refused():
    huge = np.full((2, 2), 1e200)
    for compute, name in (
        (lambda: lnn.end_to_end((huge, huge)), "the product of the layers has 4 of 4"),
        (lambda: lnn.pullback((np.eye(2), huge), huge), "the gradient of layer 1 has 4 of 4"),
        (lambda: lnn.imbalances((np.eye(2), huge)), "the imbalance of layers 1 and 2 has 4 of 4"),
        (lambda: lnn.imbalance((np.eye(2), 1e100 * np.eye(2))), "the imbalance has 1 of 1"),
        (lambda: lnn.precondition(huge, huge, 3), "the preconditioned gradient has 4 of 4"),
        (lambda: lnn.guarantees.certify((huge,), np.eye(2)), "the loss has 1 of 1"),
    ):
        with pytest.raises(ValueError, match=f"{name} entries that leave the range of floats"):
            compute()


@given(networks)
@EXAMPLES
def test_the_imbalance_is_right_at_every_scale(weights):
    layers = [exact(W) for W in weights]
    with mpmath.workdps(60):
        norms = [mpmath.mnorm(B.T * B - A * A.T, "f") for A, B in zip(layers, layers[1:], strict=False)]
        scale = max((16 * size(layer) ** 2 for layer in layers), default=0)
    wanted = max(norms, default=mpmath.mpf(0))
    assert abs(mpmath.mpf(float(lnn.imbalance(weights))) - wanted) <= ROUNDING * scale + LEAST
    for D, A, B in zip(lnn.imbalances(weights), layers, layers[1:], strict=False):
        assert gap(D, B.T * B - A * A.T) <= ROUNDING * 16 * max(size(A), size(B)) ** 2 + LEAST


@given(seeds, shapes, kinds, powers)
@EXAMPLES
def test_functions_of_the_spectrum_follow_the_scale(seed, shape, kind, power):
    W = hard(np.random.default_rng(seed), *shape, kind)
    c = float(np.ldexp(1.0, int(power * 3.3)))  # a power of two: nothing is rounded
    values, scaled = lnn.singular_values(W), lnn.singular_values(c * W)
    np.testing.assert_allclose(scaled, c * values, rtol=0, atol=1e-14 * c * values[0])
    assert np.all(np.diff(scaled) <= 0) and np.all(scaled >= 0)
    for p in (0.3, 1, 2, 7.5, np.inf):
        np.testing.assert_allclose(lnn.schatten(c * values, p), c * lnn.schatten(values, p), rtol=ROUNDING)
    np.testing.assert_allclose(lnn.schatten(c * values, 1), lnn.nuclear_norm(c * values), rtol=ROUNDING)
    np.testing.assert_allclose(lnn.schatten(c * values, 2), np.linalg.norm(c * values), rtol=ROUNDING)
    np.testing.assert_allclose(
        lnn.soft_threshold(c * values, c * 0.5), c * lnn.soft_threshold(values, 0.5), rtol=ROUNDING
    )
    for rank in (lnn.effective_rank, lnn.stable_rank):
        np.testing.assert_array_equal(rank(c * values), rank(values))
        assert np.isnan(rank(values)) if kind == "zero" else 1 - ROUNDING <= rank(values) <= len(values) + ROUNDING


def test_a_quasi_norm_that_is_no_float_is_refused():
    assert lnn.schatten([1.0, 1.0, 0.0], 0.01) == pytest.approx(2.0**100)
    for p in (1e-4, 1e-320):
        with pytest.raises(ValueError, match=r"the Schatten-.* norm has 1 of 1 entries that leave"):
            lnn.schatten([1.0, 1.0], p)
    with pytest.raises(ValueError, match="the nuclear norm"):
        lnn.nuclear_norm([1.7e308, 1.7e308])


@given(seeds, shapes, kinds, powers, powers, depths)
@EXAMPLES
def test_the_preconditioner_is_homogeneous_at_every_scale(seed, shape, kind, power, gradient_power, depth):
    rng = np.random.default_rng(seed)
    W, G = hard(rng, *shape, kind), rng.standard_normal(shape)
    c, d = 10.0**power, 10.0**gradient_power
    stretch = power * (2 - 2 / depth) + gradient_power
    wanted = 10.0**stretch * lnn.precondition(W, G, depth)
    largest = 10.0**stretch * depth * (1 + np.linalg.norm(W, 2)) ** 2 * np.linalg.norm(G)
    # Where W loses rank the powers are not smooth: the roundings of W enter with the power 2/N.
    allowed = 1e-12 if depth < 3 else (1e-15 ** (2 / depth)) * 10
    assert np.abs(lnn.precondition(c * W, d * G, depth) - wanted).max() <= allowed * largest
    gains = lnn.preconditioner.gains(lnn.singular_values(c * W), depth)
    np.testing.assert_allclose(gains, gains.T, rtol=ROUNDING)
    assert np.isfinite(gains).all()
    P = lnn.preconditioner.matrix(c * W, depth)
    applied = (P @ G.T.ravel()).reshape(G.T.shape).T
    top = np.abs(P).max() * np.abs(G).sum() + LEAST
    assert np.abs(applied - lnn.precondition(c * W, G, depth)).max() <= 1e-12 * top


@given(powers, st.floats(-14, -1e-3), st.integers(1, 8), st.floats(0.01, 0.99))
@EXAMPLES
def test_the_clock_of_a_mode_runs_backwards_too_at_every_scale(power, ratio, depth, share):
    target = 10.0**power
    initial = target * 10.0**ratio
    s = initial + share * (target - initial)
    t = lnn.modes.time_to_reach(s, initial, target, depth)
    assert np.isfinite(t) and t >= 0
    back = lnn.modes.trajectory(t, initial, target, depth)
    # Before a late, steep rise the time is known to some roundings, as many as the logit of the start is long; in that
    # time the mode moves.
    roundings = 8 + np.log(target / initial)
    moves = roundings * np.spacing(t) * lnn.modes.rate(s, target, depth)
    assert back == pytest.approx(s, rel=1e-6, abs=moves)
    # The clock in units of the target: times scale by target^{2/N - 2}.
    unit_time = lnn.modes.time_to_reach(s / target, initial / target, 1.0, depth)
    assert t * target ** (2 - 2 / depth) == pytest.approx(unit_time, rel=1e-6, abs=1e-9)
    assert lnn.modes.trajectory(0.0, initial, target, depth) == pytest.approx(initial, rel=ROUNDING)
    assert lnn.modes.trajectory(1e308, initial, target, depth) == pytest.approx(target, rel=1e-9)


def test_a_mode_with_a_number_missing_is_refused():
    with pytest.raises(ValueError, match="target must be finite"):
        lnn.modes.rate(0.5, np.nan, 2)
    with pytest.raises(ValueError, match="the speed of the mode"):
        lnn.modes.rate(1e150, 2e150, 5)


@given(seeds, st.integers(1, 3), st.integers(1, 4), st.integers(0, 3), kinds, powers)
@EXAMPLES
def test_balanced_starts_are_balanced_and_exact_at_every_scale(seed, m, n, hidden, kind, power):
    rng = np.random.default_rng(seed)
    A = hard(rng, m, n, kind, power)
    weights = lnn.initial.balanced(A, (n, *rng.integers(min(m, n), 6, hidden), m))
    largest = np.abs(A).max()
    assert np.abs(lnn.end_to_end(weights) - A).max() <= 1e-13 * largest
    assert lnn.imbalance(weights) <= 1e-13 * largest ** (2 / (hidden + 1))


@given(seeds, widths, powers)
@EXAMPLES
def test_random_starts_have_their_scale(seed, sizes, power):
    scale = 10.0**power
    for draw in (lnn.initial.gaussian, lnn.initial.orthogonal):
        one, other = (draw(sizes, s, rng=np.random.default_rng(seed)) for s in (1.0, scale))
        for W, V in zip(one, other, strict=True):
            np.testing.assert_allclose(V, scale * W, rtol=1e-15)
    target = lnn.datasets.low_rank((4, 5), 3, norm=scale, rng=np.random.default_rng(seed))
    assert np.linalg.norm(target) == pytest.approx(scale, rel=ROUNDING)
    X = scale * np.random.default_rng(seed).standard_normal((3, 7))
    Z, transform = lnn.datasets.whiten(X)
    np.testing.assert_allclose(Z @ Z.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(transform @ X, Z, atol=1e-9)
    with pytest.raises(ValueError, match="a layer of scale"):
        lnn.initial.gaussian((40, 50), 1e308, rng=np.random.default_rng(seed))


def measures(rng, m, n):
    """Every kind of measurement of m×n matrices: one entry, all entries, a few, doubled products, one sample."""
    one, all_ = np.zeros((m, n), bool), np.ones((m, n), bool)
    one[rng.integers(m), rng.integers(n)] = True
    A = rng.standard_normal((3, m, n))
    few = one | (rng.random((m, n)) < 0.4)
    return {
        "one entry": lnn.Entries(one),
        "all entries": lnn.Entries(all_),
        "a few entries": lnn.Entries(few),
        "everything": lnn.Everything((m, n)),
        "products": lnn.Products(A),
        "doubled products": lnn.Products(np.concatenate([A, 2 * A[:1], 0 * A[:1]])),
        "one sample": lnn.Samples(rng.standard_normal((n, 1))),
        "doubled samples": lnn.Samples(np.repeat(rng.standard_normal((n, 2)), 2, axis=1)),
    }


@given(seeds, shapes, powers)
@EXAMPLES
def test_measurements_have_their_adjoints_and_losses_their_gradients(seed, shape, power):
    rng = np.random.default_rng(seed)
    c = 10.0**power
    for measure in measures(rng, *shape).values():
        W, V = c * rng.standard_normal(shape), rng.standard_normal(shape)
        y = measure(W)
        r = rng.standard_normal(y.shape)
        inner = np.abs(y).sum() * np.abs(r).sum()
        assert abs(y @ r - (W * measure.adjoint(r)).sum()) <= 1e-13 * inner
        loss = lnn.LeastSquares(measure, y)
        assert loss(W) == 0 and not loss.gradient(W).any()
        # The loss is quadratic: exact along a line, from its value and slope at one end.
        slope, bend = (loss.gradient(W + c * V) * (c * V)).sum(), 0.5 * (measure(c * V) ** 2).sum()
        assert loss(W + c * V) == pytest.approx(bend, rel=1e-9) and slope == pytest.approx(2 * bend, rel=1e-9)
        quartic = lnn.PowerLoss(measure, y, 4)
        assert quartic(W + c * V) == pytest.approx((measure(c * V) ** 4).sum() / 4, rel=1e-9)
        if not isinstance(measure, lnn.Samples):  # which take matrices of any number of rows
            with pytest.raises(ValueError, match=f"observed holds {y.size + 5} numbers"):
                lnn.LeastSquares(measure, np.ones(y.size + 5))


def test_a_single_number_is_never_spread_over_many_places():
    measure = lnn.Entries(np.ones((2, 3), bool))
    with pytest.raises(ValueError, match=r"gives 6 numbers, got residuals of shape \(1,\)"):
        measure.adjoint(np.ones(1))
    loss = lnn.LeastSquares(lnn.Samples(np.ones((2, 1))), np.ones(3))
    with pytest.raises(ValueError, match="gives 1 measurements, observed 3"):
        loss(np.ones((1, 2)))
    for empty in (lnn.Entries(np.zeros((2, 3), bool)),):
        with pytest.raises(ValueError, match=r"observed must not be empty, got shape \(0,\)"):
            lnn.LeastSquares(empty, np.zeros(0))
        with pytest.raises(ValueError, match="observed must not be empty"):
            lnn.nuclear.minimize(empty, np.zeros(0))
    with pytest.raises(ValueError, match=r"a pair \(m, n\), or longer for tensors, got \(3,\)"):
        lnn.Everything((3,))


@given(seeds, shapes, powers, powers)
@settings(max_examples=12)
def test_the_least_nuclear_norm_follows_the_scale_of_observations_and_measurements(seed, shape, power, own):
    rng = np.random.default_rng(seed)
    c = 10.0**power
    for name, measure in measures(rng, *shape).items():
        W = hard(rng, *shape, "rank one")
        plain = lnn.nuclear.minimize(measure, measure(W), max_iterations=300)
        scaled = lnn.nuclear.minimize(measure, c * measure(W), max_iterations=300)
        assert scaled.value == pytest.approx(c * plain.value, rel=1e-5)
        for found in (plain, scaled):
            assert 0 <= found.bound <= found.value * (1 + 1e-9) and found.residual < 1e-9
            assert np.linalg.norm(measure.adjoint(found.dual), 2) <= 1 + 1e-9
            assert found.value == pytest.approx(lnn.nuclear_norm(lnn.singular_values(found.matrix)), rel=1e-9)
        if "products" in name:
            # Measurements of very different sizes: each is taken in its own unit.
            sizes = 10.0 ** rng.integers(-abs(own), abs(own) + 1, len(measure.A))
            other = lnn.Products(measure.A * sizes[:, None, None])
            found = lnn.nuclear.minimize(other, sizes * measure(W), max_iterations=300)
            assert found.value == pytest.approx(plain.value, rel=1e-5)


@given(seeds, powers)
@settings(max_examples=15)
def test_observations_that_no_matrix_has_are_refused_at_every_scale(seed, power):
    rng = np.random.default_rng(seed)
    A = 10.0**power * rng.standard_normal((2, 3, 4))
    doubled = lnn.Products(np.concatenate([A, A[:1]]))
    y = doubled(rng.standard_normal((3, 4)))
    assert lnn.nuclear.minimize(doubled, y, max_iterations=200).residual < 1e-9
    y[2] *= 1.01
    with pytest.raises(ValueError, match=r"contradict each other: 3 measurements have rank 2, .* times their norm"):
        lnn.nuclear.minimize(doubled, y)
    nothing = lnn.Products(np.zeros((2, 3, 4)))
    assert not lnn.nuclear.minimize(nothing, np.zeros(2)).matrix.any()
    with pytest.raises(ValueError, match="rank 0"):
        lnn.nuclear.minimize(nothing, 10.0**power * np.ones(2))


def test_a_step_that_would_only_give_roundings_is_refused():
    for step in (1e-300, 1e300):
        with pytest.raises(ValueError, match=r"step must lie in \[1e-08, 1e\+08\]"):
            lnn.nuclear.minimize(lnn.Everything((2, 3)), np.ones(6), step=step)


@given(seeds, st.integers(1, 4), powers, st.booleans())
@EXAMPLES
def test_a_certificate_does_not_depend_on_the_unit(seed, depth, power, published):
    rng = np.random.default_rng(seed)
    target = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    start = lnn.initial.balanced(target * (1 - 0.2 * rng.random()), (3,) * (depth + 1))
    c = 10.0**power
    one = lnn.guarantees.certify(start, target, published=published)
    other = lnn.guarantees.certify([c ** (1 / depth) * W for W in start], c * target, published=published)
    assert other.margin == pytest.approx(c * one.margin, rel=1e-9)
    assert one.holds == other.holds
    if one.holds:
        # η·rate is a pure number, and so is the number of steps for a share of the loss.
        assert other.step_size * other.rate == pytest.approx(one.step_size * one.rate, rel=1e-9)
        assert other.iterations(other.loss * 1e-6) == pytest.approx(one.iterations(one.loss * 1e-6), rel=1e-9)
        assert other.bound(1e308) == 0


def test_a_margin_is_right_where_squares_vanish():
    assert lnn.guarantees.deficiency_margin(np.zeros((2, 2)), 1e-200 * np.eye(2)) == pytest.approx(-4.142135624e-201)


W, Y = np.ones((2, 3)), np.ones(6)
SQUARES = lnn.LeastSquares(lnn.Everything((2, 3)), np.zeros(6))
START = (np.ones((4, 3)), np.ones((2, 4)))
DOORS = {
    "network.check": lambda x: lnn.check((x,)),
    "network.widths": lambda x: lnn.widths((x,)),
    "network.end_to_end": lambda x: lnn.end_to_end((x,)),
    "network.pullback": lambda x: lnn.pullback((x,), W),
    "network.pullback G": lambda x: lnn.pullback((W,), x),
    "network.pack": lambda x: lnn.pack((x,)),
    "network.unpack": lambda x: lnn.unpack(x.ravel() if isinstance(x, np.ndarray) else x, (3, 2)),
    "balance.imbalances": lambda x: lnn.imbalances((x,)),
    "balance.imbalance": lambda x: lnn.imbalance((x,)),
    "balance.alignment": lambda x: lnn.alignment((x,)),
    "classification.LogisticLoss": lambda x: lnn.LogisticLoss(x, [1, 1, -1]),
    "classification.LogisticLoss labels": lambda x: lnn.LogisticLoss(np.ones((3, 6)), x),
    "classification.ExponentialLoss": lambda x: lnn.ExponentialLoss(x, [1, 1, -1]),
    "classification.CrossEntropy": lambda x: lnn.CrossEntropy(x, [0, 1, 2]),
    "classification.margin": lambda x: lnn.margin((x,), np.ones((3, 4)), np.ones(4)),
    "classification.margin X": lambda x: lnn.margin(np.ones((1, 2)), x, np.ones(3)),
    "sharpness.sharpness": lambda x: lnn.sharpness((x,), SQUARES),
    "sharpness.hessian_vector": lambda x: lnn.hessian_vector((x,), SQUARES, (W,)),
    "sharpness.hessian_vector direction": lambda x: lnn.hessian_vector((W,), SQUARES, (x,)),
    "kernel.tangent_kernel": lambda x: lnn.tangent_kernel((x,), np.ones((3, 4))),
    "kernel.tangent_kernel X": lambda x: lnn.tangent_kernel((np.ones((3, 2)),), x),
    "spectrum.singular_values": lnn.singular_values,
    "spectrum.nuclear_norm": lnn.nuclear_norm,
    "spectrum.schatten": lambda x: lnn.schatten(x, 2),
    "spectrum.effective_rank": lnn.effective_rank,
    "spectrum.stable_rank": lnn.stable_rank,
    "spectrum.soft_threshold": lambda x: lnn.soft_threshold(x, 0.1),
    "preconditioner.precondition": lambda x: lnn.precondition(x, W, 2),
    "preconditioner.precondition G": lambda x: lnn.precondition(W, x, 2),
    "preconditioner.gains": lambda x: lnn.preconditioner.gains(x, 2),
    "preconditioner.matrix": lambda x: lnn.preconditioner.matrix(x, 2),
    "modes.rate": lambda x: lnn.modes.rate(x, 1.0, 2),
    "modes.time_to_reach": lambda x: lnn.modes.time_to_reach(x, 0.1, 2.0, 2),
    "modes.trajectory": lambda x: lnn.modes.trajectory(x, 0.1, 2.0, 2),
    "modes.mode_curve": lambda x: lnn.modes.mode_curve([0, 1.0], 0.1, x, 2),
    "modes.project": lambda x: lnn.modes.project(x, np.ones((2, 1)), np.ones((3, 1))),
    "initial.balanced": lambda x: lnn.initial.balanced(x, (3, 4, 2)),
    "measurements.Samples": lnn.Samples,
    "measurements.Products": lambda x: lnn.Products(np.ma.stack([x, x]) if np.ma.isMA(x) else [x, x]),
    "losses.LeastSquares": lambda x: lnn.LeastSquares(lnn.Everything((2, 3)), x),
    "samples.Batches": lambda x: lnn.Batches(np.ones((4, 3)), x, 2, rng=np.random.default_rng(0)),
    "fits.LeastSquares": lambda x: lnn.LeastSquares.fit(x, np.ones((2, 3)), samples="columns"),
    "fits.LeastSquares Y": lambda x: lnn.LeastSquares.fit(np.ones((4, 3)), x, samples="columns"),
    "fits.LeastSquares to": lnn.LeastSquares.to,
    "losses.HuberLoss": lambda x: lnn.HuberLoss(lnn.Everything((2, 3)), x, 0.1),
    "losses.PowerLoss": lambda x: lnn.PowerLoss(lnn.Everything((2, 3)), x, 4),
    "nuclear.minimize": lambda x: lnn.nuclear.minimize(lnn.Everything((2, 3)), x),
    "guarantees.certify": lambda x: lnn.guarantees.certify((x,), W),
    "guarantees.certify target": lambda x: lnn.guarantees.certify((W,), x),
    "guarantees.deficiency_margin": lambda x: lnn.guarantees.deficiency_margin(x, W),
    "datasets.whiten": lnn.datasets.whiten,
    "descent.gradient_step": lambda x: lnn.gradient_step((x,), SQUARES, 0.1),
    "descent.end_to_end_step": lambda x: lnn.end_to_end_step(x, SQUARES, 2, 0.1),
    "descent.gradient_descent": lambda x: lnn.gradient_descent((x,), SQUARES, 0.1, 3),
    "descent.end_to_end_descent": lambda x: lnn.end_to_end_descent(x, SQUARES, 2, 0.1, 3),
    "ensembles.ensemble_descent": lambda x: lnn.ensemble_descent((x,), SQUARES, 0.1, 3),
    "optimizers.momentum": lambda x: lnn.momentum((x,), SQUARES, 0.1, 3),
    "optimizers.adagrad": lambda x: lnn.adagrad((x,), SQUARES, 0.1, 3),
    "optimizers.adadelta": lambda x: lnn.adadelta((x,), SQUARES, 0.1, 3),
    "optimizers.adam": lambda x: lnn.adam((x,), SQUARES, 0.1, 3),
    "optimizers.sgd": lambda x: lnn.sgd((np.ones((2, 2)),), x, W, 0.1, 3, batch=1, rng=np.random.default_rng(0)),
    "flow.gradient_flow": lambda x: lnn.gradient_flow((x,), SQUARES, [0, 1.0]),
    "flow.end_to_end_flow": lambda x: lnn.end_to_end_flow(x, SQUARES, 2, [0, 1.0]),
    "flow.times": lambda x: lnn.gradient_flow(START, SQUARES, x),
    "models.tensor": lambda x: lnn.tensor.check((x, W)),
    "models.hierarchical": lambda x: lnn.hierarchical.check((x, W, W)),
    "models.diagonal": lambda x: lnn.diagonal.check((x, W)),
    "models.convolution": lambda x: lnn.convolution.check((x, W)),
    "models.residual": lambda x: lnn.residual.check((x, W)),
    "models.tied": lambda x: lnn.tied.check((x,)),
    "trajectory.Trajectory": lambda x: lnn.Trajectory(np.arange(2.0), (x,), np.ones(2), lnn.Outcome.FINISHED),
    "trajectory.times": lambda x: lnn.Trajectory(x, (np.ones((2, 2, 3)),), np.ones(2), lnn.Outcome.FINISHED),
}


@pytest.mark.parametrize("bad", BAD)
def test_no_door_lets_in_what_is_no_finite_number(bad):
    for door, enter in DOORS.items():
        spoiled = BAD[bad](Y if door.startswith(("losses", "nuclear")) or door.endswith("labels") else W)
        with pytest.raises((TypeError, ValueError)) as refusal:
            enter(spoiled)
        said = str(refusal.value)
        words = {
            "nan": "1 of 6 entries that are NaN or infinite|2 of 12 entries that are",
            "infinite": "1 of 6 entries that are NaN or infinite|2 of 12 entries that are",
            "complex": "real",
            "text": "real",
            "empty": "empty|shape|no layer|depth 0",
            "masked": "masked",
            "ragged": "different lengths",
            "nothing": "real|shape",
        }[bad]
        assert any(word in said for word in words.split("|")), f"{door}: {said}"


def test_the_doors_are_all_the_verbs_there_are():
    """A verb added to the package gets its place here."""
    covered = {door.split()[0].split(".")[1] for door in DOORS} | {
        "random_mask", "low_rank", "sensing", "gaussian", "orthogonal", "identity", "auto_mpg", "gas_sensor",
        "Entries", "Everything", "Measurement", "Loss", "Effort", "Outcome", "NuclearSolution", "Runs", "grid",
        "record", "Ensemble", "Model", "check_gradient", "Rule", "shrink", "RKC2",
    }  # fmt: skip
    modules = {name for name in lnn.__all__ if type(getattr(lnn, name)).__name__ == "module"}
    assert set(lnn.__all__) - modules <= covered, "seeds, sizes and functions have no array argument; the rest has"


def test_numbers_that_are_none_are_refused_as_knobs():
    for knob in (np.nan, np.inf, -1.0, 0.0, 10**400):
        with pytest.raises(ValueError, match="step_size must be positive and finite"):
            lnn.gradient_descent(START, SQUARES, knob, 3)
    for knob in ("1", b"1", True, np.True_, 1j, None):
        with pytest.raises(TypeError):
            lnn.gradient_descent(START, SQUARES, knob, 3)
    with pytest.raises(ValueError, match="step_size must be a number, or one for each of 2 factors"):
        lnn.gradient_descent(START, SQUARES, [1.0], 3)
    for stop in (np.nan, np.inf, -np.inf):
        for run in (
            lambda stop: lnn.gradient_descent(START, SQUARES, 0.1, 3, stop=stop),
            lambda stop: lnn.gradient_flow(START, SQUARES, [0, 1.0], stop=stop),
        ):
            with pytest.raises(ValueError, match="stop must be finite"):
                run(stop)
    with pytest.raises(ValueError, match="there is nothing to record"):
        lnn.record(iter(()), SQUARES)
    with pytest.raises(ValueError, match=r"losses have shape \(3,\), but the weights \(2, 2, 3\)"):
        lnn.Trajectory(np.arange(2.0), (np.ones((2, 2, 3)),), np.ones(3), lnn.Outcome.FINISHED)


def noisy(label_noise):
    """Samples with noise on their labels."""
    return lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), 2, label_noise=label_noise, rng=np.random.default_rng(0))


# Every knob of a run, a loss or a start that is one number, as a function of it; a value that is right.
TINY = {"loss": SQUARES, "step_size": 0.01, "steps": 2}
NUMBERS = {
    "step_size": (lambda x: lnn.gradient_descent(START, SQUARES, x, 2).losses, 0.25),
    "weight_decay": (lambda x: lnn.adam(START, weight_decay=x, **TINY).losses, 0.25),
    "weight_decay of a flow": (lambda x: lnn.gradient_flow(START, SQUARES, [0, 0.1], weight_decay=x).losses, 0.25),
    "start": (lambda x: lnn.gradient_descent(START, start=x, **TINY).times, 0.5),
    "label_noise": (lambda x: noisy(x).gradient(W), 0.5),
    "step": (lambda x: lnn.gradient_step(START, SQUARES, x)[0], 0.25),
    "end to end": (lambda x: lnn.end_to_end_descent(W, SQUARES, 2, x, 2).losses, 0.25),
    "stop": (lambda x: lnn.gradient_descent(START, SQUARES, 0.01, 9, stop=x).losses, 0.5),
    "stop of a flow": (lambda x: lnn.gradient_flow(START, SQUARES, [0, 1.0], stop=x).losses, 0.5),
    "rtol": (lambda x: lnn.gradient_flow(START, SQUARES, [0, 0.1], rtol=x).losses, 2**-10),
    "atol": (lambda x: lnn.gradient_flow(START, SQUARES, [0, 0.1], atol=x).losses, 2**-10),
    "beta": (lambda x: lnn.momentum(START, beta=x, **TINY).losses, 0.5),
    "epsilon": (lambda x: lnn.adagrad(START, epsilon=x, **TINY).losses, 0.5),
    "rho": (lambda x: lnn.adadelta(START, rho=x, **TINY).losses, 0.5),
    "epsilon of adadelta": (lambda x: lnn.adadelta(START, epsilon=x, **TINY).losses, 0.5),
    "betas": (lambda x: lnn.adam(START, betas=(x, x), **TINY).losses, 0.5),
    "p": (lambda x: lnn.PowerLoss(lnn.Everything((2, 3)), Y, x)(2 * W), 4.0),
    "threshold": (lambda x: lnn.HuberLoss(lnn.Everything((2, 3)), Y, x)(9 * W), 0.5),
    "scale": (lambda x: lnn.initial.gaussian((2, 3, 4), x, rng=np.random.default_rng(0))[0], 0.5),
    "imbalance": (lambda x: lnn.initial.balanced(W, (3, 2, 2), imbalance=x)[0], 0.5),
    "tolerance": (lambda x: lnn.check_gradient(SQUARES, (2, 3), rng=np.random.default_rng(0), tolerance=x), 0.5),
}
COUNTS = {
    "steps": (lambda x: lnn.gradient_descent(START, SQUARES, 0.01, x).losses, 3),
    "every": (lambda x: lnn.gradient_descent(START, SQUARES, 0.01, 7, every=x).losses, 3),
    "depth": (lambda x: lnn.end_to_end_descent(W, SQUARES, x, 0.01, 2).losses, 3),
    "depth of a flow": (lambda x: lnn.end_to_end_flow(W, SQUARES, x, [0, 0.1]).losses, 3),
    "leading": (lambda x: lnn.singular_values(np.arange(12.0).reshape(3, 4), leading=x), 2),
    "max_steps": (lambda x: lnn.gradient_flow(START, SQUARES, [0, 0.1], max_steps=x).losses, 50),
    "power": (lambda x: lnn.diagonal.Signed(x).product((W, W / 2)), 3),
    "batch": (lambda x: lnn.Batches(np.ones((3, 4)), np.ones((2, 4)), x, rng=np.random.default_rng(0)).gradient(W), 3),
    "components": (lambda x: lnn.tensor.gaussian((2, 3), x, 0.1, rng=np.random.default_rng(0))[0], 3),
}


@pytest.mark.parametrize("knob", [*NUMBERS, *COUNTS])
def test_a_knob_takes_scalars_of_python_and_numpy_alike_and_nothing_else(knob):
    run, right = (NUMBERS | COUNTS)[knob]
    expected = run(right)
    kinds = (np.int64, np.int32, np.array) if knob in COUNTS else (np.float64, np.float32, np.array)
    for kind in kinds:
        np.testing.assert_array_equal(run(kind(right)), expected)
    for wrong in (True, np.True_, np.array(True), str(right), None, [right], np.array([right]), complex(right)):
        if knob == "every" and isinstance(wrong, list | np.ndarray) and np.shape(wrong):
            continue  # the numbers of the steps to keep
        if knob.startswith(("stop", "start", "leading")) and wrong is None:
            continue  # no stop, the usual time, all of them
        with pytest.raises((TypeError, ValueError), match=r"must|needs"):
            run(wrong)
