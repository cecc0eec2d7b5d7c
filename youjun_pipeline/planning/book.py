"""A comparison as a workbook: for each scenario one sheet that a leader reads and prints, then every row in sheets of tables.

Keep out: judging (`what_if`), the same in words (`text`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.planning.what_if import Result
from youjun_pipeline.reports.words import item_word, sheet_names
from youjun_pipeline.vocabulary import vocabulary, word
from youjun_pipeline.warehouse.tables import declared_tables

if TYPE_CHECKING:
    import pandas as pd

# Sheets with rows of tables; they follow the sheets of the scenarios.
SHEETS = {
    "scenario": "结论",
    "scenario_verdict": "差异系数和全县指标",
    "scenario_indicator": "学校指标",
    "scenario_change": "各动作的影响",
    "scenario_action": "动作",
}
_LEFT_OUT = {"run_id", "district_code"}
_WIDE = ("summary", "reason", "newly_broken", "without")
FAILING = ("near", "below")
# Columns of a leader's sheet: school or item, stage, indicator, now, then, limit, note.
WIDTHS = (26, 8, 12, 12, 12, 10, 34)


def write_book(result: Result, path: Path) -> Path:
    """Write the comparison to `path` with Chinese headers and words; the sheets of tables have only the rows that changed."""
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"nan_inf_to_errors": True, "strings_to_formulas": False}) as book:
        looks = {
            "title": book.add_format({"bold": True, "font_size": 16}),
            "part": book.add_format({"bold": True, "font_size": 12, "top": 1}),
            "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
            "cell": book.add_format({"valign": "top", "text_wrap": True}),
            "flag": book.add_format(
                {"valign": "top", "text_wrap": True, "bold": True, "font_color": "#9b2f18"}
            ),
            "whole": book.add_format({"valign": "top", "align": "left"}),
            "two": book.add_format({"valign": "top", "align": "left", "num_format": "#,##0.00"}),
            "three": book.add_format({"valign": "top", "align": "left", "num_format": "0.000"}),
        }
        lasts = {
            str(scenario_id): next(rows.sort_values("until").tail(1).itertuples())
            for scenario_id, rows in result.frame("scenario").groupby("scenario_id")
        }
        names = sheet_names([str(last.title) for last in lasts.values()], taken=SHEETS.values())
        for name, (scenario_id, last) in zip(names, lasts.items(), strict=True):
            _Leaf(book.add_worksheet(name), looks).write(result, scenario_id, last)
        for table, title in SHEETS.items():
            _rows_sheet(book.add_worksheet(title), looks, table, result.frame(table))
    return path


class _Leaf:
    """A leader's sheet, written from the top down."""

    def __init__(self, sheet: Any, looks: dict[str, Any]) -> None:
        self.sheet, self.looks, self.at = sheet, looks, 0
        for column, width in enumerate(WIDTHS):
            sheet.set_column(column, column, width)
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)

    def write(self, result: Result, scenario_id: str, last: Any) -> None:
        """Verdict, what breaks, what is solved, the coefficients, what is left, what was not counted; in this order."""
        self.line(last.title, "title")
        self.merged(last.summary)
        self.table(
            "结论",
            ("", "", "", "现在", "之后", "", ""),
            [
                ("是否通过", "", "", _passes(last.passes_before), _passes(last.passes_after), "", ""),
                ("未达标学校", "", "", last.schools_failing_before, last.schools_failing_after, "", ""),
                ("未达标指标", "", "", last.indicators_failing_before, last.indicators_failing_after, "", ""),
            ],
        )
        indicators = _at(result.frame("scenario_indicator"), scenario_id, last)
        actions = result.frame("scenario_action").query("scenario_id == @scenario_id")
        receiving = set(actions.loc[actions["step"].notna(), "to_school_code"].dropna())
        failing = indicators["status_after"].isin(FAILING)
        broken = (indicators["change"] == "broken") | ((indicators["change"] == "opened") & failing)
        head = ("学校", "学段", "指标", "现在", "之后", "标准", "说明")
        self.table(
            "新增未达标",
            head,
            [
                _school(r, "接收学校" if r.school_code in receiving else "")
                for r in indicators[broken].itertuples()
            ],
        )
        self.table(
            "解决", head, [_school(r, "") for r in indicators[indicators["change"] == "mended"].itertuples()]
        )
        verdicts = _at(result.frame("scenario_verdict"), scenario_id, last).query("level == 'stage'")
        self.table(
            "差异系数",
            ("指标", "学段", "", "现在", "之后", "上限", "结果"),
            [
                (r.indicator_code, word("stage", r.stage), "", _Cv(r.value_before), _Cv(r.value_after), _Cv(r.threshold),
                 f"{word('status', r.status_after)}（{word('change', r.change)}）")
                for r in verdicts.sort_values(["stage", "indicator_code"], ascending=[False, True]).itertuples()
            ],
        )  # fmt: skip
        left = indicators[failing & ~broken].groupby(["indicator_code", "stage"], sort=True)
        self.table(
            "仍未达标",
            ("指标", "学段", "学校数", "哪些学校", "", "", ""),
            [(code, word("stage", stage), len(rows), "、".join(rows["school_name"]), "", "", "") for (code, stage), rows in left],
        )  # fmt: skip
        nothing = actions[actions["step"].isna()]
        self.table(
            f"没有计入、不作假设（{len(nothing)} 项）",
            ("措施", "", "", "原因", "", "", ""),
            [(r.measure_no or r.action_no, "", "", r.without, "", "", "") for r in nothing.itertuples()],
        )

    def line(self, text: str, look: str) -> None:
        self.sheet.write_string(self.at, 0, text, self.looks[look])
        self.sheet.set_row(self.at, {"title": 26, "part": 20}.get(look, 16))
        self.at += 1

    def merged(self, text: str, first: int = 0) -> None:
        """A text over all columns from `first` on, high enough for its lines."""
        room = sum(WIDTHS[first:])
        self.sheet.merge_range(self.at, first, self.at, len(WIDTHS) - 1, text, self.looks["cell"])
        self.sheet.set_row(self.at, 15 * max(1, -(-2 * len(text) // room)) + 2)
        self.at += 1

    def table(self, title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        """A part with its rows; a part without rows says so. A long text in the last cell runs over the columns to the end."""
        self.at += 1
        self.line(title, "part")
        if not rows:
            self.line("没有", "cell")
            return
        for column, text in enumerate(head):
            self.sheet.write_string(self.at, column, text, self.looks["head"])
        self.at += 1
        for row in rows:
            long = row[3] if isinstance(row[3], str) and not any(row[4:]) else None
            for column, value in enumerate(row[:3] if long is not None else row):
                self.cell(column, value)
            if long is not None:
                self.merged(long, 3)
            else:
                self.at += 1

    def cell(self, column: int, value: Any) -> None:
        if isinstance(value, str) or value is None or value != value:
            shown = "—" if value is None or value != value else value
            flag = column > 2 and (shown.startswith("未达标") or "新增" in shown or shown == "接收学校")
            self.sheet.write_string(self.at, column, shown, self.looks["flag" if flag else "cell"])
        elif isinstance(value, _Cv):
            self.sheet.write_number(self.at, column, float(value), self.looks["three"])
        elif isinstance(value, float) and value != int(value):
            self.sheet.write_number(self.at, column, value, self.looks["two"])
        else:
            self.sheet.write_number(self.at, column, value, self.looks["whole"])


class _Cv(float):
    """A number shown with the decimals of a coefficient."""


def _passes(value: Any) -> str | None:
    return word("passes", "unknown" if value is None or value != value else "true" if value else "false")


def _school(r: Any, note: str) -> tuple[Any, ...]:
    return (
        r.school_name,
        word("stage", r.stage),
        r.indicator_code,
        r.value_before,
        r.value_after,
        r.threshold,
        note,
    )


def _at(frame: pd.DataFrame, scenario_id: str, last: Any) -> pd.DataFrame:
    return frame[(frame["scenario_id"] == scenario_id) & (frame["at_phase_id"] == last.at_phase_id)]


def _rows_sheet(sheet: Any, looks: dict[str, Any], table: str, frame: pd.DataFrame) -> None:
    """A declared table without the rows that did not change."""
    if "change" in frame:
        frame = frame[frame["change"] != "same"]
    columns = {
        c: text for c, (_, text) in declared_tables()[f"plan.{table}"].columns.items() if c not in _LEFT_OUT
    }
    sheet.freeze_panes(1, 0)
    for position, (column, text) in enumerate(columns.items()):
        sheet.set_column(position, position, 60 if column in _WIDE else 18 if column.endswith("name") else 12)
        sheet.write_string(0, position, text.split("：")[0].split("；")[0].split("（")[0], looks["head"])
        for number, value in enumerate(frame[column], 1):
            shown = _shown(column, value)
            if isinstance(shown, float):
                sheet.write_number(number, position, shown, looks["three" if column == "effect" else "two"])
            elif shown is not None:
                sheet.write(number, position, shown, looks["cell"])
    if len(frame):
        sheet.autofilter(0, 0, len(frame), len(columns) - 1)


def _shown(column: str, value: Any) -> Any:
    """A cell as a person reads it; None for a cell that stays blank."""
    kind = {"status_before": "status", "status_after": "status"}.get(column, column)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return "、".join(str(v) for v in value) or None
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return item_word(value) if column == "item" else word(kind, value) if kind in vocabulary() else value
    if isinstance(value, int | float):
        return float(value) if isinstance(value, float) and value != int(value) else int(value)
    return str(value)
