"""From cells as delivered to typed values: read strictly, with a reason for each cell that cannot be read.

A column is parsed by its distinct texts: plain texts in one vectorised cast, and only unusual texts in Python (readings.py). So a
spelling that occurs a million times is read once, and a file of ordinary numbers needs no Python per cell. Belongs here: the
machinery for columns. Keep out: how one text is read (readings.py), and ranges, keys and rules (validate.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.contracts.model import INVISIBLE, NUMBER_TYPES, Column
from youjun_pipeline.ingest.readings import READERS, BadCell

# large_string has 64-bit offsets: a column of long texts over many files passes 2 GB.
STRING = pa.large_string()

# Contract type -> Arrow type of its values; contracts.model.DUCKDB_TYPES holds the same for the database.
ARROW_TYPES: dict[str, Any] = {
    "code": STRING,
    "text": STRING,
    "names": STRING,
    "choice": STRING,
    "count": pa.int64(),
    "year": pa.int32(),
    "grade": pa.int32(),
    "level": pa.int32(),
    "amount": pa.decimal128(18, 6),
    "percent": pa.decimal128(9, 6),
    "rate": pa.decimal128(12, 9),
    "date": pa.date32(),
    "flag": pa.bool_(),
}

# Texts of this shape need no reading beyond a cast, which is exact for each of them. A type without an entry (choice, date, flag)
# has few distinct texts, which are all read in Python.
PLAIN: dict[str, str] = {
    "code": r"^[0-9A-Za-z]{1,60}$",
    "text": r"^[^#\r\n\t\v\f\x1c-\x1f\x{85}\x{2028}\x{2029}][^\r\n\t\v\f\x1c-\x1f\x{85}\x{2028}\x{2029}]*$",
    "names": r"^[^#\r\n\t\v\f\x1c-\x1f\x{85}\x{2028}\x{2029}][^\r\n\t\v\f\x1c-\x1f\x{85}\x{2028}\x{2029}]*$",
    "count": r"^-?[0-9]{1,18}$",
    "year": r"^[0-9]{4}$",
    "grade": r"^[0-9]{1,2}$",
    "level": r"^[0-9]{1,2}$",
    "amount": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$",
    "percent": r"^-?[0-9]{1,3}(\.[0-9]{1,6})?$",
    "rate": r"^-?[0-9]{1,3}(\.[0-9]{1,9})?$",
}

# Thousands separators in the right places are removed first, so that a file full of them is read at the same speed. 0,123 has no
# thousands separator: some countries write 0.123 so.
GROUPED = r"^-?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?$"

# Everything around a value that has no meaning: Unicode blanks (also U+3000 and NBSP), zero-width marks.
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + INVISIBLE

SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Cells:
    """One parsed column: `values`, null if blank or unreadable, and the cells that could not be read.

    `bad` are the positions of unreadable cells, in order; `rules` and `messages` have the reason for each position.
    """

    values: Any
    bad: np.ndarray
    rules: np.ndarray
    messages: np.ndarray


def parse_cells(texts: Any, column: Column) -> Cells:
    """Parse the cells of one column, a string array. Blank texts become null and are no fault, even in a required column."""
    encoded = flat(texts).dictionary_encode()
    trimmed = pc.utf8_trim(encoded.dictionary, characters=BLANKS)
    values, faults = _parse_distinct(trimmed, column)
    values = values.take(encoded.indices)
    if not faults:
        nothing = np.empty(0, dtype=object)
        return Cells(values, np.empty(0, dtype=np.int64), nothing, nothing)
    fault_of = np.full(len(trimmed), -1, dtype=np.int64)
    fault_of[list(faults)] = np.arange(len(faults))
    # A blank cell has no index; it gets the index of the extra -1 at the end.
    codes = pc.fill_null(encoded.indices, len(fault_of)).to_numpy(zero_copy_only=False)
    found = np.append(fault_of, -1)[codes]
    bad = np.flatnonzero(found >= 0)
    rules = np.array([rule for rule, _ in faults.values()], dtype=object)
    messages = np.array([message for _, message in faults.values()], dtype=object)
    return Cells(values, bad, rules[found[bad]], messages[found[bad]])


def _parse_distinct(trimmed: Any, column: Column) -> tuple[Any, dict[int, tuple[str, str]]]:
    """Typed values of distinct texts, and (rule, message) by position for texts that cannot be read."""
    arrow_type = ARROW_TYPES[column.type]
    odd = pc.greater(pc.utf8_length(trimmed), 0)
    values = pa.nulls(len(trimmed), arrow_type)
    if column.type in PLAIN:
        texts = trimmed
        if column.type in NUMBER_TYPES:
            grouped = pc.match_substring_regex(trimmed, GROUPED)
            texts = pc.if_else(grouped, pc.replace_substring(trimmed, ",", ""), trimmed)
        plain = pc.match_substring_regex(texts, PLAIN[column.type])
        odd = pc.and_(odd, pc.invert(plain))
        values = pc.cast(pc.if_else(plain, texts, None), arrow_type)
    positions = np.flatnonzero(odd.to_numpy(zero_copy_only=False))
    if not len(positions):
        return values, {}
    read: Callable[[str], Any] = partial(READERS[column.type], column=column)
    faults: dict[int, tuple[str, str]] = {}
    found: list[Any] = []
    for position, text in zip(positions.tolist(), trimmed.take(positions).to_pylist(), strict=True):
        try:
            found.append(read(text))
        except BadCell as fault:
            found.append(None)
            faults[position] = (fault.rule, cell_message(column, text, str(fault)))
    return pc.replace_with_mask(values, odd, pa.array(found, arrow_type)), faults


def flat(column: Any) -> Any:
    """A table's column as one array: Arrow keeps a column in chunks, which have no common dictionary."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def cell_message(column: Column, text: str, reason: str) -> str:
    """The message to a district about one cell: column, value and what to do."""
    shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return f"{column.zh}“{shown}”{reason}"
