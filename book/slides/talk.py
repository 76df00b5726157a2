"""What a deck takes from the book: statements by their labels, figures by their names; and the words beside a slide.

    ```{statement} thm-x          the statement as it stands in its chapter; with `:items: 1, 3` those of its list,
    ```                           with `:lead:` what stands before the list too
    ```{figure-of} fig-x          the figure as it was executed, with its alternative text; its caption is in the notes
    ```
    ```{notes}                    what the speaker sees and the audience does not
    ```

Nothing of a statement is copied by hand, so that a deck cannot say something else than the book.
"""

import html
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.ext.mathjax import html_visit_displaymath, html_visit_math
from sphinx.util.docutils import SphinxDirective

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools" / "pages"))
import pages

CHAPTERS = pages.CHAPTERS

BLOCK = re.compile(r"^(`{3,})\{prf:(\w+)\} *([^\n]*)\n:label: *(\S+)\n(.*?)^\1 *$", re.M | re.S)
EQUATION = re.compile(r"\$\$\n([^$]*?)\n *\$\$ *\((eq-[\w-]+)\)")
ITEM = re.compile(r"^(?=\d+\. )", re.M)


class Statement(NamedTuple):
    """A numbered statement of a chapter."""

    kind: str
    title: str
    body: str
    chapter: str


@cache
def statements() -> dict[str, Statement]:
    """All statements of the book, by label."""
    found = {}
    for page in sorted(CHAPTERS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for _, kind, title, label, body in BLOCK.findall(text):
            found[label] = Statement(kind, title, body.strip(), pages.title(page.stem))
    return found


@cache
def equations() -> dict[str, str]:
    """Numbered equations of the book, by label."""
    texts = [page.read_text(encoding="utf-8") for page in CHAPTERS.glob("*.md")]
    return {label: body.strip() for text in texts for body, label in EQUATION.findall(text)}


def told(text: str) -> str:
    """A text of a chapter as a slide can show it: references by title, short equations in place of their numbers."""

    def equation(match: re.Match[str]) -> str:
        body = equations().get(match[1], "")
        short = body and len(body) < 140 and not re.search(r"\\\\|&|\\tag|\n\n", body)
        return f"${' '.join(body.split()).rstrip(' .,;')}$" if short else "the book"

    def statement(match: re.Match[str]) -> str:
        named = match[1].rpartition("<")
        known = statements().get(named[2].rstrip(">").strip())
        return named[0].strip() or (f"*{known.title}*" if known else "the book")

    def chapter(match: re.Match[str]) -> str:
        return f"*{pages.title(match[1])}*" if (CHAPTERS / f"{match[1]}.md").exists() else "the book"

    text = re.sub(r"\$\$ *\(eq-[\w-]+\)", "$$", text)
    text = re.sub(r"\{eq\}`([^`]+)`", equation, text)
    text = re.sub(r"\{prf:ref\}`([^`]+)`", statement, text)
    text = re.sub(r"\{doc\}`([^`]+)`", chapter, text)
    text = re.sub(r"\{numref\}`[^`]+`", "the figure", text)
    text = re.sub(r"\{ref\}`(?:([^`<]+)<)?[^`]+`", lambda match: (match[1] or "an exercise").strip(), text)
    return re.sub(r"\{cite\}`([^`]+)`", lambda match: f"[{match[1].replace(',', ', ')}]", text)


@cache
def figures() -> dict[str, tuple[str, str, str, str]]:
    """Figures of the executed chapters by name: kind of the image, its data, alternative text, caption."""
    found = {}
    for page in sorted(CHAPTERS.glob("*.ipynb")):
        for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
            drawn = cell["metadata"].get("mystnb", {})
            for output in cell.get("outputs", []):
                for kind in ("image/svg+xml", "image/png"):
                    if "figure" in drawn and kind in output.get("data", {}):
                        data = "".join(output["data"][kind])
                        words = drawn.get("image", {}).get("alt", ""), drawn["figure"].get("caption", "")
                        found[drawn["figure"]["name"]] = (kind, data, *words)
    return found


class Base(SphinxDirective):
    """A directive that parses text of the book."""

    def parsed(self, text: str) -> list[nodes.Node]:
        """The nodes of a text."""
        place = nodes.container()
        self.state.nested_parse(StringList(text.splitlines(), source=self.env.docname), 0, place)
        return list(place.children)

    def notes(self, text: str) -> list[nodes.Node]:
        """A text that only the speaker sees."""
        opening, closing = (nodes.raw("", mark, format="html") for mark in ('<aside class="notes">', "</aside>"))
        return [opening, *self.parsed(text), closing]


class ShowStatement(Base):
    """A statement, whole or in part."""

    required_arguments = 1
    option_spec = {"items": directives.unchanged, "lead": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Show it, and say in the notes where it stands."""
        label = self.arguments[0]
        if label not in statements():
            raise self.error(f"no chapter has a statement {label}")
        kind, title, body, chapter = statements()[label]
        parts = [body]
        if "items" in self.options:
            lead, *items = ITEM.split(body)
            wanted = [int(k) for k in self.options["items"].split(",")]
            if not items or max(wanted) > len(items):
                raise self.error(f"{label} has {len(items)} items")
            # Each is a list of its own, so that it keeps its number; an unindented line behind it heads the next ones.
            kept = [items[k - 1].partition("\n\n*")[0] for k in wanted]
            parts = [lead if "lead" in self.options else "", *kept]
        box = nodes.container(classes=["statement"], label=label)
        for part in [f"**{kind.capitalize()}** ({told(title)})", *parts]:
            box += self.parsed(told(part))
        return [box, *self.notes(f"In the book: *{chapter}*, `{label}`.")]


class ShowFigure(Base):
    """A figure of a chapter."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Show it, with its caption in the notes."""
        name = self.arguments[0]
        if name not in figures():
            raise self.error(f"no executed chapter has a figure {name}")
        kind, data, alt, caption = figures()[name]
        words = html.escape(alt, quote=True)
        if kind == "image/svg+xml":
            picture = f'<div class="drawing" role="img" aria-label="{words}">{data}</div>'
        else:
            picture = f'<img src="data:image/png;base64,{"".join(data.split())}" alt="{words}">'
        return [nodes.raw("", picture, format="html"), *self.notes(told(caption))]


class Notes(Base):
    """What the speaker sees."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Parse it into the notes of the slide."""
        return self.notes("\n".join(self.content))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_directive("statement", ShowStatement)
    app.add_directive("figure-of", ShowFigure)
    app.add_directive("notes", Notes)
    # KaTeX reads the formulas from the page as Sphinx writes them for MathJax; the site does the same.
    app.add_html_math_renderer("katex", (html_visit_math, None), (html_visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
