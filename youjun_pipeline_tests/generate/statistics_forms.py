"""The official statistics forms of one made-up school, sheet by sheet, as the reporting system exports them.

Belongs here: what each form looks like in both generations. Layouts are typed in from genuine forms and not taken from the
pipeline, so that the two can disagree. Keep out: files and archives (``statistics``).

# Long because a form is a page of labels, and there are ten of them in two generations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | None
STAGES = ("primary", "junior", "senior")
WORD = {"primary": "小学", "junior": "初中", "senior": "高中"}
BANDS = (
    "25人及以下",
    "26–30人",
    "31–35人",
    "36–40人",
    "41–45人",
    "46–50人",
    "51–55人",
    "56–60人",
    "61–65人",
    "66人及以上",
)
TYPE_CODES = {
    "小学": "211",
    "教学点": "218",
    "初级中学": "311",
    "九年一贯制学校": "312",
    "完全中学": "341",
    "高级中学": "342",
    "十二年一贯制学校": "345",
    "特殊教育学校": "514",
    "职业学校": "361",
}
URBAN_CODES = {"城区": "111", "镇区": "121", "乡村": "220"}
# Beside the identity on every first form; no table may ever hold them.
CONTACTS = (
    "022-82110001",
    "022-82110002",
    "xiaozhang@example.edu.cn",
    "13912345678",
    "张守一",
    "李知微",
    "王慎独",
)


@dataclass(frozen=True)
class School:
    """What one school reports. Pupils, teachers and class sizes by stage; a stage without data has no forms."""

    row: Mapping[str, Any]
    students: Mapping[str, Value]
    teachers: Mapping[str, Mapping[str, Value]]
    classes: Mapping[str, Sequence[int]]
    facilities: Mapping[str, Value] | None
    type_code: str = ""
    authority: str = "120114000000"

    @property
    def code(self) -> str:
        return str(self.row["school_code"])

    @property
    def kind_code(self) -> str:
        return self.type_code or TYPE_CODES[self.row["school_type"]]


@dataclass
class Sheet:
    """Cells by (row, column), 0-based, and merged ranges (first row, first column, last row, last column).

    Numbers in ``fixed`` belong to the form itself and are the same in every workbook.
    """

    name: str
    cells: dict[tuple[int, int], Value] = field(default_factory=dict)
    fixed: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)

    def put(self, row: int, column: int, *values: Value) -> None:
        """Values side by side."""
        for i, value in enumerate(values):
            if value is not None:
                self.cells[row, column + i] = value

    def merge(self, row: int, column: int, last_row: int, last_column: int, value: str) -> None:
        self.cells[row, column] = value
        self.merged.append((row, column, last_row, last_column))


def bands_of(sizes: Sequence[int]) -> list[int]:
    """How many classes each band has."""
    counts = [0] * len(BANDS)
    for size in sizes:
        counts[max(0, min(len(BANDS) - 1, -(-(size - 25) // 5)))] += 1
    return counts


def new_forms(school: School, suffix: str = "") -> list[Sheet]:
    """教基…, since 2021."""
    sheets = [_cover("2023 /2024"), _identity_new(school)]
    sheets.append(_backbone_new(school))
    for stage in STAGES:
        if stage in school.students:
            sheets.append(_pupils(stage, school.students[stage], new=True))
        if stage in school.classes:
            sheets.append(_classes_new(stage, school.classes[stage]))
        if stage in school.teachers:
            sheets.append(_teachers_new(stage, school.teachers[stage]))
    if school.facilities is not None:
        sheets += [_buildings_new(school.facilities), _grounds_new(school.facilities)]
    sheets.append(_ages("教基4153"))
    return _with_suffix(sheets, suffix)


def old_forms(school: School, suffix: str = "", graduates_in_one: bool = False) -> list[Sheet]:
    """基础基…, until the school year 2020/21."""
    sheets = [_cover("2020 /2021"), _identity_old(school)]
    sheets.append(_backbone_old(school))
    for stage in STAGES:
        if stage in school.students:
            sheets.append(_pupils(stage, school.students[stage], new=False))
        if stage in school.classes:
            sheets.append(_classes_old(stage, school.classes[stage]))
        if stage in school.teachers:
            sheets.append(_teachers_old(stage, school.teachers[stage], graduates_in_one))
    if school.facilities is not None:
        sheets += [_buildings_old(school.facilities), _grounds_old(school.facilities)]
    sheets.append(_ages("基础基4411"))
    return _with_suffix(sheets, suffix)


def _with_suffix(sheets: list[Sheet], suffix: str) -> list[Sheet]:
    for sheet in sheets:
        if suffix and sheet.name not in ("封面", "目录"):
            sheet.name = f"{sheet.name}_{suffix}"
    contents = Sheet("目录")
    contents.put(0, 0, "目  录")
    for i, sheet in enumerate(sheets[1:]):
        contents.put(i + 1, 0, i + 1, sheet.name)
    return [sheets[0], contents, *sheets[1:]]


def _cover(year: str) -> Sheet:
    sheet = Sheet("封面")
    sheet.put(2, 1, "基础教育学校（机构）统计报表")
    sheet.put(4, 1, f"（{year} 学年初）")
    return sheet


def _titled(name: str, title: str, width: int, unit: str = "人") -> Sheet:
    sheet = Sheet(name)
    sheet.merge(0, 0, 0, width - 1, title)
    sheet.put(1, 0, f"{' ' * 40}{name}")
    sheet.put(1, width - 1, f"单位：{unit}")
    return sheet


# Kinds of attached classes, each with a pair of rows in the last block of 基础基111.
ATTACHED = (
    *(("附设幼儿班", "119"), ("附设小学班", "219"), ("附设普通初中班", "319"), ("附设职业初中班", "329")),
    *(("附设普通高中班", "349"), ("附设特教班", "519"), ("附设中职班", "368")),
)


def _identity_old(school: School) -> Sheet:
    """The last block, about attached classes, has headers that repeat words of the first ones."""
    sheet = _names("基础基111", school)
    _place(sheet, 4, school, "学校（机构）驻地城乡类型")
    _kind(sheet, 8, school)
    sheet.put(12, 0, "续")
    sheet.put(13, 0, "办公电话", "传真电话", "单位电子信箱", "移动电话", "校长姓名", "统计负责人", "填表人")
    sheet.put(14, 0, *CONTACTS)
    attached_block(sheet, 15)
    return sheet


def _identity_new(school: School) -> Sheet:
    """A long form: 学校（机构）名称 stands in C4, 办学类型 in C25."""
    sheet = _names("教基1001", school)
    _place(sheet, 4, school, "所在地城乡类型")
    sheet.put(8, 0, "续")
    sheet.put(9, 0, "办公电话", "传真电话", "单位电子信箱", "移动电话", "校长姓名", "统计负责人", "填表人")
    sheet.put(10, 0, *CONTACTS)
    for row, labels in (
        (11, ("建校年月", "经度", "纬度", "邮政编码")),
        (14, ("网址", "信息化负责人", "校训", "历史沿革")),
        (17, ("是否寄宿制", "是否随班就读", "教学语言", "少数民族语言")),
    ):
        sheet.put(row, 0, "续")
        sheet.put(row + 1, 0, *labels)
        sheet.put(row + 2, 0, *(f"某{label}" for label in labels))
    _kind(sheet, 21, school)
    return sheet


def _names(name: str, school: School) -> Sheet:
    sheet = _titled(name, "学校（机构）基本情况", 10, "")
    sheet.merge(2, 0, 2, 1, "学校标识码")
    sheet.merge(2, 2, 2, 5, "学校（机构）\n名称（章）")
    sheet.merge(2, 6, 2, 9, "学校（机构）英文名称")
    sheet.put(3, 0, school.code)
    sheet.put(3, 2, school.row["school_name"])
    return sheet


def _place(sheet: Sheet, row: int, school: School, urban_label: str) -> None:
    """Where the school lies, and whom it belongs to."""
    urban = school.row["urban_rural"]
    codes = URBAN_CODES.get(urban, "*"), school.authority
    sheet.put(row, 0, "续")
    sheet.put(row + 1, 2, "学校（机构）地址")
    sheet.put(row + 1, 5, urban_label, "学校（机构）\n属地管理教育行政部门")
    sheet.put(row + 2, 0, "名  称", None, "某镇某路某号", None, None, urban, "某区教育局")
    sheet.put(row + 3, 0, "代  码", None, "120114101001", None, None, *codes)


def _kind(sheet: Sheet, row: int, school: School) -> None:
    """Which kind of school it is, and who runs it."""
    sponsor = (
        ("民办", "999") if str(school.row.get("sponsor_code") or "") == "10" else ("县级教育部门", "831")
    )
    sheet.put(row, 0, "续")
    sheet.put(row + 1, 2, "学校（机构）办学类型", "学校（机构）举办者", None, "规定年制")
    sheet.put(row + 2, 0, "名称", None, school.row["school_type"], sponsor[0], None, 6)
    sheet.put(row + 3, 0, "代码", None, school.kind_code, sponsor[1], None, "*")


def attached_block(sheet: Sheet, row: int) -> None:
    """The block about attached classes, as in a school without attached classes."""
    sheet.put(row, 0, "续")
    sheet.put(row + 1, 2, "学校（机构）举办者", "学校（机构）属地管理教育行政部门", None, "学校（机构）地址")
    sheet.put(row + 1, 6, "规定年制", None, "规定入学年龄")
    for at, (kind, code) in enumerate(ATTACHED):
        first = row + 2 + 2 * at
        sheet.put(first, 0, "名称", kind, None, None, None, None, "小学", "*", "小学", "*")
        sheet.put(first + 1, 0, "代码", code, None, None, None, None, "初中", "*", "初中", "*")


def _numbered(sheet: Sheet, row: int, marks: Sequence[str | None], first: int, count: int) -> None:
    sheet.put(row, 0, *marks)
    for number in range(1, count + 1):
        sheet.put(row, first + number - 1, number)
        sheet.fixed.add((row, first + number - 1))


def _body(sheet: Sheet, row: int, labels: Sequence[str], first_number: int = 1, column: int = 1) -> None:
    """Labels in 甲 and their numbers in 乙."""
    for i, label in enumerate(labels):
        sheet.put(row + i, column - 1, label)
        sheet.put(row + i, column, f"{first_number + i:02d}")


def _backbone_new(school: School) -> Sheet:
    sheet = _titled("教基1102续", "学校（机构）基本情况（续）", 4, "")
    sheet.put(2, 0, "指标名称", "代码", "计量单位", "数量")
    _numbered(sheet, 3, ("甲", "乙", "丙"), 3, 1)
    labels = ["心理健康教师", "校医", "保健员", "安保人员", "食堂工作人员", "宿舍管理人员", "特级教师"]
    _body(sheet, 4, [*labels, "县级及以上骨干教师（小学）", "县级及以上骨干教师（初中）", "#女"], 21)
    for row in range(4, 14):
        sheet.put(row, 2, "人")
    for row, stage in ((11, "primary"), (12, "junior")):
        teachers = school.teachers.get(stage)
        sheet.put(row, 3, teachers["backbone"] if teachers else "*")
    return sheet


def _backbone_old(school: School) -> Sheet:
    """It has no row 甲 乙 1: only its header says what each column holds."""
    sheet = _titled("基础基112", "学校（机构）基本情况补充资料", 5, "")
    sheet.put(2, 0, "项目", "编号", "内容", "单位", "备注")
    _body(sheet, 3, [f"补充资料第{i}项" for i in range(1, 26)])
    _body(sheet, 28, ["县级及以上骨干教师（小学）", "县级及以上骨干教师（初中）", "其他"], 26)
    for row in range(3, 31):
        sheet.put(row, 3, "人")
    for row, stage in ((28, "primary"), (29, "junior")):
        teachers = school.teachers.get(stage)
        sheet.put(row, 2, teachers["backbone"] if teachers else "*")
    return sheet


def _pupils(stage: str, students: Value, new: bool) -> Sheet:
    numbers = {
        "primary": ("教基3112", "基础基312"),
        "junior": ("教基3115", "基础基313"),
        "senior": ("教基3118", "基础基314"),
    }
    name = numbers[stage][0 if new else 1]
    # 教基3112 has more columns before the pupils than the other two.
    groups = [
        ("毕业生数", ["合计", "#女"]),
        ("招生数", ["合计", "#女", "受过学前教育", "农村"]),
        ("在校生数", ["合计", "一年级", "二年级"]),
    ]
    if stage != "primary" or not new:
        groups = [
            ("毕业生数", []),
            ("招生数", []),
            ("在校生数", ["合计", "一年级", "二年级"]),
            ("预计毕业生数", []),
        ]
    sheet = _titled(name, f"{WORD[stage]}学生数", 12)
    sheet.merge(2, 0, 3, 0, "指标名称")
    sheet.merge(2, 1, 3, 1, "编号")
    column = _headers(sheet, 2, 2, groups)
    _numbered(sheet, 4, ("甲", "乙"), 2, column - 2)
    _body(sheet, 5, ["总  计", "其中：女", "少数民族", "残疾人"])
    at = next(c for (r, c), value in sheet.cells.items() if r == 2 and value == "在校生数")
    sheet.put(5, at, students)
    sheet.put(5, 2, 7)
    sheet.put(6, 2, "*")
    return sheet


def _headers(sheet: Sheet, row: int, column: int, groups: Sequence[tuple[str, Sequence[str]]]) -> int:
    """Headers of two levels; returns the column after them."""
    for group, leaves in groups:
        if not leaves:
            sheet.merge(row, column, row + 1, column, group)
            column += 1
            continue
        sheet.merge(row, column, row, column + len(leaves) - 1, group)
        for leaf in leaves:
            sheet.put(row + 1, column, leaf)
            column += 1
    return column


def _classes_new(stage: str, sizes: Sequence[int]) -> Sheet:
    sheet = _titled("教基2106" if stage == "primary" else "教基2107", f"{WORD[stage]}班数、班额情况", 6, "个")
    sheet.put(2, 0, "指标名称", "代码", "合计", "一年级", "二年级", "三年级")
    _numbered(sheet, 3, ("甲", "乙"), 2, 4)
    _body(sheet, 4, ["总  计", *BANDS])
    for row, count in enumerate([len(sizes), *bands_of(sizes)]):
        sheet.put(4 + row, 2, count)
    return sheet


def _classes_old(stage: str, sizes: Sequence[int]) -> Sheet:
    """甲 spans two columns: 班额 is merged beside its bands; 基础基213 has the senior classes too."""
    sheet = _titled(
        "基础基212" if stage == "primary" else "基础基213", f"{WORD[stage]}教学班数、班额情况", 9, "个"
    )
    sheet.merge(2, 0, 3, 1, "")
    sheet.merge(2, 2, 3, 2, "编号")
    groups: list[tuple[str, Sequence[str]]] = [("合计", [])]
    groups += (
        [("其中", ["一年级", "二年级"])]
        if stage == "primary"
        else [("初中", ["计", "一年级", "二年级"]), ("高中", ["计", "一年级"])]
    )
    count = _headers(sheet, 2, 3, groups) - 3
    _numbered(sheet, 4, ("甲", None, "乙"), 3, count)
    _body(sheet, 5, ["总  计", "其中：五年制"], column=2)
    sheet.merge(7, 0, 6 + len(BANDS), 0, "班\n额\n")
    _body(sheet, 7, BANDS, 3, column=2)
    senior = 6
    for row, n in zip((5, *range(7, 7 + len(BANDS))), (len(sizes), *bands_of(sizes)), strict=True):
        sheet.put(row, 3, n if stage == "primary" else n + senior)
        if stage == "junior":
            sheet.put(row, 4, n)
            sheet.put(row, 7, senior)
    return sheet


_TEACHERS = ("doctorate", "master", "bachelor", "associate")
_COURSES = ("pe", "music", "fine_art", "art")


_PRIMARY_COURSES = (
    *("道德与法治", "语文", "数学", "外语", "科学", "劳动", "综合实践", "信息技术"),
    *("体育", "其他", "音乐", "美术", "艺术"),
)
_JUNIOR_COURSES = (
    *(
        "道德与法治",
        "语文",
        "数学",
        "英语",
        "日语",
        "俄语",
        "其他外语",
        "历史",
        "地理",
        "历史与社会",
        "科学",
        "物理",
    ),
    *("化学", "生物", "信息技术", "劳动", "综合实践", "体育与健康", "音乐", "美术", "艺术", "其他"),
)


def _teachers_new(stage: str, teachers: Mapping[str, Value]) -> Sheet:
    is_primary = stage == "primary"
    name = "教基4155" if is_primary else "教基4156"
    sheet = _titled(name, f"{WORD[stage]}专任教师分课程、分学历情况", 26)
    sheet.merge(2, 0, 3, 0, "指标名称")
    sheet.merge(2, 1, 3, 1, "代码")
    courses = _PRIMARY_COURSES if is_primary else _JUNIOR_COURSES
    width = _headers(sheet, 2, 2, [("合计", []), ("按课程分", courses), ("本学年不授课", [])])
    _numbered(sheet, 4, ("甲", "乙"), 2, width - 2)
    lead = ["总  计", "#女", "#少数民族"] + ([] if is_primary else ["#在编人员"])
    _body(sheet, 5, [*lead, "博士研究生", "硕士研究生", "本  科", "专  科", "高中阶段", "高中阶段以下"])
    sheet.put(5, 2, teachers["full_time"])
    for i, degree in enumerate(_TEACHERS):
        sheet.put(5 + len(lead) + i, 2, teachers[degree])
    for course, column in zip(_COURSES, (11, 13, 14, 15) if is_primary else (20, 21, 22, 23), strict=True):
        sheet.put(5, column, teachers[course])
    sheet.put(6, 3, "*")
    return sheet


def _teachers_old(stage: str, teachers: Mapping[str, Value], graduates_in_one: bool) -> Sheet:
    name = "基础基423" if stage == "primary" else "基础基424"
    sheet = _titled(name, f"{WORD[stage]}专任教师分课程、学历情况", 14)
    sheet.merge(2, 0, 3, 0, "")
    sheet.merge(2, 1, 3, 1, "编号")
    width = _headers(
        sheet,
        2,
        2,
        [
            ("合计", []),
            ("语文", []),
            ("数学", []),
            ("外语", ["计", "英语", "日语"]),
            ("体育", []),
            ("音乐", []),
            ("美术", []),
            ("艺术", []),
        ],
    )
    _numbered(sheet, 4, ("甲", "乙"), 2, width - 2)
    degrees = ["研究生毕业"] if graduates_in_one else ["博士研究生毕业", "硕士研究生毕业"]
    labels = ["总  计", "其中：女", *degrees, "本科毕业", "专科毕业", "高中阶段毕业"]
    _body(sheet, 5, labels)
    sheet.put(5, 2, teachers["full_time"])
    values = [teachers[degree] for degree in _TEACHERS]
    if graduates_in_one:
        values[:2] = [sum(int(v) for v in values[:2] if v is not None)]
    for i, value in enumerate(values):
        sheet.put(7 + i, 2, value)
    for i, course in enumerate(_COURSES):
        sheet.put(5, 8 + i, teachers[course])
    return sheet


def _buildings_new(facilities: Mapping[str, Value]) -> Sheet:
    sheet = _titled("教基5170", "校舍情况", 9, "平方米")
    sheet.merge(2, 0, 3, 0, "指标名称")
    sheet.merge(2, 1, 3, 1, "代码")
    width = _headers(
        sheet,
        2,
        2,
        [
            ("上学年校舍建筑面积", []),
            ("增加面积", []),
            ("减少面积", []),
            ("本学年校舍建筑面积", []),
            ("非学校产权", ["合计", "独立使用"]),
        ],
    )
    _numbered(sheet, 4, ("甲", "乙"), 2, width - 2)
    head = [
        "总  计",
        "#C级危房",
        "#D级危房",
        "#租借用",
        "一、教学及辅助用房",
        "教室",
        "实验室",
        "图书室",
        "心理辅导室",
        "其他",
        "专用教室",
    ]
    _body(sheet, 5, [*head, "室内体育用房", "二、行政办公用房", "三、生活用房"])
    sheet.put(9, 5, facilities["teaching_area_m2"])
    sheet.put(9, 2, 1)
    sheet.put(16, 5, facilities["indoor_sports_area_m2"])
    return sheet


def _buildings_old(facilities: Mapping[str, Value]) -> Sheet:
    sheet = _titled("基础基512", "校舍情况", 10, "平方米")
    sheet.merge(2, 0, 3, 0, "")
    sheet.merge(2, 1, 3, 1, "编号")
    owned = ["计", "其中：危房", "当年新增校舍", "被外单位借用"]
    width = _headers(
        sheet,
        2,
        2,
        [
            ("学校产权校舍建筑面积", owned),
            ("正在施工校舍建筑面积", []),
            ("非学校产权校舍建筑面积", ["合计", "独立使用", "共同使用"]),
        ],
    )
    _numbered(sheet, 4, ("甲", "乙"), 2, width - 2)
    _body(
        sheet,
        5,
        ["总  计", "一、教学及辅助用房", "教室", "实验室", "图书室", "体  育  馆", "二、行政办公用房"],
    )
    sheet.put(6, 2, facilities["teaching_area_m2"])
    sheet.put(10, 2, facilities["indoor_sports_area_m2"])
    return sheet


def _grounds_new(facilities: Mapping[str, Value]) -> Sheet:
    sheet = _titled("教基5176", "占地面积及其他办学条件", 4, "")
    sheet.put(2, 0, "指标名称", "代码", "计量单位", "数量")
    _numbered(sheet, 3, ("甲", "乙", "丙"), 3, 1)
    labels = [
        *(
            "占地面积",
            "#绿化用地面积",
            "#运动场地面积",
            "校园足球场",
            "11人制",
            "7人制",
            "5人制",
            "图书",
            "当年新增图书",
        ),
        *("数字终端数", "#学生终端数", "教室", "#网络多媒体教室", "固定资产总值", "#教学仪器设备资产值"),
    ]
    _body(sheet, 4, labels)
    for row in range(4, 4 + len(labels)):
        sheet.put(row, 2, "平方米")
    sheet.put(16, 2, "间")
    sheet.put(17, 2, "万元")
    sheet.put(18, 2, "万元")
    sheet.put(6, 3, facilities["outdoor_sports_area_m2"])
    sheet.put(16, 3, facilities["multimedia_rooms"])
    sheet.put(18, 3, facilities["equipment_value_wan"])
    return sheet


def _grounds_old(facilities: Mapping[str, Value]) -> Sheet:
    sheet = _titled("基础基522", "占地面积及其他办学条件", 12, "平方米、册、间、万元")
    sheet.merge(2, 0, 3, 0, "")
    sheet.merge(2, 1, 3, 1, "编号")
    land = ["计", "绿化用地面积", "运动场地面积"]
    width = _headers(
        sheet,
        2,
        2,
        [
            ("占地面积（平方米）", land),
            ("图书（册）", []),
            ("教室（间）", ["计", "其中：网络多媒体教室"]),
            ("固定资产总值（万元）", ["计", "其中：教学仪器设备资产值"]),
        ],
    )
    _numbered(sheet, 4, ("甲", "乙"), 2, width - 2)
    _body(sheet, 5, ["总  计", "其中：租借"])
    sheet.put(5, 4, facilities["outdoor_sports_area_m2"])
    sheet.put(5, 7, facilities["multimedia_rooms"])
    sheet.put(5, 9, facilities["equipment_value_wan"])
    return sheet


def _ages(name: str) -> Sheet:
    """A form that nothing is read from."""
    sheet = _titled(name, "专任教师年龄情况", 11)
    sheet.put(2, 0, "指标名称", "代码", "合计", *(f"{age}–{age + 4}岁" for age in range(25, 60, 5)))
    _numbered(sheet, 3, ("甲", "乙"), 2, 8)
    _body(sheet, 4, ["总计", "#女", "正高级", "副高级", "中级", "助理级", "员级", "未定职级"] * 5)
    for row in range(4, 44):
        sheet.put(row, 2, *range(row, row + 8))
    return sheet


FORMS: Mapping[str, Callable[..., list[Sheet]]] = {"new": new_forms, "old": old_forms}
