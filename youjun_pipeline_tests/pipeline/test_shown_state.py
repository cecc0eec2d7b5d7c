"""What Dagster shows of a run: checks that show the state, numbers of each phase, previews, the content of the publication."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.pipeline.runs import FIRST, NORTH, SECOND, SOUTH, Place, two_districts

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

GARBAGE = b"PK\x03\x04 no workbook"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return two_districts(tmp_path_factory.mktemp("shown"))


@pytest.fixture(scope="module")
def result(place: Place) -> dg.ExecuteInProcessResult:
    return place.run()


def red(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """The failed checks of a run by asset and name."""
    return {
        (e.asset_key.to_user_string(), e.check_name): e
        for e in result.get_asset_check_evaluations()
        if not e.passed and e.severity is dg.AssetCheckSeverity.ERROR
    }


def of_phases(result: dg.ExecuteInProcessResult, asset: str) -> dict[str | None, dict[str, Any]]:
    """Metadata of an asset's materialisations by phase."""
    key = dg.AssetKey(asset.split("/"))
    return {
        e.materialization.partition: {k: v.value for k, v in e.materialization.metadata.items()}
        for e in result.get_asset_materialization_events()
        if e.asset_key == key
    }


def test_a_good_run_is_green(result: dg.ExecuteInProcessResult) -> None:
    assert red(result) == {}


def test_rows_of_a_phase_are_those_of_the_phase(place: Place, result: dg.ExecuteInProcessResult) -> None:
    seen = 0
    for table in declared_tables().values():
        found = of_phases(result, f"{table.schema}/{table.name}")
        if not found or not table.is_per_evaluation or table.schema != "mart":
            continue
        counted = place.rows(f"select phase_id, count(*) from {table.full_name} group by 1")
        shown = {phase: m["dagster/partition_row_count"] for phase, m in found.items()}
        assert shown == dict.fromkeys((FIRST.id, SECOND.id), 0) | dict(counted), table.full_name
        seen += len(counted)
    assert seen > 30
    failing = dict(place.rows("select phase_id, sum(schools_failing) from mart.district_verdict group by 1"))
    verdicts = of_phases(result, "mart/district_verdict")
    assert {phase: m["failing_schools"] for phase, m in verdicts.items()} == failing
    assert all("seconds" in m for m in verdicts.values())


def test_each_phase_shows_rows_of_its_own(place: Place, result: dg.ExecuteInProcessResult) -> None:
    for phase, found in of_phases(result, "mart/school_verdict").items():
        lines = found["preview"].splitlines()
        assert lines[0].startswith("| district_code | phase_id |") and len(lines) == 2 + 5
        assert {line.split(" | ")[1] for line in lines[2:]} == {phase}
    first = place.rows(
        "select school_code from mart.school_verdict where phase_id = ? order by all", FIRST.id
    )
    assert str(first[0][0]) in of_phases(result, "mart/school_verdict")[FIRST.id]["preview"]


def test_the_publication_shows_verdicts_and_every_district_in_every_phase(
    result: dg.ExecuteInProcessResult,
) -> None:
    found = of_phases(result, "publication/youjun")[SECOND.id]
    assert found["districts_and_phases"].splitlines() == [
        "| 区县 | 2023-first | 2024-second |",
        "| --- | --- | --- |",
        f"| {NORTH} 北区 | 已发布 | 已发布 |",
        f"| {SOUTH} 南区 | 已发布 | 已发布 |",
    ]
    assert (
        found["verdicts"].startswith("| 区县 | 阶段 | 在评学校 |")
        and "| 南区（数据为重构） |" in found["verdicts"]
    )


@pytest.mark.long
def test_a_file_that_stays_unreadable_stays_red_until_it_is_mended(
    place: Place, result: dg.ExecuteInProcessResult
) -> None:
    path = next((place.data / f"{NORTH}-north" / "deliveries").glob("*/facilities.*"))
    whole = path.read_bytes()
    path.write_bytes(GARBAGE)
    wanted = {("raw/facilities", "contract"), ("raw/delivered_file", "file_unreadable"), GATE}
    for _ in range(3):
        found = red(place.run())
        assert set(found) == wanted
        text = str(found[GATE].metadata["failing"].value)
        assert f"| {NORTH} | {FIRST.id} |" in text and path.name in text and SOUTH not in text
        # the whole reason, with what helps
        assert "…" not in text and "重新" in text
        assert path.name in str(found["raw/facilities", "contract"].metadata["failing"].value)
    # a run of the other district or phase does not turn it green
    assert set(red(place.run(districts=[SOUTH]))) == wanted
    assert set(red(place.run(SECOND.id))) == wanted
    states = of_phases(place.run(), "publication/youjun")[SECOND.id]["districts_and_phases"].splitlines()
    # nothing changed in the south since the run that published it
    assert states[2:] == [f"| {NORTH} 北区 | 未更新 | 未更新 |", f"| {SOUTH} 南区 | 沿用上次 | 沿用上次 |"]
    path.write_bytes(whole)
    assert red(place.run()) == {}


GATE = ("publication/youjun", "districts_pass_the_gate")


@pytest.mark.long
def test_a_folder_that_is_gone_is_told_in_every_run(
    place: Place, result: dg.ExecuteInProcessResult, tmp_path: Path
) -> None:
    folder = place.data / f"{SOUTH}-south"
    shutil.move(folder, tmp_path / "away")

    def told(run: dg.ExecuteInProcessResult) -> bool:
        [found] = [e for e in run.get_asset_check_evaluations() if e.check_name == "folder_is_present"]
        assert found.passed != (SOUTH in str(found.metadata.get("failing")))
        return not found.passed

    assert [told(place.run()) for _ in range(2)] == [True, True]
    shutil.move(tmp_path / "away", folder)
    assert not told(place.run())


def test_a_run_that_computes_nothing_keeps_the_publication_and_the_one_before(
    place: Place, result: dg.ExecuteInProcessResult
) -> None:
    from youjun_pipeline.session import open_session

    with place.settings("2025-01-01") as settings, open_session(settings) as session:
        session.con.execute("delete from raw.standing")
    place.run()
    previous = place.published.with_name("youjun.previous.duckdb")
    before = (place.published.stat().st_ino, previous.stat().st_ino)
    with place.settings("2025-01-01") as settings, open_session(settings) as session:
        session.ingest()
        assert session.begin("nothing") == 0
        session.check()
        made = session.publish()
    assert not made.is_new and made.run_id != "nothing"
    assert (place.published.stat().st_ino, previous.stat().st_ino) == before
