"""What an LMS lets an instructor download: whose each file is, and what Moodle's worksheet knows of them.

Moodle numbers the participants of every assignment anew; its grading worksheet has their mail addresses, and the times
at which they have handed in. Canvas writes into the name of a file the number of its user, the same in all assignments.
"""

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import due
import roster
from submissions import LARGEST

# Ada Lovelace_4711_assignsubmission_file/linear_networks.ipynb; before Moodle 4.1 with _/, and without a folder with _
MOODLE = re.compile(r"(?:^|/)(?P<name>[^/_]*)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_|/)(?P<file>.*)$")
# lovelaceada_LATE_4711_990123_linear_networks-1.ipynb, with the numbers of the user and of the file; where names are
# hidden, LATE_anon_x7Yb2_990123_…; a text typed into Canvas is lovelaceada_4711_text.html
CANVAS = re.compile(
    r"(?:^|/)(?:(?:LATE_)?anon_(?P<anonymous>[A-Za-z0-9]+)|(?P<name>[^/]+?)_(?:LATE_)?(?P<id>\d+))"
    r"_(?:(?P<number>\d+)_(?P<file>[^/]+)|text\.html|link\.html)$"
)


class Found(NamedTuple):
    """A file in a download: whose it is, its name there, its place in time among theirs, its bytes, when it came in."""

    student: str
    person: str
    path: str
    came: tuple
    content: bytes
    when: str = ""  # a time without zone, "late" or ""


def files(folder: Path, told: list[str]) -> Iterator[tuple[str, tuple, int, Callable[[], bytes]]]:
    """Path, time, size and a function that reads it of every file in a folder and in the archives in it.

    The time is one for a whole archive, its latest, and one for all that lies there unpacked. Moodle gives each file in
    an archive the moment at which it was packed: these tell archives of different days from each other, and no more.
    """
    there = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    theirs = [path for path in there if of_a_student(path.relative_to(folder))]
    packed = [path for path in there if path.suffix.lower() == ".zip" and path not in theirs]
    when = datetime.fromtimestamp(max([path.stat().st_mtime for path in theirs], default=0)).timetuple()[:6]
    for path in there:
        if path not in packed:
            yield path.relative_to(folder).as_posix(), tuple(when), path.stat().st_size, path.read_bytes
    for path in packed:
        inner = path.relative_to(folder)
        try:
            with zipfile.ZipFile(path) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
                latest = max([info.date_time for info in infos], default=())
                for info in infos:
                    yield info.filename, latest, info.file_size, partial(archive.read, info)
        except zipfile.BadZipFile:
            told.append(f"{inner} is no archive, or a damaged one: not collected")


def of_a_student(inner: Path) -> bool:
    """Whether the LMS has named a file after a student."""
    return bool(MOODLE.search(inner.as_posix()) or CANVAS.search(inner.as_posix()))


def worksheets(folder: Path) -> list[Path]:
    """The tables that an instructor has put beside the archive, the newest last; one that was handed in is none."""
    tables = [path for path in sorted(folder.glob("*.csv")) if not of_a_student(Path(path.name))]
    return sorted(tables, key=lambda path: path.stat().st_mtime)


def worksheet(path: Path) -> tuple[list[list[str]], str]:
    """The rows of a worksheet, and what stands between fields: a spreadsheet may have written it in its own way."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    between = roster.separator(text)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=between)), between


def participants(folder: Path, told: list[str]) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """By number of participant, from Moodle's grading worksheets: mail and name; and when it was handed in."""
    known: dict[str, tuple[str, str]] = {}
    modified: dict[str, str] = {}
    for path in worksheets(folder):
        head: list[str] = []
        for row in worksheet(path)[0]:
            head = head or row
            number = re.search(r"(\d+)\s*$", row[0]) if row else None
            if not number:
                continue
            mail = next((cell.strip() for cell in row if re.fullmatch(r"\S+@\S+\.\S+", cell.strip())), "")
            if mail:
                known[number[1]] = (mail, row[1].strip())
            text = dict(zip(head, row, strict=False)).get("Last modified (submission)", "").strip()
            if when := moment(text):
                modified[number[1]] = max(when, modified.get(number[1], ""))
            elif any(map(str.isdigit, text)):
                told.append(f"{path.name} has {text!r} for {number[1]}, no time in English: how late is not known")
    return known, modified


def moment(text: str) -> str:
    """A time that Moodle writes in English, without its zone; "" if it is none, or one such as 12/10/2026."""
    from dateutil.parser import parse

    if not re.search(r"\d [A-Za-z]{3}|[A-Za-z]{3} \d", text):
        return ""
    try:
        return parse(text).isoformat(" ")
    except (ValueError, OverflowError):
        return ""


def found(folder: Path, told: list[str]) -> Iterator[Found]:
    """The files of students in a download; what belongs to nobody is told."""
    known, modified = participants(folder, told)
    for path, when, size, read in files(folder, told):
        if "__MACOSX" in path or path.rpartition("/")[2].startswith("."):
            continue
        if size > LARGEST:
            told.append(f"{path} is too large: not collected")
            continue
        try:
            content = read()
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            told.append(f"{path} cannot be unpacked ({error}): not collected")
            continue
        if match := MOODLE.search(path):
            student, person = known.get(match["id"], (match["id"], match["name"].strip()))
            if letters(person) != letters(match["name"]):  # groups have numbers of their own
                told.append(f"{path} has the number of {person} in the worksheet, and another name: not collected")
                continue
            yield Found(student, person, path, (0, *when), content, modified.get(match["id"], ""))
        elif match := CANVAS.search(path):
            student = match["id"] or match["anonymous"]
            # A name may end in a number, and a file begin with one.
            if match["id"] and re.match(r"\d+_", match["file"] or ""):
                told.append(f"{path} is of the user {student} or {match['number']}: not collected, look it up")
                continue
            # Canvas writes into its archive whether something was late, and not when it came in.
            late = due.LATE if re.search(r"(?:^|[/_])LATE_", path[: match.start("number")]) else ""
            yield Found(student, match["name"] or "", path, (int(match["number"] or 0),), content, late)
        elif not path.endswith((".csv", ".json")):  # a worksheet, and what was collected before
            told.append(f"{path} has a name that neither Moodle nor Canvas gives: not collected")


def letters(name: str) -> str:
    """A name as it can be compared: Moodle leaves out of a path what is neither letter nor digit, or most of it."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
