"""The displays of `beyond_linear` on hierarchical factorizations, over four leaves; tensors are columns."""

import numpy as np

from displays import witness
from displays.beyond_linear import FIELD, column
from lnn import hierarchical

CHAPTER = "beyond_linear"
NODE, LEFT, RIGHT = 4, 0, 1  # an inner node, and its children


def tree(draw):
    leaves = [draw.matrix(d, 3) for d in (2, 3, 4, 2)]
    return [*leaves, draw.matrix(3, 3), draw.matrix(3, 3), draw.matrix(3, 1)]


def handed(weights, left, node):
    """What a node above two leaves hands up: tensors of trees with two leaves."""
    return lambda r: column(hierarchical.end_to_end((*weights[left : left + 2], weights[node][:, [r - 1]])))


@witness("def-hierarchical 1")
def handed_up(draw):
    weights = tree(draw)
    names = {"R": 3, "p": 2, r"U^{(\nu)}_p": handed(weights, LEFT, NODE)(2)}
    names |= {r"W^{(\nu)}_": lambda r, p: weights[NODE][r - 1, p - 1]}
    names |= {r"U^{(\mu)}_": lambda r: weights[LEFT][:, [r - 1]]}
    return names | {r"U^{(\mu')}_": lambda r: weights[RIGHT][:, [r - 1]]}


@witness("thm-local-components 2")
def at_the_root(draw):
    """The root, with the components of its children kept apart from the matrices below."""
    weights, r = tree(draw), 2
    inner = {1: handed(weights, 0, 4), 2: handed(weights, 2, 5)}
    below = [np.hstack([np.kron(A[:, [k]], B[:, [k]]) for k in range(3)]) for A, B in (weights[:2], weights[2:4])]
    names = {"p": 1, "r": r, r"\mu": 1, r"\mu'": 2, r"K_\mu": below[0], r"K_{\mu'}": below[1]}
    names |= {"v_1": weights[4][:, [r - 1]], "v_2": weights[5][:, [r - 1]], r"\range q": (1, 2, 3)}
    names |= {"(v_3)_": lambda p: weights[6][r - 1, p - 1], r"W^{(\nu)}_": lambda q, p: weights[6][q - 1, p - 1]}
    names |= {r"U_p^{(\nu)}": column(hierarchical.end_to_end(weights))}
    return names | {"U_": lambda q: lambda child: inner[child](q)}


@witness("eq-local-components", tolerance=1e-7)
def local(draw):
    """A balanced local component; its pull from the gradient of one of its vectors."""
    weights, r, size = tree(draw), 1, draw.between(0.5, 1)
    parts = (weights[LEFT][:, r], weights[RIGHT][:, r], weights[NODE][r])  # views
    for part in parts:
        part *= size / np.linalg.norm(part)
    G = draw.matrix(1, 48).reshape(2, 3, 4, 2)
    slopes, h = hierarchical.pullback(weights, G), 1e-5
    moved = lambda s: [W - s * D for W, D in zip(weights, slopes, strict=True)]
    at = lambda s: hierarchical.component_norms(moved(s))[0, r]
    names = {r"\sigma_{\nu,r}": size**3, r"\dot\sigma_{\nu,r}": (at(h) - at(-h)) / (2 * h), FIELD: column(G)}
    names |= {r"\gamma_{\nu,r}": -np.sum(slopes[NODE][r] * weights[NODE][r]) / size**3}
    for part in parts:
        part /= size
    weights[NODE][[k for k in range(3) if k != r]] = 0
    return names | {r"C_{\nu,r}": column(hierarchical.end_to_end(weights))}
