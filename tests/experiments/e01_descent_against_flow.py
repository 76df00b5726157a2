"""E1: gradient descent is Euler's method for gradient flow, and its distance to the flow halves with the step size."""

import numpy as np

import lnn
from experiments import Row

HALVINGS = 4
NETWORKS = 8


def distances(weights: tuple[np.ndarray, ...], loss: lnn.Loss, step_size: float, steps: int) -> np.ndarray:
    """Largest distance to the flow over all networks at common times, for a step size halved four times."""
    times = step_size * np.arange(steps + 1)
    flow = lnn.pack(lnn.gradient_flow(weights, loss, times, rtol=1e-11).weights)
    found = []
    for k in range(HALVINGS + 1):
        run = lnn.gradient_descent(weights, loss, step_size / 2**k, steps * 2**k, every=2**k)
        found.append(np.linalg.norm(lnn.pack(run.weights) - flow, axis=1).max())
    return np.array(found)


def order(errors: np.ndarray) -> float:
    """Slope of the logarithm of the error over the logarithm of the step size."""
    steps = 0.5 ** np.arange(len(errors))
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def measure() -> list[Row]:
    """Run E1.

    Returns
    -------
    list of Row
    """
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(NETWORKS):
        X, Y = rng.standard_normal((4, 10)) / 3, rng.standard_normal((2, 10))
        loss = lnn.LeastSquares(lnn.Samples(X), Y.ravel())
        errors.append(distances(lnn.initial.gaussian((4, 3, 5, 2), 0.6, rng=rng), loss, 0.02, 100))
    ratios = np.array([e[:-1] / e[1:] for e in errors])
    first, last, gaps = ratios[:, 0], ratios[:, -1], np.abs(ratios - 2).max(axis=0)
    slopes = np.array([order(e[1:]) for e in errors])

    one = lnn.LeastSquares(lnn.Everything((1, 1)), np.array([1.0]))
    starts = [(-1.9, 1.5), (1.5, -1.5), (1.9, -1.0), (0.3, -1.7), (0.1, 1.9)]
    plane = np.array([distances(np.reshape(start, (2, 1, 1)), one, 0.05, 80) for start in starts])
    orders = np.array([order(e) for e in plane])
    # The flow moves on hyperbolas w_1² - w_2² = const; descent leaves them, by an amount of order η.
    drifts = []
    for k in range(HALVINGS + 1):
        run = lnn.gradient_descent(np.reshape(starts[0], (2, 1, 1)), one, 0.05 / 2**k, 80 * 2**k)
        w1, w2 = lnn.pack(run.weights).T
        drifts.append(abs((w1**2 - w2**2) - (w1[0] ** 2 - w2[0] ** 2)).max())
    return [
        Row(
            f"widths 4-3-5-2, {NETWORKS} networks: the step size is halved four times from 0.02; "
            "the gap between 2 and the factor by which the distance to the flow falls, the largest of all networks, "
            "shrinks each time",
            None,
            f"first halving {first.min():.1f} to {first.max():.1f}, fourth {last.min():.2f} to {last.max():.2f}; "
            f"largest gap each time {', '.join(f'{gap:.2f}' for gap in gaps)}",
            bool((np.abs(last - 2) < 0.1).all() and (np.diff(gaps) < 0).all()),
        ),
        Row(
            f"widths 4-3-5-2, {NETWORKS} networks: the distance is of first order in the step size, from 0.01 down",
            None,
            f"orders {slopes.min():.2f} to {slopes.max():.2f}",
            bool((np.abs(slopes - 1) < 0.1).all()),
        ),
        Row(
            "phase portrait of a two-parameter net: first order from every start drawn",
            None,
            f"orders {orders.min():.1f} to {orders.max():.1f}",
            bool((np.abs(orders - 1) < 0.15).all()),
        ),
        Row(
            "phase portrait: descent leaves the flow's hyperbola by an amount of first order in the step size",
            None,
            f"order {order(np.array(drifts)):.1f}",
            abs(order(np.array(drifts)) - 1) < 0.15,
        ),
    ]
