"""Prices may name a school year: refresh, command, page and workbooks then plan for the pupils forecast for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb
import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.planning.enrolment import forecast_of
from youjun_pipeline.planning.judge import figures_of
from youjun_pipeline.planning.least_cost.command import DELIVERED, ProposeError, Request, propose_plan
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.prices import PricesError
from youjun_pipeline.reports import proposal, proposal_schools
from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.session import Session, evaluated_in_memory, in_memory
from youjun_pipeline.site.ahead import planning_pages
from youjun_pipeline.site.read import read_districts
from youjun_pipeline.site.writer import Writer
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.steps import places

# A whole refresh, and whole plans of the command beside it.
pytestmark = pytest.mark.long

PHASE, YEAR, FAR = "2023-startup", 2025, 2099
# districts: prices that name a year with a forecast, none, a year without one
CODES = {"330103": f"pupils_of = {YEAR}\n", "330104": "", "330105": f"pupils_of = {FAR}\n"}
COMING, NOW, WRONG = CODES
WORDS = f"按 {YEAR} 学年的预测学生数"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same generated district three times, with different prices."""
    folder = tmp_path_factory.mktemp("districts")
    for code, prices in CODES.items():
        made = generate_district(3, n_schools=12, code=code, profile="passing")
        write_district(folder, made.tables, made.settings, seed=3, code=code, slug="made-up", name=code)
        (folder / f"{code}-made-up" / "prices.toml").write_text(prices, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A refresh of all of them, in memory."""
    with in_memory() as con:
        session = Session(con, places(folder))
        session.ingest(scan(folder))
        session.begin("test", phases=(PHASE,))
        session.build()
        yield con


def asked(folder: Path, code: str, pupils_of: int | None = None, write: Path | None = None) -> str:
    """What `youjun propose` prints."""
    settings = places(folder)
    request = Request(code, PHASE, Aims(), folder=write, pupils_of=pupils_of)
    return propose_plan(settings, request, partial(evaluated_in_memory, settings))[0]


def heads(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[object, ...]]:
    rows = con.execute(
        "select district_code, verdict, pupils_of, pupils from plan.proposal_summary"
    ).fetchall()
    return {code: tuple(rest) for code, *rest in rows}


def lines_of(con: duckdb.DuckDBPyConnection, code: str) -> list[tuple[object, ...]]:
    return con.execute(
        "select school_code, stage, what, round(quantity, 4) from plan.proposal where district_code = ? order by all",
        [code],
    ).fetchall()


def test_a_refresh_plans_for_the_pupils_that_the_prices_name(con: duckdb.DuckDBPyConnection):
    found = heads(con)
    assert found[COMING][1:] == (YEAR, WORDS)
    assert found[NOW][1:] == (None, "按已填报的学生数")
    assert found[COMING][0] in ("proved", "partial")
    assert lines_of(con, COMING) != lines_of(con, NOW)
    pupils = dict(
        con.execute(
            "select (school_code, stage), any_value(students_before) from plan.proposal_effect "
            "where district_code = ? and level = 'school' and stage is not null group by all",
            [COMING],
        ).fetchall()
    )
    said = forecast_of(con, COMING, PHASE)(YEAR)
    coming = {(r.school_code, r.stage): round(r.students) for r in said.itertuples()}
    shared = coming.keys() & pupils.keys()
    assert len(shared) > 8
    assert {key: pupils[key] for key in shared} == {key: coming[key] for key in shared}


def test_the_delivered_figures_stay_as_they_are(con: duckdb.DuckDBPyConnection):
    here, there = (figures_of(con, code, PHASE).schools for code in (COMING, NOW))
    assert (here["primary_students"].fillna(0) == there["primary_students"].fillna(0)).all()
    assert not con.execute("from raw.delivered_file where contains(content_sha256, '@')").fetchall()


def test_the_command_plans_as_the_refresh_did(con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path):
    text = asked(folder, COMING, write=tmp_path)
    assert text.startswith(WORDS)
    summary = con.execute(
        "select split_part(summary, '。', 1) from plan.proposal_summary where district_code = ?", [COMING]
    ).fetchall()[0][0]
    assert summary in text
    written = (tmp_path / "最省方案.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(written) - 1 == len(lines_of(con, COMING))
    assert "forecast_pupils" in (tmp_path / "least-cost.toml").read_text(encoding="utf-8")
    # somebody may ask for other pupils than the prices name
    assert asked(folder, COMING, DELIVERED).startswith("按已填报的学生数")
    assert asked(folder, NOW, YEAR).startswith(WORDS)


def test_page_and_workbooks_say_whose_pupils_the_plan_is_for(con: duckdb.DuckDBPyConnection, tmp_path: Path):
    evaluations = {e.district_code: e for e in published_evaluations(con)}
    for district in read_districts(con, [COMING, NOW]):
        words = str(heads(con)[district.code][2])
        (page,) = [p for p in planning_pages(district) if p.template == "proposal.html"]
        Writer(tmp_path, tmp_path).write(
            page.name,
            page.template,
            {"district": district, "title": page.title, "crumbs": [], "common": [], "is_reconstructed": False}
            | page.context,
        )
        assert f'<span id="pupils">{words}</span>' in (tmp_path / page.name).read_text(encoding="utf-8")
        for report in (proposal, proposal_schools):
            path = tmp_path / f"{report.TITLE}.xlsx"
            report.write_published(con, evaluations[district.code], path)
            sheet = openpyxl.load_workbook(path).worksheets[0]
            told = [str(cell.value) for row in sheet.iter_rows(max_row=8) for cell in row if cell.value]
            assert any(words in text for text in told)


def test_a_year_without_a_forecast_is_told_with_its_place_and_what_to_do(
    con: duckdb.DuckDBPyConnection, folder: Path, capsys: pytest.CaptureFixture[str]
):
    told = f"prices.toml：pupils_of：没有 {FAR} 学年的预测，请改为 2024 至 2032 之间的学年，或不填"
    assert heads(con)[WRONG][0] == "unknown"
    sentence = con.execute(
        "select sentence from plan.proposal_obstacle where district_code = ?", [WRONG]
    ).fetchall()[0][0]
    assert told in sentence
    assert sentence.endswith(f"（现为 {FAR}）")
    with pytest.raises(PricesError, match=told):
        asked(folder, WRONG)
    with pytest.raises(ProposeError, match=f"^--pupils-of {FAR}：没有 {FAR} 学年的预测"):
        asked(folder, NOW, FAR)
    assert main(["check", str(folder / f"{WRONG}-made-up")]) == 1
    assert told in capsys.readouterr().out


def test_the_option_takes_a_school_year(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["propose", COMING, PHASE, "--pupils-of", "28"])
    assert "28 不是学年：请写四位数的年份" in capsys.readouterr().err
