"""E9: a ConvNet on digits and its twin with a square matrix more in each dense layer: which learns faster, and why.

The rows of the long runs are read off the file that `python benchmarks/convnet.py` makes; one short run here checks
that the file says what the code does.
"""

import numpy as np

from experiments import Row
from lnn.nonlinear import convnet, digits, records, training


def start_of(seed):
    """The two nets of a seed, as in the benchmark."""
    rng = np.random.default_rng(seed)
    original = convnet.draw(rng=rng)
    return {"original": original, "twin": convnet.overparameterize(original, rng=rng)}


def measure() -> list[Row]:
    """The kept runs, the gains at the start, and the first 25 iterations again."""
    runs = records.long_runs()
    original, twin = runs["original"], runs["twin"]
    seeds = min(len(original.losses), len(twin.losses))
    last = original.iterations[-1]
    ratios = original.losses[:seeds] / twin.losses[:seeds]
    late = np.exp(np.log(ratios[:, original.iterations >= 1000]).mean(axis=1))
    medians = [np.median(ratios[:, original.iterations == k]) for k in (50, 500)] + [np.median(late)]
    level = 2 * max(original.losses[:, -1].max(), twin.losses[:, -1].max())
    needed = {
        name: np.median([records.iterations_to(level, run.iterations, losses) for losses in run.losses])
        for name, run in (("original", original), ("twin", twin))
    }
    scores = {name: 100 * np.median(run.accuracies) for name, run in (("original", original), ("twin", twin))}
    early = original.iterations == 25

    learn, held = digits.load()
    again, same = [], []
    for name, net in start_of(0).items():
        run = training.train(net, learn, [25], rng=np.random.default_rng([0, 1]))
        again.append(run.losses[0] / runs[name].losses[0, early][0])
        if name == "twin":
            ours, folded = training.logits(run.net, held), training.logits(convnet.collapse(run.net), held)
            same.append(np.abs(ours - folded).max() / np.abs(ours).max())
    gains = convnet.gains(start_of(0)["twin"])
    k = min(run.iterations[-1] for run in runs.values())
    logs = {
        name: np.log(run.losses[:, (run.iterations >= 200) & (run.iterations <= k)]).mean(axis=1)
        for name, run in runs.items()
    }
    won = (logs["original"] - logs["steps"]) / (logs["original"] - logs["twin"])
    return [
        Row(
            f"training loss without dropout, original over twin, mean from 1000 to {last} iterations",
            "a figure: far faster, orders of magnitude lower at the end; full training set, longer runs",
            f"{', '.join(f'{ratio:.1f}' for ratio in late)} for {seeds} seeds",
            bool((late > 1.2).all()),
            in_full=bool((late > 100).all()),
            said="in part",
        ),
        Row(
            f"iterations to a training loss of {level:.2g}, median: the twin needs fewer",
            "far fewer, by the same figure; no number",
            f"original {needed['original']:.0f}, twin {needed['twin']:.0f}",
            bool(needed["twin"] < needed["original"]),
            in_full=bool(needed["twin"] < needed["original"] / 10),
            said="in part",
        ),
        Row(
            "the gain is slow to show: median of the same ratio after 50 and 500 iterations, and at the end",
            "not in the source",
            ", ".join(f"{ratio:.1f}" for ratio in medians),
            bool(medians[0] < medians[1] and medians[0] < medians[2] and medians[0] < 1.5),
        ),
        Row(
            "accuracy on 500 held-out images, median: the faster training does not make it better",
            None,
            f"original {scores['original']:.1f} %, twin {scores['twin']:.1f} %",
            bool(scores["twin"] < scores["original"] + 1 and min(scores.values()) > 95),
        ),
        Row(
            "the twin is no more expressive: outputs of the trained twin and of its collapse",
            "equal",
            "equal to single precision" if same[0] < 1e-5 else f"apart by {same[0]:.0e}",
            bool(same[0] < 1e-5),
        ),
        Row(
            "by how much a step moves the two dense products at the start, over the original's step",
            "not in the source",
            f"{gains[0]:.0f} times and {gains[1]:.1f} times on average; expected 10.24 and 0.2",
            bool(abs(gains[0] - 10.24) < 0.2 and abs(gains[1] - 0.2) < 0.1),
        ),
        Row(
            f"from 200 to {k} iterations the original with the twin's start and mean steps gains more than half as "
            "much as the twin, in the median more: share of the twin's gain, on a logarithmic scale",
            "not in the source",
            f"{', '.join(f'{100 * share:.0f} %' for share in won)} for {len(won)} seeds",
            bool(won.min() > 0.5 and np.median(won) > 1),
        ),
        Row(
            "the kept file is what the code does: the first 25 iterations again",
            "not in the source",
            "within 5 %" if np.abs(np.log(again)).max() < 0.05 else f"ratios {again}",
            bool(np.abs(np.log(again)).max() < 0.05),
        ),
    ]
