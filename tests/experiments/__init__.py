"""Measurements behind the page `reproductions`: one module eNN_name.py an experiment, each with `measure()`.

`measure()` runs the experiment at the size that the tests can afford and returns rows: what was claimed, what was
published (or None where the source gives no figure), what came out here, and whether the claim holds.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the reproductions table.

    `measured` is formatted from computed numbers, rounded so that it reads the same on every machine; `holds` is
    the claim itself, computed from the unrounded numbers.
    """

    claim: str
    published: str | None
    measured: str
    holds: bool
