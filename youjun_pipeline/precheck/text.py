"""The findings of a check before sending as text for a terminal, file by file.

Belongs here: wording and length of this text. Keep out: the workbooks (`book`) and what is found.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from youjun_pipeline.precheck.check import CheckedFile, Precheck
from youjun_pipeline.precheck.findings import LEVELS, READER_NOTICE, READER_PASSED_OVER, Finding

# At most this many findings of one rule in one file are listed; the marked workbook has all of them.
SHOWN = 20
INDENT = "    "


def precheck_text(result: Precheck) -> str:
    """Everything found, with its place and remedy, and the final result."""
    lines = [f"检查 {result.title}：{len(result.files)} 个文件", ""]
    folder = [finding for finding in result.findings if not finding.file]
    if folder:
        lines += ["文件夹与各表之间", *_findings(folder), ""]
    for file in result.files:
        found = [finding for finding in result.findings if finding.file == file.key]
        lines += [_head(file, found), *_findings(found), ""]
    return "\n".join([*lines, _sum(result)])


def _head(file: CheckedFile, found: list[Finding]) -> str:
    title = f"{file.dataset.title} " if file.dataset else ""
    rows = f"读入 {file.rows_read} 行，采用 {file.rows_accepted} 行，退回 {file.rows_rejected} 行"
    return f"{title}{file.key}（{rows}）：{counts(found)}"


def counts(found: list[Finding]) -> str:
    """How many findings of each level, in words."""
    number = Counter(finding.level for finding in found)
    return "，".join(f"{level} {number[level]} 处" for level in LEVELS if number[level]) or "没有发现问题"


def _findings(found: list[Finding]) -> list[str]:
    lines = []
    for (level, rule, title), group in groupby(found, key=lambda f: (f.level, f.rule, f.title)):
        every = list(group)
        lines.append(f"  【{level}】{title}（{rule}）")
        lines += [f"{INDENT}{_line(finding)}" for finding in every[:SHOWN]]
        if len(every) > SHOWN:
            lines.append(f"{INDENT}……共 {len(every)} 处")
    return lines


def _line(finding: Finding) -> str:
    detail = " ".join(finding.detail.split("\n"))
    # The reader's own texts already name their places.
    if not finding.place or finding.rule in (READER_NOTICE, READER_PASSED_OVER):
        return detail
    return f"{finding.place}：{detail}"


def _sum(result: Precheck) -> str:
    if result.is_clean:
        gaps = "；缺报的使判定悬空，请在查实后补报" if result.has_gaps else ""
        doubts = "；请核对疑点，属实的在疑点答复（suspicion_answers）中说明" if result.has_doubts else ""
        return f"合计：{counts(result.findings)}。可以报送{gaps}{doubts}。"
    return f"合计：{counts(result.findings)}。请改正错误、核对警告和疑点后再报送。"
