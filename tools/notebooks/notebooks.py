"""Bring the executed twins of the chapters up to date: NAME.md -> NAME.ipynb, with fresh outputs.

Usage: python tools/notebooks/notebooks.py [--all] [--check | --steady] [NAME ...]

Without names, all of chapters/. Only what changed is executed, unless --all. Each page is written whole when done, and
a run that was interrupted is taken up where it was. --check executes nothing and changes nothing: it lists the pairs
that disagree and exits with 1 if there are any. --steady changes nothing either: it executes every page three times,
and exits with 1 unless the first two runs have the same bytes and the third, with two threads for linear algebra, the
same text.
"""

import argparse
import base64
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

# One thread while executing: the same bytes on one core and on many.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

sys.path.append(str(Path(__file__).resolve().parents[1]))
import drawings
import jupytext
import nbformat
import whole
from jupytext.config import load_jupytext_config
from nbclient import NotebookClient
from PIL import Image
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"


def text_of(notebook: nbformat.NotebookNode) -> str:
    """The notebook as MyST text, with the metadata filters of pyproject.toml."""
    config = load_jupytext_config(str(ROOT / "pyproject.toml"))
    lines = jupytext.writes(notebook, fmt="md:myst", config=config).splitlines()
    return "\n".join(line for line in lines if not line.startswith("    jupytext_version:")).strip()


def agrees(page: Path) -> bool:
    """Whether NAME.ipynb and NAME.md, both written as text, are one, and all cells have been executed in order."""
    twin = page.with_suffix(".ipynb")
    if not twin.exists():
        return False
    notebook = nbformat.read(twin, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    return text_of(notebook) == text_of(jupytext.read(page, fmt="md:myst")) and counts == list(
        range(1, len(counts) + 1)
    )


def name_cells(notebook: nbformat.NotebookNode) -> None:
    """Give every cell an id that depends on its text alone, so that the same text gives the same bytes."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha1(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def shrink(picture: str) -> str:
    """A PNG of base64 text with a palette of 256 colours instead of true colour: a third of the size, same look."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    small = io.BytesIO()
    image.quantize(256).save(small, format="PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode() + "\n"


def executed(page: Path) -> tuple[nbformat.NotebookNode, dict[str, str]]:
    """The notebook with the text of NAME.md and the outputs of running it from top to bottom; its drawings."""
    notebook = jupytext.read(page, fmt="md:myst")
    name_cells(notebook)
    options = {"timeout": 600, "record_timing": False, "coalesce_streams": True, "extra_arguments": drawings.BOTH}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(CHAPTERS)}}, **options)
    client.execute(stderr=subprocess.DEVNULL)  # the kernel's own chatter; errors in cells raise
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = shrink(output.data["image/png"])
    return notebook, drawings.part(notebook)


def execute(page: Path) -> None:
    """Write the executed twin of a page, after its drawings."""
    notebook, figures = executed(page)
    for name, svg in figures.items():
        whole.write(drawings.FOLDER / f"{name}.svg", svg + "\n")
    whole.write(page.with_suffix(".ipynb"), nbformat.writes(notebook) + "\n")


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """What the cells print and show as text, which nbval compares; figures are not looked at."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [str(output.get("text") or output.get("data", {}).get("text/plain")) for output in outputs]


def steady(page: Path) -> list[str]:
    """What differs between runs of a page: bytes between two, text between one and two threads."""
    (first, figures), (second, again) = executed(page), executed(page)
    threads = {name: "2" for name in os.environ if name.endswith("_NUM_THREADS")}
    before = {name: os.environ[name] for name in threads}
    os.environ.update(threads)  # the kernel inherits them
    third, _ = executed(page)
    os.environ.update(before)
    same = nbformat.writes(first) == nbformat.writes(second) and figures == again
    found = [] if same else ["bytes of two runs"]
    return found + ([] if printed(first) == printed(third) else ["text with two threads"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="pages, without ending; all by default")
    parser.add_argument("--all", action="store_true", help="execute also what has not changed")
    parser.add_argument("--check", action="store_true", help="only say which pairs disagree")
    parser.add_argument("--steady", action="store_true", help="only say which pages differ from run to run")
    options = parser.parse_args()
    pages = [CHAPTERS / f"{Path(name).stem}.md" for name in options.names] or sorted(CHAPTERS.glob("*.md"))
    stale = [page for page in pages if options.all or not agrees(page)]
    if options.check:
        for page in stale:
            print(f"{page.relative_to(ROOT)} and its notebook disagree: run `make notebooks`")
        return bool(stale)
    if options.steady:
        kept = whole.Unfinished("steady")
        found = {p.stem: kept(p.stem, [p, *whole.package()], lambda p=p: steady(p)) for p in tqdm(pages, unit="page")}
        kept.finish()
        for name, differences in found.items():
            print(f"{name}: {', '.join(differences) or 'steady'}")
        return any(found.values())
    bar, kept = tqdm(stale, unit="page", disable=not stale), whole.Unfinished("notebooks")
    for page in bar:
        bar.set_postfix_str(page.stem)
        if not agrees(page):
            execute(page)
        else:  # it is wanted anew: unless that was done before the run was interrupted
            kept(page.stem, [page, *whole.package()], lambda page=page: execute(page))
    kept.finish()
    drawings.sweep()
    print(f"{len(stale)} executed, {len(pages) - len(stale)} already current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
