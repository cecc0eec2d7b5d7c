"""What a check before sending looks at: a district's folder, one delivery, or a single file; and the files that belong to it.

A delivery is judged together with the district's earlier deliveries, so other files of the same district are read too. Belongs
here: from a path to a district and the requested files. Keep out: what is wrong with them (`findings`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path

from youjun_pipeline.contracts import find_dataset, load_datasets
from youjun_pipeline.ingest.district_file import Phase, Plan
from youjun_pipeline.ingest.districts import (
    DELIVERIES,
    DELIVERY_FOLDER,
    DISTRICT_FILE,
    DISTRICT_FOLDER,
    STATISTICS,
    SUFFIXES,
    DeliveredFile,
    District,
    scan_district,
    why_no_dataset,
)
from youjun_pipeline.standard import DEFAULT_STANDARD, available_catalogues

NO_CODE = "000000"
# Nobody delivers these files on purpose, so they need no notice.
SYSTEM_SIGNS = ("~$", ".~", ".")


class TargetError(ValueError):
    """There is nothing at the path that can be checked; the message, in Chinese, says what is expected."""


@dataclass(frozen=True)
class Target:
    """The district in the form for the check, the requested files, and the messages about the folders themselves.

    `district` can be evaluated: faults of its folder are moved to `faults`, and besides its planned phases it has one phase for
    each requested delivery (`phases`). `notes` are (path, message). `in_district`: whether the path is in a district's folder; if
    so, a missing roster is the district's fault.
    """

    district: District
    files: list[DeliveredFile]
    phases: tuple[str, ...]
    faults: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    in_district: bool = False


def find_target(path: Path, today: dt.date, dataset: str | None = None) -> Target:
    """What to check at a path; `dataset` names the dataset of a single file if the file's name does not.

    Raises:
        TargetError: if there is nothing there to check.
        OSError: if it cannot be read.
    """
    if not path.exists():
        raise TargetError(f"{path}：没有这个文件或文件夹")
    path = path.resolve()
    if path.is_file() and dataset is None and (reason := why_no_dataset(path.name)):
        raise TargetError(f"{path.name}：{reason}。也可以用 --dataset 指明是哪个数据集")
    home = None if dataset else _home(path)
    if home is not None:
        return _in_district(home, path, today)
    return _by_itself(path, today, dataset)


def _home(path: Path) -> Path | None:
    """The district's folder that contains a path: the path itself, or a folder two or three levels up through `deliveries`."""
    for folder in (path, *path.parents[:3]):
        is_district = (folder / DISTRICT_FILE).is_file() or (
            DISTRICT_FOLDER.fullmatch(folder.name) and (folder / DELIVERIES).is_dir()
        )
        if is_district and (folder == path or (folder / DELIVERIES in (path, *path.parents))):
            return folder
    return None


def _in_district(home: Path, path: Path, today: dt.date) -> Target:
    found = scan_district(home)
    district = found.districts[0]
    # The scan does not resolve links, so the requested files are found by their paths as scanned.
    files = [f for f in district.files if path == home or path in (f.path, *f.path.parents)]
    if not files and path.is_file():
        raise TargetError(f"{path.name}：不是数据集文件，或同一数据集有几个文件，没有检查")
    is_whole = path == home
    inside = path.relative_to(home.parent).as_posix()
    notes = [
        (notice.path, notice.message)
        for notice in found.notices
        if is_whole or notice.path == inside or notice.path.startswith(f"{inside}/")
    ]
    faults = [f.message for f in district.failures if is_whole or f.message.startswith(f"{inside}/")]
    twice = [
        f.message for f in district.failures if f.rule == "dataset_delivered_twice" and inside in f.message
    ]
    return _target(district, files, today, list(dict.fromkeys([*faults, *twice])), notes, in_district=True)


def _by_itself(path: Path, today: dt.date, dataset: str | None) -> Target:
    """A folder of dataset files, or one such file with the others beside it, of an unknown district."""
    folder = path if path.is_dir() else path.parent
    day = dt.date.fromisoformat(folder.name) if _is_day(folder.name) else today
    by_dataset: dict[str, list[Path]] = {}
    notes = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            is_statistics = entry.name.casefold() == STATISTICS
            advice = (
                "教育事业统计报表要连同区县文件夹一起检查，这里没有检查"
                if is_statistics
                else "是文件夹，没有检查"
            )
            notes.append((entry.name, advice))
        elif reason := why_no_dataset(entry.name):
            notes.append((entry.name, reason))
        elif entry != path or dataset is None:
            by_dataset.setdefault(str(find_dataset(entry.stem)), []).append(entry)
    if dataset:
        by_dataset[dataset] = [path]
    asked = {path} if path.is_file() else {entry for entries in by_dataset.values() for entry in entries}
    faults = []
    files = []
    for name, entries in by_dataset.items():
        chosen = [entry for entry in entries if entry in asked] or entries
        if len(chosen) > 1:
            names = "、".join(entry.name for entry in chosen)
            faults.append(
                f"“{load_datasets()[name].title}”（{name}）有 {len(chosen)} 个文件：{names}。请只保留一个"
            )
        files.append(DeliveredFile(day, name, chosen[0], chosen[0].name, chosen[0].name))
        files += [DeliveredFile(day, name, extra, extra.name, extra.name) for extra in chosen[1:]]
    district = District(
        NO_CODE, folder.name, folder, "", DEFAULT_STANDARD, {}, Plan(), "reported", [], files, []
    )
    selected = [f for f in files if f.path in asked]
    if not selected and not faults:
        raise TargetError(
            f"{path}：没有数据集文件。应为区县文件夹、交付文件夹（其中有 schools.xlsx 或 学校名册.xlsx 等），或单个文件；"
            f"可用的格式：{'、'.join(SUFFIXES)}"
        )
    return _target(district, selected, today, faults, notes if path.is_dir() else [])


def _is_day(name: str) -> bool:
    if not DELIVERY_FOLDER.fullmatch(name):
        return False
    try:
        dt.date.fromisoformat(name)
    except ValueError:
        return False
    return True


def _target(
    district: District,
    files: list[DeliveredFile],
    today: dt.date,
    faults: list[str],
    notes: list[tuple[str, str]],
    *,
    in_district: bool = False,
) -> Target:
    """Give the district what an evaluation needs: an existing standard, no failures, a phase per delivery."""
    days = sorted({file.delivery for file in files}) or [today]
    planned = len(district.phases)
    checks = [
        Phase(f"check-{day}", f"{day} 报送", planned + order, day, day) for order, day in enumerate(days, 1)
    ]
    known = district.standard in available_catalogues()
    fit = replace(
        district,
        standard=district.standard if known else DEFAULT_STANDARD,
        data_origin=district.data_origin or "reported",
        phases=[*district.phases, *checks],
        failures=[],
    )
    phases = tuple(phase.id for phase in checks)
    worth_saying = [
        (p, m) for p, m in notes if not Path(p).name.startswith(SYSTEM_SIGNS) and "系统文件" not in m
    ]
    return Target(fit, files, phases, faults, worth_saying, in_district)
