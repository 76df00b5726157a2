"""Run mutants of the package, as many as there is time for, and keep in tests/mutants.json what became of each.

Usage: python tools/quality/mutants.py [--minutes M] [--workers N] [--again] [module …]

A mutant is one small change in a function. Those whose function is as it was when they were run are not run again: a
run goes on where the last one ended, on any machine, and --again is for survivors, after new tests. Modules have names
such as `theory.modes`, or `theory` for all in it; without one, all are run. With 0 minutes only the report is written.
A mutant counts as killed if a test failed on it, or ran out of the time that pyproject.toml gives. Exits with 1 if less
than MARK of the mutants that were run in one of the modules are killed.

Survivors of the kinds in REASONS do the same as the original, or differ in what is promised to nobody; they count as
survivors all the same. The others are what is worth a look: either a test is missing, or a kind.
"""

import argparse
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))
import whole

STORED = whole.ROOT / "tests" / "mutants.json"
MUTANTS = whole.ROOT / "mutants"  # where mutmut works
MARK = 0.9
# One letter a mutant: killed, out of time, survived, untested (no test reaches it), not run.
LETTERS = {
    0: "s",
    5: "u",
    33: "u",
    36: "t",
    24: "t",
    152: "t",
    255: "t",
    -24: "t",
    -9: "t",
    2: ".",
    -15: ".",
    None: ".",
}
# What stands on the changed line, and why no test can see the change, or should. The first that fits is the reason.
REASONS = {
    r"strict=": "zip's own check of lengths that are equal by construction",
    r"errstate\(": "silences a warning that does not come up, or that NumPy's other name for the same operation raises",
    r"full_matrices=": "singular vectors that nobody uses cost time and memory, and change no answer",
    r"otypes=None|writeable = None|np\.vectorize": "the same as what is left out or None stands for",
    r"reshape\(.*-2\b": "NumPy finds the size for any negative number",
    r"np\.full_like\(\w+, None\)": "None becomes NaN in an array of floats",
    r"out=None, where=|np\.divide\(.*where=": "what stands outside of `where` is multiplied by zero, and mostly finite",
    r"dgemm\(|partial\(dgemm": "BLAS takes a flag of 2 as of 1 for real matrices, and any flag that is not 0 as true",
    r"tqdm\(|bar\.|progress": "the look of a progress bar",
    r"center\(|loss\.target if": "without its center a loss is differentiated by its own method, to the same numbers",
    r"TOGETHER|ONE_THREAD|one_thread|environ": "decides on speed, not on the answer",
    r"37\.0|xtol=": "a bound or a tolerance beyond what floats can tell",
    r"(step|rtol|atol|epsilon): float = |max_iterations: int = ": "a default that is a matter of judgement",
}


def reason(function: str, change: list[str]) -> str:
    """Why a change may survive, empty if it is of no kind that is known."""
    if re.search(r"RKC2.*(first|estimate|__init__)", function):
        return "proposes the length of a step; the control of the error decides what becomes of it"
    lines = {re.sub(r"([<>])=", r"\1", line[1:].strip()) for line in change}
    if len(lines) == 1:
        return "the two sides are equal by no computation, or both branches agree there"
    return next((why for kind, why in REASONS.items() if re.search(kind, "\n".join(change))), "")


def generate(workers: int) -> None:
    """Write the mutants of all functions to MUTANTS; where that was interrupted, begin anew, but for the results."""
    from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants

    begun = MUTANTS / "begun"
    MUTANTS.mkdir(exist_ok=True)
    for path in MUTANTS.glob("lnn/**/*.py"):
        meta = path.with_name(f"{path.name}.meta")
        try:
            json.loads(meta.read_text(encoding="utf-8") if meta.exists() else "{}")
        except json.JSONDecodeError:
            meta.unlink()
            path.unlink()
        else:
            if begun.exists():
                path.unlink()
    begun.touch()
    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        create_mutants(workers)
    begun.unlink()


def functions() -> Iterator[tuple[str, str, str, list[int | None]]]:
    """Of every function that has mutants: its module, its name, its digest, and the exit code of the tests on each."""
    for meta in sorted(MUTANTS.glob("lnn/**/*.py.meta")):
        source = meta.relative_to(MUTANTS).with_suffix("")
        if (whole.ROOT / source).exists():
            about = json.loads(meta.read_text(encoding="utf-8"))
            module = ".".join(source.with_suffix("").parts).removesuffix(".__init__")
            codes: dict[str, list[int | None]] = {}
            for name, code in about["exit_code_by_key"].items():
                codes.setdefault(name.removeprefix(f"{module}.").rpartition("__mutmut_")[0], []).append(code)
            for function, found in codes.items():
                yield module, function, about["hash_by_function_name"].get(function, ""), found


def changed_lines(module: str, function: str, number: int) -> list[str]:
    """The lines of a function before and after a change."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    path = Path(*module.split(".")).with_suffix(".py")
    path = path if (MUTANTS / path).exists() else path.with_suffix("") / "__init__.py"
    diff = get_diff_for_mutant(f"{module}.{function}__mutmut_{number}", path=path).splitlines()[2:]
    return [f"{line[0]} {line[1:].strip()}" for line in diff if line[0] in "+-"]


def update(stored: dict[str, Any], run: set[str]) -> dict[str, Any]:
    """What is kept, for the functions as they are now, with the results of mutants run now, or not kept yet."""
    found: dict[str, Any] = {}
    for module, function, digest, codes in functions():
        old = stored.get(module, {}).get(function, {})
        if old.get("digest") != digest or len(old["mutants"]) != len(codes):
            old = {"mutants": "." * len(codes)}
        letters, survived = "", {}
        for k, (letter, code) in enumerate(zip(old["mutants"], codes, strict=True), start=1):
            new = LETTERS.get(code, "k")
            if new != "." and (letter == "." or f"{module}.{function}__mutmut_{k}" in run):
                letter = new
            letters += letter
            if letter in "su":
                change = changed_lines(module, function, k)
                survived[str(k)] = [*change, "no test reaches it" if letter == "u" else reason(function, change)]
        entry = {"digest": digest, "mutants": letters}
        found.setdefault(module, {})[function] = entry | ({"survived": survived} if survived else {})
    whole.write(STORED, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return found


def waiting(stored: dict[str, Any], module: str, again: bool) -> list[str]:
    """Names of the mutants of a module that are to be run."""
    wanted = ".su" if again else "."
    return [
        f"{module}.{function}__mutmut_{k}"
        for function, entry in stored[module].items()
        for k, letter in enumerate(entry["mutants"], start=1)
        if letter in wanted
    ]


def run(names: list[str], workers: int, seconds: float | None) -> None:
    """Let mutmut run mutants, for so long; all that it started ends with it."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers), *names]
    with open(MUTANTS / "log.txt", "w", encoding="utf-8") as log:
        runner = subprocess.Popen(command, cwd=whole.ROOT, stdout=log, stderr=log, start_new_session=True)
        try:
            if runner.wait(seconds):
                sys.exit(f"mutmut stopped; what it said is in {log.name}")
        except subprocess.TimeoutExpired:
            print("the time is up")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(runner.pid, signal.SIGKILL)
            runner.wait()


def report(stored: dict[str, Any], chosen: list[str]) -> bool:
    """Print the survivors of no known kind, and a table by module; whether one is below the mark."""
    low = False
    for module in chosen:
        for function, entry in stored[module].items():
            for number, (*change, why) in entry.get("survived", {}).items():
                if not why or entry["mutants"][int(number) - 1] == "u":
                    print(f"{module}.{function}__mutmut_{number} {why}", *change, sep="\n  ")
    print(f"\n{'module':<24}{'mutants':>8}{'run':>8}{'survived':>10}{'no kind':>9}{'killed':>9}")
    for module in chosen:
        letters = "".join(entry["mutants"] for entry in stored[module].values())
        whys = [why for entry in stored[module].values() for *_, why in entry.get("survived", {}).values()]
        done, alive, unknown = len(letters) - letters.count("."), len(whys), sum(not why for why in whys)
        share = 1 - alive / done if done else 0.0
        low |= bool(done) and share < MARK
        print(f"{module:<24}{len(letters):>8}{done:>8}{alive:>10}{unknown:>9}{share:>9.1%}")
    return low


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="such as `theory`, `network`")
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="run survivors again")
    options = parser.parse_args()
    end = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    os.chdir(whole.ROOT)
    generate(options.workers)
    stored = update(json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}, set())
    chosen = [m for w in options.modules or [""] for m in stored if f"{m}.".startswith(f"lnn.{w}." if w else "lnn")]
    for module in chosen:
        names = waiting(stored, module, options.again)
        if names and (end is None or time.monotonic() < end):
            print(f"{module}: {len(names)} mutants to run", flush=True)
            try:
                run(names, options.workers, None if end is None else end - time.monotonic())
            finally:
                stored = update(stored, set(names))
    return report(stored, chosen)


if __name__ == "__main__":
    sys.exit(main())
