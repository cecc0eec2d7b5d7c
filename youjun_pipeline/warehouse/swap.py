"""The swap: a finished file or folder put in the place of the old one, and what a crash left put right.

A reader of a folder finds the old one or the new one. Where the system cannot exchange two folders in one step there is a
moment without any (docs/reliability.md). Keep out: what is in them (`publication`), and the manifest that says whose they
are (`manifest`).
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

FILE_NAME = "youjun.duckdb"
PREVIOUS_NAME = "youjun.previous.duckdb"
# Beside `<name>`: `.<name>-new` while it is built, `.<name>-old` for the moment of the swap.
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
    """Let two folders trade places in one step; False where system or file system cannot (macOS, Windows, some mounts)."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, TypeError, AttributeError):
        return False
    done: int = renameat2(_CURRENT_FOLDER, os.fsencode(one), _CURRENT_FOLDER, os.fsencode(other), _EXCHANGE)
    return done == 0


def building_folder(published: Path, name: str) -> Path:
    """An empty place beside `published/<name>` to build its next content in; `manifest.put_folder` puts it there."""
    building = published / f".{name}{BUILDING}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    return building


def mend_folders(published: Path) -> None:
    """Put back what a crash left between the two renames of a swap, and remove what was being built.

    Only while the working database is held: nobody else may be building.
    """
    for retired in published.glob(f".*{RETIRED}"):
        target = published / retired.name.removeprefix(".").removesuffix(RETIRED)
        if not target.exists():
            os.rename(retired, target)
        shutil.rmtree(retired, ignore_errors=True)
    for building in published.glob(f".*{BUILDING}"):
        shutil.rmtree(building, ignore_errors=True)


def mend(published: Path) -> None:
    """Put right what a crash left in the publication's folder; only while the working database is held."""
    for leftover in published.glob(f".{FILE_NAME}-*"):
        leftover.unlink()
    current, spare = published / FILE_NAME, published / f".{PREVIOUS_NAME}"
    if spare.exists() and not (current.exists() and spare.samefile(current)):
        os.replace(spare, published / PREVIOUS_NAME)
    spare.unlink(missing_ok=True)
    mend_folders(published)


def swap_in(building: Path, published: Path) -> None:
    """Make `building` the publication in one step that survives a crash; the one before it is kept.

    It waits under its spare name meanwhile: whenever a crash comes, two publications are there, and `mend` knows which is which.
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
    """Have the disk hold what was written to a file, or to a folder by renaming."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
