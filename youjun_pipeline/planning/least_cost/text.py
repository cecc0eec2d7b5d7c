"""A least-cost plan, or the obstacles to one, as Chinese text for a terminal.

Keep out: the figures (`answer`), the mathematics, and the files (`write`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from youjun_pipeline.planning.least_cost.answer import PARTIAL, PROVED, Answer, NoAnswer
from youjun_pipeline.planning.least_cost.coming_pupils import pupils_sentence
from youjun_pipeline.planning.least_cost.lines import TAKE_OUT, Line
from youjun_pipeline.planning.least_cost.obstacles import Obstacle
from youjun_pipeline.planning.least_cost.prices import Prices
from youjun_pipeline.vocabulary import word

SHOWN = 200


def answer_text(answer: Answer | NoAnswer, prices: Prices | None) -> str:
    """The whole answer: cost and bound, what is left at the floor, what is done where, and the proof."""
    if isinstance(answer, NoAnswer):
        told = obstacles_text(answer.obstacles, answer.figures.names, money_unit(prices))
        return f"{pupils_sentence(answer.pupils_of)}\n{told}"
    found, unit = answer.found, money_unit(prices)
    lines = [
        pupils_sentence(found.pupils_of),
        verdict_sentence(answer),
        *_unexplained(answer),
        cost_sentence(answer, unit),
    ]
    if found.left:
        lines.append(left_sentence(answer, unit))
    if found.beyond:
        lines += [
            "",
            "方案之外须另行解决：",
            *(f"  {obstacle_sentence(o, found.figures.names)}" for o in found.beyond),
        ]
    lines += ["", "合计：", *(f"  {text}" for text in totals(found.lines, unit))]
    for title, chosen in (
        ("逐校安排", [x for x in found.lines if x.kind != TAKE_OUT]),
        ("停用（降低供给，最后考虑）", [x for x in found.lines if x.kind == TAKE_OUT]),
    ):
        if chosen:
            lines += ["", f"{title}："]
            lines += [f"  {line_sentence(line, found.figures.names, unit)}" for line in chosen[:SHOWN]]
            if len(chosen) > SHOWN:
                lines.append(f"  另有 {len(chosen) - SHOWN} 行，见 --write 写出的文件")
    return "\n".join(lines)


def money_unit(prices: Prices | None) -> str:
    """The unit of the prices; empty without prices."""
    return prices.unit or "" if prices is not None and prices.is_priced else ""


def verdict_sentence(answer: Answer) -> str:
    """What the models say of the plan, in one sentence."""
    if answer.verdict == PROVED:
        return "方案经同一套计算模型验证：R1–R7、差异系数、G3、G4、G5 全部达标"
    if answer.verdict == PARTIAL:
        schools = len({o.school for o in answer.found.beyond})
        return f"方案经同一套计算模型验证：除 {schools} 所学校的学校规模（G4）须另行解决外，R1–R7、差异系数、G3、G4、G5 全部达标"
    return "方案未通过计算模型验证，不能采用"


def _unexplained(answer: Answer) -> list[str]:
    return [
        f"  {f.school_name or ''} {word('stage', f.stage)} {f.indicator or ''} {f.reason}"
        for f in answer.unexplained[:SHOWN]
    ]


def cost_sentence(answer: Answer, unit: str) -> str:
    """Cost, bound, the kind of bound, and the gap."""
    found = answer.found
    if found.cost is None:
        return "没有单价（prices.toml），各项以实物量计，各指标分别求最少，不相互比较"
    text = f"造价 {found.cost:,.2f} {unit}"
    if found.bound is None:
        text += "；未求得下界，不能证明没有更省的方案"
    else:
        kind = word("bound_of", found.bound_of)
        text += f"；任何方案不低于 {found.bound:,.2f} {unit}（{kind}），差距 {(found.gap or 0) * 100:.2f}%"
    return text if found.status == "optimal" else text + "；到时限为止找到的最好方案"


def left_sentence(answer: Answer, unit: str) -> str:
    """What stays between floor and threshold by choice, and what that choice saves."""
    found = answer.found
    names = found.figures.names
    left = "、".join(
        f"{names[school]}{word('stage', stage)}{code}" for school, stage, code in found.left[:SHOWN]
    )
    saved = ""
    if found.every_indicator_cost is not None and found.cost is not None:
        more = max(found.every_indicator_cost - found.cost, 0.0)
        saved = f"；如七项全部达标，造价 {found.every_indicator_cost:,.2f} {unit}，多 {more:,.2f} {unit}"
    return f"按“至少六项达标、其余不低于底线”，{len(found.left)} 项留在底线与标准之间{saved}：{left}"


def totals(lines: Iterable[Line], unit: str) -> list[str]:
    """One line for each kind of work: how often, how much, at what cost."""
    sums: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for line in lines:
        what = line.what if line.grade is None else line.what.removeprefix(f"{line.grade} 年级") or "班级"
        entry = sums[line.kind, what, line.unit]
        entry[0] += 1
        entry[1] += line.quantity
        entry[2] += line.cost or 0.0
    return [
        f"{word('proposal_action', kind)} {what}：{count:.0f} 处，{number(quantity)} {of}"
        + (f"，{cost:,.2f} {unit}" if unit and cost else "")
        for (kind, what, of), (count, quantity, cost) in sums.items()
    ]


def line_sentence(line: Line, names: Mapping[str, str], unit: str) -> str:
    """One line of the plan."""
    stage = word("stage", line.stage) or ""
    to = f"至 {names.get(line.to_school, line.to_school)} " if line.to_school else ""
    cost = f"，{line.cost:,.2f} {unit}" if line.cost else ""
    due = f"，{line.due} 前" if line.due else ""
    return (
        f"{names.get(line.school, line.school)} {stage} {word('proposal_action', line.kind)} {to}{line.what} "
        f"{number(line.quantity)} {line.unit}{cost}{due}"
    )


def number(value: float) -> str:
    """A quantity with the decimals that it needs, at most two."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def obstacles_text(obstacles: Iterable[Obstacle], names: Mapping[str, str], unit: str = "") -> str:
    """What keeps the district from passing, each obstacle with the least by which it would have to give way."""
    sentences = [obstacle_sentence(o, names, unit) for o in obstacles]
    lines = [
        "在允许的手段和上限内没有方案可以达标。至少要让步的地方：",
        *(f"  {t}" for t in sentences[:SHOWN]),
    ]
    if len(sentences) > SHOWN:
        lines.append(f"  另有 {len(sentences) - SHOWN} 处")
    return "\n".join(lines)


def obstacle_sentence(o: Obstacle, names: Mapping[str, str], unit: str = "") -> str:
    """One obstacle, and what to do about it."""
    school = names.get(o.school or "", o.school or "")
    stage = word("stage", o.stage) or ""
    if o.what == "coefficient":
        return f"{stage} {o.indicator} 差异系数最低只能降到 {o.short:.4f}，请放宽学校的增加上限或增加手段"
    if o.what == "school_size":
        return f"{school} 超过学校规模上限 {o.short:.0f} 人：须向邻近学校分流（补报 neighbours，或经纬度和最远距离）或新建学校"
    if o.what == "budget":
        return f"预算至少还差 {o.short:,.2f} {unit}".rstrip()
    if o.what == "seats":
        return "班级、专用教室的容量不足，请核对校址容量（site_capacity）和邻近学校（neighbours）"
    if o.what == "whole_units":
        return f"{o.indicator} 按整数（人、间）安排不出方案，请放宽学校的增加上限"
    if o.what in ("threshold", "floor"):
        return f"{school} {stage} {o.indicator} 还差 {o.short:,.2f}（资源单位），请放宽该校的增加上限"
    return f"{school} {stage} {o.what} {o.short:,.2f}"
