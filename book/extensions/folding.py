"""Code that is folded on the site: cells of `claims`, which hold what is said of a figure, and cells that only plot.

A local extension of Sphinx, named in _config.yml. On the site a cell of claims is a summary, "checked: 4 statements",
that opens to its code; on paper book/extensions/paper.py prints the summary alone. The code of a cell that only plots
is behind "show the code", its figure is seen; on paper such code is printed as all other.
"""

import ast
import builtins

from docutils import nodes
from sphinx.application import Sphinx


def summary(source: str) -> str:
    """What stands in the place of a claims cell.

    >>> summary("assert a > 1, 'it is large'")
    'checked: 1 statement'
    """
    count = sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))
    return f"checked: {count} statement{'s' * (count != 1)}"


def imported(sources: list[str]) -> set[str]:
    """Names that the cells of a page import, but for those that draw or only rearrange numbers."""
    found = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    return found - {"np", "plt", "plots"}


def only_plots(source: str, modules: set[str]) -> bool:
    r"""Whether a cell draws and computes nothing that a reader would want to see.

    Computing is a call to a function of the page, to one of an imported module, or to NumPy's linear algebra.

    >>> only_plots("ax.plot(np.log(t), [abs(e) for e in errors])\nplt.show()", {"lnn"})
    True
    >>> only_plots("path = lnn.gradient_flow(start, loss, times)\nplt.plot(path.losses)\nplt.show()", {"lnn"})
    False
    """
    for node in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        called = node.func
        if isinstance(called, ast.Name) and not hasattr(builtins, called.id):
            return False
        name = ast.unparse(called)
        if name == "print" or name.partition(".")[0] in modules or name.startswith(("np.linalg.", "np.random.")):
            return False
    return "plt.show()" in source


def fold_plots(doctree: nodes.document) -> None:
    """Fold the code of the cells of a page that only plot."""
    blocks = list(doctree.findall(lambda node: "cell_input" in getattr(node, "attributes", {}).get("classes", [])))
    sources = [block.astext() for block in blocks]
    modules = imported(sources)
    for block, source in zip(blocks, sources, strict=True):
        if only_plots(source, modules):
            block.insert(0, nodes.raw("", '<details class="code"><summary>show the code</summary>', format="html"))
            block.append(nodes.raw("", "</details>", format="html"))


def fold(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Fold the cells of a page that are to be folded."""
    if app.builder.format != "html":
        return
    fold_plots(doctree)
    cells = [node for node in doctree.findall(nodes.container) if "tag_claims" in node.get("classes", [])]
    for cell in cells:
        said = summary(next(iter(cell.findall(nodes.literal_block))).astext())
        cell.insert(0, nodes.raw("", f'<details class="claims"><summary>{said}</summary>', format="html"))
        cell.append(nodes.raw("", "</details>", format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
