"""The displays of `large_steps` on products of scalars."""

import numpy as np
from scipy.optimize import brentq

import lnn
from displays import witness
from displays.algebra import mp
from lnn.symbolic import large_steps as derive


@witness("eq-line")
def line(draw):
    w, eta, N = draw.between(0.5, 1.5), draw.between(0.1, 0.9), draw.depth
    return {"N": N, "w": w, r"\eta": eta, "w^+": derive.line(N).subs({derive.w: w, derive.eta: eta})}


@witness("eq-expansion", 0)
def expansion(draw):
    w, eta = draw.between(0.5, 1.5), draw.between(0.1, 0.9)
    step = float(derive.line(2).subs({derive.w: w, derive.eta: eta}))
    return {"w": w, r"\eta": eta, "f": step, "B": np.sqrt(1 + 2 / eta)}


@witness("eq-burn")
def burned(draw):
    """One step of descent over three scalars under half a squared distance."""
    w, eta, target = draw.between(0.5, 1.5, 3), 0.1, 3.0
    loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([target]))
    after = [W.item() for W in lnn.gradient_step([np.array([[x]]) for x in w], loss, eta)]
    names = {r"\eta": eta, "g": np.prod(w) - target, "w_i": w[0], "w_j": w[1], "w_i^{+2}": after[0] ** 2}
    return names | {"w_j^{+2}": after[1] ** 2, r"\prod_{k\ne i,j}w_k^2": w[2] ** 2}


@witness("eq-expansion", 1)
def squared_slope(draw):
    """The slope of the line by a difference; a prime with a square is one name."""
    w, eta = draw.between(0.5, 1.5), draw.between(0.1, 0.9)
    f = lambda x: x - eta * x * (x * x - 1)
    slope = mp.diff(f, mp.mpf(w))
    return {"w": w, r"\eta": eta, "f": f(w), "f'^2": slope**2, "B": np.sqrt(1 + 2 / eta)}


@witness("eq-returns", 0)
def settled(draw):
    """Where descent on two equal factors settles, at the minimizer or on two points in turn, and where it mirrors."""
    eta, w = draw.between(1.05, 1.15) if draw.depth == 2 else 0.7, 0.8
    f = lambda w: w * (1 + eta - eta * w**2)
    for _ in range(500):
        w = f(w)
    if draw.depth == 4:
        w = brentq(lambda w: f(w) + w, 1.2, 3, xtol=1e-14)
    return {"a": 1 + eta, "u": f(w) / w}


@witness("eq-returns", 1)
def reflected(draw):
    """A place that two steps bring to the other side of zero."""
    eta = draw.between(1.9, 2.2)
    f = lambda w: w * (1 + eta - eta * w**2)
    w = brentq(lambda w: f(f(w)) + w, np.sqrt((eta - 1) / eta), 1, xtol=1e-14)
    return {"a": 1 + eta, "u": f(w) / w, "q(u)": f(f(w)) / w + 1}


@witness("eq-flow-sharpness", tolerance=1e-6)
def end_of_a_flow(draw):
    """Gradient flow of scalars to a minimizer, and the sharpness there."""
    N, w = draw.depth, draw.between(0.6, 1.5, draw.depth)
    loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
    path = lnn.gradient_flow([np.array([[x]]) for x in w], loss, [0, 60], rtol=1e-11, atol=1e-13)
    end = [W.item() for W in path[-1]]
    names = {"N": N, "w_": lambda j: w[j - 1], "t": end[0] ** 2 - w[0] ** 2}
    return names | {"s(w)": lnn.sharpness(path[-1], loss)}


@witness("prop-scalar-edge 4", 1)
def curvature_of_two_steps(draw):
    """The third derivative of two steps at the edge, a sixth of which is minus κ."""
    N = draw.depth
    f = lambda w: w - mp.mpf(2) / N * w ** (N - 1) * (w**N - 1)
    kappa = -mp.diff(lambda w: f(f(w)), mp.mpf(1), 3) / 6
    return {"N": N, r"\kappa": kappa, "b": mp.diff(f, mp.mpf(1), 2) / 2, "c": mp.diff(f, mp.mpf(1), 3) / 6}


@witness("prop-scalar-edge 4", 0, tolerance=1e-3)
def two_steps(draw):
    """Two steps close to the edge and to the minimizer, at a distance where both terms count."""
    N, x, over = draw.depth, mp.mpf("1e-5"), mp.mpf("3e-10")
    f = lambda w: w - (2 + over) / N * w ** (N - 1) * (w**N - 1)
    kappa = -mp.diff(lambda w: f(f(w)), mp.mpf(1), 3) / 6
    return {"x": x, r"\varepsilon": over, r"\kappa": kappa, "f": f}


@witness("prop-scalar-edge 5", tight=True)
def kept_gap(draw):
    """Squares whose difference stays, by which the bound is attained."""
    x, after, gap = draw.between(0.5, 1.5, 3)
    names = {"x_j": x, "x_j'": after, "d_j": gap, "d_j'": gap, "r_j": after / x}
    return names | {"r_{j+1}": (after + gap) / (x + gap)}


@witness("lem-linear-stability 2", tight=True, tolerance=1e-3)
def one_step(draw):
    """A small step on a parabola, where the inequality of Łojasiewicz is an equality with exponent 1/2."""
    curvature, x, eta = *draw.between(1.5, 2.5, 2), 1e-5
    after = x - eta * curvature * x
    names = {r"\delta_k": curvature * x**2 / 2, r"\delta_{k+1}": curvature * after**2 / 2, r"\alpha": 1 / 2}
    names |= {"c": 1 - eta * curvature / 2, "C": 1 / np.sqrt(2 * curvature)}
    return names | {r"\theta^{(k+1)}": after, r"\theta^{(k)}": x}
