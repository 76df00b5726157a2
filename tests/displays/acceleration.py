"""The displays of `acceleration`: powers, the end-to-end rule, what tuning buys."""

import numpy as np
import sympy as sp

import lnn
from displays import side, witness
from displays.algebra import mp
from lnn.symbolic import acceleration as derive

GAIN = r"\frac{T_{\mathrm{GD}}}{T_{\mathrm{rule}}}"


def powers(draw):
    """A loss of two powers, with y_1 > y_2, and its exponent."""
    y, p = np.sort(draw.between(1, 3, 2))[::-1], draw.between(2.5, 4)
    return lnn.PowerLoss(lnn.Everything((1, 2)), y, p), y, p


def projection(w):
    """Pr_w of a column."""
    return w @ w.T / np.sum(w**2)


@witness("eq-acc-family")
def family(draw):
    loss, y, p = powers(draw)
    w = draw.between(0, 4, 2)
    names = {"p": p, "w_1": w[0], "w_2": w[1], "y_1": y[0], "y_2": y[1]}
    return names | {"L(w)": float(loss(w[None]))}


@witness("eq-acc-errors")
def error(draw):
    loss, y, p = powers(draw)
    w, eta = draw.between(-1, 4, 2), 0.1
    (after,) = lnn.gradient_step([w[None]], loss, eta)
    return {"p": p, r"\eta": eta, r"\Delta_i": w[0] - y[0], r"\leftarrow": after[0, 0] - y[0]}


@witness("eq-acc-crawl", tight=True, tolerance=4e-3, alike=3)  # the power of 1 - x, which is nearly 1
def crawl(draw):
    """Steps of descent with a small x, counted: the bound is attained in the limit."""
    p, start, theta, x = draw.between(2.5, 4), draw.between(0.5, 2), 0.5, 5e-4
    eta, error, steps = x / start ** (p - 2), start, 0
    while error > theta * start:
        error, steps = error * (1 - eta * error ** (p - 2)), steps + 1
    return {"p": p, "x": x, r"\eta": eta, r"\Delta_i(0)": start, r"\theta": theta, "T": steps}


@witness("prop-lp-stability 3", tight=(2,))
def convex(draw):
    p, z = draw.between(2.5, 4), draw.between(0.1, 0.9)
    f = lambda s: (1 - s) ** -(p - 2)
    return {"p": p, "z": z, "x": z, "f(z)": f(z), "f'(z)": mp.diff(f, z)}


@witness("eq-acc-rule")
def rule(draw):
    loss, _, _ = powers(draw)
    w, N, eta = draw.matrix(2, 1), draw.depth, 0.1
    G = loss.gradient(w.T)
    once, twice = (lnn.precondition(k * w.T, G, N) for k in (1, 2))
    names = {"N": N, r"\eta": eta, "w": w, r"\nabla L(w)": G.T, r"\mathrm{Pr}_w": projection(w)}
    names |= {"a": np.log2(np.linalg.norm(twice) / np.linalg.norm(once))}
    return names | {r"\leftarrow": lnn.end_to_end_step(w.T, loss, N, eta).T}


def landing(draw):
    """The landing step of the rule from (ω, 0), derived by SymPy, and the names in it."""
    N, p, omega, y1 = draw.depth, sp.Rational(int(draw.rng.integers(5, 9)), 2), *draw.between(0.2, 1, 2)
    y1, y2 = y1 + 1.5, draw.between(0.2, 0.5)
    step = derive.landing_step(p, N).subs({derive.OMEGA: omega, derive.Y1: y1})
    names = {"N": N, "p": p, "a": 2 - mp.mpf(2) / N, r"\omega": omega, "y_1": y1, "y_2": y2}
    return names | {r"\eta_*": step, "R": (y1 - omega) / y2, "r": y1 / y2}


@witness("eq-acc-landing")
def landing_step(draw):
    return landing(draw)


@witness("eq-acc-prediction", tight=True)
def prediction(draw):
    """The effective step after landing, by the step beyond which descent from the same start diverges."""
    names = landing(draw)
    stable = 2 / (names["y_1"] - names[r"\omega"]) ** float(names["p"] - 2)
    return names | {GAIN: float(names[r"\eta_*"]) * names["y_1"] ** names["a"] / stable}


@witness("eq-acc-lower", tight=True)
def lower(draw):
    """The crawl of coordinate 2 at the largest stable step of coordinate 1."""
    p, R, theta, y2 = draw.between(2.5, 4), draw.between(3, 5), 0.3, 1.7
    eta = 2 / (R * y2) ** (p - 2)
    crawl = {"p": p, r"\theta": theta, r"\eta": eta, r"\Delta_i(0)": -y2, "x": eta * y2 ** (p - 2), "T": 0}
    names = {"p": p, "R": R, r"\theta": theta}
    return names | {r"T_{\mathrm{GD}}(\theta)": side("acceleration", "eq-acc-crawl", 0, 1, crawl)}


@witness("eq-acc-effective")
def effective(draw):
    names, (step, second) = landing(draw), derive.effective_step(draw.depth)
    eta, w2 = draw.between(0.1, 1, 2)
    given = {derive.ETA: eta, derive.Y1: names["y_1"], second: w2}
    return names | {r"\eta": eta, "w_2": w2, "s": step.subs(given)}


@witness("eq-acc-upper", tight=True)
@witness("eq-acc-layers-upper", tight=True)
@witness("thm-acceleration-layers 4", tight=True)
def counted(draw):
    """Steps in which u = d^{-(p-2)} grows by (p-2)λγ at least, from 1 on: counted, after the landing."""
    N, p, theta, lam = draw.depth, draw.between(2.5, 4), 0.02, 0.5
    gamma, u, steps = 1 / (2 * N), 1.0, 1
    while u < theta ** -(p - 2):
        u, steps = u + (p - 2) * lam * gamma, steps + 1
    names = {"N": N, "p": p, r"\theta": theta, r"\lambda": lam, r"\gamma": gamma}
    return names | {rf"T_{{\mathrm{{{which}}}}}(\theta)": steps for which in ("rule", "layers")}


@witness("claim-acceleration 4")
def letters(draw):
    r, p, N, eta = 2.5, draw.between(2.5, 4), draw.depth, 0.03
    e, d = draw.between(0.1, 0.9, 2)
    w = np.array([[r + e, 1 - d]])
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), np.array([r, 1.0]), p)
    (after,), rho = lnn.end_to_end_step(w, loss, N, eta), np.linalg.norm(w)
    names = {"N": N, "p": p, "e": e, "d": d, "w_1": w[0, 0], "w_2": w[0, 1], r"\rho": rho, "e'": after[0] - r}
    return names | {"d'": 1 - after[1], "h": eta * rho ** (2 - 2 / N), "x": w[0, 0] * w[0, 1] / rho**2}


def first_coordinate(draw):
    """One coordinate on its way: s = w_1/y_1 before a step, the loss, and κ as the page defines it."""
    y1, p, N, s, eta = draw.between(1, 2), draw.between(2.5, 4), draw.depth, *draw.between(0.2, 0.8, 2)
    names = {"N": N, "p": p, "a": 2 - mp.mpf(2) / N, "y_1": y1, r"\eta": eta, "s": s, r"\kappa": 0}
    names[r"\kappa"] = side("acceleration", "eq-acc-map", 1, 1, names)
    return lnn.PowerLoss(lnn.Everything((1, 1)), np.array([y1]), p), names


@witness("eq-acc-map")
def mapped(draw):
    loss, names = first_coordinate(draw)
    y1, N = names["y_1"], names["N"]
    after = lnn.end_to_end_step([[names["s"] * y1]], loss, N, names[r"\eta"]).item() / y1
    return names | {"g(s)": after, r"\leftarrow": after}


@witness("eq-acc-layers-map", 0)
def mapped_layers(draw):
    loss, names = first_coordinate(draw)
    y1, N = names["y_1"], names["N"]
    before = np.full((1, 1), (names["s"] * y1) ** (1 / N))
    after = lnn.gradient_step([before] * N, loss, names[r"\eta"])[0]
    return names | {"x": names["s"] ** (1 / N), r"\leftarrow": after.item() / y1 ** (1 / N)}


@witness("eq-acc-kappa", 0)
def monotone(draw):
    _, limit, a, b = derive.monotone_limit()
    given = dict(zip((a, b), draw.between(0.5, 2, 2), strict=True))
    return {"a": given[a], "b": given[b], r"\kappa_*": limit.subs(given)}


@witness("eq-acc-condition")
def condition(draw):
    """A target along the eigenvector of the least eigenvalue, or of the largest: one of the bounds is attained."""
    N, Q = draw.depth, draw.rotation(3)
    H = (Q * [1.0, 4.5, 6.0]) @ Q.T
    y = draw.between(0.5, 2) * Q[:, [0 if N % 2 else 2]]
    values = np.linalg.eigvals(lnn.preconditioner.matrix(y.T, N) @ H).real
    names = {"N": N, "K_1": np.linalg.cond(H), r"\operatorname{cond}(H)": 6.0, "K_N": max(values) / min(values)}
    return names | {r"\tight": (0,) if N % 2 else (1,)}
