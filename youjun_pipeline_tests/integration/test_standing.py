"""Unchanged evaluations are not made again, and the publication is the same as that of a run without a database."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.session import open_session
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.held_back import evaluation_states
from youjun_pipeline.warehouse.summary import verdicts
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh

# Each test is a history of whole runs.
pytestmark = pytest.mark.long

FIRST = Phase("2023-first", "第一阶段", date(2023, 7, 1), date(2023, 9, 30))
SECOND = Phase("2024-second", "第二阶段", date(2023, 10, 1), date(2024, 9, 30))
CODES = ("120114", "120115", "120116")
AS_OF = date(2024, 1, 1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three districts with two phases as of 2024-01-01, published: the first phase is over, the second under way."""
    folder = tmp_path_factory.mktemp("base")
    for seed, code in enumerate(CODES, 1):
        made = generate_district(seed, n_schools=10, profile="mixed", code=code)
        write_district(
            folder, made.tables, made.settings, (FIRST, SECOND), style=PLAIN, code=code, slug="d", name=code
        )
    refresh(places(folder, AS_OF), "run-1")
    return folder


@pytest.fixture
def settings(base: Path, tmp_path: Path) -> Settings:
    """A copy of `base`, to be changed."""
    shutil.copytree(base, tmp_path / "data")
    return places(tmp_path / "data", AS_OF)


def made_by(settings: Settings) -> dict[str, list[str]]:
    """For each run the evaluations whose published rows it made, as code and the first four digits of the phase."""
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        found = con.execute(
            "select run_id, list(district_code || ' ' || left(phase_id, 4) order by district_code, phase_id)"
            " from mart.evaluation group by 1"
        ).fetchall()
        tables = con.execute(
            "select table_name from duckdb_columns() where schema_name = 'mart' and table_name <> 'evaluation'"
            " group by table_name having count(*) filter (column_name in ('phase_id', 'run_id')) = 2"
        ).fetchall()
        for (table,) in tables:
            strange = con.execute(
                f"select distinct t.run_id from mart.{table} t join mart.evaluation e using (district_code, phase_id)"
                " where t.run_id <> e.run_id"
            ).fetchall()
            assert (table, strange) == (table, [])
    return dict(found)


def anew(settings: Settings) -> str:
    """The content that a run without a database publishes."""
    other = settings.data.parent / f"{settings.data.name}-anew"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(settings.data, other, ignore=shutil.ignore_patterns(".work", "published"))
    return refresh(places(other, settings.as_of), "anew").content_sha256


def one_pupil_more(settings: Settings, code: str, delivery: str = "2023-08-31") -> None:
    [path] = settings.data.glob(f"{code}-d/deliveries/{delivery}/schools.csv")
    lines = path.read_text("utf-8").splitlines()
    column = next(
        n for n, name in enumerate(lines[0].split(",")) if name in ("primary_students", "小学在校生数")
    )
    for number, line in enumerate(lines[1:], 1):
        cells = line.split(",")
        if cells[column] not in ("", "0"):
            cells[column] = str(int(cells[column]) + 1)
            lines[number] = ",".join(cells)
            break
    path.write_text("\n".join(lines) + "\n", "utf-8")


def test_unchanged_evaluations_stand_and_the_publication_is_the_same(settings: Settings) -> None:
    before = anew(settings)
    with open_session(settings) as session:
        session.ingest()
        assert session.begin("run-2") == 0
        assert {name: built.rows for name, built in session.build().items() if built.rows} == {
            # tables of the standard alone, which belong to no evaluation
            name: session.con.execute(f"select count(*) from {name}").fetchall()[0][0]
            for name in ("core.indicator_name", "mart.indicator")
        }
        assert session.check() == 0
        published = session.publish()
    assert published.content_sha256 == before
    assert made_by(settings) == {"run-1": [f"{c} {y}" for c in CODES for y in ("2023", "2024")]}


def test_only_what_changed_is_made_again_and_what_rests_on_it(settings: Settings) -> None:
    one_pupil_more(settings, "120115")
    published = refresh(settings, "run-2")
    assert made_by(settings)["run-2"] == ["120115 2023", "120115 2024"]
    assert published.content_sha256 == anew(settings)
    # a delivery of the second phase leaves the first alone
    made = generate_district(9, n_schools=10, profile="mixed", code="120114")
    write_delivery(next(settings.data.glob("120114-*")), "2023-12-01", made.tables, style=PLAIN, seed=0)
    published = refresh(settings, "run-3")
    assert made_by(settings)["run-3"] == ["120114 2024"]
    assert published.content_sha256 == anew(settings)


def test_later_day_leaves_a_phase_that_is_over_and_makes_one_under_way(settings: Settings) -> None:
    later = replace(settings, as_of=date(2024, 1, 2))
    published = refresh(later, "run-2")
    assert made_by(later)["run-1"] == [f"{code} 2023" for code in CODES]
    assert made_by(later)["run-2"] == [f"{code} 2024" for code in CODES]
    assert published.content_sha256 == anew(later)
    with duckdb.connect(str(later.published / "youjun.duckdb"), read_only=True) as con:
        assert con.execute("select distinct as_of from mart.evaluation").fetchall() == [(later.as_of,)]


def test_partial_run_takes_later_phases_along(settings: Settings) -> None:
    one_pupil_more(settings, "120116")
    refresh(settings, "run-2", phases=(FIRST.id,))
    # a phase made alone takes along those that rest on it
    assert made_by(settings)["run-2"] == ["120116 2023", "120116 2024"]
    published = refresh(settings, "run-3")
    assert "run-3" not in made_by(settings)
    assert published.content_sha256 == anew(settings)


@pytest.mark.parametrize("what", ["option", "catalogue", "program"])
def test_other_rules_make_everything_they_concern_again(
    settings: Settings, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [f"{c} {y}" for c in CODES for y in ("2023", "2024")]
    if what == "option":
        [path] = settings.data.glob("120114-*/district.toml")
        path.write_text(
            path.read_text("utf-8").replace("[options]\n", "[options]\nclose_after_days = 900\n"), "utf-8"
        )
        expected = ["120114 2023", "120114 2024"]
    elif what == "program":
        from youjun_pipeline.warehouse import publication, standing

        for module in (standing, publication):
            monkeypatch.setattr(module, "program_hash", lambda: "another")
    with open_session(settings) as session:
        if what == "catalogue":
            session.con.execute("update standard.catalogue set name = name || '（修订）'")
        session.ingest()
        session.begin("run-2")
        session.build()
        session.check()
        session.publish()
    assert made_by(settings)["run-2"] == expected


def test_interrupted_run_is_made_again_although_its_inputs_are_those_of_before(settings: Settings) -> None:
    """A run began with other figures and died; then the old file was restored."""
    [path] = settings.data.glob("120114-d/deliveries/2023-08-31/schools.csv")
    before, content = path.read_bytes(), anew(settings)
    one_pupil_more(settings, "120114")
    with open_session(settings) as session:
        session.ingest()
        session.begin("run-2")
        for name in ("core.school", "core.section", "mart.school"):
            session.build_table(name)
    path.write_bytes(before)
    published = refresh(settings, "run-3")
    assert made_by(settings)["run-3"] == ["120114 2023", "120114 2024"]
    assert published.content_sha256 == content


def stale(settings: Settings) -> list[tuple[str, str]]:
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        return con.execute(
            "select district_code, left(phase_id, 4) from mart.evaluation where is_stale order by all"
        ).fetchall()


def test_what_a_run_leaves_behind_is_stale_until_the_next_that_takes_the_district(settings: Settings) -> None:
    """Figures of both phases change in two districts; a run includes one phase of one of them."""
    one_pupil_more(settings, "120114")
    one_pupil_more(settings, "120115")
    refresh(settings, "run-2", phases=("2024-second",), districts=("120114",))
    assert stale(settings) == [("120115", "2023"), ("120115", "2024")]
    assert made_by(settings)["run-2"] == ["120114 2023", "120114 2024"]
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        states = {(s.district_code, s.phase_id[:4]): s.state for s in evaluation_states(con)}
        assert states == {
            ("120114", "2023"): "published",
            ("120114", "2024"): "published",
            ("120115", "2023"): "stale",
            ("120115", "2024"): "stale",
            ("120116", "2023"): "kept",
            ("120116", "2024"): "kept",
        }
        assert [str(row[-1])[-5:] for row in verdicts(con) if str(row[0]).startswith("120115")] == [
            "（待更新）"
        ] * 2
    published = refresh(settings, "run-3", phases=("2023-first",))
    assert stale(settings) == []
    assert published.content_sha256 == anew(settings)


def test_what_is_stale_is_not_closed_by_its_days(settings: Settings) -> None:
    """Files that were delivered in time would be excluded for ever; but one day without a run does not make a finished phase
    stale.
    """
    [path] = settings.data.glob("120114-d/district.toml")
    path.write_text(
        path.read_text("utf-8").replace("[options]", "[options]\nclose_after_days = 120"), "utf-8"
    )
    refresh(settings, "run-2")
    one_pupil_more(settings, "120114")
    later = replace(settings, as_of=date(2024, 2, 1))
    refresh(later, "run-3", districts=("120115",))
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        assert con.execute("select phase_id from ops.phase_closure").fetchall() == []
    # the phase under way of the third is known up to a day that is over
    assert stale(later) == [("120114", "2023"), ("120114", "2024"), ("120116", "2024")]
    refresh(later, "run-4")
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        assert con.execute("select left(phase_id, 4) from ops.phase_closure").fetchall() == [("2023",)]
    assert stale(later) == []


def test_tables_made_in_part_do_not_stand(settings: Settings) -> None:
    one_pupil_more(settings, "120114")
    with open_session(settings) as session:
        session.ingest()
        session.begin("run-2")
        for name in ("core.school", "mart.school"):
            session.build_table(name)
        session.check()
        session.publish()
    assert "run-2" not in made_by(settings)
    refresh(settings, "run-3")
    assert made_by(settings)["run-3"] == ["120114 2023", "120114 2024"]


def test_held_back_district_is_tried_again_and_comes_back_with_its_old_file(settings: Settings) -> None:
    [path] = settings.data.glob("120114-d/deliveries/2023-08-31/schools.csv")
    before, content = path.read_bytes(), anew(settings)
    path.write_text("一\n二\n", "utf-8")
    refresh(settings, "run-2")
    assert "run-2" not in made_by(settings)
    path.write_bytes(before)
    published = refresh(settings, "run-3")
    assert published.content_sha256 == content
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        assert (
            con.execute("from quality.check_result where severity = 'blocking' and not passed").fetchall()
            == []
        )


def test_files_of_unchanged_tables_are_taken_over(settings: Settings) -> None:
    def inodes() -> dict[str, int]:
        return {
            path.parent.name: path.stat().st_ino for path in settings.published.glob("parquet/*/*.parquet")
        }

    def publish_again(run_id: str) -> None:
        with open_session(settings) as session:
            session.publish(run_id)

    first = inodes()
    publish_again("run-2")
    second = inodes()
    assert {name for name in first if first[name] == second[name]} >= {
        "mart.school_indicator",
        "mart.lineage",
    }
    [path] = settings.published.glob("parquet/mart.lineage/*.parquet")
    os.truncate(path, 100)
    publish_again("run-3")
    count: dict[str, Any] = {}
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        for file in settings.published.glob("parquet/*/*.parquet"):
            table = file.parent.name
            count[table] = con.execute(f"select count(*) from '{file}'").fetchall()
            assert count[table] == con.execute(f"select count(*) from {table}").fetchall(), table
    one_pupil_more(settings, "120114")
    refresh(settings, "run-4")
    assert inodes()["mart.school_indicator"] != second["mart.school_indicator"]
