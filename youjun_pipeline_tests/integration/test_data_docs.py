"""Great Expectations on the published tables: good tables meet all expectations, and each fails on rows spoilt for it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from youjun_pipeline.reports import data_docs
from youjun_pipeline.reports.data_docs import (
    ExpectationFaultError,
    Outcome,
    load_batches,
    outcomes_page,
    read_batches,
    validate,
)
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a publication that has a previous one."""
    folder: Path = tmp_path_factory.mktemp("published")
    for seed in (0, 1):
        made = generate_district(seed, n_schools=20)
        write_district(folder, made.tables, made.settings, seed=seed, code=f"12011{seed}", slug="made")
    settings = places(folder)
    refresh(settings, "run-1")
    refresh(settings, "run-2")
    return settings.published


@pytest.fixture(scope="module")
def frames(published: Path) -> dict[str, pd.DataFrame]:
    with connect(published / "youjun.duckdb", read_only=True) as con:
        attach_before(con, published)
        return read_batches(con, True)


def test_what_was_checked_is_not_checked_again(
    published: Path, frames: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []

    def counted(frames: dict[str, pd.DataFrame]) -> list[Outcome]:
        checks.append(len(frames))
        return validate(frames)

    monkeypatch.setattr(data_docs, "validate", counted)

    def docs() -> str:
        with connect(published / "youjun.duckdb", read_only=True) as con:
            return outcomes_page(data_docs.refresh_data_docs(con, published), "")

    first, page = docs(), published / "data_docs" / "index.html"
    written = page.read_text("utf-8")
    assert docs() == first
    assert checks == [len(load_batches())]
    page.write_text(written.replace("✓", "✕"), "utf-8")
    assert docs() == first
    assert (len(checks), page.read_text("utf-8")) == (2, written)
    monkeypatch.setattr(data_docs, "version", lambda _: "another")
    docs()
    assert len(checks) == 3


def attach_before(con: duckdb.DuckDBPyConnection, published: Path) -> None:
    previous = published / "youjun.previous.duckdb"
    if not previous.exists():  # a second run on the same files leaves the publication in place
        shutil.copy(published / "youjun.duckdb", previous)
    con.execute(f"attach '{previous}' as before (read_only)")


def spoil(frame: pd.DataFrame, expectation: dict[str, Any]) -> pd.DataFrame:
    """Rows that break this expectation: the values that it checks are as wrong as possible."""
    column, kind = str(expectation.get("column")), expectation["type"]
    if kind == "ExpectTableRowCountToBeBetween":
        return frame.head(0)
    if kind == "ExpectCompoundColumnsToBeUnique":
        return pd.concat([frame, frame.head(1)], ignore_index=True)
    if kind == "ExpectColumnValuesToNotBeNull":
        return frame.assign(**{column: None})
    if kind.endswith("ToBeBetween"):
        largest = expectation.get("max_value")
        return frame.assign(**{column: largest + 1 if largest is not None else expectation["min_value"] - 1})
    if kind == "ExpectColumnValuesToBeInSet" and isinstance(expectation["value_set"][0], (bool, int)):
        return frame.assign(**{column: not expectation["value_set"][0] or 7})
    return frame.assign(**{column: "?"})


def test_good_tables_meet_every_expectation(
    frames: dict[str, pd.DataFrame], caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = validate(frames)
    told = [r.getMessage() for r in caplog.records if r.name.startswith("great_expectations")]
    assert told == [], "nothing for whoever started the run"
    assert {o.name: o.failures for o in outcomes} == {b.name: () for b in load_batches()}
    assert {o.name: o.checked for o in outcomes} == {b.name: len(b.expectations) for b in load_batches()}
    page = outcomes_page(outcomes, "2026-01-01 08:00")
    assert all(str(e["says"]) in page for b in load_batches() for e in b.expectations)
    assert "✕" not in page


def test_each_expectation_fails_on_rows_spoilt_for_it(
    frames: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    from youjun_pipeline.reports import data_docs

    singles = [
        data_docs.Batch(f"{b.name}-{n}", b.title, b.query, (expectation,))
        for b in load_batches()
        for n, expectation in enumerate(b.expectations)
    ]
    spoilt = {b.name: spoil(frames[b.name.rsplit("-", 1)[0]], b.expectations[0]) for b in singles}
    monkeypatch.setattr(data_docs, "load_batches", lambda: tuple(singles))
    passed = [(o.name, b.expectations) for o, b in zip(validate(spoilt), singles, strict=True) if o.passed]
    assert passed == []


def test_markup_in_values_stays_text_in_the_pages(frames: dict[str, pd.DataFrame]) -> None:
    markup = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    columns = {
        (b.name, str(e["column"])): markup
        for b in load_batches()
        for e in b.expectations
        if e["type"] in ("ExpectColumnValuesToBeInSet", "ExpectColumnValuesToMatchRegex")
        and isinstance(frames[b.name][str(e["column"])].iloc[0], str)
    }
    spoilt = {
        name: frame.assign(**{column: text for (batch, column), text in columns.items() if batch == name})
        for name, frame in frames.items()
    }
    outcomes = validate(spoilt)
    assert {name for name, _ in columns} <= {o.name for o in outcomes if not o.passed}
    assert any(markup in failure for o in outcomes for failure in o.failures), "told as they are"
    page = outcomes_page(outcomes, "")
    assert "&lt;script&gt;alert(1)" in page, "the values are shown"
    assert "<script" not in page and "<img src=x" not in page


def test_the_page_names_the_rows_and_asks_for_nothing_outside(frames: dict[str, pd.DataFrame]) -> None:
    gaps = frames["school_indicator"].copy()
    gaps.loc[gaps.index[:60], "gap"] = -1.0
    (outcome,) = validate({"school_indicator": gaps})
    (result,) = [r for r in outcome.results if r.says == "缺口不为负"]
    assert (result.passed, result.unexpected, len(result.rows)) == (False, 60, 50)
    assert result.rows[0]["indicator_code"] == gaps["indicator_code"].iloc[0]
    page = outcomes_page([outcome], "")
    assert "前 50 行" in page and '<th scope="col">指标</th>' in page
    assert not re.search(r"https?:|//|@import", page)


def test_an_expectation_that_errs_is_a_fault_of_the_pipeline(frames: dict[str, pd.DataFrame]) -> None:
    broken = {**frames, "evaluation": frames["evaluation"].drop(columns="data_origin")}
    with pytest.raises(ExpectationFaultError, match=r"程序故障而非数据问题(.|\n)*data_origin"):
        validate(broken)
