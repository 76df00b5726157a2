"""Print which displays have a witness, chapter by chapter, and those that have none."""

from displays import CHAPTERS, displays, table

held = {chapter: {one.where for one in found} for chapter, found in table().items()}
for chapter in CHAPTERS:
    places = displays(chapter)
    missing = [where for where in places if where not in held.get(chapter, ())]
    print(
        f"{chapter}: {len(places) - len(missing)} of {len(places)}; without a witness: {', '.join(missing) or 'none'}"
    )
print(
    sum(map(len, held.values())), "of", sum(len(displays(chapter)) for chapter in CHAPTERS), "displays have a witness"
)
