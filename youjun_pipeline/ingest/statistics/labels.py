"""Labels of the official forms: how they are compared, and how a message quotes them.

Belongs here: the text of single cells. Keep out: where a label is (grids.py) and which labels there are (layouts.toml).
"""

from __future__ import annotations

import re
from functools import lru_cache

from youjun_pipeline.contracts.model import fold_word

# A form's number in a sheet's name or in the row below its title: 教基1102续, 教基 4155_小学, 基础基111.
_FORM = re.compile(r"(基础基|教基)(\d{3,4}(?:-\d+)?)\(?(续)?")
# 其中：, #, 一、, (一), 1. before a label are numbering and not part of the label.
_LEAD = re.compile(
    r"(?:其中[::]?|#|[一二三四五六七八九十]{1,3}、|\d{1,2}[、.](?!\d)|\([一二三四五六七八九十\d]{1,3}\))+"
)
_ORDINAL = re.compile(r"([0-9]{1,5})(?:\.0+)?")
_AT_MOST = re.compile(r"(\d{1,3})人?及?以下")
_BETWEEN = re.compile(r"(\d{1,3})人?[-‐‑–—―−~至](\d{1,3})人?")
_AT_LEAST = re.compile(r"(\d{1,3})人?及?以上")

SHOWN_LABELS, SHOWN_CHARACTERS = 30, 30
HIDDEN = "（略）"
_CONTACT = re.compile(r"@|\d{7,}|\d{3,4}[-—]\d{7,8}")


def cell_text(value: str) -> str:
    """A cell's text without surrounding blanks."""
    return value.strip() if value else value


@lru_cache(maxsize=10_000)
def ordinal(text: str) -> int | None:
    """The number of a row, a column or a coordinate, in any spelling (01, 1.0), or None."""
    found = _ORDINAL.fullmatch(text)
    return int(found[1]) if found else None


@lru_cache(maxsize=50_000)
def fold_label(text: str) -> str:
    """The form of a label for comparison: fold_word, without leading numbering and words such as 其中."""
    folded = fold_word(text)
    found = _LEAD.match(folded)
    return (folded[found.end() :] or folded) if found else folded


@lru_cache(maxsize=10_000)
def form_number(text: str) -> str | None:
    """The form named by a sheet's name or a cell, such as 教基1102续, or None.

    After the number follows the school's type, or a mark that the form continues on this sheet.
    """
    found = _FORM.match(fold_word(text).removeprefix("表号:").removeprefix("表号"))
    return f"{found[1]}{found[2]}{found[3] or ''}" if found else None


@lru_cache(maxsize=10_000)
def class_band(text: str) -> tuple[int, int | None] | None:
    """The smallest and largest class of a size band (None: open), or None if the label is no band."""
    label = fold_label(text)
    if found := _AT_MOST.fullmatch(label):
        return 0, int(found[1])
    if found := _BETWEEN.fullmatch(label):
        return int(found[1]), int(found[2])
    if found := _AT_LEAST.fullmatch(label):
        return int(found[1]), None
    return None


def quoted(text: str) -> str:
    """A label as a message shows it, in one line. Possible contact fields are left out and never stored."""
    line = re.sub(r"\s+", " ", text).strip()
    if len(line) > SHOWN_CHARACTERS or _CONTACT.search(line):
        return HIDDEN
    return line


def listed(labels: list[str]) -> str:
    """Quoted labels as a message lists them: each label once, in order."""
    shown = list(dict.fromkeys(label for label in labels if label))
    more = f" 等 {len(shown)} 个" if len(shown) > SHOWN_LABELS else ""
    return "、".join(shown[:SHOWN_LABELS]) + more if shown else "（空）"
