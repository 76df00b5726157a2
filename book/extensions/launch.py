"""Run a page elsewhere: links to Binder and Colab on every page with code, and notebooks that install the package.

As a local extension of Sphinx it writes a copy of each notebook with code to notebooks/ of the built site and draws the
links under the page's title. The copy has one more cell, before the first code cell, that installs the package where it
is missing; it needs the repository's address, and so do the links to Binder and Colab: without an address they are left
out. tools/pages/downloads.py puts the copies into plain Markdown, and a workflow pushes them to the branch that Colab
opens.

Usage: python book/extensions/launch.py links [HUB]    print the links of every notebook, and those of a JupyterHub
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import nbformat
import repository

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHAPTERS = repository.ROOT / "chapters"
BRANCH = "notebooks"  # what Colab opens
NOT_EVERYWHERE = re.compile(r"^\s*(?:import|from) (?:jax|equinox|optax|mlxtend)\b", re.M)

INSTALL = """\
# Where the package is missing, on Colab for instance: install it.
import importlib.util

if importlib.util.find_spec("lnn") is None:
    %pip install --quiet "{requirement}"
"""


def notebooks() -> list[Path]:
    """The notebooks of the book that have code, in the order of their names."""
    pages = sorted(CHAPTERS.glob("*.ipynb"))
    return [page for page in pages if any(c.cell_type == "code" for c in nbformat.read(page, as_version=4).cells)]


def requirement(notebook: nbformat.NotebookNode, origin: str) -> str:
    """What pip is asked for before a notebook runs: the package with the extra for this notebook, from an origin.

    The origin is what stands behind `@` in a requirement, such as `git+https://github.com/owner/name@main`.
    """
    extra = "nonlinear" if any(NOT_EVERYWHERE.search(cell.source) for cell in notebook.cells) else "chapters"
    return f"lnn[{extra}] @ {origin}"


def stamp(notebook: nbformat.NotebookNode, origin: str | None) -> nbformat.NotebookNode:
    """The notebook with a cell that installs the package, before its first code cell; as it is without an origin."""
    stamped = nbformat.from_dict(notebook)
    if origin:
        source = INSTALL.format(requirement=requirement(notebook, origin)).rstrip()
        first = next(k for k, cell in enumerate(stamped.cells) if cell.cell_type == "code")
        stamped.cells.insert(first, nbformat.v4.new_code_cell(source, id="install"))
    return stamped


def write(folder: Path, origin: str | None) -> list[Path]:
    """Write the stamped copies of all notebooks with code to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in notebooks():
        nbformat.write(stamp(nbformat.read(page, as_version=4), origin), folder / page.name)
    return [folder / page.name for page in notebooks()]


def links(name: str, slug: str | None) -> dict[str, str]:
    """Text and address of the links that lead elsewhere from the page `name`; none where the slug is not known."""
    if slug is None:
        return {}
    return {
        "Run in Binder": f"https://mybinder.org/v2/gh/{slug}/{repository.BRANCH}?urlpath=lab/tree/chapters/{name}.ipynb",
        "Run in Colab": f"https://colab.research.google.com/github/{slug}/blob/{BRANCH}/{name}.ipynb",
    }


def hub_link(hub: str, name: str, address: str) -> str:
    """The link with which nbgitpuller fetches the repository on a JupyterHub, merges, and opens a notebook."""
    folder = address.rsplit("/", 1)[1]
    opened = quote(f"lab/tree/{folder}/chapters/{name}.ipynb", safe="")
    query = f"repo={quote(address, safe='')}&branch={repository.BRANCH}&urlpath={opened}"
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{query}"


def draw(app: "Sphinx", page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Put the links under the title of a page with code."""
    name = Path(page).name
    if name not in app.launched or not page.startswith("chapters/"):
        return
    drawn = [f'<a href="{address}">{text}</a>' for text, address in links(name, repository.slug()).items()]
    drawn.append(f'<a href="../notebooks/{name}.ipynb" download>Download notebook</a>')
    items = "".join(f"<li>{link}</li>" for link in drawn)
    bar = f'<nav class="launch d-print-none" aria-label="Run this page"><ul>{items}</ul></nav>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{bar}", 1)


def prepare(app: "Sphinx") -> None:
    """Write the copies to the site, and remember which pages have one."""
    app.launched = set()
    if app.builder.format == "html":
        app.launched = {path.stem for path in write(Path(app.outdir) / "notebooks", repository.origin())}


def setup(app: "Sphinx") -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", prepare)
    app.connect("html-page-context", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main() -> int:
    match sys.argv[1:]:
        case ["links", *hub]:
            address = repository.address()
            if address is None:
                print("no address of the repository: set LNN_REPOSITORY=https://github.com/owner/name", file=sys.stderr)
                return 1
            for page in notebooks():
                elsewhere = [*links(page.stem, repository.slug()).values()]
                print("\n".join(elsewhere + [hub_link(host, page.stem, address) for host in hub]))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
