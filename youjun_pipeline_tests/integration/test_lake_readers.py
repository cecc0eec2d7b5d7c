"""Readers of a publication get the same from the lake as from the file: commands, site, papers, planning."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.planning.base import open_planning
from youjun_pipeline.reports.kinds import FOLDERS
from youjun_pipeline.session import bring_to_lake, open_session, report, site
from youjun_pipeline.settings import Settings, Shard
from youjun_pipeline.warehouse.held_back import turned
from youjun_pipeline.warehouse.inputs import NoInputsError
from youjun_pipeline.warehouse.published import (
    NoPublicationError,
    attached_before,
    mark_of,
    open_publication,
)
from youjun_pipeline_tests.integration.lake_districts import AS_OF, CODES, PHASES, with_lake, write
from youjun_pipeline_tests.steps import places, refresh

pytestmark = pytest.mark.scale
pytest.importorskip("duckdb_extension_ducklake", reason="the extra `scale` is not installed")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two districts, published to a file and a lake."""
    folder = tmp_path_factory.mktemp("here")
    for seed, code in enumerate(CODES[:2], 1):
        write(folder, code, seed)
    settings = with_lake(places(folder, AS_OF), tmp_path_factory.mktemp("lake"))
    refresh(settings, "run-1")
    return settings


@pytest.fixture(scope="module")
def elsewhere(here: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A machine that has the lake and the districts' folders, and no file."""
    folder = tmp_path_factory.mktemp("elsewhere")
    return replace(here, published=folder / "published", warehouse=folder / "warehouse.duckdb")


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_pages_and_papers_are_the_same_to_the_byte(here: Settings, elsewhere: Settings) -> None:
    for settings, lake in ((here, None), (elsewhere, elsewhere.lake_to_read)):
        for folder in FOLDERS:
            report(settings.published, folder, settings.data, lake)
        site(settings.published, lake)
    for folder in (*FOLDERS, "site"):
        made = contents(elsewhere.published / folder)
        assert made == contents(here.published / folder) and len(made) > 2, folder


@pytest.mark.parametrize(
    "command",
    [("explain", CODES[0], PHASES[0].id, "--all"), ("what-if", CODES[0], PHASES[0].id, "{scenario}")],
    ids=["explain", "what-if"],
)
def test_commands_say_the_same(
    command: tuple[str, ...],
    here: Settings,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenario = tmp_path / "more.toml"
    with open_publication(here.published) as con:
        school = con.execute(
            "select min(school_name) from mart.school where district_code = $1", [CODES[0]]
        ).fetchall()[0][0]
    scenario.write_text(
        f'title = "扩建"\n[[action]]\naction_no = "1"\naction = "改扩建"\neffective_on = {PHASES[0].ends}\n'
        f'school = "{school}"\nitem = "教学及辅助用房面积"\nquantity = 500\n',
        encoding="utf-8",
    )
    said = []
    assert here.lake
    for settings in (replace(here, lake=None), elsewhere):
        monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
        monkeypatch.setenv("YOUJUN_PUBLISHED", str(settings.published))
        monkeypatch.setenv("YOUJUN_WAREHOUSE", str(settings.warehouse))
        monkeypatch.setenv("YOUJUN_AS_OF", AS_OF.isoformat())
        if settings.lake:
            monkeypatch.setenv("YOUJUN_LAKE", f"ducklake:{settings.lake.catalogue}")
            monkeypatch.setenv("YOUJUN_LAKE_DATA", settings.lake.data)
        code = main([word.format(scenario=scenario) for word in command])
        out = capsys.readouterr()
        said.append((code, out.out, out.err))
    assert said[0] == said[1]
    assert said[0][0] == 0, said[0]


def test_planning_begins_from_the_same_rows(here: Settings, elsewhere: Settings) -> None:
    code = CODES[1]
    found = []
    for settings, lake in ((here, None), (elsewhere, elsewhere.lake_to_read)):
        with open_planning(settings.published, [code], lake) as con:
            names = con.execute(
                "select schema_name || '.' || table_name from duckdb_tables() "
                "where schema_name in ('raw', 'accepted', 'mart') and database_name = 'memory' order by 1"
            ).fetchall()
            found.append(
                {
                    name: sorted(con.execute(f"select to_json(x) from {name} x").fetchall())
                    for (name,) in names
                }
            )
    assert found[0].keys() == found[1].keys()
    assert found[0] == found[1]
    assert len(found[0]["accepted.schools"]) == 6


def test_what_is_not_there_is_said(here: Settings, tmp_path: Path) -> None:
    with pytest.raises(NoPublicationError, match="make run"), open_publication(tmp_path):
        pass
    own = with_lake(here, tmp_path)
    refresh_of_none = replace(own, published=tmp_path / "published")
    assert own.lake
    bring_to_lake(own)
    assert mark_of(refresh_of_none.published, own.lake) is not None
    without = with_lake(here, tmp_path / "without")
    (tmp_path / "without").mkdir()
    shutil.copytree(here.published, tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare" / "inputs")
    bring_to_lake(replace(without, published=tmp_path / "bare"))
    with pytest.raises(NoInputsError, match="make run"), open_planning(tmp_path, [CODES[0]], without.lake):
        pass


def test_a_share_reads_its_own_file(here: Settings) -> None:
    assert here.lake_to_read == here.lake
    assert here.of_shard(Shard(1, 2)).lake_to_read is None


def test_the_publication_before_is_there_and_a_rollback_reaches_the_lake(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A district leaves; then the file is rolled back, and the lake with it."""
    shutil.copytree(here.data, tmp_path / "data", ignore=shutil.ignore_patterns(".work", "published"))
    own = with_lake(places(tmp_path / "data", AS_OF), tmp_path)
    refresh(own, "run-1")
    first = mark_of(tmp_path / "nowhere", own.lake)
    shutil.rmtree(tmp_path / "data" / f"{CODES[0]}-d")
    with open_session(own) as session:
        session.ingest()
        session.begin("run-2")
        session.build()
        session.check()
        session.publish()
    assert mark_of(tmp_path / "nowhere", own.lake) != first
    with (
        open_publication(tmp_path / "nowhere", own.lake) as con,
        attached_before(con, tmp_path / "nowhere") as is_there,
    ):
        assert is_there
        now, before = (
            con.execute(
                f"select list(distinct district_code order by district_code) from {c}mart.evaluation"
            ).fetchall()
            for c in ("", "before.")
        )
        assert now == [([CODES[1]],)] and before == [(sorted(CODES[:2]),)]
        assert turned(con) == []
    assert own.lake
    for name, value in {
        "YOUJUN_DATA": own.data,
        "YOUJUN_LAKE": f"ducklake:{own.lake.catalogue}",
        "YOUJUN_LAKE_DATA": own.lake.data,
    }.items():
        monkeypatch.setenv(name, str(value))
    assert main(["rollback"]) == 0
    with open_publication(tmp_path / "nowhere", own.lake) as con:
        found = con.execute(
            "select list(distinct district_code order by district_code) from mart.evaluation"
        ).fetchall()
    assert found == [(sorted(CODES[:2]),)]
