"""The text for people at the end of a run: where the results are, and the verdict of each district."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.settings import Lake
from youjun_pipeline.warehouse.published import open_publication
from youjun_pipeline.warehouse.swap import FILE_NAME

if TYPE_CHECKING:
    import duckdb

_VERDICTS = """
    select e.district_name || if(e.data_origin = 'reconstructed', '（数据为重构）', ''), e.phase_name || ' ' || e.phase_id,
        v.schools_in_scope, v.schools_failing, v.indicators_failing, v.rows_in_quarantine,
        if(v.passes, '通过', '未通过') || if(e.is_stale, '（待更新）', '')
    from mart.evaluation e
    join mart.district_verdict v using (district_code, phase_id)
    order by e.district_code, e.phase_order
"""
_BLOCKED = """
    select district_code, phase_id, message from quality.check_result
    where severity = 'blocking' and not passed order by all
"""


VERDICT_HEAD = ("区县", "阶段", "在评学校", "未达标学校", "未达标指标", "隔离行", "结论")


def verdicts(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """A row for each evaluation of the open publication, with the columns of VERDICT_HEAD."""
    return con.execute(_VERDICTS).fetchall()


def result_table(published: Path, lake: Lake | None = None) -> str:
    """The publication's place and a line per district and phase, as text for a terminal."""
    with open_publication(published, lake) as con:
        rows = verdicts(con)
        blocked = con.execute(_BLOCKED).fetchall()
        standing = con.execute(
            "select published_at, rows from ops.publication order by published_at desc"
        ).fetchone()
    lines = [
        f"发布库 {published / FILE_NAME}" + (f"（{standing[1]} 行）" if standing else ""),
        "",
        *_aligned([VERDICT_HEAD, *rows]),
    ]
    if blocked:
        lines += ["", "以下评估因数据问题未更新，保留上一次的结果："]
        lines += [f"  {code} {phase}：{message}" for code, phase, message in blocked]
    return "\n".join(lines)


def _aligned(rows: list[tuple[object, ...]]) -> list[str]:
    """Columns padded by their width in a terminal: a Chinese character is two cells wide."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(_width(row[i]) for row in texts) for i in range(len(texts[0]))]
    return [
        "  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in texts
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
