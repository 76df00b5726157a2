"""Diagonal and convolutional networks, and brackets of gradient fields: which parametrizations make a mirror flow.

Witnesses, not sources: nothing here uses `lnn`, and nothing in `lnn` uses it. Page `other_networks`. A signed diagonal
network writes a coordinate as u^N - v^N; gradient flow with the gradient g at it is du/dt = -N u^{N-1} g,
dv/dt = N v^{N-1} g.
"""

from collections.abc import Sequence
from typing import NamedTuple

import sympy as sp

alpha, u, v, w = sp.symbols("alpha u v w", positive=True)
g, xi = sp.symbols("g xi", real=True)


class Ends(NamedTuple):
    """What a potential of one coordinate tends to, for small and for large scales."""

    small: sp.Expr
    large: sp.Expr


def hyperbolic_entropy() -> sp.Expr:
    """The hyperbolic entropy of one coordinate w at scale α.

    Returns
    -------
    expression in w and α
        w arcsinh(w/(2α²)) - sqrt(w² + 4α⁴) + 2α².

    Notes
    -----
    `thm-hyperbolic-entropy`, page `other_networks`; [WGLS20].
    """
    return w * sp.asinh(w / (2 * alpha**2)) - sp.sqrt(w**2 + 4 * alpha**4) + 2 * alpha**2


def hyperbolic_defect() -> sp.Matrix:
    """What is left of sinh q'(w(ξ)) = sinh 4ξ, q(0) = 0 and q'' = 1/sqrt(w² + 4α⁴), where w(ξ) = 2α² sinh 4ξ.

    Returns
    -------
    sympy.Matrix, 3 × 1
        Zero.

    Notes
    -----
    `thm-hyperbolic-entropy`, page `other_networks`.
    """
    q = hyperbolic_entropy()
    slope = sp.simplify(sp.diff(q, w))
    along = sp.sinh(slope.subs(w, 2 * alpha**2 * sp.sinh(4 * xi))) - sp.sinh(4 * xi)
    curvature = sp.diff(slope, w) - 1 / sp.sqrt(w**2 + 4 * alpha**4)
    return sp.Matrix([sp.simplify(along), q.subs(w, 0), sp.simplify(curvature)])


def hyperbolic_ends() -> Ends:
    """Limits of q/log(1/α²) as α → 0, and of 4α² q as α → ∞.

    Returns
    -------
    Ends
        w, for w > 0, and w²: the ℓ_1 norm and the square of the ℓ_2 norm.

    Notes
    -----
    `thm-hyperbolic-entropy`, page `other_networks`; [WGLS20].
    """
    scale = sp.Symbol("b", positive=True)  # α²
    q = hyperbolic_entropy().subs(alpha, sp.sqrt(scale)).rewrite(sp.log)
    small = sp.limit(sp.expand_log(sp.simplify(q)) / sp.log(1 / scale), scale, 0, "+")
    large = sp.series(hyperbolic_entropy().subs(alpha, 1 / sp.sqrt(scale)) * 4 / scale, scale, 0, 1).removeO()
    return Ends(sp.simplify(small), sp.simplify(large))


def conserved(depth: int) -> sp.Expr:
    """The function of (u, v) that gradient flow of u^N - v^N conserves.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    expression in u and v
        u v at depth 2, u^{2-N} + v^{2-N} beyond.

    Notes
    -----
    `thm-hyperbolic-entropy` and `prop-diagonal-depth`, page `other_networks`.
    """
    return u * v if depth == 2 else u ** (2 - depth) + v ** (2 - depth)


def conserved_rate(depth: int) -> sp.Expr:
    """Rate of `conserved` along the flow, for any gradient g: zero.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    expression

    Notes
    -----
    `thm-hyperbolic-entropy` and `prop-diagonal-depth`, page `other_networks`.
    """
    law, N = conserved(depth), depth
    return sp.simplify(sp.diff(law, u) * (-N * u ** (N - 1) * g) + sp.diff(law, v) * (N * v ** (N - 1) * g))


def depth_defect(depth: int) -> sp.Matrix:
    """What is left of du/dξ = N u^{N-1} and u(0) = α, for u = (α^{2-N} - N(N-2) ξ)^{-1/(N-2)}, and the same of v.

    Parameters
    ----------
    depth : int
        N ≥ 3.

    Returns
    -------
    sympy.Matrix, 4 × 1
        Zero.

    Notes
    -----
    `prop-diagonal-depth`, page `other_networks`; [WGLS20].
    """
    N = sp.Integer(depth)
    base = sp.Symbol("base", positive=True)
    found = []
    for sign in (1, -1):
        inner = alpha ** (2 - N) - sign * N * (N - 2) * xi
        outer = base ** (-1 / (N - 2))
        rate = sp.diff(outer, base) * sp.diff(inner, xi) - sign * N * outer ** (N - 1)
        found += [sp.simplify(rate), sp.simplify(outer.subs(base, inner).subs(xi, 0) - alpha)]
    return sp.Matrix(found)


def circulant_defect(size: int) -> sp.Matrix:
    """F C - diag(√d F a) F, where C is the matrix of b ↦ a ⋆ b and F the unitary Fourier matrix.

    Parameters
    ----------
    size : int
        d ≥ 1.

    Returns
    -------
    sympy.Matrix, d × d
        Zero.

    Notes
    -----
    `prop-circulant`, page `other_networks`; [GLSS18].
    """
    a = sp.symbols(f"a:{size}", real=True)
    C = sp.Matrix(size, size, lambda i, k: a[(i - k) % size])
    F = sp.Matrix(size, size, lambda f, k: sp.exp(-2 * sp.pi * sp.I * f * k / size)) / sp.sqrt(size)
    eigenvalues = sp.sqrt(size) * F * sp.Matrix(a)
    return (F * C - sp.diag(*eigenvalues) * F).applyfunc(lambda entry: sp.simplify(sp.expand_complex(entry)))


def bracket(first: sp.Expr, second: sp.Expr, variables: Sequence[sp.Symbol]) -> sp.Matrix:
    """Lie bracket of two gradient fields, Hess(second) ∇first - Hess(first) ∇second.

    Parameters
    ----------
    first, second : expressions
        Two outputs of a model.
    variables : sequence of symbols
        Its parameters.

    Returns
    -------
    sympy.Matrix
        A column with an entry for each parameter.

    Notes
    -----
    `prop-commuting-parametrization`, page `other_networks`; [LWLA22].
    """
    slopes = [sp.Matrix([sp.diff(output, x) for x in variables]) for output in (first, second)]
    found = sp.hessian(second, variables) * slopes[0] - sp.hessian(first, variables) * slopes[1]
    return found.applyfunc(sp.factor)


def product_brackets() -> tuple[sp.Matrix, sp.Matrix]:
    """Brackets of two outputs in a row of a product W2 W1 of 2 × 2 matrices, and of u1² - v1² and u2² - v2².

    Returns
    -------
    two of sympy.Matrix
        With the entries of W1, row by row, and then those of W2: not zero. With (u1, v1, u2, v2): zero.

    Notes
    -----
    `prop-commuting-parametrization`, page `other_networks`.
    """
    a, b = sp.symbols("a:4"), sp.symbols("b:4")
    W = sp.Matrix(2, 2, b) * sp.Matrix(2, 2, a)
    x = sp.symbols("u1 v1 u2 v2")
    diagonal = bracket(x[0] ** 2 - x[1] ** 2, x[2] ** 2 - x[3] ** 2, x)
    return bracket(W[0, 0], W[0, 1], [*a, *b]), diagonal


def end_to_end_bracket(depth: int) -> sp.Matrix:
    """Bracket at I of the end-to-end fields of two linear losses, A = e1 e1ᵀ and B = e1 e2ᵀ, for 2 × 2 matrices.

    The field of A is W ↦ Σ_j [WWᵀ]^{(N-j)/N} A [WᵀW]^{(j-1)/N}; near I, [I + E]^p = I + p E up to second order.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    sympy.Matrix, 2 × 2
        N(N-1)/2 times e1 e2ᵀ - e2 e1ᵀ.

    Notes
    -----
    `prop-commuting-parametrization`, page `other_networks`.
    """
    N = sp.Integer(depth)
    A, B = sp.Matrix([[1, 0], [0, 0]]), sp.Matrix([[0, 1], [0, 0]])

    def derivative(field: sp.Matrix, H: sp.Matrix) -> sp.Matrix:
        total = sp.zeros(2, 2)
        for j in range(1, depth + 1):
            total += (N - j) / N * (H + H.T) * field + (j - sp.Integer(1)) / N * field * (H + H.T)
        return total

    return derivative(B, N * A) - derivative(A, N * B)
