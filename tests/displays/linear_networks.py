"""The displays of `linear_networks`."""

import numpy as np

import lnn
from displays import witness
from displays.algebra import mp
from displays.examples import GRADIENT, bend, chain, inner, moves, network, slopes

BEND = r"\nabla^2\varphi(\theta)[\Delta,\Delta]"


@witness("eq-gradient")
@witness("eq-euler-identity", 0)
def layer_gradient(draw):
    weights, names, loss = network(draw)
    j = int(draw.rng.integers(1, len(weights) + 1))
    return names | {"j": j, GRADIENT: slopes(weights, loss)[j - 1], r"\nabla\ell(W_{1:N})": names["G"]}


@witness("lem-gradient 2")
def first_variation(draw):
    weights, names, loss = network(draw)
    delta = moves(draw, weights)
    return names | {r"d\varphi[\Delta]": inner(delta, slopes(weights, loss)), r"\Delta_": lambda j: delta[j - 1]}


@witness("eq-origin-gradient", tolerance=1e-5)
def near_the_origin(draw):
    weights, names, loss = network(draw, 3)
    small = [1e-4 * W for W in weights]
    names |= {"W_": chain(small), "j": 2, "G": loss.gradient(0 * names["W"])}
    return names | {GRADIENT: slopes(small, loss)[1]}


@witness("prop-two-layers 1", alike=1)  # W_2 Δ_1 is zero
@witness("prop-two-layers 2")
def descent_from_a_saddle(draw):
    u, v, z = (x[:, :1] for x in (draw.rotation(4), draw.rotation(5), draw.rotation(3)))
    W1, W2 = draw.matrix(3, 5) @ (np.eye(5) - v @ v.T), draw.matrix(4, 3) @ (np.eye(3) - z @ z.T)
    a, t, s = draw.between(0.5, 2, 3)
    G = s * u @ v.T
    loss = lnn.LeastSquares(lnn.Everything(G.shape), (W2 @ W1 - G).ravel())
    delta = [z @ v.T / a, -a * u @ z.T]
    names = {"W_": chain([W1, W2]), "a": a, "t": t, "u": u, "v": v, "z": z, "G": G, "s": s}
    names |= {r"\Delta_": lambda j: delta[j - 1], "C": np.sum((u @ z.T @ W1) ** 2)}
    curvature = r"\nabla^2\ell(W_2W_1)[uz^\top W_1, uz^\top W_1]"
    return names | {r"\nabla^2\varphi[\Delta,\Delta]": bend([W1, W2], loss, delta), curvature: names["C"]}


def ladder(draw, depth):
    """A balanced network that keeps modes 1 and 2 of a target with four, the names in it, and a direction."""
    sizes = [*(5, 6, 7, 8)[:depth], 4]
    frames = [draw.rotation(d) for d in sizes]
    phi = draw.between(0.5, 2, 4)
    weights = [
        sum(phi[k] ** (1 / depth) * frames[j][:, [k]] @ frames[j - 1][:, [k]].T for k in (0, 1))
        for j in range(1, depth + 1)
    ]
    target = sum(phi[m] * frames[-1][:, [m]] @ frames[0][:, [m]].T for m in range(4))
    loss, delta = lnn.LeastSquares(lnn.Everything(target.shape), target.ravel()), moves(draw, weights)
    names = {"N": depth, "W_": chain(weights), "G": loss.gradient(lnn.end_to_end(weights))}
    return frames, phi, delta, names | {BEND: bend(weights, loss, delta)}


@witness("eq-ladder", alike=2)  # the two pairs of signs
def ladder_values(draw):
    _, phi, _, names = ladder(draw, 3)
    weights = [names["W_"](j) for j in (1, 2, 3)]
    target = lnn.end_to_end(weights) - names["G"]
    loss, size = lnn.LeastSquares(lnn.Everything(target.shape), target.ravel()), lnn.pack(weights).size
    units = (lnn.unpack(e, lnn.widths(weights)) for e in np.eye(size))
    H = [lnn.pack(lnn.hessian_vector(weights, loss, unit)) for unit in units]
    names = {"N": 3, r"\phi_k": phi[0], r"\phi_l": phi[1], r"\phi_m": phi[2]}
    return names | {r"\value": list(np.linalg.eigvalsh(np.array(H)))}


@witness("eq-ladder-slope", alike=2)  # further products with G are zero
@witness("eq-ladder-form")
def ladder_form(draw):
    *_, delta, names = ladder(draw, 3)
    W = names["W_"]
    pairs = [(i, j) for j in range(1, 4) for i in range(1, j)]
    P = sum(W(j + 1, 3) @ delta[j - 1] @ W(1, j - 1) for j in range(1, 4))
    Q = sum(W(j + 1, 3) @ delta[j - 1] @ W(i + 1, j - 1) @ delta[i - 1] @ W(1, i - 1) for i, j in pairs)
    return names | {"P": P, "Q": Q, "j": 2, "i": 2}


@witness("prop-strict-saddles 5")
def ladder_sum(draw):
    frames, phi, delta, names = ladder(draw, 3 + draw.depth % 2)
    h, N = frames, len(delta)
    names |= {r"\sigma_": lambda k: phi[k - 1] ** (1 / N), r"\phi_": lambda m: phi[m - 1], r"\range k": (1, 2)}
    names |= {r"\range l": (1, 2), r"\range n": (3, 4, 5), r"\range m": (3, 4), r"\range j": range(1, N + 1)}
    names |= {"a_": lambda n, k: (h[N].T @ delta[-1] @ h[N - 1])[n - 1, k - 1] if n < 5 else 0}
    names |= {"b_": lambda k, n: (h[1].T @ delta[0] @ h[0])[k - 1, n - 1]}
    return names | {"c_": lambda k, l: lambda j: (h[j].T @ delta[j - 1] @ h[j - 1])[k - 1, l - 1]}


@witness("eq-gf", 1)
def flow(draw):
    weights, names, loss = network(draw)
    j = len(weights) - 1
    return names | {"j": j, r"\dot W_j": -slopes(weights, loss)[j - 1], r"\nabla\ell(W_{1:N})": names["G"]}


@witness("eq-dissipation", tolerance=1e-6)
def dissipation(draw):
    weights, _, loss = network(draw)
    G = slopes(weights, loss)
    h = 1e-5 / np.sqrt(inner(G, G))
    after, before = (loss(lnn.end_to_end([W - s * D for W, D in zip(weights, G, strict=True)])) for s in (h, -h))
    return {
        r"\frac{d}{dt}\varphi(\theta(t))": (after - before) / (2 * h),
        r"\nabla\varphi(\theta(t))": np.concatenate([D.ravel() for D in G])[:, None],
    }


def escape(draw, depth):
    """A network of equal scalars under a loss of slope -M, dw/dt = M w^{N-1}: it attains the bound."""
    start, end, M = 0.3, *draw.between(1, 2, 2)
    T = mp.quad(lambda w: 1 / (M * w ** (depth - 1)), [start, end])
    return {"N": depth, "M": M, "T": T, r"\rho(T)": end**2, r"\rho(0)": mp.mpf(start) ** 2}


@witness("eq-escape", 0, tight=True)
def escape_at_depth_two(draw):
    return escape(draw, 2)


@witness("eq-escape", 1, tight=True)
def escape_beyond(draw):
    return escape(draw, draw.depth + 1)


@witness("eq-amgm", tight=True)
def means(draw):
    """Layers of rank one and equal norms that fit each other: all bounds are attained."""
    N, size = draw.depth, float(draw.between(0.5, 2))
    units = [draw.rotation(4)[:, :1] for _ in range(N + 1)]
    W = [size * after @ before.T for before, after in zip(units, units[1:], strict=False)]
    return {"N": N, "W_": chain(W), r"\rho": size**2, r"\range j": range(1, N + 1)}


@witness("eq-euler-bound", tight=True, tolerance=1e-4)
def euler(draw):
    """The recursion e ← (1 + ηL) e + ½ L M η² of the proof, many small steps."""
    L, M, k, eta = *draw.between(0.5, 2, 2), 40000, 2e-5
    error = 0.0
    for _ in range(k):
        error = (1 + eta * L) * error + L * M * eta**2 / 2
    return {"L": L, "M": M, "k": k, r"\eta": eta, r"\lVert\theta_k - \theta(k\eta)\rVert": error}


@witness("ex-linear-networks-5 1")
def two_zero_layers(draw):
    weights, names, loss = network(draw, 4)
    i, j = 2, 3 + draw.depth % 2
    weights[i - 1] *= 0
    weights[j - 1] *= 0
    delta, W, G = moves(draw, weights), chain(weights), loss.gradient(0 * names["W"])
    names |= {
        "i": i,
        "j": j,
        "W_": W,
        r"\nabla\ell(0)": G,
        "P": W(j + 1, 4).T @ G @ W(1, i - 1).T,
        "Q": W(i + 1, j - 1),
    }
    return names | {
        r"\nabla^2\varphi[\Delta,\Delta]": bend(weights, loss, delta),
        r"\Delta_": lambda k: delta[k - 1],
    }
