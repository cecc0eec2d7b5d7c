"""How the text of one cell is read, by contract type: strictly. A text that cannot be read gets a reason and a remedy in Chinese.

Accepted is only what has one possible meaning: full-width characters, blanks, thousands separators, the usual spellings of dates,
grades, levels and flags. Nothing is guessed: 约300, 12人, - and * are refused. Numbers never pass through binary floats. Belongs
here: one function per type, from text (trimmed, not empty) to value. Keep out: columns of cells (cells.py).
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from youjun_pipeline.contracts.model import INVISIBLE, Column, fold_word
from youjun_pipeline.ingest.formats.book import BYTES, UNCALCULATED
from youjun_pipeline.ingest.formats.number_formats import DISTORTED

UNREADABLE, OUT_OF_RANGE, UNKNOWN_VALUE = "unreadable", "out_of_range", "unknown_value"

# Precision and scale of the stored decimals; cells.ARROW_TYPES and contracts.DUCKDB_TYPES say the same.
DECIMALS = {"amount": (18, 6), "percent": (9, 6), "rate": (12, 9)}

# A spreadsheet keeps 15 significant digits and writes binary floats with up to 17, so 0.1 + 0.2 arrives as
# 0.30000000000000004. Nobody types that many digits: a number with at least 15 is taken for such a float.
FLOAT_DIGITS = 15
LONGEST_NUMBER = 60
EXACT = Context(prec=LONGEST_NUMBER + 40, rounding=ROUND_HALF_EVEN)
SPREADSHEET = Context(prec=FLOAT_DIGITS, rounding=ROUND_HALF_EVEN)

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(E[+-]?[0-9]+)?", re.IGNORECASE)
GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
WHOLE_FLOAT = re.compile(r"([0-9]+)\.0+")
SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)
NUMBER_PARTS = re.compile(r"[0-9.,%+\-\s]+")
PLACEHOLDERS = frozenset(
    {"-", "--", "---", "—", "——", "–", "/", "\\", "*", "**", "无", "暂无", ".", "...", "……"}
)
MINUS_SIGNS = str.maketrans({"−": "-", "﹣": "-"})

# What a spreadsheet shows for a failed formula, and what our reader writes for a formula that was never calculated.
FORMULA_ERRORS = frozenset(
    {
        "#N/A",
        "#REF!",
        "#DIV/0!",
        "#VALUE!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#ERROR!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
    }
    | {UNCALCULATED}
)

# A line break in a name serves only to fit the name into its cell.
NAMES = frozenset(
    {"school_name", "township", "from_school", "to_school", "receiving_school", "alias", "school_names"}
)
_LINE_BREAK = re.compile(r"[ \t]*[\r\n\v\f\t\x1c-\x1f\x85\u2028\u2029]+[ \t]*")

# No code is longer than this; a remark in the place of a code is.
LONGEST_CODE = 60
# The spelling of a date cell that a spreadsheet made from a typed 1-2.
DAY_CELL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?")
LATIN_CODE = re.compile(r"[0-9A-Za-z_-]+")

YEARS = (1900, 2100)
DAY = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})"
    r"|年([0-9]{1,2})月([0-9]{1,2})[日号]?"
    r"|([0-9]{2})([0-9]{2})(?:\.0+)?)"
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
)
# 2024.1 is not accepted: a spreadsheet also turns 2024.10 into 2024.1.
MONTH = re.compile(r"([0-9]{4})(?:[-/]([0-9]{1,2})|\.([0-9]{2})|年([0-9]{1,2})月(?:份|底|底前|末)?)")
SERIAL = re.compile(r"[0-9]{5}(\.[0-9]+)?")

FLAGS = {
    **dict.fromkeys(("是", "true", "1", "1.0", "y", "yes"), True),
    **dict.fromkeys(("否", "false", "0", "0.0", "n", "no"), False),
}
ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
NUMERALS = "一二三四五六七八九十"
LEVELS = {word: n for words in (ROMANS, NUMERALS) for n, word in enumerate(words, 1)}


class BadCell(Exception):
    """Why a text cannot be read, with the remedy, in Chinese; `rule` names the kind of fault."""

    def __init__(self, reason: str, rule: str = UNREADABLE) -> None:
        super().__init__(reason)
        self.rule = rule


def read_code(text: str, column: Column) -> str:
    """A code as text: full-width characters folded, blanks and Excel's additions (.0, ', ="") removed; leading zeros stay."""
    _refuse_formula_error(text)
    if DAY_CELL.fullmatch(text) and not column.is_day:
        raise BadCell("像是日期，可能是表格软件把 1-2 一类的编号变成了日期，请把单元格设为文本格式后重新填写")
    code = "".join(c for c in _fold(text) if not c.isspace() and c not in INVISIBLE)
    if code.startswith('="') and code.endswith('"'):
        code = code[2:-1]
    code = code.removeprefix("'")
    if SCIENTIFIC.fullmatch(code):
        raise BadCell("是科学计数法，代码的位数已经丢失，请把单元格设为文本格式后重新填写完整代码")
    if not code or code in PLACEHOLDERS:
        raise BadCell("不是代码，请填写代码，没有请留空")
    if len(code) > LONGEST_CODE:
        raise BadCell("过长，不像代码，请只填代码")
    if column.latin and not LATIN_CODE.fullmatch(_without_point_zero(code)):
        raise BadCell("不是代码，代码只有数字、字母和 -，请核对是否填错了列")
    return _without_point_zero(code)


def read_text(text: str, column: Column) -> str:
    """Free text as it is; a name becomes one line. The error value of a formula is refused."""
    _refuse_formula_error(text)
    return _LINE_BREAK.sub("", text) if column.name in NAMES else text


def read_count(text: str, column: Column) -> int:
    """A whole number that fits 64 bits; 12.0 is 12, 12.5 is refused."""
    return _whole(_number(text, column), 2**63, "请填整数")


def read_year(text: str, column: Column) -> int:
    """A year: 2023, 2023年, 2023年度."""
    folded = _fold(text)
    if DAY_CELL.fullmatch(folded):
        raise BadCell("是日期，不是年份，请把单元格格式改为“常规”，再填四位年份，如 2023")
    digits = re.fullmatch(r"([0-9]{4})\s*年度?", folded)
    return _whole(_number(digits[1] if digits else folded, column), 2**31, "请填四位年份，如 2023")


def read_grade(text: str, column: Column) -> int:
    """A grade, 1 to 9: 4, 四年级, 初一, 初中二年级; the range is checked with the row."""
    word = fold_word(text)
    if word in GRADES:
        return GRADES[word]
    if NUMBER.fullmatch(word):
        return _whole(_number(word, column), 2**31, "请填 1–9，或“四年级”“初一”")
    raise BadCell("不是一至九年级中的一个，请填 1–9，或“四年级”“初一”")


def read_level(text: str, column: Column) -> int:
    """A level: Ⅲ, III, 3, 三, each also with 级."""
    word = fold_word(text).upper().removesuffix("级")
    if word in LEVELS:
        return LEVELS[word]
    if NUMBER.fullmatch(word):
        return _whole(_number(word, column), 2**31, "请填 Ⅰ、Ⅱ、Ⅲ 或 1、2、3")
    raise BadCell("不是等级，请填 Ⅰ、Ⅱ、Ⅲ 或 1、2、3")


def read_amount(text: str, column: Column) -> Decimal:
    """A decimal number in the column's unit."""
    return _to_scale(_number(text, column), *DECIMALS["amount"])


def read_percent(text: str, column: Column) -> Decimal:
    """A percentage as a number of hundredths: both 50 and 50% give 50."""
    return _to_scale(_number(_fold(text).removesuffix("%").rstrip(), column), *DECIMALS["percent"])


def read_rate(text: str, column: Column) -> Decimal:
    """A fraction: 0.123 and 12.3% are 0.123; a bare 12.3 is above 1 and refused with the row's ranges."""
    folded = _fold(text)
    number = _number(folded.removesuffix("%").rstrip(), column)
    return _to_scale(EXACT.scaleb(number, -2) if folded.endswith("%") else number, *DECIMALS["rate"])


def read_date(text: str, column: Column) -> date:
    """A day; if the contract allows it, also a month, which means its last day."""
    folded = _fold(text)
    if "年" in folded:
        folded = "".join(folded.split())
    if found := DAY.fullmatch(folded):
        year, month, day = (int(part) for part in found.groups() if part and part.isdigit())
        return _day(year, month, day)
    if found := MONTH.fullmatch(folded):
        year, month = int(found[1]), int(next(part for part in found.groups()[1:] if part))
        if not column.month_means_end:
            raise BadCell("只写到月份，这一列要写到日，请补全，如 2023-08-31")
        return _day(year, month, calendar.monthrange(max(year, 1), month)[1] if 1 <= month <= 12 else 1)
    if SERIAL.fullmatch(folded):
        raise BadCell("像是 Excel 的日期序号，请把单元格设为日期格式，或写成 2023-08-31")
    form = (
        "2023-08-31、2023年8月31日或 2024年12月" if column.month_means_end else "2023-08-31 或 2023年8月31日"
    )
    raise BadCell(f"不是日期，请写成 {form}")


def read_flag(text: str, column: Column) -> bool:
    """Yes or no: 是/否, true/false, 1/0, Y/N."""
    flag = FLAGS.get(fold_word(text))
    if flag is None:
        raise BadCell("不是“是”或“否”，请填“是”或“否”")
    return flag


def read_choice(text: str, column: Column) -> str:
    """The stored value of a coded text; an open choice keeps an unknown word as it is."""
    word = _without_point_zero(fold_word(text))
    # A number format may show 1 as 01.
    stored = column.spellings.get(word, column.spellings.get(word.lstrip("0")))
    if stored is not None:
        return stored
    _refuse_formula_error(text)
    if column.is_open:
        return text
    allowed = "、".join(
        words[0] if value.isascii() and words else value for value, words in column.values.items()
    )
    raise BadCell(f"不在约定的取值之内，请填其中之一：{allowed}", UNKNOWN_VALUE)


READERS: dict[str, Callable[..., Any]] = {
    "code": read_code,
    "text": read_text,
    "names": read_text,
    "choice": read_choice,
    "count": read_count,
    "year": read_year,
    "grade": read_grade,
    "level": read_level,
    "amount": read_amount,
    "percent": read_percent,
    "rate": read_rate,
    "date": read_date,
    "flag": read_flag,
}


def _fold_sign(character: str) -> str:
    """A full-width character as a plain one. ① and ² stay: 1900① is 1900 with a note and not 19001."""
    if unicodedata.category(character) == "No":
        return character
    return unicodedata.normalize("NFKC", character).translate(MINUS_SIGNS)


def _fold(text: str) -> str:
    if not text.isascii() and any(unicodedata.category(c) == "No" for c in text):
        return "".join(map(_fold_sign, text)).strip()
    return unicodedata.normalize("NFKC", text).translate(MINUS_SIGNS).strip()


def _without_point_zero(text: str) -> str:
    found = WHOLE_FLOAT.fullmatch(text)
    return found[1] if found else text


def _refuse_formula_error(text: str, kind: str = "") -> None:
    if text.startswith(DISTORTED):
        raise BadCell("，显示的与存储的不是同一个数，请把单元格格式改为“常规”后填写应有的数")
    if text.startswith(BYTES):
        raise BadCell("，不是文字，请把该列导出为文本")
    if text.upper() in FORMULA_ERRORS:
        raise BadCell(f"{kind}是公式的出错结果，请改正公式，或直接填写内容")


def _number(text: str, column: Column) -> Decimal:
    """The exact decimal number in a text; raises BadCell with what is wrong with the text."""
    folded = _fold(text)
    # Excel users type this before digits that must stay text.
    folded = column.words.get(folded, folded).removeprefix("'")
    if column.unit and column.unit.startswith("万"):
        # In a column of 万元, 186.35万 is 186.35 shown through a number format.
        folded = folded.removesuffix(column.unit).removesuffix("万")
    if GROUPED.fullmatch(folded):
        folded = folded.replace(",", "")
    if NUMBER.fullmatch(folded):
        if len(folded) > LONGEST_NUMBER:
            raise BadCell("数字过长，请核对", OUT_OF_RANGE)
        return Decimal(folded)
    if DAY_CELL.fullmatch(folded):
        raise BadCell("是日期，不是数，请把单元格格式改为“常规”后重新填写")
    if folded in PLACEHOLDERS:
        raise BadCell("不是数，没有数据请留空，确实为零请填 0")
    _refuse_formula_error(folded, "不是数，")
    # The text as written is quoted: after folding, 120㎡ would be 120m2 and its unit m.
    rest = "".join(c for c in text if not NUMBER_PARTS.fullmatch(_fold_sign(c)))
    if rest and rest != text:
        raise BadCell(f"含有“{rest}”，请只填确定的数字，单位和说明不要写进单元格")
    if rest:
        raise BadCell("不是数，请填数字，没有数据请留空")
    raise BadCell("不是规范的数字，请核对逗号、小数点、正负号和百分号，只填一个数")


def _whole(number: Decimal, limit: int, remedy: str) -> int:
    """A whole number below `limit` in size; the noise of a spreadsheet's float (12.000000000000002) is removed."""
    if number and number.adjusted() > LONGEST_NUMBER:
        raise BadCell(f"数值过大，{remedy}", OUT_OF_RANGE)
    if number != number.to_integral_value(context=EXACT) and len(number.as_tuple().digits) >= FLOAT_DIGITS:
        number = SPREADSHEET.plus(number)
    whole = number.to_integral_value(context=EXACT)
    if whole != number:
        raise BadCell(f"不是整数，{remedy}")
    if abs(whole) >= limit:
        raise BadCell(f"数值过大，{remedy}", OUT_OF_RANGE)
    return int(whole)


def _to_scale(number: Decimal, precision: int, scale: int) -> Decimal:
    """The number with `scale` decimals, rounded half to even if it has more, whether it was typed or computed by a spreadsheet.

    A third is 0.333333333 in a text exported by a spreadsheet and 0.3333333333333333 in its own file: they are one figure, not
    two.
    """
    if number and number.adjusted() >= precision - scale:
        raise _too_large()
    scaled = EXACT.quantize(number, Decimal(1).scaleb(-scale))
    # 999999999999.9999999 rounds up to a number with one digit too many.
    if scaled and scaled.adjusted() >= precision - scale:
        raise _too_large()
    return scaled


def _too_large() -> BadCell:
    return BadCell("数值过大，请核对数值与单位", OUT_OF_RANGE)


def _day(year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise BadCell("没有这一天，请核对年月日") from None
    if not YEARS[0] <= year <= YEARS[1]:
        raise BadCell(f"的年份不在 {YEARS[0]}–{YEARS[1]} 年之间，请核对", OUT_OF_RANGE)
    return found


def _grades() -> dict[str, int]:
    grades: dict[str, int] = {}
    for grade, numeral in enumerate(NUMERALS[:9], 1):
        stage = "小学" if grade <= 6 else "初中"
        for written in (numeral, str(grade)):
            grades |= dict.fromkeys((written, f"{written}年级", f"{stage}{written}年级"), grade)
    for grade, numeral in enumerate(NUMERALS[:3], 7):
        grades |= dict.fromkeys((f"初{numeral}", f"初中{numeral}年级", f"初{grade - 6}"), grade)
    return grades


GRADES = _grades()
