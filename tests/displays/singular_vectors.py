"""The displays of `singular_value_dynamics` on moving singular values and vectors, which are differentiated here."""

import numpy as np
from scipy.linalg import expm

import lnn
from displays import witness
from displays.end_to_end_dynamics import speed
from displays.examples import chain, distance

CHAPTER = "singular_value_dynamics"


def decomposed(W, beside=None):
    """Singular vectors and values, with the order and the signs of those of a matrix close by."""
    U, values, Vt = np.linalg.svd(W, full_matrices=False)
    if beside is not None:
        overlap = beside[0].T @ U
        order = np.abs(overlap).argmax(axis=1)
        signs = np.sign(overlap[range(len(order)), order])
        U, values, Vt = U[:, order] * signs, values[order], Vt[order] * signs[:, None]
    return U, values, Vt.T


class Moving:
    """A balanced product that moves along the gradients of its layers: its decomposition, and how fast that changes."""

    def __init__(self, draw, shape=None, start=None, G=None, h=1e-5):
        self.N = draw.depth
        shape = shape or ((5, 3) if self.N % 2 else (3, 5))
        start = draw.matrix(*shape) if start is None else start
        weights = lnn.initial.balanced(start, [shape[1], *[max(shape)] * (self.N - 1), shape[0]])
        self.W = lnn.end_to_end(weights)
        self.G = distance(draw, shape).gradient(self.W) if G is None else G
        self.speed = speed(chain(weights), self.G, self.N)
        slopes = lnn.pullback(weights, self.G)
        at = lambda s: lnn.end_to_end([W - s * D for W, D in zip(weights, slopes, strict=True)])
        self.U, self.values, self.V = here = decomposed(self.W)
        after, before = (decomposed(at(s), here) for s in (h, -h))
        self.dU, self.dvalues, self.dV = ((a - b) / (2 * h) for a, b in zip(after, before, strict=True))

    def names(self):
        names = {"N": self.N, "W": self.W, "G": self.G, r"\dot W": self.speed, r"\nabla \ell(W(t))": self.G}
        names |= {"U": self.U, "V": self.V, "S": np.diag(self.values), r"\dot U": self.dU, r"\dot V": self.dV}
        return names | {r"\dot S": np.diag(self.dvalues), "X": self.U.T @ self.dU, "Y": self.V.T @ self.dV}


@witness("eq-singular-values", tolerance=1e-6)
@witness("thm-singular-values 2", tolerance=1e-6, alike=2)  # the terms with derivatives of unit vectors are zero
@witness("eq-sigma-dot", tolerance=1e-6)
@witness("thm-singular-values 6", tolerance=1e-6)
def values(draw):
    run = Moving(draw)
    names = run.names() | {"r": 2, r"\range q": (1, 2, 3)}
    names |= {r"\sigma_r(t)": run.values[1], r"\dot\sigma_r(t)": run.dvalues[1], r"\sigma_r": run.values[1]}
    names |= {"u_r(t)": run.U[:, [1]], "v_r(t)": run.V[:, [1]], r"\sigma_": lambda q: run.values[q - 1]}
    names |= {"u_": lambda q: run.U[:, [q - 1]], r"\dot u_": lambda q: run.dU[:, [q - 1]]}
    names |= {"v_": lambda q: run.V[:, [q - 1]], r"\dot v_": lambda q: run.dV[:, [q - 1]]}
    return names | {r"\dot\sigma_": lambda q: run.dvalues[q - 1]}


@witness("eq-vectors", tolerance=1e-6)
@witness("prop-singular-vectors 2", tolerance=1e-6)
def vectors(draw):
    run = Moving(draw)
    x = run.values ** (2 / run.N)
    gaps = x - x[:, None] + np.eye(3)
    return run.names() | {"F": 1 / gaps - np.eye(3)}


@witness("prop-singular-vectors 3", tolerance=1e-6)
@witness("prop-singular-vectors 4", tolerance=1e-6)
@witness("prop-singular-vectors 5", tolerance=1e-6)
def pair(draw):
    run = Moving(draw)
    names, C = run.names(), run.U.T @ run.G @ run.V
    names |= {r"\sigma_r": run.values[0], r"\sigma_q": run.values[2], "C_{rq}": C[0, 2], "C_{qr}": C[2, 0]}
    names |= {"X_{rq}": names["X"][0, 2], "Y_{rq}": names["Y"][0, 2]}
    names |= {"x_r": run.values[0] ** (2 / run.N), "x_q": run.values[2] ** (2 / run.N)}
    return names | {r"\Gamma_{rq}": lnn.preconditioner.gains(run.values, run.N)[0, 2]}


@witness("prop-singular-vectors 6", tolerance=1e-6)
def outside(draw):
    return Moving(draw, (5, 3)).names()


@witness("rem-at-a-crossing 1", tolerance=1e-4)
def crossing(draw):
    """Two equal values, in vectors between those on both sides of the crossing."""
    start = draw.rotation(4) * [1.5, 1.5, 0.8, 0.4] @ draw.rotation(4).T
    run = Moving(draw, (4, 4), start, draw.matrix(4, 4))
    h = 1e-4
    after = decomposed(run.W + h * run.speed)
    before = decomposed(run.W - h * run.speed, after)
    U, _, V = ((a + b) / 2 for a, b in zip(after, before, strict=True))
    dU, _, dV = ((a - b) / (2 * h) for a, b in zip(after, before, strict=True))
    C = U.T @ run.G @ V
    names = {"N": run.N, "s": 1.5, "C_{rp}": C[0, 1], "C_{pr}": C[1, 0]}
    names |= {"u_r": U[:, [0]], "u_p": U[:, [1]], "v_r": V[:, [0]], "v_p": V[:, [1]]}
    names |= {r"\dot u_r": dU[:, [0]], r"\dot u_p": dU[:, [1]]}
    return names | {r"\dot v_r": dV[:, [0]], r"\dot v_p": dV[:, [1]]}


@witness("thm-analytic-svd 2", tolerance=1e-7, alike=2)  # as the sides are zero
def projected(draw):
    """A projection that turns, and the rotations that follow it."""
    turn, axes, Q, h = draw.matrix(4, 4), draw.rotation(4)[:, :2], draw.rotation(4), 1e-5
    turn, P = turn - turn.T, axes @ axes.T
    moved = turn @ P - P @ turn
    K = moved @ P - P @ moved
    at = lambda s: expm(s * K) @ Q
    changed = lambda s: at(s).T @ expm(s * turn) @ P @ expm(-s * turn) @ at(s)
    names = {"Q": Q, "P": P, "K": K, r"\dot P": moved}
    return names | {r"\frac{d}{dt} \bigl(Q^\top P Q\bigr)": (changed(h) - changed(-h)) / (2 * h)}
