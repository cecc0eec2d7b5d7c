"""A lake on PostgreSQL and S3 is dumped, copied and restored to another database and another place."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from youjun_pipeline.session import bring_to_lake
from youjun_pipeline.settings import Lake
from youjun_pipeline.warehouse.lake import attach_lake, last_publication, open_lake
from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.integration.lake_districts import AS_OF, CODES, write
from youjun_pipeline_tests.pipeline.servers import everything, program
from youjun_pipeline_tests.steps import places, refresh

pytestmark = pytest.mark.scale
pytest.importorskip("duckdb_extension_ducklake", reason="the extra `scale` is not installed")


def test_a_backup_is_restored_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in docs/scale.md: first the dump, then the files; loaded into another database, with another address of the files."""
    write(tmp_path / "data", CODES[0], 1)
    settings = places(tmp_path / "data", AS_OF)
    refresh(settings)
    with everything(tmp_path) as env:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        lake = Lake(env["YOUJUN_LAKE"].removeprefix("ducklake:"), f"{env['YOUJUN_LAKE_DATA']}/")
        bring_to_lake(replace(settings, lake=lake))
        compare_with_restored(lake, tmp_path)


def compare_with_restored(lake: Lake, tmp_path: Path) -> None:
    """Dump, copy, load, and compare every table of the last publication."""
    ask = lake.catalogue.removeprefix("postgres:")
    dump, files = tmp_path / "lake.sql", tmp_path / "files"
    pg_dump, psql = (program(name, "usr/lib/postgresql/*/bin") for name in ("pg_dump", "psql"))
    subprocess.run([pg_dump, "-d", ask, "-f", str(dump)], check=True)
    with open_lake(lake, read_only=True) as con:
        for name, content in con.execute(
            f"select filename, content from read_blob('{lake.data}**')"
        ).fetchall():
            path = files / name.removeprefix(lake.data)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    restored = replace(
        lake, catalogue=lake.catalogue.replace("dbname=lake", "dbname=restored"), data=f"{files}/"
    )
    subprocess.run([psql, "-q", "-d", ask, "-c", "create database restored"], check=True)
    moved = f"update public.ducklake_metadata set value = '{restored.data}' where key = 'data_path'"
    there = restored.catalogue.removeprefix("postgres:")
    subprocess.run([psql, "-q", "-d", there, "-f", str(dump), "-c", moved], check=True, capture_output=True)
    with open_lake(lake, read_only=True) as con:
        snapshot = last_publication(con)
    with open_lake(lake, snapshot=snapshot) as con:
        attach_lake(con, restored, "restored", read_only=True, snapshot=snapshot)
        con.begin()
        for name in declared_tables():
            ours, theirs = f"from lake.{name}", f"from restored.{name}"
            rows = con.execute(
                f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))"
            ).fetchall()
            assert rows == [(0,)], name
        assert con.execute("select count(*) > 0 from restored.mart.school_indicator").fetchall() == [(True,)]
