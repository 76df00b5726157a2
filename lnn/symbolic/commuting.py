"""Gradient flow from a multiple of the identity with commuting measurements: closed form, potential, and Schatten sums.

Behind `thm-commuting`, `prop-selection` and `prop-schatten` of the page `matrix_completion`. In a common eigenbasis
every eigenvalue λ of the end-to-end matrix has its own equation dλ/dt = N λ^{2-2/N} du/dt, where u is the same
eigenvalue of 𝒜*(s), and ds/dt = y - 𝒜(W).
"""

from typing import NamedTuple

import sympy as sp

alpha = sp.Symbol("alpha", positive=True)
lam, x = sp.symbols("lambda x", positive=True)
u, t = sp.symbols("u t", real=True)


class Eigenvalue(NamedTuple):
    """λ as a function `outer` of `base`, and the base as a function `inner` of u, for one depth."""

    outer: sp.Expr
    inner: sp.Expr
    base: sp.Symbol

    @property
    def value(self) -> sp.Expr:
        """λ as a function of u."""
        return self.outer.subs(self.base, self.inner)


class Potential(NamedTuple):
    """The potential h of one depth, its slope h', and the divergence D(x, λ) = h(x) - h(λ) - h'(λ)(x - λ)."""

    h: sp.Expr
    slope: sp.Expr
    divergence: sp.Expr


class Path(NamedTuple):
    """Σ σ^p along a segment of matrices of trace 1, with its first two derivatives at the start."""

    value: sp.Expr
    first: sp.Expr
    second: sp.Expr


def eigenvalue(depth: int) -> Eigenvalue:
    """Eigenvalue λ(u) of the end-to-end matrix when all layers start at α I.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    Eigenvalue
        α² exp(2u) at depth 2, (α^{-(N-2)} - (N-2) u)^{-N/(N-2)} beyond.

    Notes
    -----
    `thm-commuting`, page `matrix_completion`; [ACHL19].
    """
    base = sp.Symbol("base", positive=True)
    N = sp.Integer(depth)
    if depth == 2:
        return Eigenvalue(sp.exp(base), 2 * sp.log(alpha) + 2 * u, base)
    return Eigenvalue(base ** (-N / (N - 2)), alpha ** (2 - N) - (N - 2) * u, base)


def eigenvalue_defect(depth: int) -> sp.Matrix:
    """What `eigenvalue` leaves of dλ/du = N λ^{2-2/N}, and of λ(0) = α^N.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    sympy.Matrix, 2 × 1
        Zero.

    Notes
    -----
    `thm-commuting`, page `matrix_completion`.
    """
    N = sp.Integer(depth)
    outer, inner, base = eigenvalue(depth)
    slope = sp.diff(outer, base) * sp.diff(inner, u)
    equation = slope - N * outer ** (2 - 2 / N)
    start = eigenvalue(depth).value.subs(u, 0) - alpha**N
    return sp.Matrix([sp.simplify(equation), sp.simplify(start)])


def slack(depth: int) -> sp.Expr:
    """1 less the eigenvalue of 𝒜*(z), where z is s in the units in which it becomes a dual vector, as a function of λ.

    The units are log(1/α) at depth 2 and α^{-(N-2)}/(N-2) beyond: minus the slope of the potential at α^N.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    expression in α and λ
        Tends to 0 with α for every fixed λ > 0: complementary slackness.

    Notes
    -----
    `thm-commuting`, page `matrix_completion`.
    """
    N = sp.Integer(depth)
    inner = eigenvalue(depth).inner
    reached = sp.log(lam) if depth == 2 else lam ** (-(N - 2) / N)  # the base at which λ is reached
    found = (reached - inner.subs(u, 0)) / sp.diff(inner, u)
    unit = -potential(depth).slope.subs(lam, alpha**depth)
    return sp.simplify(sp.expand_log(1 - found / unit))


def potential(depth: int) -> Potential:
    """The potential with h'' = 1 / (N λ^{2-2/N}), h(0) = 0, for which the flow is a mirror flow.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    Potential
        In λ, the divergence in x and λ. At depth 2, h = (λ log λ - λ)/2: minus an entropy. Beyond,
        h = -N/(2(N-2)) λ^{2/N}: minus the power sum of a Schatten quasi-norm.

    Notes
    -----
    `thm-commuting` and `prop-selection`, page `matrix_completion`.
    """
    N = sp.Integer(depth)
    curvature = 1 / (N * lam ** (2 - 2 / N))
    slope = sp.integrate(curvature, lam)
    h = sp.integrate(slope, lam)
    divergence = sp.expand(h.subs(lam, x) - h - slope * (x - lam))
    return Potential(sp.simplify(h), slope, sp.simplify(divergence))


def schatten_path(p: sp.Expr, d: sp.Expr) -> Path:
    """Σ σ^p along I/d + t (e_1 e_1ᵀ - e_2 e_2ᵀ), matrices of trace 1, with its derivatives at t = 0.

    Parameters
    ----------
    p, d : expressions
        Exponent and size.

    Returns
    -------
    Path
        The first derivative is 0, the second 2p(p-1) d^{2-p}: negative for 0 < p < 1.

    Notes
    -----
    `prop-schatten`, page `matrix_completion`; [ACHL19].
    """
    value = (1 / d + t) ** p + (1 / d - t) ** p + (d - 2) * d ** (-p)
    first, second = (sp.simplify(sp.diff(value, t, order).subs(t, 0)) for order in (1, 2))
    return Path(value, first, second)
