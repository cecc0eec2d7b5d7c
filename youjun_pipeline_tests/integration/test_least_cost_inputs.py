"""Whose pupils a plan is for and between which schools it moves them: forecast, neighbours by coordinates, unknown schools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.planning.enrolment import forecast_of
from youjun_pipeline.planning.judge import figures_of
from youjun_pipeline.planning.least_cost.answer import PARTIAL, PROVED, Answer, Found, find
from youjun_pipeline.planning.least_cost.coming_pupils import NoForecastError, expect_pupils
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.figures import read_figures
from youjun_pipeline.planning.least_cost.neighbours import Neighbours
from youjun_pipeline.planning.least_cost.prices import Prices, PricesError
from youjun_pipeline.planning.least_cost.proof import prove
from youjun_pipeline.planning.least_cost.write import write_plan
from youjun_pipeline.planning.scenario_file import read_scenario
from youjun_pipeline.planning.what_if import what_if
from youjun_pipeline.session import evaluated_in_memory
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.propose.__main__ import PRICES
from youjun_pipeline_tests.steps import places

CODE, PHASE, SEED = "330103", "2023-startup", 3
STANDARD = load_catalogue("national-2017")


def evaluated(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection | None]:
    (district,) = scan(folder).districts
    return evaluated_in_memory(places(folder), district, PHASE)


def prices(**pupils: str) -> Prices:
    return Prices.model_validate({**PRICES, "pupils": {"price": "0.5", **pupils}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated district of schools in a row, each 1 112 m north of the one before; the fourth has no coordinates."""
    folder = tmp_path_factory.mktemp("district")
    made = generate_district(SEED, n_schools=12, code=CODE, profile="passing")
    write_district(folder, made.tables, made.settings, seed=SEED, code=CODE, slug="made-up", name=CODE)
    (delivery,) = (folder / f"{CODE}-made-up" / "deliveries").iterdir()
    lines = [
        f"{row['school_code']},117," + ("" if n == 3 else f"{39 + n * 0.01:.2f}")
        for n, row in enumerate(made.tables["schools"] or [])
    ]
    text = "学校标识码,经度,纬度\n" + "\n".join(lines) + "\n"
    (delivery / "site_capacity.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with evaluated(folder) as con:
        assert con is not None
        yield con


def neighbours(con: duckdb.DuckDBPyConnection, told: Prices | None) -> list[Neighbours]:
    return read_figures(con, CODE, PHASE, STANDARD, told).neighbours


def test_schools_near_each_other_are_neighbours(con: duckdb.DuckDBPyConnection):
    assert neighbours(con, None) == neighbours(con, prices()) == []
    assert neighbours(con, prices(within_m="1100")) == []
    next_door = neighbours(con, prices(within_m="1200"))
    assert next_door
    assert all(pair.metres == pytest.approx(1112, abs=1) for pair in next_door)
    assert {(p.target, p.source) for p in next_door} == {(p.source, p.target) for p in next_door}


def test_a_plan_that_may_divert_has_a_bound(con: duckdb.DuckDBPyConnection):
    found = find(con, CODE, PHASE, STANDARD, prices(within_m="1200"), Aims())
    assert isinstance(found, Found)
    assert found.cost is not None
    assert found.bound is not None
    assert 0 <= found.bound <= found.cost * (1 + 1e-9)


def test_a_school_that_no_roster_knows_is_told(con: duckdb.DuckDBPyConnection):
    told = Prices.model_validate({**PRICES, "sites": [{"school": "1", "lever": "equipment", "most": "1"}]})
    with pytest.raises(PricesError, match=r"sites\.0\.school：学校名册中没有 1"):
        find(con, CODE, PHASE, STANDARD, told, Aims())


def test_a_plan_for_coming_pupils_is_proved_with_them(
    folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path
):
    year = 2025
    coming = forecast_of(con, CODE, PHASE)(year)
    assert len(coming)
    with evaluated(folder) as own:
        assert own is not None
        with pytest.raises(NoForecastError, match="没有 1999 年的预测"):
            expect_pupils(own, CODE, PHASE, 1999)
        expect_pupils(own, CODE, PHASE, year)
        there = figures_of(own, CODE, PHASE).schools.set_index("school_code")["primary_students"]
        wanted = coming[coming["stage"] == "primary"].set_index("school_code")["students"].round()
        shared = wanted.index.intersection(there.index)
        assert len(shared)
        assert (there.loc[shared].astype(float) == wanted.loc[shared]).all()
        found = find(own, CODE, PHASE, STANDARD, prices(), Aims(), pupils_of=year)
        assert isinstance(found, Found)
        answer = Answer(found, *prove(own, [found.draft]))
        assert answer.verdict in (PROVED, PARTIAL)
    # the scenario written out takes the same pupils, and the models say the same of it on the figures as delivered
    scenario = write_plan(answer, tmp_path)[2]
    result = what_if(con, CODE, PHASE, [read_scenario(scenario)])
    after = result.frame("scenario_indicator").query("status_after in ['near', 'below']")
    of_government = after[after["indicator_code"].str.startswith("G")]
    assert {(r.school_code, r.indicator_code) for r in of_government.itertuples()} == {
        (f.school, f.indicator) for f in answer.proof.failing
    }
