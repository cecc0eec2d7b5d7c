"""The definitions load, hold what they must, and bring in nothing that only a materialisation needs."""

from __future__ import annotations

import os
import subprocess
import sys

import dagster as dg
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.orchestration.code_location import build_definitions
from youjun_pipeline.orchestration.instance import instance_for
from youjun_pipeline.orchestration.refresh import Refresh
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
    silent = {}
    for key in graph.get_all_asset_keys():
        asset = graph.get(key)
        missing = [n for n in ("description", "owners", "kinds", "group_name") if not getattr(asset, n)]
        schema = key.path[0] in ("raw", "mart", "quality", "ops")
        if schema and not asset.metadata.get("dagster/column_schema"):
            missing.append("column schema")
        if missing:
            silent[key.to_user_string()] = missing
    assert silent == {}
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {"delivered", "core", "rules", "mart", "quality", "operations", "publication"}


def test_column_schema_carries_types_and_chinese_comments(graph: dg.AssetGraph) -> None:
    columns = {
        c.name: c for c in node(graph, "mart/school_indicator").metadata["dagster/column_schema"].columns
    }
    assert columns["status"].type == "VARCHAR" and "met_by_waiver" in (columns["status"].description or "")
    assert columns["gap"].type in ("DOUBLE", "DECIMAL(38,10)")
    delivered = {c.name: c for c in node(graph, "raw/facilities").metadata["dagster/column_schema"].columns}
    assert delivered["teaching_area_m2"].type == "DECIMAL(18,6)"


def test_dependencies_are_those_of_the_sql(graph: dg.AssetGraph) -> None:
    assert parents(graph, "mart/stage_balance") == {"rule/resource"}
    assert "rule/g4_school_size" in parents(graph, "mart/school_indicator")
    assert parents(graph, "core/class_list") >= {"raw/classes", "core/chosen_file"}
    # a table that names no delivered dataset still depends on what is delivered: on the catalogue of files
    assert "raw/schools" in parents(graph, "mart/indicator")
    assert parents(graph, "quality/check_result") >= {f"mart/{name}" for name in MART}
    assert parents(graph, "publication/youjun") == {"quality/check_result"}


def test_computed_assets_are_partitioned_by_phase(graph: dg.AssetGraph) -> None:
    for name in [*(f"mart/{n}" for n in MART), *OTHERS, "core/section", "rule/resource"]:
        asset = node(graph, name)
        assert asset.partitions_def == dg.DynamicPartitionsDefinition(name="phase"), name
        assert asset.backfill_policy == dg.BackfillPolicy.single_run(), name  # type: ignore[attr-defined]
    # delivered files are there once for all phases
    assert node(graph, "raw/schools").partitions_def is None


def test_checks_are_asset_checks(graph: dg.AssetGraph) -> None:
    checks = {(k.asset_key.to_user_string(), k.name) for k in graph.asset_check_keys}
    assert checks >= {(f"raw/{name}", "contract") for name in DATASETS}
    assert checks >= {
        ("quality/check_result", name)
        for name in (
            "rows_reconcile",
            "evaluation_has_one_run",
            "schools_are_in_roster",
            "sections_have_seven_resources",
        )
    }


def test_job_takes_everything_in_this_process(graph: dg.AssetGraph) -> None:
    job = build_definitions().resolve_job_def("refresh")
    assert job.asset_layer.executable_asset_keys == graph.get_all_asset_keys()
    assert job.executor_def is dg.in_process_executor
    assert {"districts", "as_of"} <= set(Refresh.model_fields)


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
    """`instance.py` answers some questions of Dagster's; when Dagster asks others instead, it is time to look at it again."""
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
