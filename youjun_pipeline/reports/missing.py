"""The workbook of missing data and their consequences (缺报清单), one for each evaluation.

Belongs here: its layout. Keep out: what counts as missing (`quality.missing_input`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.reports.evaluation import Evaluation
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.workbook import LEFT, Book, Paper

if TYPE_CHECKING:
    import duckdb

TITLE = "缺报清单"
_WIDTHS = (6, 18, 26, 40, 26, 70)


def write_missing(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the list of one evaluation to `path`: what should be delivered, by dataset and school."""
    rows = evaluation.rows(
        con,
        "quality.missing_input",
        "*",
        "dataset, school_code nulls first, stage, column_name nulls first, item, message",
    )
    with Book(path, evaluation, TITLE) as book:
        paper = Paper(book, TITLE, _WIDTHS)
        paper.open(f"{evaluation.phase_name}阶段{TITLE}")
        paper.line(
            f"缺报 {len(rows)} 处" if rows else "判定所需的数据齐全，没有缺报", {"border": 0, "align": "left"}
        )
        paper.columns("序号", "数据集", "学校", "缺什么", "无法判定的指标和差异系数", "影响")
        datasets = load_datasets()
        for number, row in enumerate(rows, 1):
            dataset = datasets.get(row["dataset"])
            column = dataset.columns.get(row["column_name"]) if dataset and row["column_name"] else None
            lacks = " ".join(filter(None, (row["item"], column.zh if column else None))) or "整行或整表"
            balances = (
                text.replace("primary", "小学").replace("junior", "初中")
                for text in row["undecided_balances"]
            )
            open_ones = "、".join([*row["undecided"], *balances])
            texts = (
                dataset.title if dataset else "",
                row["school_name"] or "全区",
                lacks,
                open_ones,
                row["message"],
            )
            paper.number(paper.row, 0, number, "0")
            for column_number, text in enumerate(texts, 1):
                paper.text(paper.row, column_number, text, LEFT)
            paper.end_row(*enumerate(texts, 1))
        paper.notes("没有填写的数据不算 0，也不算达标；补齐后重新报送，这里的判定才能作出。")


MISSING = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    ("mart.evaluation", "quality.missing_input"),
    write_missing,
)
