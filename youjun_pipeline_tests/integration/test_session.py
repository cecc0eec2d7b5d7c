"""The refresh without Dagster, as a notebook calls it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.reports.kinds import FOLDERS
from youjun_pipeline.session import SCENARIOS, in_memory, open_session
from youjun_pipeline.warehouse.manifest import MANIFEST_NAME
from youjun_pipeline.warehouse.models import load_models
from youjun_pipeline.warehouse.published import NoPublicationError, open_publication
from youjun_pipeline.warehouse.run import UnknownScopeError
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.steps import places

PHASES = (
    Phase("p1", "一", date(2023, 1, 1), date(2023, 9, 30)),
    Phase("p2", "二", date(2023, 10, 1), date(2024, 9, 30)),
)


def test_every_step_in_its_order_publishes_what_the_steps_say(tmp_path: Path) -> None:
    made = generate_district(1, n_schools=6, profile="passing")
    write_district(tmp_path, made.tables, made.settings, PHASES, style=PLAIN)
    settings = places(tmp_path, date(2024, 1, 1))
    with pytest.raises(NoPublicationError, match="请先运行 make run"), open_publication(settings.published):
        pass
    with open_session(settings) as session:
        assert {line.dataset: line.rows_accepted for line in session.ingest()}["schools"] == 6
        with pytest.raises(ValueError, match="no run has begun"):
            session.publish()
        assert session.begin("by-hand") == 2
        built = session.build()
        assert set(built) == {*load_models(), *SCENARIOS}
        assert built["mart.school"].rows == 12
        session.check()
        publication = session.publish()
        session.report()
    assert (publication.run_id, publication.as_of) == ("by-hand", date(2024, 1, 1))
    with open_publication(settings.published) as con:
        assert con.sql("select phase_id, run_id from mart.evaluation order by 1").fetchall() == [
            ("p1", "by-hand"),
            ("p2", "by-hand"),
        ]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            con.execute("delete from mart.school")
    manifest = json.loads((settings.published / MANIFEST_NAME).read_text("utf-8"))
    folders = ("parquet", "inputs", *FOLDERS, "data_docs", "site")
    assert manifest["folders"] == dict.fromkeys(folders, "by-hand")


def test_a_run_may_take_some_phases_and_districts(tmp_path: Path) -> None:
    made = generate_district(1, n_schools=4)
    write_district(tmp_path, made.tables, made.settings, PHASES, style=PLAIN)
    settings = places(tmp_path, date(2024, 1, 1))
    with open_session(settings) as session:
        session.ingest()
        # Earlier phases come along: p2 is judged against p1.
        assert session.begin("one", phases=("p2",)) == 2
        with pytest.raises(UnknownScopeError, match="没有这些区县：999999；现有：120114"):
            session.begin("none", districts=("999999",))
        with pytest.raises(UnknownScopeError, match="没有这些阶段：p3；现有：p1、p2"):
            session.begin("none", phases=("p3",))
    with in_memory() as con:
        assert con.execute("select count(*) from standard.catalogue").fetchall()[0][0] > 0


def test_manuals_show_the_steps_as_they_are() -> None:
    """The lines of the module's own example are in both manuals."""
    import youjun_pipeline.session as module

    steps = [line.strip() for line in str(module.__doc__).splitlines() if line.startswith("    ")]
    assert steps[0] == "with open_session(Settings.from_environment()) as session:"
    for manual in ("README.md", "README.zh-CN.md", "docs/guide.md"):
        text = (CHECKOUT / manual).read_text(encoding="utf-8")
        assert [step for step in steps if step not in text] == [], manual


def test_the_setting_bounds_the_memory_of_the_working_database(tmp_path: Path) -> None:
    settings = replace(places(tmp_path), memory="900MB")
    with open_session(settings) as session:
        limit, place = session.con.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchall()[0]
    assert limit == "858.3 MiB"
    assert place == f"{settings.warehouse}.tmp"
