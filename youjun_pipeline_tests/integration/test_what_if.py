"""Scenarios on a publication alone: no action changes nothing, effects add up, all faults are reported, written files read
back.
"""

# Long because one publication, 9 s to make, serves all that is asked of scenarios.

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.planning.judge import Case, figures_of, judged
from youjun_pipeline.planning.scenario_file import (
    ScenarioFileError,
    contract,
    read_scenario,
    write_scenario,
)
from youjun_pipeline.planning.what_if import Result, compare, open_planning, plan_of, start_of, what_if
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.inputs import NoInputsError
from youjun_pipeline.warehouse.published import open_publication
from youjun_pipeline.warehouse.scenario import VERDICTS
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.integration.delivered_files import write_xlsx
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

WUQING, STARTUP, NATIONAL = "120114", "2023-startup", "2025-national"
DAY = date(2025, 12, 1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """武清 with all its deliveries, published; then its files and working database are removed."""
    folder = tmp_path_factory.mktemp("wuqing")
    shutil.copytree(CHECKOUT / "data" / "120114-wuqing", folder / "120114-wuqing")
    scenarios = folder / "120114-wuqing" / "scenarios"
    scenario(scenarios, {"action": "scale_pupils", "scope": "乡村", "quantity": 75}, name="fall")
    (scenarios / "bad.toml").write_text(FAULTY, encoding="utf-8")
    settings = places(folder)
    refresh(settings)
    shutil.rmtree(folder / "120114-wuqing" / "deliveries")
    settings.warehouse.unlink()
    return settings


@pytest.fixture(scope="module")
def con(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_planning(settings.published, [WUQING]) as con:
        yield con


def scenario(tmp_path: Path, *actions: dict[str, object], name: str = "s") -> Path:
    """A scenario file with these actions, numbered, on the day DAY."""
    path = tmp_path / f"{name}.toml"
    rows = [{"action_no": str(n), "effective_on": DAY, **a} for n, a in enumerate(actions, 1)]
    write_scenario(path, "试算", rows)
    return path


def tried(con: duckdb.DuckDBPyConnection, path: Path, phase: str = NATIONAL) -> Result:
    return what_if(con, WUQING, phase, [read_scenario(path)])


def faults(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    with pytest.raises(ScenarioFileError) as caught:
        tried(con, path)
    return [str(p) for p in caught.value.problems]


def value(con: duckdb.DuckDBPyConnection, school: str, indicator: str, phase: str = NATIONAL) -> float:
    found = con.execute(
        "select value from mart.school_indicator where phase_id = ? and school_name = ? and indicator_code = ?",
        [phase, school, indicator],
    ).fetchall()
    assert len(found) == 1
    return float(found[0][0])


@pytest.mark.parametrize("phase", [STARTUP, NATIONAL])
def test_nothing_changed_is_what_is_published_byte_for_byte(
    con: duckdb.DuckDBPyConnection, phase: str
) -> None:
    with judged(con, [Case("base", WUQING, phase)]):
        for table in VERDICTS:
            columns = "* exclude (run_id, phase_id, evaluation_id)"
            again = con.execute(f"select {columns} from youjun_scenario.{table} order by all").fetchall()
            stands = con.execute(
                f"select {columns} from {table} where phase_id = ? order by all", [phase]
            ).fetchall()
            assert again == stands and again


def test_the_empty_scenario_moves_nothing(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    result = tried(con, scenario(tmp_path))
    assert set(result.frame("scenario_indicator")["change"]) == {"same"}
    assert set(result.frame("scenario_verdict")["change"]) == {"same"}
    assert result.frame("scenario_change").empty


def test_a_fall_in_rolls_turns_the_coefficient(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = scenario(
        tmp_path,
        {"action": "scale_pupils", "scope": "乡村", "quantity": 80},
        {"action": "scale_pupils", "scope": "镇区", "quantity": 90},
    )
    result = tried(con, path)
    verdict = result.frame("scenario_verdict")
    row = verdict[
        (verdict["level"] == "stage") & (verdict["stage"] == "junior") & (verdict["indicator_code"] == "R5")
    ].iloc[0]
    assert row["value_before"] == pytest.approx(0.364, abs=1e-3)
    assert row["value_after"] == pytest.approx(0.455, abs=1e-3)
    assert (row["status_before"], row["status_after"], row["change"]) == ("met", "below", "broken")
    line = result.frame("scenario").iloc[0]
    # the verdict of the district turns with it
    assert (bool(line["passes_before"]), bool(line["passes_after"])) == (True, False)
    assert list(line["newly_broken"]) == ["初中 R5差异系数"]
    assert line["indicators_failing_after"] == line["indicators_failing_before"] + 1
    # each action's part adds up to the whole
    change = result.frame("scenario_change")
    for table, level in (("scenario_indicator", "school"), ("scenario_verdict", "stage")):
        key = ["indicator_code", "stage"] + (["school_code"] if level == "school" else [])
        whole = result.frame(table)
        whole = whole[whole["level"] == level] if level == "stage" else whole
        whole = whole.assign(moved=whole["value_after"] - whole["value_before"]).set_index(key)["moved"]
        parts = change[change["level"] == level].groupby(key)["effect"].sum()
        assert len(parts) > 10
        assert (whole.reindex(parts.index) - parts).abs().max() <= 1e-9
        assert whole.drop(parts.index).abs().sum() == 0
    assert set(change["step"]) == {1, 2}


def test_the_same_scenario_again_says_the_same(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = scenario(tmp_path, {"action": "scale_pupils", "scope": "全区", "quantity": 95})
    first, second = tried(con, path), tried(con, path)
    for table in first.tables:
        assert first.tables[table].equals(second.tables[table]), table


def test_each_lever_moves_what_it_should(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    one, other = "杨村第十一小学", "光明道小学"
    pupils = {
        s: con.execute(
            "select primary_students from mart.school where phase_id = ? and school_name = ?", [NATIONAL, s]
        ).fetchall()[0][0]
        for s in (one, other)
    }
    path = scenario(
        tmp_path,
        {"action": "extend", "school": one, "item": "教学及辅助用房面积", "quantity": 1000},
        {"action": "extend", "school": one, "item": "运动场地面积", "quantity": 500},
        {"action": "buy_equipment", "school": one, "quantity": 10},
        {"action": "move_equipment", "school": one, "to_school": other, "quantity": 4},
        {"action": "add_rooms", "school": one, "item": "网络多媒体教室", "quantity": 3},
        {"action": "add_rooms", "school": one, "item": "音乐", "quantity": 1, "area_m2": 100},
        {"action": "add_teachers", "school": one, "stage": "primary", "item": "本科、体育", "quantity": 2},
    )
    after = (
        tried(con, path)
        .frame("scenario_indicator")
        .set_index(["school_name", "indicator_code"])["value_after"]
    )
    n, m = pupils[one], pupils[other]
    for code, more in {
        "R4": 1000 / n,
        "R5": 500 / n,
        "R6": 60000 / n,
        "R7": 300 / n,
        "R1": 200 / n,
        "R3": 200 / n,
    }.items():
        assert after[(one, code)] == pytest.approx(value(con, one, code) + more, rel=1e-9), code
    assert after[(other, "R6")] == pytest.approx(value(con, other, "R6") + 40000 / m, rel=1e-9)


def test_pupils_diverted_by_grade_leave_the_fullest_classes(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    one, other = "杨村第十一小学", "光明道小学"
    path = scenario(
        tmp_path,
        {
            "action": "divert_pupils",
            "school": one,
            "to_school": other,
            "grade": 3,
            "quantity": 7,
            "stage": "primary",
        },
    )
    result = tried(con, path).frame("scenario_indicator")
    rows = result[result["indicator_code"] == "G4"].set_index("school_name")
    assert rows.loc[one, "value_after"] == rows.loc[one, "value_before"] - 7
    assert rows.loc[other, "value_after"] == rows.loc[other, "value_before"] + 7
    start, _, _ = start_of(con, WUQING, NATIONAL)
    codes = dict(start.figures.schools[["school_name", "school_code"]].to_numpy().tolist())
    moved = start.figures.move_pupils(codes[one], codes[other], "primary", 7, 3)
    for code, change in ((codes[one], -7), (codes[other], 7)):
        before, now = (
            f.frames["classes"].loc[lambda c, s=code: (c["school_code"] == s) & (c["grade"] == 3), "students"]
            for f in (start.figures, moved)
        )
        assert now.sum() == before.sum() + change and now.max() - now.min() <= 1


def test_a_school_opens_takes_pupils_and_another_merges(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = scenario(
        tmp_path,
        {
            "action": "open_school",
            "school": "新城小学",
            "value": "2120119999",
            "school_type": "小学",
            "urban_rural": "城区",
        },
        {
            "action": "divert_pupils",
            "school": "光明道小学",
            "to_school": "新城小学",
            "quantity": 360,
            "stage": "primary",
        },
        {"action": "add_classes", "school": "新城小学", "stage": "primary", "quantity": 9},
        {"action": "extend", "school": "新城小学", "item": "教学及辅助用房面积", "quantity": 3600},
        {"action": "merge_school", "school": "黄庄街滨河小学", "to_school": "黄庄街泉昇小学"},
    )
    result = tried(con, path)
    new = result.frame("scenario_indicator").query("school_code == '2120119999'").set_index("indicator_code")
    assert set(new["change"]) == {"opened"}
    assert new.loc["R4", "value_after"] == 10 and new.loc["R4", "status_after"] == "met"
    # what it has not been given it has none of: known, and below
    assert new.loc["R7", "value_after"] == 0 and new.loc["R7", "status_after"] == "below"
    assert new.loc["G5", "value_after"] == 40
    assert {"gone"} == set(
        result.frame("scenario_indicator").query("school_name == '黄庄街滨河小学'")["change"]
    )
    total = result.frame("scenario_indicator").query("indicator_code == 'R4' and stage == 'primary'")
    assert total["students_before"].sum() == total["students_after"].sum()


def test_options_and_standards_are_actions_too(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = scenario(tmp_path, {"action": "set_option", "item": "music_art_rule", "value": "combined"})
    result = tried(con, path, STARTUP)
    rows = result.frame("scenario_indicator").query(
        "at_phase_id == '2025-national' and indicator_code == 'G3'"
    )
    assert (rows["value_after"] > rows["value_before"]).sum() > 20


ONE, OTHER, SMALL = "杨村第十一小学", "光明道小学", "黄庄街滨河小学"
# Actions, and by school and indicator what they move: the change of the value in the indicator's numerator.
OTHER_KINDS: dict[str, tuple[list[dict[str, object]], dict[tuple[str, str], float]]] = {
    "indoor sports area is a part of the teaching area": (
        [{"action": "extend", "school": ONE, "item": "体育馆面积", "quantity": 400}],
        {(ONE, "R5"): 400, (ONE, "R4"): 0},
    ),
    "take_out": (
        [{"action": "take_out", "school": ONE, "item": "网络多媒体教室数", "quantity": 2}],
        {(ONE, "R7"): -200, (OTHER, "R7"): 0},
    ),
    "move_teachers": (
        [{"action": "move_teachers", "school": ONE, "to_school": OTHER, "stage": "primary", "item": "本科、体育", "quantity": 1}],
        {(ONE, "R1"): -100, (OTHER, "R1"): 100, (ONE, "R3"): -100, (OTHER, "R3"): 100, (ONE, "R2"): 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_other_kinds_move_what_they_should(con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    actions, moves = OTHER_KINDS[name]
    result = tried(con, scenario(tmp_path, *actions))
    rows = result.frame("scenario_indicator").set_index(["school_name", "indicator_code"])
    for key, more in moves.items():
        row = rows.loc[key]
        assert (row["value_after"] - row["value_before"]) * row["students_after"] == pytest.approx(more), key
    # teachers who move or stay certified and trained: the district's shares stand
    verdicts = result.frame("scenario_verdict").query("indicator_code in ('G9', 'G12')")
    assert set(verdicts["change"]) == {"same"}


def test_a_teacher_who_comes_is_certified_and_trained(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = scenario(
        tmp_path,
        {"action": "add_teachers", "school": ONE, "stage": "primary", "item": "本科", "quantity": 3},
    )
    verdicts = tried(con, path).frame("scenario_verdict").query("indicator_code in ('G9', 'G12')")
    assert len(verdicts) == 2 and (verdicts["status_after"] == verdicts["status_before"]).all()


def test_a_venue_is_leased_where_the_policy_counts_it(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dense = con.execute(
        "select school_name from mart.school where phase_id = ? and is_dense_urban order by 1", [STARTUP]
    ).fetchall()[0][0]
    path = scenario(
        tmp_path,
        *[{"action": "lease", "school": s, "quantity": 600} for s in (dense, OTHER)],
        {"action": "set_option", "item": "waivers", "value": "W5"},
    )
    rows = tried(con, path, STARTUP).frame("scenario_indicator").query("indicator_code == 'R5'")
    rows = rows[rows["at_phase_id"] == NATIONAL].set_index("school_name")
    moved = (rows["value_after"] - rows["value_before"]) * rows["students_after"]
    assert moved[dense] == pytest.approx(600) and moved[OTHER] == 0


def test_classes_are_evened_out_and_pupils_set(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    start, names, _ = start_of(con, WUQING, NATIONAL)
    code = names.resolve(ONE)
    classes = start.figures.frames["classes"].copy()
    grade = (classes["school_code"] == code) & (classes["grade"] == 1)
    first = classes.index[grade][0]
    classes.loc[first, "students"] += 9
    even = start.figures.put(classes=classes).add_classes(code, "primary", 1, 0).frames["classes"]
    even = even[(even["school_code"] == code) & (even["grade"] == 1)]["students"]
    assert even.max() - even.min() <= 1 and even.sum() == classes.loc[grade, "students"].sum()
    path = scenario(
        tmp_path,
        {"action": "set_pupils", "school": ONE, "stage": "primary", "quantity": 900},
        {"action": "regroup", "school": ONE, "stage": "primary"},
    )
    rows = (
        tried(con, path).frame("scenario_indicator").query("school_name == @ONE").set_index("indicator_code")
    )
    assert rows.loc["G4", "value_after"] == 900
    wrong = scenario(tmp_path, {"action": "regroup", "school": ONE, "stage": "junior"})
    assert any("不能增班或编班" in line for line in faults(con, wrong))


def test_a_school_closes_once_nobody_is_left(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    close: dict[str, object] = {"action": "close_school", "school": SMALL}
    assert any("请先分流" in line for line in faults(con, scenario(tmp_path, close)))
    pupils = con.execute(
        "select primary_students from mart.school where phase_id = ? and school_name = ?", [NATIONAL, SMALL]
    ).fetchall()[0][0]
    move = {
        "action": "divert_pupils",
        "school": SMALL,
        "to_school": ONE,
        "stage": "primary",
        "quantity": pupils,
    }
    rows = tried(con, scenario(tmp_path, move, close)).frame("scenario_indicator")
    assert set(rows[rows["school_name"] == SMALL]["change"]) == {"gone"}


def test_another_standard_judges_the_same_figures(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    same = scenario(tmp_path, {"action": "set_standard", "value": "national-2017"})
    assert set(tried(con, same).frame("scenario_indicator")["change"]) == {"same"}


FAULTY = """title = "错误"
[[action]]
action_no = "1"
action = "改扩建"
effective_on = 2025-06-01
school = "光明道小雪"
item = "教学及辅助用房面积"
quantity = 500

[[action]]
action_no = "2"
action = "搬家"
effective_on = 2025-06-01
school = "光明道小学"

[[action]]
action_no = "3"
action = "停用"
effective_on = 2025-06-01
school = "光明道小学"
item = "运动场地面积"
quantity = 99999999

[[action]]
action_no = "4"
action = "分流"
effective_on = 2025-06-01
school = "光明道小学"
to_school = "杨村第十一小学"
stage = "小学"
quantity = 99999

[[action]]
action_no = "5"
action = "分流"
effective_on = 2031-06-01
school = "光明道小学"
stage = "小学"
quantity = 10
"颜色" = "红"
"""


def test_everything_wrong_is_told_at_once(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(FAULTY, encoding="utf-8")
    told = faults(con, path)
    for words in (
        ("第 2 行", "“学校”", "光明道小雪", "是否为：光明道小学"),
        ("第 10 行", "“动作”", "搬家"),
        ("第 16 行", "“数量”", "减去 99,999,999 后为负"),
        ("第 24 行", "“数量”", "不能分流 99999 人"),
        ("第 33 行", "“生效日期”", "2031-06-01", "不在方案期限内（2023-07-01 至 2025-12-31）"),
        ("第 33 行", "颜色", "没有这一项"),
    ):
        assert any(all(word in line for word in ("bad.toml", *words)) for line in told), (words, told)
    assert len(told) == 6


def test_a_workbook_says_the_same_as_toml(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    headers = [
        contract().columns[c].zh
        for c in ("action_no", "action", "effective_on", "school", "item", "quantity")
    ]
    book = write_xlsx(
        tmp_path / "s.xlsx",
        {
            "情景": [
                headers,
                ["1", "改扩建", "2025-12-01", "光明道小学", "运动场地面积", 800],
                ["2", "购置设备", "2025-12-01", "光明道小学", None, "5"],
            ]
        },
    )
    toml = scenario(
        tmp_path,
        {"action": "extend", "school": "光明道小学", "item": "运动场地面积", "quantity": 800},
        {"action": "buy_equipment", "school": "光明道小学", "quantity": 5},
    )
    one, other = tried(con, book), tried(con, toml)
    for table in ("scenario_indicator", "scenario_verdict", "scenario_change"):
        assert one.tables[table].equals(other.tables[table])
    wrong = write_xlsx(
        tmp_path / "w.xlsx",
        {
            "情景": [
                headers,
                ["1", "改扩建", "2025-12-01", "光明道小学", "运动场", -5],
                ["1", "购置设备", "不久", "光明道小学", None, "多"],
            ]
        },
    )
    told = "\n".join(faults(con, wrong))
    for words in (
        "工作表“情景”，第 2 行，“数量”，值“-5”",
        "第 3 行，“生效日期”，值“不久”",
        "第 3 行，“数量”，值“多”",
    ):
        assert words in told


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    given = {
        "action_no": "1",
        "action": "divert_pupils",
        "effective_on": DAY,
        "school": '甲"乙\\小学',
        "to_school": "丙小学",
        "stage": "primary",
        "grade": 3,
        "quantity": 12.0,
        "note": "两行\n说明",
    }
    path = tmp_path / "x.toml"
    write_scenario(path, "写出", [given])
    read = read_scenario(path)
    assert read.title == "写出" and not read.problems
    back = dict(read.rows[0].given)
    assert {k: (float(v) if k == "quantity" else v) for k, v in back.items()} == given


def test_the_plan_as_written_says_what_it_leaves_unsaid(con: duckdb.DuckDBPyConnection) -> None:
    trial = plan_of(con, WUQING, STARTUP)
    assert trial is not None
    result = compare(con, [trial])
    left = result.frame("scenario_action").query("step.isna()")
    # the plan counts schools, not areas, rooms or pupils: nothing of it can be judged, and nothing is guessed
    assert len(left) == 32 and left["without"].notna().all()
    last = result.frame("scenario").query("at_phase_id == '2025-national'").iloc[0]
    assert (last["schools_failing_before"], last["schools_failing_after"], last["assumed_nothing"]) == (
        52,
        52,
        32,
    )


def test_scenarios_of_many_go_through_in_one_pass(con: duckdb.DuckDBPyConnection) -> None:
    figures = figures_of(con, WUQING, NATIONAL)
    code = figures.schools["school_code"].iloc[0]
    cases = [
        Case(f"c{n}", WUQING, NATIONAL, figures.add("facilities", code, "outdoor_sports_area_m2", 100.0 * n))
        for n in range(20)
    ]
    with judged(con, cases):
        found = con.execute(
            "select i.value from youjun_scenario.mart.school_indicator i join youjun_scenario.main.evaluation e using "
            "(district_code, phase_id) where i.school_code = ? and i.indicator_code = 'R5' order by e.variant[2:]::integer",
            [code],
        ).fetchall()
    values = [v for (v,) in found]
    assert len(values) == 20
    assert pd.Series(values).diff().dropna().to_numpy() == pytest.approx(values[1] - values[0])


def test_the_command_prints_the_comparison_or_every_fault(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
    monkeypatch.setenv("YOUJUN_AS_OF", str(settings.as_of))
    path = scenario(tmp_path, {"action": "scale_pupils", "scope": "乡村", "quantity": 75})
    assert main(["what-if", WUQING, NATIONAL, str(path), "--out", str(tmp_path / "out.xlsx")]) == 0
    out = capsys.readouterr().out
    assert "初中 R5 差异系数 0.364 → 0.473（上限 0.450）新增未达标" in out
    assert "动作 1 +0.109" in out
    assert (tmp_path / "out.xlsx").stat().st_size > 5000
    bad = tmp_path / "bad.toml"
    bad.write_text(FAULTY, encoding="utf-8")
    assert main(["what-if", WUQING, NATIONAL, str(bad)]) == 1
    assert "共 6 处问题" in capsys.readouterr().err
    assert main(["what-if", WUQING, "2019", str(path)]) == 1
    assert "可用的阶段：2023-startup" in capsys.readouterr().err


def test_a_publication_without_its_inputs_says_what_helps(tmp_path: Path) -> None:
    with pytest.raises(NoInputsError, match="make run"), open_planning(tmp_path, [WUQING]):
        pass


def test_a_refresh_publishes_scenarios_forecasts_and_faults_and_touches_no_verdict(
    settings: Settings,
) -> None:
    with open_publication(settings.published) as con:
        rows = con.execute(
            "select scenario_id, at_phase_id, phase_id, newly_broken from plan.scenario order by all"
        ).fetchall()
        assert [row for row in rows if row[0] != "plan"] == [
            ("fall", NATIONAL, NATIONAL, ["初中 R5差异系数"])
        ]
        # the plan is tried from where all of it was to come, and from the last evaluation in which some of it still is
        bases = list(dict.fromkeys(phase for scenario_id, _, phase, _ in rows if scenario_id == "plan"))
        assert sorted(bases) == ["2023-startup", "2024-municipal"]
        assert con.execute("select count(*), count(distinct file) from plan.scenario_problem").fetchall() == [
            (6, 1)
        ]
        verdict = con.execute(
            "select status from mart.stage_balance where phase_id = ? and stage = 'junior' and indicator_code = 'R5'",
            [NATIONAL],
        ).fetchall()
        assert verdict == [("met",)]
        total, schools = con.execute(
            "select sum(students) filter (school_code is null), sum(students) filter (school_code is not null) "
            "from plan.enrolment_forecast where stage = 'primary' and grade is null and year = 2026"
        ).fetchall()[0]
        assert total == pytest.approx(schools, rel=1e-9)
        now = con.execute(
            "select sum(primary_students) from mart.school where phase_id = ? and in_scope", [NATIONAL]
        ).fetchall()[0][0]
        assert total == pytest.approx(now, rel=0.05)
        years = con.execute("select distinct year from plan.forecast_verdict order by 1").fetchall()
        assert years == [(y,) for y in range(2026, 2035)]
        risky = con.execute(
            "select min(probability_failing), max(probability_failing) from plan.forecast_verdict where level = 'school'"
        ).fetchall()[0]
        assert 0 <= risky[0] <= risky[1] <= 1
        # a district that passes today and will not by its coming pupils
        (warning,) = con.execute(
            "select level, severity, year, message from plan.forecast_warning"
        ).fetchall()
        assert warning[:3] == ("district", "serious", 2026)
        assert warning[3].startswith("现在通过，按预测的学生数到 2026 学年将不再通过")
        left = con.execute(
            "select basis, sum(findings_left) from mart.projection where phase_id = '2024-municipal' group by 1"
        ).fetchall()
        assert dict(left) == {"planned": 31, "slippage": 31, "constant": 29, "verified": 31}


def test_pupils_of_a_coming_year_are_those_of_the_forecast(
    settings: Settings, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = scenario(tmp_path, {"action": "forecast_pupils", "scope": "全区", "quantity": 2030})
    rows = tried(con, path).frame("scenario_indicator").query("indicator_code == 'R4' and stage == 'primary'")
    with open_publication(settings.published) as published:
        said = dict(
            published.execute(
                "select school_code, round(students)::integer from plan.enrolment_forecast "
                "where year = 2030 and stage = 'primary' and grade is null and school_code is not null"
            ).fetchall()
        )
    after = dict(rows[["school_code", "students_after"]].to_numpy().tolist())
    # schools that fall below the size of a teaching point in scope are judged no more
    assert len(after) > 50 and {code: said[code] for code in after} == after
    late = scenario(tmp_path, {"action": "forecast_pupils", "scope": "全区", "quantity": 2050})
    assert any("最多九年" in line for line in faults(con, late))
