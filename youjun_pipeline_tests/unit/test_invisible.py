"""All invisible characters are removed, and no visible ones."""

from __future__ import annotations

import sys
import unicodedata

import pyarrow as pa
import pytest

from youjun_pipeline.contracts.loader import load_datasets
from youjun_pipeline.contracts.model import INVISIBLE, fold_word
from youjun_pipeline.ingest.cells import parse_cells
from youjun_pipeline.ingest.formats.book import text_column, visible, visible_columns

FORMAT = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == "Cf"]
SELECTORS = [
    chr(c) for c in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x180B, 0x180C, 0x180D, 0x180F)
]
FILLERS = list("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
CONTROLS = [c for c in map(chr, range(256)) if unicodedata.category(c) == "Cc" and not c.isspace()]


def test_all_of_them_and_no_other() -> None:
    assert set(INVISIBLE) >= {*FORMAT, *SELECTORS, *FILLERS, *CONTROLS}
    assert not [
        c
        for c in INVISIBLE
        if unicodedata.category(c) not in ("Cf", "Cc", "Cn") and c not in SELECTORS + FILLERS
    ]


@pytest.mark.parametrize("kind", ["format", "selectors", "fillers", "controls"])
def test_each_is_taken_off_wherever_it_stands(kind: str) -> None:
    characters = {"format": FORMAT, "selectors": SELECTORS, "fillers": FILLERS, "controls": CONTROLS}[kind]
    texts = [f"{c}向{c}阳小学{c}" for c in characters]
    assert {visible(text) for text in texts} == {"向阳小学"}
    assert visible_columns([text_column(texts)])[0].to_pylist() == ["向阳小学"] * len(texts)
    assert {fold_word(text) for text in texts} == {"向阳小学"}


def test_characters_that_a_program_left_escaped() -> None:
    texts = ["向_x200B_阳小学_xfeff_", "_x202D_向阳小学", "向阳小学_x0007_"]
    assert {visible(text) for text in texts} == {"向阳小学"}
    assert (
        visible_columns([text_column([*texts, "_x0007_", None])])[0].to_pylist()
        == ["向阳小学"] * 3 + [None] * 2
    )
    assert visible("a_x000D_\nb") == "a\r\nb"
    for kept in ("a_x0041_b", "room_x12", "_xyz_"):
        assert visible(kept) == kept


def test_a_cell_of_nothing_else_is_blank() -> None:
    columns = visible_columns(
        [text_column(["\u3164", "", None, "甲"]), text_column(["乙", None, "\x07", "丁"])]
    )
    assert [column.to_pylist() for column in columns] == [[None, None, None, "甲"], ["乙", None, None, "丁"]]


def test_a_name_stands_in_one_line() -> None:
    column = load_datasets()["schools"].columns["school_name"]
    breaks = ["\n", "\r\n", " \r", "\t", "\v", "\u2028", "\x85", "\x1c"]
    found = parse_cells(pa.array([f"某区第三{b}中学" for b in breaks], pa.large_string()), column)
    assert found.values.to_pylist() == ["某区第三中学"] * len(breaks)
    note = load_datasets()["progress"].columns["note"]
    assert parse_cells(pa.array(["一\n二"], pa.large_string()), note).values.to_pylist() == ["一\n二"]
