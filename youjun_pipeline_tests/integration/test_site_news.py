"""The page about the changes of a publication, made of a few rows in two publications."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

from youjun_pipeline.site.news import write_news
from youjun_pipeline.site.writer import Writer
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME, PREVIOUS_NAME
from youjun_pipeline_tests.integration.published_rows import EVALUATION, publish_rows, resource
from youjun_pipeline_tests.integration.site_pages import Element, read_page

MONDAY, TUESDAY = datetime(2026, 3, 2, 18), datetime(2026, 3, 3, 18)


def rows(
    published_at: datetime, failing: int, waivers: list[str], **restated: Any
) -> dict[str, list[dict[str, Any]]]:
    """A publication of one evaluation in which R4 decides."""
    status = "below" if failing else "met"
    verdict = {
        "schools_in_scope": 9,
        "schools_failing": failing,
        "indicators_failing": int(failing > 0),
        "indicators_no_data": 0,
    }
    published = {
        "published_at": published_at,
        "as_of": date(2026, 3, 1),
        "rows": 5,
        "run_id": str(published_at),
    }
    return {
        "mart.evaluation": [EVALUATION | {"active_waivers": waivers}],
        "mart.district_verdict": [verdict | {"passes": not failing}],
        "mart.district_indicator": [{"indicator_code": "R4", "status": status}],
        "mart.school_indicator": [resource("s1", "R4", 4.0, status)],
        "ops.publication": [published],
        "ops.restatement": [restated] if restated else [],
    }


def page_of(published: Path) -> Element:
    with connect(published / FILE_NAME, read_only=True) as con:
        write_news(Writer(published / "site", published), con)
        assert con.execute(
            "select count(*) from duckdb_databases() where database_name = 'before'"
        ).fetchall() == [(0,)]
    return read_page(published / "site" / "news.html")


def test_what_a_publication_changed_is_told_in_words(tmp_path: Path) -> None:
    publish_rows(tmp_path, rows(MONDAY, 0, []))
    shutil.move(tmp_path / FILE_NAME, tmp_path / PREVIOUS_NAME)
    restated = {
        "table_name": "mart.school_indicator",
        "key": "s1 R4 primary",
        "column_name": "status",
        "old_value": "met",
        "new_value": "below",
        "reason": "补报校舍",
        "restated_at": TUESDAY,
    }
    publish_rows(tmp_path, rows(TUESDAY, 3, ["W-G3"], **restated))
    page = page_of(tmp_path)
    assert page.one("h1").text == "本次发布的变化 2026-03-04 02:00（北京时间）", "UTC is nobody's time here"
    verdicts = page.one("section", id="verdicts")
    assert "与 2026-03-03 02:00 的上一次发布相比" in verdicts.text
    (row,) = verdicts.one("tbody").all("tr")
    cells = [c.text for c in row.children if isinstance(c, Element)]
    assert cells == ["试验区 启动", "✓ 通过 → ✕ 未通过", "0 → 3", "0 → 1", "0", "R4 达标 → 未达标", "1"]
    first, second = page.one("section", id="restated").all("tbody")
    assert first.text == "2026-03-04 02:00 本次 试验区 启动 学校指标 1 补报校舍"
    assert second.text == "试验区 启动 学校指标 s1 R4 小学 达标 未达标 2026-03-04 02:00"
    rules = page.one("section", id="rules").text
    assert "不适用过渡政策 → 县域义务教育优质均衡发展督导评估（国家2017版）；适用过渡政策 W-G3" in rules


def test_without_a_publication_before_nothing_is_compared(tmp_path: Path) -> None:
    publish_rows(tmp_path, rows(MONDAY, 0, []))
    assert "没有可比的上一次发布" in page_of(tmp_path).text
    # after a rollback the file beside the publication is the later one
    publish_rows(tmp_path, rows(TUESDAY, 3, []))
    shutil.move(tmp_path / FILE_NAME, tmp_path / PREVIOUS_NAME)
    publish_rows(tmp_path, rows(MONDAY, 0, []))
    assert "没有可比的上一次发布" in page_of(tmp_path).text
    (tmp_path / PREVIOUS_NAME).write_bytes(b"no database")
    assert "没有可比的上一次发布" in page_of(tmp_path).text
