"""Small plain files are read in one pass: the rows are the same as one by one, and only files without messages are included."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.bulk import Rows, read_plain
from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.ingest.files import read_file
from youjun_pipeline.ingest.seen import register
from youjun_pipeline.ingest.store import Ingested, ingest
from youjun_pipeline.session import in_memory
from youjun_pipeline_tests.generate import generate_country

ROOMS = load_datasets()["special_rooms"]
HEADER = "school_code,campus,kind,room_no,area_m2"
LINES = ["1100000001,,music,M1,96", "1100000001,,art,A1,100.5", "1100000002,东校区,music,M1,"]


def _written(folder: Path, texts: Iterable[str | bytes]) -> dict[str, Path]:
    files = {}
    for number, text in enumerate(texts):
        path = folder / f"{number}.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        files[str(number)] = path
    return files


def _together(files: dict[str, Path]) -> list[Rows]:
    return list(read_plain(files, ROOMS))


def _text(*lines: str, header: str = HEADER, end: str = "\n") -> str:
    return end.join((header, *lines)) + end


def test_files_of_several_headers_are_read_as_each_is_alone(tmp_path: Path) -> None:
    chinese = "学校标识码,校区,教室类别,教室编号,面积"
    files = _written(
        tmp_path,
        [
            _text(*LINES),
            _text(LINES[1]),
            _text(*LINES, end="\r\n"),
            _text(*LINES).rstrip("\n"),
            "\ufeff" + _text(*LINES),
            _text(LINES[0], ",,,,", LINES[1]),
            _text(LINES[0], header=chinese),
            _text("1100000003,,,,", LINES[0]).replace("1100000003,", " 1100000003 ,"),
        ],
    )
    found = _together(files)
    names = [name for rows in found for name in rows.contents]
    assert sorted(names) == sorted(set(files) - {"7"})
    for rows in found:
        for name in rows.contents:
            alone = read_file(files[name], ROOMS)
            own = rows.frame[rows.frame["content_sha256"] == name].drop(columns="content_sha256")
            pd.testing.assert_frame_equal(own.reset_index(drop=True), alone.frame)
            assert rows.columns == alone.columns
            assert not alone.notices
            assert not alone.failure


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_text(*LINES, "合计,,,,196.5"), id="a sum"),
        pytest.param(_text(*LINES, ",,,,196.5"), id="one cell alone"),
        pytest.param(_text(*LINES, "填表人：张某,,,,"), id="a signature"),
        pytest.param(_text(LINES[0], HEADER, LINES[1]), id="the header again"),
        pytest.param(_text("kind,room_no,school_code,campus,area_m2", LINES[1]), id="another header"),
        pytest.param(_text("1,2,3,4,5", *LINES), id="numbers of columns"),
        pytest.param(_text(",,,,", "1,2,3,4,5", *LINES), id="numbers of columns below a blank row"),
        pytest.param(_text("附表一,,,,", header=HEADER) + _text(*LINES), id="a title below the header"),
        pytest.param(_text(*LINES, '1100000002,,music,"M,2",90'), id="a quote"),
        pytest.param(_text(*LINES, "1100000002,,music,M2"), id="a short row"),
        pytest.param(_text(*LINES, "1100000002,,music,M2,90,"), id="a long row"),
        pytest.param(_text("1100000002,,music,M2", "1100000002,,music,M2,90,"), id="short and long"),
        pytest.param(_text(LINES[0], "", LINES[1]), id="an empty line"),
        pytest.param(_text(*LINES).replace("\n", "\r"), id="old line ends"),
        pytest.param(_text(*LINES).replace("M1,96", "M1,9\u200b6"), id="a character that nobody sees"),
        pytest.param(_text(*LINES).replace("M1", "M_x0031_"), id="an escape"),
        pytest.param(_text(*LINES).replace("M1", "M;1"), id="another delimiter"),
        pytest.param(_text(*LINES).encode("gb18030"), id="GB18030"),
        pytest.param(_text(*LINES).encode("utf-16"), id="UTF-16"),
        pytest.param(_text(*LINES).encode() + b"\xff", id="damaged"),
        pytest.param(_text(*LINES).encode() + b"\x1a", id="Ctrl-Z"),
        pytest.param(
            _text(*(f"{line}," for line in LINES), header=f"{HEADER},remark_of_ours"), id="an unknown name"
        ),
        pytest.param(_text(*LINES, header=HEADER.replace("campus", "area_m2")), id="a name twice"),
        pytest.param(_text("1100000001,M1", header="school_code,room_no"), id="required columns lack"),
        pytest.param(f"{HEADER}\n", id="a header alone"),
        pytest.param(_text("1100000001,,,,", "1100000002,,,,"), id="nothing told"),
        pytest.param("", id="empty"),
        pytest.param(b"PK\x03\x04" + _text(*LINES).encode(), id="an archive"),
        pytest.param("表一\n" + _text(*LINES), id="a title"),
    ],
)
def test_a_file_in_doubt_is_left_to_the_careful_reader_and_its_neighbours_are_not(
    tmp_path: Path, text: str | bytes
) -> None:
    files = _written(tmp_path, [_text(*LINES), text, _text(LINES[1])])
    found = _together(files)
    taken = [name for rows in found for name in rows.contents]
    assert "1" not in taken
    assert not any((rows.frame["content_sha256"] == "1").any() for rows in found)
    assert sorted(taken) == ["0", "2"]


def test_whatever_is_read_together_has_the_rows_that_it_has_alone(tmp_path: Path) -> None:
    """Random cells from an alphabet with the characters that the careful reader looks for; ten files at a time."""
    source = random.Random(20261127)
    words = " |1100000001|M1|96|0|合计|小学合计|1|2|3|注：|东校区|是|-|１２|music"
    cells = ["", *re.split("[|]", words)]
    texts = []
    for _ in range(600):
        rows = [
            ",".join(source.choice(cells) for _ in range(source.choice([5, 5, 5, 5, 5, 5, 4, 6])))
            for _ in range(source.randint(1, 3))
        ]
        texts.append(_text(*LINES[: source.randint(0, 2)], *rows))
    files = _written(tmp_path, texts)
    names = list(files)
    taken = 0
    for first in range(0, len(names), 10):
        for found in _together({name: files[name] for name in names[first : first + 10]}):
            for name in found.contents:
                alone = read_file(files[name], ROOMS)
                own = found.frame[found.frame["content_sha256"] == name].drop(columns="content_sha256")
                pd.testing.assert_frame_equal(own.reset_index(drop=True), alone.frame)
                assert not alone.notices, (texts[int(name)], alone.notices)
                taken += 1
    assert taken > 60


def _stored(folder: Path, *, one_by_one: bool) -> tuple[list[Ingested], list[list[tuple[object, ...]]]]:
    with in_memory() as con:
        delivered = register(con, scan(folder))
        reader = (lambda path, dataset: read_file(path, dataset)) if one_by_one else read_file
        lines = ingest(con, delivered, read=reader)
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('raw', 'accepted') "
            "and table_name <> 'hashed_file' order by 1"
        ).fetchall()
        return lines, [con.execute(f"from {table} order by all").fetchall() for (table,) in tables]


def test_a_country_is_stored_the_same_in_slices_as_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_country(tmp_path, 6, n_schools=9)
    alone = _stored(tmp_path, one_by_one=True)
    assert sum(line.rows_accepted for line in alone[0]) > 500
    assert _stored(tmp_path, one_by_one=False) == alone
    # A slice holds one file or two then; what is stored is the same.
    monkeypatch.setattr("youjun_pipeline.ingest.store.MAX_SLICE_BYTES", 3_000)
    assert _stored(tmp_path, one_by_one=False) == alone
