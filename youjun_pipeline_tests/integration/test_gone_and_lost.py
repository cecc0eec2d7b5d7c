"""Phases removed from a district.toml, districts that come back, lost rows: the results of the gate and the warnings."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.steps import compute, places, read_all, refresh, working

pytestmark = pytest.mark.long

FIRST = Phase("p1", "启动", date(2023, 7, 1), date(2023, 9, 30))
SECOND = Phase("p2", "攻坚", date(2023, 10, 1), date(2024, 9, 30))
STAYS, LEAVES = "110101", "110102"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two districts with two phases each."""
    made = generate_district(1, n_schools=10, profile="passing", code=STAYS, leading_zero=False)
    for code in (STAYS, LEAVES):
        write_district(
            tmp_path, made.tables, made.settings, (FIRST, SECOND), style=PLAIN, code=code, name=f"{code}区"
        )
    return places(tmp_path)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings.published / "youjun.duckdb", read_only=True) as con:
        return con.execute(query).fetchall()


WARNINGS = "select district_code, phase_id, message from quality.check_result where check_name = 'folder_is_present' order by 1"
EVALUATIONS = "select district_code, phase_id from mart.evaluation order by all"


def test_gone_phases_and_districts_are_warned_of_until_they_are_back(
    settings: Settings, tmp_path: Path
) -> None:
    first = refresh(settings, "run-1")
    assert rows(settings, WARNINGS) == []
    toml = settings.data / f"{STAYS}-test" / "district.toml"
    whole = toml.read_text("utf-8")
    toml.write_text(whole[: whole.index('\n[[phase]]\nid = "p2"')], "utf-8")
    shutil.move(settings.data / f"{LEAVES}-test", tmp_path.parent / f"{tmp_path.name}-aside")

    gone = refresh(settings, "run-2")
    assert rows(settings, EVALUATIONS) == [(STAYS, "p1")]
    warnings = rows(settings, WARNINGS)
    assert warnings == [
        (
            STAYS,
            "p2",
            "阶段“攻坚”（p2）已不在 district.toml 中：它的结果不再发布；如非本意，请补上后重新运行",
        ),
        (
            LEAVES,
            None,
            f"区县 {LEAVES}（{LEAVES}区）的文件夹已不在数据文件夹中：它的结果不再发布；如非本意，请放回文件夹后重新运行",
        ),
    ]
    # nothing else of them is left, and saying so again is no news
    assert rows(settings, f"select count(*) from quality.check_result where district_code = '{LEAVES}'") == [
        (1,)
    ]
    assert refresh(settings, "run-3").content_sha256 == gone.content_sha256
    assert rows(settings, WARNINGS) == warnings

    toml.write_text(whole, "utf-8")
    shutil.move(tmp_path.parent / f"{tmp_path.name}-aside", settings.data / f"{LEAVES}-test")
    assert refresh(settings, "run-4").content_sha256 == first.content_sha256
    assert rows(settings, WARNINGS) == []


def test_rows_unaccounted_for_keep_an_evaluation_out(settings: Settings) -> None:
    refresh(settings, "run-1")
    with working(settings) as con:
        read_all(con, settings)
        con.execute(
            "update raw.content set rows_accepted = rows_accepted - 1 where dataset = 'facilities' and content_sha256 in"
            f" (select content_sha256 from raw.delivered_file where district_code = '{STAYS}' and dataset = 'facilities')"
        )
        # what stands was accounted for when it was made
        con.execute("delete from raw.standing")
        compute(con, settings, "run-2")
        publish(con, settings.published, "run-2", settings.as_of)
    # both districts delivered the same content, so both are kept out, in both phases
    assert rows(settings, "select distinct run_id from mart.evaluation") == [("run-1",)]
    failed = rows(
        settings,
        "select district_code, phase_id, message from quality.check_result "
        "where severity = 'blocking' and not passed order by all",
    )
    assert [row[:2] for row in failed] == [(c, p) for c in (STAYS, LEAVES) for p in ("p1", "p2")]
    assert all("2023-08-31/facilities.csv：读入 10，接受 9，隔离 0" in message for *_, message in failed)
