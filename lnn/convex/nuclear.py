"""Nuclear norm minimization: of all matrices with the given observations, the one whose singular values sum to least.

The dual problem, max ⟨y, b⟩ over all y with ‖𝒜*(y)‖_2 ≤ 1, comes along: since ⟨y, b⟩ = ⟨𝒜*(y), W⟩ ≤ ‖W‖_* for
every W with 𝒜(W) = b, each such y is a proof of how small a nuclear norm can be.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpocon

from lnn.convex.splitting import douglas_rachford, threshold_spectrum
from lnn.measurements import Entries, Everything, Measurement, Products, Samples, check_observed
from lnn.numerics.checks import Matrix, ReadOnly, check_count, check_positive, representable
from lnn.theory.spectrum import nuclear_norm, singular_values

EPS = float(np.finfo(np.float64).eps)
STEPS = (1e-8, 1e8)


@dataclass(frozen=True, eq=False, repr=False)
class NuclearSolution(ReadOnly):
    """A matrix, and the proof of how near it is to the least nuclear norm.

    Parameters
    ----------
    matrix : array, shape (m, n)
        W, with 𝒜(W) = b up to `residual`.
    dual : array, shape (k,)
        y, with ‖𝒜*(y)‖_2 ≤ 1.
    value, bound : float
        ‖W‖_* and ⟨y, b⟩: no matrix with these observations has a nuclear norm below `bound`.
    gap : float
        (value - bound) / value.
    residual : float
        ‖𝒜(W) - b‖ / ‖b‖.
    iterations : int
    converged : bool
        Whether `gap` came down to the one asked for.

    Notes
    -----
    Arrays are read-only.
    """

    matrix: Matrix
    dual: Matrix
    value: float
    bound: float
    gap: float
    residual: float
    iterations: int
    converged: bool

    def __repr__(self) -> str:
        m, n = self.matrix.shape
        end = "converged" if self.converged else "NOT converged"
        return (
            f"NuclearSolution({m}x{n}, nuclear norm {self.value:.6g}, relative gap {self.gap:.1e}, "
            f"residual {self.residual:.1e}, {end} after {self.iterations} iterations)"
        )


def gram(measure: Measurement, count: int) -> Matrix:
    """The matrix 𝒜𝒜* of all inner products ⟨A_i, A_j⟩, shape (k, k), for k = `count` observations."""
    if type(measure) is Products:
        rows = measure.A.reshape(count, -1)
        return np.asarray(rows @ rows.T)
    if type(measure) not in (Everything, Entries, Samples):  # it may take stacks for something else
        return np.array([measure(measure.adjoint(e)) for e in np.eye(count)])
    blocks = np.array_split(np.eye(count), -(-count // 256))
    return np.concatenate([measure(measure.adjoint(block)) for block in blocks])


def _solver(measure: Measurement, b: Matrix) -> Callable[[Matrix], Matrix]:
    """(𝒜𝒜*)⁻¹ on vectors: nothing for single entries, Cholesky else; the pseudo-inverse for dependent measurements.

    Each measurement is first divided by its own norm, so that the scale of none decides on what counts as dependent.
    """
    if type(measure) in (Entries, Everything):  # what is derived from them may have weights
        return lambda v: v
    with np.errstate(over="ignore", invalid="ignore"):
        products = representable(gram(measure, b.size), "the matrix of inner products of the measurements")
    norms = np.sqrt(np.diag(products))
    norms[norms == 0] = 1.0
    products = products / norms / norms[:, None]
    try:
        factor = cho_factor(products, lower=True)
        conditioned = dpocon(factor[0], np.linalg.norm(products, 1), uplo="L")[0] > b.size * EPS
    except LinAlgError:
        conditioned = False
    if conditioned:
        return lambda v: np.asarray(cho_solve(factor, v / norms) / norms)
    values, U = np.linalg.eigh(products)
    kept = values > b.size * EPS * values[-1]
    rank, values, U = int(kept.sum()), values[kept], U[:, kept]
    each = b / norms
    missed = float(np.linalg.norm(each - U @ (U.T @ each)))
    # Directions as weak as the square root of the cut are dropped; what they carry is below 1e-6 of b.
    if missed > 1e-6 * np.linalg.norm(each):
        raise ValueError(
            f"the observations contradict each other: {b.size} measurements have rank {rank}, and no matrix comes "
            f"nearer to the observations than {missed / np.linalg.norm(each):.3g} times their norm"
        )
    return lambda v: np.asarray(U @ ((U.T @ (v / norms)) / values) / norms)


def minimize(
    measure: Measurement,
    observed: ArrayLike,
    *,
    gap: float = 1e-6,
    max_iterations: int = 5_000,
    step: float = 0.2,
    progress: bool = False,
) -> NuclearSolution:
    """Matrix of least nuclear norm with 𝒜(W) = b: min ‖W‖_* subject to `measure(W)` = `observed`.

    Douglas–Rachford splitting: a projection onto the matrices with these observations, by a factored Gram matrix
    𝒜𝒜*, alternates with a soft threshold on the singular values, whose subgradient is the dual vector.

    Parameters
    ----------
    measure : Measurement
        For other measurements than `Entries` and `Everything`, k² numbers are stored and factored once.
    observed : array, shape (k,)
        The vector b.
    gap : float
        Relative duality gap to reach.
    max_iterations : int
        After so many iterations the best matrix so far is returned, with `converged` False.
    step : float
        Threshold on the singular values, in units of the largest one of the smallest matrix, in Frobenius norm,
        with these observations; from 1e-8 to 1e8. It decides on speed, not on the answer.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    NuclearSolution

    Raises
    ------
    TypeError, ValueError
        If `observed` does not fit the measurement or is that of a tensor, a parameter is not positive or the step out
        of its range, the matrix too large for a float, or the observations contradict each other: measurements that
        depend on each other, and no matrix that has these observations.

    Notes
    -----
    `thm-candes-recht`, page `matrix_completion`; [CR09].

    >>> from lnn import Entries
    >>> minimize(Entries(np.eye(2) == 1), [3.0, 4.0]).value  # no completion of a diagonal does better than its trace
    7.0
    """
    b, shape = check_observed(measure, observed)
    if len(shape) != 2:
        raise ValueError(f"the nuclear norm is one of matrices, got measurements of shape {shape}: see lnn.unfolding")
    gap, step = check_positive(gap, "gap"), check_positive(step, "step")
    limit = check_count(max_iterations, "max_iterations")
    if not STEPS[0] <= step <= STEPS[1]:
        raise ValueError(f"step must lie in [{STEPS[0]:g}, {STEPS[1]:g}], got {step:g}")
    if not b.any():
        return NuclearSolution(np.zeros(shape), np.zeros(b.size), 0.0, 0.0, 0.0, 0.0, 0, True)
    exponent = int(np.frexp(np.abs(b).max())[1])
    b = np.ldexp(b, -exponent)  # the problem for observations near 1: the answer is proportional to them
    solve = _solver(measure, b)
    Z = representable(np.array(measure.adjoint(solve(b))), "the smallest matrix with these observations")
    threshold = step * float(np.linalg.norm(Z, 2))

    def project(Z: Matrix) -> Matrix:
        return Z + measure.adjoint(solve(b - measure(Z)))

    def certificate(cut: Matrix) -> tuple[Matrix, float]:
        # What was cut off is a subgradient of the norm; its part in the range of 𝒜*, scaled back, is feasible.
        y = solve(measure(cut / threshold))
        y /= max(1.0, float(np.linalg.norm(measure.adjoint(y), 2)))
        return y, float(y @ b)

    best, dual, value, bound, iterations = douglas_rachford(
        Z,
        project,
        lambda M: threshold_spectrum(M, threshold),
        lambda X: float(nuclear_norm(singular_values(X))),
        certificate,
        np.zeros(b.size),
        gap=gap,
        limit=limit,
        progress=progress,
    )
    for _ in range(2):  # the projection once more: what roundings left of the residual
        best = project(best)
    value = float(nuclear_norm(singular_values(best)))
    residual = float(np.linalg.norm(measure(best) - b) / np.linalg.norm(b))
    reached = (value - bound) / value
    with np.errstate(over="ignore"):
        best = representable(np.ldexp(best, exponent), "the matrix of least nuclear norm")
        value, bound = float(np.ldexp(value, exponent)), float(np.ldexp(bound, exponent))
    return NuclearSolution(best, dual, value, bound, reached, residual, iterations, reached <= gap)
