"""Due dates, when something came in, and how many days late that is, in all tables."""

import csv
import shutil
import zipfile
from datetime import UTC, datetime, timedelta

import collect
import due
import grading
import pytest
from small_course import FILE, SET, filled, grade, hand_in, make, table

BERLIN = f'time_zone = "Europe/Berlin"\ngrace_minutes = 15\n[due]\n{SET} = 2026-10-24\n'


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return make(tmp_path_factory.mktemp("course") / "fresh")


@pytest.fixture
def course(fresh, tmp_path):
    shutil.copytree(fresh, tmp_path / "course")
    (tmp_path / "course" / "due.toml").write_text(BERLIN)
    return tmp_path / "course"


def test_a_day_is_late_when_it_has_begun_and_clocks_may_change_in_between(course):
    """The day ends at 22:00 UTC in Berlin; on the night after, clocks are put back there, and a day is 24 hours."""
    dates = due.read(course)
    end = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    for late, days in (
        (timedelta(0), 0),
        (timedelta(minutes=-1), 0),
        (timedelta(minutes=15), 0),
        (timedelta(minutes=15, seconds=1), 1),
        (timedelta(hours=24), 1),
        (timedelta(hours=24, seconds=1), 2),
    ):
        assert dates.days_late(SET, end + late) == days
    assert dates.days_late("ps9_other", end) == dates.days_late(SET, None) == ""
    assert dates.days_late(SET, due.LATE) == due.LATE


@pytest.mark.parametrize("given", ["2026-10-24T18:00:00", "2026-10-24 16:00:00Z", "2026-10-24T11:00:00-05:00"])
def test_a_time_of_day_is_that_of_the_zone_unless_it_has_its_own(course, given):
    (course / "due.toml").write_text(BERLIN.replace("2026-10-24", given))
    assert due.read(course).due[SET] == datetime(2026, 10, 24, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, said",
    [
        (BERLIN.replace("Europe/Berlin", "Berlin"), "line 1: time_zone must be a place"),
        (BERLIN.replace('"Europe/Berlin"', "1"), "line 1: time_zone must be a place"),
        (BERLIN.replace("15", "-1"), "line 2: grace_minutes must be a number"),
        (BERLIN.replace("15", "nan"), "line 2: grace_minutes must be a number"),
        (BERLIN.replace("15", "true"), "line 2: grace_minutes must be a number"),
        (BERLIN.replace(SET, "ps2_smal"), f"line 4: ps2_smal is none of the sets {SET}"),
        (BERLIN.replace("2026-10-24", '"24.10.2026"'), "line 4: ps1_small must have a date"),
        (BERLIN.replace("2026-10-24", "2026-13-24"), "line 4"),
        (BERLIN.replace("grace_minutes", "grace"), "line 2: grace is none of"),
        (f"[due]\n{SET} = 2026-10-24\n", "time_zone must be a place"),
        ('time_zone = "UTC"\ndue = 2026-10-24\n', "line 2: the dates stand below a line [due]"),
    ],
)
def test_a_mistake_is_named_with_its_line_before_anything_is_done(course, text, said, capsys):
    hand_in(course, "ada", filled(course))
    (course / "downloaded" / SET).mkdir(parents=True)
    (course / "due.toml").write_text(text)
    assert grading.grade(course, None, False) == collect.collect(course, []) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and all(line.startswith("due.toml") and said in line for line in told)
    assert not (course / "scores").exists()


def pack(course, files, name="archive.zip"):
    place = course / "downloaded" / SET
    place.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place / name, "w") as packed:
        for path, (content, when) in files.items():
            packed.writestr(zipfile.ZipInfo(path, when), content)


def test_time_and_days_late_are_in_the_tables_whoever_says_when(course, capsys):
    """By nbgrader's file, Moodle's worksheet, not its archive, and Canvas, which says that it was late and not when."""
    import nbformat

    content = nbformat.writes(filled(course)).encode()
    folder = "_{}_assignsubmission_file/" + FILE
    pack(
        course,
        {
            "Ada" + folder.format(1): (content, (2026, 10, 24, 23, 59, 0)),
            "Emmy" + folder.format(2): (content, (2026, 10, 25, 0, 30, 0)),
            "Zoe" + folder.format(3): (content, (2026, 10, 20, 0, 0, 0)),
            f"late_LATE_5_50_{FILE}": (content, (2026, 11, 1, 0, 0, 0)),
            f"intime_6_60_{FILE}": (content, (2026, 11, 1, 0, 0, 0)),
        },
    )
    sheet = "Identifier,Full name,Email address,Grade,Last modified (submission)\n"
    sheet += 'Participant 3,Zoe,zoe@uni.example,,"Monday, 26 October 2026, 9:00 AM"\n'
    sheet += 'Participant 2,Emmy,emmy@uni.example,,"26/10/2026, 09:00"\n'
    (course / "downloaded" / SET / "grades.csv").write_text(sheet)
    collect.collect(course, [])
    said = capsys.readouterr().err
    assert "grades.csv has '26/10/2026, 09:00' for 2, no time in English" in said and "does not say when" in said
    for student, text in {
        "exchange": "2026-10-24 22:00:00.000000 UTC",
        "zoned": "2026-10-24 18:00:01 America/New_York",
        "nonsense": "yesterday",
    }.items():
        hand_in(course, student, filled(course))
        (course / "submitted" / student / SET / "timestamp.txt").write_text(text)
    assert grade(course) == 0
    rows = table(course)
    assert {student: (row["submitted"], row["days_late"]) for student, row in rows.items()} == {
        "1": ("", ""),
        "emmy@uni.example": ("", ""),
        "zoe@uni.example": ("2026-10-26 09:00+01:00", "2"),
        "5": ("", "late"),
        "6": ("", ""),
        "exchange": ("2026-10-25 00:00+02:00", "0"),
        "zoned": ("2026-10-25 00:00+02:00", "0"),
        "nonsense": ("", ""),
    }
    assert "'yesterday' in timestamp.txt is no time" in rows["nonsense"]["remarks"]
    totals = table(course, "all")
    assert (totals["zoe@uni.example"]["days_late"], totals["5"]["days_late"], totals["1"]["days_late"]) == (
        "2",
        "0+",
        "",
    )


@pytest.mark.parametrize(
    "text, hour",
    [
        ("2026-10-12 18:00:00.5 UTC", 18),
        ("2026-10-12T18:00Z", 18),
        ("2026-10-12T18:00:00+02:00", 16),
        ("2026-10-12 18:00:00 +0200", 16),
        ("2026-10-12 18:00 Europe/Berlin", 16),
        ("2026-10-12 18:00:00 CEST", None),
        ("2026-10-12 18:00:00", None),
        ("2026-10-32 18:00:00 UTC", None),
        ("12.10.2026 18:00 UTC", None),
        ("2026-10-12 18:00:00 ../../etc/passwd", None),
    ],
)
def test_a_time_without_a_zone_that_is_known_is_not_taken_for_another(tmp_path, text, hour):
    (tmp_path / "timestamp.txt").write_text(text + "\n")
    if hour is None:
        with pytest.raises(ValueError, match="is no time in a zone that is known"):
            due.came(tmp_path)
    else:
        assert due.came(tmp_path).replace(second=0, microsecond=0) == datetime(2026, 10, 12, hour, tzinfo=UTC)


def test_a_second_attempt_counts_with_its_own_time(course):
    import nbformat

    name = f"Ada_1_assignsubmission_file/{FILE}"
    for day, sheet in ((24, "Grades.csv"), (27, "Grades (1).csv")):  # as a browser names a second download
        content = nbformat.writes(filled(course, proof=f"Attempt of day {day}.")).encode()
        pack(course, {name: (content, (2026, 11, day, 12, 0, 0))}, f"{day}.zip")
        text = "Identifier,Full name,Email address,Last modified (submission)\n"
        text += f'Participant 1,Ada,ada@uni.example,"Monday, {day} October 2026, 12:00 PM"\n'
        (course / "downloaded" / SET / sheet).write_text(text)
        assert collect.collect(course, []) in (0, 1) and grade(course) == 0
    row = table(course)["ada@uni.example"]
    assert (row["submitted"], row["days_late"]) == ("2026-10-27 12:00+01:00", "3")
    with (course / "scores" / f"{SET}.csv").open() as file:
        assert csv.DictReader(file).fieldnames[-3:] == ["submitted", "days_late", "remarks"]


def test_days_of_several_sets_are_added():
    from scores import added

    assert (added(1, 2), added(1, "late"), added("1+", 2), added("0+", "late")) == (3, "1+", "3+", "0+")
