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
        (least, least_norm), _, (deep, deep_norm) = medians(kind, few)
        holds = deep < least / 30 and least_norm < 0.995 and abs(deep_norm - 1) < 0.005
        ratio = f"error of depth 3 smaller by more than 1e{int(np.log10(least / deep))}"
        claim = f"{kind}, {few} observations: depth 3 finds low rank, not low norm"
        rows.append(Row(claim, None, f"{ratio}, its nuclear norm larger", bool(holds and deep_norm > least_norm)))
        table = medians(kind, many)
        holds = (table[:, 0] < 1e-3).all() and np.abs(table[:, 1] - 1).max() < 0.02
        claim = f"{kind}, {many} observations: least nuclear norm and depths 2, 3 agree"
        rows.append(Row(claim, None, "all errors below 1e-3, nuclear norms within 2 %", bool(holds)))
    return rows
