"""The Dagster instance that records a run: for `make run` the instance of DAGSTER_HOME, or a temporary one in memory.

Belongs here: answering the instance's questions if the answer is known, and keeping its connections open (docs/decisions/0012 has
the figures). Both replace a method of the one instance object, because Dagster creates its instances itself. test_definitions.py
notices when a new Dagster no longer calls these methods. Keep out: which run is made (`execute`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from youjun_pipeline.orchestration.open_phases import register_when_safe
from youjun_pipeline.orchestration.partitions import PHASES

if TYPE_CHECKING:
    from dagster._core.storage.event_log import SqliteEventLogStorage
    from sqlalchemy import Connection


@contextmanager
def instance_for(phases: Sequence[str]) -> Iterator[dg.DagsterInstance]:
    """The instance, with `phases` as its phase partitions, in that order."""
    kept = bool(os.environ.get("DAGSTER_HOME"))
    with (
        dg.DagsterInstance.get() if kept else dg.DagsterInstance.ephemeral() as instance,
        connections_kept(instance),
    ):
        # Not while a run of the daemon relies on the registered phases; this run gets its phases from the next line in any case.
        register_when_safe(instance, list(phases))
        _answer_phases(instance, list(phases))
        if not kept:
            _know_nothing_before(instance)
        yield instance


def _answer_phases(instance: dg.DagsterInstance, phases: list[str]) -> None:
    """Answer the question which phases exist: they do not change during the run, and Dagster asks ten times per asset."""
    ask, ask_one = instance.get_dynamic_partitions, instance.has_dynamic_partition

    def get_dynamic_partitions(partitions_def_name: str) -> Sequence[str]:
        return list(phases) if partitions_def_name == PHASES.name else ask(partitions_def_name)

    def has_dynamic_partition(partitions_def_name: str, partition_key: str) -> bool:
        if partitions_def_name == PHASES.name:
            return partition_key in phases
        return ask_one(partitions_def_name, partition_key)

    _replace(instance, get_dynamic_partitions)
    _replace(instance, has_dynamic_partition)


def _know_nothing_before(instance: dg.DagsterInstance) -> None:
    """Let a new instance in memory answer at once that it has no records of assets.

    For each asset Dagster looks up the data versions of all that the asset reads, and notes them with the materialisation, so
    that the UI can show what is stale. Nobody sees an instance in memory, and the lookup is a third of the run's cost besides its
    SQL.
    """

    def get_asset_records(asset_keys: Sequence[dg.AssetKey] | None = None) -> Sequence[object]:
        return []

    _replace(instance, get_asset_records)


@contextmanager
def connections_kept(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep one connection open for each SQLite file of the event log, until the block ends.

    Dagster opens and closes the file for every event, and a run of two districts has more than two thousand events. Each time the
    statements are compiled again, and closing writes the journal back. The connection does not wait for the disk after each
    event: a machine that goes down may lose the last events of its run, but never earlier ones.
    """
    from dagster._core.storage.event_log import SqliteEventLogStorage

    storage = instance.event_log_storage
    # In a run of `make run` the connections are kept already; its resources ask for them a second time.
    if not isinstance(storage, SqliteEventLogStorage) or "_connect" in vars(storage):
        yield
        return
    connect_once, kept = storage._connect, dict[str, "Connection"]()
    with ExitStack() as stack:

        @contextmanager
        def _connect(shard: str) -> Iterator[Connection]:
            if shard not in kept:
                # This creates the tables of a new file.
                with connect_once(shard):
                    pass
                kept[shard] = stack.enter_context(_open(storage, shard))
            with storage._db_lock, kept[shard].begin():
                yield kept[shard]

        _replace(storage, _connect)
        try:
            yield
        finally:
            # The kept connections close now; no later question may use them.
            del storage._connect


@contextmanager
def _open(storage: SqliteEventLogStorage, shard: str) -> Iterator[Connection]:
    """A connection to one file of the event log; the storage's lock keeps threads apart."""
    import sqlalchemy as sa
    from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

    engine = sa.create_engine(
        storage.conn_string_for_shard(shard),
        poolclass=sa.NullPool,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma synchronous = normal")
        connection.rollback()
        yield connection
    engine.dispose()


def _replace(owner: object, method: object) -> None:
    name = method.__name__  # type: ignore[attr-defined]
    if not callable(getattr(owner, name)):
        raise TypeError(f"{type(owner).__name__}.{name} is not a method any more")
    setattr(owner, name, method)
