"""Headers of several rows: which text applies to which columns.

The datasets' own headers and the official forms follow the same rule. Belongs here: that rule. Keep out: what a header means.
"""

from __future__ import annotations

from collections.abc import Sequence

from youjun_pipeline.ingest.formats.book import Span


def owners(
    rows: Sequence[Sequence[str]], top: int = 0, merged: Sequence[Span] = ()
) -> list[list[int | None]]:
    """For each cell of some header rows the column whose text applies to it, None if there is no such text.

    A text applies to the columns over which it is merged. If nothing in its row is merged (.csv has no merging, and many programs
    only leave blanks), it applies to the blanks to its right, as far as no text above separates them. `top` is the index of the
    first of these rows in the sheet that `merged` describes.
    """
    width = max((len(row) for row in rows), default=0)
    found: list[list[int | None]] = []
    for index, row in enumerate(rows, top):
        level: list[int | None] = [c if c < len(row) and row[c].strip() else None for c in range(width)]
        spans = [(c0, c1) for r0, c0, r1, c1 in merged if r0 - 1 == index and c1 > c0]
        if spans:
            for first, last in spans:
                if level[first:] and level[first] is not None:
                    level[first : last + 1] = [first] * (min(last + 1, width) - first)
        else:
            for column in range(1, width):
                if level[column] is None and all(above[column] == above[column - 1] for above in found):
                    level[column] = level[column - 1]
        found.append(level)
    return found
