"""The displays of `convergence` up to the theorem on gradient descent."""

import numpy as np

import lnn
from displays import witness
from displays.examples import chain, network
from lnn.theory import guarantees, modes


def stacked(W):
    """A matrix as a column."""
    return W.reshape(-1, 1, order="F")


@witness("eq-smallest-gain")
def smallest_gain(draw):
    m, n = [(3, 3), (2, 4), (4, 2)][draw.depth - 2]
    W, N = draw.matrix(m, n), draw.depth
    smallest = lambda A: np.linalg.eigvalsh(lnn.preconditioner.matrix(A, N))[0]
    names = {"N": N, "d_0": n, "d_N": m, r"\sigma": lnn.singular_values(W)[-1]}
    return names | {r"\lambda_{\min}(P_W)": smallest(W), r"\kappa": smallest(np.eye(m, n))}


@witness("eq-sublevel", tight=True)
def sublevel(draw):
    """A loss that is affine, on numbers: the bound is attained."""
    at_zero, slope, w, R = draw.between(0.5, 2, 4)
    loss = lambda x: at_zero - slope * x
    return {"R": R, r"\ell_0": at_zero, r"\ell(W)": loss(w), "M_R": loss(-R), r"\sigma_{\min}(W)": w}


@witness("lem-sublevel 2")
def segment(draw):
    W, R = draw.matrix(3, 4), draw.between(0.5, 2)
    U, values, Vt = np.linalg.svd(W, full_matrices=False)
    u, v = U[:, -1:], Vt[-1:].T
    cut = (U[:, :-1] * values[:-1]) @ Vt[:-1]  # W without its smallest singular value
    names = {"W": W, "R": R, r"\sigma": values[-1], "u": u, "v": v, "X": -R * u @ v.T}
    return names | {r"\lambda": values[-1] / (values[-1] + R), "Z": R / (values[-1] + R) * cut}


@witness("eq-gf-linear", tight=True, tolerance=2e-3)
def linear_rate(draw):
    """A number near the minimum of a parabola, κ = N: the bound is attained to first order."""
    N, alpha, c, t = draw.depth, *draw.between(0.5, 1.5, 2), 0.3
    loss = lambda s: 0.7 + alpha * (s - c) ** 2 / 2
    names = {"t": t, r"\alpha": alpha, r"\kappa": N, "N": N, "c": c, r"\inf\ell": 0.7, r"\ell(W(0))": loss(0.9999 * c)}
    return names | {r"\ell(W(t))": loss(float(modes.trajectory(alpha * t, 0.9999 * c, c, N)))}


@witness("cor-gf 4", tight=True)
def cauchy_schwarz(draw):
    """A linear loss, and Z in the direction in which Cauchy–Schwarz is an equality."""
    W, G, N = draw.matrix(2, 3), draw.matrix(2, 3), draw.depth
    step = lnn.precondition(W, G, N)
    names = {"P_W": lnn.preconditioner.matrix(W, N), "W": stacked(W), "Z": stacked(W - step)}
    names |= {r"\nabla\ell(W)": stacked(G), r"\nabla\ell": stacked(G), "h": np.sum(G * step)}
    return names | {"q": np.sum(G * step)}


@witness("cor-gf 5")
def energy(draw):
    weights, names, _ = network(draw, balanced=True)
    values = lnn.singular_values(names["W"])
    names |= {"P_W": lnn.preconditioner.matrix(names["W"], names["N"]), "W": stacked(names["W"])}
    names |= {r"\sigma_": lambda r: values[r - 1], r"\range r": range(1, len(values) + 1)}
    return names | {r"\range j": range(1, len(weights) + 1), r"\theta": stacked(lnn.pack(weights))}


@witness("lem-whitened 1")
def whitened(draw):
    Z, Y = draw.rotation(6)[:3], draw.matrix(2, 6)
    return {"W": draw.matrix(2, 3), "Z": Z, "Y": Y, r"\Phi": Y @ Z.T}


@witness("def-margin 1", tight=True)
def margin(draw):
    W, target = draw.matrix(2, 3), draw.matrix(2, 3)
    c, least = guarantees.deficiency_margin(W, target), np.linalg.svd(target, compute_uv=False)[-1]
    return {"W": W, r"\Phi": target, r"\sigma_{\min}(\Phi)": least, "c": c}


def certified(draw, published=False):
    """A network that the theorem covers, and its record."""
    target = draw.rotation(3) @ np.diag(draw.between(1.5, 2, 3)) @ draw.rotation(3)[:, :3]
    weights = lnn.initial.balanced(target + 0.1 * draw.matrix(3, 3), [3] * (draw.depth + 1))
    record = guarantees.certify(weights, target, published=published)
    assert record.holds
    names = {"N": draw.depth, "c": record.margin, r"\Phi": target, r"\delta": record.allowed_imbalance}
    return weights, record, names | {r"\eta": record.step_size}


@witness("eq-gd-delta")
@witness("eq-gd-step", tight=True)
@witness("eq-gd-rate", tight=True)
@witness("eq-gd-steps", tight=True, tolerance=1e-6)
def descent(draw):
    _, record, names = certified(draw)
    names |= {r"\ell(W^{(k+1)})": record.bound(8), r"\ell(W^{(k)})": record.bound(7), r"\ell(W^{(0)})": record.loss}
    return names | {r"\epsilon": 1e-250, "T": record.iterations(1e-250)}


@witness("eq-gd-published", tight=True)
def published(draw):
    return certified(draw, published=True)[-1]


@witness("eq-powers", tight=True, tolerance=1e-4)
def powers(draw):
    """Scalars whose squares rise by δ from layer to layer, to first order."""
    N, square, delta = draw.depth, draw.between(0.5, 2), 1e-7
    weights = [np.array([[np.sqrt(square - (N - i) * delta)]]) for i in range(1, N + 1)]
    return {"N": N, "W_": chain(weights), "W": lnn.end_to_end(weights), r"\mu": square, r"\delta": delta}


@witness("lem-layers 2")
def smallest_layers(draw):
    """Twice the imbalance of the theorem, at the smallest μ; the second bound is attained where c is ‖Φ‖."""
    N, size = draw.depth, draw.between(0.5, 2)
    c = size if N % 2 else 0.6 * size
    record = guarantees.Guarantee(N, c, 0.0, size, 1.0, False)
    names = {"N": N, "c": c, r"\Phi": size, r"\bar\delta": 2 * record.allowed_imbalance, r"\mu": c ** (2 / N)}
    return names | {r"\tight": (0, 1) if N % 2 else (0,)}


@witness("section (e) Induction 2", tight=(0, 1))
def induction(draw):
    """The largest loss and step, which attain the first two bounds."""
    N, c, size = draw.depth, *draw.between(0.5, 2, 2)
    record = guarantees.Guarantee(N, c, 0.0, size, 1.0, False)
    names = {"N": N, "c": c, r"\Phi": size, r"\delta": record.allowed_imbalance, r"\eta": record.step_size}
    return names | {r"\ell_0": size**2 / 2, r"\bar\delta": 2 * record.allowed_imbalance}


@witness("lem-descent 2", tolerance=1e-6)
def first_order(draw):
    weights, names, _ = network(draw)
    E = names["G"]
    gradients = lnn.pullback(weights, E)
    h = 1e-4 / max(np.linalg.norm(D) for D in gradients)
    moved = lambda s: lnn.end_to_end([W - s * D for W, D in zip(weights, gradients, strict=True)])
    names |= {r"\mathcal{L}(E)": (moved(-h) - moved(h)) / (2 * h), "E": E, "G_": lambda j: gradients[j - 1]}
    return names | {r"\range j": range(1, len(weights) + 1)}


@witness("lem-descent 3", tight=True)
def linear_part(draw):
    """The eigenvector of the largest eigenvalue, and the largest step: both bounds are attained."""
    A = draw.matrix(4, 4)
    values, vectors = np.linalg.eigh(A @ A.T)
    E, top = draw.between(0.5, 2) * vectors[:, -1:], r"\lambda_{\max}(\mathcal{L})"
    return {"E": E, r"\mathcal{L}(E)": A @ A.T @ E, r"\eta": 1 / (12 * values[-1]), top: values[-1]}
