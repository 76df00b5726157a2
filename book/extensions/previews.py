"""What references show before one follows them, and statements as what the search finds: a local extension of Sphinx.

Beside every page stands a script with the HTML of what on it can be referred to, statements, exercises, equations,
figures and entries of the bibliography; book/theme/previews.js loads it when a reference to one of them is pointed at,
and not before. Scripts can be loaded from files, where pages cannot fetch.
"""

import json
import re
from pathlib import Path
from typing import Any

import standing
from sphinx.application import Sphinx
from standing import pages

PIECES = re.compile(
    r'<div class="(?:proof \w+|exercise) admonition" id="(?P<box>[\w-]+)">.*?</section>'
    r'|<div class="math[^"]*" id="(?P<equation>equation-[\w-]+)">.*?</div>'
    r'|<figure[^>]* id="(?P<figure>fig-[\w-]+)">.*?</figure>'
    r'|<div class="citation" id="(?P<entry>id\d+)".*?</div>',
    re.S,
)
PLAIN = re.compile(r'<a class="headerlink".*?</a>|(?<=<)(\w+)( [^<>]*?)? (?:id|role)="[^"]*"', re.S)


def cut(body: str) -> dict[str, str]:
    """The pieces of a page that can be referred to, by their ids, without ids and links to themselves.

    >>> cut('<div class="math x" id="equation-eq-a"><span>(1)<a class="headerlink" href="#a">#</a></span>a</div>')
    {'equation-eq-a': '<div class="math x"><span>(1)</span>a</div>'}
    """
    found = {}
    for piece in PIECES.finditer(body):
        text = piece[0] + "</div>" * (piece["box"] is not None)
        name = next(filter(None, piece.groups()))
        while text != (plain := PLAIN.sub(lambda tag: (tag[1] or "") + (tag[2] or ""), text)):
            text = plain
        found[name] = text
    return found


def write(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Write the script of a page, if there is anything to show."""
    found = cut(context.get("body") or "")
    if found:
        path = Path(app.outdir) / "_static" / "previews" / f"{page}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'(window.previews ??= {{}})["{page}"] = {json.dumps(found, ensure_ascii=False)};\n')


def list_statements(app: Sphinx, error: Exception | None) -> None:
    """Write what the search looks through: every statement with kind and number, title and address."""
    if error or app.builder.format != "html":
        return
    rows = [
        [standing.named(app.env, result.label), result.title, f"chapters/{result.page}.html#{result.label}"]
        for result in pages.results()
        if result.label in getattr(app.env, "proof_list", {})
    ]
    text = f"window.statements = {json.dumps(rows, ensure_ascii=False)};\n"
    (Path(app.outdir) / "_static" / "statements.js").write_text(text)


def search(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Bring to the page of the search what looks through the statements."""
    if page == "search":
        app.add_js_file("statements.js", loading_method="defer")
        app.add_js_file("search.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", write, priority=950)
    app.connect("html-page-context", search)
    app.connect("build-finished", list_statements)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
