"""The grid search: every run accounted for, the same numbers whatever the workers, errors with their place."""

import builtins
import sys

import joblib
import numpy as np
import pytest

import lnn


def area(width, height):
    return width * 10 + height


def noisy(number, rng):
    return number + rng.standard_normal(3).sum()


def shaky(step_size):
    if step_size == 2.0:
        raise np.linalg.LinAlgError("SVD did not converge")
    if step_size == 3.0:
        raise OverflowError("too large")
    if step_size == 4.0:
        return float("nan")
    loss = lnn.LeastSquares(lnn.Everything((1, 2)), np.ones(2))
    return lnn.gradient_descent((np.zeros((1, 2)),), loss, step_size, 2000)


def test_every_point_of_the_grid_is_run_once_and_stands_at_its_index():
    runs = lnn.grid(area, {"width": (1, 2, 3), "height": range(4)})
    assert runs.results.shape == (3, 4)
    for i, width in enumerate((1, 2, 3)):
        for j in range(4):
            assert runs.results[i, j] == 10 * width + j
            assert runs.point((i, j)) == {"width": width, "height": j}
    np.testing.assert_array_equal(runs.table(), 10 * np.arange(1, 4)[:, None] + np.arange(4))
    assert runs.best(lambda value: abs(value - 22.2)) == ({"width": 2, "height": 2}, 22)
    assert repr(runs) == "Runs(3 width × 4 height, 0 of 12 diverged)"


@pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
def test_random_runs_are_the_same_whatever_the_workers_and_the_backend(backend):
    expected = [
        number + child.standard_normal(3).sum() for number, child in enumerate(np.random.default_rng(5).spawn(6))
    ]
    for jobs in (1, 2):
        with joblib.parallel_config(backend=backend, n_jobs=jobs):
            runs = lnn.grid(noisy, {"number": range(6)}, rng=np.random.default_rng(5))
        np.testing.assert_array_equal(runs.table(), expected)
    explicit = lnn.grid(noisy, {"number": range(6)}, jobs=2, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(explicit.table(), expected)


def test_a_parallel_config_is_respected(monkeypatch):
    seen = []
    original = joblib.Parallel

    class Spy(original):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            seen.append((type(self._backend).__name__, self.n_jobs))

    monkeypatch.setattr(joblib, "Parallel", Spy)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        lnn.grid(area, {"width": [1], "height": [1]})
    assert seen == [("ThreadingBackend", 2)]


def test_a_backend_that_cannot_stream_results_is_used_all_the_same(monkeypatch):
    original = joblib.Parallel

    def without_generator(n_jobs=None, **options):
        if options:
            raise ValueError("return_as is not supported")
        return original(n_jobs=n_jobs)

    monkeypatch.setattr(joblib, "Parallel", without_generator)
    assert lnn.grid(area, {"width": [1, 2], "height": [3]}).table().tolist() == [[13], [23]]


def test_diverged_runs_are_reported_and_never_win():
    runs = lnn.grid(shaky, {"step_size": (0.5, 2.0, 3.0, 4.0, 5.0)})
    assert runs.diverged.tolist() == [False, True, True, True, True]
    assert isinstance(runs.results[1], np.linalg.LinAlgError)
    assert runs.results[4].outcome is lnn.Outcome.DIVERGED
    final = runs.table(lambda path: path.losses[-1])
    assert np.isfinite(final[0]) and np.isinf(final[1:]).all()
    assert runs.best(lambda path: path.losses[-1])[0] == {"step_size": 0.5}
    assert "4 of 5 diverged" in repr(runs)
    with pytest.raises(ValueError, match="none of the 2 runs has a finite value, 2 diverged"):
        lnn.grid(shaky, {"step_size": (2.0, 5.0)}).best(lambda path: path.losses[-1])


def test_a_diverged_run_of_tensors_is_one():
    loss = lnn.LeastSquares(lnn.Everything((2, 3, 4)), np.ones(24))
    start = lnn.tensor.gaussian((2, 3, 4), 2, 1.0, rng=np.random.default_rng(0))
    runs = lnn.grid(lambda eta: lnn.gradient_descent(start, loss, eta, 300, model=lnn.tensor), {"eta": (1e-3, 50.0)})
    assert runs.diverged.tolist() == [False, True]
    assert runs.best(lambda path: path.losses[-1])[0] == {"eta": 1e-3}
    for ask in (runs.table, runs.best):
        with pytest.raises(TypeError, match="say what counts, as value=lambda path"):
            ask()


def test_records_of_every_model_come_back_from_other_processes():
    loss = lnn.LeastSquares(lnn.Everything((2, 2)), np.ones(4))

    def run(eta):
        return lnn.gradient_descent((np.eye(2), np.eye(2)), loss, eta, 3, model=lnn.diagonal)

    runs = lnn.grid(run, {"eta": (0.1, 0.2)}, jobs=2)
    assert [path.model for path in runs.results] == [lnn.diagonal] * 2
    assert not runs.results[0].weights[0].flags.writeable


def test_an_error_that_is_no_divergence_says_where_it_happened():
    with pytest.raises(TypeError) as caught:
        lnn.grid(area, {"width": (1, None), "height": (2,)})
    assert "in the run at {'width': None, 'height': 2}" in caught.value.__notes__


@pytest.mark.parametrize(
    ("axes", "options", "message"),
    [
        ({}, {}, "at least one axis"),
        ({"width": []}, {}, "axis width must hold at least one value"),
        ({"rng": [1]}, {"rng": np.random.default_rng(0)}, "an axis is called rng"),
    ],
)
def test_a_grid_that_is_none_is_refused(axes, options, message):
    with pytest.raises(ValueError, match=message):
        lnn.grid(area, axes, **options)
    with pytest.raises(TypeError, match="rng must be a numpy"):
        lnn.grid(noisy, {"number": [1]}, rng=0)
    for jobs in (1.5, True, "2"):
        with pytest.raises(TypeError, match="jobs must be a whole number, got"):
            lnn.grid(noisy, {"number": [1]}, jobs=jobs)
    with pytest.raises(TypeError, match="run must be callable"):
        lnn.grid(3, {"number": [1]})


def test_a_progress_bar_counts_the_runs(capsys):
    runs = lnn.grid(area, {"width": range(3), "height": range(2)}, progress=True)
    assert "6" in capsys.readouterr().err and runs.results.size == 6


@pytest.mark.parametrize(("module", "options"), [("joblib", {}), ("tqdm.auto", {"progress": True})])
def test_a_missing_package_is_named(monkeypatch, module, options):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == module:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=rf"needs {module.split('.')[0]}: pip install"):
        lnn.grid(area, {"width": [1], "height": [2]}, **options)


def test_errors_are_kept_where_that_is_asked_for():
    runs = lnn.grid(area, {"width": (1, None, "a"), "height": (2, 3)}, on_error="keep", jobs=2)
    assert runs.results[0].tolist() == [12, 13] and runs.diverged.tolist() == [[False] * 2, [True] * 2, [True] * 2]
    assert isinstance(runs.results[1, 0], TypeError) and np.isinf(runs.table()[1:]).all()
    assert "in the run at {'width': None, 'height': 2}" in runs.results[1, 0].__notes__
    assert runs.best() == ({"width": 1, "height": 2}, 12)
    with pytest.raises(ValueError, match='on_error must be "raise" or "keep", got \'ignore\''):
        lnn.grid(area, {"width": [1], "height": [1]}, on_error="ignore")


class Particular(Exception):
    """An error that no pickle brings back."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def particular(number):
    raise Particular("one", "other")


def test_an_error_that_cannot_travel_says_what_it_said():
    runs = lnn.grid(particular, {"number": [1, 2]}, jobs=2, on_error="keep")
    assert runs.diverged.all() and [str(error) for error in runs.results] == ["Particular: one and other"] * 2
    with pytest.raises(RuntimeError, match="Particular: one and other"):
        lnn.grid(particular, {"number": [1, 2]}, jobs=2)
    with pytest.raises(Particular):
        lnn.grid(particular, {"number": [1, 2]})


@pytest.mark.parametrize("axes", [{"eta": 0.1}, [("eta", [0.1])], "eta", None])
def test_what_are_no_axes_is_refused(axes):
    with pytest.raises(TypeError, match="axes must map names to values, as"):
        lnn.grid(lambda eta: eta, axes)


def test_a_frame_has_a_row_for_every_run():
    pd = pytest.importorskip("pandas", exc_type=ImportError)  # one that does not fit this NumPy is none
    runs = lnn.grid(shaky, {"step_size": (0.5, 2.0, 0.25)})
    frame = runs.to_frame(loss=lambda path: path.losses[-1], steps=len)
    assert list(frame.columns) == ["step_size", "loss", "steps", "diverged"] and len(frame) == 3
    for row, result in zip(frame.itertuples(), runs.results, strict=True):
        if row.diverged:
            assert isinstance(result, Exception) and row.loss == row.steps == np.inf
        else:
            assert row.loss == result.losses[-1] and row.steps == len(result)
    plain = lnn.grid(area, {"width": (1, 2), "height": range(3)}).to_frame()
    wanted = pd.DataFrame(
        [(w, h, float(area(w, h)), False) for w in (1, 2) for h in range(3)],
        columns=["width", "height", "value", "diverged"],
    )
    pd.testing.assert_frame_equal(plain, wanted)
    with pytest.raises(ValueError, match="different names, got step_size, step_size, diverged"):
        runs.to_frame(step_size=len)
    with pytest.raises(TypeError, match="say what counts"):
        runs.to_frame()


def test_without_pandas_a_frame_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)  # an import of it fails
    with pytest.raises(ImportError, match="a frame needs pandas: pip install pandas"):
        lnn.grid(area, {"width": [1], "height": [2]}).to_frame()
