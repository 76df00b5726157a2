"""Balance, derived by SymPy: the differences W_{j+1}ᵀW_{j+1} - W_jW_jᵀ under flow, decay, a step, and inertia.

Labels `prop-conservation`, `cor-weight-decay`, `prop-gd-drift` and `prop-heavy-ball`, page `balancedness`; [ACH18].

Every function builds a network of free symbols. The gradient of the loss at the end-to-end matrix is one more matrix
of free symbols: nothing is assumed about the loss, so what comes out holds for every differentiable one.
"""

from collections.abc import Sequence

import sympy as sp

Matrices = tuple[sp.Matrix, ...]

ETA = sp.Symbol("eta", positive=True)
LAMBDA = sp.Symbol("lambda", positive=True)
GAMMA = sp.Symbol("gamma", positive=True)


def _symbols(name: str, rows: int, columns: int) -> sp.Matrix:
    return sp.Matrix(rows, columns, lambda a, b: sp.Symbol(f"{name}_{{{a + 1}{b + 1}}}", real=True))


def network(widths: Sequence[int], name: str = "w") -> Matrices:
    """A network of free symbols.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    name : str
        Entry (a, b) of layer j is printed as this letter with the superscript (j) and the index ab.

    Returns
    -------
    tuple of N SymPy matrices, the j-th of shape (d_j, d_{j-1})
    """
    return tuple(_symbols(f"{name}^{{({j})}}", widths[j], widths[j - 1]) for j in range(1, len(widths)))


def loss_gradient(widths: Sequence[int]) -> sp.Matrix:
    """The gradient of an arbitrary loss at the end-to-end matrix: free symbols g_ab.

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    SymPy matrix, shape (d_N, d_0)
    """
    return _symbols("g", widths[-1], widths[0])


def layer_gradients(weights: Matrices, G: sp.Matrix) -> Matrices:
    """Gradients of ℓ(W_N ⋯ W_1) with respect to the layers, by differentiation and the chain rule.

    The partial derivative in one entry w is Σ_ab G_ab ∂(W_N ⋯ W_1)_ab / ∂w: no formula for it is put in.

    Parameters
    ----------
    weights : tuple of SymPy matrices of symbols
    G : SymPy matrix
        The gradient of ℓ at the product.

    Returns
    -------
    tuple of SymPy matrices, shaped as the weights
    """
    W = weights[0]
    for layer in weights[1:]:
        W = layer * W
    linear = sum(sp.expand(g * w) for g, w in zip(G, W, strict=True))
    return tuple(layer.applyfunc(lambda w: sp.diff(linear, w)) for layer in weights)


def differences(weights: Matrices) -> Matrices:
    """The N - 1 matrices W_{j+1}ᵀW_{j+1} - W_jW_jᵀ.

    Parameters
    ----------
    weights : tuple of SymPy matrices

    Returns
    -------
    tuple of N - 1 SymPy matrices, the j-th of shape (d_j, d_j)
    """
    return tuple(above.T * above - below * below.T for below, above in zip(weights[:-1], weights[1:], strict=True))


def _rate(matrix: sp.Matrix, places: Matrices, speeds: Matrices) -> sp.Matrix:
    """Time derivative of a matrix of polynomials in `places`, when these move with `speeds`."""
    moving = [(w, v) for W, V in zip(places, speeds, strict=True) for w, v in zip(W, V, strict=True)]
    return matrix.applyfunc(lambda f: sp.expand(sum(sp.diff(f, w) * v for w, v in moving)))


def flow_rates(widths: Sequence[int]) -> Matrices:
    """Time derivatives of the differences along gradient flow, Ẇ_j = -∂φ/∂W_j: all zero (`prop-conservation`).

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    tuple of N - 1 SymPy matrices, expanded
    """
    weights = network(widths)
    gradients = layer_gradients(weights, loss_gradient(widths))
    speeds = tuple(-D for D in gradients)
    return tuple(_rate(D, weights, speeds) for D in differences(weights))


def decay_residuals(widths: Sequence[int]) -> Matrices:
    """What d/dt D_j + 2λD_j is under flow with weight decay, Ẇ_j = -∂φ/∂W_j - λW_j: zero (`cor-weight-decay`).

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    tuple of N - 1 SymPy matrices, expanded
    """
    weights = network(widths)
    gradients = layer_gradients(weights, loss_gradient(widths))
    speeds = tuple(-D - LAMBDA * W for W, D in zip(weights, gradients, strict=True))
    return tuple((_rate(D, weights, speeds) + 2 * LAMBDA * D).expand() for D in differences(weights))


def step_changes(widths: Sequence[int]) -> Matrices:
    """Change of the differences in one step W_j - η ∂φ/∂W_j of gradient descent (`prop-gd-drift`).

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    tuple of N - 1 SymPy matrices, expanded: polynomials in η, the weights and the loss gradient
    """
    weights = network(widths)
    gradients = layer_gradients(weights, loss_gradient(widths))
    after = tuple(W - ETA * D for W, D in zip(weights, gradients, strict=True))
    return tuple((new - old).expand() for new, old in zip(differences(after), differences(weights), strict=True))


def heavy_ball_residuals(widths: Sequence[int]) -> Matrices:
    """What D̈_j + γḊ_j - 2(Ẇ_{j+1}ᵀẆ_{j+1} - Ẇ_jẆ_jᵀ) is where Ẅ_j + γẆ_j = -∂φ/∂W_j: zero (`prop-heavy-ball`).

    Parameters
    ----------
    widths : (d_0, …, d_N)

    Returns
    -------
    tuple of N - 1 SymPy matrices, expanded
    """
    weights, speeds = network(widths), network(widths, "v")
    gradients = layer_gradients(weights, loss_gradient(widths))
    forces = tuple(-D - GAMMA * V for V, D in zip(speeds, gradients, strict=True))
    residuals = []
    for D, kinetic in zip(differences(weights), differences(speeds), strict=True):
        first = _rate(D, weights, speeds)
        second = _rate(first, weights + speeds, speeds + forces)
        residuals.append((second + GAMMA * first - 2 * kinetic).expand())
    return tuple(residuals)
