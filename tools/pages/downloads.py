"""What a reader can take along: a zip of the notebooks, the PDF and the slides, if made; linked from every page.

Usage: python tools/pages/downloads.py [_build/html]

The notebooks are carried in plain Markdown (plain.py), with the names and numbers of the built site.

The links are written into the built pages, and only for what is there and as new as the notebooks: no link is dead and
none leads to an old edition, in whatever order the site and the PDF were made.
"""

import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book" / "extensions"))
import nbformat
import plain
import repository
import sitenames

NAME = "linear-neural-networks"
PDF = ROOT / "_build" / "latex" / f"{NAME}.pdf"
SLIDES = ROOT / "_build" / "slides" / "index.html"
PLACE = re.compile(r'(<span class="downloads">).*?(</span>)', re.S)  # stands in the footer: _config.yml
BUTTON = re.compile(r'(<li class="pdf">).*?(</li>)')  # stands on the landing page: book/templates/landing.html
CARRIED = ("pyproject.toml", "README.md", "LICENSE", "chapters/LICENSE", "constraints.txt")
ELSEWHERE = {"404.html"}  # shown at any address, so that a relative link would lead nowhere

START = """\
Linear neural networks: the notebooks of the book, and the package that they use.

With Python 3.11 or newer, in this folder:

    python -m venv .venv
    .venv/bin/python -m pip install ".[chapters]" jupyterlab
    .venv/bin/jupyter lab chapters/preface.ipynb

(on Windows: .venv\\Scripts instead of .venv/bin). To have the very versions with which the outputs were made, add
`-c versions.txt` to the second line. Start at chapters/preface.ipynb. Code: MIT licence (LICENSE). Text and
figures: CC BY 4.0 (chapters/LICENSE).
"""


def versions(lock: str) -> str:
    r"""The lock file as plain constraints: names and versions, without the hashes.

    >>> versions("a==1 \\\n    --hash=sha256:0\nb==2 ; extra \\\n    --hash=sha256:1\n    # via a\n")
    'a==1\nb==2 ; extra\n'
    """
    pins = re.findall(r"^([\w.\[\]-]+==.*?)(?: \\)?$", lock, re.M)
    return "\n".join(pins) + "\n"


def copies(folder: Path, names: sitenames.Site) -> dict[str, str]:
    """The notebooks of a folder in plain Markdown, by their names."""
    pages = sorted(folder.glob("*.ipynb"))
    beside, written = {page.stem for page in pages}, {}
    for page in pages:
        writer = plain.Writer(names, page.stem, repository.site(), beside)
        written[page.name] = nbformat.writes(plain.convert(nbformat.read(page, as_version=4), writer)) + "\n"
    return written


def bundle(path: Path, names: sitenames.Site) -> None:
    """Write the zip: all notebooks, the package, and how to start; the same bytes from the same sources."""
    sources = [ROOT / name for name in CARRIED if name != "constraints.txt"]
    sources += [file for kind in ("*.py", "*.mplstyle", "*.csv", "py.typed") for file in (ROOT / "lnn").rglob(kind)]
    contents = {str(file.relative_to(ROOT)): file.read_bytes() for file in sources}
    notebooks = copies(ROOT / "chapters", names)
    contents.update({f"chapters/{name}": text.encode() for name, text in notebooks.items()})
    where = repository.address()
    contents["START-HERE.txt"] = (START + (f"Sources and newer editions: {where}\n" if where else "")).encode()
    contents["versions.txt"] = versions((ROOT / "constraints.txt").read_text()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, contents[name])


def decks(path: Path, folder: Path) -> None:
    """Write the zip of the slides; index.html is where to start."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            inner = file.relative_to(folder)
            if inner.parts[0] not in (".doctrees", "_sources", ".buildinfo"):
                archive.write(file, Path(f"{NAME}-slides") / inner)


def current(pdf: Path) -> bool:
    """Whether the PDF, or the first page of the slides, is there and not older than any notebook."""
    newest = max(page.stat().st_mtime for page in (ROOT / "chapters").glob("*.ipynb"))
    return pdf.exists() and pdf.stat().st_mtime >= newest


def offer(site: Path, files: dict[str, Path]) -> None:
    """Put the links to these files, by what they are called, into the footer of every page."""
    links_to = {file.name for file in files.values()}
    for page in site.rglob("*.html"):
        text = page.read_text()
        up = "../" * (len(page.relative_to(site).parts) - 1)
        sizes = {name: f"{file.stat().st_size / 1e6:.1f} MB" for name, file in files.items()}
        links = [f'<a href="{up}{file.name}">{name}</a> ({sizes[name]})' for name, file in files.items()]
        line = "" if page.name in ELSEWHERE else " To take along: " + ", ".join(links) + "."
        filled = PLACE.sub(rf"\g<1>{line}\g<2>", text)
        button = f'<a href="{PDF.name}">PDF</a>' if PDF.name in links_to else ""
        filled = BUTTON.sub(rf"\g<1>{button}\g<2>", filled)
        if filled != text:
            page.write_text(filled)


def main(site: Path) -> None:
    archive, copy, names = site / f"{NAME}-notebooks.zip", site / PDF.name, sitenames.read(site)
    bundle(archive, names)
    for name, text in copies(site / "notebooks", names).items():  # plain ones stay as they are
        (site / "notebooks" / name).write_text(text)
    files = {"the notebooks as a zip": archive}
    if current(PDF):
        copy.write_bytes(PDF.read_bytes())
        files = {"the book as a PDF": copy, **files}
    else:
        copy.unlink(missing_ok=True)
    slides = site / f"{NAME}-slides.zip"
    if current(SLIDES):
        decks(slides, SLIDES.parent)
        files = {**files, "the slides as a zip": slides}
    else:
        slides.unlink(missing_ok=True)
    offer(site, files)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html")
