"""The definitions load, have what they must have, and import nothing that only a materialisation needs."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.orchestration.code_location import build_definitions
from youjun_pipeline.orchestration.instance import instance_for
from youjun_pipeline.orchestration.refresh import Refresh
from youjun_pipeline.warehouse.checks import load_checks
from youjun_pipeline.warehouse.models import MODELS, load_models
from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.conftest import CHECKOUT

# The tables of the interface, written out here: a table that loses its asset must not lose its test with it.
MART = [
    "evaluation",
    "school",
    "indicator",
    "school_indicator",
    "school_verdict",
    "stage_balance",
    "balance_contribution",
    "monitoring_subject",
    "district_indicator",
    "district_verdict",
    "waiver_register",
    "rule_impact",
    "finding",
    "measure_status",
    "milestone_status",
    "remediation_progress",
    "unit_accountability",
    "plan_audit",
    "projection",
    "target_progress",
    "phase_change",
    "reconciliation",
    "lineage",
]
OTHERS = [
    "quality/rejected_row",
    "quality/suspicion",
    "quality/check_result",
    "ops/source_file",
    "publication/youjun",
]
DATASETS = [
    "schools",
    "classes",
    "teachers",
    "facilities",
    "special_rooms",
    "quality_monitoring",
    "school_finance",
    "graduation_cohorts",
    "assurance",
    "recognition",
    "district_figures",
    "superior_findings",
    "measures",
    "milestones",
    "budgets",
    "progress",
    "acceptances",
    "targets",
    "target_actuals",
    "school_changes",
    "school_aliases",
    "suspicion_answers",
]
# What no run makes: what districts deliver, what a command closes.
EXTERNAL = ["files/data_folder", "ops/phase_closure"]
# What takes long to import and no definition needs.
LATE = (
    "great_expectations",
    "altair",
    "cvxpy",
    "pandera",
    "python_calamine",
    "xlsxwriter",
    "pandas",
    "pyarrow",
    "celery",
    "dagster_celery",
    "dagster_postgres",
    "psycopg2",
    "redis",
    "youjun_pipeline.warehouse.lake",
)


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return build_definitions().resolve_asset_graph()


def node(graph: dg.AssetGraph, name: str) -> dg.AssetSpec:
    return graph.get(dg.AssetKey(name.split("/")))


def parents(graph: dg.AssetGraph, name: str) -> set[str]:
    return {key.to_user_string() for key in node(graph, name).parent_keys}  # type: ignore[attr-defined]


def test_every_table_of_the_interface_is_an_asset(graph: dg.AssetGraph) -> None:
    there = {key.to_user_string() for key in graph.get_all_asset_keys()}
    wanted = {*(f"mart/{name}" for name in MART), *OTHERS, *(f"raw/{name}" for name in DATASETS)}
    assert wanted - there == set()
    declared = {f"{t.schema}/{t.name}" for t in declared_tables().values() if t.schema in ("mart", "quality")}
    assert declared - there == set()
    assert {f"raw/{name}" for name in load_datasets()} - there == set()


def test_every_asset_says_what_it_is(graph: dg.AssetGraph) -> None:
    silent, delivered = {}, {f"raw/{name}" for name in DATASETS}
    for key in graph.get_all_asset_keys():
        asset = graph.get(key)
        missing = [n for n in ("description", "owners", "kinds", "group_name") if not getattr(asset, n)]
        schema = key.path[0] in ("mart", "quality", "ops") or key.to_user_string() in delivered
        if schema and not asset.metadata.get("dagster/column_schema"):
            missing.append("column schema")
        if missing:
            silent[key.to_user_string()] = missing
    assert silent == {}


def test_groups_put_together_form_no_circle(graph: dg.AssetGraph) -> None:
    """A collapsed group is one box in the UI: two groups that feed each other could not be read from left to right."""
    edges: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        asset = graph.get(key)
        above = {str(graph.get(parent).group_name) for parent in asset.parent_keys}
        edges.setdefault(str(asset.group_name), set()).update(above - {asset.group_name})
    assert {
        "files",
        "standard",
        "delivered",
        "core",
        "rules",
        "mart",
        "rules_2",
        "mart_2",
        "gate",
        "publication",
    } <= edges.keys()
    assert list(TopologicalSorter(edges).static_order())


def test_column_schema_carries_types_and_chinese_comments(graph: dg.AssetGraph) -> None:
    columns = {
        c.name: c for c in node(graph, "mart/school_indicator").metadata["dagster/column_schema"].columns
    }
    assert columns["status"].type == "VARCHAR" and "met_by_waiver" in (columns["status"].description or "")
    assert columns["gap"].type in ("DOUBLE", "DECIMAL(38,10)")
    delivered = {c.name: c for c in node(graph, "raw/facilities").metadata["dagster/column_schema"].columns}
    assert delivered["teaching_area_m2"].type == "DECIMAL(18,6)"


def test_edges_are_the_tables_that_the_sql_names(graph: dg.AssetGraph) -> None:
    """The tables are found here without the parser: the words after FROM and JOIN, without comments."""
    differing = {}
    for path in [MODELS / f"{name.replace('.', '/')}.sql" for name in load_models()]:
        sql = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        named = set(
            re.findall(
                r"\b(?:from|join)\s+((?:core|rule|mart|plan|quality|ops|raw|accepted|standard)\.\w+)", sql
            )
        )
        wanted = {table_to_asset(name) for name in named} - {f"{path.parent.name}/{path.stem}"}
        found = parents(graph, f"{path.parent.name}/{path.stem}")
        # what the run itself says: only where a model hands it on
        of_run = set(re.findall(r"\brun_(?!evaluation|id)\w+", sql)) or "e.*" in sql or not named
        more = found - wanted
        if wanted - found or (more and not of_run):
            differing[f"{path.parent.name}/{path.stem}"] = (sorted(wanted - found), sorted(more))
    assert differing == {}


def table_to_asset(table: str) -> str:
    schema, name = table.split(".")
    if schema == "standard":
        return "standard/catalogue"
    if schema not in ("raw", "accepted"):
        return f"{schema}/{name}"
    if name in load_datasets():
        return f"raw/{name}"
    by_name = {"dataset": "standard/contracts", "plausible_range": "standard/contracts"}
    by_name |= dict.fromkeys(
        ["district", "district_option", "phase", "district_failure", "district_notice"], "raw/district"
    )
    return by_name.get(name, "raw/delivered_file")


def test_dependencies_reach_from_the_folder_to_the_publication(graph: dg.AssetGraph) -> None:
    assert parents(graph, "mart/indicator") == {"standard/catalogue"}
    assert "rule/g4_school_size" in parents(graph, "mart/school_indicator")
    assert parents(graph, "core/class_list") >= {"raw/classes", "core/chosen_file"}
    assert parents(graph, "raw/classes") == {"files/data_folder", "standard/contracts"}
    assert parents(graph, "quality/check_result") >= {f"mart/{name}" for name in MART if name != "indicator"}
    assert parents(graph, "publication/youjun") == {"quality/check_result"}
    assert not [name for name in EXTERNAL if graph.get(dg.AssetKey(name.split("/"))).is_executable]
    alone = [key for key in graph.get_all_asset_keys() if not graph.get(key).parent_keys]
    assert {key.to_user_string() for key in alone} == {
        "files/data_folder",
        "standard/catalogue",
        "standard/contracts",
        "ops/phase_closure",
    }


def test_tables_show_their_code_and_name(graph: dg.AssetGraph) -> None:
    for name in ("core/section", "rule/resource", "mart/school_indicator"):
        spec = graph.get(dg.AssetKey(name.split("/")))
        assert re.fullmatch("[0-9a-f]{12}", spec.code_version or ""), name
        assert spec.metadata["dagster/table_name"] == "youjun." + name.replace("/", ".")
        [reference] = spec.metadata["dagster/code_references"].code_references
        assert reference.file_path.endswith(f"models/{name}.sql") and Path(reference.file_path).exists()


def test_computed_assets_are_partitioned_by_phase(graph: dg.AssetGraph) -> None:
    for name in [*(f"mart/{n}" for n in MART), *OTHERS, "core/section", "rule/resource"]:
        asset = node(graph, name)
        assert asset.partitions_def == dg.DynamicPartitionsDefinition(name="phase"), name
        assert asset.backfill_policy == dg.BackfillPolicy.single_run(), name  # type: ignore[attr-defined]
    # delivered files are there once for all phases
    assert node(graph, "raw/schools").partitions_def is None


def test_every_rule_that_can_hold_a_district_back_has_a_check_on_what_it_judges(graph: dg.AssetGraph) -> None:
    checks = {(k.asset_key.to_user_string(), k.name) for k in graph.asset_check_keys}
    assert checks >= {(f"raw/{name}", "contract") for name in DATASETS}
    assert checks >= {
        ("raw/delivered_file", "file_unreadable"),
        ("raw/delivered_file", "duplicate_key"),
        ("raw/delivered_file", "required_column_missing"),
        ("raw/delivered_file", "cells_are_readable"),
        ("raw/delivered_file", "schools_missing"),
        ("raw/delivered_file", "rows_reconcile"),
        ("raw/district", "district_file_unreadable"),
        ("raw/district", "district_file_invalid"),
        ("raw/district", "district_code_repeated"),
        ("raw/district", "folder_is_present"),
        ("raw/schools", "schools_are_in_roster"),
        ("mart/school_indicator", "sections_have_seven_resources"),
        ("mart/school_indicator", "school_indicator_keys_are_unique"),
        ("mart/evaluation", "evaluation_has_one_run"),
        ("publication/youjun", "districts_pass_the_gate"),
    }
    assert {name for _, name in checks} >= {check.name for check in load_checks()}
    assert not [name for asset, name in checks if asset == "quality/check_result"]


def test_job_takes_everything_in_this_process(graph: dg.AssetGraph) -> None:
    job = build_definitions().resolve_job_def("refresh")
    external = {dg.AssetKey(name.split("/")) for name in EXTERNAL}
    assert job.asset_layer.executable_asset_keys == graph.get_all_asset_keys() - external
    assert job.executor_def is dg.in_process_executor
    assert {"districts", "as_of"} <= set(Refresh.model_fields)


@pytest.mark.parametrize("name", ["refresh_shard", "planning"])
def test_a_job_without_reports_fills_every_table(name: str) -> None:
    """A job that left out a table would leave every published evaluation stale."""
    whole, some = (
        set(build_definitions().resolve_job_def(job).asset_layer.executable_asset_keys)
        for job in ("refresh", name)
    )
    assert whole - some == {key for key in whole if key.path[0] == "reports"}
    assert some <= whole


def test_import_brings_nothing_that_only_a_run_needs() -> None:
    script = f"import sys, youjun_pipeline.definitions; print(*[m for m in {LATE!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_instance_is_asked_what_it_answers_itself() -> None:
    """`instance.py` answers some of Dagster's questions; if Dagster asks others instead, it must be reviewed."""
    from dagster._core.definitions.partitions.definition import dynamic
    from dagster._core.execution.context import data_version_cache

    partitions = (dynamic.__file__, "has_dynamic_partition", "get_dynamic_partitions")
    for file, *asked in (partitions, (data_version_cache.__file__, "get_asset_records")):
        with open(file, encoding="utf-8") as source:
            text = source.read()
        assert [name for name in asked if f".{name}(" not in text] == []
    with instance_for(["a", "b"]) as instance:
        assert instance.get_dynamic_partitions("phase") == ["a", "b"]
        assert [instance.has_dynamic_partition("phase", key) for key in ("b", "c")] == [True, False]
        assert instance.get_dynamic_partitions("other") == []
        assert instance.get_asset_records([dg.AssetKey("x")]) == []


@contextmanager
def instance_of_a_run_of_the_daemon() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        context = dg.build_init_resource_context(instance=instance)
        with Refresh().yield_for_execution(context), Refresh().yield_for_execution(context):
            yield instance


@pytest.mark.parametrize("instance_of_a_run", [lambda: instance_for(["a"]), instance_of_a_run_of_the_daemon])
def test_event_log_is_opened_once_for_a_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    instance_of_a_run: Callable[[], AbstractContextManager[dg.DagsterInstance]],
) -> None:
    """A hundred events do not reopen an open file, none of them is lost, and others can read them meanwhile."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    opened: list[str] = []
    connect = sqlite3.connect
    with instance_of_a_run() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("x", metadata={"n": 0}))

        def counted(name: str, **given: Any) -> sqlite3.Connection:
            opened.append(name)
            return connect(name, **given)

        monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
        for n in range(1, 100):
            instance.report_runless_asset_event(dg.AssetMaterialization("x", metadata={"n": n}))
        assert [name for name in opened if "history" in str(name)] == []
        with dg.DagsterInstance.get() as other:
            latest = other.get_latest_materialization_event(dg.AssetKey("x"))
            assert latest and latest.asset_materialization
            assert latest.asset_materialization.metadata["n"].value == 99
        # The other instance opens them by itself: opening is counted.
        assert [name for name in opened if "history" in str(name)] != []
