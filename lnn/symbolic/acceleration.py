"""Acceleration, derived by SymPy: gradient descent and the end-to-end rule on a sum of powers in two coordinates.

Labels `prop-lp-stability`, `claim-acceleration`, `prop-monotone-tuning` and `prop-quadratic-no-gain`, page
`acceleration`; [ACH18].

The loss is L(w) = Σ_i (w_i - y_i)^p / p; the rule is w - η ‖w‖^{2-2/N} (∇L + (N-1) Pr_w ∇L).
"""

import sympy as sp

ETA = sp.Symbol("eta", positive=True)
Y1, Y2 = sp.symbols("y_1 y_2", positive=True)
OMEGA = sp.Symbol("omega", positive=True)
N = sp.Symbol("N", integer=True, positive=True)


def power_gradient(w: sp.Matrix, y: sp.Matrix, p: int) -> sp.Matrix:
    """Gradient of Σ_i (w_i - y_i)^p / p, by differentiation.

    Parameters
    ----------
    w : SymPy column of symbols
    y : SymPy column
    p : int
        Even.

    Returns
    -------
    SymPy column
    """
    loss = sum(((a - b) ** p for a, b in zip(w, y, strict=True)), sp.Integer(0)) / p
    return sp.Matrix([sp.diff(loss, a) for a in w])


def error_factor(p: int) -> tuple[sp.Expr, sp.Symbol]:
    """Factor by which a step of gradient descent multiplies the error Δ = w - y of one coordinate.

    Parameters
    ----------
    p : int
        Even.

    Returns
    -------
    factor : SymPy expression, 1 - η Δ^{p-2}
    error : the symbol Δ
    """
    error, w = sp.Symbol("Delta", real=True), sp.Symbol("w", real=True)
    G = power_gradient(sp.Matrix([w]), sp.Matrix([Y1]), p)[0]
    after = (w - ETA * G - Y1).subs(w, Y1 + error)
    return sp.expand(sp.cancel(after / error)), error


def end_to_end_rule(w: sp.Matrix, G: sp.Matrix, depth: sp.Expr | int) -> sp.Matrix:
    """One step w - η ‖w‖^{2-2/N} (G + (N-1) Pr_w G) of the discrete end-to-end rule with one output.

    Parameters
    ----------
    w, G : SymPy columns
    depth : int or symbol
        N.

    Returns
    -------
    SymPy column
    """
    square = (w.T * w)[0]
    along = (w.T * G)[0] / square * w
    return w - ETA * square ** (1 - sp.Integer(1) / depth) * (G + (depth - 1) * along)


def effective_step(depth: sp.Expr | int) -> tuple[sp.Expr, sp.Symbol]:
    """Factor in front of -∂L/∂w_2 in a step from (y_1, w_2), where coordinate 1 has converged.

    Parameters
    ----------
    depth : int or symbol
        N.

    Returns
    -------
    step : SymPy expression
    second : the symbol w_2
    """
    second, g = sp.Symbol("w_2", nonnegative=True), sp.Symbol("g", real=True)
    w = sp.Matrix([Y1, second])
    moved = second - end_to_end_rule(w, sp.Matrix([0, g]), depth)[1]
    return sp.factor(sp.simplify(moved / g)), second


def landing_step(p: int, depth: int) -> sp.Expr:
    """Step size with which one step from (ω, 0) puts coordinate 1 on y_1 exactly.

    Parameters
    ----------
    p : int
        Even.
    depth : int
        N.

    Returns
    -------
    SymPy expression in ω and y_1
    """
    a, b = sp.symbols("w_1 w_2", real=True)
    G = power_gradient(sp.Matrix([a, b]), sp.Matrix([Y1, Y2]), p).subs({a: OMEGA, b: 0})
    after = end_to_end_rule(sp.Matrix([OMEGA, 0]), G, depth)[0]
    (step,) = sp.solve(sp.Eq(after, Y1), ETA)
    return sp.factor(sp.simplify(step))


def monotone_limit() -> tuple[sp.Expr, sp.Expr, sp.Symbol, sp.Symbol]:
    """Where s^a (1-s)^b is largest on (0, 1), and the inverse κ* of its largest value.

    Returns
    -------
    place : SymPy expression, a/(a+b)
    limit : SymPy expression, (a+b)^{a+b} / (a^a b^b)
    a, b : the symbols; in the text a = 2 - 2/N and b = p - 2
    """
    a, b, s = sp.symbols("a b s", positive=True)
    slope = sp.diff(a * sp.log(s) + b * sp.log(1 - s), s)  # of the logarithm, which is largest at the same place
    (place,) = sp.solve(sp.numer(sp.together(slope)), s)
    limit = sp.simplify((place**a * (1 - place) ** b) ** -1)
    return place, sp.powsimp(sp.expand_power_base(limit, force=True)), a, b


def linearization(depth: sp.Expr | int) -> sp.Matrix:
    """Jacobian of the rule at the minimum (y_1, y_2) for p = 2: I - η P, with P of eigenvalues N‖y‖^a and ‖y‖^a.

    Parameters
    ----------
    depth : int or symbol
        N.

    Returns
    -------
    SymPy matrix, shape (2, 2)
    """
    a, b = sp.symbols("w_1 w_2", positive=True)
    w, y = sp.Matrix([a, b]), sp.Matrix([Y1, Y2])
    after = end_to_end_rule(w, power_gradient(w, y, 2), depth)
    return after.jacobian(w).subs({a: Y1, b: Y2}).applyfunc(sp.simplify)
