"""The oracle on the district's own items: funding, rotation, catchment, retention, monitoring, conclusions."""

from __future__ import annotations

from datetime import date

import pytest

from youjun_pipeline_tests.oracle import Options, evaluate


def school(school_type="小学", **given):
    row = {"school_code": "S1", "school_name": "甲校", "school_type": school_type, "sponsor_code": "1"}
    return {**row, "urban_rural": "城区", "boarding": False, **given}


def teachers(stage="primary", **given):
    zero = dict.fromkeys(("doctorate", "master", "bachelor", "associate", "backbone", "pe", "music"), 0)
    return {"school_code": "S1", "stage": stage, "full_time": 60, **zero, "fine_art": 0, "art": 0, **given}


def item(indicator, options=None, **tables):
    return evaluate({"schools": [], **tables}, options).district_indicator[indicator].status


@pytest.mark.parametrize(
    ("pupils", "kind", "budget", "status"),
    [
        (99, "小学", "7.2", "met"),
        (99, "小学", "7.1999", "below"),
        (99, "小学", None, "no_data"),
        (100, "小学", "0", "met"),
        (12, "教学点", "7.1999", "below"),
        (None, "小学", "7.2", "no_data"),
    ],
)
def test_g6_small_schools_are_funded_as_a_hundred(pupils, kind, budget, status):
    rows = [
        {"school_code": "S1", "year": 2022, "public_funds_budget_wan": "1"},
        {"school_code": "S1", "year": 2023, "public_funds_budget_wan": budget},
    ]
    options = Options(funding_norm_primary_yuan=720)
    given = school(kind, primary_students=pupils)
    assert item("G6", options, schools=[given], school_finance=rows) == status
    assert item("G6", None, schools=[given], school_finance=rows) == "no_data"


def test_g6_weights_the_norm_of_an_all_through_school_by_pupils():
    row = school("九年一贯制学校", primary_students=60, junior_students=30)
    options = Options(funding_norm_primary_yuan=650, funding_norm_junior_yuan=950)
    for budget, status in (("7.5", "met"), ("7.4999", "below")):
        finance = [{"school_code": "S1", "year": 2023, "public_funds_budget_wan": budget}]
        assert item("G6", options, schools=[row], school_finance=finance) == status


@pytest.mark.parametrize(
    ("figures", "status"),
    [
        ({"G11.eligible": 100, "G11.rotated": 10, "G11.rotated_backbone": 2}, "met"),
        ({"G11.eligible": 101, "G11.rotated": 10, "G11.rotated_backbone": 2}, "below"),
        ({"G11.eligible": 100, "G11.rotated": 10, "G11.rotated_backbone": 1}, "below"),
        ({"G11.eligible": 100, "G11.rotated": 10}, "no_data"),
        ({}, "no_data"),
    ],
)
def test_g11_rotation(figures, status):
    assert item("G11", assurance=[{"item": k, "value": v} for k, v in figures.items()]) == status


@pytest.mark.parametrize(
    ("given", "enrolled", "status"),
    [
        ({}, 95, "met"),
        ({}, 94, "below"),
        ({}, None, "no_data"),
        ({"boarding": True}, 10, "met"),
        ({"urban_rural": "乡村"}, 10, "met"),
        ({"sponsor_code": "10"}, 10, "met"),
    ],
)
def test_g13_catchment_of_junior_schools(given, enrolled, status):
    row = school("初级中学", junior_students=100, catchment_junior_students=enrolled, **given)
    assert item("G13", schools=[row]) == status


def test_q1_retention_takes_the_newest_year_of_all_schools_together():
    def cohort(code, year, graduates):
        row = {"school_code": code, "year": year, "entrants": 101, "deaths": 1, "graduates": graduates}
        return {**row, "transferred_in": 6, "transferred_out": 1}

    two = [school("初级中学", school_code=code, junior_students=300) for code in ("S1", "S2")]
    rows = [cohort("S1", 2023, 98), cohort("S2", 2023, 102), cohort("S2", 2022, 0)]
    assert item("Q1", schools=two, graduation_cohorts=rows) == "met"
    rows[0]["graduates"] = 97
    assert item("Q1", schools=two, graduation_cohorts=rows) == "below"


@pytest.mark.parametrize(
    ("level", "rate", "status"),
    [
        (3, "0.1499", "met"),
        (3, "0.15", "below"),
        (2, "0.10", "below"),
        (2, None, "below"),
        (3, None, "no_data"),
    ],
)
def test_q9_judges_the_newest_cycle_only(level, rate, status):
    old = {"cycle": 2019, "grade": 4, "subject": "语文", "level": 1, "between_school_rate": "0.9"}
    new = {**old, "cycle": 2022, "level": level, "between_school_rate": rate}
    assert item("Q9", quality_monitoring=[new, old]) == status


def test_vetoes_and_conclusions_need_an_explicit_answer():
    said = [{"item": "V1", "conclusion": "met"}, {"item": "V2", "conclusion": "not_met"}, {"item": "V3"}]
    assert [item(code, assurance=said) for code in ("V1", "V2", "V3", "V4")] == [
        "met",
        "below",
        "no_data",
        "no_data",
    ]


def survey(year, parents=(500, 500), others=(100, 70), without=()):
    groups = ("家长", "学生", "教师", "校长", "人大代表", "群众")
    return [
        {
            "year": year,
            "respondent_group": group,
            "method": "问卷" if group == "家长" else "走访",
            "valid": valid,
            "satisfied": satisfied,
        }
        for group, (valid, satisfied) in zip(groups, (parents, *(others,) * 5), strict=True)
        if group not in without
    ]


def residents(wan):
    return [{"item": "population_wan", "year": 2023, "value": wan}]


@pytest.mark.parametrize(
    ("rows", "wan", "status"),
    [
        (survey(2022, (500, 1)) + survey(2023), 66, "met"),
        (survey(2023, (500, 499)), 66, "below"),
        # 1000 answers are 1.5 ‰ of 666 666 residents
        (survey(2023), "66.6667", "no_data"),
        (survey(2023), None, "no_data"),
        (survey(2023, (498, 498), (100, 75)), 66, "no_data"),
        (survey(2023, (500, 501)), 66, "no_data"),
        (survey(2023, without=("校长",)), 66, "no_data"),
        # the newest year that asked everybody counts
        (survey(2022) + survey(2023, (500, 1), without=("校长",)), 66, "met"),
    ],
)
def test_s1_takes_all_groups_of_a_fair_sample_together(rows, wan, status):
    assert item("S1", recognition=rows, district_figures=residents(wan) if wan else None) == status


def test_s1_without_a_rule_for_the_sample_takes_what_there_is_and_may_judge_each_method():
    rows = survey(2023, (500, 425), (100, 84), without=("校长",))
    assert item("S1", Options(survey_rule="none"), recognition=rows) == "below"
    rows = survey(2023, (500, 430), (100, 84))
    given = {"recognition": rows, "district_figures": residents(60)}
    assert item("S1", **given) == "met"
    assert item("S1", Options(survey_methods="each"), **given) == "below"


SUBJECTS = ("语文", "数学", "科学", "体育与健康", "艺术", "德育")


@pytest.mark.parametrize(
    ("without", "not_monitored", "status"),
    [
        ("", (), "met"),
        ("艺术", (), "no_data"),
        ("艺术", ("4年级艺术",), "met"),
        ("艺术", ("8年级艺术",), "no_data"),
    ],
)
def test_q9_asks_for_every_subject_that_was_examined(without, not_monitored, status):
    rows = [
        {"cycle": 2022, "grade": 4, "subject": s, "level": 3, "between_school_rate": "0.1"}
        for s in SUBJECTS
        if s != without
    ]
    one = [school(primary_students=200)]
    options = Options(subjects_not_monitored=not_monitored)
    assert item("Q9", options, schools=one, quality_monitoring=rows) == status


@pytest.mark.parametrize(
    ("day", "yuan", "status"),
    [("2025-02-28", 6000, "met"), ("2025-03-01", 6000, "below"), ("2025-03-01", 7000, "met")],
)
def test_g7_asks_what_the_nation_asks_that_day(day, yuan, status):
    rows = [{"item": "G7.funds_yuan", "value": yuan * 10}, {"item": "G7.students", "value": 10}]
    assert item("G7", Options(effective_on=date.fromisoformat(day)), assurance=rows) == status


def test_more_than_the_whole_is_no_figure():
    both = [school(primary_students=200), school(school_code="S2", primary_students=200)]
    staff = [teachers(certified=66, full_time=60), teachers(school_code="S2", certified=54, full_time=60)]
    assert item("G12", schools=both, teachers=staff) == "no_data"
    assert (
        item(
            "G15", assurance=[{"item": f"G15.{k}", "value": 60} for k in ("public", "purchased", "eligible")]
        )
        == "no_data"
    )


@pytest.mark.parametrize(
    ("known", "doubtful", "status"),
    [(100, 100, "met"), (96, 90, "no_data"), (90, 100, "no_data"), (80, 94, "below")],
)
def test_g13_of_a_school_that_may_be_rural_is_told_only_when_it_makes_no_difference(known, doubtful, status):
    rows = [
        school("初级中学", junior_students=100, catchment_junior_students=known),
        school(
            "初级中学",
            school_code="S2",
            junior_students=100,
            catchment_junior_students=doubtful,
            urban_rural=None,
        ),
    ]
    assert item("G13", schools=rows) == status


def test_q1_takes_the_newest_year_that_everybody_has_reported():
    def cohort(code, year, graduates):
        row = {"school_code": code, "year": year, "entrants": 100, "deaths": 0, "graduates": graduates}
        return {**row, "transferred_in": 0, "transferred_out": 0}

    two = [school("初级中学", school_code=code, junior_students=300) for code in ("S1", "S2")]
    rows = [cohort("S1", 2022, 80), cohort("S2", 2022, 80), cohort("S1", 2023, 100)]
    assert item("Q1", schools=two, graduation_cohorts=rows) == "below"
    assert item("Q1", schools=two, graduation_cohorts=rows[2:]) == "no_data"
    two[1]["built_year"] = 2021
    assert item("Q1", schools=two, graduation_cohorts=rows[2:]) == "met"


def test_district_resource_prefers_below_to_near_to_no_data():
    def codes(*backbones):
        many = [school(school_code=f"S{n}", primary_students=200) for n in range(len(backbones))]
        staff = [teachers(school_code=f"S{n}", backbone=b) for n, b in enumerate(backbones)]
        return item("R2", schools=many, teachers=staff)

    assert codes(2, 2) == "met"
    assert codes(2, None) == "no_data"
    assert codes("1.8", None, 2) == "near"
    assert codes("1.8", None, 1) == "below"
    # Every school is above the threshold, yet the CV is over its limit.
    assert codes(2, 2, 20) == "below"
