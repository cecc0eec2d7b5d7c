"""Files without content are no deliveries: what was reported before stays, and everybody is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from youjun_pipeline.precheck.check import precheck
from youjun_pipeline.settings import Settings
from youjun_pipeline.templates.books import newest_roster, write_templates
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.integration.delivered_files import write_csv, write_xlsx
from youjun_pipeline_tests.integration.sample_districts import FIRST, STARTUP, WUQING
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

PHASES = (Phase("2024", "攻坚", date(2024, 1, 1), date(2024, 12, 31)),)
FIRST_DAY, SECOND_DAY = "2024-01-31", "2024-06-30"
GIVEN = generate_district(1, n_schools=12, profile="passing")
CODES = sorted(s["school_code"] for s in GIVEN.tables["schools"] or [])
NAMES = {s["school_code"]: s["school_name"] for s in GIVEN.tables["schools"] or []}

ROOMS = ["学校标识码", "类别", "教室编号", "使用面积"]
Rows = list[list[Any]]
BARE: dict[str, tuple[str, Rows]] = {
    "rooms-header": ("special_rooms", [ROOMS]),
    "rooms-keys": ("special_rooms", [ROOMS, *([c, "音乐", "1", None] for c in CODES)]),
    "facilities-codes": ("facilities", [["学校标识码", "运动场地面积"], *([c, None] for c in CODES)]),
    "facilities-names": (
        "facilities",
        [["学校标识码", "学校名称", "运动场地面积"], *([c, NAMES[c], "  "] for c in CODES)],
    ),
    "facilities-one-column": ("facilities", [["学校标识码"], *([c] for c in CODES)]),
    "teachers-stages": (
        "teachers",
        [["学校标识码", "学段", "专任教师数", "专科"], *([c, "小学", None, "\u3000"] for c in CODES)],
    ),
    "classes-keys": (
        "classes",
        [
            ["学校标识码", "学段", "年级", "班号", "学生数"],
            *([c, "小学", "一年级", "1", None] for c in CODES),
        ],
    ),
    "finance-years": (
        "school_finance",
        [["学校标识码", "年度", "公用经费预算(万元)"], *([c, 2024, None] for c in CODES)],
    ),
    "cohorts-header": ("graduation_cohorts", [["学校标识码", "毕业年份", "毕业人数"]]),
    "assurance-items": ("assurance", [["指标项", "填报值", "结论"], ["G1", None, None], ["V1", None, " "]]),
    "recognition-groups": (
        "recognition",
        [["年度", "调查对象", "方式", "有效数", "满意数"], [2024, "家长", "问卷", None, None]],
    ),
    "monitoring-subjects": (
        "quality_monitoring",
        [["监测年份", "年级", "学科", "学业水平等级"], [2024, "四年级", "数学", None]],
    ),
    "roster": (
        "schools",
        [
            ["学校标识码", "学校名称", "办学类型", "小学在校生数"],
            *([c, NAMES[c], "小学", None] for c in CODES),
        ],
    ),
}


def write(folder: Path, dataset: str, rows: Rows, suffix: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{dataset}.{suffix}"
    if suffix == "csv":
        return write_csv(path, [["" if cell is None else cell for cell in row] for row in rows])
    if suffix == "xlsx":
        return write_xlsx(path, {"数据": rows})
    frame = pd.DataFrame(rows[1:], columns=rows[0])
    frame.astype(dict.fromkeys(frame, "string")).to_parquet(path)
    return path


def first_delivery(folder: Path) -> Path:
    return write_district(folder, GIVEN.tables, GIVEN.settings, PHASES, style=PLAIN, delivered_on=FIRST_DAY)


VERDICTS = (
    "select school_code, stage, indicator_code, value, status from mart.school_indicator order by all",
    "select stage, indicator_code, cv, status from mart.stage_balance order by all",
    "select indicator_code, value, status from mart.district_indicator order by all",
    "select passes, schools_failing from mart.district_verdict order by all",
)


def verdicts(con: duckdb.DuckDBPyConnection) -> list[Any]:
    return [con.execute(query).fetchall() for query in VERDICTS]


def told(con: duckdb.DuckDBPyConnection, check: str) -> tuple[bool, str]:
    rows = con.execute(
        "select passed, message from quality.check_result where check_name = ? order by phase_id", [check]
    ).fetchall()
    return rows[0][0], rows[0][1]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("before")
    first_delivery(folder)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        found = verdicts(con)
    # a district of which nothing could be judged would prove nothing
    assert [row for row in found[0] if row[-1] == "met"]
    return found


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_what_was_reported_stands(suffix: str, before: list[Any], tmp_path: Path) -> None:
    """Each kind of file alone would need a refresh of its own; all together must not change more than that."""
    home = first_delivery(tmp_path)
    latest: dict[str, str] = {}
    for number, (dataset, rows) in enumerate(BARE.values(), 1):
        write(home / "deliveries" / f"2024-06-{number:02}", dataset, rows, suffix)
        latest[dataset] = f"2024-06-{number:02}/{dataset}.{suffix}"
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        assert verdicts(con) == before
        passed, message = told(con, "files_are_filled_in")
        assert not passed
        for file in latest.values():
            assert f"{file}：" in message
        assert (
            f"不算一次报送，仍采用 {FIRST_DAY} 的“专用教室”。如当作报送，全部学校都算作没有音乐、美术专用教室"
            in message
        )
        # registered all the same, and counted as what they are
        files = con.execute(
            "select distinct rows_read, rows_accepted, rows_rejected from ops.source_file "
            "where delivery >= '2024-06-01' and dataset <> 'schools'"
        ).fetchall()
        assert files == [(0, 0, 0)]
        held = "select count(*) from quality.check_result where severity = 'blocking' and not passed"
        assert con.execute(held).fetchall() == [(0,)]


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(BARE))
def test_the_check_says_what_it_would_have_meant(name: str, tmp_path: Path) -> None:
    home = first_delivery(tmp_path)
    dataset, rows = BARE[name]
    path = write(home / "deliveries" / SECOND_DAY, dataset, rows, "csv")
    result = precheck(path, date(2024, 7, 1))
    (finding,) = [f for f in result.findings if f.rule == "files_are_filled_in"]
    assert finding.file == f"{SECOND_DAY}/{dataset}.csv"
    assert f"不算一次报送，仍采用 {FIRST_DAY} 的" in finding.detail
    assert "。如当作报送，" in finding.detail
    assert not result.is_clean


def test_one_row_that_says_something_is_a_delivery(tmp_path: Path) -> None:
    home = first_delivery(tmp_path)
    rows = [["学校标识码", "运动场地面积"], *([c, None] for c in CODES[1:]), [CODES[0], 1234.5]]
    write(home / "deliveries" / SECOND_DAY, "facilities", rows, "csv")
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        assert told(con, "files_are_filled_in")[0]
        values = con.execute(
            "select school_code, numerator is not null from mart.school_indicator "
            "where indicator_code = 'R5' and stage = 'primary'"
        ).fetchall()
        assert {code for code, known in values if known} <= {CODES[0]}


def test_none_at_all_is_said_in_words(tmp_path: Path) -> None:
    home = first_delivery(tmp_path)
    write(home / "deliveries" / SECOND_DAY, "special_rooms", [ROOMS], "csv")
    toml = home / "district.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8")
        + f'\n[[none]]\ndataset = "special_rooms"\ndelivered_on = {SECOND_DAY}\nreason = "全区没有专用教室"\n',
        encoding="utf-8",
    )
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        assert told(con, "files_are_filled_in")[0]
        statuses = con.execute(
            "select distinct status, value from mart.school_indicator where indicator_code = 'G3' and status <> 'no_data'"
        ).fetchall()
        assert statuses == [("below", 0.0)]
        source = "select file, rows_read from ops.source_file where dataset = 'special_rooms' order by delivery desc, 1"
        assert ("district.toml", 0) in con.execute(source).fetchall()


def test_none_beside_rows_is_a_contradiction(tmp_path: Path) -> None:
    home = first_delivery(tmp_path)
    toml = home / "district.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8")
        + f'\n[[none]]\ndataset = "special_rooms"\ndelivered_on = {FIRST_DAY}\nreason = "没有"\n'
        + '\n[[none]]\ndataset = "schools"\ndelivered_on = "2024-13-01"\nreason = ""\n',
        encoding="utf-8",
    )
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        messages = "；".join(
            m
            for (m,) in con.execute(
                "select message from quality.check_result where severity = 'blocking' and not passed"
            ).fetchall()
        )
    assert f"district.toml 的 none 说 {FIRST_DAY} 没有“专用教室”（special_rooms），而这次报送有" in messages
    assert "第 2 个 none 的 dataset" in messages and "第 2 个 none 的 reason" in messages


def test_a_roster_without_pupils_counts_where_there_is_no_older_one(tmp_path: Path) -> None:
    tables = dict(GIVEN.tables)
    tables["schools"] = [
        {k: v for k, v in school.items() if not k.endswith("_students")}
        for school in GIVEN.tables["schools"] or []
    ]
    write_district(tmp_path, tables, GIVEN.settings, PHASES, style=PLAIN, delivered_on=FIRST_DAY)
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        assert con.execute("select count(*) > 5 from mart.school").fetchall() == [(True,)]
        r4 = "select distinct status from mart.school_indicator where indicator_code = 'R4'"
        assert con.execute(r4).fetchall() == [("no_data",)]


@pytest.mark.long
def test_a_delivery_that_shrinks_is_told_before_it_counts(tmp_path: Path) -> None:
    home = first_delivery(tmp_path)
    kept = [row for row in GIVEN.tables["classes"] or [] if row["school_code"] in CODES[:3]]
    header = ["学校标识码", "学段", "年级", "班号", "学生数"]
    rows = [header, *([r["school_code"], r["stage"], r["grade"], r["class_no"], r["students"]] for r in kept)]
    path = write(home / "deliveries" / SECOND_DAY, "classes", rows, "csv")
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        passed, message = told(con, "rows_did_not_collapse")
        assert not passed
        assert f"{SECOND_DAY}/classes.csv：“班级名册”上次（{FIRST_DAY}）采用" in message
        assert (
            f"这次只有 {len(kept)} 行，名册中的" in message and "上次（2024-01-31）有、这次没有：" in message
        )
    (finding,) = [f for f in precheck(path, date(2024, 7, 1)).findings if f.rule == "rows_did_not_collapse"]
    assert finding.file == f"{SECOND_DAY}/classes.csv"


def test_a_school_that_leaves_the_roster_without_a_change_is_told(tmp_path: Path) -> None:
    """The check before sending builds the same models as a refresh."""
    home = first_delivery(tmp_path)
    header = ["学校标识码", "学校名称", "办学类型", "小学在校生数", "初中在校生数"]
    columns = ("school_code", "school_name", "school_type", "primary_students", "junior_students")
    closed, lost, *rest = sorted(GIVEN.tables["schools"] or [], key=lambda s: s["school_code"])
    rows: Rows = [header, *([school.get(name) for name in columns] for school in rest)]
    path = write(home / "deliveries" / SECOND_DAY, "schools", rows, "csv")
    changes: Rows = [
        ["日期", "类型", "原学校", "新学校"],
        ["2024-05-31", "撤销", closed["school_name"], None],
    ]
    write(home / "deliveries" / SECOND_DAY, "school_changes", changes, "csv")
    (finding,) = [f for f in precheck(path, date(2024, 7, 1)).findings if f.rule == "rows_did_not_collapse"]
    assert finding.file == f"{SECOND_DAY}/schools.csv"
    assert finding.detail.startswith(
        f"“学校名册”上次（{FIRST_DAY}）名册中的 1 所学校这次没有，也没有变动记录（school_changes）："
        f"{lost['school_name']}（{lost['school_code']}）。"
    )
    assert "缺少的学校不再评估" in finding.detail


def wuqing(folder: Path) -> Settings:
    shutil.copytree(CHECKOUT / "data" / FIRST[WUQING], folder / FIRST[WUQING])
    home = folder / Path(FIRST[WUQING]).parts[0]
    shutil.copy(CHECKOUT / "data" / home.name / "district.toml", home / "district.toml")
    return places(folder)


@pytest.fixture(params=["roster", "blank"])
def untouched(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Path], Path]:
    def deliver(home: Path) -> Path:
        folder = home / "deliveries" / "2023-09-15"
        write_templates(folder, newest_roster(home.parent, WUQING) if request.param == "roster" else None)
        return folder

    return deliver


@pytest.mark.long
def test_untouched_templates_change_no_verdict(
    untouched: Callable[[Path], Path], sample: Settings, tmp_path: Path
) -> None:
    settings = wuqing(tmp_path)
    folder = untouched(tmp_path / Path(FIRST[WUQING]).parts[0])
    publication = refresh(settings, phases=(STARTUP,), districts=(WUQING,))
    with connect(publication.path, read_only=True) as con:
        for query in VERDICTS:
            of_wuqing = query.replace(
                " order", f" where district_code = '{WUQING}' and phase_id = '{STARTUP}' order"
            )
            with connect(sample.published / "youjun.duckdb", read_only=True) as first:
                assert con.execute(of_wuqing).fetchall() == first.execute(of_wuqing).fetchall()
        assert not told(con, "files_are_filled_in")[0]
        rejected = "select count(*) from quality.rejected_row where delivery = '2023-09-15'"
        assert con.execute(rejected).fetchall() == [(0,)]
    result = precheck(folder, date(2023, 9, 20))
    bare = {f.file.split("/")[1] for f in result.findings if f.rule == "files_are_filled_in"}
    assert bare == {path.name for path in folder.iterdir()}
    assert {f.rule for f in result.findings if f.level == "错误"} == set()
