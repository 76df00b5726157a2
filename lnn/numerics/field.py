"""The layers' velocities along gradient flow, computed in buffers that are made once."""

from collections.abc import Callable, Sequence

import numpy as np

from lnn.numerics.checks import Matrix


class LayerField:
    """The field -∂φ/∂(W_1, …, W_N) on packed weights: the two sweeps of `pullback`, without making an array.

    Parameters
    ----------
    widths : (d_0, …, d_N)
    gradient : callable
        ∇ℓ at an end-to-end matrix, shape (d_N, d_0) to the same; what it returns is read at once and not kept.

    Attributes
    ----------
    W : array, shape (d_N, d_0)
        End-to-end matrix of the last weights that were asked for.
    """

    def __init__(self, widths: Sequence[int], gradient: Callable[[Matrix], Matrix]) -> None:
        self.shapes = list(zip(widths[1:], widths[:-1], strict=True))
        self.ends = np.cumsum([0, *(m * n for m, n in self.shapes)])
        self.gradient = gradient
        self.below = [np.zeros((m, widths[0])) for m in widths[1:]]
        # The pulled-back gradients but the top one are kept as their transposes: then no product has the form XYᵀ,
        # which BLAS is slower at for small C-ordered matrices, but the top layer's.
        self.above = [np.zeros((widths[0], m)) for m in widths[1:-1]]
        self.G = np.zeros((widths[-1], widths[0]))
        self.W = self.below[-1]

    def layers(self, y: Matrix) -> list[Matrix]:
        """Views of the layers in a packed vector."""
        places = zip(self.ends[:-1], self.ends[1:], self.shapes, strict=True)
        return [y[first:last].reshape(shape) for first, last, shape in places]

    def __call__(self, y: Matrix, out: Matrix) -> None:
        """Write the velocity at y, shape (n,), into `out`."""
        self.gradients(self.layers(y), self.layers(out), -1.0)

    def gradients(self, weights: Sequence[Matrix], out: Sequence[Matrix], factor: float) -> None:
        """Write the gradients of all layers, times a factor, into `out`: N C-contiguous arrays."""
        below, last = self.below, len(weights) - 1
        below[0][:] = weights[0]
        for j in range(1, len(weights)):
            np.matmul(weights[j], below[j - 1], out=below[j])
        np.multiply(self.gradient(self.W), factor, out=self.G)  # next: pulled back through the layers above
        pulled = self.G.T
        for j in range(last, 0, -1):
            np.matmul(pulled.T, below[j - 1].T, out=out[j])
            if j > 1:
                pulled = np.matmul(pulled, weights[j], out=self.above[j - 1])
        if last:
            np.matmul(weights[1].T, pulled.T, out=out[0])
        else:
            out[0][:] = self.G
