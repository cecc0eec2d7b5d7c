"""A comparison in words for the command line, and as a workbook for a leader. Keep out: judging (`what_if`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.planning.what_if import Result
from youjun_pipeline.vocabulary import vocabulary, word
from youjun_pipeline.warehouse.tables import declared_tables

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 40


def what_if_text(result: Result, at: str | None = None) -> str:
    """Each scenario at the end of a phase (of the last by default): verdict, what is mended, what breaks, and by which action."""
    lines: list[str] = []
    for (scenario_id,), rows in result.frame("scenario").groupby(["scenario_id"]):
        row = _at(rows, at)
        lines += [f"# {row.title}（{row.source}）", row.summary, ""]
        lines += _verdicts(result, scenario_id, row.at_phase_id)
        lines += _indicators(result, scenario_id, row.at_phase_id)
        lines += _effects(result, scenario_id, row.actions_carried_out)
        lines += _left_out(result, scenario_id)
    return "\n".join(lines)


def _at(rows: pd.DataFrame, at: str | None) -> Any:
    found = rows[rows["at_phase_id"] == at] if at else rows.sort_values("until").tail(1)
    return next((found if len(found) else rows.sort_values("until").tail(1)).itertuples())


def _of(result: Result, table: str, scenario_id: object, at: object = None) -> pd.DataFrame:
    frame = result.frame(table)
    frame = frame[frame["scenario_id"] == scenario_id]
    return frame[frame["at_phase_id"] == at] if at is not None else frame


def _verdicts(result: Result, scenario_id: object, at: object) -> list[str]:
    rows = _of(result, "scenario_verdict", scenario_id, at)
    moved = rows[(rows["level"] == "stage") & (rows["change"] != "same")]
    lines = [
        f"  {word('stage', r.stage)} {r.indicator_code} 差异系数 {_number(r.value_before, 3)} → {_number(r.value_after, 3)}"
        f"（上限 {_number(r.threshold, 3)}）{_change(r.change)}"
        for r in moved.itertuples()
    ]
    items = rows[(rows["level"] == "district_indicator") & rows["change"].isin(["mended", "broken", "other"])]
    lines += [f"  {r.indicator_code} {_change(r.change)}：{r.reason}" for r in items.itertuples()]
    return ["差异系数和全县指标的变化：", *(lines or ["  没有变化"]), ""]


def _indicators(result: Result, scenario_id: object, at: object) -> list[str]:
    rows = _of(result, "scenario_indicator", scenario_id, at)
    lines = []
    for change in ("broken", "mended", "opened", "gone"):
        found = rows[rows["change"] == change]
        if len(found):
            lines.append(f"{_change(change)}（{len(found)} 处）：")
            lines += [
                f"  {r.school_name} {word('stage', r.stage)} {r.indicator_code} "
                f"{_number(r.value_before, 2)} → {_number(r.value_after, 2)}（标准 {_number(r.threshold, 2)}）"
                for r in found.head(MOST_LINES).itertuples()
            ]
            if len(found) > MOST_LINES:
                lines.append(f"  …… 另有 {len(found) - MOST_LINES} 处，见工作簿（--out）")
    return [*lines, ""] if lines else []


def _effects(result: Result, scenario_id: object, carried_out: int) -> list[str]:
    rows = _of(result, "scenario_change", scenario_id)
    rows = rows[(rows["level"] == "stage") & (rows["step"] <= carried_out) & (rows["effect"].abs() >= 5e-4)]
    if rows.empty:
        return []
    lines = ["各动作对差异系数的影响："]
    for (stage, code), own in rows.groupby(["stage", "indicator_code"]):
        parts = "，".join(f"动作 {r.action_no} {r.effect:+.3f}" for r in own.sort_values("step").itertuples())
        lines.append(f"  {word('stage', str(stage))} {code}：{parts}")
    return [*lines, ""]


def _left_out(result: Result, scenario_id: object) -> list[str]:
    rows = _of(result, "scenario_action", scenario_id)
    rows = rows[rows["step"].isna()]
    lines = [f"  {r.measure_no or r.action_no}：{r.without}" for r in rows.head(MOST_LINES).itertuples()]
    return [f"没有计入、不作假设的（{len(rows)} 项）：", *lines, ""] if lines else []


def _change(code: str) -> str:
    return word("change", code) or code


def _number(value: float | None, places: int) -> str:
    return "—" if value is None or value != value else f"{value:.{places}f}"


# Sheets of the workbook, what a leader reads first.
SHEETS = {
    "scenario": "结论",
    "scenario_verdict": "差异系数和全县指标",
    "scenario_indicator": "学校指标",
    "scenario_change": "各动作的影响",
    "scenario_action": "动作",
}
_LEFT_OUT = {"run_id", "district_code"}


def write_book(result: Result, path: Path) -> Path:
    """The comparison as a workbook: a sheet per table, Chinese headers and words, what did not change left out."""
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"nan_inf_to_errors": True, "strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        cell = book.add_format({"valign": "top", "text_wrap": True})
        numbers = {n: book.add_format({"valign": "top", "num_format": f"0.{'0' * n}"}) for n in (2, 3)}
        for table, title in SHEETS.items():
            frame = result.frame(table)
            if "change" in frame:
                frame = frame[frame["change"] != "same"]
            columns = {
                c: text
                for c, (_, text) in declared_tables()[f"plan.{table}"].columns.items()
                if c not in _LEFT_OUT
            }
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            for position, (column, text) in enumerate(columns.items()):
                wide = column in ("summary", "reason", "newly_broken", "without")
                sheet.set_column(position, position, 60 if wide else 18 if column.endswith("name") else 12)
                sheet.write_string(0, position, text.split("：")[0].split("；")[0].split("（")[0], head)
                for number, value in enumerate(frame[column], 1):
                    shown = _shown(column, value)
                    if isinstance(shown, float):
                        sheet.write_number(number, position, shown, numbers[3 if column == "effect" else 2])
                    elif shown is not None:
                        sheet.write(number, position, shown, cell)
            if len(frame):
                sheet.autofilter(0, 0, len(frame), len(columns) - 1)
    return path


def _shown(column: str, value: Any) -> Any:
    """A cell as a person reads it; None for one that is left blank."""
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
        return word(kind, value) if kind in vocabulary() else value
    if isinstance(value, int | float):
        return float(value) if isinstance(value, float) and value != int(value) else int(value)
    return str(value)
