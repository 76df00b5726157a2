"""What is kept of the mutants fits together, and survivors are told by kinds."""

import json

import mutants

STORED = json.loads(mutants.STORED.read_text(encoding="utf-8"))


def test_what_is_kept_names_the_survivors_and_no_others():
    assert mutants.STORED.stat().st_size < 300_000
    for functions in STORED.values():
        for entry in functions.values():
            alive = {str(k) for k, letter in enumerate(entry["mutants"], start=1) if letter in "su"}
            assert set(entry["mutants"]) <= set("ktsu.") and set(entry.get("survived", {})) == alive


def test_the_kinds_of_survivors_are_told_by_the_changed_line():
    kinds = [
        ["- zip(a, b, strict=True)", "+ zip(a, b, strict=False)"],
        ["- if x <= 0:", "+ if x < 0:"],
        ["- total = a + b", "+ total = a - b"],
    ]
    told = [bool(mutants.reason("x_sum", change)) for change in kinds]
    assert told == [True, True, False]
