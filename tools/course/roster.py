"""The roster, roster.csv: who is behind a student's folder, in columns `student`, `name` and `mail`, and others.

A spreadsheet writes it with commas, semicolons or tabs, as its language has it; it is read and kept either way.
"""

import csv
import io
import unicodedata
from pathlib import Path

import whole

COLUMNS = ["student", "name", "mail"]

Rows = dict[str, dict[str, str]]


class Wrong(ValueError):
    """What is wrong in roster.csv, and in which line."""


def separator(text: str) -> str:
    """What stands between the fields of a table, as its first line shows."""
    return max(",;\t", key=text.partition("\n")[0].count)


def table(course: Path) -> tuple[Rows, list[str], str]:
    """Rows of the roster by student, its columns, and what stands between them. Raises `Wrong`."""
    path = course / "roster.csv"
    if not path.exists():
        return {}, COLUMNS, ","
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Wrong(f"{path.name} is not in UTF-8: save it again, as CSV in UTF-8") from None
    between = separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between)
    columns = [column.strip() for column in next(reader, [])]
    while columns and not columns[-1]:
        columns.pop()
    if "student" not in columns or len(set(columns)) < len(columns):
        raise Wrong(f"{path.name}, line 1: one column must be student, and none twice; it has {', '.join(columns)}")
    rows: Rows = {}
    for fields in reader:
        line = f"{path.name}, line {reader.line_num}"
        fields = [field.strip() for field in fields]
        if any(fields[len(columns) :]):
            raise Wrong(f"{line}: more fields than columns")
        row = dict.fromkeys(columns, "") | dict(zip(columns, fields, strict=False))
        student = row["student"] = unicodedata.normalize("NFC", row["student"])  # as folders are read
        if student in rows or (not student and any(fields)):
            raise Wrong(f"{line}: {f'{student} stands there twice' if student else 'no student'}")
        if student:
            rows[student] = row
    return rows, columns, between


def read(course: Path) -> Rows:
    """Rows of the roster by student; empty without one. Raises `Wrong`."""
    return table(course)[0]


def add(course: Path, names: dict[str, str]) -> None:
    """Add students that the roster does not have yet; a student with an @ in it is a mail address."""
    rows, columns, between = table(course)
    new = {student: name for student, name in names.items() if student not in rows}
    if not new:
        return
    rows |= {s: {"student": s, "name": name, "mail": s if "@" in s else ""} for s, name in new.items()}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys([*columns, *COLUMNS])), restval="", delimiter=between)
    writer.writeheader()
    writer.writerows(rows.values())
    whole.write(course / "roster.csv", text.getvalue())
