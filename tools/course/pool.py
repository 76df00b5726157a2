"""The pool of proofs, pool/psN_NAME.md: three tasks for each set, to stand in the place of the set's own proof.

A task of the pool is a heading `## key: Title (P points)`, its text, and under `### Model proof` the model and the
rubric. It has as many points as the proof that it replaces, so that nothing else of the set changes but the titles of
statements on its first page.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import jupytext
from authoring import role
from nbformat.v4 import new_markdown_cell
from sets import ROOT, name_of

sys.path.append(str(ROOT / "tools" / "pages"))
import pages

HEADING = re.compile(r"^## ([a-z0-9-]+): (.+) \((\d+) points\)$", re.M)
LABEL = re.compile(r"`((?:def|lem|prop|thm|cor|conj|claim|rem|ex)-[a-z0-9-]+)`")
CLOSING = "Write your proof in the cell below (Markdown with LaTeX between dollar signs)."


class Proof(NamedTuple):
    """A task of the pool."""

    key: str
    title: str
    points: int
    text: str
    model: str


def proofs(course: Path, assignment: str) -> dict[str, Proof]:
    """The tasks of the pool for a set, by their keys."""
    page = course / "pool" / f"{assignment}.md"
    if not page.exists():
        return {}
    parts = HEADING.split(page.read_text(encoding="utf-8"))[1:]
    found = {}
    for key, title, points, body in zip(*[iter(parts)] * 4, strict=True):
        text, model = body.split("### Model proof\n")
        found[key] = Proof(key, title, int(points), text.strip(), model.strip())
    return found


def exchange(course: Path, assignment: str, key: str) -> int:
    """Put a proof of the pool in the place of the one that the set has; without a key, say which there are."""
    known = proofs(course, assignment)
    if key not in known:
        listed = "\n".join(f"  {p.key:16} {p.title} ({p.points} points)" for p in known.values())
        print(f"proofs in the pool for {assignment}:\n{listed or '  none'}", file=sys.stderr if key else sys.stdout)
        return bool(key)
    proof = known[key]
    page = course / "source" / assignment / f"{name_of(assignment)}.md"
    notebook = jupytext.read(page, fmt="md:myst")
    cells = notebook.cells
    (at,) = [k for k, cell in enumerate(cells) if cell.cell_type == "markdown" and "nbgrader" in cell.metadata]
    if cells[at].metadata["nbgrader"]["points"] != proof.points:
        print(f"the proof of {assignment} has another number of points than {proof.points}", file=sys.stderr)
        return 1
    number = re.findall(r"^## Task (\d+)\.", cells[at - 1].source, re.M)[-1]
    heading = f"## Task {number}. {proof.title} ({proof.points} points)"
    cells[at - 1] = new_markdown_cell(f"{heading}\n\n*A proof.* {proof.text}\n\n{CLOSING}")
    mark = role(f"{assignment.split('_')[0]}-{key}-proof", grade=True, solution=True, points=proof.points)
    solution = f"### BEGIN SOLUTION\n\n**Model proof.** {proof.model}\n\n### END SOLUTION"
    cells[at] = new_markdown_cell(solution, metadata=mark)
    opening = cells[0]
    titles: dict[str, str] = {}
    for chapter in (ROOT / "chapters").glob("*.md"):
        titles |= pages.statements(chapter)
    for label in dict.fromkeys(LABEL.findall(proof.text + proof.model)):
        if f"`{label}`, *" not in " ".join(opening.source.split()):
            opening.source = f"{opening.source.rstrip().removesuffix('.')}; `{label}`, *{titles[label]}*."
    jupytext.write(notebook, page, fmt="md:myst")
    print(f"task {number} of {page} is now: {proof.title}; next: course.py pair, make release")
    return 0
