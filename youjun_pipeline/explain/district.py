"""The way of a stage's coefficient of variation and of a district indicator.

Keep out: judging: values and statuses are those of `mart.stage_balance` and `mart.district_indicator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from youjun_pipeline.explain.text import (
    INDENT,
    STATUS,
    figure,
    heading,
    input_lines,
    input_name,
    lineage,
    percent,
    place,
    shown,
    stage_name,
    standard_line,
    status_line,
)
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.words import NOTHING, level_word, plain, rounded

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.standard.model import Part

CONTRIBUTORS = 5
LISTED_INPUTS = 12
LISTED_SCHOOLS = 30
# Judged subject by subject from an outside result; its value is the share of subjects that pass.
MONITORING = "Q9"


def stage_text(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, row: Row) -> list[str]:
    """Explain one row of `mart.stage_balance`, as lines."""
    catalogue, code, stage = evaluation.catalogue, row["indicator_code"], row["stage"]
    decimals = int(catalogue.parameters["cv_display_decimals"].value)
    lines = [
        f"{evaluation.district_name} {stage_name(catalogue, stage)} 校际差异系数",
        *heading(evaluation, code),
        "差异系数：x＝各校指标值，P＝各校在校生，X＝按学生数加权的平均值，S＝√Σ（P÷ΣP）×（x－X）²，CV＝S÷X",
        f"参加计算的学部 n＝{row['schools']}"
        + (f"，另有 {row['schools_no_data']} 个缺数据" if row["schools_no_data"] else ""),
    ]
    if row["cv"] is None:
        return [*lines, status_line(row["status"], row["status_strict"]), f"说明：{row['reason']}"]
    per = catalogue.indicators[code].per
    amount = con.execute(
        "select sum(numerator) from mart.school_indicator where district_code = ? and phase_id = ? and stage = ? "
        "and indicator_code = ?",
        [evaluation.district_code, evaluation.phase_id, stage, code],
    ).fetchall()[0][0]
    times = "" if per in (None, 1) else f"×{figure(per)}"
    lines += [
        "代入：",
        f"{INDENT}ΣP＝{row['students']} 人，资源合计 ΣR＝{figure(amount)}",
        f"{INDENT}X＝ΣR÷ΣP{times}＝{figure(amount)}÷{row['students']}{times}＝{figure(row['mean'])}",
        f"{INDENT}S＝{figure(row['std'])}",
        f"{INDENT}CV＝{figure(row['std'])}÷{figure(row['mean'])}＝{figure(row['cv'])}，显示为 {rounded(row['cv'], decimals):f}",
        f"差异最大的 {CONTRIBUTORS} 所学校（占方差的份额）：",
        *_contributors(con, evaluation, stage, code),
        f"标准：不高于 {figure(row['cv_limit'])}",
        status_line(row["status"], row["status_strict"]),
    ]
    if row["cv_strict"] is not None and row["cv_strict"] != row["cv"]:
        waivers = con.execute(
            "select distinct waiver from mart.school_indicator where district_code = ? and phase_id = ? and stage = ? "
            "and indicator_code = ? and waiver is not null order by waiver",
            [evaluation.district_code, evaluation.phase_id, stage, code],
        ).fetchall()
        lines.append(
            f"{INDENT}不计过渡政策（{'、'.join(w for (w,) in waivers)}）的差异系数：{figure(row['cv_strict'])}"
        )
    if row["rounding_sensitive"]:
        lines.append("注意：四舍五入后的显示值会得出不同结论，以完整精度为准")
    return [*lines, f"说明：{row['reason']}"]


def _contributors(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, stage: str, code: str) -> list[str]:
    found = con.execute(
        "select c.school_name, c.school_code, i.students, c.value, c.weight, c.variance_share "
        "from mart.balance_contribution c join mart.school_indicator i "
        "using (district_code, phase_id, stage, indicator_code, school_code) "
        "where district_code = ? and phase_id = ? and stage = ? and indicator_code = ? "
        "order by c.variance_share desc nulls last, c.school_code limit ?",
        [evaluation.district_code, evaluation.phase_id, stage, code, CONTRIBUTORS],
    ).fetchall()
    return [
        f"{INDENT}{name}（{school}）：P＝{students}，x＝{figure(value)}，权重 {percent(weight)}"
        + (f"，份额 {percent(share)}" if share is not None else "")
        for name, school, students, value, weight, share in found
    ]


def district_text(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, row: Row) -> list[str]:
    """Explain one row of `mart.district_indicator`, as lines."""
    catalogue, code = evaluation.catalogue, row["indicator_code"]
    entry = catalogue.indicators[code]
    lines = [f"{evaluation.district_name} 全县指标", *heading(evaluation, code)]
    if entry.level == "district":
        inputs = lineage(con, evaluation, code)
        ways = {part.judged for part in entry.parts}
        if code == MONITORING:
            lines += _subjects(con, evaluation, inputs)
        elif "funding" in ways:
            lines += _small_schools(con, evaluation, inputs)
        elif "each" in ways:
            lines += _each_school(con, evaluation, entry.parts[0], inputs)
        else:
            lines += ["原始数据：", *_inputs(inputs), *_ratio_lines(con, evaluation, code, inputs)]
        if row["value"] is not None:
            lines.append(f"结果：{figure(row['value'])}，显示为 {_district_value(evaluation, row)}")
        if row["target"] is not None and code != MONITORING:
            lines.append(standard_line(catalogue, code, row["target"]))
    else:
        lines += _schools(con, evaluation, row)
    return [*lines, status_line(row["status"], row["status_strict"]), f"说明：{row['summary']}"]


def _district_value(evaluation: Evaluation, row: Row) -> str:
    return (
        percent(row["value"])
        if row["indicator_code"] == MONITORING
        else shown(evaluation.catalogue, row["indicator_code"], row["value"])
    )


def _subjects(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, inputs: Sequence[Row]) -> list[str]:
    found = [
        r for r in evaluation.rows(con, "mart.monitoring_subject", "*", "grade, subject") if r["is_newest"]
    ]
    lines = [
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


def _by_school(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, inputs: Sequence[Row]
) -> dict[str, tuple[str, dict[str, Row]]]:
    """By school code: its name and its inputs by column."""
    names = {
        r["school_code"]: r["school_name"] for r in evaluation.rows(con, "mart.school", "*", "school_code")
    }
    schools: dict[str, tuple[str, dict[str, Row]]] = {}
    for r in inputs:
        schools.setdefault(r["school_code"], (names.get(r["school_code"], ""), {}))[1][r["column_name"]] = r
    return schools


def _each_school(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, part: Part, inputs: Sequence[Row]
) -> list[str]:
    """The schools with the lowest shares of a ratio that each must reach, those without figures first."""

    def side(rows: dict[str, Row], terms: list[str]) -> float | None:
        values = [rows[term.rpartition(".")[2]]["value"] for term in terms]
        if None in values:
            return None
        return sum(-v if term.startswith("-") else v for term, v in zip(terms, values, strict=True))

    def share(rows: dict[str, Row]) -> float:
        above, below = side(rows, part.numerator), side(rows, part.denominator)
        return above / below if above is not None and below else -1.0

    schools = sorted(_by_school(con, evaluation, inputs).items(), key=lambda s: (share(s[1][1]), s[0]))
    lines = ["原始数据：", *_inputs(inputs), f"比例最低的学校（共 {len(schools)} 所）："]
    for code, (name, rows) in schools[:CONTRIBUTORS]:
        above, below = side(rows, part.numerator), side(rows, part.denominator)
        result = percent(share(rows)) if share(rows) >= 0 else "缺数据"
        where = place(rows[part.numerator[0].rpartition(".")[2]])
        lines.append(f"{INDENT}{name}（{code}）：{figure(above)}÷{figure(below)}＝{result}　← {where}")
    return lines


def _small_schools(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, inputs: Sequence[Row]
) -> list[str]:
    """Every small school: its budget against the norm for as many pupils as the catalogue says."""
    catalogue = evaluation.catalogue
    funded = catalogue.parameters["funded_students"].value
    norms = {
        r["figure_no"]: r["value"]
        for r in evaluation.rows(con, "mart.assurance_figure", "*", "figure_no")
        if catalogue.indicators[r["indicator_code"]].needs_options and r["unit"] == "元/生"
    }
    lines = [
        f"基准定额：小学 {figure(norms.get(1))} 元/生，初中 {figure(norms.get(2))} 元/生",
        f"按 {plain(funded)} 名学生核定，多学段的定额按学生数加权",
        "原始数据：",
    ]
    for code, (name, rows) in _by_school(con, evaluation, inputs).items():
        lines.append(f"{INDENT}{name}（{code}）")
        lines += [INDENT + line for line in input_lines(list(rows.values()))]
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


def _inputs(inputs: Sequence[Row]) -> list[str]:
    """Every input where there are few, sums per figure and file where every school reports one."""
    if len(inputs) <= 2 * LISTED_INPUTS:
        return input_lines(inputs) or [f"{INDENT}没有报送"]
    lines = []
    for name in dict.fromkeys(r["input"] for r in inputs):
        rows = [r for r in inputs if r["input"] == name]
        missing = sum(r["value"] is None for r in rows)
        files = "、".join(sorted({f"{r['delivery']}/{r['file']}" for r in rows if r["file"]})) or "没有报送"
        header = next((f" {r['source_column']} 列“{r['header']}”" for r in rows if r["source_column"]), "")
        total = figure(sum(r["value"] for r in rows if r["value"] is not None))
        lines.append(
            f"{INDENT}{input_name(name)} 合计 {total}　← {files}{header}，共 {len(rows)} 行"
            + (f"，其中 {missing} 行未填报" if missing else "")
            + "，逐行见 mart.lineage"
        )
    return lines


def _ratio_lines(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, code: str, inputs: Sequence[Row]
) -> list[str]:
    """The sums with the figures put in, for each ratio of the indicator that has a value."""
    judged = {
        r["figure_no"] - 10: r["status"]
        for r in evaluation.rows(con, "mart.assurance_figure", "*", "figure_no")
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
    """The terms with their totals put in, and their sum; None when any part is missing."""
    total, written = 0.0, ""
    for term in terms:
        values = [r["value"] for r in inputs if r["input"] == term.lstrip("-")]
        if not values or any(value is None for value in values):
            return None
        is_taken_off = term.startswith("-")
        total += -sum(values) if is_taken_off else sum(values)
        written += ("－" if is_taken_off else "＋" if written else "") + figure(sum(values))
    return (f"（{written}）" if len(terms) > 1 else written), total


def _schools(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, row: Row) -> list[str]:
    """How the district's verdict on a school indicator is made up: coefficients, counts, the failing schools."""
    catalogue, code = evaluation.catalogue, row["indicator_code"]
    lines = ["由各校判定" + ("和两个学段的差异系数" if row["cv_primary_status"] else "") + "得出："]
    for stage in evaluation.stages:
        if (status := row.get(f"cv_{stage}_status")) is not None:
            lines.append(f"{INDENT}{stage_name(catalogue, stage)}差异系数：{STATUS[status]}（{status}）")
    failing = con.execute(
        "select school_name, school_code, stage, value, threshold, status from mart.school_indicator "
        "where district_code = ? and phase_id = ? and indicator_code = ? and status in ('near', 'below', 'no_data') "
        "order by stage desc, school_code",
        [evaluation.district_code, evaluation.phase_id, code],
    ).fetchall()
    lines.append(
        f"{INDENT}未达标：小学 {row['failing_primary']} 所，初中 {row['failing_junior']} 所，"
        f"跨学段 {row['failing_compulsory']} 所"
    )
    for name, school, stage, value, threshold, status in failing[:LISTED_SCHOOLS]:
        lines.append(
            f"{INDENT}{name}（{school}）{stage_name(catalogue, stage)}："
            f"{figure(value)}，标准 {figure(threshold)}，{STATUS[status]}"
        )
    if len(failing) > LISTED_SCHOOLS:
        lines.append(f"{INDENT}其余 {len(failing) - LISTED_SCHOOLS} 处见 mart.school_indicator")
    return lines
