"""The partition of every computed asset: the phase, found in the districts' files, in order of time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from youjun_pipeline.ingest.districts import District

PHASES = dg.DynamicPartitionsDefinition(name="phase")
# One run takes a contiguous range of phases and computes them in one statement per table.
ONE_RUN = dg.BackfillPolicy.single_run()
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def phase_ids(districts: Iterable[District]) -> list[str]:
    """Ids of all phases by first start, then id: the order in which ranges of phases run."""
    starts: dict[str, date] = {}
    for district in districts:
        for phase in district.phases:
            starts[phase.id] = min(starts.get(phase.id, phase.starts), phase.starts)
    return sorted(starts, key=lambda phase: (starts[phase], phase))


def register_phases(instance: dg.DagsterInstance, phases: list[str]) -> None:
    """Make the instance's phase partitions exactly `phases`, in this order: ranges go by the order of registration."""
    existing = list(instance.get_dynamic_partitions("phase"))
    kept = 0
    while kept < min(len(existing), len(phases)) and existing[kept] == phases[kept]:
        kept += 1
    # Partitions after the first difference are registered again; Dagster keeps the history of runs by key, not by order.
    for phase in existing[kept:]:
        instance.delete_dynamic_partition("phase", phase)
    if phases[kept:]:
        instance.add_dynamic_partitions("phase", phases[kept:])


def range_tags(phases: list[str]) -> dict[str, str]:
    """Run tags for the contiguous range that `phases` spans."""
    return {RANGE_START: phases[0], RANGE_END: phases[-1]}
