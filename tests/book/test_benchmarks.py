"""The benchmarks: they run, their results cover every case, and the page says what the results say."""

import math

import numpy as np
import pytest

import lnn
import lnn.numerics.fused
from benchmarks import completion, ensembles, loops, page, peers, preconditioning, programs, startup, steps
from benchmarks.results import PATH, dump, exponent, load, marks, pick, ratios, value
from benchmarks.timing import have, least_times, peak_memory

RESULTS = load()
CHAPTER = PATH.parent.parent / "chapters" / "speed.md"


def contenders(records):
    return {record["contender"] for record in records}


def test_the_results_cover_every_case():
    assert {r["part"] for r in RESULTS["records"]} == {
        "step", "recording", "memory", "loop", "ensemble", "completion", "nuclear", "preconditioner", "import", "book"
    }  # fmt: skip
    for depth in steps.DEPTHS:
        for width in steps.WIDTHS:
            found = pick(RESULTS, "step", depth=depth, width=width)
            assert sorted(r["contender"] for r in found) == ["JAX", "PyTorch", "limit", "lnn"]
            assert all(r["seconds"] > 0 for r in found)
    for part, widths in (("loop", loops.WIDTHS), ("ensemble", ensembles.STEPS)):
        for width in widths:
            assert contenders(pick(RESULTS, part, width=width)) == {"lnn", "JAX"}
            assert pick(RESULTS, part, "JAX", width=width)[0]["compiling"] > 0
    for depth in (2, 3, 4):
        found = pick(RESULTS, "completion", depth=depth, size=100)
        assert contenders(found) == {*completion.SOLVERS, *completion.PUBLISHED, "descent", "diffrax Tsit5"}
        assert all(r["seconds"] is None or r["loss"] <= 1.001e-6 for r in found)
    assert {"LSODA", "diffrax Kvaerno5", "Pymanopt"} <= contenders(pick(RESULTS, "completion"))
    for count in (2000, 5000):
        assert contenders(pick(RESULTS, "nuclear", count=count)) == {"lnn", "SCS"}
    assert "CLARABEL" in contenders(pick(RESULTS, "nuclear"))
    assert contenders(pick(RESULTS, "preconditioner")) == {"lnn", "Kronecker"}
    assert {r["case"]["every"] for r in pick(RESULTS, "recording")} == set(steps.EVERY)


def test_nuclear_norms_are_compared_at_equal_gap():
    assert all(r["gap"] <= programs.GAP for r in pick(RESULTS, "nuclear"))


def test_the_page_is_current_with_the_results():
    assert CHAPTER.read_text() == page.speed_page(RESULTS), "chapters/speed.md is not current: run `make pages`"


def test_the_stored_file_is_what_is_written():
    assert PATH.read_text() == dump(RESULTS)


def test_the_page_says_of_every_mark_whether_it_is_met():
    text, told = CHAPTER.read_text(), marks(RESULTS)
    assert len(told) >= 9
    for mark in told:
        assert f"| {mark.claim} | {mark.wanted} | {mark.measured} | {'yes' if mark.met else '**no**'} |" in text
        assert mark.met or f"measured {mark.measured}" in page.mark_reasons(RESULTS)


def changed(part, contender, key, number, **case):
    """The results with one number changed."""
    records = [dict(r) for r in RESULTS["records"]]
    found = pick({"records": records}, part, contender, **case)
    for record in found:
        record[key] = number
    assert found
    return {**RESULTS, "records": records}


@pytest.mark.parametrize(
    ("words", "part", "contender", "key", "good", "bad", "case"),
    [
        ("width 100 or more", "step", "lnn", "seconds", 1e-9, 1e3, {}),
        ("width 10", "step", "lnn", "seconds", 1e-9, 1e3, {}),
        ("PyTorch's", "step", "lnn", "seconds", 1e-9, 1e3, {}),
        ("JAX's", "step", "lnn", "seconds", 1e-9, 1e3, {}),
        ("compiled loop, width 2", "ensemble", "lnn", "seconds", 1e-9, 1e3, {"width": 2}),
        ("compiled loop, width 3", "ensemble", "lnn", "seconds", 1e-9, 1e3, {"width": 3}),
        ("compiled loop, width 10", "ensemble", "lnn", "seconds", 1e-9, 1e3, {"width": 10}),
        ("PyTorch loop", "completion", "RKC2", "seconds", 1e-3, 1e3, {"size": 100}),
        ("nuclear norm", "nuclear", "lnn", "seconds", 1e-6, 1e3, {}),
        ("importing", "import", "lnn", "seconds", 0.29, 0.31, {}),
        ("recording", "recording", "lnn", "fraction", 0.09, 0.11, {"every": 20}),
    ],
)
def test_a_mark_is_met_or_missed_by_the_numbers(words, part, contender, key, good, bad, case):
    for number, met in ((good, True), (bad, False)):
        found = [
            m
            for m in marks(changed(part, contender, key, number, **case))
            if m.claim.endswith(words) or words in m.claim
        ]
        assert found and all(m.met == met for m in found[:1]), found


def test_a_ratio_is_time_over_time():
    results = {
        "records": [
            {"part": "step", "case": {"depth": 2, "width": 10}, "contender": "lnn", "seconds": 6.0},
            {"part": "step", "case": {"depth": 2, "width": 10}, "contender": "limit", "seconds": 2.0},
        ]
    }
    assert ratios(results, "lnn", "limit", [10]) == {(2, 10): 3.0}
    assert ratios(results, "lnn", "limit", [30]) == {}
    assert value(results, "seconds", "step", "JAX") is None
    assert exponent([1, 2, 4], [5, 40, 320]) == pytest.approx(3)


def test_the_limit_counts_the_products_of_a_step():
    for depth in (2, 3, 4, 8):
        assert steps.limit(depth, dict.fromkeys(("XY", "XYᵀ", "XᵀY", "XᵀYᵀ"), 1.0)) == 3 * (depth - 1)


def test_the_forms_of_the_limit_are_those_that_the_sweep_asks_blas_for(monkeypatch):
    """A product of C-ordered arrays is, to BLAS, that of their transposes in the other order."""
    seen, names = [], {(0, 0): "XY", (1, 0): "XYᵀ", (0, 1): "XᵀY", (1, 1): "XᵀYᵀ"}
    monkeypatch.setattr(lnn.numerics.fused, "dgemm", lambda *call: seen.append(names[call[5:7]]))
    for depth in (2, 3, 4, 8):
        seen.clear()
        layers = [np.ones((5, 5)) for _ in range(depth)]
        for call in lnn.numerics.fused.sweeps(layers, layers, lambda W: W, factor=-0.1, add=True):
            call()
        for form in names.values():
            weighed = steps.limit(depth, {name: float(name == form) for name in names.values()})
            assert weighed == seen.count(form), (depth, form)


def test_the_contender_that_works_less_takes_less_time():
    A = np.ones((60, 60))
    best = least_times({"one": lambda: A @ A, "nine": lambda: [A @ A for _ in range(9)]}, 20, 1e-3)
    assert 3 < best["nine"] / best["one"] < 27


def test_peak_memory_counts_what_is_held_at_once():
    assert 8e6 <= peak_memory(lambda: np.ones(10**6)) < 8.1e6
    assert 24e6 <= peak_memory(lambda: [np.ones(10**6) for _ in range(3)]) < 24.1e6


@pytest.mark.parametrize(
    "module", [steps, loops, ensembles, completion, preconditioning, startup], ids=lambda m: m.__name__
)
def test_a_benchmark_runs_on_a_small_problem(module):
    records = module.measure(small=True)
    names = contenders(records)
    assert {"lnn", "RKC2"} & names
    assert have("torch") or "PyTorch" not in names
    for record in records:
        numbers = [v for v in record.values() if isinstance(v, float)]
        assert numbers or "bytes" in record
        assert all(math.isfinite(v) for v in numbers)
        assert record.get("loss", 0) <= 1.001e-6


def test_the_certified_gap_is_that_of_the_solution():
    _, loss = completion.instance(8, 1, 40)
    found = lnn.nuclear.minimize(loss.measure, loss.observed, gap=1e-7)
    assert programs.certified_gap(found.matrix, found.dual, loss) == pytest.approx(found.gap, abs=1e-9)
    assert programs.certified_gap(found.matrix + 0.1, found.dual, loss) > 1e-3


@pytest.mark.skipif(not have("cvxpy"), reason="CVXPY is not installed: it is no part of the book's environment")
def test_the_solvers_of_cvxpy_reach_the_gap():
    assert all(r["gap"] <= programs.GAP for r in programs.measure(small=True))


@pytest.mark.parametrize("peer", ["torch", "jax"])
def test_a_step_of_a_peer_is_the_step_of_the_package(peer):
    if not have(peer):
        pytest.skip(f"{peer} is not installed: it is no part of the book's environment")
    weights, target = steps.problem(3, 6)
    loss = lnn.LeastSquares(lnn.Everything((6, 6)), target.ravel())
    if peer == "torch":
        theirs = peers.torch_step(weights, target)()
    else:
        import jax

        with jax.enable_x64(True):
            theirs = peers.jax_step(weights, target)()
    for W, ours, got in zip(weights, lnn.gradient_step(weights, loss, peers.ETA), theirs, strict=True):
        moved = got.detach().numpy() if peer == "torch" else np.asarray(got)
        np.testing.assert_allclose(moved - W, ours - W, rtol=1e-6, atol=1e-14)


@pytest.mark.skipif(not have("jax"), reason="JAX is not installed")
def test_a_compiled_run_of_jax_is_the_run_of_the_package():
    import jax

    with jax.enable_x64(True):
        weights, target = steps.problem(3, 6)
        run, seconds = peers.jax_run(weights, target, 50)
        alone = lnn.gradient_descent(weights, lnn.LeastSquares.to(target), peers.ETA, 50)[-1]
        many, target = ensembles.problem(3, 4)
        loss = lnn.LeastSquares.to(target)
        together, _ = peers.jax_run(many, target, 50, together=True)
        members = [W[-1] for W in lnn.ensemble_descent(many, loss, peers.ETA, 50).weights]
        assert seconds > 0
        for start, ours, theirs in ((weights, alone, run()), (many, members, together())):
            for W, V, got in zip(start, ours, theirs, strict=True):
                np.testing.assert_allclose(np.asarray(got) - W, V - W, rtol=1e-6, atol=1e-13)
