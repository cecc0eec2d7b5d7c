"""What this publication changed: verdicts compared with the previous publication, restatements, closings, rules.

Keep out: HTML (templates/news.html), judging.
"""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports.words import NOTHING
from youjun_pipeline.site import names, words
from youjun_pipeline.site.read import grouped
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline.warehouse.published import attached_before
from youjun_pipeline.warehouse.tables import declared_tables

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.site.writer import Writer

# What is compared for each evaluation: the verdict, and the rules by which it was made.
SAID = (
    "passes",
    "schools_in_scope",
    "schools_failing",
    "indicators_failing",
    "indicators_no_data",
)
RULES = ("standard_id", "active_waivers", "district_waivers", "include_private", "music_art_rule")
MUSIC_ART = {"each": "分别计算", "combined": "合并计算", "per_stage": "按学段分别计算"}
_EVALUATIONS = f"""
    select e.district_code, e.phase_id, e.district_name, e.phase_name, e.{", e.".join(RULES)},
        v.{", v.".join(SAID)}
    from {{0}}mart.evaluation e
    join {{0}}mart.district_verdict v using (district_code, phase_id)
    order by e.district_code, e.phase_order, e.phase_id
"""
COMPARED = (
    "ops.publication",
    "mart.evaluation",
    "mart.district_verdict",
    "mart.district_indicator",
    "mart.school_indicator",
)
_RECONSTRUCTED = "select district_code, phase_id from mart.evaluation where data_origin = 'reconstructed'"
_MOMENTS = """
    select (select max(published_at) from before.ops.publication), (select max(published_at) from ops.publication)
"""
_INDICATORS = """
    select n.district_code, n.phase_id, n.indicator_code, b.status as before, n.status as after
    from mart.district_indicator n
    join before.mart.district_indicator b using (district_code, phase_id, indicator_code)
    where n.status is distinct from b.status
    order by all
"""
_SCHOOLS = """
    select coalesce(n.district_code, b.district_code), coalesce(n.phase_id, b.phase_id), count(*)
    from mart.school_indicator n
    full join before.mart.school_indicator b using (district_code, phase_id, school_code, stage, indicator_code)
    where n.status is distinct from b.status
    group by all
"""
_PUBLICATIONS = (
    "select published_at, as_of, rows from ops.publication order by published_at desc, run_id limit 20"
)
# Of everything that a correction changed, the verdicts are listed one by one and the rest is counted.
_RESTATED = """
    select r.district_code, r.phase_id, e.district_name, e.phase_name, r.table_name, r.reason, r.restated_at, count(*) as places
    from ops.restatement r
    left join mart.evaluation e using (district_code, phase_id)
    group by all
    order by r.restated_at desc, r.district_code, e.phase_name, r.table_name
"""
_RESTATED_VERDICTS = """
    select e.district_name, e.phase_name, r.table_name, r.key, r.column_name, r.old_value, r.new_value, r.restated_at
    from ops.restatement r
    join mart.evaluation e using (district_code, phase_id)
    where r.column_name in ('status', 'passes', 'passes_resource_rule')
        and r.table_name in ('mart.school_indicator', 'mart.school_verdict', 'mart.stage_balance',
            'mart.district_indicator', 'mart.district_verdict')
    order by r.restated_at desc, r.district_code, e.phase_order, r.table_name, r.key
"""
_CLOSINGS = """
    select c.district_code, c.phase_id, e.district_name, e.phase_name, c.closed_at, c.closed_by, c.reopened_at, c.reopen_reason
    from ops.phase_closure c
    left join mart.evaluation e using (district_code, phase_id)
    where greatest(c.closed_at, c.reopened_at) > $1
    order by c.district_code, e.phase_order, c.closed_at
"""
_BY_RULE = """
    select e.district_name, e.phase_name, e.district_code, e.phase_id, c.level, count(*) as verdicts
    from mart.phase_change c
    join mart.evaluation e using (district_code, phase_id)
    where c.cause = 'rule' and c.status_before is distinct from c.status_after
    group by all
    order by e.district_code, min(e.phase_order), c.level
"""
_OTHER_RULES = """
    select compared_title, level, count(*) as verdicts, count(distinct (district_code, phase_id)) as evaluations
    from mart.rule_impact
    group by all
    order by all
"""


def write_news(site: Writer, con: duckdb.DuckDBPyConnection) -> None:
    """Write the page about the publication that `con` has open, compared with the previous one if that still exists."""
    publications = _named(con, _PUBLICATIONS)
    reconstructed = set(con.execute(_RECONSTRUCTED).fetchall())
    since = publications[1].published_at if len(publications) > 1 else None
    site.write(
        names.NEWS,
        "news.html",
        {
            "title": "本次发布的变化",
            "crumbs": [names.HOME],
            "is_reconstructed": bool(reconstructed),
            "reconstructed": reconstructed,
            "publications": publications,
            "compared": _compared(con, site.published),
            "restated": _named(con, _RESTATED),
            "restated_verdicts": _named(con, _RESTATED_VERDICTS),
            "closings": _named(con, _CLOSINGS, since) if since else [],
            "rules": _rules(con),
            "by_rule": _named(con, _BY_RULE),
            "other_rules": _named(con, _OTHER_RULES),
            "table_title": table_title,
            "said": said,
            "row_of": row_of,
            "rules_text": rules_text,
            "common": site.common_documents(),
        },
    )


def _named(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[Any]:
    cursor = con.execute(sql, list(values))
    row_type = namedtuple("Row", [c[0] for c in cursor.description or []])  # type: ignore[misc]
    return [row_type(*row) for row in cursor.fetchall()]


def _compared(con: duckdb.DuckDBPyConnection, published: Path) -> dict[str, Any] | None:
    """Evaluations that were added or removed, or whose verdict or rules changed; None if nothing can be compared."""
    with attached_before(con, published, COMPARED) as is_there:
        before, now = con.execute(_MOMENTS).fetchall()[0] if is_there else (None, None)
        # after a rollback the previous file is the later one
        if before is None or now is None or before >= now:
            return None
        old = {(e.district_code, e.phase_id): e for e in _named(con, _EVALUATIONS.format("before."))}
        new = {(e.district_code, e.phase_id): e for e in _named(con, _EVALUATIONS.format(""))}
        indicators = grouped(_named(con, _INDICATORS), lambda r: (r.district_code, r.phase_id))
        schools = {(district, phase): count for district, phase, count in con.execute(_SCHOOLS).fetchall()}
    both = [key for key in new if key in old]
    return {
        "before": before,
        "came": [new[key] for key in new if key not in old],
        "went": [old[key] for key in old if key not in new],
        "turned": [
            (old[key], new[key], indicators[key], schools.get(key, 0))
            for key in both
            if _of(old[key], SAID) != _of(new[key], SAID) or indicators[key] or key in schools
        ],
        "ruled": [(old[key], new[key]) for key in both if _of(old[key], RULES) != _of(new[key], RULES)],
        "same": sum(_of(old[key], SAID) == _of(new[key], SAID) and key not in schools for key in both),
    }


def _of(evaluation: Any, columns: tuple[str, ...]) -> list[Any]:
    return [getattr(evaluation, column) for column in columns]


def _rules(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, list[Any]]]:
    """Each set of rules in use with the evaluations that it judges."""
    evaluations = _named(con, _EVALUATIONS.format(""))
    return list(grouped(evaluations, rules_text).items())


def rules_text(e: Any) -> str:
    """The rules of an evaluation in one sentence."""
    own = "、".join(e.district_waivers or [])
    rooms = load_catalogue(e.standard_id).options["music_art_rule"]
    parts = [
        load_catalogue(e.standard_id).name,
        f"适用过渡政策 {'、'.join(e.active_waivers)}" if e.active_waivers else "不适用过渡政策",
        f"其中 {own} 由区县自行继续适用" if own else "",
        "" if e.include_private else "民办学校不参加评估",
        "" if e.music_art_rule == rooms.default else f"音乐、美术教室{MUSIC_ART[e.music_art_rule]}",
    ]
    return "；".join(part for part in parts if part)


def table_title(full_name: str) -> str:
    """The name of a published table: its comment up to the colon."""
    table = declared_tables().get(full_name)
    return table.comment.split("：")[0] if table else full_name


def row_of(key: str | None) -> str:
    """The row that a correction changed: its key in words."""
    return " ".join(words.STAGE.get(part, part) for part in (key or "").split()) or "全县"


def said(column: str | None, value: str | None) -> str:
    """A recorded value of a status or of a conclusion, in words."""
    if value is None:
        return NOTHING
    if column == "status":
        return words.STATUS[value].name
    return words.PASSES[{"true": True, "false": False}.get(value.lower())].name
