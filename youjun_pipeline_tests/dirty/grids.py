"""Grids of cells, and writing them as the formats that districts send.

Belongs here: good tables to spoil, and the writers. Keep out: what is wrong with a table (cells.py, tables.py, broken.py).
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
import xlwt

Grid = list[list[Any]]
FORMATS = ("xlsx", "csv", "xls")

CLASSES: Grid = [
    ["学校标识码", "学段", "年级", "班号", "学生数"],
    ["2111000001", "小学", "一年级", "1", 42],
    ["2111000001", "小学", "一年级", "2", 44],
    ["2111000001", "小学", "二年级", "1", 40],
    ["2111000002", "初中", "七年级", "1", 48],
    ["2111000002", "初中", "七年级", "2", 47],
]
FACILITIES: Grid = [
    [
        "学校标识码",
        "教学及辅助用房面积",
        "室内体育用房面积",
        "运动场地面积",
        "教学仪器设备资产值(万元)",
        "网络多媒体教室间数",
    ],
    ["2111000001", 4120.5, 620, 6800, 186.35, 24],
    ["2111000002", 9860, 1400, 15230, 402, 46],
    ["2111000003", 2200, 0, 3100, 75.5, 12],
    ["2111000004", 5310.25, 800, 7425, 210, 30],
]
SCHOOLS: Grid = [
    [
        "学校标识码",
        "学校名称",
        "所属镇街",
        "办学类型",
        "建校年份",
        "是否寄宿制",
        "小学在校生数",
        "初中在校生数",
    ],
    ["2111000001", "某镇中心小学", "某某镇", "小学", 1986, "否", 812, None],
    ["2111000002", "某区第三中学", "某某街道", "初级中学", 2009, "否", None, 1152],
    ["2111000003", "某村小学", "某某镇", "小学", 1978, "否", 120, None],
    ["2111000004", "某区实验学校", "某某街道", "九年一贯制学校", 2015, "是", 746, 402],
]
TEACHERS: Grid = [
    ["学校标识码", "学段", "专任教师数", "教职工数", "博士", "硕士", "本科", "专科"],
    ["2111000001", "小学", 52, 56, 0, 3, 43, 6],
    ["2111000002", "初中", 96, 104, 1, 22, 71, 2],
    ["2111000004", "小学", 48, 50, 0, 4, 40, 4],
    ["2111000004", "初中", 40, 44, 0, 6, 34, 0],
]
PROGRESS: Grid = [
    ["填报日期", "措施编号", "状态", "完成比例", "预计完成", "已支出(万元)", "填报人"],
    ["2024-03-31", "C01", "进行中", 60, "2024-08-31", 180, "某镇中心小学"],
    ["2024-06-30", "C02", "已完成", 100, None, 120, "装备中心"],
    ["2024-06-30", "C03", "未启动", None, "2024-12", None, "基建科"],
]
GOOD: dict[str, Grid] = {
    "classes": CLASSES,
    "facilities": FACILITIES,
    "schools": SCHOOLS,
    "teachers": TEACHERS,
    "progress": PROGRESS,
}


def copy_of(grid: Grid) -> Grid:
    return [list(row) for row in grid]


def write_grid(path: Path, grid: Grid, **more: Any) -> Path:
    """Write a grid in the format that the name says; `more` goes to the format's own writer."""
    writers = {".csv": write_csv, ".xlsx": write_xlsx, ".xls": write_xls}
    writers[path.suffix](path, grid, **more)
    return path


def write_csv(path: Path, grid: Grid, *, encoding: str = "utf-8", delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        rows = [["" if cell is None else cell for cell in row] for row in grid]
        csv.writer(file, delimiter=delimiter).writerows(rows)


def write_xlsx(
    path: Path,
    grid: Grid,
    *,
    sheet: str = "Sheet1",
    others: dict[str, Grid] | None = None,
    hidden_sheets: Sequence[str] = (),
    hidden_rows: Sequence[int] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
    day_cells: Sequence[tuple[int, int]] = (),
    formulas: dict[tuple[int, int], tuple[str, Any]] | None = None,
) -> None:
    """A workbook; positions are (row, column) from 0, `merged` are (row, column, row, column), `formulas` have cached values."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, cells in {sheet: grid, **(others or {})}.items():
            page = book.add_worksheet(name)
            if name in hidden_sheets:
                page.hide()
            elif hidden_sheets:
                page.activate()
            for r, row in enumerate(cells):
                for c, value in enumerate(row):
                    if isinstance(value, dt.date):
                        page.write_datetime(r, c, value, day)
                    elif isinstance(value, str):
                        page.write_string(r, c, value)
                    elif value is not None:
                        page.write(r, c, value)
        first = book.worksheets()[0]
        for row in hidden_rows:
            first.set_row(row, None, None, {"hidden": True})
        for span in merged:
            first.merge_range(*span, None)
            value = grid[span[0]][span[1]]
            first.write(span[0], span[1], value)
        for r, c in day_cells:
            first.write_number(r, c, grid[r][c], day)
        for (r, c), (formula, value) in (formulas or {}).items():
            first.write_formula(r, c, formula, None, value)


def write_xls(
    path: Path,
    grid: Grid,
    *,
    sheet: str = "Sheet1",
    hidden_rows: Sequence[int] = (),
    hidden_sheets: Sequence[str] = (),
) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet(sheet)
    if sheet in hidden_sheets:
        book.add_sheet("空表")
        page.visibility = 1
    style = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            if isinstance(value, dt.date):
                page.write(r, c, value, style)
            elif value is not None:
                page.write(r, c, value)
    for row in hidden_rows:
        page.row(row).hidden = True
    book.save(str(path))
