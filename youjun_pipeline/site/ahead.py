"""What planning adds to a district's pages: scenarios, plans, forecasts, margins and causes; only `pages` uses this module.

Keep out: what they show (`scenario`, `proposal`, `forecast`), HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from youjun_pipeline.site import names
from youjun_pipeline.site.forecast import chart_data, forecast_context, school_forecast
from youjun_pipeline.site.proposal import proposal_context, proposal_of
from youjun_pipeline.site.read import District, Evaluation, grouped
from youjun_pipeline.site.scenario import (
    comparison_context,
    scenario_context,
    scenario_title,
    scenarios_of,
)
from youjun_pipeline.vocabulary import words

# Of the levers of a coefficient the page shows the schools that bring it under its limit soonest.
MOST_LEVERS = 6


class OwnPage(NamedTuple):
    """A page besides those of the phases: its file in the site, its template, its title and its content."""

    name: str
    template: str
    title: str
    context: dict[str, Any]


def planning_pages(district: District) -> Iterator[OwnPage]:
    """The page of each scenario, the page that compares them, and the pages of the least-cost plan and the forecast, if any."""
    scenarios = scenarios_of(district)
    for e, scenario_id, ends in scenarios:
        yield OwnPage(
            names.scenario_page(district.code, e.phase_id, scenario_id),
            "scenario.html",
            f"{district.name} 情景：{scenario_title(e, ends[-1])}",
            scenario_context(e, scenario_id, ends) | {"title_short": scenario_title(e, ends[-1])},
        )
    if scenarios:
        yield OwnPage(
            names.district_page(district.code, "scenarios"),
            "scenarios.html",
            f"{district.name} 情景比较",
            comparison_context(district),
        )
    planned = proposal_of(district)
    if planned is not None:
        yield OwnPage(
            names.district_page(district.code, "proposal"),
            "proposal.html",
            f"{district.name} 最省方案",
            proposal_context(planned),
        )
    if chart_data(district, None):
        yield OwnPage(
            names.district_page(district.code, "forecast"),
            "forecast.html",
            f"{district.name} 学生数预测",
            forecast_context(district),
        )


def planning_doors(district: District) -> list[tuple[str, str]]:
    """Links from the district's own page to these pages."""
    doors = []
    if scenarios_of(district):
        doors.append(("情景比较", names.district_page(district.code, "scenarios")))
    if proposal_of(district) is not None:
        doors.append(("最省方案", names.district_page(district.code, "proposal")))
    if chart_data(district, None):
        doors.append(("学生数预测", names.district_page(district.code, "forecast")))
    return doors


def school_ahead(district: District, code: str) -> dict[str, Any]:
    """A school's forecast, and for each phase the margins of its verdicts."""
    return {
        "forecast": school_forecast(district, code),
        "margins": {
            e.phase_id: [
                m
                for m in e.rows["verdict_margin"]
                if m.school_code == code and m.level != "stage" and m.indicator_code
            ]
            for e in district.evaluations
        },
        "lever_words": words("lever"),
        "move_words": words("move"),
        "turn_words": words("turns_to"),
    }


def causes(e: Evaluation, code: str) -> dict[str, Any]:
    """For each stage why a coefficient is as it is, what brings it under its limit, and how far its verdict is from changing."""
    found: dict[str, dict[str, Any]] = {}
    for cause in e.rows["balance_cause"]:
        if cause.indicator_code != code:
            continue

        def own(table: str, stage: str = cause.stage) -> list[Any]:
            return [r for r in e.rows[table] if r.indicator_code == code and r.stage == stage]

        levers = [m for m in own("verdict_margin") if m.level == "stage"]
        found[cause.stage] = {
            "cause": cause,
            "groups": [g for g in own("balance_group") if g.grouping_name == cause.grouping_name],
            "remedies": grouped(own("balance_remedy"), lambda r: r.way),
            "levers": sorted(levers, key=lambda m: (m.lever, m.move, m.margin))[:MOST_LEVERS],
        }
    return {
        "causes": found,
        "grouping_words": words("grouping_name"),
        "way_words": words("way"),
        "lever_words": words("lever"),
        "move_words": words("move"),
        "turn_words": words("turns_to"),
    }
