"""A comparison in words for the command line. Keep out: judging (`what_if`), the workbook (`book`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from youjun_pipeline.planning.what_if import Result
from youjun_pipeline.vocabulary import word

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 40


def what_if_text(result: Result, at: str | None = None) -> str:
    """Each scenario at the end of a phase (by default the last): verdict, what is mended, what breaks, and by which action."""
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
