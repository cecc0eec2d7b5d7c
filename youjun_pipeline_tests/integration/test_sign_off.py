"""Sign-off: passing figures and an inspection that may confirm them; and findings of schools that change.

Each school of the made-up district is one case over four phases, given by the size of its largest class (G5).
"""

# Long because all cases are schools of one district: one refresh of it tells them all.

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import (
    DAYS,
    ENOUGH,
    TOO_MANY,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.steps import places, refresh

F, P = TOO_MANY, ENOUGH
GONE = None
# name -> (code, largest class by delivery; GONE: no longer in the roster)
CASES: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "如期小学": ("2120114001", (F, P, P, P)),
    "自验小学": ("2120114002", (F, P, P, P)),
    "无证小学": ("2120114003", (F, P, P, P)),
    "早验小学": ("2120114004", (F, P, P, P)),
    "反复小学": ("2120114005", (F, P, F, P)),
    "未过小学": ("2120114006", (F, P, P, P)),
    "空验小学": ("2120114007", (F, F, P, P)),
    "东并小学": ("2120114008", (F, GONE, GONE, GONE)),
    "接收小学": ("2120114009", (P, F, P, P)),
    "旧名小学": ("2120114010", (F, GONE, GONE, GONE)),
    "新名小学": ("2120114011", (GONE, F, P, P)),
    "撤点小学": ("2120114012", (F, GONE, GONE, GONE)),
    "失联小学": ("2120114013", (F, GONE, GONE, GONE)),
    "联验小学": ("2120114014", (F, P, P, P)),
    "拆分小学": ("2120114015", (F, GONE, GONE, GONE)),
    "拆一小学": ("2120114016", (GONE, P, P, P)),
    "拆二小学": ("2120114017", (GONE, F, P, P)),
    # inspected before another dataset than its own was delivered
    "异源小学": ("2120114018", (F, P, P, P)),
    # split in two that both fail, one of which is merged on; and split while it lives on, judged itself
    "分校小学": ("2120114030", (F, GONE, GONE, GONE)),
    "分一小学": ("2120114031", (GONE, 49, 49, P)),
    "分二小学": ("2120114032", (GONE, 60, GONE, GONE)),
    "承二小学": ("2120114033", (P, P, 55, F)),
    "留存小学": ("2120114034", (F, P, P, P)),
    "分出小学": ("2120114035", (GONE, F, P, P)),
}
# An inspector and whether that is somebody else: 张三 reported, 赵六丰 answers for the measure, 钱七 did before.
INSPECTORS = {
    "张三（财计科）": False,
    "张三(财计科、基建科)": False,
    "[财计科]张三": False,
    "财计科：张三": False,
    "财计科 张三": False,
    "财计科: 张 三（科长）": False,
    "督导组（张三）": True,
    "张三科长": False,
    "区教育局财计科张三": False,
    "王五、张三【财计科】": False,
    "赵六丰": False,
    "赵六丰（校长）": False,
    "校长 赵六丰": False,
    "钱七": False,
    "张三丰": True,
    "赵六": True,
    "财计科 王五": True,
    "王五（财计科）": True,
}
CASES |= {f"署名{n}小学": (f"21201141{n:02}", (F, P, P, P)) for n in range(len(INSPECTORS))}
CODES = {name: code for name, (code, _) in CASES.items()}
INSPECTED = "2024-05-20"
EVIDENCE = "现场核查记录"


def school_rows(n: int) -> list[dict[str, Any]]:
    rows = [primary_school(code, name) for name, (code, sizes) in CASES.items() if sizes[n] is not GONE]
    # the same code under another name from the second delivery on
    rows.append(primary_school("2120114020", "更名前小学" if n == 0 else "更名后小学"))
    # judged as a teaching point until it has too few pupils
    rows.append(
        primary_school(
            "2120114021", "山里教学点", school_type="教学点", primary_students=60 if n == 0 else 30
        )
    )
    # too large as a nine-year school, until its primary stage moves away
    nine = {"school_type": "九年一贯制学校", "primary_students": 1700, "junior_students": 1000}
    junior = {"school_type": "初级中学", "primary_students": 0, "junior_students": 1000}
    rows.append(primary_school("2120114022", "九年学校", **(nine if n == 0 else junior)))
    return rows


def class_rows(n: int) -> list[dict[str, Any]]:
    rows = [one_class(code, size) for code, sizes in CASES.values() if (size := sizes[n]) is not None]
    rows.append(one_class("2120114020", F if n == 0 else P))
    rows.append(one_class("2120114021", F if n == 0 else 30))
    return rows


def acceptance(name: str, on: str = INSPECTED, result: str = "passed", **given: Any) -> dict[str, Any]:
    row = {"inspected_on": on, "indicator": "G5", "stage": "primary", "school_name": name, "result": result}
    return {**row, "inspector": "督导组", "evidence": EVIDENCE, **given}


ACCEPTANCES = [
    acceptance("如期小学"),
    acceptance("自验小学", inspector="张 三"),
    acceptance("联验小学", inspector="李四、张三"),
    acceptance("无证小学", evidence=""),
    acceptance("早验小学", on="2023-08-31"),
    acceptance("反复小学"),
    acceptance("未过小学", on="2024-05-10"),
    acceptance("未过小学", result="failed", inspector="王五"),
    acceptance("空验小学"),
    acceptance("更名前小学"),
    acceptance("从未有过小学"),
    acceptance("", indicator="R4"),
    acceptance("异源小学", on="2023-11-01"),
    *(acceptance(f"署名{n}小学", inspector=who) for n, who in enumerate(INSPECTORS)),
]
PLAN: dict[str, dict[str, list[dict[str, Any]]]] = {
    DAYS[0]: {
        "measures": [
            {
                "measure_no": "M1",
                "indicator": "班额",
                "stage": "primary",
                "school_names": "、".join([*CASES, "更名前小学"]),
                "responsible_person": "钱七",
            },
            {"measure_no": "M2", "indicator": "G4", "stage": "junior", "school_names": "九年学校"},
        ],
    },
    "2023-12-15": {
        "recognition": [
            {"year": 2023, "respondent_group": "家长", "method": "问卷", "valid": 100, "satisfied": 90}
        ]
    },
    DAYS[1]: {
        "measures": [
            {
                "measure_no": "M1",
                "indicator": "班额",
                "stage": "primary",
                "school_names": "、".join([*CASES, "更名前小学"]),
                "responsible_person": "赵六丰（教育管理科）",
            },
            {"measure_no": "M2", "indicator": "G4", "stage": "junior", "school_names": "九年学校"},
        ],
        "progress": [
            {
                "reported_on": "2024-05-15",
                "measure_no": "M1",
                "state": "in_progress",
                "reporter": "张三（财计科）",
            }
        ],
        "acceptances": ACCEPTANCES,
        "school_changes": [
            {
                "effective_on": "2024-03-01",
                "kind": "merge",
                "from_school": "东并小学",
                "to_school": "接收小学",
            },
            {
                "effective_on": "2024-03-01",
                "kind": "rename",
                "from_school": "旧名小学",
                "to_school": "新名小学",
            },
            {
                "effective_on": "2024-03-01",
                "kind": "split",
                "from_school": "拆分小学",
                "to_school": "拆一小学、拆二小学",
            },
            {
                "effective_on": "2024-03-01",
                "kind": "split",
                "from_school": "分校小学",
                "to_school": "分一小学、分二小学",
            },
            {
                "effective_on": "2024-03-01",
                "kind": "split",
                "from_school": "留存小学",
                "to_school": "分出小学",
            },
            {
                "effective_on": "2024-09-01",
                "kind": "merge",
                "from_school": "分二小学",
                "to_school": "承二小学",
            },
            {"effective_on": "2024-04-01", "kind": "close", "from_school": "撤点小学", "to_school": ""},
        ],
    },
    DAYS[2]: {
        "acceptances": [
            acceptance("未过小学", on="2024-11-20"),
            acceptance("接收小学", on="2024-11-20"),
            acceptance("旧名小学", on="2024-11-20"),
        ],
    },
}
# in no roster
UNKNOWN = "从未有过小学"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("sign-off")
    judged = {day: {"schools": school_rows(n), "classes": class_rows(n)} for n, day in enumerate(DAYS)}
    write_story(folder, judged, PLAN)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def course(con: duckdb.DuckDBPyConnection, code: str, indicator: str = "G5") -> list[tuple[str, bool]]:
    """State and sign-off in each phase, for the finding that belongs to `code`."""
    return con.execute(
        "select state, signed_off from mart.finding where finding_id like '%' || ? and indicator_code = ? "
        "order by phase_id",
        [code, indicator],
    ).fetchall()


def check(con: duckdb.DuckDBPyConnection, name: str, phase: str) -> tuple[bool, str]:
    return con.execute(
        "select passed, message from quality.check_result where check_name = ? and phase_id = ?",
        [name, phase],
    ).fetchall()[0]


OPEN, CLOSED, SIGNED, REOPENED = ("open", False), ("closed", False), ("closed", True), ("reopened", False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("如期小学", [OPEN, SIGNED, SIGNED, SIGNED]),
        ("自验小学", [OPEN, CLOSED, CLOSED, CLOSED]),
        ("联验小学", [OPEN, CLOSED, CLOSED, CLOSED]),
        ("无证小学", [OPEN, CLOSED, CLOSED, CLOSED]),
        # inspected no later than the figures that failed
        ("早验小学", [OPEN, CLOSED, CLOSED, CLOSED]),
        # what was signed off before the relapse is to be inspected again
        ("反复小学", [OPEN, SIGNED, REOPENED, CLOSED]),
        # the later inspection took the sign-off back, a third one gave it again
        ("未过小学", [OPEN, CLOSED, SIGNED, SIGNED]),
        # signed off on paper, the figures failed: inspected again only once they passed
        ("空验小学", [OPEN, OPEN, CLOSED, CLOSED]),
        # later than its own figures, earlier than those of another dataset
        ("异源小学", [OPEN, SIGNED, SIGNED, SIGNED]),
        *(
            (f"署名{n}小学", [OPEN, *[SIGNED if other else CLOSED] * 3])
            for n, other in enumerate(INSPECTORS.values())
        ),
    ],
)
def test_a_finding_is_signed_off_by_a_valid_inspection(
    con: duckdb.DuckDBPyConnection, name: str, expected: list[tuple[str, bool]]
) -> None:
    assert course(con, CODES[name]) == expected


def test_the_sign_off_names_its_day_and_inspector(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select distinct signed_off_on::varchar, signed_off_by from mart.finding where school_name = '如期小学' "
        "and phase_id = 'p4'"
    ).fetchall()
    assert found == [(INSPECTED, "督导组")]


def test_what_may_not_sign_off_is_listed_with_its_place(con: duckdb.DuckDBPyConnection) -> None:
    passed, message = check(con, "sign_offs_are_by_others", "p2")
    assert not passed
    assert "2024-05-31/acceptances.csv 第 3 行：自验小学 G5，验收人 张 三 填报过对应措施的进展" in message
    assert "验收人 钱七 是对应措施的责任人，验收不计入" in message
    assert "联验小学 G5，验收人 李四、张三" in message
    assert "如期小学" not in message
    passed, message = check(con, "sign_offs_have_evidence", "p2")
    assert not passed
    assert "第 5 行：无证小学 G5" in message


def test_a_pass_that_the_figures_contradict_is_listed_until_they_pass(con: duckdb.DuckDBPyConnection) -> None:
    passed, message = check(con, "acceptances_agree_with_figures", "p2")
    assert not passed
    assert "空验小学 G5 于 2024-05-20 验收通过，但数据未达标" in message
    assert "反复小学" not in message
    # the relapse came after an inspection that the figures had borne out
    assert check(con, "acceptances_agree_with_figures", "p3")[0]


def test_an_inspection_of_no_finding_is_listed(con: duckdb.DuckDBPyConnection) -> None:
    passed, message = check(con, "acceptances_match_a_finding", "p2")
    assert not passed
    assert "第 13 行：学校名称为空 R4" in message
    rejected = con.execute("select value from quality.rejected_row where dataset = 'acceptances'").fetchall()
    assert rejected == [(UNKNOWN,)]


def test_a_merged_schools_finding_follows_the_receiving_school(con: duckdb.DuckDBPyConnection) -> None:
    # the receiving school fails in its place at first, then meets the indicator and is inspected
    assert course(con, CODES["东并小学"]) == [OPEN, OPEN, SIGNED, SIGNED]
    assert course(con, CODES["接收小学"]) == [OPEN, SIGNED, SIGNED]
    found = con.execute(
        "select finding_id, school_code, school_name, judged_school_code, value, measures, reason from mart.finding "
        "where finding_id like '%' || ? and phase_id = 'p3'",
        [CODES["东并小学"]],
    ).fetchall()
    ((finding_id, code, name, judged, value, measures, reason),) = found
    assert finding_id == "120114-G5-primary-2120114008"
    assert (code, name, judged, value) == (CODES["东并小学"], "东并小学", CODES["接收小学"], P)
    assert measures == ["M1"]
    assert reason.startswith("已由接收小学承接，按该校判定：")


def test_a_split_schools_finding_waits_for_the_worst_of_its_successors(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert course(con, CODES["拆分小学"]) == [OPEN, OPEN, CLOSED, CLOSED]
    assert course(con, CODES["拆二小学"]) == [OPEN, CLOSED, CLOSED]
    assert course(con, CODES["拆一小学"]) == []


def test_of_the_heirs_of_a_split_the_worst_is_judged(con: duckdb.DuckDBPyConnection) -> None:
    def judged(name: str) -> list[tuple[Any, ...]]:
        return con.execute(
            "select judged_school_code, value, state from mart.finding where finding_id like '%' || ? "
            "and indicator_code = 'G5' order by phase_id",
            [CODES[name]],
        ).fetchall()

    # both heirs fail: the larger class counts, also of the school that took in one of them
    assert judged("分校小学") == [
        (CODES["分校小学"], F, "open"),
        (CODES["分二小学"], 60, "open"),
        (CODES["承二小学"], 55, "open"),
        (CODES["承二小学"], F, "open"),
    ]
    assert judged("留存小学")[:2] == [(CODES["留存小学"], F, "open"), (CODES["留存小学"], P, "closed")]


def test_a_renamed_schools_finding_keeps_its_identity(con: duckdb.DuckDBPyConnection) -> None:
    assert course(con, CODES["旧名小学"]) == [OPEN, OPEN, SIGNED, SIGNED]
    assert course(con, CODES["新名小学"]) == []
    names = con.execute(
        "select school_code, school_name, first_phase_id, measures from mart.finding "
        "where finding_id like '%' || ? order by phase_id",
        [CODES["旧名小学"]],
    ).fetchall()
    old, new = (CODES["旧名小学"], "旧名小学"), (CODES["新名小学"], "新名小学")
    assert [row[:2] for row in names] == [old, new, new, new]
    assert {(first, tuple(measures)) for _, _, first, measures in names} == {("p1", ("M1",))}


def test_a_former_name_still_finds_its_school(con: duckdb.DuckDBPyConnection) -> None:
    assert course(con, "2120114020") == [OPEN, SIGNED, SIGNED, SIGNED]
    found = con.execute(
        "select school_name, measures from mart.finding where school_code = '2120114020' and phase_id = 'p4'"
    ).fetchall()
    assert found == [("更名后小学", ["M1"])]


def test_a_closed_school_ends_its_finding_and_a_missing_one_does_not(con: duckdb.DuckDBPyConnection) -> None:
    assert course(con, CODES["撤点小学"]) == [OPEN, CLOSED, CLOSED, CLOSED]
    assert course(con, CODES["失联小学"]) == [OPEN, OPEN, OPEN, OPEN]
    reasons = dict(
        con.execute(
            "select school_name, reason from mart.finding where phase_id = 'p2' and indicator_code = 'G5'"
        ).fetchall()
    )
    assert reasons["撤点小学"] == "学校已于 2024-04-01 撤销"
    assert reasons["失联小学"] == "本阶段没有可判定的数据，沿用此前的状态"


def test_a_school_out_of_scope_ends_its_finding_with_the_reason(con: duckdb.DuckDBPyConnection) -> None:
    assert course(con, "2120114021") == [OPEN, CLOSED, CLOSED, CLOSED]
    found = con.execute(
        "select distinct status, reason from mart.finding where school_code = '2120114021' and phase_id = 'p2' "
        "and indicator_code = 'G5'"
    ).fetchall()
    assert found == [("not_applicable", "本阶段不再评估：教学点学生不足 50 人")]


def test_what_is_judged_by_school_has_one_finding_whatever_the_stage(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select phase_id, stage, state, measures from mart.finding where school_code = '2120114022' "
        "and indicator_code = 'G4' order by phase_id"
    ).fetchall()
    assert found[0] == ("p1", "compulsory", "open", ["M2"])
    assert [row[1:] for row in found[1:]] == [("junior", "closed", ["M2"])] * 3


def test_every_inspection_is_published_with_what_came_of_it(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        (school, result): (findings, signed, refused)
        for school, result, findings, signed, refused in con.execute(
            "select school_name, result, len(findings), len(signed_off), refused_because from mart.acceptance "
            "where phase_id = 'p2' and inspected_on < '2024-05-21'"
        ).fetchall()
    }
    assert found["如期小学", "passed"] == (1, 1, None)
    assert found["未过小学", "failed"] == (1, 0, None)
    assert found["自验小学", "passed"] == (1, 0, "by_reporter")
    assert found["无证小学", "passed"] == (1, 0, "no_evidence")
    assert found["早验小学", "passed"] == (1, 0, "before_failure")
    assert found[UNKNOWN, "passed"] == (0, 0, "unknown_school_name")
    assert found[None, "passed"] == (0, 0, "no_finding")
    rows = con.execute("select count(*) from mart.acceptance where phase_id = 'p2'").fetchall()
    assert rows == [(len(ACCEPTANCES),)]


def test_a_finding_says_when_it_was_opened_and_closed_and_for_how_long(
    con: duckdb.DuckDBPyConnection,
) -> None:
    def course_of(name: str) -> list[tuple[str, str | None, int]]:
        return con.execute(
            "select opened_on::varchar, closed_on::varchar, days_open from mart.finding "
            "where finding_id like '%' || ? and indicator_code = 'G5' order by phase_id",
            [CODES[name]],
        ).fetchall()

    # from the figures of 2023-08-31 to those of 2024-05-31; open ones to the end of the phase
    assert course_of("如期小学") == [
        (DAYS[0], None, 122),
        *[(DAYS[0], DAYS[1], 274)] * 3,
    ]
    # closed for half a year, open again for another: both times count
    assert course_of("反复小学")[2:] == [
        (DAYS[0], None, 274 + 31),
        (DAYS[0], DAYS[3], 274 + 182),
    ]
    evidence, failed_on = con.execute(
        "select signed_off_evidence, inspection_failed_on::varchar from mart.finding "
        "where school_name = '未过小学' and phase_id = 'p4'"
    ).fetchall()[0]
    assert (evidence, failed_on) == (EVIDENCE, INSPECTED)


def test_every_report_of_progress_is_published(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(
        "select measure_no, state, reporter, is_newest, refused_because, file, row from mart.progress_report "
        "where phase_id = 'p2'"
    ).fetchall() == [("M1", "in_progress", "张三（财计科）", True, None, "progress.csv", 2)]
