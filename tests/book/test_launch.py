"""Running a page elsewhere: links where they lead somewhere, and notebooks that install the package by themselves."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import launch
import nbformat
import pytest
import repository
from built import SITE
from nbclient import NotebookClient

NAMES = [page.stem for page in launch.notebooks()]
ORIGIN = "git+https://example.org/owner/name@main"


def read(name):
    return nbformat.read(launch.CHAPTERS / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("name", NAMES)
def test_the_copy_has_one_more_cell_before_the_first_code_and_is_else_the_same(name):
    notebook, stamped = read(name), launch.stamp(read(name), ORIGIN)
    nbformat.validate(stamped)
    k = next(k for k, cell in enumerate(stamped.cells) if cell.cell_type == "code")
    assert ORIGIN in stamped.cells[k].source
    del stamped.cells[k]
    assert stamped == notebook


def test_without_an_address_the_copy_is_the_notebook_itself():
    assert launch.stamp(read(NAMES[0]), None) == read(NAMES[0])


@pytest.mark.parametrize(
    ("line", "extra"), [("import jax.numpy as jnp", "nonlinear"), ("import jaxtyping", "chapters")]
)
def test_a_notebook_asks_for_the_extra_that_it_needs(line, extra):
    cells = [nbformat.v4.new_code_cell("import lnn"), nbformat.v4.new_code_cell(f"rng = 0\n{line}")]
    assert launch.requirement(nbformat.v4.new_notebook(cells=cells), ORIGIN) == f"lnn[{extra}] @ {ORIGIN}"


def test_a_workflow_installs_the_commit_that_it_builds(monkeypatch):
    monkeypatch.setenv("LNN_REPOSITORY", "git@github.com:owner/name.git")
    monkeypatch.setenv("GITHUB_SHA", "0123abc")
    assert repository.origin() == "git+https://github.com/owner/name@0123abc"
    monkeypatch.delenv("GITHUB_SHA")
    assert repository.origin() == "git+https://github.com/owner/name@main"


def bar(monkeypatch, remote, page="chapters/linear_networks"):
    monkeypatch.setattr(repository, "address", lambda: repository.web_address(remote))
    context = {"body": "<h1>Title</h1><p>Text</p><h1>Second</h1>"}
    launch.draw(SimpleNamespace(launched={"linear_networks"}), page, "page.html", context, None)
    return context["body"]


def test_links_stand_once_under_the_title_and_lead_to_this_notebook(monkeypatch):
    body = bar(monkeypatch, "https://github.com/owner/name.git")
    assert body.index("</h1>") < body.index("<nav") < body.index("Text") and body.count("<nav") == 1
    for address in (
        "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/chapters/linear_networks.ipynb",
        "https://colab.research.google.com/github/owner/name/blob/notebooks/linear_networks.ipynb",
        "../notebooks/linear_networks.ipynb",
    ):
        assert f'href="{address}"' in body


def test_without_an_address_on_github_no_dead_link_is_drawn(monkeypatch):
    for remote in ("", "/srv/clone", "https://gitlab.example/group/name"):
        body = bar(monkeypatch, remote)
        assert "Binder" not in body and "Colab" not in body and "Download notebook" in body


def test_a_page_without_code_has_no_links(monkeypatch):
    assert "<nav" not in bar(monkeypatch, "https://github.com/owner/name", page="chapters/notation")
    assert "<nav" not in bar(monkeypatch, "https://github.com/owner/name", page="api/linear_networks")


def test_nbgitpuller_opens_the_notebook_in_the_fetched_folder():
    link = launch.hub_link("https://hub.example.edu/", "preface", "https://github.com/owner/name")
    assert link == (
        "https://hub.example.edu/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2Fowner%2Fname"
        "&branch=main&urlpath=lab%2Ftree%2Fname%2Fchapters%2Fpreface.ipynb"
    )


def test_every_built_page_with_code_has_its_links_and_no_other_launch_button():
    if not (SITE / "notebooks").exists():
        pytest.fail("the built book is missing: run `make book` (or `make test`, which does)")
    pages = {path.stem: path.read_text() for path in SITE.glob("chapters/*.html")}
    drawn = {name for name, text in pages.items() if 'class="launch' in text}
    assert drawn == set(NAMES) == {path.stem for path in SITE.glob("notebooks/*.ipynb")}
    for name, text in pages.items():
        assert "dropdown-launch-buttons" not in text, name
        assert text.count("mybinder.org/v2") == text.count("colab.research.google.com/github") <= 1, name
        assert (name in drawn) or "mybinder.org/v2" not in text, name


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A Python as Colab has it, the package missing: NumPy, SciPy, Matplotlib and SymPy are there, and pip."""
    folder = tmp_path_factory.mktemp("elsewhere")
    uv, python = Path(sys.executable).parent / "uv", folder / "environment" / "bin" / "python"
    if not repository.git("rev-parse", "HEAD"):
        pytest.skip("no git repository here to install from")
    run(uv, "venv", "--seed", folder / "environment", check=True)
    if run(python, "-m", "pip", "download", "--no-deps", "--dest", folder / "index", "setuptools>=77").returncode:
        pytest.skip("no package index can be reached")
    there = ["ipykernel", "numpy", "scipy", "matplotlib", "sympy", "tqdm", "joblib", "pooch"]
    locked = ["--constraints", repository.ROOT / "constraints.txt"]
    run(uv, "pip", "install", "--python", python, *locked, *there, check=True)
    run(python, "-m", "ipykernel", "install", "--prefix", folder / "environment", "--name", "elsewhere", check=True)
    return folder


def test_the_first_cells_run_where_nothing_but_the_notebook_is(elsewhere, monkeypatch, tmp_path):
    origin = f"git+{repository.ROOT.as_uri()}"
    copy = next(path for path in launch.write(tmp_path, origin) if path.stem == "linear_networks")
    notebook = nbformat.read(copy, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:2]
    report = "import json, sys, lnn\nprint(json.dumps([lnn.__file__, sys.path]))"
    notebook.cells.append(nbformat.v4.new_code_cell(report))
    monkeypatch.setenv("JUPYTER_PATH", str(elsewhere / "environment" / "share" / "jupyter"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="elsewhere", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(stderr=subprocess.DEVNULL)
    place, path = json.loads(notebook.cells[-1].outputs[-1].text)
    assert Path(place).is_relative_to(elsewhere / "environment") and "site-packages" in place
    assert not any(Path(entry) == repository.ROOT for entry in path)
