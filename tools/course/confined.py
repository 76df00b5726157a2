"""Programs of others with as few rights as this machine lets us take from them: what `make grade` runs notebooks in.

`kernel` is what the grader uses: for as long as it is entered there is a Jupyter kernel of the name `confined`, which
this same file, called as a program, starts:

    python confined.py PLAN COMMAND …

Always: nothing of the environment but the path, limits on processor time, memory, file sizes and processes, a working
folder of its own. With bubblewrap (https://github.com/containers/bubblewrap) too: no network, all of the disk
read-only, the course, this repository, the home folder and temporary folders hidden, no other process in sight, and
nothing that outlives the kernel.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

NAME = "confined"
KERNEL = Path(__file__).resolve().with_name("kernel.py")
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
GIGABYTE = 2**30
LIMITS = {"AS": 8 * GIGABYTE, "FSIZE": GIGABYTE // 10, "CPU": 1800, "CORE": 0}  # bytes, bytes, seconds, bytes
TASKS = 200  # processes and threads, beside those that the user has already
MISSING = "bubblewrap is not installed; on Debian and Ubuntu: apt-get install bubblewrap"
BARE = [
    "--ro-bind",
    "/",
    "/",
    "--unshare-all",
    "--die-with-parent",
    "--cap-drop",
    "ALL",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
]


def sandbox(plan: dict) -> list[str]:
    """The call of bubblewrap: all read-only, `hide` replaced by empty folders, `keep` and `write` put back."""
    command = [plan["bwrap"], *BARE]
    for path in sorted(plan["hide"]):
        if not any(Path(path) != Path(other) and Path(path).is_relative_to(other) for other in plan["hide"]):
            command += [*(["--size", str(GIGABYTE // 4)] if plan["sized"] else []), "--tmpfs", path]
    for path in sorted(plan["keep"]):
        command += ["--ro-bind", path, path]
    for path in plan["write"]:
        command += ["--bind", path, path]
    return [*command, "--dir", plan["home"], "--chdir", plan["home"], "--"]


def _limit(tasks: int) -> None:
    for name, value in {**LIMITS, "NPROC": tasks}.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (bound, bound))
        except (OSError, ValueError):
            pass  # a system that does not have this limit


def _tasks() -> int:
    """Processes and threads of this user now: the limit counts them too."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == os.getuid():
                count += len(os.listdir(folder / "task"))
        except OSError:
            pass  # it has ended meanwhile
    return count


def run(plan_file: str, command: Sequence[str]) -> None:
    """Replace this program by the command, with what the plan leaves it."""
    plan = json.loads(Path(plan_file).read_text())
    home = plan["home"]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"HOME": home, "TMPDIR": home, "IPYTHONDIR": f"{home}/ipython", "MPLCONFIGDIR": f"{home}/matplotlib"}
    environment |= {"MPLBACKEND": "agg", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    # Without it the kernel believes that nobody started it, and says so at length.
    environment["JPY_PARENT_PID"] = "1" if plan["bwrap"] else os.environ.get("JPY_PARENT_PID", "1")
    # An interrupt is sent to all processes of the kernel: it is meant for the program inside, not for bubblewrap.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(home)
    _limit(plan["tasks"])
    command = [*(sandbox(plan) if plan["bwrap"] else []), *command]
    os.execve(command[0], command, environment)


def self_call(*arguments: str) -> list[str]:
    """The command that calls this file as a program, with nothing of the user's own Python."""
    return [sys.executable, "-I", str(Path(__file__).resolve()), *arguments]


class Kernel(NamedTuple):
    """How to start the kernel: its name, the connection file it can read, and why it is not in a sandbox, or ""."""

    name: str
    connection_file: str
    exposed: str


def exposed(plan_file: Path, plan: dict) -> str:
    """Why a program cannot be put into the sandbox of this plan, or "": known by trying."""
    if not plan["bwrap"]:
        return MISSING
    said = subprocess.run(
        self_call(str(plan_file), sys.executable, "-c", "print('inside')"), capture_output=True, text=True
    )
    if said.stdout == "inside\n":
        return ""
    reason = said.stderr.strip().splitlines() or ["no reason given"]
    return f"bubblewrap does not work here: {reason[-1].removeprefix('bwrap: ')}"


@contextmanager
def kernel(hide: Sequence[Path], keep: Sequence[Path]) -> Iterator[Kernel]:
    """A Jupyter kernel for programs of others; it is to be started with the transport "ipc", as it has no network.

    `hide` are folders whose contents it must not see, `keep` folders that it needs within them, to read.
    """
    with tempfile.TemporaryDirectory(prefix="grade") as folder:
        place = Path(folder).resolve()
        for name in ("run", "home", f"kernels/{NAME}"):
            (place / name).mkdir(parents=True)
        hidden = {*map(Path.resolve, hide), Path.home().resolve(), Path(tempfile.gettempdir()).resolve()}
        hidden |= {Path(p) for p in ("/tmp", "/var/tmp") if Path(p).is_dir()}  # /dev is another one altogether
        needed = {*map(Path.resolve, keep), Path(sys.prefix), Path(sys.base_prefix), KERNEL}
        bwrap = shutil.which("bwrap")
        plan = {
            "bwrap": bwrap,
            # Versions before 0.7 cannot say how large an empty folder may become.
            "sized": bool(bwrap)
            and "--size" in subprocess.run([bwrap, "--help"], capture_output=True, text=True).stdout,
            "hide": [str(p) for p in hidden if p != Path("/") and p.is_dir()],
            "keep": [str(p) for p in needed if any(p.is_relative_to(h) for h in hidden)],
            "write": [str(place / "run")],
            "home": str(place / "home"),
            "tasks": _tasks() + TASKS,
        }
        file = place / "plan.json"
        file.write_text(json.dumps(plan))
        reason = exposed(file, plan)
        if reason:
            file.write_text(json.dumps(plan | {"bwrap": None}))
        command = self_call(str(file), sys.executable, str(KERNEL), "-f", "{connection_file}")
        specification = {"argv": command, "display_name": NAME, "language": "python"}
        (place / "kernels" / NAME / "kernel.json").write_text(json.dumps(specification))
        before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(place), before]))
        try:
            yield Kernel(NAME, str(place / "run" / "kernel.json"), reason)
        finally:
            if before is None:
                del os.environ["JUPYTER_PATH"]
            else:
                os.environ["JUPYTER_PATH"] = before


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
