"""Finds the districts in a data folder and the files of their deliveries.

Belongs here: which folder is a district, which folder is a delivery, which file is a dataset. Keep out: what a district.toml says
(district_file.py) and what a file contains (files.py). A fault stops only its own district; everything that is skipped gets a
notice. Paths in messages are relative to the data folder.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from youjun_pipeline.contracts.loader import find_dataset, load_datasets
from youjun_pipeline.contracts.model import Failure
from youjun_pipeline.ingest.district_file import (
    DistrictFile,
    NoneDeclared,
    Phase,
    Plan,
    parse_district_file,
)
from youjun_pipeline.ingest.formats.limits import MAX_DISTRICT_FILE_BYTES, Unreadable, read_bytes, unforeseen

DISTRICT_FILE, DELIVERIES, STATISTICS = "district.toml", "deliveries", "statistics"
SUFFIXES = (".xlsx", ".xls", ".csv", ".parquet")
STATISTICS_SUFFIXES = (".xlsx", ".xls", ".zip")
DISTRICT_FOLDER = re.compile(r"([0-9]{6})-(.+)")
DELIVERY_FOLDER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SYSTEM_FILES = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class DeliveredFile:
    """One dataset of one delivery: `name` is the file's name, `relative` its path below the data folder, with "/".

    Of the official statistics every workbook or archive is one such file, with dataset `statistics`; its name is its path in the
    delivery.
    """

    delivery: dt.date
    dataset: str
    path: Path
    name: str
    relative: str


@dataclass(frozen=True)
class Notice:
    """Something that was skipped or that the district should know, in Chinese; `path` is relative to the data folder."""

    path: str
    message: str
    district_code: str | None = None

    def __str__(self) -> str:
        return f"{self.path}：{self.message}"


@dataclass(frozen=True)
class Delivered:
    """A delivered file with the hash of its content."""

    district_code: str
    file: DeliveredFile
    content_sha256: str


@dataclass(frozen=True)
class District:
    """A district's folder: the content of its district.toml and its deliveries, the oldest first.

    With `failures` the district must not be evaluated; then name, standard, options and phases have only what could be read.
    """

    code: str
    slug: str
    folder: Path
    name: str
    standard: str
    options: dict[str, Any]
    plan: Plan
    data_origin: str
    phases: list[Phase]
    files: list[DeliveredFile]
    failures: list[Failure]
    nones: list[NoneDeclared] = field(default_factory=list)


@dataclass(frozen=True)
class Scan:
    """Every district of a data folder, by code, and what was skipped."""

    districts: list[District]
    notices: list[Notice]


@dataclass
class _Findings:
    """Collects the notices of scanning one data folder."""

    root: Path
    code: str | None = None
    notices: list[Notice] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def relative(self, path: Path | os.DirEntry[str]) -> str:
        return shown(Path(os.path.relpath(path, self.root)).as_posix())

    def note(self, path: Path | os.DirEntry[str], message: str) -> None:
        self.notices.append(Notice(self.relative(path), message, self.code))

    def fail(self, path: Path | os.DirEntry[str], rule: str, message: str) -> None:
        self.failures.append(Failure(rule, f"{self.relative(path)}：{message}"))


def scan(data_folder: Path) -> Scan:
    """Read the folder of districts as it is now.

    Raises:
        OSError: if the data folder itself cannot be read. An unreadable folder below it makes only its own district fail.
    """
    root = data_folder.resolve()
    districts: list[District] = []
    notices: list[Notice] = []
    for entry in sorted(os.scandir(root), key=lambda e: e.name):
        found = _Findings(root)
        match = DISTRICT_FOLDER.fullmatch(entry.name)
        if match and _enter(entry, found):
            found.code = match[1]
            districts.append(_district(Path(entry.path), match[1], match[2], found))
        elif not match and entry.is_dir() and os.path.isfile(os.path.join(entry.path, DISTRICT_FILE)):
            found.note(
                entry, "有 district.toml，但文件夹名不是“六位区划代码-简称”（如 120114-wuqing），没有读取"
            )
        notices += found.notices
    _fail_shared_codes(districts)
    return Scan(districts, notices)


def scan_district(folder: Path) -> Scan:
    """Read the folder of one district, wherever it is; paths in messages are relative to its parent folder.

    If the folder's name has no code, the code in its district.toml is used. Raises OSError if the folder cannot be read.
    """
    folder = folder.resolve()
    match = DISTRICT_FOLDER.fullmatch(folder.name)
    code, slug = (match[1], match[2]) if match else (stated_code(folder), folder.name)
    found = _Findings(folder.parent, code)
    district = _district(folder, code, slug, found)
    return Scan([district], found.notices)


def stated_code(folder: Path) -> str:
    """The code that a folder's district.toml states; six zeros if it states no code."""
    try:
        raw = read_bytes(folder / DISTRICT_FILE, MAX_DISTRICT_FILE_BYTES)
        stated = tomllib.loads(raw.decode("utf-8-sig")).get("code")
    except (OSError, Unreadable, ValueError, RecursionError):
        stated = None
    return stated if isinstance(stated, str) and re.fullmatch("[0-9]{6}", stated) else "000000"


def _fail_shared_codes(districts: list[District]) -> None:
    folders = defaultdict(list)
    for district in districts:
        folders[district.code].append(district.folder.name)
    for district in districts:
        if len(folders[district.code]) > 1:
            message = (
                f"几个文件夹的区划代码都是 {district.code}：{'、'.join(folders[district.code])}。请只保留一个"
            )
            district.failures.append(Failure("district_code_repeated", message))


def _enter(entry: os.DirEntry[str], found: _Findings) -> bool:
    """Whether the scan may enter a folder: it must be a folder, and no link out of the data folder."""
    return _stays_inside(entry, found) and entry.is_dir()


def shown(name: str) -> str:
    """A path in a form that a message and the database can hold: undecodable bytes and control characters are replaced."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def _stays_inside(entry: os.DirEntry[str], found: _Findings) -> bool:
    if any("\ud800" <= character <= "\udfff" for character in entry.name):
        # The name has another encoding, such as an old archiver's: the database cannot hold it.
        found.note(entry, "名称不是 UTF-8 编码，没有读取；请改名")
        return False
    if not entry.is_symlink():
        return True
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):
        found.note(entry, "是失效的符号链接，没有读取")
        return False
    if target.is_relative_to(found.root):
        return True
    found.note(entry, "是指向数据文件夹之外的符号链接，没有读取；请把文件复制进来")
    return False


def _district(folder: Path, code: str, slug: str, found: _Findings) -> District:
    stated, files = DistrictFile(), []
    try:
        entries = {entry.name: entry for entry in os.scandir(folder)}
        stated = _district_file(folder, code, entries.get(DISTRICT_FILE), found)
        for entry in sorted(entries.values(), key=lambda e: e.name):
            if entry.is_file() and find_dataset(Path(entry.name).stem):
                found.note(entry, f"放错了位置，没有读取；请放入 {DELIVERIES}/交付日期/ 文件夹")
        deliveries = entries.get(DELIVERIES)
        if deliveries is None:
            found.note(folder, f"没有 {DELIVERIES} 文件夹，还没有任何交付")
        elif _enter(deliveries, found):
            files = list(_deliveries(deliveries, found))
        elif deliveries.is_file():
            found.note(deliveries, "应为文件夹，没有读取")
    except OSError as error:
        path = Path(error.filename) if error.filename else folder
        found.fail(path, "folder_unreadable", f"无法读取（{error.strerror}），请检查权限")
    except Exception as error:
        found.fail(folder, "folder_unreadable", str(unforeseen(error)))
    return District(
        code=code,
        slug=slug,
        folder=folder,
        name=stated.name,
        standard=stated.standard,
        options=stated.options,
        plan=stated.plan,
        data_origin=stated.data_origin,
        phases=stated.phases,
        files=files,
        failures=found.failures,
        nones=stated.nones,
    )


def _district_file(folder: Path, code: str, entry: os.DirEntry[str] | None, found: _Findings) -> DistrictFile:
    path = folder / DISTRICT_FILE
    if entry is None or not _stays_inside(entry, found) or not entry.is_file():
        found.fail(
            path, "district_file_missing", "没有这个文件，不知道本区的名称、标准和阶段；请参照其他区填写"
        )
        return DistrictFile()
    try:
        stated = parse_district_file(read_bytes(path, MAX_DISTRICT_FILE_BYTES), code)
    except Unreadable as error:
        found.fail(path, "district_file_unreadable", str(error))
        return DistrictFile()
    for failure in stated.failures:
        found.fail(path, failure.rule, failure.message)
    for note in stated.notes:
        found.note(path, note)
    return stated


def _deliveries(entry: os.DirEntry[str], found: _Findings) -> Iterator[DeliveredFile]:
    for delivery in sorted(os.scandir(entry.path), key=lambda e: e.name):
        if not _stays_inside(delivery, found):
            continue
        day = _delivery_date(delivery.name)
        if delivery.is_dir() and day:
            yield from _delivery(delivery, day, found)
        elif not delivery.is_dir():
            found.note(
                delivery, why_no_dataset(delivery.name) or "放错了位置，没有读取；请放入交付日期的文件夹"
            )
        else:
            found.note(delivery, "文件夹名不是交付日期（应如 2023-08-31），没有读取")


def _delivery_date(name: str) -> dt.date | None:
    if not DELIVERY_FOLDER.fullmatch(name):
        return None
    try:
        return dt.date.fromisoformat(name)
    except ValueError:
        return None


def _delivery(folder: os.DirEntry[str], day: dt.date, found: _Findings) -> Iterator[DeliveredFile]:
    by_dataset: dict[str, list[os.DirEntry[str]]] = defaultdict(list)
    for entry in sorted(os.scandir(folder.path), key=lambda e: e.name):
        if not _stays_inside(entry, found):
            continue
        if entry.is_dir() and entry.name.casefold() == STATISTICS:
            yield from _statistics(entry, Path(folder.path), day, found)
        elif entry.is_dir():
            found.note(entry, "是文件夹，没有读取")
        elif reason := why_no_dataset(entry.name):
            found.note(entry, reason)
        else:
            by_dataset[str(find_dataset(Path(entry.name).stem))].append(entry)
    for dataset, entries in sorted(by_dataset.items()):
        if len(entries) > 1:
            names = "、".join(entry.name for entry in entries)
            title = load_datasets()[dataset].title
            found.fail(
                Path(folder.path),
                "dataset_delivered_twice",
                f"“{title}”（{dataset}）有 {len(entries)} 个文件：{names}。请只保留一个",
            )
            continue
        path = Path(entries[0].path)
        yield DeliveredFile(day, dataset, path, shown(entries[0].name), found.relative(path))


def _statistics(
    folder: os.DirEntry[str], delivery: Path, day: dt.date, found: _Findings
) -> Iterator[DeliveredFile]:
    """The official statistics workbooks and archives, also in nested folders; named by their path in the delivery."""
    for entry in sorted(os.scandir(folder.path), key=lambda e: e.name):
        path = Path(entry.path)
        if not _stays_inside(entry, found):
            continue
        if entry.is_dir():
            # A linked folder may lead back to a folder above, so it is not entered. The workbooks themselves may be links.
            if entry.is_symlink():
                found.note(entry, "是指向文件夹的符号链接，没有读取；请把文件复制进来")
            else:
                yield from _statistics(entry, delivery, day, found)
        elif reason := _why_passed_over(entry.name):
            found.note(entry, reason)
        elif path.suffix.casefold() not in STATISTICS_SUFFIXES:
            found.note(entry, f"不是统计报表的工作簿，没有读取；请用 {'、'.join(STATISTICS_SUFFIXES)}")
        else:
            name = shown(path.relative_to(delivery).as_posix())
            yield DeliveredFile(day, STATISTICS, path, name, found.relative(path))


def _why_passed_over(name: str) -> str | None:
    """Why a file with this name is never a delivery."""
    if name.startswith(("~$", ".~")):
        return "是表格软件打开文件时的临时文件，没有读取"
    if name.startswith(".") or name.casefold() in SYSTEM_FILES:
        return "是系统文件，没有读取"
    return None


def why_no_dataset(name: str) -> str | None:
    """Why a file with this name delivers no dataset; None if it delivers one."""
    path = Path(name)
    if reason := _why_passed_over(name):
        return reason
    dataset = find_dataset(path.stem)
    if dataset is None:
        return "文件名不是数据集的名称，没有读取；名称如 schools.xlsx 或 学校名册.xlsx"
    if path.suffix.casefold() not in SUFFIXES:
        return f"数据集 {dataset} 不能用 {path.suffix or '没有扩展名的'} 文件交付，没有读取；请用 {'、'.join(SUFFIXES)}"
    return None
