"""`youjun explain`: its output agrees with the delivered files, recomputed by hand from the cells that it names."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.explain.find import ExplainError, explain
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.published_rows import CODE, EVALUATION, publish_rows
from youjun_pipeline_tests.integration.sample_districts import (
    BAODI,
    FIRST,
    STARTUP,
    WUQING,
    YEAR_2020,
    delivered_cell,
    delivered_rows,
    number,
)

PHASE = {WUQING: STARTUP, BAODI: YEAR_2020}
PER = {"R1": 100, "R2": 100, "R3": 100, "R7": 100}
# By hand from the standard: what is added up, and what is taken off.
PARTS: dict[str, dict[str, float]] = {
    "R1": {"doctorate": 1, "master": 1, "bachelor": 1, "associate": 1},
    "R2": {"backbone": 1},
    "R3": {"pe": 1, "music": 1, "fine_art": 1, "art": 1},
    "R4": {"teaching_area_m2": 1, "indoor_sports_area_m2": -1},
    "R5": {"outdoor_sports_area_m2": 1, "indoor_sports_area_m2": 1},
    "R6": {"equipment_value_wan": 10_000},
    "R7": {"multimedia_rooms": 1},
}
SPLIT = ("R4", "R5", "R6", "R7")
WEIGHT = {"primary": 1.0, "junior": 1.1, "senior": 1.32}
LARGE_ENOUGH = {"音乐": 96.0, "美术": 90.0}


def table(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    cursor = con.execute(sql, list(values))
    names = [d[0] for d in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def chosen(con: duckdb.DuckDBPyConnection, indicator: str, seed: int) -> dict[str, Any]:
    """One judgement of the indicator, from either district; for split resources a school with several stages."""
    rows = table(
        con,
        "select i.*, s.school_type from mart.school_indicator i join mart.school s using (district_code, phase_id, school_code) "
        "where indicator_code = ? and waiver is null order by all",
        indicator,
    )
    shared = [row for row in rows if row["school_type"] == "九年一贯制学校"]
    return random.Random(seed).choice(shared if indicator in SPLIT else rows)


def inputs_of(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return table(
        con,
        "select * from mart.lineage where (district_code, phase_id, school_code, stage, indicator_code) = (?, ?, ?, ?, ?) "
        "and waiver is null",
        *(row[k] for k in ("district_code", "phase_id", "school_code", "stage", "indicator_code")),
    )


def cell_of(sample: Settings, line: Mapping[str, Any]) -> Any:
    path = sample.data / FIRST[line["district_code"]] / line["file"]
    return delivered_cell(path, line["sheet"], line["row"], line["source_column"])


def by_hand(sample: Settings, row: Mapping[str, Any], lines: list[dict[str, Any]]) -> float:
    """The value of a judgement, computed only from the cells that lineage names."""
    code, stage = row["indicator_code"], row["stage"]
    if code == "G3":
        rooms = dict.fromkeys(LARGE_ENOUGH, 0)
        for line in lines:
            if line["input"] == "special_rooms.area_m2":
                kind = line["detail"].split()[0]
                rooms[kind] += number(cell_of(sample, line)) >= LARGE_ENOUGH[kind]
        return min(rooms.values())
    figures: dict[str, float] = {}
    for line in lines:
        if line["row"] is not None and line["value"] is not None:
            figures.setdefault(line["column_name"], 0.0)
            value = number(cell_of(sample, line))
            figures[line["column_name"]] = max(figures[line["column_name"]], value)
    if code == "G5":
        return figures["students"]
    pupils = {s: figures[f"{s}_students"] for s in WEIGHT if f"{s}_students" in figures}
    if code == "G4":
        return sum(pupils.values())
    amount = sum(factor * figures[name] for name, factor in PARTS[code].items() if name in figures)
    if code in SPLIT:
        amount *= WEIGHT[stage] * pupils[stage] / sum(WEIGHT[s] * n for s, n in pupils.items())
    return amount / pupils[stage] * PER.get(code, 1)


@pytest.mark.parametrize("indicator", ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "G3", "G4", "G5"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_cells_named_give_the_published_value(
    con: duckdb.DuckDBPyConnection, sample: Settings, indicator: str, seed: int
) -> None:
    row = chosen(con, indicator, seed)
    lines = inputs_of(con, row)
    assert math.isclose(by_hand(sample, row, lines), row["value"], rel_tol=1e-12), row
    text = explain(con, row["district_code"], row["phase_id"], indicator, row["school_code"], row["stage"])
    shown = round(row["value"], 6)
    assert f"结果：{shown:.6f}".rstrip("0").rstrip(".") in text
    for line in [found for found in lines if found["row"] is not None][:3]:
        assert f"{line['file']}" in text
        if indicator != "G5":
            assert f"第 {line['row']} 行 {line['source_column']} 列“" in text


def test_every_cell_of_lineage_holds_its_value(con: duckdb.DuckDBPyConnection, sample: Settings) -> None:
    rows = table(
        con,
        "select * from mart.lineage where row is not null and source_column is not null and value is not null "
        "using sample reservoir(1500 rows) repeatable (7)",
    )
    assert {row["indicator_code"] for row in rows} >= {"R1", "R4", "R6", "G3", "G5", "G9", "G13", "Q4"}
    wrong = []
    for row in rows:
        cell = str(cell_of(sample, row))
        levels = {"Ⅰ": 1, "Ⅱ": 2, "Ⅲ": 3, "Ⅳ": 4}
        value = levels.get(cell) or (number(cell[:-1]) / 100 if cell.endswith("%") else number(cell))
        if not math.isclose(value, row["value"], rel_tol=1e-9):
            wrong.append((row["file"], row["row"], row["source_column"], cell, row["value"]))
    assert wrong == []


def test_headers_are_those_of_the_files(con: duckdb.DuckDBPyConnection, sample: Settings) -> None:
    places = table(
        con,
        "select distinct district_code, file, sheet, source_column, header from mart.lineage where source_column is not null",
    )
    assert len(places) > 40
    for place in places:
        if place["file"].endswith(".parquet"):
            continue
        column = delivered_rows(sample.data / FIRST[place["district_code"]] / place["file"], place["sheet"])[
            :6
        ]
        index = ord(place["source_column"]) - ord("A")
        assert place["header"].strip() in [str(row[index]).strip() for row in column if len(row) > index], (
            place
        )


def test_a_split_share_is_shown_with_its_pupils_and_weights(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, "武清区", "启动准备", "R4", "徐官屯街泰和学校", "初中")
    assert "分摊份额＝1.1×520÷（1×960＋1.1×520）＝37.3368%（权重：小学 1、初中 1.1）" in text
    assert "资源量＝11113.8－818.8＝10295" in text
    assert "指标值＝10295×0.373368÷520＝7.391971" in text
    assert "标准：不低于 5.8 ㎡/生，底线 4.93" in text
    assert "依据：《县域义务教育优质均衡发展督导评估办法》资源配置第4项" in text
    assert "公式：（教学及辅助用房面积－室内体育用房面积）×本学段分摊份额÷在校学生数" in text
    assert (
        "减：室内体育用房面积（㎡） 818.8　← 2023-08-31/facilities.csv 第 110 行 C 列“室内体育用房面积（㎡）”"
        in text
    )
    assert (
        text.startswith("武清区（120114）启动准备（2023-startup），数据截至 2023-09-30")
        and "重构样例" in text
    )


def test_without_a_stage_every_stage_of_the_school_is_explained(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, WUQING, STARTUP, "R6", "泰和")
    assert "徐官屯街泰和学校（2120114109）小学" in text and "徐官屯街泰和学校（2120114109）初中" in text
    assert "×10000" in text


def test_a_waiver_is_named_with_its_range_and_its_grounds(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, WUQING, STARTUP, "G4", "杨村第十四小学")
    assert "过渡政策：W-G4" in text and "国家有效期 2019-10-01 至 2022-09-30 之外，由区县继续适用" in text
    assert "建校年份 2007　← 2023-08-31/schools.xlsx［Sheet1］ 第 39 行 G 列“建校年份”" in text
    assert "判定：按过渡政策达标（met_by_waiver）；不计过渡政策：未达标（below）" in text
    inside = explain(con, BAODI, YEAR_2020, "R3", "黄庄镇李宦庄教学点")
    assert "在国家有效期 2019-10-01 至 2022-09-30 内" in inside
    assert "加（按W3）：交流轮岗兼职走教体育艺术教师数" in inside


def test_what_no_waiver_lets_count_is_no_input(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, WUQING, STARTUP, "R3", "杨村第十四小学")
    assert "体育教师" in text and "交流轮岗兼职走教体育艺术教师数" not in text


def test_class_sizes_show_the_sum_of_pupils_over(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, WUQING, STARTUP, "G5", "雍阳中学")
    assert "共 38 个班，最大班额 53 人，超过 50 人的 38 个班" in text
    assert "超出人数＝（53－50）×14＋（52－50）×14＋（51－50）×10＝80" in text and "缺口：80 人" in text


def test_rooms_are_listed_with_whether_they_count(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, WUQING, STARTUP, "G3", "光明道小学")
    assert "应配＝50 个班÷12，向上取整＝5 间" in text
    assert (
        "不合格：使用面积（㎡） 音乐 音乐5 76.3" in text and "合格：使用面积（㎡） 音乐 音乐1 115.9" in text
    )
    assert "缺口：2 间" in text


def test_a_coefficient_is_recomputed_from_all_sections(con: duckdb.DuckDBPyConnection) -> None:
    text = explain(con, WUQING, STARTUP, "R4", stage="小学")
    sections = table(
        con,
        "select school_name, value x, students p from mart.school_indicator where phase_id = ? and stage = 'primary' "
        "and indicator_code = 'R4'",
        STARTUP,
    )
    total = sum(s["p"] for s in sections)
    mean = sum(s["x"] * s["p"] for s in sections) / total
    std = math.sqrt(sum(s["p"] / total * (s["x"] - mean) ** 2 for s in sections))
    assert f"n＝{len(sections)}" in text and f"ΣP＝{total} 人" in text
    assert f"S＝{std:.6f}".rstrip("0") in text
    assert f"÷{mean:.6f}".rstrip("0") + f"＝{std / mean:.6f}".rstrip("0") in text and "显示为 0.559" in text
    worst = sorted(sections, key=lambda s: -s["p"] * (s["x"] - mean) ** 2)[:5]
    places = [text.index(s["school_name"]) for s in worst]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        ("G7", ["指标值＝1646400÷196＝8400", "第 4 行 B 列“填报值”", "标准：不低于 6000 元/生"]),
        ("G9", ["专任教师数（人） 合计 6769", "共 121 行", "指标值＝6769÷6769＝1", "标准：不低于 100%"]),
        ("G11", ["指标值＝352÷2960＝0.118919", "第 2 项＝88÷352＝0.25"]),
        ("Q1", ["（9033－69＋94）÷（9084－0）＝0.997138"]),
        ("Q4", ["上马台镇初级中学（2120114043）：3.54÷64.01＝5.5304%"]),
        ("Q9", ["4年级语文：Ⅱ级（标准 Ⅲ级以上），校际差异率 0.121（低于 0.15）：未达标"]),
        ("G6", ["大黄堡镇东汪庄教学点（2120114090）", "应核定 100×720＝72000 元，预算 77800 元"]),
        ("S1", ["指标值＝36461÷39239＝0.929203"]),
        ("G1", ["G1 结论：达标", "G1 佐证材料：学校布局专项规划及批复"]),
        ("V3", ["V3 结论：达标", "判定：达标（met）"]),
        ("R4", ["小学差异系数：未达标（below）", "未达标：小学 21 所，初中 5 所"]),
        ("班额", ["未达标：小学 22 所，初中 8 所", "G5 所有班级学生数不超过规定人数"]),
    ],
)
def test_district_indicators(con: duckdb.DuckDBPyConnection, indicator: str, expected: list[str]) -> None:
    text = explain(con, WUQING, STARTUP, indicator)
    assert [part for part in expected if part not in text] == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"school": "静湖"}, r"“静湖”可能指：下朱庄街静湖小学（\d+）、下朱庄街静湖第二小学（\d+）；请写全称"),
        ({"school": "小学"}, r"等 \d+ 所；请写全称或学校标识码"),
        ({"school": "杨村十四小学"}, r"名册中没有“杨村十四小学”，最接近的有：.*杨村第十四小学"),
        ({"indicator": "R9"}, "没有指标“R9”，现有：R1 高学历教师"),
        ({"phase": "2022"}, "武清区没有阶段“2022”，现有：2023-startup 启动准备"),
        ({"district": "120116"}, "没有区县“120116”，现有：120114 武清区、120115 宝坻区"),
        ({"stage": "高中"}, "没有学段“高中”，可用：primary（小学）、junior（初中）"),
        (
            {"indicator": "G3", "school": "泰和", "stage": "小学"},
            "不在这个学段，可用：compulsory（小学和初中）",
        ),
        ({"indicator": "G7", "school": "泰和"}, "G7 按全县判定，不分学校"),
        ({"indicator": "G4", "stage": "小学"}, "没有 G4 在这个学段的差异系数"),
        ({"school": "东汪庄教学点"}, "学校未纳入评估（教学点学生不足 50 人）"),
    ],
)
def test_what_is_not_there_is_told_with_what_there_is(
    con: duckdb.DuckDBPyConnection, asked: dict[str, str], message: str
) -> None:
    with pytest.raises(ExplainError, match=message):
        explain(con, **{"district": WUQING, "phase": STARTUP, "indicator": "R4", **asked})


def test_size_bands_and_blanks_are_told_as_they_are(tmp_path: Path) -> None:
    """What statistics forms give instead of classes, a class without pupils, a word that is missing."""
    judged = {"school_code": "1201140001", "school_name": "试验小学", "stage": "primary", "threshold": 45.0}
    judged |= {"numerator": 0.0, "rounding_sensitive": False, "reason": "原因"}
    place = {"school_code": "1201140001", "stage": "primary", "delivery": date(2023, 8, 31), "file": "f.xlsx"}
    place |= {"sheet": "S", "row": 7, "source_column": "C", "header": "头"}
    rows = {
        "mart.evaluation": [EVALUATION],
        "mart.school": [{"school_code": "1201140001", "school_name": "试验小学", "in_scope": True}],
        "mart.school_indicator": [
            {**judged, "indicator_code": "G5", "status": "no_data", "status_strict": "no_data"},
            {**judged, "indicator_code": "G3", "threshold": 2.0, "value": 0.0, "gap": 4.0}
            | {"status": "below", "status_strict": "below"},
            {
                **judged,
                "indicator_code": "G4",
                "threshold": None,
                "status": "no_data",
                "status_strict": "no_data",
            },
        ],
        "mart.lineage": [
            {
                **place,
                "indicator_code": code,
                "input": "class_bands.classes",
                "detail": f"班额 {band}",
                "value": n,
            }
            for code in ("G5", "G3")
            for band, n in (("41–45 人", 14), ("46–50 人", 3), ("66 人及以上", 0))
        ]
        + [
            {**place, "indicator_code": "G4", "input": "schools.school_type", "detail": None, "value": None},
            {**place, "indicator_code": "G4", "input": "schools.primary_students", "source_column": None},
        ],
    }
    with connect(publish_rows(tmp_path, rows), read_only=True) as con:
        text = explain(con, CODE, STARTUP, "G5", "试验小学")
        assert "统计报表按班额分档，没有各班人数" in text
        assert (
            "班额 46–50 人 3　← 2023-08-31/f.xlsx［S］ 第 7 行 C 列“头”" in text and "66 人及以上" not in text
        )
        assert "应配＝17 个班÷12，向上取整＝2 间" in explain(con, CODE, STARTUP, "G3", "试验小学")
        size = explain(con, CODE, STARTUP, "G4", "试验小学")
        blank = "小学在校生数（人） 未填报　← 2023-08-31/f.xlsx［S］ 第 7 行，该文件没有这一列"
        assert "办学类型：未填报　←" in size and blank in size
        assert "结果：缺数据" in size


def test_the_command_prints_and_refuses(
    sample: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YOUJUN_DATA", str(sample.data))
    assert main(["explain", WUQING, STARTUP, "--stage", "primary", "R4"]) == 0
    assert "CV＝" in capsys.readouterr().out
    assert main(["explain", WUQING, STARTUP, "2120114036", "G4"]) == 0
    assert "杨村第十四小学" in capsys.readouterr().out
    assert main(["explain", WUQING, STARTUP, "静湖", "G4"]) == 1
    assert "可能指" in capsys.readouterr().err
    assert main(["explain", WUQING, STARTUP, "a", "b", "G4"]) == 2
    monkeypatch.setenv("YOUJUN_PUBLISHED", str(sample.data / "elsewhere"))
    assert main(["explain", WUQING, STARTUP, "G4"]) == 1
    assert "请先运行 make run" in capsys.readouterr().err
