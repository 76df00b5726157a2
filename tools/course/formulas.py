"""Pages that show their formulas without a network: KaTeX, from the book's theme, is put into the page itself.

nbconvert leaves formulas between dollar signs and has the page fetch MathJax from another machine. A page of feedback
is sent by mail and opened anywhere, so it must carry what it needs.
"""

import base64
import re
from functools import cache

from sets import ROOT

KATEX = ROOT / "book" / "theme" / "katex"
FOREIGN = re.compile(
    r"<script[^>]*\bsrc=\"(?:https?:)?//[^>]*>\s*</script>|<link[^>]*\bhref=\"(?:https?:)?//[^>]*>", re.S
)
MATHJAX = re.compile(r"<script[^>]*>(?:(?!</script>).)*?MathJax.*?</script>", re.S)
RARE = ("Fraktur", "Script", "SansSerif")  # alphabets that no problem set uses

SET = r"""
document.addEventListener("DOMContentLoaded", () => {
  const FORMULA = /\$\$([^]+?)\$\$|\\\[([^]+?)\\\]|\\\(([^]+?)\\\)|\$((?:\\.|[^$\\])+?)\$/g;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement.closest("pre, code, script, style") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  const found = [];
  while (walk.nextNode()) if (walk.currentNode.data.match(FORMULA)) found.push(walk.currentNode);
  for (const node of found) {
    const pieces = document.createDocumentFragment();
    let at = 0;
    for (const match of node.data.matchAll(FORMULA)) {
      const place = document.createElement("span");
      const displayMode = match[1] !== undefined || match[2] !== undefined;
      const tex = match[1] ?? match[2] ?? match[3] ?? match[4];
      katex.render(tex, place, { displayMode, throwOnError: false, strict: "ignore" });
      pieces.append(node.data.slice(at, match.index), place);
      at = match.index + match[0].length;
    }
    pieces.append(node.data.slice(at));
    node.replaceWith(pieces);
  }
  document.documentElement.dataset.formulas = "set";
});
"""


@cache
def header() -> str:
    """What goes into the head of a page: KaTeX with its fonts, and what sets the formulas with it."""

    def font(match: re.Match[str]) -> str:
        data = base64.b64encode((KATEX / match[1]).read_bytes()).decode()
        return f"url(data:font/woff2;base64,{data})"

    style = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    for name in RARE:
        style = re.sub(rf"@font-face\{{[^}}]*KaTeX_{name}-[^}}]*\}}", "", style)
    style = re.sub(r"url\((fonts/[^)]+)\)", font, style)
    code = (KATEX / "katex.min.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    return f"<style>{style}</style>\n<script>{code}</script>\n<script>{SET}</script>\n"


def offline(page: str) -> str:
    """The page without what it would fetch from elsewhere, and with KaTeX in its head."""
    page = FOREIGN.sub("", MATHJAX.sub("", page))
    return page.replace("</head>", f"{header()}</head>", 1)
