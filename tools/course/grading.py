"""Grade a course, or a part of it, side by side; tell what could not be graded; write the tables."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Thread

import confined
import due
import roster
from exports import export
from grader import Grader, Outcome
from scores import write_scores
from sets import ROOT, sets, unfit
from submissions import Submission, submissions
from tqdm import tqdm

EXPOSED = (
    "students' programs can read your files and use the network on this machine ({}): "
    "see 'What to isolate' in exercises/README.md"
)

_worker: Grader | None = None  # the grader of this process, where several grade side by side


def kernel_for(course: Path):
    """The kernel for submissions of a course: it sees the package, and nothing of the course."""
    hidden = [course, *([ROOT] if (ROOT / "lnn").exists() else [])]
    return confined.kernel(hidden, [path for path in [ROOT / "lnn"] if path.exists()])


def end_with_parent() -> None:
    """End this process when the one that started it was killed: nobody waits for what it grades any more."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def start_worker(course: Path, timeout: int | None, again: bool, hide: bool) -> None:
    """Give this process a grader and a kernel of its own, for as long as the process lives."""
    global _worker
    Thread(target=end_with_parent, daemon=True).start()
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
        try:
            yield from pool.map(work, wanted)
        except BaseException:  # Ctrl-C: what has not been begun is not waited for
            pool.shutdown(cancel_futures=True)
            raise


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
    try:
        dates = due.read(course)
        roster.read(course)
    except (due.Wrong, roster.Wrong) as error:
        print(error, file=sys.stderr)
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
    return report(course, done, dates)


def report(course: Path, done: dict[Submission, Outcome], dates: due.Dates) -> int:
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
    came = {(s.student, s.assignment): s.came for s in done}
    write_scores(course, problems, without, dates, came)
    export(course)
    states = [outcome.state for outcome in done.values()]
    graded, current, not_graded = (states.count(state) for state in ("graded", "current", "refused"))
    print(f"{graded} graded, {current} graded before, {not_graded} not graded (the reasons stand above and in scores/)")
    print(f"scores: {course / 'scores'}    feedback: {course / 'feedback'}")
    return int(not_graded > 0)
