"""The course side: release the problem sets, collect and grade what was handed in.

Usage: python tools/course/course.py task | proof | pair | release | collect | grade | handout [--course FOLDER] …

task     appends an empty task to a set
proof    puts a proof of the pool, pool/psN_NAME.md, in the place of the one that a set has; or lists them
pair     writes the notebook beside the text of each set: source/psN_NAME/NAME.md -> NAME.ipynb
release  the students' version in release/ (no solutions, no hidden tests: verified), and problem_sets.zip of it
collect  sorts what an LMS lets you download, downloaded/psN_NAME/, into submitted/
grade    what lies in submitted/STUDENT/psN_NAME/NAME.ipynb: autograded/, feedback/, scores/*.csv
handout  solutions without the tests, and a sheet for marking with the rubrics, in handout/ (as PDF with Chromium)

All work in exercises/, or in the folder given by --course. Release and grade do what the commands of nbgrader do, and
keep its gradebook.db: commands and web pages of nbgrader can be used between them.
"""

import argparse
import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where `whole` is
from authoring import new_task
from collect import collect
from grading import grade
from handout import handout
from pool import exchange
from release import release
from sets import ROOT, pair


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    acts = parser.add_subparsers(dest="act", required=True)
    for act in ("task", "proof", "pair", "release", "collect", "grade", "handout"):
        options = acts.add_parser(act)
        options.add_argument("--course", type=Path, default=ROOT / "exercises", help="exercises/ by default")
        if act == "task":
            options.add_argument("set", metavar="SET", help="psN_NAME")
            options.add_argument("name", help="of the task: small letters, digits, hyphens")
            options.add_argument("--points", type=int, default=4)
            kind = options.add_mutually_exclusive_group()
            kind.add_argument("--proof", action="store_true", help="marked by hand, and not by tests")
            kind.add_argument("--own", action="store_true", help="with numbers of each student's own")
        if act == "proof":
            options.add_argument("set", metavar="SET", help="psN_NAME")
            options.add_argument("key", nargs="?", default="", help="of the proof; without it, they are listed")
        if act == "grade":
            options.add_argument("--timeout", type=int, help="seconds that a cell may take; 60 by default")
            options.add_argument("--again", action="store_true", help="grade anew also what has not changed")
            options.add_argument("--student", action="append", default=[], help="grade this one only (may be repeated)")
            options.add_argument("--set", action="append", default=[], help="grade this set only (may be repeated)")
            options.add_argument(
                "--hide-tests", action="store_true", help="feedback that does not show the hidden tests"
            )
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            told = "notebooks graded side by side: one a core, and one as some wait"
            options.add_argument("--jobs", type=int, default=cores + 1, help=told)
        if act in ("collect", "handout"):
            options.add_argument(
                "sets", nargs="*", metavar="SET", help="those in downloaded/ or, for a handout, all by default"
            )
    given = parser.parse_args()
    course = given.course.resolve()
    if given.act == "grade":
        return grade(course, given.timeout, given.again, given.jobs, given.student, given.set, given.hide_tests)
    if given.act == "task":
        return new_task(course, given.set, given.name, given.points, given.proof, given.own)
    if given.act == "proof":
        return exchange(course, given.set, given.key)
    if given.act == "handout":
        return handout(course, given.sets)
    if given.act == "collect":
        return collect(course, given.sets)
    return (pair if given.act == "pair" else release)(course)


if __name__ == "__main__":
    sys.exit(main())
