"""A file with unchanged size, times and inode is not hashed again; a file that may have changed always is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.ingest import seen
from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.ingest.files import content_hash
from youjun_pipeline.session import in_memory
from youjun_pipeline_tests.generate import generate_country


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that is hashed from now on."""
    paths: list[Path] = []

    def noted(path: Path) -> str:
        paths.append(path)
        return content_hash(path)

    monkeypatch.setattr(seen, "content_hash", noted)
    return paths


def _hashes(con: duckdb.DuckDBPyConnection, folder: Path, *, verify: bool = False) -> dict[str, str]:
    return {e.file.relative: e.content_sha256 for e in seen.register(con, scan(folder), verify=verify)}


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the files appear old enough when they are hashed."""
    ahead = time.time_ns() + 10 * seen.TICK_NS
    monkeypatch.setattr("youjun_pipeline.ingest.seen.time.time_ns", lambda: ahead)


@pytest.mark.usefixtures("aged")
def test_files_as_they_were_are_not_hashed_again_but_to_verify(tmp_path: Path, looked_at: list[Path]) -> None:
    generate_country(tmp_path, 2, n_schools=3)
    with in_memory() as con:
        first = _hashes(con, tmp_path)
        assert len(looked_at) == len(first) > 10
        looked_at.clear()
        assert _hashes(con, tmp_path) == first
        assert not looked_at
        assert _hashes(con, tmp_path, verify=True) == first
        assert len(looked_at) == len(first)


@pytest.mark.usefixtures("aged")
def test_a_change_is_seen_though_size_and_time_of_writing_were_put_back(
    tmp_path: Path, looked_at: list[Path]
) -> None:
    generate_country(tmp_path, 1, n_schools=3)
    with in_memory() as con:
        first = _hashes(con, tmp_path)
        looked_at.clear()
        path = sorted(tmp_path.glob("*/deliveries/*/schools.csv"))[0]
        before = path.stat()
        data = path.read_bytes()
        time.sleep(0.05)
        path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
        second = _hashes(con, tmp_path)
        assert looked_at == [path]
        assert [name for name in first if first[name] != second[name]] == [
            path.relative_to(tmp_path).as_posix()
        ]


def test_a_file_changed_twice_in_one_tick_is_hashed_again(tmp_path: Path, looked_at: list[Path]) -> None:
    """The clock of the file system may give two writes the same time, so the hashes of very new files are never remembered."""
    generate_country(tmp_path, 1, n_schools=3)
    with in_memory() as con:
        first = _hashes(con, tmp_path)
        looked_at.clear()
        assert _hashes(con, tmp_path) == first
        assert len(looked_at) == len(first)
        assert con.execute("select count(*) from raw.hashed_file").fetchall() == [(0,)]
