"""One unreadable row in a district that passes otherwise: the district never passes, and nobody is named as failing.

Every judged dataset and every column of its key in turn: an unreadable cell, and a school code that is in no roster.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.integration.plan_story import write_rows
from youjun_pipeline_tests.steps import places, refresh

SEED = 1
NOBODY = "9999999999"
Row = dict[str, Any]
Spoil = Callable[[list[Row]], None]

OPENED = {
    "schools": {*(f"R{n}" for n in range(1, 8)), "G3", "G4", "G5", "G6", "G9", "G12", "G13", "Q4"},
    "classes": {"G3", "G5"},
    "teachers": {"R1", "R2", "R3", "G9", "G12"},
    "facilities": {"R4", "R5", "R6", "R7"},
    "special_rooms": {"G3"},
    "school_finance": {"G6", "Q4"},
    "graduation_cohorts": {"Q1"},
    "quality_monitoring": {"Q9"},
    "recognition": {"S1"},
    "assurance": {
        *("G1", "G2", "G7", "G8", "G10", "G11", "G14", "G15", "Q2", "Q3", "Q5", "Q6", "Q7", "Q8"),
        *(f"V{n}" for n in range(1, 8)),
    },
}
CASES = [
    (dataset, column, value)
    for dataset in OPENED
    for column in load_datasets()[dataset].key
    for value in ("", NOBODY)
    # a text may say anything; only a code can be nobody's, and a school's own code makes it a school
    if value == "" or (column == "school_code" and dataset != "schools")
    # a survey without a method is a row like any other
    if (dataset, column) != ("recognition", "method")
    # and so is a row without a campus
    and column != "campus"
]


@cache
def judged_school() -> str:
    """A school in scope, whose rows decide something."""
    made = generate_district(SEED, n_schools=16, profile="passing", leading_zero=False)
    return first_primary(made.tables)


def last_is_judged(rows: list[Row]) -> None:
    """Move the rows of a school in scope to the end, in place."""
    rows.sort(key=lambda row: row.get("school_code") == judged_school())


def added(dataset: str, column: str, value: str) -> Spoil:
    """One more row like the last row of the file, with a key of its own, except for the spoilt cell."""

    def apply(rows: list[Row]) -> None:
        last_is_judged(rows)
        new = deepcopy(rows[-1]) | {column: value}
        for other in ("class_no", "room_no", "year", "cycle"):
            if other in new and other != column:
                new[other] = "2099" if other in ("year", "cycle") else "加"
        rows.append(new)

    return apply


def write(folder: Path, code: str, dataset: str, spoil: Spoil, change: Callable[[Any], None]) -> None:
    """A passing district after `change`, with one file spoilt."""
    made = generate_district(SEED, n_schools=16, profile="passing", leading_zero=False)
    tables = {name: deepcopy(rows or []) for name, rows in made.tables.items()}
    change(tables)
    write_district(folder, tables, made.settings, style=PLAIN, code=code, slug="case", name=code)
    (path,) = folder.glob(f"{code}-*/deliveries/*/{dataset}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    spoil(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One publication: `14xxxx` with one more, spoilt row; `15xxxx` with the last row spoilt; `16xxxx` as below."""
    folder = tmp_path_factory.mktemp("hidden")
    for n, (dataset, column, value) in enumerate(CASES):
        write(folder, f"14{n:04d}", dataset, added(dataset, column, value), lambda t: None)

        def spoil(rows: list[Row], column: str = column, value: str = value) -> None:
            last_is_judged(rows)
            # of the newest year, since an older one decides nothing
            year = next((c for c in ("year", "cycle") if c in rows[0]), None)
            newest = [r for r in rows if r[year] == max(r[year] for r in rows)] if year else rows
            newest[-1][column] = value

        write(folder, f"15{n:04d}", dataset, spoil, lambda t: None)
    for n, (dataset, spoil_rows, change, _) in enumerate(DIRECTIONS.values()):
        write(folder, f"16{n:04d}", dataset, spoil_rows, change)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def statuses(con: duckdb.DuckDBPyConnection, district: str) -> dict[str, str]:
    return dict(
        con.execute(
            "select indicator_code, status from mart.district_indicator where district_code = ?", [district]
        ).fetchall()
    )


NAMES = [f"{dataset}.{column}{'=' if value else ''}{value}" for dataset, column, value in CASES]


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_one_more_row_opens_what_it_may_belong_to(con: duckdb.DuckDBPyConnection, number: int) -> None:
    dataset, column, _ = CASES[number]
    got = statuses(con, f"14{number:04d}")
    opened = {code for code, status in got.items() if status == "no_data"}
    assert "below" not in got.values()
    known = {code for code in OPENED[dataset] if got[code] == "no_data"}
    # a row of a known stage or school opens that alone; of the district's indicators all are open in any case
    assert known == OPENED[dataset], OPENED[dataset] - known
    assert opened == OPENED[dataset], (dataset, column)
    passes, quarantined, summary = con.execute(
        "select passes, rows_in_quarantine, summary from mart.district_verdict where district_code = ?",
        [f"14{number:04d}"],
    ).fetchall()[0]
    assert (passes, quarantined) == (False, 1)
    assert "1 行数据在隔离区" in summary


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_a_row_that_is_lost_names_nobody(con: duckdb.DuckDBPyConnection, number: int) -> None:
    district = f"15{number:04d}"
    got = statuses(con, district)
    assert "below" not in got.values()
    assert "no_data" in got.values()
    failing = con.execute(
        "select school_code, indicator_code, reason from mart.school_indicator "
        "where district_code = ? and status in ('near', 'below')",
        [district],
    ).fetchall()
    assert failing == []


def first_primary(tables: Any) -> str:
    return next(
        r["school_code"]
        for r in tables["schools"]
        if r["school_type"] == "小学" and str(r["sponsor_code"]) != "10"
    )


def lose_a_music_room(tables: Any) -> None:
    """Leave the first primary school one music room short, and all other schools without a shortage."""
    code = first_primary(tables)
    needed = -(-sum(r["school_code"] == code for r in tables["classes"]) // 12)
    music = [r for r in tables["special_rooms"] if r["school_code"] == code and r["kind"] == "music"]
    lost = {id(r) for r in music[needed - 1 :]}
    tables["special_rooms"] = [r for r in tables["special_rooms"] if id(r) not in lost]


def crowd(tables: Any) -> None:
    code = first_primary(tables)
    next(r for r in tables["classes"] if r["school_code"] == code)["students"] = 60


def add_room(**cells: str) -> Spoil:
    def apply(rows: list[Row]) -> None:
        code = rows[0]["school_code"]
        rows.append({"school_code": code, "kind": "music", "room_no": "加", "area_m2": "200"} | cells)

    return apply


def veto(rows: list[Row]) -> None:
    rows.append(dict.fromkeys(rows[0], "") | {"conclusion": "not_met"})


# name -> dataset, what is spoilt, what the district is like, (indicator, its status)
DIRECTIONS: dict[str, tuple[str, Spoil, Callable[[Any], None], tuple[str, str]]] = {
    "an unreadable room may be the one that is missing": (
        "special_rooms", add_room(school_code=""), lose_a_music_room, ("G3", "no_data")
    ),
    "a room of another kind is not": (
        "special_rooms", add_room(school_code="", kind="art"), lose_a_music_room, ("G3", "below")
    ),
    "a class that is too large stays one": (
        "classes", added("classes", "grade", "无"), crowd, ("G5", "below")
    ),
    "a row of an older year decides nothing": (
        "graduation_cohorts", lambda rows: rows.append(rows[0] | {"school_code": "", "year": "1990"}), lambda t: None,
        ("Q1", "met"),
    ),
    "a row without an item may be a veto": ("assurance", veto, lambda t: None, ("V6", "no_data")),
}  # fmt: skip


@pytest.mark.parametrize("number", range(len(DIRECTIONS)), ids=list(DIRECTIONS))
def test_both_directions(con: duckdb.DuckDBPyConnection, number: int) -> None:
    indicator, status = list(DIRECTIONS.values())[number][3]
    assert statuses(con, f"16{number:04d}")[indicator] == status


def signed_off(folder: Path, *inspections: dict[str, str]) -> list[Any]:
    """A class that is too large and is divided later, with an inspection: whether the finding is signed off."""
    made = generate_district(SEED, n_schools=16, profile="passing", leading_zero=False)
    tables = {name: deepcopy(rows or []) for name, rows in made.tables.items()}
    phases = (
        Phase("a", "一", date(2023, 7, 1), date(2023, 12, 31)),
        Phase("b", "二", date(2024, 1, 1), date(2024, 12, 31)),
    )
    row = next(r for r in tables["classes"] if r["school_code"] == first_primary(tables))
    size, row["students"] = row["students"], 60
    district = write_district(folder, tables, made.settings, phases, style=PLAIN, slug="case")
    row["students"] = size
    write_delivery(district, "2024-02-01", {"classes": tables["classes"]}, style=PLAIN)
    name = next(r["school_name"] for r in tables["schools"] if r["school_code"] == first_primary(tables))
    said = {
        "indicator": "G5",
        "stage": "primary",
        "school_name": name,
        "inspector": "王五",
        "evidence": "核查记录",
    }
    write_rows(district / "deliveries" / "2024-06-30", "acceptances", [said | row for row in inspections])
    with connect(refresh(places(folder)).path, read_only=True) as con:
        return con.execute(
            "select signed_off from mart.finding where phase_id = 'b' and indicator_code = 'G5'"
        ).fetchall()


@pytest.mark.long
def test_an_inspection_that_cannot_be_read_may_have_failed(tmp_path: Path) -> None:
    passed = {"inspected_on": "2024-06-20", "result": "passed"}
    unread = {"inspected_on": "？", "result": "failed"}
    assert signed_off(tmp_path / "read", passed) == [(True,)]
    assert signed_off(tmp_path / "unread", passed, unread) == [(False,)]
    # of another indicator it says nothing here
    assert signed_off(tmp_path / "other", passed, unread | {"indicator": "R4"}) == [(True,)]
