"""The displays of `end_to_end_dynamics` up to one output: the rule, its preconditioner, imbalance."""

import numpy as np

import lnn
from displays import witness
from displays.examples import chain, distance, network
from lnn.symbolic import dynamics

SPEED = r"\dot W"


def speed(W, G, N):
    """Velocity of the product from the layers, by the product rule."""
    layers = [W(j + 1, N).T @ G @ W(1, j - 1).T for j in range(1, N + 1)]
    return -sum(W(j + 1, N) @ D @ W(1, j - 1) for j, D in enumerate(layers, start=1))


@witness("eq-operator")
@witness("eq-end-to-end")
@witness("eq-before-balance")
@witness("thm-end-to-end 3")
@witness("prop-preconditioner 1")
def rule(draw):
    weights, names, _ = network(draw, balanced=True)
    W, G, N, layers = names["W"], names["G"], len(weights), names["W_"]
    names |= {SPEED: speed(layers, G, N), r"\mathcal{P}_W(G)": lnn.precondition(W, G, N), r"\nabla\ell(W)": G}
    names |= {"A_": lambda j: layers(j + 1, N), "B_": lambda j: layers(1, j - 1), "j": 2}
    return names | {"P_W": lnn.preconditioner.matrix(W, N)}


@witness("eq-kronecker")
def kronecker(draw):
    A, X, B = draw.matrix(2, 3), draw.matrix(3, 4), draw.matrix(4, 5)
    stacked = np.array([[(A @ X @ B)[i, k]] for k in range(5) for i in range(2)])
    return {"A": A, "X": X, "B": B, r"\operatorname{vec}(AXB)": stacked}


@witness("eq-gains")
@witness("section The preconditioner 2")
def gains(draw):
    values = draw.between(0.3, 2, 2)
    found = lnn.preconditioner.gains(values, draw.depth)[0, 1]
    return {"N": draw.depth, r"\sigma_r": values[0], r"\sigma_q": values[1], r"\lambda_{rq}": found}


@witness("prop-preconditioner 3")
@witness("prop-field-regularity 1")
def directions(draw):
    W, N = draw.matrix(3, 5), draw.depth
    U, values, Vt = np.linalg.svd(W)
    names = {"N": N, "j": 2, "W": W, r"\sigma_r": values[0], r"\sigma_q": values[2]}
    return names | {"u_r": U[:, :1], "v_q": Vt[2:3].T}


@witness("prop-field-regularity 2", tolerance=1e-4, alike=1)  # one term more is small
def kink(draw):
    U, V, N, h = np.eye(3), np.eye(4), draw.depth, -1e-9  # turned, they would have rounding in the place of zeros
    W = draw.between(0.5, 2) * U[:, :1] @ V[:, :1].T
    names = {"N": N, "h": h, "u_r": U[:, :1], "v_q": V[:, 1:2], r"\sigma_r": lnn.singular_values(W)[0]}
    G = names["u_r"] @ names["v_q"].T
    names |= {r"\mathcal{P}_W(G)": lnn.precondition(W, G, N)}
    return names | {r"\mathcal{P}_{W_h}(G)": lnn.precondition(W + h * U[:, 1:2] @ V[:, 1:2].T, G, N)}


@witness("eq-discrete-rule")
def discrete(draw):
    W, N, eta = draw.matrix(3, 4), draw.depth, 0.1
    loss, now = distance(draw, W.shape), r"\hat W^{(k)}"
    names = {r"\eta": eta, now: W, r"\hat W^{(k+1)}": lnn.end_to_end_step(W, loss, N, eta)}
    names |= {rf"\mathcal{{P}}_{{{now}}}": lambda G: lnn.precondition(W, G, N)}
    return names | {rf"\nabla\ell({now})": loss.gradient(W)}


@witness("eq-lambda")
@witness("thm-lambda-balanced 5")
def imbalanced(draw):
    lam = float(draw.between(0.5, 2))
    weights = lnn.initial.balanced(draw.matrix(3, 5), (5, 3, 3), imbalance=lam)
    W, layers = lnn.end_to_end(weights), chain(weights)
    G = distance(draw, W.shape).gradient(W)
    names = {SPEED: speed(layers, G, 2), r"\nabla\ell(W)": G, r"\lambda": lam, "W": W, "W_": layers}
    A, C, D = layers(2) @ layers(2).T, layers(2).T @ layers(2), layers(1) @ layers(1).T
    return names | {"A": A, "C": C, "D": D}


@witness("eq-lambda-gains", draws=1)
def imbalanced_gain(draw):
    s, u, lam, gain = dynamics.lambda_gain()
    given = dict(zip((s, u, lam), draw.between(0.5, 2, 3) * [1, 1, -1], strict=True))
    names = {r"\sigma_r": given[s], r"\sigma_q": given[u], r"\lambda": given[lam]}
    return names | {r"\value": [float(gain.subs(given))]}


@witness("eq-lambda-scalar", draws=1)
def imbalanced_scalars(draw):
    t, lam, phi, start, path, _ = dynamics.lambda_scalar_path()
    given = dict(zip((t, lam, phi, start), draw.between(0.3, 1, 4), strict=True))
    now, goal, scale = float(path.subs(given)), given[phi], given[lam]
    rate = np.hypot(scale, 2 * goal)
    z = lambda w: (2 * w + np.hypot(scale, 2 * w)) / scale
    names = {"w(t)": now, "t": given[t], r"\lambda": scale, r"\Lambda": rate, "z": z(now), "z_0": z(given[start])}
    return names | {"z_+": (2 * goal + rate) / scale, "z_-": (2 * goal - rate) / scale}


@witness("ex-end-to-end-dynamics-3 1")
def decaying(draw):
    weights, names, _ = network(draw, balanced=True)
    N, W, rate, layers = len(weights), names["W"], 0.7, names["W_"]
    moved = sum(layers(j + 1, N) @ (rate * layers(j)) @ layers(1, j - 1) for j in range(1, N + 1))
    names |= {r"\lambda": rate, r"\nabla\ell(W)": names["G"], SPEED: speed(layers, names["G"], N) - moved}
    return names | {r"\mathcal{P}_W": lambda G: lnn.precondition(W, G, N)}
