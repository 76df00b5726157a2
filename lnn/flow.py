"""Continuous dynamics: gradient flow over the layers, and the flow that it induces on their product.

The default tolerance is tight on purpose: at SciPy's own 1e-3 the balance of the layers, which gradient flow
conserves exactly, would drift by 1e-3, and a conserved quantity would look as if it were not.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import BDF, DOP853, LSODA, RK23, RK45, OdeSolver, Radau

from lnn import network
from lnn.descent import gradients_into
from lnn.losses import AtTime, Loss, at_time, gradient_at, takes_stacks, values_along
from lnn.models import Model
from lnn.numerics.checks import (
    Matrix,
    Weights,
    check_array,
    check_count,
    check_matrix,
    check_number,
    check_positive,
    finite,
    representable,
)
from lnn.numerics.rkc2 import EPS, RKC2
from lnn.runs.recording import Observe, Recorder, apart, check_sign, flat, starting
from lnn.theory.preconditioner import apply
from lnn.trajectory import Effort, Outcome, Trajectory

LEAST_RTOL = 100 * EPS
PATIENCE = 1009  # evaluations, after which the loss is asked again whether it stays the same
METHODS: dict[str, Any] = {
    "RKC2": RKC2, "RK23": RK23, "RK45": RK45, "DOP853": DOP853, "Radau": Radau, "BDF": BDF, "LSODA": LSODA,
}  # fmt: skip
FORMER = {"switch": "RKC2", "DP5": "RK45"}  # methods of the first edition, and what takes their place
Field = Callable[[Matrix], Matrix]


def _check_times(times: ArrayLike) -> Matrix:
    t = check_array(times, "times")
    if t.ndim != 1 or (t[1:] <= t[:-1]).any():
        raise ValueError(f"times must be an increasing sequence, got {np.array2string(t, threshold=6)}")
    with np.errstate(over="ignore"):
        if not np.isfinite(t[-1] - t[0]):
            raise ValueError(f"times must lie within 1e308 of each other, got {t[0]:g} to {t[-1]:g}")
    return t.copy()


def _check_tolerances(rtol: float, atol: float, start: Matrix) -> tuple[float, float]:
    rtol, atol = check_positive(rtol, "rtol"), check_positive(atol, "atol")
    if not LEAST_RTOL <= rtol < 1:
        raise ValueError(f"rtol must lie in [{LEAST_RTOL:.2g}, 1), as floats have 16 digits, got {rtol:g}")
    size = float(np.abs(start).max())
    if 0 < size < 100 * atol:
        raise ValueError(
            f"atol is {atol:g}, which leaves less than two digits of the weights to start from, of size up to "
            f"{size:.3g}: it must be at most {size / 100:.3g}"
        )
    return rtol, atol


def _check_method(method: Any) -> Any:
    if isinstance(method, type) and issubclass(method, OdeSolver):
        return method
    method = FORMER.get(method, method) if isinstance(method, str) else method
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, or an OdeSolver of SciPy, got {method!r}")
    return METHODS[method]


def _constant(loss: Loss, W: Matrix, before: Matrix) -> bool:
    """Whether a loss has the gradient at W that it had before."""
    if takes_stacks(loss):
        return True
    noise = 1e-9 * float(np.linalg.norm(np.nan_to_num(before)))  # more than roundings, and less than a flow would feel
    return np.allclose(gradient_at(loss, W.copy()), before, rtol=0, atol=noise, equal_nan=True)


def _crossing(
    inside: Callable[[float], Matrix], excess: Callable[[float, Matrix], float], before: float, t: float
) -> float:
    """The moment in (before, t] at which the excess has come down to 0, to rounding of the step; never too early."""
    finest = 4 * max(EPS * (t - before), np.spacing(t))
    while t - before > finest:
        middle = (before + t) / 2
        before, t = (before, middle) if excess(middle, inside(middle)) <= 0 else (middle, t)
    return t


def _integrate(
    field: Field,
    start: Weights,
    recorder: Recorder,
    times: ArrayLike,
    method: Any,
    rtol: float,
    atol: float,
    stop: float | None,
    progress: bool,
    max_steps: int,
) -> Trajectory:
    """Trajectory of ẇ = field(w) from `start`, on the given times.

    The loop is that of `solve_ivp`, which itself cannot be limited in steps, finds events with an absolute tolerance in
    time, and loses what it has when a solver raises. Implicit ones do so where they meet a NaN, and at the floor of a
    loss: the differences that SciPy takes for a Jacobian overflow in directions that change nothing. There a new solver
    goes on. Time runs from 0: a flow does not depend on the origin of time, but the spacing of floats does.
    """
    times, limit, solver_class = _check_times(times), check_count(max_steps, "max_steps"), _check_method(method)
    threshold, loss = -np.inf if stop is None else check_number(stop, "stop"), recorder.loss
    y = flat(start)
    rtol, atol = _check_tolerances(rtol, atol, y)
    due, evaluations, sound, steady = times - times[0], 0, True, True

    def check_constant() -> None:
        set_clock(0.0)
        if not (steady and _constant(loss, W, before)):
            raise ValueError(
                "the gradient of the loss at the first network changed from one call to the next: a flow needs a loss "
                "that stays the same, random samples are for descents"
            )

    def set_clock(t: float) -> None:
        if isinstance(loss, AtTime):
            loss.t = float(times[0]) + t

    def take(t: float, time: float, y: Matrix) -> bool:
        set_clock(t)
        return recorder.take(time, y, start)

    def excess(t: float, y: Matrix) -> float:
        set_clock(t)
        return float(values_along(loss, recorder.model.product(apart(y, start))[None])[0]) - threshold

    def derivative(t: float, y: Matrix) -> Matrix:
        nonlocal evaluations, sound, steady
        set_clock(t)
        evaluations, velocity = evaluations + 1, field(y)
        sound = finite(velocity)
        if evaluations % PATIENCE == 0 and steady:
            set_clock(0.0)
            steady = _constant(loss, W, before)
        return velocity

    def begin(t: float, y: Matrix) -> Any:
        return solver_class(derivative, t, y, due[-1], rtol=rtol, atol=atol)

    solver, bar, steps, outcome = None, None, 0, Outcome.FINISHED
    # A run that blows up says so by its outcome, not by warnings.
    with ExitStack() as stack, np.errstate(all="ignore"):
        set_clock(0.0)
        W = recorder.model.product(start)
        values_along(loss, W[None])  # says what does not fit
        before = gradient_at(loss, W.copy()).copy()
        check_constant()
        take(0.0, times[0], y)
        if not recorder.losses:
            raise ValueError("the loss is not finite at the first network")
        taken = 1
        if stop is not None and excess(0.0, y) <= 0:
            outcome = Outcome.CONVERGED
        elif len(due) > 1:
            solver = begin(0.0, y)
            # With a velocity that is not finite at the start the first step would be NaN, and be tried for ever.
            outcome = Outcome.FINISHED if np.isfinite(getattr(solver, "h_abs", 0.0)) else Outcome.DIVERGED
            if progress:
                from tqdm.auto import tqdm

                bar = stack.enter_context(tqdm(total=float(due[-1]), leave=False))
        while solver is not None and outcome is Outcome.FINISHED and solver.status == "running":
            try:
                solver.step()
            except (ArithmeticError, ValueError):  # LinAlgError is a ValueError
                if sound:
                    if solver.t_old is None:
                        raise
                    solver = begin(solver.t, solver.y)
                    continue
                outcome = Outcome.DIVERGED
                break
            if solver.status == "failed" or not solver.t > solver.t_old:
                outcome = Outcome.DIVERGED
                break
            steps += 1
            if not steady:
                break
            t, y, inside = solver.t, solver.y, None
            if bar is not None:
                bar.update(t - solver.t_old)
            if stop is not None and excess(t, y) <= 0:
                outcome, inside = Outcome.CONVERGED, solver.dense_output()
                t = _crossing(inside, excess, solver.t_old, solver.t)
                y = y if t == solver.t else inside(t)
            elif steps == limit and solver.status == "running":
                outcome = Outcome.EXHAUSTED
            passed = slice(taken, int(np.searchsorted(due, t, "right")))
            if passed.stop > passed.start:
                states = (inside or solver.dense_output())(due[passed]).T
                taken = passed.stop
                if not all(map(take, due[passed], times[passed], states)):
                    break
            if outcome is not Outcome.FINISHED and t > due[taken - 1]:
                take(t, max(times[0] + t, np.nextafter(times[taken - 1], np.inf)), y)
        recorder.settle(start)
        check_constant()
    if recorder.outcome is Outcome.FINISHED:
        recorder.outcome = outcome
    effort = Effort(evaluations, steps, getattr(solver, "failed", None))
    return check_sign(recorder.path(effort), loss, start)


def gradient_flow(
    weights: Trajectory | Iterable[ArrayLike],
    loss: Loss,
    times: ArrayLike,
    *,
    weight_decay: float = 0.0,
    model: Model = network,
    method: str | type[OdeSolver] = "DOP853",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    stop: float | None = None,
    observe: Observe | None = None,
    keep: str = "all",
    progress: bool = False,
    max_steps: int = 1_000_000,
) -> Trajectory:
    """Gradient flow Ẇ_j = -∂φ/∂W_j over the layers of a linear neural network, or over the factors of another model.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start, at `times[0]`; or the factors of the model; or a trajectory, whose last network it is then.
    loss : Loss
        It must stay the same from call to call; if it changes with time, ℓ(W, t), its two methods take t.
    times : array, shape (T,)
        Increasing; when to keep the network.
    weight_decay : float
        λ ≥ 0: Ẇ_j = -∂φ/∂W_j - λ W_j. `losses` are those of the loss alone.
    model : Model
        What the weights are factors of: layers by default, `lnn.tensor` for a sum of products, and so on.
    method : str, or subclass of `scipy.integrate.OdeSolver`
        A solver of `scipy.integrate.solve_ivp` (DOP853; LSODA for small stiff problems), or "RKC2" for large networks,
        whose stiffness limits the step.
    rtol, atol : float
        Relative and absolute error that the solver allows itself in one step: in every entry for SciPy's solvers,
        in the norm of all weights together for RKC2, which is of order two: 1e-5 suits it. `rtol` is at least
        2.2e-14; `atol` is at most a hundredth of the largest weight to start from, unless that is 0: weights near
        it have log10(weight / atol) correct digits.
    stop : float, optional
        End the run when the loss has come down to this, with that moment as the last one kept.
    observe : mapping from names to functions, optional
        What to record at every time as `path.observed[name]`: f(W) of the end-to-end matrix, or f(weights) if the
        function calls its first argument `weights` or `factors`; a number, or an array.
    keep : "all" or "last"
        Keep the networks of all times, or the last one alone, which saves memory.
    progress : bool
        Show a bar (needs tqdm).
    max_steps : int
        Number of steps that the solver may take: an explicit one needs very many for a stiff flow over a long time.

    Returns
    -------
    Trajectory
        DIVERGED, with its finite part, if the flow blows up before the last time, EXHAUSTED after `max_steps`;
        `effort` says what it cost.

    Raises
    ------
    TypeError, ValueError
        If `weights` is not a network, the loss does not fit it or is not finite at it, the times do not increase, a
        tolerance is out of its range, or the method unknown.

    Notes
    -----
    `def-gf`, page `linear_networks`; `cor-weight-decay`, page `balancedness`; [SSV98] for RKC2.
    """
    loss, start = at_time(loss), starting(weights, model)
    decay = check_positive(weight_decay, "weight_decay", or_zero=True)
    recorder = Recorder(loss, model, observe, keep)
    with np.errstate(all="ignore"):
        representable(model.product(start), "the product of the layers")
    state = flat(start)
    velocity = np.zeros_like(state)
    calls = gradients_into(apart(velocity, start), apart(state, start), loss, model, factor=-1.0)

    def field(y: Matrix) -> Matrix:
        np.copyto(state, y)
        for call in calls:
            call()
        return velocity - decay * y if decay else velocity.copy()

    return _integrate(field, start, recorder, times, method, rtol, atol, stop, progress, max_steps)


def end_to_end_flow(
    W: ArrayLike,
    loss: Loss,
    depth: int,
    times: ArrayLike,
    *,
    method: str | type[OdeSolver] = "DOP853",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    stop: float | None = None,
    observe: Observe | None = None,
    keep: str = "all",
    progress: bool = False,
    max_steps: int = 1_000_000,
) -> Trajectory:
    """End-to-end dynamics Ẇ = -Σ_j [WWᵀ]^{(N-j)/N} ∇ℓ(W) [WᵀW]^{(j-1)/N} of a balanced network of depth N.

    For N > 2 the field is not differentiable where W loses rank; a solver slows down there.

    Parameters
    ----------
    W : array, shape (m, n)
        End-to-end matrix to start from, at `times[0]`.
    loss : Loss
    depth : int
        N ≥ 1; at N = 1 it is gradient flow on `W`.
    times, method, rtol, atol, stop, observe, keep, progress, max_steps
        As in `gradient_flow`.

    Returns
    -------
    Trajectory
        A matrix is a network of depth 1: `weights` holds the end-to-end matrices alone.

    Raises
    ------
    TypeError, ValueError
        As `gradient_flow` does, or if the depth is below 1.

    Notes
    -----
    `thm-end-to-end`, page `end_to_end_dynamics`; [ACH18].
    """
    start, loss = check_matrix(W, "W"), at_time(loss)
    recorder = Recorder(loss, network, observe, keep)
    depth = check_count(depth, "depth")

    def field(y: Matrix) -> Matrix:
        W = y.reshape(start.shape)
        if not np.isfinite(W).all():  # a decomposition would raise; the solver is to learn that its step was too long
            return np.full_like(y, np.nan)
        return -apply(W, gradient_at(loss, W.copy()), depth).ravel()

    return _integrate(field, (start,), recorder, times, method, rtol, atol, stop, progress, max_steps)
