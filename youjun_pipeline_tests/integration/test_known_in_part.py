"""Partly known data never give a pass: parts above their whole, incomplete years and surveys, subjects without a result, schools
of which nobody can say whether they count. Each case changes one thing in a passing district.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

Tables = dict[str, list[dict[str, Any]]]
Change = Callable[[Tables, dict[str, Any]], None]
NEWEST = 2023


def day_schools(tables: Tables, stage: str) -> list[dict[str, Any]]:
    """Urban and town public day schools of one stage."""
    return [
        r
        for r in tables["schools"]
        if r["urban_rural"] != "乡村"
        and str(r["sponsor_code"]) != "10"
        and not r["boarding"]
        and r[f"{stage}_students"]
    ]


def certify(tables: Tables, _: dict[str, Any]) -> None:
    """One school certifies more teachers than it has, and another school as many fewer."""
    first, second = tables["teachers"][1:3]  # the first school is private and left out here
    first["certified"], second["certified"] = first["full_time"] + 1, second["full_time"] - 1


def item(name: str, of: str, more: int = 1) -> Change:
    """A part of the assurance items, a little above the whole."""

    def change(tables: Tables, _: dict[str, Any]) -> None:
        rows = {r["item"]: r for r in tables["assurance"]}
        rows[name]["value"] = rows[of]["value"] + more

    return change


def newest(dataset: str, column: str, of: str, more: int = 1) -> Change:
    """A part in the newest year that is above its whole in one place."""

    def change(tables: Tables, _: dict[str, Any]) -> None:
        row = newest_row(tables, dataset)
        row[column] = row[of] + more

    return change


def newest_row(tables: Tables, dataset: str) -> dict[str, Any]:
    """A row of the newest year; if rows are of schools, a row of a judged school."""
    judged = {
        r["school_code"]
        for r in tables["schools"]
        if r["school_type"] in ("小学", "初级中学") and str(r["sponsor_code"]) != "10"
    }
    return next(
        r for r in tables[dataset] if r["year"] == NEWEST and r.get("school_code", "") in (judged | {""})
    )


def all_rotated(tables: Tables, settings: dict[str, Any]) -> None:
    item("G11.rotated", "G11.eligible")(tables, settings)
    item("G11.rotated_backbone", "G11.rotated", 0)(tables, settings)


def without(dataset: str, keeps: Callable[[dict[str, Any]], bool]) -> Change:
    def change(tables: Tables, _: dict[str, Any]) -> None:
        before = len(tables[dataset])
        tables[dataset] = [r for r in tables[dataset] if keeps(r)]
        assert len(tables[dataset]) < before

    return change


def one_school_early(dataset: str) -> Change:
    """Everybody reported the year before; one school reports a newer year."""

    def change(tables: Tables, _: dict[str, Any]) -> None:
        first = newest_row(tables, dataset)
        tables[dataset].append({**first, "year": NEWEST + 1})

    return change


def only_one_school(dataset: str) -> Change:
    def change(tables: Tables, _: dict[str, Any]) -> None:
        first = newest_row(tables, dataset)["school_code"]
        tables[dataset] = [r for r in tables[dataset] if r["school_code"] == first]

    return change


def blank_urban(tables: Tables, _: dict[str, Any]) -> None:
    """A primary school in unknown surroundings, with one pupil from another catchment."""
    row = day_schools(tables, "primary")[0]
    row["urban_rural"] = None
    row["catchment_primary_students"] = row["primary_students"] - 1


def blank_urban_all_near(tables: Tables, _: dict[str, Any]) -> None:
    day_schools(tables, "primary")[0]["urban_rural"] = None


def uncertified_private(tables: Tables, settings: dict[str, Any]) -> None:
    school = next(r for r in tables["schools"] if r["school_type"] == "小学")
    school["sponsor_code"] = "10"
    next(r for r in tables["teachers"] if r["school_code"] == school["school_code"])["certified"] -= 1
    settings |= {"include_private": True, "count_private_teachers": False}


def counted_private(tables: Tables, settings: dict[str, Any]) -> None:
    uncertified_private(tables, settings)
    settings["count_private_teachers"] = True


def sure_to_be_large(tables: Tables, settings: dict[str, Any]) -> None:
    """A nine-year school with 960 primary pupils that does not report its junior pupils, and with almost no budget."""
    school = next(r for r in tables["schools"] if r["school_type"] == "小学" and r["primary_students"] >= 100)
    school |= {"school_type": "九年一贯制学校", "primary_students": 960, "junior_students": None}
    for row in tables["school_finance"]:
        if row["school_code"] == school["school_code"]:
            row["public_funds_budget_wan"], row["training_budget_wan"] = Decimal(1), Decimal(1)


def no_norm(tables: Tables, settings: dict[str, Any]) -> None:
    del settings["funding_norm_primary_yuan"], settings["funding_norm_junior_yuan"]


def fewer_answers(tables: Tables, _: dict[str, Any]) -> None:
    for row in tables["district_figures"]:
        row["value"] += Decimal("0.1")


def fewer_parents(tables: Tables, _: dict[str, Any]) -> None:
    row = next(r for r in tables["recognition"] if r["year"] == NEWEST and r["respondent_group"] == "家长")
    other = next(r for r in tables["recognition"] if r["year"] == NEWEST and r["respondent_group"] == "教师")
    row["valid"], row["satisfied"] = row["valid"] - 20, row["satisfied"] - 17
    other["valid"], other["satisfied"] = other["valid"] + 20, other["satisfied"] + 17


def group_left_out(tables: Tables, _: dict[str, Any]) -> None:
    """Nobody asked the heads, in any year."""
    tables["recognition"] = [r for r in tables["recognition"] if r["respondent_group"] != "校长"]


def no_sample_asked(tables: Tables, settings: dict[str, Any]) -> None:
    group_left_out(tables, settings)
    del tables["district_figures"]
    settings["survey_rule"] = "none"


def visits_dissatisfied(tables: Tables, settings: dict[str, Any]) -> None:
    for row in tables["recognition"]:
        if row["year"] == NEWEST:
            row["satisfied"] += -1 if row["method"] == "走访" else 1
    settings["survey_methods"] = "each"


def subject_not_examined(tables: Tables, settings: dict[str, Any]) -> None:
    tables["quality_monitoring"] = [
        r for r in tables["quality_monitoring"] if (r["grade"], r["subject"]) != (4, "艺术")
    ]
    settings["subjects_not_monitored"] = ["4年级艺术"]


def other_word(tables: Tables, _: dict[str, Any]) -> None:
    """What was 体育 and not met in the older cycle is 体育与健康 in the newer one."""
    for row in tables["quality_monitoring"]:
        if row["subject"] == "体育" and row["cycle"] > 2020:
            row["subject"] = "体育与健康"


# change, indicator, its status, words of its summary
CASES: dict[str, tuple[Change, str, str, str]] = {
    "certified": (certify, "G12", "no_data", "部分多于整体"),
    "trained": (
        lambda t, _: t["teachers"][1].update(trained_360h=t["teachers"][1]["full_time"] + 1),
        "G9",
        "no_data",
        "部分多于整体",
    ),
    "catchment": (
        lambda t, _: day_schools(t, "primary")[0].update(
            catchment_primary_students=day_schools(t, "primary")[0]["primary_students"] + 1
        ),
        "G13",
        "no_data",
        "部分多于整体",
    ),
    "rotated": (all_rotated, "G11", "no_data", "部分多于整体"),
    "backbone": (item("G11.rotated_backbone", "G11.rotated"), "G11", "no_data", "部分多于整体"),
    "places": (item("G14.allotted", "G14.places"), "G14", "no_data", "部分多于整体"),
    "migrants": (item("G15.public", "G15.eligible"), "G15", "no_data", "部分多于整体"),
    "disabled": (item("Q2.enrolled", "Q2.eligible"), "Q2", "no_data", "部分多于整体"),
    "graduates": (newest("graduation_cohorts", "graduates", "entrants", 9), "Q1", "no_data", "部分多于整体"),
    "training": (
        newest("school_finance", "training_budget_wan", "public_funds_budget_wan"),
        "Q4",
        "no_data",
        "部分多于整体",
    ),
    "satisfied": (newest("recognition", "satisfied", "valid"), "S1", "no_data", "部分多于整体"),
    "early cohort": (one_school_early("graduation_cohorts"), "Q1", "met", "2024 年尚未报齐"),
    "early budget": (one_school_early("school_finance"), "Q4", "met", "2024 年尚未报齐"),
    "only one cohort": (only_one_school("graduation_cohorts"), "Q1", "no_data", "2023 年缺"),
    "only one budget": (only_one_school("school_finance"), "Q4", "no_data", "2023 年缺"),
    "early survey": (
        lambda t, _: t["recognition"].append({**t["recognition"][-1], "year": NEWEST + 1, "satisfied": 0}),
        "S1",
        "met",
        "2024 年尚未报齐",
    ),
    "may be rural": (blank_urban, "G13", "no_data", "不知是否计入"),
    "rural or not": (blank_urban_all_near, "G13", "met", "计入与否均达标"),
    "private teachers left out": (uncertified_private, "G12", "met", "100%"),
    "private teachers counted": (counted_private, "G12", "below", "99."),
    "large for sure": (sure_to_be_large, "G6", "met", "足额核定"),
    "no norm": (no_norm, "G6", "no_data", "没有给出生均公用经费基准定额"),
    "small sample": (fewer_answers, "S1", "no_data", "缺 2 份"),
    "few parents": (fewer_parents, "S1", "no_data", "不足有效样本的 50%，缺 20 份"),
    "group left out": (group_left_out, "S1", "no_data", "2023 年缺 校长"),
    "no sample asked": (no_sample_asked, "S1", "met", "社会认可度 85%"),
    "no population": (lambda t, _: t["district_figures"].clear(), "S1", "no_data", "没有报送人口总数"),
    "visits": (visits_dissatisfied, "S1", "below", "走访认可度"),
    "subject": (
        without("quality_monitoring", lambda r: (r["grade"], r["subject"]) != (4, "艺术")),
        "Q9",
        "no_data",
        "没有 4 年级艺术 的监测结果",
    ),
    "one subject": (
        without("quality_monitoring", lambda r: r["subject"] == "数学" and r["grade"] == 4),
        "Q9",
        "no_data",
        "没有 4 年级",
    ),
    "subject not examined": (subject_not_examined, "Q9", "met", "均达标"),
    "subject by another word": (other_word, "Q9", "met", "均达标"),
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One publication with a district for each case."""
    folder: Path = tmp_path_factory.mktemp("known")
    made = generate_district(1, n_schools=16, profile="passing", leading_zero=False)
    for number, (name, (change, *_)) in enumerate(CASES.items()):
        tables = {name: deepcopy(rows or []) for name, rows in made.tables.items()}
        settings = dict(made.settings)
        change(tables, settings)
        code = f"14{number:04d}"
        # a year that has begun when it is delivered
        ends = date(NEWEST + 1, 9, 30) if name.startswith("early ") else date(NEWEST, 9, 30)
        phases = (Phase("2023-startup", "启动准备", date(2023, 7, 1), ends),)
        write_district(
            folder, tables, settings, phases, style=PLAIN, code=code, slug="case", name=code,
            delivered_on=ends - timedelta(days=30),
        )  # fmt: skip
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


@pytest.mark.parametrize("name", CASES)
def test_what_is_known_in_part(con: duckdb.DuckDBPyConnection, name: str) -> None:
    _, indicator, status, words = CASES[name]
    found = con.execute(
        "select status, summary, value from mart.district_indicator where district_code = ? and indicator_code = ?",
        [f"14{list(CASES).index(name):04d}", indicator],
    ).fetchall()
    assert [found[0][0]] == [status], found
    assert words in found[0][1], found
    if words == "部分多于整体":
        assert found[0][2] is None or found[0][2] <= 1


def test_what_is_not_known_does_not_pass_the_district(con: duckdb.DuckDBPyConnection) -> None:
    undecided = [f"14{n:04d}" for n, case in enumerate(CASES.values()) if case[2] != "met"]
    passing = con.execute("select district_code from mart.district_verdict where passes").fetchall()
    assert not {code for (code,) in passing} & set(undecided)


def test_the_survey_is_published_by_group_with_its_interval_and_what_is_missing(
    con: duckdb.DuckDBPyConnection,
) -> None:
    code = f"14{list(CASES).index('few parents'):04d}"
    rows = con.execute(
        "select respondent_group, valid, rate, rate_low, rate_high, share, least_share, required_valid, missing_valid, "
        "required_sample from mart.recognition_stratum where district_code = ? order by sort_order",
        [code],
    ).fetchall()
    assert [r[0] for r in rows] == ["学生", "家长", "教师", "校长", "人大代表和政协委员", "其他群众"]
    parents, total = rows[1], sum(r[1] for r in rows)
    assert parents[5] == parents[1] / total < parents[6] == 0.5
    assert all(low < rate < high for _, _, rate, low, high, *_ in rows)
    # Wilson's interval by hand: 85 of 100 answers give 0.767 to 0.907
    n, p, z = parents[1], parents[2], 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    assert (parents[3], parents[4]) == (pytest.approx(middle - half), pytest.approx(middle + half))
    assert parents[7] == -(-parents[9] // 2)
    assert parents[8] == max(parents[7] - parents[1], 0)
