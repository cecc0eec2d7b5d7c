"""Official statistics through the whole pipeline: the same verdicts as from plain datasets, and which source takes precedence.

One refresh serves all tests: every case is a district of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.ingest.statistics import reading
from youjun_pipeline.precheck.check import precheck
from youjun_pipeline.precheck.findings import ERROR
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate.statistics import book_of
from youjun_pipeline_tests.generate.statistics_forms import CONTACTS
from youjun_pipeline_tests.integration.statistics_cases import (
    DAY,
    PACKINGS,
    PLAIN,
    deliver,
    write_cases,
    write_pair,
)
from youjun_pipeline_tests.steps import places, read_all, refresh, working
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary


@dataclass(frozen=True)
class Run:
    """One refresh: its settings, the publication, and the working database as the refresh left it."""

    settings: Settings
    published: duckdb.DuckDBPyConnection
    working: duckdb.DuckDBPyConnection

    def all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.published.execute(query, list(parameters)).fetchall()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    root = tmp_path_factory.mktemp("statistics")
    for number, packing in enumerate(PACKINGS):
        write_pair(root, number, packing)
    write_cases(root)
    settings = places(root)
    publication = refresh(settings)
    with (
        connect(publication.path, read_only=True) as published,
        connect(settings.warehouse, read_only=True) as work,
    ):
        yield Run(settings, published, work)


COMPARED = {
    "mart.school": "school_code, school_name, school_type, sponsor_code, urban_rural, in_scope",
    "mart.school_indicator": """school_code, stage, indicator_code, students, status, status_strict, threshold, waiver,
        if(indicator_code = 'G5', null, value) as value, if(indicator_code = 'G5', null, gap) as gap,
        if(indicator_code = 'G5' and status = 'no_data', null, numerator) as numerator""",
    "mart.school_verdict": """school_code, stage, students, resource_met, resource_near, resource_below, resource_no_data,
        passes_resource_rule, passes_strict, failing_indicators, reason""",
    "mart.stage_balance": "stage, indicator_code, schools, schools_no_data, students, mean, std, cv, cv_strict, status",
    "mart.district_indicator": "indicator_code, status, status_strict, failing_primary, failing_junior, failing_compulsory",
    "mart.district_verdict": "passes, passes_strict, schools_in_scope, schools_failing, indicators_failing",
}


@pytest.mark.parametrize("table", COMPARED)
@pytest.mark.parametrize("number", range(len(PACKINGS)), ids=PACKINGS)
def test_the_same_verdicts_as_from_plain_datasets(run: Run, number: int, table: str) -> None:
    query = f"select {COMPARED[table]} from {table} where district_code = ? order by all"
    plain = run.all(query, f"{120101 + number}")
    assert plain
    assert run.all(query, f"{130101 + number}") == plain


def test_no_contact_is_anywhere(run: Run) -> None:
    for con in (run.working, run.published):
        columns = con.execute(
            "select table_schema, table_name, column_name from information_schema.columns where data_type like 'VARCHAR%'"
        ).fetchall()
        assert len(columns) > 100
        for schema, table, column in columns:
            text = f'"{schema}"."{table}" where ' + " or ".join(
                f"contains(\"{column}\"::varchar, '{contact}')" for contact in CONTACTS
            )
            assert con.execute(f"select count(*) from {text}").fetchall() == [(0,)], (
                f"{schema}.{table}.{column}"
            )


def test_every_workbook_is_registered_and_its_rows_add_up(run: Run) -> None:
    counts = dict(
        run.all("select district_code, count(*) from ops.source_file where dataset = 'statistics' group by 1")
    )
    assert (counts["130101"], counts["130105"], counts["130106"]) == (15, 1, 3)
    assert run.all(
        "select file, rows_read, rows_accepted from ops.source_file where district_code = '140101' order by dataset, file"
    ) == [
        ("statistics", 6, 6),
        ("facilities.csv", 1, 1),
        ("statistics", 1, 1),
        ("statistics/石各庄九年一贯制学校.xlsx", 1, 1),
        ("statistics", 2, 2),
    ]
    assert run.all("select * from ops.source_file where rows_read <> rows_accepted + rows_rejected") == []


def test_a_plain_file_of_the_same_delivery_goes_first(run: Run) -> None:
    query = """select input, value, file, sheet, "row", source_column from mart.lineage
        where district_code = '140101' and stage = 'primary' and indicator_code = 'R4' order by input"""
    assert run.all(query) == [
        ("facilities.indoor_sports_area_m2", 100, "facilities.csv", "", 2, "C"),
        ("facilities.teaching_area_m2", 7777, "facilities.csv", "", 2, "B"),
        ("schools.junior_students", 210, "statistics/石各庄九年一贯制学校.xlsx", "教基3115", 6, "E"),
        ("schools.primary_students", 166, "statistics/石各庄九年一贯制学校.xlsx", "教基3112", 6, "I"),
    ]


def test_the_newer_delivery_counts(run: Run) -> None:
    query = """select distinct input, value, delivery::varchar from mart.lineage
        where district_code = ? and indicator_code in ('R1', 'R4', 'G5') and value is not null order by all"""
    assert run.all(query, "140102") == [
        ("classes.students", 44, DAY),
        ("facilities.indoor_sports_area_m2", 100, DAY),
        ("facilities.teaching_area_m2", 900, DAY),
        ("schools.primary_students", 90, "2023-09-15"),
        *(
            (f"teachers.{c}", n, "2023-09-15")
            for c, n in (("associate", 5), ("bachelor", 20), ("doctorate", 0), ("master", 2))
        ),
    ]
    later = run.all(query, "140103")
    assert ("teachers.bachelor", 21, "2023-09-15") in later
    assert ("facilities.teaching_area_m2", 5200.5, DAY) in later
    assert [line for line in later if line[0].startswith("class")] == [("classes.students", 44, DAY)]


def blocking(run: Run, code: str) -> list[tuple[Any, ...]]:
    return run.all(
        "select dataset, check_name, message from quality.check_result "
        "where district_code = ? and severity = 'blocking' and not passed order by dataset",
        code,
    )


def test_a_drifted_form_holds_the_district_back(run: Run) -> None:
    failures = blocking(run, "140104")
    assert [line[:2] for line in failures] == [
        (dataset, "statistics_form_unexpected")
        for dataset in ("class_bands", "facilities", "schools", "teachers")
    ]
    assert {message for *_, message in failures} == {
        "2023-08-31/statistics：statistics/石各庄九年一贯制学校.xlsx：工作表“教基3112”：找不到列标签“在校生数→合计”，"
        "找到的列标签是：毕业生数→合计、毕业生数→#女、招生数→合计、招生数→#女、招生数→受过学前教育、招生数→农村、在读生数→合计、"
        "在读生数→一年级、在读生数→二年级。请核对报表版式，不要改动表样；版式确已调整的，请联系维护人员登记新版式"
    }
    assert run.all("select count(*) from mart.evaluation where district_code = '140104'") == [(0,)]
    assert run.all(
        "select file, failure_rule from ops.source_file where district_code = '140104' and dataset = 'statistics' order by file"
    ) == [
        ("statistics/河西小学.xlsx", None),
        ("statistics/石各庄九年一贯制学校.xlsx", "statistics_form_unexpected"),
    ]


def test_contradictions_hold_the_district_back(run: Run) -> None:
    assert {(rule, message) for _, rule, message in blocking(run, "140105")} == {
        (
            "statistics_conflict",
            "2023-08-31/statistics：同一数据在几处不一致，请核对后只保留正确的：2112000002 总 计×在校生数→合计："
            "statistics/河西小学 (1).xlsx › 教基3112 I6 是“101”、statistics/河西小学.xlsx › 教基3112 I6 是“100”",
        )
    }


def test_an_unusable_archive_holds_the_district_back(run: Run) -> None:
    assert {(rule, message) for _, rule, message in blocking(run, "140106")} == {
        (
            "file_unreadable",
            "2023-08-31/statistics：statistics/all.zip：无法读取：压缩包里没有 .xlsx 或 .xls 文件。"
            "请放入统计报表的工作簿（不要再套一层压缩包）。",
        )
    }


def test_class_sizes_by_bands(run: Run) -> None:
    query = """select school_name, stage, status, numerator, value, gap, reason from mart.school_indicator
        where district_code = ? and indicator_code = 'G5' order by school_name, stage desc"""
    assert run.all(query, "140107") == [
        ("河西小学", "primary", "met", 0, None, 0, "按班额分档，3 个班均不超过 45 人：达标"),
        (
            *("石各庄九年一贯制学校", "primary", "below", 3, None, None),
            "3 个班超过 45 人：未达标（按班额分档，最大班额和超出人数未知）",
        ),
        ("石各庄九年一贯制学校", "junior", "met", 0, None, 0, "按班额分档，2 个班均不超过 50 人：达标"),
    ]
    assert run.all(query, "140108") == [
        ("河西小学", "primary", "no_data", 0, None, None, "班级名册不全，无法判定，不能视为达标")
    ]
    sections = """select stage, classes, grades, largest_class_students from mart.section
        where district_code = '140107' and school_code = ? order by 1 desc"""
    assert run.all(sections, "2112000001") == [("primary", 4, None, None), ("junior", 2, None, None)]


def test_bands_are_told_in_the_lineage(run: Run) -> None:
    assert run.all(
        """select indicator_code, value, detail, file, sheet, "row", source_column from mart.lineage
            where district_code = '140107' and school_code = '2112000001' and input = 'class_bands.classes'
                and sheet = '教基2106' order by all"""
    ) == [
        (indicator, value, detail, "statistics/石各庄九年一贯制学校.xlsx", "教基2106", row, "C")
        for indicator in ("G3", "G5")
        for value, detail, row in (
            (1, "班额 0–25 人", 6),
            (1, "班额 66 人及以上", 15),
            (2, "班额 46–50 人", 11),
        )
    ]


def test_totals_that_do_not_add_up_are_told(run: Run) -> None:
    query = "select message from quality.check_result where district_code = '140107' and check_name = ? and not passed"
    assert run.all(query, "class_bands_sum_to_classes") == [
        (
            "各班额档的班数之和等于该学段班数合计：不符合的有 石各庄九年一贯制学校 小学：各档合计 4，班数合计 5",
        )
    ]
    assert run.all(query, "class_bands_fit_students") == [
        (
            "按班额分档推算的学生数范围包含该学段在校生数：不符合的有 石各庄九年一贯制学校 初中：按班额分档应有 92–100 人，"
            "在校生 210",
        )
    ]


def test_a_bad_cell_is_told_with_its_workbook(run: Run) -> None:
    query = """select dataset, file, sheet, "row", column_name, value, rule from quality.rejected_row where district_code = ?"""
    assert run.all(query, "140107") == [
        ("teachers", "statistics/石各庄九年一贯制学校.xlsx", "教基4155", 6, "music", "约3人", "unreadable")
    ]
    assert run.all(
        "select status from mart.school_indicator where district_code = '140107' and school_code = '2112000001' "
        "and stage = 'primary' and indicator_code = 'R3'"
    ) == [("no_data",)]
    assert run.all(
        "select status from mart.school_indicator where district_code = '140107' and school_code = '2112000002' "
        "and indicator_code in ('R1', 'G4')"
    ) == [("no_data",), ("no_data",)], "-1 pupils are not reported"


@pytest.mark.parametrize(
    ("code", "file", "sheet", "row", "value", "rule"),
    [
        ("140109", "statistics/小学.xlsx", "Sheet1", 7, "2112000003", "parent_school_unknown"),
        ("140110", "statistics/别区.xlsx", "教基1001", 8, "2112000001", "school_of_another_district"),
    ],
)
def test_schools_that_are_turned_away(
    run: Run, code: str, file: str, sheet: str, row: int, value: str, rule: str
) -> None:
    assert run.all(
        """select dataset, file, sheet, "row", column_name, value, rule from quality.rejected_row where district_code = ?""",
        code,
    ) == [("schools", file, sheet, row, "school_code", value, rule)]
    assert run.all(
        "select rows_read, rows_accepted, rows_rejected from ops.source_file where district_code = ? and dataset = 'schools'",
        code,
    ) == [(2, 1, 1)]
    assert (
        run.all("select passes, blocking::varchar from mart.district_verdict where district_code = ?", code)[
            0
        ][0]
        is False
    )


def test_a_check_before_sending_names_the_workbook(run: Run) -> None:
    def told(code: str) -> list[tuple[str, str, str, str]]:
        result = precheck(next(run.settings.data.glob(f"{code}-*")), date(2026, 1, 1))
        # inputs that are missing are told of every delivery; test_missing_input has their tests
        faults = [f for f in result.findings if f.file and f.rule != "inputs_are_complete"]
        return [(f.level, f.file, f.rule, f.place) for f in faults]

    form = f"{DAY}/statistics/石各庄九年一贯制学校.xlsx"
    assert told("140104") == [(ERROR, form, "statistics_form_unexpected", "")]
    assert told("140105") == [
        (ERROR, f"{DAY}/statistics/{name}.xlsx", "statistics_conflict", "")
        for name in ("河西小学 (1)", "河西小学")
    ]
    assert told("140107") == [
        (ERROR, form, "unreadable", "工作表“教基4155”第 6 行 N 列（总 计×按课程分→音乐）")
    ]
    assert told("140109") == [
        (
            ERROR,
            f"{DAY}/statistics/小学.xlsx",
            "parent_school_unknown",
            "工作表“Sheet1”第 7 行 B 列（学校标识码）",
        )
    ]
    assert told("140101") == []


def test_a_known_workbook_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = deliver(tmp_path, "140101", primary(), nine_year())
    opened: list[str] = []
    read = reading.read_statistics

    def counted(path: Path, name: str) -> reading.StatisticsRead:
        opened.append(name)
        return read(path, name)

    monkeypatch.setattr(reading, "read_statistics", counted)
    settings = places(tmp_path)
    names = "select school_name from accepted.schools semi join chosen using (content_sha256) order by 1"
    chosen = "create or replace temp view chosen as select content_sha256 from raw.delivered_file where dataset = 'schools'"

    def schools() -> list[str]:
        with working(settings) as con:
            read_all(con, settings)
            con.execute(chosen)
            return [name for (name,) in con.execute(names).fetchall()]

    assert schools() == ["河西小学", "石各庄九年一贯制学校"]
    assert sorted(opened) == ["statistics/河西小学.xlsx", "statistics/石各庄九年一贯制学校.xlsx"]
    opened.clear()
    assert schools() == ["河西小学", "石各庄九年一贯制学校"]
    assert opened == []
    added = replace(primary("2112000008", "河北小学"), authority="140101000000")
    (folder / DAY / "statistics" / "河北小学.xlsx").write_bytes(book_of(added, PLAIN))
    assert schools() == ["河北小学", "河西小学", "石各庄九年一贯制学校"]
    assert opened == ["statistics/河北小学.xlsx"]
    (folder / DAY / "statistics" / "河西小学.xlsx").unlink()
    opened.clear()
    assert schools() == ["河北小学", "石各庄九年一贯制学校"]
    assert opened == []
