"""Words for an explanation: figures as they are, places of cells, names of inputs, the head of an indicator.

Keep out: which figures an indicator rests on and how they make its value (`school`, `district`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import NUMBER_TYPES
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.words import NOTHING, SHARE_UNIT, plain, rounded
from youjun_pipeline.standard import Catalogue
from youjun_pipeline.vocabulary import word, words

if TYPE_CHECKING:
    import duckdb

STATUS = words("status")
COMPULSORY = "compulsory"
DIRECTIONS = words("direction")
# How many classes a school has is counted, class by class or band by band.
CLASS_COUNT, CLASS_BAND = "classes.class_no", "class_bands.classes"
# Decimals of a figure in a calculation: enough to do the sum again, too few for binary dust.
DECIMALS = 6
INDENT = "  "


def figure(value: float | Decimal | None) -> str:
    """A figure with up to six decimals; what is missing says so."""
    return "未填报" if value is None else plain(rounded(float(value), DECIMALS))


def percent(value: float) -> str:
    """A fraction as a percentage with up to four decimals."""
    return plain(rounded(value * 100, DECIMALS - 2)) + "%"


def stage_name(catalogue: Catalogue, stage: str | None) -> str:
    """小学, 初中, or both."""
    if stage is None:
        return "不分学段"
    return catalogue.stages[stage].name if stage in catalogue.stages else word("stage", stage) or stage


def input_name(name: str) -> str:
    """The Chinese name of an input (`facilities.teaching_area_m2`); an assurance item keeps its code."""
    if name == CLASS_COUNT:
        return "班级数"
    dataset, _, column = name.partition(".")
    if dataset == "assurance":
        item, _, asked = column.rpartition(".")
        found = load_datasets()[dataset].columns.get(asked)
        return f"{item} {found.zh}" if found else column
    found = load_datasets()[dataset].columns[column]
    return found.zh + (f"（{found.unit}）" if found.unit and found.unit not in found.zh else "")


def _is_word(name: str) -> bool:
    """Whether an input is given in words: a type of school, a conclusion; its detail is then what was reported."""
    dataset, _, column = name.partition(".")
    found = load_datasets()[dataset].columns.get(column.rpartition(".")[2])
    return found is not None and name != CLASS_COUNT and found.type not in NUMBER_TYPES


def place(row: Row) -> str:
    """Where an input stands: delivery, file, sheet, row, column letter and header; or that nobody delivered it."""
    if row["file"] is None:
        return "没有报送"
    where = f"{row['delivery']}/{row['file']}"
    if row["sheet"]:
        where += f"［{row['sheet']}］"
    where += f" 第 {row['row']} 行" if row["row"] is not None else " 多行合计"
    if row["source_column"] is None:
        return f"{where}，该文件没有这一列"
    return f"{where} {row['source_column']} 列“{''.join((row['header'] or '').split())}”"


def input_lines(rows: Sequence[Row], prefixes: Sequence[str] = ()) -> list[str]:
    """One line per input: name, detail, figure, place; `prefixes` go before the names (加, 减, a school)."""
    lines = []
    for position, row in enumerate(rows):
        prefix = prefixes[position] if prefixes else ""
        name = prefix + input_name(row["input"])
        if _is_word(row["input"]):
            name += f"：{row['detail'] or '未填报'}"
        else:
            name += (f" {row['detail']}" if row["detail"] else "") + f" {figure(row['value'])}"
        lines.append(f"{INDENT}{name}　← {place(row)}")
    return lines


def lineage(
    con: duckdb.DuckDBPyConnection,
    evaluation: Evaluation,
    indicator: str,
    school: str | None = None,
    stage: str | None = None,
) -> list[Row]:
    """The inputs of one judgement in the order of their places; without school and stage, all of the indicator's."""
    cursor = con.execute(
        "select * from mart.lineage where district_code = $1 and phase_id = $2 and indicator_code = $3 "
        "and ($4 is null or school_code = $4) and ($5 is null or stage = $5) order by input, file, sheet, row, school_code",
        [evaluation.district_code, evaluation.phase_id, indicator, school, stage],
    )
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def heading(evaluation: Evaluation, indicator: str) -> list[str]:
    """What the indicator is, by which clause, and its formula in words."""
    entry = evaluation.catalogue.indicators[indicator]
    return [
        f"{indicator} {entry.name}（{entry.short_name}）",
        f"依据：{entry.clause}",
        f"公式：{entry.formula_text}",
        f"{INDENT}分子：{entry.numerator_text}",
        f"{INDENT}分母：{entry.denominator_text}",
    ]


def standard_line(catalogue: Catalogue, indicator: str, target: float, floor: float | None = None) -> str:
    """What the value had to reach."""
    entry = catalogue.indicators[indicator]
    dated = [
        d
        for given in entry.dated_limits.values()
        for d in given
        if d.value == Decimal(str(target)) and d.starts
    ]
    since = (
        f"（自 {dated[-1].starts} 起{'，' + dated[-1].source if dated[-1].source else ''}）" if dated else ""
    )
    if entry.unit == SHARE_UNIT:
        return f"标准：{DIRECTIONS[entry.direction]} {percent(target)}{since}"
    line = f"标准：{DIRECTIONS[entry.direction]} {figure(target)} {entry.unit}{since}"
    return line if floor is None else f"{line}，底线 {figure(floor)}"


def shown(catalogue: Catalogue, indicator: str, value: float | None) -> str:
    """A value as tables show it, with its unit."""
    entry = catalogue.indicators[indicator]
    if value is None:
        return NOTHING
    if entry.unit == SHARE_UNIT:
        decimals = int(catalogue.parameters["share_display_decimals"].value)
        return f"{rounded(value * 100, decimals):f}%"
    return f"{rounded(value, entry.display_decimals):f} {entry.unit}"


def status_line(status: str, strict: str | None = None) -> str:
    """The verdict in words and as the tables have it, with the strict one where it differs."""
    line = f"判定：{STATUS[status]}（{status}）"
    if strict is not None and strict != status:
        line += f"；不计过渡政策：{STATUS[strict]}（{strict}）"
    return line
