"""Sort what an LMS lets an instructor download into submitted/, by the identifiers that the LMS gives its users.

downloaded/SET/ holds what was downloaded for one set, as it is: the archive (or several, from different days), packed
or unpacked, and, from Moodle, the grading worksheet. With the worksheet a student's folder has the mail address as its
name, the same in all sets.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import due
import roster
import whole
from archives import MOODLE, Found, found
from sets import name_of, roles, sets
from submissions import unfit_name


def of_set(content: bytes, expected: set[str]) -> bool:
    """Whether a file is a notebook with cells of the set."""
    try:
        cells = json.loads(content)["cells"]
        return any((cell["metadata"].get("nbgrader") or {}).get("grade_id") in expected for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def chosen(handed_in: list[Found], expected: set[str]) -> tuple[Found | None, str]:
    """The notebook to be graded among the files of one student: the latest with cells of the set; and a remark."""
    notebooks = [file for file in handed_in if file.path.endswith(".ipynb")]
    fitting = [file for file in notebooks if of_set(file.content, expected)] or notebooks
    listed = ", ".join(sorted({file.path for file in handed_in}))
    if not fitting:
        return None, f"has handed in no notebook, but {listed}: not collected"
    came = max(file.came for file in fitting)
    latest = [file for file in fitting if file.came == came]
    if len({file.content for file in latest}) > 1:
        return None, f"has handed in several notebooks: put the right one into submitted/ by hand: {listed}"
    if len({file.content for file in fitting}) > 1:
        return latest[0], f"has handed in several notebooks; the latest is taken, {latest[0].path}"
    return latest[0], ""


def stamp(folder: Path, file: Found, zone: tzinfo | None) -> None:
    """Write down when what was collected came in, as nbgrader does, if that is known."""
    when = due.LATE if file.when == due.LATE else ""
    if file.when and not when and zone:
        came = datetime.fromisoformat(file.when).replace(tzinfo=zone)
        when = f"{came.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    path = folder / "timestamp.txt"
    if path.is_symlink():
        return
    if when:
        whole.write(path, when)
    else:
        path.unlink(missing_ok=True)


def collect_set(course: Path, assignment: str, zone: tzinfo | None) -> tuple[int, int, list[str]]:
    """Collect one set: how many notebooks are new or changed, how many as before, and what is to be told."""
    folder, told = course / "downloaded" / assignment, []
    by_student: dict[str, list[Found]] = {}
    for file in found(folder, told):
        by_student.setdefault(file.student, []).append(file)
    expected = {role.grade_id for role in roles(course, assignment)}
    memory = folder / "collected.json"
    before = json.loads(memory.read_text()) if memory.exists() else {}
    new = same = 0
    names = {}
    for student, handed_in in sorted(by_student.items()):
        if reason := unfit_name(student):
            told.append(f"{student} {reason}: not collected")
            continue
        names[student] = handed_in[-1].person
        file, remark = chosen(handed_in, expected)
        if remark:
            told.append(f"{student} ({names[student]}) {remark}")
        if file is None:
            continue
        place = course / "submitted" / student / assignment / f"{name_of(assignment)}.ipynb"
        if place.is_symlink() or place.parent.is_symlink() or place.parent.parent.is_symlink():
            told.append(f"{place.relative_to(course)} is a link: not collected")
            continue
        there = hashlib.sha256(place.read_bytes()).hexdigest() if place.exists() else None
        now = hashlib.sha256(file.content).hexdigest()
        if there == now:
            same += 1
        elif there is not None and there != before.get(student):
            told.append(f"{place.relative_to(course)} was put there or changed by hand, and is left as it is")
            continue
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            whole.write(place, file.content)
            new += 1
        before[student] = now
        stamp(place.parent, file, zone)
    whole.write(memory, json.dumps(before, indent=1))
    roster.add(course, names)
    moodle = [file for files in by_student.values() for file in files if MOODLE.search(file.path)]
    numbers = {MOODLE.search(file.path)["id"]: file.student for file in moodle}
    for number, student in numbers.items():
        if student != number and number in before and (course / "submitted" / number / assignment).exists():
            told.append(
                f"submitted/{number}/{assignment} is of {student}, from before the worksheet: remove it by hand"
            )
    if any(file.student.isdigit() for file in moodle):
        told.append("there is no grading worksheet of Moodle: students have another number in each set")
    if zone and not all(file.when for file in moodle):
        told.append(
            "Moodle's archive does not say when things came in, its worksheet in English does: not known for all"
        )
    if not zone and any(file.when for file in moodle):
        told.append("there is no due.toml, so the zone of the worksheet's times is unknown: they are not kept")
    return new, same, told


def collect(course: Path, wanted: list[str]) -> int:
    """Collect the sets wanted, or all in downloaded/, and say what could not be collected."""
    there = [name for name in sets(course) if (course / "downloaded" / name).is_dir()]
    if not there or set(wanted) - set(there):
        missing = ", ".join(sorted(set(wanted) - set(there))) or "psN_NAME"
        print(f"nothing to collect: put the LMS's archive into {course / 'downloaded'}/{missing}/", file=sys.stderr)
        return 1
    try:
        zone = due.read(course).zone if (course / "due.toml").exists() else None
        roster.read(course)
    except (due.Wrong, roster.Wrong) as error:
        print(error, file=sys.stderr)
        return 1
    others = sorted(path.name for path in (course / "downloaded").glob("[!.]*") if path.name not in there)
    for name in others:
        print(f"downloaded/{name} is none of the folders {', '.join(sets(course))}: not collected", file=sys.stderr)
    status = int(bool(others))
    for name in wanted or there:
        new, same, told = collect_set(course, name, zone)
        for line in told:
            print(f"{name}: {line}", file=sys.stderr)
        status |= any("not collected" in line or "by hand" in line for line in told)
        print(f"{name}: {new} collected, {same} as before")
    return status
