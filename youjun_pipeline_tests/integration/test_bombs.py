"""Hostile files are refused before they cost anything; `make faults HARNESS=bombs` measures the same cases in full size.

Belongs here: small versions of each kind, read in this process. Keep out: time and memory, which need a process of their own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.districts import STATISTICS, scan, stated_code
from youjun_pipeline.ingest.files import content_hash, read_file
from youjun_pipeline.ingest.formats import limits
from youjun_pipeline.ingest.formats.limits import Unreadable
from youjun_pipeline.ingest.formats.opening import open_book
from youjun_pipeline.ingest.statistics.reading import read_statistics
from youjun_pipeline.ingest.validate import MAX_REJECTIONS, validate
from youjun_pipeline_tests.faults.bomb_books import MAIN, SHEET, books, inline, parts, sheet_xml
from youjun_pipeline_tests.faults.bomb_cases import SECRET, Bomb, lay_out
from youjun_pipeline_tests.faults.bomb_files import files
from youjun_pipeline_tests.faults.bomb_folders import folders
from youjun_pipeline_tests.faults.zips import write_zip

# Slow to write, or about time and memory alone.
LARGE = (
    *(
        "xls-text-in-every-cell",
        "zip-a-million-entries",
        "xlsx-merged-200000-times",
        "toml-phases-40000",
        "parquet-rows",
    ),
    *("xlsx-sheet-states-40-mb",),
    *(
        "xlsx-strings-empty",
        "xlsx-styles-150-mb",
        "xlsx-one-shared-string",
        "xlsx-one-inline-string",
        "zip-in-zip",
    ),
    *(
        "xlsx-laughs-in-styles",
        "xlsx-quadratic",
        "xlsx-sheet-of-blanks",
        "xlsx-strings",
        "xlsx-styles",
        "xlsx-media",
    ),
    *(
        "csv-million-columns",
        "csv-commas",
        "csv-emoji",
        "csv-all-cells-wrong",
        "csv-chinese-and-one-bad-byte",
    ),
    *(
        "csv-one-line",
        "csv-one-cell",
        "csv-unbalanced-quote",
        "csv-unbalanced-quote-of-40-mb",
        "csv-nuls-of-40-mb",
    ),
    *("csv-one-cell-of-40-mb", "csv-is-gzip", "csv-nuls", "parquet-zstd-bomb", "parquet-large-dictionary"),
    *("statistics-bomb", "statistics-false-size", "statistics-400000-entries", "statistics-bomb-in-a-member"),
    *(
        "statistics-forty-of-49-mb",
        "xlsx-defined-names-200000",
        "xlsx-rows-of-one-number",
        "files-20000",
        "toml-large",
    ),
)
CASES = [
    case for case in (*books(201), *files(1), *folders()) if case.name not in LARGE and not case.harmless
]
CLASSES = load_datasets()["classes"]


def told(data: Path) -> str:
    """All messages about a data folder when it is read, with their rules."""
    found = scan(data)
    words = [str(notice) for notice in found.notices]
    for district in found.districts:
        words += [f"{failure.rule} {failure.message}" for failure in district.failures]
        for file in district.files:
            try:
                content_hash(file.path)
            except Unreadable as error:
                words.append(f"file_unreadable {error}")
                continue
            if file.dataset == STATISTICS:
                failure, notices = (read := read_statistics(file.path, file.name)).failure, read.notices
            else:
                failure, notices = (table := read_file(file.path, CLASSES)).failure, table.notices
            words += [*notices, *([f"{failure.rule} {failure.message}"] if failure else [])]
    return "\n".join(words)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_delivery_is_refused_with_what_to_do(tmp_path: Path, case: Bomb) -> None:
    case.write(lay_out(tmp_path))
    said = told(tmp_path / "data")
    for word in (*case.says, case.rule or ""):
        assert word in said
    assert SECRET not in said and "root:x:0" not in said


@pytest.mark.parametrize("place", ["r='XFD1048576'", 'r = "XFD1048576"', '\n\tr="XFD1048576"'])
def test_a_far_cell_is_found_however_it_is_written(tmp_path: Path, place: str) -> None:
    rows = f'<row r="3"><c {place}><v>1</v></c></row>'
    write_zip(tmp_path / "classes.xlsx", parts({SHEET: sheet_xml(rows)}))
    failure = read_file(tmp_path / "classes.xlsx", CLASSES).failure
    assert failure is not None and "有 1048576 行 × 16384 列" in failure.message


def test_cells_without_a_place_are_counted(tmp_path: Path) -> None:
    rows = f'<row r="1000000">{"<c><v>1</v></c>" * 100}</row>'
    write_zip(tmp_path / "classes.xlsx", parts({SHEET: sheet_xml(rows)}))
    failure = read_file(tmp_path / "classes.xlsx", CLASSES).failure
    assert failure is not None and "有 1000000 行 × 100 列" in failure.message


def test_a_workbook_of_statistics_is_checked_the_same_way(tmp_path: Path) -> None:
    text = f"<sst {MAIN}><si><t>{'字' * 300_000}</t></si></sst>".encode()
    cells = "".join(f'<row r="{r}"><c r="A{r}" t="s"><v>0</v></c></row>' for r in range(3, 9_000))
    for changed in (
        {SHEET: sheet_xml(cells), "xl/sharedStrings.xml": text},
        {SHEET: sheet_xml("<row r=\"3\"><c r='XFD1048576'><v>1</v></c></row>")},
        {SHEET: sheet_xml(before="<!DOCTYPE x [<!ENTITY a 'b'>]>")},
    ):
        data = write_zip(tmp_path / "a.xlsx", parts({**changed})).read_bytes()
        with pytest.raises(Unreadable):
            open_book(data).sheets[0].content  # noqa: B018, read when it is looked at


def test_a_good_workbook_of_the_same_making_is_read(tmp_path: Path) -> None:
    write_zip(tmp_path / "classes.xlsx", parts({SHEET: sheet_xml(f'<row r="3">{inline(3, "A", "x")}</row>')}))
    result = read_file(tmp_path / "classes.xlsx", CLASSES)
    assert result.failure is None
    assert result.frame["school_code"].tolist() == ["2111000001", "x"]


def test_a_table_that_is_wrong_from_top_to_bottom_is_told_once() -> None:
    rows = MAX_REJECTIONS // 3 + 1  # stage, grade and students cannot be read
    wrong = dict.fromkeys(CLASSES.columns, "x") | {"sheet": "", "content_sha256": "wrong"}
    good = dict(zip(CLASSES.columns, ("2111000001", "小学", "一年级", "1", "42", None), strict=True))
    text = pd.DataFrame([wrong] * rows + [good | {"sheet": "", "content_sha256": "good"}])
    checked = validate(CLASSES, text.assign(row_number=range(len(text))))
    assert checked.rejections.empty
    assert checked.accepted.column("content_sha256").to_pylist() == ["good"]
    failure = checked.failures["wrong"]
    assert failure.rule == "file_unreadable"
    assert f"超过 {MAX_REJECTIONS} 处，多半不是“班级名册”" in failure.message


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr(limits, "open_regular", lambda path, _: os.open(path, os.O_RDONLY))
    with pytest.raises(Unreadable, match="超过"):
        limits.read_bytes(path, 50)


def test_the_code_of_a_folder_is_not_asked_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "district.toml")
    assert stated_code(tmp_path) == "000000"
