"""The displays of `other_networks` on diagonal and convolutional networks, and on mirror flows."""

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import lnn
from displays import witness
from displays.algebra import NODES, mp, quad
from lnn.symbolic import mirror


@witness("eq-hyperbolic")
def entropy(draw):
    w, alpha = draw.between(0.5, 2, 2)
    value = mirror.hyperbolic_entropy().subs({mirror.w: w, mirror.alpha: alpha})
    return {"w": w, r"\alpha": alpha, r"q_\alpha(w)": value}


@witness("thm-hyperbolic-entropy 3")
def split_entropy(draw):
    w, alpha = draw.between(0.5, 2, 2)
    value = mirror.hyperbolic_entropy().subs({mirror.w: w, mirror.alpha: alpha})
    return {"w": w, r"\beta": alpha**2, r"q_\alpha(w)": value}


def objective(X, y, N):
    """Half a squared residual of u^N - v^N, in numbers of thirty digits."""
    return lambda u, v: sum((a * (u**N - v**N) - b) ** 2 for a, b in zip(X, y, strict=True)) / 2


@witness("eq-diagonal-flow")
def one_coordinate(draw):
    N, (X, y), (u, v) = draw.depth, draw.between(0.5, 2, (2, 3)), draw.between(0.5, 1.5, 2)
    f = objective([mp.mpf(a) for a in X], y, N)
    names = {"N": N, "u": u, "v": v, "X": X[:, None], "y": y[:, None], "w": u**N - v**N}
    names |= {r"\dot u": -mp.diff(f, (u, v), (1, 0)), r"\dot v": -mp.diff(f, (u, v), (0, 1))}
    slope = mp.diff(lambda w: objective(X, y, 1)(w, 0), names["w"])
    return names | {"g": slope}


def signed(draw, alpha, s=None):
    """Squares u², v² with products α², three samples of four coordinates that a vector x fits, and the loss."""
    X, x = draw.matrix(3, 4), draw.matrix(4, 1)
    s = draw.between(-0.5, 0.5, (1, 4)) if s is None else s
    loss = lnn.LeastSquares(lnn.Samples(X.T), (X @ x).T.ravel())
    return X, x, (alpha * np.exp(s), alpha * np.exp(-s)), loss


@witness("eq-diagonal-lyapunov", tolerance=1e-6)
def lyapunov(draw):
    """The divergence by SymPy, differentiated along the flow."""
    alpha, model = draw.between(0.5, 1), lnn.diagonal.Signed(2)
    X, x, factors, loss = signed(draw, alpha)
    formula = mirror.hyperbolic_entropy().subs(mirror.alpha, alpha)
    q, slope = (sp.lambdify(mirror.w, f) for f in (formula, sp.diff(formula, mirror.w)))
    w, h = model.product(factors), 1e-5
    slopes = model.pullback(factors, loss.gradient(w))
    at = lambda s: model.product(tuple(u - s * D for u, D in zip(factors, slopes, strict=True)))
    divergence = lambda w: np.sum(q(x.T) - q(w) - slope(w) * (x.T - w))
    rate = lambda f: (f(at(h)) - f(at(-h))) / (2 * h)
    names = {"x": x, "w": w.T, "X": X, "y": X @ x, r"\ell(w)": float(loss(w))}
    names |= {r"\frac{d}{dt}\nabla Q_\alpha(w)": rate(slope).T}
    return names | {r"\frac{d}{dt}\mathcal{D}(x, w(t))": rate(divergence)}


@witness("eq-mirror", tolerance=1e-7)
def mirrored(draw):
    """A flow of the diagonal network, whose potential is a quarter of the hyperbolic entropy, at the nodes of Gauss."""
    alpha, end = draw.between(0.5, 1), 0.4
    _, _, factors, loss = signed(draw, alpha, np.zeros((1, 4)))
    times = np.r_[0, (NODES[0] + 1) / 2, 1] * end
    model = lnn.diagonal.Signed(2)
    path = lnn.gradient_flow(factors, loss, times, model=model, rtol=1e-11, atol=1e-13).end_to_end
    slope = sp.lambdify(mirror.w, sp.diff(mirror.hyperbolic_entropy().subs(mirror.alpha, alpha), mirror.w))
    names = {"t": end, r"\nabla Q(w(t))": slope(path[-1]).T / 4, r"\nabla\ell_\tau": lambda w: loss.gradient(w.T).T}
    return names | {"w": lambda t: path[np.abs(times - float(t)).argmin()].T}


@witness("prop-diagonal-depth 1", 1, tolerance=1e-8)
def deeper(draw):
    """By parts: the integral of an inverse is a product less the integral of the function."""
    N, alpha, z = 1 + draw.depth, draw.between(0.8, 1.2), draw.between(0.2, 0.5)
    h = lambda z: (1 - z) ** (-N / (N - 2)) - (1 + z) ** (-N / (N - 2))
    inverse = lambda value: brentq(lambda z: h(z) - float(value), -0.1, 0.9, xtol=1e-15)
    names = {"N": N, r"\alpha": alpha, "w": alpha**N * h(z), "h^{-1}": inverse}
    return names | {r"q_\alpha(w)": z * alpha**N * h(z) - alpha**N * quad(h, 0, z)}


@witness("eq-bridge-support", 0)
def bridge(draw):
    """Even kernels of one spectrum, and the sample whose gradient is the kernel, by linear equations."""
    N, d = draw.depth, 5
    kernels = [np.fft.irfft(draw.between(0.5, 1.5, 3) * [1, -1, 1], d)[None]] * N
    gradients = np.array([lnn.convolution.pullback(kernels, e[None])[0][0] for e in np.eye(d)])
    z = np.linalg.solve(gradients.T, kernels[0][0]) * d ** ((N - 1) / N)
    spectrum = lambda w: np.fft.fft(w).real[1] / np.sqrt(d)
    return {"N": N, r"\hat z(f)": spectrum(z), r"\hat{\bar w}(f)": spectrum(lnn.convolution.product(kernels)[0])}


@witness("eq-bracket", tolerance=2e-3)
def loop(draw):
    """Four legs of the end-to-end dynamics under linear losses, from the identity around, in both senses."""
    N, h, size, eye = draw.depth, 1e-5, 3e-3, np.eye(3)
    A, B = draw.matrix(3, 3), draw.matrix(3, 3)
    field = lambda W, G: -lnn.precondition(W, G, N)
    slope = lambda G, H: (field(eye + h * H, G) - field(eye - h * H, G)) / (2 * h)

    def around(s):
        W = eye.ravel()
        for G in (A, B, -A, -B):
            leg = lambda _, W, G=G: s * field(W.reshape(3, 3), G).ravel()
            W = solve_ivp(leg, (0, 1), W, rtol=1e-11, atol=1e-13).y[:, -1]
        return (W.reshape(3, 3) - eye) / s**2

    names = {"N": N, "A": A, "B": B, "[X_A, X_B](I)": (around(size) + around(-size)) / 2}
    return names | {"DX_B[X_A]": slope(B, field(eye, A)), "DX_A[X_B]": slope(A, field(eye, B))}
