"""SymPy derivation of one descent step on a product of two matrices inside a larger network.

Witnesses, not sources: nothing here uses `lnn`, and nothing in `lnn` uses it. Page `nonlinear_networks`.
"""

import sympy as sp


def _matrix(name: str, rows: int, columns: int) -> sp.Matrix:
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i}{j}", real=True))


def step_remainder(m: int, p: int, n: int) -> sp.Matrix:
    """What is left of the product after one step, less M - η(AAᵀG + GWᵀW) + η² G Mᵀ G with M = AW: zero.

    Parameters
    ----------
    m, p, n : int
        A is m×p, W is p×n, and the gradient G with respect to the product is m×n, all with free entries.

    Returns
    -------
    sympy.Matrix, m×n

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    A, W, G, eta = _matrix("a", m, p), _matrix("w", p, n), _matrix("g", m, n), sp.Symbol("eta")
    M = A * W
    stepped = (A - eta * G * W.T) * (W - eta * A.T * G)
    return (stepped - (M - eta * (A * A.T * G + G * W.T * W) + eta**2 * G * M.T * G)).applyfunc(sp.expand)


def layer_gradients_remainder(m: int, p: int, n: int) -> list[sp.Matrix]:
    """∂/∂A and ∂/∂W of a function of AW, by the chain rule entry by entry, less GWᵀ and AᵀG: two zero matrices.

    The function is Σ (AW)_ij³/3 + Σ c_ij (AW)_ij with free c: its gradient takes any value at any point.

    Parameters
    ----------
    m, p, n : int

    Returns
    -------
    list of two sympy.Matrix

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    A, W, C = _matrix("a", m, p), _matrix("w", p, n), _matrix("c", m, n)
    M = A * W
    value = sum(x**3 / 3 + c * x for x, c in zip(M, C, strict=True))
    G = M.applyfunc(lambda x: x**2) + C
    pairs = ((A, G * W.T), (W, A.T * G))
    return [(X.applyfunc(lambda x: sp.diff(value, x)) - formula).applyfunc(sp.expand) for X, formula in pairs]


def gain_trace_remainder(m: int, p: int, n: int) -> sp.Expr:
    """Trace of I⊗AAᵀ + WᵀW⊗I, the map G ↦ AAᵀG + GWᵀW on stacked columns, less n‖A‖² + m‖W‖²: zero.

    Parameters
    ----------
    m, p, n : int

    Returns
    -------
    sympy.Expr

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    A, W = _matrix("a", m, p), _matrix("w", p, n)
    matrix = sp.kronecker_product(sp.eye(n), A * A.T) + sp.kronecker_product(W.T * W, sp.eye(m))
    return sp.expand(matrix.trace() - n * sum(x**2 for x in A) - m * sum(x**2 for x in W))


def heavy_ball_slope(steps: int) -> sp.Expr:
    """Coefficient of -η g after k heavy-ball steps with constant gradient g, less Σ_{i=1}^k (1-β^i)/(1-β): zero.

    Parameters
    ----------
    steps : int
        k ≥ 1.

    Returns
    -------
    sympy.Expr

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    beta = sp.Symbol("beta")
    velocity, place = sp.Integer(0), sp.Integer(0)
    for _ in range(steps):
        velocity = beta * velocity + 1
        place += velocity
    return sp.cancel(place - sum((1 - beta**i) / (1 - beta) for i in range(1, steps + 1)))
