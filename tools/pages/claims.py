"""Sentences about figures, held by cells tagged `claims`: what is asserted stands on the page, no figure is without.

Usage: python tools/pages/claims.py [NAME ...]

A claims cell follows the cell that draws. Each of its asserts has a message, which is a sentence of the page or a part
of one, word for word: in the caption or the alternative text of the figure, or in the prose. Here what is wrong with
the claims of a page is said; nothing is executed, that is done with the notebook.
"""

import ast
import builtins
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"


def plain(text: str) -> str:
    """The text with all white space made single blanks."""
    return " ".join(text.split())


def is_claims(cell: NotebookNode) -> bool:
    """Whether a cell holds claims."""
    return cell.cell_type == "code" and "claims" in cell.metadata.get("tags", [])


def words(cell: NotebookNode) -> tuple[str, str]:
    """Caption and alternative text of the figure that a cell draws; empty where it has none."""
    shown = cell.metadata.get("mystnb", {})
    return plain(shown.get("figure", {}).get("caption", "")), plain(shown.get("image", {}).get("alt", ""))


def asserts(cell: NotebookNode) -> list[ast.Assert]:
    """The assertions of a cell, also those in a loop."""
    return [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]


def message(claim: ast.Assert) -> str | None:
    """The sentence that an assertion holds, None if there is none."""
    return plain(claim.msg.value) if isinstance(claim.msg, ast.Constant) and isinstance(claim.msg.value, str) else None


def depends(claim: ast.Assert) -> bool:
    """Whether a condition depends on a variable of the notebook, and does not merely compare a thing with itself."""
    nodes = list(ast.walk(claim.test))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    free = {node.id for node in nodes if isinstance(node, ast.Name)} - bound - set(dir(builtins))
    test = claim.test
    itself = isinstance(test, ast.Compare) and [ast.dump(test.left)] == [ast.dump(side) for side in test.comparators]
    return bool(free) and not itself


def groups(cells: list[NotebookNode]) -> Iterator[tuple[NotebookNode, list[NotebookNode]]]:
    """Every cell with a caption or an alternative text, with the claims cells after it and before the next code."""
    for k, cell in enumerate(cells):
        if cell.cell_type == "code" and any(words(cell)):
            held = []
            for other in cells[k + 1 :]:
                if is_claims(other):
                    held.append(other)
                elif other.cell_type == "code":
                    break
            yield cell, held


def complaints(page: Path) -> list[str]:
    """What is wrong with the claims of a page."""
    cells = jupytext.read(page, fmt="md:myst").cells
    shown = [plain(cell.source) for cell in cells if cell.cell_type == "markdown"]
    shown += [text for cell in cells if cell.cell_type == "code" for text in words(cell)]
    found = []
    for cell in filter(is_claims, cells):
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(cell.source))):
            found.append("a claims cell imports something")
        if not asserts(cell):
            found.append(f"a claims cell asserts nothing: {cell.source[:60]!r}")
        for claim in asserts(cell):
            said = message(claim)
            if said is None:
                found.append(f"this claim has no sentence: {ast.unparse(claim)[:100]}")
            elif not any(said in text for text in shown):
                found.append(f"no such sentence on the page: {said!r}")
            if not depends(claim):
                found.append(f"this claim does not depend on what was computed: {ast.unparse(claim)[:100]}")
    for cell, held in groups(cells):
        said = [message(claim) or "\0" for other in held for claim in asserts(other)]
        caption, alt = words(cell)
        name = cell.metadata["mystnb"].get("figure", {}).get("name") or f"figure {alt[:50]!r}"
        for text, what in ((caption, "caption"), (alt, "alternative text")):
            if text and not any(sentence in text for sentence in said):
                found.append(f"{name}: no claim holds its {what}")
    return found


def main() -> int:
    pages = [CHAPTERS / f"{Path(name).stem}.md" for name in sys.argv[1:]] or sorted(CHAPTERS.glob("*.md"))
    found = [f"{page.stem}: {complaint}" for page in pages for complaint in complaints(page)]
    print("\n".join(found) or "every claim stands on its page, and every figure has its claims")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
