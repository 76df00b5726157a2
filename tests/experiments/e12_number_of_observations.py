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


def draws(kind: str, count: int):
    """Error and nuclear norm relative to the truth's, for each draw: rows for the least norm, depth 2, depth 3."""
    table = np.zeros((DRAWS, 3, 2))
    for seed in range(DRAWS):
        truth, loss = problem(kind, count, seed)
        least = lnn.nuclear.minimize(loss.measure, loss.observed, gap=1e-5).matrix
        for c, W in enumerate([least, *(train(loss, depth, 1e-3, seed, SIZE) for depth in (2, 3))]):
            error, norm, _ = figures(W, truth)
            table[seed, c] = error, norm / np.linalg.norm(truth, "nuc")
    return table


def measure() -> list[Row]:
    """Few and many observations of each kind; the notebook sweeps between."""
    rows = []
    for kind, few, many in (("completion", 250, 550), ("sensing", 200, 400)):
        table = draws(kind, few)
        (least, least_norm), (two, _), (deep, deep_norm) = np.median(table, axis=0)
        recovered = (table[:, 2, 0] < table[:, 0, 0] / 30).sum()
        holds = deep < least / 30 and least_norm < 0.995 and abs(deep_norm - 1) < 0.005
        measured = (
            f"medians of {DRAWS} draws: error of depth 3 smaller by more than 1e{int(np.log10(least / deep))}, its "
            f"nuclear norm {'larger' if deep_norm > least_norm else 'not larger'}; that of depth 2 is "
            f"{'not smaller' if two > least else 'smaller'}. "
            f"At depth 3 it is smaller by a factor of more than 30 in {recovered} of the draws"
        )
        claim = f"{kind}, {few} observations: networks find low rank, not low norm"
        figure = "both depths do (a figure, for completion)" if kind == "completion" else None
        full = bool(two < least / 30)
        rows.append(Row(claim, figure, measured, bool(holds and deep_norm > least_norm), full, "in part"))
        table = np.median(draws(kind, many), axis=0)
        error, off = table[:, 0].max(), np.abs(table[:, 1] - 1).max()
        holds = error < 1e-3 and off < 0.02
        claim = f"{kind}, {many} observations: least nuclear norm and depths 2, 3 agree"
        figure = "they do (a figure, for completion)" if kind == "completion" else None
        measured = (
            f"medians of {DRAWS} draws: errors below 1e{int(np.ceil(np.log10(error)))}, nuclear norms within "
            f"{int(np.ceil(100 * off))} % of the truth's"
        )
        rows.append(Row(claim, figure, measured, bool(holds)))
    return rows
