"""What is handed out after the deadline, and what a grader has beside the screen: handout/SET.html and SET_marks.html.

The first has texts, reference solutions and model proofs, without the code of the tests. The second is a sheet to mark
on: the tasks with their points, and for each proof the lines of its rubric. Where Chromium is installed, both are
printed as PDF besides.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import whole
from feedback import title_above
from formulas import offline
from nbformat.v4 import new_markdown_cell, new_notebook
from sets import name_of, sets, source_of, unfit

RUBRIC = re.compile(r"^[-*] (\d+) points?: (.*(?:\n  .*)*)", re.M)
MARKERS = re.compile(r"^ *### (?:BEGIN|END) SOLUTION *\n?", re.M)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def solutions(course: Path, assignment: str) -> nbformat.NotebookNode:
    """The set with its solutions: no tests, no rubric, no metadata."""
    kept = []
    for cell in nbformat.read(source_of(course, assignment), as_version=4).cells:
        role = cell.metadata.pop("nbgrader", None)
        if role and role.grade and not role.solution:
            continue
        cell.source = MARKERS.sub("", cell.source).split("**Rubric**")[0].rstrip()
        kept.append(cell)
    return new_notebook(cells=kept)


def marks(course: Path, assignment: str) -> nbformat.NotebookNode:
    """The sheet for a grader: a table of the tasks, and the rubric of each proof with boxes."""
    rows, rubrics, title = [], [], ""
    for cell in nbformat.read(source_of(course, assignment), as_version=4).cells:
        role = cell.metadata.get("nbgrader")
        if cell.cell_type == "markdown" and not role:
            title = title_above(cell.source, title)
        if role and role.grade:
            rows.append(f"| {title} | {'by hand' if role.solution else 'automatic'} | {role.points} | |")
        if role and role.grade and role.solution:
            lines = RUBRIC.findall(cell.source.split("**Rubric**")[-1])
            rubrics += [f"## {title}", *(f"- ☐ **{points}** {' '.join(text.split())}" for points, text in lines)]
    table = "\n".join(["| task | marked | points | given |", "|---|---|---|---|", *rows])
    name = name_of(assignment).replace("_", " ")
    return new_notebook(cells=[new_markdown_cell(f"# {name}: marks\n\nStudent:\n\n{table}\n\n" + "\n".join(rubrics))])


def write(notebook: nbformat.NotebookNode, place: Path) -> None:
    """Write a page, and print it if there is a browser to do so."""
    from nbconvert import HTMLExporter

    text, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    whole.write(place, offline(text))
    if CHROMIUM:
        sheet = place.with_suffix(".pdf")
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            "--virtual-time-budget=20000",
        ]
        command = [CHROMIUM, *options, f"--print-to-pdf={sheet}", place.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not sheet.exists():
            print(f"{place.name} could not be printed: {done.stderr.strip()[-200:]}", file=sys.stderr)


def handout(course: Path, wanted: list[str]) -> int:
    """Write solutions and sheets of the sets wanted, or of all."""
    known = sets(course)
    if reason := unfit(course) or ", ".join(sorted(set(wanted) - set(known))):
        print(f"not done: {reason}", file=sys.stderr)
        return 1
    folder = course / "handout"
    folder.mkdir(exist_ok=True)
    for name in wanted or known:
        write(solutions(course, name), folder / f"{name}.html")
        write(marks(course, name), folder / f"{name}_marks.html")
        print(folder / f"{name}.{'pdf' if CHROMIUM else 'html'}")
    return 0
