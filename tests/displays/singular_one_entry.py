"""The displays of `singular_value_dynamics` on one observed entry."""

import numpy as np

import lnn
from displays import witness
from displays.examples import chain
from displays.singular_vectors import Moving

CHAPTER = "singular_value_dynamics"


def resting(draw):
    """Diagonal layers turned by rotations, under g(z) = z³/3 of ⟨A, W⟩ with A diagonal in the outer ones."""
    N, a, x = draw.depth, draw.between(0.5, 1.5, 3), draw.between(0.5, 1.5, 3)
    Q = [draw.rotation(3) for _ in range(N + 1)]
    weights = [after * x @ before.T for before, after in zip(Q, Q[1:], strict=False)]
    A = Q[-1] * a @ Q[0].T
    G = np.sum(A * lnn.end_to_end(weights)) ** 2 * A
    names = {"N": N, "a_": lambda r: a[r - 1], "x_": lambda r: x[r - 1], r"\range q": (1, 2, 3), "r": 2}
    return names | {"g'": lambda z: z**2}, Q, weights, G


@witness("prop-one-entry 2", 0)
def scalars(draw):
    names, Q, weights, G = resting(draw)
    slope = lnn.pullback(weights, G)[0]
    return names | {r"\dot x_r": -Q[1][:, 1] @ slope @ Q[0][:, 1]}


@witness("prop-one-entry 2", 1)
def start(draw):
    W = draw.matrix(3, 3)
    layer = lnn.initial.balanced(W, [3] * (draw.depth + 1))[0]
    return {"N": draw.depth, "s_r": lnn.singular_values(W)[1], "x_r(0)": lnn.singular_values(layer)[1]}


@witness("prop-one-entry 3")
def rank_one(draw):
    """A product of rank one, whose vectors are singular vectors of A."""
    N, a, x, slope = draw.depth, *draw.between(0.5, 1.5, 3)
    Q = [draw.rotation(3) for _ in range(N + 1)]
    weights = [x * after[:, [0]] @ before[:, [0]].T for before, after in zip(Q, Q[1:], strict=False)]
    A = Q[-1] * [a, *draw.between(0.5, 1.5, 2)] @ Q[0].T
    names = {"N": N, "j": 2, "W_": chain(weights), "G": slope * A, "g'": slope, "Q_": lambda j: Q[j][:, [0]]}
    return names | {"a_r": a, "x_r": x}


@witness("prop-one-entry 4")
def turning(draw):
    A, slope = np.zeros((3, 4)), draw.between(0.5, 1.5)
    A[1, 2] = 1
    run = Moving(draw, (3, 4), G=slope * A)
    names = run.names() | {"A": A, "g'": lambda z: slope, r"\Gamma": lnn.preconditioner.gains(run.values, run.N)[0, 1]}
    names |= {"u_1": run.U[:, [0]], "v_2": run.V[:, [1]], r"\xi_1": run.U[1, 0], r"\zeta_2": run.V[2, 1]}
    return names | {r"\sigma_1": run.values[0], r"\sigma_2": run.values[1]}


@witness("eq-sine", tolerance=1e-7)
def flowed(draw):
    """A flow of layers of rank one with one observed entry."""
    N, shape = draw.depth, (3, 4)
    mask = np.arange(12).reshape(shape) == 6
    loss = lnn.LeastSquares(lnn.Entries(mask), np.array([2.0]))
    start = lnn.initial.balanced(0.5 * draw.rotation(3)[:, [0]] @ draw.rotation(4)[:, [0]].T, [4] * N + [3])
    path = lnn.gradient_flow(start, loss, [0, 1], rtol=1e-11, atol=1e-13).end_to_end
    names = {"N": N}
    for W, time in zip(path, "0t", strict=True):
        U, values, _ = np.linalg.svd(W)
        names |= {rf"\theta({time})": np.arccos(abs(U[1, 0])), rf"\sigma({time})": values[0]}
    return names


@witness("prop-how-long 2", tolerance=1e-6)
@witness("prop-how-long 3", tolerance=1e-6)
def long(draw):
    slope, G = draw.between(0.5, 1.5), np.zeros((3, 4))
    G[1, 2] = slope
    first = draw.between(0.5, 1.5) * draw.rotation(3)[:, [0]] @ draw.rotation(4)[:, [0]].T
    run = Moving(draw, (3, 4), first, G)
    names = run.names() | {"u": run.U[:, [0]], "v": run.V[:, [0]], r"\sigma": run.values[0], "g'": slope}
    names |= {r"\dot u": run.dU[:, [0]], r"\xi": run.U[1, 0], r"\zeta": run.V[2, 0], r"\dot\xi": run.dU[1, 0]}
    return names | {r"\dot\sigma": run.dvalues[0]}
