"""Deliveries for the check before sending: good ones, and ways to spoil them.

Belongs here: files and folders for the tests of the check. Keep out: the results of the check.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from youjun_pipeline_tests.generate import PLAIN, Phase, write_district

Rows = Sequence[Sequence[Any]]

TODAY = date(2024, 7, 1)
PHASES = (Phase("2024", "攻坚", date(2024, 1, 1), date(2024, 12, 31)),)
EVIL = '=HYPERLINK("http://x","点我")'
SCHOOLS: list[list[Any]] = [
    [
        "学校标识码",
        "学校名称",
        "办学类型",
        "小学在校生数",
        "初中在校生数",
        "小学就近入学人数",
        "初中就近入学人数",
    ],
    ["2111000001", EVIL, "小学", 400, None, 400, None],
    ["2111000002", "实验学校", "九年一贯制学校", 600, 300, 600, 300],
    ["2111000003", "第三中学", "初级中学", None, 900, None, 900],
]
CLASSES: list[list[Any]] = [
    ["学校标识码", "学段", "年级", "班号", "学生数"],
    *(["2111000001", "小学", "一年级", n, 40] for n in range(1, 11)),
    *(["2111000002", "小学", "二年级", n, 50] for n in range(1, 13)),
    *(["2111000002", "初中", "七年级", n, 50] for n in range(1, 7)),
    *(["2111000003", "初中", "八年级", n, 45] for n in range(1, 21)),
]
FACILITIES: list[list[Any]] = [
    [
        "学校标识码",
        "教学及辅助用房面积（㎡）",
        "运动场地面积",
        "教学仪器设备资产值(万元)",
        "网络多媒体教室间数",
        "室内体育用房面积",
    ],
    ["2111000001", 2310.5, 3120.4, 81.5, 12, 0],
    ["2111000002", 5520.5, 7420.4, 181.5, 22, 0],
    ["2111000003", 5210.5, 8120.4, 171.5, 20, 610.5],
]


def write(folder: Path, name: str, rows: Iterable[Sequence[Any]]) -> Path:
    """A file of a delivery, by its suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([["" if c is None else c for c in row] for row in rows])
        return path
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("数据")
        for r, row in enumerate(rows):
            sheet.write_row(r, 0, row)
    return path


def deliver(folder: Path, **changed: Any) -> Path:
    """A good delivery; `changed` replaces a dataset's rows, None leaves it out."""
    given: dict[str, Any] = {"schools": SCHOOLS, "classes": CLASSES, "facilities": FACILITIES, **changed}
    for name, rows in given.items():
        if rows is not None:
            write(folder, f"{name}.xlsx", rows)
    return folder


def with_cell(rows: Rows, row: int, column: int, value: Any) -> list[list[Any]]:
    """A copy with one cell changed; row and column as in a spreadsheet, from 1."""
    copy = [list(r) for r in rows]
    copy[row - 1][column - 1] = value
    return copy


def district(tmp_path: Path) -> Path:
    """A district with two deliveries, the second of which has no roster of its own."""
    home = write_district(tmp_path / "data", {}, {}, PHASES, style=PLAIN, delivered_on="2024-01-31")
    deliver(home / "deliveries" / "2024-01-31")
    more = with_cell(with_cell(FACILITIES, 2, 2, 9310.5), 3, 1, "2111000009")
    write(home / "deliveries" / "2024-06-30", "facilities.csv", more)
    return home
