"""The extra `lnn[nonlinear]`: lnn does without it, and what needs it says so."""

import subprocess
import sys

BLOCKED = "import sys; sys.modules.update(dict.fromkeys(('jax', 'equinox', 'optax', 'mlxtend')));"


def answer(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_lnn_imports_neither_jax_nor_the_room_that_needs_it():
    code = "import sys, lnn; print(sorted({'jax', 'equinox', 'optax', 'mlxtend', 'lnn.nonlinear'} & set(sys.modules)))"
    assert answer(code).stdout.strip() == "[]"


def test_without_the_extra_lnn_works_and_its_nonlinear_room_names_the_command():
    assert answer(f"{BLOCKED} import lnn; print(lnn.effective_rank([1.0, 1.0]).round(6))").stdout.strip() == "2.0"
    error = answer(f"{BLOCKED} import lnn.nonlinear").stderr
    assert "ImportError: lnn.nonlinear needs jax, equinox, optax, mlxtend: pip install 'lnn[nonlinear]'" in error
