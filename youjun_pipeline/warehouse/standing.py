"""Finds evaluations that stand: a run would make them again from exactly the same inputs.

An evaluation's inputs are the program (SQL, catalogues, code), its district's file, the last day that it looks at, every delivery
up to that day, and the inputs of the earlier phases that it reads. Keep out: what happens to an evaluation that does not stand
(`models`, `checks`, `publication`), and reading of files (there content hashes decide, in `ingest`).

The as-of date counts only through `effective_on`: no model of an evaluation reads it, except for the column `as_of` of
`mart.evaluation`, which is updated here. So a phase that has ended still stands on any later day, and a phase that is under way
is made again each day.

A published, open evaluation that does not stand is stale (`is_stale`): a whole run would publish something else. This is so for
districts that a run leaves out, and for evaluations that the gate keeps out. The next run that includes the district makes them
again, whichever phases it names (`models/run/request.sql`).
"""

from __future__ import annotations

import hashlib
from functools import cache

import duckdb

from youjun_pipeline.settings import PACKAGE
from youjun_pipeline.sql import transaction
from youjun_pipeline.standard import CATALOGUE_TABLES
from youjun_pipeline.warehouse.models import load_models

# All files that decide what the same deliveries lead to. Contracts and readers are part of a content's reader version.
_PROGRAM = (
    "sql.py",
    "models/**/*.sql",
    "models/**/*.toml",
    "vocabulary/**/*",
    "standard/**/*",
    "warehouse/*.py",
)
_RUN_TABLES = ("request", "option", "chosen_file", "failure", "evaluation")


def ensure_standing(con: duckdb.DuckDBPyConnection) -> None:
    """Create the table of what stands: one row per evaluation, and a row without phase for the tables made per district."""
    con.execute(
        "create table if not exists raw.standing "
        "(district_code varchar, phase_id varchar, run_id varchar, inputs varchar, history varchar)"
    )


@cache
def program_hash() -> str:
    """Changes with the SQL, the catalogues and the code that fill the tables, and with DuckDB."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(p for pattern in _PROGRAM for p in PACKAGE.glob(pattern) if p.is_file()):
        if path.suffix in (".py", ".sql", ".toml"):
            digest.update(f"{path.relative_to(PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def find_inputs(con: duckdb.DuckDBPyConnection) -> None:
    """`run_inputs`: the inputs of every existing evaluation; for a run that is open for all districts and phases."""
    program = [_program(con)]
    _inputs_of_districts(con)
    con.execute("create or replace temp table run_inputs as " + _INPUTS, program)
    con.execute("create or replace temp table run_district_inputs as " + _DISTRICT_INPUTS, program)


def leave_out_standing(con: duckdb.DuckDBPyConnection) -> int:
    """Remove what stands from the tables of an open run (`run.begin_run`); returns how many evaluations were removed.

    Call `find_inputs` first. The remaining evaluations no longer count as standing until `record_standing`, so that a run after a
    crash makes them again.
    """
    con.execute(f"create or replace temp table run_standing as {_STANDING} and exists ({_IS_ASKED})")
    with transaction(con):
        for name in _RUN_TABLES:
            if name != "failure":
                con.execute(
                    f"delete from temp.run_{name} r using run_standing s "
                    "where r.district_code = s.district_code and r.phase_id = s.phase_id"
                )
        con.execute(
            "delete from temp.run_district d using raw.standing s, run_district_inputs i "
            "where s.district_code = d.district_code and s.phase_id is null "
            "and i.district_code = d.district_code and i.inputs = s.inputs "
            "and d.district_code not in (select district_code from run_request)"
        )
        con.execute(
            "delete from raw.standing s where exists (from run_evaluation e "
            "where e.district_code = s.district_code and e.phase_id = s.phase_id) "
            "or s.phase_id is null and s.district_code in (from run_district)"
        )
    return con.execute("select count(*) from run_standing").fetchall()[0][0]


def mark_stale(con: duckdb.DuckDBPyConnection) -> None:
    """Mark in `mart.evaluation` which evaluations are stale, and set the as-of day of those that are not.

    Call `find_inputs` first. A closed evaluation keeps its values and is not stale.
    """
    with transaction(con):
        con.execute(_MARK)


def record_standing(con: duckdb.DuckDBPyConnection) -> None:
    """Record the inputs of the run's evaluations that passed the gate, and of its districts' own tables.

    Only for a run that filled every table: after a partial run the tables may be in two different states.
    """
    with transaction(con):
        con.execute(
            "insert into raw.standing by name select i.*, p.run_id from run_inputs i "
            "semi join run_evaluation using (district_code, phase_id) "
            "join ops.passed_evaluation p using (district_code, phase_id) where p.run_id = getvariable('run_id')"
        )
        con.execute(
            "insert into raw.standing by name select district_code, inputs, getvariable('run_id') as run_id "
            "from run_district_inputs semi join run_district using (district_code)"
        )


def _program(con: duckdb.DuckDBPyConnection) -> str:
    """The program of this process, and the warehouse's tables of the standard and the contracts."""
    digest = hashlib.sha256(program_hash().encode())
    for name, model in load_models().items():
        digest.update(f"{name}\0{model.sql}\0".encode())
    for table in (*(f"standard.{name}" for name in CATALOGUE_TABLES), "raw.dataset", "raw.plausible_range"):
        digest.update(repr(con.execute(f"from {table} order by all").fetchall()).encode())
    return digest.hexdigest()


def _inputs_of_districts(con: duckdb.DuckDBPyConnection) -> None:
    """`run_told`: every row of raw about a district, as text, with its delivery, if it has one.

    All tables of raw about districts count, also those added by a later version: making too much costs time, making too little
    would be wrong.
    """
    columns: dict[str, set[str]] = {}
    for table, column in con.execute(
        "select table_name, column_name from duckdb_columns() where database_name = current_database() and schema_name = 'raw'"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    selects = []
    for table, names in sorted(columns.items()):
        if "district_code" in names and table != "standing":
            day = "delivery" if "delivery" in names else "null::date"
            content = "content_sha256, dataset" if {"content_sha256", "dataset"} <= names else "null, null"
            selects.append(
                f"select district_code, '{table}', {day}, {content}, t::varchar from raw.{table} t"
            )
    con.execute(
        f"""
        create or replace temp table run_told as
        select t.district_code, t.what, t.delivery, concat_ws(chr(31), t.what, t.r, c.reader_version, c.failure_rule) as r
        from ({" union all ".join(selects)}) t (district_code, what, delivery, content_sha256, dataset, r)
        left join raw.content c using (content_sha256, dataset)
        """
    )


# $1: the program. `history` has the inputs of every earlier phase: those that this run would use, or those that stand.
_INPUTS = """
    with own as (
        select r.district_code, r.phase_id, r.phase_order,
            sha256(concat_ws(chr(29), $1, r.effective_on, string_agg(t.r, chr(30) order by t.r))) as inputs
        from run_evaluation r
        join run_told t on t.district_code = r.district_code and coalesce(t.delivery <= r.effective_on, true)
        -- told to the district, and no input of its figures
        where t.what not in ('district_notice', 'district_failure')
        group by r.district_code, r.phase_id, r.phase_order, r.effective_on
    ), known as (
        select p.district_code, p.phase_id, p.phase_order, coalesce(o.inputs, s.inputs, e.run_id) as inputs
        from raw.phase p
        left join own o using (district_code, phase_id)
        left join raw.standing s on s.district_code = p.district_code and s.phase_id = p.phase_id
        left join ops.passed_evaluation e on e.district_code = p.district_code and e.phase_id = p.phase_id
    )
    select o.district_code, o.phase_id, o.inputs, coalesce(
        sha256(string_agg(k.phase_id || k.inputs, chr(30) order by k.phase_order, k.phase_id)), ''
    ) as history
    from own o
    left join known k on k.district_code = o.district_code and k.phase_order < o.phase_order
    group by o.district_code, o.phase_id, o.inputs
"""
# A check on a whole district also covers future deliveries and deliveries after a closing.
_DISTRICT_INPUTS = """
    select d.district_code, sha256(concat_ws(
        chr(29), $1, string_agg(t.r, chr(30) order by t.r), count(*) filter (t.delivery > getvariable('as_of')),
        any_value(p.begun), any_value(p.closed)
    )) as inputs
    from raw.district d
    left join run_told t using (district_code)
    left join (
        select p.district_code, count(*) filter (p.starts <= getvariable('as_of')) as begun,
            string_agg(c.phase_id, chr(30) order by c.phase_id) as closed
        from raw.phase p
        left join ops.phase_closure c
            on c.district_code = p.district_code and c.phase_id = p.phase_id and c.reopened_at is null
        group by p.district_code
    ) p using (district_code)
    group by d.district_code
"""
# An evaluation that a check or a fault of its files kept out is tried again even if its inputs are unchanged. So is a reopened
# evaluation, because its restatement must be recorded.
_STANDING = """
    select i.district_code, i.phase_id
    from run_inputs i
    join raw.standing s
        on s.district_code = i.district_code and s.phase_id = i.phase_id and s.inputs = i.inputs and s.history = i.history
    semi join ops.passed_evaluation p
        on p.district_code = i.district_code and p.phase_id = i.phase_id and p.run_id = s.run_id
    where not exists (
        from quality.check_result c
        where c.district_code = i.district_code and c.severity = 'blocking' and not c.passed
            and (c.phase_id = i.phase_id or c.phase_id is null)
    ) and not exists (
        from ops.phase_closure c
        where c.district_code = i.district_code and c.phase_id = i.phase_id
            and c.reopened_at is not null and c.restated_at is null
    ) and exists (
        from mart.evaluation e where e.district_code = i.district_code and e.phase_id = i.phase_id and e.run_id = s.run_id
    )
"""
_IS_ASKED = "from run_evaluation e where e.district_code = i.district_code and e.phase_id = i.phase_id"
_MARK = f"""
    update mart.evaluation e
    set is_stale = not m.stands, as_of = if(m.stands, getvariable('as_of'), e.as_of)
    from (
        select e.district_code, e.phase_id, s.phase_id is not null as stands
        from mart.evaluation e
        left join ({_STANDING}) s using (district_code, phase_id)
        where not e.is_closed
    ) m
    where m.district_code = e.district_code and m.phase_id = e.phase_id
"""
