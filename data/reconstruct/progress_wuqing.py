"""What happens in 武清 after the first delivery: a plausible course, invented.

Belongs here: how the roster changes from delivery to delivery, and what is reported and accepted on the way.
The plan only sets the course (滨河小学 takes three village schools, three more new schools relieve others, …); who is late
is made up so that every state of a measure and a finding occurs. Keep out: facts of the plan, file formats.
"""

from __future__ import annotations

import datetime as dt

from roster import (
    JUNIOR,
    PRIMARY,
    School,
    by_name,
    copy_roster,
    divert,
    fill_classes,
    level_off,
    read_roster,
    relieve,
    top_up_rooms,
)  # fmt: skip
from schools_wuqing import CODE_PREFIX

DAYS = ("2024-06-30", "2024-12-20", "2025-11-30")
MERGED = ("黄庄街城上完全小学", "黄庄街老米店完全小学", "黄庄街马家口完全小学")
# New schools by delivery; the code goes on where the roster ends.
NEW = {
    "2024-06-30": "黄庄街滨河小学|黄庄街道|小学|城区|2023|836|||",
    "2024-12-20": "南蔡村镇翡翠半岛学校|南蔡村镇|九年一贯制学校|镇区|2024|460|240||",
    "2025-11-30": "杨村街强国道学校|杨村街道|九年一贯制学校|城区|2025|640|880||\n"
    "下朱庄街广贤路第二小学|下朱庄街道|小学|城区|2025|830|||",
}
OPENED_ON = {"2024-06-30": "2023-09-01", "2024-12-20": "2024-09-01", "2025-11-30": "2025-09-01"}
ALIASES = [("翡翠半岛中小学", "南蔡村镇翡翠半岛学校"), ("强国道中小学", "杨村街强国道学校"),
           ("广贤路新建学校", "下朱庄街广贤路第二小学")]  # fmt: skip

# Marks taken away by each delivery. The last one takes away all that are left.
MENDED: dict[str, dict[str, str]] = {
    "2024-06-30": {
        "G3": "杨村街第一小学、大王古庄镇第二中心小学、陈咀镇陈咀中心小学、汊沽港镇二街中心小学、徐官屯街初级中学、"
        "曹子里镇初级中学、河北屯镇初级中学、黄庄街泉昇小学",
        "G5 小学": "王庄军民小学、东马圈镇东马圈中心小学、下朱庄街南湖小学、黄庄街泉昇小学",
        "R4": "陈咀镇渔坝口小学、南蔡村镇莲胜中心小学、河西务镇首驿小学、黄庄街泉昇小学",
        "R6": "黄庄街泉昇小学",
    },
    "2024-12-20": {
        "G3": "下朱庄街南湖小学、下朱庄街越秀园小学、杨村第十三小学、下朱庄街南湖初级中学、城关镇中学、天津市雍阳中学",
        "G5 小学": "杨村第八小学、杨村第十小学、杨村第十四小学、杨村第十五小学、杨村第十六小学、杨村第十七小学、"
        "杨村第十一小学、杨村第七小学、杨村第九小学、杨村第十二小学、下朱庄街静湖小学、大王古庄镇大王古庄中心小学、"
        "汊沽港镇港韵小学、南蔡村镇畔水庭苑中心小学",
        "G5 初中": "杨村第十中学、杨村第六中学、天津市雍阳中学、上马台镇初级中学、徐官屯街初级中学",
        "R4": "杨村第四小学、杨村第六小学、泗村店镇泗村店中心小学、东马圈镇西刘庄中心小学、杨村第十六小学、"
        "梅厂镇梅厂中心小学、上马台镇上马台中心小学、上马台镇初级中学",
    },
}  # fmt: skip
DIVERTED: dict[str, list[tuple[str, str, int]]] = {
    "2024-06-30": [("黄庄街泉昇小学", PRIMARY, 790)],
    "2024-12-20": [("南蔡村镇畔水庭苑中心小学", PRIMARY, 880), ("杨村第十小学", PRIMARY, 2376)],
    "2025-11-30": [("杨村第五中学", JUNIOR, 1290), ("光明道小学", PRIMARY, 1950), ("下朱庄街广贤路小学", PRIMARY, 1740),
                   ("下朱庄街越秀园小学", PRIMARY, 1520)],
}  # fmt: skip
# Diverted until the rooms they have are enough: the lowest level per pupil that then holds.
DIVERTED_FOR_SPACE = {
    "2024-12-20": [
        ("杨村第十一小学", PRIMARY),
        ("下朱庄街静湖小学", PRIMARY),
        ("大王古庄镇大王古庄中心小学", PRIMARY),
    ],
    "2025-11-30": [("杨村第八中学", JUNIOR)],
}
SPACE_PER_PUPIL = {PRIMARY: 4.62, JUNIOR: 5.95}
# Class sizes that get worse: one that had been mended, one the plan never named.
CROWDED = {"2024-12-20": ["下朱庄街南湖小学", "王庆坨镇王庆坨中心小学"]}
# Between-school differences: the highest level per pupil left after redistribution (设备 in 万元).
LEVELLED: dict[str, list[tuple[str, str, float]]] = {
    "2024-06-30": [(PRIMARY, "equipment_wan", 0.98)],
    "2024-12-20": [(PRIMARY, "equipment_wan", 0.58), (JUNIOR, "multimedia_rooms", 0.058)],
    "2025-11-30": [
        (PRIMARY, "outdoor_sports", 22.0),
        (JUNIOR, "outdoor_sports", 30.0),
        (PRIMARY, "teaching_area", 11.5),
    ],
}


def space(school: School) -> float:
    return school.teaching_area - school.indoor_sports


def mend(schools: list[School], day: str) -> None:
    if day in MENDED:
        for mark, where in MENDED[day].items():
            for name in where.split("、"):
                relieve(by_name(schools, name), mark)
        return
    for school in schools:
        relieve(school, *sorted(mark for mark in school.flags if mark[0] in "RG"))


def step(before: list[School], day: str, first: int) -> list[School]:
    """The schools on a later day; `first` is the number of the next new code."""
    schools = [s for s in copy_roster(before) if s.name not in MERGED]
    for name, stage, students in DIVERTED.get(day, []):
        divert(by_name(schools, name), stage, students)
    for name, stage in DIVERTED_FOR_SPACE.get(day, []):
        school = by_name(schools, name)
        divert(school, stage, int(space(school) / SPACE_PER_PUPIL[stage]))
        school.flags -= {"R4"}
    if day == "2024-06-30":
        by_name(schools, "下朱庄街广贤路小学").rented_sports = 4350.0
    mend(schools, day)
    for name in CROWDED.get(day, []):
        school = by_name(schools, name)
        school.flags |= {f"G5 {PRIMARY}"}
        fill_classes(school, PRIMARY, school.students(PRIMARY))
    schools += read_roster(NEW[day], CODE_PREFIX, first=first)
    for stage, figure, highest in LEVELLED[day]:
        freed = level_off(schools, stage, figure, highest)
        if figure == "equipment_wan":
            share_equipment(schools, freed)
    for school in schools:
        if school.class_count and "G3" not in school.flags:
            top_up_rooms(school)
    return schools


def share_equipment(schools: list[School], freed: float) -> None:
    """What richer primary schools hand over goes to the urban ones, by pupils."""
    receivers = [s for s in schools if s.profile == PRIMARY and s.urban_rural == "城区"]
    total = sum(s.students(PRIMARY) for s in receivers)
    for school in receivers:
        school.equipment_wan = round(school.equipment_wan + freed * school.students(PRIMARY) / total, 4)


def rosters(start: list[School]) -> dict[str, list[School]]:
    """The schools on each later delivery day."""
    out, schools, number = {}, start, len(start) + 1
    for day in DAYS:
        schools = step(schools, day, number)
        number += len(NEW[day].splitlines())
        out[day] = schools
    return out


def changes(day: str) -> list[tuple]:
    """Rows of `school_changes`: new schools, and the three that 滨河小学 takes in."""
    opened = [(OPENED_ON[day], "新建", "", line.split("|")[0]) for line in NEW[day].splitlines()]
    merged = [(OPENED_ON[day], "并入", name, "黄庄街滨河小学") for name in MERGED] if day == DAYS[0] else []
    return opened + merged


# ---------------------------------------------------------------- reports and acceptances

TODO, DOING, DONE, CANCELLED = "未启动", "进行中", "已完成", "已取消"
# 填报日期, 措施, 节点, 状态, 完成比例, 预计完成, 累计已支出, 说明; the reporter is the section in charge.
REPORTS: dict[str, list[tuple]] = {
    "2024-06-30": [
        *(("2023-09-28", "", f"{i}-M1", DONE, 100, "", None, "实际数据核实完毕") for i in ("R4", "R6", "R7", "G3", "G4", "G5")),
        *(("2023-12-25", "", f"{i}-M2", DONE, 100, "", None, "方案已定") for i in ("R4", "G3", "G4", "G5")),
        ("2023-12-20", "", "R5-M1", DONE, 100, "", None, "租赁协议已签"),
        ("2023-12-20", "R5-P1", "", DONE, 100, "", None, "租用步行8分钟的体育馆"),
        ("2024-01-05", "", "R6-M2", DOING, 60, "2024-09-30", None, "学校间调配未完"),
        ("2024-01-05", "", "R7-M2", DOING, 40, "2024-09-30", None, "部分教室改造待暑期"),
        ("2024-06-25", "R4-P1", "", DOING, 55, "2024-12-20", 1850, "杨村第四小学主体封顶"),
        ("2024-06-25", "R4-P2", "", DOING, 35, "2025-08-31", 620, "3所完工"),
        ("2024-06-25", "R4-P3", "", DOING, 25, "2024-09-30", None, "泉昇小学已分流"),
        ("2024-06-25", "R4-J1", "", DOING, 20, "2025-08-31", 540, "强国道学校基础施工"),
        ("2024-06-25", "R4-J2", "", DOING, 15, "2025-08-31", 90, ""),
        ("2024-06-25", "R5-J2", "", DOING, 30, "2025-06-30", None, ""),
        ("2024-06-25", "R6-P1", "", DONE, 100, "", None, "滨河小学2023年9月启用"),
        ("2024-06-25", "R6-P2", "", DONE, 100, "", None, "2023年9月并入"),
        ("2024-06-25", "R6-P3", "", DOING, 60, "2024-09-30", None, ""),
        ("2024-06-25", "R7-J1", "", DOING, 40, "2024-10-31", None, ""),
        ("2024-06-25", "G3-P1", "", DOING, 20, "2025-08-31", 20, ""),
        # said too early: three of the seven still lack rooms
        ("2024-06-25", "G3-P2", "", DONE, 100, "", 68, "7所教室均已改造"),
        ("2024-06-25", "G3-P3", "", DONE, 100, "", None, ""),
        ("2024-06-25", "G3-P4", "", DONE, 100, "", None, ""),
        ("2024-06-25", "G3-J1", "", DOING, 20, "2025-08-31", 10, ""),
        ("2024-06-25", "G3-J2", "", DOING, 50, "2024-10-31", 42, "3所完成"),
        ("2024-06-25", "G4-P1", "", DOING, 30, "2024-12-31", None, "秋季招生计划已压减"),
        ("2024-06-25", "G4-P2", "", DOING, 30, "2025-08-31", None, ""),
        ("2024-06-25", "G5-P1", "", DOING, 70, "2024-09-30", None, "翡翠半岛学校秋季启用"),
        ("2024-06-25", "G5-P2", "", DONE, 100, "", None, ""),
        ("2024-06-25", "G5-P3", "", DOING, 30, "2025-08-31", None, ""),
        ("2024-06-25", "G5-P4", "", DOING, 17, "2024-09-30", None, "3所消除大班额"),
        ("2024-06-25", "G5-J1", "", DOING, 20, "2025-08-31", None, ""),
        ("2024-06-25", "G5-J2", "", DOING, 10, "2024-09-30", None, ""),
        *(("2024-06-25", f"Q9-D{i}", "", DOING, 50, "2024-12-31", None, "") for i in (1, 2, 3, 4)),
    ],
    "2024-12-20": [
        ("2024-12-15", "", "R4-M3", DONE, 100, "", None, "新校舍启用"),
        ("2024-12-15", "", "R4-M4", DONE, 100, "", None, "主体结构完成"),
        ("2024-09-29", "", "R6-M2", DONE, 100, "", None, ""),
        ("2024-10-28", "", "R7-M2", DONE, 100, "", None, ""),
        ("2024-12-15", "", "R7-M3", DONE, 100, "", None, ""),
        *(("2024-12-15", "", f"{i}-M3", DOING, p, "2025-09-30", None, "") for i, p in (("G3", 85), ("G4", 33), ("G5", 80))),
        ("2024-12-15", "", "Q9-M1", DOING, 67, "2025-11-30", None, "科学两个年级已合格，语文待下一轮监测"),
        ("2024-12-15", "R4-P1", "", DOING, 75, "2025-08-31", 2600, "光明道小学教学楼主体完成"),
        ("2024-12-15", "R4-P2", "", DOING, 67, "2025-08-31", 1180, "10所完工"),
        ("2024-12-15", "R4-P3", "", DONE, 100, "", None, ""),
        ("2024-12-15", "R4-J1", "", DOING, 55, "2025-08-31", 780, ""),
        ("2024-12-15", "R4-J2", "", DOING, 50, "2025-08-31", 150, ""),
        ("2024-12-15", "R5-J2", "", DOING, 45, "2025-06-30", None, ""),
        ("2024-12-15", "R6-P3", "", DONE, 100, "", None, ""),
        ("2024-12-15", "R7-J1", "", DONE, 100, "", None, ""),
        ("2024-12-15", "G3-P1", "", DOING, 60, "2025-08-31", 45, ""),
        ("2024-12-15", "G3-P2", "", DONE, 100, "", 76, ""),
        ("2024-12-15", "G3-J1", "", DOING, 60, "2025-08-31", 18, ""),
        ("2024-12-15", "G3-J2", "", DONE, 100, "", 47, ""),
        ("2024-12-15", "G4-P1", "", DOING, 50, "2025-09-30", None, "杨村第十小学降到2400人以内"),
        ("2024-12-15", "G4-P2", "", DOING, 70, "2025-08-31", None, ""),
        ("2024-12-15", "G5-P1", "", DONE, 100, "", None, ""),
        ("2024-12-15", "G5-P3", "", DOING, 70, "2025-08-31", None, ""),
        ("2024-12-15", "G5-P4", "", DOING, 83, "2025-09-30", None, "南湖小学转入学生，又有班级超额"),
        ("2024-12-15", "G5-J1", "", DOING, 55, "2025-08-31", None, ""),
        ("2024-12-15", "G5-J2", "", DOING, 83, "2025-09-30", None, ""),
        *(("2024-12-15", f"Q9-D{i}", "", DOING, 75, "2025-11-30", None, "") for i in (1, 2, 3, 4)),
    ],
    "2025-11-30": [
        *(("2025-09-28", "", f"{i}-M3", DONE, 100, "", None, "") for i in ("G3", "G4", "G5")),
        ("2025-11-25", "", "Q9-M1", DONE, 100, "", None, ""),
        ("2025-11-25", "R4-P1", "", DONE, 100, "", 2780, ""),
        ("2025-11-25", "R4-P2", "", DONE, 100, "", 1520, ""),
        ("2025-11-25", "R4-J1", "", DONE, 100, "", 920, ""),
        ("2025-11-25", "R4-J2", "", DONE, 100, "", 210, ""),
        *(("2025-11-25", m, "", CANCELLED, "", "", None, "按附件措施实施，不再单列") for m in ("R4-PB", "R4-JB")),
        ("2025-11-25", "R5-J2", "", DONE, 100, "", None, ""),
        ("2025-11-25", "R5-PB", "", DONE, 100, "", None, "小学段一并调整"),
        ("2025-11-25", "G3-P1", "", DONE, 100, "", 58, ""),
        ("2025-11-25", "G3-J1", "", DONE, 100, "", 22, ""),
        *(("2025-11-25", m, "", DONE, 100, "", None, "") for m in ("G4-P1", "G4-P2", "G5-P3", "G5-P4", "G5-J1", "G5-J2")),
        *(("2025-11-25", f"Q9-D{i}", "", DONE, 100, "", None, "") for i in (1, 2, 3, 4)),
    ],
}  # fmt: skip
# Measures that got a new date after the city's acceptance; everything else about them stays the plan's.
REBASELINED = {"2024-12-20": dt.date(2025, 8, 31)}
LATE = ("R4-P1", "R4-P2", "R4-J1", "R4-J2", "R5-J2", "G3-P1", "G3-J1", "G4-P1", "G4-P2", "G5-P3", "G5-P4", "G5-J1", "G5-J2",
        "Q9-D1", "Q9-D2", "Q9-D3", "Q9-D4")  # fmt: skip
SECTION = {"G4": "教育管理科", "G5": "教育管理科", "Q9": "督导室"}


def progress(day: str) -> list[tuple]:
    """Rows of `progress`."""
    rows = []
    for reported, measure, milestone, state, percent, expected, spent, note in REPORTS[day]:
        reporter = SECTION.get((measure or milestone)[:2], "计财科")
        evidence = "现场照片、验收单" if state == DONE else ""
        rows.append((reported, measure, milestone, state, percent, expected, spent, evidence, reporter, note))
    return rows


# Inspectors write short names.
SPOKEN = {
    "黄庄街泉昇小学": "泉昇小学",
    "下朱庄街南湖小学": "南湖小学",
    "南蔡村镇畔水庭苑中心小学": "畔水庭苑小学",
}
INSPECTED = {"2024-06-30": "2024-06-20", "2024-12-20": "2024-12-12", "2025-11-30": "2025-11-20"}
# Not signed off at first: the school's rooms were open, but not furnished.
FAILED_AT_FIRST = ("R4", "河西务镇首驿小学", "2024-06-30", "2024-12-20")
INSPECTOR = "区义务教育优质均衡发展督导评估组"


def acceptances(day: str, before: list[School], after: list[School]) -> list[tuple]:
    """Rows of `acceptances`: marks that went since the last delivery, and what carries no mark."""
    found: list[tuple[str, str, str]] = []
    now = {s.name: s for s in after}
    for school in before:
        gone = now.get(school.name)
        left = gone.flags if gone else frozenset()
        for mark in sorted(school.flags - left):
            if mark[0] in "RG":
                found.append((mark[:2], school.stages[0], school.name))
    extra: dict[str, list[tuple[str, str, str]]] = {
        "2024-06-30": [],
        "2024-12-20": [("G4", PRIMARY, "杨村第十小学"), ("R6", PRIMARY, ""), ("R7", JUNIOR, "")],
        "2025-11-30": [("G4", PRIMARY, "光明道小学"), ("G4", PRIMARY, "下朱庄街广贤路小学"), ("R4", PRIMARY, ""),
                       ("R5", PRIMARY, ""), ("R5", JUNIOR, ""), ("Q9", "", "")],
    }  # fmt: skip
    rows: list[tuple] = []
    indicator, name, first_day, second_day = FAILED_AT_FIRST
    for row in found + extra[day]:
        is_failed = (row[0], row[2], day) == (indicator, name, first_day)
        if row[:1] + row[2:] == ("R5", "下朱庄街广贤路小学"):
            continue  # accepted when the lease began, below
        row = (*row[:2], SPOKEN.get(row[2], row[2]))
        rows.append((INSPECTED[day], *row, "不通过" if is_failed else "通过", INSPECTOR, "现场核查记录"))
    if day == "2024-06-30":
        rows.append(
            (INSPECTED[day], "R5", PRIMARY, "下朱庄街广贤路小学", "通过", INSPECTOR, "租赁协议、场馆照片")
        )
    if day == second_day:
        rows.append((INSPECTED[day], indicator, PRIMARY, name, "通过", INSPECTOR, "复查记录"))
    return [(dt.date.fromisoformat(row[0]), *row[1:]) for row in rows]


# Newer results of the monitoring, by delivery.
MONITORING = {
    "2024-12-20": [(2023, 4, "科学", "Ⅲ", "0.104"), (2023, 8, "科学", "Ⅲ", "0.121"), (2023, 4, "德育", "Ⅲ", "0.090"),
                   (2023, 8, "德育", "Ⅲ", "0.098")],
    "2025-11-30": [(2024, 4, "数学", "Ⅲ", "0.110"), (2024, 8, "数学", "Ⅲ", "0.131"), (2025, 4, "语文", "Ⅲ", "0.111"),
                   (2025, 8, "语文", "Ⅲ", "0.116")],
}  # fmt: skip
