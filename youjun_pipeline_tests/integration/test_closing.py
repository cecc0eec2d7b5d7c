"""Closed phases keep their rows; reopened ones record what changed; a new working database gets closed phases back."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.closing import ClosingError, close_phase, reopen_phase
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh, working

# Each test is a history of whole runs.
pytestmark = pytest.mark.long

FIRST = Phase("2023-first", "第一阶段", date(2023, 7, 1), date(2023, 9, 30))
SECOND = Phase("2024-second", "第二阶段", date(2023, 10, 1), date(2024, 9, 30))


@pytest.fixture
def district(tmp_path: Path) -> tuple[Path, Any]:
    made = generate_district(1, n_schools=14, profile="passing")
    return write_district(tmp_path, made.tables, made.settings, (FIRST, SECOND), style=PLAIN), made


def option(folder: Path, line: str) -> None:
    path = folder / "district.toml"
    path.write_text(path.read_text("utf-8").replace("[options]\n", f"[options]\n{line}\n"), "utf-8")


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.published / "youjun.duckdb", read_only=True) as con:
        return con.execute(query).fetchall()


def phase_rows(settings: Settings, phase: str = FIRST.id) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every mart table of the phase, without `is_closed`."""
    with connect(settings.published / "youjun.duckdb", read_only=True) as con:
        tables = con.execute(
            "select table_name from duckdb_columns() where schema_name = 'mart' and column_name = 'phase_id'"
        ).fetchall()
        return {
            table: con.execute(
                f"select columns(lambda c: c <> 'is_closed') from mart.{table} where phase_id = ? order by all",
                [phase],
            ).fetchall()
            for (table,) in tables
        }


def correct(folder: Path, made: Any) -> None:
    """A correction for the first phase: one school has two pupils more, every area of another is unknown."""
    tables = {name: [dict(row) for row in made.tables[name]] for name in ("schools", "facilities")}
    school = next(r for r in tables["schools"] if r["school_type"] == "小学")
    school["primary_students"] += 2
    write_delivery(folder, "2023-09-15", tables, style=PLAIN, seed=0)


def test_a_closed_phase_keeps_its_rows_and_a_reopened_one_says_what_changed(
    district: tuple[Path, Any],
) -> None:
    folder, made = district
    settings = places(folder.parent)
    refresh(settings, "run-1")
    with working(settings) as con:
        close_phase(con, "120114", FIRST.id)
        publish(con, settings.published, "close-1", settings.as_of)
    assert rows(settings, "select phase_id, is_closed from mart.evaluation order by 1") == [
        (FIRST.id, True),
        (SECOND.id, False),
    ]
    before = phase_rows(settings)
    correct(folder, made)
    refresh(settings, "run-2")
    assert phase_rows(settings) == before
    assert rows(settings, "select distinct run_id from mart.school where phase_id = '2023-first'") == [
        ("run-1",)
    ]
    assert rows(settings, "select distinct run_id from mart.school where phase_id = '2024-second'") == [
        ("run-2",)
    ]
    assert rows(settings, "select count(*) from ops.restatement") == [(0,)]

    with working(settings) as con:
        reopen_phase(con, "120114", FIRST.id, "更正一所小学的在校生数")
    refresh(settings, "run-3")
    assert phase_rows(settings) != before
    changed = rows(
        settings,
        "select old_value::int, new_value::int, reason from ops.restatement "
        "where phase_id = '2023-first' and table_name = 'mart.school' and column_name = 'primary_students'",
    )
    assert [(new - old, reason) for old, new, reason in changed] == [(2, "更正一所小学的在校生数")]
    assert rows(settings, "select distinct phase_id from ops.restatement") == [(FIRST.id,)]
    assert rows(settings, "select count(*) from ops.restatement where column_name = 'run_id'") == [(0,)]
    count = rows(settings, "select count(*) from ops.restatement")
    refresh(settings, "run-4")
    assert rows(settings, "select count(*) from ops.restatement") == count


def test_phases_close_after_the_agreed_days(district: tuple[Path, Any]) -> None:
    folder, _ = district
    option(folder, "close_after_days = 30")
    early = places(folder.parent, date(2023, 10, 29))
    refresh(early, "run-1")
    assert rows(early, "select phase_id, is_closed from mart.evaluation order by 1") == [
        (FIRST.id, False),
        (SECOND.id, False),
    ]
    later = places(folder.parent, date(2023, 10, 30))
    refresh(later, "run-2")
    refresh(places(folder.parent, date(2023, 11, 5)), "run-3")
    assert rows(later, "select phase_id, is_closed, run_id from mart.evaluation order by 1") == [
        (FIRST.id, True, "run-1"),
        (SECOND.id, False, "run-3"),
    ]
    assert rows(later, "select closed_by from ops.phase_closure") == [("after_days",)]


def test_a_reopened_phase_is_judged_anew_and_closes_only_after_the_days_since(
    district: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, made = district
    option(folder, "close_after_days = 30")
    settings = places(folder.parent, date(2024, 1, 31))
    refresh(settings, "run-1")
    state = "select is_closed, run_id from mart.evaluation where phase_id = '2023-first'"
    assert rows(settings, state) == [(True, "run-1")]
    correct(folder, made)
    monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
    monkeypatch.delenv("YOUJUN_AS_OF", raising=False)
    # no day given: that of the last publication, not today
    assert main(["reopen", "120114", FIRST.id, "--reason", "迟报更正"]) == 0
    assert rows(settings, state) == [(False, "run-1")]
    assert rows(settings, "select max(as_of)::varchar from ops.publication") == [("2024-01-31",)]
    assert main(["reopen", "120114", FIRST.id, "--reason", "迟报更正", "--as-of", "2024-02-10"]) == 1
    assert "没有关闭，无须重新打开" in capsys.readouterr().err
    # a later publication that did not judge it anew closes it as little as one within the days
    with working(settings) as con:
        publish(con, settings.published, "other", date(2024, 4, 1))
    assert rows(settings, state) == [(False, "run-1")]
    shutil.copy(settings.published / "youjun.previous.duckdb", settings.published / "youjun.duckdb")
    shutil.rmtree(settings.warehouse.parent)
    refresh(places(folder.parent, date(2024, 2, 11)), "run-2")
    assert rows(settings, state) == [(False, "run-2")]
    changed = "select count(*) from ops.restatement where phase_id = '2023-first' and reason = '迟报更正'"
    assert rows(settings, changed) != [(0,)]
    refresh(places(folder.parent, date(2024, 2, 29)), "run-3")
    assert rows(settings, state) == [(False, "run-2")]
    refresh(places(folder.parent, date(2024, 3, 1)), "run-4")
    assert rows(settings, state) == [(True, "run-2")]


def test_a_run_without_a_day_asks_before_it_leaves_another_day_for_today(
    district: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = district
    settings = places(folder.parent, date(2024, 1, 31))
    refresh(settings, "run-1")
    monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
    monkeypatch.delenv("YOUJUN_AS_OF", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    asked: list[str] = []

    def no(text: str) -> str:
        asked.append(text)
        return "n"

    monkeypatch.setattr("builtins.input", no)
    assert main(["run", "--no-reports"]) == 2
    assert len(asked) == 1 and "上一次发布的截止日期是 2024-01-31" in asked[0]
    assert rows(settings, "select max(as_of)::varchar from ops.publication") == [("2024-01-31",)]


def test_closed_rows_come_back_from_the_publication(district: tuple[Path, Any]) -> None:
    folder, made = district
    settings = places(folder.parent)
    refresh(settings, "run-1")
    with working(settings) as con:
        close_phase(con, "120114", FIRST.id)
        publish(con, settings.published, "close-1", settings.as_of)
    before = phase_rows(settings)
    shutil.rmtree(settings.warehouse.parent)
    correct(folder, made)
    refresh(settings, "run-2")
    assert phase_rows(settings) == before
    assert rows(settings, "select is_closed from mart.evaluation where phase_id = '2023-first'") == [(True,)]
    assert [r for (r,) in rows(settings, "select run_id from ops.publication order by run_id")] == [
        "close-1",
        "run-1",
        "run-2",
    ]


def test_a_publication_of_an_older_version_is_taken_over(district: tuple[Path, Any]) -> None:
    folder, _ = district
    settings = places(folder.parent)
    refresh(settings, "run-1")
    with working(settings) as con:
        close_phase(con, "120114", FIRST.id)
        publish(con, settings.published, "close-1", settings.as_of)
        con.execute(f"attach '{settings.published / 'youjun.duckdb'}' as older")
        con.execute("drop schema older.bi cascade; drop schema older.zh cascade")
        con.execute("alter table older.mart.lineage drop column source_column")
        con.execute("alter table older.mart.stage_balance drop column cv_composite")
        con.execute("detach older")
    shutil.rmtree(settings.warehouse.parent)
    refresh(settings, "run-2")
    assert rows(settings, "select phase_id, is_closed, run_id from mart.evaluation order by 1") == [
        (FIRST.id, True, "run-1"),
        (SECOND.id, False, "run-2"),
    ]
    assert rows(
        settings, "select count(*), count(cv_composite) from mart.stage_balance where phase_id = '2023-first'"
    ) == [(14, 0)]


def test_what_cannot_be_closed_or_reopened_is_refused(district: tuple[Path, Any]) -> None:
    folder, _ = district
    settings = places(folder.parent)
    refresh(settings, "run-1")
    with working(settings) as con:
        with pytest.raises(
            ClosingError, match="没有 120114 2030 的评估；现有：120114 2023-first、120114 2024-second"
        ):
            close_phase(con, "120114", "2030")
        with pytest.raises(ClosingError, match="没有关闭，无须重新打开"):
            reopen_phase(con, "120114", FIRST.id, "更正")
        con.execute("update mart.evaluation set is_stale = true")
        with pytest.raises(ClosingError, match="待更新，不是按现有交付重算的结果"):
            close_phase(con, "120114", FIRST.id)
        con.execute("update mart.evaluation set is_stale = false")
        close_phase(con, "120114", FIRST.id)
        with pytest.raises(ClosingError, match="已经关闭"):
            close_phase(con, "120114", FIRST.id)
        with pytest.raises(ClosingError, match="须写明原因"):
            reopen_phase(con, "120114", FIRST.id, "  ")
