"""Schools named in words: found by code, name, alias or normalised form, or put in quarantine with candidates; never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline_tests.generate import PLAIN, write_district
from youjun_pipeline_tests.integration.plan_story import write_rows
from youjun_pipeline_tests.steps import compute, places, read_all, working

ROSTER = {
    "2120114001": ("东马圈镇东马圈中心小学", "东马圈镇"),
    "2120114002": ("下朱庄街静湖小学", "下朱庄街道"),
    "2120114003": ("南蔡村镇畔水庭苑中心小学", "南蔡村镇"),
    "2120114004": ("杨村街第一小学", "杨村街"),
    "2120114005": ("大王古庄镇第一小学", "大王古庄镇"),
    "2120114006": ("渔坝口小学", "陈咀镇"),
    "2120114007": ("天津市雍阳中学", "杨村街"),
    "2120114008": ("镇中心小学", "城关镇"),
    "2120114009": ("镇中心小学", "河西镇"),
    "2120114010": ("育才小学", "城关镇"),
    "2120114011": ("育才小学", "河西镇"),
}
EXPECTED = {
    "2120114006": ("2120114006", "code"),
    "东马圈镇东马圈中心小学": ("2120114001", "name"),
    "雍阳": ("2120114007", "alias"),
    "下朱庄街道静湖小学": ("2120114002", "normalised"),
    "畔水庭苑小学": ("2120114003", "normalised"),
    "南蔡村镇畔水庭苑小学": ("2120114003", "normalised"),
    "陈咀镇渔坝口小学": ("2120114006", "normalised"),
    "大王古庄镇第一小学": ("2120114005", "name"),
    "第一小学": (None, "ambiguous"),
    "镇中心小学": (None, "ambiguous"),
    "河西镇镇中心小学": ("2120114009", "normalised"),
    "2120114008": ("2120114008", "code"),
    "育才小学": ("2120114011", "alias"),
    "东马圈镇静湖小学": (None, "unknown"),
    "从未有过小学": (None, "unknown"),
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("names")
    schools = [
        {
            "school_code": code,
            "school_name": name,
            "township": township,
            "school_type": "小学",
            "primary_students": 300,
        }
        for code, (name, township) in ROSTER.items()
    ]
    measures: list[dict[str, Any]] = [
        {"measure_no": "M1", "indicator": "R4", "stage": "primary", "school_names": "、".join(EXPECTED)},
        {"measure_no": "M2", "indicator": "R4", "stage": "primary", "school_names": None},
    ]
    aliases = [
        {"alias": "雍阳", "school_code": "2120114007"},
        # Of two schools that bear the name, the district says which one it means.
        {"alias": "育才小学", "school_code": "2120114011"},
    ]
    district = write_district(folder, {"schools": schools}, {}, style=PLAIN)
    delivery = district / "deliveries" / "2023-08-31"
    write_rows(delivery, "measures", measures)
    write_rows(delivery, "school_aliases", aliases)
    settings = places(folder)
    with working(settings) as con:
        read_all(con, settings)
        compute(con, settings)
        yield con


def test_each_name_is_resolved_by_the_best_way_or_not_at_all(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select name, school_code, resolution from core.named_school where column_name = 'school_names'"
    ).fetchall()
    assert {name: (code, how) for name, code, how in found} == EXPECTED


def test_what_is_not_found_is_quarantined_with_candidates(con: duckdb.DuckDBPyConnection) -> None:
    rejected = {
        value: (rule, row, column, message)
        for value, rule, row, column, message in con.execute(
            'select value, rule, "row", column_name, message from quality.rejected_row'
        ).fetchall()
    }
    assert rejected.keys() == {"第一小学", "镇中心小学", "东马圈镇静湖小学", "从未有过小学"}
    rule, row, column, message = rejected["第一小学"]
    assert (rule, row, column) == ("ambiguous_school_name", 2, "school_names")
    assert "可能指多所学校" in message
    assert "杨村街第一小学（2120114004）" in message
    assert "大王古庄镇第一小学（2120114005）" in message
    rule, _, _, message = rejected["东马圈镇静湖小学"]
    assert rule == "unknown_school_name"
    assert "下朱庄街静湖小学（2120114002）" in message


def test_the_district_hears_of_it(con: duckdb.DuckDBPyConnection) -> None:
    passed, count, message = con.execute(
        "select passed, failed_rows, message from quality.check_result where check_name = 'school_names_resolve'"
    ).fetchall()[0]
    assert (passed, count) == (False, 4)
    assert "第 2 行：第一小学" in message
