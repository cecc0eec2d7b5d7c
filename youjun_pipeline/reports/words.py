"""Figures and verdicts as a form writes them: formats, rounding, words for statuses, remarks, names of sheets.

Keep out: the place of a text on the paper (`official`, `schools`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from youjun_pipeline import vocabulary
from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.standard import Catalogue

NOTHING = "—"
ROUNDED_MARK, WAIVER_MARK = "※", "△"
NOTHING_MEANS = f"“{NOTHING}”为未报、缺数据或不适用，缺报不按 0 计"
LEGEND = f"{NOTHING_MEANS}；“{WAIVER_MARK}”为按过渡政策达标；“{ROUNDED_MARK}”为四舍五入后与判定不一致，判定以完整精度为准。"
RECONSTRUCTED = "数据为重构样例，非填报数据"
STALE = f"{vocabulary.words('evaluation_state')['stale']}：不是按现有交付重算的结果"
SHARE_UNIT = "比例"
VERDICTS = {
    True: vocabulary.status_word("met"),
    False: vocabulary.status_word("below"),
    None: vocabulary.words("passes")["unknown"],
}
_LEVELS = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ"
# Characters that Excel does not allow in the name of a sheet, besides control characters; an apostrophe would end the name in a
# link.
_SHEET_NAME_REFUSED = re.compile(r"[\[\]:*?/\\'\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_SHEET_NAME_UNITS = 31


def decimals_format(decimals: int) -> str:
    """The number format with this number of decimals."""
    return "0." + "0" * decimals if decimals else "0"


def share_format(catalogue: Catalogue) -> str:
    """The number format of a share, as a percentage."""
    return decimals_format(int(catalogue.parameters["share_display_decimals"].value)) + "%"


def cv_format(catalogue: Catalogue) -> str:
    """The number format of a coefficient of variation."""
    return decimals_format(int(catalogue.parameters["cv_display_decimals"].value))


def value_format(catalogue: Catalogue, indicator_code: str) -> str:
    """The number format of an indicator's value."""
    indicator = catalogue.indicators[indicator_code]
    return (
        share_format(catalogue)
        if indicator.unit == SHARE_UNIT
        else decimals_format(indicator.display_decimals)
    )


def amount_format(value: float | None) -> str:
    """The number format of a figure: whole numbers without decimals, others with two.

    A share of a resource that is multiplied back may differ from a whole number in its last bits.
    """
    return "#,##0" if value is None or abs(value - round(value)) < 1e-6 else "#,##0.00"


def rounded(value: float, decimals: int) -> Decimal:
    """`value` rounded as on a form: half up, from the decimal that the number represents."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def is_rounding_sensitive(
    value: float | None, target: float | None, status: str | None, shown_decimals: int
) -> bool:
    """Whether a value that must reach `target` would suggest another verdict after rounding."""
    if value is None or target is None or status not in ("met", "below"):
        return False
    return (rounded(value, shown_decimals) >= Decimal(str(target))) != (status == "met")


def plain(value: Decimal | float) -> str:
    """A number in a sentence: no trailing zeros, no exponent."""
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: float | None) -> str | None:
    """An amount in a table of a document: thousands separated, two decimals unless it is whole."""
    if value is None:
        return None
    return f"{round(value):,}" if abs(value - round(value)) < 1e-6 else f"{rounded(value, 2):,}"


def shown_value(value: float | None, catalogue: Catalogue, indicator_code: str) -> str | None:
    """An indicator's value in a table of a document: a share as a percentage, others with their decimals."""
    if value is None:
        return None
    indicator = catalogue.indicators[indicator_code]
    if indicator.unit == SHARE_UNIT:
        return f"{rounded(value * 100, int(catalogue.parameters['share_display_decimals'].value))}%"
    return f"{rounded(value, indicator.display_decimals):,}"


def floor_word(catalogue: Catalogue) -> str:
    """The floor of a single indicator as a percentage: 85%."""
    return plain(catalogue.parameters["floor_share"].value * 100) + "%"


def level_word(level: int | None) -> str:
    """An academic level in the spelling of the monitoring report: Ⅲ."""
    if level is None:
        return NOTHING
    return _LEVELS[level - 1] if 1 <= level <= len(_LEVELS) else str(level)


def status_word(status: str | None, catalogue: Catalogue, *, has_floor: bool) -> str:
    """A status in words; for an indicator with a floor they say on which side of the floor the value is."""
    return vocabulary.status_word(status, floor_word(catalogue), has_floor=has_floor)


def remark(statuses: Mapping[str, tuple[str, str | None]], catalogue: Catalogue) -> str:
    """The remark of a section in table Ⅱ-2: which indicators are met, which reach the floor, which do not.

    `statuses`: for each indicator code its status and the waiver by which it is met (None without).
    """
    word = partial(status_word, catalogue=catalogue, has_floor=True)
    groups = [
        (("met", "met_by_waiver"), word("met")),
        *(((code,), word(code)) for code in ("near", "below", "no_data", "not_applicable")),
    ]
    parts = [
        "、".join(codes) + said
        for wanted, said in groups
        if (codes := [code for code, (status, _) in statuses.items() if status in wanted])
    ]
    waived = [f"{code}按{waiver}达标" for code, (s, waiver) in statuses.items() if s == "met_by_waiver"]
    return "；".join(parts) + (f"（其中{'、'.join(waived)}）" if waived else "")


def sheet_names(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """A legal and unique sheet name for each wanted name, in order.

    Refused characters become blanks. A name is cut to the 31 UTF-16 units that Excel allows, and numbered if another sheet has
    the same name, ignoring case.
    """
    used = {name.casefold() for name in taken} | {"history"}
    names = []
    for raw in wanted:
        base = " ".join(_SHEET_NAME_REFUSED.sub(" ", raw).split()) or "未命名"
        name, number = _cut(base, _SHEET_NAME_UNITS), 1
        while name.casefold() in used:
            number += 1
            suffix = f"({number})"
            name = _cut(base, _SHEET_NAME_UNITS - len(suffix)) + suffix
        used.add(name.casefold())
        names.append(name)
    return names


def _cut(text: str, units: int) -> str:
    """The longest beginning of a text with at most this number of UTF-16 units."""
    while len(text.encode("utf-16-le")) // 2 > units:
        text = text[:-1]
    return text.rstrip()


def item_word(item: str | None) -> str:
    """The item of a scenario's action: a column of a dataset by its header, anything else as it is written."""
    for name in ("facilities", "teachers"):
        column = load_datasets()[name].columns.get(item or "")
        if column is not None:
            return str(column.zh)
    return {"music": "音乐教室", "art": "美术教室"}.get(item or "", item or "")
