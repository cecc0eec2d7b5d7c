"""`mart.projection`: the verdict at the end of each coming phase: as planned, with today's delays, and with signed-off measures
only.

`rule.plan_effect` says what measures change. This module changes those figures in a scenario, and the same models judge the
figures again. Keep out: what a measure's words mean (that model), other rules (`rule_impact`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.models import MODELS, replace_rows
from youjun_pipeline.warehouse.scenario import Variant, scenario
from youjun_pipeline.warehouse.tables import declared_tables, describe

TABLE = "mart.projection"
JUDGED = ("mart.school_indicator", "mart.stage_balance")
READS = (
    *JUDGED,
    "mart.district_indicator",
    "mart.finding",
    "mart.measure_status",
    "rule.finding_measure",
    "rule.plan_effect",
    "rule.coming_merger",
    "plan.enrolment_forecast",
)
# The models behind a projection, each after the ones that it reads.
_PARTS = ("case", "merger", "grade", "effect", "students", "figure")


def build_projection(con: duckdb.DuckDBPyConnection) -> int:
    """Replace the rows of the run's evaluations; returns how many there are now.

    If no quantified measure and no forecast changes an evaluation, it is not judged again: today's verdict is used.
    """
    with _parts(con), _only_affected(con) as give_back:
        names = con.execute(
            "select distinct variant from temp.projection_case where variant is not null order by 1"
        ).fetchall()
        files = _changed_files(con) if names else None
        with scenario(con, [Variant(name) for (name,) in names], tables=JUDGED, files=files):
            give_back()
            with transaction(con):
                return replace_rows(
                    con, TABLE, f"(\n{_sql('projection')}\n)", declared_tables()[TABLE].columns
                )


def _sql(name: str) -> str:
    return (MODELS / "scenario" / f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def _parts(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """The temporary tables that list what is projected and what measures change."""
    try:
        for part in _PARTS:
            con.execute(f"create or replace temp table projection_{part} as {_sql(f'projection_{part}')}")
        yield
    finally:
        for part in _PARTS:
            con.execute(f"drop table if exists temp.projection_{part}")


@contextmanager
def _only_affected(con: duckdb.DuckDBPyConnection) -> Iterator[Callable[[], None]]:
    """Narrow the run to evaluations that a measure changes; yields what restores it, as leaving the block does."""
    con.execute("create or replace temp table projection_whole as from temp.run_evaluation")

    def give_back() -> None:
        con.execute("create or replace temp table run_evaluation as from temp.projection_whole")

    try:
        con.execute(
            "create or replace temp table run_evaluation as from temp.projection_whole "
            "semi join (from temp.projection_case where variant is not null) using (district_code, phase_id)"
        )
        yield give_back
    finally:
        give_back()
        con.execute("drop table temp.projection_whole")


def _changed_files(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """SELECTs for the scenario: the rows of each dataset with the changes by measures and forecasts."""
    datasets = {"schools": _SCHOOLS, "classes": _CLASSES} | {
        d: _with_additions(con, d) for d in ("facilities", "teachers")
    }
    return {
        dataset: f"""
            with own as (
                select v.district_code, v.phase_id, v.base_phase_id, v.variant, a.* exclude (content_sha256)
                from main.evaluation v
                join temp.run_chosen_file f using (district_code, phase_id)
                join accepted.{dataset} a using (content_sha256)
                where f.dataset = '{dataset}'
            )
            select * exclude (base_phase_id, variant) from ({select})
        """
        for dataset, select in datasets.items()
    }


_SCHOOLS = """
    select a.* replace (
        if(p.school_code is null, a.primary_students, p.students) as primary_students,
        if(j.school_code is null, a.junior_students, j.students) as junior_students,
        -- migrant children at their share, as nothing else is known
        if(p.school_code is null and j.school_code is null, a.migrant_students, round(
            a.migrant_students
                * (coalesce(if(p.school_code is null, a.primary_students, p.students), 0)
                    + coalesce(if(j.school_code is null, a.junior_students, j.students), 0))
                / nullif(coalesce(a.primary_students, 0) + coalesce(a.junior_students, 0), 0)
        ))::bigint as migrant_students
    )
    from own a
    left join temp.projection_students p
        on p.district_code = a.district_code and p.phase_id = a.base_phase_id and p.variant = a.variant
        and p.school_code = a.school_code and p.stage = 'primary'
    left join temp.projection_students j
        on j.district_code = a.district_code and j.phase_id = a.base_phase_id and j.variant = a.variant
        and j.school_code = a.school_code and j.stage = 'junior'
    where not exists (
        from temp.projection_students g
        where g.is_gone and g.district_code = a.district_code and g.phase_id = a.base_phase_id
            and g.variant = a.variant and g.school_code = a.school_code
    )
"""


# The classes of a grade share its forecast pupils; the classes of a merging school move to the school that takes it in.
_CLASSES = """
    select a.* exclude (to_code) replace (
        if(g.students is null, a.students, g.students // count(*) over grade
            + if(row_number() over (grade order by a.class_no) <= g.students % count(*) over grade, 1, 0))::bigint as students
    )
    from (
        select a.* replace (
                coalesce(m.to_school_code, a.school_code) as school_code,
                if(m.to_school_code is null, a.class_no, a.school_code || '-' || a.class_no) as class_no
            ), m.to_school_code as to_code
        from own a
        left join temp.projection_merger m
            on m.district_code = a.district_code and m.phase_id = a.base_phase_id and m.variant = a.variant
            and m.school_code = a.school_code
    ) a
    left join temp.projection_grade g
        on g.district_code = a.district_code and g.phase_id = a.base_phase_id and g.variant = a.variant
        and g.school_code = a.school_code and g.stage = a.stage and g.grade = a.grade
    window grade as (partition by a.district_code, a.phase_id, a.school_code, a.stage, a.grade)
"""


def _with_additions(con: duckdb.DuckDBPyConnection, dataset: str) -> str:
    """SELECT of a dataset's rows with the additions by measures; a figure that was not reported stays unknown."""
    types = describe(con, f"accepted.{dataset}")
    found = con.execute(
        "select distinct column_name from temp.projection_figure where dataset = ? order by 1", [dataset]
    ).fetchall()
    if not found:
        return "from own"
    sums = ", ".join(f"sum(added) filter (column_name = '{c}') as \"{c}\"" for (c,) in found)
    picked = ", ".join(f'(a."{c}" + coalesce(f."{c}", 0))::{types[c]} as "{c}"' for (c,) in found)
    return f"""
        select a.* replace ({picked})
        from own a
        left join (
            select district_code, phase_id, variant, school_code, stage, {sums}
            from temp.projection_figure where dataset = '{dataset}' group by all
        ) f
            on f.district_code = a.district_code and f.phase_id = a.base_phase_id and f.variant = a.variant
            and f.school_code = a.school_code {"and f.stage = a.stage" if "stage" in types else ""}
    """
