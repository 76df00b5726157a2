"""What pages say is held: claims for every figure, seals for every text."""

import claims
import faults
import pytest
import seals

PAGES = seals.sources()


@pytest.mark.parametrize("page", sorted(claims.CHAPTERS.glob("*.md")), ids=lambda page: page.stem)
def test_every_figure_has_its_claims_and_every_claim_its_sentence(page):
    assert claims.complaints(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_was_checked_is_what_stands(page):
    changed = seals.changed(page)
    assert not changed, f'check again, then `make seal NAMES="…"`: {", ".join(changed)}'


def test_of_thirty_planted_faults_at_least_twenty_eight_are_noticed():
    found = faults.plant(30, seed=0)
    assert len(found) == 30 and {kind for kind, *_ in found} == set(faults.kinds())
    assert sum(bool(red) for *_, red in found) >= 28, [fault for fault in found if not fault[-1]]


PAGE = """\
---
kernelspec: {name: python3, display_name: Python 3}
---

# A page

It rises.

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A line that rises.
  figure:
    caption: The line is straight.
    name: fig-line
---
y = [1, 2, 3]
```

```{code-cell} ipython3
:tags: [claims]

CLAIMS
```
"""


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('assert y[0] < y[-1], "A line that rises"\nassert y[2] - y[1] == y[1] - y[0], "is straight"', None),
        ('assert y[0] < y[-1], "A line that rises"', "no claim holds its caption"),
        ('assert y[0] < y[-1], "A line that falls"', "no such sentence on the page"),
        ("assert y[0] < y[-1]", "this claim has no sentence"),
        ('assert 1 < 2, "A line that rises"', "does not depend on what was computed"),
        ('assert all(k == k for k in range(3)), "is straight"', "does not depend on what was computed"),
        ('assert y == y, "is straight"', "does not depend on what was computed"),
        ('import math\nassert math.isfinite(y[0]), "is straight"', "imports something"),
    ],
)
def test_what_is_wrong_with_claims_is_said(source, complaint, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("CLAIMS", source), encoding="utf-8")
    found = claims.complaints(page)
    assert found == [] if complaint is None else any(complaint in line for line in found)


def test_a_seal_covers_statement_proof_solution_caption_and_prose():
    text = """\
# A page

Prose of the page.

```{prf:theorem} Name
:label: thm-x

$x = 1$
```

```{admonition} Proof
:class: dropdown

Trivial.
```

After it.

```{exercise} Name
:label: ex-x

Show it.
```

````{solution-start} ex-x
````

Shown.

```{code-cell} ipython3
print(1)
```

````{solution-end}
````
"""
    found = seals.pieces(text + PAGE.partition("# A page")[2])
    assert set(found) == {"section A page", "thm-x", "ex-x", "fig-line"}
    assert "Trivial." in found["thm-x"] and "Shown." in found["ex-x"] and "After it." in found["section A page"]
    assert found["fig-line"] == "The line is straight.\nA line that rises."
    for label, piece in found.items():
        assert seals.digest(piece) == seals.digest(f"  {piece}\n") != seals.digest(piece + "!"), label
