"""Rolling back: the previous publication, its copies, the note; and cases in which it is impossible."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from youjun_pipeline.cli import main
from youjun_pipeline.session import open_session
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import WarehouseBusyError, connect
from youjun_pipeline.warehouse.inputs import NoInputsError, open_inputs
from youjun_pipeline.warehouse.published import open_publication
from youjun_pipeline.warehouse.rollback import RollbackError, aside, roll_back
from youjun_pipeline.warehouse.run import AsOfInFutureError, AsOfWentBackError
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

# Each test is a history of whole runs.
pytestmark = pytest.mark.long

PHASE = Phase("p1", "一", date(2023, 1, 1), date(2023, 9, 30))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = generate_district(1, n_schools=10, profile="passing")
    write_district(tmp_path, made.tables, made.settings, (PHASE,), style=PLAIN)
    return places(tmp_path, date(2024, 1, 1))


def standing(settings: Settings) -> tuple[str, str, str]:
    """Run id by the file, by its Parquet copy, and by the manifest."""
    with duckdb.connect(":memory:") as con:
        con.execute(f"attach '{settings.published / 'youjun.duckdb'}' as p (read_only)")
        newest = "select arg_max(run_id, published_at) from"
        by_file = con.execute(f"{newest} p.ops.publication").fetchall()[0][0]
        copy = settings.published / "parquet" / "ops.publication" / "publication.parquet"
        by_copy = con.execute(f"{newest} '{copy}'").fetchall()[0][0]
    manifest = json.loads((settings.published / "manifest.json").read_text("utf-8"))
    return by_file, by_copy, manifest["publication"]["run_id"]


def note(settings: Settings) -> str | None:
    manifest = json.loads((settings.published / "manifest.json").read_text("utf-8"))
    return manifest.get("rolled_back", {}).get("from_run_id")


def test_back_and_forth_and_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refresh(settings, "run-1")
    refresh(Settings(settings.data, settings.warehouse, settings.published, date(2024, 1, 2)), "run-2")
    monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
    assert main(["rollback"]) == 0
    assert "run-1" in capsys.readouterr().out
    assert standing(settings) == ("run-1", "run-1", "run-1")
    assert note(settings) == "run-2"
    assert (settings.published / "official" / "120114" / "p1.xlsx").exists()
    roll_back(settings.warehouse, settings.published)
    assert standing(settings) == ("run-2", "run-2", "run-2")
    refresh(Settings(settings.data, settings.warehouse, settings.published, date(2024, 1, 3)), "run-3")
    assert standing(settings) == ("run-3", "run-3", "run-3")
    assert note(settings) is None
    # An older version of the program may have published less than the reports of today show.
    with connect(settings.published / "youjun.previous.duckdb") as con:
        con.execute("alter table mart.district_verdict drop column summary")
    capsys.readouterr()
    assert main(["rollback"]) == 1
    assert standing(settings) == ("run-2", "run-2", "run-2")
    assert "发布库和 Parquet 已退回，但旁边的报表和网站没有全部重新生成" in capsys.readouterr().err


def pupils(settings: Settings) -> int:
    """The pupils in the inputs beside the publication."""
    with open_inputs(settings.published, ["120114"]) as con:
        return int(con.execute("select sum(primary_students) from accepted.schools").fetchall()[0][0])


def test_the_inputs_go_back_with_their_publication(settings: Settings) -> None:
    """The inputs once stayed those of the newer publication: the older one was judged by figures that it never had."""
    refresh(settings, "run-1")
    first = pupils(settings)
    (schools,) = settings.data.glob("*/deliveries/*/schools.csv")
    table = pd.read_csv(schools, dtype=str)
    column = next(c for c in table if c in ("primary_students", "小学在校生数", "小学生数"))
    table.loc[table[column].notna(), column] = (
        table.loc[table[column].notna(), column].astype(int) + 1
    ).astype(str)
    table.to_csv(schools, index=False)
    refresh(settings, "run-2")
    second = pupils(settings)
    assert second > first
    roll_back(settings.warehouse, settings.published)
    assert pupils(settings) == first
    roll_back(settings.warehouse, settings.published)
    assert pupils(settings) == second
    # a crash between the file and the folder
    folder_of = settings.published / "manifest.json"
    manifest = json.loads(folder_of.read_text("utf-8"))
    manifest["folders"]["inputs"] = "run-1"
    folder_of.write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(NoInputsError, match="不是当前发布"):
        pupils(settings)
    refresh(settings, "run-3")
    assert pupils(settings) == second


def test_nothing_to_go_back_to(settings: Settings) -> None:
    refresh(settings, "run-1")
    with pytest.raises(RollbackError, match="没有上一次的发布库"):
        roll_back(settings.warehouse, settings.published)
    (settings.published / "youjun.previous.duckdb").write_bytes(b"torn")
    with pytest.raises(RollbackError, match="无法读取，没有回退"):
        roll_back(settings.warehouse, settings.published)
    assert standing(settings)[0] == "run-1"


def test_not_while_a_refresh_runs_but_without_a_working_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(settings, "run-1")
    # a run that finds nothing changed publishes nothing
    refresh(replace(settings, as_of=date(2024, 1, 2)), "run-2")
    from youjun_pipeline.warehouse import rollback

    def busy(*args: object, **kwargs: object) -> None:
        raise WarehouseBusyError("正被另一个刷新占用")

    with monkeypatch.context() as patch:
        patch.setattr(rollback, "connect", busy)
        with pytest.raises(WarehouseBusyError):
            roll_back(settings.warehouse, settings.published)
    # whoever says to which day is not taken to another
    with pytest.raises(RollbackError, match="截止日期是 2024-01-01，不是 2023-12-31，没有回退"):
        roll_back(settings.warehouse, settings.published, "2023-12-31")
    assert standing(settings)[0] == "run-2" and settings.warehouse.exists()
    settings.warehouse.write_bytes(b"torn")
    roll_back(settings.warehouse, settings.published, "2024-01-01")
    assert standing(settings)[0] == "run-1"
    with connect(settings.published / "youjun.previous.duckdb", read_only=True) as con:
        assert con.execute("select arg_max(run_id, published_at) from ops.publication").fetchall() == [
            ("run-2",)
        ]


def test_a_date_in_the_future_is_refused_and_one_command_leads_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once every later night was refused, and rolling back did not help, because the working database had the date."""
    (district,) = settings.data.glob("*/district.toml")
    district.write_text(
        district.read_text("utf-8").replace("[options]\n", "[options]\nclose_after_days = 9000\n", 1), "utf-8"
    )
    refresh(settings, "run-1")
    future = replace(settings, as_of=date(2090, 1, 1))
    with pytest.raises(AsOfInFutureError, match=r"2090-01-01 在今天.*之后.*--force"), open_session(future):
        pass
    with open_session(future, allow_future=True) as session:
        session.ingest()
        session.begin("run-2")
        session.build()
        session.check()
        session.publish()
    with open_publication(settings.published) as con:
        assert con.execute("select is_closed from mart.evaluation").fetchall() == [(True,)]
    night = replace(settings, as_of=date(2024, 1, 2))
    with pytest.raises(AsOfWentBackError, match="youjun rollback"):
        refresh(night, "refused")
    monkeypatch.setenv("YOUJUN_DATA", str(settings.data))
    assert main(["rollback"]) == 0
    assert not settings.warehouse.exists() and aside(settings.warehouse).exists()
    assert refresh(night, "run-3").as_of == date(2024, 1, 2)
    with open_publication(settings.published) as con:
        # what the withdrawn publication closed is open again, and its history says nothing of it
        assert con.execute("select run_id, is_closed from mart.evaluation").fetchall() == [("run-3", False)]
        assert con.execute("select run_id from ops.publication order by published_at").fetchall() == [
            ("run-1",),
            ("run-3",),
        ]
