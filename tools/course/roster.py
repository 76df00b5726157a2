"""The roster, roster.csv: who is behind a student's folder, in columns `student`, `name` and `mail`, and others."""

import csv
from pathlib import Path

COLUMNS = ["student", "name", "mail"]


def read(course: Path) -> dict[str, dict[str, str]]:
    """Rows of the roster by student; empty without one."""
    path = course / "roster.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file) if row.get("student")}


def add(course: Path, names: dict[str, str]) -> None:
    """Add students that the roster does not have yet; a student with an @ in it is a mail address."""
    rows = read(course)
    new = {student: name for student, name in names.items() if student not in rows}
    if not new:
        return
    rows |= {s: {"student": s, "name": name, "mail": s if "@" in s else ""} for s, name in new.items()}
    columns = list(dict.fromkeys([*COLUMNS, *(key for row in rows.values() for key in row)]))
    with (course / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows.values())
