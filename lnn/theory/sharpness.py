"""Second derivatives over the layers: products of the Hessian with a direction, and its largest eigenvalue."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lnn.losses import HuberLoss, LeastSquares, PowerLoss, check_loss, gradient_at
from lnn.network import check, prefixes
from lnn.numerics.checks import Matrix, Weights, representable

DENSE = 64  # parameters up to which the whole Hessian is formed


def _curvature(loss: Any, W: Matrix, V: Matrix) -> Matrix:
    """Derivative ∇²ℓ(W)[V] of the gradient of a loss in the direction V."""
    if callable(getattr(loss, "hessian_vector", None)) and not _overridden(loss):
        curvature = np.asarray(loss.hessian_vector(W.copy(), V.copy()))
        if curvature.shape != W.shape:
            raise ValueError(f"at a matrix of shape {W.shape} hessian_vector has shape {curvature.shape}")
        return curvature
    if type(loss) is LeastSquares:  # what is derived from a class may have another gradient
        return loss.measure.adjoint(loss.measure(V))
    if type(loss) in (PowerLoss, HuberLoss):
        residual = np.abs(loss.measure(W) - loss.observed)
        if type(loss) is PowerLoss:
            second: Matrix = (loss.p - 1) * residual ** (loss.p - 2)
        else:
            second = (residual <= loss.threshold).astype(np.float64)
        return loss.measure.adjoint(second * loss.measure(V))
    raise TypeError(f"second derivatives need a loss of the package, or one with a method hessian_vector, got {loss!r}")


def _overridden(loss: Any) -> bool:
    """Whether a class gave the loss another gradient than the one whose derivative it inherits."""
    said = [{"gradient", "hessian_vector"} & vars(kind).keys() for kind in type(loss).__mro__]
    first = next(filter(None, said), set())
    return first == {"gradient"} and any("hessian_vector" in names for names in said)


def hessian_vector(weights: Iterable[ArrayLike], loss: Any, direction: Iterable[ArrayLike]) -> Weights:
    """Product of the Hessian of φ(W_1, …, W_N) = ℓ(W_N ⋯ W_1) with a direction, the slope of the gradient along it.

    One sweep up and one down, each with its derivative: less than three times the products of a gradient, no automatic
    differentiation.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
    loss : Loss
        One of the package, or with a method `hessian_vector(W, V)` that gives the derivative of its gradient at W along
        V.
    direction : N arrays, shaped as the weights

    Returns
    -------
    tuple of N arrays, shaped as the weights

    Raises
    ------
    TypeError, ValueError
        If `weights` or `direction` is not a network, their shapes differ, the loss does not have second derivatives, or
        a result is too large for a float.
    """
    network, moves = check(weights), check(direction)
    check_loss(loss)
    if [W.shape for W in network] != [V.shape for V in moves] or network[0].ndim != 2:
        shapes = [W.shape for W in network], [V.shape for V in moves]
        raise ValueError(f"weights and direction must be single networks of one shape, got {shapes[0]} and {shapes[1]}")
    with np.errstate(over="ignore", invalid="ignore"):
        found = _product(network, prefixes(network), loss, moves)
    return tuple(representable(D, f"the product in layer {j}") for j, D in enumerate(found, start=1))


def _product(network: Weights, below: list[Matrix], loss: Any, moves: Weights) -> Weights:
    """`hessian_vector` without validation; `below` holds the products W_j ⋯ W_1."""
    moved = [moves[0]]  # the derivatives of the prefixes
    for j in range(1, len(network)):
        moved.append(moves[j] @ below[j - 1] + network[j] @ moved[-1])
    above, turned = gradient_at(loss, below[-1].copy()).copy(), _curvature(loss, below[-1], moved[-1])
    found = []
    for j in range(len(network) - 1, 0, -1):
        found.append(turned @ below[j - 1].T + above @ moved[j - 1].T)
        above, turned = network[j].T @ above, network[j].T @ turned + moves[j].T @ above
    return (turned, *reversed(found))


def sharpness(weights: Iterable[ArrayLike], loss: Any) -> float:
    """Largest eigenvalue of the Hessian of φ(W_1, …, W_N) = ℓ(W_N ⋯ W_1).

    Gradient descent with a step size above 2 divided by it moves away from a minimum.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (d_j, d_{j-1})
    loss : Loss
        As in `hessian_vector`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        As `hessian_vector` does.

    Notes
    -----
    By the Lanczos method on products with the Hessian, which is not formed beyond 64 parameters.

    >>> from lnn import Everything, LeastSquares
    >>> round(sharpness(([[2.0]], [[3.0]]), LeastSquares(Everything((1, 1)), [6.0])), 6)  # 2² + 3²
    13.0
    """
    network = check(weights)
    hessian_vector(network, loss, network)  # says what does not fit
    below, ends = prefixes(network), np.cumsum([W.size for W in network])
    size = int(ends[-1])

    def times(v: Matrix) -> Matrix:
        parts = np.split(v.ravel(), ends[:-1])
        moves = tuple(p.reshape(W.shape) for p, W in zip(parts, network, strict=True))
        return np.concatenate([D.ravel() for D in _product(network, below, loss, moves)])

    if size <= DENSE:
        return float(np.linalg.eigvalsh(np.stack([times(row) for row in np.eye(size)]))[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh

    start = np.random.default_rng(0).standard_normal(size)  # fixed: the same answer every time
    if not times(start).any():  # nor is there anything else that is not mapped to 0
        return 0.0
    operator = LinearOperator((size, size), matvec=times, dtype=np.float64)
    return float(eigsh(operator, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
