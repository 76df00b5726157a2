"""The landscape of φ(W_1, …, W_N) = ℓ(W_N ⋯ W_1), derived entry by entry.

Behind `lem-gradient`, `prop-nonconvex`, `prop-origin-hessian` and `prop-strict-saddles` of the page `linear_networks`.
But for the last, the loss is ⟨G, W⟩ + ½ vec(W)ᵀ H vec(W) with symbols for all entries of G and of the symmetric matrix
H: the second-order Taylor polynomial of an arbitrary loss. Its value at 0 is left out, as no derivative sees it.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations_with_replacement
from operator import mul
from typing import NamedTuple

import sympy as sp


class Quadratic(NamedTuple):
    """A quadratic loss with symbolic coefficients.

    `W` holds the variables, `value` is ℓ(W), `G` the gradient at 0, and `H` maps a pair of places (counted along the
    rows of W, the first not after the second) to the second derivative there.
    """

    W: sp.Matrix
    value: sp.Expr
    G: sp.Matrix
    H: dict[tuple[int, int], sp.Symbol]


class Midpoints(NamedTuple):
    """End-to-end matrices of two networks, and of the network halfway between them."""

    first: sp.Expr
    second: sp.Expr
    halfway: sp.Expr


def layers(widths: Sequence[int]) -> tuple[sp.Matrix, ...]:
    """Weight matrices W_1, …, W_N with one symbol an entry.

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    tuple of N matrices, the j-th of shape (d_j, d_{j-1})

    Notes
    -----
    `def-lnn`, page `linear_networks`.
    """
    return tuple(
        sp.Matrix(m, n, lambda i, k, j=j: sp.Symbol(f"w{j}_{i + 1}{k + 1}", real=True))
        for j, (m, n) in enumerate(zip(widths[1:], widths[:-1], strict=True), start=1)
    )


def quadratic_loss(shape: tuple[int, int]) -> Quadratic:
    """The general quadratic ⟨G, W⟩ + ½ vec(W)ᵀ H vec(W) on matrices of a given shape.

    Parameters
    ----------
    shape : (d_N, d_0)

    Returns
    -------
    Quadratic

    Notes
    -----
    `def-objective`, page `linear_networks`.
    """
    W = sp.Matrix(*shape, lambda i, k: sp.Symbol(f"y_{i + 1}{k + 1}", real=True))
    G = sp.Matrix(*shape, lambda i, k: sp.Symbol(f"g_{i + 1}{k + 1}", real=True))
    pairs = combinations_with_replacement(range(len(W)), 2)
    H = {(a, b): sp.Symbol(f"h_{a + 1}_{b + 1}", real=True) for a, b in pairs}
    curved = sum(h * W[a] * W[b] / (2 if a == b else 1) for (a, b), h in H.items())
    linear = sum(g * w for g, w in zip(G, W, strict=True))
    return Quadratic(W, linear + curved, G, H)


def objective(widths: Sequence[int]) -> tuple[sp.Expr, tuple[sp.Matrix, ...], Quadratic]:
    """The objective φ(W_1, …, W_N) of the general quadratic loss.

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    phi : expression
    weights : tuple of N matrices of symbols
    loss : Quadratic

    Notes
    -----
    `def-objective`, page `linear_networks`.
    """
    weights = layers(widths)
    loss = quadratic_loss((widths[-1], widths[0]))
    product = reduce(mul, reversed(weights))
    return loss.value.subs(dict(zip(loss.W, product, strict=True)), simultaneous=True), weights, loss


def gradient(widths: Sequence[int]) -> tuple[tuple[sp.Matrix, ...], tuple[sp.Matrix, ...]]:
    """Layer gradients of φ twice: differentiated entry by entry, and by the formula of the lemma.

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    entrywise, formula : tuples of N matrices

    Notes
    -----
    `lem-gradient`, page `linear_networks`; [ACH18].
    """
    phi, weights, loss = objective(widths)
    entrywise = tuple(W.applyfunc(lambda w: sp.diff(phi, w)) for W in weights)
    product = reduce(mul, reversed(weights))
    slope = loss.W.applyfunc(lambda y: sp.diff(loss.value, y))
    slope = slope.subs(dict(zip(loss.W, product, strict=True)), simultaneous=True)
    formula = []
    for j in range(len(weights)):
        above = reduce(mul, reversed(weights[j + 1 :]), sp.eye(widths[-1]))
        below = reduce(mul, reversed(weights[:j]), sp.eye(widths[j]))
        formula.append(above.T * slope * below.T)
    return entrywise, tuple(formula)


def origin_hessian(widths: Sequence[int]) -> tuple[sp.Matrix, sp.Matrix]:
    """Hessian of φ at W_1 = … = W_N = 0, and the gradient G = ∇ℓ(0) that it may depend on.

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    hessian : matrix
        Square, of order Σ d_j d_{j-1}; the entries of the layers are counted layer by layer, rows first.
    G : matrix, shape (d_N, d_0)

    Notes
    -----
    `prop-origin-hessian`, page `linear_networks`; [Kaw16].
    """
    phi, weights, loss = objective(widths)
    entries = [w for W in weights for w in W]
    origin = dict.fromkeys(entries, 0)
    slopes = [sp.diff(phi, a) for a in entries]
    # What differentiates to 0 by symmetry is computed once.
    upper = {
        (p, q): sp.diff(slopes[p], entries[q]).subs(origin)
        for p, q in combinations_with_replacement(range(len(entries)), 2)
    }
    return sp.Matrix(len(entries), len(entries), lambda p, q: upper[min(p, q), max(p, q)]), loss.G


def saddle_hessian(widths: Sequence[int], kept: int) -> sp.Matrix:
    """Hessian of ½‖W_N ⋯ W_1 - Φ‖_F² where the first modes of a diagonal Φ are kept and the others dropped.

    Φ has the diagonal entries s_1^N, …, s_kept^N, p_1, p_2, …; every layer is diagonal with s_1, …, s_kept and zeros.

    Parameters
    ----------
    widths : (d_0, …, d_N)
        Not below `kept`.
    kept : int

    Returns
    -------
    matrix
        Square, of order Σ d_j d_{j-1}, in the positive symbols s_k and p_m.

    Notes
    -----
    `prop-strict-saddles`, page `linear_networks`; differentiated entry by entry, no formula for it is put in.
    """
    depth, modes = len(widths) - 1, min(widths[0], widths[-1])
    roots = [sp.Symbol(f"s_{k + 1}", positive=True) for k in range(kept)]
    dropped = [sp.Symbol(f"p_{m + 1}", positive=True) for m in range(modes - kept)]
    values = [*(s**depth for s in roots), *dropped]
    weights = layers(widths)
    target = sp.Matrix(widths[-1], widths[0], lambda a, b: values[a] if a == b < modes else 0)
    twice_phi = sum(x**2 for x in reduce(mul, reversed(weights)) - target)
    point = {w: 0 for W in weights for w in W} | {W[k, k]: s for W in weights for k, s in enumerate(roots)}
    bends = sp.lambdify(list(point), sp.hessian(twice_phi, list(point)), "sympy")
    return (bends(*point.values()) / 2).expand()


def saddle_spectrum(widths: Sequence[int], kept: int) -> dict[sp.Expr, int]:
    """Eigenvalues of `saddle_hessian` with their multiplicities, from the characteristic polynomials of its blocks.

    Parameters
    ----------
    widths : (d_0, …, d_N)
        Not below `kept`.
    kept : int

    Returns
    -------
    dict of expressions in s_k and p_m

    Notes
    -----
    `prop-strict-saddles`, page `linear_networks`.
    """
    hessian, x = saddle_hessian(widths, kept), sp.Symbol("x")
    found: dict[sp.Expr, int] = {}
    for block in hessian.connected_components():
        _, factors = sp.factor_list(hessian.extract(block, block).charpoly(x).as_expr())
        for factor, times in factors:
            (value,) = map(sp.expand, sp.solve(factor, x))  # one root: the factor is linear
            found[value] = found.get(value, 0) + int(times)
    return found


def two_parameter_hessian() -> sp.Matrix:
    """Hessian of φ(w_1, w_2) = ℓ(w_2 w_1) for an arbitrary function ℓ.

    Returns
    -------
    matrix, 2×2
        In the symbols w1, w2, and d1, d2 for ℓ' and ℓ'' at p = w_2 w_1.

    Notes
    -----
    `prop-nonconvex`, page `linear_networks`.
    """
    w1, w2, p, d1, d2 = sp.symbols("w1 w2 p d1 d2", real=True)
    ell = sp.Function("ell")
    hessian = sp.hessian(ell(w2 * w1), (w1, w2)).doit()
    named = {sp.Derivative(ell(p), (p, 2)): d2, sp.Derivative(ell(p), p): d1}

    def at_product(entry: sp.Expr) -> sp.Expr:
        plain = entry.replace(lambda e: isinstance(e, sp.Subs), lambda e: e.expr.subs(e.variables[0], p))
        return plain.subs(named)

    return hessian.applyfunc(at_product)


def mirror(depth: int) -> Midpoints:
    """A network, its mirror image with the signs of W_1 and W_2 turned, and the network halfway.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    Midpoints

    Notes
    -----
    `prop-nonconvex`, page `linear_networks`: the case ℓ(W) < ℓ(0).
    """
    W = _square_layers(depth)
    return _midpoints(W, [-W[0], -W[1], *W[2:]])


def corners(depth: int) -> Midpoints:
    """Two networks with product 0, (2W_1, 0, W_3, …) and (0, 2W_2, W_3, …), and the network halfway.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    Midpoints

    Notes
    -----
    `prop-nonconvex`, page `linear_networks`: the case ℓ(W) > ℓ(0).
    """
    W = _square_layers(depth)
    zero = sp.ZeroMatrix(*W[0].shape)
    return _midpoints([2 * W[0], zero, *W[2:]], [zero, 2 * W[1], *W[2:]])


def _square_layers(depth: int) -> list[sp.MatrixSymbol]:
    d = sp.Symbol("d", integer=True, positive=True)
    return [sp.MatrixSymbol(f"W{j}", d, d) for j in range(1, depth + 1)]


def _midpoints(first: Sequence[sp.MatrixExpr], second: Sequence[sp.MatrixExpr]) -> Midpoints:
    halfway = [(A + B) / 2 for A, B in zip(first, second, strict=True)]
    return Midpoints(*(sp.MatMul(*reversed(w)).doit() for w in (first, second, halfway)))
