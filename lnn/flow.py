"""Continuous dynamics: gradient flow over the layers, and the flow that it induces on their product.

The default tolerance is tight on purpose: at SciPy's own 1e-3 the balance of the layers, which gradient flow
conserves exactly, would drift by 1e-3, and a conserved quantity would look as if it were not.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lnn.network import check, end_to_end, pack, product, split, widths
from lnn.numerics.checks import Matrix, Weights, check_array, check_count, check_matrix, check_positive
from lnn.numerics.field import LayerField
from lnn.numerics.integrate import METHODS, End, solve
from lnn.numerics.runge_kutta import EPS, Field
from lnn.theory.preconditioner import apply
from lnn.trajectory import Effort, Loss, Outcome, Trajectory, check_loss, check_stop

LEAST_RTOL = 100 * EPS
OUTCOMES = {
    End.LAST: Outcome.FINISHED,
    End.EVENT: Outcome.CONVERGED,
    End.SHORT: Outcome.DIVERGED,
    End.EXHAUSTED: Outcome.EXHAUSTED,
}


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


def _integrate(
    field: Field,
    start: Weights,
    loss: Loss,
    times: ArrayLike,
    method: str,
    rtol: float,
    atol: float,
    stop: float | None,
    progress: bool,
    max_steps: int,
) -> Trajectory:
    """Trajectory of ẇ = field(w) from `start`, on the given times."""
    times, limit = _check_times(times), check_count(max_steps, "max_steps")
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    threshold = 0.0 if stop is None else check_stop(stop)
    sizes, y = widths(start), pack(start)
    rtol, atol = _check_tolerances(rtol, atol, y)

    def excess(y: Matrix) -> float:
        return float(loss(product(split(y, sizes)))) - threshold

    # A run that blows up says so by its outcome, not by warnings.
    with np.errstate(all="ignore"):
        if not np.isfinite(loss(product(start))):
            raise ValueError("the loss is not finite at the first network")
        found = solve(field, y, times, method, rtol, atol, None if stop is None else excess, progress, limit)
        weights = split(found.states, sizes)
        losses = np.asarray(loss(product(weights)))
    finite = np.isfinite(found.states).all(axis=1) & np.isfinite(losses)
    kept = len(finite) if finite.all() else int(np.argmin(finite))
    outcome = OUTCOMES[found.end] if kept == len(finite) else Outcome.DIVERGED
    effort = Effort(found.evaluations, found.steps, found.failed)
    return Trajectory(found.times[:kept], tuple(W[:kept].copy() for W in weights), losses[:kept], outcome, effort)


def gradient_flow(
    weights: Iterable[ArrayLike],
    loss: Loss,
    times: ArrayLike,
    *,
    method: str = "DOP853",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    stop: float | None = None,
    progress: bool = False,
    max_steps: int = 1_000_000,
) -> Trajectory:
    """Gradient flow Ẇ_j = -∂φ/∂W_j over the layers of a linear neural network.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
        Where to start, at `times[0]`.
    loss : Loss
    times : array, shape (T,)
        Increasing; when to keep the network.
    method : str
        A solver of `scipy.integrate.solve_ivp` (DOP853; LSODA for small stiff problems), or, for large networks,
        "DP5", the Runge–Kutta pair of Dormand and Prince with one norm for the whole error, "RKC2", a stabilized
        formula for flows whose stiffness limits the step, or "switch", which takes of these two the one that
        goes farther.
    rtol, atol : float
        Relative and absolute error that the solver allows itself in one step: in every entry for SciPy's solvers,
        in the norm of all weights together for the others. RKC2 is of order two and likes 1e-5. `rtol` is at least
        2.2e-14; `atol` is at most a hundredth of the largest weight to start from, unless that is 0: weights near
        it have log10(weight / atol) correct digits.
    stop : float, optional
        End the run when the loss has come down to this, with that moment as the last one kept.
    progress : bool
        Show a bar (needs tqdm).
    max_steps : int
        Number of steps that the solver may take. A stiff flow over a long time would take an explicit solver for ever.

    Returns
    -------
    Trajectory
        DIVERGED, with its finite part, if the flow blows up before the last time, EXHAUSTED after `max_steps`;
        `effort` says what it cost.

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it or is not finite at it, the times do not increase, a
        tolerance is out of its range, or the method unknown.

    Notes
    -----
    `def-gf`, page `linear_networks`; [HNW93] for the pair, [SSV98] for the stabilized formula.
    """
    start = check(weights)
    check_loss(loss, end_to_end(start))
    field = LayerField(widths(start), loss.gradient)
    return _integrate(field, start, loss, times, method, rtol, atol, stop, progress, max_steps)


def end_to_end_flow(
    W: ArrayLike,
    loss: Loss,
    depth: int,
    times: ArrayLike,
    *,
    method: str = "DOP853",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    stop: float | None = None,
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
    times, method, rtol, atol, stop, progress, max_steps
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
    start = check_matrix(W, "W")
    check_loss(loss, start)
    depth = check_count(depth, "depth")

    def field(y: Matrix, out: Matrix) -> None:
        W = y.reshape(start.shape)
        if np.isfinite(W).all():
            np.negative(apply(W, loss.gradient(W), depth), out=out.reshape(start.shape))
        else:  # a decomposition would raise; the solver, which tried too long a step, is to hear of it
            out.fill(np.nan)

    return _integrate(field, (start,), loss, times, method, rtol, atol, stop, progress, max_steps)
