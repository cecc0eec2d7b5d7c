"""Folders beside the publication: a finished one put in the place of the old, and what a crash left put right.

A reader of a folder finds the old one or the new one. Where the system cannot exchange two folders in one step there is a
moment without any (docs/reliability.md). Keep out: what is in them, and the manifest that says whose they are
(`publication`).
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

# Beside `<name>`: `.<name>-new` while it is built, `.<name>-old` for the moment of the swap.
FOLDERS = ("parquet", "official", "schools", "data_docs", "site")
_CURRENT_FOLDER, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux, the same on every architecture


def swap_folder(building: Path, target: Path) -> None:
    """Put the finished folder `building` in the place of `target`."""
    if not target.exists():
        os.rename(building, target)
    elif exchange(building, target):
        shutil.rmtree(building, ignore_errors=True)
    else:
        retired = target.with_name(f".{target.name}-old")
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


def mend_folders(published: Path) -> None:
    """Put back what a crash left between the two renames of a swap, and remove what was being built.

    Only while the working database is held: nobody else may be building.
    """
    for name in FOLDERS:
        target, retired = published / name, published / f".{name}-old"
        if retired.exists() and not target.exists():
            os.rename(retired, target)
        shutil.rmtree(retired, ignore_errors=True)
        shutil.rmtree(published / f".{name}-new", ignore_errors=True)
