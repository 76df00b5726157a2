"""The two sweeps of `pullback` as BLAS calls that are put together once, for layers that move where they stand.

At width 10 a product takes 0.1 µs and a line of Python on matrices five times that. So nothing is made, checked or
looked up here while a descent runs: every call, its arguments included, is there before the first step.

The calls go to SciPy's BLAS, which takes them with less ado than NumPy's functions do. Beyond a size at which
BLAS takes several threads, unless it was told not to, they go to NumPy's: a loss that multiplies matrices uses that
one, and two pools of threads that take turns slow each other down several times over.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.linalg.blas import dcopy, dgemm

from lnn.numerics.checks import Matrix
from lnn.numerics.field import LayerField

ONE_THREAD = 64**3  # multiplications in a product, up to which OpenBLAS keeps to one thread


def one_thread() -> bool:
    """Whether OpenBLAS was told, in its environment, to use one thread."""
    return (os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")) == "1"


def sweep(
    weights: Sequence[Matrix],
    targets: Sequence[Matrix],
    gradient: Callable[[Matrix], Matrix],
    factor: float,
    add: bool,
    center: Matrix | None = None,
) -> Callable[[int], None]:
    """A function of the step's number that writes the gradients of all layers, times `factor`, to the targets.

    Called again and again, it reads the weights as they are then. With the weights as their own targets, to which the
    factor -η times the gradients is added, it is a step of gradient descent in place.

    Parameters
    ----------
    weights, targets : N arrays, the j-th of shape (d_j, d_{j-1}), C-contiguous
    gradient : callable
        ∇ℓ at an end-to-end matrix, shape (d_N, d_0) to the same. What it is given is overwritten in the next call;
        what it returns is read at once and not kept.
    factor : float
    add : bool
        Whether to add to what the targets hold, instead of writing over it.
    center : array, shape (d_N, d_0), optional
        Φ, where it is known that `gradient(W)` is W - Φ: one subtraction takes its place.
    """
    n = weights[0].shape[1]
    largest = max(W.size for W in weights) * n
    if len(weights) > 1 and (largest <= ONE_THREAD or one_thread()):
        calls = _fused(weights, targets, gradient, factor, float(add), center)

        def run(_: int) -> None:
            for call in calls:
                call()

        return run
    field = LayerField((n, *map(len, weights)), gradient)
    slopes = [np.zeros_like(T) for T in targets] if add else targets

    def run_wide(_: int) -> None:
        field.gradients(weights, slopes, factor)
        if add:
            for T, S in zip(targets, slopes, strict=True):
                np.add(T, S, out=T)

    return run_wide


def _fused(
    weights: Sequence[Matrix],
    targets: Sequence[Matrix],
    gradient: Callable[[Matrix], Matrix],
    factor: float,
    keep: float,
    center: Matrix | None,
) -> list[Callable[[], object]]:
    """`sweep` of two layers or more in 3(N - 1) products, the last of each layer adding to `keep` times its target."""
    n = weights[0].shape[1]
    below = [np.zeros((len(W), n)) for W in weights]
    W, G = below[-1], np.zeros_like(below[-1])

    def differentiate() -> None:
        G[...] = gradient(W)

    # BLAS sees a C-ordered array as its transpose, and of the forms XY, XYᵀ, XᵀY, XᵀYᵀ that it knows it is slower at
    # the third when matrices are small. With prefixes in C order and pulled-back gradients in Fortran order that form
    # comes up once, in the last layer.
    calls: list[Callable[[], object]] = [partial(dcopy, weights[0].ravel(), below[0].ravel())]
    for j in range(1, len(weights)):
        calls.append(partial(dgemm, 1.0, below[j - 1].T, weights[j].T, 0.0, below[j].T, 0, 0, 1))
    calls.append(differentiate if center is None else partial(np.subtract, W, center, G))
    above, turned = G.T, 1  # (W_N ⋯ W_{j+1})ᵀ G, or its transpose
    for j in range(len(weights) - 1, 0, -1):
        if j > 1:
            lower = np.zeros((len(weights[j - 1]), n), order="F")
            calls.append(partial(dgemm, 1.0, weights[j].T, above, 0.0, lower, 0, turned, 1))
        else:  # all that is left of the first layer's gradient is one product; it needs the second layer as it was
            lower = above
            calls.append(partial(dgemm, factor, above, weights[1].T, keep, targets[0].T, 1 - turned, 1, 1))
        calls.append(partial(dgemm, factor, below[j - 1].T, above, keep, targets[j].T, 1, 1 - turned, 1))
        above, turned = lower, 0
    return calls
