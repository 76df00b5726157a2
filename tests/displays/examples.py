"""Networks for the names of displays, with what `lnn` computes of them."""

import numpy as np

import lnn

GRADIENT = r"\frac{\partial\varphi}{\partial W_j}"


def chain(weights):
    """W_{i:j} = W_j ⋯ W_i as a function of i and j, the identity if j = i - 1; W_j of one index."""

    def between(i, j=None):
        if j is None:
            return weights[i - 1]
        product = np.eye(weights[i - 2].shape[0] if i > 1 else weights[0].shape[1])
        for W in weights[i - 1 : j]:
            product = W @ product
        return product

    return between


def distance(draw, shape):
    """Half the squared distance to a random matrix."""
    return lnn.LeastSquares(lnn.Everything(shape), draw.matrix(*shape).ravel())


def widths(draw, depth=None):
    """Pairwise distinct widths, another order with every draw."""
    return [int(d) for d in 2 + draw.rng.permutation(6)[: (depth or draw.depth) + 1]]


def network(draw, depth=None, balanced=False):
    """A random network of distinct widths, its names, and the loss."""
    sizes = widths(draw, depth)
    if balanced:
        sizes[1:-1] = [max(sizes[0], sizes[-1], d) for d in sizes[1:-1]]
        weights = lnn.initial.balanced(draw.matrix(sizes[-1], sizes[0]), sizes)
    else:
        weights = [draw.matrix(m, n) for m, n in zip(sizes[1:], sizes[:-1], strict=True)]
    W = lnn.end_to_end(weights)
    loss = distance(draw, W.shape)
    names = {"N": len(weights), "W_": chain(weights), "W": W, "G": loss.gradient(W)}
    return weights, names, loss


def slopes(weights, loss):
    """The gradients of the layers."""
    return lnn.pullback(weights, loss.gradient(lnn.end_to_end(weights)))


def moves(draw, weights):
    """A random direction in the space of networks."""
    return [draw.matrix(*W.shape) for W in weights]


def inner(first, second):
    """Sum of the inner products of matrices."""
    return sum(float(np.sum(a * b)) for a, b in zip(first, second, strict=True))


def bend(weights, loss, direction):
    """Second derivative of the objective along a direction."""
    return inner(direction, lnn.hessian_vector(weights, loss, direction))
