"""Derivations of the page `convergence`: one singular mode, from the layers to its closed forms."""

import sympy as sp

s, target, start, t = sp.symbols("s phi s_0 t", positive=True)


def mode_equation(depth: int) -> sp.Expr:
    """Speed of a mode s = a_N ⋯ a_1 under gradient flow on ½(a_N ⋯ a_1 - φ)², all a_j equal to s^{1/N}.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    expression in s and φ

    Notes
    -----
    `prop-saxe`, page `convergence`.
    """
    a = sp.symbols(f"a_1:{depth + 1}", positive=True)
    mode = sp.prod(a)
    objective = (mode - target) ** 2 / 2
    speed = sum(sp.diff(mode, layer) * -sp.diff(objective, layer) for layer in a)
    balanced = speed.subs({layer: s ** sp.Rational(1, depth) for layer in a}, simultaneous=True)
    return sp.factor(sp.powsimp(sp.expand(balanced)))


def mode_solution(depth: int) -> sp.Expr:
    """The mode as a function of time at depth 1 (exponential) or 2 (logistic), solved by SymPy.

    Parameters
    ----------
    depth : {1, 2}

    Returns
    -------
    expression in t, s_0 and φ

    Notes
    -----
    `prop-saxe`, page `convergence`.
    """
    if depth not in (1, 2):
        raise ValueError(f"there is a closed form at depths 1 and 2 only, got {depth}")
    mode = sp.Function("s")
    equation = sp.Eq(mode(t).diff(t), mode_equation(depth).subs(s, mode(t)))
    return sp.simplify(sp.dsolve(equation, mode(t), ics={mode(0): start}).rhs)


def clock(depth: int) -> sp.Expr:
    """An antiderivative of dt/ds = 1 / (N s^{2-2/N} (φ - s)), up to a constant, through s = φ x^N.

    Parameters
    ----------
    depth : int
        N; 1 to 4 come out in logarithms and arc tangents.

    Returns
    -------
    expression in s and φ, for 0 < s < φ

    Notes
    -----
    `prop-saxe`, page `convergence`.
    """
    x = sp.Symbol("x", positive=True)
    inside = sp.apart(x ** (1 - depth) / (1 - x**depth), x)
    integral = sp.integrate(inside, x).replace(sp.log, lambda argument: sp.log(sp.Abs(argument)))
    scaled = integral.subs(x, (s / target) ** sp.Rational(1, depth))
    return scaled / target ** (2 - sp.Rational(2, depth))


def waiting_time(depth: int) -> sp.Expr:
    """Leading term, as s_0 → 0, of the time that a mode needs to become visible: log or power of 1/s_0.

    Parameters
    ----------
    depth : int
        N ≥ 2.

    Returns
    -------
    expression in s_0 and φ

    Notes
    -----
    `prop-saxe`, page `convergence`. Near 0 the speed is N φ s^{2-2/N}; its inverse is integrated from s_0 on.
    """
    if depth < 2:
        raise ValueError(f"at depth 1 the time has a finite limit, got depth {depth}")
    slow = 1 / (depth * target * s ** (2 - sp.Rational(2, depth)))
    primitive = sp.integrate(slow, s)
    return sp.simplify(-primitive.subs(s, start))
