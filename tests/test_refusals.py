"""Every door says whom it refused: the argument by its name, what was got and what was needed, both as numbers."""

import re

import numpy as np
import pytest

import lnn
from lnn import initial, modes, network, preconditioner, spectrum
from lnn.checks import check_widths

RNG = np.random.default_rng(0)
NAN = np.nan
W = RNG.standard_normal((2, 3))
WEIGHTS = (RNG.standard_normal((4, 3)), RNG.standard_normal((2, 4)))
MASK = np.array([[True, False, True], [False, True, True]])
SEEN = lnn.Entries(MASK)
LOSS = lnn.LeastSquares(SEEN, SEEN(W))
GAUSSIAN = (lnn.initial.gaussian, {"widths": (3, 4, 2), "scale": 0.1, "rng": RNG})
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
    "momentum": (lnn.momentum, STEPS | {"decay": 0.9}),
    "adagrad": (lnn.adagrad, STEPS | {"epsilon": 1e-6}),
    "adadelta": (lnn.adadelta, STEPS | {"epsilon": 1e-6, "decay": 0.9}),
    "adam": (lnn.adam, STEPS | {"epsilon": 1e-6}),
    "flow": (lnn.gradient_flow, {"weights": WEIGHTS, "loss": LOSS, "times": [0.0, 1.0], "rtol": 1e-3, "atol": 1e-6}),
    "end_to_end_flow": (lnn.end_to_end_flow, {"W": W, "loss": LOSS, "depth": 2, "times": [0.0, 1.0]}),
    "margin": (lnn.guarantees.deficiency_margin, {"W": W, "target": W}),
    "certify": (lnn.guarantees.certify, {"weights": WEIGHTS, "target": W}),
}
# What an argument is called in the message, where that is not its name.
CALLED = {"values": "singular values", "weights": "layer 1", "shape": "m", "widths": "width d_0"}


def spoiled(name, value):
    """A wrong value for an argument that has the right kind: NaN where numbers are wanted, 0 where counts are."""
    if name in ("depth", "rank", "count", "max_iterations"):
        return 0
    if name == "steps":
        return -1
    if name == "shape":
        return (0, 3)
    if name == "widths":
        return (0, *value[1:])
    if name == "weights":
        return (np.full((4, 3), NAN), value[1])
    return np.full(np.shape(value), NAN)


CASES = [
    (call, name)
    for call, (_, arguments) in CALLS.items()
    for name in arguments
    if name not in ("rng", "loss", "measure")
]


@pytest.mark.parametrize(("call", "name"), CASES)
def test_a_spoiled_argument_is_refused_by_its_name(call, name):
    function, arguments = CALLS[call]
    function(**arguments)  # the call itself is right
    with pytest.raises(ValueError, match=rf"^{re.escape(CALLED.get(name, name))} must be (finite|positive|at least)"):
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


@pytest.mark.parametrize(
    "call", [call for call, (_, arguments) in CALLS.items() if "G" in arguments or call == "margin"]
)
def test_a_matrix_of_another_shape_is_refused_with_both_shapes(call):
    function, arguments = CALLS[call]
    name = "W" if call == "margin" else "G"
    with pytest.raises(ValueError, match=rf"^{name} must have (the )?shape \(2, 3\).*got \(3, 2\)$"):
        function(**(arguments | {name: W.T}))


# Two balanced layers, whose product misses the target by 0.25: the margin is 2 - 0.25, the imbalance 0.
LAYERS, TARGET = (np.array([[1.5]]), np.array([[1.5]])), np.array([[2.0]])
CERTIFIED = lnn.guarantees.certify(LAYERS, TARGET)


def test_a_certificate_says_in_one_sentence_why_or_why_not():
    assert (
        repr(CERTIFIED)
        == "Guarantee(depth 2: holds, margin 1.75 > 0, imbalance 0 <= 0.00957; step size 0.0016, rate 1.75)"
    )
    uneven = lnn.guarantees.certify((2 * LAYERS[0], LAYERS[1] / 2), TARGET)
    assert repr(uneven) == "Guarantee(depth 2: FAILS, margin 1.75 > 0, imbalance 8.44 > 0.00957)"
    far = lnn.guarantees.certify(LAYERS, TARGET / 8)
    assert repr(far) == "Guarantee(depth 2: FAILS, margin -1.75 <= 0)"
    nothing = lnn.guarantees.certify((np.zeros((1, 1)),), TARGET)
    assert repr(nothing) == "Guarantee(depth 1: FAILS, margin 0 <= 0)"


SAYINGS = [
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
    (lambda: spectrum.schatten([1.0], 0.0), ValueError, "p must be positive, got 0.0"),
    (lambda: spectrum.shrink([1.0], -1.0), ValueError, "the threshold must not be negative, got -1.0"),
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
    (lambda: CERTIFIED.bound([NAN]), ValueError, "steps must be finite, got 1 of 1 entries that are NaN or infinite"),
    (lambda: CERTIFIED.bound([2, -3]), ValueError, "steps must not be negative, got -3.0"),
    (lambda: CERTIFIED.bound([1], 0.0), ValueError, "step_size must be positive and finite, got 0.0"),
    (lambda: CERTIFIED.bound([1], 1.0), ValueError, "the theorem covers step sizes up to 0.0016, got 1"),
    (lambda: CERTIFIED.iterations(0.0), ValueError, "epsilon must be positive and finite, got 0.0"),
    (lambda: lnn.gradient_flow(WEIGHTS, LOSS, [1.0, 0.0]), ValueError,
     "times must be an increasing sequence, got [1. 0.]"),
    (lambda: lnn.momentum(WEIGHTS, LOSS, step_size=0.1, steps=1, decay=1.0), ValueError,
     "decay must lie in [0, 1), got 1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "saying"), SAYINGS)
def test_a_refusal_says_what_was_got_and_what_was_needed(call, kind, saying):
    with pytest.raises(kind) as refused:
        call()
    assert str(refused.value) == saying
