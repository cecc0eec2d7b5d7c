"""Districts side by side: the front page, and a page for each province and city.

Keep out: HTML (templates/index.html, region.html), the pages of a single district (wall and others).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from youjun_pipeline.site import words
from youjun_pipeline.site.names import HOME, region_page

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.site.writer import Writer

# With more lines than this the chart shows no names; the table has them.
MOST_NAMES = 12
PREFIXES = (2, 4)

_SUMMARIES = """
    with left_over as (
        select district_code, phase_id, count(*) filter (state <> 'closed') as findings_left, count(*) as findings
        from mart.finding group by all
    ), judged as (
        select district_code, phase_id, school_code, bool_or(status in ('near', 'below')) as fails,
            bool_or(status = 'no_data') as is_unknown
        from mart.school_indicator group by all
    ), in_doubt as (
        select district_code, phase_id, count(*) filter (is_unknown and not fails) as unknown_schools
        from judged group by all
    ), over_limit as (
        select district_code, phase_id, count(*) filter (status = 'below') as cv_over, count(*) as cvs
        from mart.stage_balance group by all
    ), late as (
        select district_code, phase_id, count(*) filter (overdue) as late, count(*) as measures
        from mart.measure_status group by all
    )
    select e.district_code, e.district_name, e.phase_id, e.phase_name, e.ends, e.as_of, e.data_origin, e.is_closed,
        v.passes, v.schools_in_scope, v.schools_failing, coalesce(v.failing_out_of_scope, 0) as failing_out_of_scope,
        v.indicators_failing, v.indicators_no_data, coalesce(u.unknown_schools, 0) as unknown_schools, v.summary,
        coalesce(f.findings_left, 0) as findings_left, coalesce(b.cv_over, 0) as cv_over, b.cvs,
        l.late, coalesce(l.measures, 0) as measures
    from mart.evaluation e
    join mart.district_verdict v using (district_code, phase_id)
    left join in_doubt u using (district_code, phase_id)
    left join left_over f using (district_code, phase_id)
    left join over_limit b using (district_code, phase_id)
    left join late l using (district_code, phase_id)
    order by e.district_code, e.phase_order, e.phase_id
"""
_BALANCE = """
    select district_code, stage, indicator_code, cv, status
    from mart.stage_balance
    where (district_code, phase_id) in (
        select district_code, arg_max(phase_id, (phase_order, phase_id)) from mart.evaluation group by 1
    )
"""


class Standing(NamedTuple):
    """A district in its phases: summaries in the order of the plan, and the newest phase's CVs by stage and indicator."""

    code: str
    name: str
    phases: list[Any]
    balance: dict[tuple[str, str], Any]

    @property
    def newest(self) -> Any:
        return self.phases[-1]

    @property
    def is_reconstructed(self) -> bool:
        return any(p.data_origin == "reconstructed" for p in self.phases)

    @property
    def shares(self) -> list[float | None]:
        """Share of failing schools in scope by phase (0–1); None if no school is known to fail and some are unknown."""
        return [
            (p.schools_failing - p.failing_out_of_scope) / p.schools_in_scope
            if p.schools_in_scope and (p.schools_failing or not p.unknown_schools)
            else None
            for p in self.phases
        ]


def read_standings(con: duckdb.DuckDBPyConnection) -> list[Standing]:
    """Every published district, by code: two queries for the whole country."""
    phases, balances = defaultdict(list), defaultdict(dict)  # type: ignore[var-annotated]
    for row in _named(con, "Summary", _SUMMARIES):
        phases[row.district_code].append(row)
    for row in _named(con, "Balance", _BALANCE):
        balances[row.district_code][row.stage, row.indicator_code] = row
    return [Standing(code, found[-1].district_name, found, balances[code]) for code, found in phases.items()]


def _named(con: duckdb.DuckDBPyConnection, name: str, sql: str) -> list[Any]:
    from collections import namedtuple

    cursor = con.execute(sql)
    row_type = namedtuple(name, [c[0] for c in cursor.description or []])  # type: ignore[misc]
    return [row_type(*values) for values in cursor.fetchall()]


def write_index(site: Writer, standings: list[Standing], as_of: Any) -> None:
    """Write the front page."""
    provinces = _groups(standings, PREFIXES[0])
    site.write(
        HOME[1],
        "index.html",
        {
            "title": "义务教育优质均衡 作战图",
            "crumbs": [],
            "is_reconstructed": any(s.is_reconstructed for s in standings),
            "standings": standings,
            "provinces": [(words.region_name(p), region_page(p), found) for p, found in provinces.items()],
            "as_of": as_of,
            "common": site.common_documents(),
        },
    )


def write_regions(site: Writer, standings: list[Standing]) -> None:
    """Write a page for each province and each city with a published district."""
    for length in PREFIXES:
        for prefix, found in _groups(standings, length).items():
            crumbs = [HOME]
            cities: dict[str, list[Standing]] = {}
            if length == PREFIXES[0]:
                cities = _groups(found, PREFIXES[1])
            else:
                province = prefix[: PREFIXES[0]]
                crumbs = [HOME, (words.region_name(province), region_page(province))]
            site.write(
                region_page(prefix),
                "region.html",
                {
                    "title": f"{words.region_name(prefix)} 区县比较",
                    "crumbs": crumbs,
                    "is_reconstructed": any(s.is_reconstructed for s in found),
                    "standings": found,
                    "cities": [(words.region_name(p), region_page(p), c) for p, c in cities.items()],
                    "indicators": sorted({code for s in found for _, code in s.balance}),
                    "trend": _trend(found),
                    "common": site.common_documents(),
                },
            )


def _groups(standings: list[Standing], length: int) -> dict[str, list[Standing]]:
    groups = defaultdict(list)
    for standing in standings:
        groups[standing.code[:length]].append(standing)
    return dict(sorted(groups.items()))


def _trend(standings: list[Standing]) -> list[dict[str, Any]]:
    """The data of the chart `trend` (charts)."""
    return [
        {
            "district": s.name,
            "phase": phase.phase_name,
            "ends": phase.ends.isoformat(),
            "share": share,
            "is_labelled": len(standings) <= MOST_NAMES and phase is s.newest,
        }
        for s in standings
        for phase, share in zip(s.phases, s.shares, strict=True)
        if share is not None
    ]
