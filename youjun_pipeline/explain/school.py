"""The origin of one school's indicator: its figures, the sum with the figures filled in, the waiver, the verdict.

Keep out: finding the school (`find`), and judging: the value, status and gap are those of `mart.school_indicator`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from youjun_pipeline.explain.text import (
    CLASS_BAND,
    CLASS_COUNT,
    INDENT,
    Line,
    figure,
    heading,
    input_lines,
    input_name,
    percent,
    shown,
    stage_name,
    standard_line,
    status_line,
)
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.words import plain

LISTED_CLASSES = 12
_ROOM_KINDS = {"音乐": "music", "美术": "art"}


def school_text(evaluation: Evaluation, row: Row, inputs: Sequence[Row]) -> list[Line]:
    """Explain one row of `mart.school_indicator` with its rows of `mart.lineage`, as lines."""
    return [
        f"{row['school_name']}（{row['school_code']}）{stage_name(evaluation.catalogue, row['stage'])}",
        *heading(evaluation, row["indicator_code"]),
        *school_steps(evaluation, row, inputs),
    ]


def school_steps(evaluation: Evaluation, row: Row, inputs: Sequence[Row]) -> list[Line]:
    """The figures, the sum with the figures filled in, the waivers and the verdict of a row of `mart.school_indicator`."""
    steps = {"G3": _rooms, "G4": _size, "G5": _classes}.get(row["indicator_code"], _resource)
    return [
        *steps(evaluation, row, inputs),
        *_waiver(evaluation, inputs),
        *_result(evaluation, row),
    ]


def _resource(evaluation: Evaluation, row: Row, inputs: Sequence[Row]) -> list[Line]:
    order = [entry.input for entry in evaluation.catalogue.indicators[row["indicator_code"]].inputs]
    parts = sorted(
        (r for r in inputs if r["factor"] is not None),
        key=lambda r: order.index(r["input"]) if r["input"] in order else len(order),
    )
    prefixes: list[str] = []
    for r in parts:
        word = "减：" if r["factor"] < 0 else "加：" if prefixes else ""
        if r["waiver"]:
            word = f"加（按{r['waiver']}）："
        prefixes.append(word)
    stages = list(evaluation.catalogue.stages)
    pupils = sorted(
        (r for r in inputs if r["input"].endswith("_students") and r["waiver"] is None),
        key=lambda r: [*stages, _stage_of(r)].index(_stage_of(r)),
    )
    lines: list[Line] = ["原始数据：", *input_lines(parts, prefixes), *input_lines(pupils), "代入："]
    if row["value"] is None:
        missing = "、".join(sorted({input_name(r["input"]) for r in (*parts, *pupils) if r["value"] is None}))
        return [*lines, f"{INDENT}缺 {missing}，无法计算"]
    terms, amount = "", 0.0
    for r in parts:
        size = abs(r["factor"])
        sign = "－" if r["factor"] < 0 else "＋" if terms else ""
        terms += f"{sign}{figure(r['value'] or 0)}" + ("" if size == 1 else f"×{figure(size)}")
        amount += (r["value"] or 0) * r["factor"]
    lines.append(f"{INDENT}资源量＝{terms}" + (f"＝{figure(amount)}" if terms != figure(amount) else ""))
    split, per = "", f"×{figure(row['per'])}" if row["per"] != 1 else ""
    if len(pupils) > 1:
        lines.append(_share(evaluation, row, pupils))
        split = f"×{figure(row['share'])}"
    lines.append(f"{INDENT}指标值＝{figure(amount)}{split}÷{row['students']}{per}＝{figure(row['value'])}")
    return lines


def _share(evaluation: Evaluation, row: Row, pupils: Sequence[Row]) -> str:
    """This stage's share of the school's resource: its weighted pupils divided by those of all stages."""
    stages = evaluation.catalogue.stages
    weighted = {_stage_of(r): r["value"] for r in pupils}
    terms = [f"{plain(stages[s].split_weight)}×{figure(n)}" for s, n in weighted.items()]
    weights = "、".join(f"{stages[s].name} {plain(stages[s].split_weight)}" for s in weighted)
    own = f"{plain(stages[row['stage']].split_weight)}×{row['students']}"
    return f"{INDENT}分摊份额＝{own}÷（{'＋'.join(terms)}）＝{percent(row['share'])}（权重：{weights}）"


def _stage_of(row: Row) -> str:
    return str(row["input"]).removeprefix("schools.").removesuffix("_students")


def _size(evaluation: Evaluation, row: Row, inputs: Sequence[Row]) -> list[Line]:
    facts = [r for r in inputs if r["waiver"] is None]
    pupils = [r for r in facts if r["input"].endswith("_students")]
    total = "＋".join(figure(r["value"]) for r in pupils)
    return [
        "原始数据：",
        *input_lines(facts),
        "代入：",
        f"{INDENT}义务教育阶段学生数＝{total}" + (f"＝{figure(row['value'])}" if len(pupils) > 1 else ""),
    ]


def _rooms(evaluation: Evaluation, row: Row, inputs: Sequence[Row]) -> list[Line]:
    catalogue = evaluation.catalogue
    least = {kind: min(_allowed_areas(evaluation, row, inputs, kind)) for kind in _ROOM_KINDS.values()}
    rooms = [r for r in inputs if r["input"] == "special_rooms.area_m2"]
    counted = [r for r in inputs if r["input"] in (CLASS_COUNT, CLASS_BAND)]
    prefixes, enough = [], dict.fromkeys(_ROOM_KINDS, 0)
    for r in rooms:
        word = r["detail"].split()[0]
        fits = r["value"] is not None and r["value"] >= float(least[_ROOM_KINDS[word]])
        enough[word] += fits
        prefixes.append("合格：" if fits else "不合格：")
    lines: list[Line] = ["原始数据：", *input_lines(counted), *input_lines(rooms, prefixes), "代入："]
    if row["threshold"] is not None:
        per = plain(catalogue.parameters["classes_per_room"].value)
        classes = figure(sum(r["value"] or 0 for r in counted))
        if evaluation.music_art_rule == "per_stage" and row["stage"] == "compulsory":
            classes += " 个班，按学段分别计算、取班数多的学段，其班数"
        lines.append(f"{INDENT}应配＝{classes} 个班÷{per}，向上取整＝{figure(row['threshold'])} 间")
    lines.append(
        f"{INDENT}合格面积：音乐不小于 {plain(least['music'])} ㎡，美术不小于 {plain(least['art'])} ㎡；"
        f"合格音乐 {enough['音乐']} 间、美术 {enough['美术']} 间"
        + ("，合并计算" if evaluation.music_art_rule == "combined" else "，分别计算，取较少者")
    )
    return lines


def _allowed_areas(evaluation: Evaluation, row: Row, inputs: Sequence[Row], kind: str) -> list[Decimal]:
    """The areas that count as a room of a kind: the standard's own first, then those that the school's waivers allow."""
    parameters = [evaluation.catalogue.parameters] + [
        evaluation.catalogue.waivers[code].parameters for code in _waivers(inputs)
    ]
    names = (f"{kind}_room_area_m2", f"area_{row['stage']}_m2")
    found = [given[name].value for given in parameters for name in names if name in given]
    return [area for area in found if area is not None]


def _waivers(inputs: Sequence[Row]) -> list[str]:
    """The school's waivers for this indicator, whether or not the verdict depends on one."""
    return sorted({r["waiver"] for r in inputs if r["waiver"]})


def _classes(evaluation: Evaluation, row: Row, inputs: Sequence[Row]) -> list[Line]:
    limit = row["threshold"]
    if any(r["input"] == CLASS_BAND for r in inputs):
        filled = [r for r in inputs if r["value"] != 0]
        return ["原始数据（统计报表按班额分档，没有各班人数）：", *input_lines(filled)]
    largest = sorted(inputs, key=lambda r: (r["value"] is not None, -(r["value"] or 0), r["row"]))
    lines: list[Line] = ["原始数据（由大到小）：", *input_lines(largest[:LISTED_CLASSES])]
    if len(largest) > LISTED_CLASSES:
        lines.append(f"{INDENT}其余 {len(largest) - LISTED_CLASSES} 个班见 youjun explain --json")
    over = Counter(r["value"] for r in largest if r["value"] is not None and r["value"] > limit)
    lines += [
        "代入：",
        f"{INDENT}共 {len(largest)} 个班，最大班额 {figure(row['value'])} 人，超过 {figure(limit)} 人的 {over.total()} 个班",
    ]
    if over:
        terms = "＋".join(
            f"（{figure(size)}－{figure(limit)}）" + (f"×{n}" if n > 1 else "") for size, n in over.items()
        )
        total = sum((size - limit) * n for size, n in over.items())
        lines.append(f"{INDENT}超出人数＝{terms}＝{figure(total)}")
    return lines


def _waiver(evaluation: Evaluation, inputs: Sequence[Row]) -> list[Line]:
    """The waivers in the figures, why each of them applies here, and who keeps it in force."""
    lines: list[Line] = []
    for code in _waivers(inputs):
        entry = evaluation.catalogue.waivers[code]
        grounds = [r for r in inputs if r["waiver"] == code and r["factor"] is None]
        in_force = f"{entry.starts} 至 {entry.ends}"
        by = (
            f"国家有效期 {in_force} 之外，由区县继续适用"
            if code in evaluation.district_waivers
            else f"在国家有效期 {in_force} 内"
        )
        lines += [f"过渡政策：{code} {entry.name}：{entry.effect_text}（{by}）", *input_lines(grounds)]
    return lines


def _result(evaluation: Evaluation, row: Row) -> list[str]:
    catalogue, code = evaluation.catalogue, row["indicator_code"]
    entry = catalogue.indicators[code]
    lines = [f"结果：{figure(row['value'])}，显示为 {shown(catalogue, code, row['value'])}"]
    if row["value"] is None:
        lines = ["结果：缺数据"]
    if row["threshold"] is not None:
        lines.append(standard_line(catalogue, code, row["threshold"], row["floor"]))
    lines.append(status_line(row["status"], row["status_strict"]))
    if row["status"] == "met_by_waiver" and row["value_strict"] != row["value"]:
        lines.append(f"{INDENT}不计过渡政策的指标值：{figure(row['value_strict'])}")
    if row["gap"]:
        lines.append(f"缺口：{figure(row['gap'])} {entry.gap_unit}")
    if row["rounding_sensitive"]:
        lines.append("注意：四舍五入后的显示值会得出不同结论，以完整精度为准")
    lines.append(f"说明：{row['reason']}")
    return lines
