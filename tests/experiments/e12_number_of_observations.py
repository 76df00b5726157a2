"""E12: error and nuclear norm over the number of observations, completion and sensing, at 30×30 and rank 2."""

import numpy as np

import lnn
from experiments import Row
from experiments.e10_many_entries import figures, train

SIZE, RANK, DRAWS = 30, 2, 3


def problem(kind: str, count: int, seed: int):
    """A ground truth and the loss of `count` observations of it."""
    rng = np.random.default_rng([seed, count])
    truth = lnn.datasets.low_rank((SIZE, SIZE), RANK, rng=rng)
    if kind == "completion":
        measurement = lnn.Entries(lnn.datasets.random_mask(truth.shape, count, rng=rng))
    else:
        measurement = lnn.Products(lnn.datasets.sensing(truth.shape, count, rng=rng))
    return truth, lnn.LeastSquares(measurement, measurement(truth))


def medians(kind: str, count: int):
    """Error and nuclear norm relative to the truth's, medians: rows for the least norm, depth 2, depth 3."""
    table = np.zeros((DRAWS, 3, 2))
    for seed in range(DRAWS):
        truth, loss = problem(kind, count, seed)
        least = lnn.nuclear.minimize(loss.measure, loss.observed, gap=1e-5).matrix
        for c, W in enumerate([least, *(train(loss, depth, 1e-3, seed, SIZE) for depth in (2, 3))]):
            error, norm, _ = figures(W, truth)
            table[seed, c] = error, norm / np.linalg.norm(truth, "nuc")
    return np.median(table, axis=0)


def measure() -> list[Row]:
    """Few and many observations of each kind; the notebook sweeps between."""
    rows = []
    for kind, few, many in (("completion", 250, 550), ("sensing", 200, 400)):
        (least, least_norm), (two, _), (deep, deep_norm) = medians(kind, few)
        holds = deep < least / 30 and least_norm < 0.995 and abs(deep_norm - 1) < 0.005
        measured = f"error of depth 3 smaller by more than 1e{int(np.log10(least / deep))}, its nuclear norm larger"
        claim = f"{kind}, {few} observations: networks find low rank, not low norm"
        if two > least / 30:
            measured += "; that of depth 2 is not smaller" if two > least else "; depth 2 lies between"
        figure = "both depths do (a figure, for completion)" if kind == "completion" else None
        full = bool(two < least / 30)
        rows.append(Row(claim, figure, measured, bool(holds and deep_norm > least_norm), full, "in part"))
        table = medians(kind, many)
        holds = (table[:, 0] < 1e-3).all() and np.abs(table[:, 1] - 1).max() < 0.02
        claim = f"{kind}, {many} observations: least nuclear norm and depths 2, 3 agree"
        figure = "they do (a figure, for completion)" if kind == "completion" else None
        rows.append(Row(claim, figure, "all errors below 1e-3, nuclear norms within 2 %", bool(holds)))
    return rows
