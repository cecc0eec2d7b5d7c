"""A lake has the same rows as the file, in whatever way the districts came into it.

The catalogue is a DuckDB file here: one process, no server. `test_scale.py` has PostgreSQL, S3 and many workers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from youjun_pipeline.orchestration.code_location import build_definitions
from youjun_pipeline.session import bring_to_lake, open_session
from youjun_pipeline.settings import Settings, Shard
from youjun_pipeline.warehouse.closing import close_phase
from youjun_pipeline.warehouse.lake import committed, last_publication, open_lake
from youjun_pipeline.warehouse.lake_care import tidy
from youjun_pipeline.warehouse.lake_file import pull
from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.integration.lake_districts import AS_OF, CODES, PHASES, with_lake, write
from youjun_pipeline_tests.steps import places, refresh

pytestmark = pytest.mark.scale
pytest.importorskip("duckdb_extension_ducklake", reason="the extra `scale` is not installed")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Four districts, published to a file and a lake by one run for all."""
    folder = tmp_path_factory.mktemp("whole")
    for seed, code in enumerate(CODES, 1):
        write(folder, code, seed)
    settings = with_lake(places(folder, AS_OF), tmp_path_factory.mktemp("lake"))
    refresh(settings, "run-1")
    return settings


def differing(
    settings: Settings, file: Path, *, but: tuple[str, ...] = (), tables: str = ""
) -> dict[str, int]:
    """Rows that only the lake's last publication or only the file has, by table; without the columns in `but`."""
    assert settings.lake
    with open_lake(settings.lake, read_only=True) as con:
        snapshot = last_publication(con)
    found = {}
    with open_lake(settings.lake, snapshot=snapshot) as con:
        con.execute(f"attach '{file}' as source (read_only)")
        # in one transaction the lake's catalogue is read once
        con.begin()
        for name, table in declared_tables().items():
            if not name.startswith(tables):
                continue
            columns = ", ".join(f'"{c}"' for c in table.columns if c not in but)
            ours, theirs = (f"select {columns} from {c}.{name}" for c in ("lake", "source"))
            rows = con.execute(
                f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))"
            ).fetchall()[0][0]
            if rows:
                found[name] = rows
    return found


def newest(settings: Settings) -> tuple[str, int, str, date]:
    assert settings.lake
    with open_lake(settings.lake, read_only=True) as con:
        return con.execute(
            "select run_id, rows, content_sha256, as_of from lake.ops.publication order by published_at desc limit 1"
        ).fetchall()[0]


def test_the_lake_equals_the_file_row_for_row(whole: Settings) -> None:
    assert differing(whole, whole.published / "youjun.duckdb") == {}
    with duckdb.connect(str(whole.published / "youjun.duckdb"), read_only=True) as con:
        rows = con.execute("select count(*) from mart.school_indicator").fetchall()[0][0]
    assert rows > 200


def test_the_snapshot_says_which_run_it_is(whole: Settings) -> None:
    assert whole.lake
    with open_lake(whole.lake, read_only=True) as con:
        told = con.execute(
            "select author, commit_message from lake.snapshots() where snapshot_id = $1",
            [last_publication(con)],
        ).fetchall()
        comment = con.execute(
            "select comment from duckdb_tables() where database_name = 'lake' and table_name = 'evaluation'"
        ).fetchall()
    assert told == [("youjun", "publication run-1")]
    assert comment == [(declared_tables()["mart.evaluation"].comment,)]


def test_pushing_the_same_file_again_makes_no_snapshot(whole: Settings) -> None:
    assert whole.lake
    with open_lake(whole.lake, read_only=True) as con:
        before = last_publication(con)
    bring_to_lake(whole)
    with open_lake(whole.lake, read_only=True) as con:
        assert con.execute("select max(snapshot_id) from lake.snapshots()").fetchall() == [(before,)]


def test_shards_come_to_what_one_run_comes_to_and_are_published_together(
    whole: Settings, tmp_path: Path
) -> None:
    """Three shards: nothing is published before the last is in."""
    own = replace(
        with_lake(whole, tmp_path), warehouse=tmp_path / "warehouse.duckdb", published=tmp_path / "published"
    )
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    assert {sum(s.takes(code) for code in CODES) for s in shards} >= {0}, (
        "a shard without a district is among them"
    )
    for shard in shards:
        assert own.lake
        if shard.number > 1:
            with open_lake(own.lake, read_only=True) as con:
                assert last_publication(con) is None
        refresh(own.of_shard(shard), f"run-{shard.number}-of-3")
    made_anew = ("run_id", "evaluated_at", "checked_at", "published_at", "program_sha256")
    assert differing(own, whole.published / "youjun.duckdb", but=made_anew, tables="mart") == {}
    assert differing(own, whole.published / "youjun.duckdb", but=made_anew, tables="quality") == {}
    assert differing(own, whole.published / "youjun.duckdb", but=made_anew, tables="plan") == {}
    run_id, *content = newest(own)
    assert run_id == "run-3-of-3"
    assert content == list(newest(whole)[1:]), (
        "rows, hash and day of the publication are those of one run for all"
    )


def test_without_waiting_what_is_late_is_stale(whole: Settings, tmp_path: Path) -> None:
    own = replace(
        with_lake(whole, tmp_path, wait=False),
        warehouse=tmp_path / "warehouse.duckdb",
        published=tmp_path / "published",
    )
    for number in (1, 2):
        refresh(own.of_shard(Shard(number, 2)), f"first-{number}")
    assert own.lake

    def stale() -> dict[str, bool]:
        assert own.lake
        with open_lake(own.lake, read_only=True) as con:
            snapshot = last_publication(con)
        with open_lake(own.lake, snapshot=snapshot) as con:
            return dict(con.execute("select district_code, is_stale from lake.mart.evaluation").fetchall())

    assert stale() == dict.fromkeys(CODES, False)
    refresh(replace(own.of_shard(Shard(1, 2)), as_of=date(2024, 1, 2)), "second-1")
    assert stale() == {code: not Shard(1, 2).takes(code) for code in CODES}
    assert newest(own)[-1] == date(2024, 1, 2)
    refresh(replace(own.of_shard(Shard(2, 2)), as_of=date(2024, 1, 2)), "second-2")
    assert stale() == dict.fromkeys(CODES, False)


def test_a_share_without_districts_does_not_hold_up_the_second_night(tmp_path: Path) -> None:
    write(tmp_path, CODES[0], 1)
    own = with_lake(places(tmp_path, AS_OF), tmp_path)
    for day in (AS_OF, AS_OF + timedelta(days=1)):
        for number in (1, 2):
            refresh(replace(own.of_shard(Shard(number, 2)), as_of=day), f"{day}-{number}")
        assert newest(own)[-1] == day


def test_a_push_that_is_broken_off_leaves_nothing(whole: Settings) -> None:
    assert whole.lake
    with open_lake(whole.lake) as con:
        before = con.execute("select count(*) from lake.mart.evaluation").fetchall()

        def fails() -> None:
            con.execute("delete from lake.mart.evaluation")
            raise RuntimeError("killed")

        with pytest.raises(RuntimeError, match="killed"):
            committed(con, fails)
        assert con.execute("select count(*) from lake.mart.evaluation").fetchall() == before


def test_a_district_that_is_gone_leaves_the_lake_too(whole: Settings, tmp_path: Path) -> None:
    for seed, code in enumerate(CODES[:2], 1):
        write(tmp_path, code, seed)
    own = with_lake(places(tmp_path, AS_OF), tmp_path)
    refresh(own, "run-1")
    with open_session(own) as session:
        (tmp_path / f"{CODES[0]}-d").rename(tmp_path / "elsewhere")
        session.ingest()
        session.begin("run-2")
        session.build()
        session.check()
        session.publish()
    assert differing(own, own.published / "youjun.duckdb") == {}
    assert newest(own)[0] == "run-2"


def parquet_bytes(published: Path) -> dict[str, bytes]:
    return {
        p.relative_to(published).as_posix(): p.read_bytes() for p in published.glob("parquet/*/*.parquet")
    }


def test_from_file_to_lake_to_file_every_byte_is_kept(whole: Settings, tmp_path: Path) -> None:
    """Back, forward, and back again: the Parquet copies of the file, and the rows of the lake."""
    assert whole.lake
    made = pull(whole.lake, tmp_path / "published")
    assert differing(whole, made.path) == {}
    assert parquet_bytes(made.path.parent) == parquet_bytes(whole.published)
    again = with_lake(replace(whole, published=made.path.parent), tmp_path)
    bring_to_lake(again)
    assert differing(again, whole.published / "youjun.duckdb") == {}
    with duckdb.connect(str(made.path), read_only=True) as con:
        assert con.execute("select count(*) from bi.dim_phase").fetchall()[0][0] > 0


def test_a_share_goes_on_on_another_machine_with_what_was_closed(whole: Settings, tmp_path: Path) -> None:
    """Four shares become two: the second machine has only the lake, and a closed phase stays closed."""
    own = replace(
        with_lake(whole, tmp_path), warehouse=tmp_path / "one" / "w.duckdb", published=tmp_path / "one" / "p"
    )
    refresh(own, "run-1")
    with open_session(own) as session:
        close_phase(session.con, CODES[0], PHASES[0].id)
        session.publish("run-2")
    other = replace(own, warehouse=tmp_path / "two" / "w.duckdb", published=tmp_path / "two" / "p")
    for number in (1, 2):
        refresh(other.of_shard(Shard(number, 2)), f"run-3-{number}")
    assert newest(other)[0] == "run-3-2"
    assert other.lake
    with open_lake(other.lake, read_only=True) as con:
        made = dict(con.execute("select district_code, run_id from lake.mart.evaluation").fetchall())
        closed = con.execute("select district_code from lake.mart.evaluation where is_closed").fetchall()
    assert closed == [(CODES[0],)]
    assert made.pop(CODES[0]) == "run-1"
    assert {run[:5] for run in made.values()} == {"run-3"}


def test_a_worker_whose_file_is_behind_the_lake_begins_from_the_lake(whole: Settings, tmp_path: Path) -> None:
    here, there = (
        replace(with_lake(whole, tmp_path), warehouse=tmp_path / n / "w.duckdb", published=tmp_path / n / "p")
        for n in ("here", "there")
    )
    share = Shard(1, 1)
    refresh(here.of_shard(share), "run-1")
    with open_session(there.of_shard(share)) as session:
        session.ingest()
        close_phase(session.con, CODES[1], PHASES[0].id)
        session.publish("run-2")
    refresh(here.of_shard(share), "run-3")
    assert here.lake
    with open_lake(here.lake, read_only=True) as con:
        found = con.execute("select district_code from lake.mart.evaluation where is_closed").fetchall()
    assert found == [(CODES[1],)]


def test_file_and_care_are_assets_where_there_is_a_lake(
    whole: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The morning's job makes both; a refresh makes neither."""
    assert whole.lake
    definitions = build_definitions.__wrapped__
    keys = {dg.AssetKey(["lake", "file"]), dg.AssetKey(["lake", "care"])}
    assert not definitions().resolve_asset_graph().get_all_asset_keys() & keys
    for name, value in {
        "YOUJUN_DATA": whole.data,
        "YOUJUN_PUBLISHED": tmp_path / "published",
        "YOUJUN_WAREHOUSE": tmp_path / "warehouse.duckdb",
        "YOUJUN_LAKE": f"ducklake:{whole.lake.catalogue}",
        "YOUJUN_LAKE_DATA": whole.lake.data,
    }.items():
        monkeypatch.setenv(name, str(value))
    made = definitions()
    assert made.resolve_asset_graph().get_all_asset_keys() >= keys
    assert not set(made.resolve_job_def("refresh").asset_layer.executable_asset_keys) & keys
    assert not set(made.resolve_job_def("refresh_shard").asset_layer.executable_asset_keys) & keys
    monkeypatch.setattr("youjun_pipeline.session.report_all", lambda *_: None)
    result = made.resolve_job_def("lake").execute_in_process()
    assert {e.asset_key for e in result.get_asset_materialization_events()} == keys
    assert differing(whole, tmp_path / "published" / "youjun.duckdb") == {}


def test_tidying_keeps_the_publication_and_leaves_no_orphan(whole: Settings, tmp_path: Path) -> None:
    own = replace(
        with_lake(whole, tmp_path), warehouse=tmp_path / "w.duckdb", published=tmp_path / "published"
    )
    for number in (1, 2):
        refresh(own.of_shard(Shard(number, 2)), f"run-{number}")
    lake = own.lake
    assert lake
    folder = Path(lake.data)
    (folder / "mart" / "school").mkdir(parents=True, exist_ok=True)
    (folder / "mart" / "school" / "ducklake-left-by-a-kill.parquet").write_bytes(b"torn")
    with open_lake(lake, read_only=True) as con:
        before = con.execute("select * from lake.mart.school order by all").fetchall()
    files = len(list(folder.rglob("*.parquet")))
    done = tidy(replace(lake, keep_days=1), grace=timedelta(0))
    assert done.orphans == 1 and done.merged > 0 and done.snapshots == 0
    assert len(list(folder.rglob("*.parquet"))) < files
    with open_lake(lake, read_only=True) as con:
        snapshot = last_publication(con)
        assert con.execute("select * from lake.mart.school order by all").fetchall() == before
    with open_lake(lake, snapshot=snapshot) as con:
        assert con.execute("select * from lake.mart.school order by all").fetchall() == before
    # what the lake's catalogue knows is what is there
    with duckdb.connect(lake.catalogue, read_only=True) as con:
        known = con.execute(
            "select count(*) from (select path from ducklake_data_file union all select path from ducklake_delete_file "
            "union all select path from ducklake_files_scheduled_for_deletion)"
        ).fetchall()[0][0]
    assert known == len(list(folder.rglob("*.parquet")))
