"""nbgrader, called from Python, and the marks that graders have typed into its gradebook.

nbgrader ties a mark to a task, whatever text stands there: it would count for the next text too. Here a mark is tied
to the text that it was given for. Before a notebook is graded anew, its marks are taken out of the gradebook into
`graded/STUDENT/SET.json` (`withdraw`), and afterwards those come back whose text is the same (`restore`).
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import whole
from sets import name_of, roles

Record = dict[str, Any]


def connect(course: Path, timeout: int | None = None):
    """Programming interface of nbgrader on a course folder, with the settings of its nbgrader_config.py."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # it calls alembic
    import logging
    import warnings

    warnings.filterwarnings("ignore", module=r"nbgrader\.")  # its remarks on its own database
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config, PyFileConfigLoader

    config = Config()
    if (course / "nbgrader_config.py").exists():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    # Several graders write at once: each waits for the others, up to so many seconds.
    config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}?timeout=60"
    if timeout is not None:
        config.Execute.timeout = timeout
    api = NbGraderAPI(config=config)
    api.log.handlers.clear()
    api.log.propagate = False
    api.log.setLevel(logging.INFO)
    return api


def complaint(result: dict) -> str:
    """The line of nbgrader's log that says what went wrong."""
    error = (result.get("error") or "").strip().splitlines()
    logged = [line for line in (result.get("log") or "").splitlines() if line.strip()]
    raised = [line for line in logged if line.partition(":")[0].endswith(("Error", "Exception"))]
    told = raised or [line.removeprefix("[ERROR] ") for line in logged if line.startswith("[ERROR]")] or error
    return told[-1].strip() if told else "nbgrader gave no reason"


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def released_cells(book, assignment: str) -> list[dict]:
    """The cells of a set with a role, as they were when it was last released: id, type, source, with hidden tests."""
    cells = book.find_notebook(name_of(assignment), assignment).source_cells
    return [{"id": c.name, "cell_type": c.cell_type, "source": c.source, "locked": c.locked} for c in cells]


def texts(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """What the mark of each graded cell was given for: of a proof its text, of a test all code of the student."""
    found = {}
    cells = [(cell.metadata.get("nbgrader") or {}, cell) for cell in notebook.cells]
    code = digest(*[c.source for role, c in cells if c.cell_type == "code" and not role.get("grade")])
    for role, cell in cells:
        if role.get("grade") and role.get("grade_id"):
            found[role["grade_id"]] = digest(cell.source.strip()) if role.get("solution") else code
    return found


def record_of(course: Path, student: str, assignment: str) -> Path:
    return course / "graded" / student / f"{assignment}.json"


def read(course: Path, student: str, assignment: str) -> Record:
    """What is known of a graded notebook: "seen", its fingerprint, "patched", remarks, and "marks" taken out."""
    try:
        return json.loads(record_of(course, student, assignment).read_text())
    except FileNotFoundError:
        return {}


def write(course: Path, student: str, assignment: str, record: Record) -> None:
    path = record_of(course, student, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.write(path, json.dumps(record, indent=1))


def withdraw(course: Path, book, student: str, assignment: str) -> Record:
    """Take marks and comments typed by graders out of the gradebook, each with the text that it was given for."""
    from nbgrader.api import MissingEntry

    record = read(course, student, assignment)
    record.pop("seen", None)
    try:
        notebook = book.find_submission_notebook(name_of(assignment), assignment, student)
    except MissingEntry:
        return record
    graded = course / "autograded" / student / assignment / f"{name_of(assignment)}.ipynb"
    try:
        known = texts(nbformat.read(graded, as_version=4))
    except (FileNotFoundError, nbformat.reader.NotJSONError):  # never graded, or killed while nbgrader wrote it
        known = {}
    marks = record.setdefault("marks", [])
    owners = {role.grade_id: role.grade_id.removesuffix("-test") for role in roles(course, assignment)}
    comments = {c.name: c for c in notebook.comments if c.manual_comment}
    for grade in notebook.grades:
        about = owners.get(grade.name, grade.name)
        comment = comments.pop(about, None)
        if grade.manual_score is None and not grade.extra_credit and comment is None:
            continue
        # nbgrader itself asks for a new look when it has graded a new text: the mark was given for one unknown here.
        stale = grade.needs_manual_grade and grade.manual_score is not None
        mark = {
            "task": grade.name,
            "score": grade.manual_score,
            "extra": grade.extra_credit,
            "about": about,
            "comment": comment.manual_comment if comment else None,
            "text": None if stale else known.get(grade.name),
        }
        marks[:] = [old for old in marks if (old["task"], old["text"]) != (mark["task"], mark["text"])] + [mark]
        grade.manual_score = grade.extra_credit = None
        if comment:
            comment.manual_comment = None
    write(course, student, assignment, record)  # before the gradebook forgets them
    book.db.commit()
    return record


def restore(book, student: str, assignment: str, record: Record, notebook: nbformat.NotebookNode) -> list[str]:
    """Put back the marks whose text is the same; name the tasks whose marks were given for another text."""
    now = texts(notebook)
    submission = book.find_submission_notebook(name_of(assignment), assignment, student)
    grades = {grade.name: grade for grade in submission.grades}
    comments = {comment.name: comment for comment in submission.comments}
    back, other = [], {}
    for mark in record.get("marks", []):
        grade = grades.get(mark["task"])
        if grade is None or mark["text"] != now.get(mark["task"]):
            other[mark["task"]] = mark["score"]
            continue
        grade.manual_score, grade.extra_credit = mark["score"], mark["extra"]
        if mark["score"] is not None:
            grade.needs_manual_grade = False
        if mark["comment"] and mark["about"] in comments:
            comments[mark["about"]].manual_comment = mark["comment"]
        back.append(mark)
    book.db.commit()
    record["marks"] = [mark for mark in record.get("marks", []) if mark not in back]
    marked = {name for name, grade in grades.items() if grade.manual_score is not None}
    return [
        f"has another answer to {task.removesuffix('-test')} than the one that was marked by hand"
        + (f" ({score:g} points then): look at it again" if score is not None else ": look at it again")
        for task, score in other.items()
        if task not in marked
    ]


def forget(book, student: str, assignment: str) -> None:
    """Remove a submission from the gradebook: in all its tables it is then as if nothing were handed in."""
    from nbgrader.api import MissingEntry

    try:
        book.remove_submission(assignment, student)
    except MissingEntry:
        pass
