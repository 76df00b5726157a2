"""Tensors seen as matrices, one way a mode, and the completion whose unfoldings have least nuclear norms in sum.

The nuclear norm of a tensor itself is NP-hard to compute [FL18]; the sum over the unfoldings is convex and is not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnn.convex.splitting import douglas_rachford, threshold_spectrum
from lnn.measurements import Entries, check_observed
from lnn.numerics.checks import Matrix, ReadOnly, check_array, check_count, check_positive
from lnn.theory.spectrum import nuclear_norm, singular_values


def unfold(W: ArrayLike, mode: int) -> Matrix:
    """Unfolding of a tensor: mode `mode` (from 0) as rows, all others, in their order, as columns.

    Parameters
    ----------
    W : array, shape (d_1, …, d_N)
    mode : int

    Returns
    -------
    array, shape (d_mode, product of the others)

    Raises
    ------
    TypeError, ValueError
        If `W` is not a tensor of order 2 or more, or has no such mode.
    """
    T, mode = check_array(W, "W"), check_count(mode, "mode", least=0)
    if T.ndim < 2 or mode >= T.ndim:
        raise ValueError(f"mode {mode} needs a tensor of order {max(2, mode + 1)} or more, got shape {T.shape}")
    return _unfold(T, mode).copy()


def _unfold(T: Matrix, mode: int) -> Matrix:
    return np.moveaxis(T, mode, 0).reshape(T.shape[mode], -1)


def _fold(M: Matrix, mode: int, shape: tuple[int, ...]) -> Matrix:
    """The tensor of this shape with the unfolding M."""
    return np.moveaxis(M.reshape(shape[mode], *shape[:mode], *shape[mode + 1 :]), 0, mode)


def overlapped_norm(W: ArrayLike) -> float:
    """Sum of the nuclear norms of all unfoldings, the overlapped nuclear norm of [GRY11] and [TSHK11].

    Raises
    ------
    TypeError, ValueError
        If `W` is not a tensor of order 2 or more.
    """
    T = check_array(W, "W")
    return float(sum(nuclear_norm(singular_values(unfold(T, mode))) for mode in range(max(2, T.ndim))))


@dataclass(frozen=True, eq=False, repr=False)
class OverlappedSolution(ReadOnly):
    """A tensor, and the proof of how near it is to the least overlapped nuclear norm.

    Parameters
    ----------
    tensor : array, shape (d_1, …, d_N)
        With the observed entries.
    parts : array, shape (N, d_1, …, d_N)
        The n-th has an n-th unfolding of spectral norm at most 1, and their sum vanishes where nothing is observed.
    value, bound : float
        The overlapped norm of `tensor`, and ⟨Σ parts, tensor⟩: no tensor with these observations has a smaller norm.
    gap : float
        (value - bound) / value.
    iterations : int
    converged : bool
        Whether `gap` came down to the one asked for.
    """

    tensor: Matrix
    parts: Matrix
    value: float
    bound: float
    gap: float
    iterations: int
    converged: bool

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.tensor.shape))
        end = "converged" if self.converged else "NOT converged"
        return (
            f"OverlappedSolution({shape}, norm {self.value:.6g}, relative gap {self.gap:.1e}, "
            f"{end} after {self.iterations} iterations)"
        )


def _certificate(cut: Matrix, mask: NDArray[np.bool_]) -> Matrix:
    """Feasible parts near the subgradients `cut`: their sum made 0 where nothing is seen, then scaled back."""
    order = len(cut)
    parts = cut - np.where(mask, 0.0, cut.sum(axis=0)) / order
    largest = max(float(np.linalg.norm(_unfold(parts[n], n), 2)) for n in range(order))
    return parts / max(1.0, largest)


def minimize(
    seen: Entries,
    observed: ArrayLike,
    *,
    gap: float = 1e-4,
    max_iterations: int = 3_000,
    step: float = 0.2,
    progress: bool = False,
) -> OverlappedSolution:
    """Tensor with the given entries whose unfoldings have the least sum of nuclear norms.

    Douglas–Rachford splitting over N copies of the tensor: the singular values of each are soft-thresholded in its own
    unfolding, and their mean is given the observed entries. What is cut off makes the dual certificate.

    Parameters
    ----------
    seen : Entries
    observed : array, shape (k,)
    gap : float
        Relative duality gap to reach.
    max_iterations : int
        After so many iterations the best tensor so far is returned, with `converged` False.
    step : float
        Threshold on the singular values, in units of the largest one of the zero-filled unfoldings. It decides on
        speed, not on the answer.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    OverlappedSolution

    Raises
    ------
    TypeError, ValueError
        If `seen` is not a measurement of entries, `observed` does not fit it, or a parameter is not positive.

    Notes
    -----
    `prop-overlapped-dual`, page `beyond_linear`; [GRY11], [TSHK11].

    >>> minimize(Entries(np.eye(2) == 1), [3.0, 4.0]).value  # of a matrix: twice its nuclear norm
    14.0
    """
    if type(seen) is not Entries:  # what is derived from it may have weights
        raise TypeError(f"tensors are completed from Entries, got {seen!r}")
    b, shape = check_observed(seen, observed)
    gap, step = check_positive(gap, "gap"), check_positive(step, "step")
    limit, order = check_count(max_iterations, "max_iterations"), len(shape)
    filled = seen.adjoint(b)
    Z = np.stack([filled] * order)
    if not b.any():
        return OverlappedSolution(filled, np.zeros_like(Z), 0.0, 0.0, 0.0, 0, True)
    threshold = step * max(float(np.linalg.norm(_unfold(filled, n), 2)) for n in range(order))

    def proximal(Z: Matrix) -> Matrix:
        return np.stack([_fold(threshold_spectrum(_unfold(Z[n], n), threshold), n, shape) for n in range(order)])

    def certificate(cut: Matrix) -> tuple[Matrix, float]:
        parts = _certificate(cut / threshold, seen.mask)
        return parts, float((parts.sum(axis=0) * filled).sum())

    best, parts, value, bound, iterations = douglas_rachford(
        Z,
        lambda Z: np.where(seen.mask, filled, Z.mean(axis=0)),
        proximal,
        overlapped_norm,
        certificate,
        np.zeros_like(Z),
        gap=gap,
        limit=limit,
        progress=progress,
    )
    reached = (value - bound) / value
    return OverlappedSolution(best, parts, value, bound, reached, iterations, reached <= gap)
