"""Texts of districts have no effect in a report, and special properties of a value are shown beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.reports.official.book import write_official
from youjun_pipeline.reports.schools.self_assessment import INDEX_NAME, write_self_assessment
from youjun_pipeline.reports.words import NOTHING, RECONSTRUCTED, ROUNDED_MARK, STALE, WAIVER_MARK
from youjun_pipeline.reports.workbook import LONGEST_TEXT
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.published_rows import (
    EVALUATION,
    RESOURCES,
    Rows,
    one_section,
    publish_rows,
    resource,
    together,
)
from youjun_pipeline_tests.integration.workbook_cells import (
    active_parts,
    cells,
    find_row,
    package_texts,
    sheets,
    texts,
)

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1,1)",
    '=HYPERLINK("http://example.org","点击")',
    "http://example.org/x",
    "internal:'目录'!A1",
    "mailto:a@example.org",
    "<script>alert(1)</script>",
    "</t></si><f>1+1</f>",
    "{=1+1}",
    "\"引号\"'和'反斜杠\\与/[问号?*:]",
    "\t=1+1",
    "&amp; & &#61;1",
    "_x003D_1+1",
    "换\n行",
    "\u202e倒\u200b写\u0007",
    "𠀀" * 40,
    "同名" * 20,
    "同名" * 20,
    "A" * 5000,
]


def write_both(folder: Path, rows: Rows) -> tuple[Path, Path]:
    """The official tables and the self-assessments of the one evaluation in `rows`."""
    path = publish_rows(folder / "published", rows)
    official, schools = folder / "official.xlsx", folder / "schools.xlsx"
    with connect(path, read_only=True) as con:
        (evaluation,) = published_evaluations(con)
        write_official(con, evaluation, official)
        write_self_assessment(con, evaluation, schools)
    return official, schools


def hostile_rows() -> Rows:
    """An evaluation in which every text that a district may write is hostile."""
    text = "".join(HOSTILE[:-1])
    sections = [
        one_section(f"{n:010d}", name, township=name, school_type=name) for n, name in enumerate(HOSTILE)
    ]
    place = {"file": text, "sheet": text, "row": 1, "source_column": text}
    of_school = {"school_code": "0000000000", "stage": "primary", "indicator_code": "R4"}
    return together(
        *sections,
        hostile_district(text),
        {"mart.lineage": [{**of_school, "input": "facilities.teaching_area_m2", "value": 1.0, **place}]},
    )


def hostile_district(text: str) -> Rows:
    """The rows about the district itself."""
    evaluation = {"district_name": text, "phase_name": text, "plan_title": text, "document_number": text}
    conclusion = {"figure_no": 20, "name": text, "conclusion": "met", "evidence": text}
    verdict = {
        "passes": False,
        "schools_in_scope": 1,
        "schools_failing": 0,
        "failing_out_of_scope": 0,
        "summary": text,
    }
    result = {
        "level": 3,
        "level_required": 3,
        "between_school_rate": 0.1,
        "rate_limit": 0.15,
        "status": "met",
    }
    return {
        "mart.evaluation": [{**EVALUATION, **evaluation}],
        "mart.district_figure": [
            {"item": name, "year": 2022, "value": 1, "is_newest": True} for name in HOSTILE
        ],
        "mart.recognition_group": [
            {"year": 2023, "respondent_group": name, "method": name, "valid": 1, "satisfied": 1, "rate": 1.0}
            for name in HOSTILE
        ],
        "mart.assurance_figure": [{"indicator_code": code, **conclusion} for code in ("G1", "V1")],
        "mart.district_verdict": [{**verdict, "blocking": HOSTILE}],
        "mart.district_indicator": [
            {"indicator_code": "G1", "category": "government", "status": "below", "summary": text}
        ],
        "mart.monitoring_subject": [
            {"cycle": 2022, "grade": 4, "subject": name, "is_newest": True, **result} for name in HOSTILE
        ],
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_both(tmp_path_factory.mktemp("hostile"), hostile_rows())


def test_hostile_texts_come_out_as_the_texts_they_are(hostile: tuple[Path, Path]) -> None:
    official, _ = hostile
    names = [row[1] for row in cells(sheets(official)["表Ⅱ-2"]) if isinstance(row[0], int)]
    expected = [n.replace("\u202e", "\ufffd").replace("\u0007", "\ufffd") for n in HOSTILE]
    expected[-1] = expected[-1][: LONGEST_TEXT - 1] + "…"
    # Excel's own escape for what looks like one of its escapes; openpyxl shows it as it stands in the file
    assert [str(name).replace("_x005F", "") for name in names] == expected


def test_hostile_texts_do_nothing(hostile: tuple[Path, Path]) -> None:
    for path in hostile:
        assert active_parts(path) == []
        parts = package_texts(path)
        assert not any("<script" in text for text in parts.values())
        for sheet in sheets(path).values():
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type in ("s", "n"), cell.value
                    if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@")):
                        # stays a text when somebody edits the cell and presses Enter
                        assert cell.style is not None
                        assert cell.quotePrefix, cell.value


def test_links_lead_to_sheets_of_the_same_workbook(hostile: tuple[Path, Path]) -> None:
    _, schools = hostile
    book = sheets(schools)
    linked = [cell for sheet in book.values() for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert len(linked) == 2 * len(HOSTILE)
    for cell in linked:
        assert cell.hyperlink.target is None
        name = cell.hyperlink.location.removesuffix("!A1").strip("'")
        assert name in book


def test_schools_of_the_same_or_of_impossible_names_have_sheets_of_their_own(
    hostile: tuple[Path, Path],
) -> None:
    _, schools = hostile
    book = sheets(schools)
    assert len(book) == 1 + len(HOSTILE)
    codes = [cells(sheet)[2][2] for name, sheet in book.items() if name != INDEX_NAME]
    assert codes == [f"{n:010d}" for n in range(len(HOSTILE))]
    assert {"同名" * 15 + "同", "同名" * 14 + "(2)"} <= set(book)


def special_rows(origin: str) -> Rows:
    """One section with every kind of value, and a balance with every kind of coefficient."""
    section = one_section("0000000001", "第一小学", passes=None)
    section["mart.school_indicator"] = [
        resource("0000000001", "R1", 4.1996, "near", rounding_sensitive=True),
        resource("0000000001", "R2", 1.0, "met", waiver="W-G4"),
        resource("0000000001", "R3", 0.95, "met_by_waiver", waiver="W3"),
        resource("0000000001", "R4", 3.0, "below"),
        resource("0000000001", "R5", None, "no_data"),
        resource("0000000001", "R6", 2000.0, "met"),
        resource("0000000001", "R7", 2.3, "met"),
    ]
    section["mart.section"][0] |= {"grades": None, "classes": None}
    balance = {
        "stage": "primary",
        "schools": 1,
        "mean": 1.0,
        "std": 0.5,
        "cv_limit": 0.5,
        "rounding_sensitive": False,
    }
    cvs: list[dict[str, Any]] = [
        {"indicator_code": "R1", "cv": 0.5004, "status": "below", "rounding_sensitive": True},
        {"indicator_code": "R2", "cv": 0.49, "cv_strict": 0.51, "status": "met_by_waiver"},
        {"indicator_code": "R3", "cv": None, "status": "no_data"},
        *({"indicator_code": code, "cv": 0.1, "status": "met"} for code in RESOURCES[3:]),
    ]
    return together(
        section,
        {
            "mart.evaluation": [{**EVALUATION, "data_origin": origin}],
            "mart.stage_balance": [{"cv_strict": row["cv"], **balance, **row} for row in cvs],
        },
    )


def test_values_that_need_a_word_are_marked(tmp_path: Path) -> None:
    official, _ = write_both(tmp_path, special_rows("reported"))
    sheet = sheets(official)["表Ⅱ-2"]
    number = find_row(cells(sheet), "第一小学", 1) + 1
    row = [cell.value for cell in sheet[number]]
    assert row == [
        1,
        "第一小学",
        NOTHING,
        400,
        NOTHING,
        NOTHING,
        4.1996,
        1,
        0.95,
        3,
        NOTHING,
        2000,
        2.3,
        "待定",
        "R2、R3、R6、R7达标；R1达到85%；R4低于85%；R5缺数据（其中R3按W3达标）",
    ]
    formats = {c: sheet.cell(number, 7 + place).number_format for place, c in enumerate(RESOURCES)}
    assert formats["R1"] == f'0.00"{ROUNDED_MARK}"'
    assert formats["R2"] == "0.00"
    assert formats["R3"] == f'0.00"{WAIVER_MARK}"'
    shades = {c: sheet.cell(number, 7 + place).fill.fgColor.rgb for place, c in enumerate(RESOURCES)}
    assert shades["R1"] != shades["R4"]
    assert shades["R2"] == shades["R3"] == shades["R6"]
    assert any(f"{ROUNDED_MARK} 处：第一小学 R1。" in str(v) for line in cells(sheet) for v in line)


def test_a_coefficient_that_rounds_to_its_limit_keeps_its_verdict_and_is_marked(tmp_path: Path) -> None:
    official, _ = write_both(tmp_path, special_rows("reported"))
    sheet = sheets(official)["表Ⅲ"]
    rows = cells(sheet)
    number = find_row(rows, "差异系数", 1)
    assert rows[number][2:5] == [0.5004, 0.49, NOTHING]
    assert [sheet.cell(number + 1, column).number_format for column in (3, 4)] == [
        f'0.000"{ROUNDED_MARK}"',
        f'0.000"{WAIVER_MARK}"',
    ]
    assert rows[find_row(rows, "判定", 1)][2:5] == ["未达标", "按过渡政策达标", "缺数据"]
    assert rows[find_row(rows, "不计过渡政策的差异系数", 1)][3] == 0.51


@pytest.mark.parametrize(("origin", "said"), [("reported", False), ("reconstructed", True)])
def test_only_made_up_data_are_said_to_be_made_up(tmp_path: Path, origin: str, said: bool) -> None:
    for path in write_both(tmp_path, special_rows(origin)):
        assert (f"本表{RECONSTRUCTED}" in texts(path)) is said


def test_a_paper_of_a_stale_evaluation_says_so_on_its_face_and_in_its_foot(tmp_path: Path) -> None:
    rows = special_rows("reported")
    stale = [dict(row) | {"is_stale": True} for row in rows["mart.evaluation"]]
    rows = {**rows, "mart.evaluation": stale}
    for path in write_both(tmp_path, rows):
        assert f"本表{STALE}" in texts(path)
        assert all(STALE in (sheet.oddFooter.right.text or "") for sheet in sheets(path).values()), path


def test_an_evaluation_with_nothing_but_itself_still_gives_a_form(tmp_path: Path) -> None:
    official, schools = write_both(tmp_path, {"mart.evaluation": [EVALUATION]})
    for sheet in ("表Ⅱ-1", "表Ⅲ", "表Ⅳ"):
        assert NOTHING in [value for row in cells(sheets(official)[sheet]) for value in row]
    assert list(sheets(schools)) == [INDEX_NAME]
