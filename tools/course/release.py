"""Release: the students' notebooks in release/, verified to keep the secrets, and problem_sets.zip of them."""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from gradebook import complaint, connect, forget, withdraw
from sets import REGIONS, ROOT, name_of, roles, sets, source_of, unfit, without
from tqdm import tqdm

README = """Problem sets on linear neural networks

You need Python 3.11 or newer. In this folder, type

    python3 -m venv .venv
    .venv/bin/pip install lnn-*.whl jupyterlab matplotlib
    .venv/bin/jupyter lab

(on Windows .venv\\Scripts\\ in place of .venv/bin/), open a notebook, and begin with its first cell. Hand in the
notebook under the name that it has.
"""


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


def cells_changed(book, course: Path, assignment: str) -> bool:
    """Whether a set that was released before has other tasks now."""
    from nbgrader.api import MissingEntry

    try:
        notebook = book.find_notebook(name_of(assignment), assignment)
    except MissingEntry:
        return False
    before = [
        {c.name for c in cells} for cells in (notebook.source_cells, notebook.grade_cells, notebook.solution_cells)
    ]
    now = roles(course, assignment)
    return before != [
        {role.grade_id for role in now},
        {role.grade_id for role in now if role.grade},
        {role.grade_id for role in now if role.solution},
    ]


def reopen(book, course: Path, assignment: str) -> str:
    """Take a set with other tasks than before, and what was graded of it, out of the gradebook; or why not.

    nbgrader changes no set with submissions. Marks are kept (see `gradebook`), everything else is graded again.
    """
    students = [submission.student.id for submission in book.assignment_submissions(assignment)]
    file = f"{name_of(assignment)}.ipynb"
    gone = [student for student in students if not (course / "submitted" / student / assignment / file).exists()]
    if gone:
        return f"has other tasks than before, and the notebooks of {', '.join(gone)} are no longer in submitted/"
    for student in students:
        withdraw(course, book, student, assignment)
        forget(book, student, assignment)
    if students:
        print(f"{assignment} has other tasks than before: make grade will grade {len(students)} submissions again")
    return ""


def generate(api, course: Path, assignment: str) -> str:
    """Make the students' notebook of one set; what went wrong, or "". Then the release from before is still there."""
    with api.gradebook as book:
        if cells_changed(book, course, assignment):
            if reason := reopen(book, course, assignment):
                return reason
    folder = course / "release" / assignment
    with tempfile.TemporaryDirectory() as kept:
        if folder.exists():
            shutil.copytree(folder, Path(kept) / "release")
        result = api.generate_assignment(assignment, force=True, create=True)
        if result["success"]:
            return ""
        if (Path(kept) / "release").exists() and not folder.exists():
            shutil.copytree(Path(kept) / "release", folder)
    return complaint(result)


def release(course: Path) -> int:
    """Build the students' notebooks, verify that they keep the secrets, and pack them."""
    if reason := unfit(course):
        print(reason, file=sys.stderr)
        return 1
    names = sets(course)
    if not names:
        print(f"no problem sets in {course / 'source'}", file=sys.stderr)
        return 1
    api = connect(course)
    for name in tqdm(names, unit="set", disable=None):
        if reason := generate(api, course, name):
            print(f"{name}: {reason}", file=sys.stderr)
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
