"""The parts of the asset graph: the key of each table, the edges named by its SQL, its group, its columns and its code.

Keep out: running anything (`assets`), and what a run shows of its rows (`shown`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import dagster as dg

from youjun_pipeline.contracts import Dataset, load_datasets
from youjun_pipeline.ingest.store import reader_version
from youjun_pipeline.warehouse.models import MODELS, Model, load_models, mentions
from youjun_pipeline.warehouse.run import run_sql
from youjun_pipeline.warehouse.tables import declared_tables

OWNERS = ["team:district-data"]
CATALOGUE, CONTRACTS = dg.AssetKey(["standard", "catalogue"]), dg.AssetKey(["standard", "contracts"])
DISTRICTS, FILES = dg.AssetKey(["raw", "district"]), dg.AssetKey(["raw", "delivered_file"])
DATA_FOLDER = dg.AssetKey(["files", "data_folder"])
# Tables without an asset of their own belong to the asset of the districts' files or to that of the contracts.
OF_DISTRICTS = (
    "district",
    "district_option",
    "phase",
    "district_failure",
    "district_notice",
    "planning_file",
)
OF_CONTRACTS = ("dataset", "plausible_range")
# Groups in the order in which rows flow. A table that reads one of a later group begins a second round, so that the groups form
# no circle: `rules` feed `mart`, and some rules read verdicts (`rules_2`).
ROUNDS = ("core", "rule", "mart", "plan", "quality", "ops")
GROUPS = {"rule": "rules", "ops": "operations"}


def asset_key(table: str) -> dg.AssetKey:
    """The asset that holds a table, by the table's full name."""
    schema, name = table.split(".")
    if schema == "standard":
        return CATALOGUE
    if schema not in ("raw", "accepted"):
        return dg.AssetKey([schema, name])
    if name in load_datasets():
        return dg.AssetKey(["raw", name])
    if name in OF_CONTRACTS:
        return CONTRACTS
    return DISTRICTS if name in OF_DISTRICTS else FILES


def upstream(reads: Iterable[str], but: str = "") -> list[dg.AssetKey]:
    """The assets of these tables, without the table `but` itself."""
    return sorted({asset_key(table) for table in reads} - ({asset_key(but)} if but else set()))


def model_reads(model: Model) -> frozenset[str]:
    """Full names of the tables that a model reads, including those that it reads through the tables of the run.

    Every model reads the run's evaluations. That counts as an edge only if the model passes on what the run says of them.
    """
    of_run = {name for name in model.mentions.names if name.startswith("run_") and name != "run_evaluation"}
    if "*" in model.mentions.names or not (model.reads or of_run):
        of_run.add("run_evaluation")
    return model.reads.union(*(_run_reads(name) for name in of_run if _is_run_table(name)))


def _is_run_table(name: str) -> bool:
    return name == "run_district" or (MODELS / "run" / f"{name.removeprefix('run_')}.sql").exists()


@cache
def _run_reads(table: str) -> frozenset[str]:
    """Full names of the tables that a table of the run is made from."""
    if table == "run_district":
        return frozenset({"raw.district"})
    found = mentions(run_sql(table.removeprefix("run_")))
    rest = [
        n for n in found.names if n.startswith("run_") and n not in (table, "run_id") and _is_run_table(n)
    ]
    closures = {
        "ops.phase_closure",
        "ops.publication",
        "mart.evaluation",
    }  # an earlier publication is not an input: otherwise all tables would be in a circle
    return found.tables.union(*(_run_reads(name) for name in rest)) - closures


@cache
def groups() -> dict[str, str]:
    """The group of every model's table by its full name."""
    rounds: dict[str, int] = {}
    for name, model in load_models().items():
        before = [
            (rounds[read], load_models()[read]) for read in model.reads if read in rounds and read != name
        ]
        rounds[name] = max((number + (_place(other) > _place(model)) for number, other in before), default=1)
    return {
        name: GROUPS.get(model.schema, model.schema) + (f"_{rounds[name]}" if rounds[name] > 1 else "")
        for name, model in load_models().items()
    }


def _place(model: Model) -> int:
    return ROUNDS.index(model.schema)


def model_spec(model: Model) -> dg.AssetSpec:
    """What Dagster shows of the table that a model fills; its dependencies are those in the SQL."""
    declared = declared_tables().get(model.full_name)
    return dg.AssetSpec(
        asset_key(model.full_name),
        deps=upstream(model_reads(model), model.full_name),
        group_name=groups()[model.full_name],
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        description=declared.comment if declared else model.description,
        code_version=hashlib.sha256(model.sql.encode()).hexdigest()[:12],
        metadata=table_metadata(model.full_name) | code_reference(f"{model.schema}/{model.name}.sql"),
    )


def table_metadata(full_name: str) -> dict[str, Any]:
    """The table's name, and for a declared table its columns with types and Chinese comments."""
    found: dict[str, Any] = {"dagster/table_name": f"youjun.{full_name}"}
    if declared := declared_tables().get(full_name):
        columns = [
            dg.TableColumn(name, type_, description=text) for name, (type_, text) in declared.columns.items()
        ]
        found["dagster/column_schema"] = dg.TableSchema(columns)
    return found


def code_reference(name: str) -> dict[str, Any]:
    """A link to a file of the package's `models` folder."""
    path = MODELS / name
    reference = dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=f"models/{name}")
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def dataset_spec(dataset: Dataset) -> dg.AssetSpec:
    """What Dagster shows of one delivered dataset."""
    columns = [
        dg.TableColumn(c.name, c.duckdb_type, description=c.description) for c in dataset.columns.values()
    ]
    return dg.AssetSpec(
        dg.AssetKey(["raw", dataset.name]),
        deps=[DATA_FOLDER, CONTRACTS],
        description=f"{dataset.title}：全部交付文件中读入的行",
        group_name="delivered",
        kinds={"pandas", "pandera", "duckdb"},
        owners=OWNERS,
        code_version=reader_version(dataset),
        metadata={
            "dagster/table_name": f"youjun.accepted.{dataset.name}",
            "dagster/column_schema": dg.TableSchema(columns),
        },
    )


def _plain(key: dg.AssetKey, description: str, group: str, deps: Iterable[dg.AssetKey] = ()) -> dg.AssetSpec:
    return dg.AssetSpec(
        key, deps=list(deps), description=description, group_name=group, kinds={"duckdb"}, owners=OWNERS
    )


REGISTERED = [
    _plain(CATALOGUE, "标准目录：指标、限值、学段、放宽条款和参数（standard 各表）", "standard"),
    _plain(CONTRACTS, "数据约定：各数据集及其列的合理范围", "standard"),
    _plain(DISTRICTS, "各区县 district.toml 中的区县、阶段和选项", "delivered", [DATA_FOLDER]),
    _plain(FILES, "交付文件：每份文件的内容、行数、拒收和提示", "delivered", [DATA_FOLDER]),
]
# Tables that runs read and no run makes.
EXTERNAL = [
    dg.AssetSpec(
        DATA_FOLDER,
        description="数据文件夹 YOUJUN_DATA：区县放置 district.toml 和交付文件的地方，不由本流水线写入",
        group_name="files",
        kinds={"file"},
        owners=OWNERS,
    ),
    dg.AssetSpec(
        dg.AssetKey(["ops", "phase_closure"]),
        description=declared_tables()["ops.phase_closure"].comment,
        group_name="closing",
        kinds={"duckdb"},
        owners=OWNERS,
        metadata=table_metadata("ops.phase_closure"),
    ),
]
