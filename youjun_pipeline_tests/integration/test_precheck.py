"""A check before sending: every kind of fault with its place and remedy, as text and as marked workbooks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.precheck.book import SUMMARY_NAME, write_report
from youjun_pipeline.precheck.check import Precheck, precheck
from youjun_pipeline.precheck.findings import DOUBT, ERROR, NOTICE, WARNING, Cell, Finding
from youjun_pipeline.precheck.target import TargetError
from youjun_pipeline.precheck.text import precheck_text
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.integration.precheck_files import (
    CLASSES,
    EVIL,
    FACILITIES,
    SCHOOLS,
    TODAY,
    deliver,
    district,
    with_cell,
    write,
)


def found(result: Precheck, rule: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.rule == rule]


def only(result: Precheck, rule: str) -> Finding:
    (finding,) = found(result, rule)
    return finding


def test_a_good_delivery_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = deliver(tmp_path / "2024-06-30")
    result = precheck(folder, TODAY)
    # what the district never delivered is worth a notice: nothing stands against sending these
    assert {(f.level, f.file, f.rule) for f in result.findings} == {(NOTICE, "", "inputs_are_complete")}
    assert result.is_clean
    assert [(f.key, f.rows_read, f.rows_accepted) for f in result.files] == [
        ("2024-06-30/classes.xlsx", 48, 48),
        ("2024-06-30/facilities.xlsx", 3, 3),
        ("2024-06-30/schools.xlsx", 3, 3),
    ]
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "学校名册 2024-06-30/schools.xlsx（读入 3 行，采用 3 行，退回 0 行）：没有发现问题" in out
    assert out.strip().endswith("可以报送。")


def test_cells_are_told_with_place_value_and_remedy(tmp_path: Path) -> None:
    rows = with_cell(with_cell(FACILITIES, 2, 2, "2310㎡"), 4, 1, None)
    result = precheck(deliver(tmp_path / "2024-06-30", facilities=rows), TODAY)
    unit = only(result, "unreadable")
    assert (unit.level, unit.file, unit.value) == (ERROR, "2024-06-30/facilities.xlsx", "2310㎡")
    assert unit.cells == (Cell("数据", 2, "B", "教学及辅助用房面积（㎡）"),)
    assert unit.place == "工作表“数据”第 2 行 B 列（教学及辅助用房面积（㎡））"
    assert "含有“㎡”，请只填确定的数字" in unit.detail
    blank = only(result, "blank_required")
    assert blank.cells == (Cell("数据", 4, "A", "学校标识码"),)
    assert blank.detail == "学校标识码是必填项，此处为空，请补填；本行因此不采用"
    text = precheck_text(result)
    assert "facilities.xlsx（读入 3 行，采用 2 行，退回 1 行）：错误 2 处" in text
    assert "  【错误】单元格读不懂，该值不采用（unreadable）\n    工作表“数据”第 2 行 B 列" in text


def test_what_only_shows_between_files(tmp_path: Path) -> None:
    classes = with_cell(CLASSES, 3, 5, 60)
    facilities = with_cell(with_cell(FACILITIES, 2, 1, "2111000009"), 4, 4, 1715000)
    measures = [["措施编号", "指标", "学段", "涉及学校"], ["C1", "R4", "小学", "实验学校、第四中学"]]
    folder = deliver(tmp_path / "2024-06-30", classes=classes, facilities=facilities, measures=measures)
    result = precheck(folder, TODAY)
    unknown = only(result, "unknown_school")
    assert (unknown.level, unknown.cells) == (ERROR, (Cell("数据", 2, "A", "学校标识码"),))
    assert "学校名册中没有学校标识码“2111000009”" in unknown.detail
    name = only(result, "unknown_school_name")
    assert name.cells == (Cell("数据", 2, "D", "涉及学校"),)
    assert (name.value, "名册中找不到“第四中学”，最接近的有：" in name.detail) == ("第四中学", True)
    sums = only(result, "class_sizes_sum_to_students")
    assert (sums.level, sums.file) == (WARNING, "")
    assert "班级合计 420，在校生 400" in sums.detail
    unit = only(result, "unit_mistaken")
    assert (unit.level, unit.cells) == (DOUBT, (Cell("数据", 4, "D", "教学仪器设备资产值(万元)"),))
    assert "单位可能误填为元" in unit.detail and "suspicion_answers" in unit.detail


def test_swapped_columns_are_doubted(tmp_path: Path) -> None:
    swapped = [[row[0], row[4], *row[2:4], row[1], row[5]] for row in FACILITIES]
    swapped[0] = list(FACILITIES[0])
    rooms = [[*row[:4], round(row[4])] if number else row for number, row in enumerate(swapped)]
    result = precheck(deliver(tmp_path / "2024-06-30", facilities=rooms), TODAY)
    doubts = found(result, "implausible_per_student")
    assert {finding.cells[0].letter for finding in doubts} == {"B", "E"}
    first = next(f for f in doubts if f.cells[0] == Cell("数据", 2, "B", "教学及辅助用房面积（㎡）"))
    assert (
        "教学及辅助用房面积 12 ㎡，学生 400 人，人均 0.03，一般不低于 0.5、不高于 200，可能填错了列或单位"
        in first.detail
    )


def test_rules_and_keys_are_told_for_every_cell_they_are_about(tmp_path: Path) -> None:
    teachers = [
        ["学校标识码", "学段", "专任教师数", "教职工数", "博士", "硕士", "本科", "专科"],
        ["2111000001", "小学", 20, 22, 0, 2, 30, 1],
        ["2111000003", "初中", 60, 50, 0, 10, 50, 0],
    ]
    again = [*FACILITIES, FACILITIES[1], [*FACILITIES[2][:4], 23]]
    result = precheck(deliver(tmp_path / "2024-06-30", teachers=teachers, facilities=again), TODAY)
    degrees = only(result, "degrees_within_full_time")
    assert degrees.level == WARNING
    assert [cell.letter for cell in degrees.cells] == ["E", "F", "G", "H", "C"]
    assert degrees.detail == "2111000001、小学（博士 0，硕士 2，本科 30，专科 1，专任教师数 20）"
    assert only(result, "full_time_within_staff").cells[0].row == 3
    same, differs = found(result, "duplicate_key")
    assert [cell.row for cell in same.cells] == [2, 5]
    assert same.detail == "学校标识码 2111000001 有 2 行，内容完全相同，请删去多余的行"
    assert (
        differs.detail
        == "学校标识码 2111000002 有 2 行，内容不同，请核对哪一行是对的，其余更正编号或并入这一行"
    )
    assert differs.place == "工作表“数据”第 3、6 行 A 列（学校标识码）"


def test_a_file_that_cannot_be_used_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "2024-06-30", facilities=with_cell(FACILITIES, 2, 1, "2111000009"))
    (folder / "classes.xlsx").write_bytes(b"%PDF-1.7")
    result = precheck(folder, TODAY)
    failure = only(result, "file_unreadable")
    assert (failure.level, failure.file) == (ERROR, "2024-06-30/classes.xlsx")
    assert "内容其实是PDF 文件" in failure.detail
    assert only(result, "unknown_school").file == "2024-06-30/facilities.xlsx"


def test_what_was_passed_over_is_a_notice_and_what_is_lost_a_warning(tmp_path: Path) -> None:
    rows = [[*row, "甲" if n else "联系人"] for n, row in enumerate(FACILITIES)]
    rows += [["合计", 13041.5, None, None, 54, None], ["填表人：张三 13800000000"]]
    result = precheck(deliver(tmp_path / "2024-06-30", facilities=rows), TODAY)
    passed = found(result, "reader_passed_over")
    assert [(f.level, f.cells[0].row) for f in passed] == [(NOTICE, 5), (NOTICE, 6)]
    assert only(result, "ignored_columns").level == WARNING
    assert "13800000000" not in precheck_text(result)
    clean = precheck(
        deliver(tmp_path / "clean" / "2024-06-30", facilities=[*FACILITIES, ["合计", 1, 2, 3, 4]]), TODAY
    )
    told = [f.level for f in clean.findings if f.rule != "inputs_are_complete"]
    assert told == [NOTICE] and clean.is_clean


def test_many_of_a_kind_are_counted(tmp_path: Path) -> None:
    rows = [CLASSES[0], *([*row[:4], "约40"] for row in CLASSES[1:])]
    result = precheck(deliver(tmp_path / "2024-06-30", classes=rows, facilities=None), TODAY)
    assert len(found(result, "unreadable")) == 48
    text = precheck_text(result)
    assert text.count("约40") == 20 and "    ……共 48 处" in text


def test_a_single_file_is_compared_with_those_beside_it(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "2024-06-30", facilities=with_cell(FACILITIES, 2, 1, "2111000009"))
    result = precheck(folder / "facilities.xlsx", TODAY)
    assert [f.key for f in result.files] == ["2024-06-30/facilities.xlsx"]
    assert only(result, "unknown_school").value == "2111000009"
    alone = write(tmp_path / "alone", "办学条件.csv", FACILITIES)
    result = precheck(alone, TODAY)
    assert [f.level for f in result.findings] == [NOTICE]
    assert "没有核对学校标识码" in only(result, "schools_missing").detail


def test_a_single_file_of_another_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "给教育局的表.xlsx", with_cell(FACILITIES, 2, 2, "无"))
    assert main(["check", str(path)]) == 2
    assert "也可以用 --dataset 指明" in capsys.readouterr().err
    assert main(["check", str(path), "--dataset", "facilities"]) == 1
    assert "教学及辅助用房面积“无”不是数" in capsys.readouterr().out
    assert main(["check", str(path), "--dataset", "nothing"]) == 2


def test_a_delivery_is_judged_by_what_its_district_delivered_before(tmp_path: Path) -> None:
    home = district(tmp_path)
    result = precheck(home / "deliveries" / "2024-06-30", TODAY)
    assert [f.key for f in result.files] == ["2024-06-30/facilities.csv"]
    assert only(result, "unknown_school").cells == (Cell("", 3, "A", "学校标识码"),)
    jump = only(result, "jump")
    assert "上次（2024-01-31）为 2310.5 ㎡，本次为 9310.5 ㎡，增加 7000 ㎡（303%）" in jump.detail
    whole = precheck(home, TODAY)
    assert len(whole.files) == 4
    assert [f.file for f in found(whole, "unknown_school")] == ["2024-06-30/facilities.csv"]


def test_an_answered_doubt_is_none(tmp_path: Path) -> None:
    home = district(tmp_path)
    answers = [
        ["答复日期", "数据集", "学校标识码", "规则", "说明"],
        ["2024-06-30", "办学条件", "2111000001", "jump", "新教学楼启用"],
    ]
    write(home / "deliveries" / "2024-06-30", "suspicion_answers.csv", answers)
    assert found(precheck(home, TODAY), "jump") == []


def test_faults_of_the_folder_are_told(tmp_path: Path) -> None:
    home = district(tmp_path)
    (home / "district.toml").write_text('code = "110000"\nname = "区"\nstandard = "none"\n', encoding="utf-8")
    day = home / "deliveries" / "2024-06-30"
    write(day, "办学条件.xlsx", FACILITIES)
    (day / "名册2024.xlsx").write_bytes(b"x")
    (day / "~$schools.xlsx").write_bytes(b"x")
    result = precheck(home, TODAY)
    folder = [f.detail for f in found(result, "folder")]
    assert any("与文件夹名的区划代码不一致" in text for text in folder)
    assert any("没有标准目录 'none'" in text for text in folder)
    assert any("“办学条件”（facilities）有 2 个文件" in text for text in folder)
    notes = [f.detail for f in found(result, "folder_notice")]
    assert any("名册2024.xlsx：文件名不是数据集的名称" in text for text in notes)
    assert not any("~$schools" in text for text in notes)
    assert [f.key for f in result.files] == [
        f"2024-01-31/{n}.xlsx" for n in ("classes", "facilities", "schools")
    ]


def test_a_district_without_a_roster(tmp_path: Path) -> None:
    home = district(tmp_path)
    (home / "deliveries" / "2024-01-31" / "schools.xlsx").unlink()
    assert only(precheck(home, TODAY), "schools_missing").level == ERROR


def test_the_report_marks_the_cells_and_runs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = with_cell(with_cell(SCHOOLS, 3, 4, "600人"), 4, 2, '=1+cmd|"/c calc"!A0')
    folder = deliver(tmp_path / "2024-06-30", schools=rows)
    write(folder, "classes.csv", with_cell(CLASSES, 2, 5, "－"))
    (folder / "classes.xlsx").unlink()
    report = tmp_path / "report"
    assert main(["check", str(folder), "--report", str(report)]) == 1
    assert f"写入 {report}" in capsys.readouterr().out
    assert sorted(p.name for p in report.iterdir()) == [
        "classes.csv.标注.xlsx",
        "schools.xlsx.标注.xlsx",
        SUMMARY_NAME,
    ]
    book = openpyxl.load_workbook(report / "schools.xlsx.标注.xlsx")
    assert book.sheetnames == ["核对结果", "数据"]
    sheet = book["数据"]
    marked = sheet["D3"]
    assert (marked.value, marked.fill.fgColor.rgb) == ("600人", "FFFF9999")
    assert "【错误】单元格读不懂，该值不采用：小学在校生数“600人”含有“人”" in marked.comment.text
    assert sheet["D2"].comment is None and sheet["D2"].fill.fgColor.rgb == "00000000"
    assert [cell.value for cell in sheet[2]][:2] == ["2111000001", EVIL]
    for name in report.iterdir():
        for page in openpyxl.load_workbook(name).worksheets:
            assert [c.coordinate for row in page.iter_rows() for c in row if c.data_type == "f"] == []
            assert page._hyperlinks == []
    listed = openpyxl.load_workbook(report / "schools.xlsx.标注.xlsx")["核对结果"]
    assert [cell.value for cell in listed[2]][:4] == [
        "错误",
        "2024-06-30/schools.xlsx",
        "工作表“数据”第 3 行 D 列（小学在校生数）",
        "600人",
    ]
    copy = openpyxl.load_workbook(report / "classes.csv.标注.xlsx").worksheets[1]
    assert (copy["E2"].value, copy["E2"].fill.fgColor.rgb, copy["E3"].value) == ("－", "FFFF9999", "40")
    summary = openpyxl.load_workbook(report / SUMMARY_NAME)
    assert summary.sheetnames == ["核对结果", "明细"]
    lines = {row[0].value: [c.value for c in row] for row in summary["核对结果"].iter_rows(min_row=4)}
    assert lines["2024-06-30/schools.xlsx"][2:] == [
        "3",
        "3",
        "0",
        "1",
        # what the unreadable cell leaves open
        "1",
        # no gap, no doubt, no notice
        "0",
        "0",
        "0",
        "schools.xlsx.标注.xlsx",
    ]


def test_copies_of_several_deliveries_lie_apart(tmp_path: Path) -> None:
    home = district(tmp_path)
    write(home / "deliveries" / "2024-01-31", "facilities.xlsx", with_cell(FACILITIES, 2, 2, "无"))
    written = write_report(precheck(home, TODAY), tmp_path / "report")
    assert [p.relative_to(tmp_path / "report").as_posix() for p in written] == [
        SUMMARY_NAME,
        "2024-01-31/facilities.xlsx.标注.xlsx",
        "2024-06-30/facilities.csv.标注.xlsx",
    ]


def test_rows_without_cells_and_files_without_text_are_no_obstacle(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "2024-06-30", facilities=None)
    (folder / "facilities.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    text = "学校标识码,学段,年级,班号,学生数\n2111000001,小学,一年级,1,40,多\n"
    (folder / "classes.csv").write_text(text, encoding="utf-8")
    (folder / "classes.xlsx").unlink()
    result = precheck(folder, TODAY)
    assert {f.file for f in found(result, "file_unreadable")} == {
        "2024-06-30/classes.csv",
        "2024-06-30/facilities.xlsx",
    }
    names = [p.name for p in write_report(result, tmp_path / "report")]
    assert names == [SUMMARY_NAME, "classes.csv.标注.xlsx"], "what can be seen is shown"


@pytest.mark.parametrize("inside", ["2024-06-30", "2024-06-30/report"])
def test_the_report_does_not_go_among_the_files(
    tmp_path: Path, inside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = deliver(tmp_path / "2024-06-30")
    assert main(["check", str(folder), "--report", str(tmp_path / inside)]) == 2
    assert "请放在被检查的文件夹之外" in capsys.readouterr().err
    assert not (folder / "report").exists()


def test_a_wrong_call_says_what_is_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "no-such")]) == 2
    assert "没有这个文件或文件夹" in capsys.readouterr().err
    assert main(["check", str(tmp_path)]) == 2
    assert "没有数据集文件" in capsys.readouterr().err
    with pytest.raises(TargetError, match="没有数据集文件"):
        precheck(tmp_path, TODAY)


def test_nothing_is_written_anywhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = district(tmp_path)
    before = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    precheck(home, TODAY)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == before


def test_the_districts_of_the_repository_hold_no_fault(tmp_path: Path) -> None:
    for source in sorted((CHECKOUT / "data").glob("[0-9]*-*")):
        home = tmp_path / source.name
        shutil.copytree(source, home)
        result = precheck(home, TODAY)
        assert len(result.files) > 20
        assert [f for f in result.findings if f.level == ERROR] == [], precheck_text(result)
        assert not re.search("Traceback|None", precheck_text(result))
