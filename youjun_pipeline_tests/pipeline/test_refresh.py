"""The sample districts from files to publication: 武清's first phase agrees with its plan, and a second run changes nothing."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.pipeline.conftest import SampleRun
from youjun_pipeline_tests.pipeline.runs import metadata

WUQING, STARTUP = "120114", "2023-startup"

# The failing schools by name, as the annex of the plan of 2023-07-28 lists them.
ANNEX = {
    ("R4", "primary"): (
        "杨村第四小学 杨村第六小学 泗村店镇泗村店中心小学 东马圈镇西刘庄中心小学 陈咀镇陈咀中心小学 杨村第十六小学 "
        "陈咀镇渔坝口小学 杨村第十一小学 杨村第七小学 杨村第九小学 下朱庄街道静湖小学 梅厂镇梅厂中心小学 "
        "上马台镇上马台中心小学 南蔡村镇莲胜中心小学 河西务镇首驿小学 大王古庄镇大王古庄中心小学 杨村第十三小学 "
        "黄庄街泉昇小学 汊沽港镇港韵小学 下朱庄街静湖第二小学 光明道小学"
    ),
    ("R4", "junior"): "杨村第五中学 杨村第八中学 杨村第六中学 上马台镇初级中学 光明道中学",
    ("R5", "primary"): "下朱庄街广贤路小学",
    ("R6", "primary"): "黄庄街泉昇小学 黄庄街老米店完全小学",
    ("G3", "primary"): (
        "杨村第十三小学 光明道小学 杨村街第一小学 黄庄街泉昇小学 黄庄街城上完全小学 黄庄街老米店完全小学 "
        "黄庄街马家口完全小学 下朱庄街广贤路小学 下朱庄街南湖小学 下朱庄街越秀园小学 大王古庄镇第二中心小学 "
        "陈咀镇陈咀中心小学 汊沽港镇二街中心小学"
    ),
    ("G3", "junior"): (
        "光明道中学 徐官屯街初级中学 下朱庄街南湖初级中学 曹子里镇初级中学 河北屯镇初级中学 城关镇中学 天津市雍阳中学"
    ),
    ("G4", "primary"): "杨村第十小学 下朱庄街广贤路小学 光明道小学",
    ("G5", "primary"): (
        "杨村第八小学 杨村第十小学 王庄军民小学 南蔡村镇畔水庭苑中心小学 东马圈镇东马圈中心小学 杨村第十四小学 "
        "杨村第十五小学 杨村第十六小学 杨村第十七小学 杨村第十一小学 杨村第七小学 杨村第九小学 杨村第十二小学 "
        "下朱庄街道静湖小学 大王古庄镇大王古庄中心小学 杨村第十三小学 黄庄街泉昇小学 下朱庄街广贤路小学 "
        "汊沽港镇港韵小学 下朱庄街南湖小学 光明道小学 下朱庄街越秀园小学"
    ),
    ("G5", "junior"): (
        "杨村第十中学 杨村第五中学 杨村第六中学 天津市雍阳中学 上马台镇初级中学 光明道中学 徐官屯街初级中学 "
        "下朱庄街广贤路初级中学"
    ),
}
COUNTS = {("R4", "primary"): 21, ("R4", "junior"): 5, ("R5", "primary"): 1, ("R6", "primary"): 2} | {
    ("G3", "primary"): 13, ("G3", "junior"): 7, ("G4", "primary"): 3, ("G5", "primary"): 22, ("G5", "junior"): 8,
}  # fmt: skip


def plain(name: str) -> str:
    """A name without the differences that occur between the annex and the roster."""
    return name.replace("街道", "街").replace("中心小学", "小学")


def test_failing_schools_are_those_of_the_annex(sample: SampleRun) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for indicator, stage, name in sample.place.rows(
        "select indicator_code, stage, school_name from mart.school_indicator "
        "where district_code = ? and phase_id = ? and status in ('near', 'below')",
        WUQING,
        STARTUP,
    ):
        # a primary and a junior school judged on the school as a whole stand under the stage they teach
        found.setdefault((indicator, stage), set()).add(plain(name))
    assert found == {key: {plain(name) for name in names.split()} for key, names in ANNEX.items()}
    assert {key: len(names) for key, names in found.items()} == COUNTS


def test_fifty_two_schools_fail_and_the_teachers_are_enough(sample: SampleRun) -> None:
    place = sample.place
    assert place.rows(
        "select schools_failing, indicators_failing, passes from mart.district_verdict where district_code = ? and phase_id = ?",
        WUQING,
        STARTUP,
    ) == [(52, 8, False)]
    stages = place.rows(
        "select stage, count(distinct school_code) from mart.school_indicator where district_code = ? and phase_id = ?"
        " and status in ('near', 'below') group by stage order by stage desc",
        WUQING,
        STARTUP,
    )
    assert stages == [("primary", 39), ("junior", 13)]
    judged = place.rows(
        "select indicator_code, status, failing_primary, failing_junior, cv_primary_status, cv_junior_status "
        "from mart.district_indicator where district_code = ? and phase_id = ? and indicator_code in ('R1', 'R2', 'R3') "
        "order by 1",
        WUQING,
        STARTUP,
    )
    assert judged == [(f"R{n}", "met", 0, 0, "met", "met") for n in (1, 2, 3)]


def test_coefficients_and_monitoring_are_those_of_the_plan(sample: SampleRun) -> None:
    place = sample.place
    over = place.rows(
        "select indicator_code, stage from mart.stage_balance "
        "where district_code = ? and phase_id = ? and status = 'below' order by 1, 2 desc",
        WUQING,
        STARTUP,
    )
    assert over == [
        ("R4", "primary"),
        ("R5", "primary"),
        ("R5", "junior"),
        ("R6", "primary"),
        ("R7", "junior"),
    ]
    subjects = place.rows(
        "select grade, subject, level from mart.monitoring_subject "
        "where district_code = ? and phase_id = ? and status = 'below' order by all",
        WUQING,
        STARTUP,
    )
    assert subjects == [(4, "科学", 2), (4, "语文", 2), (8, "科学", 2)]


def test_every_phase_that_has_begun_is_published(sample: SampleRun) -> None:
    assert sample.place.rows(
        "select district_code, phase_id from mart.evaluation order by district_code, phase_order"
    ) == [
        *((WUQING, p) for p in (STARTUP, "2023-implementation", "2024-municipal", "2025-national")),
        *(("120115", p) for p in ("2020", "2021", "2022")),
    ]
    blocked = sample.place.rows(
        "select * from quality.check_result where severity = 'blocking' and not passed"
    )
    assert blocked == []


def test_rows_in_are_rows_accepted_and_rejected(sample: SampleRun) -> None:
    counted = sample.place.rows(
        "select count(*), sum(rows_read), sum(rows_read - rows_accepted - rows_rejected), count(distinct sha256) "
        "from ops.source_file"
    )
    delivered = [p for p in sample.place.data.glob("*/deliveries/*/*") if p.is_file()]
    files, rows, lost, _ = counted[0]
    assert (files, lost) == (len(delivered), 0)
    # read without the pipeline: lines of a csv file whose cells hold no line breaks, header aside
    classes = sample.place.data / "120114-wuqing/deliveries/2023-08-31/classes.csv"
    lines = [line for line in classes.read_bytes().splitlines() if line.strip(b", \r")]
    assert sample.place.rows(
        "select rows_read from ops.source_file where district_code = ? and dataset = 'classes' and delivery = '2023-08-31'",
        WUQING,
    ) == [(len(lines) - 1,)]
    assert rows > 20_000


@pytest.mark.parametrize("dataset", ["schools", "classes", "special_rooms", "measures", "quality_monitoring"])
def test_a_second_run_reads_no_file_again(sample: SampleRun, dataset: str) -> None:
    first, again = metadata(sample.first, f"raw/{dataset}"), metadata(sample.second, f"raw/{dataset}")
    assert first["new_files"] > 0 and first["new_rows"] > 0
    assert (again["new_files"], again["new_rows"]) == (0, 0)
    # how much of it is there does not depend on what was read anew
    there = [
        {name: m[name] for name in ("dagster/row_count", "files", "rows_rejected")} for m in (first, again)
    ]
    assert there[0] == there[1] and there[0]["dagster/row_count"] > 0


def test_a_second_run_publishes_the_same_tables(sample: SampleRun) -> None:
    assert sample.place.content() == sample.first_content
    hashes = sample.place.rows(
        "select run_id, content_sha256, rows from ops.publication order by published_at"
    )
    # the same content is not published twice: the file stays in place
    assert [run for run, *_ in hashes] == [sample.first.run_id]
    assert hashes[0][1] == sample.first_content
    assert metadata(sample.second, "publication/youjun")["content_sha256"] == sample.first_content


def test_every_asset_reports_its_rows_and_columns(sample: SampleRun) -> None:
    keys = {event.asset_key for event in sample.first.get_asset_materialization_events()}
    computed = {key for key in keys if key is not None and key.path[0] in ("core", "rule", "mart", "quality")}
    assert len(computed) > 80
    for key in computed - {dg.AssetKey(["quality", "check_result"])}:
        found = metadata(sample.first, key.to_user_string())
        assert found.get("dagster/partition_row_count", found.get("dagster/row_count", -1)) >= 0, key
        assert key.path[0] in ("mart", "quality") or found["dagster/column_schema"].columns, key
    sections = metadata(sample.first, "core/section")
    assert {c.name: c.type for c in sections["dagster/column_schema"].columns}["school_code"] == "VARCHAR"
    rows = dict(sample.place.rows("select phase_id, count(*) from mart.school_indicator group by 1"))
    key = dg.AssetKey(["mart", "school_indicator"])
    shown = {
        event.partition: event.materialization.metadata["dagster/partition_row_count"].value
        for event in sample.first.get_asset_materialization_events()
        if event.asset_key == key
    }
    assert shown == rows


def test_a_second_run_shows_the_rows_that_stand(sample: SampleRun) -> None:
    def shown(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str | None], dict[str, Any]]:
        """The figures of every event about a table, by table and phase; events of raw files have a test of their own."""
        return {
            (".".join(e.asset_key.path), e.materialization.partition): {
                name: value.value
                for name, value in e.materialization.metadata.items()
                if name in ("dagster/partition_row_count", "dagster/row_count", "failing_schools")
            }
            for e in result.get_asset_materialization_events()
            if e.asset_key and e.asset_key.path[0] not in ("raw", "reports", "publication")
        }

    first, again = shown(sample.first), shown(sample.second)
    assert again == first
    per_phase = [key for key, found in again.items() if "dagster/partition_row_count" in found]
    assert len(per_phase) > 500
    with connect(sample.place.warehouse, read_only=True) as con:
        for table in {table for table, _ in again if table.split(".")[0] != "standard"}:
            columns = [name for name, *_ in con.execute(f"describe {table}").fetchall()]
            if "phase_id" in columns and (table, "2020") in per_phase:
                counted = dict(con.execute(f"select phase_id, count(*) from {table} group by 1").fetchall())
                found = {p: again[t, p]["dagster/partition_row_count"] for t, p in per_phase if t == table}
                assert found == {phase: counted.get(phase, 0) for phase in found}, table
            else:
                [rows] = {found["dagster/row_count"] for (name, _), found in again.items() if name == table}
                assert con.execute(f"select count(*) from {table}").fetchall() == [(rows,)], table


def test_districts_and_phases_are_shown_in_order_of_time(sample: SampleRun) -> None:
    head, *lines = metadata(sample.first, "publication/youjun")["districts_and_phases"].splitlines()
    startup = f"| {STARTUP} | 2023-implementation | 2024-municipal | 2025-national |"
    assert head == f"| 区县 | 2020 | 2021 | 2022 {startup}"
    assert [line.split(" | ")[0] for line in lines[1:]] == [f"| {WUQING} 武清区", "| 120115 宝坻区"]


def test_contracts_are_asset_checks(sample: SampleRun) -> None:
    checks = {
        (e.asset_check_key.asset_key.to_user_string(), e.asset_check_key.name): e
        for e in sample.first.get_asset_check_evaluations()
    }
    assert checks["raw/schools", "contract"].passed
    assert checks["raw/delivered_file", "rows_reconcile"].passed
    assert checks["mart/evaluation", "evaluation_has_one_run"].passed
