"""Settings of nbgrader for this course, read by every `nbgrader` command that is typed in this folder."""

c = get_config()  # noqa: F821, defined by nbgrader

c.CourseDirectory.course_id = "linear_neural_networks"

# The text NAME.md beside a notebook is what authors edit, and holds the solutions: nbgrader must not copy it.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.md"]

# An endless loop is interrupted after so many seconds, its task earns nothing, and the rest is graded.
c.Execute.timeout = 60

# A warning printed while a test runs is no wrong answer; by default nbgrader would give it no points.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s)."

# A test that a student has deleted is put back, after the cell that it tests.
c.OverwriteCells.add_missing_cells = True

# Remarks of the kernel about itself are not shown.
c.Execute.extra_arguments = ["--log-level=ERROR"]
