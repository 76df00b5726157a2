"""The displays of `matrix_completion` on certificates, and the sums that select a minimizer."""

import numpy as np

import lnn
from displays import witness


@witness("eq-sensing", 0)
@witness("eq-nuclear")
@witness("eq-certificate", tight=True)
def certificate(draw):
    """A measurement with singular values 1, 1 and less, at a multiple of the first pair of singular vectors."""
    U, V, S = draw.rotation(4), draw.rotation(3), np.array([1, 1, draw.between(0, 1)])
    measure = lnn.Products([(U[:, :3] * S) @ V.T, draw.matrix(4, 3)])
    W = draw.between(1, 2) * U[:, :1] @ V[:, :1].T
    y, z = measure(W), np.array([1.0, 0.0])
    least = lnn.nuclear.minimize(measure, y)
    assert np.isclose(z @ y, np.linalg.norm(W, "nuc")) and np.isclose(least.value, z @ y, rtol=1e-5)
    names = {"A_i": measure.A[1], "W": W, "y_i": y[1], r"\mathcal{A}(W)": measure(least.matrix)[:, None]}
    names |= {"y": y[:, None], r"\mathcal{A}^*(z)": measure.adjoint(z), "U": U[:, :1], "V": V[:, :1]}
    return names | {"Q": (U[:, 1:3] * S[1:]) @ V[:, 1:].T}


@witness("eq-coherence", tight=True)
def coherence(draw):
    """Orthogonal vectors of ±1, as spread out as can be; and a matrix with a single entry."""
    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1]]).T / 2
    spread = draw.depth > 2
    U, V = (signs, np.vstack([signs, signs]) / np.sqrt(2)) if spread else [np.eye(4)[:, :1]] * 2
    names = {"r": U.shape[1], "n_1": len(U), "n_2": len(V), r"\mu_0": 1 if spread else 4}
    rows = {r"\max_i\lVert U^\top e_i\rVert^2": U, r"\max_j\lVert V^\top e_j\rVert^2": V}
    names |= {name: max(np.sum(row**2) for row in found) for name, found in rows.items()}
    return names | {r"\max_{i,j}|(UV^\top)_{ij}|": np.abs(U @ V.T).max(), r"\mu_1": np.sqrt(2) if spread else 4}


@witness("prop-selection 1")
def selected(draw):
    """Both sums, by the effective rank and by the Schatten quasi-norm."""
    values, N = draw.rng.dirichlet(np.ones(4)), 1 + draw.depth
    sums = np.log(lnn.effective_rank(values)), lnn.schatten(values, 2 / N) ** (2 / N)
    return {"N": N, r"\range r": range(4), r"\lambda_": lambda r: values[r], r"\value": sums}
