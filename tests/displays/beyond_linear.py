"""The displays of `beyond_linear` on components of tensors; tensors are columns of their entries."""

from functools import reduce

import numpy as np

from displays import witness
from lnn import tensor

FIELD = r"\nabla\ell(W)"


def outer(*vectors):
    """The entries of an outer product, as a column."""
    return reduce(np.multiply.outer, [v.ravel() for v in vectors]).reshape(-1, 1)


def column(vector):
    return np.reshape(vector, (-1, 1))


def factors(draw, order=3, components=3):
    """Matrices whose columns are the vectors of the components, and the gradient of a loss at their tensor."""
    found = [draw.matrix(d, components) for d in (2, 3, 4, 2)[:order]]
    return found, draw.matrix(1, np.prod([len(W) for W in found])).reshape([len(W) for W in found])


def moving(found, G, quantity, h=1e-5):
    """How fast something changes along the gradients."""
    speeds = tensor.pullback(found, G)
    at = lambda s: quantity([W - s * D for W, D in zip(found, speeds, strict=True)])
    return (at(h) - at(-h)) / (2 * h)


@witness("section From matrices to tensors 1", tolerance=1e-7)
@witness("eq-component-norms", 0, tolerance=1e-7)
def component(draw):
    found, G = factors(draw, draw.depth)
    found, r = tensor.balance(found), 1
    names = {"N": draw.depth, r"\sigma_r": tensor.component_norms(found)[r], r"\gamma_r": tensor.pulls(found, G)[r]}
    return names | {r"\dot\sigma_r": moving(found, G, tensor.component_norms)[r]}


@witness("eq-component-norms", 1)
def pull(draw):
    """A pull by the contractions of the gradient."""
    found, G = factors(draw)
    unit = [column(W[:, 1] / np.linalg.norm(W[:, 1])) for W in found]
    names = {r"\gamma_r": tensor.pulls(found, G)[1], FIELD: column(G)}
    return names | {r"\hat w_r^1 \otimes \dots \otimes \hat w_r^N": outer(*unit)}


@witness("eq-tensor-products")
def powers(draw):
    """Products of equal vectors."""
    N, v, w = draw.depth, draw.matrix(3, 1), draw.matrix(3, 1)
    names = {"N": N, "v^n": v, "w^n": w}
    return names | {rf"{x}^1 \otimes \dots \otimes {x}^N": outer(*[y] * N) for x, y in (("v", v), ("w", w))}


@witness("eq-contraction")
@witness("eq-one-vector")
def contraction(draw):
    found, G = factors(draw, 3, 1)
    x, slope = draw.matrix(3, 1), tensor.pullback(found, G)[1]
    entries = outer(found[0], x, found[2])
    names = {"G": column(G), "x": x, "G[w^m : m \\ne n]": slope, r"\dot v_i": -slope, FIELD: column(G)}
    names |= {r"w^1 \otimes \dots \otimes \underset{n}{x} \otimes \dots \otimes w^N": entries}
    return names | {r"M_u(v_1, \dots, x, \dots, v_L)": entries}


@witness("eq-cp")
def sum_of_components(draw):
    found, _ = factors(draw)
    names = {"N": 3, "R": 3, "W": column(tensor.end_to_end(found)), r"\dots": 1}
    return names | {"w_": lambda r: lambda n: found[n - 1][:, [r - 1]]}


@witness("prop-border-rank 1", 0, 1)
def truth_table(draw):
    """Slices of the tensor with a one wherever one of three bits is one."""
    T = np.indices((2, 2, 2)).sum(axis=0) == 1
    return {"T_1": 1.0 * T[0], "T_2": 1.0 * T[1]}


@witness("prop-border-rank 1", 2)
def slices(draw):
    x, Y, Z = (draw.matrix(2, 2) for _ in range(3))
    names = {"k": 2, "T_k": tensor.end_to_end((x, Y, Z))[1], "Y": Y, "Z": Z}
    return names | {"x_": lambda r, k: x.T[r - 1, k - 1]}


@witness("prop-border-rank 2")
def two_components(draw):
    A, B = draw.matrix(8, 1), draw.matrix(8, 1)
    names = {"A_k": A, "B_k": B, r"\hat A_k": A / np.linalg.norm(A)}
    return names | {r"\hat B_k": B / np.linalg.norm(B)}


@witness("eq-vectors-together", tolerance=1e-7)
def together(draw):
    """Vectors of one component, out of balance, among others."""
    L, r = draw.depth, 2
    found, G = factors(draw, L)
    names = {"L": L, r"\range j": range(1, L + 1), r"\gamma": tensor.pulls(found, G)[r]}
    names |= {"v_": lambda j: found[j - 1][:, [r]], r"\dot\sigma": moving(found, G, tensor.component_norms)[r]}
    speed = moving(found, G, lambda net: np.linalg.norm(net[1][:, r]))
    return names | {r"\frac{d}{dt} \lVert v_i \rVert": speed, "i": 2, "v_i": found[1][:, [r]]}


@witness("eq-unbalanced-bounds", draws=4)
@witness("prop-unbalanced-components 2", draws=4)
def unbalanced(draw):
    """Bounds that are attained by a balanced component; the draws of order 3 are a little off balance."""
    N, r = draw.depth, 1
    found = list(tensor.balance(factors(draw, N)[0]))
    found[0] = found[0] * (1.2 if N == 3 else 1)
    squares = [np.sum(W[:, r] ** 2) for W in found]
    names = {"N": N, "r": r, r"\sigma_r": tensor.component_norms(found)[r], r"\varepsilon": np.ptp(squares)}
    names |= {r"\range n": range(1, N + 1), r"\range m": range(1, N + 1), r"\tight": N != 3}
    return names | {"w_": lambda r: lambda m: found[m - 1][:, [r]]}


@witness("section Completing tensors 1")
def overlapped(draw):
    """Unfoldings by an axis at a time, and the sums of the roots of their Gram matrices' eigenvalues."""
    _, W = factors(draw)
    unfold = lambda n: np.moveaxis(W, n - 1, 0).reshape(W.shape[n - 1], -1)
    grams = (np.einsum("iab,jab->ij", X, X) for X in (np.moveaxis(W, n, 0) for n in range(3)))
    size = sum(np.sqrt(np.linalg.eigvalsh(K)).sum() for K in grams)
    return {"N": 3, r"\lVert W \rVert_\circ": size, "W_": unfold}
