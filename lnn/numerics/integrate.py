"""From formulas to solutions: how long the next step is, and what is kept of the solution and when."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import BDF, DOP853, LSODA, RK23, RK45, Radau
from scipy.optimize import brentq

from lnn.numerics.chebyshev import Chebyshev, Switch
from lnn.numerics.runge_kutta import EPS, DormandPrince, Ends, Field, Formula, Vector, norm

Event = Callable[[Vector], float]


class End(Enum):
    """Where an integration ended."""

    LAST = "at the last time"
    EVENT = "where the event happened"
    SHORT = "short of both: the step fell to zero"
    EXHAUSTED = "after as many steps as were allowed"


class Solution(NamedTuple):
    """States, shape (T, n), at times, shape (T,), and what they cost (None: the solver does not say)."""

    times: Vector
    states: Vector
    end: End
    evaluations: int
    steps: int | None
    failed: int | None


FORMULAS: dict[str, type[Formula]] = {"DP5": DormandPrince, "RKC2": Chebyshev, "switch": Switch}
SCIPY: dict[str, Any] = {"RK23": RK23, "RK45": RK45, "DOP853": DOP853, "Radau": Radau, "BDF": BDF, "LSODA": LSODA}
METHODS = (*FORMULAS, *SCIPY)


def first_step(ends: Ends, order: int) -> float:
    """A careful first step, from the size of f and its change along an Euler step [HNW93]."""
    size, slope = norm(ends.y), norm(ends.f)
    if not np.isfinite(slope):
        return 0.0
    allowed = ends.atol + ends.rtol * size
    h = 0.01 * max(size, allowed) / slope if slope > 0 else 1e-3
    with np.errstate(all="ignore"):
        np.add(ends.y, h * ends.f, out=ends.y_next)
        ends.evaluate(ends.y_next, ends.f_next)
        change = norm(ends.f_next - ends.f) / h
    bend = max(slope, change) / allowed
    return float(min(100 * h, (0.01 / bend) ** (1 / order))) if np.isfinite(bend) and bend > 0 else h


def steps(formula: Formula, start: float, end: float) -> Iterator[tuple[float, float]]:
    """Accepted steps (t, h) of y' = f(y) from `start` to `end`; while one is out, `formula.ends` holds its ends.

    It ends early, short of `end`, if the step falls to the spacing of floating point: the solution blows up.
    The last evaluation before a step comes out is at its right end.
    """
    t, h = start, min(first_step(formula.ends, formula.order), end - start)
    while t < end:
        least = 10 * EPS * max(abs(t), abs(end) * EPS)
        while True:
            h = min(h, formula.longest())
            last = h >= (end - t) * (1 - 1e-12)
            h = end - t if last else h
            if not h > least:
                return
            ratio = formula.attempt(h)
            formula.failed += ratio > 1
            proposed = formula.propose(h, ratio)
            if ratio <= 1:
                break
            h = proposed
        yield t, h
        formula.ends.advance()
        t, h = (end if last else t + h), proposed


def between(formula: Formula, h: float, theta: float) -> Vector:
    """The solution at t + θh, 0 ≤ θ ≤ 1, within the step (t, h) that is out."""
    ends, rest = formula.ends, 1 - theta
    y = rest**2 * (1 + 2 * theta) * ends.y + theta**2 * (1 + 2 * rest) * ends.y_next
    y += (h * theta * rest**2) * ends.f - (h * theta**2 * rest) * ends.f_next
    bump = formula.bump()
    if bump is not None:
        y += (theta * rest) ** 2 * bump
    return np.asarray(y)


class _NoBar:
    """A progress bar that shows nothing."""

    n = 0.0

    def update(self, step: float) -> None: ...

    def close(self) -> None: ...


def solve(
    field: Field,
    y: Vector,
    times: Vector,
    method: str,
    rtol: float,
    atol: float,
    event: Event | None = None,
    progress: bool = False,
    limit: int = 1_000_000,
) -> Solution:
    """Solution of y' = f(y), y(times[0]) = y, at the given increasing times.

    Parameters
    ----------
    field : callable
        `field(y, out)` writes f(y) into `out`.
    y : array, shape (n,)
    times : array, shape (T,)
    method : str
        One of `METHODS`.
    rtol, atol : float
    event : callable, optional
        A function of the state: the solution ends, with one more time, where it has come down to 0.
    progress : bool
        Show a bar (needs tqdm).
    limit : int
        Number of accepted steps after which it ends, EXHAUSTED.
    """
    if event is not None and event(y) <= 0:
        return Solution(times[:1], y[None], End.EVENT, 0, 0, 0)
    if len(times) == 1:
        return Solution(times, y[None], End.LAST, 0, 0, 0)
    bar: Any = _NoBar()
    if progress:
        from tqdm.auto import tqdm

        bar = tqdm(total=float(times[-1] - times[0]), leave=False)
    try:
        if method in FORMULAS:
            return _by_formula(FORMULAS[method](Ends(field, y, rtol, atol)), times, event, bar, limit)
        return _by_scipy(field, y, times, method, rtol, atol, event, bar, limit)
    finally:
        bar.close()


def _by_formula(formula: Formula, times: Vector, event: Event | None, bar: Any, limit: int) -> Solution:
    """Solution by a formula of this package, which knows it between its steps."""
    ends = formula.ends
    moments, states, taken, end = [times[0]], [ends.y.copy()], 0, End.SHORT
    for t, h in steps(formula, times[0], times[-1]):
        taken += 1
        bar.update(h)
        theta, reached = 1.0, times[-1] if t + h >= times[-1] else t + h
        if event is not None and event(ends.y_next) <= 0:
            end, before = End.EVENT, 0.0
            while theta - before > 1e-9:  # the event has happened at theta, and not before
                middle = (before + theta) / 2
                before, theta = (before, middle) if event(between(formula, h, middle)) <= 0 else (middle, theta)
            reached = min(reached, t + theta * h)
        elif reached < times[-1] and taken == limit:
            end = End.EXHAUSTED
        due = times[len(moments) : np.searchsorted(times, reached, "left" if end is End.EVENT else "right")]
        moments.extend(due)
        states.extend(between(formula, h, (moment - t) / h) for moment in due)
        if end is not End.SHORT:
            if reached > moments[-1]:
                moments.append(reached)
                states.append(between(formula, h, theta))
            break
    if end is End.SHORT and len(moments) == len(times):
        end = End.LAST
    return Solution(np.array(moments), np.stack(states), end, ends.evaluations, taken, formula.failed)


def _by_scipy(
    field: Field,
    y: Vector,
    times: Vector,
    method: str,
    rtol: float,
    atol: float,
    event: Event | None,
    bar: Any,
    limit: int,
) -> Solution:
    """Solution by one of SciPy's solvers, step by step, as `solve_ivp` takes them, but able to stop in between."""
    broken = False

    def derivative(_: float, y: Vector) -> Vector:
        nonlocal broken
        out = np.empty_like(y)
        field(y, out)
        broken = not np.isfinite(out).all()
        return out

    solver = SCIPY[method](derivative, times[0], y, times[-1], rtol=rtol, atol=atol)
    moments, states, taken, kept = [times[:1]], [y[None]], 0, 1
    # With a velocity that is not finite at the start the first step would be NaN, and be tried for ever.
    end = End.LAST if np.isfinite(getattr(solver, "h_abs", 0.0)) else End.SHORT
    while end is End.LAST and solver.status == "running":
        try:
            solver.step()
        except (ArithmeticError, ValueError):  # LinAlgError is a ValueError: what implicit solvers make of NaN
            if not broken:
                raise
            end = End.SHORT
        if end is End.SHORT or solver.status == "failed" or not solver.t > solver.t_old:
            end = End.SHORT
            break
        taken += 1
        bar.update(solver.t - solver.t_old)
        inside, last = None, solver.t
        if event is not None and event(solver.y) <= 0:
            inside = solver.dense_output()
            last = brentq(lambda t: event(inside(t)), solver.t_old, solver.t, xtol=4 * EPS, rtol=4 * EPS)  # noqa: B023
            end = End.EVENT
        elif solver.status == "running" and taken == limit:
            end = End.EXHAUSTED
        due = times[kept : np.searchsorted(times, last, "right")]
        kept += len(due)
        if due.size:
            inside = solver.dense_output() if inside is None else inside
            moments.append(due)
            states.append(inside(due).T)
        if end is not End.LAST and last > moments[-1][-1]:  # the moment of the event, or where it was stopped
            moments.append(np.array([last]))
            states.append((solver.y if inside is None else inside(last))[None])
    return Solution(np.concatenate(moments), np.concatenate(states), end, int(solver.nfev), None, None)
