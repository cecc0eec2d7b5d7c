"""The site's explanations of its numbers: their origin, open tasks, their history; missing data are called missing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.published_rows import publish_rows
from youjun_pipeline_tests.integration.sample_districts import fetch, wuqing
from youjun_pipeline_tests.integration.site_pages import Element, Pages, all_pages
from youjun_pipeline_tests.integration.site_rows import rows_named

pytestmark = pytest.mark.usefixtures("no_bundling")

PHASE = "district/120114/phase/2023-startup"


def build(published: Path) -> dict[str, Element]:
    with connect(published / FILE_NAME, read_only=True) as con:
        build_site(con, published)
    return all_pages(published / "site")


def test_every_number_leads_to_its_cells(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    wall = pages[f"{PHASE}/index.html"]
    links = {a.attributes["href"] for a in wall.all("a")}
    for expected in (
        "g.html#g7",
        "q.html#q9",
        "s.html#s1",
        "v.html#v3",
        "r4.html#cv-primary",
        "r7.html#cv-junior",
    ):
        assert [h for h in links if h.endswith(expected)], expected
    assert len([h for h in links if "#cv-" in h]) == 14
    assert "../../school/2120114001.html#a-2023-startup-r4-primary" in links, "a cell of the map"
    ((code,),) = fetch(
        con, f"select school_code from {wuqing('school')} and school_name = '徐官屯街泰和学校'"
    )
    indicator = pages[f"{PHASE}/r4.html"]
    row = next(r for r in indicator.rows("schools-junior") if r[0].text == "徐官屯街泰和学校")
    assert row[2].one("a").attributes["href"].endswith(f"school/{code}.html#a-2023-startup-r4-junior")
    how = pages[f"district/120114/school/{code}.html"].one("details", id="a-2023-startup-r4-junior").text
    assert "指标值＝10295×0.373368÷520＝7.391971" in how
    assert "室内体育用房面积（㎡） 818.8 ← 2023-08-31/facilities.csv 第 110 行 C 列" in how
    assert "met" not in how
    training = pages[f"{PHASE}/g.html"].one("section", id="g9").text
    assert "专任教师数（人） 合计 6769" in training and "逐校见下表" in training
    rows = pages[f"{PHASE}/g.html"].rows("inputs-g9")
    ((total,),) = fetch(
        con,
        f"select sum(value) from {wuqing('lineage')} and indicator_code = 'G9' and input like '%full_time'",
    )
    assert sum(int(r[3].text.split()[0]) for r in rows if r[3].text[0].isdigit()) == total == 6769
    assert "当年交流轮岗的骨干教师数 88" in pages[f"{PHASE}/g.html"].one("section", id="g11").text
    assert "rotated_backbone" not in pages[f"{PHASE}/g.html"].text


def test_leaders_page_says_what_the_tables_say(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    page = pages[f"{PHASE}/leader.html"]
    tiles = {
        t.one("span").text: t.one("b").text
        for t in page.all("div")
        if "tile" in t.attributes.get("class", "")
    }
    assert tiles["未达标学校"] == "52" and tiles["未达标指标"] == "8" and tiles["缺数据"] == "0"
    ((budget,),) = fetch(con, f"select sum(budget_wan) from {wuqing('remediation_progress')}")
    assert f"预算 {budget:,.0f} 万元" in page.text
    rows = page.rows("town-matrix")
    failing = fetch(
        con,
        f"""select s.township, count(*) from (from {wuqing("school_indicator")}) i
        join (from {wuqing("school")}) s using (school_code) where i.status in ('near', 'below')
        group by all order by 2 desc, 1""",
    )
    assert [(r[0].text, int(r[1].text)) for r in rows if r[1].text != "0"] == failing
    assert [r[1].text for r in rows] == sorted((r[1].text for r in rows), key=int, reverse=True)


def test_missing_data_are_never_a_zero_or_a_failure(tmp_path: Path) -> None:
    rows = rows_named("实验小学")
    rows["mart.school_indicator"] = [
        r | {"status": "no_data", "value": None, "gap": None} for r in rows["mart.school_indicator"]
    ]
    rows["mart.school_verdict"][0] |= {
        "passes_resource_rule": None,
        "resource_met": 0,
        "resource_below": 0,
        "resource_no_data": 7,
    }
    rows["mart.district_verdict"][0] |= {
        "schools_failing": 0,
        "indicators_failing": 0,
        "indicators_no_data": 7,
    }
    publish_rows(tmp_path, rows)
    pages = build(tmp_path)
    for page in (f"{PHASE}/leader.html", f"{PHASE}/index.html"):
        tiles = {
            t.one("span").text: t.one("b").text
            for t in pages[page].all("div")
            if "tile" in t.attributes.get("class", "")
        }
        assert tiles["未达标学校"] == tiles["未达标指标"] == "缺数据", page
        assert "未通过" not in pages[page].text
        assert "缺数据，不能判定" in pages[page].text
    (town,) = pages[f"{PHASE}/leader.html"].rows("town-matrix")
    assert [c.text for c in town[1:]] == ["缺数据"] + ["? 1"] * 7
    assert "缺数据，不能判定" in pages["district/120114/index.html"].text
    front = pages["index.html"].rows("districts")[0]
    assert "未通过" not in front[3].text
    assert front[4].text.startswith("缺数据") and front[5].text == "—" and front[10].text == "?"
    assert "启动 0" not in pages["district/120114/trend.html"].text


def test_ledger_says_since_when_and_who_signed_off(tmp_path: Path) -> None:
    rows = rows_named("实验小学")
    finding = rows["mart.finding"][0]
    later = [r | {"phase_id": "second"} for r in rows["mart.evaluation"]]
    later[0] |= {"phase_order": 2, "effective_on": date(2024, 9, 30)}
    rows["mart.evaluation"] += later
    rows["mart.district_verdict"] += [r | {"phase_id": "second"} for r in rows["mart.district_verdict"]]
    # neither the phase's first day nor the day of its data: the workbook beside the site shows the same columns
    dated = {"phase_id": "second", "state": "closed", "opened_on": date(2023, 9, 2), "days_open": 31}
    signed = dated | {"closed_on": date(2023, 10, 3), "signed_off": True, "signed_off_by": "督导室"}
    waiting = dated | {"finding_id": "f-2", "closed_on": date(2024, 5, 6), "signed_off": False}
    rows["mart.finding"] += [
        finding | signed | {"signed_off_on": date(2024, 8, 1)},
        finding | waiting | {"signed_off_on": None, "signed_off_by": None},
    ]
    publish_rows(tmp_path, rows)
    found = build(tmp_path)["district/120114/phase/second/ledger.html"].rows("ledger")
    said = {r[3].text: [r[4].text, r[5].text, r[6].text, r[7].text, r[8].text] for r in found}
    assert said["✓ 已销号"] == ["2023-09-02", "2023-10-03", "31", "2024-08-01", "督导室"]
    assert said["△ 待销号"] == ["2023-09-02", "2024-05-06", "31", "—", "—"]


def test_plan_audit_is_told_by_cause_and_projection_as_a_grid(
    pages: Pages, con: duckdb.DuckDBPyConnection
) -> None:
    page = pages[f"{PHASE}/plan.html"]
    ((rows, rules),) = fetch(con, f"select count(*), count(distinct rule) from {wuqing('plan_audit')}")
    counts = [int(r[1].attributes["data-v"]) for r in page.rows("audit")]
    assert sum(counts) == rows and rules <= len(counts) < rows
    building = next(r for r in page.rows("audit") if "光明道中学”的工程" in r[2].text)
    assert "另 " in building[2].one("summary").text
    grid = page.one("table", id="projection")
    ((lines,),) = fetch(con, f"select count(distinct (indicator_code, stage)) from {wuqing('projection')}")
    ((columns,),) = fetch(con, f"select count(distinct (coming_phase_id, basis)) from {wuqing('projection')}")
    body = grid.one("tbody").all("tr")
    assert len(body) == lines and {len(tr.all("td")) for tr in body} == {columns + 1}


def test_an_item_of_monitoring_is_a_grade_and_a_subject(pages: Pages) -> None:
    text = pages[f"{PHASE}/ledger.html"].text
    assert "4 年级科学" in text and "4科学" not in text and "校际差异系数" in text


def test_trend_page_has_every_coefficient_with_its_limit(
    pages: Pages, con: duckdb.DuckDBPyConnection
) -> None:
    data = json.loads(pages["district/120114/trend.html"].one("script", id="data-trend").text)
    assert sorted((c["cv"], c["limit"]) for c in data["cvs"]) == sorted(
        fetch(con, f"select cv, cv_limit from {wuqing('stage_balance')}")
    )
    assert [(f["phase"], f["schools"]) for f in data["failing"]] == [("启动准备", 52)]


def test_every_school_is_in_the_search_index(sample_site: Path, con: duckdb.DuckDBPyConnection) -> None:
    pieces = sorted((sample_site / "assets" / "search").glob("*.js"))
    texts = [p.read_text(encoding="utf-8").strip() for p in pieces]
    schools = [row for text in texts for row in json.loads(text.partition("=")[2].rstrip(";"))]
    expected = fetch(con, "select school_name, school_code from mart.school where in_scope")
    assert sorted((s[0], s[2]) for s in schools) == sorted(expected)
    found = {s[0]: s for s in schools}
    assert found["杨村第十四小学"][1] == "ycdssxx"
    assert all((sample_site / s[5]).is_file() for s in schools)


def test_a_suspicion_can_be_answered_by_copying_its_row(tmp_path: Path) -> None:
    rows = rows_named("实验小学")
    rows["quality.suspicion"][0] |= {
        "dataset": "facilities",
        "rule": "jump",
        "column_name": "teaching_area_m2",
    }
    rows["mart.phase_change"][0] |= {"status_before": "near", "status_after": "met"}
    publish_rows(tmp_path, rows)
    page = build(tmp_path)["district/120114/quality.html"]
    (row,) = page.rows("open")
    assert row[4].text == "jump"
    assert row[5].text == "R4 达到底线→达标"
    assert row[6].one("span").attributes["data-copy"] == "\t办学条件\t实验小学\tjump\t\t"
    assert (
        page.one("p", class_="copy").attributes["data-copy"]
        == "答复日期\t数据集\t学校标识码\t规则\t说明\t答复人"
    )


def test_terms_tell_every_indicator_of_the_standard(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    page = pages["terms.html"]
    for code, formula in fetch(con, "select indicator_code, formula_text from mart.indicator"):
        assert f"{code} " in page.text and formula in page.text
    assert "terms.html" in {a.attributes["href"] for a in pages["index.html"].all("a")}
