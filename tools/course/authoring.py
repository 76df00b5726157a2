"""An empty task at the end of the text of a set, with the cells and metadata that grading needs."""

import re
import sys
from pathlib import Path

import jupytext
import variants
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from sets import name_of

ANSWER = """def {function}(x):
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION"""
TESTS = """import numpy as np

answer = {function}(1.0)
assert np.size(answer) == 1, "return a number"
### BEGIN HIDDEN TESTS
assert np.abs(answer - 1.0) <= 1e-8, "wrong for x = 1"
### END HIDDEN TESTS"""
OWN_ANSWER = """numbers = variant(STUDENT, "{grade_id}")
### BEGIN SOLUTION
{function} = sum(numbers)
### END SOLUTION"""
OWN_TESTS = """import numpy as np

assert np.size({function}) == 1, "{function} must be a number"
### BEGIN HIDDEN TESTS
numbers = variant(STUDENT, "{grade_id}")
assert np.abs({function} - np.sum(numbers)) <= 1e-8, "wrong for your numbers, %s" % numbers
### END HIDDEN TESTS"""
PROOF = """### BEGIN SOLUTION

**Model proof.** …

**Rubric**

- {points} points: …

### END SOLUTION"""


def role(grade_id: str, *, grade: bool, solution: bool, points: int | None = None) -> dict:
    """The metadata of a cell that nbgrader knows."""
    given = {"grade": grade, "grade_id": grade_id, "locked": not solution, "schema_version": 3}
    given |= {"solution": solution, "task": False} | ({"points": points} if grade else {})
    return {"nbgrader": given}


def give_numbers(cells: list[NotebookNode], prefix: str) -> None:
    """Ask for the name of a student before the first program of a set, once."""
    ids = {(cell.metadata.get("nbgrader") or {}).get("grade_id") for cell in cells}
    if f"{prefix}{variants.NAME}" in ids:
        return
    first = next((k for k, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    asked = role(f"{prefix}{variants.NAME}", grade=False, solution=True)
    given = role(f"{prefix}{variants.GIVEN}", grade=False, solution=False)
    cells[first:first] = [
        new_markdown_cell(variants.TEXT),
        new_code_cell(variants.ASKED, metadata=asked),
        new_code_cell(variants.FUNCTION, metadata=given),
    ]


def new_task(course: Path, assignment: str, task: str, points: int, proof: bool, own: bool = False) -> int:
    """Append a task to source/SET/NAME.md, numbered after the last one; with `own` numbers for each student."""
    page = course / "source" / assignment / f"{name_of(assignment)}.md"
    if not page.exists() or not re.fullmatch(r"[a-z0-9-]+", task):
        reason = f"there is no {page}" if not page.exists() else "a task's name has small letters, digits and hyphens"
        print(reason, file=sys.stderr)
        return 1
    notebook = jupytext.read(page, fmt="md:myst")
    grade_id = f"{assignment.split('_')[0]}-{task}"
    if any((cell.metadata.get("nbgrader") or {}).get("grade_id") == grade_id for cell in notebook.cells):
        print(f"{page.name} has a task {grade_id} already", file=sys.stderr)
        return 1
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    number = max([0, *map(int, re.findall(r"^## Task (\d+)\.", texts, re.M))]) + 1
    heading = f"## Task {number}. TITLE ({points} point{'s' * (points != 1)})\n\nWhat is asked (`lem-label`)."
    notebook.cells.append(new_markdown_cell(heading))
    if proof:
        mark = role(grade_id, grade=True, solution=True, points=points)
        notebook.cells.append(new_markdown_cell(PROOF.format(points=points), metadata=mark))
    else:
        if own:
            give_numbers(notebook.cells, assignment.split("_")[0])
        names = {"function": task.replace("-", "_"), "grade_id": grade_id}
        answer = (OWN_ANSWER if own else ANSWER).format(**names)
        notebook.cells.append(new_code_cell(answer, metadata=role(grade_id, grade=False, solution=True)))
        tests = role(f"{grade_id}-test", grade=True, solution=False, points=points)
        notebook.cells.append(new_code_cell((OWN_TESTS if own else TESTS).format(**names), metadata=tests))
    jupytext.write(notebook, page, fmt="md:myst")
    print(f"task {number} of {page}: fill it in, then course.py pair")
    return 0
