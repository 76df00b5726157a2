"""The completion of [∗ 1; 1 0]: its solutions, the determinant along the flow, and how fast the hidden entry grows.

Behind `prop-completions`, `prop-determinant` and `thm-norms-to-infinity` of the page `beyond_norms`. Solutions are
written with the parameter τ of w_11 = 2 sinh τ, in which all their singular values are exponentials.
"""

from typing import NamedTuple

import sympy as sp

tau = sp.Symbol("tau", nonnegative=True)


class Completion(NamedTuple):
    """A completion of [∗ 1; 1 0], with its singular values, the larger first."""

    W: sp.Matrix
    values: tuple[sp.Expr, sp.Expr]


class Rates(NamedTuple):
    """A rate derived entry by entry, and the formula for it."""

    entrywise: sp.Expr
    formula: sp.Expr


def completion() -> Completion:
    """The completion with w_11 = 2 sinh τ; its singular values are e^τ and e^{-τ}.

    Returns
    -------
    Completion

    Notes
    -----
    `prop-completions`, page `beyond_norms`; [RC20].
    """
    W = sp.Matrix([[2 * sp.sinh(tau), 1], [1, 0]])
    return Completion(W, (sp.exp(tau), sp.exp(-tau)))


def characteristic_remainders() -> tuple[sp.Expr, sp.Expr]:
    """det(WᵀW - σ²I) at the two values σ of `completion`: both are 0.

    Returns
    -------
    tuple of two expressions

    Notes
    -----
    `prop-completions`, page `beyond_norms`.
    """
    W, values = completion()
    gram = (W.T * W).applyfunc(lambda entry: entry.rewrite(sp.exp))
    first, second = (sp.simplify(sp.expand((gram - s**2 * sp.eye(2)).det())) for s in values)
    return first, second


def schatten_power(p: sp.Expr) -> sp.Expr:
    """Σ σ_r^p of the completion with w_11 = 2 sinh τ, for p > 0: the p-th power of its Schatten-p (quasi-)norm.

    Parameters
    ----------
    p : expression

    Returns
    -------
    expression
        2 cosh(pτ), in its hyperbolic form.

    Notes
    -----
    `prop-completions`, page `beyond_norms`.
    """
    _, values = completion()
    return sp.simplify(sum(sp.exp(p * sp.log(s)) for s in values).rewrite(sp.cosh))


def entropy_slope() -> Rates:
    """Derivative in τ of the entropy whose exponential is the effective rank, and the formula -τ / cosh²τ.

    Returns
    -------
    Rates

    Notes
    -----
    `prop-completions`, page `beyond_norms`; [RV07].
    """
    _, values = completion()
    shares = [s / sum(values) for s in values]
    entropy = -sum(s * sp.log(s) for s in shares)
    return Rates(sp.diff(entropy, tau), -tau / sp.cosh(tau) ** 2)


def determinant_rate(depth: int) -> Rates:
    """Derivative of det W along the end-to-end flow of a 2×2 matrix W = UΣVᵀ, and -N det W ⟨UΣ^{1-2/N}Vᵀ, G⟩.

    The derivative is that of det(W + h dW/dt) at h = 0, with G = ∇ℓ(W) of four symbols, and U, V rotations.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    Rates
        In the symbols a, b (angles), s1, s2 (singular values), g11 … g22.

    Notes
    -----
    `prop-determinant`, page `beyond_norms`.
    """
    a, b = sp.symbols("a b", real=True)
    s = sp.symbols("s1 s2", positive=True)
    U, V = (sp.Matrix([[sp.cos(x), -sp.sin(x)], [sp.sin(x), sp.cos(x)]]) for x in (a, b))
    G = sp.Matrix(2, 2, sp.symbols("g11 g12 g21 g22", real=True))

    def power(exponent: sp.Rational) -> sp.Matrix:
        return sp.diag(*(x**exponent for x in s))

    velocity = sp.zeros(2, 2)
    for j in range(1, depth + 1):
        left, right = sp.Rational(2 * (depth - j), depth), sp.Rational(2 * (j - 1), depth)
        velocity -= U * power(left) * U.T * G * V * power(right) * V.T
    W = U * sp.diag(*s) * V.T
    h = sp.Symbol("h")
    entrywise = sp.diff((W + h * velocity).det(), h).subs(h, 0)
    polar = U * power(1 - sp.Rational(2, depth)) * V.T
    formula = -depth * s[0] * s[1] * sum(p * g for p, g in zip(polar, G, strict=True))
    return Rates(entrywise, formula)


def sharp_bound(order: int) -> Rates:
    """Series in r = √(2ℓ) of the least |w_11| with det W ≥ 0 at loss ℓ, and of the bound √(1/r² - 2).

    With w_12 = w_21 = 1 - s and the rest of the loss in w_22 the determinant vanishes at |w_11| = (1-s)² / √(r² - 2s²).
    The s at which this is least, the root q of q + q² = r², is found from the derivative.

    Parameters
    ----------
    order : int
        Terms up to r^order.

    Returns
    -------
    Rates
        The sharp series as `entrywise`, that of the bound as `formula`, without the order terms.

    Notes
    -----
    `thm-norms-to-infinity`, page `beyond_norms`.
    """
    r, s = sp.symbols("r s", positive=True)
    square = (1 - s) ** 4 / (r**2 - 2 * s**2)
    stationary = sp.factor(sp.numer(sp.together(sp.diff(square, s))))
    (q,) = {root for root in sp.solve(stationary, s) if root.subs(r, sp.Rational(1, 10)) < sp.Rational(1, 2)}
    # Both are 1/r times a power series in r.
    least = sp.series(square.subs(s, q) * r**2, r, 0, order + 3).removeO()
    sharp = sp.series(sp.sqrt(least), r, 0, order + 2).removeO()
    bound = sp.series(sp.sqrt(1 - 2 * r**2), r, 0, order + 2).removeO()
    return Rates(sp.expand(sharp / r), sp.expand(bound / r))


def late_rate() -> tuple[sp.Expr, sp.Expr]:
    """Leading terms, for large λ, of w_12 - 1 and of ⟨u, ∇ℓ u⟩ at W = λuuᵀ where u rests.

    The direction u = (cos θ, sin θ) rests where ⟨u_⊥, ∇ℓ(W) u⟩ = 0. The ansatz θ = 1/λ + k/λ³ solves this to leading
    order for one k.

    Returns
    -------
    residual, slope : expressions in λ

    Notes
    -----
    `rem-rate`, page `beyond_norms`.
    """
    lam, e = sp.symbols("lambda epsilon", positive=True)
    k = sp.Symbol("k", real=True)
    theta = e + k * e**3  # e = 1/λ
    c, s = (sp.series(f(theta), e, 0, 9).removeO() for f in (sp.cos, sp.sin))
    y, z = sp.expand(c * s / e), sp.expand(s**2 / e)
    G = sp.Matrix([[0, y - 1], [y - 1, z]])
    u, across = sp.Matrix([c, s]), sp.Matrix([-s, c])
    turning, along = (sp.expand((v.T * G * u)[0]) for v in (across, u))
    (root,) = sp.solve(turning.coeff(e, 2), k)

    def leading(expression: sp.Expr) -> sp.Expr:
        return sp.expand(expression.subs(k, root)).as_leading_term(e).subs(e, 1 / lam)

    return leading(sp.expand(y - 1)), leading(along)
