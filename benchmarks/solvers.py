"""Matrix completion by current solvers of others: its flow by diffrax, and descent at a given rank by Pymanopt."""

import time
from collections.abc import Callable

import numpy as np

import lnn

STAGES = {"Tsit5": 6, "Kvaerno5": 7}  # evaluations of the gradient in a step, without those of Newton's iteration


def diffrax_flow(start, problem, method: str, stop: float, steps: int) -> tuple[Callable, float]:
    """Gradient flow of the loss `problem` over the layers, as one compiled program, and the time of compiling it.

    At the tolerances of `benchmarks.completion`, until the loss is at most `stop` or so many `steps` are done. The run
    returns its end-to-end matrix, the number of gradients and whether the loss came down to `stop`.
    """
    import diffrax
    import jax

    seen, values = problem.measure.mask, problem.measure.adjoint(problem.observed)

    def loss(layers):
        W = layers[0]
        for layer in layers[1:]:
            W = layer @ W
        return 0.5 * (seen * (W - values) ** 2).sum()

    downhill = jax.grad(loss)

    def run(layers):
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, _: jax.tree.map(jax.numpy.negative, downhill(y))),
            getattr(diffrax, method)(),
            t0=0.0,
            t1=1e7,
            dt0=None,
            y0=layers,
            stepsize_controller=diffrax.PIDController(rtol=1e-4, atol=1e-7),
            event=diffrax.Event(lambda t, y, args, **_: loss(y) <= stop),
            max_steps=steps,
            throw=False,
        )
        return tuple(layer[-1] for layer in found.ys), found.stats["num_steps"]

    layers = tuple(jax.numpy.asarray(W) for W in start)
    begun = time.process_time()
    compiled = jax.jit(run).lower(layers).compile()
    compiling = time.process_time() - begun

    def flow():
        last, done = jax.block_until_ready(compiled(layers))
        return lnn.end_to_end(map(np.asarray, last)), int(done) * STAGES[method], float(loss(last)) <= stop

    return flow, compiling


class Reached(Exception):
    """The loss is where it should be."""


def fixed_rank(loss, rank: int, stop: float, allowed: float) -> tuple[np.ndarray, int, bool]:
    """Riemannian conjugate gradients among matrices of this rank, from the truncated SVD of the observed entries.

    Returns the matrix, the number of gradients and whether the loss came down to `stop`.
    """
    import pymanopt

    seen, values = loss.measure.mask, loss.measure.adjoint(loss.observed)
    space = pymanopt.manifolds.FixedRankEmbedded(*seen.shape, rank)
    last, gradients = values, 0

    def rest(u, s, v):
        return np.where(seen, (u * s) @ v - values, 0)

    @pymanopt.function.numpy(space)
    def cost(u, s, v):
        return 0.5 * (rest(u, s, v) ** 2).sum()

    @pymanopt.function.numpy(space)
    def gradient(u, s, v):
        nonlocal last, gradients
        last, gradients, G = (u * s) @ v, gradients + 1, rest(u, s, v)
        if 0.5 * (G**2).sum() <= stop:
            raise Reached
        return space.projection((u, s, v), G)

    u, s, v = np.linalg.svd(values, full_matrices=False)
    problem = pymanopt.Problem(space, cost, riemannian_gradient=gradient)
    optimizer = pymanopt.optimizers.ConjugateGradient(max_time=allowed, max_iterations=10**6, verbosity=0)
    try:
        optimizer.run(problem, initial_point=(u[:, :rank], s[:rank], v[:rank]))
    except Reached:
        return last, gradients, True
    return last, gradients, False
