"""Notices of districts that a publication leaves behind: which districts, once, and again if the reason changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from youjun_pipeline.notify import LONGEST_WEBHOOK_BYTES, Concerned, NotifyError, _fitting, concern_text
from youjun_pipeline.orchestration import notices
from youjun_pipeline.orchestration.notices import district_notice
from youjun_pipeline.settings import Channels
from youjun_pipeline.warehouse.connection import connect

WELL, HELD, GONE = "110101", "110102", "110103"
NO_ROSTER = (HELD, "p1", "schools_missing", "blocking", "没有学校名册：请补交")
UNREADABLE = (HELD, "p1", "file_unreadable", "blocking", "schools.xlsx：无法读取")
LEFT = (GONE, None, "folder_is_present", "warning", "文件夹已不在数据文件夹中")


def silent(days: int) -> tuple[str, str, str, str, str]:
    return WELL, "p1", "deliveries_are_recent", "warning", f"已 {days} 天"


@dataclass
class Sensor:
    """The sensor as the daemon calls it, with its cursor, on publications with only the tables that it reads."""

    published: Path
    told: list[str] = field(default_factory=list)
    cursor: str | None = None
    is_broken: bool = False

    def publish(self, *checks: tuple[str, str | None, str, str, str]) -> None:
        """Replace the publication by another file: these checks failed, and one more passed."""
        building = self.published / "new.duckdb"
        with connect(building) as con:
            con.execute("create table mart.evaluation as select unnest(?) as district_code, '东区' as district_name,"
                " 'p1' as phase_id, 1 as phase_order", [[
                WELL, HELD
            ]])  # fmt: skip
            con.execute(
                "create table quality.check_result (district_code varchar, phase_id varchar, check_name varchar,"
                " severity varchar, message varchar, passed boolean)"
            )
            con.execute(
                "insert into quality.check_result values (?, 'p1', 'rows_reconcile', 'blocking', '', true),"
                " (?, 'p1', 'school_names_resolve', 'warning', '', false)",
                [WELL, WELL],
            )
            for check in checks:
                con.execute("insert into quality.check_result values (?, ?, ?, ?, ?, false)", list(check))
        building.replace(self.published / "youjun.duckdb")

    def take(self, text: str, channels: Channels) -> list[str]:
        if self.is_broken:
            raise NotifyError("YOUJUN_NOTIFY_WEBHOOK：拒收")
        self.told.append(text)
        return ["YOUJUN_NOTIFY_WEBHOOK"]

    def look(self) -> list[str]:
        """One call; returns what it told."""
        before = len(self.told)
        with dg.DagsterInstance.ephemeral() as instance:
            result: Any = district_notice(dg.build_sensor_context(instance=instance, cursor=self.cursor))
        self.cursor = result.cursor
        return self.told[before:]


@pytest.fixture
def sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sensor:
    made = Sensor(tmp_path / "published")
    monkeypatch.setenv("YOUJUN_DATA", str(tmp_path))
    monkeypatch.setenv("YOUJUN_NOTIFY_WEBHOOK", "http://127.0.0.1:9/")
    monkeypatch.setattr(notices, "send", made.take)
    return made


def test_what_a_publication_leaves_behind_is_told(sensor: Sensor) -> None:
    assert sensor.look() == [], "there is no publication"
    sensor.publish()
    assert sensor.look() == [], "nothing is the matter"
    sensor.publish(NO_ROSTER, (HELD, "p2", *NO_ROSTER[2:]), LEFT, silent(201))
    [text] = sensor.look()
    assert text.splitlines() == [
        "优均：3 处需要处理",
        "发布已完成，其他区县不受影响",
        "因数据问题未更新，保留上一次的结果（1 处）：",
        f"  {HELD} 东区 p1、p2：没有学校名册：请补交",
        "已离开发布（1 处）：",
        f"  {GONE}：文件夹已不在数据文件夹中",
        "久未交付（1 处）：",
        f"  {WELL} 东区 p1：已 201 天",
        "处理办法见 docs/operations.md“告警”",
    ]
    assert sensor.look() == []


def test_the_same_is_told_once_and_something_else_again(sensor: Sensor) -> None:
    sensor.publish(NO_ROSTER, silent(201))
    assert len(sensor.look()) == 1
    sensor.publish(NO_ROSTER, silent(202))
    assert sensor.look() == [], "a day more is no news"
    sensor.publish(UNREADABLE, silent(203))
    [changed] = sensor.look()
    assert changed.startswith("优均：1 处需要处理") and "schools.xlsx：无法读取" in changed
    assert "此前已通知、仍未解决的有 1 处" in changed
    sensor.publish(silent(204))
    assert sensor.look() == [], "put right"
    sensor.publish(UNREADABLE, silent(205))
    assert len(sensor.look()) == 1, "and broken again"


def test_what_could_not_be_told_is_told_with_the_next_publication(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor.publish(silent(201))
    assert len(sensor.look()) == 1
    sensor.publish(NO_ROSTER, silent(202))
    with monkeypatch.context() as patch:
        patch.delenv("YOUJUN_NOTIFY_WEBHOOK")
        assert sensor.look() == [], "nobody to tell"
    sensor.is_broken = True
    assert sensor.look() == []
    sensor.is_broken = False
    assert sensor.look() == [], "not every minute"
    sensor.publish(NO_ROSTER, silent(203))
    [text] = sensor.look()
    assert "1 处需要处理" in text and "没有学校名册" in text and "仍未解决的有 1 处" in text


def concerned(kind: str, count: int, reason: str = "因") -> Sequence[Concerned]:
    return [Concerned(kind, f"区{n}", reason, is_new=True) for n in range(count)]


def test_a_long_list_names_fifty_and_counts_the_others() -> None:
    lines = concern_text([*concerned("held", 48), *concerned("silent", 30, "长" * 300)]).splitlines()
    assert lines[0] == "优均：78 处需要处理"
    assert "久未交付（30 处）：" in lines and lines[-2] == "……另有 28 处，见发布库 quality.check_result"
    assert sum(line.startswith("  区") for line in lines) == 50
    assert lines[-3] == "  区1：" + "长" * 200 + "……"


def test_a_group_robot_gets_what_it_takes_and_the_last_line_with_it() -> None:
    text = concern_text(concerned("held", 50, "长" * 100))
    fitting = _fitting(text, LONGEST_WEBHOOK_BYTES)
    assert len(text.encode()) > 4000 and 2040 < len(fitting.encode()) <= 2048
    assert fitting.startswith("优均：50 处需要处理\n") and fitting.endswith(
        "……\n处理办法见 docs/operations.md“告警”"
    )
    assert _fitting("短", LONGEST_WEBHOOK_BYTES) == "短"


def test_a_verdict_that_turned_is_told_with_what_it_was(sensor: Sensor) -> None:
    """A district that failed last night and passes today, or the reverse, is news beyond its own bureau."""

    def publish(run: str, passes: bool | None, failing: int) -> None:
        current = sensor.published / "youjun.duckdb"
        if current.exists():
            current.replace(sensor.published / "youjun.previous.duckdb")
        sensor.publish()
        with connect(current) as con:
            con.execute(
                "create table mart.district_verdict as select ? as district_code, 'p1' as phase_id, ? as run_id,"
                " ?::boolean as passes, ? as schools_failing",
                [WELL, run, passes, failing],
            )

    publish("run-1", False, 3)
    assert sensor.look() == []
    publish("run-2", True, 0)
    [text] = sensor.look()
    assert "结论变化（1 处）：" in text
    assert f"{WELL} 东区 p1：结论由未通过变为通过（运行 run-2；未达标学校 3 → 0）" in text
    publish("run-3", True, 0)
    assert sensor.look() == []
    # what is not known is no pass
    publish("run-4", None, 1)
    [text] = sensor.look()
    assert "结论由通过变为未通过（运行 run-4；未达标学校 0 → 1）" in text


def test_a_run_of_some_tables_is_not_told_as_a_fault_of_the_data(sensor: Sensor) -> None:
    sensor.publish((HELD, "p1", "evaluation_has_one_run", "blocking", "各表出自不同的运行"))
    assert sensor.look() == []
