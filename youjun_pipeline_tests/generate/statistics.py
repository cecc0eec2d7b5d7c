"""Official statistics workbooks of made-up districts: school by school, in folders and archives, or one wide table per stage.

Belongs here: packing, the ways cells are written, and wide exports. Keep out: what a form looks like
(``statistics_forms``).
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from youjun_pipeline_tests.generate.statistics_forms import (
    BANDS,
    FORMS,
    STAGES,
    WORD,
    School,
    Sheet,
    Value,
    bands_of,
)

Rows = Sequence[Mapping[str, Any]]
DEGREES = {"博士研究生": "doctorate", "硕士研究生": "master", "本科": "bachelor", "专科": "associate"}
# What the forms cannot tell; a district that is compared with its plain datasets has them blank there.
UNTOLD = {
    "schools": (
        *("township", "built_year", "boarding", "dense_urban", "migrant_students"),
        *("catchment_primary_students", "catchment_junior_students"),
    ),
    "teachers": ("staff", "visiting_pe_art", "certified", "trained_360h"),
    "facilities": ("other_sports_area_m2", "rented_sports_area_m2"),
}


@dataclass(frozen=True)
class Look:
    """How workbooks are written.

    Which generation; with coordinates around each sheet; with the school's type in the sheets' names; with some numbers as text;
    with 博士 and 硕士 in one row (old workbooks).
    """

    generation: str = "new"
    coordinates: bool = False
    suffix: bool = False
    text_numbers: bool = True
    graduates_in_one: bool = False


def schools_of(tables: Mapping[str, Rows | None], authority: str = "120114000000") -> list[School]:
    """The schools of a made-up district as their forms report them; a figure of None is reported as -1."""
    teachers, classes = tables.get("teachers") or (), tables.get("classes") or ()
    facilities = {row["school_code"]: row for row in tables.get("facilities") or ()}
    schools = []
    for row in tables["schools"] or ():
        code = row["school_code"]
        sizes: dict[str, list[int]] = {}
        for entry in classes:
            if entry["school_code"] == code:
                sizes.setdefault(entry["stage"], []).append(entry["students"])
        schools.append(
            School(
                row,
                {stage: row[f"{stage}_students"] for stage in STAGES if row[f"{stage}_students"] is not None},
                {t["stage"]: _entries(t) for t in teachers if t["school_code"] == code},
                sizes,
                _entries(facilities[code]) if code in facilities else None,
                authority=authority,
            )
        )
    return schools


def _entries(row: Mapping[str, Any]) -> dict[str, Value]:
    return {name: -1 if value is None else value for name, value in row.items()}


def book_of(school: School, look: Look = Look(), seed: int = 0) -> bytes:
    """One school's workbook."""
    suffix = school.row["school_type"] if look.suffix else ""
    extra = {"graduates_in_one": look.graduates_in_one} if look.generation == "old" else {}
    return workbook(FORMS[look.generation](school, suffix, **extra), look, seed)


def workbook(sheets: Iterable[Sheet], look: Look = Look(), seed: int = 0) -> bytes:
    """Sheets as the bytes of a workbook."""
    rng = random.Random(seed)
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for sheet in sheets:
            target = book.add_worksheet(sheet.name)
            shift = int(look.coordinates and sheet.name not in ("封面", "目录"))
            if shift:
                last_row, last_column = max(r for r, _ in sheet.cells), max(c for _, c in sheet.cells)
                for column in range(last_column + 1):
                    target.write_string(0, column + 1, _letter(column))
                for row in range(last_row + 1):
                    target.write_number(row + 1, 0, row + 1)
                    # Such exports carry numbers of their own in the last column.
                    target.write_number(row + 1, last_column + 2, (60, 90, 100)[row % 3])
            ranges = {(r, c): (r1, c1) for r, c, r1, c1 in sheet.merged}
            for (row, column), value in sheet.cells.items():
                if (row, column) in ranges and ranges[row, column] != (row, column):
                    r1, c1 = ranges[row, column]
                    target.merge_range(row + shift, column + shift, r1 + shift, c1 + shift, "")
                varied = rng if look.text_numbers and (row, column) not in sheet.fixed else None
                _write(target, row + shift, column + shift, value, varied)
    return content.getvalue()


def _write(target: Any, row: int, column: int, value: Value, rng: random.Random | None) -> None:
    if isinstance(value, str):
        target.write_string(row, column, value)
    elif not value:
        return  # the reporting system leaves zeros empty
    elif rng is None or rng.random() < 0.6:
        target.write_number(row, column, float(value))
    else:
        text = str(value)
        target.write_string(row, column, rng.choice((text, f" {text}", text if "." in text else f"{text}.0")))


def _letter(index: int) -> str:
    return (chr(64 + index // 26) if index >= 26 else "") + chr(65 + index % 26)


def write_books(
    folder: Path, schools: Iterable[School], look: Look = Look(), *, nested: bool = False
) -> list[Path]:
    """One workbook per school, in subfolders where ``nested``."""
    written = []
    for number, school in enumerate(schools):
        place = folder / school.row["school_type"] if nested else folder
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{school.row['school_name']}({school.code}).xlsx"
        path.write_bytes(book_of(school, look, number))
        written.append(path)
    return written


def write_zip(path: Path, schools: Iterable[School], look: Look = Look()) -> Path:
    """All workbooks in one archive."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, school in enumerate(schools):
            archive.writestr(f"报表/{school.row['school_name']}.xlsx", book_of(school, look, number))
    return path


# ---------------------------------------------------------------------- wide exports


def wide_headers(stage: str) -> list[tuple[str, ...]]:
    """The levels above each column."""
    word = WORD[stage]
    site = ("占地面积及其他办学条件",)
    return [
        ("学校（机构）名称",),
        ("学校标识码",),
        ("所在地区划", "一级"),
        ("所在地区划", "三级"),
        ("属地管理教育行政部门代码",),
        ("办学类型",),
        ("是否计校数",),
        ("所属学校标识码",),
        ("城乡类型",),
        ("举办者",),
        ("联系电话",),
        ("班数", "合计"),
        *(("班数", band) for band in BANDS),
        ("毕业生数", "合计"),
        ("在校生数", "合计"),
        ("在校生数", "#女"),
        ("专任教师", "合计"),
        *(("专任教师", "#按学历分", degree) for degree in DEGREES),
        ("专任教师", "#按授课课程分", "语文"),
        ("专任教师", "#按授课课程分", "体育与健康"),
        ("专任教师", "#按授课课程分", "艺术", "计"),
        ("专任教师", "#按授课课程分", "艺术", "音乐"),
        ("专任教师", "#按授课课程分", "艺术", "美术"),
        ("教基1102", f"县级以上骨干教师({word})"),
        ("上学年校舍建筑面积", "教学及辅助用房", "计"),
        ("本学年校舍建筑面积", "计"),
        ("本学年校舍建筑面积", "教学及辅助用房", "计"),
        ("本学年校舍建筑面积", "教学及辅助用房", "教室"),
        ("本学年校舍建筑面积", "教学及辅助用房", "室内体育用房"),
        (*site, "占地面积（平方米）", "计"),
        (*site, "占地面积（平方米）", "其中", "运动场地面积"),
        (*site, "网络多媒体教室"),
        (*site, "固定资产总值", "计"),
        (*site, "固定资产总值", "教学仪器设备资产值(万元)"),
    ]


def wide_row(
    school: School, stage: str, *, counted: bool = True, parent: str = "", area: str = "武清区"
) -> list[Value]:
    """One school's row: figures of the stage, buildings of the whole school."""
    teachers = school.teachers.get(stage, {})
    buildings = school.facilities or {}
    sizes = school.classes.get(stage, ())
    courses = [teachers.get(course, 0) for course in ("pe", "music", "fine_art", "art")]
    art = -1 if -1 in courses[1:] else sum(int(v or 0) for v in courses[1:])
    private = str(school.row.get("sponsor_code") or "") == "10"
    return [
        school.row["school_name"],
        school.code,
        "天津市",
        area,
        school.authority,
        school.kind_code if school.type_code else school.row["school_type"],
        int(counted) if counted else "0",
        parent,
        school.row["urban_rural"],
        "民办" if private else "县级教育部门",
        "022-82110001",
        len(sizes),
        *bands_of(sizes),
        5,
        school.students.get(stage, 0),
        3,
        teachers.get("full_time", 0),
        *(teachers.get(degree, 0) for degree in DEGREES.values()),
        9,
        courses[0],
        art,
        courses[1],
        courses[2],
        teachers.get("backbone", 0),
        1,
        99999,
        buildings.get("teaching_area_m2", 0),
        12,
        buildings.get("indoor_sports_area_m2", 0),
        88888,
        buildings.get("outdoor_sports_area_m2", 0),
        buildings.get("multimedia_rooms", 0),
        77777,
        buildings.get("equipment_value_wan", 0),
    ]


def wide_sheet(
    stage: str, rows: Sequence[Sequence[Value]], *, flat: bool = False, total: bool = True
) -> Sheet:
    """A wide table: headers of several merged levels, or flat ones (专任教师→按学历分→本科)."""
    sheet = Sheet("Sheet1")
    headers = wide_headers(stage)
    sheet.merge(0, 0, 0, len(headers) - 1, f"{WORD[stage]}统计数据")
    if flat:
        sheet.put(1, 0, *("→".join(levels) for levels in headers))
        first = 2
    else:
        depth = max(len(levels) for levels in headers)
        _merged_headers(sheet, headers, depth)
        first = 1 + depth
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            sheet.put(first + r, c, value)
    if total:
        sheet.put(first + len(rows), 0, "合计")
        sheet.put(first + len(rows), 11, 999)
    return sheet


def _merged_headers(sheet: Sheet, headers: Sequence[tuple[str, ...]], depth: int) -> None:
    for level in range(depth):
        column = 0
        while column < len(headers):
            path = headers[column][: level + 1]
            last = column
            while len(path) > level and last + 1 < len(headers) and headers[last + 1][: level + 1] == path:
                last += 1
            if len(path) > level:
                is_leaf = len(headers[column]) == level + 1
                bottom = depth if is_leaf else level + 1
                sheet.merge(1 + level, column, bottom, last, path[level])
            column = last + 1


def write_wide(
    folder: Path, schools: Sequence[School], *, flat: bool = False, look: Look = Look()
) -> list[Path]:
    """One file per stage that has a school, in the order in which the schools come."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for stage in STAGES:
        rows = [wide_row(school, stage) for school in schools if stage in school.students]
        if rows:
            path = folder / f"{WORD[stage]}.xlsx"
            path.write_bytes(workbook([wide_sheet(stage, rows, flat=flat)], look))
            written.append(path)
    return written


def plain_tables(tables: Mapping[str, Rows | None]) -> dict[str, list[dict[str, Any]] | None]:
    """The district's plain datasets without what the forms cannot report: the statistics are compared with these."""
    found: dict[str, list[dict[str, Any]] | None] = {}
    for dataset, rows in tables.items():
        blank = dict.fromkeys(UNTOLD.get(dataset, ()))
        found[dataset] = None if rows is None else [{**row, **blank} for row in rows]
    for row in found["schools"] or ():
        row["sponsor_code"] = row["sponsor_code"] if str(row["sponsor_code"]) == "10" else None
    return found


def as_number(value: Value | Decimal) -> float | None:
    """A figure in the spelling of the wide exports and forms."""
    return None if value is None or value == "*" else float(value)
