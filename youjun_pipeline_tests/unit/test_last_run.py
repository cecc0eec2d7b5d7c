"""A run is left out only if every file is as the last whole run left it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse import last_run
from youjun_pipeline.warehouse.last_run import Before

FILE = "110101-north/deliveries/2023-08-31/schools.csv"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A data folder after a whole run, and a program that a test may change."""
    made = Settings(tmp_path, tmp_path / ".work" / "w.duckdb", tmp_path / "published", date(2024, 1, 1))
    for path in (
        tmp_path / FILE,
        made.warehouse,
        made.published / "site" / "index.html",
        tmp_path / "code" / "a.sql",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1200", "utf-8")
    monkeypatch.setattr(last_run, "PACKAGE", tmp_path / "code")
    before = Before.of(made)
    assert not before.is_as_left()
    before.note()
    return made


def same_size_and_time(path: Path) -> None:
    """Another text of the same length, with the old time of writing."""
    found = path.stat()
    path.write_text("2100", "utf-8")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def test_nothing_changed(settings: Settings) -> None:
    assert Before.of(settings).is_as_left()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: (s.data / FILE).write_text("2100", "utf-8"),
        lambda s: same_size_and_time(s.data / FILE),
        lambda s: (s.data / FILE).chmod(0o600),
        lambda s: (s.data / FILE).with_name("teachers.csv").touch(),
        lambda s: (s.data / FILE).unlink(),
        lambda s: (s.data / "110102-south").mkdir(),
        lambda s: (s.data / "code" / "a.sql").write_text("2100", "utf-8"),
        lambda s: s.warehouse.write_text("2100", "utf-8"),
        lambda s: s.warehouse.with_name("w.duckdb.wal").touch(),
        lambda s: (s.published / "site" / "index.html").unlink(),
        lambda s: (s.published / ".youjun.duckdb-run").touch(),
    ],
    ids=[
        "content",
        "content under the old date",
        "rights",
        "file more",
        "file gone",
        "folder more",
        "program",
        "warehouse",
        "log of a killed run",
        "report gone",
        "leftover of a killed run",
    ],
)
def test_whatever_changes_is_seen(settings: Settings, change: Callable[[Settings], object]) -> None:
    change(settings)
    assert not Before.of(settings).is_as_left()


def test_other_day_setting_and_package(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Before.of(replace(settings, as_of=date(2024, 1, 2))).is_as_left()
    assert not Before.of(replace(settings, stale_days=3)).is_as_left()
    assert not Before.of(settings, os.environ | {"YOUJUN_BASE_URL": "https://example.org"}).is_as_left()
    monkeypatch.setattr(last_run, "distributions", list)
    assert not Before.of(settings).is_as_left()


def test_what_came_during_the_run_is_seen_by_the_next(settings: Settings) -> None:
    before = Before.of(settings)
    (settings.data / FILE).write_text("2100", "utf-8")
    before.note()
    assert not Before.of(settings).is_as_left()


def test_folder_that_cannot_be_read_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def refuse(path: Path) -> object:
        if str(path).endswith("deliveries"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert not Before.of(settings).is_as_left()
