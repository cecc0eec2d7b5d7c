"""Running text with figures: blocks from a file or the district's own blocks; each figure is read from the publication.

Keep out: all other parts of a paper (`self_report`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline import vocabulary
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation

if TYPE_CHECKING:
    import duckdb

NO_DATA = vocabulary.status_word("no_data")
OWN_TEXTS = "self_report.toml"


class Figures(dict[str, str]):
    """Printed figures by name. An unknown name is printed as a hint, because a district wrote the text."""

    def __missing__(self, name: str) -> str:
        return f"【没有“{name}”这个数】"


@cache
def standard_texts() -> Mapping[str, Any]:
    """The file of blocks and figures that comes with the package."""
    return tomllib.loads(Path(__file__).with_name(OWN_TEXTS).read_text(encoding="utf-8"))


def blocks(evaluation: Evaluation) -> tuple[dict[str, str], str | None]:
    """The blocks of an evaluation: the standard ones, replaced by the district's own; and the faults of the district's file."""
    known: dict[str, str] = dict(standard_texts()["blocks"])
    own = evaluation.texts / OWN_TEXTS if evaluation.texts else None
    if own is None or not own.is_file():
        return known, None
    try:
        given = tomllib.loads(own.read_text(encoding="utf-8-sig")).get("blocks", {})
    except (OSError, ValueError) as error:
        return known, f"区县的文字 {own.name} 读不出，用了通用文字：{error}"
    unknown = sorted(name for name in given if name not in known)
    replaced = {name: text for name, text in given.items() if name in known and isinstance(text, str)}
    said = f"区县的文字 {own.name} 中没有用到：{'、'.join(unknown)}" if unknown else None
    return known | replaced, said


def figure_queries() -> dict[str, tuple[str, str]]:
    """SQL and printed form of every figure by its name; the SQL takes district and phase."""
    texts = standard_texts()
    queries = {name: (entry["sql"], entry["form"]) for name, entry in texts["figures"].items()}
    counted = {name: condition for name, condition in texts["by_category"].items() if name != "categories"}
    for category in texts["by_category"]["categories"]:
        for name, condition in counted.items():
            sql = (
                f"select count(*) filter ({condition}) from mart.district_indicator "
                f"where district_code = $1 and phase_id = $2 and category = '{category}'"
            )
            queries[f"{category}_{name}"] = sql, "count"
    return queries


def read_figures(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> Figures:
    """Every figure in its printed form, by name."""
    key = [evaluation.district_code, evaluation.phase_id]
    figures = Figures()
    for name, (sql, form) in figure_queries().items():
        found = con.execute(sql, key).fetchall()
        figures[name] = printed(found[0][0] if found else None, form, evaluation)
    # If nothing fails and the district still does not pass, the cause is missing data: there is no verdict and no failure.
    ((passes, strict),) = con.execute(
        "select if(not passes and indicators_failing = 0, null, passes), "
        "if(not passes_strict and indicators_failing = 0 and not passes, null, passes_strict) "
        "from mart.district_verdict where district_code = $1 and phase_id = $2",
        key,
    ).fetchall() or [(None, None)]
    figures |= {
        "district": evaluation.district_name,
        "phase": evaluation.phase_name,
        "effective_on": date_word(evaluation.effective_on),
        "floor": words.floor_word(evaluation.catalogue),
        "conclusion": CONCLUSIONS[passes],
        "strict_conclusion": CONCLUSIONS[strict],
    }
    return figures


CONCLUSIONS: dict[bool | None, str] = {
    True: "达到县域义务教育优质均衡发展标准",
    False: "未达到县域义务教育优质均衡发展标准",
    None: "有缺数据的指标，尚不能判定",
}


def date_word(day: Any) -> str:
    """A date as a paper writes it."""
    return NO_DATA if day is None else f"{day.year}年{day.month}月{day.day}日"


def printed(value: Any, form: str, evaluation: Evaluation) -> str:
    """A value in its printed form; an unknown value is called missing, never 0."""
    if value is None:
        return NO_DATA
    if form == "count":
        return f"{round(value):,}"
    if form == "share":
        decimals = int(evaluation.catalogue.parameters["share_display_decimals"].value)
        return f"{words.rounded(float(value) * 100, decimals)}%"
    if form == "number":
        return f"{round(value):,}" if value == round(value) else words.plain(words.rounded(float(value), 2))
    return date_word(value) if form == "date" else str(value)
