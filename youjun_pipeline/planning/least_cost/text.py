"""A least-cost plan, or what stands in its way, as Chinese text for a terminal; and as rows of a scenario or of measures.

Keep out: the figures (`answer`) and the mathematics.
"""

from __future__ import annotations

from collections import defaultdict

from youjun_pipeline.planning.least_cost.answer import TAKEN_OUT, Answer, Line, NoAnswer, Obstacle
from youjun_pipeline.planning.least_cost.figures import Figures
from youjun_pipeline.planning.least_cost.prices import Prices
from youjun_pipeline.vocabulary import word

SHOWN = 200


def answer_text(found: Answer | NoAnswer, prices: Prices | None) -> str:
    """The whole answer: cost and bound, what is left at the floor, what is done where, and the proof."""
    if isinstance(found, NoAnswer):
        return _obstacles_text(found)
    unit = prices.unit if prices else ""
    lines = [_proof_line(found), _cost_line(found, unit)]
    if found.left:
        names = found.figures.names
        left = "、".join(
            f"{names[school]}{word('stage', stage)}{code}" for school, stage, code in found.left[:SHOWN]
        )
        saved = ""
        if found.every_indicator_cost is not None and found.cost is not None:
            full = found.every_indicator_cost
            saved = f"；如七项全部达标，造价 {full:,.2f} {unit}，多 {full - found.cost:,.2f} {unit}"
        lines.append(
            f"按“至少六项达标、其余不低于底线”，{len(found.left)} 项留在底线与标准之间{saved}：{left}"
        )
    lines.append("")
    lines += _totals(found.lines, unit)
    out = [line for line in found.lines if line.action == TAKEN_OUT]
    for title, chosen in (
        ("逐校安排", [x for x in found.lines if x not in out]),
        ("停用（降低供给，最后考虑）", out),
    ):
        if chosen:
            lines += ["", f"{title}：", *(_line(line, found.figures, unit) for line in chosen[:SHOWN])]
            if len(chosen) > SHOWN:
                lines.append(f"  另有 {len(chosen) - SHOWN} 行，见 --write 写出的文件")
    return "\n".join(lines)


def _proof_line(found: Answer) -> str:
    if found.proof.holds:
        return "方案经同一套计算模型验证：R1–R7、差异系数、G3、G4、G5 全部达标"
    return "方案未通过计算模型验证，不能采用：\n" + "\n".join(
        f"  {line}" for line in found.proof.failing[:SHOWN]
    )


def _cost_line(found: Answer, unit: str) -> str:
    if found.cost is None:
        return "没有单价（prices.toml），各项以实物量计，各指标分别求最少，不相互比较"
    text = f"造价 {found.cost:,.2f} {unit}"
    if found.bound is None:
        return text + "；学生可分流时问题非凸，未证明没有更省的方案"
    text += (
        f"；任何方案不低于 {found.bound:,.2f} {unit}（连续松弛的下界），差距 {(found.gap or 0) * 100:.2f}%"
    )
    return text if found.status == "optimal" else text + "；到时限为止找到的最好方案"


def _totals(lines: list[Line], unit: str) -> list[str]:
    sums: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for line in lines:
        action = line.action if not line.action.startswith("分流") else "分流"
        entry = sums[action, line.what, line.unit]
        entry[0] += 1
        entry[1] += line.quantity
        entry[2] += line.cost or 0.0
    return ["合计："] + [
        f"  {action} {what}：{count} 处，{quantity:,.2f} {of}"
        + (f"，{cost:,.2f} {unit}" if unit and cost else "")
        for (action, what, of), (count, quantity, cost) in sums.items()
    ]


def _line(line: Line, figures: Figures, unit: str) -> str:
    action = line.action
    for code, name in figures.names.items():
        action = action.replace(code, name) if code in action else action
    stage = word("stage", line.stage) or ""
    cost = f"，{line.cost:,.2f} {unit}" if line.cost else ""
    return f"  {figures.names.get(line.school, line.school)} {stage} {action} {line.what} {line.quantity:,.2f} {line.unit}{cost}"


def _obstacles_text(found: NoAnswer) -> str:
    lines = ["在允许的手段和上限内没有方案可以达标。至少要让步的地方："]
    lines += [f"  {_obstacle(obstacle, found.figures)}" for obstacle in found.obstacles[:SHOWN]]
    if not found.obstacles:
        lines.append(
            "  班级、教室或学校规模无法同时满足，请核对校址容量（site_capacity）和邻近学校（neighbours）"
        )
    return "\n".join(lines)


def _obstacle(o: Obstacle, figures: Figures) -> str:
    school = figures.names.get(o.school or "", o.school or "")
    stage = word("stage", o.stage) or ""
    if o.what == "coefficient":
        return f"{stage} {o.indicator} 差异系数最低只能降到 {o.short:.4f}，请放宽学校的增加上限或增加手段"
    if o.what == "school_size":
        return f"{school} 超过学校规模上限 {o.short:.0f} 人：须向邻近学校分流（补报 neighbours）或新建学校"
    if o.what == "budget":
        return f"预算至少还差 {o.short:,.2f}"
    if o.what in ("threshold", "floor"):
        return f"{school} {stage} {o.indicator} 还差 {o.short:,.2f}（资源单位），请放宽该校的增加上限"
    return f"{school} {stage} {o.what} {o.short:,.2f}"
