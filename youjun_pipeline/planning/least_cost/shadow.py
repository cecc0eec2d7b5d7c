"""What easing a limit by one step would save, from the duals of the relaxation: for coefficients, and for bounds at schools.

It is a first derivative: it holds for small steps with everything else unchanged. Keep out: the duals themselves (`relaxation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from youjun_pipeline.planning.least_cost.answer import Found
from youjun_pipeline.planning.least_cost.district import ADD, GIVE
from youjun_pipeline.planning.least_cost.prices import lever_kinds
from youjun_pipeline.vocabulary import word

COEFFICIENT, MOST_ADDED, MOST_GIVEN, MOST_MOVED = "coefficient", "most_added", "most_given", "most_moved"
# The step that a sentence uses.
STEP = {COEFFICIENT: 0.01, MOST_ADDED: 1.0, MOST_GIVEN: 1.0, MOST_MOVED: 1.0}
MOST = 40


@dataclass(frozen=True)
class Shadow:
    """A limit, the step by which it is eased, and what that saves in `unit` (money; without prices the resource's unit)."""

    limit: str
    school: str | None
    stage: str | None
    indicator: str
    what: str
    step: float
    step_unit: str
    saves: float
    unit: str


def shadows(found: Found, money: str) -> list[Shadow]:
    """Every limit that binds: coefficients first, then by what a step saves; at most `MOST` of each kind."""
    relaxed, model = found.plan.relaxed, found.plan.model
    if relaxed is None:
        return []
    kind_of_lever = [lever_kinds()[name] for name in found.lever_ids]
    by_indicator = {kind.indicator: kind for kind in kind_of_lever}
    k = len(found.figures.indicators)
    cones, out = model.program.cones, list[Shadow]()
    for cone in np.flatnonzero(relaxed.price_of_limit > 0):
        member = model.members[np.flatnonzero(cones.cone == cone)[0]]
        code = found.figures.indicators[member % k]
        kind = by_indicator[code]
        saves = float(relaxed.price_of_limit[cone]) * STEP[COEFFICIENT]
        stage = found.figures.section_keys[member // k][1]
        out.append(
            Shadow(
                COEFFICIENT, None, stage, code, kind.name, STEP[COEFFICIENT], "", saves, money or kind.unit
            )
        )
    for block in model.blocks:
        limit = {ADD: MOST_ADDED, GIVE: MOST_GIVEN}.get(block.kind)
        if limit is None or block.lever is None:
            continue
        lever, kind = found.levers[block.lever], kind_of_lever[block.lever]
        for site, price in enumerate(relaxed.price_of_high[block.at]):
            school, stage_ = (
                (found.figures.schools[site], None) if lever.by_school else found.figures.section_keys[site]
            )
            out.append(
                Shadow(
                    limit,
                    school,
                    stage_,
                    kind.indicator,
                    kind.name,
                    1.0,
                    kind.unit,
                    float(price),
                    money or kind.unit,
                )
            )
    least = 1e-6 * max((s.saves for s in out), default=0.0)
    out = sorted((s for s in out if s.saves > least), key=lambda s: (s.limit != COEFFICIENT, -s.saves))
    return [s for n, s in enumerate(out) if sum(o.limit == s.limit for o in out[:n]) < MOST]


def shadow_sentence(s: Shadow, names: Mapping[str, str]) -> str:
    """The limit in words."""
    stage = word("stage", s.stage) or ""
    saves = f"约省 {s.saves:,.2f} {s.unit}" if s.saves >= 0.005 else f"约省不到 0.01 {s.unit}"
    if s.limit == COEFFICIENT:
        return f"{stage} {s.indicator} 差异系数上限再放宽 {s.step:g}，{saves}"
    school = names.get(s.school or "", s.school or "")
    what = "可增加" if s.limit == MOST_ADDED else "可调出"
    return f"{school} {stage} {s.what}{what}的上限再放宽 {s.step:g} {s.step_unit}，{saves}"
