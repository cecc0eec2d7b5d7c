"""A damaged working database or publication: every command gives a helpful message, and a new one replaces it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.orchestration.failures import cause_of
from youjun_pipeline.warehouse.connection import DatabaseDamagedError, connect

# A process that is killed before it closes leaves its last changes in the write-ahead log.
KILLED = """
import duckdb, os, signal, sys
con = duckdb.connect(sys.argv[1])
con.execute("set wal_autocheckpoint = '1GB'")
con.execute("create table lost as select range as a, hash(range)::varchar as b from range(20000)")
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
con.close()
"""


def made(path: Path, how: str = "closed") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-c", KILLED, str(path), how], check=False)
    return path


def log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def garbage(path: Path) -> None:
    made(path).write_bytes(b"\x5a" * 300_000)


def empty(path: Path) -> None:
    made(path).write_bytes(b"")


def halved(path: Path) -> None:
    with made(path).open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def scratched(path: Path) -> None:
    with made(path).open("r+b") as file:
        file.seek(12_288)
        file.write(b"\x5a" * 9_000)


def log_scratched(path: Path) -> None:
    with log_of(made(path, "killed")).open("r+b") as file:
        file.seek(3_000)
        file.write(b"\x5a" * 9_000)


@pytest.mark.parametrize("damage", [garbage, empty, halved, scratched, log_scratched])
def test_a_damaged_working_database_is_called_so_and_what_helps(
    damage: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    warehouse = tmp_path / ".work" / "warehouse.duckdb"
    damage(warehouse)
    monkeypatch.setenv("YOUJUN_DATA", str(tmp_path))
    assert main(["close", "120114", "p1"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"数据库文件已损坏：{warehouse}；请把它移开（mv）后运行 make run")
    warehouse.rename(tmp_path / "broken")
    # What is left of the log belongs to the file that was moved.
    with connect(warehouse) as con:
        assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


def without_tables(path: Path) -> None:
    """A file that was cut short, if the older of its two headers survives: DuckDB sees an empty database."""
    with connect(path):
        pass


@pytest.mark.parametrize("damage", [garbage, empty, halved, scratched, without_tables])
def test_a_damaged_publication_is_rolled_back_not_moved(
    damage: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(tmp_path / "published" / "youjun.duckdb")
    monkeypatch.setenv("YOUJUN_DATA", str(tmp_path))
    for command in (["site"], ["explain", "120114", "p1", "G5"]):
        assert main(command) == 1
        assert "youjun rollback" in capsys.readouterr().err


def test_a_file_that_became_shorter_is_sound(tmp_path: Path) -> None:
    """DuckDB takes free blocks off the end of a file, and counts them in its header all the same."""
    path = tmp_path / "warehouse.duckdb"
    with connect(path) as con:
        con.execute("create table kept as select range as a from range(1000)")
        con.execute("checkpoint")
        for number in range(3):
            con.execute(f"create table gone_{number} as select hash(range) as a from range(200000)")
            con.execute("checkpoint")
    with connect(path) as con:
        for number in range(3):
            con.execute(f"drop table gone_{number}")
    with connect(path, read_only=True) as con:
        blocks = con.execute("select total_blocks * block_size from pragma_database_size()").fetchall()[0][0]
        assert blocks > 2 * path.stat().st_size
        assert con.execute("select sum(a) from kept").fetchall() == [(499_500,)]


def test_a_run_says_it_in_its_own_words(tmp_path: Path) -> None:
    from dagster._utils.error import serializable_error_info_from_exc_info

    garbage(tmp_path / "warehouse.duckdb")
    with pytest.raises(DatabaseDamagedError) as caught, connect(tmp_path / "warehouse.duckdb"):
        pass
    cause = cause_of(serializable_error_info_from_exc_info(caught._excinfo))  # type: ignore[arg-type]
    assert cause.startswith("数据库文件已损坏：") and "make run" in cause


def test_a_log_whose_database_is_gone_is_left_out(tmp_path: Path) -> None:
    path = made(tmp_path / "warehouse.duckdb", "killed")
    assert log_of(path).exists()
    path.unlink()
    with connect(path) as con:
        assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
