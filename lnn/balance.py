"""How far neighbouring layers are from balance, the quantity that gradient flow conserves."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from lnn.checks import Matrix
from lnn.network import check


def imbalances(weights: Iterable[ArrayLike]) -> tuple[Matrix, ...]:
    """The N - 1 differences W_{j+1}ᵀW_{j+1} - W_jW_jᵀ, which stay constant along gradient flow.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})

    Returns
    -------
    tuple of N - 1 arrays, the j-th of shape (…, d_j, d_j); empty for a network of depth 1

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network.

    Notes
    -----
    `prop-conservation`, page `balancedness`; [ACH18].
    """
    network = check(weights)
    return tuple(above.mT @ above - below @ below.mT for below, above in zip(network[:-1], network[1:], strict=True))


def imbalance(weights: Iterable[ArrayLike]) -> Matrix:
    """The largest ‖W_{j+1}ᵀW_{j+1} - W_jW_jᵀ‖_F: a network is δ-balanced if this is at most δ.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})

    Returns
    -------
    array, shape (…); 0 for a network of depth 1

    Raises
    ------
    TypeError, ValueError
        If `weights` is no network.

    Notes
    -----
    `def-unbalancedness`, page `balancedness`; [ACGH19].

    >>> float(imbalance((np.eye(3), 2 * np.eye(3)[:1])))  # ‖diag(3, -1, -1)‖
    3.3166247903554
    """
    network = check(weights)
    norms = [np.linalg.norm(D, axis=(-2, -1)) for D in imbalances(network)]
    return np.max(norms, axis=0) if norms else np.zeros(network[0].shape[:-2])
