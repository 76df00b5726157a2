"""The least nuclear norm with given entries, at equal duality gap: the package's solver against CVXPY's."""

import numpy as np

import lnn
from benchmarks.completion import instance
from benchmarks.timing import have, seconds

GAP = 1e-6
ACCURACIES = (1e-5, 1e-6, 1e-7, 1e-8)


def certified_gap(W, y, loss) -> float:
    """Relative gap between ‖W‖_* and ⟨y, b⟩, once W has the entries exactly and y, scaled back, is feasible."""
    W = W + loss.measure.adjoint(loss.observed - loss.measure(W))
    y = y / max(1.0, np.linalg.norm(loss.measure.adjoint(y), 2))
    value = np.linalg.norm(W, "nuc")
    return float((value - abs(y @ loss.observed)) / value)


def by_cvxpy(loss, solver: str, accuracy: float):
    """A matrix, its multipliers and the solver's seconds; CVXPY's, for building the program, are not counted."""
    import cvxpy

    rows, columns = np.nonzero(loss.measure.mask)
    W = cvxpy.Variable(loss.measure.shape)
    seen = W[rows, columns] == loss.observed
    program = cvxpy.Problem(cvxpy.Minimize(cvxpy.normNuc(W)), [seen])
    options = {"eps_abs": accuracy, "eps_rel": accuracy, "max_iters": 100_000}
    if solver == "CLARABEL":
        options = {"tol_gap_abs": accuracy, "tol_gap_rel": accuracy, "tol_feas": accuracy, "max_threads": 1}
    data, chain, inverse = program.get_problem_data(solver, solver_opts=options)
    took, solution = seconds(lambda: chain.solve_via_data(program, data, solver_opts=options))
    program.unpack_results(solution, chain, inverse)
    return W.value, np.asarray(seen.dual_value), took


def problem(size: int, rank: int, count: int, solvers, repeats: int) -> list[dict]:
    """Records of the package's solver and of CVXPY's, each at the least accuracy that reaches the gap."""
    _, loss = instance(size, rank, count)
    case, records = {"size": size, "count": count}, []
    took, found = seconds(lambda: lnn.nuclear.minimize(loss.measure, loss.observed, gap=GAP), 1 + 2 * repeats)
    records.append({"contender": "lnn", "seconds": took, "gap": found.gap, "iterations": found.iterations})
    for solver in solvers:
        for accuracy in ACCURACIES:
            W, y, took = by_cvxpy(loss, solver, accuracy)
            gap = certified_gap(W, y, loss)
            if gap <= GAP:
                break
        took = min([took, *(by_cvxpy(loss, solver, accuracy)[2] for _ in range(repeats - 1))])
        records.append({"contender": solver, "seconds": took, "gap": gap, "accuracy": accuracy})
    return [{"part": "nuclear", "case": case, **record} for record in records]


def measure(small: bool = False) -> list[dict]:
    """All records of this module; Clarabel, which stores a dense system of all (2·size)² unknowns, on a small one."""
    peers = have("cvxpy")
    if small:
        return problem(8, 1, 40, ("SCS", "CLARABEL") if peers else (), 1)
    records = problem(30, 2, 450, ("SCS", "CLARABEL") if peers else (), 2)
    for count in (2000, 5000):
        records += problem(100, 5, count, ("SCS",) if peers else (), 2)
    return records
