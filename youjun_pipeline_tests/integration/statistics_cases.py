"""Districts that deliver official statistics, for tests of the results.

Belongs here: writing them. Keep out: what a test expects.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.generate.statistics import (
    Look,
    book_of,
    plain_tables,
    schools_of,
    wide_row,
    wide_sheet,
    workbook,
    write_books,
    write_wide,
    write_zip,
)
from youjun_pipeline_tests.generate.statistics_forms import School, Sheet, new_forms
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary, teachers

DAY = "2023-08-31"
FILLED = ("schools", "classes", "teachers", "facilities")
PLAIN = Look(text_numbers=False)
# A primary school whose forms are all filled in.
WHOLE = primary(classes={"primary": [33, 33, 34]}, facilities=nine_year().facilities)
# How six districts deliver their statistics.
PACKINGS = ("new", "new coordinates", "old", "old coordinates", "zip", "wide")


def pack(folder: Path, schools: list[School], packing: str) -> None:
    if packing == "zip":
        write_zip(folder / "2023" / "all.zip", schools)
    elif packing == "wide":
        write_wide(folder, schools)
    else:
        generation, _, coordinates = packing.partition(" ")
        look = Look(generation, coordinates=bool(coordinates), suffix=generation == "new")
        write_books(folder, schools, look, nested=bool(coordinates))


def write_pair(root: Path, number: int, packing: str) -> None:
    """The same made-up district twice: as plain datasets (1201…) and as statistics (1301…)."""
    # No sparse ones: classes without a size have no band to stand in.
    made = generate_district(number, n_schools=16, profile=("mixed", "passing", "edge")[number % 3])
    # Nor can a form leave the size of a class or the type of a school unsaid.
    for row in made.tables["classes"] or ():
        row["students"] = row["students"] or 40
    for row in made.tables["schools"] or ():
        row["school_type"] = row["school_type"] or "小学"
    # The forms' code of a vocational school is none that the roster knows.
    gone = {row["school_code"] for row in made.tables["schools"] or () if row["school_type"] == "职业学校"}
    tables = {
        name: None if rows is None else [row for row in rows if row.get("school_code") not in gone]
        for name, rows in made.tables.items()
    }
    # A band does not tell whether a class has 29 or 30 pupils, on which W-G3r depends.
    settings = {**made.settings, "waivers": [w for w in made.settings["waivers"] if w != "W-G3r"]}
    write_district(root, plain_tables(tables), settings, seed=number, code=f"{120101 + number}", name="区")
    rest = {name: rows for name, rows in tables.items() if name not in FILLED}
    folder = write_district(root, rest, settings, seed=number, code=f"{130101 + number}", name="区")
    pack(folder / "deliveries" / DAY / "statistics", schools_of(tables, f"{130101 + number}000000"), packing)


def deliver(root: Path, code: str, *schools: School, day: str = DAY, look: Look = PLAIN) -> Path:
    """A small district, and one workbook for each school."""
    folder = write_district(root, {}, {}, code=code, name=f"{code}区")
    statistics = folder / "deliveries" / day / "statistics"
    statistics.mkdir(parents=True, exist_ok=True)
    for school in schools:
        own = replace(school, authority=f"{code}000000")
        (statistics / f"{school.row['school_name']}.xlsx").write_bytes(book_of(own, look))
    return folder / "deliveries"


def put_csv(path: Path, header: str, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(), *(line.split() for line in lines)])


def write_cases(root: Path) -> None:
    # 140101: a plain file of the same delivery goes before the statistics, for its dataset alone.
    folder = deliver(root, "140101", nine_year())
    put_csv(
        folder / DAY / "facilities.csv",
        "school_code teaching_area_m2 indoor_sports_area_m2",
        "2112000001 7777 100",
    )
    # 140102: later statistics replace earlier plain files, datasets they say nothing about stay.
    folder = deliver(root, "140102", primary(students={"primary": 90}), day="2023-09-15")
    put_csv(
        folder / DAY / "schools.csv",
        "school_code school_name school_type primary_students",
        "2112000002 河西小学 小学 500",
    )
    put_csv(
        folder / DAY / "facilities.csv",
        "school_code teaching_area_m2 indoor_sports_area_m2",
        "2112000002 900 100",
    )
    put_csv(
        folder / DAY / "classes.csv", "school_code stage grade class_no students", "2112000002 小学 1 1 44"
    )
    # 140103: later plain files replace earlier statistics; a class roster goes before bands.
    folder = deliver(root, "140103", nine_year())
    put_csv(
        folder / DAY / "classes.csv", "school_code stage grade class_no students", "2112000001 小学 1 1 44"
    )
    put_csv(
        folder / "2023-09-15" / "teachers.csv",
        "school_code stage full_time bachelor",
        "2112000001 小学 33 21",
    )
    # 140104: a form has drifted; 140105: workbooks contradict each other; 140106: an archive that leads out.
    folder = deliver(root, "140104", primary(), nine_year())
    drifted = workbook([*_with_drift(nine_year())], PLAIN)
    (folder / DAY / "statistics" / "石各庄九年一贯制学校.xlsx").write_bytes(drifted)
    folder = deliver(root, "140105", primary())
    other = replace(primary(students={"primary": 101}), authority="140105000000")
    (folder / DAY / "statistics" / "河西小学 (1).xlsx").write_bytes(book_of(other, PLAIN))
    folder = deliver(root, "140106", primary())
    write_zip(folder / DAY / "statistics" / "all.zip", [])
    # 140107: class sizes over the limit, a figure that is none, one not reported, totals that do not add up.
    write_figures(root)
    # 140108: bands that straddle the limit, from a plain file.
    folder = deliver(root, "140108", primary())
    put_csv(
        folder / DAY / "class_bands.csv",
        "school_code stage students_from students_to classes stage_classes",
        "2112000002 小学 0 40 2 3",
        "2112000002 小学 41 50 1 3",
    )
    # 140109: a site without a parent; 140110: a workbook of another district.
    folder = deliver(root, "140109")
    site = wide_row(primary("2112000003", "河东校点", authority="140109000000"), "primary", counted=False)
    whole = replace(WHOLE, authority="140109000000")
    rows = [wide_row(whole, "primary"), site]
    (folder / DAY / "statistics" / "小学.xlsx").write_bytes(workbook([wide_sheet("primary", rows)], PLAIN))
    folder = deliver(root, "140110", primary())
    (folder / DAY / "statistics" / "别区.xlsx").write_bytes(book_of(nine_year(), PLAIN))


def _with_drift(school: School) -> Iterator[Sheet]:
    for sheet in new_forms(school):
        if sheet.name == "教基3112":
            sheet.cells[2, 8] = "在读生数"
        yield sheet


def write_figures(root: Path) -> None:
    classes = {"primary": [25, 46, 50, 66], "junior": [50, 50]}
    over = nine_year(classes=classes, teachers={"primary": {**teachers(30), "music": "约3人"}})
    folder = deliver(
        root, "140107", over, primary(classes={"primary": [45, 45, 10]}, students={"primary": -1})
    )
    sheets = new_forms(replace(over, authority="140107000000"))
    next(sheet for sheet in sheets if sheet.name == "教基2106").cells[4, 2] = 5
    (folder / DAY / "statistics" / "石各庄九年一贯制学校.xlsx").write_bytes(workbook(sheets, PLAIN))
