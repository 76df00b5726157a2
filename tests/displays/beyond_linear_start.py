"""The displays of `beyond_linear` on flows from small starts: a frozen gradient, and the arrival at a sphere."""

import numpy as np
from scipy.integrate import solve_ivp

from displays import witness
from displays.beyond_linear import column, outer
from lnn import tensor

CHAPTER = "beyond_linear"


@witness("eq-frozen-bounds", 0, tight=True, tolerance=1e-7)
def frozen(draw):
    """One component in a gradient of rank one, which it is aligned with: the vectors by the contractions."""
    N, size, end = 1 + draw.depth, draw.between(0.5, 1), 0.3
    axes = [draw.rotation(2)[:, [0]] for _ in range(N)]
    A = size * outer(*axes).reshape([2] * N)
    start = draw.between(0.5, 0.9)

    def field(_, state):
        return -np.concatenate(tensor.pullback(state.reshape(N, 2, 1), -A)).ravel()

    run = solve_ivp(field, (0, end), start * np.ravel(axes), rtol=1e-11, atol=1e-13)
    names = {"N": N, "t": end, "A": column(A), r"\gamma(0)": tensor.pulls(start * np.array(axes), -A).item()}
    return names | {"y(0)": start, "y(t)": np.linalg.norm(run.y[:2, -1])}


def arrived(draw):
    """Parallel components whose tensor is on a sphere, one of them ahead of the others."""
    N, alpha, q = draw.depth, 0.3, 2
    axes = [draw.rotation(2)[:, [0]] for _ in range(N)]
    c, ahead = draw.between(0.5, 1, 3), 1.3
    sizes = np.where(np.arange(1, 4) == q, ahead, alpha * c)
    found = [axis * sizes for axis in axes]
    radius = np.linalg.norm(tensor.end_to_end(found))
    return found, {"N": N, r"\alpha": alpha, "q": q, "c": c, r"\rho": radius, r"y_q(t_\rho)": ahead}


@witness("eq-arrival", tight=True)
def arrival(draw):
    _, names = arrived(draw)
    c = names.pop("c")
    return names | {"c_": lambda r: c[r - 1], r"\range r": (1, 2, 3)}


@witness("thm-rank-one-trajectory 3")
def left_behind(draw):
    """Two components, the first left behind."""
    found, names = arrived(draw)
    found = [W[:, :2] for W in found]
    radius = names[r"\rho"] ** (1 / names["N"])
    kept = [np.hstack([0 * W[:, :1], radius * W[:, 1:] / np.linalg.norm(W[:, 1])]) for W in found]
    first, second = (np.concatenate([W.reshape(-1, 1) for W in net]) for net in (found, kept))
    gap = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(found, kept, strict=True)))
    names |= {r"\theta(0)": first, r"\theta'(0)": second, r"\range r": (1, 2), r"\eta(\alpha)": gap}
    return names | {r"y_r(t_\rho)": np.linalg.norm(found[0][:, 0])}
