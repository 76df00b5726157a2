"""The displays of `acceleration` about gradient descent over the layers."""

import numpy as np
import sympy as sp

import lnn
from displays import witness
from displays.algebra import mp
from lnn.symbolic import acceleration as derive

CHAPTER = "acceleration"
GAIN = r"\frac{T_{\mathrm{GD}}}{T_{\mathrm{layers}}}"


def landed(draw, q=None):
    """The landing step over the layers from (ω, 0), derived by SymPy, and the names in it."""
    N, p = draw.depth, sp.Rational(int(draw.rng.integers(5, 9)), 2)
    y1, y2 = draw.between(1.5, 2.5), draw.between(0.2, 0.5)
    omega = y1 / (q or draw.between(2, 5))
    step = derive.layers_landing_step(p, N).subs({derive.OMEGA: omega, derive.Y1: y1})
    names = {"N": N, "p": p, "a": 2 - mp.mpf(2) / N, r"\omega": omega, "y_1": y1, "y_2": y2, "q": y1 / omega}
    return names | {r"\eta_\circ": step, "R": (y1 - omega) / y2}


def growth(names):
    """The effective step of coordinate 2 after landing, in units of y_2^{-(p-2)}."""
    return float(names[r"\eta_\circ"]) * names["y_1"] ** names["a"] * names["y_2"] ** float(names["p"] - 2)


@witness("eq-acc-layers-landing", 0)
@witness("eq-acc-layers-gamma")
def landing(draw):
    names = landed(draw)
    return names | {r"\gamma": growth(names)}


@witness("eq-acc-layers-prediction", tolerance=1e-3)
def prediction(draw):
    """The first form is exact with 2 for the largest stable step of descent; the second for a small start."""
    N = draw.depth
    names = landed(draw, q=1e20 if N == 3 else None)
    R = float(names["R"])
    return names | {GAIN: growth(names) * R ** float(names["p"] - 2) / 2, r"\tight": (0, 1) if N == 3 else (0,)}


def step(draw):
    """A step over a row and scalars that are alike."""
    N, p, eta = draw.depth, draw.between(2.5, 4), 0.02
    z, row = draw.between(0.8, 1.2), draw.between(0.5, 1.5, 2)[None]
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), np.array([2.5, 1.5]), p)
    w = z ** (N - 1) * row
    G = loss.gradient(w)
    after, h = lnn.gradient_step([row] + [np.array([[z]])] * (N - 1), loss, eta), eta * z ** (2 * N - 2)
    names = {"N": N, "p": p, "w": w.T, "z": z, "g": G.T, "h": h, "k": h * np.sum(w * G) / z ** (2 * N)}
    return names, lnn.end_to_end(after).T, after[-1].item()


@witness("eq-acc-layers", 0)
def product(draw):
    names, after, _ = step(draw)
    return names | {r"\leftarrow": after}


@witness("eq-acc-layers", 1)
def scalars(draw):
    names, _, after = step(draw)
    return names | {r"\leftarrow": after}


@witness("thm-acceleration-layers 6", 0)
def shrinking(draw):
    """The scalars of a step where the first coordinate is above its target and the second below."""
    N, p, eta = draw.depth, draw.between(2.5, 4), 0.02
    z, row = draw.between(0.8, 1.2), draw.between(0.5, 1.5, 2)[None]
    w = (z ** (N - 1) * row)[0]
    e, d = draw.between(0.1, 0.9, 2)
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), w + np.array([-e, d]), p)
    after = lnn.gradient_step([row] + [np.array([[z]])] * (N - 1), loss, eta)
    names = {"N": N, "p": p, "e": e, "d": d, "w_1": w[0], "w_2": w[1], "z": z, "h": eta * z ** (2 * N - 2)}
    return names | {"k": 1 - after[-1].item() / z}
