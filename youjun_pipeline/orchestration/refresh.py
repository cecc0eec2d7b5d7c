"""The resource every asset works through: settings, the one connection of the run, and the run's scope."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field, PrivateAttr

from youjun_pipeline.ingest.districts import Scan, scan
from youjun_pipeline.ingest.store import Delivered, Ingested, ensure_raw, ingest, register
from youjun_pipeline.reports.data_docs import Outcome
from youjun_pipeline.reports.folder import Refreshed, refresh_folder
from youjun_pipeline.settings import Settings
from youjun_pipeline.site import SiteResult, build_site
from youjun_pipeline.warehouse.catalogues import load_standard
from youjun_pipeline.warehouse.checks import run_checks
from youjun_pipeline.warehouse.connection import WarehouseBusyError, connect
from youjun_pipeline.warehouse.manifest import Publication
from youjun_pipeline.warehouse.models import Built, Model, build
from youjun_pipeline.warehouse.projection import build_projection
from youjun_pipeline.warehouse.publication import PublicationBusyError, publish, recover_history
from youjun_pipeline.warehouse.rule_impact import build_rule_impact
from youjun_pipeline.warehouse.run import RunScope, begin_run, refuse_earlier
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline.warehouse.tables import ensure_tables

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("youjun")
SECONDS_BETWEEN_TRIES = 60


class EmptyRangeError(ValueError):
    """A range of phases without a key: nothing would be made and the run would look as if it had ended well."""


class Refresh(dg.ConfigurableResource):
    """One refresh of the warehouse. Run config may narrow it to some districts or look back from another day."""

    districts: list[str] = Field(default_factory=list)
    as_of: str = ""
    busy_retries: int = Field(
        default=0, description="工作库或发布库被占用时，每分钟再试，至多这么多次；人工运行时不等"
    )

    _stack: ExitStack = PrivateAttr(default_factory=ExitStack)
    _con: duckdb.DuckDBPyConnection | None = PrivateAttr(default=None)
    _scope: RunScope | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Refresh]:
        """Close the working database when the run's steps in this process are over."""
        with self._stack:
            yield self

    @cached_property
    def settings(self) -> Settings:
        """Settings from the environment, read when a run needs them and not when definitions load."""
        return Settings.from_environment()

    @property
    def as_of_date(self) -> date:
        return date.fromisoformat(self.as_of) if self.as_of else self.settings.as_of

    def connection(self) -> duckdb.DuckDBPyConnection:
        """The run's connection to the working database, opened and made ready on first use."""
        if self._con is None:
            with self._retried():
                con = self._stack.enter_context(connect(self.settings.warehouse))
            ensure_tables(con)
            ensure_raw(con)
            load_standard(con)
            recover_history(con, self.settings.published)
            refuse_earlier(con, self.as_of_date)
            self._con = con
        return self._con

    @contextmanager
    def _retried(self) -> Iterator[None]:
        """Have the step tried again for the only faults that pass by themselves: another process has one of the files open."""
        try:
            yield
        except (WarehouseBusyError, PublicationBusyError) as error:
            if not self.busy_retries:
                raise
            raise dg.RetryRequested(self.busy_retries, SECONDS_BETWEEN_TRIES) from error

    def scan(self) -> Scan:
        """What the data folder holds now."""
        return scan(self.settings.data)

    def ingest(self) -> list[Ingested]:
        """Register every delivery and read what is new; the run's scope is laid out afresh after it."""
        con = self.connection()
        delivered: list[Delivered] = register(con, self.scan())
        self._scope = None
        return ingest(con, delivered, log.info)

    def begun(self, context: dg.AssetExecutionContext) -> duckdb.DuckDBPyConnection:
        """The connection with the run's evaluations laid out, for the phases of `context`."""
        if not context.partition_keys:
            raise EmptyRangeError(
                "阶段范围是空的：起点在终点之后，或其间没有阶段 (the range of phases gives no key)"
            )
        con = self.connection()
        scope = RunScope(
            context.run.run_id,
            tuple(context.partition_keys),
            self.as_of_date,
            tuple(self.districts) or None,
            self.settings.stale_days,
        )
        if scope != self._scope:
            begin_run(con, scope)
            self._scope = scope
            made, of = con.execute(
                "select count(*), count(distinct district_code) from run_evaluation"
            ).fetchall()[0]
            log.info("计算 %d 个评估（%d 个区县）", made, of)
        return con

    def build(self, context: dg.AssetExecutionContext, model: Model) -> Built:
        """Fill one model's table for the run's evaluations."""
        log.debug("build %s", model.full_name)
        return build(self.begun(context), model)

    def rule_impact(self, context: dg.AssetExecutionContext) -> int:
        """Compare the run's verdicts with those under the other rules on file; returns how many differ."""
        return build_rule_impact(self.begun(context))

    def projection(self, context: dg.AssetExecutionContext) -> int:
        """Project the run's evaluations to the end of the coming phases; returns the rows."""
        return build_projection(self.begun(context))

    def check(self, context: dg.AssetExecutionContext) -> int:
        """Run all checks on the run's evaluations; returns how many failed."""
        return run_checks(self.begun(context))

    def publish(self, context: dg.AssetExecutionContext) -> Publication:
        """Swap in a new publication."""
        log.info("发布")
        con = self.begun(context)
        with self._retried():
            return publish(con, self.settings.published, context.run.run_id, self.as_of_date)

    def report(self, folder: str) -> Refreshed:
        """Bring a folder of reports up to the publication that stands."""
        from youjun_pipeline.reports.kinds import FOLDERS

        log.info("报表 %s", folder)
        published = self.settings.published
        with connect(published / FILE_NAME, read_only=True) as con:
            return refresh_folder(con, published, folder, FOLDERS[folder])

    def data_docs(self) -> list[Outcome]:
        """Check what is published by the declared expectations and write their documentation."""
        from youjun_pipeline.reports.data_docs import refresh_data_docs

        log.info("数据文档")
        published = self.settings.published
        with connect(published / FILE_NAME, read_only=True) as con:
            return refresh_data_docs(con, published)

    def site(self) -> SiteResult:
        """Bring the pages of the site up to the publication that stands."""
        log.info("网站")
        published = self.settings.published
        with connect(published / FILE_NAME, read_only=True) as con:
            return build_site(con, published)
