"""The decks: MyST texts, shown by reveal.js, which sphinx-revealjs brings along; none needs a network."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))

project = "Linear neural networks"
language = "en"
extensions = ["myst_parser", "sphinx_revealjs", "talk"]
exclude_patterns = ["README.md"]
myst_enable_extensions = ["amsmath", "dollarmath", "smartquotes"]
html_math_renderer = "katex"
revealjs_static_path = ["theme", str(HERE.parent / "theme")]
revealjs_style_theme = "white"
revealjs_css_files = ["katex/katex.min.css", "deck.css"]
revealjs_js_files = [("formulas.js", {"loading_method": "defer"}), ("deck.js", {"loading_method": "defer"})]
revealjs_script_conf = {
    "width": 1280,
    "height": 720,
    "margin": 0.02,
    "hash": True,
    "transition": "none",
    "slideNumber": "c/t",
    "pdfSeparateFragments": False,
    "pdfMaxPagesPerSlide": 1,
}
revealjs_script_plugins = [{"src": "revealjs/plugin/notes/notes.js", "name": "RevealNotes"}]
