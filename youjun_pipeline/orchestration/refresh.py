"""The resource that every asset uses: the session of the run, opened by the first step that needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property

import dagster as dg
from pydantic import Field, PrivateAttr

from youjun_pipeline.orchestration.abandoned import note_process
from youjun_pipeline.orchestration.instance import connections_kept
from youjun_pipeline.session import Session, open_session
from youjun_pipeline.settings import AS_OF, SHARD, Settings
from youjun_pipeline.warehouse.connection import WarehouseBusyError
from youjun_pipeline.warehouse.manifest import Publication
from youjun_pipeline.warehouse.publication import PublicationBusyError

SECONDS_BETWEEN_TRIES = 60
# For runs not started at a terminal: another refresh will release the working database, so they wait for it up to half an hour.
BUSY_RETRIES = 30


@contextmanager
def retried(times: int) -> Iterator[None]:
    """Retry the step for the only faults that pass by themselves: another process has one of the files open."""
    try:
        yield
    except (WarehouseBusyError, PublicationBusyError) as error:
        if not times:
            raise
        raise dg.RetryRequested(times, SECONDS_BETWEEN_TRIES) from error


class Refresh(dg.ConfigurableResource):
    """One refresh of the warehouse. Run config may narrow it to some districts or look back from another day."""

    districts: list[str] = Field(default_factory=list, description="只算这些区县代码；不填为全部")
    as_of: str = Field(default="", description="截止日期，如 2024-06-30；不填为 YOUJUN_AS_OF 或今天")
    shard: str = Field(default="", description="只算一份区县，如 3/16；不填为 YOUJUN_SHARD 或全部")
    allow_future: bool = Field(default=False, description="允许截止日期在今天之后")
    verify: bool = Field(default=False, description="大小和时间没有变化的文件也重新核对内容")
    busy_retries: int = Field(
        default=BUSY_RETRIES, description="工作库或发布库被占用时，每分钟再试，至多这么多次"
    )

    _stack: ExitStack = PrivateAttr(default_factory=ExitStack)
    _is_tagged: bool = PrivateAttr(default=False)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Refresh]:
        """Close the working database when the run's steps in this process are over."""
        with self._stack:
            if context.instance is not None:
                self._stack.enter_context(connections_kept(context.instance))
                if context.run is not None:
                    note_process(context.instance, context.run.run_id)
            yield self

    @cached_property
    def settings(self) -> Settings:
        """Settings from the environment, read when a run needs them and not when definitions are loaded."""
        given = {AS_OF: self.as_of, SHARD: self.shard}
        return Settings.from_environment(os.environ | {name: text for name, text in given.items() if text})

    @cached_property
    def session(self) -> Session:
        """The run's session, opened on first use."""
        with retried(self.busy_retries):
            return self._stack.enter_context(open_session(self.settings, allow_future=self.allow_future))

    def begin(self, context: dg.AssetExecutionContext) -> Session:
        """The session with the run's evaluations laid out, for the phases of `context`."""
        phases = tuple(context.partition_keys)
        self.session.begin(context.run.run_id, phases, tuple(self.districts))
        if not self._is_tagged:
            tags = {
                "youjun/phases": "、".join(phases),
                "youjun/districts": "、".join(self.districts) or "全部",
            }
            context.instance.add_run_tags(context.run.run_id, tags)
            self._is_tagged = True
        return self.session

    def publish(self, context: dg.AssetExecutionContext) -> Publication:
        """Swap in a new publication."""
        session = self.begin(context)
        with retried(self.busy_retries):
            return session.publish()
