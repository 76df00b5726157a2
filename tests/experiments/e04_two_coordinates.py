"""E4: two coordinates under descent, the end-to-end rule and descent over layers, aimed or not; page `acceleration`."""

import math

import numpy as np
from scipy.optimize import brentq

import lnn
from experiments import Row


def _rule(w: np.ndarray, y: np.ndarray, p: int, depth: int, eta: np.ndarray) -> np.ndarray:
    G, size = (w - y) ** (p - 1), np.linalg.norm(w, axis=-1, keepdims=True)
    along = (w * G).sum(axis=-1, keepdims=True) / size**2 * w
    return w - eta * size ** (2 - 2 / depth) * (G + (depth - 1) * along)


def _arrivals(
    w: np.ndarray, y: np.ndarray, p: int, depth: int, eta: np.ndarray, steps: int, layers: bool = False
) -> np.ndarray:
    """First step with both errors at most y_2/2, for every start and step size; layers from balanced factors of w."""
    first = np.full(np.broadcast_shapes(w.shape, eta.shape)[:-1], np.inf)
    z = np.linalg.norm(w, axis=-1, keepdims=True) ** (1 / depth)
    row = w / z ** (depth - 1)
    with np.errstate(all="ignore"):
        for t in range(steps):
            near = np.abs(w - y).max(axis=-1) <= 0.5 * y[1]
            first = np.where(near, np.minimum(first, t), first)
            if (np.isfinite(first) | ~np.isfinite(w).all(axis=-1)).all():
                break
            if layers:
                G = (w - y) ** (p - 1)
                row, z = row - eta * z ** (depth - 1) * G, z - eta * (w * G).sum(axis=-1, keepdims=True) / z
            w = z ** (depth - 1) * row if layers else _rule(w, y, p, depth, eta)
    return first


def _landing(p: int, depth: int, r: float, omega: float, layers: bool) -> tuple[float, float]:
    """Step size that puts coordinate 1 on r in one step from (ω, 0), and coordinate 2's effective step after it."""
    if layers:
        eta = ((r / omega) ** (1 / depth) - 1) / (omega ** (1 - 2 / depth) * (r - omega) ** (p - 1))
    else:
        eta = 1 / (depth * omega ** (2 - 2 / depth) * (r - omega) ** (p - 2))
    return eta, eta * r ** (2 - 2 / depth)


def _aimed(p: int, depth: int, r: float, layers: bool) -> tuple[float, float]:
    """Speed-up from (y_2, 0), measured, and predicted from effective steps: (y_1/y_2)^{2-2/N} / (2N) for the rule."""
    y, start, R = np.array([r, 1.0]), np.array([1.0, 0.0]), r - 1
    fractions, limit = np.linspace(0.4, 0.99, 15)[:, None], int(3 * r ** (p - 2))
    plain = _arrivals(start, y, p, 1, fractions * 2 / R ** (p - 2), limit).min()
    eta, effective = _landing(p, depth, r, 1.0, layers)
    deep = float(_arrivals(start, y, p, depth, np.array([eta]), limit, layers))
    return float(plain / deep), effective / (2 / R ** (p - 2))


def _bounded(depth: int, r: float) -> int:
    """Steps over the layers at p = 4 from the ω whose effective step is 1/(2N), with its landing step size."""
    omega = r / math.exp(
        brentq(lambda s: math.log(2 * depth * _landing(4, depth, r, r / math.exp(s), True)[1]), 0.7, 99)
    )
    eta = np.array([_landing(4, depth, r, omega, True)[0]])
    return int(_arrivals(np.array([omega, 0.0]), np.array([r, 1.0]), 4, depth, eta, 100, True))


def _unaimed(depth: int, layers: bool) -> float:
    """Speed-up at p = 4, r = 20 from 20 starts near 0 with one step size, the best for the slowest of them."""
    y, starts = np.array([20.0, 1.0]), 0.01 * np.random.default_rng(1).standard_normal((20, 2))
    found = {}
    for n in (1, depth):
        tried = np.linspace(0.85, 0.99, 15) if n == 1 else np.geomspace(0.3, 4, 32)
        eta = 2 / y[0] ** (4 - 2 / n) * tried[:, None, None]
        found[n] = _arrivals(starts, y, 4, n, eta, 3000, layers and n > 1).max(axis=1).min()
    return float(found[1] / found[depth])


def measure() -> list[Row]:
    """Rows of E4: best step sizes on the coarse grid, and the aimed speed-up against its prediction."""
    y = np.array([9.0, 1.0])
    loss = lnn.PowerLoss(lnn.Everything((1, 2)), y, 4)
    starts = 0.01 * np.random.default_rng(0).standard_normal((5, 1, 2))
    sizes = [b * 10.0**k for k in range(-4, -1) for b in (1, 2, 5)]

    def run(depth: int, step_size: float, start: int) -> float:
        path = lnn.end_to_end_descent(starts[start], loss, depth, step_size, 250)
        if path.outcome is lnn.Outcome.DIVERGED:
            return np.inf
        return float((np.abs(path.end_to_end[:, 0] - y).max(axis=1) > 0.5).sum())

    costs = lnn.grid(run, {"depth": (1, 2, 3), "step_size": sizes, "start": range(5)}).table()
    worst, middle = costs.max(axis=2).min(axis=1), np.median(costs, axis=2).min(axis=1)
    gains = {
        (layers, p, n): [_aimed(p, n, r, layers) for r in rs]
        for layers in (False, True)
        for p, rs in ((4, (9, 18)), (6, (5, 8)))
        for n in (2, 3)
    }
    ratios = {
        layers: [a / b for key, found in gains.items() if key[0] == layers for a, b in found]
        for layers in (False, True)
    }
    counts = {n: [_bounded(n, r) for r in (16, 128, 1024)] for n in (2, 3, 4)}
    unaimed = {layers: [_unaimed(n, layers) for n in (2, 3)] for layers in (False, True)}
    return [
        Row(
            "End-to-end rule in two coordinates, p = 4, y = (9, 1), five starts: depth 2 is faster than descent, each "
            "with the step size that is best for its slowest start",
            "the rule accelerates at depths 2 and 3 (an illustration, no number of steps)",
            f"steps at depth 1, 2: {worst[0]:.0f}, {worst[1]:.0f} (at depth 3, where it depends on the starts: "
            f"{worst[2]:.0f})",
            bool(worst[1] < worst[0]),
        ),
        Row(
            "the same with the step size that is best for the start in the middle: depths 2 and 3 are faster",
            "the rule accelerates at depths 2 and 3 (an illustration, no number of steps)",
            f"steps at depth 1, 2, 3: {middle[0]:.0f}, {middle[1]:.0f}, {middle[2]:.0f}",
            bool(middle[1] < middle[0] and middle[2] < middle[0]),
        ),
        Row(
            "Rule aimed from (y_2, 0): the speed-up over descent at its best step size follows "
            "(y_1/y_2)^{2-2/N} / (2N) at p = 4, 6 and N = 2, 3",
            "at equal step sizes the effective step grows by y_1^{2-2/N}",
            f"measured / predicted from {min(ratios[False]):.1f} to {max(ratios[False]):.1f}",
            0.8 < min(ratios[False]) and max(ratios[False]) < 1.3,
        ),
        Row(
            "Descent over the layers, hidden width 1, aimed from (y_2, 0) with its own landing step: the speed-up "
            "follows its effective step, the order of the square root of the rule's",
            None,
            f"measured / predicted from {min(ratios[True]):.1f} to {max(ratios[True]):.1f}",
            0.8 < min(ratios[True]) and max(ratios[True]) < 1.3,
        ),
        Row(
            "Descent over the layers at p = 4, aimed from the start of `thm-acceleration-layers`: the number of steps "
            "does not grow with y_1/y_2",
            "for every p > 2 the rule is faster by any factor, for suitable instances",
            "steps at depth 2, 3, 4: "
            + "; ".join(
                f"{', '.join(map(str, row))} at y_1/y_2 = {r}"
                for r, row in zip((16, 128, 1024), zip(*counts.values(), strict=True), strict=True)
            ),
            all(len(set(row)) == 1 for row in counts.values()),
        ),
        Row(
            "Unaimed, p = 4, y_1/y_2 = 20, one step size for 20 starts near 0: the rule gains at depths 2 and 3, and "
            "the layers less than the rule",
            None,
            f"speed-up of the rule {unaimed[False][0]:.1f}, {unaimed[False][1]:.1f}, of the layers "
            f"{unaimed[True][0]:.1f}, {unaimed[True][1]:.1f}",
            min(unaimed[False]) > 1.3 and max(unaimed[True]) < min(unaimed[False]),
        ),
    ]
