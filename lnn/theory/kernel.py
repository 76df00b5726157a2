"""The tangent kernel: how a step of gradient flow on the layers moves the predictions of a network."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lnn.measurements import Samples
from lnn.network import check, prefixes
from lnn.numerics.checks import Matrix, check_matrix, representable


def tangent_kernel(weights: Iterable[ArrayLike], X: ArrayLike) -> Matrix:
    """Tangent kernel Σ_j (A_j A_jᵀ) ⊗ (XᵀB_jᵀB_j X) of a network on samples, A_j = W_N ⋯ W_{j+1}, B_j = W_{j-1} ⋯ W_1.

    Inner products of the derivatives of all predictions with respect to the weights. Along gradient flow the vector
    of predictions W X moves by minus the kernel times the derivative of the loss with respect to it; at a minimum of
    least squares with residual zero, its largest eigenvalue is the sharpness.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})
    X : array, shape (d_0, samples)

    Returns
    -------
    array, shape (…, d_N·samples, d_N·samples)
        Predictions in the order of `Samples`: output by output.

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network, X does not fit it, or an entry is too large for a float.

    Examples
    --------
    >>> tangent_kernel(([[2.0]], [[3.0]]), [[1.0]])  # 2² + 3²
    array([[13.]])
    """
    network, X = check(weights), Samples(check_matrix(X, "X")).X
    if network[0].shape[-1] != len(X):
        raise ValueError(f"samples of {len(X)} features need a network of as many inputs, got {network[0].shape[-1]}")
    outputs, count = network[-1].shape[-2], X.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        inner = [X.T @ X, *(P.mT @ P for P in (B @ X for B in prefixes(network)[:-1]))]
        above, outer = np.eye(outputs), [np.eye(outputs)]
        for W in network[:0:-1]:
            above = above @ W
            outer.append(above @ above.mT)
        kernel = np.zeros((*network[0].shape[:-2], outputs, count, outputs, count))
        for A, B in zip(reversed(outer), inner, strict=True):
            kernel += A[..., :, None, :, None] * B[..., None, :, None, :]
    kernel = kernel.reshape(*kernel.shape[:-4], outputs * count, outputs * count)
    return representable(kernel, "the tangent kernel")
