"""What was handed in: which files in submitted/ can be graded, and why others cannot."""

import json
import stat
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import due
import nbformat
from sets import name_of, roles, sets

MEGABYTE = 2**20
LARGEST = 50 * MEGABYTE  # of a notebook, with its outputs


class Submission(NamedTuple):
    """A file in submitted/, or a folder without one; `reason` says why it cannot be graded, `came` when it came in."""

    student: str
    assignment: str
    path: Path
    reason: str = ""
    remarks: tuple[str, ...] = ()
    came: datetime | str | None = None


def unfit_name(name: str) -> str:
    """What is wrong with the name of a student's folder, or ""."""
    if name != name.strip() or name.startswith("."):
        return "has a name with a blank at an end, or a dot at its beginning: rename it"
    strange = sorted({c for c in name if unicodedata.category(c)[0] not in "LMN" and c not in " ._@+-,'()"})
    if strange:
        return (
            f"has a name with {' '.join(map(ascii, strange))}: rename it, with letters, digits and . _ - @ + ' ( ) only"
        )
    return ""


def linked(path: Path) -> str:
    """Why a path in submitted/ must not be followed or read, or ""."""
    if path.is_symlink():
        return "is a link: the file itself must be handed in"
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return "is neither a file nor a folder"
    if stat.S_ISREG(kind) and path.stat().st_size > LARGEST:
        return f"has more than {LARGEST // MEGABYTE} megabytes: ask for it without its outputs"
    return ""


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, without the files and the copies of notebooks that systems and editors hide there."""
    hidden = (path for path in folder.iterdir() if path.name.startswith("."))
    left_out = {path for path in hidden if path.name == ".ipynb_checkpoints" or not path.is_dir()}
    return sorted(path for path in folder.iterdir() if path not in left_out)


def submissions(course: Path) -> Iterator[Submission]:
    """Everything in submitted/STUDENT/SET/, in order."""
    known = sets(course)
    taken: dict[str, str] = {}
    for person in entries(course / "submitted"):
        # One name may be written with different bytes: é as one letter or as e with an accent.
        student = unicodedata.normalize("NFC", person.name)
        reason = linked(person) or ("" if person.is_dir() else "must lie in submitted/STUDENT/SET/")
        reason = reason or unfit_name(student)
        if student in taken:
            reason = reason or f"has the same name as {taken[student]!a}, written with other bytes: rename one"
        taken.setdefault(student, person.name)
        if reason:
            yield Submission(student if person.is_dir() else "", "", person, reason)
            continue
        for folder in entries(person):
            reason = linked(folder)
            if not reason and not (folder.is_dir() and folder.name in known):
                reason = f"is none of the folders {', '.join(known)}"
            if reason:
                yield Submission(student, folder.name if folder.name in known else "", folder, reason)
            else:
                yield from handed_in(course, student, folder)


def handed_in(course: Path, student: str, folder: Path) -> Iterator[Submission]:
    """What lies in one folder submitted/STUDENT/SET."""
    wanted = folder / f"{name_of(folder.name)}.ipynb"
    others = [path for path in entries(folder) if path.suffix == ".ipynb" and path != wanted]
    if wanted.is_symlink() or wanted.exists():
        reason = linked(wanted) or ("" if wanted.is_file() else "is a folder")
        remarks: list[str] = []
        if not reason:
            reason, remarks = inspect(wanted, roles(course, folder.name))
        remarks += [f"lies beside {path.name}, which is ignored" for path in others]
        came = None
        try:
            came = due.came(folder)
        except (ValueError, OverflowError) as error:
            remarks.append(f"came at an unknown time: {error}")
        yield Submission(student, folder.name, wanted, reason, tuple(remarks), came)
    elif others:
        for path in others:
            yield Submission(student, folder.name, path, f"must have the name {wanted.name}")
    else:
        yield Submission(student, folder.name, wanted, "is missing")


def inspect(path: Path, expected: list) -> tuple[str, list[str]]:
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
    order = [role.grade_id for role in expected]
    found = []
    for cell in notebook.cells:
        role = cell.metadata.get("nbgrader")
        if role and not (isinstance(role, dict) and isinstance(role.get("grade_id", ""), str)):
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
    twice = sorted({grade_id for grade_id in known if known.count(grade_id) > 1})
    if twice:
        remarks.append(
            f"has the cells {', '.join(twice)} more than once: all are executed, the last of each is its task"
        )
    if [grade_id for grade_id in order if grade_id in known] != known and not twice:
        remarks.append("has its cells in another order than handed out: they are executed in that order")
    kinds = {role.grade_id: (role.grade, role.solution) for role in expected}
    for role in found:
        if role["grade_id"] in kinds and (role.get("grade"), role.get("solution")) != kinds[role["grade_id"]]:
            return f"has changed nbgrader metadata in the cell {role['grade_id']}", []
    return "", remarks
