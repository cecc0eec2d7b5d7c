"""Closing phases: a closed phase keeps its published rows until it is reopened on purpose; then the changes are recorded.

Belongs here: `ops.phase_closure` and `ops.restatement`. Keep out: which evaluations a run makes (models/run/request.sql leaves
out closed ones) and the swap of the file (`publication`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.tables import Table, declared_tables, sql_text

# These columns (who made a row and when, and the phase's own state) are not facts about schools.
NOT_RESTATED = ("run_id", "evaluated_at", "is_closed", "is_stale", "as_of")
# Both rows are written just before the publication that shows them, with the publication's time.
_CLOSED_UNSEEN = "closed_by = 'after_days' and closed_at not in (select published_at from ops.publication)"
_RESTATED_UNSEEN = "restated_at is not null and restated_at not in (select published_at from ops.publication)"


class ClosingError(ValueError):
    """A phase that cannot be closed or reopened; the message gives the reason and the possible phases."""


def close_phase(con: duckdb.DuckDBPyConnection, district: str, phase: str) -> None:
    """Close an evaluation by command; raises ClosingError if it has no passed result yet, is stale, or is closed already."""
    _require(con, district, phase)
    if _is_closed(con, district, phase):
        raise ClosingError(f"{district} 的阶段 {phase} 已经关闭")
    passed = con.execute(
        "select 1 from ops.passed_evaluation where district_code = ? and phase_id = ?", [district, phase]
    ).fetchall()
    if not passed:
        raise ClosingError(f"{district} 的阶段 {phase} 还没有通过检查的结果：先运行 make run，再关闭")
    # otherwise files that were delivered in time would be excluded for ever
    stale = "select 1 from mart.evaluation where district_code = ? and phase_id = ? and is_stale"
    if con.execute(stale, [district, phase]).fetchall():
        raise ClosingError(
            f"{district} 的阶段 {phase} 待更新，不是按现有交付重算的结果：先运行 make run，再关闭"
        )
    with transaction(con):
        con.execute(
            "insert into ops.phase_closure by name select ? as district_code, ? as phase_id, "
            "?::timestamp as closed_at, 'command' as closed_by",
            [district, phase, _now()],
        )
        _mark(con)


def reopen_phase(
    con: duckdb.DuckDBPyConnection, district: str, phase: str, reason: str, as_of: date | None = None
) -> None:
    """Reopen a closed evaluation; the next run computes it again, and `ops.restatement` records what changed.

    `close_after_days` are counted again from `as_of`, by default the as-of date of the last publication.
    """
    _require(con, district, phase)
    if not reason.strip():
        raise ClosingError("重新打开阶段须写明原因")
    if not _is_closed(con, district, phase):
        raise ClosingError(f"{district} 的阶段 {phase} 没有关闭，无须重新打开")
    with transaction(con):
        con.execute(
            "update ops.phase_closure c set reopened_at = ?::timestamp, reopen_reason = ?, "
            "reopened_as_of = coalesce(?::date, (select max(as_of) from ops.publication)), "
            # by the run, not by the time: two runs may have ended in the same second
            "reopened_run_id = (select any_value(run_id) from mart.evaluation e "
            "where e.district_code = c.district_code and e.phase_id = c.phase_id) "
            "where district_code = ? and phase_id = ? and reopened_at is null",
            [_now(), reason.strip(), as_of, district, phase],
        )
        _mark(con)


def closed_evaluations(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """District and phase of every closed evaluation, in the working database or in a publication."""
    found = con.execute("select district_code, phase_id from ops.phase_closure where reopened_at is null")
    return {(district, phase) for district, phase in found.fetchall()}


def close_due(con: duckdb.DuckDBPyConnection, as_of: date, at: datetime) -> None:
    """Close evaluations in this publication whose `close_after_days` are over; `publish_source` lists its evaluations.

    A stale evaluation must first be computed again; otherwise files that were delivered in time would be excluded for ever. The
    same holds for a reopened evaluation; its days are counted from the day of the reopening.
    """
    with transaction(con):
        con.execute(
            """
            insert into ops.phase_closure by name
            select e.district_code, e.phase_id, $2::timestamp as closed_at, 'after_days' as closed_by
            from mart.evaluation e
            semi join publish_source s
                on s.district_code = e.district_code and s.phase_id = e.phase_id and s.source = 'working'
            where e.close_after_days is not null and not e.is_closed and not e.is_stale
                and e.as_of >= e.ends and $1::date >= e.ends + e.close_after_days::integer
                and not exists (
                    from ops.phase_closure c
                    where c.district_code = e.district_code and c.phase_id = e.phase_id
                        and (c.reopened_run_id = e.run_id or $1::date < c.reopened_as_of + e.close_after_days::integer)
                )
            """,
            [as_of, at],
        )
        _mark(con)


def forget_unpublished(con: duckdb.DuckDBPyConnection) -> None:
    """Undo what `close_due` and `restate` wrote for a publication that a crash or a fault prevented.

    No reader has seen that publication: the phase is still open, and the changed values are not yet reported.
    `ops.publication` must know the last publication (`publication.remember_previous`).
    """
    with transaction(con):
        con.execute(f"delete from ops.phase_closure where {_CLOSED_UNSEEN}")
        con.execute(f"delete from ops.restatement where {_RESTATED_UNSEEN}")
        con.execute(f"update ops.phase_closure set restated_at = null where {_RESTATED_UNSEEN}")
        _mark(con)


def has_unpublished(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether there may be rows for `forget_unpublished`."""
    found = con.execute(
        f"select 1 from ops.phase_closure where {_CLOSED_UNSEEN} or {_RESTATED_UNSEEN} "
        f"union all select 1 from ops.restatement where {_RESTATED_UNSEEN} limit 1"
    )
    return bool(found.fetchall())


def _mark(con: duckdb.DuckDBPyConnection) -> None:
    """Mark the closed evaluations in `mart.evaluation`."""
    con.execute(
        """
        update mart.evaluation e set is_closed = c.is_closed, is_stale = e.is_stale and not c.is_closed
        from (
            select e.district_code, e.phase_id, c.phase_id is not null as is_closed
            from mart.evaluation e
            left join (select distinct district_code, phase_id from ops.phase_closure where reopened_at is null) c
                using (district_code, phase_id)
        ) c
        where c.district_code = e.district_code and c.phase_id = e.phase_id
        """
    )


def mark_kept(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Mark evaluations that are copied from the previous publication as closed or, if they are not closed, as stale.

    An evaluation that the gate keeps out stays as published, and readers must see that the files now say something else. Only
    `mart.evaluation` has these marks.
    """
    if table.full_name != "mart.evaluation":
        return
    con.execute(
        """
        update publication.mart.evaluation e
        set is_closed = c.phase_id is not null, is_stale = c.phase_id is null
        from publish_source s
        left join (select distinct district_code, phase_id from ops.phase_closure where reopened_at is null) c
            using (district_code, phase_id)
        where s.source = 'previous' and s.district_code = e.district_code and s.phase_id = e.phase_id
        """
    )


def restate(con: duckdb.DuckDBPyConnection, previous: bool, at: datetime) -> None:
    """Record every value of a reopened and recomputed evaluation that differs from the publication attached as `previous`."""
    if not previous:
        return
    con.execute(
        """
        create or replace temp table restated as
        select c.district_code, c.phase_id, c.reopen_reason
        from ops.phase_closure c
        semi join publish_source s
            on s.district_code = c.district_code and s.phase_id = c.phase_id and s.source = 'working'
        join mart.evaluation e on e.district_code = c.district_code and e.phase_id = c.phase_id
        where c.reopened_at is not null and c.restated_at is null and e.run_id is distinct from c.reopened_run_id
        """
    )
    if not con.execute("select count(*) from restated").fetchall()[0][0]:
        return
    with transaction(con):
        for table in declared_tables().values():
            if table.schema == "mart" and table.is_per_evaluation:
                con.execute(_restatement_sql(con, table), [at])
        con.execute(
            "update ops.phase_closure c set restated_at = $1::timestamp from restated r "
            "where c.district_code = r.district_code and c.phase_id = r.phase_id "
            "and c.reopened_at is not null and c.restated_at is null",
            [at],
        )


def _restatement_sql(con: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Old against new, cell by cell: rows on both sides become (key, column, value) and are joined."""
    known = con.execute(
        "select column_name from duckdb_columns() where database_name = 'previous' and schema_name = ? and table_name = ?",
        [table.schema, table.name],
    ).fetchall()
    columns = [c for c in table.columns if (c,) in known and c not in NOT_RESTATED]
    values = [c for c in columns if c not in table.key]
    rest = [f'"{c}"' for c in table.key if c not in ("district_code", "phase_id")]
    key = f"concat_ws(' ', {', '.join(rest)})" if rest else "''"
    # an empty column name means that the whole row appears or disappears
    cells = ", ".join(
        ["{'c': '', 'v': '有'}", *(f"{{'c': {sql_text(c)}, 'v': \"{c}\"::varchar}}" for c in values)]
    )

    def side(name: str) -> str:
        return (
            f"select district_code, phase_id, {key} as k, unnest([{cells}], recursive := true) "
            f"from {name} semi join restated using (district_code, phase_id)"
        )

    return f"""
        insert into ops.restatement by name
        select district_code, phase_id, '{table.full_name}' as table_name, k as key, nullif(c, '') as column_name,
            o.v as old_value, n.v as new_value, r.reopen_reason as reason, $1::timestamp as restated_at
        from ({side("previous." + table.full_name)}) o
        full join ({side(table.full_name)}) n using (district_code, phase_id, k, c)
        join restated r using (district_code, phase_id)
        where o.v is distinct from n.v
    """


def _require(con: duckdb.DuckDBPyConnection, district: str, phase: str) -> None:
    known = con.execute("select district_code, phase_id from mart.evaluation order by all").fetchall()
    if (district, phase) not in known:
        there = "、".join(f"{d} {p}" for d, p in known) or "无"
        raise ClosingError(f"没有 {district} {phase} 的评估；现有：{there}")


def _is_closed(con: duckdb.DuckDBPyConnection, district: str, phase: str) -> bool:
    found = con.execute(
        "select 1 from ops.phase_closure where district_code = ? and phase_id = ? and reopened_at is null",
        [district, phase],
    )
    return bool(found.fetchall())


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
