"""The problem sets: well formed, solvable, their checkers fair (right answers pass) and sharp (wrong ones do not).

problem_sets/psN_NAME.py holds, for every autograded task, right answers that are written differently from the reference
(RIGHT), plausible wrong ones (WRONG), and names that an answer must not use (BANNED, optional).
"""

import ast
import importlib.util
import re
import signal
import sys
import tomllib
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import authoring
import jupytext
import nbformat
import notebooks
import pages
import pytest
import sets
import variants

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "exercises" / "source"
SETS = sets.in_order(folder.name for folder in SOURCE.glob("ps*_*"))
LIMIT = 120  # seconds for the cells up to one task, on a slow and busy machine


@cache
def cells(name):
    """Cells of the text of a set, as written by its author."""
    return jupytext.read(SOURCE / name / f"{name.split('_', 1)[1]}.md", fmt="md:myst").cells


def role(cell):
    return cell.metadata.get("nbgrader", {})


def tasks(name):
    """Names of the autograded tasks: the solution cells with code, but for the one that asks who the student is."""
    found = [role(c).grade_id for c in cells(name) if c.cell_type == "code" and role(c).get("solution")]
    return [task for task in found if not task.endswith(variants.NAME)]


@cache
def answers(name):
    path = ROOT / "tests" / "course" / "problem_sets" / f"{name}.py"
    if not path.exists():  # the tests of the tasks say what is missing
        return SimpleNamespace(RIGHT={}, WRONG={}, BANNED={})
    spec = importlib.util.spec_from_file_location(f"answers_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cell_of(name, grade_id):
    (found,) = [cell for cell in cells(name) if role(cell).get("grade_id") == grade_id]
    return found


def reference(name, task):
    return cell_of(name, task).source


def visible(name, task):
    return sets.without(cell_of(name, f"{task}-test").source, "HIDDEN TESTS")


class TooLong(Exception):
    """The cells ran out of time."""


def run(name, task, answer, *, others="reference", check="hidden"):
    """Execute the cells of a set up to the tests of `task`, with `answer` in the task's cell.

    The other tasks' cells hold the reference, or, with others="untouched", what students get (which raises, and is
    forgiven). Tests of other tasks are left out, so that no task can rely on them.
    """

    def stop(*_):
        raise TooLong(f"more than {LIMIT} s")

    space = {"__name__": "__main__"}
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in grading, where a warning costs no points
            for cell in cells(name):
                if cell.cell_type != "code":
                    continue
                grade_id = role(cell).get("grade_id", "")
                if grade_id == f"{task}-test":
                    exec(compile(cell.source if check == "hidden" else visible(name, task), grade_id, "exec"), space)
                    return
                if role(cell).get("grade"):
                    continue
                if grade_id == task:
                    exec(compile(answer, task, "exec"), space)
                elif others == "untouched" and role(cell).get("solution") and not grade_id.endswith(variants.NAME):
                    try:
                        exec(compile(sets.untouched(cell.source), grade_id, "exec"), space)
                    except NotImplementedError:
                        pass
                else:
                    exec(compile(cell.source, grade_id or "given", "exec"), space)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    raise AssertionError(f"{name} has no tests for {task}")


TASKS = [(name, task) for name in SETS for task in tasks(name)]
RIGHT = [(name, task, k) for name, task in TASKS for k in range(len(answers(name).RIGHT.get(task, ())))]
WRONG = [(name, task, mistake) for name, task in TASKS for mistake in answers(name).WRONG.get(task, ())]


@pytest.fixture(autouse=True)
def no_windows(monkeypatch):
    import matplotlib

    matplotlib.use("agg")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda *_, **__: None)


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_the_reference_passes_also_where_all_other_tasks_are_untouched(name, task):
    run(name, task, reference(name, task))
    run(name, task, reference(name, task), others="untouched")
    run(name, task, reference(name, task), check="visible")


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_an_untouched_task_earns_nothing(name, task):
    given = sets.untouched(reference(name, task))
    assert "SOLUTION" not in given
    with pytest.raises(Exception):  # noqa: B017
        run(name, task, given)
    with pytest.raises(Exception):  # noqa: B017
        run(name, task, given, check="visible")


@pytest.mark.parametrize("name, task, k", RIGHT, ids=lambda value: str(value))
def test_a_right_answer_of_another_kind_passes(name, task, k):
    run(name, task, answers(name).RIGHT[task][k])


@pytest.mark.parametrize("name, task, mistake", WRONG, ids=lambda value: str(value).replace(" ", "-"))
def test_a_wrong_answer_is_rejected(name, task, mistake):
    source = answers(name).WRONG[task][mistake]
    compile(source, mistake, "exec")  # a slip of the pen here would be rejected for the wrong reason
    with pytest.raises(Exception) as caught:
        run(name, task, source)
    assert not isinstance(caught.value, TooLong | NameError), f"rejected by accident: {caught.value!r}"


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_every_task_has_two_other_right_answers_and_five_wrong_ones(name, task):
    right, wrong = answers(name).RIGHT.get(task, []), answers(name).WRONG.get(task, {})
    assert len(set(right)) >= 2 and reference(name, task) not in right
    assert len(set(wrong.values())) >= 5
    assert not set(right) & set(wrong.values())


@pytest.mark.parametrize("name", SETS)
def test_there_are_no_answers_to_tasks_that_do_not_exist(name):
    module = answers(name)
    assert set(module.RIGHT) | set(module.WRONG) | set(getattr(module, "BANNED", {})) <= set(tasks(name))


def names_used(source):
    nodes = list(ast.walk(ast.parse(source)))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_neither_the_reference_nor_another_right_answer_calls_what_answers_the_task(name, task):
    banned = set(getattr(answers(name), "BANNED", {}).get(task, ()))
    for source in (reference(name, task), *answers(name).RIGHT.get(task, [])):
        defined = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
        assert not banned & (names_used(source) - defined)


@pytest.mark.parametrize("name", SETS)
def test_the_notebook_agrees_with_its_text_and_has_not_been_executed(name):
    page = SOURCE / name / f"{name.split('_', 1)[1]}.md"
    notebook = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
    text = notebooks.text_of(jupytext.read(page, fmt="md:myst"))
    assert notebooks.text_of(notebook) == text, "run `.venv/bin/python tools/course/course.py pair`"
    for cell in notebook.cells:
        assert cell.cell_type != "code" or (cell.execution_count is None and not cell.outputs)
    assert {path.name for path in page.parent.iterdir() if not path.name.startswith(".")} == {
        page.name,
        page.with_suffix(".ipynb").name,
    }


KEYS = {"grade", "solution", "locked", "task", "grade_id", "points", "schema_version"}


@pytest.mark.parametrize("name", SETS)
def test_the_roles_of_the_cells_are_those_of_nbgrader(name):
    number = name.split("_")[0]
    ids = [role(cell).grade_id for cell in cells(name) if role(cell)]
    assert len(ids) == len(set(ids))
    for cell in cells(name):
        if not role(cell):
            assert "BEGIN SOLUTION" not in cell.source and "BEGIN HIDDEN" not in cell.source
            continue
        r = role(cell)
        assert re.fullmatch(rf"{number}-[a-z0-9-]+", r.grade_id)
        assert set(r) <= KEYS and r.schema_version == 3 and r.task is False
        assert ("points" in r) == r.grade
        if r.solution:
            lines = cell.source.splitlines()
            for edge in ("### BEGIN SOLUTION", "### END SOLUTION"):
                assert [line.strip() for line in lines].count(edge) == 1, f"{r.grade_id}: one {edge}"
            assert not r.locked and r.grade == (cell.cell_type == "markdown")
        else:
            assert r.locked and (not r.grade or r.grade_id.removesuffix("-test") in ids)
    for task in tasks(name):
        test = cell_of(name, f"{task}-test")
        assert role(test).grade and ids.index(f"{task}-test") > ids.index(task)


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_the_tests_have_a_visible_part_that_helps_and_a_hidden_part_that_decides(name, task):
    source = cell_of(name, f"{task}-test").source
    assert "### BEGIN HIDDEN TESTS" in source and "### END HIDDEN TESTS" in source
    shown = ast.parse(visible(name, task))
    asserts = [node for node in ast.walk(shown) if isinstance(node, ast.Assert)]
    assert asserts and all(node.msg is not None for node in asserts), "every visible assert says what it wants"
    imported = [alias.asname for node in shown.body if isinstance(node, ast.Import) for alias in node.names]
    assert "np" in imported, "the tests import numpy themselves: a student may have replaced np"
    hidden = source.split("### BEGIN HIDDEN TESTS")[1].split("### END HIDDEN TESTS")[0]
    assert any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(ast.parse(hidden)))


SHADOWED = {
    "abs",
    "all",
    "any",
    "enumerate",
    "float",
    "int",
    "len",
    "list",
    "max",
    "min",
    "range",
    "round",
    "set",
    "sum",
    "zip",
}


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_a_student_who_calls_a_variable_sum_loses_no_other_task(name, task):
    source = cell_of(name, f"{task}-test").source
    hidden = ast.parse(source.split("### BEGIN HIDDEN TESTS")[1].split("### END HIDDEN TESTS")[0])
    imports = [node for node in hidden.body if isinstance(node, ast.ImportFrom) and node.module == "builtins"]
    restored = {alias.name for node in imports for alias in node.names}
    used = {node.id for node in ast.walk(hidden) if isinstance(node, ast.Name)}
    assert used & SHADOWED <= restored, "import these from builtins, as a variable may have taken their names"


LABEL = re.compile(r"`((?:def|lem|prop|thm|cor|conj|claim)-[a-z0-9-]+)`")
HEADING = re.compile(r"^## Task (\d+)\. .+ \((\d+) points?\)$", re.M)


@pytest.mark.parametrize("name", SETS)
def test_points_are_on_every_task_and_add_up(name):
    graded = [cell for cell in cells(name) if role(cell).get("grade")]
    assert all(role(cell).points > 0 for cell in graded)
    total = sum(role(cell).points for cell in graded)
    assert 20 <= total <= 30
    text = "\n".join(cell.source for cell in cells(name) if cell.cell_type == "markdown")
    headings = [(int(k), int(points)) for k, points in HEADING.findall(text)]
    assert headings == [(k, role(cell).points) for k, cell in enumerate(graded, start=1)]
    opening = cells(name)[0].source
    assert f"{total} points" in opening and "minutes" in opening
    kinds = [cell.cell_type for cell in graded]
    assert kinds.count("code") >= 4 and kinds.count("markdown") == 1


@pytest.mark.parametrize("name", SETS)
def test_every_task_names_the_result_it_exercises(name):
    chapters = tomllib.loads((ROOT / "book" / "results.toml").read_text())
    labels = {label for chapter in chapters.values() for label in chapter}
    text = "\n".join(cell.source for cell in cells(name) if cell.cell_type == "markdown")
    for section in HEADING.split(text)[3::3]:
        named = LABEL.findall(section)
        assert named, f"no label in: {section.strip()[:80]}"
        assert set(named) <= labels, set(named) - labels


@pytest.mark.parametrize("name", SETS)
def test_the_first_page_says_the_rules_and_the_titles_of_the_statements(name):
    opening = " ".join(cells(name)[0].source.split())
    assert "double precision" in opening and "eight digits" in opening and "restart the kernel" in opening
    text = "\n".join(cell.source for cell in cells(name) if cell.cell_type == "markdown")
    titles = {}
    for page in (ROOT / "chapters").glob("*.md"):
        titles |= pages.statements(page)
    for label in set(LABEL.findall(text)):
        assert f"`{label}`, *{titles[label]}*" in opening


@pytest.mark.parametrize("name, task", TASKS, ids=lambda value: value)
def test_single_precision_is_not_enough_where_a_task_asks_for_a_function(name, task):
    asked = [node.name for node in ast.parse(sets.untouched(reference(name, task))).body if hasattr(node, "args")]
    if not asked:
        pytest.skip("a measurement, with a tolerance of its own")
    single = SINGLE.format(name=asked[0])
    with pytest.raises(AssertionError):
        run(name, task, reference(name, task) + single)


SINGLE = """
_double = {name}


def {name}(*arguments):
    def single(value):
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, (tuple, list)):
            return type(value)(single(part) for part in value)
        return np.asarray(value, dtype=np.float32)

    return single(_double(*arguments))
"""


@pytest.mark.parametrize("name", SETS)
def test_a_proof_has_its_rubric_and_the_rubric_adds_up(name):
    for cell in cells(name):
        if cell.cell_type == "markdown" and role(cell).get("grade"):
            solution = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
            rubric = re.findall(r"^[-*] (\d+) points?: ", solution.split("**Rubric**")[1], re.M)
            assert sum(map(int, rubric)) == role(cell).points and len(rubric) >= 2, role(cell).grade_id


@pytest.mark.parametrize("proof", [False, True])
def test_an_empty_task_has_the_cells_that_grading_needs(tmp_path, proof):
    name = SETS[0]
    page = tmp_path / "source" / name / f"{name.split('_', 1)[1]}.md"
    page.parent.mkdir(parents=True)
    page.write_text((SOURCE / name / page.name).read_text())
    before = jupytext.read(page, fmt="md:myst").cells
    assert authoring.new_task(tmp_path, name, "my-task", 4, proof) == 0
    assert authoring.new_task(tmp_path, name, "my-task", 4, proof) == 1, "its name is taken"
    assert authoring.new_task(tmp_path, name, "My task", 4, proof) == 1
    after = jupytext.read(page, fmt="md:myst").cells
    assert [c.source for c in after[: len(before)]] == [c.source for c in before]
    heading, *rest = after[len(before) :]
    last = max(int(k) for c in before for k, _ in HEADING.findall(c.source))
    assert HEADING.findall(heading.source) == [(str(last + 1), "4")]
    roles_ = [role(cell) for cell in rest]
    assert [r.grade_id for r in roles_] == ["ps1-my-task"] + ([] if proof else ["ps1-my-task-test"])
    assert all(set(r) <= KEYS and ("points" in r) == r.grade and r.locked != r.solution for r in roles_)
    if not proof:
        space = {}
        exec(rest[0].source, space)
        exec(rest[1].source, space)
        assert "raise NotImplementedError" in sets.untouched(rest[0].source)


def sets_table():
    """What the page for instructors must say about the sets, read off their openings and headings."""
    rows = ["| set | goes with | minutes | points | of them for proofs |", "|---|---|---|---|---|"]
    for name in SETS:
        opening = cells(name)[0].source
        minutes = re.search(r"(\d+) minutes", opening)[1]
        graded = [role(cell) for cell in cells(name) if role(cell).get("grade")]
        points = [sum(r.points for r in graded if r.solution == by_hand) for by_hand in (False, True)]
        link = f"{{doc}}`{name.split('_', 1)[1]}`"
        rows.append(f"| {name[2:].split('_')[0]} | {link} | {minutes} | {sum(points)} | {points[1]} |")
    return "\n".join(rows)


def test_the_page_for_instructors_has_the_table_of_the_sets():
    assert sets_table() in (ROOT / "chapters" / "teaching.md").read_text(), f"put this in:\n{sets_table()}"


def test_every_chapter_of_the_lecture_has_its_set():
    chapters = [c.stem for c in (ROOT / "chapters").glob("*.md")]
    with_results = [c for c in tomllib.loads((ROOT / "book" / "results.toml").read_text()) if c in chapters]
    assert [name.split("_", 1)[0] for name in SETS] == [f"ps{k}" for k in range(1, len(SETS) + 1)]
    assert set(with_results) == {name.split("_", 1)[1] for name in SETS}
