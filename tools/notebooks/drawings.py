"""Pictures as drawings: book/figures/DIGEST.svg, where DIGEST is that of the picture that the notebook stores.

A cell that draws gives both, and they are parted when the page is executed: the notebook keeps the picture, which any
reader of notebooks shows, and the site shows the drawing. So both come from one call of matplotlib.
"""

import base64
import hashlib
import re
from pathlib import Path

import nbformat
import whole

FOLDER = whole.ROOT / "book" / "figures"
BOTH = ["--InlineBackend.figure_formats=png", "--InlineBackend.figure_formats=svg"]


def digest(picture: str) -> str:
    """The name of a picture of base64 text: the start of the name that the site gives it, too."""
    return hashlib.sha256(base64.b64decode(picture)).hexdigest()[:16]


def slim(svg: str) -> str:
    """An SVG by matplotlib without what nobody sees, in hundredths of a point, with names in the order of their use.

    >>> slim('<svg x="1"> <g id="a"><path id="b" d="M 1.23456 2 L 3 4"/></g> <use href="#b"/></svg>')
    '<svg x="1"><g><path id="i0" d="M1.23 2L3 4"/></g><use href="#i0"/></svg>'
    """
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"(scale\([^)]*\))|(\.\d\d)\d+", lambda found: found[1] or found[2], svg)  # letters are scaled paths
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(path[0].split())), svg)
    names = {name: f"i{k}" for k, name in enumerate(dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)))}
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{names[found[1]]}"' if found[1] in names else "", svg)
    svg = re.sub(r'(href="#|url\(#)([^")]+)', lambda found: found[1] + names[found[2]], svg)
    return re.sub(r">\s+<", "><", svg).strip()


def part(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Take the drawings out of a notebook: by the digests of its pictures, which are as they will be stored."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            svg = output.get("data", {}).pop("image/svg+xml", None)
            output.get("metadata", {}).pop("image/svg+xml", None)
            if svg is not None:
                found[digest(output.data["image/png"])] = slim(svg)
    return found


def pictures(page: Path) -> dict[str, str]:
    """The pictures that a notebook stores, as base64 text, by their digests."""
    cells = nbformat.read(page, as_version=4).cells
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return {digest(found["image/png"]): found["image/png"] for found in data if "image/png" in found}


def sweep() -> None:
    """Remove the drawings of pictures that no notebook stores any more."""
    stored = set().union(*map(pictures, (whole.ROOT / "chapters").glob("*.ipynb")))
    for path in FOLDER.glob("*.svg"):
        if path.stem not in stored:
            path.unlink()
