"""Many districts at once, for benchmarks: a few made-up ones, written again and again under new codes.

Belongs here: speed. Keep out: variety; a test that wants it calls ``generate_district`` with many seeds.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from youjun_pipeline_tests.generate.columns import COLUMNS
from youjun_pipeline_tests.generate.district import PROFILES, GeneratedDistrict, generate_district
from youjun_pipeline_tests.generate.files import (
    DEFAULT_PHASES,
    PLAIN,
    Phase,
    district_toml,
    lay_out,
    write_parquet,
)

# Stands for the six digits of a district's code in a template; no header, word or figure contains it.
PLACEHOLDER = "@@@@@@"


def csv_templates(district: GeneratedDistrict) -> dict[str, str]:
    """Each dataset as csv text, with the placeholder for the district's code."""
    texts = {}
    for dataset, rows in district.tables.items():
        if rows is None:
            continue
        headers, cells = lay_out(random.Random(0), dataset, rows, PLAIN)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(headers)
        writer.writerows([["" if cell is None else cell for cell in line] for line in cells])
        texts[dataset] = text.getvalue()
    return texts


def parquet_templates(district: GeneratedDistrict, scratch: Path) -> dict[str, pa.Table]:
    """Each dataset as an Arrow table, with the placeholder for the district's code."""
    tables = {}
    for dataset, rows in district.tables.items():
        if rows is None:
            continue
        names = list(COLUMNS[dataset])
        write_parquet(scratch, dataset, rows, names, names)
        tables[dataset] = pq.read_table(scratch)
    scratch.unlink()
    return tables


def write_copy(folder: Path, code: str, template: dict[str, str] | dict[str, pa.Table]) -> None:
    """The files of one district from a template."""
    folder.mkdir(parents=True, exist_ok=True)
    for dataset, content in template.items():
        if isinstance(content, str):
            path = folder / f"{dataset}.csv"
            path.write_text(content.replace(PLACEHOLDER, code), encoding="utf-8", newline="")
            continue
        if "school_code" in content.column_names:
            codes = pc.replace_substring(content["school_code"], PLACEHOLDER, code)
            index = content.column_names.index("school_code")
            content = content.set_column(index, "school_code", codes)
        pq.write_table(content, folder / f"{dataset}.parquet")


def generate_country(
    folder: Path,
    n_districts: int,
    *,
    n_schools: int = 75,
    seed: int = 0,
    file_format: str = "csv",
    phases: Iterable[Phase] = DEFAULT_PHASES,
    delivered_on: str = "2023-08-31",
    n_templates: int = 8,
    first_code: int = 110000,
) -> list[Path]:
    """Write ``n_districts`` district folders into ``folder``; returns them.

    Districts differ by their codes and by which of ``n_templates`` made-up districts they repeat, so every file
    that names schools has content of its own. ``file_format`` is csv or parquet.
    """
    if file_format not in {"csv", "parquet"}:
        raise ValueError(f"file_format is csv or parquet, not {file_format!r}")
    folder, phases = Path(folder), tuple(phases)
    folder.mkdir(parents=True, exist_ok=True)
    templates: list[tuple[GeneratedDistrict, dict[str, str] | dict[str, pa.Table]]] = []
    for number in range(min(n_templates, n_districts)):
        made = generate_district(
            seed + number,
            n_schools=n_schools,
            profile=PROFILES[number % len(PROFILES)],
            code=PLACEHOLDER,
            leading_zero=False,
        )
        scratch = folder / ".template.parquet"
        content = csv_templates(made) if file_format == "csv" else parquet_templates(made, scratch)
        templates.append((made, content))
    written = []
    for number in range(n_districts):
        made, content = templates[number % len(templates)]
        code = f"{first_code + number:06d}"
        district = folder / f"{code}-d{number}"
        write_copy(district / "deliveries" / delivered_on, code, content)
        text = district_toml(code, f"第{number + 1}区", made.settings, phases)
        (district / "district.toml").write_text(text, encoding="utf-8")
        written.append(district)
    return written
