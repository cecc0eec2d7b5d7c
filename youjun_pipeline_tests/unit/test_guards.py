"""The guards of `conftest.py` work: what a tier must not do is refused, and fails the test even if the error is swallowed."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline_tests.conftest import CHECKOUT, OUT_OF_BOUNDS, OutOfBoundsError, guard, tier_of


@contextlib.contextmanager
def refused(match: str):
    """Expect a refusal and remove its record, so that the guard does not fail this test."""
    with pytest.raises(OutOfBoundsError, match=match):
        yield
    assert len(guard.take_violations()) == 1


def test_duckdb_connection_is_refused():
    with refused("a unit test opens no DuckDB connection"):
        duckdb.connect()


def test_duckdb_default_connection_is_refused():
    with refused("default connection leaks"):
        duckdb.sql("select 1")


@pytest.mark.parametrize("host", ["192.0.2.1", "example.invalid"])
def test_other_machines_are_refused(host):
    with refused(f"this machine only, not {host}"):
        socket.create_connection((host, 443), timeout=0.1)


def test_loopback_is_refused_in_unit_tests():
    with refused("a unit test opens no socket"), socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))


def test_write_outside_tmp_path_is_refused():
    with refused("a unit test writes only under tmp_path"):
        Path(CHECKOUT / "stray.txt").write_text("stray")
    assert not (CHECKOUT / "stray.txt").exists()
    with refused("a unit test writes only under tmp_path"):
        os.mkdir(CHECKOUT / "stray")


@pytest.mark.parametrize("folder", OUT_OF_BOUNDS, ids=lambda folder: folder.name)
def test_own_data_of_the_checkout_is_not_even_read(folder):
    with refused("leave the checkout's own data alone"):
        (folder / "youjun.duckdb").read_bytes()


def test_tmp_path_and_tempfile_are_writable(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("b")
    assert (tmp_path / "a.txt").read_text() == "a"


def test_a_swallowed_refusal_is_kept():
    with contextlib.suppress(OutOfBoundsError):
        duckdb.connect()
    assert guard.take_violations() == ["a unit test opens no DuckDB connection; it belongs in integration/"]


def test_settings_point_nowhere():
    assert not Path(os.environ["YOUJUN_DATA"]).exists()
    assert [name for name in os.environ if name.startswith("YOUJUN_")] == ["YOUJUN_DATA"]
    assert "DAGSTER_HOME" not in os.environ


def test_tier_is_the_folder():
    tests = CHECKOUT / "youjun_pipeline_tests"
    assert tier_of(tests / "integration" / "test_x.py") == "integration"
    assert tier_of(tests / "test_x.py") is None
    assert tier_of(Path("/elsewhere/unit/test_x.py")) is None
