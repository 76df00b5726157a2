"""The displays of `singular_value_dynamics`."""

import numpy as np

import lnn
from displays import witness
from displays.examples import network
from lnn.symbolic import spectrum


@witness("eq-w-dot", tolerance=1e-6)
@witness("thm-singular-values 5", tolerance=1e-6)
def velocity(draw):
    weights, names, _ = network(draw, balanced=True)
    speeds = [-D for D in lnn.pullback(weights, names["G"])]
    h = 1e-4 / max(np.linalg.norm(D) for D in speeds)
    moved = lambda s: lnn.end_to_end([W + s * V for W, V in zip(weights, speeds, strict=True)])
    return names | {r"\dot W": (moved(h) - moved(-h)) / (2 * h), r"\dot W_": lambda j: speeds[j - 1]}


@witness("eq-integrated", 1, alike=1)  # from -3 on, as the first cases come first
def clock(draw):
    N = draw.depth - 1
    sigma, h = spectrum.clock(N)
    value = draw.between(0.5, 2)
    return {"N": N, r"\sigma": value, r"h_N(\sigma)": h.subs(sigma, value)}
