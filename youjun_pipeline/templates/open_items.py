"""What a district still has to answer, report or inspect, from the publication: rows for the templates of the event datasets.

Each row names its subject and shows what is known about it beside the cells to fill in; a row that stays blank reports nothing.
Belongs here: which subjects are open, as rows of a template. Keep out: how a template looks (`data_sheet`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from youjun_pipeline import vocabulary
from youjun_pipeline.contracts import load_datasets

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]


@dataclass(frozen=True)
class OpenItems:
    """Rows by event dataset, and the numbers of measures and milestones from which a cell can be chosen."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    measures: list[str] = field(default_factory=list)
    milestones: list[str] = field(default_factory=list)


def open_items(con: duckdb.DuckDBPyConnection, district: str) -> OpenItems:
    """The open items of a district's newest phase in the publication in `con`; empty if the district has no phase."""
    phases = con.execute(
        "select phase_id from mart.evaluation where district_code = ? order by phase_order desc limit 1",
        [district],
    ).fetchall()
    if not phases:
        return OpenItems()
    place = [district, phases[0][0]]
    progress = _rows(con, _PROGRESS, place)
    for row in progress:
        row["上次状态"] = vocabulary.word("state", row.pop("state")) or ""
    rows = {
        "suspicion_answers": [_with_column(row) for row in _rows(con, _SUSPICIONS, place)],
        "progress": progress,
        "acceptances": [_with_stage(row) for row in _rows(con, _UNSIGNED, place)],
    }
    numbers = [[row[key] for row in progress if row[key]] for key in ("measure_no", "milestone_no")]
    return OpenItems(rows, *numbers)


def _rows(con: duckdb.DuckDBPyConnection, query: str, place: list[str]) -> list[Row]:
    cursor = con.execute(query, place)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _with_column(row: Row) -> Row:
    """A suspicion with the title of its dataset, and the title and unit of its column."""
    dataset = load_datasets().get(row["dataset"])
    column = dataset.columns.get(row.pop("column_name") or "") if dataset else None
    changed = row.pop("changed")
    return row | {
        "dataset": dataset.title if dataset else row["dataset"],
        "有疑点的列": column.zh if column else "",
        "单位": column.unit or "" if column else "",
        "是否改变判定": f"是：{changed}" if changed else "没有",
    }


def _with_stage(row: Row) -> Row:
    """A finding with its stage in the spelling of the inspections' contract."""
    words = load_datasets()["acceptances"].columns["stage"].values
    return row | {"stage": words[row["stage"]][0] if row["stage"] in words else None}


# The indicators that use a suspiciously changed figure and got another verdict than in the phase before.
_SUSPICIONS = """
    select s.dataset, s.school_code, s.school_name as "学校名称", s.rule, s.message as "可疑之处", s.column_name,
        (
            select string_agg(distinct c.indicator_code, '、' order by c.indicator_code)
            from mart.phase_change c
            join mart.lineage l using (district_code, phase_id, school_code, indicator_code)
            where c.level = 'school' and c.status_before is distinct from c.status_after
                and c.district_code = s.district_code and c.phase_id = s.phase_id and c.school_code = s.school_code
                and l.input = s.dataset || '.' || s.column_name
        ) as changed
    from quality.suspicion s
    where s.district_code = $1 and s.phase_id = $2 and s.answer is null
    order by s.dataset, s.school_code, s.rule, s.message
"""
_PROGRESS = """
    select measure_no, null as milestone_no, coalesce(description, indicator_code) as "内容",
        coalesce(responsible_units, bureau_sections) as "责任单位", due::varchar as "应完成时间", state,
        percent as "上次完成比例", reported_on::varchar as "上次填报日期"
    from mart.measure_status where district_code = $1 and phase_id = $2
    union all
    select null, milestone_no, task, null, due::varchar, state, percent, reported_on::varchar
    from mart.milestone_status where district_code = $1 and phase_id = $2
    order by measure_no nulls last, milestone_no
"""
# If two schools have the same name, the code says which is meant.
_UNSIGNED = """
    select f.indicator_code as indicator, f.stage,
        if(f.school_name is null or n.schools > 1, f.school_code, f.school_name) as school_name,
        f.reason as "判定情况", array_to_string(f.measures, '、') as "整改措施"
    from mart.finding f
    left join (
        select district_code, phase_id, school_name, count(*) as schools from mart.school group by all
    ) n using (district_code, phase_id, school_name)
    where f.district_code = $1 and f.phase_id = $2 and f.state = 'closed' and not f.signed_off
        and f.level in ('school', 'stage', 'district')
    order by f.indicator_code, f.stage desc, f.school_code
"""
