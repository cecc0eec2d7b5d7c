"""Reads a district.toml and lists all its faults at once, so that a district can correct all of them together.

Belongs here: what the file may contain. The catalogue that the district names decides which options exist, with their types and
ranges. An option that the file leaves out is left out here too; the catalogue has its default. Keep out: folders and deliveries
(districts.py).
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from youjun_pipeline.contracts.loader import load_datasets
from youjun_pipeline.contracts.model import SNAPSHOT, Failure
from youjun_pipeline.standard.catalogue import Catalogue, CatalogueError, available_catalogues, load_catalogue
from youjun_pipeline.standard.model import Option

FIELDS = {"code", "name", "standard", "options", "plan", "data", "phase", "none"}
PLAN_FIELDS = {"title", "document_number", "issued_on"}
PHASE_FIELDS = {"id", "name", "starts", "ends"}
NONE_FIELDS = {"dataset", "delivered_on", "reason"}
ORIGINS = ("reported", "reconstructed")

# How many characters of a wrong value a message shows.
MOST_SHOWN = 200
# An option's number is stored as DOUBLE, which holds no larger number.
LARGEST = 1e15
# Plans of nine years have four to ten phases.
MAX_PHASES = 200

# A phase's id is used as a partition key, a folder name and a file name.
PHASE_ID = re.compile(r"\w[\w-]*(\.[\w-]+)*")


@dataclass(frozen=True)
class Phase:
    """One evaluation phase of a district's plan; `order` counts from 1 by starting date, `ends` is its last day."""

    id: str
    name: str
    order: int
    starts: dt.date
    ends: dt.date


@dataclass(frozen=True)
class NoneDeclared:
    """A district's statement that it has nothing of a dataset, with the day that a delivery would have, and the reason."""

    dataset: str
    delivered_on: dt.date
    reason: str


@dataclass
class Plan:
    """The plan that a district works by. It is only shown and never computed with; None for fields that are not given."""

    title: str | None = None
    document_number: str | None = None
    issued_on: dt.date | None = None


@dataclass
class DistrictFile:
    """The content of a district.toml. Faulty entries are left out; `failures` has one entry per fault, `notes` has advice."""

    name: str = ""
    standard: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    data_origin: str = ""
    phases: list[Phase] = field(default_factory=list)
    nones: list[NoneDeclared] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fail(self, where: str, reason: str) -> None:
        """Record a fault of the entry `where`."""
        self.failures.append(Failure("district_file_invalid", f"{where}：{reason}"))


def parse_district_file(raw: bytes, code: str) -> DistrictFile:
    """Parse the bytes of the district.toml in the folder of district `code`. Never raises for a bad file."""
    result = DistrictFile()
    try:
        # Notepad writes a BOM, which TOML does not know.
        content = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        result.failures.append(Failure("district_file_unreadable", "不是 UTF-8 编码，请另存为 UTF-8"))
        return result
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits raises ValueError; endlessly nested brackets raise RecursionError.
        shown = "括号层次太多" if isinstance(error, RecursionError) else str(error)[:MOST_SHOWN]
        result.failures.append(Failure("district_file_unreadable", f"不符合 TOML 格式：{shown}"))
        return result
    result.notes += [f"{key}：不认识的项，没有使用" for key in sorted(content.keys() - FIELDS)]
    _read_identity(content, code, result)
    _read_options(_table(content, "options", result), result)
    _read_plan(_table(content, "plan", result), result)
    _read_origin(_table(content, "data", result), result)
    _read_phases(content.get("phase"), result)
    _read_nones(content.get("none", []), result)
    return result


def _shown(value: object) -> str:
    if value is None:
        return "没有填写"
    shown = repr(value)
    return f"现为 {shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + '…'}"


def _text(entry: Mapping[str, Any], key: str, where: str, result: DistrictFile) -> str:
    """A required text that must not be blank; otherwise returns "" and records a failure."""
    value = entry.get(key)
    if isinstance(value, str) and value.strip():
        return value.strip()
    result.fail(f"{where}{key}", f"应为带引号的文本，{_shown(value)}")
    return ""


def _date(entry: Mapping[str, Any], key: str, where: str, result: DistrictFile) -> dt.date | None:
    value = entry.get(key)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        try:
            return dt.date.fromisoformat(value.strip())
        except ValueError:
            pass
    shown = f"现为 {value}" if isinstance(value, dt.date) else _shown(value)
    result.fail(f"{where}{key}", f"应为日期，写作 2023-08-31，{shown}")
    return None


def _table(content: Mapping[str, Any], key: str, result: DistrictFile) -> dict[str, Any]:
    value = content.get(key, {})
    if isinstance(value, dict):
        return value
    result.fail(key, f"应为一节，以 [{key}] 开头，{_shown(value)}")
    return {}


def _read_identity(content: Mapping[str, Any], code: str, result: DistrictFile) -> None:
    if (found := _text(content, "code", "", result)) and found != code:
        result.fail("code", f"与文件夹名的区划代码不一致：现为 {found}，文件夹是 {code}")
    result.name = _text(content, "name", "", result)
    result.standard = _text(content, "standard", "", result)


def _read_options(options: dict[str, Any], result: DistrictFile) -> None:
    if not result.standard:
        return
    if result.standard not in available_catalogues():
        known = "、".join(available_catalogues())
        result.fail("standard", f"没有标准目录 {result.standard!r}，现有：{known}")
        return
    try:
        catalogue = load_catalogue(result.standard)
    except CatalogueError as error:
        result.fail("standard", f"不能使用：{error}"[: 10 * MOST_SHOWN])
        return
    if unknown := [figure for figure in catalogue.figures if not _is_reported(figure)]:
        result.fail("standard", f"标准目录 {result.standard} 用到不存在的填报数值：{'、'.join(unknown)}")
        return
    for name, value in options.items():
        if name not in catalogue.options:
            result.fail(f"options.{name}", f"没有这个选项，可用：{'、'.join(catalogue.options)}")
        elif reason := _option_fault(catalogue.options[name], value, catalogue):
            result.fail(f"options.{name}", f"{reason}，{_shown(value)}")
        else:
            result.options[name] = value


def _is_reported(figure: str) -> bool:
    """Whether a figure that a catalogue uses is a column of a contract, or an item of `assurance`."""
    dataset, _, column = figure.partition(".")
    contract = load_datasets().get(dataset)
    return contract is not None and (dataset == "assurance" or column in contract.columns)


def _option_fault(option: Option, value: Any, catalogue: Catalogue) -> str | None:
    """What is wrong with an option's value, or None."""
    if option.type == "flag":
        return None if isinstance(value, bool) else "应为 true 或 false"
    allowed = "、".join(option.allowed or ())
    if option.type == "choice":
        return None if value in (option.allowed or ()) else f"应为以下之一：{allowed}"
    if option.type == "list":
        fits = isinstance(value, list) and all(item in (option.allowed or ()) for item in value)
        return None if fits and len(set(value)) == len(value) else f"应为列表，每项不重复，可用：{allowed}"
    types = (int,) if option.type == "integer" else (int, float)
    if isinstance(value, bool) or not isinstance(value, types) or not _is_sensible(value):
        return "应为整数" if option.type == "integer" else "应为数字"
    # A value must not be below the lowest limit of any date: the day of a phase decides which limit holds. For other options a
    # number below the nation's floor counts as the floor.
    limits = catalogue.indicators[option.sets_limit].dated_limits["district"] if option.sets_limit else []
    least = min((dated.value for dated in limits), default=0)
    return None if value >= least else f"不能小于 {least}"


def _is_sensible(value: float) -> bool:
    """Whether a number is small enough to compute with; an integer in TOML may have any number of digits."""
    return abs(value) < LARGEST if isinstance(value, int) else math.isfinite(value)


def _read_plan(plan: dict[str, Any], result: DistrictFile) -> None:
    """Read the plan: a missing field gives advice, a field of the wrong type is a fault."""
    result.notes += [f"plan.{key}：没有填写" for key in sorted(PLAN_FIELDS - plan.keys())]
    result.notes += [f"plan.{key}：不认识的项，没有使用" for key in sorted(plan.keys() - PLAN_FIELDS)]
    # A plan without a number is written as "".
    given = {key: value for key, value in plan.items() if value != ""}
    if "title" in given:
        result.plan.title = _text(given, "title", "plan.", result) or None
    if "document_number" in given:
        result.plan.document_number = _text(given, "document_number", "plan.", result) or None
    if "issued_on" in given:
        result.plan.issued_on = _date(given, "issued_on", "plan.", result)


def _read_origin(data: dict[str, Any], result: DistrictFile) -> None:
    origin = data.get("origin")
    if origin in ORIGINS:
        result.data_origin = origin
    else:
        result.fail("data.origin", f"应为 reported（填报）或 reconstructed（重构），{_shown(origin)}")


def _read_phases(entries: Any, result: DistrictFile) -> None:
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        result.fail("phase", f"至少要有一个阶段，以 [[phase]] 开头，{_shown(entries)}")
        return
    if len(entries) > MAX_PHASES:
        result.fail("phase", f"有 {len(entries)} 个阶段，超过 {MAX_PHASES} 个")
        return
    found: list[tuple[dt.date, dt.date, str, str]] = []
    for number, entry in enumerate(entries, 1):
        where = f"第 {number} 个 phase 的 "
        result.notes += [f"{where}{key}：不认识的项，没有使用" for key in sorted(entry.keys() - PHASE_FIELDS)]
        phase_id, name = _text(entry, "id", where, result), _text(entry, "name", where, result)
        starts, ends = _date(entry, "starts", where, result), _date(entry, "ends", where, result)
        if phase_id and not PHASE_ID.fullmatch(phase_id):
            result.fail(f"{where}id", f"只能用字母、数字、汉字和 - _ .，{_shown(phase_id)}")
        if starts and ends and ends < starts:
            result.fail(f"{where}ends", f"早于 starts：{ends} 早于 {starts}")
        if starts and ends:
            found.append((starts, ends, phase_id, name))
    ids = [entry["id"].strip() for entry in entries if isinstance(entry.get("id"), str)]
    for repeated in sorted({i for i in ids if i and ids.count(i) > 1}):
        numbers = "、".join(
            str(n) for n, entry in enumerate(entries, 1) if str(entry.get("id", "")).strip() == repeated
        )
        result.fail("phase", f"id {repeated!r} 重复，见第 {numbers} 个")
    # Phases with the same first day keep the order of the file.
    found.sort(key=lambda phase: phase[0])
    result.phases = [
        Phase(i, name, order, starts, ends) for order, (starts, ends, i, name) in enumerate(found, 1)
    ]


def _read_nones(entries: Any, result: DistrictFile) -> None:
    """The datasets of which the district has nothing; only datasets that a delivery replaces as a whole, and not the roster."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        result.fail("none", f"应为若干节，各以 [[none]] 开头，{_shown(entries)}")
        return
    known = [d.name for d in load_datasets().values() if d.kind == SNAPSHOT and d.name != "schools"]
    for number, entry in enumerate(entries, 1):
        where = f"第 {number} 个 none 的 "
        result.notes += [f"{where}{key}：不认识的项，没有使用" for key in sorted(entry.keys() - NONE_FIELDS)]
        dataset, reason = _text(entry, "dataset", where, result), _text(entry, "reason", where, result)
        day = _date(entry, "delivered_on", where, result)
        if dataset and dataset not in known:
            result.fail(f"{where}dataset", f"应为以下之一：{'、'.join(known)}，{_shown(dataset)}")
        elif dataset and reason and day:
            result.nones.append(NoneDeclared(dataset, day, reason))
