"""Whether anything is other than the last whole run left it, told without opening a file.

A whole run takes all districts and phases and brings everything beside the publication up to date. It notes the size, times and
inode of every file that it was made from (data, program, installed packages) as they were before it, and of what it left
(working database, publication and reports) as they were after it. While all of that is the same, another whole run as of the same
day and with the same settings would only say the same again. Keep out: what stands within a run (`standing`).
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from youjun_pipeline.settings import PACKAGE, Settings

NOTE = "last_run.txt"


@dataclass(frozen=True)
class Before:
    """What a run is made from, as it is before it; `given` is the hash of all of it."""

    settings: Settings
    given: str

    @classmethod
    def of(cls, settings: Settings, env: Mapping[str, str] = os.environ) -> Before:
        """Look at every file of the data folder and of the program."""
        digest = hashlib.sha256(repr((settings, sys.version)).encode())
        for name in sorted(env):
            if name.startswith("YOUJUN_"):
                digest.update(f"{name}={env[name]}\0".encode())
        for package in sorted(f"{d.name} {d.version}" for d in distributions()):
            digest.update(f"{package}\0".encode())
        made = {settings.published, settings.warehouse, settings.warehouse.parent} - {settings.data}
        for line in (*_files(settings.data, made), *_files(PACKAGE)):
            digest.update(f"{line}\0".encode(errors="surrogateescape"))
        return cls(settings, digest.hexdigest())

    def is_as_left(self) -> bool:
        """Whether the last whole run was made from the same, and what it left is as it left it."""
        try:
            return self._applies() and self._note.read_text("utf-8") == self._now()
        except OSError:
            return False

    def note(self) -> None:
        """Note that a whole run has ended well that began with this."""
        if self._applies():
            self._note.write_text(self._now(), "utf-8")

    @property
    def _note(self) -> Path:
        return self.settings.warehouse.with_name(NOTE)

    def _applies(self) -> bool:
        """A lake and its shards are others' to change: what is in them is not looked at."""
        return self.settings.lake is None and self.settings.shard is None

    def _now(self) -> str:
        """What was given, and what is left behind by now."""
        digest = hashlib.sha256()
        warehouse = self.settings.warehouse
        # A run that was killed leaves a log beside the database.
        log = warehouse.with_name(f"{warehouse.name}.wal")
        for line in (*_files(self.settings.published), _line(warehouse), _line(log)):
            digest.update(f"{line}\0".encode(errors="surrogateescape"))
        return f"{self.given} {digest.hexdigest()}"


def _files(folder: Path, passed_over: Collection[Path] = ()) -> Iterator[str]:
    """A line for each file below a folder, in order; links to folders are told and not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        # What is wrong with it is for the run to say.
        yield f"{folder} {error.errno}"
        return
    for entry in entries:
        path = Path(entry.path)
        if path in passed_over or entry.name == "__pycache__":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield entry.path
            yield from _files(path, passed_over)
        else:
            yield _line(path)


def _line(path: Path) -> str:
    """What tells a file from what it was: the time of change too, which nobody can set back."""
    told = os.readlink(path) if path.is_symlink() else ""
    try:
        found = path.stat()
    except OSError as error:
        return f"{path} {told} {error.errno}"
    return f"{path} {told} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_mode}"
