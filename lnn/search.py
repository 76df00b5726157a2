"""Many independent runs over the points of a grid, in parallel, with nothing lost: `grid(run, axes)`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import product
from os import getpid
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lnn.numerics.checks import Matrix, check_count, check_rng
from lnn.trajectory import Outcome, Trajectory


def _broken(result: Any) -> bool:
    """Whether a result says that its run diverged or failed."""
    if isinstance(result, Trajectory):
        return result.outcome is Outcome.DIVERGED
    if isinstance(result, Exception):
        return True
    return isinstance(result, (int, float, np.number)) and not np.isfinite(result)


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """The results of a grid of runs, with one axis for every knob.

    Parameters
    ----------
    axes : dict from names to tuples of values
        In the order of the array axes.
    results : object array, shape (len of the first axis, len of the second, …)
        What the runs returned; for a run that failed numerically, the ArithmeticError or LinAlgError that it raised;
        with `on_error="keep"`, whatever error it raised.
    diverged : boolean array, same shape
        Where the result is a DIVERGED trajectory, a number that is not finite, or an error.
    """

    axes: dict[str, tuple[Any, ...]]
    results: NDArray[np.object_]
    diverged: NDArray[np.bool_]

    def point(self, index: Sequence[int]) -> dict[str, Any]:
        """Values of the knobs at an index of `results`."""
        return {name: values[i] for (name, values), i in zip(self.axes.items(), index, strict=True)}

    def table(self, value: Callable[[Any], float] = float) -> Matrix:
        """A number for every run, infinity for those that diverged: shape of `results`.

        Parameters
        ----------
        value : callable
            Takes what a run returned; by default the result itself, as a number. It may answer infinity.

        Raises
        ------
        TypeError
            If a result is no number and `value` does not say which one is meant.
        """
        numbers = np.full(self.results.shape, np.inf)
        for index in np.ndindex(self.results.shape):
            result = self.results[index]
            if not self.diverged[index]:
                if value is float and isinstance(result, Trajectory):
                    raise TypeError(
                        "the runs gave trajectories: say what counts, as value=lambda path: path.losses[-1]"
                    )
                numbers[index] = value(result)
        return numbers

    def best(self, value: Callable[[Any], float] = float) -> tuple[dict[str, Any], Any]:
        """Knobs and result of the run whose `value` is least, the first of them in a tie.

        Raises
        ------
        ValueError
            If every run diverged or has no finite value.
        """
        numbers = self.table(value)
        numbers = np.where(np.isnan(numbers), np.inf, numbers)
        index = np.unravel_index(int(np.argmin(numbers)), numbers.shape)
        if not np.isfinite(numbers[index]):
            raise ValueError(f"none of the {numbers.size} runs has a finite value, {int(self.diverged.sum())} diverged")
        where = tuple(int(i) for i in index)
        return self.point(where), self.results[where]

    def to_frame(self, **columns: Callable[[Any], float]) -> Any:
        """A pandas DataFrame with a row for every run: its knobs, numbers about its result, whether it diverged.

        Parameters
        ----------
        columns : callables, by the name of their column
            Each takes what a run returned, as `value` of `table`; by default `value=float`, the result itself.

        Raises
        ------
        ImportError
            If pandas is not installed; `lnn` does not need it otherwise.
        TypeError, ValueError
            As `table` does, or if a column has the name of a knob, or is called `diverged`.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("a frame needs pandas: pip install pandas") from error
        values = columns or {"value": float}
        names = [*self.axes, *values, "diverged"]
        if len({*names}) < len(names):
            raise ValueError(f"the columns of a frame need different names, got {', '.join(names)}")
        rows = [self.point(index) for index in np.ndindex(self.results.shape)]
        frame = pd.DataFrame(rows, columns=list(self.axes))
        for name, value in values.items():
            frame[name] = self.table(value).ravel()
        return frame.assign(diverged=self.diverged.ravel())

    def __repr__(self) -> str:
        sizes = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"Runs({sizes}, {int(self.diverged.sum())} of {self.results.size} diverged)"


def _portable(error: Exception, home: int) -> Exception:
    """The error, or what it says if it would not come back from this process to that of `home`."""
    if getpid() == home:
        return error
    try:
        copy(error)  # as a pickle makes it again
        return error
    except Exception:
        told = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        return told


def _attempt(run: Callable[..., Any], point: dict[str, Any], keep: bool, home: int) -> Any:
    """One run: a numerical failure is its result, another error, too, or goes up with the point where it happened."""
    try:
        return run(**point)
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        return _portable(error, home)
    except Exception as error:
        error.add_note(f"in the run at {point}")
        if keep:
            return _portable(error, home)
        raise _portable(error, home)  # noqa: B904, the same one, or as much of it as there is


def grid(
    run: Callable[..., Any],
    axes: Mapping[str, Iterable[Any]],
    *,
    jobs: int | None = None,
    progress: bool = False,
    rng: np.random.Generator | None = None,
    on_error: Literal["raise", "keep"] = "raise",
) -> Runs:
    """Runs `run(name=value, …)` once for every point of a grid, through joblib.

    Parameters
    ----------
    run : callable
        Takes the names of the axes, and `rng` if one is given here, as keyword arguments.
    axes : mapping from names to values
        The knobs and their values.
    jobs : int, optional
        Workers; by default what `joblib.parallel_config` says, and 1 without it. Processes by default;
        `joblib.parallel_config(backend=…)` chooses threads, Dask, Ray, or any other backend.
    progress : bool
        Show a bar (needs tqdm).
    rng : numpy.random.Generator, optional
        Spawns one generator for every point, in the order of the grid, whatever the number of workers.
    on_error : "raise" or "keep"
        What happens to an error that is no numerical failure: it ends the search, or it is the result of its run.

    Returns
    -------
    Runs
        Diverged runs included.

    Raises
    ------
    ImportError
        If joblib (or, for the bar, tqdm) is not installed.
    TypeError, ValueError
        If an axis is empty, there is none, an axis is called `rng` while one is given, `on_error` is neither, or `run`
        raises one.

    Notes
    -----
    Page `acceleration`.
    """
    try:
        import joblib
    except ImportError as error:
        raise ImportError("a grid search needs joblib: pip install joblib, or pip install 'lnn[chapters]'") from error
    if on_error not in ("raise", "keep"):
        raise ValueError(f'on_error must be "raise" or "keep", got {on_error!r}')
    if not callable(run):
        raise TypeError(f"run must be callable, got {run!r}")
    if not isinstance(axes, Mapping) or not all(isinstance(choices, Iterable) for choices in axes.values()):
        raise TypeError(f"axes must map names to values, as {{'step_size': [0.1, 0.2]}}, got {axes!r}")
    jobs = None if jobs is None else check_count(jobs, "jobs", least=-(2**31))  # -1: as many as there are cores
    values = {name: tuple(choices) for name, choices in axes.items()}
    if not values:
        raise ValueError("a grid needs at least one axis, got none")
    for name, choices in values.items():
        if not choices:
            raise ValueError(f"axis {name} must hold at least one value, got none")
    points = [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
    if rng is not None:
        if "rng" in values:
            raise ValueError("an axis is called rng, and a generator is given beside it: only one of the two")
        points = [
            {**point, "rng": child} for point, child in zip(points, check_rng(rng).spawn(len(points)), strict=True)
        ]
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("a progress bar needs tqdm: pip install tqdm, or pip install 'lnn[chapters]'") from error
    try:
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator")
    except ValueError:  # some backends hand back all results at once
        parallel = joblib.Parallel(n_jobs=jobs)
    answers: Iterator[Any] = iter(
        parallel(joblib.delayed(_attempt)(run, point, on_error == "keep", getpid()) for point in points)
    )
    if progress:
        answers = tqdm(answers, total=len(points), leave=False)
    shape = tuple(len(choices) for choices in values.values())
    results = np.empty(len(points), dtype=object)
    for k, answer in enumerate(answers):
        results[k] = answer
    diverged = np.array([_broken(result) for result in results])
    return Runs(values, results.reshape(shape), diverged.reshape(shape))
