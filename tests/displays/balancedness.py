"""The displays of `balancedness`."""

from itertools import product

import numpy as np
from scipy.integrate import solve_ivp

import lnn
from displays import witness
from displays.examples import chain, network, slopes

MEAN = r"\mathbb{E}\, \lVert D_j \rVert_F^2"
DRIFT = r"\lVert D_j^{(K)} - D_j^{(0)} \rVert_F"


def partial(j):
    """The name of the gradient of a layer."""
    return rf"\frac{{\partial\varphi}}{{\partial W_{j}}}"


@witness("eq-exchange")
@witness("lem-exchange 2", alike=1)  # minus zero
@witness("eq-drift", tolerance=1e-6)
def exchange(draw):
    weights, names, loss = network(draw)
    j, G = 1, slopes(weights, loss)
    h = 1e-3 / max(np.linalg.norm(D) for D in G)
    before, after = lnn.imbalances(weights), lnn.imbalances(lnn.gradient_step(weights, loss, h))
    size = weights[j - 1].shape[0]
    names |= {"j": j, partial("j"): G[j - 1], partial("{j+1}"): G[j], "X": draw.matrix(size, size)}
    return names | {r"E_j(\theta)": (after[j - 1] - before[j - 1]) / h**2}


@witness("eq-exchange-flow")
@witness("prop-conservation 2")
@witness("eq-antisymmetric")
def exchange_along_the_flow(draw):
    weights, names, loss = network(draw)
    speeds = [-D for D in slopes(weights, loss)]
    return names | {"j": 1, r"\dot W_": lambda j: speeds[j - 1]}


@witness("eq-differences", 0)
def differences(draw):
    weights, names, _ = network(draw)
    return names | {"j": 1, "D_j": lnn.imbalances(weights)[0]}


@witness("cor-weight-decay 1", tolerance=1e-5)
def decay(draw):
    weights, _, loss = network(draw, 2)
    weights, shapes, rate, t = [0.5 * W for W in weights], lnn.widths(weights), draw.between(0.5, 2), 0.3

    def speed(_, vector):
        return -lnn.pack(slopes(lnn.unpack(vector, shapes), loss)) - rate * vector

    end = solve_ivp(speed, (0, t), lnn.pack(weights), rtol=1e-9, atol=1e-10).y[:, -1]
    names = {r"\lambda": rate, "t": t, "D_j(0)": lnn.imbalances(weights)[0]}
    return names | {"D_j(t)": lnn.imbalances(lnn.unpack(end, shapes))[0]}


@witness("prop-near-zero 1", 0, tight=True)
def small_entries(draw):
    """Entries ±ε, the columns of one layer and the rows of the other alike, with signs that are orthogonal."""
    epsilon, below, above = draw.between(0.1, 1), *draw.rng.choice([2, 3, 5, 7], 2, replace=False)
    signs = np.array([[1, 1, 1, 1], [1, 1, -1, -1]])
    W = [epsilon * np.outer(signs[0], np.ones(below)), epsilon * np.outer(np.ones(above), signs[1])]
    names = {r"\varepsilon": epsilon, "d_{j-1}": int(below), "d_j": 4, "d_{j+1}": int(above)}
    return names | {"D_j": lnn.imbalances(W)[0]}


@witness("prop-near-zero 2")
def expected(draw):
    names, epsilon = expected_of_one(draw), 1.5
    mean = names.pop(MEAN)
    return names | {MEAN: mean * epsilon**4, r"\varepsilon": epsilon}


@witness("prop-near-zero 4")
def expected_of_one(draw):
    """Expectation over 0, √3 and -√3 with weights 2/3, 1/6, 1/6: it has the first five moments of a Gaussian."""
    m, p, n = [(2, 1, 3), (1, 2, 2), (3, 2, 0)][draw.depth - 2]
    values, chances = np.array([0, 3**0.5, -(3**0.5)]), np.array([4, 1, 1]) / 6
    mean = 0.0
    for drawn in product(range(3), repeat=p * m + n * p):
        entries = values[list(drawn)]
        below, above = entries[: p * m].reshape(p, m), entries[p * m :].reshape(n, p)
        mean += chances[list(drawn)].prod() * np.sum((above.T @ above - below @ below.T) ** 2)
    names = {"d_{j-1}": m, "d_j": p, "d_{j+1}": n, "m": m, "p": p, "n": n}
    return names | {MEAN: mean}


@witness("eq-psd-difference")
def positive(draw):
    A, B = draw.matrix(4, 4), draw.matrix(4, 4)
    return {"P": A @ A.T, "Q": B @ B.T, "D_j": A @ A.T - B @ B.T}


@witness("prop-gd-drift 2", tight=True)
def one_large_step(draw):
    """Two scalars, the upper one zero, and two samples: one step ends at the minimum, and the bound is attained."""
    w = float(draw.between(0.5, 2))
    loss = lnn.LeastSquares(lnn.Samples(np.ones((1, 2))), draw.between(0.5, 2, 2))
    start, eta = [np.array([[w]]), np.zeros((1, 1))], 1 / (2 * w**2)
    end = lnn.gradient_step(start, loss, eta)
    names = {r"\eta": eta, DRIFT: abs(lnn.imbalances(end)[0] - lnn.imbalances(start)[0])}
    values = [float(loss(lnn.end_to_end(point))) for point in (start, end)]
    return names | dict(zip((r"\varphi(\theta^{(0)})", r"\varphi(\theta^{(K)})"), values, strict=True))


@witness("prop-gd-drift 3", tolerance=1e-3)
def drift_in_the_limit(draw):
    """Two scalars under ½(w_2 w_1 - φ)²: small steps, and an integral along the flow."""
    start, target, T, eta = draw.between(0.5, 1.5, 2), 3.0, 0.4, 1e-4
    w = start.copy()
    for _ in range(round(T / eta)):
        w = w - eta * (w[0] * w[1] - target) * w[::-1]
    slope = lambda t, w: -(w[0] * w[1] - target) * w[::-1]
    path = solve_ivp(slope, (0, T), start, rtol=1e-9, atol=1e-11, dense_output=True).sol
    names = {r"\eta": eta, "T": T, r"D_j^{(\lfloor T/\eta \rfloor)}": w[1] ** 2 - w[0] ** 2}
    names |= {"D_j^{(0)}": start[1] ** 2 - start[0] ** 2, r"\theta": lambda t: t}
    return names | {"E_j": lambda t: float(np.dot(slope(0, path(float(t))) ** 2, [-1, 1]))}


@witness("def-balanced-init 1")
def balanced_start(draw):
    sizes = [3, 6, 5, 4]
    W = draw.matrix(4, 3)
    U, values, Vt = np.linalg.svd(W, full_matrices=False)
    weights = lnn.initial.balanced(W, sizes)
    names = {"N": 3, "W_": chain(weights), "U": U, "V": Vt.T, r"\Sigma": np.diag(values), "j": 2}
    return names | {"J_": lambda d: np.eye(d)[:, :3], "d_": lambda j: sizes[j]}


@witness("eq-telescope")
@witness("eq-telescope-raw")
@witness("def-balanced 1", 0)
@witness("eq-balanced-svd")
@witness("prop-balanced-svd 4")
def telescope(draw):
    weights, names, _ = network(draw, balanced=True)
    N = len(weights)
    U, values, Vt = np.linalg.svd(names["W"], full_matrices=False)
    Q = [Vt.T]  # from below, but for the last, which is U
    for W in weights[:-1]:
        Q.append(W @ Q[-1] / values ** (1 / N))
    names |= {"S": np.diag(values), r"\Lambda": np.diag(values ** (1 / N)), "Q_": lambda k: [*Q, U][k]}
    return names | {"j": N - 1}


@witness("eq-nearly", tight=True, tolerance=1e-4)
def nearly_balanced(draw):
    """Scalars whose squares fall by δ from layer to layer: the bound is attained to first order."""
    N, b, delta = draw.depth + 1, draw.between(0.5, 2), 1e-7
    weights = [np.array([[np.sqrt(b**2 - (N - i) * delta)]]) for i in range(1, N + 1)]
    return {"N": N, "j": 1, "W_": chain(weights), "b": b, r"\delta": delta}


@witness("lem-nearly-balanced 3")
def peeled(draw):
    _, names, _ = network(draw, 4)
    W = names["W_"]
    T = lambda i: W(i + 1, 4) @ np.linalg.matrix_power(W(i) @ W(i).T, i - 1) @ W(i + 1, 4).T
    return names | {"i": 2, "j": 1, "T_": T}


@witness("ex-balancedness-5 1", 1)
def geometric(draw):
    eta, rate = draw.between(0.1, 0.9, 2)
    contracted = lnn.gradient_step([np.array([[1.0]])], Decay(rate), eta)[0]
    return {r"\eta": eta, r"\lambda": rate, "q": contracted.item() ** 2}


class Decay:
    """The penalty λ‖W‖²/2 alone."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, W):
        return self.rate * np.sum(W**2, axis=(-2, -1)) / 2

    def gradient(self, W):
        return self.rate * W
