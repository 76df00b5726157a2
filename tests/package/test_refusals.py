"""Every door says whom it refused: the argument by its name, what was got and what was needed, both as numbers."""

import re

import numpy as np
import pytest

import lnn
from lnn import initial, network
from lnn.convex import unfolding
from lnn.models import hierarchical, tensor
from lnn.numerics.checks import check_widths
from lnn.theory import modes, preconditioner, spectrum

RNG = np.random.default_rng(0)
NAN = np.nan
W = RNG.standard_normal((2, 3))
WEIGHTS = (RNG.standard_normal((4, 3)), RNG.standard_normal((2, 4)))
MASK = np.array([[True, False, True], [False, True, True]])
SEEN = lnn.Entries(MASK)
LOSS = lnn.LeastSquares(SEEN, SEEN(W))
GAUSSIAN = (lnn.initial.gaussian, {"widths": (3, 4, 2), "scale": 0.1, "rng": RNG})
FACTORS = tuple(RNG.standard_normal((d, 2)) for d in (2, 3, 4))
STEPS = {"weights": WEIGHTS, "loss": LOSS, "step_size": 0.1, "steps": 2}

# A valid call of each function, from which one argument at a time is spoiled.
CALLS = {
    "balanced": (initial.balanced, {"matrix": W, "widths": (3, 4, 2)}),
    "gaussian": GAUSSIAN,
    "orthogonal": (initial.orthogonal, GAUSSIAN[1]),
    "identity": (initial.identity, {"widths": (3, 3), "scale": 0.1}),
    "low_rank": (lnn.datasets.low_rank, {"shape": (2, 3), "rank": 1, "norm": 1.0, "rng": RNG}),
    "random_mask": (lnn.datasets.random_mask, {"shape": (2, 3), "count": 1, "rng": RNG}),
    "sensing": (lnn.datasets.sensing, {"shape": (2, 3), "count": 1, "rng": RNG}),
    "whiten": (lnn.datasets.whiten, {"X": W}),
    "rate": (modes.rate, {"s": 0.5, "target": 1.0, "depth": 2}),
    "time_to_reach": (modes.time_to_reach, {"s": 0.5, "initial": 0.1, "target": 1.0, "depth": 2}),
    "mode": (modes.trajectory, {"times": [0.0, 1.0], "initial": 0.1, "target": 1.0, "depth": 2}),
    "pullback": (network.pullback, {"weights": WEIGHTS, "G": W}),
    "gains": (preconditioner.gains, {"values": [2.0, 1.0], "depth": 2}),
    "precondition": (preconditioner.precondition, {"W": W, "G": W, "depth": 2}),
    "matrix": (preconditioner.matrix, {"W": W, "depth": 2}),
    "singular_values": (spectrum.singular_values, {"W": W}),
    "nuclear_norm": (spectrum.nuclear_norm, {"values": [2.0, 1.0]}),
    "effective_rank": (spectrum.effective_rank, {"values": [2.0, 1.0]}),
    "least_squares": (lnn.LeastSquares, {"measure": SEEN, "observed": SEEN(W)}),
    "samples": (lnn.Samples, {"X": W}),
    "products": (lnn.Products, {"A": W[None]}),
    "minimize": (lnn.nuclear.minimize, {"measure": SEEN, "observed": SEEN(W), "gap": 1e-3, "max_iterations": 9}),
    "descent": (lnn.gradient_descent, STEPS),
    "end_to_end_descent": (
        lnn.end_to_end_descent,
        {"W": W, "loss": LOSS, "depth": 2, "step_size": 0.1, "steps": 2},
    ),
    "gradient_step": (lnn.gradient_step, {"weights": WEIGHTS, "loss": LOSS, "step_size": 0.1}),
    "end_to_end_step": (lnn.end_to_end_step, {"W": W, "loss": LOSS, "depth": 2, "step_size": 0.1}),
    "momentum": (lnn.momentum, STEPS | {"beta": 0.9}),
    "adagrad": (lnn.adagrad, STEPS | {"epsilon": 1e-6}),
    "adadelta": (lnn.adadelta, STEPS | {"epsilon": 1e-6, "rho": 0.9}),
    "adam": (lnn.adam, STEPS | {"epsilon": 1e-6}),
    "flow": (lnn.gradient_flow, {"weights": WEIGHTS, "loss": LOSS, "times": [0.0, 1.0], "rtol": 1e-3, "atol": 1e-6}),
    "end_to_end_flow": (lnn.end_to_end_flow, {"W": W, "loss": LOSS, "depth": 2, "times": [0.0, 1.0]}),
    "margin": (lnn.guarantees.deficiency_margin, {"W": W, "target": W}),
    "certify": (lnn.guarantees.certify, {"weights": WEIGHTS, "target": W}),
    "tensor": (tensor.end_to_end, {"factors": FACTORS}),
    "tensor.gaussian": (tensor.gaussian, {"shape": (2, 3, 4), "components": 2, "scale": 0.1, "rng": RNG}),
    "tree.gaussian": (hierarchical.gaussian, {"shape": (2, 3), "components": 2, "scale": 0.1, "rng": RNG}),
    "tensor.pullback": (tensor.pullback, {"factors": FACTORS, "G": np.ones((2, 3, 4))}),
    "unfold": (unfolding.unfold, {"W": W, "mode": 1}),
    "overlapped_norm": (unfolding.overlapped_norm, {"W": W}),
    "overlapped": (
        unfolding.minimize,
        {"seen": SEEN, "observed": SEEN(W), "gap": 0.1, "max_iterations": 9, "step": 0.1},
    ),
}
# What an argument is called in the message, where that is not its name.
CALLED = {"values": "singular values", "weights": "layer 1", "shape": "m", "widths": "width d_0", "factors": "factor 1"}


def spoiled(name, value):
    """A wrong value for an argument that has the right kind: NaN where numbers are wanted, 0 where counts are."""
    if name in ("depth", "rank", "count", "max_iterations", "components"):
        return 0
    if name in ("steps", "mode"):
        return -1
    if name == "shape":
        return (0, *value[1:])
    if name == "widths":
        return (0, *value[1:])
    if name in ("weights", "factors"):
        return (np.full(value[0].shape, NAN), *value[1:])
    return np.full(np.shape(value), NAN)


CASES = [
    (call, name)
    for call, (_, arguments) in CALLS.items()
    for name in arguments
    if name not in ("rng", "loss", "measure", "seen")
]


@pytest.mark.parametrize(("call", "name"), CASES)
def test_a_spoiled_argument_is_refused_by_its_name(call, name):
    function, arguments = CALLS[call]
    function(**arguments)  # the call itself is right
    said = "d_1" if call in ("tensor.gaussian", "tree.gaussian") and name == "shape" else CALLED.get(name, name)
    with pytest.raises(ValueError, match=rf"^{re.escape(said)} must be (finite|positive|at least)"):
        function(**(arguments | {name: spoiled(name, arguments[name])}))


@pytest.mark.parametrize("call", [call for call, (_, arguments) in CALLS.items() if "rng" in arguments])
def test_a_seed_is_no_source_of_randomness(call):
    function, arguments = CALLS[call]
    with pytest.raises(
        TypeError, match=r"^rng must be a numpy.random.Generator, e.g. np.random.default_rng\(0\), got 7$"
    ):
        function(**(arguments | {"rng": 7}))


@pytest.mark.parametrize("call", [call for call, (_, arguments) in CALLS.items() if "depth" in arguments])
def test_a_depth_is_a_whole_number(call):
    function, arguments = CALLS[call]
    with pytest.raises(TypeError, match=r"^depth must be a whole number, got 2\.0$"):
        function(**(arguments | {"depth": 2.0}))


@pytest.mark.parametrize("call", ["pullback", "precondition", "margin"])
def test_a_matrix_of_another_shape_is_refused_with_both_shapes(call):
    function, arguments = CALLS[call]
    name = "W" if call == "margin" else "G"
    with pytest.raises(ValueError, match=rf"^{name} must have (the )?shape \(2, 3\).*got \(3, 2\)$"):
        function(**(arguments | {name: W.T}))


def test_a_record_tells_its_story_in_one_line():
    """First and last loss, not the second or the last but one; and whether it came to an end."""
    end = lnn.Outcome.FINISHED
    path = lnn.Trajectory(np.arange(3.0), (np.ones((3, 4, 5)), np.ones((3, 2, 4))), np.array([4.0, 2.0, 1.0]), end)
    assert repr(path) == "Trajectory(depth 2, widths 5-4-2, 3 times, loss 4 -> 1, FINISHED)"
    ones = lnn.LeastSquares(lnn.Everything((2, 3, 4)), np.ones((2, 3, 4)))
    cube = lnn.gradient_descent(FACTORS, ones, 0.01, 4, every=2, model=tensor)
    said = f"loss {cube.losses[0]:.3g} -> {cube.losses[-1]:.3g}, FINISHED)"
    assert repr(cube) == f"Trajectory(tensor, 2x3x4, 3 factors, 3 times, {said}"
    wide = (np.ones((2, 2)), np.ones((3, 2)), np.ones((2, 1)))  # of a tree: two components at the leaves, one above
    flat = lnn.gradient_descent(wide, lnn.LeastSquares(lnn.Everything((2, 3)), np.ones(6)), 0.01, 0, model=hierarchical)
    assert repr(flat).startswith("Trajectory(hierarchical, 2x3, 3 factors, 1 times")
    signed = lnn.gradient_descent((W, W), LOSS, 0.01, 1, model=lnn.diagonal.Signed(2))
    assert repr(signed).startswith("Trajectory(Signed, 2x3, 2 factors, 2 times")
    for limit, said in ((2, "NOT converged after 2 iterations)"), (900, "converged after")):
        found = lnn.nuclear.minimize(SEEN, SEEN(W), gap=1e-9, max_iterations=limit)
        assert f", {said}" in repr(found) and repr(found).startswith(
            f"NuclearSolution(2x3, nuclear norm {found.value:.6g}"
        )


# Two balanced layers, whose product misses the target by 0.25: the margin is 2 - 0.25, the imbalance 0.
LAYERS, TARGET = (np.array([[1.5]]), np.array([[1.5]])), np.array([[2.0]])


def certified():
    return lnn.guarantees.certify(LAYERS, TARGET)


def test_a_certificate_says_in_one_sentence_why_or_why_not():
    assert (
        repr(certified())
        == "Guarantee(depth 2: holds, margin 1.75 > 0, imbalance 0 <= 0.00957; step size 0.0016, rate 1.75)"
    )
    uneven = lnn.guarantees.certify((2 * LAYERS[0], LAYERS[1] / 2), TARGET)
    assert repr(uneven) == "Guarantee(depth 2: FAILS, margin 1.75 > 0, imbalance 8.44 > 0.00957)"
    far = lnn.guarantees.certify(LAYERS, TARGET / 8)
    assert repr(far) == "Guarantee(depth 2: FAILS, margin -1.75 <= 0)"
    nothing = lnn.guarantees.certify((np.zeros((1, 1)),), TARGET)
    assert repr(nothing) == "Guarantee(depth 1: FAILS, margin 0 <= 0)"


def test_a_certificate_counts_from_the_loss_at_the_start():
    found = certified()
    assert found.loss == 0.5 * 0.25**2 and found.size == 2 and found.margin == 1.75
    assert found.iterations(found.loss) == 0 < found.iterations(0.999 * found.loss)
    assert found.bound(0) == found.loss
    top = found.step_size
    assert found.iterations(1e-3, top * (1 + 5e-13)) == found.iterations(1e-3, top)  # rounding is forgiven
    with pytest.raises(ValueError, match="covers step sizes up to"):
        found.iterations(1e-3, top * (1 + 5e-12))
    small = lnn.guarantees.certify((np.array([[0.5]]), np.array([[0.5]])), np.array([[0.3]]))
    assert repr(small).startswith("Guarantee(depth 2: holds, margin 0.25 > 0, imbalance 0 <= ")
    slight = lnn.guarantees.certify((np.array([[1.5001]]), np.array([[1.5]])), TARGET)
    assert ", imbalance 0.0003 <= 0.00957;" in repr(slight)
    with pytest.raises(ValueError, match=r"^target must have shape \(1, 1\), got \(1, 2\)$"):
        lnn.guarantees.certify(LAYERS, np.ones((1, 2)))


def test_what_comes_as_lists_is_kept_as_arrays():
    huber = lnn.HuberLoss(lnn.Everything((1, 2)), [1, 2], 1)
    assert isinstance(huber.observed, np.ndarray) and isinstance(huber.threshold, float)
    assert huber(np.array([[2.0, 5.0]])) == 0.5 + 2.5 and huber(np.array([[1.5, 2.0]])) == 0.125
    for loss in (lnn.LeastSquares(lnn.Everything((1, 2)), [1, 2]), lnn.PowerLoss(lnn.Everything((1, 2)), [1, 2], 2)):
        assert isinstance(loss.observed, np.ndarray) and loss(np.array([[2.0, 4.0]])) == 2.5
    products = lnn.Products([[[1, 0], [0, 1]]])
    assert products.A.dtype == float and products.A.flags.c_contiguous and products(np.eye(2)) == [2.0]


def test_a_mode_that_has_arrived_stays_and_one_that_starts_there_too():
    nearly = 1 - 1e-16  # the float below 1: its logit is 37 already
    for depth in (3, 5):
        assert modes.trajectory([0.0, 1.0, 1e300], nearly, 1.0, depth).tolist() == pytest.approx([1.0] * 3, abs=2e-16)
        path = modes.trajectory([0.0, 1.0, 2.0, 1e6], 0.3, 2.0, depth)
        assert path.dtype == float and path[0] == 0.3 and path[-1] == 2.0 and (np.diff(path) > 0).all()
        assert modes.time_to_reach(path[1], 0.3, 2.0, depth) == pytest.approx(1.0, abs=1e-11)


SAYINGS = [
    (lambda: lnn.imbalances((1e200 * np.eye(2), np.eye(2), np.eye(2))), ValueError,
     "the imbalance of layers 1 and 2 has 2 of 4 entries that leave the range of floats, 1e308"),
    (lambda: hierarchical.check([np.ones((2, 2)), np.full((3, 2), NAN), np.ones((2, 1))]), ValueError,
     "factor 2 must be finite, got 6 of 6 entries that are NaN or infinite"),
    (lambda: hierarchical.check([np.ones((2, 2))] * 3 + [np.ones((2, 1))]), ValueError,
     "a binary tree with N = 2, 4, 8, … leaves has 2N - 1 matrices, got 4"),
    (lambda: hierarchical.check([np.ones((2, 2))] * 10 + [np.ones((2, 1))]), ValueError,
     "a binary tree with N = 2, 4, 8, … leaves has 2N - 1 matrices, got 11"),
    (lambda: hierarchical.gaussian((2, 0), 2, 0.1, rng=RNG), ValueError, "d_2 must be at least 1, got 0"),
    (lambda: tensor.check((np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 2)))), ValueError,
     "factor 3 has 2 components, but factor 1 has 3"),
    (lambda: tensor.check((np.ones((7, 2, 3)), np.ones((6, 4, 3)))), ValueError,
     "factor 2 has leading axes (6,), but factor 1 has (7,)"),
    (lambda: tensor.gaussian((2, 0), 2, 0.1, rng=RNG), ValueError, "d_2 must be at least 1, got 0"),
    (lambda: initial.balanced([[NAN]], (1, 1)), ValueError,
     "matrix must be finite, got 1 of 1 entries that are NaN or infinite"),
    (lambda: network.pullback((np.full((1, 1), 1e200), np.ones((1, 1))), [[1e200]]), ValueError,
     "the gradient of layer 2 has 1 of 1 entries that leave the range of floats, 1e308"),
    (lambda: lnn.end_to_end_step(1e200 * W, LOSS, 3, 1.0), ValueError,
     "W after the step has 6 of 6 entries that leave the range of floats, 1e308"),
    (lambda: lnn.gradient_step((1e100 * WEIGHTS[0], 1e100 * WEIGHTS[1]), LOSS, 1e12), ValueError,
     "layer 1 after the step has 12 of 12 entries that leave the range of floats, 1e308"),
    (lambda: network.check(W), TypeError,
     "weights must be a tuple of matrices, got a single matrix: write (W,) for a network of depth 1"),
    (lambda: network.check(()), ValueError, "a network needs at least one layer, got depth 0"),
    (lambda: network.check((np.ones((6, 5)), np.ones((4, 7)))), ValueError,
     "layer 2 maps 7 -> 4, but layer 1 ends in 6"),
    (lambda: network.check((np.ones((2, 9, 6, 5)), np.ones((3, 9, 4, 6)))), ValueError,
     "layer 2 has leading axes (3, 9), but layer 1 has (2, 9)"),
    (lambda: network.unpack(np.ones(5), (3, 4, 2)), ValueError,
     "widths (3, 4, 2) need a vector of length 20, got shape (5,)"),
    (lambda: check_widths((3,)), ValueError, "widths must hold d_0, …, d_N for a depth N of at least 1, got (3,)"),
    (lambda: spectrum.nuclear_norm(2.0), ValueError,
     "singular values must come as an array of shape (…, r), got a single number"),
    (lambda: spectrum.nuclear_norm([1.0, -2.0]), ValueError, "singular values must not be negative, got -2.0"),
    (lambda: spectrum.schatten([1.0], 0.0), ValueError, "p must be positive and finite, got 0.0"),
    (lambda: spectrum.soft_threshold([1.0], -1.0), ValueError, "threshold must be positive and finite, or 0, got -1.0"),
    (lambda: modes.rate([0.5, -0.5], 1.0, 2), ValueError, "s must not be negative, got -0.5"),
    (lambda: modes.trajectory([0.0, -1.0], 0.1, 1.0, 2), ValueError, "times must not be negative, got -1.0"),
    (lambda: modes.trajectory([0.0], 1.0, 1.0, 2), ValueError, "initial must be below the target, got 1.0 and 1.0"),
    (lambda: modes.time_to_reach(0.5, 1.0, 1.0, 2), ValueError, "initial must be below the target, got 1.0 and 1.0"),
    (lambda: modes.time_to_reach([0.2, 1.0], 0.1, 1.0, 2), ValueError,
     "s must lie in [initial, target) = [0.1, 1.0), got [0.2, 1.0]"),
    (lambda: preconditioner.matrix(np.ones((5, 2, 3)), 2), ValueError,
     "W must be a single matrix of shape (m, n), got (5, 2, 3)"),
    (lambda: initial.balanced(W, (4, 3, 2)), ValueError, "widths (4, 3, 2) need a matrix of shape (2, 4), got (2, 3)"),
    (lambda: initial.balanced(W, (3, 1, 2)), ValueError,
     "hidden widths must be at least min(d_0, d_N) = 2, got (1,)"),
    (lambda: lnn.datasets.low_rank((2, 3), 3, rng=RNG), ValueError, "the rank of a 2×3 matrix is at most 2, got 3"),
    (lambda: lnn.datasets.random_mask((2, 3), 7, rng=RNG), ValueError,
     "a 2×3 matrix has 6 entries, got a count of 7"),
    (lambda: lnn.datasets.whiten(W[0]), ValueError, "X must be a matrix (2 axes or more), got shape (3,)"),
    (lambda: lnn.datasets.whiten(np.ones((2, 5))), ValueError,
     "whitening needs full row rank: 2 features, but X has rank 1"),
    (lambda: lnn.Products(W), ValueError, "A must have shape (k, m, n), got (2, 3)"),
    (lambda: lnn.Samples(np.ones((2, 3, 4))), ValueError, "X must have shape (d_0, samples), got (2, 3, 4)"),
    (lambda: lnn.PowerLoss(SEEN, SEEN(W), 1.5), ValueError, "p must be finite and at least 2, got 1.5"),
    (lambda: lnn.guarantees.certify((np.ones((5, 4, 3)), np.ones((5, 2, 4))), W), ValueError,
     "certify takes one network, got leading axes (5,)"),
    (lambda: preconditioner.gains([1e200, 1.0], 1000), ValueError,
     "the matrix of gains has 3 of 4 entries that leave the range of floats, 1e308"),
    (lambda: preconditioner.precondition(1e200 * W, 1e200 * W, 3), ValueError,
     "the preconditioned gradient has 6 of 6 entries that leave the range of floats, 1e308"),
    (lambda: preconditioner.matrix(1e250 * W, 3), ValueError,
     "the preconditioner has 36 of 36 entries that leave the range of floats, 1e308"),
    (lambda: modes.rate(1e200, 1.0, 3), ValueError,
     "the speed of the mode has 1 of 1 entries that leave the range of floats, 1e308"),
    (lambda: network.unpack([NAN] * 20, (3, 4, 2)), ValueError,
     "vector must be finite, got 20 of 20 entries that are NaN or infinite"),
    (lambda: certified().bound([NAN]), ValueError, "steps must be finite, got 1 of 1 entries that are NaN or infinite"),
    (lambda: certified().bound([2, -3]), ValueError, "steps must not be negative, got -3.0"),
    (lambda: certified().bound([1], 0.0), ValueError, "step_size must be positive and finite, got 0.0"),
    (lambda: certified().bound([1], 1.0), ValueError, "the theorem covers step sizes up to 0.0016, got 1"),
    (lambda: certified().iterations(0.0), ValueError, "epsilon must be positive and finite, got 0.0"),
    (lambda: lnn.gradient_flow(WEIGHTS, LOSS, [1.0, 0.0]), ValueError,
     "times must be an increasing sequence, got [1. 0.]"),
    (lambda: lnn.momentum(WEIGHTS, LOSS, step_size=0.1, steps=1, beta=1.0), ValueError,
     "beta must lie in [0, 1), got 1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "saying"), SAYINGS)
def test_a_refusal_says_what_was_got_and_what_was_needed(call, kind, saying):
    with pytest.raises(kind) as refused:
        call()
    assert str(refused.value) == saying


def test_a_rule_and_a_model_are_named_where_they_are_none():
    for rule in (0, "", "adam", lnn.adam, lnn.runs.optimizers.Adam):
        with pytest.raises(TypeError, match="a rule must be an object with the methods start and update, got"):
            lnn.gradient_descent(WEIGHTS, LOSS, 0.1, 1, rule=rule)
    for model in (3, "tensor", None, lnn.diagonal.Signed):
        for run in (
            lambda model: lnn.gradient_descent(WEIGHTS, LOSS, 0.1, 1, model=model),
            lambda model: lnn.gradient_step(WEIGHTS, LOSS, 0.1, model=model),
            lambda model: lnn.gradient_flow(WEIGHTS, LOSS, [0, 1], model=model),
        ):
            with pytest.raises(TypeError, match="a model must be a module or an object with check, product and pull"):
                run(model)
    with pytest.raises(TypeError, match=r"outcome must be an Outcome, as Outcome\.FINISHED, got 'done'"):
        lnn.Trajectory([0.0], (W[None],), [0.0], "done")


@pytest.mark.parametrize("draw", [lnn.datasets.low_rank, lnn.datasets.sensing, lnn.datasets.random_mask])
def test_a_shape_is_a_pair_and_nothing_of_it_is_left_out(draw):
    assert draw([2, np.int64(3)], 1, rng=RNG).shape[-2:] == (2, 3)
    for shape in (3, (3,)):
        with pytest.raises(ValueError, match="shape must be a pair"):
            draw(shape, 1, rng=RNG)
    if draw is not lnn.datasets.random_mask:
        with pytest.raises(ValueError, match=r"shape must be a pair \(m, n\), got \(2, 3, 4\)"):
            draw((2, 3, 4), 1, rng=RNG)


ROWS, ANSWERS = np.ones((20, 3)), np.ones((20, 2))
NO_WEIGHTS = "weights must be a tuple of matrices, got an object of type LeastSquares"
NO_LOSS = "a loss must be callable and have a method gradient, got tuple, where the weights come first"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: lnn.LeastSquares(lnn.Samples(ROWS), ANSWERS),
         "matrix with 3 columns, one for each sample (for rows there is LeastSquares.fit), got shape (20, 2)"),
        (lambda: lnn.LeastSquares(lnn.Samples(ROWS), ANSWERS.ravel()), "predictions for 3 samples, the columns of X,"),
        (lambda: lnn.Samples(ROWS)(W), "W of shape (…, m, 20), got (2, 3): X holds a sample a column"),
        (lambda: lnn.Entries(MASK.astype(int)), "mask must be boolean, got dtype int64: write mask.astype(bool)"),
        (lambda: lnn.LeastSquares(W, SEEN), "observed must hold real numbers, got an object of type Entries"),
        (lambda: lnn.gradient_descent(LOSS, WEIGHTS, 0.1, 1), NO_LOSS),
        (lambda: lnn.adam(LOSS, WEIGHTS, 0.1, 1), NO_LOSS),
        (lambda: lnn.adam(WEIGHTS, lnn.LeastSquares, 0.1, 1), "callable and have a method gradient, got <class"),
        (lambda: lnn.LeastSquares(lnn.Samples, [1.0]), "callable and have a method adjoint, got <class"),
        (lambda: lnn.gradient_step(LOSS, WEIGHTS, 0.1), NO_WEIGHTS),
        (lambda: lnn.gradient_flow(LOSS, WEIGHTS, [0.0, 1.0]), NO_LOSS),
        (lambda: lnn.sharpness(LOSS, WEIGHTS), NO_WEIGHTS),
        (lambda: lnn.hessian_vector(WEIGHTS, WEIGHTS, WEIGHTS), NO_LOSS),
        (lambda: lnn.end_to_end(LOSS), NO_WEIGHTS),
        (lambda: tensor.check(LOSS), "factors must be a tuple of matrices, got an object of type LeastSquares"),
        (lambda: lnn.end_to_end_flow(LOSS, W, 2, [0.0, 1.0]), "W must hold real numbers, got an object of type Least"),
        (lambda: lnn.check_gradient((2, 3), LOSS, rng=RNG), NO_LOSS),
        (lambda: lnn.grid(lambda eta: lnn.gradient_descent(WEIGHTS, LOSS, eta, 1), {"eta": [0.1]}).table(),
         "the runs gave trajectories: say what counts, as value=lambda path: path.losses[-1]"),
    ],
)  # fmt: skip
def test_common_mistakes_are_named_and_not_what_python_trips_over(call, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        call()
