"""Make the PDF of the book: _build/latex/linear-neural-networks.pdf.

Usage: python tools/pages/pdf.py

Sphinx writes the LaTeX file (book/extensions/paper.py says how), latexmk runs XeLaTeX on it, and the log is read: a
missing character, a reference to nothing or a line that runs far into the margin is an error, as a warning is on the
site.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "_build" / "latex"
PDF = FOLDER / "linear-neural-networks.pdf"
PACKAGES = (
    "latexmk texlive-xetex texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended lmodern librsvg2-bin"
)
FILES = ("tcolorbox.sty", "unicode-math.sty", "needspace.sty", "latinmodern-math.otf", "lmroman10-regular.otf")
MARGIN = 2.8  # points that a line may stick out: a millimetre


def missing() -> list[str]:
    """Programs and files of LaTeX that are not on this machine."""
    programs = [name for name in ("latexmk", "xelatex", "kpsewhich") if shutil.which(name) is None]
    if programs:
        return programs
    return [name for name in FILES if subprocess.run(["kpsewhich", name], capture_output=True).returncode != 0]


def complaints(log: str) -> list[str]:
    r"""What in a LaTeX log the reader would see on the page.

    >>> complaints("Overfull \\hbox (2.0pt too wide) in paragraph at lines 1--2")
    []
    >>> len(complaints("Overfull \\hbox (33.0pt too wide) in paragraph at lines 1--2"))
    1
    """
    found = re.findall(r"Missing character: .*|LaTeX Warning: (?:Hyper reference|Reference) .*undefined.*", log)
    wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\).*", log)
    lines = re.findall(r"Overfull \\hbox .*", log)
    return found + [line for line, points in zip(lines, wide, strict=True) if float(points) > MARGIN]


def set_figures() -> None:
    """Put the drawings of pictures into the LaTeX file, where there is a program that makes a PDF of an SVG."""
    if shutil.which("rsvg-convert") is None:
        print("no rsvg-convert (on Debian and Ubuntu: librsvg2-bin), so figures are printed as stored")
        return
    tex = FOLDER / f"{PDF.stem}.tex"

    def drawing(picture: re.Match) -> str:
        source = ROOT / "book" / "figures" / f"{picture[1]}.svg"
        if not source.exists():
            return picture[0]
        command = ["rsvg-convert", "--format=pdf", f"--output={FOLDER / picture[1]}.pdf", str(source)]
        subprocess.run(command, check=True)
        return f"{{{{{picture[1]}}}.pdf}}"

    tex.write_text(re.sub(r"\{\{([0-9a-f]{16})[0-9a-f]{48}\}\.png\}", drawing, tex.read_text()))


def main() -> int:
    if missing():
        print(f"no PDF without LaTeX; missing: {', '.join(missing())}", file=sys.stderr)
        print(f"on Debian and Ubuntu: sudo apt-get install --no-install-recommends {PACKAGES}", file=sys.stderr)
        return 1
    book = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(ROOT), "--builder", "latex"]
    subprocess.run([*book, "-W", "-n", "--keep-going", "--quiet"], check=True)
    set_figures()
    released = yaml.safe_load((ROOT / "CITATION.cff").read_text())["date-released"]
    clock = {"SOURCE_DATE_EPOCH": f"{released:%s}", "FORCE_SOURCE_DATE": "1"}  # the same bytes on every day
    command = ["latexmk", "-xelatex", "-interaction=nonstopmode", "-halt-on-error", "-silent", f"{PDF.stem}.tex"]
    ran = subprocess.run(
        command, cwd=FOLDER, env={**os.environ, **clock, "max_print_line": "1000"}, capture_output=True
    )
    log = (FOLDER / f"{PDF.stem}.log").read_text(errors="replace")
    wrong = re.findall(r"^!.*(?:\n.*){0,5}", log, re.M) if ran.returncode else complaints(log)
    if ran.returncode or wrong:
        PDF.unlink(missing_ok=True)
        print("\n".join(["the PDF is not as it should be:", *wrong]), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
