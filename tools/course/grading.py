"""Grade what was handed in: each submission in a confined kernel, its marks kept, its feedback written."""

import json
import multiprocessing
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path
from typing import NamedTuple

import confined
import nbformat
from exports import export
from feedback import write_feedback
from gradebook import Record, complaint, connect, digest, forget, read, released_cells, restore, withdraw, write
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
        released = json.dumps([self.released[name], self.points[name]])
        return digest(submission.path.read_text(encoding="utf-8"), released)

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
            notebook = stage(submission.path, self.staging / student / name, cells, points)
            notebook.cells.append(nbformat.v4.new_code_cell("%replaced"))
            nbformat.write(notebook, self.staging / student / name / submission.path.name)
            result = self.api.autograde(name, student, force=True, create=True)
            if not result["success"]:
                return self.refuse(submission, f"could not be graded: {complaint(result)}")
            record["seen"], record["remarks"] = seen, replaced(done)
        remarks = self.remarks(submission, record)
        # Written every time: marks and comments given by hand belong into it.
        told = write_feedback(self.api, student, name, self.hide)
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


_worker: Grader | None = None  # the grader of this process, where several grade side by side


def kernel_for(course: Path):
    """The kernel for submissions of a course: it sees the package, and nothing of the course."""
    hidden = [course, *([ROOT] if (ROOT / "lnn").exists() else [])]
    return confined.kernel(hidden, [path for path in [ROOT / "lnn"] if path.exists()])


def start_worker(course: Path, timeout: int | None, again: bool, hide: bool) -> None:
    """Give this process a grader and a kernel of its own, for as long as the process lives."""
    global _worker
    stack = ExitStack()
    _worker = Grader(course, stack.enter_context(kernel_for(course)), timeout, again, hide)
    Finalize(None, stack.close, exitpriority=10)


def work(submission: Submission) -> Outcome:
    """Grade one submission in this process."""
    assert _worker is not None
    return _worker.grade(submission)


def outcomes(grader: Grader, wanted: list[Submission], jobs: int) -> Iterator[Outcome]:
    """What becomes of the submissions, in their order; with several jobs in as many processes."""
    if jobs == 1 or len(wanted) < 2:
        yield from map(grader.grade, wanted)
        return
    arguments = (grader.course, grader.timeout, grader.again, grader.hide)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(wanted)), fresh, start_worker, arguments) as pool:
        yield from pool.map(work, wanted)


def grade(
    course: Path,
    timeout: int | None,
    again: bool,
    jobs: int = 1,
    students: Sequence[str] = (),
    assignments: Sequence[str] = (),
    hide: bool = False,
) -> int:
    """Grade all that can be graded, write feedback and scores, and say what could not be graded and why.

    With `students` or `assignments` only theirs are executed; the tables still have everyone. With `hide` the pages of
    feedback do not show the hidden tests.
    """
    if reason := unfit(course):
        print(reason, file=sys.stderr)
        return 1
    if not (course / "submitted").is_dir():
        print(f"nothing to grade: put notebooks in {course}/submitted/STUDENT/psN_NAME/NAME.ipynb", file=sys.stderr)
        return 1
    if not (course / "gradebook.db").exists():
        print("there is no gradebook.db yet: release the sets first (make release)", file=sys.stderr)
        return 1
    found = list(submissions(course))
    for kind, names, known in (
        ("student", students, {submission.student for submission in found}),
        ("set", assignments, set(sets(course))),
    ):
        if missing := sorted(set(names) - known):
            print(f"no {kind} has the name {', '.join(missing)}", file=sys.stderr)
            return 1
    with kernel_for(course) as kernel:
        if kernel.exposed:
            print(f"WARNING: {EXPOSED.format(kernel.exposed)}", file=sys.stderr)
        grader = Grader(course, kernel, timeout, again, hide)
        for name in grader.released:
            if grader.stale(name):
                print(
                    f"WARNING: {name} has other tests or points than when it was released: make release",
                    file=sys.stderr,
                )
        wanted = [
            submission
            for submission in found
            if (not students or submission.student in students)
            and (not assignments or submission.assignment in assignments)
        ]
        told = tqdm(outcomes(grader, wanted, jobs), total=len(wanted), unit="file", disable=None)
        done = dict(zip(wanted, told, strict=True))
        for submission in found:
            if submission not in done:
                done[submission] = grader.seen_before(submission)
    return report(course, done)


def report(course: Path, done: dict[Submission, Outcome]) -> int:
    """Tell what is to be told, and write the tables."""
    problems: dict[tuple[str, str], list[str]] = {}
    for submission, outcome in done.items():
        for remark in outcome.remarks:
            problems.setdefault((submission.student, submission.assignment), []).append(
                f"{submission.path.name} {remark}"
            )
            where, who = submission.path.relative_to(course), submission.student or "unknown"
            print(f"{where} (student {who}) {remark}", file=sys.stderr)
    without = {(s.student, s.assignment) for s, outcome in done.items() if outcome.state in ("refused", "waiting")}
    write_scores(course, problems, without)
    export(course)
    states = [outcome.state for outcome in done.values()]
    graded, current, not_graded = (states.count(state) for state in ("graded", "current", "refused"))
    print(f"{graded} graded, {current} graded before, {not_graded} not graded (the reasons stand above and in scores/)")
    print(f"scores: {course / 'scores'}    feedback: {course / 'feedback'}")
    return int(not_graded > 0)
