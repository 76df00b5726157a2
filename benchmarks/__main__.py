"""Measure everything and write benchmarks/results.json.

Usage: python -m benchmarks [PART ...]

With names of parts (steps, loops, ensembles, completion, programs, preconditioning, startup) only these are measured,
and the rest of the file stays as it is, with the versions of peers that are not installed. A run that was interrupted
is taken up at the part where it was. Times are those of one thread: quiet machines give the truth sooner.
"""

import os
import sys
from pathlib import Path

THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
THREADS["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
THREADS["JAX_PLATFORMS"] = "cpu"
THREADS["JAX_ENABLE_X64"] = "1"  # the same precision for all
os.environ.update(THREADS)  # before NumPy, PyTorch and JAX are imported

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import whole

from benchmarks import completion, ensembles, loops, preconditioning, programs, startup, steps
from benchmarks.results import PATH, dump, load, machine

MODULES = (steps, loops, ensembles, completion, programs, preconditioning, startup)
PARTS = {part.__name__.split(".")[1]: part for part in MODULES}
ORDER = "step recording memory loop ensemble completion nuclear preconditioner import book".split()


def main() -> int:
    names = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        print(f"no part is named {', '.join(unknown)}: there are {', '.join(PARTS)}")
        return 1
    results = load() if PATH.exists() else {"machine": machine(), "records": []}
    unfinished, files = whole.Unfinished("benchmarks"), [*Path(__file__).parent.glob("*.py"), *whole.package()]
    for name in names:
        print(f"{name} …", flush=True)
        found = unfinished(name, files, PARTS[name].measure)
        measured = {record["part"] for record in found}
        kept = [record for record in results["records"] if record["part"] not in measured]
        now, before = machine(), results["machine"]["versions"]
        now["versions"] = {name: number or before[name] for name, number in now["versions"].items()}
        results = {"machine": now, "records": sorted(kept + found, key=lambda r: ORDER.index(r["part"]))}
        whole.write(PATH, dump(results))
    unfinished.finish()
    print(f"written: {os.path.relpath(PATH)}; next: make pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
