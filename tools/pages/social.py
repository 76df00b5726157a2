"""Draw the picture that a shared link shows: book/theme/social.png, 1200 x 630 pixels.

Usage: python tools/pages/social.py

It is the first experiment of chapters/preface.md: the singular values of a product that is fitted to 300 of the 900
entries of a matrix of rank 2.
"""

import io
import os
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import lnn
from lnn.draw import plots

PICTURE = Path(__file__).resolve().parents[2] / "theme" / "social.png"
DPI = 100


def draw() -> bytes:
    """The picture as PNG, with a palette; the same bytes at every call."""
    rng = np.random.default_rng(0)
    hidden = lnn.datasets.low_rank((30, 30), rank=2, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask(hidden.shape, count=300, rng=rng))
    loss = lnn.LeastSquares(seen, seen(hidden))
    with plt.style.context("lnn.lnn"):
        figure, axes = plt.subplots(1, 3, figsize=(1200 / DPI, 630 / DPI), sharey=True, dpi=DPI, layout="none")
        for depth, ax in zip((1, 2, 3), axes, strict=True):
            start = lnn.initial.gaussian((30,) * (depth + 1), scale=0.02, rng=rng)
            path = lnn.gradient_flow(start, loss, np.linspace(0, 12, 241), rtol=1e-6)
            plots.singular_values(path, count=8, ax=ax)
            ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
            ax.set_title(f"{depth} {'matrix' if depth == 1 else 'matrices'}", fontsize=22)
            if ax.get_legend():
                ax.get_legend().remove()
            for line in ax.lines:
                line.set_linewidth(3)
        figure.subplots_adjust(left=0.04, right=0.96, bottom=0.06, top=0.6, wspace=0.08)
        figure.text(0.04, 0.86, "Linear neural networks", fontsize=46, fontweight="bold")
        figure.text(0.04, 0.76, "Executable lecture notes: proofs, experiments, exercises", fontsize=24)
        true_colour = io.BytesIO()
        figure.savefig(true_colour, format="png", dpi=DPI)
        plt.close(figure)
    picture = io.BytesIO()
    Image.open(true_colour).convert("RGB").quantize(256).save(picture, format="PNG", optimize=True)
    return picture.getvalue()


if __name__ == "__main__":
    PICTURE.write_bytes(draw())
    print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")
