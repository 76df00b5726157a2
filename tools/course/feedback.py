"""The pages that students get back: feedback/STUDENT/SET/NAME.html."""

import re
from pathlib import Path

import whole
from formulas import offline
from gradebook import complaint
from sets import without

TEMPLATES = Path(__file__).resolve().parent / "templates"
HEADING = re.compile(r"^#+ (?P<title>.*?)(?: \(\d+ points?\))?\s*$", re.M)


def title_above(source: str, before: str) -> str:
    """The last heading in a cell of text, without its points, or what it was before."""
    found = HEADING.findall(source)
    return found[-1] if found else before


def hide_tests(cell) -> None:
    """Leave of a graded test what students have seen before, and the message of the assertion that failed."""
    cell.source = without(cell.source, "HIDDEN TESTS")
    for output in cell.outputs:
        if output.output_type == "error":  # the traceback quotes the tests
            output.traceback = [f"{output.ename}: {output.evalue}"]


def named_tasks(hide: bool):
    """A step of nbconvert that gives each graded cell the title of its task, and says which ones wait for a grader."""
    from nbgrader.api import Gradebook
    from nbgrader.preprocessors import NbGraderPreprocessor

    class NameTasks(NbGraderPreprocessor):
        def preprocess(self, nb, resources):
            known = resources["nbgrader"]
            title, waiting = "", 0.0
            with Gradebook(known["db_url"]) as book:
                submission = book.find_submission_notebook(known["notebook"], known["assignment"], known["student"])
                open_ = {g.name for g in submission.grades if g.needs_manual_grade and g.manual_score is None}
            for cell in nb.cells:
                role = cell.metadata.get("nbgrader")
                if cell.cell_type == "markdown" and not (role and role.get("solution")):
                    title = title_above(cell.source, title)
                if hide and role and role.get("grade") and cell.cell_type == "code":
                    hide_tests(cell)
                if role and role.get("grade_id"):
                    role["title"] = title or role["grade_id"]
                    role["waiting"] = role["grade_id"] in open_
                    waiting += role["points"] if role["waiting"] else 0.0
            known["waiting"] = waiting
            return nb, resources

    return NameTasks


def write_feedback(api, student: str, assignment: str, hide: bool) -> str:
    """Write the page of one student and set, with or without the hidden tests; what went wrong, or ""."""
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbgrader.converters import GenerateFeedback
    from nbgrader.preprocessors import GetGrades
    from nbgrader.server_extensions import formgrader
    from nbgrader.utils import capture_log, temp_attrs

    nbgraders = Path(formgrader.__file__).parent / "templates"
    with temp_attrs(api.coursedir, assignment_id=assignment, student_id=student):
        app = GenerateFeedback(coursedir=api.coursedir, parent=api)
        app.preprocessors = [GetGrades, named_tasks(hide), CSSHTMLHeaderPreprocessor]
        app.config.HTMLExporter.template_name = "course"
        app.config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), str(nbgraders)]
        app.config.HTMLExporter.extra_template_paths = [*app.config.HTMLExporter.extra_template_paths, str(nbgraders)]
        app.force = True
        result = capture_log(app)
    if not result["success"]:
        return complaint(result)
    for page in (Path(api.coursedir.root) / "feedback" / student / assignment).glob("*.html"):
        whole.write(page, offline(page.read_text(encoding="utf-8")))
    return ""
