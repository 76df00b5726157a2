"""What a program that is handed in can do while it is graded: a malicious submission, and one that forges."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import confined
import nbformat
import pytest
from test_grading import FILE, FIRST, filled, hand_in, reference, run
from test_problem_sets import ROOT, SOURCE, tasks

# What the submission tries, each answered by what came of it: the name of an exception, or what it got.
ATTEMPTS = """
import json, os, socket, subprocess, time
COURSE, ROOT, HOME, PID = {course!r}, {root!r}, {home!r}, {pid}
def opened(path, mode="r"):
    with open(path, mode) as file:
        return file.read(20) if mode == "r" else file.write("changed")
def linger():
    subprocess.Popen(["sleep", "4242"], start_new_session=True)
    return "started"
attempts = {{
    "read the solutions": lambda: opened(f"{{COURSE}}/source/{first}/{file}"),
    "read the gradebook": lambda: os.path.getsize(f"{{COURSE}}/gradebook.db"),
    "read another submission": lambda: opened(f"{{COURSE}}/submitted/honest/{first}/{file}"),
    "read the right answers in the repository": lambda: os.listdir(f"{{ROOT}}/tests"),
    "read the home folder": lambda: opened(f"{{HOME}}/key"),
    "read the environment": lambda: os.environ["SECRET_TOKEN"],
    "read the environment of the grader": lambda: opened(f"/proc/{{PID}}/environ"),
    "write into the package": lambda: opened(f"{{ROOT}}/lnn/__init__.py", "a"),
    "write into the disk": lambda: opened("/var/tmp/../malice", "w"),
    "connect": lambda: socket.create_connection(("192.0.2.1", 9), 2),
    "connect to this machine": lambda: socket.create_connection(("127.0.0.1", {port}), 2),
    "send the grader a signal": lambda: os.kill(PID, 0),
    "uncover what is hidden": lambda: subprocess.run(["umount", os.path.dirname(COURSE)], check=True, stderr=-3),
    "fill the memory": lambda: len(bytearray(2**34)),
    "fill the disk": lambda: len([open("big", "ab").write(bytes(2**25)) for _ in range(8)]),
    "leave a process behind": linger,
}}
came = {{}}
for name, attempt in attempts.items():
    try:
        came[name] = attempt()
    except BaseException as error:
        came[name] = type(error).__name__
print("CAME OF IT:", json.dumps(came))
"""
# In every system, by limits and a scrubbed environment alone.
ALWAYS = {"read the environment": "KeyError", "fill the memory": "MemoryError", "fill the disk": "OSError"}
# With bubblewrap.
ALONE = {
    "read the solutions": "FileNotFoundError",
    "read the gradebook": "FileNotFoundError",
    "read another submission": "FileNotFoundError",
    "read the right answers in the repository": "FileNotFoundError",
    "read the home folder": "FileNotFoundError",
    "read the environment of the grader": ("FileNotFoundError", "PermissionError"),
    "write into the package": "OSError",
    "write into the disk": "OSError",
    "connect": "OSError",
    "connect to this machine": "ConnectionRefusedError",  # it is alone on its loopback
    "send the grader a signal": "ProcessLookupError",
    "uncover what is hidden": "CalledProcessError",
}


def lingering():
    """Number of processes that the submission has left behind."""
    found = 0
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += line.read_bytes().split(b"\0")[:2] == [b"sleep", b"4242"]
        except OSError:
            pass
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course of one set with an honest, a malicious and a forged submission, after grading."""
    folder, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("home")
    (home / "key").write_text("a secret")
    shutil.copytree(SOURCE / FIRST, folder / "source" / FIRST)
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", folder)
    before = dict(os.environ)
    os.environ |= {"SECRET_TOKEN": "a secret", "HOME": str(home)}
    server = socket.create_server(("127.0.0.1", 0))
    try:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        release = [sys.executable, "-m", "nbgrader", "generate_assignment", FIRST, "--create"]
        subprocess.run(release, cwd=folder, env={**os.environ, "PATH": path}, check=True, capture_output=True)
        hand_in(folder, "honest", filled(folder, reference()))
        answers = reference()
        answers[tasks(FIRST)[0]] += ATTEMPTS.format(
            course=str(folder),
            root=str(ROOT),
            home=str(home),
            pid=os.getpid(),
            port=server.getsockname()[1],
            first=FIRST,
            file=FILE,
        )
        hand_in(folder, "malicious", filled(folder, answers))
        empty = dict.fromkeys(reference(), "pass")
        empty[tasks(FIRST)[0]] = "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"
        hand_in(folder, "forged", filled(folder, empty))
        package = (ROOT / "lnn" / "__init__.py").read_bytes()
        said = run(folder, "grade", "--timeout", "60")
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.close()
    notebook = nbformat.read(folder / "autograded" / "malicious" / FIRST / FILE, as_version=4)
    text = "".join(o.get("text", "") for c in notebook.cells if c.cell_type == "code" for o in c.outputs)
    line = next(line for line in text.splitlines() if line.startswith("CAME OF IT:"))
    came = json.loads(line.removeprefix("CAME OF IT:"))
    alone = "WARNING" not in said.stderr
    return SimpleNamespace(folder=folder, said=said, came=came, alone=alone, package=package)


def points(graded, student):
    with (graded.folder / "scores" / f"{FIRST}.csv").open() as file:
        return next(float(row["automatic"]) for row in csv.DictReader(file) if row["student"] == student)


def test_limits_and_a_clean_environment_hold_everywhere(graded):
    assert graded.said.returncode == 0, graded.said.stderr
    assert {name: graded.came[name] for name in ALWAYS} == ALWAYS
    assert graded.came["leave a process behind"] == "started"


def test_a_submission_sees_changes_and_reaches_nothing_outside(graded):
    if not graded.alone:
        pytest.skip("no bubblewrap that works: make grade says so, and the README what to do")
    for name, wanted in ALONE.items():
        assert graded.came[name] == wanted or graded.came[name] in wanted, f"{name}: {graded.came[name]}"
    assert (ROOT / "lnn" / "__init__.py").read_bytes() == graded.package and not Path("/var/malice").exists()


def test_nothing_outlives_the_grading(graded):
    if not graded.alone:
        pytest.skip("no bubblewrap that works")
    deadline = time.monotonic() + 10
    while lingering() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not lingering()


def test_the_honest_get_their_points_whoever_is_graded_beside_them(graded):
    assert points(graded, "honest") == points(graded, "malicious") == 23


def test_a_forged_result_is_not_stopped(graded):
    """Tests run in the process of the answers: points are evidence and no proof, as the README says."""
    assert points(graded, "forged") == 23
    assert "(student forged) has kept the grader from looking for replaced functions" in graded.said.stderr
    said = (ROOT / "exercises" / "README.md").read_text()
    assert "forge" in said and "evidence, not proof" in said


def test_a_program_that_forks_without_end_is_bounded():
    code = "import os\ntry:\n for _ in range(5000):\n  os.fork() or os._exit(0)\nexcept OSError:\n print('bounded')"
    with confined.kernel([ROOT], [ROOT / "lnn"]) as kernel:
        plan = Path(kernel.connection_file).parent.parent / "plan.json"
        if os.getuid() == 0:
            pytest.skip("the limit on processes does not hold for root: grade as another user")
        command = confined.self_call(str(plan), sys.executable, "-c", code)
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said.stdout.startswith("bounded")


@pytest.mark.parametrize("bwrap", [None, "/bin/false", "says why"])
def test_without_a_sandbox_it_says_why_in_one_line_and_still_limits(monkeypatch, tmp_path, bwrap):
    reason = confined.MISSING if bwrap is None else "bubblewrap does not work here: "
    if bwrap == "says why":
        bwrap = tmp_path / "bwrap"
        bwrap.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
        bwrap.chmod(0o755)
        reason += "No permissions to create a new namespace"
    monkeypatch.setattr(shutil, "which", lambda _: bwrap and str(bwrap))
    monkeypatch.setenv("SECRET_TOKEN", "a secret")
    code = "import os, resource; print('SECRET_TOKEN' in os.environ, resource.getrlimit(resource.RLIMIT_CPU)[0])"
    with confined.kernel([ROOT], [ROOT / "lnn"]) as kernel:
        assert kernel.exposed.startswith(reason) and "\n" not in kernel.exposed
        plan = Path(kernel.connection_file).parent.parent / "plan.json"
        command = confined.self_call(str(plan), sys.executable, "-c", code)
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said.stdout.split() == ["False", str(confined.LIMITS["CPU"])]
