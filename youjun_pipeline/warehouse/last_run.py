"""Finds out, without opening a file, whether anything has changed since the last whole run.

A whole run takes all districts and phases and brings everything beside the publication up to date. It notes the size, times and
inode of every file that it was made from (data, program, installed packages), as they were before it; and of every file that it
left (working database, publication and reports), as they were after it. If all of these are unchanged, another whole run as of
the same day and with the same settings would have the same result. Keep out: which evaluations within a run are unchanged
(`standing`).
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
    """The inputs of a run, as they are before it; `given` is the hash of all of them."""

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
        """Whether the last whole run had the same inputs, and its results are unchanged."""
        try:
            return self._applies() and self._note.read_text("utf-8") == self._now()
        except OSError:
            return False

    def note(self) -> None:
        """Record that a whole run with these inputs has succeeded."""
        if self._applies():
            self._note.write_text(self._now(), "utf-8")

    @property
    def _note(self) -> Path:
        return self.settings.warehouse.with_name(NOTE)

    def _applies(self) -> bool:
        """Whether this module can tell: not with a lake or shards, because other machines change them."""
        return self.settings.lake is None and self.settings.shard is None

    def _now(self) -> str:
        """The inputs and the present results, as one text."""
        digest = hashlib.sha256()
        warehouse = self.settings.warehouse
        # A run that was killed leaves a log beside the database.
        log = warehouse.with_name(f"{warehouse.name}.wal")
        for line in (*_files(self.settings.published), _line(warehouse), _line(log)):
            digest.update(f"{line}\0".encode(errors="surrogateescape"))
        return f"{self.given} {digest.hexdigest()}"


def _files(folder: Path, passed_over: Collection[Path] = ()) -> Iterator[str]:
    """A line for each file below a folder, in order; a link to a folder gets a line, but its folder is not entered."""
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        # If something is wrong with the folder, the run will report it.
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
    """The properties that show whether a file has changed; the time of change is one, because it cannot be set back."""
    told = os.readlink(path) if path.is_symlink() else ""
    try:
        found = path.stat()
    except OSError as error:
        return f"{path} {told} {error.errno}"
    return f"{path} {told} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_mode}"
