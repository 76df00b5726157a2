"""Derivations of the page `large_steps`: Hessians at minimizers, and one step of descent on a product of scalars."""

from collections.abc import Sequence
from functools import reduce
from operator import mul

import sympy as sp

from lnn.symbolic.landscape import layers

eta, w, target = sp.symbols("eta w phi", positive=True)
N, u, alpha = sp.symbols("N u alpha", positive=True)


def hessian_residual(widths: Sequence[int]) -> sp.Matrix:
    """Hessian of ½‖W_N ⋯ W_1 - Φ‖² where W_N ⋯ W_1 = Φ, less the Gram matrix JᵀJ of the derivatives: zero.

    Both by differentiation: the Hessian at free Φ, into which the product is put afterwards.

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    SymPy matrix, one row and column a weight

    Notes
    -----
    `prop-flattest`, page `large_steps`.
    """
    factors = layers(widths)
    W = reduce(mul, reversed(factors))
    goal = sp.Matrix(*W.shape, lambda a, b: sp.Symbol(f"phi_{{{a + 1}{b + 1}}}"))
    objective = sum(r**2 for r in W - goal) / 2
    places = [entry for factor in factors for entry in factor]
    there = dict(zip(goal, W, strict=True))
    J = sp.Matrix(W).reshape(len(W), 1).jacobian(places)
    return (sp.hessian(objective, places).subs(there) - J.T * J).expand()


def scalar_sharpness(depth: int) -> sp.Expr:
    """Trace of the Hessian of ½(w_N ⋯ w_1 - φ)² at a minimizer, where it has rank one: its only eigenvalue but zero.

    Parameters
    ----------
    depth : int
        N ≥ 2. The factor w_N is put in as φ / (w_1 ⋯ w_{N-1}).

    Returns
    -------
    expression in w_1, …, w_{N-1} and φ

    Raises
    ------
    ArithmeticError
        If a minor of order two does not vanish.

    Notes
    -----
    `prop-flattest`, page `large_steps`.
    """
    factors = sp.symbols(f"w_1:{depth + 1}", positive=True)
    H = sp.hessian((sp.prod(factors) - target) ** 2 / 2, factors)
    H = H.subs(factors[-1], target / sp.prod(factors[:-1])).applyfunc(sp.simplify)
    if any(sp.simplify(H[i, i] * H[j, j] - H[i, j] ** 2) != 0 for j in range(depth) for i in range(j)):
        raise ArithmeticError("the Hessian does not have rank one")
    return sp.simplify(H.trace())


def line(depth: int | sp.Expr) -> sp.Expr:
    """One step of descent on ½(w_N ⋯ w_1 - 1)² from N equal factors w.

    Parameters
    ----------
    depth : int or symbol
        For a number it is derived by differentiation, for a symbol the general form is given.

    Returns
    -------
    expression in w and η

    Notes
    -----
    `prop-scalar-edge`, page `large_steps`.
    """
    if isinstance(depth, sp.Expr):
        return w - eta * w ** (depth - 1) * (w**depth - 1)
    factors = sp.symbols(f"w_1:{depth + 1}", positive=True)
    slope = sp.diff((sp.prod(factors) - 1) ** 2 / 2, factors[0])
    return sp.expand(w - eta * slope.subs(dict.fromkeys(factors, w)))


def period_two() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """At depth two: the equation of returns after two steps, and the multipliers of the orbit along and across.

    With u = 1 + η - ηw², the ratio of a factor after and before a step, points that return after two steps with both
    ratios multiplying to one are zeros of the first expression. At its zeros with u² - (1+η)u + 1 = 0 the others are
    the eigenvalues of the derivative of two steps in the plane, along w_1 = w_2 and across it.

    Returns
    -------
    (equation factored, in u and η), (multiplier along, in η), (multiplier across, in η)

    Notes
    -----
    `prop-scalar-edge`, page `large_steps`.
    """
    a = 1 + eta
    x = (a - u) / eta  # w²
    after = x * u**2
    equation = sp.factor(sp.together((a - eta * after) * u - 1))
    step = line(2)
    one = sp.expand(sp.diff(step, w))  # along: g'(w), in w²
    along = one.subs(w, sp.sqrt(x)) * one.subs(w, sp.sqrt((a - 1 / u) / eta))
    across = (1 + eta * (x - 1)) * (
        1 + eta * ((a - 1 / u) / eta - 1)
    )  # of w_1 - w_2, which a step multiplies by 1 + ηg
    relation = u**2 - a * u + 1

    def reduced(value: sp.Expr) -> sp.Expr:
        top, bottom = sp.fraction(sp.together(sp.expand(value)))
        found = sp.rem(sp.expand(top * sp.invert(bottom, relation, u)), relation, u)
        return sp.factor(sp.expand(sp.simplify(found)))

    return equation, reduced(along), reduced(across)


def tripling() -> sp.Expr:
    """At depth two and η = 2, a step from √2 sin α less √2 sin 3α: zero.

    Notes
    -----
    `prop-scalar-edge`, page `large_steps`.
    """
    start = sp.sqrt(2) * sp.sin(alpha)
    return sp.simplify(line(2).subs({eta: 2, w: start}) - sp.sqrt(2) * sp.sin(3 * alpha))


def expansion() -> tuple[sp.Expr, sp.Expr]:
    """At depth two, with B² = 1 + 2/η and g one step: (B² - g²)/(B² - w²), and what g'² exceeds nine times it by.

    Returns
    -------
    (quotient, excess), both factored

    Notes
    -----
    `prop-scalar-edge`, page `large_steps`.
    """
    step, edge = line(2), 1 + 2 / eta
    quotient = sp.factor(sp.cancel((edge - step**2) / (edge - w**2)))
    return quotient, sp.factor(sp.expand(sp.diff(step, w) ** 2 - 9 * quotient))


def oval() -> sp.Expr:
    """At depth two, Q after a step over Q before, with Q = w_1² + w_2² - ηw_1w_2 - (4/η - η), at any two factors.

    Returns
    -------
    expression in w_1, w_2 and η, factored

    Notes
    -----
    `prop-scalar-edge`, page `large_steps`.
    """
    before = sp.symbols("w_1:3", real=True)
    objective = (sp.prod(before) - 1) ** 2 / 2
    after = [v - eta * sp.diff(objective, v) for v in before]
    Q = [x**2 + y**2 - eta * x * y - (4 / eta - eta) for x, y in (before, after)]
    return sp.factor(sp.cancel(Q[1] / Q[0]))


def doubling() -> sp.Expr:
    """The coefficient κ = 2(a² + b) of period doubling at η = 2/N, with g(1+x) = 1 - x + ax² + bx³ + …, at any depth.

    Returns
    -------
    expression in N, factored

    Notes
    -----
    `prop-scalar-edge`, page `large_steps`.
    """
    step = line(N)
    a, b = (sp.diff(step, w, k).subs(w, 1).subs(eta, 2 / N) / sp.factorial(k) for k in (2, 3))
    return sp.factor(sp.simplify(2 * (a**2 + b)))


def burned(depth: int) -> sp.Expr:
    """Factor by which one step of descent on ℓ(w_N ⋯ w_1) multiplies w_2² - w_1², for any loss with ℓ' = g there.

    Parameters
    ----------
    depth : int

    Returns
    -------
    expression in the factors, η and g

    Notes
    -----
    `prop-burn-off`, page `large_steps`.
    """
    g = sp.Symbol("g", real=True)
    factors = sp.symbols(f"w_1:{depth + 1}", real=True)
    after = [factor - eta * g * sp.diff(sp.prod(factors), factor) for factor in factors[:2]]
    return sp.factor(sp.cancel((after[1] ** 2 - after[0] ** 2) / (factors[1] ** 2 - factors[0] ** 2)))
