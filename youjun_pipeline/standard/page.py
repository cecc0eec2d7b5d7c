"""`docs/standard.md`, written from the catalogue: `python -m youjun_pipeline.standard.page > docs/standard.md`.

For people who judge: each indicator with clause, formula, limit, dates, waivers, and the readings that are open. Keep out:
anything that no catalogue or comparison holds; what a page says by hand goes out of date.
"""

from __future__ import annotations

from decimal import Decimal

from youjun_pipeline.standard.catalogue import DEFAULT_STANDARD, Catalogue, load_catalogue
from youjun_pipeline.standard.comparison import load_comparisons
from youjun_pipeline.standard.model import DatedLimit, Indicator, Part, Waiver
from youjun_pipeline.standard.ratio_checks import SCOPE_WORDS, SHARE_UNIT

CATEGORIES = {
    "resource": "资源配置",
    "government": "政府保障程度",
    "quality": "教育质量",
    "recognition": "社会认可度",
    "veto": "一票否决事项",
}
COMPARED = {"at_least": "≥", "at_most": "≤", "below": "＜"}
JUDGED = {"sum": "全县合计", "each": "每所学校分别判定", "funding": "每所小规模学校按定额判定"}
SIZES = {"single": "单一学段学校", "all_through": "一贯制学校", "forbidden": "职业学校", "district": ""}


def standard_page(catalogue: Catalogue) -> str:
    """The whole page as Markdown, in Chinese: it is for those who judge and are judged."""
    parts = [
        f"# {catalogue.name}\n",
        f"依据：{catalogue.document}。本页由标准目录 `{catalogue.id}` 生成（`make docs`），不要手工修改。\n",
    ]
    for category, title in CATEGORIES.items():
        parts.append(f"## {title}\n")
        parts += [
            _indicator(catalogue, code, entry)
            for code, entry in catalogue.indicators.items()
            if entry.category == category
        ]
    parts.append("## 校际差异系数\n\n| 学段 | 上限 | 分摊权重 |\n| --- | --- | --- |")
    parts += [
        f"| {stage.name} | {_number(stage.cv_limit) if stage.cv_limit else '不评估'} | {_number(stage.split_weight)} |"
        for stage in catalogue.stages.values()
    ]
    parts.append("\n## 参数\n\n| 参数 | 数值 | 单位 |\n| --- | --- | --- |")
    parts += [
        f"| {entry.name} | {_dated(entry.dated, entry.unit)} | {entry.unit} |"
        for entry in catalogue.parameters.values()
    ]
    parts.append("\n## 过渡政策\n")
    parts += [_waiver(key, waiver) for key, waiver in catalogue.waivers.items()]
    parts.append("## 关注事项（只作报告，不影响判定）\n")
    parts += [f"- {entry.name}（{entry.unit}），出处：{entry.source}" for entry in catalogue.watched.values()]
    parts.append("\n" + _open_readings(catalogue))
    return "\n".join(parts)


def _indicator(catalogue: Catalogue, code: str, entry: Indicator) -> str:
    lines = [f"### {code} {entry.name}\n", f"- 依据：{entry.clause}", f"- 公式：{entry.formula_text}"]
    lines += [f"- 分子：{entry.numerator_text}", f"- 分母：{entry.denominator_text}"]
    sign = COMPARED.get(entry.direction, "")
    for variant, dated in entry.dated_limits.items():
        stage = catalogue.stages.get(variant)
        name = stage.name if stage else SIZES.get(variant, "")
        part = next(
            (
                p.name
                for p in entry.parts
                if p.limit == variant and variant not in ("district", *catalogue.stages)
            ),
            "",
        )
        lines.append(
            f"- 标准{''.join(f'（{word}）' for word in (name, part) if word)}：{sign} {_dated(dated, entry.unit)}"
        )
    lines += [f"- 计算：{_part(part)}" for part in entry.parts]
    if entry.evidence_based:
        lines.append("- 判定：填报结论为达标" + ("，并有佐证材料" if entry.needs_evidence else ""))
    if entry.needs_options:
        lines.append(f"- 另须给出：{'、'.join(catalogue.options[name].name for name in entry.needs_options)}")
    waivers = [f"{key}（{w.name}）" for key, w in catalogue.waivers.items() if w.indicator_code == code]
    if waivers:
        lines.append(f"- 过渡政策：{'、'.join(waivers)}")
    return "\n".join(lines) + "\n"


def _part(part: Part) -> str:
    scope = [SCOPE_WORDS[word] for word in part.scope]
    words = [part.name, JUDGED[part.judged]]
    words += ["；".join(scope)] if scope else []
    words += ["部分多于整体视为缺数据"] if part.is_share else []
    return "，".join(words)


def _waiver(key: str, waiver: Waiver) -> str:
    return (
        f"### {key} {waiver.name}\n\n- 指标：{waiver.indicator_code}\n- 作用：{waiver.effect_text}\n"
        f"- 国家有效期：{waiver.starts} 至 {waiver.ends}；区县可在其外继续适用，结果中注明\n"
    )


def _dated(dated: list[DatedLimit] | list, unit: str) -> str:
    """Each number with the days it holds and where it is from."""
    found = []
    for entry in dated:
        days = [f"{entry.starts} 起" if entry.starts else "", f"至 {entry.ends}" if entry.ends else ""]
        days += [entry.source or "", "尚未核实" if entry.unverified else ""]
        period = "，".join(word for word in days if word)
        found.append(_number(entry.value, unit) + (f"（{period}）" if period else ""))
    return "；".join(found)


def _number(value: Decimal, unit: str = "") -> str:
    if unit == SHARE_UNIT:
        return f"{(value * 100).normalize():f}%"
    return f"{value.normalize():f}"


def _open_readings(catalogue: Catalogue) -> str:
    """Options of a district, and the comparisons that show what another reading would change."""
    lines = ["## 区县选项和未定的读法\n", "| 选项 | 含义 | 默认 | 可选 |", "| --- | --- | --- | --- |"]
    for key, option in catalogue.options.items():
        default = "" if option.default in (None, []) else str(option.default)
        floor = f"不低于 {_dated(option.dated_minimum, '')}" if option.dated_minimum else ""
        lines.append(f"| `{key}` | {option.name} | {default} | {'、'.join(option.allowed or []) or floor} |")
    lines += ["\n每次计算都同时按下列读法判定一遍，差别见 `mart.rule_impact`：\n"]
    lines += [f"- {comparison.title}" for comparison in load_comparisons()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(standard_page(load_catalogue(DEFAULT_STANDARD)), end="")
