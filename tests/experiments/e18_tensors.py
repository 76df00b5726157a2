"""E18: factorized tensors: components learned one after another and low rank from a small start, flat and in a tree."""

from functools import partial

import numpy as np

import lnn
from experiments import Row
from lnn.convex import unfolding
from lnn.models import hierarchical, tensor

SIZE, COUNT, COMPONENTS, SCALES = 12, 500, 20, (0.01, 0.8)
tensor_flow = partial(lnn.gradient_flow, model=tensor)
LOSS = 1e-4  # at which all runs end


def completion(seed):
    """A 12×12×12 tensor of rank 3, component norms 5 : 4 : 3, and 500 of its entries."""
    rng = np.random.default_rng(seed)
    units = [w / np.linalg.norm(w, axis=0) for w in tensor.gaussian((SIZE,) * 3, 3, 1.0, rng=rng)]
    target = tensor.end_to_end([units[0] * [5.0, 4.0, 3.0], *units[1:]])
    target *= np.sqrt(target.size) / np.linalg.norm(target)
    return target, lnn.datasets.random_mask(target.shape, COUNT, rng=rng), rng


def tree(seed):
    """A 6×6×6×6 tensor with two local components at each node of a binary tree, and 450 of its entries."""
    rng = np.random.default_rng(seed)
    parts = list(hierarchical.gaussian((6,) * 4, 2, 1.0, rng=rng))
    parts[:4] = [np.linalg.qr(w)[0] for w in parts[:4]]
    parts[4:6] = [np.diag([1, 0.6]) @ np.linalg.qr(w)[0] for w in parts[4:6]]
    parts[6] = np.array([[1.0], [0.6]])
    target = hierarchical.end_to_end(parts)
    target *= np.sqrt(target.size) / np.linalg.norm(target)
    return target, lnn.datasets.random_mask(target.shape, 450, rng=rng), rng


def error(W, target, mask) -> float:
    """Relative error on the unseen entries."""
    return float(np.linalg.norm((W - target)[~mask]) / np.linalg.norm(target[~mask]))


def measure() -> list[Row]:
    """Three completion problems of order 3, three of order 4."""
    errors, others, gaps, ranks = np.zeros((3, 2)), np.zeros(3), np.zeros(3), np.zeros((3, 2))
    for seed in range(3):
        target, mask, rng = completion(seed)
        seen = lnn.Entries(mask)
        loss = lnn.LeastSquares(seen, seen(target))
        others[seed] = error(unfolding.minimize(seen, seen(target)).tensor, target, mask)
        for j, scale in enumerate(SCALES):
            start = tensor.gaussian(target.shape, COMPONENTS, scale, rng=rng)
            times = np.append(0, np.geomspace(0.01, 1e4, 1000))
            path = tensor_flow(start, loss, times, method="RKC2", rtol=1e-5, stop=LOSS)
            assert path.outcome is lnn.Outcome.CONVERGED
            W, norms = path.end_to_end[-1], np.sort(path.component_norms[-1])[::-1]
            errors[seed, j], ranks[seed, j] = error(W, target, mask), norms[3] / norms[2]
            if j == 0:
                early = path.component_norms[np.argmax(path.component_norms.max(axis=1) > norms[0] / 2)]
                gaps[seed] = np.sort(early)[-2] / early.max()
    left = np.zeros((3, 2))
    for seed in range(3):
        target, mask, rng = tree(seed)
        seen = lnn.Entries(mask)
        loss = lnn.LeastSquares(seen, seen(target))
        options = {"model": hierarchical, "method": "RKC2", "rtol": 1e-5}
        for j, scale in enumerate((0.1, 0.6)):
            start = hierarchical.gaussian(target.shape, 5, scale, rng=rng)
            near = 0.99 * float(loss(0 * target))
            wait = tensor_flow(start, loss, [0, 1e9], stop=near, **options)
            path = tensor_flow(wait[-1], loss, np.append(0, np.geomspace(1, 1e5, 100)), stop=LOSS, **options)
            assert path.outcome is lnn.Outcome.CONVERGED
            norms = path.component_norms[-1]
            left[seed, j] = np.mean((norms > 0.05 * norms.max(axis=1, keepdims=True)).sum(axis=1))
    small, large = np.median(errors, axis=0)
    return [
        Row(
            "order 3: components are learned one after another from a small start",
            "figures, no number: from small starts norms grow one after another",
            "second over first component norm when the first is half grown, median of 3: "
            + ("below 1e-3" if np.median(gaps) < 1e-3 else f"{np.median(gaps):.0e}"),
            bool(np.median(gaps) < 0.05),
        ),
        Row(
            "… low tensor rank from a small start, not from a large one",
            "figures, no number: low tensor rank from small starts",
            "fourth over third component norm, medians at scales 0.01 and 0.8: "
            + ", ".join(f"{x:.1g}" for x in np.median(ranks, axis=0)),
            bool(np.median(ranks[:, 0]) < 0.05 and np.median(ranks[:, 1]) > 0.3),
        ),
        Row(
            f"… and a smaller error on unseen entries than from a large start, all runs ended at a loss of {LOSS:g}",
            None,
            f"medians of 3 problems at scales 0.01 and 0.8: {small:.1g}, {large:.1g}",
            bool(small < 0.01 and large > 0.5),
        ),
        Row(
            "… and than the least overlapped nuclear norm",
            None,
            f"median of 3 problems: {np.median(others):.1g}",
            bool(np.median(others) > 0.3),
        ),
        Row(
            "order 4, a tree of rank 2: few local components a node grow from a small start, most from a large one",
            "figures, no number: from small starts norms of local components grow one after another",
            "of 5 a node, those above 5 % of the largest, medians of 3 problems at scales 0.1 and 0.6: "
            + ", ".join(f"{x:.1f}" for x in np.median(left, axis=0)),
            bool(np.median(left[:, 0]) < 3 and np.median(left[:, 1]) > 3.5),
        ),
    ]
