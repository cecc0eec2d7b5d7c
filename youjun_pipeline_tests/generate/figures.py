"""Figures, conclusions and surveys of made-up districts.

Belongs here: finance, graduates, monitoring, assurance items and the recognition survey.
Keep out: what schools have (``resources``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from youjun_pipeline_tests.generate.columns import blank_row

Rows = list[dict[str, Any]]
OLD_YEAR, NEW_YEAR = 2022, 2023
SUBJECTS = {
    4: ("语文", "数学", "科学", "体育", "艺术", "德育"),
    8: ("语文", "数学", "英语", "科学", "体育", "艺术", "德育"),
}
GROUPS = ("学生", "家长", "教师", "校长", "人大代表和政协委员", "其他群众")
CONCLUSIONS = ("G1", "G2", "G10", "G14", "Q3", "Q5", "Q6", "Q7", "Q8", *(f"V{n}" for n in range(1, 8)))


def finance_rows(
    rng: random.Random, schools: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], profile: str
) -> Rows:
    """Two years' budgets per school; small schools get the funding of a hundred pupils, or slightly less."""
    rows = []
    for school in schools:
        pupils = {s: school[f"{s}_students"] or 0 for s in ("primary", "junior")}
        norms = {s: Decimal(settings.get(f"funding_norm_{s}_yuan") or 700) for s in pupils}
        # The dearer norm for all is enough whatever the mix of stages.
        norm = max((norms[s] for s, n in pupils.items() if n), default=norms["primary"])
        budget = norm * max(100, sum(pupils.values())) / 10000
        if profile != "passing" and rng.random() < (0.15 if sum(pupils.values()) < 100 else 0.02):
            budget -= Decimal("0.0001")
        for year in (OLD_YEAR, NEW_YEAR):
            # What was wrong in an older year no longer counts.
            funds = budget if year == NEW_YEAR else budget / 2
            training = funds * Decimal("0.05")
            if year == OLD_YEAR or (profile != "passing" and rng.random() < 0.04):
                training -= Decimal("0.0001")
            rows.append(
                blank_row(
                    "school_finance",
                    school_code=school["school_code"],
                    year=year,
                    public_funds_budget_wan=funds,
                    public_funds_final_wan=funds,
                    training_budget_wan=training.quantize(Decimal("0.000001")),
                    training_final_wan=None,
                )
            )
    return rows


def cohort_rows(rng: random.Random, schools: Sequence[Mapping[str, Any]], profile: str) -> Rows:
    """Two years' graduates of every school with junior pupils."""
    retained = rng.choice((19, 19, 20) if profile != "passing" else (19, 20))
    rows = []
    for school in schools:
        if not school["junior_students"] or school["school_type"] in {"特殊教育学校", "职业学校"}:
            continue
        for year in (OLD_YEAR, NEW_YEAR):
            twenties = max(1, school["junior_students"] // 60)
            deaths, moved_in, moved_out = rng.randint(0, 1), rng.randint(0, 4), rng.randint(0, 4)
            lost = profile != "passing" and rng.random() < 0.08
            kept = retained * twenties if year == NEW_YEAR else 15 * twenties
            rows.append(
                blank_row(
                    "graduation_cohorts",
                    school_code=school["school_code"],
                    year=year,
                    entrants=20 * twenties + deaths,
                    transferred_in=moved_in,
                    transferred_out=moved_out,
                    deaths=deaths,
                    graduates=max(0, kept + moved_in - moved_out - lost),
                )
            )
    return rows


def monitoring_rows(rng: random.Random, profile: str) -> Rows:
    """National monitoring; the subjects alternate, so the newest cycle differs from subject to subject."""
    rows = []
    for grade, subjects in SUBJECTS.items():
        for number, subject in enumerate(subjects):
            if profile != "passing" and rng.random() < 0.01:
                continue
            newest = NEW_YEAR - number % 3
            for cycle in (newest - 3, newest):
                bad = cycle != newest or (profile != "passing" and rng.random() < 0.06)
                rate = (
                    rng.choice(("0.15", "0.1501", "0.31")) if bad else rng.choice(("0.1499", "0.08", "0.123"))
                )
                rows.append(
                    blank_row(
                        "quality_monitoring",
                        cycle=cycle,
                        grade=grade,
                        subject=subject,
                        level=rng.choice((1, 2)) if bad and rng.random() < 0.5 else rng.choice((3, 3, 4)),
                        between_school_rate=Decimal(rate),
                    )
                )
    return rows


def assurance_rows(rng: random.Random, settings: Mapping[str, Any], profile: str) -> Rows:
    """Values around their limits, and conclusions with evidence."""
    passing = profile == "passing"

    def shortfall(chance: float = 0.15) -> int:
        return 0 if passing or rng.random() >= chance else 1

    students = rng.randint(40, 300)
    eligible, migrants, disabled = (
        20 * rng.randint(20, 60),
        20 * rng.randint(50, 400),
        20 * rng.randint(5, 20),
    )
    rotated = eligible // 10 - shortfall()
    bought = migrants // 20
    places = 2 * rng.randint(300, 900)
    salary = rng.randint(95_000, 130_000)
    values: dict[str, int | Decimal] = {
        "G7.funds_yuan": int(settings["special_education_funding_yuan"]) * students - shortfall(),
        "G7.students": students,
        "G8.teacher_salary_yuan": Decimal(salary) + Decimal("0.55"),
        "G8.civil_servant_salary_yuan": Decimal(salary) + Decimal("0.55") + shortfall(),
        "G11.eligible": eligible,
        "G11.rotated": rotated,
        "G11.rotated_backbone": -(-rotated // 5) - shortfall(),
        "G14.places": places,
        "G14.allotted": places // 2 - shortfall(),
        "G14.allotted_rural": places // 5,
        "G15.eligible": migrants,
        "G15.public": migrants * 17 // 20 - bought - shortfall(),
        "G15.purchased": bought,
        "Q2.eligible": disabled,
        "Q2.enrolled": disabled * 19 // 20 - shortfall(),
    }
    rows = [blank_row("assurance", item=item, value=Decimal(value)) for item, value in values.items()]
    for item in CONCLUSIONS:
        if not passing and rng.random() < 0.03:
            continue
        said = "not_met" if shortfall(0.06) else "met"
        rows.append(blank_row("assurance", item=item, conclusion=said, evidence=f"{item} 佐证材料汇编"))
    return rows


def recognition_rows(rng: random.Random, profile: str) -> Rows:
    """Two years' surveys. The newest has exactly 85 % satisfied answers, or one fewer; parents are half of them, or almost.

    Sometimes the newest leaves a group out, or has more satisfied answers than answers.
    """
    rows = []
    for year in (OLD_YEAR, NEW_YEAR):
        left_out = rng.choice(GROUPS) if profile != "passing" and rng.random() < 0.05 else None
        valid = {group: 20 * rng.randint(2, 40) for group in GROUPS if group != left_out}
        if "家长" in valid:
            short = 20 if profile != "passing" and rng.random() < 0.1 else 0
            valid["家长"] = max(20, sum(valid.values()) - valid["家长"] - short)
        for number, (group, count) in enumerate(valid.items()):
            satisfied = count * 17 // 20 if year == NEW_YEAR else count // 2
            if number == 0 and year == NEW_YEAR and profile != "passing" and rng.random() < 0.3:
                satisfied -= 1
            if profile != "passing" and rng.random() < 0.005:
                satisfied = count + 1
            rows.append(
                blank_row(
                    "recognition",
                    year=year,
                    respondent_group=group,
                    method="问卷" if number < 4 else "走访",
                    issued=count + rng.randint(0, 30),
                    valid=count,
                    satisfied=satisfied,
                )
            )
    return rows


def population_rows(rng: random.Random, survey: Sequence[Mapping[str, Any]], profile: str) -> Rows:
    """The number of residents of which the newest survey is a sample of 1.5 ‰, or ten thousand more."""
    answers = sum(row["valid"] for row in survey if row["year"] == NEW_YEAR)
    most = (Decimal(answers) / 15).quantize(Decimal("0.000001"), ROUND_DOWN)
    more = 1 if profile != "passing" and rng.random() < 0.1 else 0
    return [
        blank_row("district_figures", item="population_wan", year=year, value=most + more)
        for year in (OLD_YEAR, NEW_YEAR)
    ]


def figure_tables(
    rng: random.Random, schools: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], profile: str
) -> dict[str, Rows]:
    """All datasets that are not about what a school has."""
    survey = recognition_rows(rng, profile)
    return {
        "quality_monitoring": monitoring_rows(rng, profile),
        "school_finance": finance_rows(rng, schools, settings, profile),
        "graduation_cohorts": cohort_rows(rng, schools, profile),
        "assurance": assurance_rows(rng, settings, profile),
        "recognition": survey,
        "district_figures": population_rows(rng, survey, profile),
    }
