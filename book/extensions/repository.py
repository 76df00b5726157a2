"""Where the sources of the book live: the one place that knows the repository's address.

It is found when the book is built: the variable LNN_REPOSITORY, else what GitHub's workflows set, else the git remote
`origin` where that is an address of the web. Without one nothing links to a repository: no dead button is drawn.
"""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "main"  # what Binder and JupyterHubs fetch


def web_address(remote: str) -> str | None:
    """The https address of a git remote, without `.git`; None for a folder or anything else that no browser opens.

    >>> web_address("git@github.com:owner/name.git")
    'https://github.com/owner/name'
    >>> web_address("/srv/clone")
    """
    url = r"(?:https?|git|(?:git\+)?ssh(?:\+git)?)://(?:[^@/]+@)?([\w-]+(?:\.[\w-]+)+)(?::\d+)?/"
    copy = r"(?:[\w.-]+@)?([\w-]+(?:\.[\w-]+)+):(?!/)"  # the short form of ssh, user@host:path
    found = re.fullmatch(rf"(?:{url}|{copy})(.+?)(?:\.git)?/?", remote.strip())
    return f"https://{found[1] or found[2]}/{found[3]}" if found else None


def address() -> str | None:
    """The repository's https address, such as `https://github.com/owner/name`, or None where none is known."""
    if os.environ.get("LNN_REPOSITORY"):
        return web_address(os.environ["LNN_REPOSITORY"])
    if os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{os.environ['GITHUB_REPOSITORY']}"
    top, remote = git("rev-parse", "--show-toplevel"), git("remote", "get-url", "origin")
    # A copy without a history of its own, inside another repository, has not that one's address.
    return web_address(remote) if top and Path(top).resolve() == ROOT.resolve() else None


def git(*arguments: str) -> str:
    """What git answers in this repository; nothing where there is no git, no repository or no answer."""
    try:
        found = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, encoding="utf-8")
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def slug() -> str | None:
    """The `owner/name` of a repository on GitHub, which Binder and Colab ask for; None elsewhere."""
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", address() or "")
    return found[1] if found else None


def origin() -> str | None:
    """What pip installs the package from: the repository at the commit that a workflow builds, else at its branch."""
    found = address()
    return f"git+{found}@{os.environ.get('GITHUB_SHA') or BRANCH}" if found else None


def site() -> str | None:
    """The address at which the book is published, with a slash at its end: LNN_SITE, else GitHub's Pages, or None."""
    if os.environ.get("LNN_SITE"):
        return os.environ["LNN_SITE"].rstrip("/") + "/"
    if slug() is None:
        return None
    owner, name = slug().split("/")
    home = f"https://{owner.lower()}.github.io/"
    return home if name.lower() == f"{owner.lower()}.github.io" else f"{home}{name}/"
