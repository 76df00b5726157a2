"""The bounds of `beyond_norms`, at matrices that attain them."""

import numpy as np

import lnn
from displays import side, witness
from displays.beyond_norms import COMPLETION

CHAPTER = "beyond_norms"


@witness("eq-quasi", tight=True)
def quasi_norm(draw):
    """Attained by orthogonal matrices of rank one under Schatten-1/2, and by definite ones under the trace."""
    root, Q = draw.matrix(3, 3), draw.rotation(3)
    p, A, B = 1, root @ root.T, Q @ Q.T
    if draw.depth == 3:
        p, A, B = 0.5, Q[:, [0]] @ Q[:, [1]].T, Q[:, [1]] @ Q[:, [2]].T

    def rho(X):
        values = lnn.singular_values(X)
        return lnn.schatten(values[values > 1e-9], p)  # the root of a rounding error is large

    return {"A": A, "B": B, "c": p**-1, r"\rho": rho}


@witness("eq-entry-bound", 0, tight=True, tolerance=1e-4)
def least_entry(draw):
    """A singular matrix whose residuals are as the Cauchy–Schwarz inequality has them if it is an equality."""
    s = draw.between(1e-3, 2e-3)
    x = (1 - s) / np.sqrt(s)
    return {r"\ell": float(COMPLETION(np.array([[x, 1 - s], [1 - s, s * x]]))), "w_{11}": x}


@witness("eq-entry-bound", 1, tight=True, tolerance=1e-4)
def largest_value(draw):
    W = np.array([[1e6, 1.0], [1.0, draw.between(0.1, 0.5)]])
    return {r"\ell": float(COMPLETION(W)), r"\sigma_2(W)": lnn.singular_values(W)[1]}


@witness("eq-share-bound", tight=True)
def share(draw):
    """What the two bounds before it say of the ratio of the singular values."""
    names = {r"\ell": draw.between(0.05, 0.2), "w_{11}": 0, r"\sigma_2(W)": 0}
    square, value = (side("beyond_norms", "eq-entry-bound", k, 1, names) for k in (0, 1))
    return names | {"p_2": value / square**0.5}


@witness("eq-one-line", tight=True)
def singular(draw):
    """A singular matrix with one of the observed ones in its place."""
    x, off = draw.between(1, 3), draw.between(-0.8, -0.2)
    a, b = (off, 0) if draw.depth % 2 else (0, off)
    return {"a": a, "b": b, "w_{11}": x, "c": (1 + a) * (1 + b) / x}


@witness("eq-perturbed", tight=True, tolerance=3e-5)
def perturbed(draw):
    """As for the least entry, with three observations of any size."""
    s, z, other = 1e-3, *draw.between(1.5, 2.5, 2)
    a, b = -s * other, -s * z
    x = 0.5 * np.sqrt(z * other / s)
    hidden = (z + a) * (other + b) / x
    off = hidden - s * x
    loss = lnn.LeastSquares(COMPLETION.measure, np.array([z, other, off]))
    found = float(loss(np.array([[x, z + a], [other + b, hidden]])))
    return {"z": z, "z'": other, r"\varepsilon": off, "w_{11}": x, r"\ell(W)": found}


@witness("prop-larger 1", tight=True, tolerance=1e-4)
def larger(draw):
    """Close to a large completion, in a task all whose completions have the determinant -1."""
    W = np.diag([1.0, 1e6, 0.0])
    W[1:, 1:] += [[0, 1], [1, draw.between(0.1, 0.5)]]
    mask = ~np.diag([False, True, False])
    loss = lnn.LeastSquares(lnn.Entries(mask), np.array([1.0, 0, 0, 0, 1, 0, 1, 0]))
    return {r"\ell(W(t))": float(loss(W)), r"\sigma_d(W(t))": lnn.singular_values(W)[-1]}
