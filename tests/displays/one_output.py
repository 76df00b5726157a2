"""The displays of `end_to_end_dynamics` from one output on: momentum, and the field that is no gradient."""

import numpy as np

import lnn
from displays import witness
from displays.algebra import mp, quad

CHAPTER = "end_to_end_dynamics"
SLOPE = r"\nabla\ell(w)"


def projection(w):
    """Pr_w of a column."""
    return w @ w.T / np.sum(w**2)


@witness("eq-single-output")
@witness("cor-single-output 2")
@witness("thm-no-regularizer 2", 0)
@witness("ex-end-to-end-dynamics-6 1")
def one_output(draw):
    w, g, N = draw.matrix(3, 1), draw.matrix(3, 1), draw.depth
    field = lnn.precondition(w.T, g.T, N).T
    size = np.linalg.norm(w)
    names = {"N": N, "w": w, r"\dot w": -field, SLOPE: g, "g(w)": g, "f(w)": field, r"\nabla\tilde F(w)": field}
    names |= {r"\mathrm{Pr}_w": projection(w), r"\varrho": size, r"\hat w": w / size, r"\nabla\ell": g}
    names |= {r"\dot\varrho": -np.sum(field * w) / size}
    names |= {r"\dot{\hat w}": -(field - projection(w) @ field) / size}
    twice = lnn.precondition(2 * w.T, g.T, N).T
    return names | {"a": np.log2(np.linalg.norm(twice) / np.linalg.norm(field))}


@witness("eq-warmup-layers")
@witness("prop-warmup 1")
@witness("eq-warmup")
@witness("eq-warmup-step")
@witness("prop-warmup 4")
@witness("prop-warmup 5")
def warmup(draw):
    """A run of descent over a row and a scalar; ρ and μ are read off how the layers moved."""
    eta, t, tau = 0.05, 3, 1
    net = [draw.matrix(1, 3), np.array([[draw.between(0.5, 1)]])]
    loss = lnn.LeastSquares(lnn.Everything((1, 3)), draw.matrix(1, 3).ravel())
    run = [net]
    for _ in range(t + 1):
        run.append(lnn.gradient_step(run[-1], loss, eta))
    row, scale = (lambda k: run[k][0].T), (lambda k: run[k][1].item())
    slope = lambda k: loss.gradient(lnn.end_to_end(run[k])).T
    moved = lambda k: (row(k + 1) - row(k))[0, 0]
    rho = lambda k: -moved(k) * scale(k) / slope(k)[0, 0]
    mu = lambda k, i: -(scale(k + 1) - scale(k)) * moved(i) / slope(i)[0, 0]
    beta = np.sum(row(t) * slope(t))
    names = {"t": t, r"\tau": tau, r"\range \tau": range(t), r"\eta": eta, r"\beta": beta, "w_1^": row}
    names |= {r"\omega_2^": scale, r"\nabla^": slope, r"\rho^": rho, r"\mu^": mu, "w^": lambda k: row(k) * scale(k)}
    names |= {"w_1": row(t), r"\omega_2": scale(t), r"\nabla": slope(t), "w": row(t) * scale(t)}
    return names | {r"\gamma^": lambda k: 1 - scale(k + 1) / scale(k)}


@witness("eq-circulation")
@witness("thm-no-regularizer 4", alike=1)
def circulation(draw):
    """The integral of the plane field over the closed curve, by quadrature of `precondition`."""
    N, kappa, r, R = draw.depth, draw.between(0.5, 2), 0.8, 1.6

    def field(x, y):
        return lnn.precondition(np.array([[float(x), float(y)]]), np.array([[kappa, 0.0]]), N)[0]

    def arc(s):
        turn = lambda a: s * np.array([-np.sin(a), np.cos(a)])
        return quad(lambda a: field(s * np.cos(a), s * np.sin(a)) @ turn(a), 0, np.pi)

    ray = quad(lambda x: field(x, 0)[0] + field(-x, 0)[0], r, R)
    names = {"N": N, "a": 2 - mp.mpf(2) / N, "r": r, "R": R, r"\kappa": kappa, r"\vartheta_R": 0}
    whole = ray - arc(r) + arc(R)
    return names | {r"\oint_{\Gamma_{r,R}}f_0": whole, r"\oint_{\Gamma_{R/2,R}}f": whole}


@witness("eq-potential", tolerance=1e-6)
def potential(draw):
    w, g, h = draw.matrix(3, 1), draw.matrix(3, 1), 1e-5
    value = lambda x: np.linalg.norm(x) * np.sum(g * x)
    slope = np.array([[(value(w + e) - value(w - e)) / (2 * h)] for e in h * np.eye(3)[:, :, None]])
    return {"w": w, "g": g, r"\mathrm{Pr}_w": projection(w), r"\nabla(\lVert w\rVert\,\langle g,w\rangle)": slope}


@witness("eq-curl", tolerance=1e-6)
def curl(draw):
    w, b, A, N, h = draw.matrix(3, 1), draw.matrix(3, 1), draw.matrix(3, 3), draw.depth, 1e-5
    H, slope = A + A.T, lambda x: (A + A.T) @ x + b
    field = lambda x: lnn.precondition(x.T, slope(x).T, N).T
    J = np.hstack([(field(w + e) - field(w - e)) / (2 * h) for e in h * np.eye(3)[:, :, None]])
    return {"N": N, "w": w, "J": J, "v": (N - 2) / N * slope(w) + H @ w}


@witness("ex-end-to-end-dynamics-9 1")
def line(draw):
    root = draw.between(-1, 1)  # w = root³, by which the integrand is smooth
    slope = lambda y: 3 * y**2 * lnn.precondition([[y**3]], [[y**3 - 1]], 3)[0, 0]
    return {"w": root**3, "F(w)": quad(slope, 0, root)}


@witness("ex-end-to-end-dynamics-11 1")
def lazy_to_rich(draw):
    row, g, lam = draw.matrix(1, 3), draw.matrix(3, 1), draw.between(0.5, 2)
    scale = np.sqrt(np.sum(row**2) + lam)
    w = scale * row.T
    names = {r"\lambda": lam, r"\rho": np.sqrt(lam**2 / 4 + np.sum(w**2)), SLOPE: g, r"\mathrm{Pr}_w": projection(w)}
    return names | {r"\dot w": -(scale**2) * g - np.sum(row.T * g) * row.T}
