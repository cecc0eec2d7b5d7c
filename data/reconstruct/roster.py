"""Invented schools with plausible figures: the generator both districts share.

Belongs here: how one school's pupils, classes, teachers, rooms and sites are drawn, and how a later
delivery changes them. Keep out: names of schools and facts of the plans (`schools_*.py`, `plan_*.py`),
the shape of the delivered tables (`tables.py`), and every number of the standard: the ranges below are
levels the drawn figures should have, chosen by hand, and `check.py` says what they amount to.

Every draw comes from a generator seeded with the school's code and the name of the figure, so a school's
figures do not move when a school is added before it, and two runs give the same bytes.
"""

from __future__ import annotations

import copy
import math
import random
from dataclasses import dataclass, field

PRIMARY, JUNIOR = "小学", "初中"
GRADES = {PRIMARY: range(1, 7), JUNIOR: range(7, 10)}
# Pupils are shared out by these weights in schools of several stages.
WEIGHT = {PRIMARY: 1.0, JUNIOR: 1.1, "高中": 1.32}


@dataclass
class School:
    """One school as a district would report it; resources are absolute, never per pupil."""

    code: str
    name: str
    township: str
    school_type: str
    urban_rural: str
    built_year: int
    sponsor: int = 5
    boarding: bool = False
    dense: bool = False
    flags: frozenset[str] = frozenset()
    evenness: float = 1.0  # 1: levels as in LEVELS; smaller: pulled towards the lowest urban level
    senior_students: int = 0
    migrant_students: int = 0
    classes: dict[int, list[int]] = field(default_factory=dict)  # grade -> size of each class
    teachers: dict[str, dict[str, int]] = field(default_factory=dict)  # stage -> figures
    rooms: dict[str, list[float]] = field(default_factory=lambda: {"音乐": [], "美术": []})
    teaching_area: float = 0.0
    indoor_sports: float = 0.0
    outdoor_sports: float = 0.0
    other_sports: float = 0.0
    rented_sports: float = 0.0
    equipment_wan: float = 0.0
    multimedia_rooms: int = 0

    def rng(self, figure: str) -> random.Random:
        return random.Random(f"{self.code}/{figure}")

    def students(self, stage: str) -> int:
        if stage == "高中":
            return self.senior_students
        return sum(sum(self.classes.get(grade, [])) for grade in GRADES[stage])

    @property
    def stages(self) -> list[str]:
        """Compulsory stages with pupils."""
        return [stage for stage in GRADES if self.students(stage)]

    @property
    def weighted_students(self) -> float:
        """Pupils as the split counts them; plain pupils where there is one stage only."""
        counts = {stage: self.students(stage) for stage in WEIGHT if self.students(stage)}
        if len(counts) == 1:
            return float(sum(counts.values()))
        return sum(WEIGHT[stage] * n for stage, n in counts.items())

    @property
    def class_count(self) -> int:
        return sum(len(sizes) for sizes in self.classes.values())

    @property
    def profile(self) -> str:
        has_one_stage = len([s for s in WEIGHT if self.students(s)]) == 1
        return self.stages[0] if has_one_stage and self.stages else "多学段"


# (lowest, highest) level by profile and 城乡类型: R4, R5 in ㎡, R6 in 元, R7 per 100 pupils; all per pupil,
# weighted where a school has several stages. R1 is the share of teachers with the degree. R2 and R3 per 100.
LEVELS: dict[str, dict[str, dict[str, tuple[float, float]]]] = {
    PRIMARY: {
        "R2": {"城区": (1.15, 1.70), "镇区": (1.20, 1.90), "乡村": (1.20, 1.90)},
        "R3": {"城区": (1.00, 1.45), "镇区": (1.05, 1.60), "乡村": (1.10, 1.70)},
        "R4": {"城区": (4.70, 5.60), "镇区": (5.20, 9.00), "乡村": (9.00, 19.00)},
        "R5": {"城区": (7.90, 10.5), "镇区": (9.00, 18.0), "乡村": (18.0, 38.0)},
        "R6": {"城区": (2120, 3100), "镇区": (2500, 4600), "乡村": (4500, 11500)},
        "R7": {"城区": (2.45, 3.20), "镇区": (2.80, 4.20), "乡村": (3.20, 5.40)},
    },
    JUNIOR: {
        "R2": {"城区": (1.15, 1.90), "镇区": (1.20, 2.10), "乡村": (1.25, 2.10)},
        "R3": {"城区": (1.00, 1.50), "镇区": (1.05, 1.70), "乡村": (1.10, 1.80)},
        "R4": {"城区": (6.05, 7.40), "镇区": (6.60, 9.60), "乡村": (7.50, 12.0)},
        "R5": {"城区": (10.7, 14.5), "镇区": (14.0, 30.0), "乡村": (28.0, 55.0)},
        "R6": {"城区": (2620, 3500), "镇区": (2800, 4300), "乡村": (3200, 5200)},
        "R7": {"城区": (2.55, 3.30), "镇区": (3.20, 6.50), "乡村": (6.50, 13.5)},
    },
    "多学段": {
        "R4": {"城区": (5.60, 7.00), "镇区": (6.00, 9.00), "乡村": (7.00, 11.0)},
        "R5": {"城区": (9.80, 13.0), "镇区": (12.0, 20.0), "乡村": (15.0, 28.0)},
        "R6": {"城区": (2450, 3300), "镇区": (2600, 4200), "乡村": (3000, 5000)},
        "R7": {"城区": (2.55, 3.40), "镇区": (2.80, 4.50), "乡村": (3.20, 6.00)},
    },
}
# Intended levels of a section that fails: some a little short, some far.
SHORT = {
    PRIMARY: {"R4": (3.45, 4.38), "R5": (5.60, 5.90), "R6": (1560, 1860)},
    JUNIOR: {"R4": (4.65, 5.60), "R6": (2020, 2400)},
}
CLASS_SIZE = {
    PRIMARY: {"城区": (40, 44), "镇区": (34, 42), "乡村": (20, 32)},
    JUNIOR: {"城区": (43, 48), "镇区": (38, 46), "乡村": (28, 38)},
}
OVERSIZE = {PRIMARY: (46, 55), JUNIOR: (51, 58)}
PUPILS_PER_TEACHER = {PRIMARY: (15.4, 17.8), JUNIOR: (10.6, 12.6)}
DEGREE_SHARE = {PRIMARY: (0.975, 1.0), JUNIOR: (0.93, 1.0)}


def fill_classes(school: School, stage: str, students: int) -> None:
    """Spread pupils of a stage over its grades and classes; with flag G5 some classes come out too large."""
    rng = school.rng(f"classes {stage}")
    grades = list(GRADES[stage])
    parts = [1 + rng.uniform(-0.05, 0.05) for _ in grades]
    counts = [int(students * part / sum(parts)) for part in parts]
    for i in range(students - sum(counts)):
        counts[i % len(counts)] += 1
    low, high = CLASS_SIZE[stage][school.urban_rural]
    size = rng.randint(low, high)
    over_low, over_high = OVERSIZE[stage]
    is_crowded = f"G5 {stage}" in school.flags
    for grade, count in zip(grades, counts, strict=True):
        number = max(1, math.ceil(count / size))
        crowded = [k for k in range(1, number) if over_low <= count / k <= over_high]
        if is_crowded and crowded and (rng.random() < 0.7 or grade == grades[0]):
            number = crowded[-1]
        base, extra = divmod(count, number)
        school.classes[grade] = [base + (i < extra) for i in range(number)]


def hire(school: School, stage: str) -> None:
    """Draw the teachers of a stage."""
    rng, students = school.rng(f"teachers {stage}"), school.students(stage)
    classes = sum(len(school.classes[grade]) for grade in GRADES[stage])
    full_time = max(math.ceil(students / rng.uniform(*PUPILS_PER_TEACHER[stage])), classes + 2)
    degree = math.ceil(full_time * rng.uniform(*DEGREE_SHARE[stage]))
    master = int(full_time * rng.uniform(0.01, 0.06 if stage == PRIMARY else 0.12))
    associate = int(full_time * rng.uniform(0.05, 0.16)) if stage == PRIMARY else full_time - degree
    bachelor = degree - master - (associate if stage == PRIMARY else 0)
    levels = LEVELS[stage]
    arts = math.ceil(students * rng.uniform(*levels["R3"][school.urban_rural]) / 100)
    pe = max(1, round(arts * 0.48))
    music = max(1, round(arts * 0.26))
    school.teachers[stage] = {
        "full_time": full_time,
        "staff": full_time + max(1, round(full_time * rng.uniform(0.04, 0.1))),
        "doctorate": 0,
        "master": master,
        "bachelor": bachelor,
        "associate": associate,
        "backbone": math.ceil(students * rng.uniform(*levels["R2"][school.urban_rural]) / 100),
        "pe": pe,
        "music": music,
        "fine_art": max(0, arts - pe - music),
        "art": 0,
        "visiting_pe_art": rng.randint(1, 2) if students < 200 else 0,
        "certified": full_time,
        "trained_360h": full_time,
    }


def level(school: School, indicator: str) -> float:
    """The level one resource of a school should have; a flag such as `R4` makes it fall short."""
    rng = school.rng(indicator)
    if indicator in school.flags:
        return rng.uniform(*SHORT[school.stages[0]][indicator])
    ranges = LEVELS[school.profile][indicator]
    drawn, base = rng.uniform(*ranges[school.urban_rural]), ranges["城区"][0]
    return base + (drawn - base) * school.evenness


def furnish(school: School) -> None:
    """Draw buildings, grounds, equipment and multimedia rooms."""
    n, rng = school.weighted_students, school.rng("site")
    indoor = {"城区": rng.uniform(0.25, 0.6), "镇区": rng.uniform(0, 0.5), "乡村": 0.0}[school.urban_rural]
    school.indoor_sports = round(n * indoor, 1)
    school.teaching_area = round(n * level(school, "R4") + school.indoor_sports, 1)
    school.outdoor_sports = round(n * level(school, "R5") - school.indoor_sports, 1)
    school.equipment_wan = round(n * level(school, "R6") / 10000, 4)
    school.multimedia_rooms = math.ceil(n * level(school, "R7") / 100)


def rooms_needed(school: School, classes_per_room: int = 12) -> int:
    return math.ceil(school.class_count / classes_per_room)


def equip_rooms(school: School) -> None:
    """Music and art rooms: enough and large enough; with flag G3 one kind is missing or too small."""
    rng, needed = school.rng("rooms"), rooms_needed(school)
    school.rooms = {
        "音乐": [round(rng.uniform(97, 118), 1) for _ in range(needed)],
        "美术": [round(rng.uniform(91, 112), 1) for _ in range(needed)],
    }
    if "G3" not in school.flags:
        return
    how = rng.choice(["missing", "small", "both"] if needed > 1 else ["small", "both"])
    if how in ("missing", "both"):
        school.rooms["美术"].pop()
    if how in ("small", "both"):
        school.rooms["音乐"][-1] = round(rng.uniform(62, 92), 1)


def grow(school: School, primary: int = 0, junior: int = 0, senior: int = 0) -> School:
    """Give a school its pupils and everything drawn from them."""
    school.senior_students = senior
    for stage, students in ((PRIMARY, primary), (JUNIOR, junior)):
        if students:
            fill_classes(school, stage, students)
            hire(school, stage)
    compulsory = primary + junior
    share = {"城区": (0.08, 0.24), "镇区": (0.03, 0.12), "乡村": (0.0, 0.06)}[school.urban_rural]
    school.migrant_students = int(compulsory * school.rng("migrant").uniform(*share))
    furnish(school)
    if compulsory:
        equip_rooms(school)
    return school


def read_roster(table: str, code_prefix: str, evenness: float = 1.0, first: int = 1) -> list[School]:
    """Parse lines `名称|镇街|类型|城乡|建校年|小学|初中|高中|标记`; a line's place in the table gives its code."""
    schools = []
    for number, line in enumerate(filter(None, (raw.strip() for raw in table.splitlines())), first):
        name, township, school_type, urban_rural, built, primary, junior, senior, flags = line.split("|")
        marks = frozenset(filter(None, flags.split(",")))
        school = School(
            code=f"{code_prefix}{number:03d}",
            name=name,
            township=township,
            school_type=school_type,
            urban_rural=urban_rural,
            built_year=int(built),
            sponsor=10 if "民办" in marks else 5,
            boarding="寄宿" in marks,
            dense="密集" in marks,
            flags=marks,
            evenness=evenness,
        )
        schools.append(grow(school, int(primary or 0), int(junior or 0), int(senior or 0)))
    return schools


# ---------------------------------------------------------------- what a later delivery changes


def move_pupils(school: School, stage: str, students: int) -> None:
    """Set the pupils of a stage; classes are formed anew, buildings and teachers stay as they are."""
    fill_classes(school, stage, students)
    school.migrant_students = min(school.migrant_students, sum(school.students(s) for s in GRADES))


def divert(school: School, stage: str, students: int) -> None:
    """Pupils of a stage leave for other schools, and teachers with them; buildings stay."""
    move_pupils(school, stage, students)
    hire(school, stage)


def level_off(schools: list[School], stage: str, figure: str, highest: float) -> float:
    """Cut one resource of the schools of a single stage to about a highest level per pupil; returns what is freed.

    No two schools end at the same level: what is handed over goes by the piece and the room.
    """
    freed = 0.0
    for school in schools:
        if school.profile == stage:
            level = highest * school.rng(f"levelled {figure}").uniform(0.93, 1.0)
            limit = round(level * school.weighted_students, 4 if figure == "equipment_wan" else 1)
            if figure == "multimedia_rooms":
                limit = math.ceil(limit)
            surplus = getattr(school, figure) - limit
            if surplus > 0:
                setattr(school, figure, limit)
                freed += surplus
    return freed


def relieve(school: School, *flags: str) -> None:
    """Take marks away: what they held back is drawn again, the rest of the school stays."""
    school.flags = school.flags - frozenset(flags)
    for flag in flags:
        if flag.startswith("G5"):
            stage = flag.split()[1]
            fill_classes(school, stage, school.students(stage))
        elif flag == "G3":
            equip_rooms(school)
        elif flag == "R4":
            target = round(school.weighted_students * level(school, "R4") + school.indoor_sports, 1)
            school.teaching_area = max(school.teaching_area, target)
        elif flag == "R6":
            target = round(school.weighted_students * level(school, "R6") / 10000, 4)
            school.equipment_wan = max(school.equipment_wan, target)
    if school.class_count and "G3" not in school.flags:
        top_up_rooms(school)


def top_up_rooms(school: School) -> None:
    """Add the rooms that a larger number of classes asks for."""
    rng = school.rng("more rooms")
    while len(school.rooms["音乐"]) < rooms_needed(school):
        school.rooms["音乐"].append(round(rng.uniform(97, 108), 1))
    while len(school.rooms["美术"]) < rooms_needed(school):
        school.rooms["美术"].append(round(rng.uniform(91, 102), 1))


def copy_roster(schools: list[School]) -> list[School]:
    return copy.deepcopy(schools)


def by_name(schools: list[School], name: str) -> School:
    return next(school for school in schools if school.name == name)
