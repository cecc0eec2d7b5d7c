"""Templates: filled-in templates are read without a notice, and their help for filling in is never read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.contracts import Column, Dataset, load_datasets
from youjun_pipeline.ingest.files import content_hash, read_file
from youjun_pipeline.ingest.validate import validate
from youjun_pipeline.standard import available_catalogues, load_catalogue
from youjun_pipeline.templates.books import (
    FROM_FORMS,
    Roster,
    TemplateError,
    newest_roster,
    write_templates,
)
from youjun_pipeline.templates.data_sheet import Layout, header_of
from youjun_pipeline.templates.help_sheets import examples
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district

DATASETS = {name: d for name, d in load_datasets().items() if name not in FROM_FORMS}
EVIL = '=HYPERLINK("http://x","点我")'
SCHOOLS: list[dict[str, Any]] = [
    {"school_code": "0011000001", "school_name": EVIL, "school_type": "小学", "primary_students": 100},
    {
        "school_code": "0011000002",
        "school_name": "实验学校",
        "school_type": "九年一贯制学校",
        "boarding": True,
    },
    {
        "school_code": "0011000003",
        "school_name": "完全中学",
        "school_type": "完全中学",
        "senior_students": 300,
    },
]
ROSTER = Roster(
    "某区（120999）",
    dt.date(2024, 6, 30),
    [dict.fromkeys(DATASETS["schools"].columns) | school for school in SCHOOLS],
    load_catalogue(available_catalogues()[0]),
)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blank")
    write_templates(folder)
    return folder


@pytest.fixture(scope="module")
def filled_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roster")
    write_templates(folder, ROSTER)
    return folder


def typed(column: Column, text: str) -> Any:
    """A value as Excel stores it when a person types it into a cell of that format."""
    if column.type in ("count", "year"):
        return int(text)
    if column.type in ("amount", "percent", "rate"):
        return float(text)
    return dt.datetime.fromisoformat(text) if column.type == "date" else text


def fill(source: Path, target: Path, dataset: Dataset, rows: list[dict[str, str]]) -> Path:
    """Write rows below the present rows of a template, and save it as a spreadsheet program does."""
    book = openpyxl.load_workbook(source)
    sheet = book.worksheets[0]
    headers = [cell.value for cell in sheet[1]]
    at = {name: headers.index(header_of(column)) + 1 for name, column in dataset.columns.items()}
    for number, row in enumerate(rows, sheet.max_row + 1):
        for name, text in row.items():
            sheet.cell(number, at[name]).value = typed(dataset.columns[name], text)
    book.save(target)
    return target


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_template_that_is_filled_in_reads_back_without_a_word(
    name: str, blank: Path, tmp_path: Path
) -> None:
    dataset = DATASETS[name]
    rows = examples()[name]
    assert len(rows) == 2
    source = blank / f"{name}.xlsx"
    prefilled = len(Layout(dataset, []).rows)
    if name == "assurance":
        # Its items stand there already; what is theirs is typed beside them.
        book = openpyxl.load_workbook(source)
        sheet = book.worksheets[0]
        headers = [cell.value for cell in sheet[1]]
        conclusion, value, evidence = (headers.index(h) + 1 for h in ("结论", "填报值", "佐证材料"))
        for row in range(2, sheet.max_row + 1):
            wanted = str(sheet.cell(row, headers.index("填写栏目") + 1).value)
            if "填报值" in wanted:
                sheet.cell(row, value).value = 12
            if "结论" in wanted:
                sheet.cell(row, conclusion).value = "达标"
                sheet.cell(row, evidence).value = "文件"
        prefilled = sheet.max_row - 1
        path, rows = tmp_path / "assurance.xlsx", []
        book.save(path)
    else:
        path = fill(source, tmp_path / f"{name}.xlsx", dataset, rows)
    result = read_file(path, dataset)
    assert (result.failure, result.notices, result.ignored_headers) == (None, [], [])
    assert len(result.frame) == prefilled + len(rows)
    assert [c.column_name for c in result.columns] == list(dataset.columns)
    checked = validate(dataset, result.frame.assign(content_sha256=content_hash(path)))
    assert checked.rejections.empty, checked.rejections["message"].tolist()
    assert checked.failures == {}
    assert checked.warnings.empty, checked.warnings["message"].tolist()
    for name_, text in rows[0].items() if rows else ():
        assert checked.accepted.column(name_)[0].as_py() is not None, f"{name_} {text}"


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_blank_template_has_no_rows(name: str, blank: Path) -> None:
    result = read_file(blank / f"{name}.xlsx", DATASETS[name])
    assert (result.failure, result.ignored_headers) == (None, [])
    if name == "assurance":
        assert len(result.frame) == len(DATASETS[name].columns["item"].values)
    else:
        assert (len(result.frame), result.notices) == (0, ["只有表头，没有数据行"])


def test_examples_are_rows_of_the_contract() -> None:
    assert examples().keys() == DATASETS.keys()
    for name, rows in examples().items():
        for row in rows:
            assert row.keys() <= DATASETS[name].columns.keys(), name
            assert set(DATASETS[name].required) <= row.keys(), name


def test_headers_and_cells_are_guarded(blank: Path) -> None:
    book = openpyxl.load_workbook(blank / "schools.xlsx")
    sheet = book.worksheets[0]
    assert sheet.title == "学校名册"
    assert sheet.protection.sheet and sheet.protection.password is None
    assert not sheet.protection.insertRows and not sheet.protection.deleteRows, "allowed, as Excel puts it"
    assert sheet.freeze_panes == "C2"
    assert sheet["A1"].value == "学校标识码*" and sheet["A1"].protection.locked
    assert sheet["J1"].value == "小学在校生数\n（人）"
    assert not sheet.column_dimensions["A"].protection.locked
    assert sheet.column_dimensions["A"].number_format == "@", "codes keep their zeros"
    rules = {str(v.sqref).split(":")[0]: v for v in sheet.data_validations.dataValidation}
    kind = rules["D2"]
    assert (
        kind.type == "list"
        and kind.formula1.startswith('"小学,教学点,初级中学')
        and kind.errorStyle in (None, "stop")
    )
    pupils = rules["J2"]
    assert (pupils.type, pupils.operator, pupils.formula1) == ("whole", None, "0")
    assert "没有数据请留空" in pupils.prompt and "单位：人" in pupils.prompt
    boarding = rules["H2"]
    assert boarding.formula1 == '"是,否"'
    days = openpyxl.load_workbook(blank / "progress.xlsx").worksheets[0].data_validations.dataValidation
    assert {v.type for v in days if str(v.sqref).startswith("A2")} == {"date"}


def test_the_sheets_that_help(blank: Path) -> None:
    book = openpyxl.load_workbook(blank / "teachers.xlsx")
    assert book.sheetnames == ["教师情况", "填表说明", "校验"]
    words = [[cell.value for cell in row] for row in book["填表说明"].iter_rows()]
    assert words[0][0].startswith("本页不是填报数据")
    row = next(r for r in words if r[1] == "专任教师数")
    assert row == ["D", "专任教师数", "", "必填", "整数，单位：人", "52", "96"]
    formulas = {row[0].value: row[1].value for row in book["校验"].iter_rows(min_row=4) if row[0].value}
    assert formulas["必填列“专任教师数”空白的行数"].startswith("=SUMPRODUCT(")
    assert "MATCH(" in formulas["“学校标识码、校区、学段”重复的行数"]


def test_schools_stand_in_it_already(filled_in: Path) -> None:
    def rows(name: str) -> list[list[Any]]:
        sheet = openpyxl.load_workbook(filled_in / f"{name}.xlsx").worksheets[0]
        return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]

    assert [row[:4] for row in rows("schools")] == [
        [s["school_code"], s["school_name"], None, s["school_type"]] for s in SCHOOLS
    ]
    assert rows("schools")[0][9] is None, "pupils are counted anew"
    assert rows("schools")[1][7] == "是"
    assert [row[:3] for row in rows("teachers")] == [
        ["0011000001", EVIL, "小学"],
        ["0011000002", "实验学校", "小学"],
        ["0011000002", "实验学校", "初中"],
        ["0011000003", "完全中学", "初中"],
        ["0011000003", "完全中学", "高中"],
    ]
    assert [row[0] for row in rows("facilities")] == [s["school_code"] for s in SCHOOLS]
    assert [row[0] for row in rows("graduation_cohorts")] == ["0011000002", "0011000003"]
    assert rows("classes") == []


def test_names_of_schools_are_text_whatever_they_look_like(filled_in: Path) -> None:
    for path in sorted(filled_in.iterdir()):
        for sheet in openpyxl.load_workbook(path).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        assert sheet.title == "校验", (
                            f"{path.name} {sheet.title} {cell.coordinate}: {cell.value}"
                        )


def test_codes_can_be_looked_up_where_rows_are_not_known(filled_in: Path) -> None:
    book = openpyxl.load_workbook(filled_in / "classes.xlsx")
    rules = book.worksheets[0].data_validations.dataValidation
    codes = next(v for v in rules if str(v.sqref).startswith("A2"))
    assert (codes.formula1, codes.errorStyle) == ("'选项'!$A$4:$A$6", "information")
    listed = [[cell.value for cell in row] for row in book["选项"].iter_rows(min_row=4)]
    assert listed == [[s["school_code"], s["school_name"]] for s in SCHOOLS]


def test_what_stands_in_it_already_reads_back(filled_in: Path) -> None:
    for name in ("facilities", "schools"):
        result = read_file(filled_in / f"{name}.xlsx", DATASETS[name])
        assert (result.failure, result.notices, result.ignored_headers) == (None, [], [])
        assert result.frame["school_code"].tolist() == [s["school_code"] for s in SCHOOLS]


def test_the_same_templates_are_the_same_bytes(filled_in: Path, tmp_path: Path) -> None:
    for path in write_templates(tmp_path / "again", ROSTER):
        assert path.read_bytes() == (filled_in / path.name).read_bytes(), path.name


def test_the_command_takes_the_newest_roster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    made = generate_district(1)
    district = write_district(data, made.tables, made.settings, style=PLAIN)
    code = district.name[:6]
    monkeypatch.setenv("YOUJUN_DATA", str(data))
    assert main(["templates", str(tmp_path / "out"), "--district", code]) == 0
    out = capsys.readouterr().out
    schools = made.tables["schools"]
    assert schools is not None
    assert f"24 个模板写入 {tmp_path / 'out'}" in out and f"的 {len(schools)} 所学校" in out
    assert "schools.xlsx  学校名册" in out
    frame = read_file(tmp_path / "out" / "schools.xlsx", DATASETS["schools"]).frame
    assert frame["school_code"].tolist() == sorted(s["school_code"] for s in schools)
    assert main(["templates", str(tmp_path / "out"), "--district", "999999"]) == 1
    assert f"没有区县 999999；现有：{code}" in capsys.readouterr().err


def test_a_district_without_a_roster(tmp_path: Path) -> None:
    (tmp_path / "120999-x" / "deliveries").mkdir(parents=True)
    with pytest.raises(TemplateError, match="120999 还没有交付学校名册"):
        newest_roster(tmp_path, "120999")


def test_the_command_needs_no_data_folder_for_blank_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["templates", str(tmp_path)]) == 0
    # the datasets that are filled in by hand, the actions of a scenario, and the prices of the least-cost plan
    assert len(list(tmp_path.glob("*.xlsx"))) == 24 + 2
