"""The long runs of the ConvNet, kept in `lnn/data/convnet.csv`: `python benchmarks/convnet.py` makes them anew."""

import csv
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnn.numerics.checks import check_array, check_positive


class LongRuns(NamedTuple):
    """Runs of one variant: iterations (T,), training losses without dropout (seeds, T), final accuracies (seeds,)."""

    iterations: NDArray[np.int64]
    losses: NDArray[np.float64]
    accuracies: NDArray[np.float64]


def long_runs() -> dict[str, LongRuns]:
    """The kept runs by variant, seeds in order; what the variants are stands in `benchmarks/convnet.py`.

    Returns
    -------
    dict of LongRuns
    """
    with (resources.files("lnn") / "data" / "convnet.csv").open() as file:
        rows = list(csv.DictReader(file))
    runs = {}
    for variant in dict.fromkeys(row["variant"] for row in rows):
        mine = [row for row in rows if row["variant"] == variant]
        seeds = sorted({int(row["seed"]) for row in mine})
        iterations = np.array([int(row["iteration"]) for row in mine if int(row["seed"]) == seeds[0]])
        losses = np.array([[float(row["loss"]) for row in mine if int(row["seed"]) == seed] for seed in seeds])
        last = {int(row["seed"]): float(row["accuracy"]) for row in mine if row["accuracy"]}
        runs[variant] = LongRuns(iterations, losses, np.array([last[seed] for seed in seeds]))
    return runs


def iterations_to(level: float, iterations: ArrayLike, losses: ArrayLike) -> float:
    """First iteration at which a loss is at most `level`, its logarithm interpolated; NaN if it never is.

    Parameters
    ----------
    level : float
    iterations : array, shape (T,)
    losses : array, shape (T,)
        Positive.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If the level is not positive or the arrays are not finite numbers of one length.
    """
    level = check_positive(level, "level")
    k, logs = check_array(iterations, "iterations"), np.log(check_array(losses, "losses"))
    if k.shape != logs.shape or k.ndim != 1:
        raise ValueError(f"iterations and losses must be of one length, got shapes {k.shape} and {logs.shape}")
    below = np.flatnonzero(logs <= np.log(level))
    if below.size == 0:
        return float("nan")
    after = below[0]
    if after == 0:
        return float(k[0])
    share = (logs[after - 1] - np.log(level)) / (logs[after - 1] - logs[after])
    return float(k[after - 1] + share * (k[after] - k[after - 1]))
