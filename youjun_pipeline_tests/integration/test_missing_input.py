"""Missing data and their consequences: every judgement that is left open is listed with what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.precheck.book import SUMMARY_NAME, write_report
from youjun_pipeline.precheck.check import precheck
from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.reports.missing import write_missing
from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

PHASES = (Phase("2024", "攻坚", date(2024, 1, 1), date(2024, 12, 31)),)
DAY = "2024-01-31"
Tables = dict[str, Any]


def whole() -> tuple[Tables, dict[str, Any]]:
    """A complete district; each part of it is removed below."""
    given = generate_district(1, n_schools=12, profile="passing")
    return {
        name: [dict(row) for row in rows] for name, rows in given.tables.items() if rows is not None
    }, given.settings


def one_school(tables: Tables, school_type: str = "小学") -> tuple[str, str]:
    """Code and name of the first large school of a type."""
    found = [s for s in tables["schools"] if s["school_type"] == school_type]
    return found[0]["school_code"], found[0]["school_name"]


def missing(folder: Path, tables: Tables, settings: dict[str, Any]) -> list[dict[str, Any]]:
    write_district(folder, tables, settings, PHASES, style=PLAIN, delivered_on=DAY)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        unexplained(con)
        cursor = con.execute(
            "select * from quality.missing_input order by dataset, school_code, stage, column_name, item"
        )
        names = [c[0] for c in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def unexplained(con: duckdb.DuckDBPyConnection) -> None:
    """No judgement is open without a row that says why."""
    school = """
        select school_code, stage, indicator_code from mart.school_indicator i
        where status = 'no_data' and not exists (
            from quality.missing_input m
            where m.district_code = i.district_code and m.phase_id = i.phase_id
                and coalesce(m.school_code, i.school_code) = i.school_code and list_contains(m.undecided, i.indicator_code)
        )
    """
    balance = """
        select stage, indicator_code from mart.stage_balance b
        where status = 'no_data' and not exists (
            from quality.missing_input m
            where m.district_code = b.district_code and m.phase_id = b.phase_id
                and list_contains(m.undecided_balances, b.stage || ' ' || b.indicator_code)
        )
    """
    district = """
        select indicator_code from mart.district_indicator d join mart.indicator i using (indicator_code)
        where status = 'no_data' and not exists (
            from quality.missing_input m
            where m.district_code = d.district_code and m.phase_id = d.phase_id
                and (list_contains(m.undecided, d.indicator_code)
                    or list_has_any(m.undecided_balances, ['primary ' || d.indicator_code, 'junior ' || d.indicator_code]))
        )
    """
    for query in (school, balance, district):
        assert con.execute(query).fetchall() == []
    idle = "select message from quality.missing_input where len(undecided) + len(undecided_balances) = 0"
    assert con.execute(idle).fetchall() == []


def test_nothing_is_missing_where_everything_is_there(tmp_path: Path) -> None:
    assert missing(tmp_path, *whole()) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_no_judgement_is_open_without_a_reason(seed: int, tmp_path: Path) -> None:
    given = generate_district(seed, n_schools=14, profile="sparse")
    assert missing(tmp_path, dict(given.tables), given.settings)


def test_a_row_that_is_missing_says_all_that_it_costs(tmp_path: Path) -> None:
    tables, settings = whole()
    code, name = one_school(tables)
    tables["facilities"] = [row for row in tables["facilities"] if row["school_code"] != code]
    (row,) = missing(tmp_path, tables, settings)
    assert (row["dataset"], row["school_code"], row["column_name"], row["row"]) == (
        "facilities",
        code,
        None,
        None,
    )
    assert row["undecided"] == ["R4", "R5", "R6", "R7"]
    assert row["undecided_balances"] == ["primary R4", "primary R5", "primary R6", "primary R7"]
    assert row["message"] == (
        f"{name} “办学条件”整行没有报送：R4、R5、R6、R7 无法判定；小学 R4、R5、R6、R7 共 4 项差异系数无法判定"
    )
    assert (str(row["delivery"]), row["file"]) == (DAY, "facilities.csv")


def blank(tables: Tables, dataset: str, code: str, column: str) -> None:
    for row in tables[dataset]:
        if row["school_code"] == code:
            row[column] = None


CELLS: dict[str, tuple[str, Callable[[Tables, str], None], dict[str, Any]]] = {
    "area": (
        "小学",
        lambda t, c: blank(t, "facilities", c, "outdoor_sports_area_m2"),
        {
            "dataset": "facilities",
            "column_name": "outdoor_sports_area_m2",
            "undecided": ["R5"],
            "stage": None,
        },
    ),
    "area-of-two-stages": (
        "九年一贯制学校",
        lambda t, c: blank(t, "facilities", c, "multimedia_rooms"),
        {"dataset": "facilities", "column_name": "multimedia_rooms", "undecided": ["R7"], "stage": None}
        | {"undecided_balances": ["junior R7", "primary R7"]},
    ),
    "backbone": (
        "小学",
        lambda t, c: blank(t, "teachers", c, "backbone"),
        {"dataset": "teachers", "column_name": "backbone", "undecided": ["R2"], "stage": "primary"},
    ),
    "certified": (
        "小学",
        lambda t, c: blank(t, "teachers", c, "certified"),
        {"dataset": "teachers", "column_name": "certified", "undecided": ["G12"], "undecided_balances": []},
    ),
    "pupils": (
        "小学",
        lambda t, c: blank(t, "schools", c, "primary_students"),
        {"dataset": "schools", "column_name": "primary_students"},
    ),
    "training": (
        "小学",
        lambda t, c: blank(t, "school_finance", c, "training_budget_wan"),
        {"dataset": "school_finance", "column_name": "training_budget_wan", "undecided": ["Q4"]},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_blank_cell_is_one_row_with_its_place(name: str, tmp_path: Path) -> None:
    school_type, take_out, expected = CELLS[name]
    tables, settings = whole()
    code, _ = one_school(tables, school_type)
    take_out(tables, code)
    rows = missing(tmp_path, tables, settings)
    (row,) = [r for r in rows if r["column_name"] == expected["column_name"]]
    assert {key: row[key] for key in expected} == expected
    assert row["school_code"] == code
    assert row["row"] > 1 and row["file"] == f"{expected['dataset']}.csv"
    if name == "pupils":
        assert {"R1", "R7", "G4"} <= set(row["undecided"]) and len(row["undecided_balances"]) == 7
    else:
        assert len(rows) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("dataset", "undecided"),
    [
        ("special_rooms", ["G3"]),
        ("classes", ["G3", "G5"]),
        ("facilities", ["R4", "R5", "R6", "R7"]),
        ("teachers", ["R1", "R2", "R3", "G9", "G12"]),
        ("recognition", ["S1"]),
        ("quality_monitoring", ["Q9"]),
        ("graduation_cohorts", ["Q1"]),
        ("school_finance", ["G6", "Q4"]),
    ],
)
def test_a_dataset_that_was_never_delivered_is_one_row(
    dataset: str, undecided: list[str], tmp_path: Path
) -> None:
    tables, settings = whole()
    del tables[dataset]
    rows = missing(tmp_path, tables, settings)
    assert {row["dataset"] for row in rows} == {dataset}
    assert {row["school_code"] for row in rows} == {None}
    found = sorted(code for row in rows for code in row["undecided"])
    assert found == sorted(undecided)


def test_no_class_of_a_school(tmp_path: Path) -> None:
    tables, settings = whole()
    code, name = one_school(tables)
    tables["classes"] = [row for row in tables["classes"] if row["school_code"] != code]
    (row,) = missing(tmp_path, tables, settings)
    assert (row["school_code"], row["stage"], row["undecided"]) == (code, "primary", ["G3", "G5"])
    assert row["message"] == f"{name} 小学 “班级名册”整行没有报送：G3、G5 无法判定"


def test_items_of_the_district(tmp_path: Path) -> None:
    tables, settings = whole()
    for row in tables["assurance"]:
        if row["item"] == "G7.funds_yuan":
            row["value"] = None
    tables["assurance"] = [row for row in tables["assurance"] if row["item"] != "V3"]
    rows = missing(tmp_path, tables, settings)
    assert [(r["item"], r["undecided"]) for r in rows if r["item"] == "G7.funds_yuan"] == [
        ("G7.funds_yuan", ["G7"])
    ]
    assert ["V3"] in [r["undecided"] for r in rows]
    assert {r["dataset"] for r in rows} == {"assurance"}


def test_checks_count_it_by_dataset(tmp_path: Path) -> None:
    tables, settings = whole()
    code, name = one_school(tables)
    blank(tables, "facilities", code, "multimedia_rooms")
    write_district(tmp_path, tables, settings, PHASES, style=PLAIN, delivered_on=DAY)
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        found = con.execute(
            "select dataset, failed_rows, message from quality.check_result "
            "where check_name = 'inputs_are_complete' and not passed"
        ).fetchall()
        asked = con.execute(
            "select count(*) from quality.check_result where check_name = 'inputs_are_complete'"
        ).fetchall()
    assert [(dataset, rows) for dataset, rows, _ in found] == [("facilities", 1)]
    assert found[0][2].startswith(f"缺报 1 处：{name} “办学条件”的网络多媒体教室间数 没有填写：R7 无法判定")
    assert asked == [(10,)]


def test_the_check_before_sending_does_not_call_it_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables, settings = whole()
    code, name = one_school(tables)
    blank(tables, "schools", code, "primary_students")
    home = write_district(tmp_path, tables, settings, PHASES, style=PLAIN, delivered_on=DAY)
    result = precheck(home, date(2024, 2, 1))
    (finding,) = [
        f for f in result.findings if f.rule == "inputs_are_complete" and "小学在校生数" in f.detail
    ]
    assert (finding.file, finding.level) == (f"{DAY}/schools.csv", "警告")
    assert finding.cells[0].letter and finding.cells[0].header == "primary_students"
    assert "小学 R1、R2、R3、R4、R5、R6、R7 共 7 项差异系数无法判定" in finding.detail
    assert name in finding.detail
    assert main(["check", str(home)]) == 1
    out = capsys.readouterr().out
    assert "缺报，使判定悬空（inputs_are_complete）" in out
    schools = next(line for line in out.splitlines() if line.startswith("学校名册 "))
    assert "没有发现问题" not in schools
    written = write_report(result, tmp_path / "report")
    assert written[0].name == SUMMARY_NAME


def test_the_list_stands_in_a_workbook_and_on_the_site(tmp_path: Path) -> None:
    tables, settings = whole()
    code, name = one_school(tables)
    tables["facilities"] = [row for row in tables["facilities"] if row["school_code"] != code]
    write_district(tmp_path, tables, settings, PHASES, style=PLAIN, delivered_on=DAY)
    publication = refresh(places(tmp_path))
    with connect(publication.path, read_only=True) as con:
        evaluation = published_evaluations(con)[0]
        write_missing(con, evaluation, tmp_path / "缺报清单.xlsx")
        build_site(con, tmp_path / "published")
    sheet = openpyxl.load_workbook(tmp_path / "缺报清单.xlsx")["缺报清单"]
    line = [[c.value for c in row] for row in sheet.iter_rows() if row[0].value == 1]
    assert line[0][1:5] == [
        "办学条件",
        name,
        "整行或整表",
        "R4、R5、R6、R7、primary R4、primary R5、primary R6、primary R7".replace("primary", "小学"),
    ]
    page = (tmp_path / "published" / "site" / "district" / "120114" / "quality.html").read_text(
        encoding="utf-8"
    )
    assert f"{name} “办学条件”整行没有报送：R4、R5、R6、R7 无法判定" in page
