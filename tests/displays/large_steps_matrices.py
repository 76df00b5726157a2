"""The displays of `large_steps` on matrices and on noisy labels."""

import numpy as np

import lnn
from displays import witness
from displays.examples import bend, chain, moves, network

CHAPTER = "large_steps"


@witness("eq-hessian-form")
def curvature(draw):
    """Along a direction in which two layers move, so that one pair is left of the sum."""
    weights, names, loss = network(draw, 3)
    i, j = [(1, 2), (1, 3), (2, 3)][draw.depth - 2]
    delta = [D * (k in (i, j)) for k, D in enumerate(moves(draw, weights), start=1)]
    V = sum(lnn.end_to_end([*weights[:k], D, *weights[k + 1 :]]) for k, D in enumerate(delta))
    names |= {r"\langle\Delta,\nabla^2\varphi\,\Delta\rangle": bend(weights, loss, delta), "j": j}
    names |= {r"\nabla^2\ell(W)[V]": loss.gradient(names["W"] + V) - names["G"], "V": V, r"\range i": (1, 2, 3)}
    return names | {r"\nabla\ell(W)": names["G"], r"\Delta_": lambda k: delta[k - 1]}


@witness("eq-flattest", tight=True, tolerance=1e-7)
@witness("eq-flattest-means", tight=True, tolerance=1e-7)
def flattest(draw):
    """Attained by a balanced minimizer, whose sharpness is that of the objective."""
    N, W = draw.depth, draw.matrix(3, 3)
    weights = lnn.initial.balanced(W, [3] * (N + 1))
    loss = lnn.LeastSquares(lnn.Everything((3, 3)), W.ravel())
    (U, values, Vt), layers = np.linalg.svd(W), chain(weights)
    names = {"N": N, "W_": layers, r"S(\theta)": lnn.sharpness(weights, loss), r"\sigma_1": values[0]}
    names |= {"A_": lambda j: layers(j + 1, N), "B_": lambda j: layers(1, j - 1), r"\range i": range(1, N + 1)}
    return names | {"u": U[:, [0]], "v": Vt[[0]].T}


def noisy_step(weights, target, noise, eta):
    loss = lnn.LeastSquares(lnn.Everything(target.shape), (target + noise).ravel())
    return lnn.gradient_step(weights, loss, eta)


@witness("eq-noise-bounds")
def noise(draw):
    """The mean over four values of the noise, after one step: one bound is attained if g = 0, the other if |g| = b."""
    eta, b, w1, w2 = 0.1, *draw.between(0.5, 1.5, 3)
    far = draw.depth % 2
    target, values = np.array([[w1 * w2 + b * far]]), (b, -b, 0, 0)
    after = [noisy_step([np.array([[w1]]), np.array([[w2]])], target, xi, eta) for xi in values]
    mean = np.mean([abs(second.item() ** 2 - first.item() ** 2) for first, second in after])
    names = {r"\eta": eta, "b": b, r"\sigma": np.std(values), "k": 1, "D_0": w2**2 - w1**2}
    return names | {r"\operatorname{E}|D_k|": mean, r"\tight": (0,) if far else (1,)}


@witness("eq-noise-matrices")
def noisy_matrices(draw):
    """The mean of a polynomial of degree two in the noise, from its values at single entries of either sign."""
    eta, sigma, shapes = 0.1, draw.between(0.5, 1.5), ((3, 4), (2, 3))
    weights = [draw.matrix(*shape) for shape in shapes]
    target = draw.matrix(2, 4)
    gap = lambda net: net[1].T @ net[1] - net[0] @ net[0].T
    after = lambda noise: gap(noisy_step(weights, target, noise, eta))
    units = sigma * np.eye(8).reshape(8, 2, 4)
    mean = after(0) + sum(after(E) + after(-E) - 2 * after(0) for E in units) / 2
    names = {r"\operatorname{E}[D^+\mid\theta]": mean, "D": gap(weights), "d_0": 4, "d_2": 2, r"\eta": eta}
    return names | {r"\sigma": sigma, "W_": chain(weights), "G": weights[1] @ weights[0] - target}


@witness("prop-label-noise 3")
def noisy(draw):
    """One step with two scalars; c as in the proof."""
    w1, w2, xi, phi, eta = *draw.between(0.5, 1.5, 4), 0.1
    after = noisy_step([np.array([[w1]]), np.array([[w2]])], np.array([[phi]]), xi, eta)
    g = w1 * w2 - phi
    names = {"g": g, r"\xi": xi, "c": eta * (w1**2 + w2**2 - eta * (g - xi) * w1 * w2)}
    return names | {"g^{+2}": (lnn.end_to_end(after).item() - phi) ** 2}
