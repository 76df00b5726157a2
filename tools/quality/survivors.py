"""Say what the last `mutmut run` found: a table by module, and every mutant that no test noticed, with line and reason.

Usage: python tools/quality/survivors.py [--module NAME]

A mutant counts as killed if a test failed or ran out of time on it. Exits with 1 if less than MARK of all are killed.
Survivors of the kinds in REASONS do the same as the original or differ in what is promised to nobody; they count as
survivors all the same. The others are what is worth a look: either a test is missing, or a kind.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = 0.9
# What stands on the changed line, and why no test can see the change, or should. The first that fits is the reason.
REASONS = {
    r"strict=": "zip's own check of lengths that are equal by construction",
    r"errstate\(": "silences a warning that does not come up, or that NumPy's other name for the same operation raises",
    r"full_matrices=None|otypes=None|writeable = None|np\.vectorize": "the same as what is left out or None stands for",
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
SURVIVED, UNTESTED = 0, 33  # exit codes of mutmut's test runs: no test failed, and no test reached the line


def outcomes() -> dict[str, int]:
    """Exit code of the tests for every mutant that was run, by its name `lnn.module.function__mutmut_k`."""
    found: dict[str, int] = {}
    for path in sorted((ROOT / "mutants" / "lnn").glob("*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        found |= {name: code for name, code in codes.items() if code is not None}
    return found


def change(mutant: str) -> str:
    """The changed line, before and after."""
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(f"  {line[0]} {line[1:].strip()}" for line in shown if line[:2] in ("- ", "+ "))


def reason(mutant: str, changed: str) -> str:
    """Why a change may survive, empty if it is of no kind that is known."""
    if re.search(r"RKC2.*(first|estimate|__init__)", mutant):
        return "proposes the length of a step; the control of the error decides what becomes of it"
    lines = {re.sub(r"([<>])=", r"\1", line.strip()[1:]) for line in changed.splitlines()}
    if len(lines) == 1:
        return "the two sides are equal by no computation, or both branches agree there"
    return next((why for kind, why in REASONS.items() if re.search(kind, changed)), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", help="list survivors of this module only, such as `modes`")
    options = parser.parse_args()
    codes = outcomes()
    if not codes:
        print("no mutant has been run: make mutants")
        return 1
    alive = [name for name, code in codes.items() if code in (SURVIVED, UNTESTED)]
    unexplained = 0
    for name in alive:
        if options.module in (None, name.split(".")[1]):
            changed = change(name)
            untested = codes[name] == UNTESTED
            why = "" if untested else reason(name, changed)
            unexplained += not why
            print(f"{name}\n{changed}\n    {why or ('no test reaches it' if untested else '?')}")
    print(f"\n{unexplained} survivors are of no known kind")
    total, left = (Counter(name.split(".")[1] for name in names) for names in (codes, alive))
    print(f"\n{'module':<16}{'mutants':>8}{'survived':>10}{'killed':>9}")
    for module, count in total.items():
        print(f"{module:<16}{count:>8}{left[module]:>10}{1 - left[module] / count:>9.1%}")
    share = 1 - len(alive) / len(codes)
    print(f"{'all':<16}{len(codes):>8}{len(alive):>10}{share:>9.1%}")
    return share < MARK


if __name__ == "__main__":
    sys.exit(main())
