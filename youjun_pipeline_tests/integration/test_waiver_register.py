"""`mart.waiver_register`: what passes only by a waiver, what is still needed, and by when."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.generate import PLAIN, Phase, write_district
from youjun_pipeline_tests.integration.sample_districts import BAODI, FIRST, STARTUP, WUQING
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

WAIVERS = ["W3", "W5", "W-G3", "W-G4"]
DENSE, WIDE, VILLAGE, LARGE = "1201140001", "1201140002", "1201140003", "1201140004"


def school(code: str, students: int, **given: Any) -> dict[str, Any]:
    row = {
        "school_code": code,
        "school_name": f"试验{code[-1]}小学",
        "school_type": "小学",
        "urban_rural": "城区",
    }
    return {**row, "built_year": 2018, "primary_students": students, **given}


def facility(code: str, outdoor: int, **given: Any) -> dict[str, Any]:
    row = dict.fromkeys(("teaching_area_m2", "equipment_value_wan", "multimedia_rooms"), 1000)
    row |= dict.fromkeys(("indoor_sports_area_m2", "other_sports_area_m2", "rented_sports_area_m2"), 0)
    return {"school_code": code, **row, "outdoor_sports_area_m2": outdoor, **given}


TABLES = {
    "schools": [
        school(DENSE, 1500, dense_urban=True),
        school(WIDE, 400, built_year=2016),
        school(VILLAGE, 60, urban_rural="乡村"),
        school(LARGE, 2100, migrant_students=1051),
    ],
    # without the rented hall 0.1 ㎡ against 12, a coefficient far beyond the limit; with it 12 everywhere
    "facilities": [
        facility(DENSE, 150, rented_sports_area_m2=17850),
        facility(WIDE, 4800),
        facility(VILLAGE, 720),
        facility(LARGE, 600, outdoor_sports_area_m2=25200),
    ],
    "teachers": [
        {
            "school_code": VILLAGE,
            "stage": "primary",
            "full_time": 6,
            "pe": 0,
            "music": 0,
            "fine_art": 0,
            "art": 0,
        }
        | {"visiting_pe_art": 1}
    ],
    "classes": [
        {"school_code": WIDE, "stage": "primary", "grade": 1, "class_no": str(n), "students": 40}
        for n in range(1, 11)
    ],
    "special_rooms": [
        {"school_code": WIDE, "kind": "music", "room_no": "1", "area_m2": 80},
        {"school_code": WIDE, "kind": "art", "room_no": "2", "area_m2": 70},
    ],
}
COLUMNS = (
    "level, school_code, stage, indicator_code, waiver, is_beyond_range, value, threshold, value_strict, "
    "threshold_strict, gap, due_on"
)


EARLY = (
    Phase("p1", "启动", date(2021, 1, 1), date(2021, 12, 31)),
    Phase("p2", "认定", date(2024, 1, 1), date(2024, 2, 29)),
)
LATE = (
    Phase("p1", "启动", date(2023, 7, 1), date(2023, 12, 31)),
    Phase("p2", "认定", date(2025, 1, 1), date(2025, 12, 31)),
)
# In the national range; beyond it by the district's own will; beyond it.
DISTRICTS: dict[str, tuple[dict[str, Any], tuple[Phase, ...]]] = {
    "120101": ({}, EARLY),
    "120102": ({"waivers": WAIVERS}, LATE),
    "120103": ({}, LATE),
}
Register = dict[tuple[Any, ...], tuple[Any, ...]]


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Register]:
    """The register of each district in its first phase, by school and indicator."""
    folder: Path = tmp_path_factory.mktemp("waivers")
    for code, (options, phases) in DISTRICTS.items():
        write_district(folder, TABLES, options, phases, style=PLAIN, code=code, delivered_on=phases[0].starts)
    found: dict[str, Register] = {code: {} for code in DISTRICTS}
    with connect(refresh(places(folder), phases=("p1",)).path, read_only=True) as con:
        for code, *row in con.execute(
            f"select district_code, {COLUMNS} from mart.waiver_register"
        ).fetchall():
            found[code][row[1], row[3]] = tuple(row)
    return found


@pytest.mark.parametrize(
    ("district", "is_beyond", "due"),
    # the first one's recognition ends on a leap day
    [("120101", False, date(2027, 2, 28)), ("120102", True, date(2028, 12, 31))],
)
def test_each_waiver_owes_what_is_missing_without_it(
    registers: dict[str, Register], district: str, is_beyond: bool, due: date
) -> None:
    got = registers[district]
    assert set(got) == {(DENSE, "R5"), (None, "R5"), (VILLAGE, "R3"), (WIDE, "G3"), (LARGE, "G4")}
    assert {(row[5], row[11]) for row in got.values()} == {(is_beyond, due)}
    assert got[DENSE, "R5"][:5] == ("school", DENSE, "primary", "R5", "W5")
    assert got[DENSE, "R5"][6:11] == pytest.approx((12, 7.5, 0.1, 7.5, 7.4 * 1500))
    assert got[VILLAGE, "R3"][4] == "W3"
    assert got[VILLAGE, "R3"][6:11] == pytest.approx((100 / 60, 0.9, 0, 0.9, 0.54))
    assert got[WIDE, "G3"][4] == "W-G3"
    assert got[WIDE, "G3"][6:11] == (1, 1, 0, 1, 2)
    assert got[LARGE, "G4"][4] == "W-G4"
    assert got[LARGE, "G4"][6:11] == (2100, 2400, 2100, 2000, 100)


def test_a_coefficient_names_the_waivers_that_changed_it(registers: dict[str, Register]) -> None:
    row = registers["120102"][None, "R5"]
    assert row[:5] == ("stage", None, "primary", "R5", "W5")
    value, limit, strict, strict_limit, gap = row[6:11]
    total, others = 4060, 2560
    mean = (1500 * 0.1 + others * 12) / total
    cv = ((1500 * (0.1 - mean) ** 2 + others * (12 - mean) ** 2) / total) ** 0.5 / mean
    assert cv > 0.7
    assert (value, limit) == (pytest.approx(0, abs=1e-12), 0.5)
    assert (strict, strict_limit) == (pytest.approx(cv), 0.5)
    assert gap == pytest.approx(cv - 0.5)


def test_nothing_is_owed_where_no_waiver_is_in_force(registers: dict[str, Register]) -> None:
    assert registers["120103"] == {}


def test_wuqing_owes_the_places_of_its_two_large_old_schools(sample: Settings) -> None:
    schools = pd.read_excel(
        sample.data / FIRST[WUQING] / "schools.xlsx", engine="calamine", header=None, dtype=str
    )
    at = schools.index[schools[0].str.contains("标识码", na=False)][0]
    schools.columns = [str(c).split("（")[0].strip() for c in schools.loc[at]]
    roster = schools.loc[at + 1 :]
    pupils = pd.to_numeric(roster["小学在校生数"].str.replace(",", ""), errors="coerce")
    built = pd.to_numeric(roster["建校年份"], errors="coerce")
    owing = roster[(built <= 2010) & (pupils > 2000) & (pupils <= 2400)]["学校标识码"].tolist()
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        rows = con.execute(
            "select school_code, indicator_code, waiver, is_beyond_range, gap = value - 2000, due_on "
            "from mart.waiver_register where district_code = ? and phase_id = ? order by school_code",
            [WUQING, STARTUP],
        ).fetchall()
        others = con.execute(
            "select count(*) from mart.waiver_register where district_code = ?", [BAODI]
        ).fetchone()
    assert len(owing) == 2
    assert rows == [(code, "G4", "W-G4", True, True, date(2028, 12, 31)) for code in sorted(owing)]
    assert others == (0,)
