"""States that a crash leaves behind, made by hand: how the next run, or a rollback, repairs each of them."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.ingest.store import ensure_raw
from youjun_pipeline.orchestration.failures import cause_of, has_published
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse import publication as publication_module
from youjun_pipeline.warehouse import swap
from youjun_pipeline.warehouse.closing import close_phase, reopen_phase
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline.warehouse.rollback import roll_back
from youjun_pipeline.warehouse.run import AsOfWentBackError
from youjun_pipeline.warehouse.swap import mend
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.steps import compute, places, read_all, refresh, working

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

PHASE = Phase("p1", "一", date(2023, 1, 1), date(2023, 9, 30))


CLOSES = "[options]\nclose_after_days = 30\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district of one phase, published as run-1 on the day after the phase's end; it closes after 30 days."""
    folder = tmp_path_factory.mktemp("base")
    made = generate_district(1, n_schools=6, profile="passing")
    district = write_district(folder, made.tables, made.settings, (PHASE,), style=PLAIN)
    toml = district / "district.toml"
    toml.write_text(toml.read_text("utf-8").replace("[options]\n", CLOSES), "utf-8")
    refresh(places(folder, date(2023, 10, 1)), "run-1")
    return folder


@pytest.fixture
def settings(base: Path, tmp_path: Path) -> Settings:
    shutil.copytree(base, tmp_path / "data")
    return places(tmp_path / "data", date(2023, 10, 1))


def publish_again(settings: Settings, run_id: str, day: date | None = None) -> None:
    """Publish the content of the working database."""
    with working(settings) as con:
        publish(con, settings.published, run_id, day or settings.as_of)


def newest(settings: Settings) -> str:
    with connect(settings.published / "youjun.duckdb", read_only=True) as con:
        found = con.execute(
            "select run_id from ops.publication order by published_at desc limit 1"
        ).fetchall()
        return str(found[0][0])


def killed(*_: object) -> None:
    raise SystemExit("killed")


def crash_before_the_swap(settings: Settings, day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publication_module, "swap_in", killed)
        with pytest.raises(SystemExit):
            publish_again(settings, "run-2", day)


@pytest.mark.long
def test_phase_closed_for_a_publication_that_never_came_is_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_before_the_swap(settings, date(2024, 1, 1), monkeypatch)
    with connect(settings.warehouse) as con:
        assert con.execute("select closed_by from ops.phase_closure").fetchall() == [("after_days",)]
    with working(settings) as con:
        assert con.execute("select count(*) from ops.phase_closure").fetchall() == [(0,)]
        assert con.execute("select is_closed from mart.evaluation").fetchall() == [(False,)]
        publish(con, settings.published, "run-3", date(2024, 1, 1))
    with working(places(settings.data, date(2024, 1, 1))) as con:  # that one was seen
        assert con.execute("select is_closed from mart.evaluation").fetchall() == [(True,)]


@pytest.mark.long
def test_values_restated_for_a_publication_that_never_came_are_restated_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    [schools] = settings.data.glob("*/deliveries/*/schools.csv")
    original = schools.read_text("utf-8")
    header = original.split("\n", 1)[0].split(",")

    def correct(con: duckdb.DuckDBPyConnection, township: str, run_id: str) -> None:
        """Deliver the roster anew with every school in one township, and judge it."""
        rows = [line.split(",") for line in original.splitlines()[1:]]
        for row in rows:
            row[header.index("township")] = township
        schools.write_text("\n".join(",".join(row) for row in (header, *rows)) + "\n", "utf-8")
        read_all(con, settings)
        compute(con, settings, run_id)

    with working(settings) as con:
        correct(con, "甲镇", "run-2")
        close_phase(con, "120114", PHASE.id)
        publish(con, settings.published, "run-2", settings.as_of)
        reopen_phase(con, "120114", PHASE.id, "更正")
        correct(con, "乙镇", "run-3")
        with monkeypatch.context() as patch:
            patch.setattr(publication_module, "swap_in", killed)
            with pytest.raises(SystemExit):
                publish(con, settings.published, "run-3", settings.as_of)
    with working(settings) as con:
        correct(con, "丙镇", "run-4")
        publish(con, settings.published, "run-4", settings.as_of)
    with connect(settings.published / "youjun.duckdb", read_only=True) as con:
        changed = con.execute(
            "select distinct old_value, new_value from ops.restatement "
            "where table_name = 'mart.school' and column_name = 'township'"
        ).fetchall()
    assert changed == [("甲镇", "丙镇")]


def test_as_of_date_does_not_go_back_behind_a_publication_that_was_not_noted(settings: Settings) -> None:
    publish_again(settings, "run-2", date(2023, 10, 20))
    with connect(settings.warehouse) as con:
        con.execute("delete from ops.publication where run_id = 'run-2'")
    with pytest.raises(AsOfWentBackError, match="上次发布的截止日期是 2023-10-20，本次是 2023-10-10"):
        publish_again(settings, "run-3", date(2023, 10, 10))
    assert newest(settings) == "run-2"


def test_phase_is_not_closed_as_of_an_earlier_day(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
    monkeypatch.setenv("YOUJUN_AS_OF", "2023-09-30")
    assert main(["close", "120114", PHASE.id]) == 1
    assert capsys.readouterr().err.startswith(
        "截止日期不能倒退：上次发布的截止日期是 2023-10-01，本次是 2023-09-30。"
    )
    with connect(settings.warehouse) as con:
        assert con.execute("select count(*) from ops.phase_closure").fetchall() == [(0,)]


def test_newest_publication_is_the_latest_even_if_the_clock_was_set_back(settings: Settings) -> None:
    with connect(settings.warehouse) as con:
        con.execute("update ops.publication set published_at = '2096-01-01'")
    publish_again(settings, "run-2")
    assert newest(settings) == "run-2"
    publish_again(settings, "run-3")
    assert newest(settings) == "run-3"
    assert roll_back(settings.warehouse, settings.published).run_id == "run-2"


def test_deliveries_dated_in_the_future_by_their_disk_are_read_as_any(settings: Settings) -> None:
    with working(settings) as con:
        before = con.execute("select count(*), sum(rows_read) from raw.content").fetchall()
    shutil.rmtree(settings.warehouse.parent)
    for path in settings.data.rglob("*"):
        os.utime(path, (4_000_000_000, 4_000_000_000))  # in 2096
    with working(settings) as con:
        read_all(con, settings)
        assert con.execute("select count(*), sum(rows_read) from raw.content").fetchall() == before


def test_damaged_manifest_is_written_anew(settings: Settings) -> None:
    for damaged in ("", "[]"):
        (settings.published / "manifest.json").write_text(damaged, "utf-8")
        publish_again(settings, "run-2")
        manifest = json.loads((settings.published / "manifest.json").read_text("utf-8"))
        assert manifest["publication"]["run_id"] == "run-2"
        assert manifest["folders"] == {"parquet": "run-2", "inputs": "run-2"}


def test_what_a_crash_leaves_beside_the_publication_is_put_right(tmp_path: Path) -> None:
    for name in (".youjun.duckdb-x", ".youjun.duckdb-x.wal", "youjun.duckdb"):
        (tmp_path / name).write_text(name)
    # the file was replaced, the one before it still waits under its spare name; parquet/ was between two renames
    (tmp_path / "youjun.previous.duckdb").write_text("oldest")
    (tmp_path / ".youjun.previous.duckdb").write_text("before")
    for name, text in (
        (".parquet-old", "old"),
        (".parquet-new", "new"),
        ("site", "new"),
        (".site-old", "old"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "of").write_text(text)
    mend(tmp_path)
    found = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {
        "youjun.duckdb": "youjun.duckdb",
        "youjun.previous.duckdb": "before",
        "parquet/of": "old",
        "site/of": "new",
    }
    # linked for a swap that did not come: the one before stays the one before
    os.link(tmp_path / "youjun.duckdb", tmp_path / ".youjun.previous.duckdb")
    mend(tmp_path)
    assert (tmp_path / "youjun.previous.duckdb").read_text() == "before"
    assert not (tmp_path / ".youjun.previous.duckdb").exists()


def test_rollback_that_was_cut_off_can_be_taken_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_again(settings, "run-2")
    replace, done = os.replace, list[str]()

    def crash(source: Any, target: Any) -> None:
        if done:
            raise SystemExit("killed")
        done.append(str(target))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(SystemExit):
            roll_back(settings.warehouse, settings.published)
    assert newest(settings) == "run-1"
    assert roll_back(settings.warehouse, settings.published).run_id == "run-2"
    assert newest(settings) == "run-2"


@pytest.mark.parametrize("exchanges", [True, False])
def test_folder_is_swapped_and_the_manifest_promises_nothing_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    for name, text in (("site", "old"), (".site-new", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "of").write_text(text)
    (tmp_path / "manifest.json").write_text(
        json.dumps({"publication": {"run_id": "run-2"}, "folders": {"site": "run-1", "parquet": "run-2"}})
    )
    seen, exchange = list[dict[str, Any]](), swap.exchange

    def watched(one: Path, other: Path) -> bool:
        seen.append(json.loads((tmp_path / "manifest.json").read_text()))
        return exchanges and exchange(one, other)

    monkeypatch.setattr(swap, "exchange", watched)
    put_folder(tmp_path / ".site-new", tmp_path, "site")
    assert [manifest["folders"] for manifest in seen] == [{"parquet": "run-2"}]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["folders"] == {"site": "run-2", "parquet": "run-2"}
    assert (tmp_path / "site" / "of").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["manifest.json", "site"]


class _Dies:
    """A connection whose process dies at the first statement that begins with `words`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, words: str) -> None:
        self.con, self.words = con, words

    def execute(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        if sql.startswith(self.words):
            raise SystemExit("killed")
        return self.con.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)


def test_crash_while_a_changed_contract_empties_its_tables_leaves_no_row_twice(settings: Settings) -> None:
    with working(settings) as con:
        once = con.execute("select count(*) from raw.schools").fetchall()
        con.execute("update raw.content set reader_version = 'older' where dataset = 'schools'")
        with pytest.raises(SystemExit):
            ensure_raw(_Dies(con, "create or replace table raw.schools"))  # type: ignore[arg-type]
    with working(settings) as con:
        read_all(con, settings)
        assert con.execute("select count(*) from raw.schools").fetchall() == once
        assert con.execute("select count(*) from raw.content where dataset = 'schools'").fetchall() == [(1,)]


class _Error:
    """A failure as Dagster records it."""

    def __init__(self, cls_name: str, message: str, cause: _Error | None = None) -> None:
        self.cls_name, self.message, self.cause = cls_name, message, cause


def test_failure_says_whether_the_file_was_replaced_and_what_to_do() -> None:
    full = _Error("OSError", "OSError: [Errno 28] No space left on device: 'x'")
    part = _Error(
        "PublishedInPartError",
        "youjun_pipeline.warehouse.publication.PublishedInPartError: 发布库已更新",
        full,
    )
    step = _Error("DagsterExecutionStepExecutionError", "step", part)
    assert (has_published(step), has_published(full), has_published(None)) == (True, False, False)
    assert cause_of(step) == "发布库已更新"
    assert cause_of(full) == f"{full.message}\n磁盘已满：请腾出空间后再运行 make run"
