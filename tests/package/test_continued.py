"""Runs that are saved, loaded and continued: the numbers of one long run."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from test_runs import CUBE, FACTORS, LOSS, STEP, WEIGHTS
from tolerances import EXACT

import lnn
from lnn.models import tensor
from lnn.numerics import archive


def falling(k):
    return 0.02 / k


class Orthogonal:
    """A rule for whole matrices, with a memory of matrices that it changes where they stand."""

    def start(self, factors):
        return tuple(np.zeros_like(W) for W in factors)

    def update(self, k, gradients, memory):
        for M, G in zip(memory, gradients, strict=True):
            M *= 0.9
            M += G / k
        return [U @ Vt for U, _, Vt in (np.linalg.svd(M, full_matrices=False) for M in memory)], memory


RUNS = {
    "gradient_descent": lambda start, steps, **o: lnn.gradient_descent(start, LOSS, STEP, steps, **o),
    "a schedule": lambda start, steps, **o: lnn.gradient_descent(start, LOSS, falling, steps, **o),
    "momentum": lambda start, steps, **o: lnn.momentum(start, LOSS, STEP, steps, weight_decay=0.3, **o),
    "adagrad": lambda start, steps, **o: lnn.adagrad(start, LOSS, [STEP, 2 * STEP], steps, **o),
    "adadelta": lambda start, steps, **o: lnn.adadelta(start, LOSS, STEP, steps, **o),
    "adam": lambda start, steps, **o: lnn.adam(start, LOSS, falling, steps, **o),
    "a rule": lambda start, steps, **o: lnn.gradient_descent(start, LOSS, STEP, steps, rule=Orthogonal(), **o),
    "tensor": lambda start, steps, **o: lnn.adam(start, CUBE, STEP, steps, model=tensor, **o),
}


def start_of(name):
    return FACTORS if name == "tensor" else WEIGHTS


def there_and_back(path, tmp_path):
    path.save(tmp_path / "run")
    return lnn.Trajectory.load(tmp_path / "run")


def equal(one, other):
    return all(np.array_equal(A, B) for A, B in zip(one, other, strict=True))


@pytest.mark.parametrize("way", ["at once", "saved", "pickled", "copied", "a slice", "the last alone", "stopped"])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_is_continued_has_the_numbers_of_one_long_run(name, way, tmp_path):
    run, start = RUNS[name], start_of(name)
    whole = run(start, 20)
    options = {"keep": "last"} if way == "the last alone" else {}
    options |= {"stop": float(whole.losses[12])} if way == "stopped" else {}
    path = run(start, 12 if way != "stopped" else 20, **options)
    if way == "saved":
        path = there_and_back(path, tmp_path)
    elif way == "pickled":
        path = pickle.loads(pickle.dumps(path))
    elif way == "copied":
        path = copy.deepcopy(path)
    elif way == "a slice":
        path = path[5:]
    assert path.times[-1] == whole.times[12]
    before = copy.deepcopy(path.state)
    for _ in range(2):  # a second time from the same record, which has not changed
        rest = run(path, 8)
        assert len(rest) == 9 and equal(rest.weights, [W[12:] for W in whole.weights])
        assert np.array_equal(rest.losses, whole.losses[12:])
        np.testing.assert_allclose(rest.times, whole.times[12:], rtol=EXACT)
        assert rest.state.steps == whole.state.steps == 20
    if before.memory is not None:
        assert equal(path.state.memory, before.memory)


def test_from_the_last_weights_alone_a_run_has_no_memory_and_a_clock_as_told():
    whole, first = (lnn.adam(WEIGHTS, LOSS, STEP, steps) for steps in (20, 12))
    rest = lnn.adam(first[-1], LOSS, STEP, 8, start=first.times[-1])
    np.testing.assert_allclose(rest.times, whole.times[12:], rtol=EXACT)
    assert not np.allclose(rest.weights[0][-1], whole.weights[0][-1], rtol=1e-6)
    plain = lnn.gradient_descent(WEIGHTS, LOSS, STEP, 20)
    assert equal(lnn.gradient_descent(plain[12], LOSS, STEP, 8, start=7.0)[-1], plain[-1])
    product = lnn.end_to_end_descent(plain.end_to_end[0], LOSS, 2, STEP, 5, start=7.0)
    np.testing.assert_allclose(product.times, 7 + STEP * np.arange(6), rtol=EXACT)
    assert lnn.gradient_descent(first, LOSS, STEP, 2, start=0).times[0] == 0


def test_another_rule_begins_anew_where_the_first_one_ended():
    first = lnn.adam(WEIGHTS, LOSS, STEP, 5)
    rest, fresh = lnn.momentum(first, LOSS, STEP, 5), lnn.momentum(first[-1], LOSS, STEP, 5)
    assert equal(rest.weights, fresh.weights) and rest.times[0] == first.times[-1] and fresh.times[0] == 0


def test_a_slice_that_ends_before_the_run_has_no_memory_of_its_end():
    path = lnn.adam(WEIGHTS, LOSS, STEP, 5)
    assert path[:3].state is None and path[2:].state is path.state
    assert equal(lnn.adam(path[:3], LOSS, STEP, 4).weights, lnn.adam(path[2], LOSS, STEP, 4).weights)


def test_what_diverged_is_continued_from_its_last_finite_network_without_a_memory():
    path = lnn.momentum(WEIGHTS, LOSS, 3.0, 50)
    assert path.outcome is lnn.Outcome.DIVERGED and path.state is None
    again = lnn.momentum(path[:1], LOSS, STEP, 5)
    assert equal(again.weights, lnn.momentum(WEIGHTS, LOSS, STEP, 5).weights)


def test_stochastic_descent_goes_on_with_the_same_generator():
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((3, 9)), rng.standard_normal((2, 9))
    one, two = np.random.default_rng(4), np.random.default_rng(4)
    whole = lnn.sgd(WEIGHTS, X, Y, STEP, 20, batch=2, label_noise=0.1, rng=one)
    path = lnn.sgd(WEIGHTS, X, Y, STEP, 12, batch=2, label_noise=0.1, rng=two)
    assert equal(lnn.sgd(path, X, Y, STEP, 8, batch=2, label_noise=0.1, rng=two)[-1], whole[-1])


def test_a_flow_is_continued_to_its_tolerance():
    whole = lnn.gradient_flow(WEIGHTS, LOSS, [0, 0.3, 0.8])
    rest = lnn.gradient_flow(lnn.gradient_flow(WEIGHTS, LOSS, [0, 0.3]), LOSS, [0.3, 0.8])
    np.testing.assert_allclose(rest.end_to_end[-1], whole.end_to_end[-1], rtol=1e-7)
    with pytest.raises(TypeError, match="of the model tensor, got one of network"):
        lnn.gradient_flow(whole, CUBE, [0, 1], model=tensor)


class Mine:
    """A model of a reader's own."""

    check, product, pullback = (
        staticmethod(f) for f in (lnn.diagonal.check, lnn.diagonal.product, lnn.diagonal.pullback)
    )


@pytest.mark.parametrize("model", [lnn.network, lnn.tensor, lnn.diagonal, lnn.diagonal.Signed(3), lnn.convolution])
def test_a_saved_trajectory_comes_back_complete(model, tmp_path):
    start = (np.full((1, 1), 0.5),) * 2 if model is not lnn.tensor else (np.full((1, 1), 0.5),) * 3
    shape = (1,) * 3 if model is lnn.tensor else (1, 1)
    loss = lnn.LeastSquares(lnn.Everything(shape), np.ones(1))
    watch = {"W": lambda W: W, "log, base e": lambda W: np.log(0 * W.sum()), "größer/kleiner": lambda W: W.sum()}
    for path in (
        lnn.gradient_flow(start, loss, [0, 0.1, 0.5], model=model, observe=watch),
        lnn.adam(start, loss, 0.01, 5, model=model, observe=watch, keep="last"),
        lnn.gradient_descent(start, loss, 0.01, 5, model=model, stop=0.45),
        lnn.gradient_descent(start, loss, 1e3, 50, model=model),
    ):
        twin = there_and_back(path, tmp_path)
        assert equal((twin.times, twin.losses, *twin.weights), (path.times, path.losses, *path.weights))
        assert twin.outcome is path.outcome and twin.effort == path.effort and twin.model == model
        assert list(twin.observed) == list(path.observed) and repr(twin) == repr(path)
        for name, values in path.observed.items():
            np.testing.assert_array_equal(twin.observed[name], values)
        assert (twin.state is None) == (path.state is None)
        if path.state is not None:
            assert twin.state[:2] == path.state[:2] and equal(twin.state.memory or (), path.state.memory or ())
        assert not any(array.flags.writeable for array in (twin.times, *twin.weights, *twin.observed.values()))


@pytest.mark.parametrize("power", [np.int64(2), np.array(2), np.uint8(2)])
def test_a_power_from_an_array_is_saved_as_a_number(power, tmp_path):
    half = (np.full((1, 1), 0.5),) * 2
    path = lnn.adam(half, lnn.LeastSquares.to([[1.0]]), 0.01, 3, model=lnn.diagonal.Signed(power))
    assert there_and_back(path, tmp_path).model == lnn.diagonal.Signed(2)


def test_a_file_has_a_name():
    for number in (1, 99, True):
        with pytest.raises(TypeError, match=r"expected str, bytes or os\.PathLike object"):
            lnn.gradient_descent(WEIGHTS, LOSS, STEP, 1).save(number)


def test_a_model_of_ones_own_is_given_again(tmp_path):
    path = lnn.gradient_descent(
        (np.ones((1, 2)),), lnn.LeastSquares(lnn.Everything((1, 2)), np.zeros(2)), 0.1, 3, model=Mine()
    )
    path.save(tmp_path / "mine.npz")
    with pytest.raises(ValueError, match=r"the model Mine is not one of the package: say which it is, model="):
        lnn.Trajectory.load(tmp_path / "mine.npz")
    assert equal(lnn.Trajectory.load(str(tmp_path / "mine.npz"), model=Mine()).weights, path.weights)


@pytest.mark.parametrize("module", ["this", "lnn", "lnn.nonlinear", "lnn.models.x.y", "lnn.modelsx"])
@pytest.mark.parametrize("kind", [None, "Trajectory", "check_factors"])
def test_a_file_imports_no_module_but_those_of_models(module, kind, tmp_path):
    path = lnn.gradient_descent(WEIGHTS, LOSS, STEP, 1)
    path.save(tmp_path / "run")
    about, arrays = archive.read(tmp_path / "run")
    about["model"] = {"module": module} | ({"class": kind, "fields": {}} if kind else {})
    archive.write(tmp_path / "run", about, arrays)
    with pytest.raises(ValueError, match="is not one of the package"):
        lnn.Trajectory.load(tmp_path / "run")


@pytest.mark.parametrize("damage", ["another array", "a pickle", "cut off", "text", "empty", "NaN"])
def test_a_file_with_something_else_is_refused(damage, tmp_path):
    file = tmp_path / "run"
    lnn.gradient_descent(WEIGHTS, LOSS, STEP, 3).save(file)
    if damage == "another array":
        with open(file, "wb") as stream:
            np.savez(stream, times=np.ones(3))
    elif damage == "a pickle":
        with open(file, "wb") as stream:
            np.savez(stream, about=np.array([{"about": 1}], dtype=object))
    elif damage == "NaN":
        about, arrays = archive.read(file)
        archive.write(file, about, arrays | {"losses": [np.full(4, np.nan)]})
    else:
        file.write_bytes({"cut off": file.read_bytes()[:900], "text": b"times,losses", "empty": b""}[damage])
    with pytest.raises(
        ValueError, match="losses must be finite" if damage == "NaN" else "is no file that was saved here"
    ):
        lnn.Trajectory.load(file)
    with pytest.raises(FileNotFoundError):
        lnn.Trajectory.load(tmp_path / "nothing")


def test_what_a_run_remembers_is_its_own_also_if_its_rule_begins_anew_in_the_same_place():
    class Heavy:
        def __init__(self):
            self.place = tuple(np.zeros_like(W) for W in WEIGHTS)

        def start(self, factors):
            for M in self.place:
                M[...] = 0
            return self.place

        def update(self, k, gradients, memory):
            for M, G in zip(memory, gradients, strict=True):
                M *= 0.9
                M += G
            return [M.copy() for M in memory], memory

    rule = Heavy()
    path = lnn.gradient_descent(WEIGHTS, LOSS, STEP, 4, rule=rule)
    lnn.gradient_descent(WEIGHTS, LOSS, 2 * STEP, 7, rule=rule)
    whole = lnn.momentum(WEIGHTS, LOSS, STEP, 9)
    rest = lnn.gradient_descent(path, LOSS, STEP, 5, rule=rule)
    np.testing.assert_allclose(rest.end_to_end[-1], whole.end_to_end[-1], rtol=1e-12)


def test_a_memory_that_is_no_tuple_of_arrays_is_not_saved_in_silence(tmp_path):
    class Remembers:
        def __init__(self, memory):
            self.memory = memory

        def start(self, factors):
            return self.memory

        def update(self, k, gradients, memory):
            return gradients, memory

    for memory in ({"a": 1}, ("words",), (None,)):
        path = lnn.gradient_descent(WEIGHTS, LOSS, STEP, 2, rule=Remembers(memory))
        with pytest.raises(TypeError, match=r"cannot be saved|only real numbers can be saved"):
            path.save(tmp_path / "run")
        dataclasses.replace(path, state=None).save(tmp_path / "run")
        assert lnn.Trajectory.load(tmp_path / "run").state is None
