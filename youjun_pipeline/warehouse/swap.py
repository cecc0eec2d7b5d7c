"""The swap: puts a finished file or folder in the place of the old one, and repairs what a crash left.

A reader of a folder finds either the old one or the new one. If the system cannot exchange two folders in one step, there is a
moment without a folder (docs/reliability.md). Keep out: their content (`publication`), and the manifest that says to which
publication they belong (`manifest`).
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

FILE_NAME = "youjun.duckdb"
PREVIOUS_NAME = "youjun.previous.duckdb"
# Names beside `<name>`: `.<name>-new` while it is built, `.<name>-old` for the moment of the swap.
BUILDING, RETIRED = "-new", "-old"
_CURRENT_FOLDER, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux, the same on every architecture


def swap_folder(building: Path, target: Path) -> None:
    """Put the finished folder `building` in the place of `target`."""
    if not target.exists():
        os.rename(building, target)
    elif exchange(building, target):
        shutil.rmtree(building, ignore_errors=True)
    else:
        retired = target.with_name(f".{target.name}{RETIRED}")
        shutil.rmtree(retired, ignore_errors=True)
        os.rename(target, retired)
        os.rename(building, target)
        shutil.rmtree(retired, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False if the system or the file system cannot do it (macOS, Windows, some mounts)."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, TypeError, AttributeError):
        return False
    done: int = renameat2(_CURRENT_FOLDER, os.fsencode(one), _CURRENT_FOLDER, os.fsencode(other), _EXCHANGE)
    return done == 0


def building_folder(published: Path, name: str) -> Path:
    """An empty folder in which the next content of `published/<name>` is built; `manifest.put_folder` moves it there."""
    building = published / f".{name}{BUILDING}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    return building


def mend_folders(published: Path) -> None:
    """Restore what a crash left between the two renames of a swap, and remove unfinished folders.

    Only while the working database is locked: then no other process is building.
    """
    for retired in published.glob(f".*{RETIRED}"):
        target = published / retired.name.removeprefix(".").removesuffix(RETIRED)
        if not target.exists():
            os.rename(retired, target)
        shutil.rmtree(retired, ignore_errors=True)
    for building in published.glob(f".*{BUILDING}"):
        shutil.rmtree(building, ignore_errors=True)


def mend(published: Path) -> None:
    """Repair what a crash left in the publication's folder; only while the working database is locked."""
    for leftover in published.glob(f".{FILE_NAME}-*"):
        leftover.unlink()
    current, spare = published / FILE_NAME, published / f".{PREVIOUS_NAME}"
    if spare.exists() and not (current.exists() and spare.samefile(current)):
        os.replace(spare, published / PREVIOUS_NAME)
    spare.unlink(missing_ok=True)
    mend_folders(published)


def swap_in(building: Path, published: Path) -> None:
    """Make `building` the publication in one step that survives a crash; the previous publication is kept.

    Meanwhile it has a spare name: after a crash at any moment both publications exist, and `mend` recognises them.
    """
    current, spare = published / FILE_NAME, published / f".{PREVIOUS_NAME}"
    sync(building)
    if current.exists():
        spare.unlink(missing_ok=True)
        os.link(current, spare)
    os.replace(building, current)
    if spare.exists():
        os.replace(spare, published / PREVIOUS_NAME)
    sync(published)


def sync(path: Path) -> None:
    """Make sure that the disk has what was written to a file, or what was renamed in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
