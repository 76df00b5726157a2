"""Draw the first experiment of chapters/preface.md, for shared links and for the landing page.

Usage: python tools/pages/social.py

It writes book/theme/social.png, 1200 x 630 pixels, and book/templates/curves.html, the same curves as three small
vector pictures, which the landing page moves. What is seen are the singular values of a product that is fitted to 300
of the 900 entries of a matrix of rank 2.
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

BOOK = Path(__file__).resolve().parents[2] / "book"
PICTURE, CURVES = BOOK / "theme" / "social.png", BOOK / "templates" / "curves.html"
DPI = 100
COUNT = 8


def measure() -> dict[str, lnn.Trajectory]:
    """The three runs, by what is fitted."""
    rng = np.random.default_rng(0)
    hidden = lnn.datasets.low_rank((30, 30), rank=2, rng=rng)
    seen = lnn.Entries(lnn.datasets.random_mask(hidden.shape, count=300, rng=rng))
    loss = lnn.LeastSquares(seen, seen(hidden))
    paths = {}
    for depth, name in enumerate(("1 matrix", "2 matrices", "3 matrices"), start=1):
        start = lnn.initial.gaussian((30,) * (depth + 1), scale=0.02, rng=rng)
        paths[name] = lnn.gradient_flow(start, loss, np.linspace(0, 12, 241), rtol=1e-6)
    return paths


def draw(paths: dict[str, lnn.Trajectory]) -> bytes:
    """The picture as PNG, with a palette; the same bytes at every call."""
    with plt.style.context("lnn.lnn"):
        figure, axes = plt.subplots(1, 3, figsize=(1200 / DPI, 630 / DPI), sharey=True, dpi=DPI, layout="none")
        for (name, path), ax in zip(paths.items(), axes, strict=True):
            plots.singular_values(path, count=COUNT, ax=ax)
            ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
            ax.set_title(name, fontsize=22)
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


def curves(paths: dict[str, lnn.Trajectory]) -> str:
    """The curves as HTML: a picture for each run, with one height for all."""
    top = max(path.singular_values.max() for path in paths.values())
    lines = ["{#- Drawn by tools/pages/social.py. -#}", '<div class="curves">']
    for name, path in paths.items():
        lines += ["<div>", '<svg viewBox="-1 -2 202 104" preserveAspectRatio="none" aria-hidden="true">', "<g>"]
        heights = 100 - 100 * path.singular_values[::4, :COUNT] / top
        for line in heights.T[::-1]:  # the largest is drawn last
            points = zip(np.linspace(0, 200, len(line)), line, strict=True)
            lines.append('<polyline points="' + " ".join(f"{x:.0f},{y:.1f}" for x, y in points) + '"/>')
        lines += ["</g>", "</svg>", f"<p>{name}</p>", "</div>"]
    return "\n".join([*lines, "</div>", ""])


if __name__ == "__main__":
    runs = measure()
    PICTURE.write_bytes(draw(runs))
    CURVES.write_text(curves(runs))
    for written in (PICTURE, CURVES):
        print(f"{written.name}: {written.stat().st_size} bytes")
