"""Continuous dynamics: gradient flow over the layers, and the flow that it induces on their product.

The default tolerance is tight on purpose: at SciPy's own 1e-3 the balance of the layers, which gradient flow
conserves exactly, would drift by 1e-3, and a conserved quantity would look as if it were not.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lnn.checks import Matrix, Weights, check_array, check_count, check_matrix, check_positive
from lnn.field import LayerField
from lnn.integrate import METHODS, End, solve
from lnn.network import check, pack, product, unpack, widths
from lnn.preconditioner import apply
from lnn.runge_kutta import Field
from lnn.trajectory import Effort, Loss, Outcome, Trajectory, check_loss


def _check_times(times: ArrayLike) -> Matrix:
    t = check_array(times, "times")
    if t.ndim != 1 or (np.diff(t) <= 0).any():
        raise ValueError(f"times must be an increasing sequence, got {np.array2string(t, threshold=6)}")
    return t.copy()


def _check_stop(stop: float) -> float:
    value = check_array(stop, "stop")
    if value.ndim != 0:
        raise ValueError(f"stop must be a single number, got shape {value.shape}")
    return float(value)


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
) -> Trajectory:
    """Trajectory of ẇ = field(w) from `start`, on the given times."""
    times, rtol, atol = _check_times(times), check_positive(rtol, "rtol"), check_positive(atol, "atol")
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    threshold = 0.0 if stop is None else _check_stop(stop)
    sizes, y = widths(start), pack(start)

    def excess(y: Matrix) -> float:
        return float(loss(product(unpack(y, sizes)))) - threshold

    # A run that blows up says so by its outcome, not by warnings.
    with np.errstate(all="ignore"):
        if not np.isfinite(loss(product(start))):
            raise ValueError("the loss is not finite at the first network")
        found = solve(field, y, times, method, rtol, atol, None if stop is None else excess, progress)
        weights = unpack(found.states, sizes)
        losses = np.asarray(loss(product(weights)))
    finite = np.isfinite(found.states).all(axis=1) & np.isfinite(losses)
    kept = len(finite) if finite.all() else int(np.argmin(finite))
    outcome = Outcome.DIVERGED
    if kept == len(finite) and found.end is not End.SHORT:
        outcome = Outcome.CONVERGED if found.end is End.EVENT else Outcome.FINISHED
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
        in the norm of all weights together for the others. RKC2 is of order two and likes 1e-5.
    stop : float, optional
        End the run when the loss has come down to this, with that moment as the last one kept.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    Trajectory
        DIVERGED, with its finite part, if the flow blows up before the last time; `effort` says what it cost.

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, the loss does not fit it or is not finite at it, the times do not increase, a
        tolerance is not positive, or the method unknown.

    Notes
    -----
    `def-gf`, page `linear_networks`; [HNW93] for the pair, [SSV98] for the stabilized formula.
    """
    start = check(weights)
    with np.errstate(all="ignore"):
        check_loss(loss, product(start))
    field = LayerField(widths(start), loss.gradient)
    return _integrate(field, start, loss, times, method, rtol, atol, stop, progress)


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
    times, method, rtol, atol, stop, progress
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

    return _integrate(field, (start,), loss, times, method, rtol, atol, stop, progress)
