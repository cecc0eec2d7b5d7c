"""Templates from a publication, filled in and delivered; and the check's findings on words, repetitions and doubts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.files import read_file
from youjun_pipeline.precheck.check import precheck
from youjun_pipeline.templates.books import newest_roster, write_templates
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.published import open_publication
from youjun_pipeline_tests.integration.plan_story import (
    DAYS,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.integration.precheck_files import (
    FACILITIES,
    SCHOOLS,
    TODAY,
    deliver,
    with_cell,
)
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

PAIR = ("2100000001", "2100000002")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A district's data folder and the templates filled from its publication: a class closed, an area that jumped."""
    folder = tmp_path_factory.mktemp("loop")
    roster = [primary_school(code, "镇中心小学") for code in PAIR]

    def facility(area: float) -> list[dict[str, Any]]:
        return [
            {
                "school_code": code,
                "teaching_area_m2": area,
                "indoor_sports_area_m2": 0,
                "outdoor_sports_area_m2": 4001.5,
            }
            for code in PAIR
        ]

    judged = {
        DAYS[0]: {
            "schools": roster,
            "classes": [one_class(c, 52) for c in PAIR],
            "facilities": facility(900.5),
        },
        DAYS[1]: {
            "schools": roster,
            "classes": [one_class(c, 40) for c in PAIR],
            "facilities": facility(3900.5),
        },
    }
    measure = {"measure_no": "M1", "indicator": "G5", "stage": "primary", "school_names": "、".join(PAIR)}
    plan = {
        "measures": [
            {**measure, "description": "分流学生", "due": "2023-12-31", "responsible_units": "区教育局"}
        ],
        "milestones": [{"milestone_no": "N1", "measure_no": "M1", "due": "2023-10-01", "task": "定方案"}],
    }
    done = [
        {"reported_on": "2024-05-01", "measure_no": "M1", "state": "done", "percent": 100, "reporter": "甲"}
    ]
    write_story(folder, judged, {DAYS[0]: plan, DAYS[1]: {"progress": done}})
    settings = places(folder, date(2024, 6, 1))
    refresh(settings)
    out = folder / "templates"
    with open_publication(settings.published) as con:
        write_templates(out, newest_roster(folder, "120114", con))
    return folder, out


def sheet(path: Path) -> list[dict[str, Any]]:
    rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    header = [str(cell).split("\n")[0].rstrip("*") for cell in next(rows)]
    return [dict(zip(header, row, strict=True)) for row in rows if any(row)]


@pytest.mark.long
def test_open_doubts_stand_in_the_answers(filled: tuple[Path, Path]) -> None:
    rows = [row for row in sheet(filled[1] / "suspicion_answers.xlsx") if row["规则"] == "jump"]
    assert [row["学校标识码"] for row in rows] == list(PAIR)
    assert rows[0]["数据集"] == "办学条件" and rows[0]["学校名称"] == "镇中心小学"
    assert "上次（2023-08-31）为 900.5 ㎡，本次为 3900.5 ㎡" in rows[0]["可疑之处"]
    assert (rows[0]["有疑点的列"], rows[0]["单位"]) == ("教学及辅助用房面积", "㎡")
    assert rows[0]["是否改变判定"] == "是：R4"
    assert rows[0]["说明"] is None and rows[0]["答复日期"] is None


def test_measures_and_milestones_stand_in_the_progress(filled: tuple[Path, Path]) -> None:
    first, second = sheet(filled[1] / "progress.xlsx")
    assert (first["措施编号"], first["节点编号"], first["内容"], first["上次状态"]) == (
        "M1",
        None,
        "分流学生",
        "已完成",
    )
    assert (first["上次填报日期"], first["应完成时间"], first["状态"]) == ("2024-05-01", "2023-12-31", None)
    assert (second["节点编号"], second["内容"], second["上次状态"]) == ("N1", "定方案", "未启动")


def test_closed_findings_stand_in_the_acceptances(filled: tuple[Path, Path]) -> None:
    rows = [row for row in sheet(filled[1] / "acceptances.xlsx") if row["指标"] == "G5"]
    # two schools bear the name, so each is named by its code
    assert [(r["学段"], r["学校名称"], r["整改措施"], r["结论"]) for r in rows] == [
        ("小学", code, "M1", None) for code in PAIR
    ]


@pytest.mark.long
def test_what_is_filled_in_is_read_and_what_is_left_blank_is_not(
    filled: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, out = filled
    for name in ("suspicion_answers", "progress", "acceptances"):
        result = precheck(out / f"{name}.xlsx", date(2024, 6, 2))
        told = [f.rule for f in result.findings if f.file.endswith(f"{name}.xlsx")]
        assert told == ["files_are_filled_in"]
    book = openpyxl.load_workbook(out / "acceptances.xlsx")
    page = book.worksheets[0]
    at = {str(c.value).rstrip("*"): c.column for c in page[1]}
    row = next(r for r in range(2, page.max_row + 1) if page.cell(r, at["学校名称"]).value == PAIR[0])
    for header, value in (
        ("验收日期", "2024-06-10"),
        ("结论", "通过"),
        ("验收人", "督导室"),
        ("佐证材料", "记录"),
    ):
        page.cell(row, at[header]).value = value
    delivery = folder / "120114-test" / "deliveries" / "2024-06-15"
    delivery.mkdir(parents=True)
    book.save(delivery / "acceptances.xlsx")
    read = read_file(delivery / "acceptances.xlsx", load_datasets()["acceptances"])
    assert read.failure is None and len(read.frame) > 1
    with connect(refresh(places(folder, date(2024, 6, 20)), "run-2").path, read_only=True) as con:
        signed = "select school_code from mart.finding where phase_id = 'p2' and signed_off"
        assert con.execute(signed).fetchall() == [(PAIR[0],)]
        rejected = "select count(*) from quality.rejected_row where dataset = 'acceptances'"
        assert con.execute(rejected).fetchall() == [(0,)]


def test_lists_and_signatures_stand_in_the_template(filled: tuple[Path, Path]) -> None:
    book = openpyxl.load_workbook(filled[1] / "progress.xlsx")
    lists = [str(c.value) for row in book["选项"].iter_rows() for c in row if c.value]
    assert {"M1", "N1"} <= set(lists)
    instructions = [str(c.value) for row in book["填表说明"].iter_rows() for c in row if c.value]
    assert {"填报单位：", "填表人：", "审核人：", "填报日期："} <= set(instructions)
    subjects = openpyxl.load_workbook(filled[1] / "quality_monitoring.xlsx")["选项"]
    assert "语文" in [c.value for row in subjects.iter_rows() for c in row]


WORDS = {
    "recognition": (
        [
            ["年度", "调查对象", "方式", "有效数", "满意数"],
            [2024, "老师", "网上问卷", 90, 80],
            [2024, "家长", "问卷", 90, 80],
        ],
        {"老师": "教师", "网上问卷": "问卷"},
    ),
    "quality_monitoring": (
        [
            ["监测年份", "年级", "学科", "学业水平等级"],
            [2024, "四年级", "语 文", "Ⅲ"],
            [2024, "四年级", "数学", "Ⅲ"],
        ],
        {"语 文": "语文"},
    ),
}


@pytest.mark.parametrize("dataset", sorted(WORDS))
def test_words_are_compared_with_the_usual_ones(dataset: str, tmp_path: Path) -> None:
    rows, expected = WORDS[dataset]
    result = precheck(deliver(tmp_path / "2024-06-30", **{dataset: rows}), TODAY)
    found = {f.value: f.detail for f in result.findings if f.rule == "unusual_word"}
    assert found.keys() == expected.keys()
    for word, meant in expected.items():
        assert f"是不是“{meant}”" in found[word]


def test_a_township_less_its_last_character(tmp_path: Path) -> None:
    towns = ["所属镇街", "河西镇", "河西镇", "河西"]
    rows = [[*row, towns[n]] for n, row in enumerate(SCHOOLS)]
    result = precheck(deliver(tmp_path / "2024-06-30", schools=rows), TODAY)
    assert [(f.value, f.cells[0].row) for f in result.findings if f.rule == "unusual_word"] == [("河西", 4)]


def test_doubts_alone_do_not_stand_against_sending(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = with_cell(FACILITIES, 2, 3, 4000)
    folder = deliver(tmp_path / "2024-06-30", facilities=rows)
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "疑点 1 处" in out and "可以报送；请核对疑点" in out


def test_a_row_whose_text_differs_is_never_to_be_deleted(tmp_path: Path) -> None:
    again = [*FACILITIES, list(FACILITIES[1]), with_cell(FACILITIES, 3, 2, "5,520.50")[2]]
    result = precheck(deliver(tmp_path / "2024-06-30", facilities=again), TODAY)
    same, spelt = (f.detail for f in result.findings if f.rule == "duplicate_key")
    assert "内容完全相同，请删去多余的行" in same
    assert "写法不同，请核对" in spelt and "删" not in spelt


def test_stages_are_told_in_chinese(tmp_path: Path) -> None:
    classes = [["学校标识码", "学段", "年级", "班号", "学生数"], ["2111000001", "小学", "一年级", "1", 40]]
    result = precheck(deliver(tmp_path / "2024-06-30", classes=classes), TODAY)
    (finding,) = [f for f in result.findings if f.rule == "class_sizes_sum_to_students"]
    assert " 小学：班级合计 40，在校生 400" in finding.detail
