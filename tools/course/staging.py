"""The copy of a submission that nbgrader is given, each cell of its set in it once.

nbgrader never sees submitted/ itself. It would follow links there with the rights of the grader, take the name of a
folder for a pattern, and stumble over a cell that was split in two.
"""

import ast
from datetime import datetime
from pathlib import Path

import nbformat


def mended(notebook: nbformat.NotebookNode, released: list[dict], points: dict[str, float]) -> nbformat.NotebookNode:
    """A submitted notebook with each cell of its set once: copies resolved, lost tests and given cells put back.

    `released` are the cells as released, `points` those of the graded ones.
    """
    by_id = {cell["id"]: cell for cell in released}
    places: dict[str, list[int]] = {}
    for k, cell in enumerate(notebook.cells):
        role = cell.metadata.get("nbgrader") or {}
        if role.get("grade_id") in by_id:
            places.setdefault(role["grade_id"], []).append(k)
        else:
            cell.metadata.pop("nbgrader", None)
    dropped: set[int] = set()
    for grade_id, copies in places.items():
        if len(copies) > 1 and not by_id[grade_id]["locked"]:
            # A copy that is as it was handed out would undo the answer in the other one.
            empty = [k for k in copies if notebook.cells[k].source.strip() == by_id[grade_id]["source"].strip()]
            dropped.update(empty if len(empty) < len(copies) else empty[:-1])
        kept = [k for k in copies if k not in dropped]
        last = notebook.cells[kept[-1]]
        if last.cell_type == "markdown" and by_id[grade_id]["cell_type"] == "markdown":
            last.source = "\n\n".join(notebook.cells[k].source for k in kept)  # a proof that was split is one proof
            dropped.update(kept[:-1])
        for k in kept[:-1]:
            notebook.cells[k].metadata.pop("nbgrader", None)
    notebook.cells = [cell for k, cell in enumerate(notebook.cells) if k not in dropped]
    at = 0
    for cell in released:
        here = [
            k for k, c in enumerate(notebook.cells) if (c.metadata.get("nbgrader") or {}).get("grade_id") == cell["id"]
        ]
        if here:
            at = here[0] + 1
        elif cell["locked"] or cell["id"] in points:
            notebook.cells.insert(at, lost(cell, points.get(cell["id"])))
            at += 1
    return notebook


def gather(notebook: nbformat.NotebookNode, released: list[dict], given: set[str]) -> list[str]:
    """Copy into a proof that was left as handed out what was written above or below its cell; say of which tasks.

    `given` are the texts of the set: nbgrader gives an untouched proof no points, and nobody would look at it.
    """
    told = []
    texts = [cell for cell in released if cell["cell_type"] == "markdown" and not cell["locked"]]
    proofs = {cell["id"]: cell["source"].strip() for cell in texts}
    cells = notebook.cells
    text = [cell.cell_type != "code" and not cell.metadata.get("nbgrader") for cell in cells]
    for k, cell in enumerate(cells):
        task = (cell.metadata.get("nbgrader") or {}).get("grade_id")
        if task not in proofs or cell.source.strip() != proofs[task]:
            continue
        first, last = k, k + 1
        while first > 0 and text[first - 1]:
            first -= 1
        while last < len(cells) and text[last]:
            last += 1
        others = cells[first:k] + cells[k + 1 : last]
        beside = [other.source for other in others if other.source.strip() not in given | {""}]
        if beside:
            cell.source = "\n\n".join(beside)
            told.append(task)
    return told


def bound(source: str) -> set[str]:
    """The names that a program gives a meaning to by definitions and assignments."""
    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return set()
    targets = [target for line in lines if isinstance(line, ast.Assign) for target in line.targets]
    defined = {line.name for line in lines if isinstance(line, ast.FunctionDef | ast.ClassDef)}
    return defined | {target.id for target in targets if isinstance(target, ast.Name)}


def misplaced(notebook: nbformat.NotebookNode, released: list[dict]) -> list[str]:
    """The locked cells in which something new is defined: an answer, perhaps, which is lost as they are put back."""
    locked = {cell["id"]: bound(cell["source"]) for cell in released if cell["locked"]}
    ids = [((cell.metadata.get("nbgrader") or {}).get("grade_id"), cell.source) for cell in notebook.cells]
    return [name for name, source in ids if name in locked and bound(source) - locked[name]]


def lost(cell: dict, points: float | None) -> nbformat.NotebookNode:
    """A cell that a submission lacks, as it was released."""
    make = nbformat.v4.new_code_cell if cell["cell_type"] == "code" else nbformat.v4.new_markdown_cell
    role = {
        "grade_id": cell["id"],
        "grade": points is not None,
        "solution": not cell["locked"],
        "locked": cell["locked"],
    }
    role |= {"task": False, "schema_version": 3, "cell_type": cell["cell_type"]}
    if points is not None:
        role["points"] = points
    return make(cell["source"], metadata={"nbgrader": role})


def stage(
    path: Path, place: Path, released: list[dict], points: dict[str, float], came: datetime | str | None = None
) -> nbformat.NotebookNode:
    """Write the copy of a submission that nbgrader is given, and the time when it came in, if that is known."""
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    mended(notebook, released, points)
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place / path.name)
    if isinstance(came, datetime):
        (place / "timestamp.txt").write_text(f"{came:%Y-%m-%d %H:%M:%S.%f} UTC")
    return notebook
