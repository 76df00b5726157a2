"""What a run records besides weights, and what it does not keep: `observe`, `keep`, leading singular values."""

import numpy as np
import pytest
from test_runs import CUBE, DESCENTS, FLOWS, LOSS, RUNS, STEP, WEIGHTS
from tolerances import EXACT

import lnn
from lnn.theory import spectrum


def sums(W):
    """By a loop, to share nothing with the record."""
    return sum(float(w) ** 3 for w in W.ravel())


@pytest.mark.parametrize("name", RUNS)
def test_what_is_observed_is_what_the_kept_networks_would_have_given(name):
    options = {"every": 4} if name in DESCENTS else {}
    plain = RUNS[name](**options)
    watch = {"sum": sums, "corner": lambda W: W[..., 0], "first": lambda weights: weights[0].sum()}
    path = RUNS[name](observe=watch, **options)
    assert np.array_equal(path.losses, plain.losses) and np.array_equal(path.times, plain.times)
    assert list(path.observed) == ["sum", "corner", "first"] and dict(plain.observed) == {}
    assert np.array_equal(path.observed["sum"], [sums(V) for V in plain.end_to_end])
    assert np.array_equal(path.observed["corner"], plain.end_to_end[..., 0])
    assert np.array_equal(path.observed["first"], [V[0].sum() for V in plain])


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("stop", [False, True])
def test_a_run_that_keeps_the_last_network_has_all_else(name, stop):
    options = {"stop": float(RUNS[name]().losses[3])} if stop else {}
    whole, path = RUNS[name](**options), RUNS[name](keep="last", observe={"sum": sums}, **options)
    assert path.outcome is whole.outcome and len(path) == len(whole) > 1
    assert np.array_equal(path.times, whole.times) and np.array_equal(path.losses, whole.losses)
    assert all(len(V) == 1 for V in path.weights) and len(path.end_to_end) == 1
    assert all(np.array_equal(A, B) for A, B in zip(path[-1], whole[-1], strict=True))
    assert all(np.array_equal(A, B) for A, B in zip(path[len(path) - 1], whole[-1], strict=True))
    end = path[-2:]
    assert len(end) == 2 and np.array_equal(end.losses, whole.losses[-2:]) and len(end.weights[0]) == 1
    assert np.array_equal(end.observed["sum"], path.observed["sum"][-2:])
    assert repr(path) == repr(whole)
    for k in (0, -2, slice(0, 1), slice(None, None, -1)):
        with pytest.raises(ValueError, match="the run kept the last network alone"):
            path[k]
    with pytest.raises(IndexError):
        path[len(path)]


@pytest.mark.parametrize("keep", ["all", "last"])
@pytest.mark.parametrize("together", [1, 50, 2**16])
def test_a_run_that_diverges_keeps_its_last_finite_network(monkeypatch, keep, together):
    monkeypatch.setattr(lnn.runs.recording, "TOGETHER", together)
    path = lnn.gradient_descent(WEIGHTS, LOSS, 3.0, 60, keep=keep, observe={"norm": np.linalg.norm})
    twin = lnn.gradient_descent(WEIGHTS, LOSS, 3.0, 60)
    assert path.outcome is lnn.Outcome.DIVERGED and len(path) == len(twin) < 61
    assert all(np.array_equal(A, B) for A, B in zip(path[-1], twin[-1], strict=True))
    np.testing.assert_allclose(path.observed["norm"], np.linalg.norm(twin.end_to_end, axis=(1, 2)), rtol=EXACT)
    assert np.array_equal(lnn.gradient_descent(WEIGHTS, LOSS, 3.0, 60, keep=keep).losses, twin.losses)


def test_a_large_run_takes_no_memory_for_what_is_not_kept():
    import tracemalloc

    weights = tuple(np.eye(120) for _ in range(3))
    loss, layer = lnn.LeastSquares(lnn.Everything((120, 120)), np.zeros((120, 120))), 8 * 120**2
    tracemalloc.start()
    path = lnn.gradient_descent(weights, loss, 1e-3, 60, keep="last", observe={"trace": np.trace})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * layer < 61 * 3 * layer
    s = [1.0]
    for _ in range(60):
        s.append(s[-1] - 1e-3 * s[-1] ** 5)
    np.testing.assert_allclose(path.observed["trace"], 120 * np.array(s) ** 3, rtol=1e-12)


def test_an_observation_may_be_nan_and_ends_nothing():
    path = lnn.gradient_descent((np.zeros((2, 3)),), LOSS, 0.1, 3, observe={"rank": lambda W: 0 / np.linalg.norm(W)})
    assert path.outcome is lnn.Outcome.FINISHED and np.isnan(path.observed["rank"]).tolist() == [True] + [False] * 3
    assert not path.observed["rank"].flags.writeable
    with pytest.raises(TypeError):
        path.observed["more"] = 1


def test_who_looks_cannot_change_what_is_recorded():
    def spoil(W):
        W[:] = 0

    for run in (lnn.gradient_descent, lnn.momentum):
        with pytest.raises(ValueError, match="read-only"):
            run((np.ones((2, 3)),), LOSS, STEP, 3, observe={"spoil": spoil})


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"observe": [sums]}, TypeError, "observe must map names to functions"),
        ({"observe": {"a": 3}}, TypeError, "observe must map names to functions"),
        ({"observe": {"a": lambda W: "much"}}, TypeError, "what observe calls 'a' must be real numbers, got 'much'"),
        ({"observe": {"a": lambda W: 1j}}, TypeError, "what observe calls 'a' must be real numbers"),
        ({"keep": "first"}, ValueError, "keep must be 'all' or 'last', got 'first'"),
    ],
)
def test_what_cannot_be_observed_or_kept_is_refused(name, options, error, message):
    with pytest.raises(error, match=message):
        RUNS[name](**options)


def test_observations_have_one_shape():
    shapes = iter([(1,), (2,), (3,), (4,)])
    with pytest.raises(ValueError, match="what observe calls 'a' must have one shape"):
        lnn.gradient_descent(WEIGHTS, LOSS, STEP, 3, observe={"a": lambda W: np.zeros(next(shapes))})


def test_the_package_s_own_functions_can_be_observed():
    watch = {"imbalance": lnn.imbalance, "sharpness": lambda weights: lnn.sharpness(weights, LOSS), "top": np.max}
    path, plain = (lnn.gradient_flow(WEIGHTS, LOSS, [0, 0.5, 1], observe=o) for o in (watch, None))
    np.testing.assert_allclose(path.observed["imbalance"], lnn.imbalance(plain), rtol=EXACT)
    assert np.array_equal(path.observed["top"], plain.end_to_end.max(axis=(1, 2)))
    np.testing.assert_allclose(path.observed["sharpness"], [lnn.sharpness(V, LOSS) for V in plain], rtol=1e-6)
    norms = {"norms": lnn.tensor.component_norms}
    cube = lnn.gradient_descent(lnn.tensor.gaussian((2, 3, 2), 2, 0.5, rng=np.random.default_rng(1)), CUBE, STEP, 3,
                                model=lnn.tensor, observe=norms)  # fmt: skip
    np.testing.assert_allclose(cube.observed["norms"], cube.component_norms, rtol=EXACT)


def spectra(n):
    """Matrices on which a Lanczos process may stumble, with their singular values."""
    rng = np.random.default_rng(n)
    U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in "UV")
    falling = 0.5 ** np.arange(n)
    for values in (np.ones(n), np.zeros(n), np.r_[[2.0] * 3, [1.0] * (n - 3)], np.r_[3, 2, 1, np.zeros(n - 3)],
                   np.r_[3, 2, 1, 1e-9, 1e-11, np.zeros(n - 5)], falling, 1e200 * falling, 1e-200 * falling,
                   1 + 1e-3 * np.arange(n)[::-1]):  # fmt: skip
        yield (U * values) @ V, values


@pytest.mark.parametrize("tall", [False, True])
def test_leading_singular_values_are_the_first_of_all(monkeypatch, tall):
    monkeypatch.setattr(spectrum, "LARGE", 20)
    for W, values in spectra(40):
        W = np.vstack([W, np.zeros((9, 40))]) if tall else W
        for count in (1, 2):
            found = lnn.singular_values(W, leading=count)
            np.testing.assert_allclose(found, values[:count], rtol=0, atol=1e-13 * values[0])
        monkeypatch.setattr(spectrum, "FEW", 4)
        found = lnn.singular_values(W, leading=6)
        np.testing.assert_allclose(found, values[:6], rtol=0, atol=1e-11 * values[0])  # what SciPy 1.13 leaves
    stack = np.random.default_rng(0).standard_normal((2, 3, 30, 25))
    assert np.array_equal(lnn.singular_values(stack, leading=25), lnn.singular_values(stack))
    found = lnn.singular_values(stack, leading=2)
    np.testing.assert_allclose(found, lnn.singular_values(stack)[..., :2], rtol=1e-12)
    assert np.array_equal(found, lnn.singular_values(stack, leading=2))


def test_of_a_large_matrix_they_are_those_of_the_decomposition():
    rng = np.random.default_rng(2)
    W = rng.standard_normal((310, 3)) @ rng.standard_normal((3, 330)) + 1e-3 * rng.standard_normal((310, 330))
    np.testing.assert_allclose(lnn.singular_values(W, leading=4), np.linalg.svd(W, compute_uv=False)[:4], rtol=1e-12)


@pytest.mark.parametrize("count", [0, 3, -1])
def test_there_are_only_so_many_leading_ones(count):
    with pytest.raises(ValueError, match=r"leading must be at (most 2|least 1)"):
        lnn.singular_values(np.ones((2, 3)), leading=count)


def test_what_looks_may_answer_in_one_buffer():
    buffer = np.zeros((2, 3))

    def look(W):
        buffer[...] = W
        return buffer

    for run in (DESCENTS["gradient_descent"], lambda steps, **o: FLOWS["gradient_flow"](**o)):
        path = run(5, observe={"W": look})
        np.testing.assert_allclose(path.observed["W"], path.end_to_end, rtol=1e-13)
