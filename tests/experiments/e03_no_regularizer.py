"""E3: no regularizer has the end-to-end field as its gradient. Page `end_to_end_dynamics`."""

import numpy as np
from numpy.typing import NDArray

import lnn
from experiments import Row


def curve(r: float, R: float, points: int = 4001) -> NDArray[np.float64]:
    """The closed curve of two rays and two arcs, shape (4 · points, 2)."""
    ray = np.stack([np.linspace(r, R, points), np.zeros(points)], axis=-1)
    angle = np.linspace(0, np.pi, points)
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.concatenate([-ray[::-1], r * arc[::-1], ray, R * arc])


def circulation(points: NDArray[np.float64], gradient: NDArray[np.float64], depth: int) -> float:
    """Integral along the points of the field, by the midpoint rule, for a constant gradient."""
    middle = (points[1:] + points[:-1])[:, None, :] / 2
    field = lnn.precondition(middle, np.broadcast_to(gradient, middle.shape), depth)[:, 0]
    return float((field * np.diff(points, axis=0)).sum())


def formula(depth: int, r: float, R: float) -> float:
    """2 (N - 1)(N - 2)/(3N - 2) (R^{3-2/N} - r^{3-2/N})."""
    power = 3 - 2 / depth
    return 2 * (depth - 1) * (depth - 2) / (3 * depth - 2) * (R**power - r**power)


def measure() -> list[Row]:
    """Rows of the reproductions table."""
    radii = [(r, R) for R in (0.5, 1.0, 2.0) for r in (0.1 * R, 0.5 * R, 0.9 * R)]
    rows = []
    errors, smallest = [], []
    for depth in (3, 4, 8):
        found = np.array([circulation(curve(r, R), np.array([1.0, 0.0]), depth) for r, R in radii])
        expected = np.array([formula(depth, r, R) for r, R in radii])
        errors.append(float(abs(found / expected - 1).max()))
        smallest.append(float(found.min()))
    rows.append(
        Row(
            claim="depths 3, 4, 8: the line integral along the closed curve is not zero and follows the formula",
            published="the integral is not zero",
            measured=f"smallest integral {min(smallest):.3f}, relative error of the formula below "
            f"1e{int(np.ceil(np.log10(max(errors))))}",
            holds=bool(max(errors) < 1e-4 and min(smallest) > 0),
        )
    )
    at_two = max(abs(circulation(curve(r, R), np.array([1.0, 0.0]), 2)) for r, R in radii)
    rows.append(
        Row(
            claim="depth 2, constant gradient: the integral vanishes, the field is a gradient",
            published=None,
            measured=f"largest integral below 1e{int(np.ceil(np.log10(at_two + 1e-9)))}",
            holds=at_two < 1e-5,
        )
    )

    def asymmetry(depth: int, hessian: NDArray[np.float64]) -> float:
        """Largest curl of the field of a quadratic loss with ∇ℓ(0) = (1, 0), over a grid, by central differences."""
        axis, h = np.linspace(-1, 1, 20), 1e-5
        w = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 2)

        def field(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return lnn.precondition(x, x @ hessian + np.array([1.0, 0.0]), depth)[:, 0]

        right, up = (field(w + h * e) - field(w - h * e) for e in np.eye(2))
        return float(abs(right[:, 1] - up[:, 0]).max() / (2 * h))

    none, round_, oval = np.zeros((2, 2)), np.eye(2), np.diag([2.0, 0.5])
    curls = {(N, k): asymmetry(N, H) for N in (2, 3) for k, H in (("none", none), ("round", round_), ("oval", oval))}
    rows.append(
        Row(
            claim="the curl vanishes at depth 2 for linear and for round quadratic losses, and in no other case tried",
            published=None,
            measured=", ".join(f"depth {N} {k}: {0.0 if c < 1e-6 else c:.2f}" for (N, k), c in curls.items()),
            holds=bool(
                max(curls[2, "none"], curls[2, "round"]) < 1e-6
                and min(curls[2, "oval"], curls[3, "none"], curls[3, "round"], curls[3, "oval"]) > 0.1
            ),
        )
    )
    return rows
