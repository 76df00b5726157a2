"""Long runs can be interrupted at any moment: no file is half written, and what was done is not done again."""

import os
import random
import signal
import subprocess
import sys
import time

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
