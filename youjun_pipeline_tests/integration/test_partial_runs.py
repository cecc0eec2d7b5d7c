"""Runs of some phases and districts, in any order, with corrections and late deliveries between them.

What is published afterwards is what one whole run would publish, or is marked as stale; the next whole run makes all equal.
"""

from __future__ import annotations

import random
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.contents import NOT_CONTENT
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh

# Each test is a history of whole runs.
pytestmark = pytest.mark.long

PHASES = (
    Phase("a", "一", date(2023, 7, 1), date(2023, 9, 30)),
    Phase("b", "二", date(2023, 10, 1), date(2024, 9, 30)),
    Phase("c", "三", date(2024, 10, 1), date(2025, 9, 30)),
)
CODES = ("120114", "120115")
DAYS = (date(2023, 10, 15), date(2024, 5, 1), date(2025, 1, 10), date(2025, 12, 1))
DELIVERIES = (date(2023, 8, 31), date(2024, 3, 1), date(2025, 2, 1))
Rows = dict[tuple[str, str], dict[str, list[Any]]]


class Country:
    """Two small districts with three phases, and the random generator that decides their changes."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.dice = folder, random.Random(seed)
        self.made = {c: generate_district(seed + n, n_schools=4, code=c) for n, c in enumerate(CODES)}
        for code, made in self.made.items():
            write_district(
                folder, made.tables, made.settings, PHASES, style=PLAIN, code=code, slug="d", name=code
            )
        self.day = 0
        self.runs = 0

    def settings(self) -> Settings:
        return places(self.folder, DAYS[self.day])

    def deliver(self) -> None:
        """New figures: in an existing delivery (a correction), or in an additional one, late or new."""
        code, day = self.dice.choice(CODES), self.dice.choice(DELIVERIES)
        rows = [dict(row) for row in self.made[code].tables["facilities"] or []]
        for row in rows:
            if row["equipment_value_wan"] is not None:
                row["equipment_value_wan"] = self.dice.choice((1, 50, 500))
        [folder] = self.folder.glob(f"{code}-*")
        write_delivery(folder, day, {"facilities": rows}, style=PLAIN)

    def run(self) -> str:
        """One run of some phases of some districts, on the same day or later; returns what it was."""
        self.day = min(self.day + self.dice.choice((0, 0, 1)), len(DAYS) - 1)
        phases = tuple(sorted(self.dice.sample([p.id for p in PHASES], self.dice.choice((1, 1, 2)))))
        districts = self.dice.choice(((CODES[0],), (CODES[1],), None))
        self.runs += 1
        refresh(self.settings(), f"run-{self.runs}", phases=phases, districts=districts)  # type: ignore[arg-type]
        return f"{DAYS[self.day]} {phases} {districts}"


def published(settings: Settings) -> Rows:
    """Every row of every evaluation, by district and phase, then by table."""
    found: Rows = {}
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        tables = con.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            "where schema_name = 'mart' and table_name in (select table_name from duckdb_tables()) group by 1"
        ).fetchall()
        for table, columns in tables:
            if {"district_code", "phase_id"} <= set(columns):
                shown = ", ".join(f'"{c}"' for c in columns if c not in NOT_CONTENT)
                for row in con.execute(
                    f"select district_code, phase_id, {shown} from mart.{table} order by all"
                ).fetchall():
                    found.setdefault(row[:2], {}).setdefault(table, []).append(row[2:])
    return found


def stale(settings: Settings) -> set[tuple[str, str]]:
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        return set(
            con.execute("select district_code, phase_id from mart.evaluation where is_stale").fetchall()
        )


def whole(country: Country) -> Settings:
    """The publication of one whole run on the same files, starting without a database."""
    other = country.folder.parent / "whole"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(country.folder, other, ignore=shutil.ignore_patterns(".work", "published"))
    settings = places(other, DAYS[country.day])
    refresh(settings, "whole")
    return settings


def play(country: Country, steps: int) -> int:
    """Random steps, then the publication compared with a whole run's; returns how many evaluations were stale."""
    told = [country.run()]
    for _ in range(steps):
        country.deliver()
        told.append(country.run())
    expected, got, left = published(whole(country)), published(country.settings()), stale(country.settings())
    for key in got.keys() - left:
        for table in expected[key].keys() | got[key].keys():
            assert got[key].get(table) == expected[key].get(table), (key, table, told)
    refresh(country.settings(), "plain")
    assert stale(country.settings()) == set()
    assert published(country.settings()) == expected, told
    return len(left)


def test_what_is_published_is_that_of_a_whole_run_or_stale(tmp_path: Path) -> None:
    """One of the many sequences below, which leaves something stale."""
    assert play(Country(tmp_path / "data", 6), 1)


def test_so_it_is_after_many_sequences(tmp_path: Path) -> None:
    left = [play(Country(tmp_path / str(seed) / "data", seed), 1 + seed % 4) for seed in range(24)]
    assert sum(left) > 0
