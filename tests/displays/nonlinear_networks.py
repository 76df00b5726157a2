"""The displays of `nonlinear_networks`."""

import numpy as np
from scipy.optimize import minimize

import lnn
from displays import witness
from displays.examples import distance, network

PRODUCT = r"\mathcal{Q}"


def moved(weights, G):
    """The rate of the product of two layers that move along their gradients, for the gradient G of the product."""
    (first, second), (W1, W2) = lnn.pullback(weights, G), weights
    return second @ W1 + W2 @ first


@witness("eq-inside-operator")
@witness("eq-inside-step")
def step(draw):
    weights, names, loss = network(draw, 2)
    after, eta = lnn.gradient_step(weights, loss, 0.1), 0.1
    names |= {rf"{PRODUCT}(G)": moved(weights, names["G"]), r"\eta": eta}
    return names | {"W_1^+": after[0], "W_2^+": after[1]}


@witness("eq-inside-momentum", tolerance=1e-4)
def heavy_ball(draw):
    """Steps of momentum with another objective at each."""
    weights, names, _ = network(draw, 2)
    eta, beta, k = 1e-7, draw.between(0.3, 0.9), 4
    losses = [distance(draw, names["W"].shape) for _ in range(k)]
    now, speeds = weights, [0 * W for W in weights]
    for loss in losses:
        slopes = lnn.pullback(now, loss.gradient(lnn.end_to_end(now)))
        speeds = [beta * v - eta * D for v, D in zip(speeds, slopes, strict=True)]
        now = [W + v for W, v in zip(now, speeds, strict=True)]
    names |= {"k": k, r"\eta": eta, r"\beta": beta, PRODUCT: lambda G: moved(weights, G)}
    names |= {"G_": lambda s: dict(enumerate(losses))[s].gradient(names["W"])}
    return names | {"(W_2W_1)^{(k)}": lnn.end_to_end(now)}


@witness("eq-decay-inside", tolerance=1e-7)
def decay(draw):
    """Both infima by BFGS, for a column in place of W: it has one singular value."""
    N, lam, Y, c = draw.depth, 0.1, 2 + draw.between(0, 1, (3, 1)), draw.matrix(3, 1)
    f = lambda xi, W: np.sum((W - Y - float(xi) * np.sin(c)) ** 2) / 2 + float(xi) ** 4
    size = lambda W: float(np.linalg.norm(W))
    shapes = [(3, 2), *[(2, 2)] * (N - 2), (2, 1)][::-1]
    ends = np.cumsum([0, *(m * n for m, n in shapes)])
    layers = lambda x: [x[a:b].reshape(s) for a, b, s in zip(ends, ends[1:], shapes, strict=False)]
    start = lnn.initial.balanced(Y, [1] + [2] * (N - 1) + [3])
    start = np.concatenate([W.ravel() for W in start])

    def left(x):
        return f(x[0], lnn.end_to_end(layers(x[1:]))) + lam / 2 * np.sum(x[1:] ** 2)

    def right(x):
        return f(x[0], x[1:, None]) + lam * N / 2 * size(x[1:]) ** (2 / N)

    many = minimize(left, np.r_[0.1, start + draw.between(-0.1, 0.1, start.size)], tol=1e-9).x
    one = minimize(right, np.r_[0.1, Y.ravel()], tol=1e-9).x
    found = layers(many[1:])
    names = {"N": N, r"\lambda": lam, "W_": lambda j: found[j - 1], "W": one[1:, None], r"\sigma_r(W)": size(one[1:])}
    names |= {r"\inf_{\xi, W_1, \dots, W_N}": lambda value: value, r"\range r": (1,), r"\xi": 0}
    names |= {r"f(\xi, W_N\cdots W_1)": f(many[0], lnn.end_to_end(found)), r"f(\xi, W)": f(one[0], one[1:, None])}
    return names | {r"\inf_{\xi, W}": lambda value: value}


@witness("section An application: short codes 2", tolerance=1e-6)
def inside(draw):
    """Singular values of a balanced product that moves along the gradients of an objective that is no least square."""
    weights, names, _ = network(draw, balanced=True)
    U, values, Vt = np.linalg.svd(names["W"])
    G = -np.sin(names["W"])  # of the sum of the cosines
    speeds, h, r = lnn.pullback(weights, G), 1e-5, 1
    at = lambda s: lnn.singular_values(lnn.end_to_end([W - s * D for W, D in zip(weights, speeds, strict=True)]))[r]
    names = {"l": len(weights), r"\sigma_r": values[r], r"\dot\sigma_r": (at(h) - at(-h)) / (2 * h)}
    return names | {r"\frac{\partial f}{\partial P}": G, "u_r": U[:, [r]], "v_r": Vt[[r]].T}
