"""The address of the repository: from the environment, from GitHub's workflows, from the git remote, or none."""

import subprocess

import pytest
import repository


@pytest.fixture(autouse=True)
def _no_address(monkeypatch):
    for name in ("LNN_REPOSITORY", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/owner/name",
        "https://github.com/owner/name.git",
        "https://token@github.com/owner/name.git/",
        "git@github.com:owner/name.git",
        "ssh://git@github.com/owner/name.git",
        "ssh://git@github.com:22/owner/name.git",
        "ssh://github.com/owner/name",
        "git+ssh://git@github.com/owner/name.git",
        "git://github.com/owner/name.git",
        "https://someone:token@github.com:443/owner/name.git",
        "org-1234@github.com:owner/name.git",
        "github.com:owner/name",
    ],
)
def test_every_form_of_a_remote_gives_one_address(remote):
    assert repository.web_address(remote) == "https://github.com/owner/name"


@pytest.mark.parametrize(
    "remote", ["", "../clone", "/srv/git/clone.git", "file:///srv/clone", "C:/clone", "alias:owner/name"]
)
def test_what_no_browser_opens_is_no_address(remote):
    assert repository.web_address(remote) is None


def test_environment_goes_before_workflow(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "fork/name")
    assert repository.address() == "https://github.com/fork/name"
    assert repository.slug() == "fork/name"
    monkeypatch.setenv("LNN_REPOSITORY", "git@gitlab.example:group/name.git")
    assert repository.address() == "https://gitlab.example/group/name"
    assert repository.slug() is None


def test_without_any_remote_there_is_no_address(monkeypatch, tmp_path):
    monkeypatch.setattr(repository, "ROOT", tmp_path)
    assert repository.address() is None
    assert repository.slug() is None


def test_a_copy_inside_another_repository_has_not_the_address_of_that_one(monkeypatch, tmp_path):
    inner = tmp_path / "copy (ü)"
    inner.mkdir()
    for command in (["init", "-q"], ["remote", "add", "origin", "https://github.com/other/one"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(repository, "ROOT", inner)
    assert repository.address() is None
    monkeypatch.setattr(repository, "ROOT", tmp_path)
    assert repository.address() == "https://github.com/other/one"


def test_without_git_there_is_no_address(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert repository.address() is None
