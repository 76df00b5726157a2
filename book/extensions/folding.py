"""Cells tagged `claims`, which hold the sentences about a figure: folded on the site, a line on paper.

A local extension of Sphinx, named in _config.yml. On the site such a cell is a summary, "checked: 4 statements", that
opens to its code; in the PDF the summary alone is printed.
"""

import ast

from docutils import nodes
from sphinx.application import Sphinx


def summary(source: str) -> str:
    """What stands in the place of a claims cell.

    >>> summary("assert a > 1, 'it is large'")
    'checked: 1 statement'
    """
    count = sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))
    return f"checked: {count} statement{'s' * (count != 1)}"


def fold(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fold the claims cells of a page."""
    cells = [node for node in doctree.findall(nodes.container) if "tag_claims" in node.get("classes", [])]
    for cell in cells:
        said = summary(next(iter(cell.findall(nodes.literal_block))).astext())
        if app.builder.format == "html":
            opening = f'<details class="claims"><summary>{said}</summary>'
            cell.insert(0, nodes.raw("", opening, format="html"))
            cell.append(nodes.raw("", "</details>", format="html"))
        else:
            cell.replace_self(nodes.paragraph("", "", nodes.emphasis("", f"({said})")))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
