"""Acceleration, derived by SymPy: descent, the end-to-end rule and descent over the layers, in two coordinates.

Page `acceleration`; [ACH18].

The loss is L(w) = Σ_i |w_i - y_i|^p / p; the rule is w - η ‖w‖^{2-2/N} (∇L + (N-1) Pr_w ∇L); the layers are a row
(u, v) and N-1 scalars.
"""

import sympy as sp

ETA = sp.Symbol("eta", positive=True)
Y1, Y2 = sp.symbols("y_1 y_2", positive=True)
OMEGA = sp.Symbol("omega", positive=True)
N = sp.Symbol("N", integer=True, positive=True)
P = sp.Symbol("p", positive=True)
_GAP = sp.Symbol("Gamma", positive=True)  # y_1 - ω: positive, which SymPy cannot see of a difference


def power_gradient(w: sp.Matrix, y: sp.Matrix, p: sp.Expr | int) -> sp.Matrix:
    """Gradient of Σ_i |w_i - y_i|^p / p, by differentiation.

    Parameters
    ----------
    w : SymPy column of symbols
    y : SymPy column
    p : int or symbol

    Returns
    -------
    SymPy column
    """
    loss = sum((sp.Abs(a - b) ** p for a, b in zip(w, y, strict=True)), sp.Integer(0)) / p
    return sp.Matrix([sp.diff(loss, a) for a in w])


def error_factor(p: sp.Expr | int, sign: int = 1) -> tuple[sp.Expr, sp.Symbol]:
    """Factor by which a step of gradient descent multiplies the error Δ = w - y of one coordinate.

    Parameters
    ----------
    p : int or symbol
    sign : {1, -1}
        Of the error.

    Returns
    -------
    factor : SymPy expression, 1 - η |Δ|^{p-2}
    size : the symbol |Δ|

    Notes
    -----
    `prop-lp-stability`.
    """
    size = sp.Symbol("Delta", positive=True)
    w, y = sp.symbols("w y", real=True)
    G = power_gradient(sp.Matrix([w]), sp.Matrix([y]), p)[0].subs(w, y + sign * size)
    return sp.powsimp(sp.expand((sign * size - ETA * G) / (sign * size))), size


def end_to_end_rule(w: sp.Matrix, G: sp.Matrix, depth: sp.Expr | int) -> sp.Matrix:
    """One step w - η ‖w‖^{2-2/N} (G + (N-1) Pr_w G) of the discrete end-to-end rule with one output.

    Parameters
    ----------
    w, G : SymPy columns
    depth : int or symbol
        The depth N.

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
        The depth N.

    Returns
    -------
    step : SymPy expression
    second : the symbol w_2

    Notes
    -----
    `claim-acceleration`, part 2.
    """
    second, g = sp.Symbol("w_2", nonnegative=True), sp.Symbol("g", real=True)
    w = sp.Matrix([Y1, second])
    moved = second - end_to_end_rule(w, sp.Matrix([0, g]), depth)[1]
    return sp.factor(sp.simplify(moved / g)), second


def _first_gradient(p: sp.Expr | int) -> sp.Matrix:
    """Gradient of the loss at (ω, 0), in ω, y_2 and Γ = y_1 - ω."""
    a, b, y = sp.symbols("w_1 w_2 y", real=True)
    G = power_gradient(sp.Matrix([a, b]), sp.Matrix([y, Y2]), p)
    return sp.powsimp(G.subs(y, a + _GAP).subs({a: OMEGA, b: 0}))


def landing_step(p: sp.Expr | int, depth: sp.Expr | int) -> sp.Expr:
    """Step size with which one step of the rule from (ω, 0) puts coordinate 1 on y_1 exactly.

    Parameters
    ----------
    p, depth : int or symbol
        p, N.

    Returns
    -------
    SymPy expression in ω and y_1

    Notes
    -----
    `claim-acceleration`, part 2.
    """
    after = end_to_end_rule(sp.Matrix([OMEGA, 0]), _first_gradient(p), depth)[0]
    (step,) = sp.solve(sp.Eq(after, OMEGA + _GAP), ETA)
    return sp.powsimp(sp.simplify(step)).subs(_GAP, Y1 - OMEGA)


def layers_step(w: sp.Matrix, z: sp.Expr, G: sp.Matrix, depth: int) -> tuple[sp.Matrix, list[sp.Expr]]:
    """One step of gradient descent over a row (u, v) and N-1 scalars, by differentiating their product.

    Parameters
    ----------
    w : SymPy column
        The row (u, v).
    z : SymPy expression
        Value of all N-1 scalars before the step.
    G : SymPy column
        Gradient of the loss at the product.
    depth : int
        The depth N.

    Returns
    -------
    row : SymPy column, (u, v) after the step
    scalars : list of the N-1 scalars after the step
    """
    u, v, *scalars = symbols = sp.symbols(f"u v z_2:{depth + 1}", positive=True)
    product = sp.prod(scalars) * sp.Matrix([u, v])
    slopes = product.jacobian(sp.Matrix(symbols)).T * G
    place = {u: w[0], v: w[1], **dict.fromkeys(scalars, z)}
    after = [(symbol - ETA * slope).subs(place) for symbol, slope in zip(symbols, slopes, strict=True)]
    return sp.Matrix(after[:2]), after[2:]


def layers_defect(depth: int) -> sp.Matrix:
    """What a step over the layers leaves of w ← (1 - k)^{N-1} (w - h ∇L), z ← z (1 - k), k = h ⟨w, ∇L⟩ / z^{2N}.

    Parameters
    ----------
    depth : int
        N; h = η z^{2N-2}.

    Returns
    -------
    SymPy column: the differences in w_1, w_2 and every scalar, all zero

    Notes
    -----
    `thm-acceleration-layers`, part 1.
    """
    u, v, z = sp.symbols("u v z", positive=True)
    G = sp.Matrix(sp.symbols("g_1 g_2", real=True))
    row, scalars = layers_step(sp.Matrix([u, v]), z, G, depth)
    w, h = z ** (depth - 1) * sp.Matrix([u, v]), ETA * z ** (2 * depth - 2)
    k = h * (w.T * G)[0] / z ** (2 * depth)
    product = sp.prod(scalars) * row - (1 - k) ** (depth - 1) * (w - h * G)
    return sp.Matrix([*product, *(after - z * (1 - k) for after in scalars)]).applyfunc(sp.simplify)


def layers_landing(p: sp.Expr | int, depth: int, step: sp.Expr = ETA) -> sp.Expr:
    """First coordinate of the product after one step over the layers from balanced factors of (ω, 0).

    Parameters
    ----------
    p : int or symbol
    depth : int
        The depth N.
    step : SymPy expression in ω and y_1
        The step size.

    Returns
    -------
    SymPy expression in ω and y_1
    """
    root = OMEGA ** sp.Rational(1, depth)
    row, scalars = layers_step(sp.Matrix([root, 0]), root, _first_gradient(p), depth)
    return (sp.prod(scalars) * row[0]).subs(ETA, step).subs(_GAP, Y1 - OMEGA)


def layers_landing_step(p: sp.Expr | int, depth: int) -> sp.Expr:
    """Step size with which one step over the layers from (ω, 0) puts every factor on y_1^{1/N}.

    Parameters
    ----------
    p : int or symbol
    depth : int
        The depth N.

    Returns
    -------
    SymPy expression in ω and y_1

    Notes
    -----
    `thm-acceleration-layers`, part 2.
    """
    root, target = OMEGA ** sp.Rational(1, depth), Y1 ** sp.Rational(1, depth)
    row, scalars = layers_step(sp.Matrix([root, 0]), root, _first_gradient(p), depth)
    steps = {sp.powsimp(sp.simplify(sp.solve(factor - target, ETA)[0])) for factor in (row[0], *scalars)}
    (step,) = steps  # the same for all factors
    return step.subs(_GAP, Y1 - OMEGA)


def monotone_limit() -> tuple[sp.Expr, sp.Expr, sp.Symbol, sp.Symbol]:
    """Where s^a (1-s)^b is largest on (0, 1), and the inverse κ* of its largest value.

    Returns
    -------
    place : SymPy expression, a/(a+b)
    limit : SymPy expression, (a+b)^{a+b} / (a^a b^b)
    a, b : the symbols; in the text a = 2 - 2/N and b = p - 2

    Notes
    -----
    `prop-monotone-tuning`, part 1.
    """
    a, b, s = sp.symbols("a b s", positive=True)
    slope = sp.diff(a * sp.log(s) + b * sp.log(1 - s), s)  # of the logarithm, which is largest at the same place
    (place,) = sp.solve(sp.numer(sp.together(slope)), s)
    limit = sp.simplify((place**a * (1 - place) ** b) ** -1)
    return place, sp.powsimp(sp.expand_power_base(limit, force=True)), a, b


def linearization(depth: sp.Expr | int) -> tuple[sp.Matrix, sp.Matrix]:
    """Jacobian of the rule at the minimum y of ½ (w - y)ᵀ H (w - y), for any symmetric H in two dimensions.

    Parameters
    ----------
    depth : int or symbol
        The depth N.

    Returns
    -------
    jacobian : SymPy matrix, shape (2, 2)
    H : SymPy matrix of symbols, shape (2, 2)

    Notes
    -----
    `prop-quadratic-no-gain`, part 2, by differentiating the rule.
    """
    w, y = sp.Matrix(sp.symbols("w_1 w_2", positive=True)), sp.Matrix([Y1, Y2])
    h, k, m = sp.symbols("h k m", real=True)
    H = sp.Matrix([[h, k], [k, m]])
    after = end_to_end_rule(w, H * (w - y), depth)
    return after.jacobian(w).subs(dict(zip(w, y, strict=True))).applyfunc(sp.simplify), H
