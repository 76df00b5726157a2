"""Files that are whole or not there, and long runs that are taken up where they were interrupted."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from glob import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def write(path: Path, content: str | bytes) -> None:
    """Write a file under another name beside it, then put it in its place: killed at any moment, it is old or new.

    The next one to write it removes what a killed process left beside it.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    for left in path.parent.glob(f".{escape(path.name)}.*.part"):
        try:
            os.kill(int(left.name.split(".")[-2]), 0)
        except ProcessLookupError:  # one that was killed left it
            left.unlink(missing_ok=True)
        except PermissionError:  # it belongs to someone else, who is still at work
            pass
    try:
        beside.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


class Unfinished:
    """The results of a long run so far, in _build/unfinished/RUN.json until `finish`.

    A result is used again by the next run only while the files that it depends on have the same bytes.
    """

    def __init__(self, run: str, folder: Path = ROOT / "_build" / "unfinished") -> None:
        self.path = folder / f"{run}.json"
        self.kept: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        if self.kept:
            print(f"taking up a run that was interrupted, {len(self.kept)} parts in; to begin anew, remove {self.path}")

    def __call__(self, name: str, files: Iterable[Path], compute: Callable[[], Any]) -> Any:
        """The result of a part: kept from before, or computed and kept."""
        digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()
        if self.kept.get(name, {}).get("files") != digest:
            self.kept[name] = {"files": digest, "result": compute()}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write(self.path, json.dumps(self.kept))
        return self.kept[name]["result"]

    def finish(self) -> None:
        """Forget the parts: the run is through."""
        self.path.unlink(missing_ok=True)


def package() -> list[Path]:
    """The files of the package, on which all that is computed depends."""
    return [*(ROOT / "lnn").rglob("*.py"), *(ROOT / "lnn").rglob("*.csv")]
