"""The figures beside the verdicts (`mart.section` and similar tables), compared with the rows that a district delivered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, GeneratedDistrict, generate_district, write_district
from youjun_pipeline_tests.integration.delivered_files import write_csv
from youjun_pipeline_tests.steps import places, refresh

STAGES = ("primary", "junior")
FIGURES = [["人口总数", 2021, 81], ["人口总数", 2022, 80.5], ["本地自加项目", 2022, 3]]


@pytest.fixture(scope="module")
def made() -> GeneratedDistrict:
    return generate_district(0, n_schools=20, profile="mixed")


@pytest.fixture(scope="module")
def published(
    made: GeneratedDistrict, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("district")
    district = write_district(folder, made.tables, made.settings, style=PLAIN)
    write_csv(
        district / "deliveries" / "2023-08-31" / "district_figures.csv", [["项目", "年度", "数值"], *FIGURES]
    )
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def delivered(made: GeneratedDistrict, dataset: str) -> list[dict[str, Any]]:
    rows = made.tables[dataset]
    assert rows is not None
    return rows


def test_sections_count_what_was_delivered_for_them(
    made: GeneratedDistrict, published: duckdb.DuckDBPyConnection
) -> None:
    classes, teachers = delivered(made, "classes"), delivered(made, "teachers")
    found = published.execute(
        "select school_code, stage, students, grades, classes, full_time_teachers, staff from mart.section"
    ).fetchall()
    students = {
        (s["school_code"], stage): s[f"{stage}_students"]
        for s in delivered(made, "schools")
        for stage in STAGES
    }
    # a school teaches a stage when it has pupils of it
    assert {(code, stage) for code, stage, *_ in found} >= {key for key, value in students.items() if value}
    assert len(found) > 20
    for code, stage, count, grades, class_count, full_time, staff in found:
        mine = [c for c in classes if (c["school_code"], c["stage"]) == (code, stage)]
        row: dict[str, Any] = next(
            (t for t in teachers if (t["school_code"], t["stage"]) == (code, stage)), {}
        )
        assert (count, full_time, staff) == (students[code, stage], row.get("full_time"), row.get("staff"))
        assert (class_count, grades) == (
            (len(mine), len({c["grade"] for c in mine})) if mine else (None, None)
        )


def test_schools_out_of_scope_have_sections_too(published: duckdb.DuckDBPyConnection) -> None:
    scopes = published.execute("select distinct school_type, in_scope from mart.section").fetchall()
    assert ("特殊教育学校", False) in scopes
    assert ("小学", True) in scopes


def test_district_figures_and_survey_are_what_was_delivered(
    made: GeneratedDistrict, published: duckdb.DuckDBPyConnection
) -> None:
    figures = published.execute("select item, year, value, is_newest from mart.district_figure").fetchall()
    assert sorted(figures) == [
        ("population_wan", 2021, 81.0, False),
        ("population_wan", 2022, 80.5, True),
        ("本地自加项目", 2022, 3.0, True),
    ]
    answers = delivered(made, "recognition")
    newest = max(a["year"] for a in answers)
    survey = published.execute(
        "select respondent_group, method, valid, satisfied, rate from mart.recognition_group"
    ).fetchall()
    assert {row[:4] for row in survey} == {
        (a["respondent_group"], a["method"], a["valid"], a["satisfied"])
        for a in answers
        if a["year"] == newest
    }
    assert all(rate == pytest.approx(satisfied / valid) for _, _, valid, satisfied, rate in survey if valid)


def test_assurance_figures_are_what_was_delivered(
    made: GeneratedDistrict, published: duckdb.DuckDBPyConnection
) -> None:
    items = {row["item"]: row for row in delivered(made, "assurance")}
    found = published.execute(
        "select item, value, conclusion, evidence from mart.assurance_figure where item is not null"
    ).fetchall()
    assert len(found) == 31
    for item, value, conclusion, evidence in found:
        row = items.get(item, {})
        given = row.get("value")
        assert value == (None if given is None else float(given)), item
        if "." not in item:
            assert (conclusion, evidence) == (row.get("conclusion"), row.get("evidence")), item


def test_assurance_figures_that_are_judged_agree_with_the_verdict(
    published: duckdb.DuckDBPyConnection,
) -> None:
    """An indicator with judged figures fails exactly if one of the figures fails."""
    different = published.execute("""
        select indicator_code, list(f.status), any_value(d.status)
        from mart.assurance_figure f join mart.district_indicator d using (district_code, phase_id, indicator_code)
        where f.status is not null
        group by indicator_code
        having bool_or(f.status = 'below') <> any_value(d.status = 'below')
    """).fetchall()
    assert different == []


def test_school_counts_add_up(published: duckdb.DuckDBPyConnection) -> None:
    rows = published.execute("""
        select f.indicator_code, f.figure_no, f.value,
            (select count(*) from mart.school_indicator s where s.indicator_code = f.indicator_code),
            (select count(*) from mart.school_indicator s
                where s.indicator_code = f.indicator_code and s.status in ('met', 'met_by_waiver'))
        from mart.assurance_figure f where f.indicator_code in ('G3', 'G4') and f.figure_no in (1, 2)
    """).fetchall()
    assert len(rows) == 4
    for _, number, value, judged, met in rows:
        assert value == (judged if number == 1 else met)
