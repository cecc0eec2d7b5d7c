"""`mart.projection`: the verdict at the end of each coming phase, as planned, at the present slippage, and signed off only.

What measures change is said by `rule.plan_effect`. Here the inputs they change are changed, in a scenario, and the same
models judge them again. Keep out: what a measure's words mean (that model), other rules (`rule_impact`).
"""

from __future__ import annotations

import duckdb

from youjun_pipeline.warehouse.connection import transaction
from youjun_pipeline.warehouse.models import MODELS
from youjun_pipeline.warehouse.scenario import Variant, scenario
from youjun_pipeline.warehouse.tables import declared_tables

TABLE = "mart.projection"
JUDGED = ("mart.school_indicator", "mart.stage_balance")
READS = (*JUDGED, "mart.district_indicator", "mart.finding", "rule.finding_measure", "rule.plan_effect")
# What projected evaluations are made of, in the order in which they rest on one another.
_PARTS = ("case", "effect", "students", "figure")


def build_projection(con: duckdb.DuckDBPyConnection) -> int:
    """Replace the rows of the run's evaluations; returns how many there are now.

    Evaluations that no quantified measure changes are not judged again: today's judgement stands for them.
    """
    for part in _PARTS:
        con.execute(f"create or replace temp table projection_{part} as {_sql(f'projection_{part}')}")
    variants = con.execute("select distinct variant from temp.projection_effect order by 1").fetchall()
    columns = ", ".join(f'"{c}"' for c in declared_tables()[TABLE].columns if c != "run_id")
    with (
        scenario(con, [Variant(name) for (name,) in variants], tables=JUDGED, prepare=_change_inputs),
        transaction(con),
    ):
        con.execute(
            f"delete from {TABLE} t using run_evaluation e "
            "where t.district_code = e.district_code and t.phase_id = e.phase_id"
        )
        con.execute(
            f"insert into {TABLE} ({columns}, run_id) "
            f"select {columns}, e.run_id from (\n{_sql('projection')}\n) join run_evaluation e using (district_code, phase_id)"
        )
    for part in _PARTS:
        con.execute(f"drop table temp.projection_{part}")
    return con.execute(
        f"select count(*) from {TABLE} semi join run_evaluation using (district_code, phase_id)"
    ).fetchall()[0][0]


def _sql(name: str) -> str:
    return (MODELS / "scenario" / f"{name}.sql").read_text(encoding="utf-8")


def _change_inputs(con: duckdb.DuckDBPyConnection) -> None:
    """Give each evaluation its own copy of the files that its measures change; drop those where nothing acts."""
    con.execute("""
        delete from main.evaluation v
        where not exists (
            from temp.projection_effect f
            where f.district_code = v.district_code and f.phase_id = v.base_phase_id and f.variant = v.variant
        )
    """)
    con.execute("""
        delete from temp.run_evaluation e
        where not exists (
            from main.evaluation v where v.district_code = e.district_code and v.phase_id = e.phase_id
        )
    """)
    _replace_file(con, "schools", _SCHOOLS)
    for dataset in ("facilities", "teachers"):
        _replace_file(con, dataset, _with_additions(con, dataset))


# A school that teaches a stage only after the change had no pupils of it; one whose pupils become unknown keeps none.
_SCHOOLS = """
    select a.* replace (
        if(p.school_code is null, a.primary_students, p.students) as primary_students,
        if(j.school_code is null, a.junior_students, j.students) as junior_students
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


def _with_additions(con: duckdb.DuckDBPyConnection, dataset: str) -> str:
    """SELECT of a dataset's rows with what measures add; a figure that was not reported stays unknown."""
    changed = con.execute(
        "select distinct column_name from temp.projection_figure where dataset = ? order by 1", [dataset]
    ).fetchall()
    types = {name: type_ for name, type_, *_ in con.execute(f"describe accepted.{dataset}").fetchall()}
    sums = ", ".join(f"sum(added) filter (column_name = '{c}') as {c}" for (c,) in changed)
    picked = ", ".join(f"(a.{c} + coalesce(f.{c}, 0))::{types[c]} as {c}" for (c,) in changed)
    if not changed:
        return "select * from own a where false"
    stage = "and f.stage = a.stage" if "stage" in types else ""
    return f"""
        select a.* replace ({picked})
        from own a
        left join (
            select district_code, phase_id, variant, school_code, stage, {sums}
            from temp.projection_figure where dataset = '{dataset}' group by all
        ) f
            on f.district_code = a.district_code and f.phase_id = a.base_phase_id and f.variant = a.variant
            and f.school_code = a.school_code {stage}
    """


def _replace_file(con: duckdb.DuckDBPyConnection, dataset: str, select: str) -> None:
    """Let evaluations read `select` (from `own`: the rows of their file, with the evaluation's keys) for the dataset."""
    con.execute(f"""
        create table main.own_{dataset} as
        with own as (
            select a.* replace (f.content_sha256 || '@' || v.phase_id as content_sha256), v.district_code, v.phase_id,
                v.base_phase_id, v.variant
            from main.evaluation v
            join temp.run_chosen_file f using (district_code, phase_id)
            join accepted.{dataset} a using (content_sha256)
            where f.dataset = '{dataset}'
        )
        select * exclude (district_code, phase_id, base_phase_id, variant) from ({select})
    """)
    con.execute(f"alter view accepted.{dataset} rename to delivered_{dataset}")
    con.execute(f"""
        create view accepted.{dataset} as
        from accepted.delivered_{dataset} union all by name from main.own_{dataset}
    """)
    con.execute(f"""
        update temp.run_chosen_file set content_sha256 = content_sha256 || '@' || phase_id
        where dataset = '{dataset}' and content_sha256 || '@' || phase_id in (
            select content_sha256 from main.own_{dataset}
        )
    """)
