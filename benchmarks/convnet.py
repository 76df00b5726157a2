"""The long runs of the page `nonlinear_networks`: a ConvNet, its overparameterized twin, and what tells them apart.

Usage: python benchmarks/convnet.py [--out FILE]

More than half an hour on one core. Four variants, those of one seed with the same batches and dropout. `original` and
`twin` are the two nets of the experiment; `start` is the original architecture started at the twin's own initial
function (the twin collapsed); `steps` is `start` with the steps of the dense layers multiplied by the mean gains of the
twin at its start. Runs that the file already has are not made again, so an interrupted benchmark can be taken up.
"""

import argparse
import csv
import os
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
import numpy as np

from lnn.nonlinear import convnet, digits, training

OUT = Path(__file__).resolve().parent.parent / "lnn" / "data" / "convnet.csv"
RUNS = {"original": (3, 1500), "twin": (3, 1500), "steps": (3, 500), "start": (3, 500)}  # seeds, iterations
FIELDS = ("variant", "seed", "iteration", "loss", "accuracy")


def net_of(variant: str, seed: int) -> tuple[convnet.ConvNet, tuple[float, float]]:
    """Initial net of a variant, and the factors of its dense layers' steps."""
    rng = np.random.default_rng(seed)
    original = convnet.draw(rng=rng)
    twin = convnet.overparameterize(original, rng=rng)
    nets = {"original": original, "twin": twin, "start": convnet.collapse(twin), "steps": convnet.collapse(twin)}
    return nets[variant], convnet.gains(twin) if variant == "steps" else (1.0, 1.0)


def main() -> None:
    """Run what is missing and append it to the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    training_set, held_out = digits.load()
    done = set()
    if options.out.exists():
        with options.out.open() as file:
            done = {(row["variant"], int(row["seed"])) for row in csv.DictReader(file)}
    else:
        options.out.write_text(",".join(FIELDS) + "\n")
    for variant, (seeds, iterations) in RUNS.items():
        when = [0, 25, 50, *range(100, iterations + 1, 100)]
        for seed in range(seeds):
            if (variant, seed) in done:
                continue
            began = time.perf_counter()
            net, factors = net_of(variant, seed)
            batches = np.random.default_rng([seed, 1])  # the same for all variants of a seed
            run = training.train(net, training_set, when, dense_factors=factors, rng=batches)
            score = training.accuracy(run.net, held_out)
            with options.out.open("a", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                for k, value in zip(run.iterations, run.losses, strict=True):
                    writer.writerow([variant, seed, k, f"{value:.4g}", f"{score:.3f}" if k == when[-1] else ""])
            took = time.perf_counter() - began
            print(f"{variant}, seed {seed}: loss {run.losses[-1]:.3g}, accuracy {score:.3f}, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
