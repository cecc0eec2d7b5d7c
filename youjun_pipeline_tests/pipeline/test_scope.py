"""The scope of a run: phases, districts, the day that counts as today; everything outside it does not change."""

from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb
import pytest

from youjun_pipeline.orchestration import sensors
from youjun_pipeline.orchestration.code_location import build_definitions
from youjun_pipeline.orchestration.execute import RefreshFailedError, run_refresh
from youjun_pipeline.orchestration.failures import REFUSED, cause_of
from youjun_pipeline.orchestration.instance import instance_for
from youjun_pipeline.orchestration.partitions import RANGE_END, RANGE_START, range_tags
from youjun_pipeline_tests.pipeline.runs import FIRST, LATE, NORTH, SECOND, SOUTH, Place, two_districts

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

EVALUATIONS = (
    "select district_code, phase_id, run_id from mart.evaluation order by district_code, phase_order"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two districts with a future phase, published as of 2025-01-01."""
    made = two_districts(tmp_path_factory.mktemp("scope"), (FIRST, SECOND, LATE))
    made.run()
    return made


def test_phase_that_starts_after_the_as_of_date_has_no_rows(place: Place) -> None:
    assert [row[:2] for row in place.rows(EVALUATIONS)] == [
        (code, phase.id) for code in (NORTH, SOUTH) for phase in (FIRST, SECOND)
    ]
    assert all(rows == [] for rows in place.tables(NORTH, LATE.id).values())


def test_what_a_run_does_not_take_stays_as_it_is(place: Place) -> None:
    """One phase of one district, after a change of the program: the other phase is made too, the other district is stale."""

    def of_south() -> dict[str, Any]:
        return {
            name: rows for name, rows in place.tables(SOUTH, whole=True).items() if "evaluation" not in name
        }

    with duckdb.connect(str(place.warehouse)) as con:
        con.execute("update raw.standing set inputs = 'another program'")
    south, taken = of_south(), place.tables(NORTH, SECOND.id)
    result = place.run(SECOND.id, districts=[NORTH])
    assert of_south() == south
    assert place.tables(NORTH, SECOND.id) == taken
    runs = {(code, phase) for code, phase, run in place.rows(EVALUATIONS) if run == result.run_id}
    assert runs == {(NORTH, FIRST.id), (NORTH, SECOND.id)}
    stale = place.rows("select district_code, phase_id from mart.evaluation where is_stale order by all")
    assert stale == [(SOUTH, FIRST.id), (SOUTH, SECOND.id)]


def test_earlier_as_of_date_is_refused(place: Place) -> None:
    before = place.published.read_bytes()
    with pytest.raises(RefreshFailedError) as raised:
        place.run(as_of="2024-12-31")
    assert "截止日期不能倒退：上次发布的截止日期是 2025-01-01，本次是 2024-12-31。" in str(raised.value)
    assert "YOUJUN_AS_OF" in str(raised.value) and "YOUJUN_WAREHOUSE" in str(raised.value)
    assert place.published.read_bytes() == before


def test_unknown_phase_and_district_are_named(place: Place) -> None:
    with pytest.raises(
        RefreshFailedError, match="没有这些阶段：1999、2000；现有：2023-first、2024-second、2026-late"
    ):
        place.run("2000", "1999", FIRST.id)
    with pytest.raises(RefreshFailedError, match=f"没有这些区县：999999；现有：{NORTH}、{SOUTH}"):
        place.run(districts=[NORTH, "999999"])


def test_range_that_gives_no_key_is_an_error(place: Place) -> None:
    known = [FIRST.id, SECOND.id, LATE.id]
    with place.settings(), instance_for(known) as instance:
        result = (
            build_definitions()
            .resolve_job_def("refresh")
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["core", "parameter"])],
                tags={RANGE_START: SECOND.id, RANGE_END: FIRST.id},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
        )
    assert not result.success
    failed = [e.step_failure_data.error for e in result.all_events if e.is_step_failure]
    assert any("阶段范围是空的：起点在终点之后，或其间没有阶段" in str(error) for error in failed)


def test_range_takes_the_phases_between_its_ends(place: Place) -> None:
    """The last test of the module: from here on the as-of date is later."""
    result = place.run(LATE.id, FIRST.id, as_of="2026-06-30")
    made = {(code, phase): run for code, phase, run in place.rows(EVALUATIONS)}
    assert list(made) == [(code, phase.id) for code in (NORTH, SOUTH) for phase in (FIRST, SECOND, LATE)]
    assert {code: made[code, LATE.id] for code in (NORTH, SOUTH)} == dict.fromkeys(
        (NORTH, SOUTH), result.run_id
    )
    assert place.rows("select distinct as_of::varchar from mart.evaluation") == [("2026-06-30",)]
    as_of = [day for (day,) in place.rows("select as_of::varchar from ops.publication order by published_at")]
    assert as_of[-1] == "2026-06-30" and set(as_of[:-1]) == {"2025-01-01"}


def test_folder_without_districts_says_what_belongs_there(tmp_path: pytest.TempPathFactory) -> None:
    place = Place(tmp_path)  # type: ignore[arg-type]
    (place.data / "12011-short").mkdir()
    (place.data / "12011-short" / "district.toml").write_text("", "utf-8")
    (place.data / "120114-empty").mkdir()
    with place.settings() as settings, pytest.raises(RefreshFailedError) as raised:
        run_refresh(settings)
    first, *rest = str(raised.value).splitlines()
    assert first == (
        f"{place.data} 中没有可评估的阶段：请按 <代码>-<名称>/district.toml 放置区县文件夹；上一次发布保持不变"
    )
    assert any("120114-empty/district.toml：没有这个文件" in line for line in rest)
    assert any(line.startswith("  12011-short：有 district.toml，但文件夹名不是") for line in rest)
    assert not place.published.exists() and not place.warehouse.exists()


def test_config_is_judged_like_the_settings_and_the_reason_comes_first(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the pages of the assets anything can be typed; a bad request is refused with the message of the command line.

    The run ends as cancelled: for a failed run Dagster would mark every asset of the run as failed.
    """
    told: list[str] = []

    def send(text: str, channels: object) -> list[str]:
        told.append(text)
        return ["webhook"]

    monkeypatch.setattr(sensors, "send", send)

    def failure(config: dict[str, Any]) -> tuple[dg.ExecuteInProcessResult, str]:
        with place.settings(), instance_for([FIRST.id, SECOND.id]) as instance:
            result = (
                build_definitions()
                .resolve_job_def("refresh")
                .execute_in_process(
                    instance=instance,
                    tags=range_tags([FIRST.id]),
                    run_config={"resources": {"refresh": {"config": config}}},
                    raise_on_error=False,
                )
            )
            run = instance.get_run_by_id(result.run_id)
            assert run is not None and run.status is dg.DagsterRunStatus.CANCELED
            [ended] = [e for e in result.all_events if e.event_type is dg.DagsterEventType.RUN_CANCELED]
            told.clear()
            sensors.refusal_notice(dg.build_run_status_sensor_context("refusal_notice", ended, instance, run))
            return result, run.tags[REFUSED]

    for config, step, words in (
        ({"as_of": "2024-6-30"}, "deliveries", "YOUJUN_AS_OF=2024-6-30：不是日期，请写作 2024-06-30"),
        ({"as_of": "2090-01-01"}, "deliveries", "截止日期 2090-01-01 在今天"),
        (
            {"districts": ["999999"], "as_of": "2026-07-01"},
            "models",
            f"没有这些区县：999999；现有：{NORTH}、{SOUTH}",
        ),
    ):
        result, tag = failure(config)
        assert not result.success and tag.startswith(words)
        [event] = [e for e in result.all_events if e.is_step_failure and e.step_key == step]
        shown = event.step_failure_data.user_failure_data
        assert shown and shown.description and shown.description.startswith(words), shown
        assert len(told) == 1 and words in told[0] and "上一次发布保持不变" in told[0], told
        assert cause_of(event.step_failure_data.error).startswith(words)
