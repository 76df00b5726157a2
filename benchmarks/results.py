"""The stored results: how they are written and read, the machine they come from, the marks, and fitted growth."""

import json
import math
import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

PATH = Path(__file__).resolve().parent / "results.json"
PEERS = ("torch", "jax", "diffrax", "pymanopt", "cvxpy", "scs", "clarabel")


def rounded(value):
    """A number to four digits, which is more than a time is worth."""
    return float(f"{value:.4g}") if isinstance(value, float) and math.isfinite(value) else value


def dump(results: dict) -> str:
    """Results as JSON with one record a line, so that changes can be read."""
    lines = [
        json.dumps({k: rounded(v) for k, v in record.items()}, ensure_ascii=False) for record in results["records"]
    ]
    head = json.dumps(results["machine"], ensure_ascii=False)
    return f'{{"machine": {head},\n"records": [\n' + ",\n".join(lines) + "\n]}\n"


def load() -> dict:
    """The stored results."""
    return json.loads(PATH.read_text())


def machine() -> dict:
    """What the figures depend on."""
    model = platform.processor() or platform.machine()
    try:
        found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
        model = found[1].strip() if found else model
    except OSError:
        pass
    versions = {}
    for name in ("numpy", "scipy", *PEERS):
        try:
            versions[name] = version(name).split("+")[0]
        except PackageNotFoundError:
            versions[name] = None
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "BLAS": f"{blas['name']} {blas['version']}",
        "load": round(os.getloadavg()[0], 1),
        "versions": versions,
    }


def pick(results: dict, part: str, contender: str | None = None, **case) -> list[dict]:
    """Records of a part, of one contender and of cases with these values."""
    return [
        record
        for record in results["records"]
        if record["part"] == part
        and contender in (None, record["contender"])
        and all(record["case"].get(name) == value for name, value in case.items())
    ]


def value(results: dict, key: str, part: str, contender: str, **case):
    """The entry `key` of the one record that fits; None where there is no such record."""
    found = pick(results, part, contender, **case)
    return found[0].get(key) if len(found) == 1 else None


def exponent(sizes, values) -> float:
    """Slope of log(values) over log(sizes): the power with which a cost grows."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


@dataclass(frozen=True)
class Mark:
    """One promise on speed: what was to be reached, the worst that was measured, and where."""

    claim: str
    wanted: str
    measured: str
    met: bool


def ratios(results: dict, above: str, below: str, widths) -> dict[tuple[int, int], float]:
    """Times of one contender over those of another, for all steps of these widths, by depth and width."""
    found = {}
    for record in pick(results, "step", above):
        depth, width = record["case"]["depth"], record["case"]["width"]
        other = value(results, "seconds", "step", below, depth=depth, width=width)
        if width in widths and other:
            found[depth, width] = record["seconds"] / other
    return found


def worst(found: dict[tuple[int, int], float], low: bool = False) -> tuple[float, str]:
    """The largest of the ratios, or the smallest, and its place."""
    place = (min if low else max)(found, key=found.__getitem__)
    return found[place], f"depth {place[0]}, width {place[1]}"


def step_marks(results: dict) -> list[Mark]:
    """Marks on one step of descent."""
    widths = sorted({record["case"]["width"] for record in pick(results, "step")})
    wide, marks = [width for width in widths if width >= 100], []
    for chosen, bound, text in ((wide, 1.25, "100 or more"), ([10], 6, "10")):
        found = ratios(results, "lnn", "limit", chosen)
        ratio, place = worst(found)
        held = sum(r <= bound for r in found.values())
        told = f"at most {ratio:.2f} ({place}); {held} of {len(found)} cases"
        marks.append(Mark(f"a step over its bare products, width {text}", f"at most {bound}", told, ratio <= bound))
    for peer, chosen, text in (("PyTorch", widths, "every width"), ("JAX", [10, 30, 100], "widths up to 100")):
        found = ratios(results, peer, "lnn", chosen)
        ratio, place = worst(found, low=True)
        held = sum(r > 1 for r in found.values())
        told = f"{ratio:.2f} to {max(found.values()):.1f} times as fast (least: {place}); {held} of {len(found)} cases"
        marks.append(Mark(f"a step faster than {peer}'s, {text}", "above 1", told, ratio > 1))
    return marks


def over_jax(results: dict, part: str) -> dict[int, float]:
    """Times of this package over those of JAX's compiled loops, by width."""
    return {
        r["case"]["width"]: r["seconds"] / value(results, "seconds", part, "JAX", **r["case"])
        for r in pick(results, part, "lnn")
    }


def ensemble_marks(results: dict) -> list[Mark]:
    """Marks on many networks that descend together."""
    marks = []
    for width, ratio in over_jax(results, "ensemble").items():
        bound, wanted = (5, "at most 5") if width < 10 else (1, "below 1")
        claim = f"an ensemble over JAX's vmap of a compiled loop, width {width}"
        marks.append(Mark(claim, wanted, f"{ratio:.2f}", ratio <= bound))
    return marks


def other_marks(results: dict) -> list[Mark]:
    """Marks on whole runs, on memory and on starting."""
    marks, factors, losses = [], {}, []
    for depth in (2, 3, 4):
        ours, loop = (pick(results, "completion", name, depth=depth, size=100)[0] for name in ("RKC2", "PyTorch"))
        factors[depth] = (loop["seconds"] or loop["allowed"]) / ours["seconds"]
        losses.append(ours["loss"] <= max(1.0001e-6, loop.get("loss") or 0))
    told = ", ".join(f"{factor:.0f} at depth {depth}" for depth, factor in factors.items())
    whole = sum(pick(results, "completion", "PyTorch", depth=d, size=100)[0]["seconds"] or 60 for d in factors) / sum(
        pick(results, "completion", "RKC2", depth=d, size=100)[0]["seconds"] for d in factors
    )
    told += f"; all three runs together {whole:.0f}"
    met = all(losses) and min(factors.values()) >= 20
    marks.append(Mark("completion to a loss of 1e-6 over the PyTorch loop", "20 times as fast", told, met))
    factors = {}
    for record in pick(results, "nuclear", "lnn"):
        others = [r["seconds"] for r in pick(results, "nuclear", **record["case"]) if r["contender"] != "lnn"]
        if others:
            factors[record["case"]["size"], record["case"]["count"]] = min(others) / record["seconds"]
    told = ", ".join(f"{f:.1f} for {count:,} entries of {size}×{size}" for (size, count), f in factors.items())
    met = min(f for (size, _), f in factors.items() if size == 100) >= 3
    marks.append(Mark("least nuclear norm, over the faster of SCS and Clarabel", "3 times as fast", told, met))
    power = memory_exponents(results)["lnn"]
    marks.append(Mark("memory of the preconditioner over the width", "power 2", f"power {power:.2f}", power < 2.2))
    own = value(results, "seconds", "import", "lnn")
    marks.append(Mark("importing lnn, beyond NumPy and SciPy", "under 0.3 s", f"{own:.2f} s", own < 0.3))
    fractions = {
        width: value(results, "fraction", "recording", "lnn", width=width, every=20) for width in (10, 30, 100, 300)
    }
    told = ", ".join(f"{100 * max(0.0, f):.0f} % at width {width}" for width, f in fractions.items())
    claim = "recording every twentieth step, depth 3"
    marks.append(Mark(claim, "under 10 % of the run", told, max(fractions.values()) < 0.1))
    return marks


def memory_exponents(results: dict) -> dict[str, float]:
    """Powers of the width with which the memory of both preconditioners grows."""
    found = {}
    for name in ("lnn", "Kronecker"):
        points = [(r["case"]["width"], r["bytes"]) for r in pick(results, "preconditioner", name)]
        large = [point for point in points if point[0] >= (24 if name == "Kronecker" else 100)] or points
        found[name] = exponent(*zip(*large, strict=True))
    return found


def marks(results: dict) -> list[Mark]:
    """All marks, each computed from the results."""
    return step_marks(results) + ensemble_marks(results) + other_marks(results)
