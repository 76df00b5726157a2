"""Figures as drawings, one for light pages and one for dark ones: a local extension of Sphinx.

A picture that has a drawing in book/figures is shown by it, and leads to it, so that a tap enlarges what is small on a
phone. On dark pages black and white change places, and the greys between; colours stay as the caption names them.
"""

import colorsys
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

FIGURES = Path(__file__).resolve().parents[1] / "figures"
PICTURE = re.compile(r'<img alt="([^"]*)" src="([^"]*_images/)([0-9a-f]{16})[0-9a-f]{48}\.png" ?/>')
TEXT, PAPER = (0xCE, 0xD6, 0xDD), (0x12, 0x12, 0x12)  # of the theme's dark pages
SCALE = 110 / 72  # pixels for a point: those of the stored pictures
LEAST = 3.0  # contrast of what is drawn with the page, as WCAG asks for graphics


def parts(colour: str) -> tuple[int, ...]:
    """Red, green and blue of a colour."""
    return tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5))


def grey(rgb: tuple[int, ...]) -> bool:
    """Whether a colour is a grey, to the eye."""
    return max(rgb) - min(rgb) < 16


def luminance(rgb: tuple[int, ...]) -> float:
    """Relative luminance of a colour, as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (c / 255 for c in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def night(colour: str) -> str:
    """A colour as a dark page has it: greys between text and paper, others as they are, or as light as can be seen.

    >>> night("#000000"), night("#ffffff"), night("#e69f00")
    ('#ced6dd', '#121212', '#e69f00')
    """
    rgb = parts(colour)
    if grey(rgb):
        share = sum(rgb) / 765
        rgb = tuple(round(ink * (1 - share) + paper * share) for ink, paper in zip(TEXT, PAPER, strict=True))
    else:
        hue, light, strength = colorsys.rgb_to_hls(*(c / 255 for c in rgb))
        while (luminance(rgb) + 0.05) / (luminance(PAPER) + 0.05) < LEAST:
            light += 0.01
            rgb = tuple(round(255 * c) for c in colorsys.hls_to_rgb(hue, light, strength))
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def dark(svg: str) -> str:
    """A drawing for a dark page; letters have no colour of their own, and take that of the whole.

    A map of colours stays as it is, on white: it would be another one if some of its colours changed.
    """
    fills = {parts(colour) for colour in re.findall(r"(?<=fill: )#[0-9a-f]{6}", svg)}
    if "<image" in svg or sum(not grey(rgb) for rgb in fills) > 8:
        return svg
    svg = re.sub(r"(?<=: )#[0-9a-f]{6}\b|(?<=fill=\")#[0-9a-f]{6}\b", lambda found: night(found[0]), svg)
    return svg.replace("<svg ", f'<svg fill="{night("#000000")}" ', 1)


def draw(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Put the drawings in the places of the pictures of a page."""

    def drawn(picture: re.Match) -> str:
        alt, folder, name = picture.groups()
        source = FIGURES / f"{name}.svg"
        if not source.exists():
            return picture[0]
        svg = source.read_text(encoding="utf-8")
        size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
        width, height = (round(SCALE * float(x)) for x in size.groups())
        written = Path(app.outdir) / "_images"
        written.mkdir(parents=True, exist_ok=True)
        shown = []
        for theme, drawing in (("light", svg), ("dark", dark(svg))):
            (written / f"{name}-{theme}.svg").write_text(drawing, encoding="utf-8")
            address = f"{folder}{name}-{theme}.svg"
            image = f'<img alt="{alt}" src="{address}" width="{width}" height="{height}" loading="lazy"'
            shown.append(f'<a class="vector only-{theme}" href="{address}">{image} class="only-{theme}" /></a>')
        return f'<span class="drawing">{"".join(shown)}</span>'  # else the theme hides captions after what it hides

    context["body"] = PICTURE.sub(drawn, context.get("body") or "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx; before previews are cut from the page."""
    app.connect("html-page-context", draw, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
