"""One singular value of the end-to-end matrix on its way to a target: ṡ = N s^{2-2/N} (φ - s)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import digamma, expit, hyp2f1

from lnn.numerics.checks import Matrix, check_array, check_count, check_matrix, check_positive, representable


def rate(s: ArrayLike, target: float, depth: int) -> Matrix:
    """Speed N s^{2-2/N} (φ - s) of a mode s ≥ 0 of a network of depth N under ½(s - φ)².

    Parameters
    ----------
    s : array, any shape
        The mode, not negative.
    target : float or array
        φ, broadcast against `s`.
    depth : int
        N ≥ 1.

    Raises
    ------
    TypeError, ValueError
        If `s` is negative, `s` or `target` not finite, the depth not a positive whole number, or the speed too large
        for a float.

    Notes
    -----
    `prop-saxe`, page `convergence`; [SMG14].
    """
    s, phi, depth = check_array(s, "s"), check_array(target, "target"), check_count(depth, "depth")
    if (s < 0).any():
        raise ValueError(f"s must not be negative, got {s.min()}")
    with np.errstate(over="ignore", invalid="ignore"):
        return representable(depth * s ** (2 - 2 / depth) * (phi - s), "the speed of the mode")


def _clock(reached: Matrix, missing: Matrix, depth: int) -> Matrix:
    """∫ dx / (N x^{2-2/N} (1 - x)), up to a constant, at x = s/φ = `reached` = 1 - `missing`."""
    if depth == 1:
        return -np.log(missing)
    if depth == 2:
        return 0.5 * (np.log(reached) - np.log(missing))
    # With x = u^N this is ∫ u^{1-N} / (1 - u^N) du, integrated term by term to a hypergeometric function.
    # Next to its logarithmic singularity at x = 1 the leading term is more accurate than SciPy's sum.
    a = (2 - depth) / depth
    beside = (-np.euler_gamma - digamma(a) - np.log(missing)) / depth
    return np.where(missing < 1e-9, beside, reached**a * hyp2f1(1, a, a + 1, reached) / (2 - depth))


def time_to_reach(s: ArrayLike, initial: float, target: float, depth: int) -> Matrix:
    """Time that a mode takes from `initial` to s, in flow units.

    Parameters
    ----------
    s : array, any shape
        Values with initial ≤ s < target.
    initial, target : float
        0 < initial < target.
    depth : int
        N ≥ 1.

    Returns
    -------
    array, shape of `s`

    Raises
    ------
    TypeError, ValueError
        If the numbers are not in the order above, or a time is too large for a float.

    Notes
    -----
    `prop-saxe`, page `convergence`; [SMG14].

    >>> float(time_to_reach(0.5, 0.25, 1.0, 2).round(6))  # log(3)/2
    0.549306
    """
    s, depth = check_array(s, "s"), check_count(depth, "depth")
    initial, target = check_positive(initial, "initial"), check_positive(target, "target")
    if not initial < target:
        raise ValueError(f"initial must be below the target, got {initial} and {target}")
    if (s < initial).any() or (s >= target).any():
        raise ValueError(f"s must lie in [initial, target) = [{initial}, {target}), got [{s.min()}, {s.max()}]")
    start = _clock(np.asarray(initial / target), np.asarray((target - initial) / target), depth)
    with np.errstate(over="ignore", invalid="ignore"):
        spent = (_clock(s / target, (target - s) / target, depth) - start) / np.float64(target) ** (2 - 2 / depth)
    return representable(np.asarray(spent), "the time to reach s")


def trajectory(times: ArrayLike, initial: float, target: float, depth: int) -> Matrix:
    """Value of a mode at given times: in closed form at depth 1 and 2, by inverting `time_to_reach` beyond.

    Parameters
    ----------
    times : array, any shape
        Not negative, in flow units.
    initial, target : float
        0 < initial < target.
    depth : int
        N ≥ 1.

    Returns
    -------
    array, shape of `times`

    Raises
    ------
    TypeError, ValueError
        If a time is negative, or the numbers are not in the order above.

    Notes
    -----
    `prop-saxe`, page `convergence`; [SMG14].
    """
    t, depth = check_array(times, "times"), check_count(depth, "depth")
    initial, target = check_positive(initial, "initial"), check_positive(target, "target")
    if not initial < target:
        raise ValueError(f"initial must be below the target, got {initial} and {target}")
    if (t < 0).any():
        raise ValueError(f"times must not be negative, got {t.min()}")
    if depth == 1:
        return initial * np.exp(-t) - target * np.expm1(-t)
    with np.errstate(over="ignore"):  # so long a time that the mode has arrived
        scaled = t * np.float64(target) ** (2 - 2 / depth)
        if depth == 2:
            return target / (1 + (target - initial) / initial * np.exp(-2 * scaled))
    # Solved for the logit of s/φ, in which the curve has no flat end for the root finder to get lost on.
    # At a logit of 37 the mode has arrived as far as floating point can tell.
    first, arrived = float(np.log(initial / (target - initial))), 37.0

    def clock(logit: float) -> float:
        return float(_clock(expit(logit), expit(-logit), depth))

    start = clock(first)
    last = clock(arrived) - start if first < arrived else 0.0

    def value(wanted: float) -> float:
        if wanted >= last:
            return target
        if wanted == 0:
            return initial
        return float(target * expit(brentq(lambda z: clock(z) - start - wanted, first, arrived, xtol=1e-13)))

    return np.vectorize(value, otypes=[np.float64])(scaled)


def mode_curve(times: ArrayLike, initial: ArrayLike, targets: ArrayLike, depth: int) -> Matrix:
    """Values of several modes at given times, each on the way to a target of its own: `trajectory` of all of them.

    Parameters
    ----------
    times : array, shape (…)
        Not negative, in flow units.
    initial, targets : arrays, of shapes that broadcast to (r, …)
        0 < initial < target, mode by mode.
    depth : int
        N ≥ 1.

    Returns
    -------
    array, shape (…, r, …)
        The modes behind the times, as in `Trajectory.singular_values`.

    Raises
    ------
    TypeError, ValueError
        As `trajectory` does.

    Notes
    -----
    `prop-saxe`, page `convergence`; [SMG14].
    """
    starts, ends = np.broadcast_arrays(check_array(initial, "initial"), check_array(targets, "targets"))
    curves = [trajectory(times, s, phi, depth) for s, phi in zip(starts.flat, ends.flat, strict=True)]
    return np.stack(curves, axis=-1).reshape((*np.shape(times), *ends.shape))


def project(path: Any, U: ArrayLike, V: ArrayLike) -> Matrix:
    """Modes u_rᵀ W v_r of end-to-end matrices along given directions: for aligned starts, the singular values.

    Unlike those they keep their sign and their places where two of them cross.

    Parameters
    ----------
    path : Trajectory, or array of shape (…, m, n)
    U : array, shape (m, r)
        Directions u_1, …, u_r in the output, as columns.
    V : array, shape (n, r)
        Directions v_1, …, v_r in the input, as columns: of a decomposition U, s, Vt, the transpose of Vt.

    Returns
    -------
    array, shape (…, r)

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit each other, or a number is not finite.
    """
    W, U, V = check_matrix(getattr(path, "end_to_end", path), "W"), check_matrix(U, "U"), check_matrix(V, "V")
    if U.ndim != 2 or V.ndim != 2 or (len(U), len(V)) != W.shape[-2:] or U.shape[1] != V.shape[1]:
        raise ValueError(f"W of shape {W.shape} needs U of shape (m, r) and V (n, r), got {U.shape} and {V.shape}")
    return np.asarray((U * (W @ V)).sum(axis=-2))
