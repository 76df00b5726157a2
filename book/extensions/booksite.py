"""What the built site needs beside Sphinx's own settings: named as a local extension in _config.yml."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.mathjax import html_visit_displaymath, html_visit_math

REPEATED = {"proof-content", "exercise-content", "solution-content"}


def drop_unused(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Leave out Thebe, which jupyter-book always brings and which breaks when put on a page twice, and unused tabs."""
    unused = ["thebe"] + ["design-tabs"] * ("sd-tab-set" not in (context.get("body") or ""))
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file
            for file in context[kind]
            if not any(name in f"{file!s} {getattr(file, 'attributes', '')}".lower() for name in unused)
        ]


def set_formulas(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Bring KaTeX to the pages that have formulas."""
    if app.env.get_domain("math").has_equations(page):
        app.add_css_file("katex/katex.min.css")
        app.add_js_file("formulas.js", loading_method="defer")


def mend_roles(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Make of the bibliography a list of items, which is what its roles were meant to say."""
    if "citation-list" in context.get("body", ""):
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def drop_repeated_ids(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Take the ids off the bodies of theorems and exercises: every one on a page has the same."""
    for node in doctree.findall(nodes.section):
        node["ids"] = [name for name in node["ids"] if name not in REPEATED]


def search_from_files(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Let the search list what it finds without excerpts where the site is opened from files: a page cannot fetch."""
    if page == "search":
        body = "if (location.protocol === 'file:') DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;"
        app.add_js_file(None, body=body)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", drop_unused, priority=900)
    app.connect("html-page-context", mend_roles)
    # KaTeX reads the formulas from the page as Sphinx writes them for MathJax.
    app.add_html_math_renderer("katex", (html_visit_math, None), (html_visit_displaymath, None))
    app.connect("config-inited", lambda app, config: setattr(config, "html_math_renderer", "katex"))
    app.connect("html-page-context", set_formulas)
    app.connect("html-page-context", search_from_files)
    app.connect("doctree-resolved", drop_repeated_ids)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
