"""Say what the last `mutmut run` found: a table by module, and every mutant that no test noticed, with its line.

Usage: python tools/survivors.py [--module NAME]

A mutant counts as killed if a test failed or ran out of time on it. Exits with 1 if less than MARK of all are killed.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = 0.9
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", help="list survivors of this module only, such as `modes`")
    options = parser.parse_args()
    codes = outcomes()
    if not codes:
        print("no mutant has been run: make mutants")
        return 1
    alive = [name for name, code in codes.items() if code in (SURVIVED, UNTESTED)]
    for name in alive:
        if options.module in (None, name.split(".")[1]):
            print(f"{name}{' (no test reaches it)' if codes[name] == UNTESTED else ''}\n{change(name)}")
    total, left = (Counter(name.split(".")[1] for name in names) for names in (codes, alive))
    print(f"\n{'module':<16}{'mutants':>8}{'survived':>10}{'killed':>9}")
    for module, count in total.items():
        print(f"{module:<16}{count:>8}{left[module]:>10}{1 - left[module] / count:>9.1%}")
    share = 1 - len(alive) / len(codes)
    print(f"{'all':<16}{len(codes):>8}{len(alive):>10}{share:>9.1%}")
    return share < MARK


if __name__ == "__main__":
    sys.exit(main())
