"""Numbers of each student's own: whose they are, and that tests use these and no others.

A set with such tasks has two cells more, which `course.py task --own` puts before its first program: in one a student
writes the name under which the notebook is handed in, `STUDENT`; the other, locked, defines `variant(student, task)`.
A notebook with another name than that under which it was collected is not graded. In the copy that is graded both stand
again before every test, whatever was made of them in between.
"""

import ast
import unicodedata
from pathlib import Path

import roster
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

NAME, GIVEN = "-student", "-variant"  # how the grade_id of the two cells end
PINNED = "course_variant"  # in the metadata of the cells that grading puts in, and takes out again

TEXT = """**Numbers of your own.** Some tasks of this set are about numbers that nobody else has. Write between
the quotes the name or mail address under which you hand in, and remove the last line. With another name you cannot be
graded."""
ASKED = """STUDENT = ""
### BEGIN SOLUTION
STUDENT = "reference"
### END SOLUTION"""
FUNCTION = '''import hashlib


def variant(student, task, count=6):
    """So many digits from 1 to 9: the same for a student and a task whenever it is called, others for anybody else."""
    assert student.strip(), "STUDENT is empty: write your name in the cell above"
    seed = hashlib.sha256(f"{task} {student.strip().casefold()}".encode()).digest()
    return [1 + byte % 9 for byte in seed[:count]]'''


def known_as(course: Path, student: str) -> list[str]:
    """The names of a student: that of the folder, and the mail address in the roster."""
    return [name for name in (student, roster.read(course).get(student, {}).get("mail")) if name]


def has_variants(released: list[dict]) -> bool:
    """Whether a set has numbers of each student's own."""
    return any(cell["id"].endswith(NAME) for cell in released)


def same(name: str) -> str:
    """A name as it is compared."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def stated(notebook: NotebookNode) -> str:
    """The name that a notebook gives itself, or ""; no program is run for it."""
    name = ""
    for cell in notebook.cells:
        if (cell.metadata.get("nbgrader") or {}).get("grade_id", "").endswith(NAME):
            try:
                for line in ast.parse(cell.source).body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "STUDENT":
                        name = str(ast.literal_eval(line.value))
            except (SyntaxError, ValueError):
                return ""
    return name


def pin(notebook: NotebookNode, released: list[dict], known: list[str]) -> str:
    """Put the name and the numbers before every test, or say why that is not to be done."""
    name = stated(notebook)
    if same(name) not in map(same, known):
        return f"has {name!r} in STUDENT and is handed in by {' or '.join(known)}: whose numbers it has is not known"
    given = [cell["source"] for cell in released if cell["id"].endswith(GIVEN)]
    source = "\n".join([*given, f"STUDENT = {name!r}"])
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        cell.metadata.pop(PINNED, None)
        role = cell.metadata.get("nbgrader") or {}
        if role.get("grade") and not role.get("solution"):
            cells.append(new_code_cell(source, metadata={PINNED: True}))
        cells.append(cell)
    notebook.cells = cells
    return ""


def unpin(notebook: NotebookNode) -> None:
    """Take out of a graded notebook what `pin` has put in."""
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get(PINNED)]
