"""The graph of all statements, on the index of results: a local extension of Sphinx, named in _config.yml.

A column for each chapter, a mark for each statement: its kind by the shape, its checks by the fill. Lines lead from
what is used to what uses it, as `standing.py` reads it off the references. Every mark is a link; the same stands below
as a table. On paper there is the index alone.
"""

import html

import standing
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from standing import pages

PAGE = "chapters/results"
COLUMN, ROW, TOP, SIZE = 84, 32, 34, 8  # in the units of the picture, which are pixels on a wide screen
AREA = f'<rect class="area" x="-12" y="{-ROW // 2}" width="58" height="{ROW}"/>'  # what a finger hits
SHAPES = {
    "definition": ("circles", '<circle r="8"/>'),
    "theorem": ("squares", '<rect x="-8" y="-8" width="16" height="16"/>'),
    "proposition": ("diamonds", '<path d="M0-10 10 0 0 10-10 0z"/>'),
    "lemma": ("triangles that point up", '<path d="M0-9 9 8H-9z"/>'),
    "corollary": ("triangles that point down", '<path d="M0 9 9-8H-9z"/>'),
    "other": ("bars", '<rect x="-9" y="-4" width="18" height="8"/>'),  # remarks, examples, conjectures
}
FILLS = ("neither", "one", "both")  # of a derivation and a test


def places() -> dict[str, tuple[int, int]]:
    """Where the mark of every statement stands."""
    order, rows, found = pages.chapters(), dict.fromkeys(pages.chapters(), 0), {}
    for result in pages.results():
        x, y = COLUMN * order.index(result.page) + COLUMN // 2 - 14, TOP + ROW * rows[result.page] + ROW // 2
        found[result.label] = (x, y)
        rows[result.page] += 1
    return found


def curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    """The line between two marks: to the right from chapter to chapter, around on the left within one."""
    (a, b), (c, d) = start, end
    if a == c:
        return f"M{a - SIZE} {b}C{a - 30} {b} {a - 30} {d} {c - SIZE} {d}"
    side = SIZE if a < c else -SIZE
    return f"M{a + side} {b}C{(a + c) // 2} {b} {(a + c) // 2} {d} {c - side} {d}"


def picture(env: BuildEnvironment) -> str:
    """The graph as SVG."""
    at, uses, order = places(), standing.uses(), pages.chapters()
    width, height = COLUMN * len(order), max(y for _, y in at.values()) + ROW
    lines = [f'<svg viewBox="0 0 {width} {height}" role="group" aria-label="Graph of all statements">']
    for k, page in enumerate(order, start=1):
        link = f'<a href="{page}.html" aria-label="Chapter {k}, {html.escape(pages.title(page))}" tabindex="-1">'
        lines.append(f'{link}<text class="chapter" x="{COLUMN * k - COLUMN // 2 - 14}" y="20">{k}</text></a>')
    for label, others in uses.items():
        lines += [
            f'<path class="uses" data-ends="{other} {label}" d="{curve(at[other], at[label])}"/>' for other in others
        ]
    for k, result in enumerate(pages.results()):
        x, y = at[result.label]
        name = standing.named(env, result.label)
        kind, _, number = name.partition(" ")
        said = html.escape(f"{name}, {result.title}: {', '.join(standing.standing()[result.label]) or 'cited'}")
        fill = FILLS[bool(result.symbolic) + bool(result.tests)]
        shape = SHAPES.get(kind.lower(), SHAPES["other"])[1]
        lines.append(
            f'<a class="{fill}" href="{result.page}.html#{result.label}" data-label="{result.label}"'
            f' aria-label="{said}" tabindex="{-bool(k)}" transform="translate({x} {y})">'
            f'{AREA}{shape}<text x="14" y="4">{number}</text></a>'
        )
    return "\n".join([*lines, "</svg>"])


def plural(kind: str) -> str:
    """The name of more than one statement of a kind.

    >>> plural("corollary"), plural("lemma")
    ('corollaries', 'lemmas')
    """
    return "all others" if kind == "other" else f"{kind.removesuffix('y')}{'ies' if kind[-1] == 'y' else 's'}"


def table(env: BuildEnvironment) -> str:
    """The same in words."""
    uses = standing.uses()
    homes = {result.label: result.page for result in pages.results()}

    def links(labels: list[str]) -> str:
        made = (f'<a href="{homes[name]}.html#{name}">{standing.named(env, name)}</a>' for name in labels)
        return ", ".join(made) or "–"

    lines = ['<table class="table"><thead><tr><th>Statement</th><th>Uses</th><th>Used by</th></tr></thead><tbody>']
    for label in homes:
        parts = [label], uses.get(label, []), standing.users(label)
        cells = "".join(f"<td>{links(labels)}</td>" for labels in parts)
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def add(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the graph under the opening of the index of results."""
    if app.builder.format != "html" or page != PAGE:
        return
    count = sum(map(len, standing.uses().values()))
    kinds = ", ".join(f"{plural(kind)} are {shape}" for kind, (shape, _) in SHAPES.items())
    caption = (
        f"All {len(places())} statements, a column for each chapter, and what hangs on what: {count} lines, from what "
        f"is used to what uses it. {kinds.capitalize()}. Full: derived by computer algebra and tested; pale: one of "
        "the two; empty: neither. The arrow keys lead from one to the next; where one stands, its lines are in colour."
    )
    drawn = f'<div class="drawn">{picture(app.env)}</div><figcaption>{caption}</figcaption>'
    folded = f"<summary>the same as a table</summary>{table(app.env)}"
    text = f'<figure class="dependencies">{drawn}</figure>\n<details class="dependencies">{folded}</details>'
    section = doctree.next_node(nodes.section)
    first = section.index(next(child for child in section if isinstance(child, nodes.section)))
    section.insert(first, nodes.raw("", text, format="html"))


def add_script(app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object) -> None:
    """Bring the script that moves in the graph, to its page alone."""
    if page == PAGE:
        app.add_js_file("dependencies.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", add)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
