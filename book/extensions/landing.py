"""The first page of the site, index.html, and how the book is cited: a local extension of Sphinx, named in _config.yml.

The page is book/templates/landing.html. What it says of edition and authors comes from CITATION.cff, its picture, drawn
by tools/pages/social.py, is book/templates/curves.html.
"""

import functools
from typing import Any

import interactive
import launch
import publishing
import repository
import yaml
from sphinx.application import Sphinx

SENTENCE = (
    "Why depth can make gradient descent faster, and what it finds simpler, although nothing is gained in what can be "
    "expressed: lecture notes that run, with proofs, tests and the code of every figure."
)


@functools.cache
def edition() -> dict[str, Any]:
    """What CITATION.cff says of the book."""
    return yaml.safe_load((repository.ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def cited() -> str:
    """How the book is cited; the script that copies it adds the address of the page."""
    book = edition()
    authors = " and ".join(author["name"] for author in book["authors"])
    return f"{authors}. {book['title']}. Version {book['version']}, {book['date-released']}."


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give the landing page its facts, and every page the way to it."""
    context["root_doc"] = context["master_doc"] = "index"
    if page != "index":
        return
    context.update(
        title=app.config.html_title,
        sentence=SENTENCE,
        edition=edition(),
        cited=cited(),
        source=repository.address(),
        run=launch.links("preface", repository.slug()).get("Run in Binder"),
        moving=len(interactive.PLOTS),
        shows=publishing.PICTURE_SHOWS,
    )
    context["metatags"] = publishing.tags(app.config, SENTENCE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
