"""The displays of `singular_value_dynamics` on measures of rank, the velocity of the product, and head starts."""

import numpy as np
from scipy.integrate import solve_ivp

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


@witness("eq-erank", 0)
def effective(draw):
    values = draw.between(0.3, 2, 4)
    shares = values / values.sum()
    return {"k": 4, "p_": lambda r: shares[r - 1], r"\operatorname{erank}(W)": lnn.effective_rank(values)}


@witness("eq-chain", tight=(1, 2, 3))
@witness("prop-rank-chain 2", tight=True)
def equal_values(draw):
    """Attained by equal singular values, the first bound if there is one of them."""
    q = draw.depth - 1
    W = draw.between(1.5, 2) * draw.rotation(5)[:, :q] @ draw.rotation(6)[:, :q].T
    names = {"W": W, r"\operatorname{erank}(W)": lnn.effective_rank(lnn.singular_values(W)), "q": q}
    names |= {r"\operatorname{rank}(W)": int(np.linalg.matrix_rank(W))}
    return names | {"p_": lambda r: 1 / q}


@witness("ex-singular-value-dynamics-1 1")
def many_small(draw):
    b, q = draw.between(0.5, 2), 3 + draw.depth
    return {"b": b, "q": q, r"\value": [np.log(lnn.effective_rank([1, *[b / q] * q]))]}


def together(start, end, pulls, N):
    """The second of two values when the first is `end`, by the preconditioner at the diagonal matrix of both."""

    def slope(first, second):
        speeds = np.diag(lnn.precondition(np.diag([first, *second]), np.diag(pulls), N))
        return speeds[1:] / speeds[0]

    return solve_ivp(slope, (start[0], end), start[1:], rtol=1e-11, atol=1e-13).y[0, -1]


@witness("eq-head-start", tolerance=1e-8, alike=1)  # from -3 on, as the first cases come first
def head_start(draw):
    N, kappa, start = draw.depth - 1, draw.between(0.2, 0.8), draw.between(0.1, 0.5)
    names = {"N": N, r"\kappa": kappa, r"\varepsilon": start}
    return names | {r"\sigma_2": together((start, start), 1, (1, kappa), N)}


@witness("eq-one-entry", tolerance=1e-8, alike=1)  # as before
def one_entry(draw):
    N, a, s = draw.depth - 1, draw.between(0.2, 0.8, 2), draw.between(0.3, 0.6, 2)
    names = {"N": N, r"\nu": 1 - 2 / N, r"\kappa": a[1] / a[0], "s_1": s[0], "s_2": s[1], r"\sigma_1": 0.9}
    return names | {r"\sigma_2": together(s, 0.9, a, N)}
