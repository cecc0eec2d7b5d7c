"""The refresh without Dagster: open, ingest, begin, build, check, publish, report, in this order.

    with open_session(Settings.from_environment()) as session:
        session.ingest()
        session.begin("by-hand")
        session.build()
        session.check()
        session.publish()
        session.report()

Belongs here: the order, and what each step needs from the one before. Keep out: the work itself (`ingest`, `warehouse`,
`reports`, `site`), and when a refresh runs, is retried or is told of (`orchestration`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.ingest.districts import District, Scan, scan
from youjun_pipeline.ingest.seen import register
from youjun_pipeline.ingest.store import Ingested, ensure_raw, ingest
from youjun_pipeline.planning import steps as planning
from youjun_pipeline.settings import Lake, Settings
from youjun_pipeline.warehouse import projection, rule_impact
from youjun_pipeline.warehouse.catalogues import load_standard
from youjun_pipeline.warehouse.checks import run_checks
from youjun_pipeline.warehouse.connection import IN_MEMORY, connect
from youjun_pipeline.warehouse.csv_copies import FOLDER as CSV_FOLDER
from youjun_pipeline.warehouse.csv_copies import write_csv
from youjun_pipeline.warehouse.manifest import Publication, folder_run
from youjun_pipeline.warehouse.models import Built, build, load_models
from youjun_pipeline.warehouse.publication import PublishedInPartError, publish, recover_history
from youjun_pipeline.warehouse.published import open_publication
from youjun_pipeline.warehouse.run import (
    EmptyRangeError,
    RunScope,
    begin_run,
    phases_in_order,
    refuse_earlier,
    refuse_future,
    refuse_unknown,
)
from youjun_pipeline.warehouse.standing import (
    ensure_standing,
    find_inputs,
    leave_out_standing,
    mark_stale,
    record_standing,
)
from youjun_pipeline.warehouse.tables import ensure_tables

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.reports.data_docs import Outcome
    from youjun_pipeline.reports.folder import Refreshed
    from youjun_pipeline.site import SiteResult

log = logging.getLogger("youjun")


@dataclass(frozen=True)
class Scenario:
    """A table that no single SELECT fills: who fills it for the run, and the tables that it rests on."""

    build: Callable[[duckdb.DuckDBPyConnection], int]
    reads: tuple[str, ...]


# Each is judged in a scenario of its own, after all models.
SCENARIOS = {
    rule_impact.TABLE: Scenario(rule_impact.build_rule_impact, rule_impact.READS),
    planning.FORECAST_TABLE: Scenario(planning.build_forecast, planning.READS),
    projection.TABLE: Scenario(projection.build_projection, projection.READS),
    planning.SCENARIO_TABLE: Scenario(planning.build_scenarios, planning.READS),
    planning.PROPOSAL_TABLE: Scenario(planning.build_proposals, planning.PROPOSAL_READS),
}


class Session:
    """The working database of one refresh, open and ready; `open_session` makes one."""

    def __init__(self, con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self.con = con
        self.settings = settings
        self._scope: RunScope | None = None
        self._built: set[str] = set()

    def ingest(self, found: Scan | None = None, *, verify: bool = False) -> list[Ingested]:
        """Register every delivery (of `found`, or of the data folder) and read what is new; a run begun before is over.

        With `verify` files are hashed again whose size, times and inode are as they were.
        """
        self._scope = None
        if found is None:
            found = scan(self.settings.data)
        if shard := self.settings.shard:
            # A notice about no district is given once, by the first shard.
            found = Scan(
                [d for d in found.districts if shard.takes(d.code)],
                [
                    n
                    for n in found.notices
                    if (shard.takes(n.district_code) if n.district_code else shard.number == 1)
                ],
            )
        return ingest(self.con, register(self.con, found, verify=verify), log.info)

    def begin(
        self, run_id: str, phases: tuple[str, ...] | None = None, districts: tuple[str, ...] | None = None
    ) -> int:
        """Lay out the evaluations of a run and return how many they are; for a run that has begun, nothing changes.

        Args:
            run_id: names the run in every row that it makes.
            phases: ids of phases; all that the districts' files have when not given.
            districts: district codes; all when not given.

        Raises:
            EmptyRangeError: `phases` are given and none.
            UnknownScopeError: a district that nobody delivers, or phases none of which any district has.
        """
        if phases is not None and not phases:
            raise EmptyRangeError(
                "阶段范围是空的：起点在终点之后，或其间没有阶段 (the range of phases gives no key)"
            )
        known = phases_in_order(self.con)
        refuse_unknown("区县", districts or (), self._district_codes())
        # One phase of a range may have left the files since it was asked for; the others are computed all the same.
        # A share of the districts may have no district in that phase.
        if phases and known and not self.settings.shard and not set(phases) & set(known):
            refuse_unknown("阶段", phases, known)
        scope = RunScope(
            run_id,
            phases or known,
            self.settings.as_of,
            districts or None,
            self.settings.stale_days,
        )
        found = "select count(*), count(distinct district_code) from run_evaluation"
        if scope != self._scope:
            self._find_inputs(run_id)
            begin_run(self.con, scope)
            self.con.execute("set variable data_folder = $1::varchar", [str(self.settings.data)])
            standing = leave_out_standing(self.con)
            self._scope, self._built = scope, set()
            log.info(
                "计算 %d 个评估（%d 个区县）；没有变化的 %d 个不再计算",
                *self.con.execute(found).fetchall()[0],
                standing,
            )
        evaluations: int = self.con.execute(found).fetchall()[0][0]
        return evaluations

    def _find_inputs(self, run_id: str) -> None:
        """What every evaluation rests on, of all districts and phases: what a run does not take may be stale."""
        settings = self.settings
        begin_run(
            self.con,
            RunScope(run_id, phases_in_order(self.con), settings.as_of, stale_days=settings.stale_days),
        )
        find_inputs(self.con)

    def _district_codes(self) -> list[str]:
        """Codes of the districts in the data folder, also of those whose district.toml cannot be read."""
        found = self.con.execute(
            "select district_code from raw.district union select district_code from raw.district_failure "
            "where district_code is not null order by 1"
        )
        return [code for (code,) in found.fetchall()]

    def build(self) -> dict[str, Built]:
        """Fill every table of the run, each after those it reads; returns what was made by the table's full name."""
        return {name: self.build_table(name) for name in (*load_models(), *SCENARIOS)}

    def build_table(self, full_name: str) -> Built:
        """Fill one table of the run; those it reads must have been filled before."""
        if full_name in SCENARIOS:
            idle = not self.con.execute("from run_evaluation limit 1").fetchall()
            built = Built(0 if idle else SCENARIOS[full_name].build(self.con), {})
        else:
            built = build(self.con, load_models()[full_name])
        self._built.add(full_name)
        return built

    def check(self) -> int:
        """Run all checks on the run's evaluations; returns how many failed."""
        failed = run_checks(self.con)
        if self._built >= load_models().keys() | SCENARIOS.keys():
            record_standing(self.con)
        return failed

    def publish(self, run_id: str | None = None) -> Publication:
        """Swap in a new publication of what passed the checks; `run_id` where no run has begun.

        A run without an evaluation may take away what is gone, or register files. If it has not even done that, what
        stands stays, and so does the one before it, to which one can roll back.
        """
        nothing_made = False
        if run_id is None:
            if self._scope is None:
                raise ValueError("no run has begun: begin one, or name the run that publishes")
            run_id = self._scope.run_id
            nothing_made = not self.con.execute("select 1 from run_evaluation limit 1").fetchall()
        else:
            self._scope = None
            self._find_inputs(run_id)
        mark_stale(self.con)
        settings = self.settings
        log.info("发布")
        made = publish(self.con, settings.published, run_id, settings.as_of, unless_same=nothing_made)
        if settings.csv and folder_run(settings.published, CSV_FOLDER) != made.run_id:
            write_csv(settings.published)
        if settings.lake:
            bring_to_lake(settings)
        return made

    def report(self) -> None:
        """Bring every folder of the publication up to it."""
        report_all(self.settings.published, self.settings.data, self.settings.lake_to_read)


def bring_to_lake(settings: Settings) -> None:
    """Bring the lake of the settings up to the published file; raises PublishedInPartError where it cannot be."""
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.lake_publication import push

    if settings.lake is None:
        raise ValueError("the settings name no lake")
    try:
        pushed = push(settings.published, settings.lake, settings.shard, settings.as_of)
    except LakeError as error:
        raise PublishedInPartError(f"发布库已更新，数据湖没有：排除原因后请再运行一次：{error}") from error
    log.info(
        "数据湖：%s替换 %d 个评估；%s",
        f"第 {settings.shard} 份，" if settings.shard else "",
        pushed.evaluations,
        f"已发布 {pushed.published}" if pushed.published else "没有新的发布",
    )


@contextmanager
def open_session(settings: Settings, *, allow_future: bool = False) -> Iterator[Session]:
    """Open the working database and make it ready for a run; it is closed whatever happens.

    Raises:
        AsOfInFutureError: the as-of date is after today, and `allow_future` does not say that this is meant.
        WarehouseBusyError: another refresh has it open.
        DatabaseDamagedError: it is no whole database.
        AsOfWentBackError: the last publication knew of a later day than the settings' as-of date.
    """
    if not allow_future:
        refuse_future(settings.as_of)
    if settings.lake and settings.shard:
        from youjun_pipeline.warehouse.lake_file import ready_share

        ready_share(settings.lake, settings.shard, settings.warehouse, settings.published)
    with connect(settings.warehouse) as con:
        if settings.memory:
            con.execute("set memory_limit = $1", [settings.memory])
        _lay_out(con)
        recover_history(con, settings.published)
        refuse_earlier(con, settings.as_of)
        yield Session(con, settings)


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A working database that leaves no trace, for who only wants to know what a refresh would say."""
    with connect(IN_MEMORY) as con:
        _lay_out(con)
        yield con


def _lay_out(con: duckdb.DuckDBPyConnection) -> None:
    """Every table that a refresh fills, and the standard's numbers."""
    ensure_tables(con)
    ensure_raw(con)
    ensure_standing(con)
    load_standard(con)


@contextmanager
def evaluated_in_memory(
    settings: Settings, district: District, phase: str
) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """One phase of one district computed in a database that leaves no trace; None where there is nothing to evaluate.

    The models' tables alone: scenarios, forecasts and plans of a refresh are left to who asks for them.
    """
    with in_memory() as con:
        session = Session(con, settings)
        session.ingest(Scan([district], []))
        if not session.begin("in-memory", phases=(phase,)):
            yield None
            return
        for name in load_models():
            session.build_table(name)
        yield con


def report(published: Path, folder: str, data: Path | None = None, lake: Lake | None = None) -> Refreshed:
    """Bring a folder of reports (`reports.kinds.FOLDERS`) in `published` up to the publication that stands, there or in `lake`.

    Districts' own texts are looked for in their folders in `data`.
    """
    from youjun_pipeline.reports.folder import refresh_folder
    from youjun_pipeline.reports.kinds import FOLDERS

    log.info("报表 %s", folder)
    with open_publication(published, lake) as con:
        return refresh_folder(con, published, folder, FOLDERS[folder], data)


def site(published: Path, lake: Lake | None = None) -> SiteResult:
    """Bring the pages of the site up to the publication that stands."""
    from youjun_pipeline.site import build_site

    log.info("网站")
    with open_publication(published, lake) as con:
        return build_site(con, published)


def data_docs(published: Path, lake: Lake | None = None) -> list[Outcome]:
    """Check what is published by the declared expectations and write their documentation."""
    from youjun_pipeline.reports.data_docs import refresh_data_docs

    log.info("数据文档")
    with open_publication(published, lake) as con:
        return refresh_data_docs(con, published)


def report_all(published: Path, data: Path | None = None, lake: Lake | None = None) -> None:
    """Every folder in `published`, the site last: its pages link to the reports that are there."""
    from youjun_pipeline.reports.kinds import FOLDERS

    for folder in FOLDERS:
        report(published, folder, data, lake)
    data_docs(published, lake)
    site(published, lake)
