"""The course side: release the problem sets, collect and grade what was handed in.

Usage: python tools/course/course.py pair | release | collect | grade [--course FOLDER] …

pair     writes the notebook beside the text of each set: source/psN_NAME/NAME.md -> NAME.ipynb
release  the students' version in release/ (no solutions, no hidden tests: verified), and problem_sets.zip of it
collect  sorts what an LMS lets you download, downloaded/psN_NAME/, into submitted/
grade    what lies in submitted/STUDENT/psN_NAME/NAME.ipynb: autograded/, feedback/, scores/*.csv

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

from collect import collect
from grading import grade
from release import release
from sets import ROOT, pair


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    acts = parser.add_subparsers(dest="act", required=True)
    for act in ("pair", "release", "collect", "grade"):
        options = acts.add_parser(act)
        options.add_argument("--course", type=Path, default=ROOT / "exercises", help="exercises/ by default")
        if act == "grade":
            options.add_argument("--timeout", type=int, help="seconds that a cell may take; 60 by default")
            options.add_argument("--again", action="store_true", help="grade anew also what has not changed")
        if act == "collect":
            options.add_argument("sets", nargs="*", metavar="SET", help="those in downloaded/ by default")
    given = parser.parse_args()
    course = given.course.resolve()
    if given.act == "grade":
        return grade(course, given.timeout, given.again)
    if given.act == "collect":
        return collect(course, given.sets)
    return (pair if given.act == "pair" else release)(course)


if __name__ == "__main__":
    sys.exit(main())
