"""The first deliveries of the sample districts, refreshed once for all test modules that need them.

Belongs here: the copy, the refresh, and reading a delivered cell without our own reader. Keep out: what a test expects.
"""

from __future__ import annotations

import csv
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from python_calamine import CalamineWorkbook

from youjun_pipeline.settings import Settings
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.steps import places, refresh

WUQING, BAODI = "120114", "120115"
STARTUP, YEAR_2020 = "2023-startup", "2020"
FIRST = {WUQING: "120114-wuqing/deliveries/2023-08-31", BAODI: "120115-baodi/deliveries/2020-11-30"}


def fetch(con: duckdb.DuckDBPyConnection, sql: str) -> list[Any]:
    """The rows of a query."""
    return con.execute(sql).fetchall()


def wuqing(table: str) -> str:
    """A table of the first phase of Wuqing, to be selected from."""
    return f"mart.{table} where district_code = '{WUQING}' and phase_id = '{STARTUP}'"


def refresh_sample(folder: Path) -> Settings:
    """Copy both districts with their first delivery into `folder` and refresh their first phases, which stay open."""
    for delivery in FIRST.values():
        shutil.copytree(CHECKOUT / "data" / delivery, folder / delivery)
        district = Path(delivery).parts[0]
        text = (CHECKOUT / "data" / district / "district.toml").read_text(encoding="utf-8")
        # Tests begin their runs again long after these phases; the district itself closes them a year after their end.
        text = re.sub(r"^close_after_days = .*\n", "", text, flags=re.MULTILINE)
        (folder / district / "district.toml").write_text(text, encoding="utf-8")
    settings = places(folder)
    refresh(settings, phases=(YEAR_2020, STARTUP))
    return settings


def column_number(letters: str) -> int:
    """A column letter as an index from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


@cache
def delivered_rows(path: Path, sheet: str) -> list[list[Any]]:
    """All rows of a delivered file as a person sees them: index 0 is row 1 (for .parquet the first row of data)."""
    if path.suffix == ".parquet":
        return [list(row) for row in pd.read_parquet(path).itertuples(index=False)]
    if path.suffix == ".csv":
        data = path.read_bytes()
        text = (
            data.decode("utf-8-sig")
            if data.startswith(b"\xef\xbb\xbf") or _is_utf8(data)
            else data.decode("gb18030")
        )
        return list(csv.reader(text.splitlines()))
    return CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def delivered_cell(path: Path, sheet: str, row: int, column: str) -> Any:
    """The cell as delivered."""
    return delivered_rows(path, sheet)[row - 1][column_number(column)]


def number(cell: Any) -> float:
    """A delivered number, with or without thousands separators."""
    return float(str(cell).replace(",", ""))
