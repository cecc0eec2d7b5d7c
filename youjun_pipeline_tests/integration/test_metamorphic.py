"""Differences without effect: codes, order of rows, language of headers, encodings, formats, repeated deliveries, neighbours.

One district is delivered in many ways, each as a district of its own beside the others. The published rows of all of them are the
same, apart from their codes.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.contents import NOT_CONTENT
from youjun_pipeline_tests.generate import (
    PLAIN,
    Phase,
    Style,
    generate_district,
    write_delivery,
    write_district,
)
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

FIRST, LATER = date(2023, 8, 31), date(2023, 9, 15)
PHASES = (
    Phase("a", "一", date(2023, 7, 1), date(2023, 9, 30)),
    Phase("b", "二", date(2023, 10, 1), date(2024, 9, 30)),
)
MESSY = Style(messy_headers=True, messy_numbers=True, shuffled_columns=True, extra_rows=True)
# way -> the code its school codes begin with, the style of its files
WAYS: dict[str, tuple[str, Style]] = {
    "plain": ("110101", PLAIN),
    "other codes": ("110202", PLAIN),
    "shuffled rows": ("110101", PLAIN),
    "Chinese headers": ("110101", replace(PLAIN, chinese_headers=True, chinese_words=True)),
    "gb18030": ("110101", replace(MESSY, format="csv_gb18030")),
    "with a BOM": ("110101", replace(MESSY, format="csv_bom")),
    "workbooks": ("110101", replace(MESSY, format="xlsx")),
    "parquet": ("110101", Style(format="parquet", shuffled_columns=True)),
    "split": ("110101", PLAIN),
    "repeated": ("110101", PLAIN),
}
# Where a row stands, and what its file is called: that is different, and rightly so.
PLACES = {"delivery", "file", "sheet", "row", "column_name", "rows"}
PLACE_TABLES = {"lineage", "input", "class"}
# The days of the figures: what is delivered later is of a later day.
DAYS_OF_FIGURES = {"opened_on", "closed_on", "days_open"}


def deliver(folder: Path, way: str, code: str) -> None:
    schools, style = WAYS[way]
    made = generate_district(4, n_schools=12, profile="mixed", code=schools, leading_zero=False)
    tables: dict[str, Any] = {name: list(rows) if rows else rows for name, rows in made.tables.items()}
    if way == "shuffled rows":
        for rows in tables.values():
            random.Random(1).shuffle(rows or [])
    late = {"facilities", "teachers", "recognition"} if way == "split" else set()
    first = {name: rows for name, rows in tables.items() if name not in late}
    district = write_district(
        folder,
        first,
        made.settings,
        PHASES,
        style=style,
        code=code,
        slug="way",
        name="某区",
        delivered_on=FIRST,
    )
    if late:
        write_delivery(district, LATER, {name: tables[name] for name in late}, style=style)
    if way == "repeated":
        shutil.copytree(district / "deliveries" / str(FIRST), district / "deliveries" / str(LATER))


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("ways")
    for number, way in enumerate(WAYS):
        deliver(folder, way, f"1901{number:02d}")
    # and one that has nothing to do with them
    other = generate_district(9, n_schools=10, profile="sparse", code="120116")
    write_district(
        folder, other.tables, other.settings, PHASES, style=PLAIN, code="120116", slug="other", name="他区"
    )
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def rows_of(
    con: duckdb.DuckDBPyConnection, table: str, columns: list[str], way: str
) -> list[tuple[Any, ...]]:
    """The rows of a table about one of these districts, with its codes replaced by those of the plain district."""
    number, schools = list(WAYS).index(way), WAYS[way][0]
    shown = ", ".join(
        f"""replace(replace("{c}"::varchar, '1901{number:02d}', '190100'), '{schools}', '110101')"""
        for c in columns
    )
    found = con.execute(
        f"select {shown} from mart.{table} where district_code = '1901{number:02d}' order by all"
    )
    return found.fetchall()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "plain"])
def test_it_is_published_as_if_delivered_plainly(con: duckdb.DuckDBPyConnection, way: str) -> None:
    tables = con.execute(
        "select c.table_name, list(column_name order by column_index) from duckdb_columns() c "
        "semi join duckdb_tables() t on t.schema_name = c.schema_name and t.table_name = c.table_name "
        "where c.schema_name = 'mart' group by all order by all"
    ).fetchall()
    seen = 0
    for table, names in tables:
        left_out = PLACES | (DAYS_OF_FIGURES if way == "split" else set())
        columns = [c for c in names if c not in NOT_CONTENT and c not in left_out]
        if "district_code" not in names or table in PLACE_TABLES:
            continue
        plain, found = rows_of(con, table, columns, "plain"), rows_of(con, table, columns, way)
        differing = [
            dict(zip(columns, row, strict=True)) for row in sorted(set(plain) ^ set(found), key=str)[:2]
        ]
        assert len(plain) == len(found) and not differing, (table, differing)
        seen += len(found)
    assert seen > 1000
