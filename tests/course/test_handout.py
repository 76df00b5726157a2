"""What is handed out after the deadline: solutions without tests and rubrics; and the sheet for marking."""

import handout
import pypdf
import pytest
import sets
import small_course

COURSE = sets.ROOT / "exercises"
SETS = sets.sets(COURSE)


def text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


@pytest.mark.parametrize("name", SETS)
def test_solutions_have_every_task_and_no_test_no_rubric_no_marker(name):
    given = text(handout.solutions(COURSE, name))
    assert "### " not in given and "Rubric" not in given and "assert " not in given
    assert given.count("\n## Task ") + given.startswith("## Task ") == len(
        [r for r in sets.roles(COURSE, name) if r.grade]
    )
    assert "**Model proof.**" in given and "raise NotImplementedError()" not in given


@pytest.mark.parametrize("name", SETS)
def test_the_sheet_has_every_task_with_its_points_and_every_line_of_the_rubric(name):
    sheet = text(handout.marks(COURSE, name))
    graded = [role for role in sets.roles(COURSE, name) if role.grade]
    assert sheet.count("| automatic |") + sheet.count("| by hand |") == len(graded)
    boxes = [int(line.split("**")[1]) for line in sheet.splitlines() if line.startswith("- ☐ ")]
    assert sum(boxes) == sum(role.points for role in graded if role.solution)
    assert "Model proof" not in sheet


def test_both_are_written_and_printed_where_there_is_a_browser(tmp_path, capsys):
    small_course.write_source(tmp_path)
    assert handout.handout(tmp_path, ["ps7_none"]) == 1
    assert handout.handout(tmp_path, []) == 0
    page = tmp_path / "handout" / f"{small_course.SET}.html"
    assert "By induction" in page.read_text() and "HIDDEN" not in page.read_text()
    if handout.CHROMIUM:
        printed = pypdf.PdfReader(page.with_suffix(".pdf")).pages[0].extract_text()
        assert "By induction" in printed and "Twice a number" in printed
        assert page.with_name(f"{small_course.SET}_marks.pdf").exists()
