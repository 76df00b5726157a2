"""The loop of a course, run once in a folder of its own: release, hand in, grade, feedback, scores."""

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import grading
import nbformat
import pytest
import release
from test_problem_sets import HEADING, ROOT, SETS, SOURCE, answers, cells, role, tasks

FIRST = SETS[0]
FILE = f"{FIRST.split('_', 1)[1]}.ipynb"
LIMIT = 10  # seconds for a cell where one of them is an endless loop; all other submissions have what nbgrader gives


def points(name):
    """Points of the autograded tasks of a set."""
    return {
        task: role(cell).points
        for task in tasks(name)
        for cell in cells(name)
        if role(cell).get("grade_id") == f"{task}-test"
    }


def run(folder, act, *options):
    command = [sys.executable, str(ROOT / "tools" / "course" / "course.py"), act, "--course", str(folder), *options]
    path = f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"  # the environment's own programs are found without PATH
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PATH": path, "MPLBACKEND": "agg"}
    )


def released(folder, name=FIRST):
    return nbformat.read(folder / "release" / name / f"{name.split('_', 1)[1]}.ipynb", as_version=4)


def filled(folder, sources, name=FIRST):
    """The notebook as handed out, with the sources given in the cells of the tasks."""
    notebook = released(folder, name)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in sources:
            cell.source = sources[cell.metadata.nbgrader.grade_id]
    return notebook


def reference(name=FIRST):
    return {role(cell).grade_id: cell.source for cell in cells(name) if role(cell).get("solution")}


def hand_in(folder, student, notebook, file=FILE, name=FIRST):
    place = folder / "submitted" / student / name
    place.mkdir(parents=True, exist_ok=True)
    if isinstance(notebook, str):
        (place / file).write_text(notebook)
    else:
        nbformat.write(notebook, place / file)


def mixed():
    """One answer of each kind, and the points that each of them earns."""
    right, wrong = answers(FIRST).RIGHT, answers(FIRST).WRONG
    names = tasks(FIRST)
    sources = {
        names[0]: right[names[0]][0] + "\nimport sys\nprint('a warning', file=sys.stderr)\n"
        "_kept = layer_gradients\ndef layer_gradients(weights, G):\n"
        "    import warnings\n    warnings.warn('this costs nothing')\n    return _kept(weights, G)\n",
        names[1]: next(iter(wrong[names[1]].values())),
        names[2]: "this is no Python",
        names[3]: right[names[3]][1] + "\nnp = 'replaced'\nlnn = None\nsum = max = 0\n",
        names[4]: "raise RuntimeError('gave up')",
    }
    earns = dict.fromkeys(names, 0) | {names[0]: points(FIRST)[names[0]], names[3]: points(FIRST)[names[3]]}
    return sources, earns


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """Folder, and what release and grade said, after a course with good, mixed and bad submissions."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(SOURCE, folder / "source")
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", folder)
    out = run(folder, "release")
    assert out.returncode == 0, out.stderr

    endless = reference() | {tasks(FIRST)[0]: "def layer_gradients(weights, G):\n    while True:\n        pass\n"}
    endless = filled(folder, endless)
    for cell in endless.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"{tasks(FIRST)[0]}-test":
            cell.source, cell.metadata.nbgrader.points = "pass", 1000
    hand_in(folder, "endless", endless)
    out_of_time = run(folder, "grade", "--timeout", str(LIMIT))
    assert out_of_time.returncode == 0, out_of_time.stderr

    for name in SETS:
        hand_in(folder, "reference", filled(folder, reference(name), name), f"{name.split('_', 1)[1]}.ipynb", name)
    hand_in(folder, "untouched", released(folder))
    hand_in(folder, "mixed", filled(folder, mixed()[0]))

    text = nbformat.writes(filled(folder, reference()))
    hand_in(folder, "corrupt", text[: len(text) // 2])
    hand_in(folder, "misnamed", filled(folder, reference()), "homework (1).ipynb")
    hand_in(folder, "misplaced", filled(folder, reference()), FILE, "week_1")
    bare = filled(folder, reference())
    for cell in bare.cells:
        cell.metadata.pop("nbgrader", None)
    hand_in(folder, "bare", bare)

    lost = filled(folder, reference())
    first, second = tasks(FIRST)[:2]
    lost.cells = [
        c for c in lost.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in (first, f"{second}-test")
    ]
    hand_in(folder, "lost", lost)
    turned = filled(folder, reference())
    at = {c.metadata.nbgrader.grade_id: k for k, c in enumerate(turned.cells) if "nbgrader" in c.metadata}
    for one, other in ((first, second), (f"{first}-test", f"{second}-test")):
        turned.cells[at[one]], turned.cells[at[other]] = turned.cells[at[other]], turned.cells[at[one]]
    whole = tasks(FIRST)[2]
    gone = {whole, f"{whole}-test"}
    turned.cells = [c for c in turned.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in gone]
    hand_in(folder, "turned", turned)

    hand_in(folder, "exits", filled(folder, reference() | {second: "import os\nos._exit(3)\n"}))

    said = run(folder, "grade")
    with (folder / "scores" / f"{FIRST}.csv").open() as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    return SimpleNamespace(folder=folder, released=out.stdout, said=said, rows=rows)


def earned(loop, student, name=FIRST):
    return {task: float(loop.rows[student][task]) for task in tasks(name)}


def test_no_line_of_a_solution_or_hidden_test_survives_in_the_release(loop):
    for name in SETS:
        notebook = f"{name.split('_', 1)[1]}.ipynb"
        source, handed_out = (loop.folder / place / name / notebook for place in ("source", "release"))
        assert [path.name for path in handed_out.parent.iterdir()] == [notebook]
        assert release.survivors(source, handed_out) == []
        text = handed_out.read_text()
        assert not any(mark in text for mark in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS"))
        # Every line of the release stands outside of all regions of the source, or is a stub: compared by hand here.
        allowed = {"# YOUR CODE HERE", "raise NotImplementedError()", "YOUR ANSWER HERE"}
        for cell in nbformat.read(source, as_version=4).cells:
            inside = False
            for line in cell.source.splitlines():
                inside = (inside or "### BEGIN" in line) and "### END" not in line
                allowed |= set() if inside else {line.strip()}
        for cell in nbformat.read(handed_out, as_version=4).cells:
            assert {line.strip() for line in cell.source.splitlines()} <= allowed


def test_a_release_that_gives_a_line_away_is_noticed(loop, tmp_path):
    source = SOURCE / FIRST / FILE
    (line,) = [s for s in reference()[tasks(FIRST)[0]].splitlines() if "above = W.T @ above" in s]
    for place in ("source", "metadata", "outputs"):
        notebook = released(loop.folder)
        cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
        if place == "source":
            cell.source += f"\n# {line}"
        elif place == "metadata":
            cell.metadata["note"] = line
        else:
            cell.outputs = [nbformat.v4.new_output("stream", text=line)]
        nbformat.write(notebook, tmp_path / FILE)
        assert release.survivors(source, tmp_path / FILE) == [line.strip()]
    (tmp_path / "text.md").write_text(source.with_suffix(".md").read_text())
    assert release.survivors(source, tmp_path / "text.md")


def test_the_zip_holds_the_notebooks_as_released_and_the_package(loop):
    with zipfile.ZipFile(loop.folder / "release" / "problem_sets.zip") as archive:
        names = {name.removeprefix("problem_sets/") for name in archive.namelist()}
        notebooks = {f"{name}/{name.split('_', 1)[1]}.ipynb" for name in SETS}
        assert names - {name for name in names if name.endswith(".whl")} == notebooks | {"README.txt"}
        assert any(name.startswith("lnn-") and name.endswith(".whl") for name in names)
        for name in notebooks:
            assert archive.read(f"problem_sets/{name}") == (loop.folder / "release" / name).read_bytes()


def test_an_untouched_notebook_earns_nothing(loop):
    assert set(earned(loop, "untouched").values()) == {0.0}
    row = loop.rows["untouched"]
    assert float(row["score"]) == 0 and row["waiting"] == "0" and not row["remarks"]


@pytest.mark.parametrize("name", SETS)
def test_the_reference_earns_all_automatic_points(loop, name):
    with (loop.folder / "scores" / f"{name}.csv").open() as file:
        (row,) = [row for row in csv.DictReader(file) if row["student"] == "reference"]
    assert {task: float(row[task]) for task in tasks(name)} == points(name)
    proofs = [role(cell).grade_id for cell in cells(name) if role(cell).get("grade") and role(cell).solution]
    assert all(row[proof] == "" for proof in proofs) and row["waiting"] == str(len(proofs))
    assert float(row["automatic"]) == float(row["max_automatic"]) == sum(points(name).values())
    total = sum(role(cell).points for cell in cells(name) if role(cell).get("grade"))
    assert float(row["max_score"]) == total and not row["remarks"]


def test_a_mixed_notebook_earns_exactly_its_points(loop):
    # It holds a right answer that warns, a wrong one, a syntax error, one that replaces numpy, and an exception.
    assert earned(loop, "mixed") == mixed()[1]
    assert float(loop.rows["mixed"]["score"]) == sum(mixed()[1].values())


def test_an_endless_loop_costs_its_task_and_no_other_and_a_test_made_easy_is_put_back(loop):
    assert earned(loop, "endless") == points(FIRST) | {tasks(FIRST)[0]: 0}


@pytest.mark.parametrize(
    "student, file, reason",
    [
        ("corrupt", f"{FIRST}/{FILE}", "not valid JSON"),
        ("misnamed", f"{FIRST}/homework (1).ipynb", f"must have the name {FILE}"),
        ("misplaced", "week_1", f"is none of the folders {FIRST}"),
        ("bare", f"{FIRST}/{FILE}", "lost nbgrader's metadata"),
        ("exits", f"{FIRST}/{FILE}", "could not be graded"),
    ],
)
def test_what_cannot_be_graded_is_named_with_its_file_and_folder_and_reason(loop, student, file, reason):
    (line,) = [line for line in loop.said.stderr.splitlines() if f"(student {student})" in line]
    assert f"submitted/{student}/{file} " in line and reason in line
    assert loop.said.returncode == 1, "the command says that something is left to do"
    with (loop.folder / "scores" / "all.csv").open() as table:
        (total,) = [row for row in csv.DictReader(table) if row["student"] == student]
    assert reason in total["remarks"] and total[FIRST] == ""
    if student != "misplaced":
        assert loop.rows[student]["score"] == "" and reason in loop.rows[student]["remarks"]


def test_lost_cells_are_put_back_and_the_rest_is_graded(loop):
    assert earned(loop, "lost") == points(FIRST) | {tasks(FIRST)[0]: 0}
    for lost in (tasks(FIRST)[0], f"{tasks(FIRST)[1]}-test"):
        assert lost in loop.rows["lost"]["remarks"]
    assert f"submitted/lost/{FIRST}/{FILE} (student lost) lacks the cells" in loop.said.stderr


def test_cells_in_another_order_are_graded_and_mentioned_and_a_task_deleted_whole_earns_nothing(loop):
    third = tasks(FIRST)[2]
    assert earned(loop, "turned") == points(FIRST) | {third: 0}
    assert f"submitted/turned/{FIRST}/{FILE} (student turned) has its cells in another order" in loop.said.stderr
    assert f"lacks the cells {third}, {third}-test" in loop.rows["turned"]["remarks"]


def test_everyone_who_was_graded_gets_feedback_with_the_points_of_each_task(loop):
    for student in ("reference", "untouched", "mixed", "lost", "turned", "endless"):
        page = loop.folder / "feedback" / student / FIRST / FILE.replace("ipynb", "html")
        text = page.read_text()
        assert f"(Score: {sum(earned(loop, student).values()):.1f} /" in text
        for cell in cells(FIRST):
            if cell.cell_type == "markdown" and (heading := HEADING.search(cell.source)):
                assert heading[0].removeprefix("## ").rpartition(" (")[0] in text


def test_the_table_of_totals_has_a_row_for_each_student_and_a_column_for_each_set(loop):
    with (loop.folder / "scores" / "all.csv").open() as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == {*loop.rows, "misplaced"}
    assert set(rows["mixed"]) == {"student", "name", "mail", *SETS, "days_late", "remarks"}
    assert float(rows["reference"][FIRST]) == sum(points(FIRST).values())
    assert all(rows["untouched"][name] == "" for name in SETS[1:]), "not handed in is not zero points"


def test_marks_given_by_hand_count_and_survive_another_grading(loop):
    from nbgrader.api import Gradebook

    proof = next(role(cell).grade_id for cell in cells(FIRST) if role(cell).get("grade") and role(cell).solution)
    with Gradebook(f"sqlite:///{loop.folder / 'gradebook.db'}") as book:
        mark = book.find_grade(proof, FILE.removesuffix(".ipynb"), FIRST, "reference")
        mark.manual_score, mark.needs_manual_grade = 2.5, False
        book.db.commit()
    for folder in (loop.folder / "submitted").glob("*/*"):
        if folder.parent.name not in ("reference", "mixed", "corrupt") or folder.name != FIRST:
            shutil.rmtree(folder)
    said = run(loop.folder, "grade")
    assert said.stdout.startswith("0 graded, 2 graded before, 1 not graded")
    with (loop.folder / "scores" / f"{FIRST}.csv").open() as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["reference"][proof] == "2.5" and rows["reference"]["waiting"] == "0"
    assert float(rows["reference"]["score"]) == sum(points(FIRST).values()) + 2.5
    page = loop.folder / "feedback" / "reference" / FIRST / FILE.replace("ipynb", "html")
    assert f"(Score: {float(rows['reference']['score'])} /" in page.read_text()


def test_the_settings_hold_for_nbgrader_on_the_command_line_too(loop):
    """The totals of `nbgrader export` are those of scores/."""
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "nbgrader", "export", "--to", "scores.csv"]
    subprocess.run(command, cwd=loop.folder, env={**os.environ, "PATH": path}, check=True, capture_output=True)
    with (loop.folder / "scores.csv").open() as file:
        totals = {(row["student_id"], row["assignment"]): float(row["score"]) for row in csv.DictReader(file)}
    assert totals["mixed", FIRST] == sum(mixed()[1].values())


def test_grading_before_anything_was_released_or_handed_in_says_what_to_do(tmp_path, capsys):
    assert grading.grade(tmp_path, None, False) == 1
    assert "put notebooks in" in capsys.readouterr().err
    (tmp_path / "submitted").mkdir()
    assert grading.grade(tmp_path, None, False) == 1
    assert "release the sets first" in capsys.readouterr().err
    assert release.release(tmp_path) == 1
    assert "no problem sets" in capsys.readouterr().err


def test_the_released_notebooks_are_valid_and_carry_their_roles(loop):
    for name in SETS:
        notebook = released(loop.folder, name)
        nbformat.validate(notebook)
        roles = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert [r.grade_id for r in roles] == [role(c).grade_id for c in cells(name) if role(c)]
        assert all("checksum" in r for r in roles)
        assert json.dumps(notebook.metadata).count("/") == 0, "no path of a machine"
