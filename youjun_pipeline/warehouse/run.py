"""A run's scope: which evaluations it makes, and the temporary tables that list them.

`run_request`, `run_option`, `run_chosen_file`, `run_failure` and `run_evaluation` exist only in the connection; every model reads
its evaluations from `run_evaluation`. Keep out: building models (`models`) and judging rows (the SQL).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from youjun_pipeline.settings import DEFAULT_STALE_DAYS, day_in_china
from youjun_pipeline.vocabulary import SOME_FLOOR, macros
from youjun_pipeline.warehouse.models import MODELS

RUN_TABLES = ("request", "option", "chosen_file", "failure", "evaluation")


class AsOfInFutureError(ValueError):
    """The as-of date is after today: a later night could not undo what such a run closes and publishes."""


class UnknownScopeError(ValueError):
    """A run asks for unknown districts or phases; the message lists both sides."""


class EmptyRangeError(ValueError):
    """A range of phases without a phase: the run would make nothing and still seem to have succeeded."""


class AsOfWentBackError(ValueError):
    """The as-of date is earlier than the last publication's; turning the clock back must not rewrite history."""


@dataclass(frozen=True)
class RunScope:
    """The scope of a run: `phases` by id, `districts` by code (None: all), with the knowledge of the day `as_of`.

    A district without a delivery for `stale_days` counts as silent.
    """

    run_id: str
    phases: tuple[str, ...]
    as_of: date
    districts: tuple[str, ...] | None = None
    stale_days: int = DEFAULT_STALE_DAYS


def begin_run(con: duckdb.DuckDBPyConnection, scope: RunScope) -> None:
    """Create the run's temporary tables and variables in `con`; a second call starts again from the present raw tables."""
    con.execute((MODELS / "run" / "macros.sql").read_text(encoding="utf-8"))
    con.execute(macros())
    con.execute("set variable floor_word = $1", [floor_word(con)])
    con.execute("set variable run_id = $1", [scope.run_id])
    con.execute("set variable as_of = $1::date", [scope.as_of])
    con.execute("set variable stale_days = $1::integer", [scope.stale_days])
    con.execute("set variable phases = $1::varchar[]", [list(scope.phases)])
    con.execute(
        "set variable districts = $1::varchar[]", [list(scope.districts) if scope.districts else None]
    )
    con.execute(
        "set variable started_at = $1::timestamp", [datetime.now(UTC).replace(tzinfo=None, microsecond=0)]
    )
    for name in RUN_TABLES:
        con.execute(f"create or replace temp table run_{name} as {run_sql(name)}")
    con.execute(
        # also districts without an evaluation to make: their phases are closed, have not begun, or cannot be read
        "create or replace temp table run_district as select district_code from raw.district "
        "where getvariable('districts') is null or list_contains(getvariable('districts'), district_code)"
    )


def district_slices(con: duckdb.DuckDBPyConnection, evaluations: int) -> list[list[str]]:
    """The codes of the run's districts, in groups of about so many evaluations; a district is never divided."""
    found = con.execute(
        "select list(district_code order by district_code) from ("
        "select district_code, (sum(count(*)) over (order by district_code) - 1) // $1 as slice "
        "from temp.run_evaluation group by district_code) group by slice order by slice",
        [evaluations],
    ).fetchall()
    return [codes for (codes,) in found]


@contextmanager
def narrowed_to(con: duckdb.DuckDBPyConnection, districts: list[str]) -> Iterator[None]:
    """The run makes the evaluations of `districts` alone within the block, and all of its own again after it."""
    narrowed = ("run_evaluation", "run_district")
    for name in narrowed:
        con.execute(f"create or replace temp table whole_{name} as from temp.{name}")
    try:
        for name in narrowed:
            con.execute(
                f"create or replace temp table {name} as from temp.whole_{name} where list_contains($1, district_code)",
                [districts],
            )
        yield
    finally:
        for name in narrowed:
            con.execute(f"create or replace temp table {name} as from temp.whole_{name}")
            con.execute(f"drop table temp.whole_{name}")


def phases_in_order(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Ids of every phase that the districts' files have, by first start, then id."""
    found = con.execute(
        "select phase_id from raw.phase group by all order by min(starts), phase_id"
    ).fetchall()
    return tuple(phase for (phase,) in found)


def floor_word(con: duckdb.DuckDBPyConnection) -> str:
    """The floor of the standards on file as people read it, such as 85%; a general word if the standards differ."""
    found = con.execute(
        "select distinct value from standard.parameter where parameter = 'floor_share'"
    ).fetchall()
    return f"{float(found[0][0]) * 100:g}%" if len(found) == 1 else SOME_FLOOR


def run_sql(name: str) -> str:
    """The SELECT behind one of the run's temporary tables."""
    return Path(MODELS / "run" / f"{name}.sql").read_text(encoding="utf-8")


def refuse_unknown(what: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    """Raise UnknownScopeError if something in `wanted` is not in `known`; `what` names the kind in Chinese."""
    known = list(known)
    if unknown := sorted(set(wanted) - set(known)):
        raise UnknownScopeError(f"没有这些{what}：{'、'.join(unknown)}；现有：{'、'.join(known) or '无'}")


def refuse_future(as_of: date) -> None:
    """Raise AsOfInFutureError if `as_of` is after today in China."""
    today = day_in_china(datetime.now(UTC))
    if as_of > today:
        raise AsOfInFutureError(
            f"截止日期 {as_of} 在今天（{today}）之后：以它发布以后，每夜的刷新都会因截止日期倒退而被拒绝。"
            "确要如此，请加 --force（Dagster 中为 allow_future: true）"
        )


def refuse_earlier(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Raise AsOfWentBackError if the last publication has a later as-of date than `as_of`."""
    last = con.execute("select max(as_of) from ops.publication").fetchall()[0][0]
    if last is not None and as_of < last:
        raise AsOfWentBackError(
            f"截止日期不能倒退：上次发布的截止日期是 {last}，本次是 {as_of}。"
            f"请改用不早于 {last} 的日期 (YOUJUN_AS_OF)；若上次的日期有误，用 youjun rollback 退回；"
            "或另设工作库 (YOUJUN_WAREHOUSE) 和发布目录 (YOUJUN_PUBLISHED)"
        )
