"""Measurements behind the page `reproductions`: one module eNN_name.py an experiment, each with `measure()`.

`measure()` runs the experiment at the size that the tests can afford and returns rows: what was claimed, what was
published (or None where the source gives no figure), what came out here, and whether the claim holds.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the reproductions table.

    `published` is what the source says, size and all. `measured` is formatted from computed numbers, rounded so that it
    reads the same on every machine. `holds` is the claim itself, computed from the unrounded numbers; `in_full` is
    whether also the size that the source gives comes out, computed likewise. `said` is the verdict that the text of
    the book was written for: a test is red when another one comes out.
    """

    claim: str
    published: str | None
    measured: str
    holds: bool
    in_full: bool = True
    said: str = "yes"

    @property
    def verdict(self) -> str:
        """Whether the claim holds: yes, in part, or no."""
        return ("yes" if self.in_full else "in part") if self.holds else "no"
