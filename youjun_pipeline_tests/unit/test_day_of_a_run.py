"""A run without a date that would change the as-of date to today: it asks at a terminal; without one it reports the change."""

from __future__ import annotations

from argparse import Namespace
from datetime import date, datetime
from pathlib import Path

import pytest

from youjun_pipeline import cli
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.manifest import Publication, write_manifest

TODAY = date(2024, 6, 3)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Published on the third of June, as of the last of January."""
    made = Publication(
        tmp_path / "youjun.duckdb", "run-1", datetime(2024, 6, 3, 2, 0), date(2024, 1, 31), 1, "00"
    )
    write_manifest(tmp_path, made)
    return Settings(tmp_path, tmp_path / "w.duckdb", tmp_path, TODAY)


@pytest.fixture(autouse=True)
def nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(text: str) -> str:
        raise AssertionError(f"asked: {text}")

    monkeypatch.setattr("builtins.input", asked)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)


def test_without_a_terminal_it_is_told_and_done(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._means_today(settings, Namespace(as_of=None))
    told = capsys.readouterr().err
    assert "上一次发布的截止日期是 2024-01-31，不是发布的当天" in told and f"将以今天 {TODAY} 发布" in told


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), ("是", True), ("", False), ("不", False)])
def test_at_a_terminal_it_is_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda text: answer)
    assert cli._means_today(settings, Namespace(as_of=None)) is goes_on


def test_nothing_is_said_where_a_day_was_given_or_the_last_one_was_its_own(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli._means_today(settings, Namespace(as_of="2024-02-01"))
    monkeypatch.setenv("YOUJUN_AS_OF", "2024-02-01")
    assert cli._means_today(settings, Namespace(as_of=None))
    monkeypatch.delenv("YOUJUN_AS_OF")
    nightly = Publication(
        settings.published / "youjun.duckdb", "run-2", datetime(2024, 6, 2, 2, 0), date(2024, 6, 2), 1, "00"
    )
    write_manifest(settings.published, nightly)
    assert cli._means_today(settings, Namespace(as_of=None))
    assert capsys.readouterr().err == ""
