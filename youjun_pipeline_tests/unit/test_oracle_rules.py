"""The oracle on the rules for schools, one small made-up school at a time."""

from __future__ import annotations

from fractions import Fraction

import pytest

from youjun_pipeline_tests.oracle import Options, evaluate, resource_rule

ALL = frozenset({"W3", "W5", "W-G3", "W-G3r", "W-G4"})


def school(school_type="小学", **given):
    row = {"school_code": "S1", "school_name": "甲校", "school_type": school_type, "sponsor_code": "1"}
    return {**row, "urban_rural": "城区", "boarding": False, **given}


def teachers(stage="primary", **given):
    zero = dict.fromkeys(("doctorate", "master", "bachelor", "associate", "backbone", "pe", "music"), 0)
    return {"school_code": "S1", "stage": stage, "full_time": 60, **zero, "fine_art": 0, "art": 0, **given}


def classes(sizes, stage="primary"):
    return [
        {"school_code": "S1", "stage": stage, "grade": 1, "class_no": str(n), "students": size}
        for n, size in enumerate(sizes)
    ]


def rooms(music=(), art=()):
    areas = [("music", area) for area in music] + [("art", area) for area in art]
    return [
        {"school_code": "S1", "kind": k, "room_no": str(n), "area_m2": a} for n, (k, a) in enumerate(areas)
    ]


def judge(indicator, one_school, options=None, **tables):
    """The one judgement of ``indicator`` for the only school."""
    found = evaluate({"schools": [one_school], "special_rooms": [], **tables}, options)
    judged = [j for j in found.school_indicator.values() if j.indicator == indicator]
    assert len(judged) == 1
    return judged[0]


def active(*waivers, **more):
    return Options(active_waivers=frozenset(waivers), **more)


# ---------------------------------------------------------------- scope and sections


@pytest.mark.parametrize(
    ("row", "options", "stages"),
    [
        (school("小学", primary_students=10), {}, ["primary"]),
        (school("教学点", primary_students=49), {}, []),
        (school("教学点", primary_students=50), {}, ["primary"]),
        (school("教学点", primary_students=None), {}, ["primary"]),
        (school("完全中学", junior_students=300, senior_students=300), {}, ["junior"]),
        (school("高级中学", senior_students=300), {}, []),
        (school("九年一贯制学校", primary_students=100, junior_students=0), {}, ["primary"]),
        (school("九年一贯制学校", primary_students=100, junior_students=None), {}, ["primary", "junior"]),
        (school("小学", primary_students=100, junior_students=20), {}, ["primary", "junior"]),
        (school("特殊教育学校", primary_students=80), {}, []),
        (school("小学", primary_students=200, sponsor_code="10"), {"include_private": False}, []),
        (school("小学", primary_students=200, sponsor_code="10"), {}, ["primary"]),
        (school("小学", primary_students=200, sponsor_code=None), {"include_private": False}, ["primary"]),
    ],
)
def test_sections_in_scope(row, options, stages):
    found = evaluate({"schools": [row]}, Options(**options))
    assert sorted(stage for _, stage in found.school_verdict) == sorted(stages)


def test_missing_pupils_of_one_stage_open_shared_resources_of_all():
    row = school("十二年一贯制学校", primary_students=100, junior_students=90, senior_students=None)
    site = {"school_code": "S1", "teaching_area_m2": 9000, "indoor_sports_area_m2": 0, "multimedia_rooms": 50}
    staff = [teachers("primary", master=9), teachers("junior", master=9)]
    found = evaluate({"schools": [row], "teachers": staff, "facilities": [site]}).school_indicator
    assert {found["S1", stage, "R1"].status for stage in ("primary", "junior")} == {"met"}
    assert {found["S1", stage, c].status for stage in ("primary", "junior") for c in ("R4", "R7")} == {
        "no_data"
    }


def test_missing_pupils_of_a_section_open_its_teacher_indicators_too():
    row = school("九年一贯制学校", primary_students=100, junior_students=None)
    staff = [teachers("primary", backbone=1), teachers("junior", backbone=9)]
    found = evaluate({"schools": [row], "teachers": staff}).school_indicator
    assert found["S1", "primary", "R2"].status == "met"
    assert found["S1", "junior", "R2"].status == "no_data"


# ---------------------------------------------------------------- resources


@pytest.mark.parametrize(
    ("pe", "status"), [(9, "met"), (8, "near"), (7, "below"), (0, "below"), (None, "no_data")]
)
def test_r3_of_a_thousand_pupils(pe, status):
    found = judge("R3", school(primary_students=1000), teachers=[teachers(pe=pe)])
    assert found.status == status
    if pe is not None:
        assert found.gap == max(0, 9 - pe)


def test_the_floor_itself_is_near():
    row = school(primary_students=1000)
    site = {"school_code": "S1", "teaching_area_m2": "3825", "indoor_sports_area_m2": 0}
    assert judge("R4", row, facilities=[site]).status == "near"
    site["teaching_area_m2"] = "3824.99"
    assert judge("R4", row, facilities=[site]).status == "below"


def test_required_degree_differs_by_stage():
    primary = judge("R1", school(primary_students=100), teachers=[teachers(bachelor=4, associate=1)])
    junior_row = school("初级中学", junior_students=100)
    junior = judge("R1", junior_row, teachers=[teachers("junior", bachelor=4, associate=None)])
    assert (primary.value, junior.value) == (5, 4)


def test_r4_is_without_indoor_sports_and_r6_in_yuan():
    site = {
        "school_code": "S1",
        "teaching_area_m2": 500,
        "indoor_sports_area_m2": 60,
        "equipment_value_wan": 19,
    }
    row = school(primary_students=100)
    assert judge("R4", row, facilities=[site]).value == Fraction("4.4")
    equipment = judge("R6", row, facilities=[site])
    assert (equipment.numerator, equipment.value, equipment.gap) == (190_000, 1900, 10_000)


def test_junior_value_of_a_nine_year_school_is_one_point_one_times_primary():
    row = school("九年一贯制学校", primary_students=450, junior_students=500)
    found = evaluate({"schools": [row], "facilities": [{"school_code": "S1", "multimedia_rooms": 23}]})
    primary, junior = (found.school_indicator["S1", stage, "R7"] for stage in ("primary", "junior"))
    assert (primary.value, junior.value) == (Fraction("2.3"), Fraction("2.53"))
    assert sum(section.numerator or 0 for section in (primary, junior)) == 23


@pytest.mark.parametrize(
    ("urban_rural", "school_type", "pupils", "status"),
    [
        ("乡村", "小学", 99, "met_by_waiver"),
        ("乡村", "小学", 50, "met_by_waiver"),
        ("乡村", "小学", 49, "below"),
        ("乡村", "小学", 100, "below"),
        ("城区", "小学", 99, "below"),
        ("镇区", "教学点", 99, "met_by_waiver"),
    ],
)
def test_w3_counts_visiting_teachers_of_small_rural_schools(urban_rural, school_type, pupils, status):
    row = school(school_type, primary_students=pupils, urban_rural=urban_rural)
    staff = [teachers(visiting_pe_art=1)]
    assert judge("R3", row, active("W3"), teachers=staff).status == status
    assert judge("R3", row, active(), teachers=staff).status == "below"


def test_w5_adds_what_is_reported_and_only_in_dense_centres():
    site = {"school_code": "S1", "outdoor_sports_area_m2": 700, "indoor_sports_area_m2": 0}
    site |= {"other_sports_area_m2": None, "rented_sports_area_m2": 50}
    dense = judge("R5", school(primary_students=100, dense_urban=True), active("W5"), facilities=[site])
    assert (dense.status, dense.status_strict, dense.waiver) == ("met_by_waiver", "near", "W5")
    assert (dense.value, dense.value_strict) == (Fraction("7.5"), 7)
    assert judge("R5", school(primary_students=100), active("W5"), facilities=[site]).status == "near"
    without_base = {**site, "indoor_sports_area_m2": None}
    row = school(primary_students=100, dense_urban=True)
    assert judge("R5", row, active("W5"), facilities=[without_base]).status == "no_data"


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (["met"] * 7, True),
        (["met"] * 6 + ["near"], True),
        (["met"] * 5 + ["met_by_waiver", "near"], True),
        (["met"] * 5 + ["near"] * 2, False),
        (["met"] * 6 + ["below"], False),
        (["met"] * 6 + ["no_data"], None),
        (["met"] * 5 + ["near", "no_data"], None),
        (["met"] * 4 + ["near"] * 2 + ["no_data"], False),
        (["below"] + ["no_data"] * 6, False),
        (["no_data"] * 7, None),
    ],
)
def test_school_rule(statuses, verdict):
    assert resource_rule(statuses) is verdict


# ---------------------------------------------------------------- rooms, size, class sizes


@pytest.mark.parametrize(
    ("count", "music", "art", "rule", "status", "gap"),
    [
        (12, [96], [90], "each", "met", 0),
        (13, [96], [90], "each", "below", 2),
        (13, [96], [90], "combined", "met", 0),
        (13, [96, 96], [], "each", "below", 2),
        (13, [96, 96], [], "combined", "met", 0),
        (12, ["95.99"], [90], "each", "below", 1),
        (12, [96], [None], "each", "no_data", None),
        (13, [96, 96], [None], "each", "below", 1),
        (12, [], [], "combined", "below", 1),
    ],
)
def test_g3_rooms(count, music, art, rule, status, gap):
    row = school(primary_students=400)
    options = Options(music_art_rule=rule)
    roster = classes([30] * count)
    found = judge("G3", row, options, classes=roster, special_rooms=rooms(music, art))
    assert (found.status, found.gap) == (status, gap)


def test_g3_knows_no_rooms_from_rooms_not_delivered():
    row, roster = school(primary_students=400), classes([30] * 12)
    assert judge("G3", row, classes=roster, special_rooms=[]).status == "below"
    assert judge("G3", row, classes=roster, special_rooms=None).status == "no_data"
    assert judge("G3", row, classes=[], special_rooms=rooms([96], [90])).status == "no_data"


def test_g3_of_a_school_with_one_roster_missing_fails_only_by_what_is_known():
    row = school("九年一贯制学校", primary_students=400, junior_students=400)
    few, many = classes([30] * 12), classes([30] * 13)
    found = judge("G3", row, classes=few, special_rooms=rooms([96], [90]))
    assert (found.stage, found.status) == ("compulsory", "no_data")
    assert judge("G3", row, classes=many, special_rooms=rooms([96], [90])).status == "below"


@pytest.mark.parametrize(
    ("given", "sizes", "music", "art", "waiver"),
    [
        ({"built_year": 2016}, [30], 73, 67, "W-G3"),
        ({"built_year": 2017}, [30], 73, 67, None),
        ({"built_year": 2016}, [30], 72, 67, None),
        ({"urban_rural": "乡村"}, [29, 29], 54, 54, "W-G3r"),
        ({"urban_rural": "乡村"}, [30, 28], 54, 54, None),
        ({"urban_rural": "乡村", "primary_students": 100}, [25] * 4, 54, 54, None),
        ({"urban_rural": "乡村", "built_year": 2000}, [29, 29], 54, 54, "W-G3r"),
        ({"urban_rural": "乡村", "built_year": 2000}, [29, None], 73, 67, "W-G3"),
        ({"urban_rural": "乡村", "built_year": 2000}, [29, None], 54, 54, None),
    ],
)
def test_g3_area_waivers(given, sizes, music, art, waiver):
    row = school(**{"primary_students": 58, **given})
    found = judge("G3", row, active(*ALL), classes=classes(sizes), special_rooms=rooms([music], [art]))
    assert (found.status, found.waiver) == (("met_by_waiver", waiver) if waiver else ("below", None))


@pytest.mark.parametrize(("area", "status"), [(60, "below"), (61, "met_by_waiver")])
def test_g3_rural_area_of_junior_schools(area, status):
    row = school("初级中学", junior_students=60, urban_rural="乡村")
    roster, given = classes([20, 20, 20], "junior"), rooms([area], [area])
    assert judge("G3", row, active("W-G3r"), classes=roster, special_rooms=given).status == status


@pytest.mark.parametrize(
    ("row", "status", "gap"),
    [
        (school(primary_students=2000), "met", 0),
        (school(primary_students=2001), "below", 1),
        (school("完全中学", junior_students=2000, senior_students=3000), "met", 0),
        (school("九年一贯制学校", primary_students=1500, junior_students=1000), "met", 0),
        (school("九年一贯制学校", primary_students=1501, junior_students=1000), "below", 1),
        (school("九年一贯制学校", primary_students=2600, junior_students=None), "below", 100),
        (school("九年一贯制学校", primary_students=2400, junior_students=None), "no_data", None),
        (school("九年一贯制学校", primary_students=2100, junior_students=0), "below", 100),
        (school("职业学校", junior_students=30, senior_students=900), "below", 30),
        (school(primary_students=2400, built_year=2010), "met_by_waiver", 0),
        (school(primary_students=2401, built_year=2010), "below", 1),
        (school(primary_students=2400, built_year=2011), "below", 400),
        (school(primary_students=2100, migrant_students=1050), "below", 100),
        (school(primary_students=2100, migrant_students=1051), "met_by_waiver", 0),
        (
            school("九年一贯制学校", primary_students=2000, junior_students=1000, built_year=1990),
            "met_by_waiver",
            0,
        ),
    ],
)
def test_g4_size(row, status, gap):
    found = judge("G4", row, active("W-G4"))
    assert (found.status, found.gap) == (status, gap)


def test_a_vocational_school_without_compulsory_pupils_is_not_judged():
    found = evaluate({"schools": [school("职业学校", senior_students=900)]})
    assert not found.school_indicator


@pytest.mark.parametrize(
    ("sizes", "status", "classes_over", "gap"),
    [
        ([45, 40], "met", 0, 0),
        ([46, 45, 50], "below", 2, 6),
        ([None, 40], "no_data", None, None),
        ([None, 46], "below", 1, 1),
        ([], "no_data", None, None),
    ],
)
def test_g5_class_sizes(sizes, status, classes_over, gap):
    found = judge("G5", school(primary_students=100), classes=classes(sizes))
    assert (found.status, found.numerator, found.gap) == (status, classes_over, gap)
