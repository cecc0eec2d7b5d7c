"""The planning files of a district, kept beside its deliveries: scenario files and the prices file.

They are no deliveries, and their content is not read here. Belongs here: where they are, and the hash of their content: when it
changes, everything made from them is made again. Keep out: what they say (planning).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from youjun_pipeline.ingest.files import content_hash
from youjun_pipeline.ingest.formats.limits import Unreadable

SCENARIOS = "scenarios"
PRICES = ("prices.toml", "prices.xlsx")
# Files left by programs that have a file open (Excel, WPS) or are still copying it (rsync).
PASSED_OVER = (".", "~$")


def planning_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each file; for an unreadable file, the reason instead of the hash."""
    found = [folder / name for name in PRICES]
    if (folder / SCENARIOS).is_dir():
        found += sorted((folder / SCENARIOS).iterdir())
    for path in found:
        if path.is_file() and not path.name.startswith(PASSED_OVER):
            try:
                yield path.relative_to(folder).as_posix(), content_hash(path)
            except (OSError, Unreadable) as error:
                yield path.relative_to(folder).as_posix(), str(error)
