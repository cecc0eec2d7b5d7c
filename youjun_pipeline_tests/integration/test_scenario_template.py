"""The template of a scenario reads back without a notice, and `youjun check` tells what is wrong with scenario files."""

from __future__ import annotations

import shutil
from pathlib import Path

import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.planning.scenario_file import contract, read_scenario
from youjun_pipeline_tests.conftest import CHECKOUT


def test_a_template_that_is_filled_in_reads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # not the checkout's own folder: what lies published there is the developer's
    shutil.copytree(CHECKOUT / "data" / "120114-wuqing", tmp_path / "data" / "120114-wuqing")
    monkeypatch.setenv("YOUJUN_DATA", str(tmp_path / "data"))
    assert main(["templates", str(tmp_path), "--district", "120114"]) == 0
    assert "情景模板 scenario_actions.xlsx" in capsys.readouterr().out
    path = tmp_path / "scenario_actions.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    headers = {str(cell.value).split("\n")[0].rstrip("*"): cell.column for cell in sheet[1] if cell.value}
    assert list(headers) == [c.zh for c in contract().columns.values()]
    row = {"序号": "1", "动作": "分流学生", "生效日期": "2025-06-01", "学校": "光明道小学", "数量": 20}
    for header, value in {**row, "对方学校": "杨村第十一小学", "学段": "小学"}.items():
        sheet.cell(2, headers[header], value)
    book.save(path)
    read = read_scenario(path)
    assert not read.problems and len(read.rows) == 1
    assert read.rows[0].given["action"] == "divert_pupils" and read.rows[0].given["quantity"] == 20
    # schools to choose from stand in the helper sheet
    assert any("光明道小学" in str(c.value) for ws in book.worksheets[1:] for r in ws.iter_rows() for c in r)


def test_check_tells_what_is_wrong_with_a_scenario(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    district = tmp_path / "120114-wuqing"
    shutil.copytree(
        CHECKOUT / "data" / "120114-wuqing" / "deliveries" / "2023-08-31",
        district / "deliveries" / "2023-08-31",
    )
    shutil.copy(CHECKOUT / "data" / "120114-wuqing" / "district.toml", district)
    (district / "scenarios").mkdir()
    (district / "scenarios" / "s.toml").write_text(
        '[[action]]\naction_no = "1"\naction = "停用"\neffective_on = 2025-06-01\nschool = "光明道小雪"\n'
        'item = "运动场地面积"\nquantity = 5\n',
        encoding="utf-8",
    )
    main(["check", str(district)])
    out = capsys.readouterr().out
    assert "情景文件有误，不能试算" in out
    assert "s.toml，第 1 行，“学校”，值“光明道小雪”" in out and "是否为：光明道小学" in out
