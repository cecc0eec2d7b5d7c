"""Tables with one bad cell, in every format: the cell is reported with its place, and nothing else is lost.

Belongs here: cells. Keep out: rows, headers and sheets (tables.py), bytes (broken.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

from youjun_pipeline_tests.dirty.cases import Case
from youjun_pipeline_tests.dirty.grids import FORMATS, GOOD, Grid, copy_of, write_grid

# What stands in a column of numbers, and what the district is told of it.
NO_NUMBERS: dict[str, str] = {
    "-": "没有数据请留空",
    "－": "没有数据请留空",
    "—": "没有数据请留空",
    "——": "没有数据请留空",
    "/": "没有数据请留空",
    "／": "没有数据请留空",
    "无": "没有数据请留空",
    "暂无": "没有数据请留空",
    "*": "没有数据请留空",
    "＊": "没有数据请留空",
    "…": "没有数据请留空",
    "120㎡": "含有“㎡”",
    "１２０㎡": "含有“㎡”",
    "120平方米": "含有“平方米”",
    "45人": "含有“人”",
    "约300": "含有“约”",
    "300+": "请核对逗号、小数点、正负号",
    "300多": "含有“多”",
    "300①": "含有“①”",
    "300²": "含有“²”",
    "二百": "不是数",
    "待定": "不是数",
    "未统计": "不是数",
    "N/A": "不是数",
    "null": "不是数",
    "#N/A": "公式的出错结果",
    "#REF!": "公式的出错结果",
    "1 234": "不是规范的数字",
    "1,23": "不是规范的数字",
    "1.2.3": "不是规范的数字",
    "12-15": "不是规范的数字",
    "3万": "含有“万”",
    "=1+1": "含有“=”",
    "<b>5</b>": "含有",
    "'; drop table x; --": "含有",
    "-5": "超出范围",
    "1e400": "过大",
    "9" * 30: "过大",
    "\U0001f3eb": "不是数",
}
FORGIVEN_NUMBERS = (
    "１２０",
    "1,234",
    " 45 ",
    "　45　",
    "45.0",
    "+45",
    "４５．０",
    "1e2",
    "\u200b45",
    "\xa045",
)
NO_COUNTS = {"12.5": "不是整数", "33.3": "不是整数"}
NO_CODES: dict[Any, str] = {
    "-": "不是代码",
    "无": "不是代码",
    "／": "不是代码",
    "#N/A": "公式的出错结果",
    "3.111E+09": "科学计数法",
    "某镇中心小学": "是否填错了列",
    "21" * 40: "过长",
    dt.date(2024, 1, 2): "像是日期",
    "": "必填项",
    "　": "必填项",
}
NO_DATES: dict[Any, str] = {
    45169: "日期序号",
    "45169": "日期序号",
    "2024-02-30": "没有这一天",
    "2024-13-01": "没有这一天",
    "24-3-31": "不是日期",
    "31/03/2024": "不是日期",
    "三月底": "不是日期",
    "2024-03": "要写到日",
    "2024.3": "不是日期",
    "-": "不是日期",
    "3024-01-01": "年份",
}
NO_CHOICES = {"公办": "请填其中之一", "小学部": "请填其中之一", "-": "请填其中之一", "1": "请填其中之一"}
NO_FLAGS = {"√": "请填“是”或“否”", "有": "请填“是”或“否”", "-": "请填“是”或“否”", "2": "请填“是”或“否”"}
NO_YEARS = {"86": "超出范围", "1986-1990": "不是规范的数字", "一九八六": "不是数", "1700": "超出范围"}


def cases() -> Iterator[Case]:
    """One file per bad cell and format."""
    for suffix in FORMATS:
        for dataset, column, header in (
            ("facilities", 1, "教学及辅助用房面积"),
            ("teachers", 2, "专任教师数"),
        ):
            for number, (text, said) in enumerate(
                (NO_NUMBERS | (NO_COUNTS if dataset == "teachers" else {})).items()
            ):
                yield _case(f"number-{number}-{dataset}", suffix, dataset, column, text, (said, header))
            for number, text in enumerate(FORGIVEN_NUMBERS):
                yield _case(f"forgiven-{number}-{dataset}", suffix, dataset, column, text, (), rejected=0)
        for number, (text, said) in enumerate(NO_CODES.items()):
            yield _case(f"code-{number}", suffix, "facilities", 0, text, (said, "学校标识码"), lost=1)
        for number, (text, said) in enumerate(NO_DATES.items()):
            yield _case(f"date-{number}", suffix, "progress", 0, text, (said, "填报日期"), lost=1)
        for number, (text, said) in enumerate(NO_CHOICES.items()):
            yield _case(f"choice-{number}", suffix, "schools", 3, text, (said, "办学类型"))
        for number, (text, said) in enumerate(NO_FLAGS.items()):
            yield _case(f"flag-{number}", suffix, "schools", 5, text, (said, "是否寄宿制"))
        for number, (text, said) in enumerate(NO_YEARS.items()):
            yield _case(f"year-{number}", suffix, "schools", 4, text, (said, "建校年份"))


def _case(
    name: str,
    suffix: str,
    dataset: str,
    column: int,
    text: Any,
    says: tuple[str, ...],
    *,
    rejected: int = 1,
    lost: int = 0,
) -> Case:
    """A table with `text` in the second row of `column`; `lost` rows are rejected because of it."""
    grid: Grid = copy_of(GOOD[dataset])
    grid[2][column] = text
    return Case(
        name=f"{name}.{suffix}",
        dataset=dataset,
        file=f"{dataset}.{suffix}",
        write=partial(write_grid, grid=grid),
        rows=len(grid) - 1 - lost,
        rejected=rejected,
        says=says,
    )
