"""Grading that is killed and taken up again: nobody goes on with it, the scores are right, nothing is half-written."""

import signal
import subprocess
import sys
import time

import grading
import nbformat
import psutil
import pytest
from small_course import FILE, RIGHT, ROOT, SET, WRONG, filled, hand_in, make, page, table

POINTS = {"ada": "3.0", "emmy": "0.0", "kurt": "3.0", "zoe": "0.0"}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=lambda how: how.name)
def test_grading_that_was_killed_is_taken_up(tmp_path, how):
    course = make(tmp_path / "course")
    for student, points in POINTS.items():
        hand_in(course, student, filled(course, RIGHT if points == "3.0" else WRONG))
    grade = [sys.executable, str(ROOT / "tools/course/course.py"), "grade", "--course", str(course)]
    begun = subprocess.Popen([*grade, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(course.glob(f"autograded/*/{SET}/{FILE}")) and begun.poll() is None:
        time.sleep(0.1)
    started = psutil.Process(begun.pid).children(recursive=True)
    begun.send_signal(how)
    assert begun.wait(120) != 0 and started
    assert psutil.wait_procs(started, timeout=120)[1] == []
    done = subprocess.run(grade, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {student: row["ps1-double"] for student, row in table(course).items()} == POINTS
    for student in POINTS:
        nbformat.validate(nbformat.read(course / "autograded" / student / SET / FILE, as_version=4))
        assert page(course, student).read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path for path in course.rglob("*") if path.suffix == ".part" or path.name.endswith("-journal")] == []


def test_what_a_killed_run_left_of_a_notebook_is_graded_anew(tmp_path):
    course = make(tmp_path / "course")
    hand_in(course, "ada", filled(course, RIGHT))
    assert grading.grade(course, None, False, jobs=1) == 0
    first = table(course)
    (course / "autograded" / "ada" / SET / FILE).write_text("")
    assert grading.grade(course, None, True, jobs=1) == 0
    assert table(course) == first and first["ada"]["ps1-double"] == "3.0"
