"""The Dagster instance that `make run` records its run in: that of DAGSTER_HOME, or one in memory that is gone afterwards.

Belongs here: sparing the instance questions whose answers are known (docs/decisions/0012 has the figures). They are
answered by replacing a method on the one object, since Dagster makes its instances itself; test_definitions.py notices
when a new Dagster no longer asks them. Keep out: which run is made (`execute`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from youjun_pipeline.orchestration.open_phases import register_when_safe
from youjun_pipeline.orchestration.partitions import PHASES


@contextmanager
def instance_for(phases: Sequence[str]) -> Iterator[dg.DagsterInstance]:
    """The instance, with `phases` as its phase partitions, in that order."""
    kept = bool(os.environ.get("DAGSTER_HOME"))
    with dg.DagsterInstance.get() if kept else dg.DagsterInstance.ephemeral() as instance:
        # Not while a run of the daemon relies on what is registered; this one is told by the next line anyway.
        register_when_safe(instance, list(phases))
        _answer_phases(instance, list(phases))
        if not kept:
            _know_nothing_before(instance)
        yield instance


def _answer_phases(instance: dg.DagsterInstance, phases: list[str]) -> None:
    """Answer which phases there are from here: they do not change during the run, and Dagster asks ten times an asset."""
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
    """Let a fresh instance in memory say at once that it has no records of assets.

    Dagster looks up, per asset, the data versions of all it reads and notes them on the materialisation, for the UI to
    say what is stale. Nobody sees an instance in memory, and the lookup is a third of what the run costs over its SQL.
    """

    def get_asset_records(asset_keys: Sequence[dg.AssetKey] | None = None) -> Sequence[object]:
        return []

    _replace(instance, get_asset_records)


def _replace(instance: dg.DagsterInstance, method: object) -> None:
    name = method.__name__  # type: ignore[attr-defined]
    if not callable(getattr(instance, name)):
        raise TypeError(f"{type(instance).__name__}.{name} is no method any more")
    setattr(instance, name, method)
