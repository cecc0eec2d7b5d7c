"""The pages of a district: their names and their parts.

Keep out: what a page shows (the modules named after the pages), how it looks (templates, assets), writing it (writer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from youjun_pipeline.site import names
from youjun_pipeline.site.ahead import causes, planning_doors, planning_pages, school_ahead
from youjun_pipeline.site.basis import basis_context, basis_pages
from youjun_pipeline.site.compare import write_figures
from youjun_pipeline.site.indicator import indicator_context
from youjun_pipeline.site.leader import MOST, leader_context
from youjun_pipeline.site.ledger import ledger_context
from youjun_pipeline.site.plan import plan_context
from youjun_pipeline.site.quality import quality_context
from youjun_pipeline.site.read import District, Evaluation
from youjun_pipeline.site.school import school_codes, school_context
from youjun_pipeline.site.trend import trend_context
from youjun_pipeline.site.wall import (
    balance,
    finding_matrix,
    finding_phases,
    wall_context,
)
from youjun_pipeline.site.writer import Writer


def write_district(site: Writer, district: District) -> None:
    """Write all pages of one district."""
    home = [names.HOME, (district.name, names.district_page(district.code))]
    base = {
        "district": district,
        "is_reconstructed": district.is_reconstructed,
        "documents": {e.phase_id: site.documents(district.code, e.phase_id) for e in district.evaluations},
        "school_plans": {
            e.phase_id: site.school_plans(district.code, e.phase_id) for e in district.evaluations
        },
        "common": site.common_documents(),
    }
    site.write(
        names.district_page(district.code),
        "district.html",
        base
        | {
            "title": district.name,
            "crumbs": home[:1],
            "finding_phases": finding_phases(district),
            "finding_matrix": finding_matrix(district),
            "indicators": _indicator_phases(district),
            "balances": _balance_phases(district),
            "schools": [(c, *_newest_school(district, c)) for c in school_codes(district)],
            "doors": planning_doors(district),
        },
    )
    site.write(
        names.district_page(district.code, "quality"),
        "quality.html",
        base | {"title": f"{district.name} 数据疑点与检查", "crumbs": home} | quality_context(district),
    )
    site.write(
        names.district_page(district.code, "trend"),
        "trend.html",
        base | {"title": f"{district.name} 各阶段走势", "crumbs": home} | trend_context(district),
    )
    for own in planning_pages(district):
        site.write(own.name, own.template, base | {"title": own.title, "crumbs": home} | own.context)
    write_figures(site, district)
    for evaluation in district.evaluations:
        _write_evaluation(site, district, evaluation, base, home)
    for code in school_codes(district):
        context = school_context(district, code)
        site.write(
            names.school_page(district.code, code),
            "school.html",
            base
            | {"title": context["school"].school_name, "crumbs": home}
            | context
            | school_ahead(district, code)
            | {"is_reconstructed": any(p["e"].is_reconstructed for p in context["phases"])},
        )


class Page(NamedTuple):
    """A page of an evaluation: its file name, template, the part of its title after the phase, and its content."""

    name: str
    template: str
    title: str
    context: dict[str, Any]


def _evaluation_pages(district: District, e: Evaluation) -> Iterator[Page]:
    """Every page of an evaluation, the wall map first."""
    phase_names = {o.phase_id: o.phase_name for o in district.evaluations}
    yield Page("index", "wall.html", "作战图", wall_context(district, e))
    leader = leader_context(district, e) | {"phase_names": phase_names, "most": MOST}
    yield Page("leader", "leader.html", "一页情况", leader)
    yield Page("plan", "plan.html", "整改与责任", plan_context(e, phase_names))
    yield Page("ledger", "ledger.html", "销号台账", ledger_context(e))
    for name, category, rows in basis_pages(e):
        yield Page(name, "basis.html", category, basis_context(e, rows) | {"category": category})
    for indicator in e.school_indicators:
        code = indicator.indicator_code
        yield Page(
            code,
            "indicator.html",
            f"{code} {indicator.short_name}",
            indicator_context(e, code) | causes(e, code),
        )


def _write_evaluation(
    site: Writer, district: District, e: Evaluation, base: dict[str, Any], home: Sequence[tuple[str, str]]
) -> None:
    base = base | {"e": e, "is_reconstructed": e.is_reconstructed}
    wall = (f"{e.phase_name} 作战图", names.phase_page(district.code, e.phase_id))

    def phases(page: str) -> list[tuple[str, str, bool]]:
        """The same page in all phases that have it."""
        return [
            (o.phase_name, names.phase_page(district.code, o.phase_id, page), o is e)
            for o in district.evaluations
            if page in names.OWN_PAGES
            or page in o.indicator
            or page in [name for name, _, _ in basis_pages(o)]
        ]

    for page in _evaluation_pages(district, e):
        site.write(
            names.phase_page(district.code, e.phase_id, page.name),
            page.template,
            base
            | {"title": f"{district.name} {e.phase_name} {page.title}", "phases": phases(page.name)}
            | {"crumbs": home if page.name in ("index", "leader") else [*home, wall]}
            | page.context,
        )


def _indicator_phases(district: District) -> list[tuple[Any, list[Any]]]:
    """Every indicator of the newest phase's standard, with the district's row for it in each phase."""
    by_phase = [{d.indicator_code: d for d in e.rows["district_indicator"]} for e in district.evaluations]
    return [(i, [rows.get(i.indicator_code) for rows in by_phase]) for i in district.newest.indicators]


def _balance_phases(district: District) -> list[tuple[Any, str, list[Any]]]:
    """Every CV, phase by phase."""
    by_phase = [{i.indicator_code: bars for i, bars in balance(e)} for e in district.evaluations]
    return [
        (i, stage, [bars.get(i.indicator_code, {}).get(stage) for bars in by_phase])
        for i in district.newest.indicators
        for stage in ("primary", "junior")
        if any(stage in bars.get(i.indicator_code, {}) for bars in by_phase)
    ]


def _newest_school(district: District, code: str) -> tuple[Any, Evaluation]:
    e = next(e for e in reversed(district.evaluations) if code in e.school)
    return e.school[code], e
