"""Grade what was handed in: each submission in a confined kernel, its marks kept, its feedback written."""

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import confined
import nbformat
from feedback import write_feedback
from gradebook import complaint, connect, digest, forget, read, released_cells, restore, withdraw, write
from scores import write_scores
from sets import ROOT, name_of, sets, source_of, unfit
from submissions import Submission, stage, submissions
from tqdm import tqdm

EXPOSED = (
    "students' programs can read your files and use the network on this machine ({}): "
    "see 'What to isolate' in exercises/README.md"
)


class Outcome(NamedTuple):
    """What became of a submission: "graded", "current" (graded before, and nothing has changed) or "refused"."""

    state: str
    remarks: list[str]


class Grader:
    """Grades submissions of one course, one after another, in the kernel given."""

    def __init__(self, course: Path, kernel: confined.Kernel, timeout: int | None, again: bool) -> None:
        self.course, self.again = course, again
        self.staging = Path(kernel.connection_file).parent.parent / "staged"
        self.api = connect(course, timeout)
        config = self.api.config
        config.Execute.kernel_name = kernel.name
        config.KernelManager.transport = "ipc"  # a kernel without network is reached through the file system
        config.KernelManager.connection_file = kernel.connection_file
        config.OverwriteCells.add_missing_cells = False  # `stage` has put them back
        config.Autograde.autograde_preprocessors = preprocessors()
        self.api.coursedir.submitted_directory = str(self.staging)
        with self.api.gradebook as book:
            self.released = {a.name: released_cells(book, a.name) for a in book.assignments if a.name in sets(course)}
            self.points = {
                name: {cell.name: cell.max_score for cell in book.find_notebook(name_of(name), name).grade_cells}
                for name in self.released
            }

    def stale(self, assignment: str) -> bool:
        """Whether the tests or points of a set have changed in source/ since the last release."""
        released = {cell["id"]: cell["source"] for cell in self.released[assignment]}
        points = self.points[assignment]
        for cell in nbformat.read(source_of(self.course, assignment), as_version=4).cells:
            role = cell.metadata.get("nbgrader") or {}
            if role and (role.grade_id not in released or role.grade != (role.grade_id in points)):
                return True
            if role.get("grade") and float(role.points) != points[role.grade_id]:
                return True
            if role.get("grade") and not role.solution and cell.source != released[role.grade_id]:
                return True
        return False

    def folders(self, submission: Submission) -> list[Path]:
        """Where the graded notebook and the feedback of a submission are."""
        return [self.course / step / submission.student / submission.assignment for step in ("autograded", "feedback")]

    def refuse(self, submission: Submission, reason: str) -> Outcome:
        """Leave no points and no feedback of an earlier text; marks given by hand are kept for their text."""
        if submission.assignment in self.released:
            with self.api.gradebook as book:
                withdraw(self.course, book, submission.student, submission.assignment)
                forget(book, submission.student, submission.assignment)
            for folder in self.folders(submission):
                if folder.exists():
                    shutil.rmtree(folder)
        return Outcome("refused", [*submission.remarks, reason])

    def grade(self, submission: Submission) -> Outcome:
        """Grade one submission, unless that cannot be done, or was done before; write its feedback."""
        student, name = submission.student, submission.assignment
        reason = submission.reason
        if not reason and name not in self.released:
            reason = f"cannot be graded before {name} is released (make release)"
        if reason:
            return self.refuse(submission, reason)
        cells, points = self.released[name], self.points[name]
        seen = digest(submission.path.read_text(encoding="utf-8"), json.dumps([cells, points]))
        done = self.folders(submission)[0] / submission.path.name
        record = read(self.course, student, name)
        state = "current" if not self.again and record.get("seen") == seen and done.exists() else "graded"
        if state == "graded":
            with self.api.gradebook as book:
                record = withdraw(self.course, book, student, name)
            notebook = stage(submission.path, self.staging / student / name, cells, points)
            notebook.cells.append(nbformat.v4.new_code_cell("%replaced"))
            nbformat.write(notebook, self.staging / student / name / submission.path.name)
            result = self.api.autograde(name, student, force=True, create=True)
            if not result["success"]:
                return self.refuse(submission, f"could not be graded: {complaint(result)}")
            record["seen"], record["remarks"] = seen, replaced(done)
        with self.api.gradebook as book:
            marks = restore(book, student, name, record, nbformat.read(done, as_version=4))
        write(self.course, student, name, record)
        remarks = [*submission.remarks, *record.get("remarks", []), *marks]
        # Written every time: marks and comments given by hand belong into it.
        told = write_feedback(self.api, self.course, student, name)
        return Outcome(state, remarks + ([f"is graded, but there is no feedback: {told}"] if told else []))


def preprocessors() -> list:
    """What nbgrader does with a submission, and the limit on characters."""
    from limits import LimitCharacters
    from nbgrader.converters import Autograde

    return [*Autograde().autograde_preprocessors, LimitCharacters]


def replaced(graded: Path) -> list[str]:
    """Read off, and remove, the last cell of a graded notebook: which library functions it has replaced."""
    notebook = nbformat.read(graded, as_version=4)
    text = "".join(output.get("text", "") for output in notebook.cells.pop().outputs)
    graded.chmod(0o644)
    nbformat.write(notebook, graded)
    graded.chmod(0o444)
    try:
        names = json.loads(text)
    except json.JSONDecodeError:
        return ["has kept the grader from looking for replaced functions: look at it"]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"has replaced {shown}, which was undone before each test: look at it"]


def grade(course: Path, timeout: int | None, again: bool) -> int:
    """Grade all that can be graded, write feedback and scores, and say what could not be graded and why."""
    if reason := unfit(course):
        print(reason, file=sys.stderr)
        return 1
    if not (course / "submitted").is_dir():
        print(f"nothing to grade: put notebooks in {course}/submitted/STUDENT/psN_NAME/NAME.ipynb", file=sys.stderr)
        return 1
    if not (course / "gradebook.db").exists():
        print("there is no gradebook.db yet: release the sets first (make release)", file=sys.stderr)
        return 1
    hidden, needed = [course, *([ROOT] if (ROOT / "lnn").exists() else [])], [ROOT / "lnn"]
    with confined.kernel(hidden, [path for path in needed if path.exists()]) as kernel:
        if kernel.exposed:
            print(f"WARNING: {EXPOSED.format(kernel.exposed)}", file=sys.stderr)
        return grade_all(Grader(course, kernel, timeout, again), course)


def grade_all(grader: Grader, course: Path) -> int:
    """Grade every submission of the course, tell what is to be told, and write the tables."""
    problems: dict[tuple[str, str], list[str]] = {}
    refused: set[tuple[str, str]] = set()
    states: list[str] = []
    for name in grader.released:
        if grader.stale(name):
            print(f"WARNING: {name} has other tests or points than when it was released: make release", file=sys.stderr)
    for submission in tqdm(list(submissions(course)), unit="file", disable=None):
        outcome = grader.grade(submission)
        states.append(outcome.state)
        at = (submission.student, submission.assignment)
        if outcome.state == "refused":
            refused.add(at)
        for remark in outcome.remarks:
            problems.setdefault(at, []).append(f"{submission.path.name} {remark}")
            where, who = submission.path.relative_to(course), submission.student or "unknown"
            tqdm.write(f"{where} (student {who}) {remark}", file=sys.stderr)
    write_scores(course, problems, refused)
    graded, current, not_graded = (states.count(state) for state in ("graded", "current", "refused"))
    print(f"{graded} graded, {current} graded before, {not_graded} not graded (the reasons stand above and in scores/)")
    print(f"scores: {course / 'scores'}    feedback: {course / 'feedback'}")
    return int(not_graded > 0)
