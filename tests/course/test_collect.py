"""Archives as Moodle and Canvas make them, sorted into submitted/ by the identifiers that they give to students."""

import shutil
import zipfile

import archives
import collect
import grading
import nbformat
import pytest
import roster
from small_course import FILE, SET, filled, write_source

DATE = (2026, 10, 1, 12, 0, 0)


@pytest.fixture
def course(tmp_path):
    """A course whose set is not released: collecting needs the source alone."""
    write_source(tmp_path)
    (tmp_path / "release" / SET).mkdir(parents=True)
    (tmp_path / "release" / SET / FILE).write_bytes((tmp_path / "source" / SET / FILE).read_bytes())
    return tmp_path


def notebook(course, proof):
    return nbformat.writes(filled(course, proof=proof)).encode()


def archive(course, files, name="submissions.zip"):
    """Put an archive into downloaded/; `files` are names, and what they hold or that and their date."""
    place = course / "downloaded" / SET
    place.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place / name, "w") as packed:
        for path, content in files.items():
            content, date = content if isinstance(content, tuple) else (content, DATE)
            packed.writestr(zipfile.ZipInfo(path, date), content)


def collected(course):
    """What is in submitted/: the proof of each student."""
    found = {}
    for path in (course / "submitted").rglob("*.ipynb"):
        assert path.parts[-2:] == (SET, FILE)
        found[path.parts[-3]] = nbformat.read(path, as_version=4).cells[6].source
    return found


def moodle(name, number):
    return f"{name}_{number}_assignsubmission_file"


def test_moodle_by_participant(course, capsys):
    """Two students of one name, a particle, accents, a hidden name; a folder for each, an older Moodle's, or none."""
    people = {4711: "Ada Lovelace", 4712: "Ada Lovelace", 4713: "Ludwig van der Wærden", 4714: "Participant"}
    files = {f"{moodle(name, k)}/{FILE}": notebook(course, f"by {k}") for k, name in people.items()}
    files |= {f"{moodle('Zoë Ångström', 4715)}_{FILE}": notebook(course, "by 4715")}
    files |= {f"{moodle('Anna', 4716)}_/deep/er/{FILE}": notebook(course, "by 4716")}
    files |= {f"{moodle('Anna', 4717).replace('file', 'onlinetext')}/onlinetext.html": b"<p>see my mail</p>"}
    archive(course, files)
    assert collect.collect(course, []) == 1
    assert collected(course) == {str(k): f"by {k}" for k in range(4711, 4717)}
    said = capsys.readouterr()
    assert "4717 (Anna) has handed in no notebook" in said.err and "another number in each set" in said.err
    assert "6 collected, 0 as before" in said.out
    assert roster.read(course)["4713"]["name"] == "Ludwig van der Wærden"


@pytest.mark.parametrize("participant", ["Participant 4711", "Teilnehmer/in4711"])
def test_moodle_with_its_worksheet_by_mail_address(course, participant):
    archive(course, {f"{moodle('Ada Lovelace', 4711)}/{FILE}": notebook(course, "hers")})
    text = f'Identifier,"Full name","Email address",Grade\n"{participant}","Ada Lovelace",ada@uni.example,\n'
    (course / "downloaded" / SET / "Grades-Small.csv").write_text("\ufeff" + text, encoding="utf-8")
    assert collect.collect(course, [SET]) == 0
    assert collected(course) == {"ada@uni.example": "hers"}
    assert roster.read(course) == {
        "ada@uni.example": {"student": "ada@uni.example", "name": "Ada Lovelace", "mail": "ada@uni.example"}
    }


def test_a_worksheet_that_comes_later_names_the_folder_that_stands_for_the_same_person(course, capsys):
    archive(course, {f"{moodle('Ada', 4711)}/{FILE}": notebook(course, "hers")})
    assert collect.collect(course, []) == 0 and "remove it" not in capsys.readouterr().err
    text = "Identifier,Full name,Email address\nParticipant 4711,Ada,ada@uni.example\n"
    (course / "downloaded" / SET / "Grades.csv").write_text(text)
    for status, folder in ((1, "4711"), (0, "ada@uni.example")):
        assert collect.collect(course, []) == status
        assert (f"submitted/4711/{SET} is of ada@uni.example" in capsys.readouterr().err) == bool(status)
        shutil.rmtree(course / "submitted" / folder)


def test_a_group_of_moodle_is_not_taken_for_the_participant_of_its_number(course, capsys):
    one_person = moodle("ONeil Zoe\u0308", 12)  # as Moodle and a file system may write it
    archive(course, {f"{moodle('Group A', 4711)}/{FILE}": notebook(course, "all"), f"{one_person}/{FILE}": b"{}"})
    text = "Identifier,Full name,Email address\nParticipant 4711,Ada,ada@uni.example\n"
    text += "Participant 12,O'Neil Zoë,z@uni.example\n"
    (course / "downloaded" / SET / "Grades.csv").write_text(text)
    assert collect.collect(course, []) == 1
    assert "has the number of Ada in the worksheet" in capsys.readouterr().err
    assert [path.name for path in (course / "submitted").iterdir()] == ["z@uni.example"]


def test_a_name_of_canvas_that_can_be_read_in_two_ways_is_not_guessed(course, capsys):
    archive(
        course, {f"user_17_4711_990001_{FILE}": notebook(course, "hers"), f"b_5_9_1x_{FILE}": notebook(course, "his")}
    )
    assert collect.collect(course, []) == 1
    assert "is of the user 17 or 4711" in capsys.readouterr().err and collected(course) == {"5": "his"}


def test_canvas_by_user(course, capsys):
    """Two students of one name, late ones, underscores and digits in names, hidden names, renamed files."""
    names = {
        "lovelaceada_4711_990001_small.ipynb": "4711",
        "lovelaceada_4712_990002_small-1.ipynb": "4712",
        "vanderwærdenludwig_LATE_4713_990003_small (1).ipynb": "4713",
        "o_neil_ann_4714_990004_Copy of small.ipynb": "4714",
        "agent007_4715_990005_homework.ipynb": "4715",
        "anon_x7Yb2_990006_small.ipynb": "x7Yb2",
        "LATE_anon_q8Zc3_990007_small.ipynb": "q8Zc3",
    }
    archive(course, {path: notebook(course, f"by {student}") for path, student in names.items()})
    assert collect.collect(course, [SET]) == 0, capsys.readouterr().err
    assert collected(course) == {student: f"by {student}" for student in names.values()}


def test_two_attempts_and_other_files(course, capsys):
    other = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])).encode()
    archive(
        course,
        {
            "a_1_20_small-1.ipynb": notebook(course, "second"),
            "a_1_9_small.ipynb": notebook(course, "first"),
            "b_2_30_notes.ipynb": other,
            "b_2_31_figure.png": b"\x89PNG",
            "b_2_5_small.ipynb": notebook(course, "the set"),
            "c_3_40_damaged.ipynb": b'{"cells": [',
            "d_4_50_all.zip": b"PK",
            "__MACOSX/._a_1_20_small.ipynb": b"",
            "readme.txt": b"who am I",
        },
    )
    assert collect.collect(course, []) == 1
    said = capsys.readouterr().err
    assert "1 (a) has handed in several notebooks; the latest is taken, a_1_20_small-1.ipynb" in said
    assert "4 (d) has handed in no notebook, but d_4_50_all.zip" in said and "readme.txt has a name that" in said
    assert (course / "submitted" / "3" / SET / FILE).read_bytes() == b'{"cells": ['  # grading will name it
    (course / "submitted" / "3" / SET / FILE).unlink()
    assert collected(course) == {"1": "second", "2": "the set"}


def test_two_notebooks_in_one_archive_of_moodle_are_not_chosen_between(course, capsys):
    """The times in it are those at which it was packed, one file after the other: an archive of another day counts."""
    folder = moodle("Ada", 1)
    later = {f"{folder}/small-2.ipynb": (notebook(course, "two"), (2026, 10, 1, 12, 0, 2))}
    archive(course, {f"{folder}/{FILE}": notebook(course, "one")} | later)
    assert collect.collect(course, []) == 1
    assert "put the right one into submitted/ by hand" in capsys.readouterr().err
    assert not (course / "submitted").exists()
    third = {f"{folder}/{FILE}": (notebook(course, "three"), (2026, 10, 2, 12, 0, 0))}
    archive(course, third, "another day.zip")
    assert collect.collect(course, []) == 0 and collected(course) == {"1": "three"}
    assert "the latest is taken" in capsys.readouterr().err


def test_an_archive_exported_again_brings_what_is_new_and_leaves_what_was_changed_by_hand(course, capsys):
    first = {f"a_{k}_{k}_small.ipynb": notebook(course, f"first of {k}") for k in (1, 2, 3)}
    archive(course, first)
    assert collect.collect(course, []) == 0
    mended = course / "submitted" / "2" / SET / FILE
    mended.write_bytes(notebook(course, "mended by hand"))
    second = {f"a_{k}_{k + 10}_small-1.ipynb": notebook(course, f"second of {k}") for k in (1, 2)}
    archive(course, second | {"a_3_3_small.ipynb": first["a_3_3_small.ipynb"]}, "submissions (1).zip")
    capsys.readouterr()
    assert collect.collect(course, []) == 1
    assert collected(course) == {"1": "second of 1", "2": "mended by hand", "3": "first of 3"}
    said = capsys.readouterr()
    assert "1 collected, 1 as before" in said.out and f"submitted/2/{SET}/{FILE} was put there or changed" in said.err


def test_an_archive_that_was_unpacked_and_one_packed_anew(course):
    place = course / "downloaded" / SET / "submissions" / moodle("Ada", 7)
    place.mkdir(parents=True)
    (place / FILE).write_bytes(notebook(course, "unpacked"))
    archive(course, {f"Small-1234/{moodle('Emmy', 8)}/{FILE}": notebook(course, "packed anew")})
    assert collect.collect(course, []) == 0 and collected(course) == {"7": "unpacked", "8": "packed anew"}


def test_nothing_is_written_outside_of_submitted(course, capsys):
    archive(course, {f"../../../{moodle('Ada', 1)}/../../../../evil.ipynb": notebook(course, "evil")})
    text = "Identifier,Full name,Email address\nParticipant 2,Eve,../../../eve@x.example\n"
    (course / "downloaded" / SET / "grades.csv").write_text(text)
    archive(course, {f"{moodle('Eve', 2)}/{FILE}": notebook(course, "evil")}, "more.zip")
    before = set(course.parent.rglob("*evil*")) | set(course.parent.rglob("*eve@*"))
    assert collect.collect(course, []) == 1 and collected(course) == {"1": "evil"}
    assert "not collected" in capsys.readouterr().err
    assert set(course.parent.rglob("*evil*")) | set(course.parent.rglob("*eve@*")) == before


def test_a_table_that_a_student_hands_in_is_no_worksheet(course):
    forged = b"Identifier,Full name,Email address\nParticipant 1,Eve,eve@uni.example\n"
    folder = course / "downloaded" / SET / moodle("Eve", 2)
    folder.mkdir(parents=True)
    (folder / "grades.csv").write_bytes(forged)
    (folder.parent / f"{moodle('Eve', 2)}_grades.csv").write_bytes(forged)
    archive(course, {f"{moodle('Ada', 1)}/{FILE}": notebook(course, "hers"), f"{moodle('Eve', 2)}/grades.csv": forged})
    assert collect.collect(course, []) == 1  # Eve has handed in no notebook
    assert collected(course) == {"1": "hers"}


def test_what_is_missing_is_said(course, capsys):
    assert collect.collect(course, []) == 1 and "put the LMS's archive into" in capsys.readouterr().err
    archive(course, {})
    assert collect.collect(course, ["ps2_other"]) == 1 and "ps2_other" in capsys.readouterr().err


def test_a_large_or_broken_archive_is_named(course, capsys, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 100)
    archive(course, {"a_1_1_small.ipynb": b" " * 101})
    (course / "downloaded" / SET / "half.zip").write_bytes(b"PK\x03\x04 and no more")
    archive(course, {"a_2_2_small.ipynb": b"spoilt on the way"}, "spoilt.zip")
    spoilt = course / "downloaded" / SET / "spoilt.zip"
    spoilt.write_bytes(spoilt.read_bytes().replace(b"spoilt on", b"spoilt in"))
    (course / "downloaded" / "ps1_smal").mkdir()
    assert collect.collect(course, []) == 1
    said = capsys.readouterr().err
    assert "a_2_2_small.ipynb cannot be unpacked (Bad CRC-32" in said
    assert f"downloaded/ps1_smal is none of the folders {SET}: not collected" in said
    assert "a_1_1_small.ipynb is too large" in said and "half.zip is no archive" in said
    assert not (course / "submitted").exists()


def test_a_roster_is_read_as_spreadsheets_write_it_and_kept_so(course):
    """With semicolons, quotes, a mark of UTF-8, columns of one's own, two writings of ë; a new student is added."""
    text = '\ufeff"name";student;group;mail;;\r\nZoë;zoe\u0308;"a; b";z@uni.example;;\r\n;;;;;\r\n'
    (course / "roster.csv").write_bytes(text.encode())
    archive(course, {f"a_4711_1_{FILE}": notebook(course, "new")})
    assert collect.collect(course, []) == 0
    rows = roster.read(course)
    assert rows["zoë"] == {"name": "Zoë", "student": "zoë", "group": "a; b", "mail": "z@uni.example"}
    assert rows["4711"] == {"name": "a", "student": "4711", "group": "", "mail": ""}
    assert (course / "roster.csv").read_text().startswith("name;student;group;mail\n")


@pytest.mark.parametrize(
    "text, said",
    [
        ("Name;Matrikel\nAda;1\n", "line 1: one column must be student, and none twice; it has Name, Matrikel"),
        ("", "line 1: one column must be student"),
        ("student,mail,mail\n", "none twice"),
        ("student,name\nada,Ada\n,Emmy\n", "line 3: no student"),
        ("student,name\nada,Ada\nada,Emmy\n", "line 3: ada stands there twice"),
        ("student,name\nada,Lovelace, Ada\n", "line 2: more fields than columns"),
        ("student,name\nzoe,Zoë\n".encode("latin-1"), "not in UTF-8"),
    ],
)
def test_a_roster_that_is_wrong_is_named_and_left_as_it_is(course, text, said, capsys):
    content = text if isinstance(text, bytes) else text.encode()
    (course / "roster.csv").write_bytes(content)
    (course / "submitted").mkdir()
    (course / "gradebook.db").touch()
    archive(course, {f"a_4711_1_{FILE}": notebook(course, "new")})
    assert collect.collect(course, []) == grading.grade(course, None, False) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and all(line.startswith("roster.csv") and said in line for line in told)
    assert (course / "roster.csv").read_bytes() == content and not collected(course)
