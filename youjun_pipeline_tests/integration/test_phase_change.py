"""What changed between two phases: each cause gets exactly its part, and the parts add up to the difference."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh

# The national waivers end between the two, so a rule changes as well.
BEFORE = Phase("2021", "整改前", date(2021, 1, 1), date(2021, 12, 31))
AFTER = Phase("2023", "整改后", date(2023, 1, 1), date(2023, 12, 31))
CV_TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """A district in which each of five schools has one kind of change; returns the publication and their codes."""
    folder: Path = tmp_path_factory.mktemp("change")
    made = generate_district(6, n_schools=26, profile="passing")
    before = {name: deepcopy(rows or []) for name, rows in made.tables.items()}
    primary = [r for r in before["schools"] if r["school_type"] == "小学" and r["sponsor_code"] != "10"]
    names = ("more_pupils", "more_area", "opened", "unreported", "rented")
    schools = dict(zip(names, (r["school_code"] for r in primary), strict=False))
    row(before, "schools", schools["rented"])["dense_urban"] = True
    row(before, "facilities", schools["rented"])["rented_sports_area_m2"] = 300
    after = deepcopy(before)
    for table in before.values():
        if table and "school_code" in table[0]:
            table[:] = [r for r in table if r["school_code"] != schools["opened"]]
    row(after, "schools", schools["more_pupils"])["primary_students"] += 50
    row(after, "facilities", schools["more_area"])["teaching_area_m2"] += 120
    row(after, "facilities", schools["unreported"])["multimedia_rooms"] = None
    settings = {**made.settings, "waivers": []}
    district = write_district(
        folder, before, settings, (BEFORE, AFTER), style=PLAIN, delivered_on="2021-06-30"
    )
    write_delivery(district, "2023-06-30", after, style=PLAIN, seed=0)
    publication = refresh(places(folder))
    with connect(publication.path, read_only=True) as con:
        yield con, schools


def row(tables: dict[str, Any], dataset: str, code: str) -> dict[str, Any]:
    return next(r for r in tables[dataset] if r["school_code"] == code)


def changes(con: duckdb.DuckDBPyConnection, code: str, indicator: str) -> list[tuple[Any, ...]]:
    return con.execute(
        "select cause, effect, value_before, value_after from mart.phase_change "
        "where level = 'school' and school_code = ? and indicator_code = ? and phase_id = '2023' order by cause",
        [code, indicator],
    ).fetchall()


def test_more_pupils_are_enrolment_alone(story: tuple[duckdb.DuckDBPyConnection, dict[str, str]]) -> None:
    con, schools = story
    for indicator in ("R1", "R4", "R7"):
        (change,) = changes(con, schools["more_pupils"], indicator)
        cause, effect, before, after = change
        assert cause == "enrolment"
        assert effect == pytest.approx(after - before, rel=1e-12)
        students, per = con.execute(
            "select students, per from mart.school_indicator where phase_id = '2023' and school_code = ? "
            "and indicator_code = ?",
            [schools["more_pupils"], indicator],
        ).fetchall()[0]
        resource = before * (students - 50) / per
        assert effect == pytest.approx(resource * per * (1 / students - 1 / (students - 50)))


def test_more_area_is_resource_alone(story: tuple[duckdb.DuckDBPyConnection, dict[str, str]]) -> None:
    con, schools = story
    ((cause, effect, before, after),) = changes(con, schools["more_area"], "R4")
    students = con.execute(
        "select students from mart.section where phase_id = '2023' and school_code = ?",
        [schools["more_area"]],
    ).fetchall()[0][0]
    assert (cause, after - before) == ("resource", pytest.approx(120 / students))
    assert effect == pytest.approx(after - before)
    assert changes(con, schools["more_area"], "R1") == []


def test_a_lapsed_waiver_is_rule(story: tuple[duckdb.DuckDBPyConnection, dict[str, str]]) -> None:
    con, schools = story
    ((cause, effect, before, after),) = changes(con, schools["rented"], "R5")
    assert cause == "rule"
    assert effect == pytest.approx(after - before)
    assert effect < 0


def test_an_opened_school_and_a_silent_one_are_named(
    story: tuple[duckdb.DuckDBPyConnection, dict[str, str]],
) -> None:
    con, schools = story
    assert [c[:3] for c in changes(con, schools["opened"], "R4")] == [("opened", None, None)]
    ((cause, effect, before, after),) = changes(con, schools["unreported"], "R7")
    assert (cause, effect, after) == ("correction", None, None)
    assert before is not None


def test_parts_add_up_at_every_level(story: tuple[duckdb.DuckDBPyConnection, dict[str, str]]) -> None:
    con, _ = story
    sums = con.execute(
        "select level, indicator_code, stage, school_code, any_value(value_after) - any_value(value_before), sum(effect) "
        "from mart.phase_change where value_before is not null and value_after is not null and effect is not null "
        "group by all"
    ).fetchall()
    assert {level for level, *_ in sums} >= {"school", "stage", "district"}
    for *key, difference, parts in sums:
        assert parts == pytest.approx(difference, rel=1e-9, abs=1e-9), key


def test_cvs_move_by_roster_pupils_resources_and_rules(
    story: tuple[duckdb.DuckDBPyConnection, dict[str, str]],
) -> None:
    con, _ = story
    causes = dict(
        con.execute(
            "select indicator_code, list(cause order by cause) from mart.phase_change "
            "where level = 'stage' and stage = 'primary' group by 1"
        ).fetchall()
    )
    assert causes["R4"] == ["enrolment", "resource", "roster"]
    assert "rule" in causes["R5"]
    assert "correction" in causes["R7"]


def test_nothing_is_listed_that_did_not_change(
    story: tuple[duckdb.DuckDBPyConnection, dict[str, str]],
) -> None:
    con, _ = story
    same = con.execute(
        "select * from mart.phase_change where value_before is not distinct from value_after "
        "and status_before is not distinct from status_after and level not in ('verdict')"
    ).fetchall()
    assert same == []
    assert con.execute("select count(*) from mart.phase_change where phase_id = '2021'").fetchall() == [(0,)]
