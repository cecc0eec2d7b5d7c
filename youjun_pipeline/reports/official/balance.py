"""Official table Ⅲ: mean and coefficient of variation of every resource indicator in each stage.

Keep out: any verdict that is not in a mart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Row
from youjun_pipeline.reports.official.schools import indicator_head
from youjun_pipeline.reports.workbook import HEAD, LEFT, SHADES, Book, Paper

if TYPE_CHECKING:
    import duckdb


def write_balance(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅲ: mean and coefficient of variation of every indicator in each stage, and their mean."""
    evaluation = book.evaluation
    paper = Paper(book, "表Ⅲ", [8, 20, *[13] * len(evaluation.resources), 12])
    paper.open("表Ⅲ　义务教育校际均衡情况")
    last = 2 + len(evaluation.resources)
    paper.head(
        [
            (0, 0, 1, 0, "学段"),
            (0, 1, 1, 1, "项目"),
            *indicator_head(evaluation, 2, 2),
            (0, last, 1, last, "综合"),
        ],
    )
    found = evaluation.rows(
        con,
        "mart.stage_balance",
        "stage, indicator_code, schools, schools_no_data, mean, std, cv, cv_strict, cv_limit, cv_composite, status, "
        "rounding_sensitive",
        "all",
    )
    flagged = []
    for stage in evaluation.stages:
        cells = {row["indicator_code"]: row for row in found if row["stage"] == stage}
        flagged += _balance_rows(paper, stage, cells)
    limits = "，".join(
        f"{catalogue_stage.name}不高于 {words.plain(catalogue_stage.cv_limit)}"
        for catalogue_stage in (evaluation.catalogue.stages[s] for s in evaluation.stages)
        if catalogue_stage.cv_limit is not None
    )
    paper.notes(
        f"差异系数为按学生数加权的标准差除以平均值；每一项均须达到：{limits}。综合为七项差异系数的平均值，只作参考，不作判定。",
        f"灰底为超过限值。{words.LEGEND}",
        f"{words.ROUNDED_MARK} 处：{'、'.join(flagged)}。" if flagged else "",
    )


def _balance_rows(paper: Paper, stage: str, cells: dict[str, Row]) -> list[str]:
    """The lines of one stage; returns the values that would round to another verdict."""
    evaluation = paper.book.evaluation
    catalogue = evaluation.catalogue
    cv_format = words.cv_format(catalogue)
    counted = [("schools", "参加计算学部数（所）", "0"), ("schools_no_data", "缺数据学部数（所）", "0")]
    figures = [("mean", "平均值", ""), ("std", "标准差", ""), ("cv", "差异系数", cv_format)]
    limit = [("cv_limit", "限值（不高于）", cv_format)]
    strict = any(cell["cv_strict"] != cell["cv"] for cell in cells.values())
    lines = [
        *counted,
        *figures,
        *limit,
        *([("cv_strict", "不计过渡政策的差异系数", cv_format)] if strict else []),
    ]
    name = catalogue.stages[stage].name
    paper.merge(paper.row, 0, paper.row + len(lines), 0, name, HEAD)
    flagged = []
    for offset, (figure, label, line_format) in enumerate(lines):
        row = paper.row + offset
        bold = {"bold": True} if figure in ("mean", "cv") else {}
        paper.text(row, 1, label, LEFT | bold)
        for column, code in enumerate(evaluation.resources, start=2):
            cell = cells.get(code, {})
            number_format, style = line_format or words.value_format(catalogue, code), dict(bold)
            if figure == "cv" and cell:
                style |= SHADES["below"] if cell["status"] == "below" else {}
                if cell["rounding_sensitive"]:
                    number_format += f'"{words.ROUNDED_MARK}"'
                    flagged.append(f"{name} {code}")
                number_format += f'"{words.WAIVER_MARK}"' if cell["status"] == "met_by_waiver" else ""
            paper.number(row, column, cell.get(figure), number_format, style)
        composite = next((cell["cv_composite"] for cell in cells.values()), None) if figure == "cv" else None
        last = 2 + len(evaluation.resources)
        if figure == "cv":
            paper.number(row, last, composite, cv_format, bold)
        else:
            paper.blank(row, last)
    row = paper.row + len(lines)
    paper.text(row, 1, "判定", LEFT)
    for column, code in enumerate(evaluation.resources, start=2):
        status = cells.get(code, {}).get("status")
        paper.text(
            row, column, words.status_word(status, catalogue, has_floor=False), SHADES.get(status or "")
        )
    paper.blank(row, 2 + len(evaluation.resources))
    for offset in range(len(lines) + 1):
        paper.sheet.set_row(paper.row + offset, 20)
    paper.row += len(lines) + 1
    return flagged
