"""`mart.reconciliation`: the superior's claims compared with the computed results, in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.plan_story import (
    DAYS,
    ENOUGH,
    TOO_MANY,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.integration.sample_districts import BAODI, STARTUP, WUQING
from youjun_pipeline_tests.steps import places, refresh

LETTER = "督办函〔2023〕1号"


def lines(con: duckdb.DuckDBPyConnection, district: str, phase: str) -> list[dict[str, Any]]:
    cursor = con.execute(
        "select * from mart.reconciliation where district_code = ? and phase_id = ?", [district, phase]
    )
    names = [d[0] for d in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def wuqing(sample: Settings) -> list[dict[str, Any]]:
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        return lines(con, WUQING, STARTUP)


def test_all_of_wuqing_agrees_but_the_total_of_schools(wuqing: list[dict[str, Any]]) -> None:
    assert [
        (r["level"], r["indicator_code"], r["claimed"], r["computed"]) for r in wuqing if not r["agrees"]
    ] == [("total", "合计", "53", "52")]
    assert {
        level: sum(r["level"] == level for r in wuqing) for level in ("school", "stage", "district", "count")
    } == {
        "school": 82,
        "stage": 5,
        "district": 1,
        "count": 10,
    }
    total = next(r for r in wuqing if r["indicator_code"] == "合计")
    assert total["note"] == "通报 53 所，点名的不同学校 52 所，计算 52 所：通报多 1 所，宜与来文单位核实"
    indicators = next(r for r in wuqing if r["indicator_code"] == "指标合计")
    assert (indicators["claimed"], indicators["computed"]) == ("8", "8")
    assert all(r["source"] for r in wuqing)


def test_counts_are_those_of_the_letter(wuqing: list[dict[str, Any]]) -> None:
    counts = {
        (r["indicator_code"], r["stage"]): (r["claimed"], r["computed"])
        for r in wuqing
        if r["level"] == "count"
    }
    assert counts == {
        key: (str(n), str(n))
        for key, n in {
            ("R4", "primary"): 21, ("R4", "junior"): 5, ("R5", "primary"): 1, ("R6", "primary"): 2,
            ("G3", "primary"): 13, ("G3", "junior"): 7, ("G4", "primary"): 3, ("G5", "primary"): 22,
            ("G5", "junior"): 8, ("Q9", None): 3,
        }.items()
    }  # fmt: skip


def test_a_name_written_another_way_is_noted(wuqing: list[dict[str, Any]]) -> None:
    noted = {r["school_name"]: r["note"] for r in wuqing if r["note"].startswith("按")}
    assert set(noted) == {"下朱庄街道静湖小学"}
    assert noted["下朱庄街道静湖小学"].startswith("按简写对应“下朱庄街静湖小学”；通报与计算一致：")


def test_a_near_value_is_a_failing_one(wuqing: list[dict[str, Any]]) -> None:
    near = next(r for r in wuqing if r["school_name"] == "杨村第四小学" and r["indicator_code"] == "R4")
    assert (near["claimed"], near["computed"], near["agrees"]) == ("未达标", "达到85%", True)


def test_without_a_letter_own_findings_stand_unverified(sample: Settings) -> None:
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        found = lines(con, BAODI, "2020")
    assert found and {(r["source"], r["claimed"], r["agrees"]) for r in found} == {(None, None, None)}
    assert all(r["note"].startswith("没有收到上级通报，无法核对：") for r in found)


SCHOOLS = {
    "2120114001": ("试验镇甲中心小学", TOO_MANY),
    "2120114002": ("试验镇乙小学", TOO_MANY),
    "2120114003": ("试验镇丙小学", ENOUGH),
    "2120114004": ("试验镇丁小学", TOO_MANY),
    "2120114005": ("试验镇戊小学", TOO_MANY),
}


def claim(indicator: str, school: str = "", stage: str = "primary", count: int | str = "") -> dict[str, Any]:
    row = {"source": LETTER, "indicator": indicator, "stage": stage, "school_name": school}
    return {**row, "claimed_count": count}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Five schools, four with too large a class; a letter in the first phase, one school corrected in the second."""
    folder: Path = tmp_path_factory.mktemp("letter")
    roster = [primary_school(code, name) for code, (name, _) in SCHOOLS.items()]
    closed = {**roster[4], "primary_students": 30, "school_type": "教学点"}
    sizes = {code: size for code, (_, size) in SCHOOLS.items()}
    later = {**sizes, "2120114001": ENOUGH}
    monitoring = [
        {"cycle": 2023, "grade": 4, "subject": subject, "level": level, "between_school_rate": "0.1"}
        for subject, level in (("语文", 2), ("数学", 3), ("科学", 2))
    ]
    letter = [
        claim("班额", "甲小学"),
        claim("G5", "乙校区"),
        claim("G5", "试验镇乙小学"),
        claim("所有班级学生数不超过规定人数", "试验镇乙小学"),
        claim("G5", "试验镇丙小学"),
        claim("G5", "天书小学"),
        claim("G5", count=5),
        claim("未达标学校合计", stage="", count=4),
        claim("G4", count=1),
        claim("Q9 四年级语文", stage=""),
        claim("四年级数学", stage=""),
        claim("厕所革命", "试验镇乙小学"),
    ]
    judged = {
        day: {
            "schools": [*roster[:4], closed] if n else roster,
            "classes": [one_class(code, size) for code, size in (later if n else sizes).items()],
            "quality_monitoring": monitoring,
        }
        for n, day in enumerate(DAYS[:2])
    }
    plan = {
        DAYS[0]: {
            "superior_findings": letter,
            "school_aliases": [{"alias": "乙校区", "school_code": "2120114002"}],
        }
    }
    write_story(folder, judged, plan)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def by_claim(found: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    result = {(r["level"], r["indicator_code"], r["school_name"], r["item"]): r for r in found if r["source"]}
    assert len(result) == sum(r["source"] is not None for r in found)
    return result


def test_every_kind_of_claim(story: duckdb.DuckDBPyConnection) -> None:
    got = by_claim(lines(story, "120114", "p1"))
    expected = {
        ("school", "G5", "甲小学", None): (True, "按简写对应“试验镇甲中心小学”；通报与计算一致"),
        ("school", "G5", "乙校区", None): (True, "按别名对应“试验镇乙小学”；通报与计算一致"),
        ("school", "G5", "试验镇乙小学", None): (True, "通报与计算一致"),
        ("school", "G5", "试验镇丙小学", None): (False, "通报未达标，计算没有算出：最大班额 40 人"),
        ("school", "G5", "天书小学", None): (None, "名册中找不到“天书小学”，最接近的有："),
        ("school", "厕所革命", "试验镇乙小学", None): (None, "认不出指标“厕所革命”，无法核对"),
        ("count", "G5", None, None): (False, "通报 5 所，点名 4 所，计算 4 所：通报多 1 所"),
        ("count", "G4", None, None): (False, "通报 1 所，计算 0 所：通报多 1 所"),
        ("total", "未达标学校合计", None, None): (True, "通报 4 所，点名的不同学校 4 所，计算 4 所：一致"),
        ("district", "Q9", None, "4年级语文"): (True, "通报与计算一致"),
        ("district", "Q9", None, "4年级数学"): (False, "通报未达标，计算没有算出"),
    }
    assert set(got) == set(expected)
    for key, (agrees, note) in expected.items():
        assert (got[key]["agrees"], got[key]["note"][: len(note)]) == (agrees, note), key
    assert got["school", "G5", "乙校区", None]["school_code"] == "2120114002"


def test_own_findings_without_a_claim(story: duckdb.DuckDBPyConnection) -> None:
    own = {
        (r["level"], r["indicator_code"], r["school_name"], r["item"]): r
        for r in lines(story, "120114", "p1")
        if r["source"] is None
    }
    assert {k for k in own if k[1] in ("G5", "Q9")} == {
        ("school", "G5", "试验镇丁小学", None),
        ("school", "G5", "试验镇戊小学", None),
        ("district", "Q9", None, "4年级科学"),
    }
    missing = own["school", "G5", "试验镇丁小学", None]
    assert (missing["agrees"], missing["claimed"], missing["computed"]) == (False, None, "未达标")
    assert missing["note"].startswith("计算未达标，通报没有提到：1 个班超过 45 人")


def test_a_later_phase_says_what_has_been_put_right(story: duckdb.DuckDBPyConnection) -> None:
    got = by_claim(lines(story, "120114", "p2"))
    mended = got["school", "G5", "甲小学", None]
    assert mended["agrees"] is False
    assert mended["note"].startswith("按简写对应“试验镇甲中心小学”；“启动”阶段算出，本阶段已达标：")
    assert got["count", "G5", None, None]["note"] == "通报 5 所，点名 4 所，计算 2 所：通报之后有变化"
    own = {
        r["school_name"]
        for r in lines(story, "120114", "p2")
        if r["source"] is None and r["indicator_code"] == "G5"
    }
    assert own == {"试验镇丁小学"}


def test_one_claim_in_two_words_is_one_line(story: duckdb.DuckDBPyConnection) -> None:
    twice = [
        r
        for r in lines(story, "120114", "p1")
        if r["school_name"] == "试验镇乙小学" and r["indicator_code"] == "G5"
    ]
    assert len(twice) == 1
