"""The page `speed`: benchmarks/page.md with what is computed from the stored results in its places.

The page is a notebook that runs anywhere, so its cells hold the numbers that they draw.
"""

import re
from pathlib import Path

from benchmarks.results import exponent, marks, memory_exponents, over_jax, pick, value

TEMPLATE = Path(__file__).resolve().parent / "page.md"
NAMES = {
    "lnn": "this package",
    "PyTorch": "PyTorch, eager",
    "JAX": "JAX, jit",
    "RK45": "SciPy's RK45",
    "DOP853": "SciPy's DOP853",
    "diffrax Tsit5": "diffrax's Tsit5",
    "SCS": "CVXPY with SCS",
    "CLARABEL": "CVXPY with Clarabel",
}
LOOPS = {"PyTorch": "the PyTorch loop", "PyTorch, longer steps": "the same with ten times its step size"}
PACKAGES = {
    "numpy": "NumPy",
    "scipy": "SciPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "diffrax": "diffrax",
    "pymanopt": "Pymanopt",
    "cvxpy": "CVXPY",
    "scs": "SCS",
    "clarabel": "Clarabel",
}
REASONS = {
    "a step over its bare products, width 10": (
        "With few and small products, what counts is the number of calls from Python: one of the loss's gradient and "
        "one of BLAS for each product, each dearer than the product itself."
    ),
    "a step over its bare products, width 100 or more": (
        "The bare products find their operands in the cache; in a step they follow one another through all layers."
    ),
    "a step faster than PyTorch's, every width": (
        "At width 1000 a step is nothing but its products, and what is compared is two libraries of BLAS, MKL under "
        "PyTorch and OpenBLAS here. Which of them leads, and by how much, depends on the processor."
    ),
    "recording every twentieth step, depth 3": (
        "Keeping an iterate costs a product of all layers, a value of the loss, a look at every entry and a copy. "
        "Where matrices are small, the calls from Python that this takes are not."
    ),
    "completion to a loss of 1e-6 over the PyTorch loop": (
        "Both grow their steps where the loss is flat; where the run is short, there is less to gain."
    ),
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def times(x: float) -> str:
    """A factor, to two digits or so."""
    return f"{x:.2f}" if x < 10 else f"{x:.0f}"


def plain(x: float, digits: int) -> str:
    """A number to so many digits, without an exponent."""
    return f"{float(f'{x:.{digits}g}'):,.10g}"


def literal(name: str, rows: dict[str, list[float]]) -> str:
    """A dictionary of rows of numbers as code, one row a line."""
    lines = [f'    "{key}": [{", ".join(f"{n:.3g}" for n in numbers)}],' for key, numbers in rows.items()]
    return "\n".join([f"{name} = {{", *lines, "}"])


def machine(results: dict) -> str:
    """Processor, versions and load, as sentences."""
    m = results["machine"]
    versions = ", ".join(f"{PACKAGES[name]} {number}" for name, number in m["versions"].items() if number)
    return (
        f"The machine: one core of {m['cores']} ({m['processor']}, {m['system']}), Python {m['python']}, {versions}, "
        f"{m['BLAS']} under NumPy. Its load was {m['load']:.1f} when the last figure was taken; well above 1 means "
        "that others were at work."
    )


def mark_table(results: dict) -> str:
    """What was to be reached and what was measured."""
    rows = [[m.claim, m.wanted, m.measured, "yes" if m.met else "**no**"] for m in marks(results)]
    return table(["mark", "wanted", "measured", "met"], rows)


def mark_reasons(results: dict) -> str:
    """For each mark that is missed, by how much and why."""
    lines = [
        f"- *{m.claim}*: wanted {m.wanted}, measured {m.measured}. {REASONS.get(m.claim, '')}".rstrip()
        for m in marks(results)
        if not m.met
    ]
    return "\n".join(["What is missed, and why:", "", *lines]) if lines else "All marks are met."


def sizes(results: dict, key: str) -> list[int]:
    """All depths, or all widths, at which a step was measured."""
    return sorted({record["case"][key] for record in pick(results, "step")})


def ratio(results: dict, name: str, depth: int, width: int) -> float:
    """Time of a step over that of its bare products; NaN if it was not measured."""
    ours = value(results, "seconds", "step", name, depth=depth, width=width)
    return (ours or float("nan")) / value(results, "seconds", "step", "limit", depth=depth, width=width)


def step_ratios(results: dict) -> dict[str, list[float]]:
    """Ratios over the width, for each contender and depth."""
    return {
        f"{name} {depth}": [ratio(results, name, depth, width) for width in sizes(results, "width")]
        for depth in sizes(results, "depth")
        for name in ("lnn", "PyTorch", "JAX")
    }


def ends(results: dict) -> str:
    """Least and largest ratio at the largest width."""
    last = [float(f"{curve[-1]:.3g}") for curve in step_ratios(results).values()]
    return f"{min(last):.2f} and {max(last):.2f}"


def step_table(results: dict) -> str:
    """Times of the bare products, and all ratios to them."""
    rows, found = [], step_ratios(results)
    for depth in sizes(results, "depth"):
        bare = [value(results, "seconds", "step", "limit", depth=depth, width=w) for w in sizes(results, "width")]
        rows.append([str(depth), "bare products, in µs", *(plain(1e6 * t, 3) for t in bare)])
        for name in ("lnn", "PyTorch", "JAX"):
            rows.append(["", NAMES[name], *("–" if x != x else times(x) for x in found[f"{name} {depth}"])])
    return table(["depth", "", *(f"width {w}" for w in sizes(results, "width"))], rows)


def loop_table(results: dict) -> str:
    """Times of a step within a run, over JAX's compiled loop, and the time of compiling that."""
    rows = []
    for width, found in over_jax(results, "loop").items():
        ours, theirs = (pick(results, "loop", name, width=width)[0] for name in ("lnn", "JAX"))
        steps = theirs["compiling"] / max(ours["seconds"], 1e-12)
        rows.append(
            [str(width), plain(1e6 * ours["seconds"], 3), times(found), f"{theirs['compiling']:.2f}", plain(steps, 2)]
        )
    head = [
        "width",
        "a step here, in µs",
        "time / time of the compiled loop",
        "compiling, in s",
        "steps here meanwhile",
    ]
    return table(head, rows)


def loops(results: dict) -> str:
    """At which widths the compiled loop leads, as a sentence."""
    found = over_jax(results, "loop")
    ahead, behind = ([f"{w} ({times(r)})" for w, r in found.items() if (r > 1) == slow] for slow in (False, True))
    parts = [f"The compiled loop is faster at widths {', '.join(behind)}"] * bool(behind)
    parts += [f"this package at widths {', '.join(ahead)}"] * bool(ahead)
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


def ensembles(results: dict) -> str:
    """The same of many networks, as sentences."""
    found, case = over_jax(results, "ensemble"), pick(results, "ensemble", "lnn")[0]["case"]
    told = ", ".join(f"{times(ratio)} times at width {width}" for width, ratio in found.items())
    ours = value(results, "seconds", "ensemble", "lnn", **case)
    compiling = pick(results, "ensemble", "JAX", **case)[0]["compiling"]
    return (
        f"`ensemble_descent` has the members in the last axis of every array where layers are very small, and goes "
        f"through the same sweep. For {case['members']} networks of depth 2 it takes {told} as long as JAX's `vmap` of "
        f"the compiled loop. In seconds: {case['steps']:,} steps at width {case['width']} take {ours:.2f} s here, and "
        f"compiling takes JAX {compiling:.2f} s."
    )


def growth(results: dict) -> str:
    """Powers with which a step's time and a trajectory's memory grow."""
    wide = [r for r in pick(results, "step", "lnn", depth=3) if r["case"]["width"] >= 100]
    power = exponent([r["case"]["width"] for r in wide], [r["seconds"] for r in wide])
    depths = sizes(results, "depth")
    deep = [value(results, "seconds", "step", "lnn", depth=depth, width=100) for depth in depths]
    layers = exponent([depth - 1 for depth in depths], deep)
    paths = pick(results, "memory", "lnn")
    lengths = [r["case"]["length"] for r in paths]
    held, peak = (exponent(lengths, [r[key] for r in paths]) for key in ("bytes", "peak"))
    most = max(r["peak"] / r["bytes"] for r in paths)
    return (
        f"From width 100 on, a step of depth 3 grows like the width to the power {power:.2f}, where the count of "
        f"operations says 3. At width 100 it grows like $N - 1$ to the power {layers:.2f}, where the count of products "
        f"says 1. The memory of a trajectory with every step kept grows like its length to the power {held:.2f}, and "
        f"what is held while it is made like the power {peak:.2f}; that is at most {most:.1f} times the trajectory."
    )


def recording_table(results: dict) -> str:
    """What recording adds, in percent."""
    records = pick(results, "recording", "lnn")
    widths, every = (sorted({record["case"][key] for record in records}) for key in ("width", "every"))
    rows = []
    for width in widths:
        found = [value(results, "fraction", "recording", "lnn", width=width, every=e) for e in every]
        rows.append([str(width), *(f"{100 * max(x, 0):.0f} %" for x in found)])
    return table(["width", *("every step kept" if e == 1 else f"every {e}th" for e in every)], rows)


def flows(results: dict) -> list[dict]:
    """Records of the large problem that belong to a depth."""
    return [record for record in pick(results, "completion", size=100) if "depth" in record["case"]]


def factor(results: dict, record: dict) -> float:
    """Time of a run over that of `RKC2`; a run that was stopped counts as long as it was allowed."""
    ours = value(results, "seconds", "completion", "RKC2", **record["case"])
    return (record["seconds"] or record["allowed"]) / ours


def completion_factors(results: dict) -> dict[str, list[float]]:
    """Factors at depths 2, 3, 4 for each contender on the large problem."""
    found: dict[str, list[float]] = {}
    for record in flows(results):
        found.setdefault(record["contender"], []).append(factor(results, record))
    return found


def capped(results: dict) -> str:
    """Which bars of the figure are lower bounds."""
    found = [f"{r['contender']} at depth {r['case']['depth']}" for r in flows(results) if r["seconds"] is None]
    return f"Stopped for want of time, and drawn as long as they had: {', '.join(found)}." if found else ""


def completion_table(results: dict) -> str:
    """Factor, number of gradients, training loss and error of every run on the large problem."""
    rows = []
    for record in flows(results):
        name = LOOPS.get(record["contender"]) or NAMES.get(record["contender"])
        name, depth = name or f"this package, `{record['contender']}`", str(record["case"]["depth"])
        if record["seconds"] is None:
            rows.append([depth, name, f"more than {times(factor(results, record))}", "–", "–", "–"])
        else:
            small = [f"{record['loss']:.1e}", f"{record['error']:.0e}"]
            small = [number.replace("-", "\u2011") for number in small]  # on one line
            rows.append([depth, name, times(factor(results, record)), f"{record['evaluations']:,}", *small])
    return table(["depth", "", "time / time of `RKC2`", "gradients", "training loss", "error"], rows)


def implicit(results: dict) -> str:
    """Why implicit methods are not in the table, and what they do on a problem of their size."""
    unknowns = next(record for record in flows(results) if record["case"]["depth"] == 3)["unknowns"]
    found = {name: pick(results, "completion", name, size=15)[0] for name in ("LSODA", "diffrax Kvaerno5")}
    case, fewer = found["LSODA"]["case"], found["LSODA"]["unknowns"]
    told = [
        f"{'more than ' if record['seconds'] is None else ''}{times(factor(results, record))} times"
        for record in found.values()
    ]
    return (
        f"For the $n = {unknowns:,}$ unknowns of depth 3 these are {8e-9 * unknowns**2:.1f} GB, and filling them takes "
        f"as many evaluations as there are unknowns, so they were not run there. On a problem with {fewer} unknowns, "
        f"{case['count']} entries of a ${case['size']}\\times{case['size']}$ matrix at depth {case['depth']}, SciPy's "
        f"LSODA takes {told[0]} as long as `RKC2`, and diffrax's Kvaerno5 {told[1]}."
    )


def compiled(results: dict) -> str:
    """What diffrax's runs leave out."""
    longest = max(record["compiling"] for record in flows(results) if "compiling" in record)
    return (
        f"The run of diffrax's solver is compiled as a whole, which takes JAX up to {longest:.1f} s and is not counted."
    )


def fixed_rank(results: dict) -> str:
    """What descent among matrices of the right rank takes, as a sentence."""
    record = pick(results, "completion", "Pymanopt", size=100)[0]
    ours = value(results, "seconds", "completion", "RKC2", depth=3, size=100)
    return (
        f"Pymanopt's conjugate gradients among the matrices of rank {record['case']['rank']}, from the truncated "
        f"singular value decomposition of the observed entries, come to the same loss with {record['evaluations']} "
        f"gradients, in {times(record['seconds'] / ours)} times the time of `RKC2` at depth 3, at an error of "
        f"{record['error']:.0e}."
    )


def nuclear_table(results: dict) -> str:
    """Times over ours at equal gap."""
    rows = []
    for record in pick(results, "nuclear"):
        case = record["case"]
        ours = value(results, "seconds", "nuclear", "lnn", **case)
        problem = f"{case['size']}×{case['size']}, {case['count']:,} entries"
        rows.append([problem, NAMES[record["contender"]], times(record["seconds"] / ours), f"{record['gap']:.0e}"])
    return table(["problem", "", "time / ours", "relative gap"], rows)


def costs(results: dict) -> dict[str, list[float]]:
    """Milliseconds and megabytes of both preconditioners over the width."""
    found = {"width": [r["case"]["width"] for r in pick(results, "preconditioner", "lnn")]}
    for name in ("lnn", "Kronecker"):
        records = pick(results, "preconditioner", name)
        found[f"{name} time"] = [1e3 * r["seconds"] for r in records]
        found[f"{name} memory"] = [r["bytes"] / 1e6 for r in records]
    return found


def starting(results: dict) -> str:
    """Import and build, as sentences."""
    own, foreign = (value(results, "seconds", "import", name) for name in ("lnn", "NumPy and SciPy"))
    build = value(results, "seconds", "book", "jupyter-book")
    return (
        f"`import lnn` takes {own:.2f} s beyond the {foreign:.2f} s that the parts of NumPy and SciPy take which it "
        f"imports. The book builds in {build:.0f} s from nothing, because its pages show stored outputs."
    )


def speed_page(results: dict) -> str:
    """The page as MyST text."""
    powers = memory_exponents(results)
    places = {
        "machine": machine(results),
        "marks": mark_table(results),
        "reasons": mark_reasons(results),
        "widths": str(sizes(results, "width")),
        "ends": ends(results),
        "ratios": literal("ratios", step_ratios(results)),
        "steps": step_table(results),
        "loop_table": loop_table(results),
        "loops": loops(results),
        "ensembles": ensembles(results),
        "growth": growth(results),
        "recording": recording_table(results),
        "factors": literal("factors", completion_factors(results)),
        "capped": capped(results),
        "completion": completion_table(results),
        "implicit": implicit(results),
        "compiled": compiled(results),
        "fixed_rank": fixed_rank(results),
        "nuclear": nuclear_table(results),
        "costs": literal("costs", costs(results)),
        "power_lnn": f"{powers['lnn']:.1f}",
        "power_kronecker": f"{powers['Kronecker']:.1f}",
        "starting": starting(results),
    }
    text = re.sub(r"@@(\w+)@@", lambda match: places[match[1]], TEMPLATE.read_text())
    return re.sub(r" +$", "", text, flags=re.M)
