"""The national catalogue compared with the standard typed by hand, and its rows for the warehouse."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.standard import (
    CATALOGUE_TABLES,
    Catalogue,
    available_catalogues,
    catalogue_tables,
    load_catalogue,
)

NATIONAL = "national-2017"

# Typed by hand from the standard, not copied from the catalogue.
LIMITS = {
    "R1": {"primary": "4.2", "junior": "5.3"},
    "R2": {"primary": "1", "junior": "1"},
    "R3": {"primary": "0.9", "junior": "0.9"},
    "R4": {"primary": "4.5", "junior": "5.8"},
    "R5": {"primary": "7.5", "junior": "10.2"},
    "R6": {"primary": "2000", "junior": "2500"},
    "R7": {"primary": "2.3", "junior": "2.4"},
    "G4": {"single": "2000", "all_through": "2500", "forbidden": "0"},
    "G5": {"primary": "45", "junior": "50"},
    "G6": {"district": "1"},
    "G7": {"district": "7000"},
    "G8": {"district": "1"},
    "G9": {"district": "1"},
    "G11": {"district": "0.1", "backbone": "0.2"},
    "G12": {"district": "1"},
    "G13": {"primary": "1", "junior": "0.95"},
    "G14": {"district": "0.5"},
    "G15": {"district": "0.85"},
    "Q1": {"district": "0.95"},
    "Q2": {"district": "0.95"},
    "Q4": {"district": "0.05"},
    "Q9": {"district": "3"},
    "S1": {"district": "0.85"},
}
PARAMETERS = {
    "floor_share": "0.85",
    "min_met": "6",
    "resource_count": "7",
    "cv_tolerance": "0.000000001",
    "classes_per_room": "12",
    "music_room_area_m2": "96",
    "art_room_area_m2": "90",
    "small_school_students": "100",
    "funded_students": "100",
    "between_school_rate_below": "0.15",
    "waiver_years": "3",
    "wan_in_yuan": "10000",
    "survey_sample_share": "0.0015",
    "survey_confidence_z": "1.96",
    "junior_years": "3",
    "cv_display_decimals": "3",
    "share_display_decimals": "1",
}
# (indicator, the numbers and words of the waiver)
WAIVERS: dict[str, tuple[str, dict[str, str]]] = {
    "W3": (
        "R3",
        {
            "min_students": "50",
            "max_students": "99",
            "urban_rural": "乡村",
            "or_urban_rural": "镇区",
            "or_school_type": "教学点",
        },
    ),
    "W5": ("R5", {"max_walk_minutes": "10"}),
    "W-G3": ("G3", {"built_until": "2016", "music_room_area_m2": "73", "art_room_area_m2": "67"}),
    "W-G3r": (
        "G3",
        {
            "urban_rural": "乡村",
            "or_urban_rural": "镇区",
            "max_students": "99",
            "max_class_students": "29",
            "area_primary_m2": "54",
            "area_junior_m2": "61",
            "area_compulsory_m2": "61",
        },
    ),
    "W-G4": (
        "G4",
        {
            "built_until": "2010",
            "migrant_share_above": "0.5",
            "limit_single": "2400",
            "limit_all_through": "3000",
            "all_through_type": "九年一贯制学校",
            "or_all_through_type": "十二年一贯制学校",
        },
    ),
}
# stages taught by type, in scope, size limit, smallest number of pupils
SCHOOL_TYPES = {
    "小学": ("primary", True, "single", None),
    "教学点": ("primary", True, "single", 50),
    "初级中学": ("junior", True, "single", None),
    "九年一贯制学校": ("primary junior", True, "all_through", None),
    "完全中学": ("junior senior", True, "single", None),
    "十二年一贯制学校": ("primary junior senior", True, "all_through", None),
    "高级中学": ("senior", True, "single", None),
    "特殊教育学校": ("primary junior", False, None, None),
    "职业学校": ("senior", False, "forbidden", None),
}


@pytest.fixture(scope="module")
def national() -> Catalogue:
    return load_catalogue(NATIONAL)


# ---------------------------------------------------------------- the national catalogue


def test_every_limit_is_that_of_the_standard(national: Catalogue) -> None:
    typed = {code: {k: Decimal(v) for k, v in limits.items()} for code, limits in LIMITS.items()}
    assert {code: entry.limits for code, entry in national.indicators.items() if entry.limits} == typed


def test_special_education_costs_7000_from_march_2025(national: Catalogue) -> None:
    on = {
        day: national.on(day).indicators["G7"].limits["district"]
        for day in (date(2025, 2, 28), date(2025, 3, 1))
    }
    assert list(on.values()) == [6000, 7000]


def test_ratios_are_made_of_the_figures_of_the_standard(national: Catalogue) -> None:
    found: dict[tuple[str, int], str] = {}
    for row in catalogue_tables([national])["term"]:
        term = f"{'+' if row['sign'] > 0 else '-'}{row['input']}"
        key = (row["indicator_code"], row["part"])
        found[key] = found.get(key, "") + (" " if row["is_numerator"] else " /") + term
    assert {key: text.strip() for key, text in found.items()} == {
        ("G6", 1): "+school_finance.public_funds_budget_wan",
        ("G7", 1): "+assurance.G7.funds_yuan /+assurance.G7.students",
        ("G8", 1): "+assurance.G8.teacher_salary_yuan /+assurance.G8.civil_servant_salary_yuan",
        ("G9", 1): "+teachers.trained_360h /+teachers.full_time",
        ("G11", 1): "+assurance.G11.rotated /+assurance.G11.eligible",
        ("G11", 2): "+assurance.G11.rotated_backbone /+assurance.G11.rotated",
        ("G12", 1): "+teachers.certified /+teachers.full_time",
        ("G13", 1): "+schools.catchment_primary_students /+schools.primary_students",
        ("G13", 2): "+schools.catchment_junior_students /+schools.junior_students",
        ("G14", 1): "+assurance.G14.allotted /+assurance.G14.places",
        ("G15", 1): "+assurance.G15.public +assurance.G15.purchased /+assurance.G15.eligible",
        ("Q1", 1): "+graduation_cohorts.graduates -graduation_cohorts.transferred_in"
        " +graduation_cohorts.transferred_out /+graduation_cohorts.entrants /-graduation_cohorts.deaths",
        ("Q2", 1): "+assurance.Q2.enrolled /+assurance.Q2.eligible",
        ("Q4", 1): "+school_finance.training_budget_wan /+school_finance.public_funds_budget_wan",
        ("S1", 1): "+recognition.satisfied /+recognition.valid",
    }


def test_every_term_is_a_column_of_its_contract(national: Catalogue) -> None:
    datasets = load_datasets()
    for row in catalogue_tables([national])["term"]:
        dataset, _, column = row["input"].partition(".")
        known = (
            datasets[dataset].columns["item"].values if dataset == "assurance" else datasets[dataset].columns
        )
        assert column in known, row


def test_all_39_indicators_stand_in_the_order_of_the_standard(national: Catalogue) -> None:
    groups = [("R", 7), ("G", 15), ("Q", 9), ("S", 1), ("V", 7)]
    expected = [f"{letter}{number}" for letter, count in groups for number in range(1, count + 1)]
    assert list(national.indicators) == expected


def test_parameters_are_those_of_the_standard(national: Catalogue) -> None:
    values = {name: entry.value for name, entry in national.parameters.items()}
    assert values == {name: Decimal(text) for name, text in PARAMETERS.items()}


def test_stages_have_the_weights_and_cv_limits_of_the_standard(national: Catalogue) -> None:
    stages = {key: (s.name, s.split_weight, s.cv_limit, s.is_evaluated) for key, s in national.stages.items()}
    assert stages == {
        "primary": ("小学", Decimal(1), Decimal("0.5"), True),
        "junior": ("初中", Decimal("1.1"), Decimal("0.45"), True),
        "senior": ("高中", Decimal("1.32"), None, False),
    }
    # a complete secondary school splits 1 : 1.2
    assert national.stages["senior"].split_weight / national.stages["junior"].split_weight == Decimal("1.2")


def test_school_types_say_what_is_taught_and_which_size_limit_holds(national: Catalogue) -> None:
    found = {}
    for name, kind in national.school_types.items():
        taught = [stage for stage in ("primary", "junior", "senior") if getattr(kind, f"teaches_{stage}")]
        found[name] = (" ".join(taught), kind.in_scope, kind.size_variant, kind.min_students)
    assert found == SCHOOL_TYPES


def test_waivers_have_their_numbers_and_the_three_years_of_the_2019_text(national: Catalogue) -> None:
    found = {
        key: (w.indicator_code, {name: p.text or p.value for name, p in w.parameters.items()})
        for key, w in national.waivers.items()
    }
    typed = {
        key: (code, {k: Decimal(v) if v[0].isdigit() else v for k, v in values.items()})
        for key, (code, values) in WAIVERS.items()
    }
    assert found == typed
    assert {(w.starts, w.ends) for w in national.waivers.values()} == {(date(2019, 10, 1), date(2022, 9, 30))}


def test_only_r4_to_r7_are_split_and_resources_are_per_100_or_per_pupil(national: Catalogue) -> None:
    split = [code for code, entry in national.indicators.items() if entry.is_split]
    assert split == ["R4", "R5", "R6", "R7"]
    per = {code: int(entry.per or 0) for code, entry in national.indicators.items() if code[0] == "R"}
    assert per == {"R1": 100, "R2": 100, "R3": 100, "R4": 1, "R5": 1, "R6": 1, "R7": 100}


def test_numerators_are_made_of_the_figures_of_the_standard(national: Catalogue) -> None:
    found: dict[tuple[str, str], str] = {}
    for row in catalogue_tables([national])["numerator"]:
        term = f"{int(row['factor']):+d}*{row['input']}" + (f"@{row['waiver']}" if row["waiver"] else "")
        key = (row["indicator_code"], row["stage"])
        found[key] = f"{found[key]} {term}" if key in found else term
    degrees = "+1*teachers.doctorate +1*teachers.master +1*teachers.bachelor"
    assert found["R1", "primary"] == f"{degrees} +1*teachers.associate"
    assert found["R1", "junior"] == degrees
    same = {code: found[code, "primary"] for code in ("R2", "R3", "R4", "R5", "R6", "R7")}
    assert same == {code: found[code, "junior"] for code in same}
    assert same == {
        "R2": "+1*teachers.backbone",
        "R3": "+1*teachers.pe +1*teachers.music +1*teachers.fine_art +1*teachers.art"
        " +1*teachers.visiting_pe_art@W3",
        "R4": "+1*facilities.teaching_area_m2 -1*facilities.indoor_sports_area_m2",
        "R5": "+1*facilities.outdoor_sports_area_m2 +1*facilities.indoor_sports_area_m2"
        " +1*facilities.other_sports_area_m2@W5 +1*facilities.rented_sports_area_m2@W5",
        "R6": "+10000*facilities.equipment_value_wan",
        "R7": "+1*facilities.multimedia_rooms",
    }


def test_levels_and_ways_of_judging(national: Catalogue) -> None:
    levels = {code: entry.level for code, entry in national.indicators.items() if entry.level != "district"}
    assert levels == {
        **{f"R{n}": "section" for n in range(1, 8)},
        "G3": "school",
        "G4": "school",
        "G5": "section",
    }
    by_direction: dict[str, list[str]] = {}
    for code, entry in national.indicators.items():
        by_direction.setdefault(entry.direction, []).append(code)
    assert by_direction["evidence"] == ["G1", "G2", "G10", "Q3", "Q5", "Q6", "Q7", "Q8"]
    assert by_direction["not_occur"] == [f"V{n}" for n in range(1, 8)]
    assert by_direction["at_most"] == ["G4", "G5"]
    assert by_direction["formula"] == ["G3"]
    evidence = [code for code, entry in national.indicators.items() if entry.evidence_based]
    assert evidence == ["G1", "G2", "G10", "G14", "Q3", "Q5", "Q6", "Q7", "Q8", *by_direction["not_occur"]]


def test_options_of_a_district(national: Catalogue) -> None:
    rows = {row["option"]: row for row in catalogue_tables([national])["option"]}
    assert {name: row["default_value"] for name, row in rows.items()} == {
        "include_private": "true",
        "music_art_rule": "each",
        "rural_waiver_places": "rural",
        "preschool_weight": None,
        "size_waiver_covers_twelve_year": "false",
        "waivers": None,
        "special_education_funding_yuan": None,
        "funding_norm_primary_yuan": None,
        "funding_norm_junior_yuan": None,
        "fund_schools_out_of_scope": "true",
        "count_private_teachers": "true",
        "survey_rule": "national",
        "survey_methods": "together",
        "subjects_not_monitored": None,
        "apply_unverified": "false",
        "close_after_days": None,
        "projection_pupils": "forecast",
        "shock_years": None,
    }
    assert rows["music_art_rule"]["allowed"] == ["each", "combined", "per_stage"]
    assert rows["waivers"]["allowed"] == list(WAIVERS)
    assert rows["special_education_funding_yuan"]["sets_limit"] == "G7"
    floors = catalogue_tables([national])["floor"]
    assert [(r["option"], r["value"], r["starts"], r["unverified"]) for r in floors] == [
        ("funding_norm_primary_yuan", 650, None, False),
        ("funding_norm_primary_yuan", 720, date(2023, 1, 1), True),
        ("funding_norm_junior_yuan", 850, None, False),
        ("funding_norm_junior_yuan", 940, date(2023, 1, 1), True),
        ("close_after_days", 0, None, False),
    ]


# ---------------------------------------------------------------- rows for the warehouse


def test_every_row_has_the_declared_columns_in_order(national: Catalogue) -> None:
    tables = catalogue_tables([national])
    assert tables.keys() == CATALOGUE_TABLES.keys()
    for name, rows in tables.items():
        assert rows, name
        assert {tuple(row) for row in rows} == {tuple(CATALOGUE_TABLES[name])}, name
        assert {row["standard_id"] for row in rows} == {NATIONAL}, name


def test_every_decimal_fits_its_column(national: Catalogue) -> None:
    for name, rows in catalogue_tables([national]).items():
        for column, type_ in CATALOGUE_TABLES[name].items():
            if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_):
                unit = Decimal(1).scaleb(-int(match[2]))
                values = [row[column] for row in rows if row[column] is not None]
                assert all(value == value.quantize(unit) for value in values), (name, column)
                assert all(abs(value) < Decimal(10) ** (int(match[1]) - int(match[2])) for value in values)


def test_indicators_are_numbered_and_limits_are_one_row_each(national: Catalogue) -> None:
    tables = catalogue_tables([national])
    assert [row["sort_order"] for row in tables["indicator"]] == list(range(1, 40))
    limits = {(row["indicator_code"], row["variant"]): row["value"] for row in tables["limit"]}
    assert len(limits) == sum(map(len, LIMITS.values()))
    # G7 has two, one after the other
    assert len(tables["limit"]) == len(limits) + 1
    assert limits["R5", "junior"] == Decimal("10.2")
    words = {(r["waiver"], r["parameter"]): (r["value"], r["text"]) for r in tables["waiver_parameter"]}
    assert words["W3", "urban_rural"] == (None, "乡村")
    assert words["W-G4", "limit_single"] == (Decimal(2400), None)


def test_two_catalogues_share_the_tables(national: Catalogue) -> None:
    other = national.model_copy(update={"id": "other"})
    rows = catalogue_tables([national, other])["stage"]
    assert [row["standard_id"] for row in rows] == [NATIONAL] * 3 + ["other"] * 3


def test_catalogues_that_come_with_the_package_all_load() -> None:
    assert NATIONAL in available_catalogues()
    assert [load_catalogue(name).id for name in available_catalogues()] == available_catalogues()
