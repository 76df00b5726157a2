"""E4: two coordinates under gradient descent and under the end-to-end rule, aimed and unaimed; page `acceleration`."""

import numpy as np

import lnn
from experiments import Row


def _rule(w: np.ndarray, y: np.ndarray, p: int, depth: int, eta: np.ndarray) -> np.ndarray:
    G, size = (w - y) ** (p - 1), np.linalg.norm(w, axis=-1, keepdims=True)
    along = (w * G).sum(axis=-1, keepdims=True) / size**2 * w
    return w - eta * size ** (2 - 2 / depth) * (G + (depth - 1) * along)


def _arrivals(w: np.ndarray, y: np.ndarray, p: int, depth: int, eta: np.ndarray, steps: int) -> np.ndarray:
    """First step with both errors at most y_2/2, for every start and step size."""
    first = np.full(np.broadcast_shapes(w.shape, eta.shape)[:-1], np.inf)
    with np.errstate(all="ignore"):
        for t in range(steps):
            near = np.abs(w - y).max(axis=-1) <= 0.5 * y[1]
            first = np.where(near, np.minimum(first, t), first)
            if np.isfinite(first).all():
                break
            w = _rule(w, y, p, depth, eta)
    return first


def _aimed(p: int, depth: int, r: float) -> float:
    """Measured speed-up from (y_2, 0) over the prediction (y_1/y_2)^{2-2/N} / (2N)."""
    y, start, R = np.array([r, 1.0]), np.array([1.0, 0.0]), r - 1
    fractions, limit = np.linspace(0.4, 0.99, 15)[:, None], int(3 * r ** (p - 2))
    plain = _arrivals(start, y, p, 1, fractions * 2 / R ** (p - 2), limit).min()
    deep = float(_arrivals(start, y, p, depth, np.array([1 / (depth * R ** (p - 2))]), limit))
    return float(plain / deep / (r ** (2 - 2 / depth) / (2 * depth)))


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
    ratios = {(p, n): [_aimed(p, n, r) for r in rs] for p, rs in ((4, (9, 18)), (6, (5, 8))) for n in (2, 3)}
    low, high = min(map(min, ratios.values())), max(map(max, ratios.values()))
    return [
        Row(
            "Two coordinates, p = 4, y = (9, 1), five starts: depth 2 is faster than descent, each with the step size "
            "that is best for its slowest start",
            "depths 2 and 3 accelerate",
            f"steps at depth 1, 2: {worst[0]:.0f}, {worst[1]:.0f} (at depth 3, where it depends on the starts: "
            f"{worst[2]:.0f})",
            bool(worst[1] < worst[0]),
        ),
        Row(
            "the same with the step size that is best for the start in the middle: depths 2 and 3 are faster",
            "depths 2 and 3 accelerate",
            f"steps at depth 1, 2, 3: {middle[0]:.0f}, {middle[1]:.0f}, {middle[2]:.0f}",
            bool(middle[1] < middle[0] and middle[2] < middle[0]),
        ),
        Row(
            "Aimed from (y_2, 0), the speed-up follows (y_1/y_2)^{2-2/N} / (2N) at p = 4, 6 and N = 2, 3",
            "grows as y_1^{2-2/N}",
            f"measured / predicted from {low:.1f} to {high:.1f}",
            0.8 < low and high < 1.3,
        ),
    ]
