"""Under every statement of the site, where it stands: proved, derived, tested, exercised, and what hangs on what.

A local extension of Sphinx, named in _config.yml. The line is made from the index of results, and leads there. Folded
under it stand the statements that this one uses, and those that use it, read off the references in statements and
proofs. On paper nothing of it is printed: the index of results is.
"""

import functools
import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import make_refnode
from sphinx_proof.nodes import NODE_TYPES

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools" / "pages"))
import pages
import seals

REFERENCE = re.compile(r"\{prf:ref\}`(?:[^`<]*<)?([\w-]+)>?`")


@functools.cache
def standing() -> dict[str, list[str]]:
    """For every statement of the index what there is of it: "proved", "derived", "3 tests", …."""
    texts = {label: text for page in seals.sources() for label, text in seals.pieces(pages.read(page)).items()}
    found = {}
    for result in pages.results():
        said = ["proved"] * ("{admonition} Proof" in texts.get(result.label, ""))
        said += ["derived"] * bool(result.symbolic)
        for kind, names in (("test", result.tests), ("exercise", result.exercises)):
            said += [f"{len(names)} {kind}{'s' * (len(names) > 1)}"] if names else []
        found[result.label] = said
    return found


@functools.cache
def uses() -> dict[str, list[str]]:
    """For every statement those that it, or its proof, refers to, in the order of the text."""
    known = standing()
    found: dict[str, list[str]] = {}
    for page in seals.sources():
        for label, text in seals.pieces(pages.read(page)).items():
            if label in known:
                others = dict.fromkeys(other for other in REFERENCE.findall(text) if other in known and other != label)
                found[label] = list(others)
    return found


def line(app: Sphinx, page: str, title: str, labels: list[str]) -> nodes.paragraph:
    """A paragraph with links to statements, by kind and number."""
    paragraph = nodes.paragraph("", f"{title} ")
    for k, label in enumerate(labels):
        entry = app.env.proof_list[label]  # type: ignore[attr-defined]
        numbers = app.env.toc_fignumbers.get(entry["docname"], {}).get(entry["countertype"], {})
        number = ".".join(map(str, numbers.get(label, ())))
        text = nodes.inline("", f"{entry['realtype'].title()} {number}".strip())
        paragraph += [nodes.Text(", ")] * bool(k) + [make_refnode(app.builder, page, entry["docname"], label, text)]
    paragraph += nodes.Text(".")
    return paragraph


def add(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Close every statement of a page with its line."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(lambda node: isinstance(node, tuple(NODE_TYPES.values())))):
        label = node.get("label", "")
        said = standing().get(label, [])
        if not said:
            continue
        text = nodes.inline("", " · ".join(said))
        link = make_refnode(app.builder, page, "chapters/results", f"index-{label}", text, "In the index of results")
        node += nodes.paragraph("", "", link, classes=["standing"])
        users = [other for other, others in uses().items() if label in others]
        lines = [("Uses", uses().get(label, [])), ("Used by", users)]
        if any(labels for _, labels in lines):
            node += nodes.raw("", '<details class="standing"><summary>uses and used by</summary>', format="html")
            node += [line(app, page, title, labels) for title, labels in lines if labels]
            node += nodes.raw("", "</details>", format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
