"""Where the built book is, which chapters it has, and the browser to read it in."""

import shutil
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
NAMES = sorted(path.stem for path in SITE.glob("chapters/*.html"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
