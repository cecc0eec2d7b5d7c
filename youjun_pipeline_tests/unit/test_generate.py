"""Made-up districts: the same seed gives the same district, of every kind, written without loss."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from youjun_pipeline_tests.generate import (
    FORMATS,
    PLAIN,
    PROFILES,
    Phase,
    Style,
    generate_country,
    generate_district,
    write_delivery,
    write_district,
)
from youjun_pipeline_tests.generate.columns import COLUMNS
from youjun_pipeline_tests.oracle import Options, evaluate
from youjun_pipeline_tests.oracle.figures import RESOURCES, TEACHES, WAIVERS


def test_the_same_seed_gives_the_same_district():
    assert generate_district(7) == generate_district(7)
    assert generate_district(7).tables["schools"] != generate_district(12).tables["schools"]


@pytest.mark.parametrize("seed", range(10))
def test_keys_are_unique_and_rows_have_every_column(seed):
    tables = generate_district(seed).tables
    assert set(tables) == set(COLUMNS)
    keys = {
        "schools": ("school_code",),
        "classes": ("school_code", "stage", "grade", "class_no"),
        "teachers": ("school_code", "stage"),
        "facilities": ("school_code",),
        "special_rooms": ("school_code", "kind", "room_no"),
        "assurance": ("item",),
    }
    for dataset, rows in tables.items():
        for row in rows or ():
            assert list(row) == list(COLUMNS[dataset])
            # Amounts are stored with six decimals; finer ones would be judged differently for that alone.
            assert all(v == round(v, 6) for v in row.values() if isinstance(v, Decimal)), row
        if rows and dataset in keys:
            found = Counter(tuple(row[column] for column in keys[dataset]) for row in rows)
            assert max(found.values()) == 1, found.most_common(3)


def test_forty_districts_hold_every_case():
    seen: Counter[tuple[str, ...]] = Counter()
    passing = set()
    for seed in range(40):
        district = generate_district(seed, n_schools=14)
        found = evaluate(district.tables, Options.from_settings(district.settings))
        seen.update(("type", school.school_type or "") for school in found.schools.values())
        seen.update(("private",) for school in found.schools.values() if school.is_private)
        for judged in found.school_indicator.values():
            kind = "R" if judged.indicator in RESOURCES else judged.indicator
            seen[kind, judged.status] += 1
            seen["exact", judged.indicator] += judged.value is not None and judged.value == judged.threshold
            seen["waiver", judged.waiver or ""] += 1
        seen.update(("verdict", str(v.passes_resource_rule)) for v in found.school_verdict.values())
        seen.update(("cv", cv.status) for cv in found.stage_balance.values())
        seen.update((i.indicator, i.status) for i in found.district_indicator.values())
        if found.district_verdict.passes:
            passing.add(district.profile)
    expected = {("type", school_type) for school_type in TEACHES} | {("private",)}
    expected |= {("R", status) for status in ("met", "near", "below", "no_data", "met_by_waiver")}
    expected |= {("G3", status) for status in ("met", "below", "no_data", "met_by_waiver")}
    expected |= {("G4", status) for status in ("met", "below", "no_data", "met_by_waiver")}
    expected |= {("G5", status) for status in ("met", "below", "no_data")}
    expected |= {("exact", code) for code in (*RESOURCES, "G3", "G4", "G5")}
    expected |= {("waiver", waiver) for waiver in WAIVERS}
    expected |= {("verdict", verdict) for verdict in ("True", "False", "None")}
    expected |= {("cv", status) for status in ("met", "below", "no_data")}
    expected |= {(f"G{n}", status) for n in range(6, 16) for status in ("met", "below")}
    expected |= {(f"Q{n}", status) for n in (1, 2, 4, 9) for status in ("met", "below", "no_data")}
    expected |= {("S1", status) for status in ("met", "below", "no_data")}
    assert sorted(case for case in expected if not seen[case]) == []
    assert passing == {"passing", "cv_limit"}


def cells_of(path: Path) -> list[list[str]]:
    """Every cell of a file as text."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return [list(map(str, table.column_names)), *[list(map(str, r.values())) for r in table.to_pylist()]]
    if path.suffix == ".xlsx":
        return [
            [str(cell) for cell in row]
            for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        ]
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    return list(csv.reader(text.splitlines()))


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_holds_every_row(tmp_path, style):
    district = generate_district(0, n_schools=12)
    folder = write_district(
        tmp_path, district.tables, district.settings, style=style, code="012345", slug="a"
    )
    assert folder.name == "012345-a"
    delivered = {path.stem: path for path in (folder / "deliveries" / "2023-08-31").iterdir()}
    assert set(delivered) == {name for name, rows in district.tables.items() if rows is not None}
    for dataset, path in delivered.items():
        header, *lines = cells_of(path)
        assert header == [chinese for chinese, _, _ in COLUMNS[dataset].values()]
        assert len(lines) == len(district.tables[dataset] or ())
    codes = {line[0] for line in cells_of(delivered["schools"])[1:]}
    assert codes == {row["school_code"] for row in district.tables["schools"] or ()}
    assert any(code.startswith("0") for code in codes)


def test_drawn_styles_differ_and_titles_stand_above_headers(tmp_path):
    district = generate_district(1, n_schools=12)
    for seed in range(6):
        write_delivery(tmp_path / str(seed), "2024-01-01", district.tables, seed=seed)
    endings = Counter(path.suffix for path in tmp_path.rglob("schools.*"))
    assert len(endings) > 1
    style = Style(
        format="xlsx", messy_headers=True, messy_numbers=True, extra_rows=True, shuffled_columns=True
    )
    (path, *_) = write_delivery(
        tmp_path / "one", "2024-01-01", {"schools": district.tables["schools"]}, style=style
    )
    lines = cells_of(path)
    assert "schools" in lines[0][0]
    assert any("学校标识码" in cell.replace("\n", "") for cell in lines[2])
    assert sum(not any(cell.strip() for cell in line) for line in lines) >= 1


def test_datasets_not_delivered_are_not_written_and_empty_ones_are(tmp_path):
    written = write_delivery(tmp_path, "2024-01-01", {"special_rooms": [], "teachers": None}, style=PLAIN)
    assert [path.name for path in written] == ["special_rooms.csv"]
    assert cells_of(written[0]) == [["school_code", "campus", "kind", "room_no", "area_m2"]]


def test_district_toml_says_what_was_asked(tmp_path):
    phases = [Phase("2024-work", '争创"阶段"', date(2023, 10, 1), date(2024, 9, 30))]
    settings = {"waivers": ["W3", "W-G4"], "include_private": False, "funding_norm_primary_yuan": None}
    folder = write_district(tmp_path, {}, settings, phases, code="120115", name="宝坻区")
    found = tomllib.loads((folder / "district.toml").read_text(encoding="utf-8"))
    assert found["options"] == {"waivers": ["W3", "W-G4"], "include_private": False}
    assert found["phase"] == [
        {"id": "2024-work", "name": '争创"阶段"', "starts": date(2023, 10, 1), "ends": date(2024, 9, 30)}
    ]
    assert (found["code"], found["name"], found["standard"]) == ("120115", "宝坻区", "national-2017")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_country_is_many_districts_with_codes_of_their_own(tmp_path, file_format):
    folders = generate_country(tmp_path, 3, n_schools=10, n_templates=2, file_format=file_format)
    assert [folder.name for folder in folders] == ["110000-d0", "110001-d1", "110002-d2"]
    codes = []
    for folder in folders:
        header, *lines = cells_of(folder / "deliveries" / "2023-08-31" / f"schools.{file_format}")
        assert header == list(COLUMNS["schools"])
        assert {line[0][:6] for line in lines} == {folder.name[:6]}
        codes += [line[0] for line in lines]
    assert len(codes) == len(set(codes)) == 30
    assert not list(tmp_path.rglob(".template*"))


def test_unknown_profiles_and_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=f"one of .*{PROFILES[0]}"):
        generate_district(0, profile="perfect")
    with pytest.raises(ValueError, match="csv or parquet"):
        generate_country(tmp_path, 1, file_format="xls")
