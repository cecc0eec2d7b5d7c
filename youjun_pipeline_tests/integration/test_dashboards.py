"""The ready dashboards (docs/dashboards) use only what a publication has; `make test-bi` tests them in the products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml  # type: ignore[import-untyped]

DASHBOARDS = Path(__file__).parents[2] / "docs" / "dashboards"
SUPERSET, QUERIES = DASHBOARDS / "superset", DASHBOARDS / "evidence" / "sources" / "youjun"


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


DATASETS = {d["uuid"]: d for d in map(read, sorted((SUPERSET / "datasets" / "youjun").glob("*.yaml")))}
CHARTS = {c["uuid"]: c for c in map(read, sorted((SUPERSET / "charts").glob("*.yaml")))}


def columns_and_rows(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[set[str], list[tuple[Any, ...]]]:
    asked = con.execute(sql)
    return {column[0] for column in asked.description or []}, asked.fetchall()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d["table_name"])
def test_a_dataset_has_the_columns_that_it_names(
    con: duckdb.DuckDBPyConnection, dataset: dict[str, Any]
) -> None:
    columns, rows = columns_and_rows(con, dataset["sql"])
    assert {column["column_name"] for column in dataset["columns"]} == columns
    assert rows


@pytest.mark.parametrize("chart", CHARTS.values(), ids=lambda c: c["slice_name"])
def test_a_chart_shows_columns_of_its_dataset(chart: dict[str, Any]) -> None:
    known = {column["column_name"] for column in DATASETS[chart["dataset_uuid"]]["columns"]}
    params = chart["params"]
    used = {*params.get("all_columns", []), *params.get("groupby", []), *params.get("column_config", {})}
    assert used | {params.get("x_axis", next(iter(used)))} <= known


def test_the_dashboard_shows_every_chart_and_filters_by_columns_that_all_datasets_have() -> None:
    dashboard = read(SUPERSET / "dashboards" / "youjun.yaml")
    shown = {
        part["meta"]["uuid"] for name, part in dashboard["position"].items() if name.startswith("CHART-")
    }
    assert shown == set(CHARTS)
    for wanted in dashboard["metadata"]["native_filter_configuration"]:
        for target in wanted["targets"]:
            assert target["datasetUuid"] in DATASETS
            for dataset in DATASETS.values():
                assert target["column"]["name"] in {c["column_name"] for c in dataset["columns"]}


def test_what_only_missing_data_keep_from_passing_is_no_failure_on_the_dashboard() -> None:
    sql = next(d["sql"] for d in DATASETS.values() if d["table_name"] == "判定")
    with duckdb.connect() as con:
        con.execute("create schema mart; create schema bi")
        con.execute("create table bi.dim_district as select '1' as district_code, '甲区' as district_name")
        con.execute(
            "create table bi.dim_phase as select '1/a' as evaluation_id, 1 as phase_order, 'a' as phase_name, true as is_latest"
        )
        # no data at all; data missing; something fails and data are missing; all is well
        con.execute(
            "create table mart.district_verdict as select '1/a' as evaluation_id, '1' as district_code, '' as summary, * from "
            "(values (false, 0, 0, 0, 0), (false, 5, 0, 0, 3), (false, 5, 1, 1, 3), (true, 5, 0, 0, 0)) "
            "v(passes, schools_in_scope, schools_failing, indicators_failing, indicators_no_data)"
        )
        columns, _ = columns_and_rows(con, sql)
        assert "verdict" in columns
        verdicts = con.execute(f"select verdict from ({sql})").fetchall()
    assert [v for (v,) in verdicts] == ["缺数据，不能判定", "缺数据，不能判定", "未通过", "通过"]


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda p: p.stem)
def test_a_query_of_the_evidence_project_has_rows(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    columns, rows = columns_and_rows(con, path.read_text(encoding="utf-8"))
    assert rows and "district_name" in columns
