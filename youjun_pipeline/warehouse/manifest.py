"""The manifest: which publication is current, and to which publication each folder beside it belongs.

Keep out: the swaps themselves (`swap`).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from youjun_pipeline.warehouse.swap import FILE_NAME, swap_folder, sync

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class Publication:
    """A publication: the file, the time, the run, the number of rows and the hash of the content.

    `is_new` is false if there was nothing to publish; then the other fields describe the current publication.
    """

    path: Path
    run_id: str
    published_at: datetime
    as_of: date
    rows: int
    content_sha256: str
    is_new: bool = True


def put_folder(building: Path, published: Path, name: str) -> None:
    """Put the finished folder `building` in the place of `published/<name>` and record the publication that it belongs to.

    Meanwhile the manifest does not name the folder, so that after a crash it never assigns a folder to the wrong publication.
    """
    manifest = _manifest(published)
    if manifest.get("folders", {}).pop(name, None):
        _replace_manifest(published, manifest)
    swap_folder(building, published / name)
    run_id = manifest.get("publication", {}).get("run_id")
    _replace_manifest(published, manifest | {"folders": manifest.get("folders", {}) | {name: run_id}})


def name_folder(published: Path, name: str) -> None:
    """Record that the present folder `published/<name>` belongs to the current publication."""
    manifest = _manifest(published)
    run_id = manifest.get("publication", {}).get("run_id")
    _replace_manifest(published, manifest | {"folders": manifest.get("folders", {}) | {name: run_id}})


def folder_run(published: Path, name: str) -> str | None:
    """The run of the publication that a folder belongs to; None if it is not recorded."""
    run_id = _manifest(published).get("folders", {}).get(name)
    return None if run_id is None else str(run_id)


def write_manifest(published: Path, publication: Publication) -> None:
    """Describe the current publication; the folders stay assigned to their own publications."""
    manifest = _manifest(published)
    manifest.pop("rolled_back", None)
    described = {
        "file": FILE_NAME,
        "run_id": publication.run_id,
        "published_at": _with_zone(publication.published_at),
        "as_of": publication.as_of.isoformat(),
        "rows": publication.rows,
        "content_sha256": publication.content_sha256,
    }
    _replace_manifest(published, {"publication": {}, "folders": {}} | manifest | {"publication": described})


def _with_zone(at: datetime) -> str:
    """A time of the tables, which is UTC without a zone, as text with its zone."""
    return at.replace(tzinfo=UTC).isoformat()


def note_rollback(published: Path, at: datetime, from_run: str) -> None:
    """Record in the manifest when the publication was rolled back and from which run; the next publication removes the note."""
    note = {"rolled_back": {"at": _with_zone(at), "from_run_id": from_run}}
    _replace_manifest(published, _manifest(published) | note)


def last_published(published: Path) -> Publication | None:
    """The publication that the manifest names; None if there is none yet, or if the manifest is damaged."""
    said = _manifest(published).get("publication") or {}
    try:
        return Publication(
            published / said["file"],
            said["run_id"],
            datetime.fromisoformat(said["published_at"]),
            date.fromisoformat(said["as_of"]),
            said["rows"],
            said["content_sha256"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def _manifest(published: Path) -> dict[str, Any]:
    """The content of the manifest; empty if it is missing or damaged, because it can be written again."""
    try:
        manifest = json.loads((published / MANIFEST_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _replace_manifest(published: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest in one step that survives a crash."""
    path = published / MANIFEST_NAME
    building = path.with_name(f".{MANIFEST_NAME}")
    building.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    sync(building)
    os.replace(building, path)
