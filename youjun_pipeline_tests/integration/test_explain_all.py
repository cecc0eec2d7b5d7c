"""`youjun explain --all` and `--json`; refused cells, and the successor of a merged school."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.explain.find import ExplainError, explain
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.published_rows import CODE, EVALUATION, publish_rows
from youjun_pipeline_tests.integration.sample_districts import STARTUP, WUQING


def test_every_number_of_a_school_and_of_an_evaluation_as_json(
    sample: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YOUJUN_DATA", str(sample.data))
    assert main(["explain", WUQING, STARTUP, "--all", "--json", "2120114109"]) == 0
    found = json.loads(capsys.readouterr().out)
    area = next(a for a in found if (a["indicator_code"], a["stage"]) == ("R4", "junior"))
    assert area["clause"] == "《县域义务教育优质均衡发展督导评估办法》资源配置第4项"
    assert "指标值＝10295×0.373368÷520＝7.391971" in area["steps"]
    places = {
        i["name"]: (i["value"], i["factor"], i["file"], i["row"], i["source_column"]) for i in area["inputs"]
    }
    assert places["室内体育用房面积（㎡）"] == (818.8, -1.0, "facilities.csv", 110, "C")
    assert main(["explain", WUQING, STARTUP, "--json", "--all"]) == 0
    levels = Counter(a["level"] for a in json.loads(capsys.readouterr().out))
    assert (levels["district"], levels["stage"]) == (39, 14) and levels["school"] > 1000
    with pytest.raises(SystemExit, match="2"):
        main(["explain", WUQING, STARTUP])


def test_items_of_the_district_have_their_chinese_names(sample: Settings) -> None:
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        text = explain(con, WUQING, STARTUP, "G11")
    assert "当年交流轮岗的骨干教师数 88　←" in text and "rotated" not in text


def test_a_refused_cell_shows_what_was_written(tmp_path: Path) -> None:
    place = {"delivery": date(2023, 8, 31), "file": "f.xlsx", "sheet": "S", "row": 7}
    cell = {**place, "school_code": "1", "stage": "primary", "indicator_code": "R4", "factor": 1.0}
    rows = {
        "mart.evaluation": [EVALUATION],
        "mart.school": [{"school_code": "1", "school_name": "试验小学", "in_scope": True}],
        "mart.school_indicator": [
            {
                "school_code": "1",
                "school_name": "试验小学",
                "stage": "primary",
                "indicator_code": "R4",
                "per": 1.0,
            }
            | {
                "status": "no_data",
                "status_strict": "no_data",
                "rounding_sensitive": False,
                "reason": "缺数据",
            }
        ],
        "mart.lineage": [
            {
                **cell,
                "input": "facilities.teaching_area_m2",
                "column_name": "teaching_area_m2",
                "source_column": "B",
            }
        ],
        "quality.rejected_row": [
            {**place, "dataset": "facilities", "column_name": "teaching_area_m2", "value": "约三千"}
            | {"rule": "not_a_number", "message": "应为数值"}
        ],
        "mart.school_change": [
            {**place, "effective_on": date(2023, 7, 15), "kind": "merge", "from_school_code": "2"}
            | {"from_school": "东村小学", "to_school_code": "1", "to_school": "试验小学"}
        ],
    }
    with connect(publish_rows(tmp_path, rows), read_only=True) as con:
        text = explain(con, CODE, STARTUP, "R4", "试验小学")
        assert "教学及辅助用房面积（㎡） 未填报　← 2023-08-31/f.xlsx［S］ 第 7 行" in text
        assert "；原文“约三千”被退回：应为数值" in text
        assert "缺 教学及辅助用房面积（㎡），无法计算" in text
        gone = "没有“东村小学”：2023-07-15 并入试验小学（1）　← 2023-08-31/f.xlsx 第 7 行"
        with pytest.raises(ExplainError, match=gone):
            explain(con, CODE, STARTUP, "R4", "东村小学")
