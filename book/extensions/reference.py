"""The reference part of the site: the package's documentation, and links between it, the pages and the repository.

A local extension of Sphinx, named in _config.yml. It does four things, all while the book is built, so that no page
has to spell out an address:

- the directive `room` writes the documentation of all modules in one folder of the package;
- in docstrings, labels of statements, keys of the bibliography and names of the package become links;
- on pages, names of the package become links to their documentation, in the text and in code cells;
- on pages, names of files become links to the repository, if its address is known (`book/extensions/repository.py`).
"""

import functools
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from repository import address
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode, nested_parse_with_titles

import lnn

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
LABEL = r"(?:def|thm|prop|lem|cor|rem|conj|claim|ex)-[a-z0-9-]+"


def modules() -> dict[str, list[str]]:
    """Dotted names of the modules in every folder of the package; those outside of all folders stand under "."."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "lnn").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("lnn", "__init__"):
            name = ".".join(part for part in parts if part != "__init__")
            found.setdefault(parts[1] if len(parts) > 2 else ".", []).append(name)
    return found


@functools.cache
def names() -> dict[str, str]:
    """What a page may call a public thing of the package, and the name under which it is documented.

    `lnn.theory.guarantees.certify` is also `lnn.guarantees.certify` and `guarantees.certify`; a bare name counts if the
    package exports it. Methods stand under their class, as in `Trajectory.end_to_end`.
    """
    found: dict[str, str] = {}
    for name in (name for room in modules().values() for name in room):
        try:
            module = importlib.import_module(name)
        except ImportError:  # lnn.nonlinear without its extra: its names are then no links
            continue
        found[name] = found[f"lnn.{name.rpartition('.')[2]}"] = name
        for key, value in vars(module).items():
            if key.startswith("_") or getattr(value, "__module__", None) != name:
                continue
            if not (inspect.isfunction(value) or inspect.isclass(value)):
                continue
            full, short = f"{name}.{key}", name.rpartition(".")[2]
            members = [m for m in vars(value) if not m.startswith("_")] if inspect.isclass(value) else []
            for tail in ["", *(f".{member}" for member in members if callable(getattr(value, member, None)))]:
                found[full + tail] = found[f"{short}.{key}{tail}"] = found[f"lnn.{short}.{key}{tail}"] = full + tail
                if getattr(lnn, key, None) is value:
                    found[f"lnn.{key}{tail}"] = found[key + tail] = full + tail
    return found


def meant(text: str) -> str | None:
    """The documented name that a piece of code on a page stands for, if it stands for one.

    A bare word is more often a variable than a function, unless it is called or is two words.

    >>> meant("lnn.gradient_flow"), meant("end_to_end(weights)"), meant("widths")
    ('lnn.flow.gradient_flow', 'lnn.network.end_to_end', None)
    """
    found = re.fullmatch(r"([A-Za-z_][\w.]*)(\(.*\))?", text)
    if not found or not (found[2] or "." in found[1] or "_" in found[1] or found[1][0].isupper()):
        return None
    return names().get(found[1])


@functools.cache
def aliases(page: str) -> dict[str, str]:
    """Other names that a page gives to modules of the package when it imports them."""
    source = CHAPTERS / f"{Path(page).name}.md"
    found = re.findall(r"^from (lnn[\w.]*) import (\w+) as (\w+)$", source.read_text() if source.exists() else "", re.M)
    return {alias: f"{package}.{module}" for package, module, alias in found}


def in_code(text: str, page: str) -> str | None:
    """The documented name of what a dotted name in a code cell of a page stands for, if it is the package's."""
    head, dot, tail = text.partition(".")
    return names().get(f"{aliases(page).get(head, head)}{dot}{tail}")


@functools.cache
def users() -> dict[str, list[str]]:
    """Pages on which a documented thing occurs with its module or package before it, in the order of the contents."""
    listed = re.findall(r"file: chapters/(\w+)", (ROOT / "_toc.yml").read_text())
    found: dict[str, list[str]] = {}
    for page in ["preface", *listed]:
        path = CHAPTERS / f"{page}.md"
        if page in {"results", "reproductions", "notation"} or not path.exists():
            continue
        for word in sorted(set(re.findall(r"\b[A-Za-z_]\w*(?:\.\w+)+", path.read_text()))):
            full = in_code(word, page)
            if full and page not in found.setdefault(full, []):
                found[full].append(page)
    return found


def place(text: str) -> str | None:
    """Where in the repository a page's `tests/test_x.py::test_name`, or name of a file, stands; with the line.

    >>> place("tests/package/test_import_graph.py::test_all_names_what_is_there").partition("#")[0]
    'tests/package/test_import_graph.py'
    >>> place("x + y")
    """
    folders, files = r"(?:tests|lnn|exercises|tools|book|chapters|benchmarks)/[\w./-]+", r"[\w.-]+\.(?:toml|md|yml)"
    found = re.fullmatch(rf"({folders}|{files})(?:::(\w+))?", text)
    if not found or not (ROOT / found[1]).exists():
        return None
    if not found[2]:
        return found[1].rstrip("/")
    for number, line in enumerate((ROOT / found[1]).read_text().splitlines(), start=1):
        if re.match(rf"(?:def|class) {found[2]}\b", line):
            return f"{found[1]}#L{number}"
    raise LookupError(f"{found[1]} has no {found[2]}")


# Docstrings


def as_rst(line: str, own: str) -> str:
    """A line of a docstring as reStructuredText: code, labels and keys marked up, and nothing else taken for markup."""
    pieces = re.split(r"(`[^`]+`|\[[A-Z][A-Za-z]*\d\d\])", line)
    for k, piece in enumerate(pieces):
        if k % 2 == 0:
            pieces[k] = re.sub(r"(?<=\w)_(?!\w)|[*|\\]", r"\\\g<0>", piece)
        elif piece[0] == "[":
            pieces[k] = f":cite:`{piece[1:-1]}`"
        elif re.fullmatch(LABEL, piece[1:-1]):
            pieces[k] = f":prf:ref:`{piece[1:-1]}`"
        elif (CHAPTERS / f"{piece[1:-1]}.md").exists():
            pieces[k] = f":doc:`/chapters/{piece[1:-1]}`"
        else:
            full = meant(piece[1:-1])
            pieces[k] = f":py:obj:`{piece[1:-1]} <{full}>`" if full and full != own else f"`{piece}`"
    # A role ends where a letter follows it only if told so.
    return "".join(
        piece + ("\\ " if k % 2 and k + 1 < len(pieces) and re.match(r"\w", pieces[k + 1]) else "")
        for k, piece in enumerate(pieces)
    )


def mark_up(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Turn a docstring into reStructuredText before Napoleon takes it to sections."""
    if what in {"attribute", "property"}:
        lines[:0] = ["..", ""]  # else Napoleon takes what precedes a colon in the first line for a type
    code = False
    for k, line in enumerate(lines):
        code = (code or line.lstrip().startswith(">>>")) and bool(line.strip())
        if not code and not re.fullmatch(r"\s*-{3,}\s*", line):
            lines[k] = as_rst(line, name)


def add_users(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Close the documentation of a thing with the pages that use it."""
    pages = users().get(name, [])
    if pages:
        lines += ["", "Used on the pages " * (len(pages) > 1) + "Used on the page " * (len(pages) == 1)]
        lines[-1] += ", ".join(f":doc:`/chapters/{page}`" for page in pages) + "."


class Room(SphinxDirective):
    """The documentation of all modules in the folder named."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write `automodule` directives, a section for every module, and have them read."""
        self.env.note_dependency(__file__)
        text: list[str] = []
        for name in modules()[self.arguments[0]]:
            text += [name, "-" * len(name), "", f".. automodule:: {name}", "   :members:", ""]
        container = nodes.section()
        container.document = self.state.document
        nested_parse_with_titles(self.state, StringList(text, source=self.env.docname), container)
        return container.children


# Pages


def link_literals(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make links of the pieces of code on a page that name something of the package, or a file of the repository."""
    objects = app.env.get_domain("py").objects
    home = address()
    for node in list(doctree.findall(nodes.literal)):
        if isinstance(node.parent, nodes.reference) or node.get("language"):
            continue
        text = node.astext()
        full, link = meant(text), None
        if full in objects and not page.startswith("book/api/"):
            entry = objects[full]
            link = make_refnode(app.builder, page, entry.docname, entry.node_id, node.deepcopy(), full)
        elif home and (where := place(text)):
            link = nodes.reference("", "", node.deepcopy(), internal=False, refuri=f"{home}/blob/main/{where}")
        if link is not None:
            node.replace_self(link)


def name_modules(app: Sphinx, doctree: nodes.document) -> None:
    """Print a module that is a default by its name, without the folder where it lies on this machine."""
    for text in list(doctree.findall(nodes.Text)):
        if "<module '" in text:
            text.parent.replace(text, nodes.Text(re.sub(r"<module '([\w.]+)' from '[^']*'>", r"\1", text)))


CALL = re.compile(r'<span class="n">\w+</span>(?:<span class="o">\.</span><span class="n">\w+</span>)+')


def link_code(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Make links of the package's names in code cells."""
    if "body" not in context or page.startswith("book/api/"):
        return
    objects = app.env.get_domain("py").objects

    def linked(found: re.Match[str]) -> str:
        full = in_code(re.sub(r"<[^>]+>", "", found[0]), page)
        if full not in objects:
            return found[0]
        uri = app.builder.get_relative_uri(page, objects[full].docname)
        return f'<a class="code-link" href="{uri}#{objects[full].node_id}">{found[0]}</a>'

    context["body"] = CALL.sub(linked, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.napoleon"):
        app.setup_extension(extension)
    app.add_directive("room", Room)
    app.connect("autodoc-process-docstring", mark_up, priority=100)
    app.connect("autodoc-process-docstring", add_users, priority=900)
    renewed: set[str] = set()
    app.connect("env-before-read-docs", lambda app, env, docnames: renewed.update(docnames))
    # When the documentation has changed, all pages that may lead into it are written anew.
    app.connect(
        "env-updated", lambda app, env: env.found_docs if any(n.startswith("book/api/") for n in renewed) else []
    )
    app.connect("doctree-read", name_modules)
    app.connect("doctree-resolved", link_literals)
    app.connect("html-page-context", link_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
