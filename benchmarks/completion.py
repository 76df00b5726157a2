"""Gradient flow to a training loss of 1e-6 on the matrix completion of E11, depths 2 to 4, by every way there is."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

import lnn
from benchmarks.peers import published_loop
from benchmarks.solvers import diffrax_flow, fixed_rank
from benchmarks.timing import have, seconds

PUBLISHED = {"PyTorch": 1e-3, "PyTorch, longer steps": 1e-2}  # step sizes: the published one, and ten times that
SOLVERS = ("RKC2", "RK45", "DOP853")
STEPS = 20_000  # at most, for diffrax, whose compiled runs nobody can stop


class OutOfTime(Exception):
    """A run took longer than it was given."""


class Limited:
    """A loss that ends its run when the time is over."""

    def __init__(self, loss, allowed: float) -> None:
        self.loss, self.until = loss, time.process_time() + allowed

    def __call__(self, W):
        return self.loss(W)

    def gradient(self, W):
        if time.process_time() > self.until:
            raise OutOfTime
        return self.loss.gradient(W)


def instance(size: int, rank: int, count: int):
    """Ground truth, and the loss of some of its entries."""
    rng = np.random.default_rng(11)
    truth = lnn.datasets.low_rank((size, size), rank, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask(truth.shape, count, rng=rng))
    return truth, lnn.LeastSquares(seen, seen(truth))


def in_time(found: tuple) -> tuple:
    """Matrix and gradients of a run that says last whether it came to its end."""
    *told, done = found
    if not done:
        raise OutOfTime
    return tuple(told)


def record(case, contender, truth, loss, run: Callable[[], tuple], repeats: int) -> dict:
    """Time, training loss and error of a run that returns its end-to-end matrix and the number of gradients."""
    found = {"part": "completion", "case": case, "contender": contender}
    try:
        found["seconds"], (W, evaluations) = seconds(run, repeats)
    except OutOfTime:
        return {**found, "seconds": None}
    found["loss"] = float(2 * loss(W) / loss.observed.size)
    error = float(np.mean((W - truth) ** 2) / np.mean(truth**2))
    return {**found, "error": error, "evaluations": evaluations}


def runs(size: int, rank: int, count: int, depths, solvers, compiled, allowed: float, repeats: int) -> list[dict]:
    """Records of all contenders on one problem."""
    truth, loss = instance(size, rank, count)
    stop = 0.5e-6 * count  # a mean square of 1e-6
    case, records = {"size": size, "rank": rank, "count": count}, []
    for depth in depths:
        at = {"depth": depth, **case}
        entry = 1e-3 ** (1 / depth) / np.sqrt(size)
        start = lnn.initial.gaussian((size,) * (depth + 1), entry, rng=np.random.default_rng([11, depth]))

        def flow(method, start=start):
            path = lnn.gradient_flow(
                start, Limited(loss, allowed), [0, 1e7], method=method, rtol=1e-4, atol=1e-7, stop=stop
            )
            return path.end_to_end[-1], path.effort.evaluations

        for method in solvers:
            records.append(record(at, method, truth, loss, lambda method=method: flow(method), repeats))

        for method in compiled if have("diffrax") else ():
            run, compiling = diffrax_flow(start, loss, method, stop, STEPS)
            found = record(at, f"diffrax {method}", truth, loss, lambda run=run: in_time(run()), repeats)
            records.append(found | {"compiling": compiling})

        def plain(eta, seconds_left, start=start):
            limited = Limited(loss, seconds_left)
            path = lnn.gradient_descent(start, limited, eta, 10**7, every=20, stop=stop)
            if path.outcome is not lnn.Outcome.CONVERGED:
                raise OutOfTime
            return path.end_to_end[-1], round(path.times[-1] / eta)

        # Descent with the best step size of the form η_0 2^k, where η_0 is safe near a balanced solution whose largest
        # singular value is that of the truth.
        eta = float(1 / (depth * np.linalg.norm(truth, 2) ** (2 - 2 / depth)))
        best = {"seconds": None}
        while True:
            left = best["seconds"] or allowed
            found = record(at, "descent", truth, loss, lambda e=eta, t=left, p=plain: p(e, t), 1)
            if found["seconds"] is None:
                break
            best, eta = found | {"step size": eta}, 2 * eta
        records.append({"part": "completion", "case": at, "contender": "descent"} | best)
        if have("torch"):
            rows, columns = np.nonzero(loss.measure.mask)

            def loop(size, start=start, rows=rows, columns=columns):
                last, steps, W = published_loop(start, rows, columns, loss.observed, size, 10**6, allowed)
                return in_time((W, steps, last <= 1e-6))

            for name, size_of_step in PUBLISHED.items():
                run = partial(loop, size_of_step)
                records.append(record(at, name, truth, loss, run, 1))
        for found in records:
            if found["case"]["depth"] == depth:
                found["unknowns"], found["allowed"] = depth * size**2, allowed
    if have("pymanopt"):
        found = record(case, "Pymanopt", truth, loss, lambda: in_time(fixed_rank(loss, rank, stop, allowed)), repeats)
        records.append(found | {"allowed": allowed})
    return records


def measure(small: bool = False) -> list[dict]:
    """All records of this module; LSODA and Kvaerno5, whose Jacobian has n² entries, on a problem of their size."""
    if small:
        return runs(8, 1, 40, (2,), ("RKC2", "LSODA"), ("Tsit5", "Kvaerno5"), 20, 1)
    records = runs(100, 5, 2000, (2, 3, 4), SOLVERS, ("Tsit5",), 60, 2)
    return records + runs(15, 2, 120, (3,), ("RKC2", "LSODA", "RK45"), ("Tsit5", "Kvaerno5"), 30, 1)
