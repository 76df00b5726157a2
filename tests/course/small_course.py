"""A course of one small set, graded in seconds: a given cell, a task with a test, and a proof."""

import csv
import shutil
from pathlib import Path

import grading
import nbformat
import pytest
import release
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
SET, FILE = "ps1_small", "small.ipynb"
RIGHT = "def double(x):\n    return 2 * x"
WRONG = "def double(x):\n    return x"
TEST = """import numpy as np
assert double(0) == 0, "twice nothing is nothing"
### BEGIN HIDDEN TESTS
assert np.allclose(double(np.arange(3)), [0, 2, 4])
### END HIDDEN TESTS"""


def role(grade_id, grade=False, solution=False, locked=False, points=None):
    given = {"grade_id": grade_id, "grade": grade, "solution": solution, "locked": locked}
    return {"nbgrader": given | {"schema_version": 3, "task": False} | ({"points": points} if points else {})}


def source(test=TEST, more=()):
    """The source notebook, with this test, and more cells after the others."""
    stub = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    proof = "### BEGIN SOLUTION\nBy induction.\n### END SOLUTION"
    cells = [
        new_markdown_cell("# A small set"),
        new_code_cell("given = 1", metadata=role("ps1-given", locked=True)),
        new_markdown_cell("## Task 1. Twice a number (3 points)"),
        new_code_cell(stub, metadata=role("ps1-double", solution=True)),
        new_code_cell(test, metadata=role("ps1-double-test", grade=True, locked=True, points=3)),
        new_markdown_cell("## Task 2. Why it is even (2 points)"),
        new_markdown_cell(proof, metadata=role("ps1-even-proof", grade=True, solution=True, points=2)),
        *more,
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def write_source(course, **changes):
    (course / "source" / SET).mkdir(parents=True, exist_ok=True)
    nbformat.write(source(**changes), course / "source" / SET / FILE)


def make(course):
    """A released course in a folder, without the package, whose wheel takes seconds to build."""
    write_source(course)
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", course)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "wheel", lambda folder: None)
        assert release.release(course) == 0
    return course


def cell(notebook, grade_id):
    """The last cell with this role."""
    return [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id][-1]


def filled(course, code=RIGHT, proof="It is twice a number."):
    notebook = nbformat.read(course / "release" / SET / FILE, as_version=4)
    if code is not None:
        cell(notebook, "ps1-double").source = code
    if proof is not None:
        cell(notebook, "ps1-even-proof").source = proof
    return notebook


def hand_in(course, student, notebook):
    place = course / "submitted" / student / SET
    place.mkdir(parents=True, exist_ok=True)
    if isinstance(notebook, str):
        (place / FILE).write_text(notebook)
    else:
        nbformat.write(notebook, place / FILE)


def grade(course, again=False):
    return grading.grade(course, None, again)


def table(course, name=SET, key="student"):
    with (course / "scores" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        between = csv.Sniffer().sniff(file.readline(), ",;").delimiter
        file.seek(0)
        return {row[key]: row for row in csv.DictReader(file, delimiter=between)}


def page(course, student):
    return course / "feedback" / student / SET / FILE.replace("ipynb", "html")


def mark(course, student, grade_id, points, comment=None):
    """What Formgrader does when a grader types points and a comment."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        place = (FILE.removesuffix(".ipynb"), SET, student)
        found = book.find_grade(grade_id, *place)
        found.manual_score, found.needs_manual_grade = points, False
        if comment:
            book.find_comment(grade_id.removesuffix("-test"), *place).manual_comment = comment
        book.db.commit()


def in_gradebook(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {submission.student.id for submission in book.assignment_submissions(SET)}
