"""Checks on the spot (实地核查表): a sample of schools, by risk and at random, and what to count at each school.

Belongs here: the drawing, which anybody can repeat from the printed seed, and the layout. Keep out: which figures are suspicious
(`quality.suspicion`) and any verdict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import stage_word
from youjun_pipeline.reports.workbook import BARE, HEAD, LEFT, Book, Paper

if TYPE_CHECKING:
    import duckdb

TITLE = "实地核查表"
BY_RISK, AT_RANDOM = 10, 5
# What an inspector counts on the spot, with the names of `mart.input`.
COUNTED = (
    *("schools.primary_students", "schools.junior_students", "classes.classes", "teachers.full_time"),
    *("facilities.teaching_area_m2", "facilities.indoor_sports_area_m2", "facilities.outdoor_sports_area_m2"),
    *("facilities.rented_sports_area_m2", "facilities.equipment_value_wan", "facilities.multimedia_rooms"),
    "special_rooms.rooms",
)
_KINDS = {"music": "音乐教室", "art": "美术教室"}


@dataclass
class School:
    """A judged school, its risks (weight, reason) and how it came into the sample (blank: it is not in the sample)."""

    school_code: str
    school_name: str
    township: str | None
    risks: list[tuple[int, str]] = field(default_factory=list)
    drawn: str = ""

    @property
    def weight(self) -> int:
        return sum(weight for weight, _ in self.risks)


def seed_of(evaluation: Evaluation) -> str:
    """The seed of an evaluation's drawing: the same data give the same sample."""
    about = f"{evaluation.district_code}/{evaluation.phase_id}/{evaluation.effective_on}"
    return hashlib.sha256(about.encode()).hexdigest()[:8]


def lot(seed: str, school_code: str) -> str:
    """A school's lot; the schools with the lowest lots are drawn."""
    return hashlib.sha256(f"{seed}|{school_code}".encode()).hexdigest()


def draw(schools: list[School], seed: str) -> list[School]:
    """Mark and return the sample: first the heaviest risks (if equal, the lowest lots), then the lowest lots of the rest."""
    by_risk = sorted((s for s in schools if s.risks), key=lambda s: (-s.weight, lot(seed, s.school_code)))[
        :BY_RISK
    ]
    for school in by_risk:
        school.drawn = "风险"
    rest = sorted((s for s in schools if not s.drawn), key=lambda s: lot(seed, s.school_code))[:AT_RANDOM]
    for school in rest:
        school.drawn = "随机"
    return by_risk + rest


def write_site_check(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the sample of one evaluation and its forms to `path`."""
    schools = _read_schools(con, evaluation)
    seed = seed_of(evaluation)
    sample = draw(list(schools.values()), seed)
    inputs: dict[str, list[Row]] = {}
    wanted = ", ".join(f"'{name}'" for name in COUNTED)
    table = (
        "(select district_code, phase_id, school_code, input, stage, item, sum(value) as value from mart.input "
        f"where is_newest_year and input in ({wanted}) group by all)"
    )
    for row in evaluation.rows(con, table, "*", "school_code, input, stage, item"):
        inputs.setdefault(row["school_code"], []).append(row)
    names = words.sheet_names((s.school_name for s in sample), ["抽样"])
    with Book(path, evaluation, TITLE) as book:
        _sample_sheet(book, sample, names, seed, len(schools))
        for school, name in zip(sample, names, strict=True):
            _form(book, school, name, inputs.get(school.school_code, []))


def _read_schools(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> dict[str, School]:
    """The judged schools with their risks."""
    schools = {
        row["school_code"]: School(row["school_code"], row["school_name"], row["township"])
        for row in evaluation.rows(con, "mart.school", "*", "school_code")
        if row["in_scope"]
    }
    for sql, weight in _RISKS:
        found = con.execute(sql, [evaluation.district_code, evaluation.phase_id]).fetchall()
        for school_code, reason in found:
            if school_code in schools:
                schools[school_code].risks.append((weight, reason))
    return schools


# School and reason, with the weight of the risk: $1 district, $2 phase.
_RISKS = (
    # a figure that jumped, and an indicator that rests on it passes now and did not before
    (
        """
        select s.school_code, '数值突变后转为达标：' || string_agg(distinct c.indicator_code, '、' order by c.indicator_code)
            || '（' || min(s.message) || '）'
        from quality.suspicion s
        join mart.lineage l on l.district_code = s.district_code and l.phase_id = s.phase_id
            and l.school_code = s.school_code and l.input = s.dataset || '.' || s.column_name
        join mart.phase_change c on c.district_code = s.district_code and c.phase_id = s.phase_id and c.level = 'school'
            and c.school_code = s.school_code and c.indicator_code = l.indicator_code and c.stage = l.stage
        where s.district_code = $1 and s.phase_id = $2 and s.rule = 'jump' and c.status_before in ('near', 'below')
            and c.status_after in ('met', 'met_by_waiver')
        group by s.school_code order by s.school_code
        """,
        5,
    ),
    (
        """
        select school_code, '按过渡政策达标：' || string_agg(distinct indicator_code, '、' order by indicator_code)
        from mart.waiver_register where district_code = $1 and phase_id = $2 and school_code is not null
        group by school_code order by school_code
        """,
        3,
    ),
    (
        """
        select school_code, '恰好等于标准：' || string_agg(distinct j.indicator_code, '、' order by j.indicator_code)
        from mart.school_indicator j
        join mart.district_indicator d using (district_code, phase_id, indicator_code)
        where district_code = $1 and phase_id = $2 and d.category = 'resource' and j.value = j.threshold
        group by school_code order by school_code
        """,
        2,
    ),
    (
        """
        select distinct school_code, '本阶段新建'
        from mart.phase_change
        where district_code = $1 and phase_id = $2 and level = 'school' and cause = 'opened'
        order by school_code
        """,
        2,
    ),
    (
        """
        select school_code, '本阶段接收其他学校并入或分流的学生：' || string_agg(measure_no, '、' order by measure_no)
        from (
            select unnest(m.receiving_school_codes) as school_code, m.measure_no
            from mart.measure_status m join mart.evaluation e using (district_code, phase_id)
            where district_code = $1 and phase_id = $2 and m.measure_type in ('并入', '分流') and m.finished_on >= e.starts
        )
        group by school_code order by school_code
        """,
        2,
    ),
    (
        """
        select school_code, '有 ' || count(*) || ' 处疑点没有说明'
        from quality.suspicion where district_code = $1 and phase_id = $2 and answer is null and school_code is not null
        group by school_code order by school_code
        """,
        1,
    ),
    (
        """
        select school_code, '已解决而未验收：' || string_agg(distinct indicator_code, '、' order by indicator_code)
        from mart.finding
        where district_code = $1 and phase_id = $2 and state = 'closed' and not signed_off and school_code is not null
        group by school_code order by school_code
        """,
        1,
    ),
)


def _sample_sheet(book: Book, sample: list[School], names: list[str], seed: str, schools: int) -> None:
    paper = Paper(book, "抽样", [6, 16, 34, 16, 10, 8, 80])
    paper.open(f"{TITLE}　抽样")
    paper.line(
        f"从纳入评估的 {schools} 所学校中，按风险抽 {sum(s.drawn == '风险' for s in sample)} 所，"
        f"从其余学校中随机抽 {sum(s.drawn == '随机' for s in sample)} 所。随机种子：{seed}",
        BARE | {"bold": True},
    )
    paper.columns("序号", "学校标识码", "学校（点击打开）", "镇街", "抽取方式", "风险分", "风险")
    for number, (school, name) in enumerate(zip(sample, names, strict=True), start=1):
        reasons = "；".join(reason for _, reason in school.risks)
        paper.number(paper.row, 0, number, "0")
        paper.text(paper.row, 1, school.school_code)
        paper.link(paper.row, 2, name, school.school_name)
        paper.text(paper.row, 3, school.township)
        paper.text(paper.row, 4, school.drawn)
        paper.number(paper.row, 5, school.weight, "0")
        paper.text(paper.row, 6, reasons or "没有发现", LEFT)
        paper.end_row((6, reasons))
    paper.notes(
        f"抽取办法：对“{seed}|学校标识码”取 SHA-256，由小到大；风险分高的在前，同分的按此次序，"
        f"随机部分取其余学校中最小的 {AT_RANDOM} 所。任何人可以重算。",
        "风险分：数值突变后转为达标 5，按过渡政策达标 3，恰好等于标准 2，新建 2，接收并入或分流 2，疑点未说明 1，"
        "已解决而未验收 1。",
    )


def _form(book: Book, school: School, name: str, inputs: list[Row]) -> None:
    """What was reported for a school, with space for the inspector's findings."""
    catalogue, datasets = book.evaluation.catalogue, load_datasets()
    paper = Paper(book, name, [5, 34, 12, 6, 13, 10, 26], landscape=False)
    paper.open(f"{school.school_name}　{TITLE}")
    reasons = "；".join(reason for _, reason in school.risks)
    paper.line(f"抽取方式：{school.drawn}。{'核查重点：' + reasons if reasons else ''}", BARE)
    paper.columns("序号", "核查项目", "填报数", "单位", "现场核实数", "相差", "情况说明")
    place = {name: number for number, name in enumerate(COUNTED)}
    for number, row in enumerate(sorted(inputs, key=lambda r: place[r["input"]]), start=1):
        dataset, column = row["input"].split(".")
        declared = datasets[dataset].columns.get(column)
        label = {
            "classes.classes": "班级数",
            "special_rooms.rooms": _KINDS.get(row["item"] or "", "专用教室"),
        }.get(row["input"], declared.zh if declared else row["input"])
        stage = stage_word(catalogue, row["stage"])
        unit = {"classes.classes": "个", "special_rooms.rooms": "间"}.get(
            row["input"], (declared.unit or "") if declared else ""
        )
        label = label if not stage or label.startswith(stage) else stage + label
        paper.number(paper.row, 0, number, "0")
        paper.text(paper.row, 1, label, LEFT)
        paper.number(paper.row, 2, row["value"], words.amount_format(row["value"]))
        paper.text(paper.row, 3, unit)
        for column_number in (4, 5, 6):
            paper.blank(paper.row, column_number)
        paper.sheet.set_row(paper.row, 22)
        paper.row += 1
    for label in ("现场照片编号", "与填报不一致的原因", "核查结论"):
        paper.merge(paper.row, 0, paper.row, 1, label, HEAD)
        paper.merge(paper.row, 2, paper.row, 6, " ", {})
        paper.sheet.set_row(paper.row, 40)
        paper.row += 1
    paper.line(
        "核查人（签字）：　　　　　　　　　　学校负责人（签字）：　　　　　　　　　　　　年　　月　　日",
        BARE,
        lines=3,
    )
    paper.notes("“现场核实数”由核查人填写；没有列出的项目为学校没有填报。")


SITE_CHECK = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    (
        *(
            "mart.evaluation",
            "mart.school",
            "mart.input",
            "mart.lineage",
            "mart.phase_change",
            "mart.waiver_register",
        ),
        *(
            "mart.school_indicator",
            "mart.district_indicator",
            "mart.finding",
            "mart.measure_status",
            "quality.suspicion",
        ),
    ),
    write_site_check,
)
