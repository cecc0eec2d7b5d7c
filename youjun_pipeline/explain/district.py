"""The origin of a stage's coefficient of variation and of a district indicator.

Keep out: judging. Values and statuses are those of `mart.stage_balance` and `mart.district_indicator`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from youjun_pipeline.explain.facts import Facts
from youjun_pipeline.explain.text import (
    INDENT,
    STATUS,
    Line,
    Used,
    figure,
    heading,
    input_lines,
    input_name,
    percent,
    shown,
    stage_name,
    standard_line,
    status_line,
)
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.words import NOTHING, level_word, plain, rounded

if TYPE_CHECKING:
    from youjun_pipeline.standard.model import Part

CONTRIBUTORS = 5
LISTED_INPUTS = 12
LISTED_SCHOOLS = 30
# Used where figures are summed up. If all figures are shown beside the sum, another sentence says so.
BY_MACHINE = "，逐行见 youjun explain --json"
# This indicator is judged subject by subject from an outside result; its value is the share of subjects that pass.
MONITORING = "Q9"


def stage_text(facts: Facts, row: Row) -> list[Line]:
    """Explain one row of `mart.stage_balance`, as lines."""
    evaluation = facts.evaluation
    catalogue, code, stage = evaluation.catalogue, row["indicator_code"], row["stage"]
    lines: list[Line] = [
        f"{evaluation.district_name} {stage_name(catalogue, stage)} 校际差异系数",
        *heading(evaluation, code),
        *stage_steps(facts, row),
    ]
    return lines


def stage_steps(facts: Facts, row: Row) -> list[Line]:
    """The sum of a row of `mart.stage_balance` with the figures filled in, and the verdict."""
    evaluation, code, stage = facts.evaluation, row["indicator_code"], row["stage"]
    catalogue = evaluation.catalogue
    decimals = int(catalogue.parameters["cv_display_decimals"].value)
    lines: list[Line] = [
        "差异系数：x＝各校指标值，P＝各校在校生，X＝按学生数加权的平均值，S＝√Σ（P÷ΣP）×（x－X）²，CV＝S÷X",
        f"参加计算的学部 n＝{row['schools']}"
        + (f"，另有 {row['schools_no_data']} 个缺数据" if row["schools_no_data"] else ""),
    ]
    if row["cv"] is None:
        return [*lines, status_line(row["status"], row["status_strict"]), f"说明：{row['reason']}"]
    per = catalogue.indicators[code].per
    sections = facts.values[stage, code]
    amount = math.fsum(r["numerator"] for r in sections if r["numerator"] is not None)
    times = "" if per in (None, 1) else f"×{figure(per)}"
    lines += [
        "代入：",
        f"{INDENT}ΣP＝{row['students']} 人，资源合计 ΣR＝{figure(amount)}",
        f"{INDENT}X＝ΣR÷ΣP{times}＝{figure(amount)}÷{row['students']}{times}＝{figure(row['mean'])}",
        f"{INDENT}S＝{figure(row['std'])}",
        f"{INDENT}CV＝{figure(row['std'])}÷{figure(row['mean'])}＝{figure(row['cv'])}，显示为 {rounded(row['cv'], decimals):f}",
        f"差异最大的 {CONTRIBUTORS} 所学校（占方差的份额）：",
        *_contributors(facts, stage, code),
        f"标准：不高于 {figure(row['cv_limit'])}",
        status_line(row["status"], row["status_strict"]),
    ]
    if row["cv_strict"] is not None and row["cv_strict"] != row["cv"]:
        waivers = sorted({r["waiver"] for r in sections if r["waiver"]})
        lines.append(f"{INDENT}不计过渡政策（{'、'.join(waivers)}）的差异系数：{figure(row['cv_strict'])}")
    if row["rounding_sensitive"]:
        lines.append("注意：四舍五入后的显示值会得出不同结论，以完整精度为准")
    return [*lines, f"说明：{row['reason']}"]


def _contributors(facts: Facts, stage: str, code: str) -> list[str]:
    students = {r["school_code"]: r["students"] for r in facts.values[stage, code]}
    return [
        f"{INDENT}{r['school_name']}（{r['school_code']}）：P＝{students[r['school_code']]}，x＝{figure(r['value'])}，"
        f"权重 {percent(r['weight'])}"
        + (f"，份额 {percent(r['variance_share'])}" if r["variance_share"] is not None else "")
        for r in facts.contributions[stage, code][:CONTRIBUTORS]
    ]


def district_text(facts: Facts, row: Row) -> list[Line]:
    """Explain one row of `mart.district_indicator`, as lines."""
    evaluation = facts.evaluation
    return [
        f"{evaluation.district_name} 全县指标",
        *heading(evaluation, row["indicator_code"]),
        *district_steps(facts, row),
    ]


def district_steps(facts: Facts, row: Row) -> list[Line]:
    """The figures, the sum and the verdict of a row of `mart.district_indicator`."""
    evaluation, code = facts.evaluation, row["indicator_code"]
    catalogue = evaluation.catalogue
    entry = catalogue.indicators[code]
    lines: list[Line] = []
    if entry.level == "district":
        inputs = facts.lineage(code)
        ways = {part.judged for part in entry.parts}
        if code == MONITORING:
            lines += _subjects(facts, inputs)
        elif "funding" in ways:
            lines += _small_schools(facts, inputs)
        elif "each" in ways:
            lines += _each_school(facts, entry.parts[0], inputs)
        else:
            lines += ["原始数据：", *input_summary(inputs), *_ratio_lines(facts, code, inputs)]
        if row["value"] is not None:
            lines.append(f"结果：{figure(row['value'])}，显示为 {_district_value(evaluation, row)}")
        if row["target"] is not None and code != MONITORING:
            lines.append(standard_line(catalogue, code, row["target"]))
    else:
        lines += _schools(facts, row)
    return [*lines, status_line(row["status"], row["status_strict"]), f"说明：{row['summary']}"]


def _district_value(evaluation: Evaluation, row: Row) -> str:
    if row["indicator_code"] != MONITORING:
        return shown(evaluation.catalogue, row["indicator_code"], row["value"])
    decimals = int(evaluation.catalogue.parameters["share_display_decimals"].value)
    return f"{rounded(row['value'] * 100, decimals):f}%"


def _subjects(facts: Facts, inputs: Sequence[Row]) -> list[Line]:
    found = [r for r in facts.rows("mart.monitoring_subject", "grade, subject") if r["is_newest"]]
    lines: list[Line] = [
        "原始数据：",
        *(input_lines(sorted(inputs, key=lambda r: (r["detail"], r["input"])))),
        "逐项判定：",
    ]
    for r in found:
        rate = NOTHING if r["between_school_rate"] is None else figure(r["between_school_rate"])
        required, limit = level_word(r["level_required"]), figure(r["rate_limit"])
        lines.append(
            f"{INDENT}{r['grade']}年级{r['subject']}：{level_word(r['level'])}级（标准 {required}级以上），"
            f"校际差异率 {rate}（低于 {limit}）：{STATUS[r['status']]}"
        )
    return lines


def _by_school(facts: Facts, inputs: Sequence[Row]) -> dict[str, tuple[str, dict[str, Row]]]:
    """Each school's name and its inputs by column, by school code."""
    names = {r["school_code"]: r["school_name"] for r in facts.schools}
    schools: dict[str, tuple[str, dict[str, Row]]] = {}
    for r in inputs:
        schools.setdefault(r["school_code"], (names.get(r["school_code"], ""), {}))[1][r["column_name"]] = r
    return schools


def _each_school(facts: Facts, part: Part, inputs: Sequence[Row]) -> list[Line]:
    """The schools with the lowest values of a ratio that every school must reach; schools without figures come first."""

    def side(rows: dict[str, Row], terms: list[str]) -> float | None:
        values = [rows[term.rpartition(".")[2]]["value"] for term in terms]
        if None in values:
            return None
        return sum(-v if term.startswith("-") else v for term, v in zip(terms, values, strict=True))

    def share(rows: dict[str, Row]) -> float:
        above, below = side(rows, part.numerator), side(rows, part.denominator)
        return above / below if above is not None and below else -1.0

    schools = sorted(_by_school(facts, inputs).items(), key=lambda s: (share(s[1][1]), s[0]))
    lines: list[Line] = ["原始数据：", *input_summary(inputs), f"比例最低的学校（共 {len(schools)} 所）："]
    for code, (name, rows) in schools[:CONTRIBUTORS]:
        above, below = side(rows, part.numerator), side(rows, part.denominator)
        result = percent(share(rows)) if share(rows) >= 0 else "缺数据"
        where = rows[part.numerator[0].rpartition(".")[2]]
        lines.append(Used(f"{name}（{code}）：{figure(above)}÷{figure(below)}＝{result}", where))
    return lines


def _small_schools(facts: Facts, inputs: Sequence[Row]) -> list[Line]:
    """Every small school: its budget, and the norm for the number of pupils that the catalogue sets."""
    evaluation = facts.evaluation
    catalogue = evaluation.catalogue
    funded = catalogue.parameters["funded_students"].value
    norms = {
        r["figure_no"]: r["value"]
        for r in facts.rows("mart.assurance_figure", "indicator_code, figure_no")
        if catalogue.indicators[r["indicator_code"]].needs_options and r["unit"] == "元/生"
    }
    lines: list[Line] = [
        f"基准定额：小学 {figure(norms.get(1))} 元/生，初中 {figure(norms.get(2))} 元/生",
        f"按 {plain(funded)} 名学生核定，多学段的定额按学生数加权",
        "原始数据：",
    ]
    for code, (name, rows) in _by_school(facts, inputs).items():
        lines.append(f"{INDENT}{name}（{code}）")
        lines += input_lines(list(rows.values()), indent=2 * INDENT)
        pupils = {
            n: rows[c]["value"] for n, c in ((1, "primary_students"), (2, "junior_students")) if c in rows
        }
        budget = rows["public_funds_budget_wan"]["value"]
        if budget is None or not all(pupils.values()) or any(norms.get(n) is None for n in pupils):
            lines.append(f"{INDENT}{INDENT}缺数据")
            continue
        norm = sum(count * norms[n] for n, count in pupils.items()) / sum(pupils.values())
        yuan = budget * float(catalogue.parameters["wan_in_yuan"].value)
        lines.append(
            f"{INDENT}{INDENT}应核定 {plain(funded)}×{figure(norm)}＝{figure(float(funded) * norm)} 元，预算 {figure(yuan)} 元"
        )
    return lines


def input_rows_are_many(inputs: Sequence[Row]) -> bool:
    """Whether an indicator has too many inputs to list each one."""
    return len(inputs) > 2 * LISTED_INPUTS


def input_summary(inputs: Sequence[Row]) -> list[Line]:
    """A list of all inputs if they are few; sums per figure and file if every school reports an input."""
    if not input_rows_are_many(inputs):
        return input_lines(inputs) or [f"{INDENT}没有报送"]
    lines: list[Line] = []
    for name in dict.fromkeys(r["input"] for r in inputs):
        rows = [r for r in inputs if r["input"] == name]
        missing = sum(r["value"] is None for r in rows)
        files = "、".join(sorted({f"{r['delivery']}/{r['file']}" for r in rows if r["file"]})) or "没有报送"
        header = next((f" {r['source_column']} 列“{r['header']}”" for r in rows if r["source_column"]), "")
        total = figure(sum(r["value"] for r in rows if r["value"] is not None))
        lines.append(
            f"{INDENT}{input_name(name)} 合计 {total}　← {files}{header}，共 {len(rows)} 行"
            + (f"，其中 {missing} 行未填报" if missing else "")
            + BY_MACHINE
        )
    return lines


def _ratio_lines(facts: Facts, code: str, inputs: Sequence[Row]) -> list[str]:
    """The sums with the figures filled in, for each ratio of the indicator that has a value."""
    evaluation = facts.evaluation
    judged = {
        r["figure_no"] - 10: r["status"]
        for r in facts.rows("mart.assurance_figure", "indicator_code, figure_no")
        if r["indicator_code"] == code and r["figure_no"] > 10
    }
    lines = []
    for number, part in enumerate(evaluation.catalogue.indicators[code].parts, start=1):
        name = "指标值" if number == 1 else f"第 {number} 项"
        top, bottom = _sum(part.numerator, inputs), _sum(part.denominator, inputs)
        if judged.get(number) == "not_applicable":
            lines.append(f"{INDENT}{name}：没有对象")
        elif judged.get(number) == "no_data" or top is None or bottom is None or bottom[1] == 0:
            lines.append(f"{INDENT}{name}：缺数据，无法计算")
        else:
            lines.append(f"{INDENT}{name}＝{top[0]}÷{bottom[0]}＝{figure(top[1] / bottom[1])}")
    return ["代入：", *lines] if lines else []


def _sum(terms: Sequence[str], inputs: Sequence[Row]) -> tuple[str, float] | None:
    """The terms with their totals filled in, and their sum; None if any part is missing."""
    total, written = 0.0, ""
    for term in terms:
        values = [r["value"] for r in inputs if r["input"] == term.lstrip("-")]
        if not values or any(value is None for value in values):
            return None
        is_taken_off = term.startswith("-")
        total += -sum(values) if is_taken_off else sum(values)
        written += ("－" if is_taken_off else "＋" if written else "") + figure(sum(values))
    return (f"（{written}）" if len(terms) > 1 else written), total


def _schools(facts: Facts, row: Row) -> list[str]:
    """How the district's verdict on a school indicator is formed: coefficients, counts, the failing schools."""
    evaluation = facts.evaluation
    catalogue, code = evaluation.catalogue, row["indicator_code"]
    lines = ["由各校判定" + ("和两个学段的差异系数" if row["cv_primary_status"] else "") + "得出："]
    for stage in evaluation.stages:
        if (status := row.get(f"cv_{stage}_status")) is not None:
            lines.append(f"{INDENT}{stage_name(catalogue, stage)}差异系数：{STATUS[status]}（{status}）")
    failing = [
        r
        for r in facts.rows("mart.school_indicator", "stage desc, school_code, indicator_code")
        if r["indicator_code"] == code and r["status"] in ("near", "below", "no_data")
    ]
    lines.append(
        f"{INDENT}未达标：小学 {row['failing_primary']} 所，初中 {row['failing_junior']} 所，"
        f"跨学段 {row['failing_compulsory']} 所"
    )
    for r in failing[:LISTED_SCHOOLS]:
        lines.append(
            f"{INDENT}{r['school_name']}（{r['school_code']}）{stage_name(catalogue, r['stage'])}："
            f"{figure(r['value'])}，标准 {figure(r['threshold'])}，{STATUS[r['status']]}"
        )
    if len(failing) > LISTED_SCHOOLS:
        lines.append(f"{INDENT}其余 {len(failing) - LISTED_SCHOOLS} 处见 mart.school_indicator")
    return lines
