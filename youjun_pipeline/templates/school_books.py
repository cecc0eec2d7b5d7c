"""One workbook for each school, and the composition of the district's files from these workbooks.

A principal fills in one file with a sheet for each dataset about the school. The district's files are composed from all these
files; each row names its file, its row and the person who filled it in. If a school is in two files, or a file has two schools or
cannot be read, nothing is composed: half a district must not look like a delivery. Belongs here: writing and composing these
workbooks. Keep out: what cells mean (the check and the refresh judge the composed files like any other).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import xlsxwriter

from youjun_pipeline.contracts import Dataset, find_dataset, load_datasets
from youjun_pipeline.contracts.model import HELPER_SHEET, PROVENANCE, is_helper_sheet
from youjun_pipeline.ingest.files import read_file
from youjun_pipeline.ingest.formats.limits import read_bytes, why_unread
from youjun_pipeline.ingest.formats.opening import open_book
from youjun_pipeline.templates.books import CREATED, Roster, TemplateError, rows_of
from youjun_pipeline.templates.data_sheet import Layout, lists_of, write_data
from youjun_pipeline.templates.help_sheets import write_lists

# The datasets that a school reports itself.
DATASETS = (
    *(
        "schools",
        "classes",
        "teachers",
        "facilities",
        "special_rooms",
        "school_finance",
        "graduation_cohorts",
    ),
)
# A school fills in several sheets, which a text table cannot have.
WORKBOOKS = (".xlsx", ".xls")
SIGNATURES = ("填报单位", "填表人", "审核人", "填报日期")
SIGNATURE_SHEET = "填报信息"
_SAFE = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass
class Composed:
    """The result of composing the schools' workbooks; with `faults` nothing was written."""

    schools: int = 0
    written: dict[Path, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def write_school_books(folder: Path, roster: Roster) -> list[Path]:
    """A workbook for every school of the roster with its campuses, named by the school's code; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for code, campuses in groupby(roster.schools, key=lambda school: school["school_code"]):
        path = folder / f"{code}.xlsx"
        alone = Roster(roster.district, roster.delivery, list(campuses), roster.catalogue)
        with xlsxwriter.Workbook(str(path), _SAFE) as book:
            book.set_properties({"title": "学校填报工作簿", "created": CREATED})
            _write_signatures(book, alone.schools[0])
            for name in DATASETS:
                if name == "graduation_cohorts" and not any(
                    "junior" in alone.stages(s) for s in alone.schools
                ):
                    continue
                layout = Layout(load_datasets()[name], rows_of(load_datasets()[name], alone))
                write_data(book, layout, [])
                if lists_of(layout, []):
                    write_lists(book, layout, [])
        paths.append(path)
    return paths


def _write_signatures(book: Any, school: dict[str, Any]) -> None:
    sheet = book.add_worksheet(SIGNATURE_SHEET)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 40)
    text = book.add_format({"num_format": "@", "border": 1})
    sheet.write_string(0, 0, f"{HELPER_SHEET}，汇总时只读取下面的填报单位、填表人和审核人。")
    sheet.write_string(
        1, 0, f"{school['school_name']}（{school['school_code']}）：请在后面各表中填写，没有的留空。"
    )
    for row, title in enumerate(SIGNATURES, 3):
        sheet.write_string(row, 0, title)
        sheet.write_string(row, 1, str(school["school_name"] or "") if title == "填报单位" else "", text)


def compose_books(folder: Path, out: Path, roster: Roster | None = None) -> Composed:
    """Compose the workbooks in `folder` into the district's files in `out`, either all files or none.

    Raises TemplateError if there is no workbook, or if `out` already has files of these datasets.
    """
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith(("~$", ".")))
    files = [path for path in entries if path.is_file()]
    books = [path for path in files if path.suffix.casefold() in WORKBOOKS]
    if not books:
        raise TemplateError(f"{folder}：没有学校的工作簿（.xlsx 或 .xls）")
    taken = [name for name in DATASETS for path in out.glob(f"{name}.*") if path.is_file()]
    if taken:
        raise TemplateError(f"{out} 中已有 {'、'.join(taken)}，请换一个文件夹")
    result = Composed()
    others = [path.name for path in files if path not in books]
    if others:
        result.notices.append(f"不是工作簿（.xlsx 或 .xls），没有汇总：{'、'.join(others)}")
    if inner := [path.name for path in entries if path not in files and path != out]:
        result.notices.append(f"是文件夹，没有汇总：{'、'.join(inner)}；请把工作簿放在同一个文件夹里")
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    owner: dict[str, list[str]] = defaultdict(list)
    for path in books:
        for code in _read_book(path, rows, result):
            owner[code].append(path.name)
    for code, names in sorted(owner.items()):
        if len(names) > 1:
            result.faults.append(f"学校 {code} 有 {len(names)} 个工作簿：{'、'.join(names)}。请只保留一个")
    if roster:
        known = {s["school_code"]: s["school_name"] for s in roster.schools}
        absent = [f"{name}（{code}）" for code, name in known.items() if code not in owner]
        strange = [code for code in owner if code not in known]
        result.notices += [f"还没有交的学校 {len(absent)} 所：{'、'.join(absent)}"] if absent else []
        result.notices += [f"上次名册中没有的学校：{'、'.join(strange)}"] if strange else []
    result.schools = len(owner)
    if not result.faults:
        out.mkdir(parents=True, exist_ok=True)
        for name in DATASETS:
            if rows[name]:
                path = out / f"{name}.xlsx"
                _write_rows(path, load_datasets()[name], rows[name])
                result.written[path] = len(rows[name])
    return result


def _read_book(path: Path, rows: dict[str, list[dict[str, str]]], result: Composed) -> set[str]:
    """Add a workbook's rows to those of its datasets; returns the codes of the schools in the workbook."""
    try:
        book = open_book(read_bytes(path), lambda _: 0)
        filled = [sheet for sheet in book.sheets if any(cell.strip() for row in sheet.head for cell in row)]
    except Exception as error:
        result.faults.append(f"{path.name}：{why_unread(error)}")
        return set()
    signed = {
        row[0].strip(): row[1].strip()
        for sheet in filled
        if sheet.name == SIGNATURE_SHEET
        for row in sheet.head
        if len(row) > 1 and row[0].strip() in SIGNATURES
    }
    codes: set[str] = set()
    for sheet in (s for s in filled if not (s.head[0] and is_helper_sheet(s.head[0][0]))):
        name = find_dataset(sheet.name)
        if name not in DATASETS:
            result.faults.append(
                f"{path.name} 工作表“{sheet.name}”不知是哪个表，没有读取：请把工作表名改回模板的，或删除这张工作表"
            )
            continue
        dataset = load_datasets()[name]
        read = read_file(path, dataset, sheet.name)
        if read.failure:
            result.faults.append(f"{path.name} 工作表“{sheet.name}”：{read.failure.message}")
            continue
        told = [notice for notice in read.notices if "只有表头" not in notice]
        told += [f"不认识“{header}”列，没有读取" for header in read.ignored_headers]
        result.notices += [f"{path.name} 工作表“{sheet.name}”：{notice}" for notice in told]
        for given in read.frame.to_dict("records"):
            row = {
                c: str(given[c]) for c in dataset.columns if isinstance(given[c], str) and given[c].strip()
            }
            codes |= {_code(row["school_code"])} if "school_code" in row else set()
            where = {"来源文件": path.name, "来源行": f"{sheet.name} 第 {given['row_number']} 行"}
            rows[name].append(row | where | {title: signed.get(title, "") for title in PROVENANCE[2:]})
    if len(codes) != 1:
        found = "、".join(sorted(codes)) or "没有学校标识码"
        result.faults.append(f"{path.name}：一个工作簿应当只填一所学校，现有：{found}")
    return codes


def _code(text: str) -> str:
    """A code as the reader reads it, in any spelling (2111000001.0, full-width); an unreadable code stays as written."""
    from youjun_pipeline.ingest.readings import BadCell, read_code

    try:
        return read_code(text.strip(), load_datasets()["schools"].columns["school_code"])
    except BadCell:
        return text.strip()


def _write_rows(path: Path, dataset: Dataset, rows: Iterable[dict[str, str]]) -> None:
    """Write a plain sheet of texts: headers of the contract, then the origin of each row."""
    columns = {**{name: column.zh for name, column in dataset.columns.items()}, **{p: p for p in PROVENANCE}}
    with xlsxwriter.Workbook(str(path), _SAFE) as book:
        book.set_properties({"title": dataset.title, "created": CREATED})
        sheet = book.add_worksheet(Layout(dataset, []).sheet)
        sheet.set_column(0, len(columns) - 1, 16)
        text = book.add_format({"num_format": "@"})
        for number, row in enumerate([columns, *rows]):
            for position, name in enumerate(columns):
                if row.get(name):
                    sheet.write_string(number, position, row[name], text)
