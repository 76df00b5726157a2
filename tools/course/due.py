"""When sets are due, due.toml, and how late what was handed in came.

    time_zone = "Europe/Berlin"             of all times here, and of the clock of the LMS
    grace_minutes = 15                      so much later is not late; 0 by default
    [due]
    ps1_linear_networks = 2026-10-12        the end of that day
    ps2_balancedness = 2026-10-19T18:00:00

When something came in is known from timestamp.txt beside the notebook, which nbgrader and `collect` write.
"""

import math
import re
import tomllib
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sets import sets

LATE = "late"  # what Canvas says, which does not say when


class Dates(NamedTuple):
    """The due dates of a course, with the zone of its times and the time that is granted beyond them."""

    zone: tzinfo = UTC
    grace: timedelta = timedelta(0)
    due: dict[str, datetime] = {}  # noqa: RUF012

    def days_late(self, assignment: str, came: datetime | str | None) -> int | str:
        """Begun days after the date; 0 within the grace, "late" or "" where more is not known."""
        if came is None or assignment not in self.due:
            return LATE if came == LATE else ""
        if isinstance(came, str):
            return came
        late = came - self.due[assignment]
        return math.ceil(late / timedelta(days=1)) if late > self.grace else 0


class Wrong(ValueError):
    """What is wrong in due.toml, and in which line."""


def read(course: Path) -> Dates:
    """The dates in due.toml; none without that file. Raises `Wrong`."""
    path = course / "due.toml"
    if not path.exists():
        return Dates()
    text = path.read_text(encoding="utf-8-sig", errors="replace")

    def wrong(key: str, reason: str) -> Wrong:
        lines = (k for k, line in enumerate(text.splitlines(), 1) if re.match(rf"""\s*["']?{re.escape(key)}\b""", line))
        return Wrong(f"{path.name}, line {next(lines, 1)}: {reason}")

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Wrong(f"{path.name}: {error}") from None
    for key in set(table) - {"time_zone", "grace_minutes", "due"}:
        raise wrong(key, f"{key} is none of time_zone, grace_minutes and [due]")
    try:
        zone = ZoneInfo(table["time_zone"])
    except (KeyError, ValueError, TypeError, OSError):  # one that is unknown is a KeyError
        given = table.get("time_zone", "missing")
        raise wrong("time_zone", f'time_zone must be a place such as "Europe/Berlin"; it is {given!r}') from None
    minutes = table.get("grace_minutes", 0)
    if type(minutes) not in (int, float) or not 0 <= minutes < math.inf:
        raise wrong("grace_minutes", f"grace_minutes must be a number, 0 or more; it is {minutes!r}")
    if not isinstance(table.get("due", {}), dict):
        raise wrong("due", "the dates stand below a line [due]")
    known, dates = sets(course), {}
    for name, given in table.get("due", {}).items():
        if name not in known:
            raise wrong(name, f"{name} is none of the sets {', '.join(known)}")
        if isinstance(given, datetime):
            dates[name] = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
        elif isinstance(given, date):
            dates[name] = datetime.combine(given + timedelta(days=1), time(0), zone).astimezone(UTC)
        else:
            raise wrong(
                name, f"{name} must have a date, 2026-10-12 or 2026-10-12T18:00:00 without quotes; it has {given!r}"
            )
    return Dates(zone, timedelta(minutes=minutes), dates)


def came(folder: Path) -> datetime | str | None:
    """When what lies in submitted/STUDENT/SET/ came in, "late", or None if that is unknown. Raises ValueError."""
    path = folder / "timestamp.txt"
    if path.is_symlink() or not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")[:100].strip()
    if text == LATE:
        return LATE
    try:
        time, zone = re.fullmatch(r"(\d{4}-\d\d-\d\d[ T][\d:.]+) ?(Z|[+-]\d\d:?\d\d|[A-Za-z]\S+)", text).groups()
        known = datetime.strptime(zone, "%z").tzinfo if zone[0] in "Z+-" else ZoneInfo(zone)
        return datetime.fromisoformat(time).replace(tzinfo=known).astimezone(UTC)
    except (AttributeError, LookupError, ValueError, OSError, OverflowError):
        known = "is no time in a zone that is known, such as 2026-10-12 18:00:00 Europe/Berlin"
        raise ValueError(f"{text[:40]!a} in timestamp.txt {known}") from None
