"""Programs of others with as few rights as this machine lets us take from them: what `make grade` runs notebooks in.

`kernel` is what the grader uses: for as long as it is entered there is a Jupyter kernel of the name `confined`, which
this same file, called as a program, starts:

    python confined.py PLAN COMMAND …    limits, no environment; where the machine can, namespaces of its own
    python confined.py --inside PLAN …   in these namespaces: what is to be seen of the disk, then the command

Always: nothing of the environment but the path, limits on processor time, memory, file sizes and processes, a working
folder of its own. With Linux namespaces too: no network, all of the disk read-only, the course, this repository, the
home folder and temporary folders hidden, no other process in sight, and nothing that outlives the kernel.
"""

import ctypes
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
UNSHARE = ["--user", "--map-root-user", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child"]
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
GIGABYTE = 2**30
LIMITS = {"AS": 8 * GIGABYTE, "FSIZE": GIGABYTE // 10, "CPU": 1800, "CORE": 0}  # bytes, bytes, seconds, bytes
TASKS = 200  # processes and threads, beside those that the user has already
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18  # of <sys/mount.h>
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, ATTR_RDONLY = 442, -100, 0x8000, 1
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38


def _libc(name: str, *arguments: object) -> None:
    """Call a function of the C library, or raise what it complains about."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [word if word is None else word.encode() for word in (source, target, kind)]
    _libc("mount", *words, ctypes.c_ulong(flags), data if data is None else data.encode())


def _furnish(plan: dict) -> None:
    """Within namespaces of our own: all read-only, `hide` replaced by empty folders, `keep` and `write` put back."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    handles = {path: os.open(path, os.O_PATH) for path in [*plan["keep"], *plan["write"]]}
    attributes = (ctypes.c_uint64 * 4)(ATTR_RDONLY, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    _libc("syscall", SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, ctypes.byref(attributes), size)
    for path in sorted(plan["hide"]):
        if os.path.isdir(path):  # not if the folder above it is hidden already
            _mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=256m,mode=755")
    for path, handle in handles.items():
        os.makedirs(path, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, None, MS_BIND | MS_REC)
        if path in plan["write"]:
            clear = (ctypes.c_uint64 * 4)(0, ATTR_RDONLY, 0, 0)
            _libc("syscall", SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), 0, ctypes.byref(clear), size)
        os.close(handle)
    try:
        _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV)
    except OSError:
        pass  # a container may forbid it; another user namespace keeps the processes in the old one from being opened


def _drop() -> None:
    """Give up every capability that the namespaces brought, for ever: the mounts stay as they are."""
    _libc("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _libc("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)


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


def run(plan_file: str, command: Sequence[str], inside: bool) -> None:
    """Replace this program by the command, with what the plan leaves it."""
    plan = json.loads(Path(plan_file).read_text())
    if not inside and plan["namespaces"]:
        _libc("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # it ends when the grader does
        os.execve(plan["unshare"], [plan["unshare"], *UNSHARE, *self_call("--inside", plan_file), *command], os.environ)
    home = plan["home"]
    if inside:
        _furnish(plan)
        os.makedirs(home, exist_ok=True)
        _drop()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"HOME": home, "TMPDIR": home, "IPYTHONDIR": f"{home}/ipython", "MPLCONFIGDIR": f"{home}/matplotlib"}
    environment |= {"MPLBACKEND": "agg", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    # Without it the kernel believes that nobody started it, and says so at length.
    environment["JPY_PARENT_PID"] = "1" if inside else os.environ.get("JPY_PARENT_PID", "1")
    os.chdir(home)
    _limit(plan["tasks"])
    os.execve(command[0], list(command), environment)


def self_call(*arguments: str) -> list[str]:
    """The command that calls this file as a program, with nothing of the user's own Python."""
    return [sys.executable, "-I", str(Path(__file__).resolve()), *arguments]


class Kernel(NamedTuple):
    """How to start the kernel: its name, the connection file it can read, and whether it has namespaces of its own."""

    name: str
    connection_file: str
    alone: bool


@contextmanager
def kernel(hide: Sequence[Path], keep: Sequence[Path]) -> Iterator[Kernel]:
    """A Jupyter kernel for programs of others; it is to be started with the transport "ipc", as it has no network.

    `hide` are folders whose contents it must not see, `keep` folders that it needs within them, to read.
    """
    with tempfile.TemporaryDirectory(prefix="grade") as folder:
        place = Path(folder)
        for name in ("run", "home", f"kernels/{NAME}"):
            (place / name).mkdir(parents=True)
        hidden = {*map(Path.resolve, hide), Path.home().resolve(), Path(tempfile.gettempdir()).resolve()}
        hidden |= {Path(p) for p in ("/tmp", "/var/tmp", "/dev/shm") if Path(p).is_dir()}
        needed = {*map(Path.resolve, keep), Path(sys.prefix), Path(sys.base_prefix)}
        plan = {
            "namespaces": True,
            "unshare": shutil.which("unshare"),
            "hide": [str(p) for p in hidden if p != Path("/")],
            "keep": [str(p) for p in sorted(needed) if any(p.is_relative_to(h) for h in hidden)],
            "write": [str(place / "run")],
            "home": str(place / "home"),
            "tasks": _tasks() + TASKS,
        }
        file = place / "plan.json"
        file.write_text(json.dumps(plan))
        # Whether this machine lets us have namespaces is known by trying.
        probe = self_call(str(file), sys.executable, "-c", "print('inside')")
        plan["namespaces"] = bool(plan["unshare"]) and subprocess.run(probe, capture_output=True).stdout == b"inside\n"
        file.write_text(json.dumps(plan))
        command = self_call(str(file), sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
        specification = {"argv": command, "display_name": NAME, "language": "python"}
        (place / "kernels" / NAME / "kernel.json").write_text(json.dumps(specification))
        before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(place), before]))
        try:
            yield Kernel(NAME, str(place / "run" / "kernel.json"), plan["namespaces"])
        finally:
            if before is None:
                del os.environ["JUPYTER_PATH"]
            else:
                os.environ["JUPYTER_PATH"] = before


if __name__ == "__main__":
    inside = sys.argv[1] == "--inside"
    first = 2 if inside else 1
    run(sys.argv[first], sys.argv[first + 1 :], inside)
