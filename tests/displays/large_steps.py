"""The displays of `large_steps`."""

import numpy as np

import lnn
from displays import witness
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
