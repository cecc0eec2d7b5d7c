"""Unknown is neither yes nor no: contradictions, unreadable types, repeated figures, waivers that change nothing.

Districts by hand, two primary schools and a junior one, where each figure can be worked out on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh

Tables = dict[str, list[dict[str, Any]]]
PHASES = (Phase("a", "第一阶段", date(2024, 1, 1), date(2024, 12, 31)),)


def passing() -> tuple[Tables, dict[str, Any]]:
    made = generate_district(1, n_schools=16, profile="passing", leading_zero=False)
    return {name: deepcopy(rows or []) for name, rows in made.tables.items()}, dict(made.settings)


def first(tables: Tables, school_type: str) -> str:
    return str(
        next(
            r["school_code"]
            for r in tables["schools"]
            if r["school_type"] == school_type and str(r["sponsor_code"]) != "10"
        )
    )


def of(tables: Tables, dataset: str, school_type: str = "小学") -> dict[str, Any]:
    return next(r for r in tables[dataset] if r["school_code"] == first(tables, school_type))


def set_all(row: dict[str, Any], **cells: Any) -> None:
    row.update(cells)


def more_pe_than_teachers(tables: Tables) -> None:
    row = of(tables, "teachers")
    row["pe"] = row["full_time"] + 1


def more_backbone_than_teachers(tables: Tables) -> None:
    row = of(tables, "teachers")
    row["backbone"] = row["full_time"] + 1


def more_degrees_than_teachers(tables: Tables) -> None:
    row = of(tables, "teachers")
    row["bachelor"] = row["full_time"] + 1


def more_gymnasium_than_building(tables: Tables) -> None:
    row = of(tables, "facilities")
    row["indoor_sports_area_m2"] = row["teaching_area_m2"] + 1


def no_type(tables: Tables) -> None:
    of(tables, "schools").update(school_type=None, primary_students=None, junior_students=None)


def no_type_but_pupils(tables: Tables) -> None:
    of(tables, "schools").update(school_type=None, junior_students=None, senior_students=None)


# name -> what is changed; the indicator of the first primary school that it opens
CASES: dict[str, tuple[Callable[[Tables], None], set[str]]] = {
    "pe": (more_pe_than_teachers, {"R3"}),
    "backbone": (more_backbone_than_teachers, {"R2"}),
    "degrees": (more_degrees_than_teachers, {"R1"}),
    "gymnasium": (more_gymnasium_than_building, {"R4"}),
    "no type": (no_type, {*(f"R{n}" for n in range(1, 8)), "G4"}),
    "no type but pupils": (no_type_but_pupils, {"R4", "R5", "R6", "R7", "G4"}),
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("not_known")
    for n, (change, _) in enumerate(CASES.values()):
        tables, settings = passing()
        change(tables)
        code = f"17{n:04d}"
        write_district(folder, tables, settings, style=PLAIN, code=code, slug="case", name=code)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_what_cannot_be_is_not_known(con: duckdb.DuckDBPyConnection, number: int) -> None:
    _, opened = list(CASES.values())[number]
    district, school = f"17{number:04d}", first(passing()[0], "小学")
    found = con.execute(
        "select indicator_code, value, reason from mart.school_indicator "
        "where district_code = ? and school_code = ? and stage in ('primary', 'compulsory') and status = 'no_data'",
        [district, school],
    ).fetchall()
    assert opened <= {code for code, _, _ in found}
    assert {value for _, value, _ in found} == {None}
    if len(opened) == 1:
        assert {code for code, _, _ in found} == opened
        assert "自相矛盾" in found[0][2]
    passes, failing, no_data, blocking = con.execute(
        "select passes, indicators_failing, indicators_no_data, blocking from mart.district_verdict "
        "where district_code = ?",
        [district],
    ).fetchall()[0]
    assert (passes, failing) == (False, 0) and no_data > 0
    # no data is not told as failing
    assert not any("未达标" in text for text in blocking), blocking
    assert any("缺数据" in text for text in blocking)


def test_a_school_of_unreadable_type_stays_in_scope(con: duckdb.DuckDBPyConnection) -> None:
    number = list(CASES).index("no type")
    assert con.execute(
        "select in_scope, out_of_scope_reason from mart.school where district_code = ? and school_code = ?",
        [f"17{number:04d}", first(passing()[0], "小学")],
    ).fetchall() == [(True, None)]


def jumps(folder: Path) -> list[str]:
    with connect(refresh(places(folder)).path, read_only=True) as con:
        return [
            message
            for (message,) in con.execute(
                "select message from quality.suspicion where rule = 'jump' and column_name = 'equipment_value_wan'"
            ).fetchall()
        ]


@pytest.mark.long
def test_the_same_figure_sent_again_answers_nothing(tmp_path: Path) -> None:
    tables, settings = passing()
    district = write_district(
        tmp_path, tables, settings, PHASES, style=PLAIN, slug="case", delivered_on="2024-02-01"
    )
    of(tables, "facilities")["equipment_value_wan"] *= 9
    write_delivery(district, "2024-03-01", {"facilities": tables["facilities"]}, style=PLAIN)
    once = jumps(tmp_path)
    assert len(once) == 1 and "上次（2024-02-01）" in once[0]
    # again, in another order and with another school's figure corrected
    shuffled = deepcopy(tables["facilities"])[::-1]
    shuffled[0]["multimedia_rooms"] += 1
    write_delivery(district, "2024-03-02", {"facilities": shuffled}, style=PLAIN)
    write_delivery(district, "2024-03-03", {"facilities": shuffled}, style=PLAIN)
    assert jumps(tmp_path) == once


def rooms_of(folder: Path, **options: Any) -> tuple[Any, ...]:
    """G3 of a nine-year school of 13 primary and 12 junior classes with two rooms of each kind."""
    tables, settings = passing()
    code = first(tables, "九年一贯制学校")
    for name in ("classes", "special_rooms"):
        tables[name] = [r for r in tables[name] if r["school_code"] != code]
    tables["classes"] += [
        {"school_code": code, "stage": stage, "grade": grade, "class_no": str(n), "students": 30}
        for stage, grade, count in (("primary", 1, 13), ("junior", 7, 12))
        for n in range(count)
    ]
    tables["special_rooms"] += [
        {"school_code": code, "kind": kind, "room_no": f"{kind}{n}", "area_m2": 100}
        for kind in ("music", "art")
        for n in range(2)
    ]
    write_district(
        folder, tables, settings | options, PHASES, style=PLAIN, slug="case", delivered_on="2024-02-01"
    )
    with connect(refresh(places(folder)).path, read_only=True) as con:
        return con.execute(
            "select value, threshold, status, gap from mart.school_indicator where indicator_code = 'G3' and school_code = ?",
            [code],
        ).fetchall()[0]


@pytest.mark.long
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # 25 classes need 3 of each kind, or 3 in all; by stage 13 need 2 and 12 need 1, and two of each serve both
        ("each", (2.0, 3.0, "below", 2.0)),
        ("combined", (4.0, 3.0, "met", 0.0)),
        ("per_stage", (2.0, 2.0, "met", 0.0)),
    ],
)
def test_rooms_by_each_reading_of_the_rule(tmp_path: Path, rule: str, expected: tuple[Any, ...]) -> None:
    assert rooms_of(tmp_path, music_art_rule=rule) == expected


def size_of(folder: Path, school_type: str, **options: Any) -> tuple[Any, ...]:
    """G4 of an all-through school of 2 900 compulsory pupils, built in 2000, with W-G4 in force."""
    tables, settings = passing()
    row = of(tables, "schools", "九年一贯制学校")
    row.update(school_type=school_type, primary_students=1500, junior_students=1400, built_year=2000)
    row["senior_students"] = 600 if school_type == "十二年一贯制学校" else None
    settings |= {"waivers": ["W-G4"]} | options
    write_district(folder, tables, settings, PHASES, style=PLAIN, slug="case", delivered_on="2024-02-01")
    with connect(refresh(places(folder)).path, read_only=True) as con:
        return con.execute(
            "select threshold, status, status_strict, waiver from mart.school_indicator "
            "where indicator_code = 'G4' and school_code = ?",
            [row["school_code"]],
        ).fetchall()[0]


@pytest.mark.long
def test_three_thousand_pupils_are_for_nine_year_schools(tmp_path: Path) -> None:
    nine = size_of(tmp_path / "nine", "九年一贯制学校")
    assert nine == (3000.0, "met_by_waiver", "below", "W-G4")
    assert size_of(tmp_path / "twelve", "十二年一贯制学校") == (2500.0, "below", "below", None)
    switched = size_of(tmp_path / "switched", "十二年一贯制学校", size_waiver_covers_twelve_year=True)
    assert switched == (3000.0, "met_by_waiver", "below", "W-G4")


def pe_teachers_of(folder: Path, urban_rural: str, **options: Any) -> tuple[Any, ...]:
    """R3 of a primary school of 80 pupils that has visiting PE and art teachers only, with W3 in force."""
    tables, settings = passing()
    of(tables, "schools").update(urban_rural=urban_rural, primary_students=80, migrant_students=0)
    of(tables, "teachers").update(pe=0, music=0, fine_art=0, art=0, visiting_pe_art=2)
    settings |= {"waivers": ["W3"]} | options
    write_district(folder, tables, settings, PHASES, style=PLAIN, slug="case", delivered_on="2024-02-01")
    with connect(refresh(places(folder)).path, read_only=True) as con:
        return con.execute(
            "select value, status, waiver from mart.school_indicator where indicator_code = 'R3' and school_code = ?",
            [first(tables, "小学")],
        ).fetchall()[0]


@pytest.mark.long
def test_rural_schools_are_those_of_the_statistics_or_of_towns_too(tmp_path: Path) -> None:
    assert pe_teachers_of(tmp_path / "rural", "乡村") == (2.5, "met_by_waiver", "W3")
    assert pe_teachers_of(tmp_path / "town", "镇区") == (0.0, "below", None)
    both = pe_teachers_of(tmp_path / "both", "镇区", rural_waiver_places="rural_and_town")
    assert both == (2.5, "met_by_waiver", "W3")


def test_size_fails_on_what_is_reported_alone(tmp_path: Path) -> None:
    tables, settings = passing()
    row = of(tables, "schools", "九年一贯制学校")
    row.update(primary_students=2600, junior_students=None)
    write_district(tmp_path, tables, settings | {"waivers": []}, style=PLAIN, slug="case")
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        assert con.execute(
            "select status, gap, reason from mart.school_indicator where indicator_code = 'G4' and school_code = ?",
            [row["school_code"]],
        ).fetchall() == [("below", 100.0, "已报的义务教育在校生 2600 人，上限 2500 人：未达标，超 100 人")]
