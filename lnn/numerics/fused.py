"""The gradients of all layers as BLAS calls that are put together once, for layers that move where they stand.

At width 10 a product takes 0.1 µs and a line of Python on matrices five times that. So nothing is made, checked or
looked up here while a run goes on: every call, its arguments included, is there before the first step. What is computed
is what `lnn.network` has in a readable form: `prefixes` and `layer_gradients`.

The calls go to SciPy's BLAS, which has less overhead than NumPy's functions. Beyond a size at which BLAS takes several
threads, unless it was told not to, they go to NumPy's: a loss that multiplies matrices uses that one, and two pools of
threads that take turns slow each other down several times over. Stacks of layers go to NumPy's as well; stacks of very
small ones are multiplied entry by entry, for all members of the stack at once.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.linalg.blas import dcopy, dgemm

from lnn.numerics.checks import Matrix

ONE_THREAD = 64**3  # multiplications in a product, up to which OpenBLAS keeps to one thread
SMALL = 4**3  # multiplications in a product, up to which a call of BLAS for each of a stack costs more than they do
Call = Callable[[], object]
Products = Callable[[Matrix, Matrix, Matrix], list[Call]]


def one_thread() -> bool:
    """Whether OpenBLAS was told, in its environment, to use one thread."""
    return (os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")) == "1"


def by_scipy(X: Matrix, Y: Matrix, out: Matrix, factor: float = 1.0, add: float = 0.0) -> list[Call]:
    """Calls that write `factor`·XY + `add`·`out` to `out`; each array in C or Fortran order."""
    if out.flags.c_contiguous:  # BLAS counts columns first: it sees the transpose of such an array
        X, Y, out = Y.T, X.T, out.T
    turn_x, turn_y = not X.flags.f_contiguous, not Y.flags.f_contiguous
    X, Y = X.T if turn_x else X, Y.T if turn_y else Y
    return [partial(dgemm, factor, X, Y, add, out, turn_x, turn_y, 1)]


def matmul(X: Matrix, Y: Matrix, out: Matrix) -> list[Call]:
    """Calls that write XY to `out`."""
    return [partial(np.matmul, X, Y, out)]


def sums(X: Matrix, Y: Matrix, out: Matrix) -> list[Call]:
    """The same for stacks of shapes (M, m, k) and (M, k, n): all products of entries at once, and their sum over k."""
    X, Y, out = (np.moveaxis(A, 0, -1) for A in (X, Y, out))
    terms = np.zeros((len(Y), *out.shape)) if len(Y) > 1 else out[None]
    calls: list[Call] = [partial(np.multiply, X.swapaxes(0, 1)[:, :, None], Y[:, None], terms)]
    return calls + [partial(np.add, out if k > 1 else terms[0], terms[k], out) for k in range(1, len(Y))]


def by_numpy(
    X: Matrix, Y: Matrix, out: Matrix, factor: float = 1.0, add: float = 0.0, *, bare: Products = matmul
) -> list[Call]:
    """The same as `by_scipy` by NumPy's functions, of which `bare` makes the product."""
    to = np.zeros_like(out) if add else out
    calls = bare(X, Y, to)
    if factor != 1:
        calls.append(partial(np.multiply, to, factor, to))
    return [*calls, *scaled(out, add), partial(np.add, out, to, out)] if add else calls


def scaled(out: Matrix, add: float) -> list[Call]:
    """Calls that multiply `out` by a number: none by 1."""
    return [] if add == 1 else [partial(np.multiply, out, add, out)]


def small(weights: Sequence[Matrix]) -> bool:
    """Whether a stack of networks is multiplied entry by entry: its members should then be next to each other."""
    return weights[0].ndim > 2 and max(W[0].size for W in weights) * weights[0].shape[-1] <= SMALL


def sweeps(
    weights: Sequence[Matrix],
    targets: Sequence[Matrix],
    gradient: Callable[[Matrix], Matrix],
    *,
    factor: float | Matrix = 1.0,
    add: float | Matrix = 0.0,
    center: Matrix | None = None,
) -> list[Call]:
    """Calls that together write the gradients of all layers, times `factor`, to the targets: 3(N - 1) products.

    Made again and again, in this order, they read the weights as they are then. With the weights as their own targets,
    to which -η times the gradients is added, they are a step of gradient descent in place; with weight decay λ, the
    weights are multiplied by 1 - ηλ as well.

    Parameters
    ----------
    weights, targets : N arrays, the j-th of shape (d_j, d_{j-1}), C-contiguous
        Or (M, d_j, d_{j-1}), of any layout: all else then has this axis, too.
    gradient : callable
        ∇ℓ at an end-to-end matrix, shape (d_N, d_0) to the same. What it is given is overwritten in the next round;
        what it returns is read at once and not kept.
    factor : float, or array of N
    add : float, or array of N
        The multiple of what the targets hold that stays in them: 0 to write over it, 1 to add to it.
    center : array, shape (d_N, d_0), optional
        Φ, where it is known that `gradient(W)` is W - Φ: one subtraction takes its place.
    """
    N, n, stacked = len(weights), weights[0].shape[-1], weights[0].ndim > 2
    narrow = max(map(np.size, weights)) * n <= ONE_THREAD or one_thread()
    multiply = partial(by_numpy, bare=sums) if small(weights) else by_numpy if stacked or not narrow else by_scipy
    factors, added = np.full(N, factor).tolist(), np.full(N, add).tolist()

    def room(rows: int, columns: int) -> Matrix:
        """A new array, laid out as the first layer is."""
        return np.zeros_like(weights[0], shape=(*weights[0].shape[:-2], rows, columns))

    # Of the forms XY, XYᵀ, XᵀY, XᵀYᵀ BLAS is slower at the third when matrices are small. With prefixes in C order and
    # pulled-back gradients in Fortran order that form comes up once, in the last layer.
    below, calls = [weights[0]], list[Call]()
    if N == 1 or targets[0] is weights[0]:  # a loss may write to its matrix; in place, the first layer moves first
        below = [np.zeros_like(weights[0])]
        copy = partial(np.copyto, below[0], weights[0])
        calls = [copy if stacked else partial(dcopy, weights[0].ravel(), below[0].ravel())]
    for j in range(1, N):
        below.append(room(weights[j].shape[-2], n))
        calls += multiply(weights[j], below[j - 1], below[j])
    W, G = below[-1], np.zeros_like(below[-1])

    def differentiate() -> None:
        G[...] = gradient(W)

    if stacked and center is not None:
        center = np.zeros_like(W) + center
    calls.append(differentiate if center is None else partial(np.subtract, W, center, G))
    above = G  # (W_N ⋯ W_{j+1})ᵀ G
    for j in range(N - 1, 0, -1):
        if j > 1:
            lower = room(n, weights[j].shape[-1]).mT
            calls += multiply(weights[j].mT, above, lower)
        else:  # all that is left of the first layer's gradient is one product; it needs the second layer as it was
            lower = above
            calls += multiply(weights[1].mT, above, targets[0], factors[0], added[0])
        calls += multiply(above, below[j - 1].mT, targets[j], factors[j], added[j])
        above = lower
    if N == 1:
        calls.append(partial(np.multiply, G, factors[0], G))
        if added[0]:
            calls += [*scaled(targets[0], added[0]), partial(np.add, targets[0], G, targets[0])]
        else:
            calls.append(partial(np.copyto, targets[0], G))
    return calls
