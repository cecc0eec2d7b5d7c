"""What changed in the data folder since the last look, by names, sizes and times; no file is opened.

Belongs here: fingerprints of the districts' folders, and the comparison of two fingerprints. Keep out: the content of files
(`files`), and looking again after a while (`orchestration.sensors`).
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from youjun_pipeline.ingest.beside import PASSED_OVER, PRICES, SCENARIOS
from youjun_pipeline.ingest.districts import DELIVERIES, DISTRICT_FILE, DISTRICT_FOLDER


@dataclass(frozen=True)
class Watched:
    """What the watcher remembers for each district folder: the fingerprint of the last action, and one that may still change."""

    seen: dict[str, str] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)

    @classmethod
    def recall(cls, path: Path, mark: str | None) -> Watched:
        """The state in the file at `path`, if the file has the mark `mark`; otherwise an empty state.

        A whole country's fingerprints are 120 KB, too much for a cursor that is stored with every look. A person who resets the
        cursor wants all folders looked at again, and a crash between writing the file and the cursor must lose no delivery. In
        both cases the marks differ, and nothing counts as seen.
        """
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            if mark and known["mark"] == mark:
                return cls(dict(known["seen"]), dict(known["pending"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return cls()

    def remember(self, path: Path) -> str:
        """Write this state into the file at `path`, completely or not at all; returns the new mark for `recall`."""
        mark = uuid.uuid4().hex[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        building = path.with_name(f".{path.name}")
        building.write_text(json.dumps(asdict(self) | {"mark": mark}, sort_keys=True), encoding="utf-8")
        os.replace(building, path)
        return mark

    def look(self, now: dict[str, str]) -> tuple[Watched, set[str]]:
        """The next state, and the folders that have changed and are unchanged since the last look, or are gone."""
        changed = {name for name in self.seen.keys() | now.keys() if self.seen.get(name) != now.get(name)}
        settled = {name for name in changed if self.pending.get(name) == now.get(name, "")}
        seen = {name: value for name, value in self.seen.items() if name not in settled}
        seen |= {name: now[name] for name in settled if name in now}
        pending = {name: now.get(name, "") for name in changed - settled}
        return Watched(seen, pending), settled


def fingerprints(data_folder: Path) -> dict[str, str]:
    """A hash over paths, sizes and times of change of each district's files, by the name of its folder.

    Raises OSError if the data folder itself cannot be read.
    """
    return {
        entry.name: _fingerprint(Path(entry.path))
        for entry in sorted(os.scandir(data_folder), key=lambda e: e.name)
        if DISTRICT_FOLDER.fullmatch(entry.name) and entry.is_dir()
    }


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(_files(folder)):
        try:
            state = path.stat()
        except OSError:
            # it disappeared between two looks, or cannot be read: the next look will show which
            digest.update(f"{path.relative_to(folder).as_posix()}\0?\n".encode(errors="surrogateescape"))
            continue
        line = f"{path.relative_to(folder).as_posix()}\0{state.st_size}\0{state.st_mtime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _files(folder: Path) -> Iterator[Path]:
    yield folder / DISTRICT_FILE
    # includes scenario and prices files: a changed one is judged once it no longer changes
    yield from (folder / name for name in PRICES if (folder / name).is_file())
    for watched in (DELIVERIES, SCENARIOS):
        for place, folders, names in os.walk(folder / watched):
            folders[:] = [name for name in folders if not name.startswith(PASSED_OVER)]
            yield from (Path(place, name) for name in names if not name.startswith(PASSED_OVER))
