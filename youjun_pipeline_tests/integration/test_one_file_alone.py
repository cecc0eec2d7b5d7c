"""No file stops another: any error while one file is read is that file's failure and names it; the other districts' rows are the
same as without it.

Belongs here: two districts and one bad file. Keep out: what is wrong with files (test_unreadable_files.py, dirty/).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from youjun_pipeline.ingest import bulk, file_rows, files, validate
from youjun_pipeline.ingest.formats import opening, xlsx
from youjun_pipeline.ingest.statistics import compose, school_books
from youjun_pipeline.settings import Settings
from youjun_pipeline_tests.dirty.mutate import mutant
from youjun_pipeline_tests.faults.bomb_books import books
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.generate.statistics import Look, book_of, schools_of
from youjun_pipeline_tests.integration.test_parquet_types import TYPED, write
from youjun_pipeline_tests.steps import places, read_all, refresh, working

GOOD, BAD = "110101", "110102"


class BoomError(Exception):
    """An unforeseen error."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two districts made in the same way."""
    data = tmp_path_factory.mktemp("two") / "data"
    for seed, code in enumerate((GOOD, BAD), 1):
        made = generate_district(seed, n_schools=8, profile="mixed", code=code, leading_zero=False)
        write_district(data, made.tables, made.settings, style=PLAIN, code=code)
    return data


@pytest.fixture
def data(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "data"))


def delivery(data: Path, code: str) -> Path:
    (district,) = data.glob(f"{code}-*")
    return next(iter(sorted((district / "deliveries").iterdir())))


def put(data: Path, dataset: str, content: bytes, suffix: str) -> Path:
    """The bad district's file of a dataset."""
    folder = delivery(data, BAD)
    for old in folder.glob(f"{dataset}.*"):
        old.unlink()
    path = folder / f"{dataset}{suffix}"
    path.write_bytes(content)
    return path


def accepted(con: duckdb.DuckDBPyConnection, code: str) -> dict[str, list[tuple[Any, ...]]]:
    """The accepted rows of a district, by dataset."""
    names = con.execute(
        "select distinct dataset from raw.delivered_file where district_code = ? and dataset <> 'statistics' order by 1",
        [code],
    ).fetchall()
    return {
        name: con.execute(
            f"select a.* from accepted.{name} a where content_sha256 in"
            " (select content_sha256 from raw.delivered_file where district_code = ? and dataset = ?) order by all",
            [code, name],
        ).fetchall()
        for (name,) in names
    }


def read(data: Path) -> tuple[dict[str, list[tuple[Any, ...]]], list[tuple[str, str, str]]]:
    """What the good district has when all files are read, and the failures by file."""
    settings = places(data)
    with working(settings) as con:
        read_all(con, settings)
        failures = con.execute(
            "select distinct f.file, c.failure_rule, c.failure_message from raw.content c"
            " join raw.delivered_file f using (content_sha256, dataset) where failure_rule is not null order by all"
        ).fetchall()
        return accepted(con, GOOD), failures


@pytest.fixture(scope="module")
def expected(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    found, failures = read(Path(shutil.copytree(sample, tmp_path_factory.mktemp("alone") / "data")))
    assert failures == []
    assert len(found) > 3 and all(found.values())
    return found


# Every step between the bytes and the accepted rows: where it is, and what of it.
STEPS = [
    (file_rows, "read_bytes"),
    (file_rows, "open_book"),
    (opening, "kind_of"),
    (file_rows, "find_header"),
    (file_rows, "side_rows"),
    (file_rows, "other_headers"),
    (file_rows, "text_frame"),
    (files, "open_regular"),
    (validate, "parse_cells"),
    (validate, "repeated_keys"),
    (validate, "broken_rules"),
    (validate, "_hidden"),
]


@pytest.mark.parametrize(("module", "name"), STEPS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_error_at_any_step_is_one_files_failure(
    data: Path,
    expected: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
) -> None:
    """The step fails only for the bad district's file, which contains a special sign; a quote makes the file be read alone."""
    signs = "炸", "2111000009"
    text = '学校标识码,教学及辅助用房面积\n2111000009,"炸"\n'
    put(data, "facilities", text.encode(), ".csv")
    step = getattr(module, name)

    def failing(*given: Any, **named: Any) -> Any:
        if ("facilities" in str(given[0]) and BAD in str(given[0])) or any(
            sign in _shown(value) for value in given for sign in signs
        ):
            raise BoomError("not foreseen")
        return step(*given, **named)

    monkeypatch.setattr(module, name, failing)
    found, failures = read(data)
    assert found == expected
    told = failures + _unopened(data)
    assert len(told) == 1, told
    file, rule, message = told[0]
    assert file == "facilities.csv" and rule == "file_unreadable"
    assert "没有预料到的错误（BoomError）" in message and "请" in message


@pytest.mark.parametrize(
    "name",
    [
        "read_bytes",
        "kind_of",
        "_is_doubtful",
        "_cut",
        "filled_cells",
        "side_rows",
        "other_headers",
        "text_frame",
    ],
)
def test_what_cannot_be_read_together_is_read_alone(
    data: Path,
    expected: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    asked = []

    def failing(*given: Any, **_: Any) -> Any:
        asked.append(given)
        raise BoomError("not foreseen")

    monkeypatch.setattr(bulk, name, failing)
    assert read(data) == (expected, [])
    assert len(asked) > 3


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value.to_pylist() if hasattr(value, "to_pylist") else getattr(value, "columns", value))


def _unopened(data: Path) -> list[tuple[str, str, str]]:
    with duckdb.connect(str(data / ".work" / "warehouse.duckdb")) as con:
        rows = con.execute("select message, rule, message from raw.district_failure").fetchall()
    return [(file.partition("：")[0].rpartition("/")[2], rule, message) for file, rule, message in rows]


@pytest.mark.parametrize(
    ("module", "name"), [(school_books, "_identity"), (compose, "compose"), (xlsx, "scan")]
)
def test_an_error_in_statistics_is_one_deliverys_failure(
    data: Path,
    expected: dict[str, list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
) -> None:
    made = generate_district(2, n_schools=2, profile="mixed", code=BAD, leading_zero=False)
    folder = delivery(data, BAD)
    shutil.rmtree(folder)
    (folder / "statistics").mkdir(parents=True)
    for n, school in enumerate(schools_of(made.tables, f"{BAD}000000")):
        (folder / "statistics" / f"{n}.xlsx").write_bytes(book_of(school, Look()))
    monkeypatch.setattr(module, name, lambda *_, **__: (_ for _ in ()).throw(BoomError("not foreseen")))
    found, failures = read(data)
    # The good district has no workbooks at all.
    assert found == expected
    assert failures and all("没有预料到的错误（BoomError）" in message for _, _, message in failures)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_no_spoiled_file_changes_another_districts_rows(
    data: Path, expected: dict[str, list[tuple[Any, ...]]], tmp_path: Path, start: int
) -> None:
    settings = places(data)
    with working(settings) as con:
        for seed in range(start, start + 20):
            (tmp_path / str(seed)).mkdir()
            spoiled = mutant(seed, tmp_path / str(seed))
            put(data, spoiled.dataset, spoiled.path.read_bytes(), spoiled.path.suffix)
            read_all(con, settings)
            assert accepted(con, GOOD) == expected, spoiled.name


@pytest.mark.long
@pytest.mark.parametrize("name", ["uuid", "float16", "list", "bomb", "bytes"])
def test_the_other_district_is_published_the_same(data: Path, tmp_path: Path, name: str) -> None:
    def published(settings: Settings) -> list[tuple[Any, ...]]:
        refresh(settings)
        rows: list[tuple[Any, ...]] = []
        with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
            for table in ("school_indicator", "school_verdict", "stage_balance", "district_indicator"):
                found = con.execute(
                    f"select * exclude (run_id) from mart.{table} where district_code = ? order by all",
                    [GOOD],
                )
                rows += [(table, *row) for row in found.fetchall()]
        return rows

    alone = Path(shutil.copytree(data, tmp_path / "alone"))
    for folder in alone.glob(f"{BAD}-*"):
        shutil.rmtree(folder)
    if name == "bomb":
        case = next(case for case in books(1) if case.name == "xlsx-far-cell")
        case.write(delivery(data, BAD))
    elif name == "bytes":
        put(data, "schools", bytes(range(256)) * 10, ".xls")
    else:
        path = put(data, "facilities", b"", ".parquet")
        codes = ["2111000001", "2111000003", None]
        assert write(path, {"学校标识码": codes, "id": TYPED[name], "运动场地面积": TYPED[name]})
        assert pq.read_metadata(path).num_columns >= 3
    rows = published(places(data))
    assert len(rows) > 50
    assert rows == published(places(alone))
