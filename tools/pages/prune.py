"""Drop what a built site carries and never uses: most icons of a font, and a script that draws icons.

Usage: python tools/pages/prune.py _build/html

The theme brings its icons twice, as a font of two thousand and as a script of 1.5 MB that draws them; the pages show a
dozen. The tests in a browser fail where something is missing.
"""

import gzip
import re
import sys
from pathlib import Path

from fontTools import subset

ICONS = "fa-solid-900"


def characters(css: str) -> set[int]:
    """Code points of the icons that a style sheet names, as characters or as escapes."""
    return {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", css)} | {
        ord(character) for character in css if 0xE000 <= ord(character) <= 0xF8FF
    }


def prune_icons(site: Path) -> None:
    """Keep of the font of icons those that a page or a style sheet shows, and drop the script that draws them anew."""
    static = site / "_static"
    shown = set(re.findall(r"\bfa-[a-z0-9-]+", "".join(path.read_text() for path in static.glob("**/*theme.js"))))
    for page in [path for path in site.rglob("*.html") if static not in path.parents]:
        text = page.read_text()
        shown.update(re.findall(r"\bfa-[a-z0-9-]+", text))
        page.write_text(re.sub(r'\s*<script src="[^"]*/fontawesome\.js[^>]*></script>', "", text))
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    rule = re.compile(r"((?:,?\.fa-[a-z0-9-]+:before)+)\{content:(\"[^\"]+\")\}")
    codes = set()
    for names, content in rule.findall(sheet.read_text()):
        if shown.intersection(re.findall(r"fa-[a-z0-9-]+", names)):
            codes |= characters(content)
    for path in static.rglob("*.css"):
        codes |= characters(rule.sub("", path.read_text()))
    fonts = static / "vendor" / "fontawesome" / "webfonts"
    if not (fonts / f"{ICONS}.woff2").exists():
        return  # done before: only what changed was built anew
    font = subset.load_font(str(fonts / f"{ICONS}.ttf"), subset.Options())
    few = subset.Subsetter()
    few.populate(unicodes=codes)
    few.subset(font)
    font.save(fonts / f"{ICONS}.ttf")
    (fonts / f"{ICONS}.woff2").unlink()
    sheet.write_text(
        sheet.read_text().replace(f'url(../vendor/fontawesome/webfonts/{ICONS}.woff2) format("woff2"),', "")
    )
    for path in (static / "scripts").glob("fontawesome.js*"):
        path.unlink()


def pack_katex(site: Path) -> None:
    """Put a packed copy beside KaTeX, which book/theme/formulas.js asks for."""
    script = site / "_static" / "katex" / "katex.min.js"
    script.with_suffix(".js.gz").write_bytes(gzip.compress(script.read_bytes(), mtime=0))


if __name__ == "__main__":
    pack_katex(Path(sys.argv[1]))
    prune_icons(Path(sys.argv[1]))
