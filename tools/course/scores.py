"""The tables of points: scores/SET.csv with a column for each task, and scores/all.csv with one for each set."""

import csv
import io
import statistics
from datetime import datetime
from pathlib import Path

import due
import roster
import whole
from sets import name_of, roles, sets


def column_of(grade_id: str) -> str:
    """The name of a task's column: that of its answer."""
    return grade_id.removesuffix("-test")


def row_of(grades: dict, graded_cells: list) -> dict[str, object]:
    """The points of one student in one set; what nobody has marked yet is empty, and counted in `waiting`."""
    row: dict[str, object] = {"automatic": 0.0, "by_hand": 0.0, "waiting": 0, "score": 0.0}
    for role in graded_cells:
        grade = grades[role.grade_id]
        if grade.needs_manual_grade and grade.manual_score is None and grade.auto_score is None:
            row[column_of(role.grade_id)] = ""
            row["waiting"] += 1
            continue
        row[column_of(role.grade_id)] = grade.score
        row["by_hand" if role.solution else "automatic"] += grade.score
        row["score"] += grade.score
    return row


def write_scores(
    course: Path,
    problems: dict[tuple[str, str], list[str]],
    refused: set[tuple[str, str]],
    dates: due.Dates,
    came: dict[tuple[str, str], datetime | str | None],
) -> None:
    """Write all tables. `problems` are remarks on a student and set; for those `refused` there are no points.

    `came` is when what a student has handed in for a set came in.
    """
    from nbgrader.api import Gradebook, MissingEntry

    folder = course / "scores"
    folder.mkdir(exist_ok=True)
    names = sets(course)
    people = roster.read(course)
    totals: dict[str, dict[str, object]] = {}
    summary: list[dict[str, object]] = []

    def person(student: str) -> dict[str, object]:
        return {key: people.get(student, {}).get(key) or "" for key in roster.COLUMNS} | {"student": student}

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for name in names:
            graded_cells = [role for role in roles(course, name) if role.grade]
            maxima = {
                "max_automatic": sum(role.points for role in graded_cells if not role.solution),
                "max_score": sum(role.points for role in graded_cells),
            }
            rows = []
            for student in sorted(
                {student.id for student in book.students} | {s for s, at in problems if s and at == name}
            ):
                told = problems.get((student, name), [])
                grades = {}
                if (student, name) not in refused:
                    try:
                        grades = {g.name: g for g in book.find_submission_notebook(name_of(name), name, student).grades}
                    except MissingEntry:
                        pass
                if not grades and not told:
                    continue  # has not handed it in
                if (student, name) not in came:
                    told = ["is no longer in submitted/: graded before"]
                row = person(student) | {"set": name, **maxima, "remarks": "; ".join(told)}
                total = totals.setdefault(student, person(student) | {"remarks": ""})
                row |= lateness(dates, name, came.get((student, name)))
                if row["days_late"] != "":
                    total["days_late"] = added(total.get("days_late", 0), row["days_late"])
                if set(grades) >= {role.grade_id for role in graded_cells}:
                    row |= row_of(grades, graded_cells)
                    total[name] = row["score"]
                if (student, name) in refused:
                    total["remarks"] = "; ".join(filter(None, [total["remarks"], f"{name}: {'; '.join(told)}"]))
                rows.append(row)
            tasks = [column_of(role.grade_id) for role in graded_cells]
            sums = ["automatic", "max_automatic", "by_hand", "waiting", "score", "max_score"]
            sums += ["submitted", "days_late", "remarks"]
            write_csv(folder / f"{name}.csv", [*roster.COLUMNS, "set", *tasks, *sums], rows)
            summary += summary_of(name, graded_cells, rows)
    for (student, at), told in problems.items():
        if student and not at:  # a folder of no set
            total = totals.setdefault(student, person(student) | {"remarks": ""})
            total["remarks"] = "; ".join(filter(None, [total["remarks"], *told]))
    columns = ["set", "task", "max_score", "graded", "waiting", "mean", "full", "none"]
    write_csv(folder / "summary.csv", columns, summary)
    write_csv(
        folder / "all.csv",
        [*roster.COLUMNS, *names, "days_late", "remarks"],
        [totals[student] for student in sorted(totals)],
    )


def lateness(dates: due.Dates, assignment: str, came: datetime | str | None) -> dict[str, object]:
    """When something came in, in the zone of the course, and how many days late; empty where it is not known."""
    when = came.astimezone(dates.zone).isoformat(" ", "minutes") if isinstance(came, datetime) else ""
    return {"submitted": when, "days_late": dates.days_late(assignment, came)}


def added(days: object, more: object) -> int | str:
    """Days late in all; "2+" where something was late and nobody knows by how much."""
    known = [int(str(part).removesuffix("+")) for part in (days, more) if part != due.LATE]
    return f"{sum(known)}+" if due.LATE in (days, more) or "+" in f"{days}{more}" else sum(known)


def summary_of(assignment: str, graded_cells: list, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """One row for each task of a set: how the class did, among those whose points are known."""
    summary = []
    for role in graded_cells:
        column = column_of(role.grade_id)
        known = [float(str(row[column])) for row in rows if row.get(column, "") != ""]
        row: dict[str, object] = {"set": assignment, "task": column, "max_score": role.points, "graded": len(known)}
        row["waiting"] = sum(row_.get(column) == "" for row_ in rows)
        if known:
            row["mean"] = round(statistics.mean(known), 2)
            row["full"] = sum(points >= role.points for points in known)
            row["none"] = sum(points == 0 for points in known)
        summary.append(row)
    return summary


def write_csv(path: Path, columns: list[str], rows: list[dict[str, object]]) -> None:
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    whole.write(path, table.getvalue())
