"""Where the built book is, and the browser to read it in."""

import shutil
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
