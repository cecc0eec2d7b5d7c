"""The site compared with its publication: figures, links, hostile names, reused pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb
import pytest

from youjun_pipeline.site import build_site, words
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.published_rows import publish_rows
from youjun_pipeline_tests.integration.sample_districts import fetch, wuqing
from youjun_pipeline_tests.integration.site_pages import Element, Pages, all_pages, read_page
from youjun_pipeline_tests.integration.site_rows import rows_named

pytestmark = pytest.mark.usefixtures("no_bundling")

PHASE = "district/120114/phase/2023-startup"
NOTE = "数据为重构样例，非填报数据"
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    """"'><img src=x onerror=alert(1)>""",
    "</script><!--{{ 7*7 }}",
    "عربي русский 中文 𠮷 \u202e反",
    "长" * 300,
]


# ---------------------------------------------------------------- figures


def test_wall_map_has_every_section_with_its_values_and_signs(
    pages: Pages, con: duckdb.DuckDBPyConnection
) -> None:
    page = pages[f"{PHASE}/index.html"]
    codes = [th.one("a").text[:2] for th in page.one("table", id="map").all("th", scope="col")[3:-1]]
    assert codes == ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "G3", "G4", "G5"]
    shown = {}
    for row in page.rows("map"):
        for code, cell in zip(codes, row[3:-1], strict=True):
            shown[row[0].text, row[1].text, code] = (cell.attributes["data-v"], cell.one("b").text)
    judged = {
        (name, {"primary": "小学", "junior": "初中"}[stage], code): (str(value), words.STATUS[status].sign)
        for name, stage, code, value, status in fetch(
            con,
            f"""select v.school_name, v.stage, i.indicator_code, i.value, i.status
            from (from {wuqing("school_verdict")}) v join (from {wuqing("school_indicator")}) i
            on i.school_code = v.school_code and i.stage in (v.stage, 'compulsory')""",
        )
    }
    assert len(shown) > 1000
    assert shown == judged


def test_wall_map_counts_as_the_annex_does(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    page = pages[f"{PHASE}/index.html"]
    table = page.one("table", class_="annex")
    shown = [
        tuple(re.match(r"[^ ]+", c.text)[0] for c in (row.all("th")[0], *row.all("td")[1:3]))  # type: ignore[index]
        for row in table.one("tbody").all("tr")
    ]
    assert shown == [
        ("R4", "21", "5"), ("R5", "1", "0"), ("R6", "2", "0"), ("R7", "0", "0"),
        ("G3", "13", "7"), ("G4", "3", "0"), ("G5", "22", "8"), ("Q9", "—", "—"),
    ]  # fmt: skip
    (verdict,) = fetch(
        con, f"select schools_failing, indicators_failing, blocking from {wuqing('district_verdict')}"
    )
    assert (
        [t.one("b").text for t in page.all("div", class_="tile")][:2]
        == [str(verdict[0]), str(verdict[1])]
        == ["52", "8"]
    )
    assert [li.text for li in page.one("ol", class_="blocking").all("li")] == verdict[2]


def test_cvs_stand_against_their_limits(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    page = pages[f"{PHASE}/index.html"]
    shown = [c.one("b").text for c in page.all("div", class_="cv-cell")]
    expected = fetch(con, f"select cv from {wuqing('stage_balance')} order by indicator_code, stage desc")
    assert shown == [words.number(cv, 3) for (cv,) in expected]
    bars = [bar for bar in page.everything if bar.attributes.get("class", "").startswith("bullet")]
    over = [bar.attributes["class"] for bar in bars if _share(bar, "w") > _share(bar, "limit")]
    assert over == ["bullet below"] * 5


def _share(bar: Element, name: str) -> float:
    return float(re.search(rf"--{name}:([\d.]+)%", bar.attributes["style"])[1])  # type: ignore[index]


def test_indicator_page_shows_each_schools_share_of_the_cv(
    pages: Pages, con: duckdb.DuckDBPyConnection
) -> None:
    page = pages[f"{PHASE}/r4.html"]
    shares = {
        name: (share, effect, value >= even)
        for name, value, share, effect, even in fetch(
            con,
            f"""select school_name, value, variance_share, marginal_effect, level_break_even
            from {wuqing("balance_contribution")} and indicator_code = 'R4' and stage = 'primary'""",
        )
    }
    shown = {
        row[0].text: (
            float(row[5].attributes["data-v"]),
            float(row[6].attributes["data-v"]),
            row[7].text == "扩大差异",
        )
        for row in page.rows("schools-primary")
    }
    assert shown == shares
    data = json.loads(page.one("script", id="data-primary").text)
    assert {s["name"] for s in data["schools"]} == shares.keys()
    assert [s["name"] for s in data["shares"]] == sorted(shares, key=lambda n: -shares[n][0])[:15]
    lines = {line["label"]: line["value"] for line in data["lines"]}
    ((threshold, floor),) = fetch(
        con,
        f"select distinct threshold, floor from {wuqing('school_indicator')} and indicator_code = 'R4' and stage = 'primary'",
    )
    assert (lines["标准"], lines["底线"]) == (threshold, floor)
    assert lines.keys() == {"标准", "底线", "全县均值", "差异临界值"}


def test_school_page_sets_bars_against_limit_and_floor(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    ((code,),) = fetch(
        con, f"select distinct school_code from {wuqing('school')} and school_name = '黄庄街泉昇小学'"
    )
    page = pages[f"district/120114/school/{code}.html"]
    expected = fetch(
        con,
        f"""select value, threshold, floor, gap, status from {wuqing("school_indicator")}
        and school_code = '{code}' and floor is not null order by indicator_code""",
    )
    rows = page.one("table", class_="bars").one("tbody").all("tr")
    assert len(rows) == len(expected) == 7
    for row, (value, threshold, floor, gap, status) in zip(rows, expected, strict=True):
        bar = row.all("td")[0].one("div")
        assert _share(bar, "w") == pytest.approx(100 * min(value / threshold, 2) / 2, abs=0.01)
        assert _share(bar, "limit") == 50
        assert _share(bar, "floor") == pytest.approx(50 * floor / threshold, abs=0.01)
        assert words.STATUS[status].sign in row.text
        assert (f"缺 {words.plain(gap)}" in row.text) == bool(gap)
    found = fetch(con, f"select unnest(measures) from {wuqing('finding')} and school_code = '{code}'")
    measures = {measure for (measure,) in found}
    assert measures
    assert measures <= {a.text for a in page.all("a")}


def test_district_and_region_pages_compare_phases(pages: Pages) -> None:
    region = pages["region/12.html"]
    assert [row[0].text for row in region.rows("phases")] == ["武清区 重构", "宝坻区 重构"]
    assert [row[1].text for row in region.rows("phases")] == ["启动准备", "2020年"]
    assert [row[5].text for row in region.rows("phases")] == ["52", "23"]
    assert [row[0].one("a").text for row in pages["index.html"].rows("districts")] == ["武清区", "宝坻区"]
    assert [c.text for c in pages["district/120114/index.html"].rows("indicators")[3]] == [
        "R4 教学用房",
        "✕ 26 所 差异超限",
    ]


# ---------------------------------------------------------------- the pages as pages


def test_every_link_leads_to_a_file_and_a_place_in_it(sample_site: Path, pages: Pages) -> None:
    ids = {
        page: {e.attributes["id"] for e in tree.everything if "id" in e.attributes}
        for page, tree in pages.items()
    }
    broken, links = [], 0
    for page, tree in pages.items():
        for element in tree.everything:
            target = element.attributes.get("href") or element.attributes.get("src")
            if not target or target == "data:,":
                continue
            links += 1
            parts = urlsplit(target)
            path = (sample_site / page).parent / unquote(parts.path) if parts.path else sample_site / page
            inside = path.resolve()
            if parts.scheme or not inside.is_file():
                broken.append((page, target))
            elif parts.fragment and inside.is_relative_to(sample_site.resolve()):
                place = inside.relative_to(sample_site.resolve()).as_posix()
                if unquote(parts.fragment) not in ids[place]:
                    broken.append((page, target))
    assert links > 5000
    assert broken == []


def test_documents_beside_the_site_are_linked_where_they_are_there(pages: Pages) -> None:
    links = {a.attributes["href"]: a.text for a in pages[f"{PHASE}/index.html"].all("a")}
    assert links["../../../../../official/120114/2023-startup.xlsx"] == "申报表（Excel）"
    assert (
        links["../../../../../schools/120114/2023-startup/%E8%87%AA%E8%AF%84%E8%A1%A8.xlsx"]
        == "自评表（Excel）"
    )
    assert links["../../../../../data_docs/index.html"] == "数据检验报告"
    # a principal finds the plan of the own school, in the phases that have one
    own = [a for a in pages["district/120114/school/2120114018.html"].all("a") if "本校的一校一案" in a.text]
    folder = (
        "schools/120114/2023-startup/%E4%B8%80%E6%A0%A1%E4%B8%80%E6%A1%88/2120114018_%E6%B3%89%E6%98%87.docx"
    )
    assert [a.attributes["href"] for a in own] == [f"../../../../{folder}"]
    baodi = pages["district/120115/phase/2020/index.html"]
    assert not [a for a in baodi.all("a") if "official" in a.attributes["href"]]


def test_ids_are_unique_and_every_page_says_its_data_are_reconstructed(pages: Pages) -> None:
    assert len(pages) > 200
    for page, tree in pages.items():
        ids = [e.attributes["id"] for e in tree.everything if "id" in e.attributes]
        assert len(ids) == len(set(ids)), page
        # these show no figure of any district, the comparison none before its schools are chosen
        assert (
            page in ("search.html", "terms.html", "compare.html") or NOTE in tree.one("p", role="note").text
        ), page


def test_nothing_on_the_site_comes_from_the_network(sample_site: Path) -> None:
    # Vega's script names standards and its own messages; the pages' policy lets nothing out all the same.
    texts = {
        p.name: p.read_text(encoding="utf-8")
        for p in sample_site.rglob("*")
        if p.is_file() and p.name != "vega.js"
    }
    assert [name for name, text in texts.items() if re.search(r"https?:|//cdn|@import", text)] == []
    policies = {
        meta.attributes["content"]
        for tree in all_pages(sample_site).values()
        for meta in tree.all("meta", http_equiv="Content-Security-Policy")
    }
    (policy,) = policies
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


# ---------------------------------------------------------------- names nobody should trust


def build(published: Path) -> dict[str, Element]:
    with connect(published / FILE_NAME, read_only=True) as con:
        build_site(con, published)
    return all_pages(published / "site")


@pytest.mark.parametrize(
    "name", HOSTILE, ids=["formula", "script", "quotes", "comment", "scripts mixed", "long"]
)
def test_hostile_names_come_out_as_text(tmp_path: Path, name: str) -> None:
    publish_rows(tmp_path, rows_named(name))
    pages = build(tmp_path)
    assert len(pages) == 6 + 3 + 4 + 9
    for page, tree in pages.items():
        scripts = tree.all("script")
        assert all(
            "src" in s.attributes or s.attributes.get("type") == "application/json" for s in scripts
        ), page
        assert not [e for e in tree.everything if any(a.startswith("on") for a in e.attributes)], page
        assert not tree.all("img"), page
        assert re.fullmatch(r"[a-z0-9/_~.-]+", page)
        assert max(len(part) for part in page.split("/")) < 100
        if page.endswith(".html") and name.startswith("="):
            # copied into a spreadsheet a cell that begins so would be a formula
            texts = [c for e in tree.everything for c in e.children if isinstance(c, str)]
            assert not [text for text in texts if text.lstrip().startswith("=")], page
        shown = " ".join(name.split())
        assert shown in tree.text or page.startswith(("region", "search", "terms", "compare", "news")), page
    data = json.loads(
        next(
            c
            for c in pages[f"{PHASE}/r4.html"].one("script", id="data-primary").children
            if isinstance(c, str)
        )
    )
    assert data["schools"][0]["name"] == name
    hrefs = {a.attributes["href"] for tree in pages.values() for a in tree.all("a")}
    # the one "=" that may stand there is that of a query of ours
    assert not [h for h in hrefs if re.search(r"[<>\"'\s=|:]", re.sub(r"\?(town|fails|s)=", "?", h))]


def test_codes_that_climb_stay_inside_the_site(tmp_path: Path) -> None:
    rows = rows_named("学校")
    for table in rows.values():
        for row in table:
            if "phase_id" in row:
                row["phase_id"] = "../../../up"
            if "school_code" in row:
                row["school_code"] = "..\\..\\x/../y"
    publish_rows(tmp_path / "published", rows)
    pages = build(tmp_path / "published")
    assert {p.name for p in tmp_path.iterdir()} == {"published"}
    assert {p.name for p in (tmp_path / "published").iterdir()} == {FILE_NAME, "manifest.json", "site"}
    (school,) = [page for page in pages if "/school/" in page]
    assert re.fullmatch(r"district/120114/school/[a-z0-9~]+\.html", school)


# ---------------------------------------------------------------- building


def test_reported_data_carry_no_note(tmp_path: Path) -> None:
    publish_rows(tmp_path, rows_named("实验小学"))
    assert not [page for page, tree in build(tmp_path).items() if tree.all("p", role="note")]


def test_empty_tables_say_so(tmp_path: Path) -> None:
    rows = rows_named("实验小学")
    needed = ("mart.evaluation", "mart.district_verdict", "mart.indicator")
    shown = {table: rows[table] for table in needed}
    publish_rows(tmp_path, shown)
    pages = build(tmp_path)
    assert pages[f"{PHASE}/plan.html"].text.count("暂无") >= 9
    assert "没有在评学校" in pages[f"{PHASE}/index.html"].text
    publish_rows(tmp_path, {})
    assert "还没有发布任何评估" in build(tmp_path)["index.html"].text


def test_a_district_in_which_nothing_changed_is_taken_over(tmp_path: Path) -> None:
    rows = rows_named("实验小学")
    page = tmp_path / "site" / PHASE / "index.html"
    publish_rows(tmp_path, rows)
    build(tmp_path)
    first = page.stat().st_ino
    publish_rows(tmp_path, rows, run_id="run-2")
    with connect(tmp_path / FILE_NAME, read_only=True) as con:
        result = build_site(con, tmp_path)
    assert (result.districts_built, result.districts_kept) == (0, 1)
    assert page.stat().st_ino == first
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["folders"]["site"] == "run-2"
    rows["mart.school_indicator"][0]["value"] = 9.0
    publish_rows(tmp_path, rows, run_id="run-3")
    with connect(tmp_path / FILE_NAME, read_only=True) as con:
        result = build_site(con, tmp_path)
    assert (result.districts_built, result.districts_kept) == (1, 0)
    assert read_page(page).rows("map")[0][3].text == "✕ 9.00"


def test_a_new_document_beside_the_site_is_linked_at_the_next_build(tmp_path: Path) -> None:
    publish_rows(tmp_path, rows_named("实验小学"))
    build(tmp_path)
    (tmp_path / "official" / "120114").mkdir(parents=True)
    (tmp_path / "official" / "120114" / "2023-startup.xlsx").touch()
    assert "申报表（Excel）" in [a.text for a in build(tmp_path)[f"{PHASE}/index.html"].all("a")]


def test_a_fault_leaves_the_old_site_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_named("实验小学")
    publish_rows(tmp_path, rows)
    before = set(build(tmp_path))
    rows["mart.school_indicator"][0]["value"] = 9.0
    publish_rows(tmp_path, rows)

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("youjun_pipeline.site.build.write_index", fail)
    with pytest.raises(OSError, match="disk full"):
        build(tmp_path)
    assert set(all_pages(tmp_path / "site")) == before
    assert read_page(tmp_path / "site" / PHASE / "index.html").rows("map")[0][3].text == "✕ 1.00"
