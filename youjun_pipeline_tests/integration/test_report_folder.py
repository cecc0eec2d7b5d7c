"""A folder of reports: unchanged files are reused, the others rewritten, and the folder is swapped in and recorded."""

from __future__ import annotations

import inspect
import json
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from youjun_pipeline.reports import folder as folder_module
from youjun_pipeline.reports.evaluation import Evaluation, published_evaluations
from youjun_pipeline.reports.folder import Refreshed, Report, refresh_folder
from youjun_pipeline.reports.kinds import FOLDERS
from youjun_pipeline.reports.unchanged import CONTENTS_NAME
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.published_rows import (
    CODE,
    EVALUATION,
    PHASE,
    Rows,
    one_section,
    publish_rows,
    together,
)

if TYPE_CHECKING:
    import duckdb

OTHER = {"district_code": "120115"}


def write_names(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    names = [row["school_name"] for row in evaluation.rows(con, "mart.school", "school_name", "all")]
    path.write_text("\n".join(names), encoding="utf-8")


NAMES = Report("{district_code}/{phase_id}.txt", "校名", ("mart.evaluation", "mart.school"), write_names)


def two_districts(name: str = "第一小学", **evaluation: Any) -> Rows:
    """Two evaluations; the school of the first is called `name`."""
    return {
        "mart.evaluation": [{**EVALUATION, **evaluation}, {**EVALUATION, **OTHER, **evaluation}],
        "mart.school": [
            {"school_code": "1", "school_name": name, "in_scope": True},
            {**OTHER, "school_code": "2", "school_name": "第二小学", "in_scope": True},
        ],
    }


def refreshed(published: Path, rows: Rows, run_id: str = "run-1", *reports: Report) -> Refreshed:
    path = publish_rows(published, rows, run_id)
    with connect(path, read_only=True) as con:
        return refresh_folder(con, published, "names", reports or (NAMES,))


def test_a_new_folder_holds_every_evaluation(tmp_path: Path) -> None:
    assert refreshed(tmp_path, two_districts()) == Refreshed(written=2, kept=0)
    files = {p.relative_to(tmp_path / "names").as_posix(): p for p in (tmp_path / "names").rglob("*.txt")}
    assert sorted(files) == [f"{CODE}/{PHASE}.txt", f"120115/{PHASE}.txt"]
    assert files[f"{CODE}/{PHASE}.txt"].read_text("utf-8") == "第一小学"
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8"))["folders"] == {"names": "run-1"}


def test_unchanged_files_are_taken_over_whatever_run_made_the_rows(tmp_path: Path) -> None:
    refreshed(tmp_path, two_districts())
    assert refreshed(tmp_path, two_districts(as_of="2026-02-02"), "run-2") == Refreshed(written=0, kept=2)
    assert (tmp_path / "names" / CODE / f"{PHASE}.txt").read_text("utf-8") == "第一小学"
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8"))["folders"] == {"names": "run-2"}


def test_only_the_evaluation_whose_rows_changed_is_written_anew(tmp_path: Path) -> None:
    refreshed(tmp_path, two_districts())
    assert refreshed(tmp_path, two_districts("新名小学")) == Refreshed(written=1, kept=1)
    assert (tmp_path / "names" / CODE / f"{PHASE}.txt").read_text("utf-8") == "新名小学"


def test_a_file_that_somebody_edited_is_written_anew(tmp_path: Path) -> None:
    refreshed(tmp_path, two_districts())
    (tmp_path / "names" / CODE / f"{PHASE}.txt").write_text("改过", "utf-8")
    assert refreshed(tmp_path, two_districts()) == Refreshed(written=1, kept=1)
    assert (tmp_path / "names" / CODE / f"{PHASE}.txt").read_text("utf-8") == "第一小学"


@pytest.mark.parametrize("contents", ["", "[]", '{"files": 1}', None])
def test_a_folder_that_does_not_know_its_files_is_written_anew(tmp_path: Path, contents: str | None) -> None:
    refreshed(tmp_path, two_districts())
    path = tmp_path / "names" / CONTENTS_NAME
    path.unlink() if contents is None else path.write_text(contents, "utf-8")
    assert refreshed(tmp_path, two_districts()) == Refreshed(written=2, kept=0)


def test_another_layout_writes_everything_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed(tmp_path, two_districts())
    monkeypatch.setattr(folder_module, "_layout", lambda: "another")
    assert refreshed(tmp_path, two_districts()) == Refreshed(written=2, kept=0)


def test_every_module_that_writes_a_report_decides_how_it_looks() -> None:
    """A changed form in a folder of its own once left the old files there."""
    writers = {Path(inspect.getfile(report.write)) for reports in FOLDERS.values() for report in reports}
    assert len(writers) == 14
    for path in writers:
        assert any(path.is_relative_to(source) for source in folder_module._LAYOUT_SOURCES), path


def test_an_evaluation_that_left_the_publication_leaves_the_folder(tmp_path: Path) -> None:
    refreshed(tmp_path, two_districts())
    rows = two_districts()
    assert refreshed(tmp_path, {name: given[:1] for name, given in rows.items()}) == Refreshed(
        written=0, kept=1
    )
    assert not (tmp_path / "names" / "120115").exists()


def test_a_writer_that_fails_leaves_the_old_folder_whole(tmp_path: Path) -> None:
    def fail(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
        raise RuntimeError("disk is full")

    refreshed(tmp_path, two_districts())
    with pytest.raises(RuntimeError, match="disk is full"):
        refreshed(
            tmp_path, two_districts("新名小学"), "run-2", Report(NAMES.path, NAMES.title, NAMES.tables, fail)
        )
    assert (tmp_path / "names" / CODE / f"{PHASE}.txt").read_text("utf-8") == "第一小学"
    assert refreshed(tmp_path, two_districts("新名小学"), "run-3") == Refreshed(written=1, kept=1)


def test_the_published_folders_lie_where_the_interface_says(tmp_path: Path) -> None:
    rows = together(one_section("0000000001", "第一小学"), {"mart.evaluation": [EVALUATION]})
    path = publish_rows(tmp_path, rows)
    for name, reports in FOLDERS.items():
        with connect(path, read_only=True) as con:
            refresh_folder(con, tmp_path, name, reports)
    assert (tmp_path / "official" / CODE / f"{PHASE}.xlsx").is_file()
    assert (tmp_path / "schools" / CODE / PHASE / "自评表.xlsx").is_file()
    assert sorted(json.loads((tmp_path / "manifest.json").read_text("utf-8"))["folders"]) == sorted(FOLDERS)


def test_reports_name_every_table_they_read(tmp_path: Path) -> None:
    """If a report read a table that it does not name, the table could change without the report being rewritten."""
    rows = together(one_section("0000000001", "第一小学"), {"mart.evaluation": [EVALUATION]})
    path = publish_rows(tmp_path, rows)
    for report in (report for reports in FOLDERS.values() for report in reports):
        with connect(path, read_only=True) as con:
            watched = Watching(con)
            (evaluation,) = published_evaluations(con)
            # one that is written only where its table has rows reads everything before it misses them here
            with suppress(IndexError) if report.asked_by else nullcontext():
                report.write(watched, evaluation, tmp_path / Path(report.path).name)  # type: ignore[arg-type]
        read = {
            word
            for query in watched.queries
            for word in query.replace(")", " ").split()
            if word.startswith(("mart.", "quality.", "plan."))
        }
        assert read - {"mart.evaluation"} == set(report.tables) - {"mart.evaluation"}


class Watching:
    """A connection that records its queries."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.queries: list[str] = []

    def execute(self, query: str, *parameters: Any) -> duckdb.DuckDBPyConnection:
        self.queries.append(query)
        return self.con.execute(query, *parameters)
