"""The displays of `matrix_completion` on gradient flow with commuting measurements."""

import numpy as np
import sympy as sp
from scipy.linalg import expm
from scipy.optimize import linprog

import lnn
from displays import witness
from displays.algebra import NODES
from displays.examples import slopes
from lnn.symbolic import commuting as derive

CHAPTER, ADJOINT = "matrix_completion", r"\mathcal{A}^*"


class Run:
    """Flow over equal layers from αI, with two measurements of one eigenbasis, observed at a matrix `X` of it."""

    def __init__(self, draw, depth=None, size=1.0):
        self.N, self.alpha = depth or draw.depth, draw.between(0.2, 0.4)
        self.basis, self.spectra = draw.rotation(3), draw.between(0.3, 1, (2, 3))
        self.X = self.diagonal(size * draw.between(0.5, 1.5, 3))
        measure = lnn.Products([self.diagonal(a) for a in self.spectra])
        self.loss = lnn.LeastSquares(measure, measure(self.X))
        self.start = lnn.initial.identity([3] * (self.N + 1), self.alpha)
        self.potential = derive.potential(self.N)

    def diagonal(self, values):
        return (self.basis * values) @ self.basis.T

    def eigenvalues(self, W):
        return np.einsum("ir,ij,jr->r", self.basis, W, self.basis)

    def until(self, time):
        """The layers at a time, and the integral of the residuals up to it, by Gauss."""
        times = np.r_[0, (NODES[0] + 1) / 2, 1] * time
        path = lnn.gradient_flow(self.start, self.loss, times, rtol=1e-11, atol=1e-13)
        residuals = self.loss.observed - self.loss.measure(path.end_to_end[1:-1])
        return path[-1], (NODES[1] * time / 2) @ residuals

    def speed(self, weights):
        """The velocity of the end-to-end matrix, from the gradients of the layers."""
        moved = [[*weights[:j], -D, *weights[j + 1 :]] for j, D in enumerate(slopes(weights, self.loss))]
        return sum(lnn.end_to_end(layers) for layers in moved)

    def unit(self):
        """Minus one over the slope of the potential where the eigenvalues start."""
        return -1 / float(self.potential.slope.subs(derive.lam, self.alpha**self.N))


@witness("eq-kkt")
def optimal(draw):
    """At the answer of a linear program, with the dual vector that comes with it."""
    run = Run(draw)
    found = linprog(np.ones(3), A_eq=run.spectra, b_eq=run.loss.observed)
    G = run.loss.measure.adjoint(found.eqlin.marginals)
    assert run.eigenvalues(G).max() < 1 + 1e-9
    return {"W": run.diagonal(found.x), f"{ADJOINT}(z)": G}


def followed(run):
    """Names for the end-to-end matrix after some time, and for the slack of an eigenvalue."""
    layers, s = run.until(1.0)
    W, G = lnn.end_to_end(layers), run.loss.measure.adjoint(s)
    slack = 1 - run.unit() * run.eigenvalues(G)[0]
    names = {"N": run.N, r"\alpha": run.alpha, r"\alpha_m": run.alpha, r"\exp": expm, r"W_\alpha": W}
    names |= {rf"{ADJOINT}(s_\alpha)": G, r"\kappa_r^{(m)}": slack, r"\kappa_r": slack}
    return names | dict.fromkeys((r"\lambda_r^{(m)}", r"\lambda_r"), run.eigenvalues(W)[0])


@witness("eq-commuting", tolerance=1e-7, alike=1)  # the case N ≥ -3
@witness("eq-slack", tolerance=1e-7, alike=1)
def closed_form(draw):
    return followed(Run(draw))


@witness("eq-rates", 0, tolerance=1e-7)
def rate_at_depth_two(draw):
    return followed(Run(draw, 2))


@witness("eq-rates", 1, tolerance=1e-7)
def rate_beyond(draw):
    return followed(Run(draw, 1 + draw.depth))


@witness("eq-eigenvalue")
def one_eigenvalue(draw):
    """At equal layers that commute with the measurements, by the gradients of the layers."""
    run = Run(draw)
    weights = [run.diagonal(draw.between(0.5, 1.5, 3))] * run.N
    W = lnn.end_to_end(weights)
    names = {"N": run.N, r"\alpha": run.alpha, r"\lambda_r(0)": run.eigenvalues(lnn.end_to_end(run.start))[0]}
    names |= {r"\lambda_r": run.eigenvalues(W)[0], r"\dot\lambda_r": run.eigenvalues(run.speed(weights))[0]}
    return names | {"g_r": run.eigenvalues(run.loss.gradient(W))[0]}


@witness("eq-mirror-potential", 0)
def entropy(draw):
    value = draw.between(0.5, 3)
    return {r"\lambda": value, r"h(\lambda)": derive.potential(2).h.subs(derive.lam, value)}


@witness("eq-mirror-potential", 1)
def power_sum(draw):
    N, value = 1 + draw.depth, draw.between(0.5, 3)
    return {"N": N, r"\lambda": value, r"h(\lambda)": derive.potential(N).h.subs(derive.lam, value)}


@witness("eq-units", alike=1)  # the case N ≥ -3
def units(draw):
    run = Run(draw)
    names = {"N": run.N, r"\alpha": run.alpha, r"\varepsilon_\alpha": run.unit()}
    return names | {r"h'(\alpha^N)": run.potential.slope.subs(derive.lam, run.alpha**run.N)}


@witness("eq-lyapunov")
def lyapunov(draw):
    """The divergence from a solution to equal layers, differentiated along the gradients of the layers."""
    run = Run(draw)
    weights = [run.diagonal(draw.between(0.5, 1.5, 3))] * run.N
    W, velocity = lnn.end_to_end(weights), run.eigenvalues(run.speed(weights))
    slope = sp.lambdify((derive.x, derive.lam), sp.diff(run.potential.divergence, derive.lam))
    change = np.sum(slope(run.eigenvalues(run.X), run.eigenvalues(W)) * velocity)
    names = {r"\frac{d}{dt}\mathcal{D}(X,W_\alpha)": change, "X": run.X, r"W_\alpha": W}
    names |= {r"\nabla\ell(W_\alpha)": run.loss.gradient(W), r"\ell(W_\alpha)": run.loss(W)}
    return names | {"y": run.loss.observed[:, None], r"\mathcal{A}(W_\alpha)": run.loss.measure(W)[:, None]}


@witness("eq-tikhonov", draws=4)
def regularized(draw):
    """The limit in time against another solution close by; H is positive for large matrices at depth 2 only."""
    run = Run(draw, size=8.0 if draw.depth == 2 else 1.0)
    W = lnn.gradient_flow(run.start, run.loss, [0, 1e5], stop=1e-14).end_to_end[-1]
    h = sp.lambdify(derive.lam, run.potential.h)
    kernel = np.linalg.svd(run.spectra)[2][2]
    X = W + run.diagonal(0.3 * run.eigenvalues(W).min() * kernel / np.abs(kernel).max())
    names = {r"W_{\alpha,\infty}": W, "X": X, r"\varepsilon_\alpha": run.unit()}
    return names | {"H": lambda matrix: h(run.eigenvalues(matrix)).sum()}


@witness("thm-commuting 8")
@witness("thm-commuting 9", draws=4)
def duality(draw):
    """Any vector z at solutions: one of the common eigenbasis; one that is not, or of rank 1 at the least slack."""
    run = Run(draw)
    z, tight = draw.between(0.5, 1.5, 2), draw.depth == 2
    G = run.loss.measure.adjoint(z)
    slack, root = 1 - run.eigenvalues(G), draw.matrix(3, 3)
    worst = run.basis[:, [slack.argmin()]]
    X = worst @ worst.T if tight else root @ root.T
    entries, y = run.basis.T @ X @ run.basis, run.loss.measure(X)
    solution = run.diagonal(np.diag(entries))
    names = {r"\range r": range(3), "m": 1, r"\tight": tight and (2,), "z_m": z[:, None], "y": y[:, None], "X": X}
    names |= {rf"{ADJOINT}(z_m)": G, r"\widehat W": solution, r"\delta_m": -slack.min()}
    names |= {r"\kappa_": lambda r: lambda m: slack[r], r"\hat\lambda_": lambda r: run.eigenvalues(solution)[r]}
    return names | {"X_": lambda r, s: entries[r, s]}
