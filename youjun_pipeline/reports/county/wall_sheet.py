"""The wall map as one A0 sheet (挂图): every school by every indicator, worst first, and next to it what the meeting asks.

Belongs here: the drawing, in millimetres. Keep out: any figure that is not in a mart, and the PDF of the drawing (`wall_pdf`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from youjun_pipeline import vocabulary
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import indicator_words, limit_word, progress_word, stage_word
from youjun_pipeline.reports.workbook import harmless, text_width

if TYPE_CHECKING:
    import duckdb

TITLE = "挂图"
WIDTH, HEIGHT, MARGIN = 841, 1189, 28
_FACES = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','SimHei','WenQuanYi Zen Hei',sans-serif"
# Fill, ink and sign of a status: the signs differ too, so colour is not needed to tell them apart.
_LOOKS = {
    "met": ("#E4F1E6", "#1B4D2B", ""),
    "met_by_waiver": ("#D9E7F5", "#173F66", words.WAIVER_MARK),
    "near": ("#FBE3B4", "#6B4500", "▲"),
    "below": ("#F3B8B0", "#7A120A", "✕"),
    "no_data": ("#D5D5D5", "#333333", "缺"),
    "not_applicable": ("#FFFFFF", "#888888", "－"),
}
_RANK = {"below": 0, "near": 1, "no_data": 2}
_TOP, _BOTTOM = 178, HEIGHT - 34
_SPLIT, _TALLEST = 560, 9.0


class Sheet:
    """An SVG that is put together from parts; lengths and text sizes are in millimetres."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> None:
        """A rectangle."""
        size = f'x="{x:.2f}" y="{y:.2f}" width="{max(width, 0):.2f}" height="{height:.2f}"'
        self.parts.append(f'<rect {size} fill="{fill}" stroke="{stroke}" stroke-width="0.25"/>')

    def line(
        self, x: float, y: float, to_x: float, to_y: float, ink: str = "#333333", dashes: str = ""
    ) -> None:
        """A straight line."""
        look = f'stroke="{ink}" stroke-width="0.5"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
        self.parts.append(f'<line x1="{x:.2f}" y1="{y:.2f}" x2="{to_x:.2f}" y2="{to_y:.2f}" {look}/>')

    def text(
        self,
        x: float,
        y: float,
        text: object,
        size: float,
        ink: str = "#111111",
        anchor: str = "start",
        weight: str = "",
    ) -> None:
        """A line of text on the baseline `y`."""
        bold = f' font-weight="{weight}"' if weight else ""
        place = f'x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}" fill="{ink}" text-anchor="{anchor}"{bold}'
        self.parts.append(f"<text {place}>{escape(harmless(str(text)))}</text>")

    def svg(self, width: str, height: str) -> str:
        """The whole drawing, in the size given by `width` and `height`."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        return "\n".join([f'{head} font-family="{_FACES}">', *self.parts, "</svg>", ""])


def write_svg(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the sheet of one evaluation as SVG."""
    path.write_text(draw(con, evaluation).svg(f"{WIDTH}mm", f"{HEIGHT}mm"), encoding="utf-8")


def draw(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> Sheet:
    """The drawing of one evaluation."""
    sheet = Sheet()
    sheet.box(0, 0, WIDTH, HEIGHT, "#FFFFFF")
    _head(sheet, con, evaluation)
    _matrix(sheet, con, evaluation)
    y = _balance(sheet, con, evaluation, _TOP)
    y = _progress(sheet, con, evaluation, y + 16)
    _lists(sheet, con, evaluation, y + 16)
    _legend(sheet, evaluation)
    return sheet


def _head(sheet: Sheet, con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> None:
    """Title, what the sheet is about, and the tiles."""
    sheet.text(MARGIN, 58, f"{evaluation.district_name}义务教育优质均衡发展作战图", 30, weight="bold")
    about = f"{evaluation.phase_name}阶段（{evaluation.starts}至{evaluation.ends}）　数据截至{evaluation.effective_on}"
    sheet.text(MARGIN, 78, about, 11, "#444444")
    if notice := evaluation.notice("本图"):
        sheet.text(WIDTH - MARGIN, 78, notice, 13, "#C00000", "end", "bold")
    tiles = _tiles(con, evaluation)
    width = (WIDTH - 2 * MARGIN - 10 * (len(tiles) - 1)) / len(tiles)
    for place, (label, value, is_bad) in enumerate(tiles):
        x = MARGIN + place * (width + 10)
        sheet.box(x, 92, width, 62, "#F3B8B0" if is_bad else "#F2F4F5", "#999999")
        sheet.text(x + width / 2, 112, label, 11, "#333333", "middle")
        size = min(27.0, 2 * (width - 8) / max(text_width(value), 1))
        sheet.text(x + width / 2, 142, value, size, "#7A120A" if is_bad else "#111111", "middle", "bold")


def _tiles(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> list[tuple[str, str, bool]]:
    """Label, value, and whether the value is bad news."""
    verdicts = evaluation.rows(con, "mart.district_verdict", "*", "all")
    ((waiting, open_findings, late, over),) = con.execute(
        """
        select
            (select count(*) from mart.finding
                where district_code = $1 and phase_id = $2 and state = 'closed' and not signed_off),
            (select count(*) from mart.finding where district_code = $1 and phase_id = $2 and state <> 'closed'),
            (select count(*) from mart.measure_status where district_code = $1 and phase_id = $2 and overdue),
            (select count(*) from mart.indicator_money where district_code = $1 and phase_id = $2 and is_over_budget)
        """,
        [evaluation.district_code, evaluation.phase_id],
    ).fetchall()
    tiles: list[tuple[str, str, bool]] = []
    for v in verdicts:
        passes, failing = vocabulary.words("passes"), v["indicators_failing"]
        # nothing fails and the district still does not pass: data are missing
        verdict = passes["true"] if v["passes"] else passes["false"] if failing else passes["unknown"]
        tiles = [
            ("结论", verdict, bool(failing)),
            ("未达标学校", f"{v['schools_failing']}／{v['schools_in_scope']}", bool(v["schools_failing"])),
            ("未达标指标", str(failing), bool(failing)),
            ("缺数据指标", str(v["indicators_no_data"]), bool(v["indicators_no_data"])),
        ]
    counts = (("未解决问题", open_findings), ("待销号", waiting), ("逾期措施", late), ("超支指标", over))
    return tiles + [(label, str(count), bool(count)) for label, count in counts]


def _matrix(sheet: Sheet, con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> None:
    """Sections by indicators, the sections with most failures on top; a section's line has at most a fixed height."""
    catalogue = evaluation.catalogue
    cells: dict[tuple[str, str], dict[str, Row]] = {}
    compulsory: dict[str, dict[str, Row]] = {}
    for row in evaluation.rows(con, "mart.school_indicator", "*", "school_code, stage, indicator_code"):
        if row["stage"] in catalogue.stages:
            cells.setdefault((row["school_code"], row["stage"]), {})[row["indicator_code"]] = row
        else:
            compulsory.setdefault(row["school_code"], {})[row["indicator_code"]] = row
    for (school_code, _), of_section in cells.items():
        of_section.update(compulsory.get(school_code, {}))
    shown = {code for of_section in cells.values() for code in of_section}
    codes = [code for code in catalogue.indicators if code in shown]
    order = sorted(
        cells,
        key=lambda key: (
            sorted(_RANK.get(cell["status"], 3) for cell in cells[key].values()),
            key,
        ),
    )
    width, name_width = (_SPLIT - MARGIN - 96) / max(len(codes), 1), 96
    sheet.text(MARGIN, _TOP, "各校各项指标（最差的在上）", 13, weight="bold")
    for place, code in enumerate(codes):
        middle = MARGIN + name_width + (place + 0.5) * width
        sheet.text(middle, _TOP + 14, code, 7, anchor="middle", weight="bold")
        sheet.text(middle, _TOP + 21, catalogue.indicators[code].short_name, 5.4, anchor="middle")
    top = _TOP + 26
    height = min(_TALLEST, (_BOTTOM - top) / max(len(order), 1))
    for number, key in enumerate(order):
        y = top + number * height
        _line(sheet, evaluation, cells[key], codes, (y, height, name_width, width))


def _line(
    sheet: Sheet,
    evaluation: Evaluation,
    of_section: dict[str, Row],
    codes: list[str],
    layout: tuple[float, float, float, float],
) -> None:
    """One section."""
    y, height, name_width, width = layout
    catalogue, base, size = evaluation.catalogue, y + height * 0.72, height * 0.64
    first = next(iter(of_section.values()))
    stage = next((c["stage"] for c in of_section.values() if c["stage"] in catalogue.stages), None)
    name = f"{first['school_name']}（{stage_word(catalogue, stage)}）"
    sheet.text(MARGIN, base, name, min(size, 2 * (name_width - 3) / max(text_width(name), 1)))
    for place, code in enumerate(codes):
        cell = of_section.get(code)
        x = MARGIN + name_width + place * width
        if cell is None:
            continue
        fill, ink, sign = _LOOKS.get(cell["status"], _LOOKS["no_data"])
        value = words.shown_value(cell["value"], catalogue, code) if cell["value"] is not None else ""
        word = limit_word(catalogue.indicators[code].direction)
        if word and value and cell["status"] in ("near", "below") and cell["threshold"] is not None:
            value = f"{value} {word} {words.shown_value(cell['threshold'], catalogue, code)}"
        shown = f"{sign}{value}"
        sheet.box(x, y, width - 0.6, height - 0.5, fill)
        fitting = 2 * (width - 3) / max(text_width(shown), 1)
        sheet.text(x + width / 2, base, shown, min(size, fitting), ink, "middle")


def _balance(sheet: Sheet, con: duckdb.DuckDBPyConnection, evaluation: Evaluation, top: float) -> float:
    """Draw coefficients as bars with their limits; returns the lower end of the drawing."""
    catalogue = evaluation.catalogue
    rows = evaluation.rows(con, "mart.stage_balance", "*", "stage desc, indicator_code")
    left, right = _SPLIT + 92, WIDTH - MARGIN - 26
    longest = max([v for r in rows for v in (r["cv"], r["cv_limit"]) if v is not None], default=1.0) * 1.05
    sheet.text(_SPLIT + 18, top, "校际差异系数（竖线为限值）", 13, weight="bold")
    y = top + 8
    for row in rows:
        fill, _, sign = _LOOKS.get(row["status"], _LOOKS["no_data"])
        label = f"{stage_word(catalogue, row['stage'])} {indicator_words(catalogue, row['indicator_code'])}"
        sheet.text(_SPLIT + 18, y + 7, label, 6)
        sheet.box(left, y + 1.5, (right - left) * (row["cv"] or 0) / longest, 7, fill, "#777777")
        if row["cv_limit"] is not None:
            x = left + (right - left) * row["cv_limit"] / longest
            sheet.line(x, y, x, y + 10)
        decimals = int(catalogue.parameters["cv_display_decimals"].value)
        value = vocabulary.status_word("no_data") if row["cv"] is None else words.rounded(row["cv"], decimals)
        sheet.text(WIDTH - MARGIN, y + 7, f"{sign} {value}", 6, anchor="end")
        y += 11
    return y


def _progress(sheet: Sheet, con: duckdb.DuckDBPyConnection, evaluation: Evaluation, top: float) -> float:
    """Draw findings by indicator: signed off, closed, open; returns the lower end of the drawing."""
    catalogue = evaluation.catalogue
    table = (
        "(select district_code, phase_id, indicator_code, sum(findings)::bigint as findings, sum(closed)::bigint as closed, "
        "sum(signed_off)::bigint as signed_off from mart.remediation_progress group by all)"
    )
    rows = [r for r in evaluation.rows(con, table, "*", "findings desc, indicator_code") if r["findings"]]
    left, right = _SPLIT + 92, WIDTH - MARGIN - 40
    most = max((r["findings"] for r in rows), default=1)
    sheet.text(_SPLIT + 18, top, "问题：已销号、待销号、未解决", 13, weight="bold")
    y = top + 8
    for row in rows:
        sheet.text(_SPLIT + 18, y + 7, indicator_words(catalogue, row["indicator_code"]), 6)
        x = left
        parts = (row["signed_off"], row["closed"] - row["signed_off"], row["findings"] - row["closed"])
        for count, fill in zip(parts, ("#7FB58A", "#D9E7F5", "#F3B8B0"), strict=True):
            width = (right - left) * count / most
            if count:
                sheet.box(x, y + 1.5, width, 7, fill, "#777777")
            x += width
        sheet.text(WIDTH - MARGIN, y + 7, "／".join(str(part) for part in parts), 6, anchor="end")
        y += 11
    if not rows:
        sheet.text(_SPLIT + 18, y + 7, "没有问题", 6)
        y += 11
    return y


def _lists(sheet: Sheet, con: duckdb.DuckDBPyConnection, evaluation: Evaluation, top: float) -> None:
    """What blocks, who is late and where money ran out, as far as there is space; the number of the others is given."""
    verdicts = evaluation.rows(con, "mart.district_verdict", "blocking", "all")
    blocking: list[str] = (verdicts[0]["blocking"] or []) if verdicts else []
    measures = evaluation.rows(con, "mart.measure_status", "*", "due nulls last, measure_no")
    late = [
        f"{m['measure_no']} {m['description'] or ''}（{m['due']}，{progress_word(m)}，"
        f"{m['responsible_units'] or m['bureau_sections'] or '没有责任单位'}）"
        for m in measures
        if m["overdue"]
    ]
    money = [
        f"{indicator_words(evaluation.catalogue, m['indicator_code'])}：预算 {words.amount(m['budget_wan'])} 万元，"
        f"已支出 {words.amount(m['spent_wan'])} 万元，超支 {words.amount(m['over_wan'])} 万元"
        for m in evaluation.rows(con, "mart.indicator_money", "*", "indicator_code")
        if m["is_over_budget"]
    ]
    y = top
    for heading, lines in (("阻碍认定的事项", blocking), ("逾期的措施", late), ("超支", money)):
        if y > _BOTTOM - 30:
            break
        sheet.text(_SPLIT + 18, y, f"{heading}（{len(lines)} 项）", 13, weight="bold")
        y += 15
        for number, text in enumerate(lines):
            wrapped = list(_wrapped(text, (WIDTH - MARGIN - _SPLIT - 18) / 4.1))
            if y + 11 * len(wrapped) > _BOTTOM - 12:
                sheet.text(_SPLIT + 18, y, f"其余 {len(lines) - number} 项见简报和销号台账", 8, "#555555")
                y = _BOTTOM
                break
            for part in wrapped:
                sheet.text(_SPLIT + 18, y, part, 8)
                y += 11
            y += 2
        y += 14


def _wrapped(text: str, width: float) -> Iterable[str]:
    """A text in lines of at most `width` digits' widths."""
    line = ""
    for letter in text:
        if text_width(line + letter) > width:
            yield line
            line = ""
        line += letter
    yield line


def _legend(sheet: Sheet, evaluation: Evaluation) -> None:
    x = float(MARGIN)
    for status in ("met", "met_by_waiver", "near", "below", "no_data"):
        fill, ink, sign = _LOOKS[status]
        word = words.status_word(status, evaluation.catalogue, has_floor=status == "near")
        sheet.box(x, HEIGHT - 26, 12, 8, fill, "#777777")
        sheet.text(x + 6, HEIGHT - 20, sign, 6, ink, "middle")
        sheet.text(x + 15, HEIGHT - 20, word, 7)
        x += 26 + 3.6 * text_width(word)
    basis = f"依据：{evaluation.catalogue.document}。数值为四舍五入，判定以完整精度为准。"
    sheet.text(WIDTH - MARGIN, HEIGHT - 20, basis, 6, "#444444", "end")


WALL_SHEET = Report(
    "{district_code}/{phase_id}/" + TITLE + ".svg",
    f"{TITLE}（A0）",
    (
        *(
            "mart.evaluation",
            "mart.district_verdict",
            "mart.finding",
            "mart.indicator_money",
            "mart.measure_status",
        ),
        *("mart.remediation_progress", "mart.school_indicator", "mart.stage_balance"),
    ),
    write_svg,
)
