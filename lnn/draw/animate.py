"""Animations that run in the page without a kernel: plain HTML, a small table of numbers, a few lines of script."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from json import dumps

import numpy as np
from numpy.typing import ArrayLike

from lnn.numerics.checks import Matrix, check_count
from lnn.theory.spectrum import check_values
from lnn.trajectory import Trajectory

UNITS = 1000  # heights of bars are whole thousandths of the axis: small to store, the same on every machine
LEFT, TOP, WIDTH, HEIGHT = 34, 26, 176, 150  # of the frame in a panel, in the panel's own units

STYLE = """
.lnn-spectra .panels { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.lnn-spectra svg { flex: 1 1 12rem; min-width: 0; max-width: 20rem; height: auto; }
.lnn-spectra .legend { font-size: 0.85em; }
.lnn-spectra .controls { display: flex; gap: 0.75rem; align-items: center; margin-top: 0.5rem; }
.lnn-spectra .controls[hidden] { display: none; }
.lnn-spectra button { min-width: 5rem; padding: 0.25rem 0.5rem; font: inherit; }
.lnn-spectra input { flex: 1 1 auto; min-width: 0; max-width: 30rem; }
@media print { .lnn-spectra .controls { display: none; } }
"""

# It never starts by itself, and shows a few still pictures where the reader's system asks for reduced motion.
SCRIPT = """
for (const root of document.querySelectorAll(".lnn-spectra:not([data-ready])")) {
  root.dataset.ready = "";
  const { units, height, base, panels } = JSON.parse(root.dataset.panels);
  const bars = [...root.querySelectorAll("svg")].map((svg) => [...svg.querySelectorAll("rect")]);
  const clocks = [...root.querySelectorAll(".clock")];
  const button = root.querySelector("button"), slider = root.querySelector("input");
  const last = panels[0].heights.length - 1;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let timer = null;
  function show(frame) {
    slider.value = frame;
    slider.setAttribute("aria-valuetext", panels.map((p) => p.label + " at time " + p.times[frame]).join(", "));
    panels.forEach((panel, i) => {
      clocks[i].textContent = "t = " + panel.times[frame];
      panel.heights[frame].forEach((h, r) => {
        bars[i][r].setAttribute("height", (h * height) / units);
        bars[i][r].setAttribute("y", base - (h * height) / units);
      });
    });
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }
  function play() {
    const stride = calm.matches ? Math.ceil(last / 8) : 1;
    if (Number(slider.value) >= last) show(0);
    button.textContent = "Pause";
    timer = setInterval(() => {
      show(Math.min(last, Number(slider.value) + stride));
      if (Number(slider.value) >= last) pause();
    }, calm.matches ? 1000 : 80);
  }
  button.addEventListener("click", () => (timer === null ? play() : pause()));
  slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
  root.querySelector(".controls").hidden = false;
}
"""


@dataclass(frozen=True, eq=False, repr=False)
class Animation:
    """What a notebook shows as an animation, and a terminal as text.

    Parameters
    ----------
    html : str
        Self-contained; where scripts do not run, and on paper, it is a still picture of the last moment.
    text : str
        What it shows, in words.
    """

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def _ticks(top: float) -> Matrix:
    """Three to six round numbers from 0 up to `top`."""
    power = 10.0 ** np.floor(np.log10(top))
    step = next(s for s in (power / 5, power / 2, power, 2 * power) if top / s <= 5)
    return np.arange(0, top * (1 + 1e-9), step)


def _panel(
    label: str, time: str, heights: list[int], target: list[int], ticks: list[tuple[int, str]], text: str
) -> str:
    """One panel as SVG, at one moment; heights in units."""
    base, slot = TOP + HEIGHT, WIDTH / len(heights)

    def level(height: int) -> float:
        return round(base - height * HEIGHT / UNITS, 2)

    rows = [
        f'<text x="{LEFT}" y="14">{escape(label)}</text>',
        f'<text x="{LEFT + WIDTH}" y="14" text-anchor="end" class="clock">t = {time}</text>',
    ]
    for height, name in ticks:
        rows.append(f'<text x="{LEFT - 5}" y="{level(height) + 4:.2f}" text-anchor="end">{name}</text>')
        rows.append(
            f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{level(height)}" y2="{level(height)}" '
            'stroke="currentColor" stroke-opacity="0.2"/>'
        )
    for r, height in enumerate(heights):
        x, tall = LEFT + (r + 0.15) * slot, height * HEIGHT / UNITS
        rows.append(
            f'<rect x="{x:.2f}" y="{base - tall:.2f}" width="{0.7 * slot:.2f}" height="{tall:.2f}" fill="#1380b8"/>'
        )
        rows.append(f'<text x="{LEFT + (r + 0.5) * slot:.2f}" y="{base + 16}" text-anchor="middle">{r + 1}</text>')
    for r, height in enumerate(target):
        rows.append(
            f'<line x1="{LEFT + r * slot:.2f}" x2="{LEFT + (r + 1) * slot:.2f}" y1="{level(height)}" '
            f'y2="{level(height)}" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 2"/>'
        )
    return (
        f'<svg viewBox="0 0 {LEFT + WIDTH + 6} {base + 24}" role="img" aria-label="{escape(text)}" '
        'fill="currentColor" font-size="13">' + "".join(rows) + "</svg>"
    )


def spectra(
    paths: Mapping[str, Trajectory], *, count: int = 8, frames: int = 60, target: ArrayLike | None = None
) -> Animation:
    """Singular values of end-to-end matrices as bars that grow, one panel a trajectory, with a button and a slider.

    Each panel runs on the time of its own trajectory; the button plays them side by side.

    Parameters
    ----------
    paths : mapping from labels to trajectories
    count : int
        How many singular values to show, from the largest.
    frames : int
        How many of the recorded moments to show, evenly spread over the record; at least 2.
    target : array, shape (k,), optional
        Singular values to mark by dashed lines.

    Returns
    -------
    Animation

    Raises
    ------
    TypeError, ValueError
        If there is no trajectory, one has fewer than 2 moments, or a number is not what it should be.

    Notes
    -----
    `thm-singular-values`, page `singular_value_dynamics`.
    """
    count, frames = check_count(count, "count"), check_count(frames, "frames", least=2)
    if not paths:
        raise ValueError("an animation needs at least one trajectory, got none")
    short = [label for label, path in paths.items() if len(path) < 2]
    if short:
        raise ValueError(f"an animation needs at least 2 recorded moments, got 1 of {short[0]!r}")
    moments = {label: np.linspace(0, len(path) - 1, frames).round().astype(int) for label, path in paths.items()}
    values = {label: path.singular_values[moments[label], :count] for label, path in paths.items()}
    wanted = np.zeros(0) if target is None else check_values(target)[:count]
    top = 1.05 * max(float(np.max(v)) for v in [*values.values(), wanted] if v.size)
    if top == 0:
        raise ValueError("an animation needs a matrix that is not zero at some time")

    def units(array: Matrix) -> Matrix:
        return np.rint(UNITS * array / top).astype(int)

    ticks = [(int(units(x)), f"{x:g}") for x in _ticks(top)]
    panels, pictures, texts = [], [], []
    for label, path in paths.items():
        times = [f"{t:.3g}" for t in path.times[moments[label]]]
        heights = units(values[label]).tolist()
        stages = (
            f"{', '.join(f'{x:.2g}' for x in values[label][frame])} at t = {times[frame]}"
            for frame in (0, frames // 2, frames - 1)
        )
        text = f"{label}: singular values over time. They are {'; '.join(stages)}."
        panels.append({"label": label, "times": times, "heights": heights})
        pictures.append(_panel(label, times[-1], heights[-1], units(wanted).tolist(), ticks, text))
        texts.append(text)
    data = dumps({"units": UNITS, "height": HEIGHT, "base": TOP + HEIGHT, "panels": panels}, separators=(",", ":"))
    legend = "Bars: singular values, the largest first." + (" Dashed: where they should end." if wanted.size else "")
    html = (
        f'<div class="lnn-spectra" data-panels="{escape(data)}"><style>{STYLE}</style>'
        f'<div class="panels">{"".join(pictures)}</div><div class="legend">{legend}</div>'
        '<div class="controls" hidden><button type="button">Play</button>'
        f'<input type="range" min="0" max="{frames - 1}" value="{frames - 1}" aria-label="moment"></div>'
        f"<script>{SCRIPT}</script></div>"
    )
    return Animation(html, "Animation. " + " ".join(texts))
