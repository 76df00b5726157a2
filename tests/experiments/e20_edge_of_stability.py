"""E20: sharpness along descent on a matrix regression, over depth and step size. Page `large_steps`."""

import numpy as np

import lnn
from experiments import Row

STEPS = 3000


def problem():
    """Eight inputs of unequal variance, five outputs: targets that a linear map fits."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 24)) * np.geomspace(1, 0.3, 8)[:, None] / np.sqrt(24)
    T = rng.standard_normal((5, 8))
    return lnn.LeastSquares(lnn.Samples(X), 2 * T / np.linalg.norm(T, 2) @ X)


def start(depth):
    """Gaussian layers, the first one stretched and the last one shrunk by four: minimizers near it are sharp."""
    weights = lnn.initial.gaussian((8, *[10] * (depth - 1), 5), 0.2, rng=np.random.default_rng(1))
    return (4 * weights[0], *weights[1:-1], weights[-1] / 4)


def run(depth, step_size, steps=STEPS, every=30):
    """Sharpness along descent, and the path."""
    path = lnn.gradient_descent(start(depth), problem(), step_size, steps, every=every)
    return np.array([lnn.sharpness(W, problem()) for W in path]), path


def measure() -> list[Row]:
    """Small steps, then step sizes whose threshold the small steps' sharpness exceeds, at depths 2, 3, 4."""
    climbs, tops, ends, fits = {}, {}, {}, []
    for depth in (2, 3, 4):
        small, _ = run(depth, 0.01, steps=6000, every=1000)
        climbs[depth] = small.max() / small[0]
        for fraction in (0.6, 0.75):
            step_size = 2 / (fraction * small[-1])
            sharp, path = run(depth, step_size)
            load = sharp * step_size / 2
            fits.append(path.losses[-1])
            tops.setdefault(depth, []).append(load.max())
            ends.setdefault(depth, []).append(load[-1])
    deep_tops, deep_ends = tops[3] + tops[4], ends[3] + ends[4]
    return [
        Row(
            "small steps: the sharpness rises during training, at depths 2, 3, 4",
            "it tends to rise as long as it is below 2/η",
            f"by factors {', '.join(f'{c:.1f}' for c in climbs.values())}: hardly at depth 2",
            bool(min(climbs.values()) > 1.05),
            in_full=bool(min(climbs.values()) > 1.5),
            said="in part",
        ),
        Row(
            "depths 3, 4, threshold at 0.6 and 0.75 of the small steps' sharpness: it rises to 2/η and stays there",
            "it rises to 2/η and hovers right at, or just above, this value",
            f"it overshoots, to {min(deep_tops):.1f} to {max(deep_tops):.1f} times 2/η, and settles just below, at "
            f"{min(deep_ends):.2f} to {max(deep_ends):.2f} times",
            bool(min(deep_tops) > 1 and 0.9 < min(deep_ends) and max(deep_ends) < 1.001),
            in_full=bool(min(deep_ends) >= 1),
            said="in part",
        ),
        Row(
            "the loss goes to zero all the same",
            "it falls over long timescales",
            f"{'below 1e-10' if max(fits) < 1e-10 else 'not below 1e-10'} in all six runs",
            bool(max(fits) < 1e-10),
        ),
        Row(
            "depth 2: descent ends further below the threshold than at depths 3 and 4",
            None,
            f"at most {max(ends[2]):.2f} times 2/η, against at least {min(deep_ends):.2f}",
            bool(max(ends[2]) < min(deep_ends)),
        ),
    ]
