"""Tables with more than one header and its rows: titles, headers over rows, sums, remarks, hidden parts, sheets.

Belongs here: rows, columns, headers, sheets. Keep out: single cells (cells.py) and bytes (broken.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl

from youjun_pipeline_tests.dirty.cases import Case
from youjun_pipeline_tests.dirty.grids import (
    CLASSES,
    FACILITIES,
    FORMATS,
    GOOD,
    SCHOOLS,
    TEACHERS,
    Grid,
    copy_of,
    write_grid,
)

SUMS = (
    ["合计", None],
    ["总计", None],
    ["小计", None],
    ["合　计", None],
    [" 合 计 ", None],
    ["共计", None],
    ["合计：", None],
    ["合计（所）", None],
    ["总合计", None],
    ["平均", None],
    ["平均值", None],
    ["Grand Total", None],
    ["SUM", None],
    [None, "汇总"],
    [None, "合计"],
    [None, "全区合计"],
    [None, "小学小计"],
    [None, "武清区小学总计"],
)
REMARKS = (
    "注：本表数据截至2024年8月31日",
    "注1：面积为使用面积",
    "注1. 面积为使用面积",
    "说明：含教学点",
    "备注:无",
    "附注：见文件",
    "（注：以上为测算数）",
    "※ 数据由学校填报",
    "* 面积含在建",
    "★重点学校",
    "数据来源：教育事业统计",
    "填表人：张三　　联系电话：13800000000",
    "填报单位（盖章）：",
    "审核人：李四",
    "负责人签字：",
    "单位负责人：王五",
    "联系电话：022-12345678",
    "制表日期：2024年9月1日",
    "2024年9月1日",
    "1. 本表一式两份，报区教育局；2. 数据须经校长签字。",
    "某某区教育局基建科",
)
HEADINGS = ("一、城区小学", "（二）农村小学", "初中部分")


def cases() -> Iterator[Case]:
    """Every layout."""
    yield from _side_rows()
    yield from _headers()
    yield from _sheets()
    yield from _hidden()
    yield from _keys()
    yield from _columns()
    yield from _merged()
    yield from _formulas()


def _case(name: str, dataset: str, suffix: str, grid: Grid, **more: Any) -> Case:
    write = more.pop("write", partial(write_grid, grid=grid, **more.pop("how", {})))
    return Case(f"{name}.{suffix}", dataset, f"{dataset}.{suffix}", write, **more)


def _side_rows() -> Iterator[Case]:
    for suffix in FORMATS:
        for place, at in (("top", 1), ("middle", 3), ("bottom", len(SCHOOLS))):
            for number, lead in enumerate(SUMS if place == "bottom" else SUMS[:4]):
                grid = copy_of(SCHOOLS)
                grid.insert(at, [*lead, None, None, None, None, 1678, 1554])
                said = (f"第 {at + 1} 行是合计或平均",)
                yield _case(f"sum-{place}-{number}", "schools", suffix, grid, rows=4, says=said)
        grid = [
            *copy_of(CLASSES),
            ["2111000001", "小学", "小计", None, 126],
            ["2111000002", "初中", "七年级", "合计", 95],
        ]
        yield _case("sum-in-the-key", "classes", suffix, grid, rows=5, says=("第 7、8 行是合计或平均",))
        for number, text in enumerate(REMARKS):
            grid = [*copy_of(FACILITIES), [text]]
            yield _case(f"remark-{number}", "facilities", suffix, grid, rows=4, says=("第 6 行是表注或签名",))
        grid = [
            *copy_of(FACILITIES),
            [],
            ["注：一"],
            ["填表人：张三", None, None, "审核人：李四"],
            ["2024年9月1日"],
        ]
        said = ("第 7、8、9 行是表注或签名",)
        yield _case("remarks-and-signatures", "facilities", suffix, grid, rows=4, says=said)
        for number, text in enumerate(HEADINGS):
            grid = copy_of(FACILITIES)
            grid.insert(2, [text])
            said = ("不是代码，代码只有数字、字母",)
            yield _case(f"heading-{number}", "facilities", suffix, grid, rows=4, rejected=1, says=said)
        grid = copy_of(SCHOOLS)
        grid.insert(1, ["甲", "乙", 1, 2, 3, 4, 5, 6])
        yield _case("column-numbers", "schools", suffix, grid, rows=4, says=("第 2 行是栏号",))
        grid = copy_of(FACILITIES)
        grid.insert(1, [1, 2, 3, 4, 5, 6])
        yield _case("column-numbers-from-one", "facilities", suffix, grid, rows=4, says=("第 2 行是栏号",))
        grid = [*copy_of(CLASSES[:3]), *copy_of([CLASSES[0], *CLASSES[3:]])]
        yield _case("header-again", "classes", suffix, grid, rows=5, says=("第 4 行又是表头",))
        grid = [
            row
            for pair in zip(copy_of(CLASSES), [[], [None], ["  "], ["　"], [], []], strict=True)
            for row in pair
        ]
        yield _case("blank-rows", "classes", suffix, grid, rows=5)


def _headers() -> Iterator[Case]:
    # Long because it is a list of cases, one after the other.
    top = ["学校标识码", "学校名称", "办学类型", "在校生数", None, None, "教师"]
    bottom = [None, None, None, "小学", "初中", "高中", None]
    rows: Grid = [
        ["2111000001", "甲小学", "小学", 100, None, None, 10],
        ["2111000002", "乙中学", "初级中学", None, 300, None, 30],
    ]
    spans = [(1, 0, 2, 0), (1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 5), (1, 6, 2, 6)]
    for suffix in FORMATS:
        for number in range(4):
            titles: Grid = [
                ["某区学校情况表"],
                ["填报单位：某区教育局", None, "2024-08-31"],
                [],
                ["单位：人、㎡"],
            ][:number]
            grid = [*titles, *copy_of(FACILITIES)]
            yield _case(f"titles-{number}", "facilities", suffix, grid, rows=4, header_row=number + 1)
        grid = [["某区学校名册"], top, bottom, *copy_of(rows)]
        yield _case(
            "header-of-two-rows",
            "schools",
            suffix,
            grid,
            rows=2,
            header_row=3,
            says=("未识别的列已忽略：教师",),
        )
        bad = copy_of(FACILITIES)
        bad[0] = [
            "学 校\n标识码 *",
            "教学及辅助用房面积（平方米）",
            "室内体育用房面积(m²)",
            "运动场地面积【㎡】",
            "教学仪器设备资产值（万元）：",
            "网络多媒体教室间数（间）",
        ]
        yield _case("header-decorated", "facilities", suffix, bad, rows=4)
        wrong = copy_of(FACILITIES)
        wrong[0][4] = "教学仪器设备资产值（元）"
        yield _case(
            "header-other-unit", "facilities", suffix, wrong, rows=4, says=("本列单位是万元", "没有读取")
        )
        typo = copy_of(CLASSES)
        typo[0][4] = "学生人"
        failure = {
            "failure": "required_column_missing",
            "says": ("缺少", "学生数（students）", "表头在第 1 行"),
        }
        yield _case("header-misspelt", "classes", suffix, typo, **failure)
        twice = [[*row, row[1]] for row in copy_of(FACILITIES)]
        said = ("B、G 列都是“教学及辅助用房面积”",)
        yield _case("header-twice", "facilities", suffix, twice, failure="ambiguous_header", says=said)
        headless = copy_of(FACILITIES)[1:]
        said = ("前 30 行里没有找到", "第 1 行是")
        yield _case("header-missing", "facilities", suffix, headless, failure="header_not_found", says=said)
        only = [copy_of(FACILITIES)[0]]
        yield _case("header-alone", "facilities", suffix, only, rows=0, says=("只有表头，没有数据行",))
        english = [["school_code", "stage", "grade", "class_no", "students"], *copy_of(CLASSES)[1:]]
        yield _case("header-english", "classes", suffix, english, rows=5)
        both = [["school_code", "stage", "grade", "class_no", "students"], *copy_of(CLASSES)]
        yield _case("header-in-two-languages", "classes", suffix, both, rows=5, says=("第 2 行又是表头",))
        far = [*([] for _ in range(25)), *copy_of(CLASSES)]
        yield _case("header-far-down", "classes", suffix, far, rows=5, header_row=26)
    grid = [["某区学校名册", *[None] * 6], top, bottom, *copy_of(rows)]
    how = {"merged": [(0, 0, 0, 6), *spans]}
    yield _case("header-merged", "schools", "xlsx", grid, rows=2, header_row=3, how=how)
    grid = [copy_of(CLASSES)[0], [None] * 5, *copy_of(CLASSES)[1:]]
    how = {"merged": [(0, c, 1, c) for c in range(5)]}
    yield _case("header-merged-downwards", "classes", "xlsx", grid, rows=5, header_row=2, how=how)
    grid = [copy_of(CLASSES)[0], [None, None, None, None, "其中：女"], *copy_of(CLASSES)[1:]]
    how = {"merged": [(0, c, 1, c) for c in range(4)]}
    yield _case("header-with-a-part-below", "classes", "xlsx", grid, rows=5, header_row=2, how=how)


def _sheets() -> Iterator[Case]:
    def book(
        name: str, others: dict[str, Grid], sheet: str = "Sheet1", dataset: str = "classes", **more: Any
    ) -> Case:
        hidden = more.pop("hidden_sheets", ())
        how = {"sheet": sheet, "others": others, "hidden_sheets": hidden}
        return _case(name, dataset, "xlsx", copy_of(GOOD[dataset]), how=how, **more)

    more = [CLASSES[0], ["2111000003", "小学", "一年级", "1", 30]]
    yield book(
        "sheet-cover", {"封面": [["某区"], ["2024年"]]}, rows=5, says=("工作表“封面”没有本数据集的表头",)
    )
    yield book("sheet-second-part", {"续表": more}, rows=6)
    yield book("sheet-empty", {"Sheet2": [], "Sheet3": []}, rows=5)
    said = ("工作表“旧表”是隐藏的，也读取了",)
    yield book("sheet-hidden-part", {"旧表": more}, rows=6, hidden_sheets=["旧表"], says=said)
    said = ("工作表“二”缺少", "学生数（students）")
    wrong = [[*CLASSES[0][:4], "人"], more[1]]
    yield book("sheet-misspelt-part", {"二": wrong}, failure="required_column_missing", says=said)
    said = ("学校标识码 2111000001", "Sheet1 第 2 行，二 第 2 行")
    twice = [CLASSES[0], CLASSES[1]]
    says = ("Sheet1 第 2 行，二 第 2 行",)
    yield book("sheet-repeats-a-row", {"二": twice}, rows=None, failure="duplicate_key", says=says)
    listed = {"联系人": [["学校标识码", "联系人"], ["2111000001", "张三"]]}
    yield book("sheet-of-codes", listed, dataset="facilities", rows=4, says=("工作表“联系人”没有",))
    yield book("sheet-with-odd-name", {"<b>'%s' & \"x\"": more}, rows=6)
    yield book("sheet-that-helps", {"填表说明": [["本页不是填报数据，不读取"], *copy_of(CLASSES)]}, rows=5)


def _hidden() -> Iterator[Case]:
    for suffix in ("xlsx", "xls"):
        said = ("第 3、5 行是隐藏的（可能被筛选掉了），也读取了",)
        how = {"hidden_rows": (2, 4)}
        yield _case("hidden-rows", "classes", suffix, copy_of(CLASSES), rows=5, says=said, how=how)
        how = {"hidden_sheets": ["Sheet1"], **({"others": {"空表": []}} if suffix == "xlsx" else {})}
        said = ("工作表“Sheet1”是隐藏的",)
        yield _case("hidden-only-sheet", "classes", suffix, copy_of(CLASSES), rows=5, says=said, how=how)


def _keys() -> Iterator[Case]:
    for suffix in FORMATS:
        again = [*copy_of(FACILITIES), FACILITIES[2]]
        said = ("2111000002（", "第 3、6 行）")
        yield _case("row-twice", "facilities", suffix, again, failure="duplicate_key", says=said)
        differs = [*copy_of(FACILITIES), ["2111000002", 1, 1, 1, 1, 1]]
        yield _case("school-twice", "facilities", suffix, differs, failure="duplicate_key", says=said)
        folded = [*copy_of(FACILITIES), ["２１１１００００02.0", 1, 1, 1, 1, 1]]
        yield _case(
            "school-twice-in-disguise",
            "facilities",
            suffix,
            folded,
            failure="duplicate_key",
            says=("第 3、6 行）",),
        )
        swapped = [[row[1], row[0], *row[2:]] for row in copy_of(SCHOOLS)]
        swapped[0] = list(SCHOOLS[0])
        said = ("不是代码，代码只有数字、字母", "是否填错了列")
        yield _case("code-and-name-swapped", "schools", suffix, swapped, rows=0, rejected=4, says=said)
        areas = [[row[0], row[5], *row[2:5], row[1]] for row in copy_of(FACILITIES)]
        areas[0] = list(FACILITIES[0])
        said = ("室内体育用房面积大于教学及辅助用房面积",)
        yield _case("area-and-rooms-swapped", "facilities", suffix, areas, rows=4, rejected=None, says=said)
        crowded = copy_of(CLASSES)
        crowded[3][4] = 812
        said = ("班级学生数不像一个班的人数", "第 4 行")
        yield _case("school-in-a-class", "classes", suffix, crowded, rows=5, says=said)
        more = copy_of(TEACHERS)
        more[1][6] = 430
        said = ("人数之和多于专任教师数", "第 2 行")
        yield _case("degrees-above-teachers", "teachers", suffix, more, rows=4, says=said)
        area = copy_of(SCHOOLS)
        area[1][6] = 41205
        yield _case(
            "area-for-pupils", "schools", suffix, area, rows=4, says=("不像一所学校的人数", "第 2 行")
        )


def _columns() -> Iterator[Case]:
    for suffix in FORMATS:
        named = [
            [row[0], "学校名称" if i == 0 else f"学校{i}", *row[1:]]
            for i, row in enumerate(copy_of(FACILITIES))
        ]
        yield _case("column-of-names", "facilities", suffix, named, rows=4)
        numbered = [["序号" if i == 0 else i, *row] for i, row in enumerate(copy_of(FACILITIES))]
        yield _case(
            "column-of-numbers", "facilities", suffix, numbered, rows=4, says=("未识别的列已忽略：序号",)
        )
        unnamed = [[*row, None if i == 0 else "x"] for i, row in enumerate(copy_of(FACILITIES))]
        if suffix != "csv":
            said = ("G 列没有表头但有内容，没有读取",)
            yield _case("column-without-header", "facilities", suffix, unnamed, rows=4, says=said)
        stray = [[*row, None] for row in copy_of(FACILITIES)]
        stray[0][6] = "备注"
        stray.append([None] * 6 + ["以上"])
        said = ("第 6 行只有未识别的列有内容",)
        yield _case("row-of-a-remark-column", "facilities", suffix, stray, rows=4, says=said)
        shuffled = [row[::-1] for row in copy_of(FACILITIES)]
        yield _case("columns-reversed", "facilities", suffix, shuffled, rows=4)
        shifted = [[None, None, *row] for row in copy_of(FACILITIES)]
        yield _case("columns-moved-right", "facilities", suffix, shifted, rows=4)


def _merged() -> Iterator[Case]:
    grid = copy_of(TEACHERS)
    grid[4][0] = None
    said = ("A 列第 4–5 行是合并单元格", "必填项")
    how = {"merged": [(3, 0, 4, 0)]}
    yield _case("merged-codes", "teachers", "xlsx", grid, rows=3, rejected=1, says=said, how=how)
    grid = copy_of(FACILITIES)
    grid[2][1] = grid[3][1] = None
    said = ("B 列第 2–4 行是合并单元格，只有第一行有值",)
    yield _case(
        "merged-figures", "facilities", "xlsx", grid, rows=4, says=said, how={"merged": [(1, 1, 3, 1)]}
    )


def _formulas() -> Iterator[Case]:
    cached = {(1, 4): ("=40+2", 42), (2, 4): ("=SUM(E2,2)", 44)}
    yield _case("formula-with-result", "classes", "xlsx", copy_of(CLASSES), rows=5, how={"formulas": cached})
    texts = {(1, 2): ('="一"&"年级"', "一年级")}
    yield _case("formula-with-text", "classes", "xlsx", copy_of(CLASSES), rows=5, how={"formulas": texts})
    wrong = {(1, 4): ("=1/0", "#DIV/0!"), (2, 4): ("=NOSUCH()", "#NAME?")}
    said = ("#DIV/0!", "#NAME?", "公式的出错结果")
    yield _case(
        "formula-error",
        "classes",
        "xlsx",
        copy_of(CLASSES),
        rows=5,
        rejected=2,
        says=said,
        how={"formulas": wrong},
    )
    code = {(1, 0): ("=VLOOKUP(1,A1:A2,1)", "#N/A")}
    said = ("学校标识码“#N/A”是公式的出错结果",)
    yield _case(
        "formula-error-as-code",
        "classes",
        "xlsx",
        copy_of(CLASSES),
        rows=4,
        rejected=1,
        says=said,
        how={"formulas": code},
    )
    said = ("#公式没有结果",)
    yield _case(
        "formula-never-calculated", "classes", "xlsx", [], rows=5, rejected=1, says=said, write=_uncalculated
    )
    days = copy_of(GOOD["progress"])
    days[1][0] = 45382
    yield _case("date-as-a-date-cell", "progress", "xlsx", days, rows=3, how={"day_cells": [(1, 0)]})


def _uncalculated(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in CLASSES:
        sheet.append(row)
    sheet["E3"] = "=E2+2"
    book.save(path)
