"""Cells that must have no effect, or must not be kept: SQL and markup in names, telephone and identity numbers of people.

Belongs here: cells all the way from a file to the publication, the check and what is printed. Keep out: the reports, which have
tests of their own (test_report_texts, test_school_plans, test_site, test_data_docs).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.contracts.model import INVISIBLE
from youjun_pipeline.ingest.formats.book import visible
from youjun_pipeline.warehouse.summary import result_table
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

NAMES = (
    "'; drop table mart.school; --",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "\"双'单`反{{7*7}}${x}%s",
    "长" * 10_000,
    "مدرسة \u202eloohcs\u202c 学校🏫\u200b小学",
)
PHONE, IDENTITY, MAIL = "13912345678", "110101201001011234", "pupil@example.invalid"
PERSONAL = {"联系电话": PHONE, "身份证号": IDENTITY, "邮箱": MAIL, "学生姓名": "不该留下的姓名"}


@dataclass(frozen=True)
class Hostile:
    """A refreshed district, and what the check of it printed and wrote."""

    data: Path
    printed: str
    reports: list[bytes]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    data = tmp_path_factory.mktemp("hostile") / "data"
    made = generate_district(1, n_schools=12, profile="mixed", code="110101", leading_zero=False)
    rows = [dict(row) for row in made.tables["schools"] or []]
    for row, name in zip(rows, NAMES, strict=False):
        row["school_name"] = name
    district = write_district(
        data, made.tables | {"schools": rows}, made.settings, style=PLAIN, code="110101"
    )
    delivery = next((district / "deliveries").iterdir())
    for old in delivery.glob("schools.*"):
        old.unlink()
    with (delivery / "schools.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *PERSONAL])
        writer.writeheader()
        writer.writerows([row | PERSONAL for row in rows])
    settings = places(data)
    refresh(settings)
    report = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
        main(["check", str(district), "--report", str(report)])
        said.append(result_table(settings.published))
    yield Hostile(data, "\n".join(said), [p.read_bytes() for p in report.rglob("*.html") if p.is_file()])


def everything(path: Path) -> str:
    """Every text of every table of a database."""
    texts = []
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in tables:
            rows = con.execute(f'select t::varchar from "{schema}"."{table}" t').fetchall()
            texts += [row for (row,) in rows]
    return "\n".join(texts)


def test_names_are_kept_as_they_are_and_do_nothing(hostile: Hostile) -> None:
    with duckdb.connect(str(hostile.data / "published" / "youjun.duckdb"), read_only=True) as con:
        names = {name for (name,) in con.execute("select school_name from mart.school").fetchall()}
    # Without the characters that nobody sees: marks of direction can make a name look like another.
    assert not {c for name in names for c in name} & set(INVISIBLE)
    shown = [visible(name) for name in NAMES]
    kept = {name for name in shown if name in names}
    told = everything(hostile.data / "published" / "youjun.duckdb")
    assert {name for name in NAMES[:4] if name in kept} == set(NAMES[:4])
    # One that is refused is told, never lost.
    assert all(name in kept or name[:20] in told for name in shown)


def test_what_is_printed_moves_no_cursor(hostile: Hostile) -> None:
    assert "\x1b" not in hostile.printed


@pytest.mark.parametrize("value", PERSONAL.values())
def test_what_is_about_people_is_kept_nowhere(hostile: Hostile, value: str) -> None:
    for place in (".work/warehouse.duckdb", "published/youjun.duckdb"):
        assert value not in everything(hostile.data / place), place
    assert value not in hostile.printed
    assert not any(value.encode() in report for report in hostile.reports)
    # The column itself is named, so that the district leaves it out next time.
    assert "联系电话" in hostile.printed
