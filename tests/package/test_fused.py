"""The fast path of descent against its readable form: the same gradients and the same steps, to rounding."""

import numpy as np
import pytest
from draws import WIDTHS, network, seeds
from draws import widths as drawn_widths
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EXACT

import lnn
from lnn.network import layer_gradients, prefixes
from lnn.numerics import fused

KINDS = ("everything", "entries", "products", "samples", "power")


def loss_of(kind, shape, rng):
    """A loss on matrices of this shape."""
    m, n = shape
    measure = {
        "entries": lnn.Entries(rng.random(shape) < 0.7),
        "products": lnn.Products(rng.standard_normal((4, m, n))),
        "samples": lnn.Samples(rng.standard_normal((n, 5))),
    }.get(kind, lnn.Everything(shape))
    observed = rng.standard_normal(measure(np.zeros(shape)).shape)
    if not observed.size:
        measure, observed = lnn.Everything(shape), rng.standard_normal(m * n)
    return lnn.PowerLoss(measure, observed, 4) if kind == "power" else lnn.LeastSquares(measure, observed)


def moving(weights):
    """One vector with all entries, and the layers as views of it."""
    vector = lnn.pack(weights)
    return vector, lnn.unpack(vector, lnn.widths(weights))


def choose(patch, path):
    """Have all descents take one of the two ways, whatever their widths."""
    patch.setattr(fused, "ONE_THREAD", 0)
    patch.setattr(fused, "one_thread", lambda: path == "fused")


def readable(weights, loss):
    """Gradients of all layers, as the book writes them."""
    below = prefixes(weights)
    return layer_gradients(weights, below, loss.gradient(below[-1]))


def largest(arrays):
    return max(np.abs(A).max() for A in arrays)


@pytest.mark.parametrize("path", ["fused", "wide"])
@given(seeds, drawn_widths, st.sampled_from(KINDS))
def test_the_sweep_gives_the_gradients_of_the_readable_form_again_and_again(path, seed, widths, kind):
    rng = np.random.default_rng(seed)
    weights, loss = network(widths, rng), loss_of(kind, (widths[-1], widths[0]), rng)
    vector, layers = moving(weights)
    slopes = tuple(np.full_like(W, np.nan) for W in layers)  # what was there does not count
    with pytest.MonkeyPatch.context() as patch:
        choose(patch, path)
        calls = fused.sweeps(layers, slopes, loss.gradient)
    for _ in range(3):
        for call in calls:
            call()
        expected = readable(layers, loss)
        scale = largest(expected) + largest(layers)
        assert largest(A - B for A, B in zip(slopes, expected, strict=True)) < 1e2 * EXACT * scale
        vector += 0.1 * rng.standard_normal(vector.size)  # the layers move, the calls stay


@pytest.mark.parametrize("path", ["fused", "wide"])
@given(seeds, drawn_widths, st.sampled_from(KINDS))
def test_a_step_in_place_is_the_readable_step(path, seed, widths, kind):
    rng = np.random.default_rng(seed)
    weights = tuple(0.5 * W for W in network(widths, rng))
    loss, eta = loss_of(kind, (widths[-1], widths[0]), rng), 1e-3
    with pytest.MonkeyPatch.context() as patch:
        choose(patch, path)
        run = lnn.gradient_descent(weights, loss, eta, 7)
    for k in range(7):
        expected = lnn.gradient_step(run[k], loss, eta)
        assert largest(A - B for A, B in zip(run[k + 1], expected, strict=True)) < 1e2 * EXACT * largest(run[k])


def test_a_width_and_a_depth_of_one_hundred_agree_too():
    rng = np.random.default_rng(0)
    for widths in ((120, 100, 110), (3,) * 101):
        weights = tuple(W / np.sqrt(W.shape[1]) for W in network(widths, rng))
        loss = loss_of("everything", (widths[-1], widths[0]), rng)
        stepped = lnn.gradient_descent(weights, loss, 0.1, 1)[-1]
        expected = lnn.gradient_step(weights, loss, 0.1)
        assert largest(A - B for A, B in zip(stepped, expected, strict=True)) < EXACT


class Careless:
    """½‖W‖² of a student who keeps what is given, answers with it, or answers in another type or order."""

    def __init__(self, way):
        self.way = way

    def __call__(self, W):
        return 0.5 * (W**2).sum(axis=(-2, -1))

    def gradient(self, W):
        if self.way == "in place":
            W *= 1.0
            return W
        return {
            "itself": W,
            "fortran": np.asfortranarray(W),
            "list": W.tolist(),
            "strided": np.repeat(W, 2, 1)[:, ::2],
        }[self.way]


@pytest.mark.parametrize("widths", [WIDTHS, (4, 3), (1, 5, 1)])
@pytest.mark.parametrize("way", ["itself", "in place", "fortran", "list", "strided"])
@pytest.mark.parametrize("path", ["fused", "wide"])
def test_a_gradient_may_come_in_any_form(widths, way, path, monkeypatch):
    choose(monkeypatch, path)
    weights = network(widths, np.random.default_rng(1))
    ours = lnn.gradient_descent(weights, Careless(way), 1e-3, 5)
    plain = lnn.gradient_descent(
        weights, lnn.LeastSquares(lnn.Everything((widths[-1], widths[0])), np.zeros(widths[0] * widths[-1])), 1e-3, 5
    )
    assert largest(A - B for A, B in zip(ours.weights, plain.weights, strict=True)) < EXACT * largest(ours.weights)


def test_what_is_recorded_does_not_move_on_and_the_start_is_left_alone():
    rng = np.random.default_rng(2)
    weights, loss = network(WIDTHS, rng), loss_of("everything", (WIDTHS[-1], WIDTHS[0]), rng)
    before = [W.copy() for W in weights]
    every, ends = lnn.gradient_descent(weights, loss, 1e-4, 6), lnn.gradient_descent(weights, loss, 1e-4, 6, every=6)
    assert all(np.array_equal(W, V) for W, V in zip(weights, before, strict=True))
    assert all(np.array_equal(W, V) for W, V in zip(every[0], before, strict=True))
    assert all(np.array_equal(W, V) for W, V in zip(every[-1], ends[-1], strict=True))
    assert len({W.tobytes() for W in every.weights[1]}) == 7


@pytest.mark.parametrize("verb", [lnn.gradient_descent, lnn.momentum])
def test_a_run_whose_squares_overflow_is_finite_still(verb):
    """Finiteness is read off a sum of squares; where that overflows, off the entries."""
    rng = np.random.default_rng(3)
    measure = lnn.Everything((1, 2))
    loss = lnn.LeastSquares(measure, rng.standard_normal(2))
    weights = (np.array([[1e170, 0.0], [0.0, 1e170]]), np.array([[1e-170, 1e-170]]))
    path = verb(weights, loss, 1e-300, 1)
    assert path.outcome is lnn.Outcome.FINISHED
    assert path.weights[0].max() == 1e170


def test_wide_layers_go_to_the_blas_of_numpy_unless_it_has_one_thread(monkeypatch):
    called = []
    monkeypatch.setattr(fused, "dgemm", lambda *call: called.append(call))
    layers = tuple(np.zeros((65, 65)) for _ in range(2))
    for threads, calls in (("1", 3), ("2", 0), (None, 0)):
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        if threads:
            monkeypatch.setenv("OMP_NUM_THREADS", threads)
        called.clear()
        for call in fused.sweeps(layers, layers, lambda W: W, factor=-0.1, add=True):
            call()
        assert len(called) == calls, threads
