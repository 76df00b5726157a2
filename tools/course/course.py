"""The course side: release the problem sets, grade what was handed in.

Usage: python tools/course/course.py pair | release | grade [--course FOLDER] [--timeout SECONDS] [--again]

pair     writes the notebook beside the text of each set: source/psN_NAME/NAME.md -> NAME.ipynb
release  the students' version in release/ (no solutions, no hidden tests: verified), and problem_sets.zip of it
grade    what lies in submitted/STUDENT/psN_NAME/NAME.ipynb: autograded/, feedback/, scores/*.csv

All three work in exercises/, or in the folder given by --course. Release and grade do what the commands of nbgrader
do, and keep its gradebook.db: commands and web pages of nbgrader can be used between them.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

sys.path.append(str(Path(__file__).resolve().parents[1] / "notebooks"))
import confined
import jupytext
import nbformat
import notebooks
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "exercises"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
EXPOSED = (
    "this machine gives no namespaces, so students' programs can read your files and use the network: "
    "see 'What to isolate' in exercises/README.md"
)
REGIONS = ("SOLUTION", "HIDDEN TESTS")
README = """Problem sets on linear neural networks

You need Python 3.11 or newer. In this folder, type

    python3 -m venv .venv
    .venv/bin/pip install lnn-*.whl jupyterlab matplotlib
    .venv/bin/jupyter lab

(on Windows .venv\\Scripts\\ in place of .venv/bin/), open a notebook, and begin with its first cell. Hand in the
notebook under the name that it has.
"""


# Sources


def name_of(assignment: str) -> str:
    """Name of the notebook of a set: linear_networks for ps1_linear_networks."""
    return assignment.split("_", 1)[1]


def sets(course: Path) -> list[str]:
    """Names of the sets with a source notebook, in order."""
    found = [path.parent.name for path in course.glob("source/*/*.ipynb") if "_" in path.parent.name]
    return sorted(name for name in set(found) if source_of(course, name).exists())


def source_of(course: Path, assignment: str) -> Path:
    """The source notebook of a set."""
    return course / "source" / assignment / f"{name_of(assignment)}.ipynb"


def without(source: str, region: str, stub: str = "") -> str:
    """The source with what stands between ### BEGIN region and ### END region replaced by the stub, indented."""
    lines: list[str] = []
    inside = False
    for line in source.splitlines():
        if f"### BEGIN {region}" in line:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + text for text in stub.splitlines()]
        elif f"### END {region}" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def untouched(source: str) -> str:
    """A solution cell as students get it."""
    return without(source, "SOLUTION", STUB)


def pair(course: Path) -> int:
    """Write the notebooks of all sets anew from their texts."""
    for page in sorted(course.glob("source/*/*.md")):
        notebook = jupytext.read(page, fmt="md:myst")
        notebooks.name_cells(notebook)
        nbformat.write(notebook, page.with_suffix(".ipynb"))
        print(page.with_suffix(".ipynb").relative_to(course))
    return 0


# nbgrader


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


# Release


def parts(source: Path) -> tuple[set[str], set[str]]:
    """Lines of a source notebook outside of solutions and hidden tests, and lines inside of them."""
    public: set[str] = set()
    secret: set[str] = set()
    for cell in nbformat.read(source, as_version=4).cells:
        kept = cell.source
        for region in REGIONS:
            kept = without(kept, region)
        outside = {line.strip() for line in kept.splitlines()}
        public |= outside
        secret |= {line.strip() for line in cell.source.splitlines()} - outside
    return public, secret


def survivors(source: Path, released: Path, others: Sequence[Path] = ()) -> list[str]:
    """Lines of solutions and hidden tests of `source` that stand anywhere in the file `released`.

    A line that `source`, or one of the sources `others`, also has outside of these regions (`import numpy as np`,
    say) is not one of them, and neither is one without a letter or digit.
    """
    public, secret = parts(source)
    public = public.union(*(parts(other)[0] for other in others))
    secret = {line for line in secret - public if any(map(str.isalnum, line))}
    if released.suffix == ".ipynb":
        notebook = nbformat.read(released, as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        text += "".join(json.dumps(cell.get("outputs", [])) + json.dumps(cell.metadata) for cell in notebook.cells)
    else:
        text = released.read_text(errors="replace")
    lines = {line.strip() for line in text.splitlines()}
    # Short lines ("pass", "else:") are compared as lines, longer ones are looked for inside of lines too.
    return sorted(line for line in secret if line in lines or (len(line) >= 12 and line in text))


def wheel(folder: Path) -> Path | None:
    """The package `lnn` as one file to install from, or None if this copy of the course stands alone."""
    if not (ROOT / "lnn").exists():
        return None
    copy = folder / "package"
    shutil.copytree(ROOT / "lnn", copy / "lnn", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", str(copy), "-w", str(folder), *options], check=True)
    return next(folder.glob("lnn-*.whl"))


def release(course: Path) -> int:
    """Build the students' notebooks, verify that they keep the secrets, and pack them."""
    names = sets(course)
    if not names:
        print(f"no problem sets in {course / 'source'}", file=sys.stderr)
        return 1
    api = connect(course)
    for name in tqdm(names, unit="set", disable=None):
        result = api.generate_assignment(name, force=True, create=True)
        if not result["success"]:
            print(f"{name}: {complaint(result)}", file=sys.stderr)
            return 1
    sources = {name: source_of(course, name) for name in names}
    for path in sorted((course / "release").glob("*/*")):
        if path.parent.name not in names:
            continue
        path.chmod(0o644)
        for name, source in sources.items():
            left = survivors(source, path, [] if name == path.parent.name else list(sources.values()))
            if left:
                shutil.rmtree(path.parent)
                print(f"{path.relative_to(course)} gave away {left[0]!r} of {name}: removed", file=sys.stderr)
                return 1
    archive = course / "release" / "problem_sets.zip"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        package = wheel(Path(folder))
        for path in [course / "release" / name / f"{name_of(name)}.ipynb" for name in names]:
            zipped.write(path, f"problem_sets/{path.parent.name}/{path.name}")
        if package:
            zipped.write(package, f"problem_sets/{package.name}")
        zipped.writestr("problem_sets/README.txt", README)
    print(f"{len(names)} set{'s' * (len(names) != 1)}, no solution and no hidden test in them: {course / 'release'}")
    print(f"to hand out: {archive}")
    return 0


# Grade


def inspect(path: Path, source: Path) -> tuple[str, list[str]]:
    """What is wrong with a submitted notebook: a reason not to grade it, or ""; and remarks to look at."""
    try:
        notebook = nbformat.reads(json.dumps(json.loads(path.read_text(encoding="utf-8"))), as_version=4)
        nbformat.validate(notebook)
    except UnicodeDecodeError:
        return "is not a text file in UTF-8", []
    except json.JSONDecodeError as error:
        return f"is not valid JSON, so no notebook (line {error.lineno}: {error.msg})", []
    except Exception as error:  # whatever nbformat finds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return f"is not a valid notebook ({reason[0]})", []
    expected = [c.metadata.nbgrader for c in nbformat.read(source, as_version=4).cells if "nbgrader" in c.metadata]
    order = [role.grade_id for role in expected]
    found = []
    for cell in notebook.cells:
        role = cell.metadata.get("nbgrader")
        if role and not isinstance(role, dict):
            return "has nbgrader metadata that are damaged", []
        if role and role.get("grade_id"):
            found.append(role)
    ids = [role["grade_id"] for role in found]
    known = [grade_id for grade_id in ids if grade_id in order]
    if not known:
        return "has lost nbgrader's metadata in all cells: ask for the file that was handed out, filled in anew", []
    remarks = []
    missing = [grade_id for grade_id in order if grade_id not in ids]
    if missing:
        remarks.append(f"lacks the cells {', '.join(missing)}: tests are put back, a lost answer counts as not given")
    twice = sorted({grade_id for grade_id in ids if ids.count(grade_id) > 1})
    if twice:
        remarks.append(f"has the cells {', '.join(twice)} more than once: the last of each is taken")
    if [grade_id for grade_id in order if grade_id in known] != known and not twice:
        remarks.append("has its cells in another order than handed out: they are executed in that order")
    roles = {role.grade_id: (role.grade, role.solution) for role in expected}
    for role in found:
        if role["grade_id"] in roles and (role.get("grade"), role.get("solution")) != roles[role["grade_id"]]:
            return f"has changed nbgrader metadata in the cell {role['grade_id']}", []
    return "", remarks


def can_be_mended(path: Path, source: Path) -> bool:
    """Whether nbgrader can put lost cells back: it fails when the cell before such a one is lost too."""
    order, found = (
        [c.metadata.nbgrader for c in nbformat.read(file, as_version=4).cells if c.metadata.get("nbgrader")]
        for file in (source, path)
    )
    there = {role.get("grade_id") for role in found}
    return all(
        role.grade_id in there or not role.grade or before is None or before.grade or before.grade_id in there
        for before, role in zip([None, *order[:-1]], order, strict=True)
    )


def submissions(course: Path) -> Iterator[tuple[str, str, Path, str, list[str]]]:
    """Everything in submitted/: student, set, file, a reason not to grade it (or ""), and remarks."""
    known = sets(course)
    for student in sorted(path for path in (course / "submitted").iterdir() if not path.name.startswith(".")):
        if not student.is_dir():
            yield "", "", student, "must lie in submitted/STUDENT/SET/", []
            continue
        for folder in sorted(path for path in student.iterdir() if not path.name.startswith(".")):
            if not folder.is_dir() or folder.name not in known:
                yield student.name, "", folder, f"is none of the folders {', '.join(known)}", []
                continue
            wanted = folder / f"{name_of(folder.name)}.ipynb"
            others = sorted(path for path in folder.glob("*.ipynb") if path != wanted)
            if wanted.exists():
                reason, remarks = inspect(wanted, source_of(course, folder.name))
                remarks += [f"lies beside {path.name}, which is ignored" for path in others]
                yield student.name, folder.name, wanted, reason, remarks
            elif others:
                for path in others:
                    yield student.name, folder.name, path, f"must have the name {wanted.name}", []
            else:
                yield student.name, folder.name, wanted, "is missing", []


def grade(course: Path, timeout: int | None, again: bool) -> int:
    """Grade all that can be graded, write feedback and scores, and say what could not be graded and why."""
    if not (course / "submitted").is_dir():
        print(f"nothing to grade: put notebooks in {course}/submitted/STUDENT/psN_NAME/NAME.ipynb", file=sys.stderr)
        return 1
    if not (course / "gradebook.db").exists():
        print("there is no gradebook.db yet: release the sets first (make release)", file=sys.stderr)
        return 1
    hidden, needed = [course, *([ROOT] if (ROOT / "lnn").exists() else [])], [ROOT / "lnn"]
    with confined.kernel(hidden, [path for path in needed if path.exists()]) as kernel:
        if not kernel.alone:
            print(f"WARNING: {EXPOSED}", file=sys.stderr)
        return grade_in(kernel, course, timeout, again)


def grade_in(kernel: confined.Kernel, course: Path, timeout: int | None, again: bool) -> int:
    """`grade`, with students' programs in this kernel."""
    api = connect(course, timeout)
    api.config.Execute.kernel_name = kernel.name
    api.config.KernelManager.transport = "ipc"  # a kernel without network is reached through the file system
    api.config.KernelManager.connection_file = kernel.connection_file
    with api.gradebook as book:
        released = {assignment.name for assignment in book.assignments}
    problems: dict[tuple[str, str], list[str]] = {}
    refused = graded = current = 0

    def tell(student: str, name: str, path: Path, message: str) -> None:
        problems.setdefault((student, name), []).append(f"{path.name} {message}")
        tqdm.write(f"{path.relative_to(course)} (student {student or 'unknown'}) {message}", file=sys.stderr)

    for student, name, path, reason, remarks in tqdm(list(submissions(course)), unit="file", disable=None):
        if not reason and name not in released:
            reason = f"cannot be graded before {name} is released (make release)"
        for remark in remarks:
            tell(student, name, path, remark)
        if not reason:
            done = course / "autograded" / student / name / path.name
            changed = max(path.stat().st_mtime, path.stat().st_ctime)
            if not again and done.exists() and done.stat().st_mtime > changed:
                current += 1
            else:
                api.config.OverwriteCells.add_missing_cells = can_be_mended(path, source_of(course, name))
                result = api.autograde(name, student, force=True, create=True)
                reason = "" if result["success"] else f"could not be graded: {complaint(result)}"
                graded += result["success"]
            if not reason:  # written every time: marks and comments given by hand belong into it
                result = api.generate_feedback(name, student, force=True)
                if not result["success"]:
                    tell(student, name, path, f"is graded, but there is no feedback: {complaint(result)}")
        if reason:
            refused += 1
            tell(student, name, path, reason)
    write_scores(course, problems)
    print(f"{graded} graded, {current} graded before, {refused} not graded (the reasons stand above and in scores/)")
    print(f"scores: {course / 'scores'}    feedback: {course / 'feedback'}")
    return int(refused > 0)


def write_scores(course: Path, problems: dict[tuple[str, str], list[str]]) -> None:
    """scores/SET.csv with a column for each task, and scores/all.csv with one for each set."""
    from nbgrader.api import Gradebook, MissingEntry

    folder = course / "scores"
    folder.mkdir(exist_ok=True)
    totals: dict[str, dict[str, object]] = {}
    names = sets(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for name in names:
            cells = nbformat.read(source_of(course, name), as_version=4).cells
            roles = [cell.metadata.nbgrader for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
            students = {student.id for student in book.students} | {s for s, at in problems if at == name}
            rows = []
            for student in sorted(students):
                row: dict[str, object] = {"student": student, "set": name}
                try:
                    grades = {g.name: g for g in book.find_submission_notebook(name_of(name), name, student).grades}
                except MissingEntry:
                    grades = {}
                told = problems.get((student, name), [])
                if not grades and not told:
                    continue  # has not handed it in
                if grades:
                    by_hand = [role.grade_id for role in roles if role.solution]
                    for role in roles:
                        score = grades[role.grade_id]
                        open_ = role.solution and score.needs_manual_grade and score.manual_score is None
                        row[role.grade_id.removesuffix("-test")] = "" if open_ else score.score
                    row["automatic"] = sum(grades[r.grade_id].score for r in roles if not r.solution)
                    row["by_hand"] = sum(grades[g].score for g in by_hand)
                    row["waiting"] = sum(row[g.removesuffix("-test")] == "" for g in by_hand)
                    row["score"] = sum(g.score for g in grades.values())
                    totals.setdefault(student, {})[name] = row["score"]
                row["max_automatic"] = sum(r.points for r in roles if not r.solution)
                row["max_score"] = sum(r.points for r in roles)
                row["remarks"] = "; ".join(told)
                totals.setdefault(student, {})
                rows.append(row)
            tasks = [role.grade_id.removesuffix("-test") for role in roles]
            sums = ["automatic", "max_automatic", "by_hand", "waiting", "score", "max_score", "remarks"]
            write_csv(folder / f"{name}.csv", ["student", "set", *tasks, *sums], rows)
    rows = [{"student": student, **scores} for student, scores in sorted(totals.items())]
    write_csv(folder / "all.csv", ["student", *names], rows)


def write_csv(path: Path, columns: list[str], rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=["pair", "release", "grade"])
    parser.add_argument("--course", type=Path, default=COURSE, help="the course folder; exercises/ by default")
    parser.add_argument("--timeout", type=int, help="seconds that a cell may take; 60 by default")
    parser.add_argument("--again", action="store_true", help="grade anew also what has not changed")
    options = parser.parse_args()
    course = options.course.resolve()
    if options.act == "grade":
        return grade(course, options.timeout, options.again)
    return (pair if options.act == "pair" else release)(course)


if __name__ == "__main__":
    sys.exit(main())
