"""SymPy derivation of one descent step on a product of two matrices inside a larger network.

Witnesses, not sources: nothing here uses `lnn`, and nothing in `lnn` uses it. Page `nonlinear_networks`.
"""

import sympy as sp


def _matrix(name: str, rows: int, columns: int) -> sp.Matrix:
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i}{j}", real=True))


def step_remainder(m: int, p: int, n: int) -> sp.Matrix:
    """What is left of the product after one step, less W - η(W2 W2ᵀ G + G W1ᵀ W1) + η² G Wᵀ G with W = W2 W1: zero.

    Parameters
    ----------
    m, p, n : int
        W2 is m×p, W1 is p×n, and the gradient G with respect to the product is m×n, all with free entries.

    Returns
    -------
    sympy.Matrix, m×n

    Notes
    -----
    `prop-inside-a-network`, page `nonlinear_networks`.
    """
    W2, W1, G, eta = _matrix("v", m, p), _matrix("w", p, n), _matrix("g", m, n), sp.Symbol("eta")
    W = W2 * W1
    stepped = (W2 - eta * G * W1.T) * (W1 - eta * W2.T * G)
    return (stepped - (W - eta * (W2 * W2.T * G + G * W1.T * W1) + eta**2 * G * W.T * G)).applyfunc(sp.expand)


def layer_gradients_remainder(m: int, p: int, n: int) -> list[sp.Matrix]:
    """∂/∂W2 and ∂/∂W1 of a function of W = W2 W1, entry by entry, less G W1ᵀ and W2ᵀ G: two zero matrices.

    The function is Σ W_ij³/3 + Σ c_ij W_ij with free c: its gradient takes any value at any point.

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
    W2, W1, C = _matrix("v", m, p), _matrix("w", p, n), _matrix("c", m, n)
    W = W2 * W1
    value = sum(x**3 / 3 + c * x for x, c in zip(W, C, strict=True))
    G = W.applyfunc(lambda x: x**2) + C
    pairs = ((W2, G * W1.T), (W1, W2.T * G))
    return [(X.applyfunc(lambda x: sp.diff(value, x)) - formula).applyfunc(sp.expand) for X, formula in pairs]


def gain_trace_remainder(m: int, p: int, n: int) -> sp.Expr:
    """Trace of I⊗W2 W2ᵀ + W1ᵀ W1⊗I, the map G ↦ W2 W2ᵀ G + G W1ᵀ W1 on columns, less n‖W2‖² + m‖W1‖²: zero.

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
    W2, W1 = _matrix("v", m, p), _matrix("w", p, n)
    matrix = sp.kronecker_product(sp.eye(n), W2 * W2.T) + sp.kronecker_product(W1.T * W1, sp.eye(m))
    return sp.expand(matrix.trace() - n * sum(x**2 for x in W2) - m * sum(x**2 for x in W1))


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
