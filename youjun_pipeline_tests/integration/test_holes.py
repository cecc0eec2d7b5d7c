"""A district without failures but with unknown values: every page and every paper says 缺数据, and none says 未达标 or 0.

A school's row of facilities is missing, another's area is blank, and nobody reported what monitoring found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import docx
import openpyxl
import pytest

from youjun_pipeline.session import report_all
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.integration.site_pages import Pages
from youjun_pipeline_tests.steps import places, refresh

pytestmark = pytest.mark.long

# What a paper may not say of what nobody knows: a verdict, or a count of nothing.
SAID = re.compile(
    r"(未达标(学校|指标|的学校)?|缺口)\s*0(\.0+)?\s*(所|项|个|$)|(?<!\d)0\s*项指标未达标|(?<!空格为)全部达标|各项都能达标"
)
VERDICTS = ("未达标", "低于85%", "达到85%", "未通过")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = generate_district(1, n_schools=16, profile="passing", leading_zero=False)
    tables = {name: [dict(row) for row in rows or []] for name, rows in made.tables.items()}
    primary = [
        r["school_code"]
        for r in tables["schools"]
        if r["school_type"] == "小学" and str(r["sponsor_code"]) != "10"
    ]
    tables["facilities"] = [r for r in tables["facilities"] if r["school_code"] != primary[0]]
    next(r for r in tables["facilities"] if r["school_code"] == primary[1])["teaching_area_m2"] = None
    tables.pop("quality_monitoring")
    folder: Path = tmp_path_factory.mktemp("holes")
    write_district(folder, tables, made.settings, style=PLAIN, code="170001", slug="holes", name="缺报区")
    found = places(folder)
    refresh(found)
    report_all(found.published)
    return found


def test_the_district_has_holes_and_no_failure(settings: Settings) -> None:
    with connect(settings.published / FILE_NAME, read_only=True) as con:
        statuses = dict(
            con.execute("select status, count(*) from mart.school_indicator group by all").fetchall()
        )
        district = dict(con.execute("select indicator_code, status from mart.district_indicator").fetchall())
    assert statuses["no_data"] >= 5 and not {"near", "below"} & set(statuses)
    assert {district["R4"], district["Q9"]} == {"no_data"} and "below" not in district.values()


def test_no_page_says_of_what_is_missing_that_it_fails(settings: Settings) -> None:
    pages = Pages(settings.published / "site")
    shown = {name: pages[name] for name in pages if name.startswith(("district", "region", "index"))}
    for name, page in shown.items():
        failing = [
            e
            for e in page.everything
            if e.tag in ("td", "span", "p") and "below" in e.attributes.get("class", "").split()
        ]
        # the legend explains the sign
        assert [e.text for e in failing if "key" not in e.attributes["class"]] == [], name
        assert not SAID.search(page.text), name
    (wall,) = [page for name, page in shown.items() if re.search(r"/phase/[^/]+/index\.html", name)]
    assert sum("缺数据" in row[n].text for row in wall.rows("map") for n in range(len(row))) >= 5
    leader = next(page for name, page in shown.items() if name.endswith("leader.html"))
    assert "缺数据，不能判定" in leader.text


def texts(path: Path) -> Iterator[str]:
    """Every paragraph and cell of a paper."""
    if path.suffix == ".docx":
        paper = docx.Document(str(path))
        yield from (p.text for p in paper.paragraphs)
        yield from (c.text for t in paper.tables for row in t.rows for c in row.cells)
    else:
        for sheet in openpyxl.load_workbook(path):
            yield from (str(v) for row in sheet.iter_rows(values_only=True) for v in row if v is not None)


def test_no_paper_says_of_what_is_missing_that_it_fails(settings: Settings) -> None:
    papers = [
        path
        for room in ("official", "papers", "schools")
        for path in sorted((settings.published / room).rglob("*.*"))
        if path.suffix in (".docx", ".xlsx")
    ]
    assert len(papers) > 8
    for path in papers:
        found = list(texts(path))
        assert not [t for t in found if t in VERDICTS], path.name
        assert not [t for t in found if SAID.search(t)], path.name
    by_name = {path.stem: "\n".join(texts(path)) for path in papers}
    for name in ("县级自评报告", "联席会议简报", "自评表", "迎检档案目录", "缺报清单"):
        assert re.search("缺数据|缺报|没有报送|不能判定", by_name[name]), name
