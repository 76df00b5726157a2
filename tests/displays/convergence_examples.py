"""The displays of `convergence` after the theorem: how conservative, failures, random starts, one output, modes."""

import numpy as np
from scipy.stats import chi2, ncx2, norm

import lnn
from displays import witness
from displays.algebra import mp
from displays.convergence import certified
from lnn.symbolic import convergence as derive

CHAPTER = "convergence"


@witness("eq-conservative", tight=True)
def conservative(draw):
    """The largest step at a balanced minimum, 2 over the sharpness, and the certified one."""
    _, record, names = certified(draw)
    target = names[r"\Phi"]
    loss = lnn.LeastSquares(lnn.Everything(target.shape), target.ravel())
    minimum = lnn.initial.balanced(target, [3] * (draw.depth + 1))
    return names | {r"\eta^*": 2 / lnn.sharpness(minimum, loss), r"\eta": record.step_size}


def turned(angle, size=1.0):
    """A complex number as a matrix."""
    return size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@witness("eq-rotation", 0)
def rotation(draw):
    N, size, target = draw.depth, draw.between(0.5, 2), turned(draw.between(0, 3))
    z = turned(draw.between(0, 3), size)
    return {"N": N, "z": z, "|z|": size, r"e^{i\theta}": target, r"\dot z": -lnn.precondition(z, z - target, N)}


@witness("prop-necessity 2")
def towards_zero(draw):
    N, a, eta = draw.depth, draw.between(0.2, 0.9), draw.between(0.1, 0.5)
    loss = lnn.LeastSquares(lnn.Everything((2, 2)), -np.eye(2).ravel())
    after = lnn.gradient_step([a * np.eye(2)] * N, loss, eta)[0][0, 0]
    return {"N": N, "a": a, r"\eta": eta, r"\dot a": (after - a) / eta, r"\leftarrow": after}


@witness("prop-necessity 3")
def two_scalars(draw):
    w1, w2, target, eta = draw.between(0.5, 2, 4)
    loss = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([target]))
    v1, v2 = (W.item() for W in lnn.gradient_step([np.array([[w1]]), np.array([[w2]])], loss, eta))
    names = {r"\eta": eta, r"\phi": target, "p": w1 * w2, "e": w1 * w2 - target, "u": eta * (w1**2 + w2**2)}
    return names | {"e'": v1 * v2 - target, "u'": eta * (v1**2 + v2**2)}


@witness("eq-half", alike=1, tolerance=1e-6)  # below 2/2 as well
def half(draw):
    """By integration over the component along φ: the others have a chi-square distribution."""
    d, nu = draw.depth, draw.between(1, 2)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    g = nu * (1 + nodes)
    p = nu * np.sum(weights * norm.pdf(g) * chi2.cdf(nu**2 - (g - nu) ** 2, d - 1))
    return {"p": p, r"\nu": nu, r"F_{d,\nu^2}": lambda x: ncx2.cdf(float(x), d, nu**2)}


@witness("prop-random-init 3", 1)
def lower_root(draw):
    """The smaller solution of (g - ν)² + ρ² = ν²."""
    nu, rho = draw.between(1, 2), draw.between(0.1, 0.9)
    return {r"\nu": nu, r"\rho": rho, "r_-": min(np.roots([1, -2 * nu, rho**2]))}


@witness("prop-one-output 1")
@witness("prop-one-output 2", tight=True, alike=1)  # r(1) is read as r
def radius_and_angle(draw):
    N, target, w = draw.depth, draw.matrix(2, 1), draw.matrix(2, 1)
    r, size = np.linalg.norm(w), np.linalg.norm(target)
    speed = -lnn.precondition(w.T, (w - target).T, N).T
    radial, cosine = np.sum(speed * w) / r, np.sum(w * target) / (r * size)
    sine = np.sqrt(1 - cosine**2)
    turning = -(np.sum(speed * target) / size - radial * cosine) / (r * sine)
    names = {"N": N, "r": r, r"\theta": mp.acos(cosine), r"\phi": target, r"\dot r": radial, r"\dot\theta": turning}
    growth = radial / r + N * turning * cosine / sine
    return names | {"r(0)": r, r"\frac{d}{dt}(\log r+N\log\sin\theta)": growth}


@witness("eq-mode")
def mode(draw):
    s, phi = draw.between(0.5, 2, 2)
    rate = derive.mode_equation(draw.depth).subs({derive.s: s, derive.target: phi})
    return {"N": draw.depth, "s": s, r"\phi_r": phi, r"\dot s": rate}


def waiting(draw, depth):
    phi, start = draw.between(0.5, 2), draw.between(0.01, 0.1)
    time = derive.waiting_time(depth).subs({derive.target: phi, derive.start: start})
    return {"N": depth, r"\phi": phi, "s_0": start, "T_q(s_0)": time}


@witness("eq-waiting", 0)
def waiting_at_depth_two(draw):
    return waiting(draw, 2)


@witness("eq-waiting", 1)
def waiting_beyond(draw):
    return waiting(draw, draw.depth + 1)
