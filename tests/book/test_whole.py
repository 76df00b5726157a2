"""Long runs can be interrupted at any moment: no file is half written, and what was done is not done again."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import nbformat
import pytest
import whole

TOOLS = whole.ROOT / "tools"
REWRITE = """
import sys
sys.path.append({tools!r})
import whole
from pathlib import Path
print("begun", flush=True)
while True:
    for letter in "ab":
        whole.write(Path({path!r}), letter * 3_000_000)
"""


def test_a_program_killed_at_a_random_moment_leaves_the_old_file_or_the_new_one(tmp_path):
    draw, path = random.Random(0), tmp_path / "page.txt"
    path.write_text("a" * 3_000_000)
    for _ in range(10):
        code = REWRITE.format(tools=str(TOOLS), path=str(path))
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(draw.uniform(0, 0.1))
            writer.send_signal(signal.SIGKILL)
        text = path.read_text()
        assert len(text) == 3_000_000 and len(set(text)) == 1
    whole.write(path, "c")
    assert path.read_text() == "c" and list(tmp_path.iterdir()) == [path]  # the parts of those killed are gone


def test_a_write_that_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("before")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        whole.write(path, "after")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def a_run(folder, source, done, stop=None):
    """A run of three parts, which is interrupted in one of them."""

    def part(name):
        if name == stop:
            raise KeyboardInterrupt
        done.append(name)
        return [name, len(done)]

    kept = whole.Unfinished("run", folder)
    found = [kept(name, [source], lambda name=name: part(name)) for name in ("one", "two", "three")]
    kept.finish()
    return found


def test_a_run_that_was_interrupted_goes_on_where_it_was_and_then_begins_anew(tmp_path, capsys):
    source, done = tmp_path / "page.md", []
    source.write_text("text")
    with pytest.raises(KeyboardInterrupt):
        a_run(tmp_path / "kept", source, done, stop="three")
    assert done == ["one", "two"] and "interrupted" not in capsys.readouterr().out
    assert a_run(tmp_path / "kept", source, done) == [["one", 1], ["two", 2], ["three", 3]]
    assert done == ["one", "two", "three"] and "interrupted, 2 parts in" in capsys.readouterr().out
    a_run(tmp_path / "kept", source, done)
    assert done == ["one", "two", "three"] * 2


def test_what_was_computed_from_other_files_is_computed_again(tmp_path):
    source, done = tmp_path / "page.md", []
    source.write_text("text")
    with pytest.raises(KeyboardInterrupt):
        a_run(tmp_path / "kept", source, done, stop="two")
    source.write_text("another text")
    a_run(tmp_path / "kept", source, done)
    assert done == ["one", "one", "two", "three"]


def killed_and_run_again(program, folder, seconds, check):
    """Start a program, kill it at a random moment, look, and so on; then let it come to its end."""
    draw = random.Random(1)
    for wait in [draw.uniform(0, seconds) for _ in range(4)] + [None]:
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=folder, stderr=subprocess.PIPE, text=True
        ) as running:
            try:
                _, said = running.communicate(timeout=wait)
                assert running.returncode == 0, said
            except subprocess.TimeoutExpired:
                running.kill()
        check()


PAGES = """
import sys
sys.path += [{tools!r}, {tools!r} + "/notebooks", {tools!r} + "/pages"]
import functools, pathlib, notebooks, pages, timing, whole
notebooks.CHAPTERS = pathlib.Path("chapters").resolve()
pages.STATISTICS = pathlib.Path("statistics.json")
whole.Unfinished = functools.partial(whole.Unfinished, folder=pathlib.Path("unfinished"))
sys.argv[1:] = {arguments!r}
sys.exit({module}.main())
"""
TEXT = """---
kernelspec: {{name: python3, display_name: Python 3}}
---

# A page

```{{code-cell}}
with open("ran.txt", "a") as file:
    print("{name}", file=file)
```
"""


@pytest.mark.parametrize(("module", "arguments"), [("notebooks", ["--all"]), ("timing", [])])
def test_pages_that_are_killed_while_they_run_are_whole_or_not_there_and_what_was_run_is_not_run_again(
    module, arguments, tmp_path
):
    """It starts five programs, and kernels for each of them."""
    chapters, names = tmp_path / "chapters", ["one", "two", "three"]
    chapters.mkdir()
    for name in names:
        (chapters / f"{name}.md").write_text(TEXT.format(name=name))
    twins, done = [chapters / f"{name}.ipynb" for name in names], []

    def check():
        for twin in twins:
            assert not twin.exists() or nbformat.read(twin, as_version=4).cells[1].execution_count == 1
        for path in [*tmp_path.glob("*.json"), *tmp_path.glob("unfinished/*.json")]:
            kept = json.loads(path.read_text())
        ran = (chapters / "ran.txt").read_text().split() if (chapters / "ran.txt").exists() else []
        done.append((set(kept) if list(tmp_path.glob("unfinished/*.json")) else set(), ran))

    program = PAGES.format(tools=str(TOOLS), module=module, arguments=arguments)
    killed_and_run_again(program, tmp_path, 6.0, check)
    for (through, before), (_, after) in zip(done, done[1:], strict=False):
        assert not through & set(after[len(before) :])
    assert not list(tmp_path.glob("unfinished/*.json"))
    if module == "timing":
        assert set(json.loads((tmp_path / "statistics.json").read_text())["notebooks"]) == set(names)
    else:
        assert all(twin.exists() for twin in twins)


MUTANTS = """
import sys
sys.path += [{tools!r}, {tools!r} + "/quality"]
import pathlib, whole
whole.ROOT = pathlib.Path.cwd()
import mutants
sys.exit(mutants.main())
"""
SUMS = """
def total(values):
    found = 0
    for value in values:
        found = found + value
    return found


def largest(values):
    found = values[0]
    for value in values[1:]:
        found = value if value > found else found
    return found
"""


def test_mutants_that_are_killed_are_run_again_and_those_of_a_function_that_changed(tmp_path):
    """It starts six programs, and five runs of mutmut."""
    pytest.importorskip("mutmut")
    for folder in ("lnn", "tests"):
        (tmp_path / folder).mkdir()
    source, stored = tmp_path / "lnn" / "sums.py", tmp_path / "tests" / "mutants.json"
    source.write_text(SUMS)
    (tmp_path / "lnn" / "__init__.py").write_text("")
    (tmp_path / "tests" / "test_sums.py").write_text(
        "from lnn.sums import largest, total\n\ndef test_them():\n"
        "    assert total([1, 2]) == 3 and largest([1, 2]) == 2 and largest([3, 1, 2]) == 3\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.mutmut]\nsource_paths = ["lnn"]\npytest_add_cli_args_test_selection = ["tests"]\n'
        "[tool.pytest.ini_options]\n"
    )

    def letters():
        found = json.loads(stored.read_text())["lnn.sums"] if stored.exists() else {}
        return {name: entry["mutants"] for name, entry in found.items()}

    before = []

    def check():
        for name, known in (before[-1] if before else {}).items():
            assert all(old in (".", new) for old, new in zip(known, letters()[name], strict=True))
        before.append(letters())

    killed_and_run_again(MUTANTS.format(tools=str(TOOLS)), tmp_path, 8.0, check)
    total, largest = before[-1]["x_total"], before[-1]["x_largest"]
    assert set(total) == {"k"} and set(largest) == {"k", "s"}
    source.write_text(SUMS.replace("values[1:]", "values"))
    only_look = MUTANTS.format(tools=str(TOOLS)).replace("sys.exit", 'sys.argv[1:] = ["--minutes", "0"]; sys.exit')
    subprocess.run([sys.executable, "-c", only_look], cwd=tmp_path, check=True, capture_output=True)
    assert letters()["x_total"] == total and set(letters()["x_largest"]) == {"."}
