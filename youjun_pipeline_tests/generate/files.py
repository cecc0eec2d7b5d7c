"""Writing a made-up district as districts deliver: mixed formats, headers, words and ways to write numbers.

Belongs here: only variations that the interface accepts without loss. Keep out: bad cells and broken files; a test of the
quarantine writes these itself, by hand, where the reader sees them.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from youjun_pipeline_tests.generate import columns as c

FORMATS = ("csv", "csv_bom", "csv_gb18030", "xlsx", "parquet")
ENCODINGS = {"csv": "utf-8", "csv_bom": "utf-8-sig", "csv_gb18030": "gb18030"}
FULL_WIDTH = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")
STANDARD = "national-2017"

Rows = Sequence[Mapping[str, Any]]
Cell = str | int | float | None


@dataclass(frozen=True)
class Style:
    """How one file is written. Numbers in ``messy_numbers`` are text with separators or full-width digits."""

    format: str = "csv"
    chinese_headers: bool = True
    chinese_words: bool = True
    messy_headers: bool = False
    messy_numbers: bool = False
    shuffled_columns: bool = False
    extra_rows: bool = False
    drop_blank_columns: bool = False

    @classmethod
    def drawn(cls, rng: random.Random) -> Style:
        """Some style a district might have."""
        flags = [name for name in cls.__dataclass_fields__ if name != "format"]
        return cls(rng.choice(FORMATS), **{name: rng.random() < 0.5 for name in flags})


PLAIN = Style(format="csv", chinese_headers=False, chinese_words=False)


@dataclass(frozen=True)
class Phase:
    """A phase of the district's plan."""

    id: str
    name: str
    starts: date
    ends: date


DEFAULT_PHASES = (Phase("2023-startup", "启动准备", date(2023, 7, 1), date(2023, 9, 30)),)


def header_of(rng: random.Random, dataset: str, column: str, style: Style) -> str:
    """The column's header, in a form that the reader accepts."""
    chinese, unit = c.COLUMNS[dataset][column][0], c.unit_of(dataset, column)
    name = chinese if style.chinese_headers else column
    if not style.messy_headers:
        return name
    shapes = [name, f" {name}　", f"{name}\n"]
    if style.chinese_headers:
        shapes += [f"{name[:2]}\n{name[2:]}", name.replace("(", "（").replace(")", "）")]
        if unit:
            shapes.append(f"{name}（{unit}）")
    return rng.choice(shapes)


def written_number(rng: random.Random, number: int | Decimal, *, grouped: bool) -> str:
    """A number as text, with the separators and digits people use."""
    shapes = [str(number), f" {number} ", str(number).translate(FULL_WIDTH)]
    if grouped:
        shapes += [f"{number:,}", f"{number:,}".translate(FULL_WIDTH)]
        if isinstance(number, int):
            shapes.append(f"{number}.0")
    return rng.choice(shapes)


def cell_of(rng: random.Random, column: str, kind: str, value: Any, style: Style) -> Cell:
    """One cell, as text or, for a workbook, as a number."""
    if value is None:
        return rng.choice((None, "", "  ")) if style.messy_numbers else None
    which = 0 if style.chinese_words else 1
    if kind == c.WORD:
        return c.WORDS[column][value][which]
    if kind == c.FLAG:
        return c.FLAGS[bool(value)][which if not style.messy_numbers else rng.randrange(4)]
    if kind in {c.GRADE, c.LEVEL}:
        spellings = (c.GRADES if kind == c.GRADE else c.LEVELS)[int(value)]
        return rng.choice(spellings) if style.messy_numbers else spellings[-1 if style.chinese_words else 0]
    if kind == c.RATE:
        percent = f"{(Decimal(value) * 100).normalize():f}%"
        return percent if style.messy_numbers and rng.random() < 0.5 else str(value)
    if kind in {c.CODE, c.TEXT}:
        return str(value)
    # A style's text numbers appear beside true ones, as when only some cells of a sheet were retyped.
    if style.messy_numbers and rng.random() < 0.6:
        return written_number(rng, value, grouped=kind != c.YEAR)
    if style.format == "xlsx":
        return int(value) if isinstance(value, int) else float(value)
    return str(value)


def lay_out(rng: random.Random, dataset: str, rows: Rows, style: Style) -> tuple[list[str], list[list[Cell]]]:
    """Headers and cells of one file."""
    names = c.columns_of(dataset)
    if style.drop_blank_columns:
        required = {name for name, (_, _, needed) in c.COLUMNS[dataset].items() if needed}
        names = [n for n in names if n in required or any(row.get(n) is not None for row in rows)]
    if style.shuffled_columns:
        rng.shuffle(names)
    headers = [header_of(rng, dataset, name, style) for name in names]
    kinds = [c.COLUMNS[dataset][name][1] for name in names]
    cells = [
        [cell_of(rng, name, kind, row.get(name), style) for name, kind in zip(names, kinds, strict=True)]
        for row in rows
    ]
    if style.extra_rows:
        headers = [*headers, "备注栏"]
        cells = [[*line, None] for line in cells]
    return headers, cells


def sheet_lines(
    dataset: str, headers: Sequence[str], cells: list[list[Cell]], style: Style
) -> list[list[Cell]]:
    """The lines of a sheet or text file, with titles above and blank rows among them."""
    lines: list[list[Cell]] = [list(headers), *cells]
    if not style.extra_rows:
        return lines
    blank: list[Cell] = [None] * len(headers)
    middle = 1 + len(cells) // 2
    titles: list[list[Cell]] = [[f"某区义务教育情况表（{dataset}）"], ["填报单位：区教育局", None, "2023年"]]
    return [*titles, *lines[:middle], blank, *lines[middle:], blank]


def write_csv(path: Path, lines: Iterable[Sequence[Cell]], encoding: str) -> None:
    """A text file; a blank cell is empty."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([["" if cell is None else cell for cell in line] for line in lines])


def write_xlsx(path: Path, lines: Iterable[Sequence[Cell]]) -> None:
    """A workbook of one sheet; text stays text."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        sheet = book.add_worksheet("数据")
        for number, line in enumerate(lines):
            for column, cell in enumerate(line):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif cell is not None:
                    sheet.write_number(number, column, cell)


def write_parquet(path: Path, dataset: str, rows: Rows, headers: Sequence[str], names: Sequence[str]) -> None:
    """A typed file: whole numbers, decimals and flags as such, codes and words as text."""
    types = {c.COUNT: pa.int64(), c.YEAR: pa.int64(), c.GRADE: pa.int64(), c.LEVEL: pa.int64()}
    types |= {c.AMOUNT: pa.decimal128(18, 6), c.RATE: pa.decimal128(12, 9), c.FLAG: pa.bool_()}
    arrays = []
    for name in names:
        kind = c.COLUMNS[dataset][name][1]
        arrays.append(pa.array([row.get(name) for row in rows], types.get(kind, pa.string())))
    pq.write_table(pa.table(arrays, names=list(headers)), path)


def write_dataset(folder: Path, dataset: str, rows: Rows, style: Style, rng: random.Random) -> Path:
    """One file of a delivery."""
    if style.format not in FORMATS:
        raise ValueError(f"format is one of {FORMATS}, not {style.format!r}")
    path = folder / f"{dataset}.{style.format.partition('_')[0]}"
    if style.format == "parquet":
        names = c.columns_of(dataset)
        if style.shuffled_columns:
            rng.shuffle(names)
        headers = [header_of(rng, dataset, name, replace(style, messy_headers=False)) for name in names]
        write_parquet(path, dataset, rows, headers, names)
        return path
    headers, cells = lay_out(rng, dataset, rows, style)
    lines = sheet_lines(dataset, headers, cells, style)
    if style.format == "xlsx":
        write_xlsx(path, lines)
    else:
        write_csv(path, lines, ENCODINGS[style.format])
    return path


def write_delivery(
    district_folder: Path,
    delivered_on: date | str,
    rows: Mapping[str, Rows | None],
    *,
    style: Style | str | None = None,
    seed: int = 0,
) -> list[Path]:
    """One delivery folder: a file for every dataset that is not None.

    ``style`` is a ``Style`` for all files, one of ``FORMATS`` with everything else plain, or None for a style that is drawn for
    each file from ``seed``.
    """
    folder = Path(district_folder) / "deliveries" / str(delivered_on)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"{seed}/{delivered_on}")
    written = []
    for dataset, given in rows.items():
        if given is None:
            continue
        chosen = Style(format=style) if isinstance(style, str) else (style or Style.drawn(rng))
        written.append(write_dataset(folder, dataset, given, chosen, rng))
    return written


def toml_value(value: Any) -> str:
    """A TOML value; text in TOML's basic strings is escaped as in JSON."""
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(toml_value(part) for part in value)}]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return json.dumps(str(value))
    return json.dumps(value, ensure_ascii=False)


def district_toml(
    code: str,
    name: str,
    settings: Mapping[str, Any],
    phases: Iterable[Phase],
    *,
    standard: str = STANDARD,
    origin: str = "reconstructed",
) -> str:
    """The text of a district.toml; options that are None are left out."""
    lines = [
        f"{key} = {toml_value(v)}" for key, v in (("code", code), ("name", name), ("standard", standard))
    ]
    lines += ["", "[options]"]
    lines += [f"{key} = {toml_value(v)}" for key, v in settings.items() if v is not None]
    lines += ["", "[plan]", 'title = "义务教育优质均衡发展方案"', 'document_number = "试政发〔2023〕1号"']
    lines += ["issued_on = 2023-07-28", "", "[data]", f"origin = {toml_value(origin)}"]
    for phase in phases:
        lines += ["", "[[phase]]", f"id = {toml_value(phase.id)}", f"name = {toml_value(phase.name)}"]
        lines += [f"starts = {phase.starts}", f"ends = {phase.ends}"]
    return "\n".join(lines) + "\n"


def write_district(
    folder: Path,
    rows: Mapping[str, Rows | None],
    options: Mapping[str, Any],
    phases: Iterable[Phase] = DEFAULT_PHASES,
    *,
    style: Style | str | None = None,
    seed: int = 0,
    code: str = "120114",
    slug: str = "test",
    name: str = "试验区",
    delivered_on: date | str = "2023-08-31",
    standard: str = STANDARD,
    origin: str = "reconstructed",
) -> Path:
    """Write a district with one delivery into the data folder ``folder``; returns the district's own folder.

    ``options`` are the ``[options]`` of its district.toml (``GeneratedDistrict.settings``). The default phase is after the years
    for which the country grants waivers, so that only the waivers in ``options`` are in force. Further deliveries come from
    ``write_delivery``.
    """
    district = Path(folder) / f"{code}-{slug}"
    district.mkdir(parents=True, exist_ok=True)
    text = district_toml(code, name, options, phases, standard=standard, origin=origin)
    (district / "district.toml").write_text(text, encoding="utf-8")
    write_delivery(district, delivered_on, rows, style=style, seed=seed)
    return district
