"""Numbers of each student's own: nobody is graded with those of another, and who is not known is not graded."""

import authoring
import grading
import jupytext
import nbformat
import pytest
import release
import sets
import test_problem_sets as problem_sets
from small_course import FILE, SET, cell, filled, grade, hand_in, in_gradebook, make, mark, page, table

NAME, GIVEN, TASK = "ps1-student", "ps1-variant", "ps1-sum-up"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A set to which the authoring command has added two tasks with numbers of each student's own."""
    folder = make(tmp_path_factory.mktemp("course"))
    notebook = nbformat.read(folder / "source" / SET / FILE, as_version=4)
    jupytext.write(notebook, (folder / "source" / SET / FILE).with_suffix(".md"), fmt="md:myst")
    for task in ("sum-up", "another"):
        assert authoring.new_task(folder, SET, task, 4, proof=False, own=True) == 0
    sets.pair(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "wheel", lambda _: None)
        assert release.release(folder) == 0
    return folder


def numbers(course, student, task=TASK):
    """What a student sees who runs the first cells."""
    space = {}
    exec(cell(nbformat.read(course / "release" / SET / FILE, as_version=4), GIVEN).source, space)
    return space["variant"](student, task)


def answered(course, name, total, more=""):
    """A notebook that says whose it is, and has this answer."""
    notebook = filled(course)
    cell(notebook, NAME).source = f'STUDENT = "{name}"'
    cell(notebook, TASK).source = f"{more}\nsum_up = {total}"
    return notebook


def test_the_name_is_asked_for_once_and_the_numbers_depend_on_it_and_on_the_task_alone(course):
    notebook = nbformat.read(course / "release" / SET / FILE, as_version=4)
    ids = [c.metadata["nbgrader"]["grade_id"] for c in notebook.cells if "nbgrader" in c.metadata]
    assert ids[:2] == [NAME, GIVEN] and ids.count(NAME) == 1
    assert "reference" not in cell(notebook, NAME).source and "NotImplementedError" in cell(notebook, NAME).source
    assert numbers(course, "ada") == [8, 8, 1, 5, 2, 1], "numbers that were handed out must stay"
    assert numbers(course, " Ada ") == numbers(course, "ada")
    assert len({tuple(numbers(course, f"student {k}", task)) for k in range(50) for task in "ab"}) == 100
    with pytest.raises(AssertionError, match="STUDENT is empty"):
        numbers(course, " ")


def test_the_right_answer_of_one_is_wrong_for_another_and_nobody_is_graded_by_the_numbers_of_another(course, capsys):
    ada, emmy = (sum(numbers(course, student)) for student in ("ada", "emmy"))
    mail = sum(numbers(course, "zoe@uni.example"))
    assert len({ada, emmy, mail}) == 3
    (course / "roster.csv").write_text("student,name,mail\nzoe,Zoë,Zoe@uni.example\n", encoding="utf-8")
    untouched = filled(course)
    split = answered(course, "ada", ada)
    k = split.cells.index(cell(split, NAME))
    split.cells.insert(k, nbformat.v4.new_code_cell('STUDENT = "ad"', metadata=split.cells[k].metadata))
    handed_in = {
        "ada": answered(course, "ada", ada),
        "emmy": answered(course, "emmy", ada),
        "zoe": answered(course, "zoe@uni.example", mail),
        "rosa": answered(course, "rosa", emmy, 'STUDENT = "emmy"'),
        "lena": answered(course, "lena", emmy, f"def variant(*_):\n    return [{emmy}]"),
        "copied": answered(course, "ada", ada),
        "nobody": untouched,
        "wrong-code": answered(course, '" + "ada', ada),
    }
    for student, notebook in handed_in.items():
        hand_in(course, student, notebook)
    assert grade(course) == 1
    said = capsys.readouterr().err
    rows = table(course)
    assert {student: row[TASK] for student, row in rows.items()} == {
        "ada": "4.0",
        "emmy": "0.0",
        "zoe": "4.0",
        "rosa": "0.0",
        "lena": "0.0",
        "copied": "",
        "nobody": "",
        "wrong-code": "",
    }
    assert f"{FILE} (student copied) has 'ada' in STUDENT and is handed in by copied: whose numbers" in said
    assert "(student nobody) has '' in STUDENT" in said and "(student wrong-code) has '' in STUDENT" in said
    for student in ("copied", "nobody", "wrong-code"):
        assert rows[student]["score"] == "" == table(course, "all")[student][SET] and rows[student]["remarks"]
        assert not page(course, student).exists() and student not in in_gradebook(course)
    text = page(course, "emmy").read_text()
    assert str(numbers(course, "emmy")) in text, "the message names the numbers that were asked about"
    graded = nbformat.read(course / "autograded" / "rosa" / SET / FILE, as_version=4)
    assert len(graded.cells) == len(untouched.cells), "what grading has put in is not there any more"

    # A slip that the grader corrects in submitted/; a mail address that the roster has now; a copy of the cell.
    hand_in(course, "copied", split)
    hand_in(course, "nobody", answered(course, "nobody", sum(numbers(course, "nobody"))))
    (course / "roster.csv").write_text("student,name,mail\ncopied,Ada,ada\n", encoding="utf-8")
    assert grade(course) == 1
    rows = table(course)
    assert (rows["copied"][TASK], rows["nobody"][TASK], rows["zoe"][TASK]) == ("4.0", "4.0", "")


def test_answers_to_such_a_task_are_tried_as_those_to_any_other(course, monkeypatch):
    monkeypatch.setattr(problem_sets, "SOURCE", course / "source")
    assert problem_sets.tasks(SET) == ["ps1-double", TASK, "ps1-another"]
    for others in ("reference", "untouched"):
        problem_sets.run(SET, TASK, problem_sets.reference(SET, TASK), others=others)
        with pytest.raises(AssertionError, match="wrong for your numbers"):
            problem_sets.run(SET, TASK, f"sum_up = 1 + {sum(numbers(course, 'reference'))}", others=others)


def test_a_mark_stays_with_the_text_also_where_numbers_are_ones_own(course):
    hand_in(course, "lise", answered(course, "lise", 0))
    assert grading.grade(course, None, False, students=["lise"]) == 0
    mark(course, "lise", f"{TASK}-test", 3)
    assert grading.grade(course, None, True, students=["lise"]) == 0
    assert table(course)["lise"][TASK] == "3.0" and "another answer" not in table(course)["lise"]["remarks"]
