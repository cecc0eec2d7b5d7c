"""What is wrong with one official statistics workbook or archive, before it is sent.

Belongs here: the workbook's own failure, and faults of the delivery's composed rows that come from it. Keep out: plain dataset
files (`findings`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from youjun_pipeline.ingest.districts import Delivered
from youjun_pipeline.ingest.statistics.unfilled import NOT_REPORTED
from youjun_pipeline.precheck.findings import ERROR, NOTICE, TITLES, WARNING, Cell, Finding

if TYPE_CHECKING:
    import duckdb

STATISTICS = "statistics"
NAMES = TITLES | {
    "statistics_form_unexpected": "统计报表的版式与登记的不符，不能使用",
    "statistics_conflict": "同一数据在几处不一致，全部统计报表不能使用",
    "parent_school_unknown": "校点或附设班没有所属学校",
    "school_of_another_district": "不是本区的学校",
    "reader_notice": "读取时发现",
}

# The contents that are composed of all the delivery's workbooks.
_COMPOSED = """
    with composed as (
        select content_sha256, dataset from raw.delivered_file
        where district_code = $district and delivery = $delivery and file = 'statistics' and dataset <> 'statistics'
    )
"""
_REJECTED = """
    select t.source_sheet, t.source_row, t.source_column, t.header, r.value, r.rule, r.message, r.rejects_row
    from composed
    join raw.rejection r using (content_sha256, dataset)
    join raw.statistics_source t using (content_sha256, dataset, sheet, row_number, column_name)
    where t.source_file = $file or starts_with(t.source_file, $file || '/')
    order by all
"""
# A conflict or a broken rule names the workbooks concerned.
_TOLD = """
    select distinct failure_rule as rule, failure_message as message, true as is_error
    from composed join raw.content using (content_sha256, dataset)
    where failure_rule = 'statistics_conflict' and contains(failure_message, $file)
    union
    select rule, message, severity = 'blocking' from composed join raw.rule_result using (content_sha256, dataset)
    where contains(message, $file)
    order by all
"""
# Notices about the whole delivery that only repeat the notices of single workbooks.
_NOTICES = (
    _COMPOSED
    + """
    select distinct message from composed join raw.notice using (content_sha256, dataset)
    where starts_with(message, $file) order by all
"""
)


def statistics_findings(con: duckdb.DuckDBPyConnection, file: str, entry: Delivered) -> Iterator[Finding]:
    """Everything wrong with one file of the statistics folder; `file` is its name in findings."""
    own = [entry.content_sha256, STATISTICS]
    query = "select failure_rule, failure_message from raw.content where content_sha256 = ? and dataset = ?"
    for rule, message in con.execute(query, own).fetchall():
        if rule:
            yield Finding(ERROR, file, rule, NAMES.get(rule, rule), message)
    query = "select message from raw.notice where content_sha256 = ? and dataset = ? order by rowid"
    told = [message for (message,) in con.execute(query, own).fetchall()]
    place = {"district": entry.district_code, "delivery": entry.file.delivery, "file": entry.file.name}
    of_all = [
        message.removeprefix(f"{entry.file.name}：") for (message,) in con.execute(_NOTICES, place).fetchall()
    ]
    for message in dict.fromkeys(told + of_all):
        level = WARNING if message.endswith(NOT_REPORTED) else NOTICE
        yield Finding(level, file, "reader_notice", NAMES["reader_notice"], message)
    rejected = con.execute(_COMPOSED + _REJECTED, place).fetchall()
    for sheet, row, letter, header, value, rule, message, rejects_row in rejected:
        lost = "；本行不采用" if rejects_row else ""
        yield Finding(
            ERROR,
            file,
            rule,
            NAMES.get(rule, rule),
            message + lost,
            (Cell(sheet, row, letter, header),),
            value or "",
        )
    for rule, message, is_error in con.execute(_COMPOSED + _TOLD, place).fetchall():
        yield Finding(ERROR if is_error else WARNING, file, rule, NAMES.get(rule, rule), message)
