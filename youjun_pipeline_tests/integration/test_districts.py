"""From the data folder to districts and deliveries; and what is skipped."""

import datetime as dt
from pathlib import Path

import pytest

from youjun_pipeline.ingest.district_file import Phase, Plan
from youjun_pipeline.ingest.districts import DeliveredFile, District, Notice, Scan, scan

WUQING = """
code = "120114"
name = "武清区"
standard = "national-2017"

[options]
include_private = true
music_art_rule = "combined"
waivers = ["W-G4", "W5"]
special_education_funding_yuan = 7000
funding_norm_primary_yuan = 850.5
close_after_days = 30

[plan]
title = "武清区优质均衡实施方案"
document_number = "武清政办发〔2023〕1号"
issued_on = "2023-08-31"

[data]
origin = "reconstructed"

[[phase]]
id = "2024-implementation"
name = "实施争创"
starts = 2024-01-01
ends = 2024-12-31

[[phase]]
id = "2023-startup"
name = "启动准备"
starts = "2023-09-01"
ends = 2023-12-31
"""

WAIVERS = "应为列表，每项不重复，可用：W3、W5、W-G3、W-G3r、W-G4"


def district(root: Path, folder: str = "120114-wuqing", text: str = WUQING, *files: str) -> Path:
    path = root / folder
    path.mkdir(parents=True)
    (path / "district.toml").write_text(text, encoding="utf-8")
    (path / "deliveries").mkdir()
    deliver(path, *files)
    return path


def deliver(folder: Path, *files: str) -> None:
    for name in files:
        file = folder / "deliveries" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def only(found: Scan) -> District:
    assert len(found.districts) == 1
    return found.districts[0]


def messages(found: Scan) -> list[str]:
    return [str(notice) for notice in found.notices]


def faults(root: Path, text: str) -> list[str]:
    district(root, text=text)
    start = "120114-wuqing/district.toml："
    failures = only(scan(root)).failures
    assert {f.rule for f in failures} <= {"district_file_invalid", "district_file_unreadable"}
    assert all(f.message.startswith(start) for f in failures)
    return [f.message.removeprefix(start) for f in failures]


def test_a_district_as_its_file_states_it(tmp_path: Path) -> None:
    folder = district(
        tmp_path,
        "120114-wuqing",
        WUQING,
        "2024-06-30/progress.csv",
        "2023-08-31/学校名册.xlsx",
        "2023-08-31/CLASSES.CSV",
    )
    found = scan(tmp_path)
    assert (found.notices, only(found).failures) == ([], [])
    wuqing = only(found)
    assert (wuqing.code, wuqing.slug, wuqing.folder) == ("120114", "wuqing", folder)
    assert (wuqing.name, wuqing.standard, wuqing.data_origin) == ("武清区", "national-2017", "reconstructed")
    assert wuqing.options == {
        "include_private": True,
        "music_art_rule": "combined",
        "waivers": ["W-G4", "W5"],
        "special_education_funding_yuan": 7000,
        "funding_norm_primary_yuan": 850.5,
        "close_after_days": 30,
    }
    assert wuqing.plan == Plan("武清区优质均衡实施方案", "武清政办发〔2023〕1号", dt.date(2023, 8, 31))
    assert wuqing.phases == [
        Phase("2023-startup", "启动准备", 1, dt.date(2023, 9, 1), dt.date(2023, 12, 31)),
        Phase("2024-implementation", "实施争创", 2, dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
    ]
    first, second = dt.date(2023, 8, 31), dt.date(2024, 6, 30)
    base = "120114-wuqing/deliveries"
    assert wuqing.files == [
        DeliveredFile(day, dataset, tmp_path / base / str(day) / name, name, f"{base}/{day}/{name}")
        for day, dataset, name in [
            (first, "classes", "CLASSES.CSV"),
            (first, "schools", "学校名册.xlsx"),
            (second, "progress", "progress.csv"),
        ]
    ]


def test_options_left_out_stay_out(tmp_path: Path) -> None:
    start, end = WUQING.index("[options]"), WUQING.index("[data]")
    district(tmp_path, text=WUQING[:start] + WUQING[end:])
    found = scan(tmp_path)
    assert (only(found).options, only(found).plan, only(found).failures) == ({}, Plan(), [])
    assert messages(found) == [
        f"120114-wuqing/district.toml：plan.{key}：没有填写"
        for key in ("document_number", "issued_on", "title")
    ]
    assert {notice.district_code for notice in found.notices} == {"120114"}


def test_a_byte_order_mark_is_forgiven(tmp_path: Path) -> None:
    folder = district(tmp_path)
    (folder / "district.toml").write_text(WUQING, encoding="utf-8-sig")
    assert only(scan(tmp_path)).failures == []


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    text = """
    code = 120115
    name = " "
    standard = "national-2017"
    [options]
    include_private = "yes"
    music_art_rule = "both"
    waivers = ["W9", "W5"]
    special_education_funding_yuan = 5000
    funding_norm_junior_yuan = nan
    close_after_days = -1
    include_privat = false
    [plan]
    title = 1
    document_number = ""
    issued_on = "8月31日"
    [data]
    origin = "guessed"
    [[phase]]
    id = "a/b"
    name = "一"
    starts = 2024-02-01
    ends = 2024-01-31
    [[phase]]
    id = "x"
    starts = 2024-02-30
    """.replace("2024-02-30", '"2024-02-30"')
    options = (
        "include_private、music_art_rule、preschool_weight、rural_waiver_places、size_waiver_covers_twelve_year、waivers、special_education_funding_yuan、funding_norm_primary_yuan、"
        "funding_norm_junior_yuan、count_private_teachers、fund_schools_out_of_scope、survey_rule、survey_methods、"
        "subjects_not_monitored、apply_unverified、close_after_days、projection_pupils、shock_years"
    )
    assert faults(tmp_path, text) == [
        "code：应为带引号的文本，现为 120115",
        "name：应为带引号的文本，现为 ' '",
        "options.include_private：应为 true 或 false，现为 'yes'",
        "options.music_art_rule：应为以下之一：each、combined、per_stage，现为 'both'",
        f"options.waivers：{WAIVERS}，现为 ['W9', 'W5']",
        "options.special_education_funding_yuan：不能小于 6000，现为 5000",
        "options.funding_norm_junior_yuan：应为数字，现为 nan",
        "options.close_after_days：不能小于 0，现为 -1",
        f"options.include_privat：没有这个选项，可用：{options}",
        "plan.title：应为带引号的文本，现为 1",
        "plan.issued_on：应为日期，写作 2023-08-31，现为 '8月31日'",
        "data.origin：应为 reported（填报）或 reconstructed（重构），现为 'guessed'",
        "第 1 个 phase 的 id：只能用字母、数字、汉字和 - _ .，现为 'a/b'",
        "第 1 个 phase 的 ends：早于 starts：2024-01-31 早于 2024-02-01",
        "第 2 个 phase 的 name：应为带引号的文本，没有填写",
        "第 2 个 phase 的 starts：应为日期，写作 2023-08-31，现为 '2024-02-30'",
        "第 2 个 phase 的 ends：应为日期，写作 2023-08-31，没有填写",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"120114"', '"120115"', "code：与文件夹名的区划代码不一致：现为 120115，文件夹是 120114"),
        ('"national-2017"', '"x"', "standard：没有标准目录 'x'，现有：national-2017"),
        ('"2023-startup"', '"2024-implementation"', "phase：id '2024-implementation' 重复，见第 1、2 个"),
        ("= 30", "= true", "options.close_after_days：应为整数，现为 True"),
        ("= 30", "= 30.0", "options.close_after_days：应为整数，现为 30.0"),
        ('["W-G4", "W5"]', '"W5"', f"options.waivers：{WAIVERS}，现为 'W5'"),
        ('["W-G4", "W5"]', '["W5", "W5"]', f"options.waivers：{WAIVERS}，现为 ['W5', 'W5']"),
        ("= 2023-12-31", "= 2023-12-31T00:00:00", "第 2 个 phase 的 ends：应为日期，写作 2023-08-31，现为 2023-12-31 00:00:00"),
        ("[data]", "[date]", "data.origin：应为 reported（填报）或 reconstructed（重构），没有填写"),
        ("[[phase]]", "[[phases]]", "phase：至少要有一个阶段，以 [[phase]] 开头，没有填写"),
    ],
)  # fmt: skip
def test_single_faults(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert faults(tmp_path, WUQING.replace(old, new)) == [fault]


def test_unknown_entries_are_told(tmp_path: Path) -> None:
    district(tmp_path, text=WUQING.replace("starts = 2024-01-01", "starts = 2024-01-01\nend = 2024-02-01"))
    assert messages(scan(tmp_path)) == [
        "120114-wuqing/district.toml：第 1 个 phase 的 end：不认识的项，没有使用"
    ]


def test_a_broken_file_stops_its_own_district_only(tmp_path: Path) -> None:
    district(tmp_path, "110101-dongcheng", "code = ", "2023-08-31/schools.csv")
    district(tmp_path, "120114-wuqing")
    (tmp_path / "120115-baodi").mkdir()
    found = scan(tmp_path)
    assert [d.code for d in found.districts] == ["110101", "120114", "120115"]
    broken, whole, without = found.districts
    assert [f.rule for f in broken.failures] == ["district_file_unreadable"]
    assert broken.failures[0].message.startswith("110101-dongcheng/district.toml：不符合 TOML 格式：")
    assert [f.dataset for f in broken.files] == ["schools"]
    assert whole.failures == []
    assert [(f.rule, f.message) for f in without.failures] == [
        (
            "district_file_missing",
            "120115-baodi/district.toml：没有这个文件，不知道本区的名称、标准和阶段；请参照其他区填写",
        )
    ]


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (district(tmp_path) / "district.toml").write_text(WUQING, encoding="gb18030")
    assert [f.message for f in only(scan(tmp_path)).failures] == [
        "120114-wuqing/district.toml：不是 UTF-8 编码，请另存为 UTF-8"
    ]


def test_two_folders_of_one_district(tmp_path: Path) -> None:
    district(tmp_path, "120114-wuqing")
    district(tmp_path, "120114-wuqing-new")
    for found in scan(tmp_path).districts:
        assert [f.message for f in found.failures] == [
            "几个文件夹的区划代码都是 120114：120114-wuqing、120114-wuqing-new。请只保留一个"
        ]


def test_two_files_of_one_dataset_in_one_delivery(tmp_path: Path) -> None:
    district(
        tmp_path,
        "120114-wuqing",
        WUQING,
        "2023-08-31/schools.csv",
        "2023-08-31/学校名册.xlsx",
        "2023-08-31/classes.csv",
        "2024-06-30/schools.csv",
    )
    found = only(scan(tmp_path))
    assert [(f.rule, f.message) for f in found.failures] == [
        (
            "dataset_delivered_twice",
            "120114-wuqing/deliveries/2023-08-31："
            "“学校名册”（schools）有 2 个文件：schools.csv、学校名册.xlsx。请只保留一个",
        )
    ]
    assert [f.relative.removeprefix("120114-wuqing/deliveries/") for f in found.files] == [
        "2023-08-31/classes.csv",
        "2024-06-30/schools.csv",
    ]


def test_whatever_is_no_dataset_is_told(tmp_path: Path) -> None:
    folder = district(
        tmp_path,
        "120114-wuqing",
        WUQING,
        "2023-08-31/schools.pdf",
        "2023-08-31/schools (1).xlsx",
        "2023-08-31/~$schools.xlsx",
        "2023-08-31/.DS_Store",
        "2023-08-31/Thumbs.db",
        "2023-08-31/statistics/a.doc",
        "2023-08-31/statistics/.DS_Store",
        "2023-08-31/old/classes.csv",
        "2023-08-31/facilities",
        "2023-02-30/schools.csv",
        "20230831/schools.csv",
        "classes.csv",
    )
    (folder / "teachers.xlsx").touch()
    (folder / "方案.pdf").touch()
    found = scan(tmp_path)
    assert (only(found).files, only(found).failures) == ([], [])
    name = "文件名不是数据集的名称，没有读取；名称如 schools.xlsx 或 学校名册.xlsx"
    formats = "文件交付，没有读取；请用 .xlsx、.xls、.csv、.parquet"
    deliveries = "120114-wuqing/deliveries"
    assert messages(found) == [
        "120114-wuqing/teachers.xlsx：放错了位置，没有读取；请放入 deliveries/交付日期/ 文件夹",
        f"{deliveries}/2023-02-30：文件夹名不是交付日期（应如 2023-08-31），没有读取",
        f"{deliveries}/2023-08-31/.DS_Store：是系统文件，没有读取",
        f"{deliveries}/2023-08-31/Thumbs.db：是系统文件，没有读取",
        f"{deliveries}/2023-08-31/facilities：数据集 facilities 不能用 没有扩展名的 {formats}",
        f"{deliveries}/2023-08-31/old：是文件夹，没有读取",
        f"{deliveries}/2023-08-31/schools (1).xlsx：{name}",
        f"{deliveries}/2023-08-31/schools.pdf：数据集 schools 不能用 .pdf {formats}",
        f"{deliveries}/2023-08-31/statistics/.DS_Store：是系统文件，没有读取",
        f"{deliveries}/2023-08-31/statistics/a.doc：不是统计报表的工作簿，没有读取；请用 .xlsx、.xls、.zip",
        f"{deliveries}/2023-08-31/~$schools.xlsx：是表格软件打开文件时的临时文件，没有读取",
        f"{deliveries}/20230831：文件夹名不是交付日期（应如 2023-08-31），没有读取",
        f"{deliveries}/classes.csv：放错了位置，没有读取；请放入交付日期的文件夹",
    ]


def test_statistics_are_found_in_nested_folders(tmp_path: Path) -> None:
    folder = district(
        tmp_path,
        "120114-wuqing",
        WUQING,
        "2023-08-31/statistics/小学/一小.xlsx",
        "2023-08-31/statistics/全部.zip",
        "2023-08-31/Statistics/二中.XLS",
    )
    statistics = folder / "deliveries" / "2023-08-31" / "statistics"
    (statistics / "again").symlink_to(statistics)
    (statistics / "out.xlsx").symlink_to("/etc/hostname")
    found = scan(tmp_path)
    assert [(f.dataset, f.name) for f in only(found).files] == [
        ("statistics", "Statistics/二中.XLS"),
        ("statistics", "statistics/全部.zip"),
        ("statistics", "statistics/小学/一小.xlsx"),
    ]
    assert messages(found) == [
        "120114-wuqing/deliveries/2023-08-31/statistics/again：是指向文件夹的符号链接，没有读取；请把文件复制进来",
        "120114-wuqing/deliveries/2023-08-31/statistics/out.xlsx：是指向数据文件夹之外的符号链接，没有读取；请把文件复制进来",
    ]


def test_folders_that_are_no_districts(tmp_path: Path) -> None:
    for name in ("published", ".work", "reconstruct", "12011-short"):
        (tmp_path / name).mkdir()
    (tmp_path / "readme.txt").touch()
    (tmp_path / "120114-file").touch()
    assert scan(tmp_path) == Scan([], [])
    (tmp_path / "12011-short" / "district.toml").touch()
    (tmp_path / ".work" / "district.toml").touch()
    reason = "有 district.toml，但文件夹名不是“六位区划代码-简称”（如 120114-wuqing），没有读取"
    assert scan(tmp_path).notices == [Notice(".work", reason), Notice("12011-short", reason)]


def test_no_deliveries_yet(tmp_path: Path) -> None:
    (district(tmp_path) / "deliveries").rmdir()
    assert messages(scan(tmp_path)) == ["120114-wuqing：没有 deliveries 文件夹，还没有任何交付"]


def test_links_out_of_the_data_folder_are_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "data", tmp_path / "outside"
    folder = district(root, "120114-wuqing", WUQING, "2023-08-31/schools.csv")
    district(outside, "120115-baodi", WUQING.replace("120114", "120115"), "2024-06-30/classes.csv")
    delivery = folder / "deliveries" / "2023-08-31"
    (root / "120115-baodi").symlink_to(outside / "120115-baodi")
    (folder / "deliveries" / "2024-06-30").symlink_to(outside / "120115-baodi" / "deliveries" / "2024-06-30")
    (delivery / "classes.csv").symlink_to(
        "../../../../outside/120115-baodi/deliveries/2024-06-30/classes.csv"
    )
    (delivery / "teachers.csv").symlink_to(delivery / "gone.csv")
    (delivery / "facilities.csv").symlink_to(delivery / "schools.csv")
    found = scan(root)
    assert [f.dataset for f in only(found).files] == ["facilities", "schools"]
    out = "是指向数据文件夹之外的符号链接，没有读取；请把文件复制进来"
    assert messages(found) == [
        f"120114-wuqing/deliveries/2023-08-31/classes.csv：{out}",
        "120114-wuqing/deliveries/2023-08-31/teachers.csv：是失效的符号链接，没有读取",
        f"120114-wuqing/deliveries/2024-06-30：{out}",
        f"120115-baodi：{out}",
    ]


def test_the_data_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    district(tmp_path / "real", "120114-wuqing", WUQING, "2023-08-31/schools.csv")
    (tmp_path / "data").symlink_to(tmp_path / "real")
    found = scan(tmp_path / "data")
    assert [f.relative for f in only(found).files] == ["120114-wuqing/deliveries/2023-08-31/schools.csv"]
    assert found.notices == []
