"""The guards of `conftest.py` allow the wider tiers what they need, on this machine and outside the checkout."""

from __future__ import annotations

import socket

import duckdb
import pytest

from youjun_pipeline_tests.conftest import OUT_OF_BOUNDS, OutOfBoundsError, guard


def test_duckdb_files_and_loopback_are_allowed(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as con:
        assert con.sql("select 42").fetchone() == (42,)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_the_checkouts_published_database_is_refused():
    with pytest.raises(OutOfBoundsError, match="leave the checkout's own data alone"):
        duckdb.connect(OUT_OF_BOUNDS[0] / "youjun.duckdb", read_only=True)
    assert len(guard.take_violations()) == 1
