"""Notebooks for readers elsewhere: what only this book's tools understand becomes plain Markdown.

A stock JupyterLab and Colab show directives and roles as they are typed. The copies that readers take along are written
anew: statements under their kind, number and title, proofs folded, references and citations as text with links, quoted
source as code, captions under the figures. Names and numbers are those of the built site (sitenames.py).
"""

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat
from sitenames import Site, works

ROOT = Path(__file__).resolve().parents[2]
DIRECTIVE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})\{(?P<kind>[\w:-]+)\} ?(?P<title>[^\n]*)\n(?P<options>(?: *:[\w-]+:[^\n]*\n)*)"
    r"(?P<body>.*?)^ *(?P=fence) *$",
    re.M | re.S,
)
ROLE = re.compile(r"(?<!`)\{(?P<kind>[\w:]+)\}`(?:(?P<text>[^`<]*?)\s*<(?P<inner>[^`>]+)>|(?P<target>[^`]+))`")
CLASSED = re.compile(r"\[([^\[\]]*)\]\{[.#][^}]*\}")  # a span with a class, which is a matter of the site's colours
LABEL = re.compile(r"^\(([\w-]+)\)=\n", re.M)
LOCAL = re.compile(r"\[([^\]]+)\]\(([\w-]+)\)")
NUMBERED = re.compile(r"^(?P<indent> *)\$\$ \((?P<label>[\w-]+)\)$", re.M)
FOLD = "<details><summary><b>{}</b></summary>\n\n"
END = "</details>"


def source(path: Path, name: str) -> str:
    """The lines of a function or class, by its dotted name, in a file."""
    text = path.read_text()
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        node = next(child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part)
    return textwrap.dedent(ast.get_source_segment(text, node, padded=True) or "")


@dataclass
class Writer:
    """Writes one page's Markdown anew; `home` is the site's address, `beside` are the pages next to the copy."""

    site: Site
    page: str
    home: str | None
    beside: set[str]

    def link(self, text: str, place: str) -> str:
        """The text as a link to the site; where that has no address, to the notebook beside this one, if any."""
        other = place.split(".html")[0]
        if self.home:
            return f"[{text}]({self.home}chapters/{place})"
        return f"[{text}]({other}.ipynb)" if other in self.beside - {self.page} else text

    def cite(self, key: str, form: str) -> str:
        """One citation, as a link to where the work can be read."""
        who, year, address = works()[key]
        text = form.format(who, year)
        return f"[{text}]({address})" if address else self.link(text, "bibliography.html")

    def role(self, found: re.Match[str]) -> str:
        """What stands for a reference or a citation."""
        kind, text, target = found["kind"], found["text"], found["inner"] or found["target"]
        if kind == "cite":
            return f"({'; '.join(self.cite(key.strip(), '{}, {}') for key in target.split(','))})"
        if kind == "cite:t":
            return self.cite(target, "{} ({})")
        if kind == "term":
            return text or target
        if kind == "doc":
            return self.link(text or self.site.titles[target], f"{target}.html")
        if kind in ("eq", "ref", "numref", "prf:ref"):
            name, place = self.site.parts[target]
            return self.link(text or name, place)
        raise ValueError(f"{self.page}: no plain form of {found[0]}")

    def local(self, found: re.Match[str]) -> str:
        """A link of Markdown to a label; other links and formulas in brackets stay as they are."""
        return self.link(found[1], self.site.parts[found[2]][1]) if found[2] in self.site.parts else found[0]

    def directive(self, found: re.Match[str]) -> str:
        """What stands for a directive."""
        kind, title, body = found["kind"], found["title"].strip(), found["body"].strip("\n")
        options = dict(re.findall(r":([\w-]+): *(.*)", found["options"]))
        if kind.startswith("prf:") or kind == "exercise":
            name = self.site.parts[options["label"]][0]
            text = f"**{name}{f' ({title})' if title else ''}.**\n\n{body}"
        elif kind == "admonition":
            folded = "dropdown" in options.get("class", "")
            text = f"{FOLD.format(title)}{body}\n\n{END}" if folded else f"**{title}.**\n\n{body}"
        elif kind == "solution-start":
            text = FOLD.format(f"Solution to {self.site.parts[title][0]}")
        elif kind == "solution-end":
            text = END
        elif kind == "literalinclude":
            path = (ROOT / "chapters" / title).resolve()
            text = f"```python\n# {path.relative_to(ROOT)}\n{source(path, options['pyobject'])}\n```"
        elif kind == "glossary":
            text = "\n".join(line.strip() if line[:1] in (" ", "") else f"**{line}**  " for line in body.split("\n"))
        elif kind == "bibliography":
            text = "\n".join(f"- [{key}] {entry}" for key, entry in self.site.entries)
        else:
            raise ValueError(f"{self.page}: no plain form of the directive {kind}")
        return textwrap.indent(DIRECTIVE.sub(self.directive, text), found["indent"])

    def number(self, found: re.Match[str]) -> str:
        """The end of a displayed formula with its number."""
        number = self.site.parts[found["label"]][0].strip("()")
        return f"{found['indent']}\\tag{{{number}}}\n{found['indent']}$$"

    def write(self, text: str) -> str:
        """The Markdown of a cell in plain form."""
        text = DIRECTIVE.sub(self.directive, text)
        text = NUMBERED.sub(self.number, LABEL.sub("", CLASSED.sub(r"\1", text)))
        text = LOCAL.sub(self.local, ROLE.sub(self.role, text))
        # A solution with code reaches over several cells: its text is folded in each, its code stays to be run.
        if text.find(END) >= 0 and not -1 < text.find("<details>") < text.find(END):
            text = FOLD.format("Solution, continued") + text
        if text.count("<details>") > text.count(END):
            text += f"\n\n{END}"
        text = re.sub(r"<details><summary><b>(Solution to .*)</b></summary>\s*</details>", r"**\1.**", text)
        return re.sub(r"<details><summary>.*</summary>\s*</details>\s*", "", text)


def convert(notebook: nbformat.NotebookNode, writer: Writer) -> nbformat.NotebookNode:
    """A copy of a notebook in plain form; what stands under its figures becomes a cell of its own."""
    copy, cells = nbformat.from_dict(notebook), []
    for cell in copy.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = writer.write(cell.source)
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if figure and cell.cell_type == "code":
            text = f"**{writer.site.parts[figure['name']][0]}.** {writer.write(figure['caption'].strip())}"
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"caption-{figure['name']}"))
            del cell.metadata["mystnb"]["figure"]
        if "claims" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
    copy.cells = [cell for cell in cells if cell.source]  # nothing is left where only a solution ended
    return copy
