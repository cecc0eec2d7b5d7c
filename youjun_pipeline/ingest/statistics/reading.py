"""One delivered file of the statistics folder: its workbooks, and what was read from them.

Belongs here: how each kind of workbook is read, and collecting all faults at once. Keep out: the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from youjun_pipeline.contracts.model import Failure
from youjun_pipeline.ingest.formats.archives import Member, PassedOver, Refused, open_archive
from youjun_pipeline.ingest.formats.book import SAVE_AS
from youjun_pipeline.ingest.formats.limits import MAX_ARCHIVE_BYTES, Unreadable, read_bytes, why_unread
from youjun_pipeline.ingest.formats.opening import open_book
from youjun_pipeline.ingest.statistics.cells import Cell
from youjun_pipeline.ingest.statistics.labels import form_number
from youjun_pipeline.ingest.statistics.layouts import Layouts, load_layouts
from youjun_pipeline.ingest.statistics.school_books import Unexpected, read_school
from youjun_pipeline.ingest.statistics.wide_exports import read_export
from youjun_pipeline.vocabulary import shortened

FORM_UNEXPECTED, FILE_UNREADABLE = "statistics_form_unexpected", "file_unreadable"
# If an export of a whole province has faults, a message names the first ones; each file's own message names all of its faults.
SHOWN_PROBLEMS = 50


@dataclass(frozen=True)
class StatisticsRead:
    """What one file holds: cells, notices in Chinese, or why it is unusable. With a failure there are no cells."""

    cells: list[Cell] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failure: Failure | None = None


def read_statistics(path: Path, name: str) -> StatisticsRead:
    """Read one workbook or archive; `name` is its path in the delivery. Never raises for a bad file.

    Failures: file_unreadable; statistics_form_unexpected, if a label is not in its expected place.
    """
    layouts = load_layouts()
    cells: list[Cell] = []
    notices: list[str] = []
    problems: list[str] = []
    rule = FILE_UNREADABLE
    try:
        for book in open_archive(read_bytes(path, MAX_ARCHIVE_BYTES), name):
            if isinstance(book, Refused):
                problems.append(f"{book.name}：{book.message}")
                continue
            if isinstance(book, PassedOver):
                notices.append(f"压缩包里不是工作簿的，没有读取：{shortened(book.names)}")
                continue
            book_notices: list[str] = []
            before = f"{book.name}：" if book.name else ""
            try:
                cells += _read_book(book, name, layouts, book_notices)
            except Unexpected as error:
                rule = FORM_UNEXPECTED
                problems += [f"{before}{problem}" for problem in error.problems]
            except Exception as error:
                problems.append(f"{before}{why_unread(error)}")
            notices += [before + text for text in book_notices]
    except Exception as error:
        problems.append(why_unread(error))
    if not problems:
        return StatisticsRead(cells, notices)
    more = f"；等共 {len(problems)} 处" if len(problems) > SHOWN_PROBLEMS else ""
    remedy = (
        "。请核对报表版式，不要改动表样；版式确已调整的，请联系维护人员登记新版式"
        if rule == FORM_UNEXPECTED
        else ""
    )
    return StatisticsRead([], notices, Failure(rule, "；".join(problems[:SHOWN_PROBLEMS]) + more + remedy))


def _read_book(member: Member, name: str, layouts: Layouts, notices: list[str]) -> list[Cell]:
    def is_form(sheet: str) -> bool:
        number = form_number(sheet)
        return number in layouts.forms or number in layouts.identity_forms

    book = open_book(member.data)
    if book.kind not in ("xlsx", "xls"):
        raise Unreadable("内容不是 Excel 工作簿", SAVE_AS)
    sheets = {sheet.name: sheet for sheet in book.sheets}
    # If there are forms, no other sheet is opened: a school's workbook has some twenty sheets from which nothing is read.
    if forms := {title: sheet for title, sheet in sheets.items() if is_form(title)}:
        return read_school(forms, member.name, layouts, notices)
    return read_export(sheets, member.name or name, member.name, layouts, notices)
