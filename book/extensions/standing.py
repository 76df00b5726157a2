"""Under every statement of the site, where it stands: proved, derived, tested, exercised, and what hangs on what.

A local extension of Sphinx, named in _config.yml. The line is made from the index of results, and leads there. Folded
under it stand the statements that this one uses, and those that use it, read off the references in statements and
proofs; and a statement can be cited. On paper nothing of it is printed: the index of results is.
"""

import functools
import html
import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode
from sphinx_proof.nodes import NODE_TYPES

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools" / "pages"))
import landing
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


def users(label: str) -> list[str]:
    """The statements that refer to this one, they or their proofs."""
    return [other for other, others in uses().items() if label in others]


@functools.cache
def titles() -> dict[str, str]:
    """Titles of the statements, formulas as they are typed."""
    return {result.label: result.title for result in pages.results()}


def named(env: BuildEnvironment, label: str) -> str:
    """Kind and number of a statement."""
    entry = env.proof_list[label]  # type: ignore[attr-defined]
    numbers = env.toc_fignumbers.get(entry["docname"], {}).get(entry["countertype"], {})
    return f"{entry['realtype'].title()} {'.'.join(map(str, numbers.get(label, ())))}".strip()


def line(app: Sphinx, page: str, title: str, labels: list[str]) -> nodes.paragraph:
    """A paragraph with links to statements, by kind and number."""
    paragraph = nodes.paragraph("", f"{title} ")
    for k, label in enumerate(labels):
        text, home = nodes.inline("", named(app.env, label)), app.env.proof_list[label]["docname"]  # type: ignore[attr-defined]
        paragraph += [nodes.Text(", ")] * bool(k) + [make_refnode(app.builder, page, home, label, text)]
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
        called = html.escape(f"{named(app.env, label)} ({titles()[label]}). {landing.cited()}")
        button = f'<button type="button" data-copy="{called}">copy citation</button>'
        parts = [link, nodes.Text(" · "), nodes.raw("", button, format="html")]
        node += nodes.paragraph("", "", *parts, classes=["standing"])
        lines = [("Uses", uses().get(label, [])), ("Used by", users(label))]
        if any(labels for _, labels in lines):
            node += nodes.raw("", '<details class="standing"><summary>uses and used by</summary>', format="html")
            node += [line(app, page, title, labels) for title, labels in lines if labels]
            node += nodes.raw("", "</details>", format="html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
