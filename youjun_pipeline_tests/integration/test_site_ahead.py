"""Pages of scenarios and forecasts compared with the publication: a small district with a forecast, and the samples' plans."""

from __future__ import annotations

import duckdb

from youjun_pipeline.site.trend_charts import trend_charts
from youjun_pipeline_tests.integration.site_pages import Pages

PLAN = "district/120114/scenario/2023-startup/plan.html"


def test_the_plan_in_full_on_one_page(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    """Which findings remain at the end of the plan, and which measures give no quantity."""
    page = pages[PLAN]
    left = con.execute(
        "select indicator_code, count(*) from plan.scenario_indicator where district_code = '120114' and scenario_id = 'plan' "
        "and at_phase_id = '2025-national' and status_after in ('near', 'below') and change <> 'broken' group by all"
    ).fetchall()
    shown: dict[str, int] = {}
    for row in page.rows("left"):
        code = row[0].text.split()[0]
        shown[code] = shown.get(code, 0) + int(row[2].text)
    assert shown == dict(left) and sum(shown.values()) == 82
    assert len(page.rows("nothing")) == 32
    assert "没有写明数量、能够计入的动作" in page.text
    assert len(page.rows("coefficients")) == 14


def test_scenarios_stand_side_by_side_and_doors_lead_there(pages: Pages) -> None:
    for district in ("120114", "120115"):
        page = pages[f"district/{district}/scenarios.html"]
        rows = {row[0].text: [cell.text for cell in row[1:]] for row in page.rows("compare-1")}
        assert rows["解决"][1:] == ["0"] and len(rows) == 21
        doors = [a.text for a in pages[f"district/{district}/index.html"].all("a")]
        assert "情景比较" in doors
        # one delivery says nothing of how rolls move
        assert "学生数预测" not in doors and f"district/{district}/forecast.html" not in pages


def test_causes_and_margins_are_told(pages: Pages, con: duckdb.DuckDBPyConnection) -> None:
    text = pages["district/120114/phase/2023-startup/r5.html"].text
    share = con.execute(
        "select round(100 * between_share, 1) from mart.balance_cause where district_code = '120114' "
        "and stage = 'primary' and indicator_code = 'R5'"
    ).fetchall()[0][0]
    assert f"组间差异占方差的 {share}%" in text and "所学校都达到" in text
    code, margin = con.execute(
        "select school_code, margin::integer from mart.verdict_margin where district_code = '120114' and level = 'school' "
        "and indicator_code = 'R4' and lever = 'resource' and move = 'more' order by 1 limit 1"
    ).fetchall()[0]
    assert f"资源增加 {margin:,} ㎡" in pages[f"district/120114/school/{code}.html"].text


def test_the_causes_of_each_phase_stand_in_the_order_of_the_phases() -> None:
    assert trend_charts()["waterfall"].to_dict()["facet"]["sort"] == {"field": "order", "op": "min"}
