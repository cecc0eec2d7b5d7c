"""Assets that a run computes: the delivered datasets, one asset per model with the dependencies named in its SQL, the gate.

Keep out: the graph's keys, edges and groups (`lineage`), the asset checks (`checks`), what is published (`published`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the functions that it calls.
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.store import Ingested
from youjun_pipeline.orchestration.checks import CHECK_RESULT, contract_checks, contract_results
from youjun_pipeline.orchestration.failures import reason_first
from youjun_pipeline.orchestration.lineage import (
    OWNERS,
    REGISTERED,
    asset_key,
    dataset_spec,
    model_spec,
    table_metadata,
    upstream,
)
from youjun_pipeline.orchestration.partitions import ONE_RUN, PHASES
from youjun_pipeline.orchestration.refresh import Refresh
from youjun_pipeline.orchestration.shown import by_phase, show_rows
from youjun_pipeline.session import SCENARIOS, Session
from youjun_pipeline.warehouse.checks import load_checks
from youjun_pipeline.warehouse.models import load_models, tables_read
from youjun_pipeline.warehouse.tables import declared_tables

# The state of the districts' files, and the accepted and rejected rows of the files in use, by dataset.
_DELIVERED = """
    select f.dataset, count(distinct f.content_sha256), sum(c.rows_accepted)::bigint, sum(c.rows_rejected)::bigint,
        md5(string_agg(distinct f.content_sha256, ',' order by f.content_sha256))
    from raw.delivered_file f join raw.content c using (content_sha256, dataset)
    group by f.dataset
"""


@dg.multi_asset(
    name="deliveries",
    specs=[*(dataset_spec(d) for d in load_datasets().values()), *REGISTERED],
    check_specs=contract_checks(),
    can_subset=True,
)
@reason_first
def deliveries(context: dg.AssetExecutionContext, refresh: Refresh) -> Iterator[Any]:
    """Register what the data folder holds and read what is new; all of it, whichever of the assets are selected."""
    session = refresh.session
    lines = {line.dataset: line for line in session.ingest(verify=refresh.verify)}
    known = {name: rest for name, *rest in session.con.execute(_DELIVERED).fetchall()}
    # Dagster wants dependencies first: assets registered besides the datasets come before the datasets.
    for key in sorted(context.selected_asset_keys, key=lambda k: (k.path[-1] in lines, k)):
        name = key.path[-1]
        if name in lines:
            yield _delivered(key, lines[name], known.get(name))
        else:
            yield dg.MaterializeResult(asset_key=key)
    # The checks are about the files in use in all phases. The next step lays out the phases that it needs.
    session.begin(context.run.run_id)
    yield from contract_results(session.con, sorted(context.selected_asset_check_keys))


def _delivered(key: dg.AssetKey, line: Ingested, known: list[Any] | None) -> dg.MaterializeResult:
    files, accepted, rejected, content = known or (0, 0, 0, "")
    return dg.MaterializeResult(
        asset_key=key,
        # equal files give an equal version, even if they were read again
        data_version=dg.DataVersion(content or "none"),
        metadata={
            "dagster/row_count": accepted,
            "files": files,
            "rows_rejected": rejected,
            "new_files": line.files,
            "new_rows": line.rows_read,
        },
    )


# One step for all models, as in dbt projects: a step costs Dagster 45 ms before it does anything, a table 20 ms
# (docs/decisions/0012). Each model can still be selected alone.
@dg.multi_asset(
    name="models",
    specs=[model_spec(model) for model in load_models().values()],
    partitions_def=PHASES,
    backfill_policy=ONE_RUN,
    can_subset=True,
)
@reason_first
def models(context: dg.AssetExecutionContext, refresh: Refresh) -> Iterator[dg.MaterializeResult]:
    """Fill the selected tables for the run's evaluations, each after those it reads."""
    session = refresh.begin(context)
    for name in load_models():
        if asset_key(name) in context.selected_asset_keys:
            _build(context, session, name)
            yield dg.MaterializeResult(asset_key=asset_key(name))


def _build(context: dg.AssetExecutionContext, session: Session, full_name: str) -> None:
    started = time.perf_counter()
    built = session.build_table(full_name)
    show_rows(context, session.con, full_name, built, time.perf_counter() - started)


def computed(
    key: dg.AssetKey, deps: Iterable[Any], description: str, **options: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of an asset that a run computes for a range of phases: the options that all such assets share."""
    return dg.asset(
        key=key,
        deps=list(deps),
        description=description,
        partitions_def=PHASES,
        backfill_policy=ONE_RUN,
        owners=OWNERS,
        **{"group_name": "publication"} | options,
    )


def computed_table(full_name: str, deps: Iterable[Any], group: str, **options: Any) -> Any:
    """Decorator of the asset of a declared table that is not filled by a single SELECT."""
    return computed(
        asset_key(full_name),
        deps,
        declared_tables()[full_name].comment,
        group_name=group,
        kinds={"duckdb", "sql"},
        metadata=table_metadata(full_name),
        **options,
    )


def scenario_asset(full_name: str, reads: Sequence[str]) -> dg.AssetsDefinition:
    """The asset of a table that is judged in a scenario of its own, after all models."""

    @computed_table(full_name, upstream(reads), "planning" if full_name.startswith("plan.") else "scenarios")
    @reason_first
    def judge(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult:
        _build(context, refresh.begin(context), full_name)
        return dg.MaterializeResult()

    return judge


SCENARIO_ASSETS = [scenario_asset(name, step.reads) for name, step in SCENARIOS.items()]
_JUDGED = sorted({table for check in load_checks() for table in tables_read(check.sql)})


@computed_table("quality.check_result", upstream(_JUDGED), "gate")
@reason_first
def check_result(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult:
    """Check every evaluation of the run; a blocking failure keeps its evaluation out of the publication."""
    session = refresh.begin(context)
    failed = session.check()
    counts = {
        "dagster/partition_row_count": "count(*)",
        "failed_checks": "count(*) filter (not passed)",
    }
    found = {
        label: by_phase(session.con, f"select phase_id, {count} from quality.check_result")
        for label, count in counts.items()
    }
    for phase in context.partition_keys:
        shown = {label: numbers.get(phase, 0) for label, numbers in found.items()}
        context.add_asset_metadata(shown, CHECK_RESULT, phase)
    return dg.MaterializeResult(metadata={"failed_checks_of_the_run": failed})


COMPUTED = [deliveries, models, *SCENARIO_ASSETS, check_result]
