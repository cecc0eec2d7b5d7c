"""`mart.rule_impact` and its scenario: other rules, the same models, the connection as before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.standard import (
    Catalogue,
    CatalogueError,
    Comparison,
    available_catalogues,
    load_catalogue_file,
    load_comparisons,
    usable_comparisons,
)
from youjun_pipeline.standard.comparison import COMPARISONS
from youjun_pipeline.warehouse import rule_impact
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.models import behind
from youjun_pipeline.warehouse.rule_impact import build_rule_impact
from youjun_pipeline.warehouse.run import RUN_TABLES, RunScope, begin_run, district_slices, narrowed_to
from youjun_pipeline.warehouse.scenario import VERDICTS, ScenarioError, Variant, scenario
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.sample_districts import BAODI, STARTUP, WUQING, YEAR_2020

STRICTER = """
id = "stricter"
name = "提高后的标准"
extends = "national-2017"
[indicators.R4.limits]
primary = "5.0"
[stages.primary]
cv_limit = "0.20"
"""


@pytest.fixture(scope="module")
def impact(sample: Settings) -> list[dict[str, Any]]:
    """The published table."""
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        return rows_of(con, "select * from mart.rule_impact")


@pytest.fixture
def con(sample: Settings, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the working database with its run open again."""
    path = shutil.copy(sample.warehouse, tmp_path / "w h.duckdb")
    with connect(Path(path)) as con:
        begin_run(con, RunScope("run-2", (YEAR_2020, STARTUP), date(2026, 1, 1)))
        yield con


@pytest.fixture
def stricter(tmp_path: Path) -> Catalogue:
    path = tmp_path / "stricter.toml"
    path.write_text(STRICTER, encoding="utf-8")
    return load_catalogue_file(path)


def rows_of(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    cursor = con.execute(sql, list(values))
    names = [d[0] for d in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def column(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[Any]:
    return [row[0] for row in con.execute(sql, list(values)).fetchall()]


def state(con: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """What a scenario must not change."""
    tables = {name: sorted(map(repr, con.execute(f"from temp.run_{name}").fetchall())) for name in RUN_TABLES}
    return (
        column(con, "select database_name from duckdb_databases() order by 1"),
        con.execute("select current_database(), current_schema()").fetchall(),
        column(con, "select table_name from duckdb_tables() where temporary order by 1"),
        tables,
        con.execute("select * from mart.school_indicator order by all").fetchall(),
    )


# ------------------------------------------------------------------------------------ what the comparisons on file show


def test_without_waivers_the_two_large_old_schools_of_wuqing_fail(impact: list[dict[str, Any]]) -> None:
    lapsed = [r for r in impact if r["compared_with"] == "waivers-lapsed"]
    assert {
        (r["district_code"], r["phase_id"], r["level"], r["indicator_code"], r["stage"]) for r in lapsed
    } == {(WUQING, STARTUP, "school", "G4", "primary")}
    assert {r["school_name"]: (r["status_before"], r["status_after"]) for r in lapsed} == dict.fromkeys(
        ("杨村第八小学", "杨村第十四小学"), ("met_by_waiver", "below")
    )
    large = next(r for r in lapsed if r["school_name"] == "杨村第十四小学")
    assert large["reason"] == "过渡政策全部到期：义务教育在校生 2092 人，上限 2000 人：未达标，超 92 人"
    assert large["compared_title"] == "过渡政策全部到期"


def test_combined_rooms_let_schools_pass_whose_rooms_add_up(
    sample: Settings, impact: list[dict[str, Any]]
) -> None:
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        expected = column(
            con,
            """
            select school_code from mart.school_indicator i
            join mart.lineage l using (district_code, phase_id, school_code, stage, indicator_code)
            where indicator_code = 'G3' and i.status = 'below' and l.input = 'special_rooms.area_m2'
            group by school_code, i.threshold
            having count(*) filter (l.detail like '音乐%' and l.value >= 96)
                + count(*) filter (l.detail like '美术%' and l.value >= 90) >= i.threshold
            order by 1
            """,
        )
    combined = [r for r in impact if r["compared_with"] == "rooms-combined"]
    assert len(expected) == 18
    assert sorted(r["school_code"] for r in combined if r["level"] == "school") == expected
    assert {(r["status_before"], r["status_after"]) for r in combined} == {("below", "met")}
    assert all("合计" in r["reason"] for r in combined if r["level"] == "school")


def test_8000_yuan_fails_where_the_funds_lie_between(impact: list[dict[str, Any]]) -> None:
    raised = [r for r in impact if r["compared_with"] == "special-education-8000"]
    assert [
        (r["district_code"], r["level"], r["indicator_code"], r["status_before"], r["status_after"])
        for r in raised
    ] == [(BAODI, "district_indicator", "G7", "met", "below")]
    assert raised[0]["reason"].endswith("特殊教育生均公用经费 6600，标准 8000：未达标")


def test_rows_belong_to_the_run_and_the_evaluation_they_compare(
    sample: Settings, impact: list[dict[str, Any]]
) -> None:
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        evaluations = con.execute("select district_code, phase_id, run_id from mart.evaluation").fetchall()
        failed = con.execute(
            "select check_name, message from quality.check_result where not passed and severity = 'blocking'"
        )
        assert failed.fetchall() == []
    assert {(r["district_code"], r["phase_id"], r["run_id"]) for r in impact} <= set(evaluations)


# -------------------------------------------------------------------------------------------------- other comparisons


def test_another_catalogue_moves_exactly_the_values_between_the_thresholds(
    con: duckdb.DuckDBPyConnection, stricter: Catalogue
) -> None:
    build_rule_impact(con, [Comparison("stricter", "提高后", "stricter", {}, False)], [stricter])
    between = column(
        con,
        "select school_code from mart.school_indicator where indicator_code = 'R4' and stage = 'primary' "
        "and value >= 4.5 and value < 5.0 order by 1",
    )
    got = rows_of(con, "select * from mart.rule_impact where level = 'school'")
    assert between and sorted(r["school_code"] for r in got if r["status_before"] == "met") == between
    assert {(r["indicator_code"], r["stage"]) for r in got} == {("R4", "primary")}
    worse = column(
        con,
        "select school_code from mart.school_indicator where indicator_code = 'R4' and stage = 'primary' "
        "and value >= 4.5 * 0.85 and value < 5.0 * 0.85 order by 1",
    )
    assert (
        sorted(r["school_code"] for r in got if (r["status_before"], r["status_after"]) == ("near", "below"))
        == worse
    )
    over = con.execute(
        "select district_code, indicator_code from mart.stage_balance where stage = 'primary' and cv > 0.20 and cv <= 0.50"
    ).fetchall()
    stages = rows_of(con, "select * from mart.rule_impact where level = 'stage'")
    assert sorted((r["district_code"], r["indicator_code"]) for r in stages) == sorted(over)
    assert {(r["status_before"], r["status_after"]) for r in stages} == {("met", "below")}
    assert "stricter" not in column(con, "select standard_id from standard.catalogue")
    assert column(con, "select distinct run_id from mart.rule_impact") == ["run-2"]


def test_a_school_left_out_by_an_option_is_said_to_be_out(con: duckdb.DuckDBPyConnection) -> None:
    private = column(
        con, "select school_code from mart.school where sponsor_code = 10 and in_scope order by 1"
    )
    build_rule_impact(con, [Comparison("public", "只看公办", None, {"include_private": "false"}, False)])
    out = rows_of(
        con, "select * from mart.rule_impact where status_after = 'not_applicable' and level = 'section'"
    )
    assert private and sorted({r["school_code"] for r in out}) == private
    assert {r["reason"] for r in out} == {"只看公办：不再纳入评估"}


def test_what_is_the_rule_already_changes_nothing(con: duckdb.DuckDBPyConnection) -> None:
    same = [Variant("same", options={"music_art_rule": "each"}), Variant("own", "national-2017")]
    with scenario(con, same) as made:
        assert made == 0
        assert column(con, "select count(*) from youjun_scenario.mart.school_indicator") == [0]


# -------------------------------------------------------------------------------------------------------- the scenario


def test_what_is_computed_in_part_is_what_is_computed_in_full(con: duckdb.DuckDBPyConnection) -> None:
    variants = [Variant(c.id, c.standard, c.options, c.without_waivers) for c in load_comparisons()]
    results = []
    # other figures that are none make every model be computed anew
    none: dict[str, str] = {}
    for files in (None, none):
        with scenario(con, variants, files=files):
            results.append(
                {
                    table: con.execute(
                        f"select * exclude (run_id) from youjun_scenario.{table} order by all"
                    ).fetchall()
                    for table in VERDICTS
                }
            )
    assert all(results[0].values())
    assert results[0] == results[1]


def test_other_figures_flow_through_the_models(con: duckdb.DuckDBPyConnection) -> None:
    """One school with more teaching area in one variant: its R4 passes there, and the coefficient changes with it."""
    school = "2120114001"
    more = f"""
        select e.district_code, e.phase_id, a.* exclude (content_sha256)
            replace (teaching_area_m2 + if(e.variant = 'built' and school_code = '{school}', 5000, 0) as teaching_area_m2)
        from main.evaluation e
        join temp.run_chosen_file f using (district_code, phase_id)
        join accepted.facilities a using (content_sha256)
        where f.dataset = 'facilities'
    """
    query = (
        "select e.variant, i.value, i.status, b.cv from youjun_scenario.mart.school_indicator i "
        "join youjun_scenario.main.evaluation e using (district_code, phase_id) "
        "join youjun_scenario.mart.stage_balance b using (district_code, phase_id, stage, indicator_code) "
        f"where school_code = '{school}' and i.indicator_code = 'R4' order by 1"
    )
    with scenario(con, [Variant("as-is"), Variant("built")], files={"facilities": more}) as made:
        as_is, built = rows_of(con, query)
        assert made == 4
    pupils = column(con, "select primary_students from mart.school where school_code = ?", school)[0]
    base = rows_of(
        con,
        f"select value, status from mart.school_indicator where school_code = '{school}' and indicator_code = 'R4'",
    )
    assert (as_is["value"], as_is["status"]) == (base[0]["value"], "near")
    assert built["value"] == pytest.approx(as_is["value"] + 5000 / pupils) and built["status"] == "met"
    assert built["cv"] != as_is["cv"]


def test_the_connection_is_left_as_it_was(con: duckdb.DuckDBPyConnection) -> None:
    before = state(con)
    build_rule_impact(con)
    con.execute("drop table temp.run_comparison")
    assert state(con) == before


def test_slices_of_the_run_give_the_rows_of_the_whole(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country's evaluations are compared in slices of districts, because all at once take tens of GB."""
    rows = "select * from mart.rule_impact order by all"
    districts = "from temp.run_district order by all"
    before, of_run = state(con), con.execute(districts).fetchall()
    number = build_rule_impact(con)
    whole = con.execute(rows).fetchall()
    monkeypatch.setattr(rule_impact, "SLICE", 1)
    assert [len(codes) for codes in district_slices(con, 1)] == [1, 1]
    assert build_rule_impact(con) == number
    assert con.execute(rows).fetchall() == whole
    assert {row[0] for row in whole} == {WUQING, BAODI}
    con.execute("drop table temp.run_comparison")
    assert (state(con), con.execute(districts).fetchall()) == (before, of_run)
    with pytest.raises(RuntimeError, match="mine"), narrowed_to(con, [WUQING]):
        raise RuntimeError("mine")
    assert (state(con), con.execute(districts).fetchall()) == (before, of_run)


SHORT = "select district_code, phase_id, 1 as one from main.evaluation"


@pytest.mark.parametrize(
    ("variants", "files", "error", "message"),
    [
        ([Variant("x", "national-2099")], None, ScenarioError, "没有标准目录 national-2099"),
        ([Variant("x", options={"music": "each"})], None, ScenarioError, "没有选项 music"),
        ([Variant("x"), Variant("x")], None, ScenarioError, "名称重复 x"),
        ([Variant("x")], {"no_such": "select 1"}, ScenarioError, "没有数据集 no_such"),
        (
            [Variant("x")],
            {"schools": "select nonsense from main.evaluation"},
            duckdb.BinderException,
            "nonsense",
        ),
        ([Variant("x")], {"schools": SHORT}, ScenarioError, "schools.*one"),
    ],
)
def test_an_error_leaves_the_connection_as_it_was(
    con: duckdb.DuckDBPyConnection,
    variants: list[Variant],
    files: dict[str, str] | None,
    error: type[Exception],
    message: str,
) -> None:
    before = state(con)
    with pytest.raises(error, match=message), scenario(con, variants, files=files):
        pass
    assert state(con) == before
    with (
        pytest.raises(RuntimeError, match="mine"),
        scenario(con, [Variant("y", options={"music_art_rule": "combined"})]),
    ):
        raise RuntimeError("mine")
    assert state(con) == before


def test_every_option_is_found_in_the_models_that_read_it() -> None:
    """An option that no model uses would be taken for no change at all."""
    for option in ("include_private", "music_art_rule", "waivers", "special_education_funding_yuan"):
        touched = {m.full_name for m in behind(VERDICTS) if Variant("x", options={option: "y"}).touches(m)}
        assert touched, option
    lapsed = {m.full_name for m in behind(VERDICTS) if Variant("x", without_waivers=True).touches(m)}
    assert lapsed == {"core.active_waiver"}


# --------------------------------------------------------------------------------------------------- comparisons on file


def test_comparisons_are_no_catalogues() -> None:
    assert [c.id for c in load_comparisons()] == [
        "public-teachers-only",
        "rooms-combined",
        "rooms-per-stage",
        "rural-with-towns",
        "size-twelve-year",
        "special-education-8000",
        "survey-any-sample",
        "survey-each-method",
        "unverified-norms",
        "waivers-lapsed",
    ]
    assert not {c.id for c in load_comparisons()} & set(available_catalogues())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('title = "空"\n', "没有写明与现行规则的不同"),
        ('title = "x"\nstandard = "no-such"\n', "没有这个标准目录，现有：national-2017"),
        ('title = "x"\n[options]\nmusic = "each"\n', "没有这个选项，可用：include_private"),
        (
            'title = "x"\n[options]\nmusic_art_rule = "both"\n',
            "可选值：each、combined、per_stage（现为 'both'）",
        ),
        ('title = "x"\n[options]\ninclude_private = 1\n', "与选项的类型 flag 不符（现为 1）"),
        ("title = x\n", "不是有效的 TOML"),
    ],
)
def test_a_wrong_comparison_names_its_fault(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_comparisons(tmp_path)
    assert message in str(caught.value) and "wrong.toml" in str(caught.value)


def test_a_wrong_comparison_stops_itself_alone(tmp_path: Path) -> None:
    for path in COMPARISONS.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "draft.toml").write_text('title = "草案"\nstandard = "national-2027"\n', encoding="utf-8")
    usable, faults = usable_comparisons(tmp_path)
    assert [c.id for c in usable] == [c.id for c in load_comparisons()]
    (told,) = faults
    assert told.startswith("规则对照“draft”本次没有进行：")
    assert "没有这个标准目录，现有：national-2017" in told
