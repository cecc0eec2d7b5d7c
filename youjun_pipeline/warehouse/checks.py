"""Checks on the evaluations of a run: which check failed, how often, and why in words, for `quality.check_result`.

A check is a SELECT in `models/check/<name>.sql` that returns one row per fault (district_code, phase_id, offender). Its head
comment gives the Chinese title, and as `dataset:` and `severity:` the subject and the consequence. A blocking check keeps the
evaluation out of the publication. Keep out: contracts of single rows (`ingest.validate`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.models import MODELS
from youjun_pipeline.warehouse.tables import EVALUATION_KEY, Table, declared_tables, sql_text

SHOWN_OFFENDERS = 20


@dataclass(frozen=True)
class Check:
    """One check: its name, Chinese title, dataset, severity (blocking, warning, notice) and SELECT."""

    name: str
    title: str
    dataset: str
    severity: str
    sql: str


@cache
def load_checks() -> tuple[Check, ...]:
    """The checks on file, and two checks for every declared per-evaluation table: unique keys, and a single run."""
    checks = []
    for path in sorted((MODELS / "check").glob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        head = [line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--")]
        notes = dict(line.split(": ", 1) for line in head if line.startswith(("dataset: ", "severity: ")))
        checks.append(Check(path.stem, head[0], notes["dataset"], notes["severity"], sql))
    marts = [t for t in declared_tables().values() if t.schema == "mart" and t.is_per_evaluation]
    checks += [_unique_keys(table) for table in marts]
    checks.append(_one_run(marts))
    return tuple(checks)


def _unique_keys(table: Table) -> Check:
    key = ", ".join(f'"{c}"' for c in table.key)
    sql = f"""
        select district_code, phase_id, concat_ws(' ', {key}) as offender
        from {table.full_name} semi join run_evaluation using (district_code, phase_id)
        group by {key} having count(*) > 1
    """
    return Check(
        f"{table.name}_keys_are_unique", f"{table.full_name} 主键不重复", table.full_name, "blocking", sql
    )


def _one_run(marts: list[Table]) -> Check:
    rows = " union all ".join(
        f"select distinct district_code, phase_id, run_id, '{t.full_name}' as name from {t.full_name}"
        " semi join run_evaluation using (district_code, phase_id)"
        for t in marts
    )
    sql = f"""
        select district_code, phase_id, string_agg(distinct place, '；' order by place) as offender
        from (select *, run_id || '：' || name as place from ({rows}))
        group by district_code, phase_id having count(distinct run_id) > 1
    """
    return Check("evaluation_has_one_run", "一次评估的各表出自同一次运行", "mart", "blocking", sql)


def run_checks(con: duckdb.DuckDBPyConnection) -> int:
    """Replace the check results of the run's districts and record which evaluations pass the gate; returns the number of
    failures.

    Besides the checks on file this records, for each evaluation, what kept it out (`run_failure`), the contract rules broken by
    the files in use, the rejected cells and rows, and the notices of the reader.
    """
    makes_any = bool(con.execute("from run_evaluation limit 1").fetchall())
    selects = [_check_sql(check) for check in load_checks()] if makes_any else []
    selects += [(MODELS / "quality" / "check" / f"{n}.sql").read_text(encoding="utf-8") for n in _DERIVED]
    columns = "district_code, phase_id, check_name, dataset, severity, passed, failed_rows, message"
    with transaction(con):
        con.execute(
            "delete from quality.check_result c using run_request r "
            "where c.district_code = r.district_code and c.phase_id = r.phase_id"
        )
        # for faults of a whole district, or of the data folder
        con.execute(
            "delete from quality.check_result where phase_id is null and check_name <> 'folder_is_present'"
            " and (district_code is null or district_code in (from run_district))"
        )
        _record_gone(con, columns)
        for select in selects:
            con.execute(
                f"insert into quality.check_result ({columns}, run_id, checked_at) "
                f"select {columns}, getvariable('run_id'), getvariable('started_at') from (\n{select}\n)"
            )
        con.execute(
            "delete from ops.passed_evaluation p using run_request r "
            "where p.district_code = r.district_code and p.phase_id = r.phase_id"
            " and exists (from run_evaluation e where e.district_code = r.district_code and e.phase_id = r.phase_id)"
        )
        con.execute(_PASSED)
    return con.execute(
        "select count(*) from quality.check_result where not passed and run_id = getvariable('run_id')"
    ).fetchall()[0][0]


def _record_gone(con: duckdb.DuckDBPyConnection, columns: str) -> None:
    """Warn of removed districts and phases, once: the warning stays unchanged until they are back."""
    con.execute(
        "delete from quality.check_result c where check_name = 'folder_is_present' and exists ("
        "from raw.phase p where p.district_code = c.district_code and p.phase_id = coalesce(c.phase_id, p.phase_id))"
    )
    gone = (MODELS / "quality" / "check" / "gone.sql").read_text(encoding="utf-8")
    con.execute(
        f"insert into quality.check_result ({columns}, run_id, checked_at) "
        f"select {columns}, getvariable('run_id'), getvariable('started_at') from (\n{gone}\n) g where not exists ("
        "from quality.check_result c where c.check_name = g.check_name and c.district_code = g.district_code"
        " and c.phase_id is not distinct from g.phase_id)"
    )


# The gate's decision: a publication takes an evaluation's rows only while they still come from the run that passed.
_PASSED = """
    insert into ops.passed_evaluation by name
    select district_code, phase_id, run_id from run_evaluation
    anti join (select district_code, phase_id from quality.check_result where severity = 'blocking' and not passed)
        using (district_code, phase_id)
"""


_DERIVED = ("failure", "contract_rule", "rejected", "missing", "notice", "delivery", "unused")


def _check_sql(check: Check) -> str:
    keys = ", ".join(EVALUATION_KEY)
    return f"""
        select e.district_code, e.phase_id, {sql_text(check.name)} as check_name, {sql_text(check.dataset)} as dataset,
            {sql_text(check.severity)} as severity, coalesce(o.failed_rows, 0) = 0 as passed,
            coalesce(o.failed_rows, 0) as failed_rows,
            {sql_text(check.title)} || coalesce('：不符合的有 ' || o.offenders, '：符合') as message
        from run_evaluation e
        left join (
            select {keys}, count(*) as failed_rows,
                array_to_string(list(offender order by offender)[1:{SHOWN_OFFENDERS}], '；')
                    || if(count(*) > {SHOWN_OFFENDERS}, '……共 ' || count(*) || ' 处', '') as offenders
            from (\n{check.sql}\n)
            group by {keys}
        ) o using (district_code, phase_id)
    """
