"""How far neighbouring layers are from balance, the quantity that gradient flow conserves."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from lnn.network import check
from lnn.numerics.checks import Matrix, representable


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
        If `weights` is not a network, or a square is too large for a float.

    Notes
    -----
    `prop-conservation`, page `balancedness`; [ACH18].
    """
    network = check(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        return tuple(
            representable(above.mT @ above - below @ below.mT, f"the imbalance of layers {j} and {j + 1}")
            for j, (below, above) in enumerate(zip(network[:-1], network[1:], strict=True), start=1)
        )


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
        As `imbalances` does.

    Notes
    -----
    `def-unbalancedness`, page `balancedness`; [ACGH19].

    >>> float(imbalance((np.eye(3), 2 * np.eye(3)[:1])))  # ‖diag(3, -1, -1)‖
    3.3166247903554
    """
    network = check(weights)
    if len(network) == 1:
        return np.zeros(network[0].shape[:-2])
    with np.errstate(over="ignore"):
        norms = [np.linalg.norm(D, axis=(-2, -1)) for D in imbalances(network)]
    return representable(np.max(norms, axis=0), "the imbalance")


def alignment(weights: Iterable[ArrayLike]) -> Matrix:
    """Alignment |⟨u_j, v_{j+1}⟩| of neighbouring layers, u and v their leading left and right singular vectors.

    1 if what layer j stretches most is what layer j + 1 stretches most, as in balanced networks. Where the largest
    singular value of a layer is multiple, its leading vectors, and with them the number, are not determined.

    Parameters
    ----------
    weights : N arrays, the j-th of shape (…, d_j, d_{j-1})

    Returns
    -------
    array, shape (…, N - 1); empty for a network of depth 1

    Raises
    ------
    TypeError, ValueError
        If `weights` is not a network.

    Examples
    --------
    >>> alignment(([[2.0, 0.0], [0.0, 1.0]], [[3.0, 4.0]])).round(6).tolist()
    [0.6]
    """
    parts = [np.linalg.svd(W, full_matrices=False) for W in check(weights)]
    found = [np.abs((below.U[..., 0] * above.Vh[..., 0, :]).sum(axis=-1)) for below, above in pairwise(parts)]
    return np.stack(found, axis=-1) if found else np.zeros((*parts[0].U.shape[:-2], 0))
