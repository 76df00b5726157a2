"""Scores in the forms that Canvas, Moodle and Blackboard import, with the greatest possible scores.

scores/canvas.csv          a gradebook; the row after the heading has the possible points
scores/blackboard.csv      a grade centre; the possible points stand in the headings
scores/moodle.csv          for the import of grades by mail address
scores/moodle_SET.csv      the grading worksheet that lies in downloaded/SET/, filled in

A score is exported when all its tasks are graded; a set and a student without any are left out. No row is without what
it is found by: Moodle gives such a row to the student above it.
"""

import csv
import io
import json
import re
import sys
from pathlib import Path

import roster
import whole
from archives import worksheet, worksheets
from scores import write_csv
from sets import roles, sets


def complete(course: Path, assignment: str) -> dict[str, str]:
    """Scores of a set by student, of those none of whose tasks waits for a grader."""
    path = course / "scores" / f"{assignment}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row["student"]: row["score"] for row in csv.DictReader(file) if row["waiting"] == "0"}


def maximum(course: Path, assignment: str) -> float:
    return sum(role.points for role in roles(course, assignment) if role.grade)


def export(course: Path) -> None:
    """Write the tables of all sets that have been released, from the tables in scores/."""
    folder = course / "scores"
    scores = {name: complete(course, name) for name in sets(course) if (folder / f"{name}.csv").exists()}
    names = [name for name in scores if scores[name]]
    most = {name: maximum(course, name) for name in scores}
    people = roster.read(course)
    students = sorted({student for points in scores.values() for student in points})

    def person(student: str, key: str) -> str:
        return people.get(student, {}).get(key) or ""

    heading = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    rows = [{"Student": "    Points Possible", **{name: most[name] for name in names}}]
    for student in students:
        row = {"Student": person(student, "name") or student, "SIS Login ID": person(student, "mail")}
        row |= {"ID": student} if student.isdigit() else {"SIS User ID": student}
        rows.append(row | {name: scores[name].get(student, "") for name in names})
    write_csv(folder / "canvas.csv", [*heading, *names], rows)

    titles = {name: f"{name} [Total Pts: {most[name]:g} Score]" for name in names}
    rows = [
        {"Username": student, "First Name": person(student, "name")}
        | {titles[name]: scores[name].get(student, "") for name in names}
        for student in students
    ]
    write_csv(folder / "blackboard.csv", ["Last Name", "First Name", "Username", *titles.values()], rows)

    rows = [
        {"Email address": person(student, "mail") or student, "ID number": student}
        | {name: scores[name].get(student, "") for name in names}
        for student in students
    ]
    write_csv(folder / "moodle.csv", ["Email address", "ID number", *names], rows)
    for name, points in scores.items():
        by_mail = {person(student, "mail"): score for student, score in points.items() if person(student, "mail")}
        memory = course / "downloaded" / name / "collected.json"
        participants = set(json.loads(memory.read_text())) if memory.exists() else set()
        by_number = {student: score for student, score in points.items() if student in participants}
        target = folder / f"moodle_{name}.csv"
        for path in reversed(worksheets(course / "downloaded" / name)):
            if fill(path, target, by_mail | points, by_number, most[name]):
                break


def fill(path: Path, target: Path, scores: dict[str, str], by_number: dict[str, str], most: float) -> bool:
    """Fill Moodle's grading worksheet in, if it is one: of each participant the grade, and what it is out of.

    `by_number` are the scores of those who were collected by their numbers, which others may have elsewhere.
    """
    table, between = worksheet(path)
    columns = {title.strip().lower(): k for k, title in enumerate(table[0])} if table else {}
    if "grade" not in columns:
        return False  # another file, or a worksheet in another language: the grades by mail address are there
    below = ""
    for row in table[1:]:
        told = map(str.strip, row[2 : columns["grade"]])  # mail, and what else tells who it is
        number = re.search(r"(\d+)\s*$", "".join(row[:1]))
        found = next((scores[key] for key in told if key in scores), "") or by_number.get(number[1] if number else "")
        if found:
            row[columns["grade"]] = found
            if "maximum grade" in columns:
                there, row[columns["maximum grade"]] = row[columns["maximum grade"]], f"{most:g}"
                if re.fullmatch(r"\d+([.,]\d*)?", there) and float(there.replace(",", ".")) < most:
                    below = there
    if below:
        print(f"{path.name}: Moodle has {below} points at most, the set {most:g}: it passes over more", file=sys.stderr)
    filled = io.StringIO(newline="")
    csv.writer(filled, delimiter=between).writerows(table)
    whole.write(target, filled.getvalue())
    return True
