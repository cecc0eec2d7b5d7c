"""Readers during refreshes: of the database, opened repeatedly or kept open, and of the files beside it.

This runs a few; `make faults HARNESS=readers` runs 32. Keep out: what a reader does (`faults/reader.py`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from youjun_pipeline_tests.faults.readers import read_through


@pytest.mark.long
def test_readers_see_no_error_and_one_publication_at_a_time(tmp_path: Path) -> None:
    kinds = ["again", "keep", "parquet", "manifest"]
    seen, faults = read_through(tmp_path, kinds, publications=3, seed=1, pause=1.5)
    assert faults == []
    assert set(seen.opens) == set(kinds)
    assert seen.opens["again"] >= 3 and len(seen.times) > 50
    # They read before, between and after: the file was replaced under them twice.
    assert seen.publications["again"] | seen.publications["keep"] == {"1", "2", "3"}
    assert [p.name for p in (tmp_path / "published").iterdir() if p.name.startswith(".youjun.duckdb")] == []
