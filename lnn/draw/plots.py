"""Figures: each function takes a trajectory or an array first, optionally the axes to draw on, and returns the axes.

Colours carry one meaning throughout the book: a depth has its place on one sequential map and its own line style
(beyond 4 they share one), a target is a black dashed line.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from lnn.numerics.checks import check_array, check_count, check_positive
from lnn.theory.balance import imbalance
from lnn.trajectory import Trajectory

TARGET = {"color": "black", "linestyle": "--", "linewidth": 1.2}
_DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (4, 1.5, 1, 1.5)), (0, (1.5, 1.5)), (0, (7, 1.5, 1, 1.5, 1, 1.5)))


def depth_style(depth: int) -> dict[str, Any]:
    """Colour and line style of a depth, as keyword arguments for `ax.plot`.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    dict with `color` and `linestyle`

    Raises
    ------
    TypeError, ValueError
        If the depth is not a positive whole number.
    """
    depth = check_count(depth, "depth")
    place = min(np.log2(depth) / 3.4, 0.92)  # 1, 2, 3, 4, 8: dark to light
    return {"color": plt.get_cmap("plasma")(0.02 + 0.88 * place), "linestyle": _DASHES[min(depth, 5) - 1]}


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


def losses(path: Trajectory, *, excess_over: float = 0.0, ax: Axes | None = None, **style: Any) -> Axes:
    """Loss over time on a logarithmic axis, less a known minimum if one is given.

    Parameters
    ----------
    path : Trajectory
    excess_over : float
        Subtracted from the losses.
    ax : Axes, optional
    style
        Passed on to `ax.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the minimum is not a finite number.
    """
    floor = float(check_array(excess_over, "excess_over"))
    ax = _axes(ax)
    excess = path.losses - floor
    ax.semilogy(path.times, np.where(excess > 0, excess, np.nan), **style)
    ax.set(xlabel="time $t$", ylabel=r"loss $\ell(W)$" if excess_over == 0 else "loss above its minimum")
    return ax


def singular_values(path: Trajectory, *, count: int | None = None, ax: Axes | None = None, **style: Any) -> Axes:
    """Singular values of the end-to-end matrix over time, the largest drawn darkest.

    Parameters
    ----------
    path : Trajectory
    count : int, optional
        How many to draw, from the largest; all by default.
    ax : Axes, optional
    style
        Passed on to `ax.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the count is not a positive whole number.
    """
    shown = None if count is None else check_count(count, "count")
    ax = _axes(ax)
    values = path.singular_values[:, :shown]
    for r, curve in enumerate(values.T):
        shade = plt.get_cmap("viridis")(0.85 * r / max(1, values.shape[1] - 1))
        ax.plot(path.times, curve, **{"color": shade, **style})
    ax.set(xlabel="time $t$", ylabel=r"singular values $\sigma_r$ of $W$")
    return ax


def imbalances(path: Trajectory, *, ax: Axes | None = None, **style: Any) -> Axes:
    """Imbalance of the layers, the largest over the pairs, over time on a logarithmic axis.

    Parameters
    ----------
    path : Trajectory
    ax : Axes, optional
    style
        Passed on to `ax.plot`.

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    values = imbalance(path.weights)
    ax.semilogy(path.times, np.where(values > 0, values, np.nan), **style)
    ax.set(xlabel="time $t$", ylabel=r"imbalance $\max_j\,\Vert W_{j+1}^\top W_{j+1}-W_jW_j^\top\Vert_F$")
    return ax


def order(
    sizes: ArrayLike, errors: ArrayLike, slope: float | None = None, *, ax: Axes | None = None, **style: Any
) -> Axes:
    """Errors against a size on doubly logarithmic axes, with a line of a given slope beside them.

    Parameters
    ----------
    sizes, errors : arrays, shape (k,)
        Positive.
    slope : float, optional
        Slope of a thin line through the last point.
    ax : Axes, optional
    style
        Passed on to `ax.plot`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the arrays are not finite, positive numbers, or not equally many.
    """
    x, y = check_array(sizes, "sizes"), check_array(errors, "errors")
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"sizes and errors must be of one shape (k,), got {x.shape} and {y.shape}")
    for name, values in (("sizes", x), ("errors", y)):
        if (values <= 0).any():
            raise ValueError(f"{name} must be positive on logarithmic axes, got {values.min():g}")
    ax = _axes(ax)
    ax.loglog(x, y, **{"marker": "o", **style})
    if slope is not None:
        ax.loglog(x, y[-1] * (x / x[-1]) ** slope, color="0.4", linewidth=1, linestyle=":", label=f"slope {slope:g}")
    return ax


def plane(value: Any, extent: float, *, levels: Any = 30, points: int = 201, ax: Axes | None = None) -> Axes:
    """Level lines of a function of two parameters on the square [-extent, extent]².

    Parameters
    ----------
    value : callable
        Takes two arrays of shape (k, k) and returns one.
    extent : float
        Half the side of the square.
    levels : int or increasing sequence of floats
    points : int
        Points a side.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the extent is not positive.
    """
    ax = _axes(ax)
    side = np.linspace(-1, 1, check_count(points, "points", least=2)) * check_positive(extent, "extent")
    x, y = np.meshgrid(side, side)
    ax.contour(x, y, value(x, y), levels=levels, linewidths=0.7, cmap="cividis")
    ax.set_aspect("equal")
    ax.grid(False)
    return ax
