"""Every one of the 39 indicators fails alone, once, in a district that passes otherwise; and none passes on missing data.

In a district of profile `passing` the ratios are exactly at their limits, so one unit less is a failure. That the district passes
shows that each limit is met by its exact value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

Tables = dict[str, list[dict[str, Any]]]
SEED = 1
CONCLUSIONS = ("G1", "G2", "G10", "Q3", "Q5", "Q6", "Q7", "Q8", *(f"V{n}" for n in range(1, 8)))
RATIOS = {
    "G7": "G7.funds_yuan",
    "G8": "G8.teacher_salary_yuan",
    "G11": "G11.rotated_backbone",
    "G14": "G14.allotted",
    "G15": "G15.public",
    "Q2": "Q2.enrolled",
}
INDICATORS = [
    *(f"R{n}" for n in range(1, 8)),
    *(f"G{n}" for n in range(1, 16)),
    *(f"Q{n}" for n in range(1, 10)),
    "S1",
    *(f"V{n}" for n in range(1, 8)),
]


def smallest(tables: Tables) -> str:
    """The primary school with the fewest pupils that is judged: its shortfall moves no CV over its limit."""
    schools = [r for r in tables["schools"] if r["school_type"] == "小学" and str(r["sponsor_code"]) != "10"]
    return str(min(schools, key=lambda r: r["primary_students"])["school_code"])


def of(tables: Tables, dataset: str, code: str) -> dict[str, Any]:
    return next(r for r in tables[dataset] if r["school_code"] == code)


def of_item(name: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Tables], None]:
    """A change to one row of `assurance`."""

    def apply(tables: Tables) -> None:
        change(next(r for r in tables["assurance"] if r["item"] == name))

    return apply


def less(row: dict[str, Any], column: str, by: Any = 1) -> None:
    row[column] = row[column] - by


def cut(tables: Tables, dataset: str, columns: tuple[str, ...]) -> None:
    row = of(tables, dataset, smallest(tables))
    for column in columns:
        row[column] = type(row[column])(0)


def of_newest_year(tables: Tables, dataset: str) -> list[dict[str, Any]]:
    year = max(r["year"] for r in tables[dataset])
    return [r for r in tables[dataset] if r["year"] == year]


def crowd(tables: Tables) -> None:
    code = smallest(tables)
    row = next(r for r in tables["classes"] if r["school_code"] == code)
    row["students"] = 46


def attach_classes(tables: Tables) -> None:
    next(r for r in tables["schools"] if r["school_type"] == "职业学校")["junior_students"] = 7


def no_rooms(tables: Tables) -> None:
    code = smallest(tables)
    tables["special_rooms"] = [r for r in tables["special_rooms"] if r["school_code"] != code]


def weak_subject(tables: Tables) -> None:
    row = max(tables["quality_monitoring"], key=lambda r: r["cycle"])
    row["between_school_rate"] = Decimal("0.15")


def less_budget(tables: Tables) -> None:
    """One fen less for the schools that G6 is about."""
    small = {
        r["school_code"]
        for r in tables["schools"]
        if (r["primary_students"] or 0) + (r["junior_students"] or 0) < 100
    }
    for row in of_newest_year(tables, "school_finance"):
        if row["school_code"] in small:
            less(row, "public_funds_budget_wan", Decimal("0.000001"))


def less_training(tables: Tables) -> None:
    code = smallest(tables)
    row = next(r for r in of_newest_year(tables, "school_finance") if r["school_code"] == code)
    less(row, "training_budget_wan", Decimal("0.0001"))


def no_graduates(tables: Tables) -> None:
    for row in of_newest_year(tables, "graduation_cohorts"):
        row["graduates"] = row["transferred_out"] = 0


FAIL: dict[str, Callable[[Tables], None]] = {
    "R1": lambda t: cut(t, "teachers", ("doctorate", "master", "bachelor", "associate")),
    "R2": lambda t: cut(t, "teachers", ("backbone",)),
    "R3": lambda t: cut(t, "teachers", ("pe", "music", "fine_art", "art")),
    "R4": lambda t: cut(t, "facilities", ("teaching_area_m2", "indoor_sports_area_m2")),
    "R5": lambda t: cut(t, "facilities", ("outdoor_sports_area_m2",)),
    "R6": lambda t: cut(t, "facilities", ("equipment_value_wan",)),
    "R7": lambda t: cut(t, "facilities", ("multimedia_rooms",)),
    "G3": no_rooms,
    "G4": attach_classes,
    "G5": crowd,
    "G6": less_budget,
    "G9": lambda t: less(of(t, "teachers", smallest(t)), "trained_360h"),
    "G12": lambda t: less(of(t, "teachers", smallest(t)), "certified"),
    "G13": lambda t: less(
        next(
            r
            for r in t["schools"]
            if r["urban_rural"] != "乡村" and r["school_type"] == "小学" and not r["boarding"]
        ),
        "catchment_primary_students",
    ),
    "Q1": no_graduates,
    "Q4": less_training,
    "Q9": weak_subject,
    "S1": lambda t: less(of_newest_year(t, "recognition")[0], "satisfied"),
    **{code: of_item(name, lambda row: less(row, "value")) for code, name in RATIOS.items()},
    **{code: of_item(code, lambda row: row.update(conclusion="not_met")) for code in CONCLUSIONS},
}


def without(dataset: str) -> Callable[[Tables], None]:
    def drop(tables: Tables) -> None:
        del tables[dataset]

    return drop


MISSING: dict[str, Callable[[Tables], None]] = {
    **{f"R{n}": without("teachers") for n in (1, 2, 3)},
    **{f"R{n}": without("facilities") for n in (4, 5, 6, 7)},
    "G3": without("special_rooms"),
    "G5": without("classes"),
    "G6": without("school_finance"),
    "Q1": without("graduation_cohorts"),
    "Q4": without("school_finance"),
    "Q9": without("quality_monitoring"),
    "S1": without("recognition"),
    "G9": without("teachers"),
    "G12": without("teachers"),
    "G13": lambda t: next(
        r
        for r in t["schools"]
        if r["urban_rural"] != "乡村" and r["school_type"] == "小学" and not r["boarding"]
    ).update(catchment_primary_students=None),
    "G4": lambda t: of(t, "schools", smallest(t)).update(primary_students=None),
    **{code: of_item(name, lambda row: row.update(value=None)) for code, name in RATIOS.items()},
    **{code: of_item(code, lambda row: row.update(conclusion=None)) for code in CONCLUSIONS},
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One publication with a district for each case: `11xxxx` fails, `12xxxx` lacks data, `130000` is as generated."""
    folder: Path = tmp_path_factory.mktemp("alone")
    made = generate_district(SEED, n_schools=16, profile="passing", leading_zero=False)
    cases: dict[str, Callable[[Tables], None]] = {"130000": lambda t: None}
    cases |= {f"11{n:04d}": FAIL[code] for n, code in enumerate(INDICATORS)}
    cases |= {f"12{n:04d}": MISSING[code] for n, code in enumerate(INDICATORS)}
    for code, change in cases.items():
        tables = {name: deepcopy(rows or []) for name, rows in made.tables.items()}
        change(tables)
        write_district(folder, tables, made.settings, style=PLAIN, code=code, slug="case", name=code)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def statuses(con: duckdb.DuckDBPyConnection, district: str) -> dict[str, str]:
    return dict(
        con.execute(
            "select indicator_code, status from mart.district_indicator where district_code = ?", [district]
        ).fetchall()
    )


def test_as_generated_it_passes_with_every_ratio_at_its_limit(con: duckdb.DuckDBPyConnection) -> None:
    assert set(statuses(con, "130000").values()) <= {"met", "not_applicable"}
    passes = con.execute(
        "select passes, blocking from mart.district_verdict where district_code = '130000'"
    ).fetchall()
    assert passes == [(True, [])]


@pytest.mark.parametrize("number", range(len(INDICATORS)), ids=INDICATORS)
def test_an_indicator_fails_alone_and_the_verdict_names_it(
    con: duckdb.DuckDBPyConnection, number: int
) -> None:
    code, district = INDICATORS[number], f"11{number:04d}"
    wrong = {c for c, status in statuses(con, district).items() if status not in ("met", "not_applicable")}
    assert wrong == {code}
    passes, failing, blocking = con.execute(
        "select passes, indicators_failing, blocking from mart.district_verdict where district_code = ?",
        [district],
    ).fetchall()[0]
    assert (passes, failing) == (False, 1)
    if code.startswith("R"):
        assert any("资源配置未达到学校标准" in text for text in blocking)
    else:
        assert [text.split()[0] for text in blocking] == [code]


@pytest.mark.parametrize("number", range(len(INDICATORS)), ids=INDICATORS)
def test_missing_data_never_pass(con: duckdb.DuckDBPyConnection, number: int) -> None:
    code, district = INDICATORS[number], f"12{number:04d}"
    assert statuses(con, district)[code] == "no_data"
    passes = con.execute(
        "select passes from mart.district_verdict where district_code = ?", [district]
    ).fetchall()
    assert passes == [(False,)]
