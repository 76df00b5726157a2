"""Drop what a built site carries and never uses: 25 MB of MathJax variants, of which its pages load one.

Usage: python tools/prune.py _build/html
"""

import shutil
import sys
from pathlib import Path

BUNDLE = "tex-chtml.js"
NEEDED = {BUNDLE, "input", "output", "a11y", "ui", "sre"}  # folders that the bundle loads from on demand
UNUSED = ("input/mml", "input/asciimath.js", "output/svg", "output/svg.js")


def prune(site: Path) -> None:
    """Keep of the vendored MathJax the one bundle that the pages name and the folders that it loads from."""
    folder = site / "_static" / "mathjax"
    if not any(f"mathjax/{BUNDLE}" in page.read_text() for page in site.glob("chapters/*.html")):
        raise SystemExit(f"the pages do not load {BUNDLE}: tools/prune.py needs to know what they load")
    for entry in [*(e for e in folder.iterdir() if e.name not in NEEDED), *(folder / name for name in UNUSED)]:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
