"""Two or three schools side by side: the page, and the figures of a district's schools that it loads.

The figures are a script in the district's folder, because pages opened from a disk can load only scripts. Keep out: HTML
(templates/compare.html), putting the chosen schools together (assets/compare.js).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports.words import NOTHING
from youjun_pipeline.site import names, words
from youjun_pipeline.site.derivation import how_anchor
from youjun_pipeline.site.read import District, Evaluation
from youjun_pipeline.site.school import school_codes
from youjun_pipeline.site.wall import value_text

if TYPE_CHECKING:
    from youjun_pipeline.site.writer import Writer

LIMIT_SIGN = {"at_least": "≥", "at_most": "≤", "below": "<", "formula": "≥"}


def write_compare(site: Writer, pieces: dict[str, Any]) -> None:
    """Write the page; `pieces` is what the search page knows of its index (`search.write_search`)."""
    title = {"title": "学校对比", "crumbs": [names.HOME], "common": site.common_documents()}
    site.write(names.COMPARE, "compare.html", pieces | title)


def write_figures(site: Writer, district: District) -> None:
    """Write the script with the figures of every school of a district, each in its newest phase."""
    schools = {
        names.school_page(district.code, code): _school(district, code) for code in school_codes(district)
    }
    text = json.dumps(schools, ensure_ascii=False, separators=(",", ":"))
    path = site.folder / names.figures_script(district.code)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"Object.assign(window.YOUJUN_FIGURES??={{}},{text});\n", encoding="utf-8")


def _school(district: District, code: str) -> dict[str, Any]:
    """What the page shows of a school: `facts` as title and text, `values` as returned by `_value`."""
    e = next(e for e in reversed(district.evaluations) if code in e.school)
    school, findings = e.school[code], e.by_school["finding"].get(code, [])
    values, order = (
        e.by_school["school_indicator"].get(code, []),
        {i.indicator_code: i.sort_order for i in e.indicators},
    )
    facts = [
        ("区县", district.name),
        ("镇街", school.township),
        ("类型", school.school_type),
        ("城乡", school.urban_rural),
        ("阶段", e.phase_name + ("" if e is district.newest else "（其后不在名册）")),
        ("在评", words.YES_NO[school.in_scope]),
        *((f"{words.STAGE[v.stage]}学生", _count(v.students, "人")) for v in _sections(e, code)),
        *(
            (f"{words.STAGE[v.stage]}校级要求", words.PASSES[v.passes_resource_rule].name)
            for v in _sections(e, code)
        ),
        ("未解决的问题", f"{sum(f.state != 'closed' for f in findings)} 个"),
    ]
    return {
        "name": school.school_name,
        "reconstructed": e.is_reconstructed,
        "facts": [(title, text or NOTHING) for title, text in facts],
        "values": [
            _value(e, v)
            for v in sorted(values, key=lambda v: (v.stage != "primary", order[v.indicator_code]))
        ],
    }


def _count(value: int | None, unit: str) -> str:
    return words.STATUS["no_data"].name if value is None else f"{words.number(value)} {unit}"


def _sections(e: Evaluation, code: str) -> list[Any]:
    return e.by_school["school_verdict"].get(code, [])


def _value(e: Evaluation, v: Any) -> tuple[str, ...]:
    """Row title, CSS class and sign of the state, its name, value, limit, gap, and the anchor of the sum on the school's page."""
    i, sign = e.indicator[v.indicator_code], words.STATUS[v.status]
    limit = (
        ""
        if v.threshold is None
        else f"{LIMIT_SIGN[i.direction]} {words.plain(v.threshold, i.display_decimals)}"
    )
    gap = (
        f"{'超' if i.direction == 'at_most' else '缺'} {words.plain(v.gap)} {i.gap_unit or ''}"
        if v.gap
        else ""
    )
    title = f"{i.indicator_code} {i.short_name}（{words.STAGE[v.stage]}{'，' + i.unit if i.unit else ''}）"
    anchor = how_anchor(e.phase_id, v.indicator_code, v.stage)
    return title, sign.css, sign.sign, sign.name, value_text(v, i), limit, gap.strip(), anchor
