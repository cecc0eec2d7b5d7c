"""The official tables of made-up districts and of 武清, compared cell by cell with the marts."""
# Long because one refresh and its workbooks serve the tests of every table of the form.

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.reports.evaluation import Evaluation, published_evaluations
from youjun_pipeline.reports.official.book import CONTENTS, write_official
from youjun_pipeline.reports.schools.self_assessment import INDEX_NAME, write_self_assessment
from youjun_pipeline.reports.words import NOTHING, RECONSTRUCTED
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.integration.published_rows import RESOURCES
from youjun_pipeline_tests.integration.sample_districts import WUQING
from youjun_pipeline_tests.integration.workbook_cells import active_parts, cells, find_row, sheets
from youjun_pipeline_tests.steps import places, refresh

STAGES = {"primary": "小学", "junior": "初中"}
# The second lacks a whole dataset (teachers) and cells here and there.
PROFILES = {"mixed": 0, "sparse": 3}


class Written:
    """An evaluation, its two workbooks, and the marts."""

    def __init__(self, con: Any, evaluation: Evaluation, folder: Path) -> None:
        self.con, self.evaluation = con, evaluation
        self.official, self.schools = folder / "official.xlsx", folder / "schools.xlsx"
        folder.mkdir()
        write_official(con, evaluation, self.official)
        write_self_assessment(con, evaluation, self.schools)
        self.sheets, self.school_sheets = sheets(self.official), sheets(self.schools)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.evaluation.rows(self.con, table, "*", "all")

    def cells(self, sheet: str) -> list[list[Any]]:
        return cells(self.sheets[sheet])


@pytest.fixture(scope="module")
def publications(sample: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Written]]:
    """One generated district of each profile, by profile, and the first phase of 武清."""
    folder = tmp_path_factory.mktemp("districts")
    for number, (profile, seed) in enumerate(PROFILES.items()):
        made = generate_district(seed, n_schools=20, profile=profile, code=f"11010{number}")
        name = f"{profile}区"
        write_district(folder, made.tables, made.settings, code=f"11010{number}", slug=profile, name=name)
    publication = refresh(places(folder))
    with (
        connect(publication.path, read_only=True) as con,
        connect(sample.published / FILE_NAME, read_only=True) as sample_con,
    ):
        wuqing = next(e for e in published_evaluations(sample_con) if e.district_code == WUQING)
        yield {
            **{
                profile: Written(con, evaluation, folder / profile)
                for profile, evaluation in zip(PROFILES, published_evaluations(con), strict=True)
            },
            "wuqing": Written(sample_con, wuqing, folder / "wuqing"),
        }


@pytest.fixture(params=[*PROFILES, "wuqing"])
def written(publications: dict[str, Written], request: pytest.FixtureRequest) -> Written:
    return publications[request.param]


def shown(value: float | None) -> Any:
    """What a cell holds for a value of a mart: the number itself, or the sign for nothing reported."""
    return NOTHING if value is None else pytest.approx(value, rel=1e-12)


def test_the_workbook_is_laid_out_as_the_form(written: Written) -> None:
    assert list(written.sheets) == ["封面", *(name for name, _, _ in CONTENTS)]
    for name, title, _ in CONTENTS[:-1]:
        assert written.cells(name)[0][0] == f"{name}　{title}"


def test_table_two_one_counts_what_the_marts_say(written: Written) -> None:
    rows = written.cells("表Ⅱ-1")
    judged = written.rows("mart.school_indicator")
    for stage, name in STAGES.items():
        top = find_row(rows, name)
        by_code = {
            code: [r["status"] for r in judged if (r["stage"], r["indicator_code"]) == (stage, code)]
            for code in RESOURCES
        }
        met = {code: sum(s in ("met", "met_by_waiver") for s in by_code[code]) for code in RESOURCES}
        assert [row[1] for row in rows[top : top + 4]] == [
            "标准值（不低于）",
            "学部数（所）",
            "达标数（所）",
            "达标比例",
        ]
        assert rows[top + 1][2:9] == [len(by_code[code]) for code in RESOURCES]
        assert rows[top + 2][2:9] == [met[code] for code in RESOURCES]
        assert rows[top + 3][2:9] == [shown(met[code] / len(by_code[code])) for code in RESOURCES]
        for offset, status in enumerate(("near", "below", "no_data", "met_by_waiver"), start=4):
            assert rows[top + offset][2:9] == [by_code[code].count(status) for code in RESOURCES], status
        verdicts = [
            v["passes_resource_rule"] for v in written.rows("mart.school_verdict") if v["stage"] == stage
        ]
        assert [rows[top + n][9] for n in (1, 2, 3)] == [
            len(verdicts),
            verdicts.count(True),
            shown(verdicts.count(True) / len(verdicts)),
        ]
        assert rows[top + 6][9] == verdicts.count(None)


def test_the_table_of_wuqing_shows_as_many_failing_schools_as_its_plan(
    publications: dict[str, Written],
) -> None:
    rows = publications["wuqing"].cells("表Ⅱ-1")
    failing = {
        name: [
            near + below
            for near, below in zip(*(rows[find_row(rows, name) + n][2:9] for n in (4, 5)), strict=True)
        ]
        for name in STAGES.values()
    }
    assert failing == {"小学": [0, 0, 0, 21, 1, 2, 0], "初中": [0, 0, 0, 5, 0, 0, 0]}


def test_table_three_is_the_balance_of_the_marts(written: Written) -> None:
    rows = written.cells("表Ⅲ")
    balance = {(b["stage"], b["indicator_code"]): b for b in written.rows("mart.stage_balance")}
    lines = {
        "平均值": "mean",
        "标准差": "std",
        "差异系数": "cv",
        "限值（不高于）": "cv_limit",
        "参加计算学部数（所）": "schools",
    }
    for stage, name in STAGES.items():
        top = find_row(rows, name)
        for label, column in lines.items():
            row = rows[find_row(rows, label, 1, top)]
            assert row[2:9] == [shown(balance[stage, code][column]) for code in RESOURCES], (name, label)
        assert rows[find_row(rows, "差异系数", 1, top)][9] == shown(balance[stage, "R1"]["cv_composite"])
        verdicts = {"met": "达标", "met_by_waiver": "按过渡政策达标", "below": "未达标", "no_data": "缺数据"}
        expected = [verdicts.get(balance[stage, code]["status"], "不适用") for code in RESOURCES]
        assert rows[find_row(rows, "判定", 1, top)][2:9] == expected


def test_table_two_two_has_every_section_with_its_values_and_remark(written: Written) -> None:
    rows = written.cells("表Ⅱ-2")
    sponsors = {s["school_code"]: s["sponsor_code"] for s in written.rows("mart.school")}
    sections = {(s["school_code"], s["stage"]): s for s in written.rows("mart.section")}
    judged = {
        (r["school_code"], r["stage"], r["indicator_code"]): r for r in written.rows("mart.school_indicator")
    }
    start = 0
    for stage in STAGES:
        verdicts = sorted(
            (v for v in written.rows("mart.school_verdict") if v["stage"] == stage),
            key=lambda v: v["school_code"],
        )
        start = find_row(rows, f"{STAGES[stage]}（{len(verdicts)} 所）　标准值", 0, start) + 1
        for number, (row, verdict) in enumerate(zip(rows[start:], verdicts, strict=False), start=1):
            key = (verdict["school_code"], stage)
            section = sections[key]
            facts = [sponsors[key[0]], verdict["students"], section["grades"], section["classes"]]
            assert row[:6] == [number, verdict["school_name"], *(NOTHING if f is None else f for f in facts)]
            mine = {code: judged[(*key, code)] for code in RESOURCES}
            assert row[6:13] == [shown(mine[code]["value"]) for code in RESOURCES]
            assert row[13] == {True: "达标", False: "未达标", None: "待定"}[verdict["passes_resource_rule"]]
            assert remark_parts(row[14]) == {
                status: [c for c in RESOURCES if mine[c]["status"] in wanted]
                for status, wanted in REMARKS.items()
                if any(mine[c]["status"] in wanted for c in RESOURCES)
            }
        start += len(verdicts)


REMARKS = {
    "达标": ("met", "met_by_waiver"),
    "达到85%": ("near",),
    "低于85%": ("below",),
    "缺数据": ("no_data",),
    "不适用": ("not_applicable",),
}


def remark_parts(remark: str) -> dict[str, list[str]]:
    """A remark split into its parts: the codes, by what is said about them."""
    parts = re.sub("（其中.*", "", remark).split("；")
    found = [re.fullmatch(r"((?:R\d、?)+)(.+)", part) for part in parts]
    return {m[2]: m[1].split("、") for m in found if m}


def test_both_kinds_of_district_have_something_to_remark(publications: dict[str, Written]) -> None:
    remarks = [row[14] for w in publications.values() for row in w.cells("表Ⅱ-2") if isinstance(row[0], int)]
    for word in ("达标", "达到85%", "低于85%", "缺数据"):
        assert any(word in remark for remark in remarks), word


def test_table_one_adds_up_the_sections_of_ordinary_schools(written: Written) -> None:
    rows = written.cells("表Ⅰ")
    ordinary = [
        s for s in written.rows("mart.section") if s["school_type"] not in ("特殊教育学校", "职业学校")
    ]
    for name, of_stage in [
        *((STAGES[stage], [s for s in ordinary if s["stage"] == stage]) for stage in STAGES),
        ("合计", ordinary),
    ]:
        row = rows[find_row(rows, name, 0, find_row(rows, "三、学部、班级、学生和教师"))]
        assert row[2] == len(of_stage)
        for column, figure in ((5, "classes"), (6, "students"), (7, "staff"), (8, "full_time_teachers")):
            parts = [s[figure] for s in of_stage]
            assert row[column] == (NOTHING if None in parts else sum(parts)), (name, figure)
    first = find_row(rows, "二、学校数（所）") + 1
    counts = dict(zip(rows[first], rows[first + 2], strict=True))
    # twelve to a line; a type that cannot be read is one more
    if "类型未填报" in counts or "其中：纳入评估" not in counts:
        counts |= dict(zip(rows[first + 3], rows[first + 5], strict=True))
    schools = written.rows("mart.school")
    assert counts["小学"] == sum(s["school_type"] == "小学" for s in schools)
    assert (counts["合计"], counts["其中：纳入评估"]) == (len(schools), sum(s["in_scope"] for s in schools))


@pytest.mark.parametrize(("sheet", "category"), [("表Ⅳ", "government"), ("表Ⅴ", "quality")])
def test_tables_of_the_district_have_every_indicator_with_verdict_and_figures(
    written: Written, sheet: str, category: str
) -> None:
    rows = written.cells(sheet)
    judged = {
        r["indicator_code"]: r for r in written.rows("mart.district_indicator") if r["category"] == category
    }
    codes = [row[0] for row in rows if row[0] in judged]
    assert sorted(codes, key=lambda c: int(c[1:])) == codes == sorted(judged, key=lambda c: int(c[1:]))
    words = {
        "met": "达标",
        "met_by_waiver": "按过渡政策达标",
        "below": "未达标",
        "no_data": "缺数据",
        "near": "达到85%",
    }
    figures = written.rows("mart.assurance_figure")
    for code, row in judged.items():
        top = find_row(rows, code)
        assert rows[top][6] == words[row["status"]], code
        mine = sorted((f for f in figures if f["indicator_code"] == code), key=lambda f: f["figure_no"])
        for offset, figure in enumerate(f for f in mine if f["figure_no"] < 20):
            assert rows[top + offset][2:4] == [figure["name"], shown(figure["value"])], code


def test_table_six_shows_every_group_and_the_total(written: Written) -> None:
    rows = written.cells("表Ⅵ")
    survey = written.rows("mart.recognition_group")
    for answer in survey:
        top = find_row(rows, answer["respondent_group"])
        row = next(r for r in rows[top:] if r[1] == (answer["method"] or NOTHING))
        assert row[3:7] == [shown(answer[c]) for c in ("issued", "valid", "satisfied", "rate")]
    total = rows[find_row(rows, "合计")]
    (s1,) = [r for r in written.rows("mart.district_indicator") if r["indicator_code"] == "S1"]
    assert total[6] == shown(s1["value"])
    vetoes = [row[0] for row in rows if re.fullmatch(r"V\d", str(row[0]))]
    assert vetoes == [f"V{n}" for n in range(1, 8)]


def test_table_six_shows_the_sample_and_how_sure_it_is(written: Written) -> None:
    rows = written.cells("表Ⅵ")
    start = find_row(rows, "附：样本是否足够，认可度有多大把握")
    strata = written.rows("mart.recognition_stratum")
    assert len(strata) == 6
    columns = ("valid", "required_valid", "missing_valid", "share", "rate", "rate_low", "rate_high")
    for stratum in strata:
        row = next(r for r in rows[start:] if r[0] == stratum["respondent_group"])
        assert row[1:8] == [shown(stratum[c]) for c in columns]
    total = next(r for r in rows[start:] if r[0] == "合计")
    assert total[1:3] == [sum(s["valid"] for s in strata), strata[0]["required_sample"]]


def test_table_one_shows_what_is_watched(written: Written) -> None:
    rows = written.cells("表Ⅰ")
    start = find_row(rows, "四、关注事项（只作报告，不影响判定）")
    watched = written.rows("mart.watched_item")
    assert len(watched) >= 6
    for item in watched:
        row = next(r for r in rows[start:] if r[0] == f"{item['name']}（{item['unit']}）")
        assert (row[5], row[6], row[10]) == (shown(item["year"]), shown(item["value"]), item["summary"])


def test_values_are_numbers_shown_with_the_official_decimals(written: Written) -> None:
    sheet = written.sheets["表Ⅱ-2"]
    formats = {
        cell.number_format.split('"')[0]
        for row in sheet.iter_rows(min_row=8, min_col=7, max_col=13)
        for cell in row
        if isinstance(cell.value, int | float)
    }
    assert formats == {"0.00"}
    balance = written.sheets["表Ⅲ"]
    row = find_row(cells(balance), "差异系数", 1) + 1
    numbers = [c for c in balance[row][2:10] if isinstance(c.value, int | float)]
    assert {cell.number_format.split('"')[0] for cell in numbers} <= {"0.000"}
    shares = written.sheets["表Ⅱ-1"]
    row = find_row(cells(shares), "达标比例", 1) + 1
    assert {cell.number_format for cell in shares[row][2:10]} == {"0.0%"}


def test_every_sheet_says_that_the_data_are_made_up(written: Written) -> None:
    for name, sheet in [*written.sheets.items(), *written.school_sheets.items()]:
        assert any(f"本表{RECONSTRUCTED}" in row for row in cells(sheet)), name
        assert RECONSTRUCTED in sheet.oddFooter.right.text, name


def test_every_sheet_prints_on_a4_one_page_wide_with_its_header_on_every_page(written: Written) -> None:
    for name, sheet in written.sheets.items():
        # one page wide is what the file format assumes when it is not said
        assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (
            9,
            None,
            0,
        )
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.orientation == ("portrait" if name == "封面" else "landscape")
        if name not in ("封面", "表Ⅰ"):
            assert sheet.print_title_rows, name


def test_nothing_in_the_workbooks_is_a_formula_but_sums_or_an_error(written: Written) -> None:
    for path, book in ((written.official, written.sheets), (written.schools, written.school_sheets)):
        assert active_parts(path) == []
        values = [value for sheet in book.values() for row in cells(sheet) for value in row]
        assert [value for value in values if isinstance(value, str) and value.startswith("#")] == []


def test_the_same_publication_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    write_official(written.con, written.evaluation, tmp_path / "official.xlsx")
    write_self_assessment(written.con, written.evaluation, tmp_path / "schools.xlsx")
    assert (tmp_path / "official.xlsx").read_bytes() == written.official.read_bytes()
    assert (tmp_path / "schools.xlsx").read_bytes() == written.schools.read_bytes()


def test_every_judged_school_has_a_sheet_with_its_values(written: Written) -> None:
    book = written.school_sheets
    judged = written.rows("mart.school_indicator")
    index = [row for row in cells(book[INDEX_NAME]) if isinstance(row[0], int)]
    assert sorted(row[1] for row in index) == sorted({r["school_code"] for r in judged})
    first = find_row(cells(book[INDEX_NAME]), 1) + 1
    for offset, (_, code, name, *_) in enumerate(index):
        link = book[INDEX_NAME].cell(first + offset, 3).hyperlink
        sheet = book[link.location.removesuffix("!A1").strip("'")]
        rows = cells(sheet)
        assert rows[0][0] == f"{name}　自评表"
        assert rows[find_row(rows, "学校标识码")][2] == code
        for stage, word in STAGES.items():
            mine = {r["indicator_code"]: r for r in judged if (r["school_code"], r["stage"]) == (code, stage)}
            if not all(r in mine for r in RESOURCES):
                continue
            top = find_row(rows, f"{word}资源配置")
            for resource in RESOURCES:
                row = rows[find_row(rows, resource, 0, top)]
                assert row[4:7] == [shown(mine[resource][c]) for c in ("value", "threshold", "floor")]
                assert row[8] == shown(mine[resource]["gap"])


def test_a_school_sheet_lists_each_reported_figure_with_its_cell(publications: dict[str, Written]) -> None:
    written = publications["mixed"]
    lineage = [
        r for r in written.rows("mart.lineage") if r["input"] == "facilities.teaching_area_m2" and r["file"]
    ]
    book = written.school_sheets
    checked = 0
    for sheet in list(book.values())[1:]:
        rows = cells(sheet)
        code = rows[find_row(rows, "学校标识码")][2]
        mine = next((r for r in lineage if r["school_code"] == code), None)
        if mine is None or mine["value"] is None:
            continue
        row = rows[find_row(rows, "教学及辅助用房面积", 1)]
        assert math.isclose(row[2], mine["value"])
        assert row[3] == "㎡"
        assert f"{mine['file']}" in row[5]
        if mine["row"]:
            assert f"第 {mine['row']} 行 {mine['source_column'] or ''} 列" in row[5]
        checked += 1
    assert checked > 10


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_opens_the_official_tables_and_prints_them_on_a4(
    publications: dict[str, Written], tmp_path: Path
) -> None:
    written = publications["wuqing"]
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(tmp_path),
        str(written.official),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pdf = tmp_path / "official.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    if not (shutil.which("pdfinfo") and shutil.which("pdftotext")):
        pytest.skip("poppler is not installed")
    info = subprocess.run(
        ["pdfinfo", "-l", "99", str(pdf)], check=True, capture_output=True, text=True
    ).stdout
    sizes = {tuple(sorted(map(float, m))) for m in re.findall(r"size: +([\d.]+) x ([\d.]+) pts", info)}
    assert {(round(a), round(b)) for a, b in sizes} == {(595, 842)}
    printed = subprocess.run(["pdftotext", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    for sign in ("###", "#REF", "#VALUE", "#NAME", "#DIV", "Err:"):
        assert sign not in printed
    assert printed.count(RECONSTRUCTED) >= len(written.sheets)
