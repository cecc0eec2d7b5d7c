"""The oracle on the standard's worked examples, and conditions that hold for any district."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from youjun_pipeline_tests.generate import GeneratedDistrict, generate_district
from youjun_pipeline_tests.oracle import Options, balance_of, evaluate, judge_cv, split_share
from youjun_pipeline_tests.oracle.balance import contributions_of
from youjun_pipeline_tests.oracle.figures import RESOURCES, WAIVERS, half_up

# One section: resource and pupils.
SECTIONS = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 2500)), min_size=1, max_size=8)

# These laws have few branches and exact fractions are slow: some dozen cases find what a hundred do.
A_FEW = settings(max_examples=30)


def stage_balance(sections, stage="primary", code="R2"):
    return balance_of(
        code, stage, {str(i): (Fraction(r), Fraction(r), n) for i, (r, n) in enumerate(sections)}
    )


# ---------------------------------------------------------------- worked examples


def test_cv_of_the_worked_example_is_weighted_by_pupils():
    found = stage_balance([(279, 45), (137, 37), (935, 89), (160, 76), (402, 55)], code="R4")
    assert found.mean == Fraction(1913, 302)
    assert found.std is not None and found.cv is not None
    assert round(float(found.mean), 6) == 6.334437
    # The standard gives the deviation cut off, not rounded: 3.2638607.
    assert int(found.std * 10**6) == 3_263_860
    assert round(found.cv, 6) == 0.515257
    assert found.status == "below"


def test_cv_is_deviation_over_mean_as_published_for_jiujiang():
    cv = Fraction("0.445392") / Fraction("0.887611")
    assert round(float(cv), 4) == 0.5018
    assert judge_cv(cv * cv, "primary") == "below"
    assert half_up(cv, 3) == Fraction("0.502")


def test_a_cv_that_only_rounds_to_its_limit_fails_and_is_marked():
    # Two schools of equal size with x = 1 ± 0.5004.
    found = stage_balance([(4996, 10000), (15004, 10000)])
    assert found.cv_squared == Fraction("0.5004") ** 2 and found.cv is not None
    assert half_up(Fraction(found.cv), 3) == Fraction("0.500")
    assert (found.status, found.rounding_sensitive) == ("below", True)


@pytest.mark.parametrize(("stage", "limit"), [("primary", "0.50"), ("junior", "0.45")])
def test_a_cv_within_the_tolerance_of_its_limit_is_met(stage, limit):
    at = Fraction(limit)
    assert judge_cv(at**2, stage) == "met"
    assert judge_cv((at * (1 + Fraction(1, 2 * 10**9))) ** 2, stage) == "met"
    assert judge_cv((at * (1 + Fraction(2, 10**9))) ** 2, stage) == "below"


def test_split_of_the_worked_example():
    pupils = {"primary": 166, "junior": 210}
    shares = [split_share(pupils, stage) or Fraction(0) for stage in pupils]
    assert [float(half_up(23226 * share, 1)) for share in shares] == [9711.6, 13514.4]
    assert sum(shares) == 1


def test_a_school_without_resources_counts_in_the_cv():
    assert stage_balance([(10, 10), (0, 10)]).cv == 1.0
    assert stage_balance([(10, 10)]).cv == 0.0


def test_without_any_resource_there_is_no_cv():
    assert stage_balance([(0, 10), (0, 20)]).status == "not_applicable"
    assert stage_balance([]).status == "not_applicable"


def test_a_section_that_did_not_report_leaves_the_cv_open():
    found = balance_of("R2", "junior", {"a": (Fraction(3), Fraction(3), 100)}, schools_no_data=1)
    assert (found.cv, found.status, found.schools, found.schools_no_data) == (0.0, "no_data", 1, 1)


# ---------------------------------------------------------------- what holds of any CV


@A_FEW
@given(SECTIONS, st.integers(0, 7))
def test_splitting_a_school_into_two_alike_leaves_the_cv(sections, which):
    resource, pupils = sections[which % len(sections)]
    doubled = [(2 * r, 2 * n) for r, n in sections]
    doubled.remove((2 * resource, 2 * pupils))
    split = [*doubled, (resource, pupils), (resource, pupils)]
    assert stage_balance(split).cv_squared == stage_balance(sections).cv_squared


@A_FEW
@given(SECTIONS, st.integers(1, 50), st.integers(1, 50))
def test_scaling_resources_or_pupils_leaves_the_cv(sections, by_resource, by_pupils):
    scaled = [(r * by_resource, n * by_pupils) for r, n in sections]
    assert stage_balance(scaled).cv_squared == stage_balance(sections).cv_squared


@A_FEW
@given(SECTIONS, st.randoms(use_true_random=False))
def test_the_order_of_schools_does_not_matter(sections, rng):
    mixed = rng.sample(sections, len(sections))
    assert stage_balance(mixed).cv_squared == stage_balance(sections).cv_squared


@A_FEW
@given(SECTIONS)
def test_variance_shares_add_up_and_slopes_are_the_cvs(sections):
    by_school = {str(i): (Fraction(r), n) for i, (r, n) in enumerate(sections)}
    parts = contributions_of("R2", by_school)
    before = stage_balance(sections)
    assert sum(part.weight for part in parts) == 1
    if not before.cv_squared or before.cv is None:
        assert all(part.marginal_effect is None for part in parts)
        return
    assert sum(part.variance_share or 0 for part in parts) == 1
    # Far below the smallest step between two sections' values, far above what a float can lose.
    step = Fraction(sum(r for r, _ in sections), 10**9)
    part = parts[0]
    assert part.marginal_effect is not None and part.level_break_even is not None
    moved = [(sections[0][0] + step, sections[0][1]), *sections[1:]]
    after = stage_balance(moved).cv
    assert after is not None
    slope = (after - before.cv) / float(step)
    assert slope == pytest.approx(
        part.marginal_effect, rel=1e-3, abs=1e-3 / float(sum(r for r, _ in sections))
    )
    assert (part.marginal_effect < 0) == (part.value < part.level_break_even)
    if part.break_even is not None:
        # both part the sections alike; only the turning point stays one when the section itself is raised
        assert (part.value < part.break_even) == (part.value < part.level_break_even)
        turned = [(part.break_even / 100 * sections[0][1], sections[0][1]), *sections[1:]]
        assert (
            contributions_of("R2", {str(i): (Fraction(r), n) for i, (r, n) in enumerate(turned)})[
                0
            ].marginal_effect
            or 0
        ) == 0


@A_FEW
@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 2000))
def test_shares_make_the_whole_and_junior_is_one_point_one_times_primary(primary, junior, senior):
    pupils = {"primary": primary, "junior": junior, "senior": senior}
    shares = {stage: split_share(pupils, stage) or Fraction(0) for stage in pupils}
    assert sum(shares.values()) == 1
    assert shares["junior"] / junior == Fraction("1.1") * shares["primary"] / primary
    assert shares["senior"] / (senior or 1) == (
        Fraction("1.32") * shares["primary"] / primary if senior else 0
    )


# ---------------------------------------------------------------- what holds of any district

DISTRICTS = {seed: generate_district(seed, n_schools=14) for seed in range(10)}
EVALUATED = {s: evaluate(d.tables, Options.from_settings(d.settings)) for s, d in DISTRICTS.items()}
BETTER = {"below": 0, "near": 1, "no_data": 1, "met_by_waiver": 2, "met": 3}


@pytest.mark.parametrize("seed", DISTRICTS)
def test_rows_in_another_order_give_the_same_evaluation(seed):
    district, rng = DISTRICTS[seed], random.Random(seed)
    mixed = {n: None if rows is None else rng.sample(rows, len(rows)) for n, rows in district.tables.items()}
    assert evaluate(mixed, Options.from_settings(district.settings)) == EVALUATED[seed]


@pytest.mark.parametrize("seed", DISTRICTS)
def test_a_waiver_never_makes_a_school_worse_and_strict_ignores_waivers(seed):
    district = DISTRICTS[seed]
    plain, lenient = (
        evaluate(district.tables, Options.from_settings({**district.settings, "waivers": waivers}))
        for waivers in ((), WAIVERS)
    )
    for key, strict in plain.school_indicator.items():
        found = lenient.school_indicator[key]
        assert strict.status == strict.status_strict == found.status_strict, key
        assert BETTER[found.status] >= BETTER[found.status_strict], key
        assert found.status != "met_by_waiver" or found.waiver in found.applied, key
    for section, verdict in plain.school_verdict.items():
        assert verdict.passes_resource_rule == lenient.school_verdict[section].passes_strict
    for stage_and_code, cv in plain.stage_balance.items():
        assert cv.cv == lenient.stage_balance[stage_and_code].cv_strict


@pytest.mark.parametrize("seed", DISTRICTS)
def test_every_section_in_scope_has_seven_resources_and_what_is_met_has_no_gap(seed):
    found = EVALUATED[seed]
    in_scope = {key for key, section in found.sections.items() if section.in_scope}
    assert set(found.school_verdict) == in_scope
    assert {(s, t) for s, t, i in found.school_indicator if i in RESOURCES} == in_scope
    for key, judged in found.school_indicator.items():
        if judged.status == "no_data":
            assert judged.value is None and judged.gap is None, key
        else:
            assert judged.value is not None and judged.gap is not None, key
            assert (judged.gap == 0) == (judged.status in {"met", "met_by_waiver"}), key


def one_passing() -> GeneratedDistrict:
    district = DISTRICTS[1]
    assert EVALUATED[1].district_verdict.passes
    return district


JUDGED_CELLS = {
    "schools": ("primary_students", "junior_students"),
    "teachers": ("doctorate", "master", "bachelor", "backbone", "pe", "certified", "trained_360h"),
    "facilities": ("teaching_area_m2", "indoor_sports_area_m2", "outdoor_sports_area_m2", "multimedia_rooms"),
    "classes": ("students",),
    "special_rooms": ("area_m2",),
    "recognition": ("valid", "satisfied"),
}
CELLS = [(dataset, column) for dataset, columns in JUDGED_CELLS.items() for column in columns]


@settings(max_examples=15)
@given(st.sampled_from(CELLS), st.integers(0, 10**6))
def test_a_passing_district_does_not_pass_once_a_judged_cell_is_blank(cell, which):
    dataset, column = cell
    district = one_passing()
    in_scope = {code for code, school in EVALUATED[1].schools.items() if school.in_scope}
    rows = district.tables[dataset] or []
    eligible = [
        number
        for number, row in enumerate(rows)
        # A blank in a stage the school does not teach says that there is none.
        if row[column]
        and (column not in {"primary_students", "junior_students"} or "一贯制" in row["school_type"])
        if (dataset == "recognition" and row["year"] == 2023) or row.get("school_code") in in_scope
    ]
    chosen = eligible[which % len(eligible)] if eligible else None
    if chosen is None:
        return
    blanked = [{**row, column: None} if n == chosen else row for n, row in enumerate(rows)]
    options = Options.from_settings(district.settings)
    found = evaluate({**district.tables, dataset: blanked}, options)
    assert not found.district_verdict.passes
    assert all(judged.status != "below" for judged in found.school_indicator.values())
    assert "no_data" in {indicator.status for indicator in found.district_indicator.values()}


def test_resources_exactly_at_a_cv_limit_pass_and_one_more_fails():
    at: set[int] = set()
    beyond: set[int] = set()
    for seed in range(4, 60, 5):
        district = generate_district(seed, n_schools=8, profile="cv_limit")
        found = evaluate(district.tables, Options.from_settings(district.settings))
        (at if found.district_verdict.passes else beyond).add(seed)
        r2 = found.stage_balance["primary", "R2"]
        assert (r2.cv_squared == Fraction(1, 4)) == found.district_verdict.passes
        assert found.stage_balance["junior", "R6"].cv_squared == Fraction("0.45") ** 2
    assert at and beyond
