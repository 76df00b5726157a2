"""The same work in PyTorch and JAX, as their users write it, in float64 and on one thread."""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.timing import have, least_times

ETA = 1e-6


def torch_step(weights, target) -> Callable[[], object]:
    """One step of gradient descent on ½‖W - Φ‖² by PyTorch's autograd, eager, updated in place."""
    import torch

    torch.set_num_threads(1)
    layers = [torch.tensor(W, requires_grad=True) for W in weights]
    goal = torch.tensor(target)

    def step():
        W = layers[0]
        for layer in layers[1:]:
            W = layer @ W
        loss = 0.5 * (W - goal).square().sum()
        loss.backward()
        with torch.no_grad():
            for layer in layers:
                layer.add_(layer.grad, alpha=-ETA)
                layer.grad = None
        return layers

    return step


def jax_update(target) -> Callable:
    """One step of the same as a function of the layers, for JAX to compile.

    In double precision where JAX is told so: by JAX_ENABLE_X64 in a benchmark.
    """
    import jax

    goal = jax.numpy.asarray(target)

    def loss(layers):
        W = layers[0]
        for layer in layers[1:]:
            W = layer @ W
        return 0.5 * ((W - goal) ** 2).sum()

    return lambda layers: tuple(W - ETA * D for W, D in zip(layers, jax.grad(loss)(layers), strict=True))


def jax_step(weights, target) -> Callable[[], object]:
    """One step, compiled by JAX and called from Python, the layers' memory given away to the answer."""
    import jax

    compiled = jax.jit(jax_update(target), donate_argnums=0)
    layers = tuple(jax.numpy.asarray(W) for W in weights)

    def step():
        nonlocal layers
        layers = compiled(layers)
        layers[0].block_until_ready()
        return layers

    return step


def jax_run(weights, target, steps: int, together: bool = False) -> tuple[Callable[[], object], float]:
    """A whole run as one compiled loop, and the processor time of compiling it; of many networks `together` by vmap."""
    import jax

    update = jax_update(target)

    def run(layers):
        return jax.lax.scan(lambda layers, _: (update(layers), None), layers, length=steps)[0]

    layers = tuple(jax.numpy.asarray(W) for W in weights)
    start = time.process_time()
    compiled = jax.jit(jax.vmap(run) if together else run).lower(layers).compile()
    return lambda: jax.block_until_ready(compiled(layers)), time.process_time() - start


def beside_loop(part: str, case: dict, ours, weights, target, *, rounds: int, turn: float, together: bool = False):
    """Records of a whole run, `ours` and that of `jax_run`, with the time of compiling the latter."""
    contenders, told = {"lnn": ours}, {"lnn": {}}
    if have("jax"):
        contenders["JAX"], compiling = jax_run(weights, target, case["steps"], together)
        told["JAX"] = {"compiling": compiling}
    best = least_times(contenders, rounds, turn)
    return [{"part": part, "case": case, "contender": name, "seconds": s} | told[name] for name, s in best.items()]


def published_loop(weights, rows, columns, values, size: float, limit: int, deadline: float):
    """Matrix completion in the manner of the published experiments: autograd, and one step size for all layers.

    The loss is the mean square over the observed entries, in single precision; the step size, published as 0.001, is
    divided by the root of a running mean (memory 0.99) of the gradient's squared norm. Ends at a loss of 1e-6, and
    returns it with the number of steps and the end-to-end matrix. What the published code logs and saves on the way is
    left out.
    """
    import torch

    torch.set_num_threads(1)
    layers = [torch.tensor(W, dtype=torch.float32, requires_grad=True) for W in weights]
    goal = torch.tensor(values, dtype=torch.float32)
    rows, columns = torch.tensor(rows), torch.tensor(columns)
    mean, last = 0.0, float("inf")
    until = time.process_time() + deadline
    for k in range(1, limit + 1):
        W = layers[0]
        for layer in layers[1:]:
            W = layer @ W
        loss = (W[rows, columns] - goal).square().mean()
        last = loss.item()
        if last <= 1e-6 or time.process_time() > until:
            break
        loss.backward()
        with torch.no_grad():
            mean = 0.99 * mean + 0.01 * sum(layer.grad.square().sum() for layer in layers)
            eta = size / (torch.sqrt(mean / (1 - 0.99**k)) + 1e-4)
            for layer in layers:
                layer.sub_(eta * layer.grad)
                layer.grad = None
    return last, k, W.detach().numpy().astype(np.float64)
