"""Two schools with one name: all published tables distinguish them by their codes, and nothing is held back.

The same district is refreshed twice, once with two different names: apart from the names, every table must have the same rows.
What a district writes about schools (plan, letters, inspections) names them by code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook

from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.reports.schools.plan import read_plans, write_school_plans
from youjun_pipeline.reports.schools.self_assessment import write_self_assessment
from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import generate_district
from youjun_pipeline_tests.integration.plan_story import DAYS, write_rows, write_story
from youjun_pipeline_tests.steps import places, refresh

# Each test is a history of whole runs.
pytestmark = pytest.mark.long

ALIKE, APART = ("镇中心小学", "镇中心小学"), ("甲镇中心小学", "乙镇中心小学")


def judged(names: tuple[str, str]) -> tuple[dict[str, Any], list[str]]:
    """A generated district whose first two primary schools have these names, and the codes of the two."""
    tables = {
        k: v for k, v in generate_district(7, n_schools=16, profile="edge").tables.items() if v is not None
    }
    pair = sorted(s["school_code"] for s in tables["schools"] if s["school_type"] == "小学")[:2]
    for school in tables["schools"]:
        if school["school_code"] in pair:
            # both fail the same indicators, and by the same figures, so that only the code tells them apart
            at = pair.index(school["school_code"])
            school |= {"school_name": names[at], "township": ("甲镇", "乙镇")[at], "primary_students": 900}
    for row in tables["facilities"]:
        if row["school_code"] in pair:
            row |= {"teaching_area_m2": 900.5, "outdoor_sports_area_m2": 800.5, "multimedia_rooms": 1}
    tables["classes"] = [c for c in tables["classes"] if c["school_code"] not in pair] + [
        {"school_code": code, "stage": "primary", "grade": 4, "class_no": str(n), "students": 60}
        for code in pair
        for n in range(1, 13)
    ]
    return tables, pair


def plan(pair: list[str]) -> dict[str, dict[str, Any]]:
    # Long because every dataset that names a school has its rows here.
    one, other = pair
    due = {"due": "2024-03-31", "responsible_units": "区教育局", "responsible_person": "甲"}
    primary = {"indicator": "R4", "stage": "primary"}
    measures = [
        {
            "measure_no": "M1",
            **primary,
            "school_names": "、".join(pair),
            "measure_type": "改扩建",
            "quantity": 500,
        }
        | {"unit": "㎡", "description": "扩建", "source": "正文"}
        | due,
        {
            "measure_no": "M2",
            "indicator": "G5",
            "stage": "primary",
            "school_names": one,
            "receiving_school": other,
        }
        | {"measure_type": "分流", "quantity": 50, "unit": "人", "source": "附件"}
        | due,
    ]
    first = {
        "measures": measures,
        "milestones": [
            {"milestone_no": "N1", "measure_no": "M1", "indicator": "R4", "due": "2023-12-01", "task": "开工"}
        ],
        "superior_findings": [{"source": "文1", "school_name": code, **primary} for code in pair]
        + [{"source": "文1", "indicator": "R4", "stage": "primary", "claimed_count": 2}],
    }
    reports = [
        {"reported_on": "2024-04-01", "measure_no": "M1", "state": "done", "percent": 100, "reporter": "甲"}
    ]
    inspections = [
        {
            "inspected_on": "2024-05-20",
            **primary,
            "school_name": code,
            "result": "通过",
            "inspector": "督导",
            "evidence": "记录",
        }
        for code in pair
    ]
    merger = [{"effective_on": "2024-05-01", "kind": "merge", "from_school": one, "to_school": other}]
    aliases = [{"alias": "老甲小", "school_code": one}, {"alias": "老乙小", "school_code": other}]
    answers = [
        {
            "answered_on": "2024-05-20",
            "dataset": "facilities",
            "school_code": code,
            "rule": "identical_figures",
            "answer": "属实",
        }
        for code in pair
    ]
    second = {
        "progress": reports,
        "acceptances": inspections,
        "suspicion_answers": answers,
        "school_aliases": aliases,
    }
    return {DAYS[0]: first, DAYS[1]: second, DAYS[2]: {"school_changes": merger}}


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[duckdb.DuckDBPyConnection, Path]]]:
    found, open_ones = {}, []
    for kind, names in (("alike", ALIKE), ("apart", APART)):
        folder = tmp_path_factory.mktemp(kind)
        tables, pair = judged(names)
        write_story(folder, {DAYS[0]: tables}, plan(pair))
        con = connect(refresh(places(folder)).path, read_only=True)
        open_ones.append(con)
        found[kind] = (con.__enter__(), folder)
    yield found
    for con in open_ones:
        con.__exit__(None, None, None)


def rows(con: duckdb.DuckDBPyConnection, table: str) -> Counter[str]:
    """A table's rows as text, with the two different names replaced by the common name."""
    every = con.execute(f"select to_json(t)::varchar from {table} t").fetchall()
    texts = []
    for (text,) in every:
        for name, common in zip(APART, ALIKE, strict=True):
            text = text.replace(name, common)
        row = json.loads(text)
        texts.append(
            json.dumps(
                {k: v for k, v in row.items() if not k.endswith("_at")}, ensure_ascii=False, sort_keys=True
            )
        )
    return Counter(texts)


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        f"{schema}.{name}"
        for schema, name in con.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema in ('mart', 'bi', 'quality') order by all"
        ).fetchall()
    ]


def test_every_table_holds_what_it_holds_when_the_names_differ(
    published: dict[str, tuple[duckdb.DuckDBPyConnection, Path]],
) -> None:
    (alike, _), (apart, _) = published["alike"], published["apart"]
    assert len(tables(alike)) > 30
    differences = {}
    for table in tables(alike):
        lost, more = rows(apart, table) - rows(alike, table), rows(alike, table) - rows(apart, table)
        # that the names are the same is a doubt of its own
        told = ("duplicate_name", "校名与", "sha256") if table.startswith("quality.") else ("content_sha256",)
        missing, extra = ([r for r in side if not any(word in r for word in told)] for side in (lost, more))
        if missing or extra:
            differences[table] = (sorted(missing)[:2], sorted(extra)[:2])
    assert differences == {}


def test_nothing_is_held_back_and_both_are_told_of(
    published: dict[str, tuple[duckdb.DuckDBPyConnection, Path]],
) -> None:
    con, _ = published["alike"]
    _, pair = judged(ALIKE)
    assert (
        con.execute(
            "select check_name, message from quality.check_result where severity = 'blocking' and not passed"
        ).fetchall()
        == []
    )
    # tables about single schools that know nothing of the two would prove nothing
    for table in (
        "plan_audit",
        "reconciliation",
        "finding",
        "school_indicator",
        "school_verdict",
        "balance_contribution",
        "lineage",
    ):
        codes = {c for (c,) in con.execute(f"select distinct school_code from mart.{table}").fetchall()}
        assert set(pair) <= codes, table
    doubts = con.execute(
        "select distinct school_code from quality.suspicion where rule = 'duplicate_name' order by 1"
    ).fetchall()
    assert [c for (c,) in doubts] == pair


def test_papers_and_pages_show_both(
    published: dict[str, tuple[duckdb.DuckDBPyConnection, Path]], tmp_path: Path
) -> None:
    con, folder = published["alike"]
    _, pair = judged(ALIKE)
    evaluation = published_evaluations(con)[0]
    plans = {p.school_code: p for p in read_plans(con, evaluation)}
    assert set(pair) <= plans.keys()
    # pupils are moved to the second of the two alone
    assert [[m["measure_no"] for m in plans[code].received] for code in pair] == [[], ["M2"]]
    write_school_plans(con, evaluation, tmp_path / "plans.xlsx")
    write_self_assessment(con, evaluation, tmp_path / "self.xlsx")
    for name in ("plans", "self"):
        titles = [t for t in load_workbook(tmp_path / f"{name}.xlsx").sheetnames if "镇中心小学" in t]
        assert len(titles) == len(set(titles)) == 2
    build_site(con, folder / "published")
    pages = {
        p.name for p in (folder / "published" / "site" / "district" / "120114" / "school").glob("*.html")
    }
    assert {f"{code}.html" for code in pair} <= pages


def test_an_ambiguous_name_is_told_and_answers_nothing(tmp_path: Path) -> None:
    tables, pair = judged(ALIKE)
    write_story(tmp_path, {DAYS[0]: tables}, {DAYS[0]: plan(pair)[DAYS[0]]})
    delivery = next(tmp_path.glob("*")) / "deliveries" / DAYS[0]
    name = ALIKE[0]
    write_rows(
        delivery,
        "measures",
        [{"measure_no": "M1", "indicator": "R4", "stage": "primary", "school_names": name}],
    )
    write_rows(
        delivery,
        "superior_findings",
        [{"source": "文1", "indicator": "R4", "stage": "primary", "school_name": name}],
    )
    write_rows(
        delivery,
        "acceptances",
        [
            {
                "inspected_on": "2023-08-30",
                "indicator": "R4",
                "stage": "primary",
                "school_name": name,
                "result": "通过",
                "inspector": "督导",
                "evidence": "记录",
            }
        ],
    )
    write_rows(
        delivery,
        "school_changes",
        [{"effective_on": "2023-08-30", "kind": "merge", "from_school": "老校", "to_school": name}],
    )
    publication = refresh(places(tmp_path))
    with connect(publication.path, read_only=True) as con:
        told = con.execute(
            "select dataset, column_name, value, message from quality.rejected_row "
            "where rule = 'ambiguous_school_name' order by all"
        ).fetchall()
        assert [(d, c, v) for d, c, v, _ in told] == [
            ("acceptances", "school_name", name),
            ("measures", "school_names", name),
            ("school_changes", "to_school", name),
            ("superior_findings", "school_name", name),
        ]
        assert all(code in message for *_, message in told for code in pair)
        blocking = "select count(*) from quality.check_result where severity = 'blocking' and not passed"
        assert con.execute(blocking).fetchall() == [(0,)]
        assert con.execute(
            "select count(*) from mart.finding where len(measures) > 0 or signed_off"
        ).fetchall() == [(0,)]
