"""Whatever is handed in is graded right, or named and given no points: one grading of each kind of accident."""

import copy
import csv
import os
import re
import shutil
import unicodedata

import grader
import grading
import nbformat
import pytest
import release
from small_course import (
    FILE,
    RIGHT,
    SET,
    TEST,
    WRONG,
    cell,
    filled,
    grade,
    hand_in,
    in_gradebook,
    make,
    mark,
    page,
    role,
    table,
    write_source,
)

TASK, PROOF = "ps1-double", "ps1-even-proof"


@pytest.fixture(scope="module", autouse=True)
def no_wheel():
    """Releases here pack no package, which takes seconds to build: test_grading looks into the zip of a whole one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "wheel", lambda folder: None)
        yield


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return make(tmp_path_factory.mktemp("course") / "fresh")


@pytest.fixture
def course(fresh, tmp_path):
    """A released course in a folder whose path has a blank and a letter outside ASCII."""
    return shutil.copytree(fresh, tmp_path / "my course ü")


def twice(notebook, grade_id, first, second):
    """The cell twice, with the role in both, as JupyterLab leaves it when a cell is split or copied."""
    k = notebook.cells.index(cell(notebook, grade_id))
    other = copy.deepcopy(notebook.cells[k])
    other.id = "copied-cell"
    notebook.cells[k].source, other.source = first, second
    notebook.cells.insert(k + 1, other)
    return notebook


def test_cells_that_were_split_or_copied_cost_no_points(course):
    untouched = cell(filled(course, None, None), TASK).source
    nothing = cell(filled(course, None, None), PROOF).source
    answers = {
        "split": twice(filled(course), TASK, "factor = 2", "def double(x):\n    return factor * x"),
        "second-is-right": twice(filled(course), TASK, WRONG, RIGHT),
        "second-is-wrong": twice(filled(course), TASK, RIGHT, WRONG),
        "second-is-untouched": twice(filled(course), TASK, RIGHT, untouched),
        "both-are-untouched": twice(filled(course), TASK, untouched, untouched),
        "split-proof": twice(filled(course), PROOF, "The first half.", "The second half."),
        "proof-then-nothing": twice(filled(course), PROOF, "All of it.", nothing),
        "test-twice": twice(filled(course, WRONG), f"{TASK}-test", "pass", "pass"),
    }
    for student, notebook in answers.items():
        hand_in(course, student, notebook)
    assert grade(course) == 0
    rows = table(course)
    wrong = {"second-is-wrong", "both-are-untouched", "test-twice"}
    assert {student: float(row[TASK]) for student, row in rows.items()} == {
        student: 0.0 if student in wrong else 3.0 for student in answers
    }
    assert {row["waiting"] for row in rows.values()} == {"1"}
    assert all("more than once" in row["remarks"] for row in rows.values())
    proof = cell(nbformat.read(course / "autograded" / "split-proof" / SET / FILE, as_version=4), PROOF).source
    assert "The first half." in proof and "The second half." in proof
    assert "All of it." in page(course, "proof-then-nothing").read_text()


def test_a_proof_that_was_written_beside_its_cell_waits_for_a_grader(course):
    nothing = cell(filled(course, None, None), PROOF).source

    def beside(places, proof=nothing):
        """A notebook with texts of the student at these places, counted from the cell of the proof."""
        notebook = filled(course, proof=proof)
        k = notebook.cells.index(cell(notebook, PROOF))
        for place in sorted(places, reverse=True):
            notebook.cells.insert(k + place, nbformat.v4.new_markdown_cell(f"Proof at {place}."))
        return notebook

    answers = {"below": beside([1]), "above": beside([0]), "both": beside([0, 1]), "filled": beside([1], "All of it.")}
    answers |= {"nowhere": beside([]), "blank": beside([]), "elsewhere": beside([-3])}
    answers["blank"].cells.append(nbformat.v4.new_markdown_cell(" "))
    answers["question"] = beside([])
    answers["question"].cells[-2].source += "\n\nProof in the question."
    answers["cell-lost"] = beside([1])
    answers["cell-lost"].cells.remove(cell(answers["cell-lost"], PROOF))
    for student, notebook in answers.items():
        hand_in(course, student, notebook)
    assert grade(course) == 0
    rows = table(course)
    none = {"nowhere", "blank", "elsewhere"}
    assert {student: row[PROOF] for student, row in rows.items()} == {
        student: "0.0" if student in none else "" for student in answers
    }
    told = {student for student, row in rows.items() if f"its answer to {PROOF} beside" in row["remarks"]}
    assert told == {"below", "above", "both", "question", "cell-lost"} and {row[TASK] for row in rows.values()} == {
        "3.0"
    }
    graded = nbformat.read(course / "autograded" / "both" / SET / FILE, as_version=4)
    assert "Proof at 0." in cell(graded, PROOF).source and "Proof at 1." in cell(graded, PROOF).source
    before = {student: row for student, row in rows.items()}
    assert grade(course) == 0 and table(course) == before


def test_a_folder_that_was_renamed_leaves_a_row_that_says_so(course):
    hand_in(course, "ada", filled(course))
    assert grade(course) == 0
    (course / "submitted" / "ada").rename(course / "submitted" / "ada@uni.example")
    assert grade(course) == 0
    rows = table(course)
    assert {student: row[TASK] for student, row in rows.items()} == {"ada": "3.0", "ada@uni.example": "3.0"}
    assert "no longer in submitted/" in rows["ada"]["remarks"] and not rows["ada@uni.example"]["remarks"]


def test_an_answer_in_a_cell_that_is_put_back_is_named(course):
    for student, before, after in (("answer", RIGHT, ""), ("value", "y = 2", ""), ("formatted", "", "# a remark")):
        notebook = filled(course, None if student == "answer" else RIGHT)
        test = cell(notebook, f"{TASK}-test")
        test.source = f"{before}\n{test.source}\n{after}"
        hand_in(course, student, notebook)
    assert grade(course) == 0
    rows = table(course)
    assert {student: row[TASK] for student, row in rows.items()} == {
        "answer": "0.0",
        "value": "3.0",
        "formatted": "3.0",
    }
    told = {student for student, row in rows.items() if f"has written into {TASK}-test, which" in row["remarks"]}
    assert told == {"answer", "value"}


def test_what_could_not_be_graded_has_no_points_anywhere_and_is_named_until_it_can_be(course, capsys):
    exits = filled(course, "import os\nos._exit(3)")
    hand_in(course, "ada", filled(course))
    hand_in(course, "emmy", exits)
    assert grade(course) == 1
    mark(course, "ada", PROOF, 1.5, "nearly")
    assert grade(course) == 1
    assert table(course)["ada"]["score"] == "4.5" and page(course, "ada").exists()
    for broken in (nbformat.writes(filled(course))[:500], nbformat.writes(exits)):
        hand_in(course, "ada", broken)
        capsys.readouterr()
        assert grade(course) == 1
        assert "(student ada)" in capsys.readouterr().err
        for student in ("ada", "emmy"):
            row, total = table(course)[student], table(course, "all")[student]
            assert {row[key] for key in (TASK, PROOF, "automatic", "by_hand", "waiting", "score")} == {""}
            assert row["remarks"] and total[SET] == "" and SET in total["remarks"]
            assert not page(course, student).exists() and not (course / "autograded" / student / SET).exists()
        assert not in_gradebook(course)
    hand_in(course, "ada", filled(course))
    grade(course)
    row = table(course)["ada"]
    assert row["score"] == "4.5" and row["waiting"] == "0" and not row["remarks"]
    assert "nearly" in page(course, "ada").read_text()


def test_a_mark_counts_for_the_text_that_it_was_given_for(course):
    hand_in(course, "same", filled(course, WRONG))
    hand_in(course, "other", filled(course, WRONG))
    assert grade(course) == 0
    for student in ("same", "other"):
        mark(course, student, f"{TASK}-test", 2, "a slip of the pen")
        mark(course, student, PROOF, 1, "the case of zero is missing")
    hand_in(course, "same", filled(course, WRONG, "It is twice a number. "))  # only a blank more
    hand_in(course, "other", filled(course, RIGHT, "Another proof."))
    assert grade(course) == 0
    same, other = (table(course)[student] for student in ("same", "other"))
    assert (same[TASK], same[PROOF], same["waiting"], same["remarks"]) == ("2.0", "1.0", "0", "")
    assert (other[TASK], other[PROOF], other["waiting"], other["score"]) == ("3.0", "", "1", "3.0")
    assert f"another answer to {PROOF}" in other["remarks"] and f"another answer to {TASK}" in other["remarks"]
    assert "the case of zero" in page(course, "same").read_text()
    assert "the case of zero" not in page(course, "other").read_text()
    # Nothing new: the same table. Marked again: the remark is gone.
    assert grade(course) == 0 and table(course)["other"] == other
    mark(course, "other", PROOF, 2)
    assert grade(course) == 0
    assert table(course)["other"]["score"] == "5.0" and PROOF not in table(course)["other"]["remarks"]
    # The text from before is handed in once more: its mark is known.
    hand_in(course, "other", filled(course, WRONG))
    assert grade(course) == 0
    assert (table(course)["other"][TASK], table(course)["other"][PROOF]) == ("2.0", "1.0")


def test_a_corrected_hidden_test_is_applied_to_what_was_graded_before(course, capsys):
    hand_in(course, "ada", filled(course, "def double(x):\n    return 2 * abs(x)"))
    assert grade(course) == 0 and table(course)["ada"][TASK] == "3.0"
    write_source(course, test=TEST.replace("### END", "assert double(-1) == -2\n### END"))
    capsys.readouterr()
    grade(course)
    assert "make release" in capsys.readouterr().err and table(course)["ada"][TASK] == "3.0"
    assert release.release(course) == 0 and grade(course) == 0
    said = capsys.readouterr()
    assert "1 graded, 0 graded before" in said.out and "make release" not in said.err
    assert table(course)["ada"][TASK] == "0.0"
    assert grade(course) == 0 and "0 graded, 1 graded before" in capsys.readouterr().out
    assert grade(course, again=True) == 0 and "1 graded, 0 graded before" in capsys.readouterr().out


def test_a_task_can_be_added_after_submissions(course, capsys):
    hand_in(course, "ada", filled(course))
    grade(course)
    mark(course, "ada", PROOF, 2)
    stub = "def triple(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION"
    test = "### BEGIN HIDDEN TESTS\nassert triple(5) == 15\n### END HIDDEN TESTS"
    more = [
        nbformat.v4.new_code_cell(stub, metadata=role("ps1-triple", solution=True)),
        nbformat.v4.new_code_cell(test, metadata=role("ps1-triple-test", grade=True, locked=True, points=4)),
    ]
    write_source(course, more=more)
    moved = course / "submitted" / "ada"
    moved.rename(course / "elsewhere")
    before = (course / "release" / SET / FILE).read_bytes()
    assert release.release(course) == 1 and "ada" in capsys.readouterr().err
    assert (course / "release" / SET / FILE).read_bytes() == before and in_gradebook(course) == {"ada"}
    (course / "elsewhere").rename(moved)
    assert release.release(course) == 0 and grade(course) == 0
    row = table(course)["ada"]
    assert (row[TASK], row[PROOF], row["ps1-triple"], row["max_score"]) == ("3.0", "2.0", "0.0", "9")
    assert "lacks the cells ps1-triple" in row["remarks"]


def test_a_release_that_fails_leaves_the_one_before(course):
    before = (course / "release" / SET / FILE).read_bytes()
    write_source(course, more=[nbformat.v4.new_code_cell("pass", metadata=role("ps1-x", grade=True, locked=True))])
    assert release.release(course) == 1  # a graded cell without points
    assert (course / "release" / SET / FILE).read_bytes() == before


def test_links_in_submitted_are_named_and_not_followed(course, capsys):
    (course / "elsewhere").mkdir()
    hand_in(course, "honest", filled(course))
    secret = course / "source" / SET / FILE
    for student in ("file", "folder", "person"):
        place = course / "submitted" / student
        if student == "person":
            place.symlink_to(course / "submitted" / "honest")
            continue
        place.mkdir()
        if student == "folder":
            (place / SET).symlink_to(secret.parent)
        else:
            (place / SET).mkdir()
            (place / SET / FILE).symlink_to(secret)
    beside = course / "submitted" / "honest" / SET
    (beside / "data.txt").symlink_to("/etc/hostname")
    (beside / "timestamp.txt").symlink_to("/etc/hostname")
    assert grade(course) == 1
    said = capsys.readouterr().err
    assert [line for line in said.splitlines() if "is a link" in line and "(student honest)" not in line] == [
        f"submitted/{where} (student {student}) is a link: the file itself must be handed in"
        for student, where in {"file": f"file/{SET}/{FILE}", "folder": f"folder/{SET}", "person": "person"}.items()
    ]
    assert in_gradebook(course) == {"honest"} and set(os.listdir(course / "feedback")) == {"honest"}
    assert os.listdir(course / "autograded" / "honest" / SET) == [FILE]


def test_an_unread_proof_is_not_said_to_have_no_points_and_tasks_have_their_titles(course):
    hand_in(course, "ada", filled(course))
    hand_in(course, "nothing", filled(course, None, None))
    assert grade(course) == 0
    text = page(course, "ada").read_text()
    assert "Task 2. Why it is even</a> (not graded yet, 2.0 points at most)" in text
    assert "Task 1. Twice a number</a> (Score: 3.0 / 3.0)" in text
    assert "(Score: 3.0 / 5.0, and 2.0 points not graded yet)" in text
    assert "Test cell" not in text and "0.0 / 2.0" not in text
    assert "Task 2. Why it is even</a> (Score: 0.0 / 2.0)" in page(course, "nothing").read_text()


def test_replaced_functions_are_put_back_before_each_test_and_named(course):
    patch = "import numpy as np\nnp.allclose = lambda *_: True\nnp.abs = np.arange = None\n"
    hand_in(course, "patched", filled(course, f"{patch}def double(x):\n    return 0"))
    hand_in(course, "builtin", filled(course, f"import builtins\nbuiltins.divmod = lambda *_: 0\n{RIGHT}"))
    at_once = "import lnn, scipy.stats\nscipy.stats.norm = scipy.stats.sem = None\n"
    at_once += "lnn.LeastSquares.value = None\nlnn.Trajectory.save = len\n"
    hand_in(course, "at-once", filled(course, f"{at_once}{RIGHT}"))
    honest = "import importlib, pkgutil, scipy\nfor m in pkgutil.iter_modules(scipy.__path__):\n"
    honest += "    if m.name[0] != '_' and m.name != 'conftest':\n        importlib.import_module('scipy.' + m.name)\n"
    hand_in(course, "honest", filled(course, f"{honest}{RIGHT}"))
    hand_in(course, "own-names", filled(course, f"import numpy as np\nabs = np.mine = sum = None\n{RIGHT}"))
    assert grade(course) == 0
    rows = table(course)
    assert rows["patched"][TASK] == "0.0"
    assert "has replaced numpy.abs, numpy.allclose, numpy.arange," in rows["patched"]["remarks"]
    assert rows["builtin"][TASK] == "3.0" and "has replaced builtins.divmod," in rows["builtin"]["remarks"]
    for name in (
        "lnn.losses.LeastSquares.value",
        "lnn.trajectory.Trajectory.save",
        "scipy.stats.norm",
        "scipy.stats.sem",
    ):
        assert name in rows["at-once"]["remarks"], rows["at-once"]["remarks"]
    assert rows["honest"][TASK] == "3.0" and not rows["honest"]["remarks"]
    assert rows["own-names"][TASK] == "3.0" and not rows["own-names"]["remarks"]


GOOD_NAMES = ["José", "Åsa von der Heide", "O'Neil, Ada (2)", "ada+x@uni.example", "李华", "a_b-c.d"]
BAD_NAMES = [".ada", "a[1]", "100%", "$HOME", "a*", "{b}", " blank", "a\nb", 'q"q', "back\\slash", "#1"]


def test_odd_names_of_folders_are_graded_or_refused_by_name(course, capsys):
    for name in [*GOOD_NAMES, *BAD_NAMES]:
        hand_in(course, name, filled(course))
    hand_in(course, unicodedata.normalize("NFD", "José"), filled(course))
    hand_in(course, unicodedata.normalize("NFD", "Zoë"), filled(course))
    before = {path for path in course.parent.iterdir()}
    assert grade(course) == 1
    said = capsys.readouterr()
    assert f"{len(GOOD_NAMES) + 1} graded, 0 graded before, {len(BAD_NAMES) + 1} not graded" in said.out
    rows = table(course)
    assert {student: row[TASK] for student, row in rows.items()} == dict.fromkeys([*GOOD_NAMES, "Zoë"], "3.0")
    assert all(page(course, student).exists() for student in rows)
    assert set(os.listdir(course / "feedback")) == set(rows)
    assert "same name as" in said.err and said.err.count("rename it") == len(BAD_NAMES)
    assert set(table(course, "all")) == set(rows) | set(BAD_NAMES)
    assert {path for path in course.parent.iterdir()} == before


@pytest.mark.parametrize("name", ["course [2026]", "100%", "$HOME", "{course}", "what?", "#1"])
def test_a_course_in_a_folder_that_nbgrader_mistakes_is_refused_before_anything_is_written(tmp_path, name, capsys):
    course = tmp_path / name
    write_source(course)
    (course / "submitted").mkdir()
    (course / "gradebook.db").touch()
    before = sorted(tmp_path.rglob("*"))
    assert release.release(course) == grading.grade(course, None, False) == 1
    assert capsys.readouterr().err.count("rename it or move it") == 2
    assert sorted(tmp_path.rglob("*")) == before


def test_outputs_are_cut_by_characters(course):
    flood = "print('x' * 10**6)\nfor _ in range(10): print('y' * 10_000)\n"
    error = "\ndef double(x):\n    raise ValueError('z' * 10**6)"
    hand_in(course, "ada", filled(course, flood + error))
    assert grade(course) == 0
    graded = course / "autograded" / "ada" / SET / FILE
    assert graded.stat().st_size < 300_000 and "Output truncated" in graded.read_text()
    assert page(course, "ada").stat().st_size < 1_000_000


def test_an_endless_loop_is_interrupted_and_the_rest_is_graded_whatever_it_prints(course):
    shows = "display(HTML('z' * 10**6))"
    for student, line in {
        "ada": "pass",
        "emmy": "print('y' * 10**6)",
        "zoe": shows,
        "rosa": "os.write(1, b'x' * 10**4)",
    }.items():
        start = f"{RIGHT}\nimport os\nfrom IPython.display import HTML, display\n"
        hand_in(course, student, filled(course, f"{start}while True:\n    {line}"))
    assert grading.grade(course, 5, False) == 0
    for student, row in table(course).items():
        graded = (course / "autograded" / student / SET / FILE).read_text()
        assert "KeyboardInterrupt" in graded and row[TASK] == "3.0" and len(graded) < 300_000
    assert "yyyy" in (course / "autograded" / "emmy" / SET / FILE).read_text()


def test_a_lost_given_cell_is_put_back(course):
    notebook = filled(course, "def double(x):\n    return x + given * x")
    gone = {"ps1-given", f"{TASK}-test", PROOF}
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in gone]
    hand_in(course, "ada", notebook)
    assert grade(course) == 0
    assert (table(course)["ada"][TASK], table(course)["ada"][PROOF]) == ("3.0", "0.0")


def test_one_student_or_one_set_is_graded_and_the_tables_have_everyone(course, capsys):
    for student in ("ada", "emmy", "zoë"):
        hand_in(course, student, filled(course))
    hand_in(course, "zoë", "broken")
    assert grading.grade(course, None, False, students=["ada"]) == 1
    rows = table(course)
    assert rows["ada"]["score"] == "3.0" and rows["emmy"]["score"] == rows["zoë"]["score"] == ""
    assert "not graded yet" in rows["emmy"]["remarks"] and "not valid JSON" in rows["zoë"]["remarks"]
    assert not in_gradebook(course) - {"ada"}
    assert grading.grade(course, None, False, students=["nobody"]) == 1
    assert grading.grade(course, None, False, assignments=["ps9_none"]) == 1
    said = capsys.readouterr().err
    assert "no student has the name nobody" in said and "no set has the name ps9_none" in said
    assert grading.grade(course, None, False, assignments=[SET]) == 1
    assert table(course)["emmy"]["score"] == "3.0"


def test_notebooks_are_graded_side_by_side_with_the_same_result(course, capsys):
    answers = {"ada": filled(course), "emmy": filled(course, WRONG), "zoë": filled(course, "import os; os._exit(3)")}
    for student, notebook in answers.items():
        hand_in(course, student, notebook)
    assert grading.grade(course, None, False, jobs=2) == 1
    first = table(course)
    assert {student: row[TASK] for student, row in first.items()} == {"ada": "3.0", "emmy": "0.0", "zoë": ""}
    assert "could not be graded" in first["zoë"]["remarks"]
    assert grading.grade(course, None, True, jobs=1) == 1 and table(course) == first


def test_tables_for_the_class_and_for_the_lms(course):
    people = "student,name,mail\n4711,Ada Lovelace,ada@uni.example\n4712,Emmy Noether,emmy@uni.example\n4713,Zoë,\n"
    (course / "roster.csv").write_text(people, encoding="utf-8")
    (course / "downloaded" / SET).mkdir(parents=True)
    sheet = 'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade"\n'
    sheet += '"Participant 4711","Ada Lovelace",ada@uni.example,Submitted,,10\n'
    sheet += '"Participant 4799","Max",max@uni.example,,,10\n'
    (course / "downloaded" / SET / "Grades.csv").write_text(sheet, encoding="utf-8-sig")
    hand_in(course, "4711", filled(course))
    hand_in(course, "4712", filled(course, WRONG))
    hand_in(course, "4713", filled(course, None, None))
    assert grade(course) == 0
    mark(course, "4711", PROOF, 1.5)
    assert grade(course) == 0
    assert table(course)["4711"]["name"] == table(course, "all")["4711"]["name"] == "Ada Lovelace"
    with (course / "scores" / "summary.csv").open() as file:
        double, proof = csv.DictReader(file)
    assert (double["task"], double["graded"], double["mean"], double["full"], double["none"]) == (
        TASK,
        "3",
        "1.0",
        "1",
        "2",
    )
    assert (proof["graded"], proof["waiting"], proof["mean"], proof["max_score"]) == ("2", "1", "0.75", "2")

    def read(name):
        with (course / "scores" / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    possible, ada, zoe = read("canvas.csv")  # Emmy's proof has not been read
    assert possible["Student"].strip() == "Points Possible" and float(possible[SET]) == 5
    assert (ada["Student"], ada["ID"], ada[SET], zoe["ID"], zoe[SET]) == ("Ada Lovelace", "4711", "4.5", "4713", "0.0")
    (title,) = [title for title in read("blackboard.csv")[0] if title.startswith(SET)]
    assert title == f"{SET} [Total Pts: 5 Score]" and read("blackboard.csv")[0][title] == "4.5"
    assert read("moodle.csv")[0] == {"Email address": "ada@uni.example", "ID number": "4711", SET: "4.5"}
    filled_in, other = read(f"moodle_{SET}.csv")
    assert (filled_in["Grade"], filled_in["Maximum Grade"], other["Grade"]) == ("4.5", "5", "")


def test_no_table_for_the_lms_gives_anyone_the_score_of_another(course, capsys):
    """Folders that are numbers of other columns; a worksheet as a spreadsheet saves it; a mail that nobody knows."""
    (course / "downloaded" / SET).mkdir(parents=True)
    sheet = "Identifier;Full name;Email address;Status;Grade;Maximum Grade\n"
    sheet += "Participant 5;Zoë;zoe@uni.example;Submitted;;4,00\nParticipant 7;Max;max@uni.example;;;10\n\n"
    (course / "downloaded" / SET / "Grades.csv").write_bytes(sheet.encode("cp1252"))
    people = "student,name,mail\nzoe,Zoë,zoe@uni.example\n"
    (course / "roster.csv").write_text(people, encoding="utf-8")
    for student in ("zoe", "7", "10", "waits"):
        hand_in(course, student, filled(course, RIGHT if student in ("zoe", "waits") else WRONG))
    assert grade(course) == 0
    assert not table(course, "moodle_" + SET, "Identifier")["Participant 5"]["Grade"]  # no set has a score yet
    assert SET not in next(iter(table(course, "canvas", "Student").values()))
    for student in ("zoe", "7", "10"):
        mark(course, student, PROOF, 2)
    assert grade(course) == 0
    sheet = table(course, "moodle_" + SET, "Identifier")
    assert {who: row["Grade"] for who, row in sheet.items()} == {"Participant 5": "5.0", "Participant 7": ""}
    assert "Grades.csv: Moodle has 4,00 points at most, the set 5: it passes over more" in capsys.readouterr().err
    assert list(table(course, "moodle", "Email address")) == ["10", "7", "zoe@uni.example"]
    assert list(table(course, "canvas", "Student"))[1:] == ["10", "7", "Zoë"]


def test_feedback_of_a_first_round_does_not_show_the_hidden_tests(course):
    hand_in(course, "ada", filled(course, WRONG))
    for hide in (True, False):
        assert grading.grade(course, None, False, hide=hide) == 0
        text = re.sub("<[^>]*>", "", page(course, "ada").read_text())
        assert ("arange" in text) != hide and ("HIDDEN TESTS" in text) != hide
        assert "AssertionError" in text and "twice nothing is nothing" in text


def test_a_failure_that_nobody_has_thought_of_costs_the_others_nothing(course, monkeypatch, capsys):
    stage = grader.stage

    def fails(path, *rest):
        if "emmy" in path.parts:
            raise ZeroDivisionError("unheard of")
        return stage(path, *rest)

    monkeypatch.setattr(grader, "stage", fails)
    for student in ("ada", "emmy", "zoë"):
        hand_in(course, student, filled(course))
    assert grade(course) == 1
    assert "(student emmy) could not be graded: ZeroDivisionError: unheard of" in capsys.readouterr().err
    assert {student: row["score"] for student, row in table(course).items()} == {"ada": "3.0", "emmy": "", "zoë": "3.0"}
