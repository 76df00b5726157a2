"""Grade one submission: in a confined kernel, with its marks kept and its feedback written."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import confined
import nbformat
import variants
import whole
from feedback import write_feedback
from gradebook import Record, complaint, connect, digest, forget, read, released_cells, restore, withdraw, write
from sets import name_of, sets, source_of
from staging import gather, misplaced, stage
from submissions import Submission


class Outcome(NamedTuple):
    """What became of a submission: "graded", "current" (graded before, and nothing has changed) or "refused"."""

    state: str
    remarks: list[str]


class Grader:
    """Grades submissions of one course, one after another, in the kernel given."""

    def __init__(self, course: Path, kernel: confined.Kernel, timeout: int | None, again: bool, hide: bool) -> None:
        self.course, self.timeout, self.again, self.hide = course, timeout, again, hide
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

    def texts(self, assignment: str) -> set[str]:
        """The texts of a set that are handed out and not answered."""
        cells = nbformat.read(source_of(self.course, assignment), as_version=4).cells
        return {c.source.strip() for c in cells if c.cell_type == "markdown" and not c.metadata.get("nbgrader")}

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

    def fingerprint(self, submission: Submission) -> str:
        """What the points of a submission depend on: its text, and the tests and points of its set as released."""
        name = submission.assignment
        released = json.dumps([self.released[name], self.points[name], *self.known_as(submission)])
        return digest(submission.path.read_text(encoding="utf-8"), released)

    def known_as(self, submission: Submission) -> list[str]:
        """The names of a student, where the numbers in a set depend on them."""
        individual = variants.has_variants(self.released[submission.assignment])
        return variants.known_as(self.course, submission.student) if individual else []

    def is_current(self, submission: Submission) -> bool:
        """Whether this very text was graded with these very tests."""
        record = read(self.course, submission.student, submission.assignment)
        done = self.folders(submission)[0] / submission.path.name
        return record.get("seen") == self.fingerprint(submission) and done.exists()

    def seen_before(self, submission: Submission) -> Outcome:
        """What is known of a submission that is not to be graded now."""
        if submission.reason or submission.assignment not in self.released:
            return self.grade(submission)  # nothing is executed
        if not self.is_current(submission):
            return Outcome("waiting", [*submission.remarks, "has come in or changed, and is not graded yet"])
        record = read(self.course, submission.student, submission.assignment)
        return Outcome("current", self.remarks(submission, record))

    def remarks(self, submission: Submission, record: Record) -> list[str]:
        """What is to be looked at in a graded submission; marks given for this very text are put back."""
        student, name = submission.student, submission.assignment
        done = self.folders(submission)[0] / submission.path.name
        with self.api.gradebook as book:
            marks = restore(book, student, name, record, nbformat.read(done, as_version=4))
        write(self.course, student, name, record)
        return [*submission.remarks, *record.get("remarks", []), *marks]

    def grade(self, submission: Submission) -> Outcome:
        """Grade one submission, unless that cannot be done, or was done before; write its feedback."""
        try:
            return self.attempt(submission)
        except (
            Exception
        ) as error:  # one submission that nobody has thought of must not keep the others from being graded
            return self.refuse(submission, f"could not be graded: {type(error).__name__}: {error}")

    def attempt(self, submission: Submission) -> Outcome:
        """`grade`, which fails where something is wrong that has no name yet."""
        student, name = submission.student, submission.assignment
        reason = submission.reason
        if not reason and name not in self.released:
            reason = f"cannot be graded before {name} is released (make release)"
        if reason:
            return self.refuse(submission, reason)
        cells, points = self.released[name], self.points[name]
        done = self.folders(submission)[0] / submission.path.name
        record, seen = read(self.course, student, name), self.fingerprint(submission)
        state = "graded" if self.again or not self.is_current(submission) else "current"
        if state == "graded":
            with self.api.gradebook as book:
                record = withdraw(self.course, book, student, name)
            notebook = stage(submission.path, self.staging / student / name, cells, points, submission.came)
            told = [
                f"has its answer to {task} beside the cell for it" for task in gather(notebook, cells, self.texts(name))
            ]
            told += [f"has written into {cell}, which is put back" for cell in misplaced(notebook, cells)]
            if (known := self.known_as(submission)) and (reason := variants.pin(notebook, cells, known)):
                return self.refuse(submission, reason)
            notebook.cells.append(nbformat.v4.new_code_cell("%replaced"))
            nbformat.write(notebook, self.staging / student / name / submission.path.name)
            result = self.api.autograde(name, student, force=True, create=True)
            if not result["success"]:
                return self.refuse(submission, f"could not be graded: {complaint(result)}")
            record["seen"], record["remarks"] = seen, told + replaced(done)
        remarks = self.remarks(submission, record)
        # Written every time: marks and comments given by hand belong into it.
        wrong = write_feedback(self.api, student, name, self.hide)
        return Outcome(state, remarks + ([f"is graded, but there is no feedback: {wrong}"] if wrong else []))


def preprocessors() -> list:
    """What nbgrader does with a submission, and the limit on characters."""
    from limits import LimitCharacters
    from nbgrader.converters import Autograde

    return [*Autograde().autograde_preprocessors, LimitCharacters]


def replaced(graded: Path) -> list[str]:
    """Read off which library functions a graded notebook has replaced, and remove what was put in for grading."""
    notebook = nbformat.read(graded, as_version=4)
    text = "".join(output.get("text", "") for output in notebook.cells.pop().outputs)
    variants.unpin(notebook)
    whole.write(graded, nbformat.writes(notebook) + "\n")
    graded.chmod(0o444)
    try:
        names = json.loads(text)
    except json.JSONDecodeError:
        return ["has kept the grader from looking for replaced functions: look at it"]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"has replaced {shown}, which was undone before each test: look at it"]
