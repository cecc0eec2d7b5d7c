"""The template of a scenario reads back without a notice; `youjun check` tells what is wrong with scenarios, prices, capacity."""

from __future__ import annotations

import shutil
from pathlib import Path

import openpyxl
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.planning.least_cost.prices import lever_kinds
from youjun_pipeline.planning.scenario_file import contract, read_scenario
from youjun_pipeline_tests.conftest import CHECKOUT

PRICED = (
    'unit = "万元"\n'
    + "".join(f'[levers.{name}]\nprice = "0.35"\n' for name in lever_kinds())
    + '[classes]\nprice = "8"\n[rooms]\nprice = "30"\n'
)


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


def test_check_tells_what_is_wrong_with_what_plans_rest_on(
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
    (district / "prices.toml").write_text(
        PRICED + '[[sites]]\nschool = "2120114999"\nlever = "equipment"\nmost = "1"\n', encoding="utf-8"
    )
    (district / "deliveries" / "2023-08-31" / "site_capacity.csv").write_text(
        "学校标识码,设计规模班数,可调出教学仪器设备值(万元)\n2120114001,3,999999\n2120114002,90,x\n",
        encoding="utf-8",
    )
    main(["check", str(district)])
    out = capsys.readouterr().out
    assert "情景文件有误，不能试算" in out
    assert "s.toml，第 1 行，“学校”，值“光明道小雪”" in out and "是否为：光明道小学" in out
    assert "prices.toml：sites.0.school：学校名册中没有 2120114999，请核对学校标识码" in out
    assert "第 2 行 B 列（设计规模班数）：2120114001：设计规模 3 班，名册中已有" in out
    assert (
        "第 2 行 C 列（可调出教学仪器设备值(万元)）：2120114001：可调出 999999 万元，多于填报的设备值" in out
    )
    assert "第 3 行 C 列（可调出教学仪器设备值(万元)）：" in out and "单元格读不懂" in out
    (district / "prices.toml").write_text('unit = "万元"\n[levers.gold]\nprice = "1"\n', encoding="utf-8")
    main(["check", str(district)])
    out = capsys.readouterr().out
    assert "单价文件有误，不能编制最省方案" in out and "prices.toml：levers.gold：没有这种手段" in out
