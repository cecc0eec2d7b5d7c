"""Figures that may be right but look wrong: each rule reports its own school, with its place, until it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline_tests.integration.plan_story import PHASES, primary_school, write_rows
from youjun_pipeline_tests.steps import compute, places, read_all, working

NAMES = (
    "calm",
    "jump",
    "round",
    "no_building",
    "unit",
    "twin_a",
    "twin_b",
    "namesake_a",
    "namesake_b",
    "silent",
)
CODES = {name: f"21201140{n:02d}" for n, name in enumerate(NAMES)}


# Eight schools whose equipment was set at 5 800 yuan per pupil, and whose rooms are just what the standard asks for.
HEAP = {f"21201141{n:02d}": 300 + 17 * n for n in range(8)}


def just_above(pupils: int) -> float:
    """An area of rooms, including 10 ㎡ for sports, that exceeds 4.5 ㎡ per pupil by less than two hundredths."""
    return round(4.5 * pupils * (1 + (pupils % 11 + 1) / 650) + 10.01, 2)


def facility(name: str, **given: Any) -> dict[str, Any]:
    number = NAMES.index(name)
    row = {
        "school_code": CODES[name],
        "teaching_area_m2": 2001.5 + number,
        "indoor_sports_area_m2": 10,
        "outdoor_sports_area_m2": 3003.5 + number,
        "equipment_value_wan": 81.5 + number,
        "multimedia_rooms": 12,
    }
    return {**row, **given}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("suspicions")
    schools = [primary_school(code, f"{name}小学") for name, code in CODES.items()]
    for name in ("namesake_a", "namesake_b"):
        schools[NAMES.index(name)]["school_name"] = "东风中心小学"
    schools += [primary_school(code, f"同值{code}小学") | {"primary_students": n} for code, n in HEAP.items()]
    before = [facility(name) for name in NAMES]
    heap = [
        facility("calm", equipment_value_wan=round(0.58 * n, 4), teaching_area_m2=just_above(n))
        | {"school_code": code, "outdoor_sports_area_m2": 4001.3 + n}
        for code, n in HEAP.items()
    ]
    after = [facility(name) for name in NAMES if name != "silent"]
    after[1] = facility("jump", teaching_area_m2=4003)
    after[2] = facility("round", outdoor_sports_area_m2=4000)
    after[3] = facility("no_building", teaching_area_m2=0, indoor_sports_area_m2=0)
    after[4] = facility("unit", equipment_value_wan=99999999999.5)
    after[6] = {**facility("twin_a"), "school_code": CODES["twin_b"]}
    district = write_district_by_hand(folder)
    write_rows(district / "2023-08-31", "schools", schools)
    before += [
        row | {"equipment_value_wan": row["equipment_value_wan"] - n / 10} for n, row in enumerate(heap)
    ]
    after += heap
    write_rows(district / "2023-08-31", "facilities", before)
    write_rows(district / "2024-05-31", "facilities", after)
    teacher = {"stage": "junior", "full_time": 10, "doctorate": 0, "master": 1, "bachelor": 7, "associate": 1}
    write_rows(district / "2024-05-31", "teachers", [{"school_code": CODES["calm"], **teacher}])
    answer = {
        "answered_on": "2024-06-10",
        "dataset": "facilities",
        "school_code": CODES["jump"],
        "rule": "jump",
    }
    write_rows(
        district / "2024-06-20",
        "suspicion_answers",
        [{**answer, "answer": "新教学楼启用", "answered_by": "甲"}],
    )
    settings = places(folder)
    with working(settings) as con:
        read_all(con, settings)
        compute(con, settings)
        yield con


def write_district_by_hand(folder: Path) -> Path:
    """A district without files yet; gives the folder of its deliveries."""
    district = folder / "120114-hand"
    district.mkdir()
    phases = "".join(
        f'[[phase]]\nid = "{p.id}"\nname = "{p.name}"\nstarts = {p.starts}\nends = {p.ends}\n'
        for p in PHASES[:2]
    )
    (district / "district.toml").write_text(
        f'code = "120114"\nname = "试验区"\nstandard = "national-2017"\n[data]\norigin = "reported"\n{phases}',
        "utf-8",
    )
    return district / "deliveries"


def rules(con: duckdb.DuckDBPyConnection, phase: str = "p2") -> dict[str, set[str]]:
    """The schools that each rule reports in a phase."""
    names = {code: name for name, code in CODES.items()} | {None: "district"}
    result: dict[str, set[str]] = {}
    for rule, code in con.execute(
        "select rule, school_code from quality.suspicion where phase_id = ?", [phase]
    ).fetchall():
        result.setdefault(rule, set()).add(names[code])
    return result


def test_each_rule_fires_at_its_own_school(found: duckdb.DuckDBPyConnection) -> None:
    assert rules(found) == {
        "jump": {"jump", "no_building", "unit"},
        "round_number": {"round"},
        "area_without_building": {"no_building"},
        "unit_mistaken": {"unit"},
        "identical_figures": {"twin_a", "twin_b"},
        "degrees_missing": {"calm"},
        "duplicate_name": {"namesake_a", "namesake_b"},
        "silent_school": {"silent"},
        "same_ratio": {"district"},
        "heaped": {"district"},
    }


def test_nothing_jumps_in_the_first_delivery(found: duckdb.DuckDBPyConnection) -> None:
    assert rules(found, "p1") == {"duplicate_name": {"namesake_a", "namesake_b"}, "heaped": {"district"}}


def test_a_suspicion_names_its_place_and_figures(found: duckdb.DuckDBPyConnection) -> None:
    row = found.execute(
        'select message, delivery::varchar, file, "row", column_name from quality.suspicion '
        "where phase_id = 'p2' and rule = 'jump' and school_code = ?",
        [CODES["jump"]],
    ).fetchall()[0]
    assert row == (
        "教学及辅助用房面积 上次（2023-08-31）为 2002.5 ㎡，本次为 4003 ㎡，增加 2000.5 ㎡（99.9%）",
        "2024-05-31",
        "facilities.csv",
        3,
        "teaching_area_m2",
    )


def test_a_suspicion_gives_its_figures_for_a_machine_too(found: duckdb.DuckDBPyConnection) -> None:
    rows = found.execute(
        "select rule, figure, compared_with, unit from quality.suspicion where phase_id = 'p2' and school_code in (?, ?) "
        "and rule in ('jump', 'unit_mistaken', 'round_number') and column_name <> 'equipment_value_wan' order by 1",
        [CODES["jump"], CODES["round"]],
    ).fetchall()
    assert rows == [("jump", 4003, 2002.5, "㎡"), ("round_number", 4000, None, "㎡")]


def test_one_value_per_pupil_in_many_schools_is_one_doubt(found: duckdb.DuckDBPyConnection) -> None:
    rows = found.execute(
        "select dataset, school_code, message, figure, compared_with from quality.suspicion where rule = 'same_ratio'"
    ).fetchall()
    assert rows == [
        (
            "facilities",
            None,
            "8 所学校的小学“教学设备”（R6）同为 5800 元/生（标准 2000），不像逐校清点："
            + "、".join(f"同值{code}小学" for code in list(HEAP)[:5])
            + "等",
            5800,
            2000,
        )
    ]


def test_values_heaped_just_above_a_limit_are_one_doubt(found: duckdb.DuckDBPyConnection) -> None:
    rows = found.execute(
        "select dataset, school_code, message, figure, compared_with, unit from quality.suspicion "
        "where rule = 'heaped' and phase_id = 'p2'"
    ).fetchall()
    assert rows == [
        (
            "facilities",
            None,
            "8 所学校的小学“教学用房”（R4）刚过标准 4.5，高出不到 2%，而略低于标准和再高一些的同样一段里最多 0 所："
            + "、".join(f"同值{code}小学" for code in list(HEAP)[:5])
            + "等",
            8,
            0,
            "所",
        )
    ]


def test_an_answer_stands_beside_its_suspicion_alone(found: duckdb.DuckDBPyConnection) -> None:
    answered = found.execute(
        "select school_code, rule, answer, answered_by from quality.suspicion where answer is not null"
    ).fetchall()
    assert answered == [(CODES["jump"], "jump", "新教学楼启用", "甲")]
