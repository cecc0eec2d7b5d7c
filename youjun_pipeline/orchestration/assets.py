"""Assets: the raw datasets, one asset per model with the dependencies its SQL names, the checks,
the publication, the reports beside it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from youjun_pipeline import session
from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.orchestration.partitions import ONE_RUN, PHASES
from youjun_pipeline.orchestration.refresh import Refresh
from youjun_pipeline.reports.data_docs import Outcome, load_batches
from youjun_pipeline.reports.kinds import FOLDERS
from youjun_pipeline.session import SCENARIOS
from youjun_pipeline.warehouse.checks import load_checks
from youjun_pipeline.warehouse.models import Model, behind, load_models
from youjun_pipeline.warehouse.tables import Table, declared_tables

OWNERS = ["team:district-data"]
GROUP_TITLES = {
    "raw": "delivered",
    "core": "core",
    "rule": "rules",
    "mart": "mart",
    "quality": "quality",
    "ops": "operations",
}


def raw_key(dataset: str) -> dg.AssetKey:
    """The asset of a delivered dataset."""
    return dg.AssetKey(["raw", dataset])


@dg.multi_asset(
    name="deliveries",
    specs=[
        dg.AssetSpec(
            raw_key(d.name),
            description=f"{d.title}：全部交付文件中读入的行",
            group_name="delivered",
            kinds={"pandas", "pandera", "duckdb"},
            owners=OWNERS,
            metadata={
                "dagster/column_schema": dg.TableSchema(
                    [
                        dg.TableColumn(c.name, c.duckdb_type, description=c.description)
                        for c in d.columns.values()
                    ]
                )
            },
        )
        for d in load_datasets().values()
    ],
    check_specs=[
        dg.AssetCheckSpec("contract", asset=raw_key(d.name), description="新读入的内容符合数据约定")
        for d in load_datasets().values()
    ],
)
def deliveries(refresh: Refresh) -> Iterator[dg.MaterializeResult]:
    """Register what the data folder holds and read what is new."""
    for result in refresh.session().ingest():
        yield dg.MaterializeResult(
            asset_key=raw_key(result.dataset),
            metadata={
                "new_files": result.files,
                "rows_read": result.rows_read,
                "rows_accepted": result.rows_accepted,
                "rows_rejected": result.rows_rejected,
            },
            check_results=[
                dg.AssetCheckResult(
                    asset_key=raw_key(result.dataset),
                    check_name="contract",
                    passed=not result.failures and not result.rows_rejected,
                    severity=dg.AssetCheckSeverity.ERROR if result.failures else dg.AssetCheckSeverity.WARN,
                    metadata={"unusable_files": result.failures, "rows_rejected": result.rows_rejected},
                )
            ],
        )


def model_key(model: Model) -> dg.AssetKey:
    """The asset of the table a model fills."""
    return dg.AssetKey([model.schema, model.name])


def model_spec(model: Model) -> dg.AssetSpec:
    """What Dagster shows of the table one model fills; its dependencies are those of the SQL."""
    declared = declared_tables().get(model.full_name)
    return dg.AssetSpec(
        model_key(model),
        deps=sorted(upstream_keys(model)),
        group_name=GROUP_TITLES[model.schema],
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        description=declared.comment if declared else model.description,
        metadata=declared_schema(declared) if declared else None,
    )


def declared_schema(table: Table) -> dict[str, dg.TableSchema]:
    """Columns, types and Chinese comments of a declared table."""
    columns = [dg.TableColumn(name, type_, description=text) for name, (type_, text) in table.columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns)}


def upstream_keys(model: Model) -> set[dg.AssetKey]:
    """Assets of the tables the model reads: other models, and for delivered rows the dataset they came in."""
    keys = set()
    for name in model.reads:
        schema, table = name.split(".")
        if name in load_models() and name != model.full_name:
            keys.add(dg.AssetKey([schema, table]))
        elif schema in ("raw", "accepted"):
            keys |= {raw_key(table)} if table in load_datasets() else {raw_key(d) for d in load_datasets()}
    return keys or {raw_key(d) for d in load_datasets()}


# One step for all of them, as dbt projects have it: a step costs Dagster 45 ms before it does anything, a table 20
# (docs/decisions/0012). Any of them can still be selected alone.
@dg.multi_asset(
    name="models",
    specs=[model_spec(model) for model in load_models().values()],
    partitions_def=PHASES,
    backfill_policy=ONE_RUN,
    can_subset=True,
)
def models(context: dg.AssetExecutionContext, refresh: Refresh) -> Iterator[dg.MaterializeResult]:
    """Fill the selected tables for the run's evaluations, each after those it reads."""
    for model in load_models().values():
        if model_key(model) in context.selected_asset_keys:
            built = refresh.begun(context).build_table(model.full_name)
            metadata: dict[str, Any] = {"dagster/row_count": built.rows}
            if model.full_name not in declared_tables():
                columns = [dg.TableColumn(name, type_) for name, type_ in built.columns.items()]
                metadata["dagster/column_schema"] = dg.TableSchema(columns)
            yield dg.MaterializeResult(asset_key=model_key(model), metadata=metadata)


def computed(
    key: Sequence[str], deps: Iterable[Any], description: str, **options: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of an asset that a run makes for a range of phases: what all of these have in common."""
    return dg.asset(
        key=dg.AssetKey(key),
        deps=list(deps),
        description=description,
        partitions_def=PHASES,
        backfill_policy=ONE_RUN,
        owners=OWNERS,
        **{"group_name": "publication"} | options,
    )


def computed_table(full_name: str, deps: Iterable[Any], **options: Any) -> Any:
    """Decorator of the asset of a declared table that no single SELECT fills."""
    table = declared_tables()[full_name]
    return computed(
        [table.schema, table.name],
        deps,
        table.comment,
        group_name=GROUP_TITLES[table.schema],
        kinds={"duckdb", "sql"},
        metadata=declared_schema(table),
        **options,
    )


def scenario_asset(full_name: str, reads: Iterable[str]) -> dg.AssetsDefinition:
    """The asset of a table that is judged in a scenario of its own, after all models."""

    @computed_table(full_name, [model_key(model) for model in behind(reads)])
    def judge(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult:
        return dg.MaterializeResult(
            metadata={"dagster/row_count": refresh.begun(context).build_table(full_name).rows}
        )

    return judge


SCENARIO_ASSETS = [scenario_asset(name, step.reads) for name, step in SCENARIOS.items()]


@computed_table(
    "quality.check_result",
    [*(model_key(model) for model in load_models().values()), *SCENARIO_ASSETS],
    check_specs=[
        dg.AssetCheckSpec(c.name, asset=dg.AssetKey(["quality", "check_result"]), description=c.title)
        for c in load_checks()
        if c.severity != "blocking" or not c.name.endswith("_keys_are_unique")
    ],
)
def check_result(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult:
    """Check every evaluation of the run; a blocking failure keeps its evaluation out of the publication."""
    begun = refresh.begun(context)
    failed = begun.check()
    rows = dict(
        begun.con.execute(
            "select check_name, sum(failed_rows) from quality.check_result "
            "where run_id = getvariable('run_id') and not passed group by check_name"
        ).fetchall()
    )
    return dg.MaterializeResult(
        metadata={"failed_checks": failed},
        check_results=[
            dg.AssetCheckResult(
                check_name=spec.name,
                passed=not rows.get(spec.name),
                severity=dg.AssetCheckSeverity.ERROR
                if spec.severity == "blocking"
                else dg.AssetCheckSeverity.WARN,
                metadata={"failed_rows": int(rows.get(spec.name) or 0)},
            )
            for spec in load_checks()
            if spec.severity != "blocking" or not spec.name.endswith("_keys_are_unique")
        ],
    )


@computed(
    ["publication", "youjun"],
    [check_result],
    "发布库 youjun.duckdb 及其 Parquet 副本：过闸后整体替换",
    kinds={"duckdb", "parquet"},
)
def publication(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult:
    """Publish what passed the gate."""
    result = refresh.publish(context)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(result.path)),
            "dagster/row_count": result.rows,
            "content_sha256": result.content_sha256,
        }
    )


def report_asset(folder: str) -> dg.AssetsDefinition:
    """The asset of one folder of reports beside the publication."""
    titles = "、".join(report.title for report in FOLDERS[folder])

    @computed(["reports", folder], [publication], f"每个区县每个阶段：{titles}", kinds={"excel"})
    def write_reports(refresh: Refresh) -> dg.MaterializeResult:
        result = session.report(refresh.settings.published, folder)
        return dg.MaterializeResult(metadata={"files_written": result.written, "files_kept": result.kept})

    return write_reports


REPORT_ASSETS = [report_asset(folder) for folder in FOLDERS]


@computed(
    ["reports", "data_docs"],
    [publication],
    "数据文档：对发布的各表逐批检验，并写出 Data Docs",
    kinds={"greatexpectations"},
    check_specs=[
        dg.AssetCheckSpec(batch.name, asset=dg.AssetKey(["reports", "data_docs"]), description=batch.title)
        for batch in load_batches()
    ],
)
def data_docs(refresh: Refresh) -> dg.MaterializeResult:
    """Watch the published tables as a whole; what fails is shown and keeps nothing back, the gate has spoken already."""
    outcomes = session.data_docs(refresh.settings.published)
    # A first publication has none before it: what compares with it has nothing to say, and Dagster wants every check.
    silent = [
        Outcome(b.name, b.title, 0, 0) for b in load_batches() if b.name not in {o.name for o in outcomes}
    ]
    return dg.MaterializeResult(
        metadata={"batches": len(outcomes), "not_met": sum(len(o.failures) for o in outcomes)},
        check_results=[
            dg.AssetCheckResult(
                check_name=o.name,
                passed=o.passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rows": o.rows, "expectations": o.checked, "failures": list(o.failures)},
            )
            for o in (*outcomes, *silent)
        ],
    )


# Its pages link to the reports that are there. Not to wait for data_docs: a fault there is no reason for an old site.
@computed(
    ["reports", "site"],
    [publication, *REPORT_ASSETS],
    "网站：作战图、指标、学校和区县比较的静态网页",
    kinds={"html"},
)
def site(refresh: Refresh) -> dg.MaterializeResult:
    """Rewrite the pages of the districts that changed."""
    result = session.site(refresh.settings.published)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(result.path)),
            "pages_written": result.pages,
            "districts_written": result.districts_built,
            "districts_kept": result.districts_kept,
        }
    )


ASSETS = [
    deliveries,
    models,
    *SCENARIO_ASSETS,
    check_result,
    publication,
    *REPORT_ASSETS,
    data_docs,
    site,
]
