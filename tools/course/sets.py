"""The problem sets as their author keeps them: source/psN_NAME/NAME.md, and the notebook beside it.

What others ask of a set: its name, its source, what students get of a cell, and whether a course folder has a path
that nbgrader can work in.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat

sys.path.append(str(Path(__file__).resolve().parents[1] / "notebooks"))
import notebooks
import whole

ROOT = Path(__file__).resolve().parents[2]
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
REGIONS = ("SOLUTION", "HIDDEN TESTS")
UNFIT = "*?[]{}$%#"  # nbgrader reads a path as a pattern, as a template, or as an address of its database


def name_of(assignment: str) -> str:
    """Name of the notebook of a set: linear_networks for ps1_linear_networks."""
    return assignment.split("_", 1)[1]


def in_order(names: Iterable[str]) -> list[str]:
    """Names of sets by their numbers, so that ps10_… comes after ps9_…."""
    return sorted(names, key=lambda name: (len(name.split("_")[0]), name))


def sets(course: Path) -> list[str]:
    """Names of the sets with a source notebook, in order."""
    found = [path.parent.name for path in course.glob("source/*/*.ipynb") if "_" in path.parent.name]
    return in_order(name for name in set(found) if source_of(course, name).exists())


def source_of(course: Path, assignment: str) -> Path:
    """The source notebook of a set."""
    return course / "source" / assignment / f"{name_of(assignment)}.ipynb"


def unfit(course: Path) -> str:
    """Why nbgrader cannot work in this course folder, or ""."""
    found = [letter for letter in UNFIT if letter in str(course)]
    if found:
        return f"{course}: nbgrader cannot work in a folder with {' '.join(found)} in its path; rename it or move it"
    return ""


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


def roles(course: Path, assignment: str) -> list[nbformat.NotebookNode]:
    """The nbgrader metadata of the cells of a set, in order."""
    cells = nbformat.read(source_of(course, assignment), as_version=4).cells
    return [cell.metadata.nbgrader for cell in cells if cell.metadata.get("nbgrader")]


def pair(course: Path) -> int:
    """Write the notebooks of all sets anew from their texts."""
    for page in sorted(course.glob("source/*/*.md")):
        notebook = jupytext.read(page, fmt="md:myst")
        notebooks.name_cells(notebook)
        whole.write(page.with_suffix(".ipynb"), nbformat.writes(notebook) + "\n")
        print(page.with_suffix(".ipynb").relative_to(course))
    return 0
