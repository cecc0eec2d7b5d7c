"""Writes a plan so that it becomes the district's own: a scenario file, rows of `measures`, every line with its cost.

Keep out: what the lines say (`lines`), workbooks (`book`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from youjun_pipeline.planning.least_cost.answer import Answer
from youjun_pipeline.planning.least_cost.coming_pupils import coming_pupils
from youjun_pipeline.planning.least_cost.lines import Line
from youjun_pipeline.planning.least_cost.proof import ANY_DAY
from youjun_pipeline.planning.least_cost.text import line_sentence
from youjun_pipeline.planning.scenario_file import write_scenario
from youjun_pipeline.vocabulary import word

PLAN_FILE, MEASURES_FILE, SCENARIO_FILE = "最省方案.csv", "measures.csv", "least-cost.toml"
TITLE = "最省方案"
# from kind of line or lever to type of the measure
_TYPES = {
    "teaching_area": "改扩建",
    "sports_area": "改扩建",
    "add_room": "功能调整",
    "add_class": "功能调整",
    "regroup": "功能调整",
    "multimedia_rooms": "功能调整",
    "equipment": "设备调配",
    "divert": "分流",
}
_OTHER_TYPE = "教师配备"
_PLAN_HEAD = ("编号", "手段", "内容", "学校标识码", "学校名称", "对方学校标识码", "对方学校名称", "学段", "年级", "指标", "数量",
              "单位", "造价", "完成时间")  # fmt: skip
_MEASURES_HEAD = (
    "措施编号",
    "指标",
    "学段",
    "涉及学校",
    "措施类型",
    "接收学校",
    "措施内容",
    "数量",
    "单位",
    "完成时间",
)


def write_plan(answer: Answer, folder: Path) -> list[Path]:
    """Write every line of the plan, the same lines as rows of `measures`, and a scenario file; returns the files.

    If the plan is for the pupils of a coming school year, the scenario first sets their forecast.
    """
    found = answer.found
    names = found.figures.names
    folder.mkdir(parents=True, exist_ok=True)
    plan, measures, scenario = (folder / name for name in (PLAN_FILE, MEASURES_FILE, SCENARIO_FILE))
    numbered = list(enumerate(found.lines, start=1))
    _write(plan, _PLAN_HEAD, (_plan_row(number, line, names) for number, line in numbered))
    _write(measures, _MEASURES_HEAD, (_measure_row(number, line, names) for number, line in numbered))
    actions = found.draft.actions(ANY_DAY)
    if found.pupils_of is not None:
        first = min((action.effective_on for action in actions), default=ANY_DAY)
        actions = [coming_pupils(found.pupils_of, first), *actions]
    write_scenario(scenario, TITLE, [_said(action) for action in actions])
    return [plan, measures, scenario]


def _said(action: object) -> dict[str, object]:
    fields = dict(vars(action))
    return {**fields, "action": fields["kind"]}


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _plan_row(number: int, line: Line, names: dict[str, str]) -> tuple[object, ...]:
    to = line.to_school
    return (
        f"P{number:04d}",
        word("proposal_action", line.kind),
        line.what,
        line.school,
        names.get(line.school, ""),
        to or "",
        names.get(to, "") if to else "",
        word("stage", line.stage) or "",
        line.grade or "",
        line.indicator,
        _number(line.quantity),
        line.unit,
        "" if line.cost is None else round(line.cost, 2),
        line.due or "",
    )


def _measure_row(number: int, line: Line, names: dict[str, str]) -> tuple[object, ...]:
    return (
        f"P{number:04d}",
        line.indicator,
        word("stage", line.stage) or "",
        line.school,
        measure_type(line),
        line.to_school or "",
        line_sentence(line, names, ""),
        _number(line.quantity),
        line.unit,
        line.due or "",
    )


def measure_type(line: Line) -> str:
    """The type of measure that a line is."""
    return _TYPES.get(line.lever or "") or _TYPES.get(line.kind, _OTHER_TYPE)


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
