"""SymPy derivations for singular values in motion: their speed, the turning of their vectors, one observed entry.

Witnesses, not sources: nothing here uses `lnn`, and nothing in `lnn` uses it. Page `singular_value_dynamics`.
"""

import sympy as sp


def _rotation(name: str) -> sp.Matrix:
    """Every rotation of the plane but one, by rational functions of one symbol: no sine to simplify."""
    t = sp.Symbol(name, real=True)
    return sp.Matrix([[1 - t**2, -2 * t], [2 * t, 1 - t**2]]) / (1 + t**2)


def _product(factors: list[sp.Matrix]) -> sp.Matrix:
    result = sp.eye(2)
    for factor in factors:
        result = (factor * result).applyfunc(sp.cancel)
    return result


def singular_value_defect(depth: int) -> sp.Matrix:
    """Speeds of tr(WWᵀ) and det W along gradient flow, less what the theorem for singular values says they are.

    The layers are W_j = Q_j S Q_{j-1}ᵀ with S = diag(a, b) and Q_0, …, Q_N rotations: balanced networks of 2 × 2
    layers; the gradient of the loss is a matrix of free symbols. By the layers' own rule,
    dW_j/dt = -Aᵀ G Bᵀ with A, B the products above and below, and the product rule gives dW/dt. The theorem gives
    dσ_r/dt = -N (σ_r²)^{1-1/N} ⟨G, u_r v_rᵀ⟩ for σ = (a^N, b^N). No singular vector is differentiated: the trace
    σ_1² + σ_2² and the determinant σ_1 σ_2 together determine both speeds wherever σ_1² ≠ σ_2².

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    sympy.Matrix, 2 × 1
        Zero if the theorem holds; also at b = 0, where W is singular.

    Notes
    -----
    `thm-singular-values`, page `singular_value_dynamics`; [ACHL19].
    """
    a, b = sp.symbols("a b", positive=True)
    G = sp.Matrix(2, 2, sp.symbols("g1:5"))
    turns = [_rotation(f"t{j}") for j in range(depth + 1)]
    layers = [turns[j + 1] * sp.diag(a, b) * turns[j].T for j in range(depth)]
    W = _product(layers)
    velocity = sp.zeros(2, 2)
    for j in range(depth):
        above, below = _product(layers[j + 1 :]), _product(layers[:j])
        outer, inner = (M.applyfunc(sp.cancel) for M in (above * above.T, below.T * below))
        velocity -= outer * G * inner
    of_trace = 2 * (W.T * velocity).trace()
    of_determinant = (W.adjugate() * velocity).trace()

    inside = turns[-1].T * G * turns[0]  # its diagonal: ⟨G, u_r v_rᵀ⟩
    first = -depth * a ** (2 * depth - 2) * inside[0, 0]
    second = -depth * b ** (2 * depth - 2) * inside[1, 1]
    trace = 2 * (a**depth * first + b**depth * second)
    determinant = a**depth * second + b**depth * first
    return sp.Matrix([sp.cancel(of_trace - trace), sp.cancel(of_determinant - determinant)])


def clock(depth: int) -> tuple[sp.Symbol, sp.Expr]:
    """The function h with h'(σ) = 1 / (N σ^{2-2/N}), by which a singular value keeps time: dh(σ_r)/dt = -⟨G, u_r v_rᵀ⟩.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    sigma : sympy.Symbol
        Positive.
    h : sympy.Expr
        σ at depth 1, log(σ)/2 at depth 2, a negative power beyond.

    Notes
    -----
    `cor-integrated`, page `singular_value_dynamics`.
    """
    sigma = sp.Symbol("sigma", positive=True)
    return sigma, sp.integrate(1 / (depth * sigma ** (2 - sp.Rational(2, depth))), sigma)


def one_entry_curve(depth: int) -> dict[str, sp.Expr]:
    """The singular value σ_2 as a function of σ_1 when both follow one observation and their vectors rest.

    Solves h(σ_2) - h(s_2) = κ (h(σ_1) - h(s_1)) for σ_2, with h the `clock` of the depth, s_1 and s_2 the initial
    values, and κ the ratio of the pulls; then lets σ_1 grow.

    Parameters
    ----------
    depth : int
        N ≥ 1.

    Returns
    -------
    dict
        `curve`: σ_2; `defect`, 2 × 1 and zero: the relation above, and dσ_2/dσ_1 less κ (σ_2/σ_1)^{2-2/N}, while the
        base of the power is positive; `limit`: of the curve for σ_1 → ∞ at κ = 1/2, with s_1 = s_2 = s.

    Notes
    -----
    `prop-one-entry`, page `singular_value_dynamics`; [ACHL19].
    """
    sigma, h = clock(depth)
    one, s1, s2, s, base = sp.symbols("sigma_1 s_1 s_2 s base", positive=True)
    kappa, N = sp.Symbol("kappa", real=True), sp.Integer(depth)
    if depth == 1:
        inside, outside = s2 + kappa * (one - s1), base
    elif depth == 2:  # the base is the logarithm of the curve
        inside, outside = sp.log(s2) + kappa * (sp.log(one) - sp.log(s1)), sp.exp(base)
    else:
        p = 1 - 2 / N
        inside, outside = s2**-p + kappa * (one**-p - s1**-p), base ** (-1 / p)
    clocks = [h.subs(sigma, x) for x in (outside, s2, one, s1)]
    relation = clocks[0].subs(base, inside) - clocks[1] - kappa * (clocks[2] - clocks[3])
    slope = sp.diff(outside, base) * sp.diff(inside, one) - kappa * (outside / one) ** (2 - 2 / N)
    curve = s2 * (one / s1) ** kappa if depth == 2 else outside.subs(base, inside)
    grown = curve.subs({kappa: sp.Rational(1, 2), s1: s, s2: s}, simultaneous=True)
    return {
        "curve": curve,
        "defect": sp.Matrix([sp.simplify(sp.expand_log(relation)), sp.simplify(slope)]),
        "limit": sp.simplify(sp.limit(grown, one, sp.oo)),
    }


def singular_vector_defect() -> sp.Matrix:
    """Off-diagonal part of Uᵀ(dW/dt)V: as the stated turning of the vectors makes it, less as the flow makes it.

    With x_r = σ_r^{2/N}, so that σ_r = x_r^{N/2}, and skew matrices A = UᵀdU/dt, B = VᵀdV/dt, the product rule
    makes it (A S - S B)_{12}; the end-to-end dynamics make it -C_{12} (σ_1² - σ_2²)/(x_1 - x_2), where C = Uᵀ G V.

    Returns
    -------
    sympy.Matrix, 2 × 1
        The entries (1, 2) and (2, 1), simplified; zero, because the stated A and B solve both equations.

    Notes
    -----
    `prop-singular-vectors`, page `singular_value_dynamics`; [ACHL19].
    """
    x1, x2, N = sp.symbols("x_1 x_2 N", positive=True)
    C = sp.Matrix(2, 2, sp.symbols("c_11 c_12 c_21 c_22"))
    S = sp.diag(x1 ** (N / 2), x2 ** (N / 2))
    F = sp.Matrix([[0, 1 / (x2 - x1)], [1 / (x1 - x2), 0]])
    A = -F.multiply_elementwise(C * S + S * C.T)
    B = -F.multiply_elementwise(S * C + C.T * S)
    factor = (x1**N - x2**N) / (x1 - x2)
    turned = A * S - S * B
    return sp.Matrix([sp.simplify(turned[i] + factor * C[i]) for i in (1, 2)])
