"""Views of the publication: they open wherever the file is, and show their tables in words that people use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.vocabulary import macros, words
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.csv_copies import write_csv
from youjun_pipeline_tests.documented import documented_queries
from youjun_pipeline_tests.generate import Phase, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A publication copied under another name, as a person would copy it to another machine."""
    from datetime import date

    folder: Path = tmp_path_factory.mktemp("views")
    made = generate_district(0, n_schools=14)
    phases = (
        Phase("2023-a", "第一阶段", date(2023, 1, 1), date(2023, 12, 31)),
        Phase("2024-b", "第二阶段", date(2024, 1, 1), date(2024, 12, 31)),
    )
    write_district(folder, made.tables, made.settings, phases)
    target = folder / "拿回家.duckdb"
    shutil.copy(refresh(places(folder)).path, target)
    with connect(target, read_only=True) as con:
        yield con


def test_latest_views_hold_the_last_phase_alone(moved: duckdb.DuckDBPyConnection) -> None:
    for view in ("school_indicator", "stage_balance", "district_indicator", "finding", "school_verdict"):
        assert moved.execute(f"select distinct phase_id from bi.latest_{view}").fetchall() == [("2024-b",)]
    assert moved.execute(
        "select district_code, province_code, city_code, latest_phase_id from bi.dim_district"
    ).fetchall() == [("120114", "120000", "120100", "2024-b")]
    assert moved.execute("select phase_id, is_latest from bi.dim_phase order by 1").fetchall() == [
        ("2023-a", False),
        ("2024-b", True),
    ]
    schools, distinct = moved.execute(
        "select count(*), count(distinct school_code) from bi.dim_school"
    ).fetchall()[0]
    assert schools == distinct > 0


def test_chinese_views_say_it_in_words(moved: duckdb.DuckDBPyConnection) -> None:
    words = {w for (w,) in moved.execute('select distinct "状态" from zh."学校指标"').fetchall()}
    assert words <= {"达标", "按过渡政策达标", "达到85%", "未达标", "缺数据", "不适用"}
    assert len(words) > 1
    assert {s for (s,) in moved.execute('select distinct "学段" from zh."学校指标"').fetchall()} == {
        "小学",
        "初中",
        "小学和初中",
    }
    same = moved.execute(
        'select (select count(*) from zh."学校指标") = (select count(*) from mart.school_indicator)'
    )
    assert same.fetchall() == [(True,)]


def test_everything_published_is_explained(moved: duckdb.DuckDBPyConnection) -> None:
    silent = moved.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal and comment is null "
        "and schema_name in ('mart', 'quality', 'ops', 'plan', 'bi', 'zh')"
    ).fetchall()
    assert silent == []
    assert moved.execute("select table_name from duckdb_tables() where comment is null").fetchall() == []
    known = moved.execute(
        "select count(*) from meta.column_dictionary d anti join duckdb_columns() c "
        "on d.table_name = c.schema_name || '.' || c.table_name and d.column_name = c.column_name"
    ).fetchall()
    assert known == [(0,)]


def test_documented_queries_answer(sample: Settings) -> None:
    """The queries as printed in docs/bi.md, on the sample districts that they name."""
    with connect(sample.published / "youjun.duckdb", read_only=True) as con:
        rows = [con.execute(query).fetchall() for query in documented_queries().values()]
    standing, failing, province, schools, wideners, findings, origin = rows
    assert ("武清区", "2023-startup", 114, 52, 8, False) in standing
    assert province[0][0] == "武清区" and province[0][1] == pytest.approx(52 / 114)
    # the counts of both districts against the rows of one: 宝坻 has no R4 failing
    assert [row[1:3] for row in failing if row[0] == "R4"] == [(21, 5)]
    assert len([row for row in schools if row[3] == "R4"]) == 26
    assert len(wideners) == 10 and wideners == sorted(wideners, key=lambda row: -row[3])
    assert findings == [("2023-startup", "open", 90)]
    assert {row[4] for row in origin} == {"facilities.csv", "schools.xlsx"}


def test_sentences_and_views_use_the_words_of_the_vocabulary(moved: duckdb.DuckDBPyConnection) -> None:
    moved.execute(macros())
    moved.execute("set variable floor_word = '85%'")
    for macro, kind in (("status_word(status)", "status"), ("stage_word(stage)", "stage")):
        codes = list(words(kind))
        column = macro[macro.index("(") + 1 : -1]
        said = moved.execute(
            f"select {macro} from (select unnest($1::varchar[]) as {column})", [codes]
        ).fetchall()
        assert dict(zip(codes, (w for (w,) in said), strict=True)) == words(kind, "85%")
    shown = moved.execute("select distinct 状态 from zh.学校指标").fetchall()
    assert {word for (word,) in shown} <= set(words("status", "85%").values())


def test_inputs_add_up_without_counting_twice(moved: duckdb.DuckDBPyConnection) -> None:
    of_phase = "where phase_id = '2024-b'"
    for given, wanted in (
        (
            "input = 'schools.primary_students'",
            f"select sum(primary_students) from mart.school {of_phase}",
        ),
        (
            "input = 'teachers.full_time' and stage = 'junior'",
            f"select sum(full_time_teachers) from mart.section {of_phase} and stage = 'junior'",
        ),
        ("input = 'classes.classes'", f"select sum(classes) from mart.section {of_phase}"),
        ("input = 'classes.students'", f"select sum(students) from mart.class {of_phase}"),
        # a school's area once, whatever stages it teaches
        (
            "input = 'facilities.teaching_area_m2'",
            "select sum(value) from (select distinct school_code, value from mart.lineage "
            f"{of_phase} and input = 'facilities.teaching_area_m2')",
        ),
    ):
        found = f"select sum(value) from mart.input {of_phase} and {given}"
        found += " and in_scope" if "lineage" in wanted else ""
        ((value, expected),) = moved.execute(f"select ({found}), ({wanted})").fetchall()
        assert value == pytest.approx(expected) and value > 0, given
    named = moved.execute("select count(*) from bi.wide_input where input_name is null or unit is null")
    assert named.fetchall() == [(0,)]


def test_classes_say_whether_they_are_over_the_limit(sample: Settings) -> None:
    with connect(sample.published / "youjun.duckdb", read_only=True) as con:
        over, judged = con.execute(
            "select (select count(*) from mart.class where is_over and in_scope), "
            "(select sum(numerator) from mart.school_indicator where indicator_code = 'G5')"
        ).fetchall()[0]
    assert over == judged > 0


def test_wide_views_and_bridges_keep_the_rows(moved: duckdb.DuckDBPyConnection) -> None:
    for wide in ("school_indicator", "stage_balance", "finding", "input"):
        both = moved.execute(
            f"select (select count(*) from bi.wide_{wide}), (select count(*) from mart.{wide})"
        )
        ((shown, held),) = both.fetchall()
        assert shown == held > 0
        assert not {"unit_1", "indicator_name_1", "school_name_1"} & {
            name for (name, *_) in moved.execute(f"describe bi.wide_{wide}").fetchall()
        }
    assert moved.execute(
        "select count(*) = (select sum(len(failing_indicators)) from mart.school_verdict), "
        "count(*) filter (indicator_name is null) from bi.bridge_verdict_indicator "
        "left join bi.dim_indicator using (indicator_id)"
    ).fetchall() == [(True, 0)]


def test_csv_stands_beside_parquet_where_it_is_asked_for(sample: Settings, tmp_path: Path) -> None:
    shutil.copy(sample.published / "youjun.duckdb", tmp_path)
    write_csv(tmp_path)
    lines = (tmp_path / "csv" / "mart.school.csv").read_bytes().decode("utf-8").splitlines()
    assert lines[0].startswith("\ufeffdistrict_code,phase_id,school_code")
    with connect(tmp_path / "youjun.duckdb", read_only=True) as con:
        assert len(lines) - 1 == con.execute("select count(*) from mart.school").fetchall()[0][0]
