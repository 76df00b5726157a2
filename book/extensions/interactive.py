"""Plots that move, on the pages where a slider teaches more than a figure: a local extension named in _config.yml.

The scripts put a plot below a static figure, which stays, and announce it in the caption. Chapters know nothing of it:
without a script, on paper and in the PDF there is the figure alone.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

# Which page shows which scripts of book/theme/interactive, each below a figure.
PLOTS = {
    "chapters/linear_networks": {"plane": "fig-phase"},
    "chapters/balancedness": {"plane": "fig-hyperbolas"},
    "chapters/end_to_end_dynamics": {"gains": "fig-gains"},
    "chapters/convergence": {"modes": "fig-convergence-modes"},
    "chapters/acceleration": {"acceleration": "fig-acc-speedup", "layers": "fig-acc-speedup"},
    "chapters/singular_value_dynamics": {"modes": "fig-greedy"},
    "chapters/beyond_norms": {"completion": "fig-norms-plane"},
}
SHARED = ("core", "frame")

logger = logging.getLogger(__name__)


def add_plot(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add to a page of the table the scripts of its plots, and to no other page anything."""
    if page not in PLOTS or doctree is None:
        return
    figures = {name for node in doctree.findall(nodes.figure) for name in node["ids"]}
    for script, figure in PLOTS[page].items():
        if figure not in figures:
            logger.warning("no figure %s on %s, below which %s.js was to stand", figure, page, script)
            return
    app.add_css_file("interactive/interactive.css")
    for name in SHARED:
        app.add_js_file(f"interactive/{name}.js", loading_method="defer")
    for script, figure in PLOTS[page].items():
        data = {"data-figure": figure, "data-plot": script}
        app.add_js_file(f"interactive/{script}.js", loading_method="defer", priority=600, **data)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", add_plot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
