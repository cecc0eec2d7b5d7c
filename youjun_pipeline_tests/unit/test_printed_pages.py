"""Printed papers: no row without its header, no header without a row, no unit after a missing figure."""

from __future__ import annotations

import argparse
import itertools
from datetime import date
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest

from youjun_pipeline.reports.command import wall_pdf_command
from youjun_pipeline.reports.county import wall_pdf
from youjun_pipeline.reports.county.self_report import filled
from youjun_pipeline.reports.county.texts import Figures
from youjun_pipeline.reports.document import Document
from youjun_pipeline.reports.evaluation import Evaluation
from youjun_pipeline.reports.workbook import Book, Paper, columns_of
from youjun_pipeline.settings import Settings

TALL = 40.0
# Rows as high as these, and the page's title, are more than this on no page of A4 across.
MOST_POINTS = 515


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(
        "110101", "2023", "东城区", "2023年", date(2023, 1, 1), date(2023, 12, 31), date(2023, 12, 31), "national-2017",
        "reported", None, None, [], [], False, "strict", False,
    )  # fmt: skip


def several_tables(path: Path, evaluation: Evaluation, *lengths: int) -> Any:
    """A sheet with a table of each length, its rows `TALL` points high."""
    with Book(path, evaluation, "书") as book:
        paper = Paper(book, "表", [20] * 5)
        paper.open("某校")
        paper.paged()
        for number, length in enumerate(lengths, start=1):
            heights = [TALL] * length
            paper.table(f"表{number}", columns_of("甲", "乙", "丙", "丁", "戊"), heights)
            for row, height in enumerate(heights):
                paper.room_for(height)
                paper.text(paper.row, 0, f"{number}-{row}")
                paper.height(paper.row, height)
                paper.row += 1
    return openpyxl.load_workbook(path).worksheets[0]


def pages_of(sheet: Any) -> list[list[int]]:
    """The rows of each printed page (from 1), divided by the page breaks."""
    starts = [1, *(b.id + 1 for b in sheet.row_breaks.brk), sheet.max_row + 1]
    return [list(range(first, last)) for first, last in itertools.pairwise(starts)]


def test_every_printed_page_has_the_title_and_the_header_of_its_tables(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    sheet = several_tables(tmp_path / "b.xlsx", evaluation, 3, 30, 2, 9)
    assert sheet.print_title_rows == "$1:$2"
    pages = pages_of(sheet)
    assert len(pages) > 4
    for page in pages[1:]:
        texts = [sheet.cell(row, 1).value for row in page]
        # a free row, the heading, the header, and a row of that table
        assert texts[0] is None
        number = texts[1].removeprefix("表").removesuffix("（续）")
        assert texts[2] == "甲"
        assert texts[3].startswith(f"{number}-")
    assert sum(str(sheet.cell(page[1], 1).value).endswith("（续）") for page in pages) >= 2


def test_no_printed_page_is_longer_than_the_sheet_of_paper(tmp_path: Path, evaluation: Evaluation) -> None:
    sheet = several_tables(tmp_path / "b.xlsx", evaluation, 3, 30, 2, 9)
    title = sum(sheet.row_dimensions[row].height or 15 for row in (1, 2))
    for number, page in enumerate(pages_of(sheet)):
        points = sum(sheet.row_dimensions[row].height or 15 for row in page)
        assert points + (title if number else 0) <= MOST_POINTS


def test_a_short_table_is_not_torn(tmp_path: Path, evaluation: Evaluation) -> None:
    for length in range(5, 12):
        sheet = several_tables(tmp_path / f"{length}.xlsx", evaluation, length, 3)
        page = next(p for p in pages_of(sheet) if any(sheet.cell(r, 1).value == "2-0" for r in p))
        assert {"2-0", "2-1", "2-2"} <= {sheet.cell(r, 1).value for r in page}


def test_a_table_in_a_document_keeps_its_caption_header_and_first_row_together(
    tmp_path: Path, evaluation: Evaluation
) -> None:
    with Document(tmp_path / "d.docx", evaluation, "文") as paper:
        paper.table("题", ("名称", "日期", "数"), [("某校", date(2024, 12, 31), "1,734.52")], (1, 1, 1))
    document = docx.Document(str(tmp_path / "d.docx"))
    assert document.paragraphs[0].paragraph_format.keep_with_next
    head, line = document.tables[0].rows
    assert all(cell.paragraphs[0].paragraph_format.keep_with_next for cell in head.cells)
    assert head._tr.xpath("./w:trPr/w:tblHeader") and line._tr.xpath("./w:trPr/w:cantSplit")
    # numbers stand right, a date is a text
    assert [str(cell.paragraphs[0].alignment).split(" ")[0] for cell in line.cells] == [
        "LEFT",
        "LEFT",
        "RIGHT",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("预算 {known} 万元，支出 {missing} 万元；超支", "预算 200 万元，支出缺数据；超支"),
        ("共 {missing} 个。", "共缺数据。"),
        ("{missing} 项达标", "缺数据 项达标"),
    ],
)
def test_a_figure_that_is_missing_has_no_unit(text: str, shown: str) -> None:
    assert filled(text, Figures(known="200", missing="缺数据")) == shown


def test_the_wall_map_is_a_pdf_only_where_its_letters_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "papers" / "110101" / "2023" / "挂图.svg"
    sheet.parent.mkdir(parents=True)
    sheet.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="841mm" height="1189mm"></svg>', "utf-8")
    settings = Settings.from_environment({"YOUJUN_PUBLISHED": str(tmp_path)})

    def asked(*what: str | None) -> int:
        given = dict(zip(("district", "phase"), [*what, None, None], strict=False))
        return wall_pdf_command(settings, argparse.Namespace(out=str(tmp_path / "out"), **given))

    monkeypatch.setattr(wall_pdf, "has_chinese_typeface", lambda: False)
    assert asked() == 1
    said = capsys.readouterr().err
    assert "没有中文字体" in said and str(tmp_path / "papers") in said
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(wall_pdf, "has_chinese_typeface", lambda: True)
    assert asked("110101", "2023") == 0
    assert (tmp_path / "out" / "挂图_110101_2023.pdf").read_bytes().startswith(b"%PDF-")
    assert asked("110102") == 1
    assert "没有 110102 的挂图" in capsys.readouterr().err
