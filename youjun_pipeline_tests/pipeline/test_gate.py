"""The effect of bad data and faults on a publication: a district's fault affects only the district, other faults change
nothing.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from youjun_pipeline import session as session_module
from youjun_pipeline.orchestration.code_location import build_definitions
from youjun_pipeline.orchestration.execute import RefreshFailedError
from youjun_pipeline.orchestration.instance import instance_for
from youjun_pipeline.orchestration.partitions import range_tags
from youjun_pipeline.warehouse import publication as publication_module
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.held_back import SILENT, concerns
from youjun_pipeline_tests.generate import PLAIN, write_district
from youjun_pipeline_tests.pipeline.runs import FIRST, NORTH, SOUTH, Place, made, two_districts

# Many runs through Dagster, one after another.
pytestmark = pytest.mark.long

BROKEN_BOOK, NO_ROSTER, REPEATED, NO_COLUMN, GONE, NO_TOML, LATE_COMER = (f"11020{n}" for n in range(1, 8))
DELIVERY = "deliveries/2023-08-31"


@dataclass(frozen=True)
class Broken:
    """Districts without faults in a first run, each broken in its own way in a second; and the rows before."""

    place: Place
    before: dict[str, dict[str, list[Any]]]


def folder(place: Place, code: str) -> Path:
    return next(place.data.glob(f"{code}-*"))


def edit_rows(path: Path, change: Any) -> None:
    """Let `change` edit the rows of a csv file in place; the header is the first row."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def one_pupil_more(rows: list[list[str]]) -> None:
    column = rows[0].index("primary_students")
    row = next(row for row in rows[1:] if row[column] not in ("", "0"))
    row[column] = str(int(row[column]) + 1)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    data = tmp_path_factory.mktemp("gate")
    place = two_districts(data, (FIRST,))
    for seed, code in enumerate((BROKEN_BOOK, NO_ROSTER, REPEATED, NO_COLUMN, GONE, NO_TOML), 3):
        district = made(seed, code)
        write_district(
            data,
            district.tables,
            district.settings,
            (FIRST,),
            style=PLAIN,
            code=code,
            slug="x",
            name=f"{code}区",
        )
    place.run()
    codes = [NORTH, SOUTH, BROKEN_BOOK, NO_ROSTER, REPEATED, NO_COLUMN, GONE, NO_TOML]
    before = {code: place.tables(code, whole=True) for code in codes}

    edit_rows(folder(place, NORTH) / DELIVERY / "schools.csv", one_pupil_more)
    book = folder(place, BROKEN_BOOK) / DELIVERY
    (book / "teachers.csv").unlink()
    (book / "teachers.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    (folder(place, NO_ROSTER) / DELIVERY / "schools.csv").unlink()
    edit_rows(folder(place, REPEATED) / DELIVERY / "facilities.csv", lambda rows: rows.append(rows[1]))
    edit_rows(folder(place, NO_COLUMN) / DELIVERY / "schools.csv", lambda rows: rows[0].__setitem__(
        rows[0].index("school_type"), "no_such_column"
    ))  # fmt: skip
    shutil.rmtree(folder(place, GONE))
    (folder(place, NO_TOML) / "district.toml").write_text("code = ", "utf-8")
    # a folder that looks like a district, and one more that begins with a fault
    (data / "beside").mkdir()
    shutil.copy(folder(place, NORTH) / "district.toml", data / "beside")
    late = made(9, LATE_COMER)
    write_district(
        data, late.tables, late.settings, (FIRST,), style=PLAIN, code=LATE_COMER, slug="x", name="新区"
    )
    (folder(place, LATE_COMER) / DELIVERY / "schools.csv").write_text("一\n二\n", "utf-8")
    place.run()
    return Broken(place, before)


def failures(place: Place, code: str) -> list[tuple[Any, ...]]:
    return place.rows(
        "select phase_id, check_name, dataset, message from quality.check_result "
        "where district_code = ? and severity = 'blocking' and not passed",
        code,
    )


@pytest.mark.parametrize("code", [BROKEN_BOOK, NO_ROSTER, REPEATED, NO_COLUMN, NO_TOML])
def test_last_good_rows_of_a_broken_district_stay_byte_for_byte(broken: Broken, code: str) -> None:
    assert broken.before[code]["school_indicator"]
    assert broken.place.tables(code, whole=True) == broken.before[code]
    stale = "select distinct is_stale from mart.evaluation where district_code = ?"
    assert broken.place.rows(stale, code) == [(True,)]


def test_each_of_them_is_named_to_whoever_is_notified(broken: Broken) -> None:
    with connect(broken.place.published, read_only=True) as con:
        found = {(c.district_code, c.kind): c.district_name for c in concerns(con) if c.kind != SILENT}
    names = {(code, "held"): f"{code}区" for code in (BROKEN_BOOK, NO_ROSTER, REPEATED, NO_COLUMN, NO_TOML)}
    # one that never got in has no name there
    assert found == names | {(GONE, "gone"): "", (LATE_COMER, "held"): ""}


def test_rows_of_a_changed_district_are_new_and_of_an_unchanged_one_stand(broken: Broken) -> None:
    first, second = broken.place.rows("select run_id from ops.publication order by published_at")
    for code, made_by in ((NORTH, second), (SOUTH, first)):
        runs = broken.place.rows(
            "select distinct run_id from mart.school_indicator where district_code = ?", code
        )
        assert runs == [made_by]
    assert first != second
    assert broken.place.tables(SOUTH, whole=True) == broken.before[SOUTH]
    old = {row[3]: row for row in broken.before[NORTH]["section"]}
    assert any(old[row[3]] != row for row in broken.place.tables(NORTH, whole=True)["section"])


def test_broken_workbook_says_which_and_what_to_do(broken: Broken) -> None:
    [(phase, check, dataset, message)] = failures(broken.place, BROKEN_BOOK)
    assert (phase, check, dataset) == (FIRST.id, "file_unreadable", "teachers")
    assert message.startswith("2023-08-31/teachers.xlsx：") and "请" in message


def test_missing_roster_is_asked_for(broken: Broken) -> None:
    [(phase, check, dataset, message)] = failures(broken.place, NO_ROSTER)
    assert (phase, check, dataset) == (FIRST.id, "schools_missing", "schools")
    assert message == "阶段“第一阶段”截至 2023-09-30 没有学校名册（schools）：请补交"


def test_repeated_key_names_its_rows(broken: Broken) -> None:
    [(_, check, dataset, message)] = failures(broken.place, REPEATED)
    assert (check, dataset) == ("duplicate_key", "facilities")
    rows = (folder(broken.place, REPEATED) / DELIVERY / "facilities.csv").read_text("utf-8").splitlines()
    code = rows[1].split(",")[rows[0].split(",").index("school_code")]
    assert code in message and "2" in message and str(len(rows)) in message


def test_missing_column_is_named(broken: Broken) -> None:
    [(_, check, dataset, message)] = failures(broken.place, NO_COLUMN)
    assert (check, dataset) == ("required_column_missing", "schools")
    assert "办学类型" in message and "no_such_column" in message


def test_unreadable_district_file_stops_its_district_only(broken: Broken) -> None:
    [(phase, check, _, message)] = failures(broken.place, NO_TOML)
    assert check == "district_file_unreadable" and phase == FIRST.id
    assert f"{NO_TOML}-x/district.toml" in message and "TOML" in message


def test_district_that_begins_with_a_fault_has_no_rows_but_says_why(broken: Broken) -> None:
    assert all(rows == [] for rows in broken.place.tables(LATE_COMER).values())
    [(_, check, dataset, message)] = failures(broken.place, LATE_COMER)
    assert (check, dataset) == ("header_not_found", "schools")
    assert message.startswith("2023-08-31/schools.csv：")


def test_district_whose_folder_is_gone_leaves_with_a_warning(broken: Broken) -> None:
    assert all(rows == [] for rows in broken.place.tables(GONE).values())
    assert broken.place.rows("select count(*) from ops.source_file where district_code = ?", GONE) == [(0,)]
    [(severity, passed, message)] = broken.place.rows(
        "select severity, passed, message from quality.check_result where district_code = ?", GONE
    )
    assert (severity, passed) == ("warning", False)
    assert message.startswith(f"区县 {GONE}（{GONE}区）的文件夹已不在数据文件夹中：它的结果不再发布")


def test_what_lies_beside_the_districts_is_told(broken: Broken) -> None:
    [(message,)] = broken.place.rows(
        "select message from quality.check_result where district_code is null and check_name = 'folder_notice'"
    )
    assert message.startswith("beside：有 district.toml，但文件夹名不是")


def test_every_evaluation_comes_from_one_run(broken: Broken) -> None:
    with_runs = broken.place.rows(
        "select district_code, count(distinct run_id) from (from mart.evaluation union all by name "
        "select district_code, run_id from mart.school_indicator union all by name "
        "select district_code, run_id from mart.district_verdict) group by 1 order by 1"
    )
    assert with_runs == [
        (code, 1) for code in (NORTH, SOUTH, BROKEN_BOOK, NO_ROSTER, REPEATED, NO_COLUMN, NO_TOML)
    ]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two districts, published once; then 北区 gets one more pupil, which no run has read yet."""
    place = two_districts(tmp_path_factory.mktemp("standing"), (FIRST,))
    place.run()
    edit_rows(folder(place, NORTH) / DELIVERY / "schools.csv", one_pupil_more)
    return place


def published_bytes(place: Place) -> dict[str, str]:
    """Every file of the publication folder by its hash, including hidden ones."""
    files = [p for p in place.published.parent.rglob("*") if p.is_file()]
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_fault_of_a_model_leaves_the_publication_whole(
    standing: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, build = published_bytes(standing), session_module.build  # type: ignore[attr-defined]

    def fails(con: Any, model: Any) -> Any:
        if model.full_name == "mart.finding":
            raise ZeroDivisionError("made up")
        return build(con, model)

    monkeypatch.setattr(session_module, "build", fails)
    with pytest.raises(RefreshFailedError) as raised:
        standing.run()
    assert str(raised.value) == "刷新失败，上一次发布保持不变：\nmodels: ZeroDivisionError: made up"
    assert not raised.value.published
    assert published_bytes(standing) == before


def test_fault_while_publishing_leaves_the_publication_whole(
    standing: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published_bytes(standing)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication_module, "swap_in", full)
    with pytest.raises(RefreshFailedError, match="No space left on device") as raised:
        standing.run()
    assert str(raised.value).startswith("刷新失败，上一次发布保持不变：\npublication__youjun: ")
    assert published_bytes(standing) == before
    # nor does the working database believe that something was published
    assert len(standing.rows("select * from ops.publication", of=standing.warehouse)) == 1


def test_partial_selection_is_kept_out_by_the_gate(standing: Place) -> None:
    """Rebuilding only some tables would mix two runs in one evaluation; earlier runs have left such a state behind too."""
    before = {code: standing.tables(code, whole=True) for code in (NORTH, SOUTH)}
    with duckdb.connect(str(standing.warehouse)) as con:
        con.execute("update raw.standing set inputs = 'another program'")
    keys = ["mart/school_indicator", "mart/section", "quality/check_result", "publication/youjun"]
    with standing.settings(), instance_for([FIRST.id]) as instance:
        result = (
            build_definitions()
            .resolve_job_def("refresh")
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
                tags=range_tags([FIRST.id]),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        )
    assert result.success
    assert {code: standing.tables(code, whole=True) for code in (NORTH, SOUTH)} == before
    refused = standing.rows(
        "select district_code, message from quality.check_result "
        "where check_name = 'evaluation_has_one_run' and not passed and severity = 'blocking' order by 1"
    )
    assert [code for code, _ in refused] == [NORTH, SOUTH]
    assert all(f"{result.run_id}：mart.school_indicator" in message for _, message in refused)


def test_whole_run_heals_it(standing: Place) -> None:
    before = standing.tables(NORTH)
    result = standing.run()
    assert standing.tables(NORTH) != before
    assert standing.rows("select distinct run_id from mart.evaluation") == [(result.run_id,)]
    assert (
        standing.rows("select * from quality.check_result where severity = 'blocking' and not passed") == []
    )


@contextmanager
def held(path: Path, mode: str) -> Iterator[int]:
    """Another process that has the DuckDB file open; yields its id."""
    script = (
        f"import duckdb, sys; con = duckdb.connect({str(path)!r}, read_only={mode == 'read'});"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == "open\n"
        yield process.pid
        process.stdin.close()


def test_second_run_at_the_same_time_is_refused_clearly(standing: Place) -> None:
    before = published_bytes(standing)
    with held(standing.warehouse, "write") as pid, pytest.raises(RefreshFailedError) as raised:
        standing.run()
    head, reason = str(raised.value).split("\n")
    assert head == "刷新失败，上一次发布保持不变："
    assert reason == (
        f"deliveries: 工作库正被另一个刷新占用（进程 {pid}），请等它结束后再试 "
        f"(working database is in use): {standing.warehouse}"
    )
    assert published_bytes(standing) == before


def test_program_that_opened_the_publication_for_writing_is_named_as_the_cause(standing: Place) -> None:
    with held(standing.published, "write"), connect(standing.warehouse) as con:
        with (
            pytest.raises(publication_module.PublicationBusyError) as raised,
            publication_module.attached_previous(con, standing.published.parent),
        ):
            pass
        reason = f"发布库正被另一个程序以可写方式打开，无法读取：{standing.published}。请关闭它，或让它以只读方式打开后再试"
        assert str(raised.value) == reason


def test_manifest_names_the_run(standing: Place) -> None:
    manifest = json.loads((standing.published.parent / "manifest.json").read_text("utf-8"))
    newest = standing.rows(
        "select run_id, rows, content_sha256 from ops.publication order by published_at desc limit 1"
    )
    entry = manifest["publication"]
    assert [(entry["run_id"], entry["rows"], entry["content_sha256"])] == newest
    assert manifest["folders"]["parquet"] == entry["run_id"]
