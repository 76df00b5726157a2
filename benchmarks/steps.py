"""One step of gradient descent: against its bare BLAS products, PyTorch and JAX; and what recording adds to a run."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided

import lnn
from benchmarks.peers import ETA, jax_step, torch_step
from benchmarks.timing import have, least_times, peak_memory

DEPTHS, WIDTHS = (2, 3, 4, 8), (10, 30, 100, 300, 1000)
EVERY = (1, 10, 20, 100)


def problem(depth: int, width: int):
    """Layers that keep the size of what passes through them, and a target."""
    rng = np.random.default_rng([depth, width])
    weights = lnn.initial.gaussian((width,) * (depth + 1), 1 / np.sqrt(width), rng=rng)
    return weights, rng.standard_normal((width, width))


def bare_products(width: int) -> tuple[dict[str, Callable[[], object]], int]:
    """Functions that make many products of each form, in one call of NumPy's: BLAS without Python; and how many."""
    rng = np.random.default_rng(width)
    count = max(1, round(1e-3 / (6e-11 * width**3 + 1e-7)))
    X, Y, Z = (as_strided(rng.standard_normal((width, width)), (count, width, width), (0, 8 * width, 8)) for _ in "XYZ")
    forms = {"XY": (X, Y), "XYᵀ": (X, Y.mT), "XᵀY": (X.mT, Y), "XᵀYᵀ": (X.mT, Y.mT)}
    return {form: lambda pair=pair: np.matmul(*pair, out=Z) for form, pair in forms.items()}, count


def limit(depth: int, products: dict[str, float]) -> float:
    """Seconds of the 3(N - 1) products of a step in the forms in which `lnn.numerics.fused` makes them."""
    if depth == 2:
        return products["XY"] + products["XᵀY"] + products["XYᵀ"]
    plain, turned = 2 * depth - 4, depth - 1
    return plain * products["XY"] + turned * products["XᵀYᵀ"] + products["XᵀY"] + products["XYᵀ"]


def descent(depth: int, width: int, steps: int, every: int | None = None) -> Callable[[], object]:
    """A run of plain descent of the package's."""
    weights, target = problem(depth, width)
    loss = lnn.LeastSquares(lnn.Everything((width, width)), target.ravel())
    return lambda: lnn.gradient_descent(weights, loss, ETA, steps, every=every or max(steps, 1))


def long(depth: int, width: int) -> int:
    """Number of steps of a run of 10 ms or so; four at least."""
    return max(4, min(2000, round(1e-2 / (3 * (depth - 1) * (6e-11 * width**3 + 1e-7) + 2e-6))))


def one_step(widths, depths, rounds: int, turn: float) -> list[dict]:
    """Seconds of one step, and of the bare products in it, for every depth and width."""
    records = []
    for width in widths:
        forms, count = bare_products(width)
        contenders = dict(forms)
        for depth in depths:
            steps = long(depth, width)
            contenders[f"run {depth}"] = descent(depth, width, 1 + steps)
            contenders[f"door {depth}"] = descent(depth, width, 1)
            if have("torch"):
                contenders[f"PyTorch {depth}"] = torch_step(*problem(depth, width))
            if have("jax"):
                contenders[f"JAX {depth}"] = jax_step(*problem(depth, width))
        best = least_times(contenders, rounds if width < 1000 else min(rounds, 8), turn)
        products = {form: best[form] / count for form in forms}
        for depth in depths:
            found = {
                "limit": limit(depth, products),
                "lnn": (best[f"run {depth}"] - best[f"door {depth}"]) / long(depth, width),
            }
            found |= {peer: best[f"{peer} {depth}"] for peer in ("PyTorch", "JAX") if f"{peer} {depth}" in best}
            for contender, value in found.items():
                case = {"depth": depth, "width": width}
                records.append({"part": "step", "case": case, "contender": contender, "seconds": value})
    return records


def recording(widths, rounds: int, turn: float) -> list[dict]:
    """What keeping every k-th iterate adds to a run at depth 3, as a fraction of it."""
    records = []
    for width in widths:
        steps = max(100, min(2000, long(3, width)))
        contenders = {str(every): descent(3, width, steps, every) for every in EVERY}
        contenders["none"] = descent(3, width, steps)
        best = least_times(contenders, rounds, turn)
        for every in EVERY:
            case = {"width": width, "every": every, "steps": steps}
            added = best[str(every)] / best["none"] - 1
            records.append({"part": "recording", "case": case, "contender": "lnn", "fraction": added})
    return records


def memory(lengths, width: int) -> list[dict]:
    """Bytes of a trajectory with every iterate kept, and the most that making it took."""
    records = []
    for steps in lengths:
        run = descent(3, width, steps, 1)
        path = run()
        held = sum(array.nbytes for array in (path.times, path.losses, *path.weights))
        case = {"width": width, "length": steps + 1}
        records.append({"part": "memory", "case": case, "contender": "lnn", "bytes": held, "peak": peak_memory(run)})
    return records


def measure(small: bool = False) -> list[dict]:
    """All records of this module."""
    if small:
        return one_step((3, 5), (2, 3), 2, 1e-4) + recording((3,), 2, 1e-3) + memory((10, 20, 40), 5)
    records = one_step(WIDTHS, DEPTHS, 40, 2e-3)
    return records + recording((10, 30, 100, 300), 20, 1e-3) + memory((100, 200, 400, 800, 1600), 30)
