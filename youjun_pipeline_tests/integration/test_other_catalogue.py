"""A catalogue that adds a veto, a ratio and a waiver and changes two limits.

Districts on it are judged by it, districts on the national catalogue of 2017 do not change, and a faulty catalogue stops only the
districts that name it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from youjun_pipeline.contracts import load_datasets, loader
from youjun_pipeline.explain.find import explain
from youjun_pipeline.session import open_session
from youjun_pipeline.settings import Settings
from youjun_pipeline.standard import Comparison, catalogue, comparison, load_catalogue
from youjun_pipeline.templates.books import write_templates
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.rule_impact import build_rule_impact
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

OLD, NEW, DRAFT = "130001", "130002", "130003"
NATIONAL_2027 = """
extends = "national-2017"
id = "national-2027"
name = "国家2027版（试验）"
document = "某文"
issued_on = 2027-01-01

[indicators.V8]
name = "挪用教育经费"
short_name = "挪用经费"
category = "veto"
level = "district"
unit = "结论"
direction = "not_occur"
evidence_based = true
clause = "某文第8项"
display_decimals = 0
numerator_text = "填报结论"
denominator_text = "无"
formula_text = "填报结论为达标，即未发生"

[indicators.G16]
name = "实验课开足率"
short_name = "实验开出"
category = "government"
level = "district"
unit = "比例"
direction = "at_least"
limit_by = "district"
limits = { district = "0.9" }
clause = "某文第16项"
display_decimals = 1
numerator_text = "已开出的实验数"
denominator_text = "应开出的实验数"
formula_text = "已开出÷应开出"
items = { required = { name = "应开出实验数", unit = "个" }, done = { name = "已开出实验数", unit = "个" } }
parts = [{ name = "实验开出", numerator = ["assurance.G16.done"], denominator = ["assurance.G16.required"], is_share = true }]

[indicators.Q2.limits]
district = "0.97"

[indicators.R2.limits]
primary = "9"

[waivers.W9]
indicator_code = "R2"
name = "新建学校骨干教师"
starts = 2020-01-01
ends = 2029-12-31
effect_text = "早年建校的学校，走教教师计入"
any_of = [["built_until"]]
adds = ["teachers.visiting_pe_art"]
[waivers.W9.parameters.built_until]
value = "1999"
"""
WRONG = 'extends = "national-2017"\nid = "draft"\nname = "草稿"\n[indicators.R1.limits]\nprimary = 5\n'


def forget() -> None:
    """Forget catalogues that were read before, so that they are read again."""
    for remembered in (load_catalogue, catalogue.catalogue_of, load_datasets, loader._datasets_by_stem):
        remembered.cache_clear()


def district(folder: Path, code: str, standard: str, **more: Any) -> None:
    """A district that passes the standard of 2017, with `more` added to its assurance items."""
    made = generate_district(1, n_schools=16, profile="passing", leading_zero=False)
    tables = {name: deepcopy(rows or []) for name, rows in made.tables.items()}
    for item, given in more.items():
        row = dict.fromkeys(tables["assurance"][0]) | {"item": item.replace("_", "."), **given}
        tables["assurance"].append(row)
    for row in tables["teachers"]:
        row["visiting_pe_art"] = 50
    for row in tables["assurance"]:
        if row["item"] == "Q2.enrolled":
            row["value"] = (
                Decimal(next(r for r in tables["assurance"] if r["item"] == "Q2.eligible")["value"])
                * 96
                / 100
            )
    write_district(
        folder, tables, made.settings, style=PLAIN, code=code, slug="x", name=code, standard=standard
    )


@pytest.fixture(scope="module")
def standards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of catalogues with two additional ones."""
    folder = tmp_path_factory.mktemp("standards")
    shutil.copy(catalogue.CATALOGUES / "national-2017.toml", folder)
    (folder / "national-2027.toml").write_text(NATIONAL_2027, encoding="utf-8")
    (folder / "draft.toml").write_text(WRONG, encoding="utf-8")
    compared = folder / "comparisons"
    shutil.copytree(comparison.COMPARISONS, compared)
    (compared / "as-drafted.toml").write_text('title = "按草稿"\nstandard = "draft"\n', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "CATALOGUES", folder)
        patch.setattr(comparison, "COMPARISONS", compared)
        forget()
        yield folder
    forget()


def dump(published: Path, district_code: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every published mart row of a district, without run ids."""
    found = {}
    with connect(published / FILE_NAME, read_only=True) as con:
        tables = con.execute(
            "select table_name from duckdb_tables() where schema_name = 'mart' order by 1"
        ).fetchall()
        for (table,) in tables:
            columns = [row[0] for row in con.execute(f"describe mart.{table}").fetchall()]
            if "district_code" in columns:
                kept = ", ".join(f'"{c}"' for c in columns if c not in ("run_id", "evaluated_at"))
                sql = f"select {kept} from mart.{table} where district_code = ? order by all"
                rows = con.execute(sql, [district_code]).fetchall()
                found[table] = [tuple(map(steady, row)) for row in rows]
    return found


def steady(value: Any) -> Any:
    """A value without the last digits of a sum, which another district in the run may change."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    """The district of 2017 without other catalogues on file and without other districts."""
    folder = tmp_path_factory.mktemp("alone")
    district(folder, OLD, "national-2017")
    refresh(places(folder))
    return dump(folder / "published", OLD)


@pytest.fixture(scope="module")
def settings(
    alone: dict[str, list[tuple[Any, ...]]], standards: Path, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    folder = tmp_path_factory.mktemp("both")
    district(folder, OLD, "national-2017")
    done = {"G16_required": {"value": 100}, "G16_done": {"value": 89}}
    district(folder, NEW, "national-2027", V8={"conclusion": "met"}, **done)
    district(folder, DRAFT, "draft")
    chosen = places(folder)
    with open_session(chosen) as session:
        session.ingest()
        session.begin("run-1")
        session.build()
        session.check()
        session.publish()
        session.report()
    return chosen


@pytest.fixture(scope="module")
def con(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(settings.published / FILE_NAME, read_only=True) as con:
        yield con


def statuses(con: duckdb.DuckDBPyConnection, code: str) -> dict[str, tuple[str, str]]:
    return {
        indicator: (status, summary)
        for indicator, status, summary in con.execute(
            "select indicator_code, status, summary from mart.district_indicator where district_code = ?",
            [code],
        ).fetchall()
    }


def test_a_comparison_with_a_wrong_draft_stops_itself_alone(con: duckdb.DuckDBPyConnection) -> None:
    """This case once failed the whole run."""
    ((message,),) = con.execute(
        "select message from quality.check_result where check_name = 'folder_notice' and district_code is null"
    ).fetchall()
    assert message.startswith("规则对照“as-drafted”本次没有进行：标准目录 draft.toml 不能使用")
    assert "indicators.R1.limits.primary" in message
    made = con.execute("select distinct compared_with from mart.rule_impact").fetchall()
    assert made and ("as-drafted",) not in made


def test_a_district_on_2017_stays_as_it_was(
    alone: dict[str, list[tuple[Any, ...]]], settings: Settings
) -> None:
    together = dump(settings.published, OLD)
    assert together.keys() == alone.keys()
    assert [table for table, rows in alone.items() if rows != together[table]] == []
    assert alone["district_verdict"] and alone["school_indicator"]


def test_a_district_on_2027_is_judged_by_it(con: duckdb.DuckDBPyConnection) -> None:
    old, new = statuses(con, OLD), statuses(con, NEW)
    assert set(new) - set(old) == {"V8", "G16"}
    assert new["V8"][0] == "met"
    assert new["G16"] == ("below", "实验开出 89%，标准 90%：未达标")
    assert (old["Q2"][0], new["Q2"][0]) == ("met", "below")
    limits = con.execute(
        "select district_code, min(threshold) from mart.school_indicator where indicator_code = 'R2' and stage = 'primary' "
        "group by all order by 1"
    ).fetchall()
    assert limits == [(OLD, 1.0), (NEW, 9.0)]
    blocking = con.execute(
        "select blocking from mart.district_verdict where district_code = ?", [NEW]
    ).fetchall()[0][0]
    assert [text.split()[0] for text in blocking if text[0] in "GQ"] == ["G16", "Q2"]


def test_its_waiver_holds_for_schools_that_meet_its_condition(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select distinct s.built_year <= 1999, i.waiver from mart.school_indicator i "
        "join mart.school s using (district_code, phase_id, school_code) "
        "where i.district_code = ? and i.indicator_code = 'R2' and i.status = 'met_by_waiver'",
        [NEW],
    ).fetchall()
    assert rows == [(True, "W9")]
    assert con.execute(
        "select count(*) from mart.school_indicator where waiver = 'W9' and district_code = ?", [OLD]
    ).fetchall() == [(0,)]
    traced = con.execute(
        "select distinct input from mart.lineage where district_code = ? and waiver = 'W9' order by 1", [NEW]
    ).fetchall()
    assert traced == [("schools.built_year",), ("teachers.visiting_pe_art",)]


def test_a_draft_that_is_wrong_stops_its_district_alone(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("select district_code from mart.evaluation order by 1").fetchall() == [(OLD,), (NEW,)]
    said = con.execute(
        "select message from quality.check_result where district_code = ? and severity = 'blocking' and not passed",
        [DRAFT],
    ).fetchall()
    assert any(
        "draft.toml 不能使用" in message and "indicators.R1.limits.primary" in message for (message,) in said
    )


def test_forms_and_pages_show_what_it_adds(settings: Settings, con: duckdb.DuckDBPyConnection) -> None:
    texts = {}
    for code in (OLD, NEW):
        phase = con.execute(
            "select phase_id from mart.evaluation where district_code = ?", [code]
        ).fetchall()[0][0]
        book = openpyxl.load_workbook(settings.published / "official" / code / f"{phase}.xlsx")
        texts[code] = {
            str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value
        }
    for name in ("挪用教育经费", "实验课开足率", "已开出实验数"):
        assert any(name in text for text in texts[NEW]), name
        assert not any(name in text for text in texts[OLD]), name
    pages = [
        p
        for p in (settings.published / "site").rglob("*.html")
        if "实验课开足率" in p.read_text(encoding="utf-8")
    ]
    assert pages
    assert not [p for p in pages if OLD in str(p) and NEW not in str(p)]


def test_templates_ask_for_its_items(standards: Path, tmp_path: Path, settings: Settings) -> None:
    from youjun_pipeline.templates.books import newest_roster

    items = {}
    for code in (OLD, NEW):
        write_templates(tmp_path / code, newest_roster(settings.data, code))
        sheet = openpyxl.load_workbook(tmp_path / code / "assurance.xlsx").worksheets[0]
        items[code] = {str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value}
    assert {"V8", "G16.done", "已开出实验数"} <= items[NEW]
    assert not {"V8", "G16.done", "已开出实验数"} & items[OLD]


def test_explain_says_how_its_ratio_came_about(con: duckdb.DuckDBPyConnection) -> None:
    phase = con.execute("select phase_id from mart.evaluation where district_code = ?", [NEW]).fetchall()[0][
        0
    ]
    text = explain(con, NEW, phase, "G16")
    assert "指标值＝89÷100＝0.89" in text
    assert "标准：不低于 90%" in text


def test_rule_impact_tells_what_2027_would_change_in_a_district_on_2017(
    settings: Settings, con: duckdb.DuckDBPyConnection
) -> None:
    expected = {code for code, (status, _) in statuses(con, OLD).items() if status == "met"}
    con.close()
    with open_session(settings) as session:
        # nothing changed since the first run; here everything is to be compared anew
        session.con.execute("delete from raw.standing")
        session.begin("run-2")
        build_rule_impact(session.con, [Comparison("next", "按2027版", "national-2027", {}, False)])
        rows = session.con.execute(
            "select indicator_code, status_before, status_after from mart.rule_impact where district_code = ? "
            "and level = 'district_indicator' order by 1",
            [OLD],
        ).fetchall()
    assert ("Q2", "met", "below") in rows and "Q2" in expected
    assert ("V8", "not_applicable", "no_data") in rows
    assert ("G16", "not_applicable", "no_data") in rows
