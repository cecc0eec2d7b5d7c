"""A sample of `make faults HARNESS=kills`: the command is killed at chosen moments; what readers find, and the next run."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from youjun_pipeline_tests.faults.kills import Range, Shot, deliver, kill
from youjun_pipeline_tests.faults.states import after_a_run, always, read_content
from youjun_pipeline_tests.pipeline.runs import FIRST, Place, two_districts
from youjun_pipeline_tests.steps import places, refresh

AS_OF = date(2025, 1, 1)
# Where the run is killed, and whether it has published by then.
READING = (Shot(False, words="读取"), "reading", False)
BEFORE_SWAP = (Shot(False, step="rename .youjun.duckdb-"), "swap", False)
AFTER_SWAP = (Shot(False, step="rename .youjun.previous.duckdb"), "swap", True)


@pytest.mark.long
def test_a_killed_run_leaves_one_publication_whole_and_the_next_run_is_as_if_undisturbed(
    tmp_path: Path,
) -> None:
    place = two_districts(tmp_path / "data", (FIRST,))
    refresh(places(place.data, AS_OF), "run-1")
    before = read_content(place.published)
    deliver(place.data, 1)
    fresh = Place(tmp_path / "fresh")
    for district in place.data.glob("1101*"):
        shutil.copytree(district, fresh.data / district.name)
    refresh(places(fresh.data, AS_OF), "run-1")
    after = read_content(fresh.published)
    assert after.digest != before.digest
    at = Range(place, [])
    for shot, stage, published in (READING, BEFORE_SWAP, AFTER_SWAP):
        assert kill(at, shot) == stage
        expected = after if published else before
        assert always(place.published.parent, [expected], [before, after], had=True) == []
    # killed between the file and the manifest: it still describes the publication that now waits as the previous one
    manifest = json.loads((place.published.parent / "manifest.json").read_text("utf-8"))
    assert manifest["publication"]["content_sha256"] == before.stated
    assert read_content(place.published.parent / ".youjun.previous.duckdb") == before
    place.run()
    assert after_a_run(place.data, after, [before, after], reports=False) == []
    assert read_content(place.published.parent / "youjun.previous.duckdb") == after
    assert len(place.rows("select * from ops.publication")) == 3
