"""Douglas–Rachford splitting for least nuclear norms under linear constraints, with a certificate from the dual."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lnn.numerics.checks import Matrix

RELAXATION = 1.6


def threshold_spectrum(M: Matrix, threshold: float) -> Matrix:
    """A matrix with its singular values soft-thresholded: the proximal map of `threshold` times the nuclear norm."""
    U, values, Vt = np.linalg.svd(M, full_matrices=False)
    rank = int((values > threshold).sum())
    return np.asarray((U[:, :rank] * (values[:rank] - threshold)) @ Vt[:rank])


def douglas_rachford(
    Z: Matrix,
    project: Callable[[Matrix], Matrix],
    proximal: Callable[[Matrix], Matrix],
    norm: Callable[[Matrix], float],
    certificate: Callable[[Matrix], tuple[Matrix, float]],
    dual: Matrix,
    *,
    gap: float,
    limit: int,
    progress: bool,
) -> tuple[Matrix, Matrix, float, float, int]:
    """Point of least norm in an affine set, with a dual certificate: splitting until their values meet.

    Parameters
    ----------
    Z : array
        Where to start; it is overwritten.
    project, proximal : callable
        Projection onto the set, and proximal map of the norm.
    norm : callable
        Of a projected point.
    certificate : callable
        From what the proximal map cut off, a dual feasible point near it and the bound on the norm that it proves.
    dual : array
        A dual feasible point that proves the bound 0.
    gap : float
        Relative duality gap to reach.
    limit : int
        Number of iterations after which the best found so far is returned.
    progress : bool
        Show a bar (needs tqdm).

    Returns
    -------
    best, dual : arrays
    value, bound : float
        Norm of the best point; bound that the dual proves.
    iterations : int
    """
    best, value, bound, iterations = Z, np.inf, 0.0, 0
    bar: Any = None
    if progress:
        from tqdm.auto import tqdm

        bar = tqdm(total=limit, leave=False)
    for iterations in range(1, limit + 1):
        X = project(Z)
        Y = proximal(2 * X - Z)
        if iterations % 10 == 0 or iterations == limit:
            proof, below = certificate(2 * X - Z - Y)
            if below > bound:
                dual, bound = proof, below
            if (above := norm(X)) < value:
                best, value = X, above
            if bar is not None:
                bar.update(iterations - bar.n)
                bar.set_postfix(gap=f"{(value - bound) / value:.1e}")
            if value - bound <= gap * value:
                break
        Z += RELAXATION * (Y - X)
    if bar is not None:
        bar.close()
    return best, dual, value, bound, iterations
