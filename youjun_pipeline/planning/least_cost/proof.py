"""The proof of a plan: what it adds is added to the reported figures, and the same models judge them again.

Keep out: what a plan contains and how it was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from youjun_pipeline.warehouse.scenario import SCENARIO, VERDICTS, Variant, scenario
from youjun_pipeline.warehouse.tables import describe

if TYPE_CHECKING:
    import duckdb

VARIANT = "proposal"


@dataclass(frozen=True)
class Change:
    """A reported figure of one school (and stage) that the plan raises by `added` (negative: lowers)."""

    district: str
    phase: str
    dataset: str
    school: str
    stage: str | None
    column: str
    added: float


@dataclass(frozen=True)
class Room:
    """A special room that the plan adds."""

    district: str
    phase: str
    school: str
    kind: str
    area_m2: float


@dataclass(frozen=True)
class Grade:
    """A grade whose pupils the plan spreads evenly over so many classes."""

    district: str
    phase: str
    school: str
    stage: str
    grade: int
    pupils: int
    classes: int


@dataclass(frozen=True)
class Proof:
    """What the models say of a plan: what of R, G3, G4, G5 and the coefficients is still not met."""

    district: str
    phase: str
    failing: list[str]

    @property
    def holds(self) -> bool:
        return not self.failing


def prove(
    con: duckdb.DuckDBPyConnection, changes: Iterable[Change], rooms: Iterable[Room], grades: Iterable[Grade]
) -> list[Proof]:
    """Judge the run's evaluations of `con` with these changes, all of them in one pass."""
    _lay_out(con, list(changes), list(rooms), list(grades))
    try:
        with scenario(con, [Variant(VARIANT)], tables=VERDICTS, files=_changed_files(con)):
            rows = con.execute(_JUDGED.format(scenario=SCENARIO)).fetchall()
    finally:
        for name in ("change", "room", "grade"):
            con.execute(f"drop table if exists temp.proposal_{name}")
    return [Proof(district, phase, list(failing or [])) for district, phase, failing in rows]


_JUDGED = """
    with failing as (
        select district_code, phase_id,
            school_name || ' ' || stage || ' ' || indicator_code || ' ' || coalesce(reason, status) as what
        from {scenario}.mart.school_indicator
        where per is null and status not in ('met', 'met_by_waiver', 'not_applicable')
        union all
        select district_code, phase_id, school_name || ' ' || stage || ' ' || coalesce(reason, '')
        from {scenario}.mart.school_verdict where passes_resource_rule is distinct from true
        union all
        select district_code, phase_id, stage || ' ' || indicator_code || ' CV ' || coalesce(cv::varchar, status)
        from {scenario}.mart.stage_balance where status not in ('met', 'met_by_waiver', 'not_applicable')
    )
    select e.district_code, e.base_phase_id, list(f.what order by f.what) filter (f.what is not null)
    from {scenario}.main.evaluation e
    left join failing f on f.district_code = e.district_code and f.phase_id = e.phase_id
    group by all
    order by all
"""


def _lay_out(
    con: duckdb.DuckDBPyConnection, changes: list[Change], rooms: list[Room], grades: list[Grade]
) -> None:
    shapes: dict[str, tuple[str, list[Any]]] = {
        "change": ("district_code varchar, phase_id varchar, dataset varchar, school_code varchar, stage varchar, "
                   "column_name varchar, added decimal(18, 6)", changes),
        "room": ("district_code varchar, phase_id varchar, school_code varchar, kind varchar, area_m2 decimal(18, 6)", rooms),
        "grade": ("district_code varchar, phase_id varchar, school_code varchar, stage varchar, grade integer, "
                  "students bigint, classes bigint", grades),
    }  # fmt: skip
    for name, (columns, entries) in shapes.items():
        con.execute(f"create or replace temp table proposal_{name} ({columns})")
        if entries:
            fields = list(vars(entries[0]))
            lists = [[getattr(entry, field) for entry in entries] for field in fields]
            unnested = ", ".join(f"unnest(${n})" for n in range(1, len(fields) + 1))
            con.execute(f"insert into temp.proposal_{name} select {unnested}", lists)


def _changed_files(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """SELECTs for the scenario: the rows of each dataset with the plan's figures in them."""
    selects = {dataset: _with_additions(con, dataset) for dataset in ("schools", "teachers", "facilities")}
    selects |= {"special_rooms": _ROOMS, "classes": _CLASSES}
    return {
        dataset: f"""
            with own as (
                select v.district_code, v.phase_id, v.base_phase_id, a.* exclude (content_sha256)
                from main.evaluation v
                join temp.run_chosen_file f using (district_code, phase_id)
                join accepted.{dataset} a using (content_sha256)
                where f.dataset = '{dataset}'
            )
            select * exclude (base_phase_id) from ({select})
        """
        for dataset, select in selects.items()
    }


def _with_additions(con: duckdb.DuckDBPyConnection, dataset: str) -> str:
    types = describe(con, f"accepted.{dataset}")
    found = con.execute(
        "select distinct column_name from temp.proposal_change where dataset = ? order by 1", [dataset]
    ).fetchall()
    if not found:
        return "from own"
    sums = ", ".join(f"sum(added) filter (column_name = '{c}') as \"{c}\"" for (c,) in found)
    # a figure that was not reported stays unknown
    picked = ", ".join(f'(a."{c}" + coalesce(f."{c}", 0))::{types[c]} as "{c}"' for (c,) in found)
    return f"""
        select a.* replace ({picked})
        from own a
        left join (
            select district_code, phase_id, school_code, stage, {sums}
            from temp.proposal_change where dataset = '{dataset}' group by all
        ) f
            on f.district_code = a.district_code and f.phase_id = a.base_phase_id
            and f.school_code = a.school_code {"and f.stage = a.stage" if "stage" in types else ""}
    """


_ROOMS = """
    from own
    union all by name
    select v.district_code, v.phase_id, v.base_phase_id, '' as sheet, 0 as row_number, r.school_code, r.kind,
        'plan-' || row_number() over () as room_no, r.area_m2
    from temp.proposal_room r
    join main.evaluation v on v.district_code = r.district_code and v.base_phase_id = r.phase_id
"""
_CLASSES = """
    select a.* from own a
    where not exists (
        from temp.proposal_grade g
        where g.district_code = a.district_code and g.phase_id = a.base_phase_id and g.school_code = a.school_code
            and g.stage = a.stage and g.grade = a.grade
    )
    union all by name
    select v.district_code, v.phase_id, v.base_phase_id, '' as sheet, 0 as row_number, g.school_code, g.stage, g.grade,
        'plan-' || n.n as class_no,
        g.students // g.classes + if(n.n <= g.students % g.classes, 1, 0) as students
    from temp.proposal_grade g
    cross join lateral (select unnest(range(1, g.classes + 1)) as n) n
    join main.evaluation v on v.district_code = g.district_code and v.base_phase_id = g.phase_id
"""
