"""The displays of `beyond_norms`: the determinant along a flow, the loss, the angle of the eigenvectors."""

import numpy as np
from scipy.linalg import fractional_matrix_power

import lnn
from displays import witness
from displays.algebra import NODES
from displays.end_to_end_dynamics import speed
from displays.examples import chain, distance

COMPLETION = lnn.LeastSquares(lnn.Entries(np.array([[False, True], [True, True]])), np.array([1.0, 1.0, 0.0]))


def at(W):
    """The entry W_ij as a function of i and j."""
    return lambda i, j: W[i - 1, j - 1]


@witness("eq-norms-loss")
def completion_loss(draw):
    W = draw.matrix(2, 2)
    return {"w_": at(W), r"\ell(W)": COMPLETION(W)}


def balanced(draw, size=3):
    """A balanced network of square layers, its loss, and the names in it."""
    weights = lnn.initial.balanced(draw.matrix(size, size), [size] * (draw.depth + 1))
    W = lnn.end_to_end(weights)
    loss = distance(draw, W.shape)
    U, values, Vt = np.linalg.svd(W)
    names = {"N": draw.depth, "W": W, "G": loss.gradient(W), "U": U, r"\Sigma": np.diag(values), "V": Vt.T}
    names |= {r"\dot W": speed(chain(weights), names["G"], draw.depth), r"\sigma_": lambda r: values[r - 1]}
    names |= {"u_": lambda r: U[:, [r - 1]], "v_": lambda r: Vt[[r - 1]].T}
    return weights, names, loss


def factor(W, N):
    """P without a singular value decomposition."""
    return fractional_matrix_power(W @ W.T, -1 / N).real @ W


@witness("eq-determinant", 0, tolerance=1e-7)
def determinant(draw):
    """A flow of the layers, at the nodes of Gauss."""
    weights, _, loss = balanced(draw, 2)
    end, N = 0.3, draw.depth
    times = np.r_[0, (NODES[0] + 1) / 2, 1] * end
    path = lnn.gradient_flow(weights, loss, times, rtol=1e-11, atol=1e-13).end_to_end
    W = lambda s: path[np.abs(times - float(s)).argmin()]
    return {"N": N, "t": end, "W": W, "P": lambda s: factor(W(s), N), r"\nabla\ell": loss.gradient}


@witness("eq-determinant", 1)
@witness("prop-determinant 2")
def rate_of_the_determinant(draw):
    _, names, _ = balanced(draw)
    return names | {"P": factor(names["W"], draw.depth)}


@witness("eq-loss-dissipation", tolerance=1e-6)
def dissipation(draw):
    """The loss along the gradients of the layers, by a difference."""
    weights, names, loss = balanced(draw)
    speeds = lnn.pullback(weights, names["G"])
    h = 1e-4 / max(np.linalg.norm(D) for D in speeds)
    moved = lambda s: loss(lnn.end_to_end([W - s * D for W, D in zip(weights, speeds, strict=True)]))
    change = (moved(h) - moved(-h)) / (2 * h)
    return names | {"D": -change, r"\frac{d}{dt}\ell(W)": change, r"\range r": (1, 2, 3), r"\range s": (1, 2, 3)}


@witness("section A flow whose determinant no double-precision matrix can hold 1")
@witness("eq-log-flow", tolerance=1e-6)
def turning(draw):
    """Eigenvalues and an angle of a definite matrix that moves with the end-to-end dynamics."""
    root, N = draw.matrix(2, 2), draw.depth
    W, a = root @ root.T + 0.1 * np.eye(2), 1 + N % 2
    G = COMPLETION.gradient(W)
    field = -lnn.precondition(W, G, N)

    def parts(matrix):
        values, vectors = np.linalg.eigh(matrix)
        u = vectors[:, 1] * np.sign(vectors[0, 1])
        return np.array([values[1], values[0], np.arctan2(u[1], u[0])])

    h = 1e-6
    change = (parts(W + h * field) - parts(W - h * field)) / (2 * h)
    first, second, angle = parts(W)
    u = np.linalg.eigh(W)[1][:, ::-1]
    u = u * np.array([np.sign(u[0, 0]), np.sign(u[1, 1])])
    g = u.T @ G @ u
    names = {"N": N, "W": W, r"\lambda_1": first, r"\lambda_2": second, r"\theta": angle, r"\dot\theta": change[2]}
    names |= {r"\lambda_a": parts(W)[a - 1], "g_{aa}": g[a - 1, a - 1], "g_{12}": g[0, 1]}
    names |= {"u_1": u[:, [0]], "u_2": u[:, [1]]}
    return names | {r"\frac{d}{dt}\log\lambda_a": change[a - 1] / parts(W)[a - 1]}


@witness("eq-late-rate", tight=True, tolerance=1e-2, draws=2)
def late(draw):
    """The layers late in a flow."""
    N, end = 1 + draw.depth, 1e4
    start = lnn.initial.balanced(np.array([[0.3, 0.15], [0.15, 0.3]]), [2] * (N + 1))
    W = lnn.gradient_flow(start, COMPLETION, [0, end], method="LSODA", rtol=1e-9, atol=1e-12).end_to_end[-1]
    names = {"N": N, "t": end, "w_{11}": W[0, 0], r"\lambda": lnn.singular_values(W)[0]}
    return names | {r"\ell": float(COMPLETION(W))}


@witness("eq-orthogonal-rows")
def projected(draw):
    """A row orthogonal to its residual."""
    v = draw.rotation(2)[:, 0]
    row = v[0] * v
    return {"b": row[0] - 1, "c": row[1]}


@witness("cor-identity-start 1")
def multiplied(draw):
    A, B, g, z = draw.matrix(2, 2), draw.matrix(2, 2), *draw.between(-1, 1, 2)
    A, B = A + A.T, B + B.T
    product = A @ np.array([[0, g], [g, z]]) @ B
    return {"A_": at(A), "B_": at(B), "g": g, "z": z, "(AGB)_": at(product)}
