"""Views of the publication: they open wherever the file lies, and say what their tables say in words people use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.vocabulary import macros, words
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.documented import documented_queries
from youjun_pipeline_tests.generate import Phase, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A publication copied to another name, as somebody takes it home."""
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
        "and schema_name in ('mart', 'quality', 'ops')"
    ).fetchall()
    assert silent == []
    assert moved.execute("select table_name from duckdb_tables() where comment is null").fetchall() == []
    known = moved.execute(
        "select count(*) from meta.column_dictionary d anti join duckdb_columns() c "
        "on d.table_name = c.schema_name || '.' || c.table_name and d.column_name = c.column_name"
    ).fetchall()
    assert known == [(0,)]


def test_documented_queries_answer(sample: Settings) -> None:
    """The queries of docs/bi.md as they are printed, on the sample districts that they name."""
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
