"""Great Expectations on the publication: checks the declared expectations and writes the results as a page in Chinese.

The expectations are data (`expectations.toml`). Great Expectations takes seconds to load, so it is imported only when it runs. It
gets pandas batches, because its SQL source does not work with DuckDB. Its own Data Docs are English and need the network, so we
write our own page (`data_docs.html`). Keep out: the gate, which is SQL and runs before publication.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tomllib
from dataclasses import asdict, dataclass
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports.unchanged import (
    digest,
    file_hash,
    program_hash,
    read_contents,
    write_contents,
)
from youjun_pipeline.settings import SHANGHAI
from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.published import attached_before
from youjun_pipeline.warehouse.swap import building_folder

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

DECLARATIONS = Path(__file__).with_name("expectations.toml")
TEMPLATE = Path(__file__).with_name("data_docs.html")
# What the batch about the previous publication reads from it.
COMPARED = (
    "mart.school",
    "mart.school_indicator",
    "mart.stage_balance",
    "mart.district_indicator",
    "mart.lineage",
)
# At most this many rows that do not meet an expectation are shown; `Result.unexpected` counts all of them.
SHOWN_ROWS = 50
# The columns that identify a row of a batch, if the batch has them.
KEYS = ("name", "district_code", "phase_id", "school_code", "stage", "indicator_code", "finding_id")


class ExpectationFaultError(RuntimeError):
    """An expectation could not be evaluated: a fault of the pipeline, not of the data; the message names each."""


@dataclass(frozen=True)
class Batch:
    """Rows of the publication, from a query, and the expectations that they must meet."""

    name: str
    title: str
    query: str
    expectations: tuple[dict[str, Any], ...]
    needs_before: bool = False


@dataclass(frozen=True)
class Result:
    """The result of one expectation: in words, what was observed, how many rows do not meet it, and the first of them."""

    says: str
    passed: bool
    observed: str
    unexpected: int | None
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Outcome:
    """The result of one batch."""

    name: str
    title: str
    rows: int
    results: tuple[Result, ...] = ()

    @property
    def checked(self) -> int:
        """The number of expectations that were checked."""
        return len(self.results)

    @property
    def failures(self) -> tuple[str, ...]:
        """The unmet expectations in words, with what was found instead."""
        return tuple(f"{r.says}：{r.observed}" for r in self.results if not r.passed)

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return all(r.passed for r in self.results)


def load_batches() -> tuple[Batch, ...]:
    """The declared batches, in the order of the file."""
    entries = tomllib.loads(DECLARATIONS.read_text(encoding="utf-8"))["batch"]
    return tuple(
        Batch(e["name"], e["title"], e["query"], tuple(e["expectations"]), e.get("needs_before", False))
        for e in entries
    )


def refresh_data_docs(con: duckdb.DuckDBPyConnection, published: Path) -> list[Outcome]:
    """Check the publication that `con` has open and replace the page about it.

    If the present page is already about this publication, its results are returned and nothing is checked again.
    """
    with attached_before(con, published, COMPARED) as has_before:
        target, made_from = published / "data_docs", _made_from(con, has_before)
        if known := _known_outcomes(target, made_from):
            return known
        frames = read_batches(con, has_before)
    building = building_folder(published, "data_docs")
    outcomes = validate(frames)
    building.mkdir(parents=True, exist_ok=True)
    page = building / "index.html"
    page.write_text(outcomes_page(outcomes, _published_on(con)), encoding="utf-8")
    told = json.loads(json.dumps([asdict(o) for o in outcomes], default=_plain))
    write_contents(building, {"made_from": made_from, "sha256": file_hash(page), "outcomes": told})
    put_folder(building, published, "data_docs")
    return outcomes


def _plain(value: Any) -> object:
    """A value for JSON, if JSON has no such type: a number of numpy as a number, a day as text."""
    return value.item() if hasattr(value, "item") else str(value)


def _made_from(con: duckdb.DuckDBPyConnection, has_before: bool) -> str:
    """The hash of the publication's time, of the rows of every batch, and of the program that checks and shows them."""
    moment = con.execute("select max(published_at)::varchar from ops.publication").fetchall()[0][0]
    rows = [
        f"{b.name} {con.execute(f'select count(*), sum(hash(t)) from ({b.query}) t').fetchall()[0]}"
        for b in load_batches()
        if has_before or not b.needs_before
    ]
    program = program_hash([DECLARATIONS, TEMPLATE, Path(__file__)])
    return digest(program, version("great_expectations"), str(moment), *rows)


def _known_outcomes(folder: Path, made_from: str) -> list[Outcome]:
    """The last results, if their inputs are the same and their page is unchanged; otherwise an empty list."""
    known, page = read_contents(folder), folder / "index.html"
    if known.get("made_from") != made_from or not page.is_file() or known.get("sha256") != file_hash(page):
        return []
    return [
        Outcome(
            o["name"],
            o["title"],
            o["rows"],
            tuple(Result(**(r | {"rows": tuple(r["rows"])})) for r in o["results"]),
        )
        for o in known["outcomes"]
    ]


def read_batches(con: duckdb.DuckDBPyConnection, has_before: bool) -> dict[str, pd.DataFrame]:
    """The rows of every readable batch: batches about the previous publication need it attached as `before`."""
    return {b.name: con.execute(b.query).df() for b in load_batches() if has_before or not b.needs_before}


def validate(frames: dict[str, pd.DataFrame]) -> list[Outcome]:
    """Check each frame against its batch's expectations.

    Raises ExpectationFaultError if an expectation raises an error instead of passing or failing.
    """
    # Progress bars and usage statistics are meant for notebooks, not for a nightly run.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.ERROR)

    # The default context makes a temporary folder for its own docs and reports this even at the logger's level set above.
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    source = context.data_sources.add_pandas("publication")
    outcomes, faults = [], []
    for batch in load_batches():
        if batch.name not in frames:
            continue
        suite = context.suites.add(
            gx.ExpectationSuite(
                name=batch.name,
                expectations=[
                    getattr(gxe, e["type"])(**{k: v for k, v in e.items() if k not in ("type", "says")})
                    for e in batch.expectations
                ],
            )
        )
        frame = frames[batch.name]
        rows = source.add_dataframe_asset(batch.name).add_batch_definition_whole_dataframe("whole")
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=batch.name, data=rows, suite=suite)
        )
        result = definition.run(
            batch_parameters={"dataframe": frame},
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": SHOWN_ROWS,
                "unexpected_index_column_names": [k for k in KEYS if k in frame],
            },
        )
        faults += [f"{batch.name}: {text}" for text in _faults(result)]
        results = tuple(_result(e, r) for e, r in _paired(batch, result))
        outcomes.append(Outcome(batch.name, batch.title, len(frame), results))
    if faults:
        raise ExpectationFaultError("期望无法计算，属程序故障而非数据问题：\n" + "\n".join(faults))
    return outcomes


def _paired(batch: Batch, result: Any) -> list[tuple[dict[str, Any], Any]]:
    """Each declared expectation with its result: Great Expectations returns the results in another order."""
    left = list(result.results)
    pairs = []
    for expectation in batch.expectations:
        for item in left:
            given = item.expectation_config
            if _same(expectation, given.type, given.kwargs):
                left.remove(item)
                pairs.append((expectation, item))
                break
    return pairs


def _same(expectation: dict[str, Any], type_: str, kwargs: dict[str, Any]) -> bool:
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", expectation["type"]).lower()
    return type_ == words and all(
        kwargs.get(k) == v for k, v in expectation.items() if k not in ("type", "says")
    )


def _result(expectation: dict[str, Any], item: Any) -> Result:
    found = item.result or {}
    count = found.get("unexpected_count")
    values = found.get("partial_unexpected_list") or []
    if values:
        observed = "、".join(str(v) for v in values[:5]) + (f" 等 {count} 行" if count and count > 5 else "")
    else:
        observed = str(found.get("observed_value", "没有这样的行"))
    rows = tuple(found.get("partial_unexpected_index_list") or ())
    return Result(expectation["says"], bool(item.success), observed, count, rows)


def _published_on(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute("select max(published_at) from ops.publication").fetchall()[0][0]
    return f"{found.replace(tzinfo=UTC).astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if found else ""


def outcomes_page(outcomes: list[Outcome], published_on: str) -> str:
    """The page: every expectation in words, its result, the rows that do not meet it. The page needs no network."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(TEMPLATE.name).render(
        outcomes=outcomes, published_on=published_on, shown=SHOWN_ROWS, titles=_COLUMNS
    )


# Names of a row's keys on the page.
_COLUMNS = {
    "name": "表",
    "district_code": "区划代码",
    "phase_id": "阶段",
    "school_code": "学校标识码",
    "stage": "学段",
    "indicator_code": "指标",
    "finding_id": "问题编号",
}


def _faults(result: Any) -> list[str]:
    """Expectations that raised an error; Great Expectations records them as failed, which would blame the data."""
    found = []
    for item in result.results:
        info = item.exception_info or {}
        raised = [info] if "raised_exception" in info else list(info.values())
        found += [
            f"{item.expectation_config.type}: {entry['exception_message']}"
            for entry in raised
            if entry["raised_exception"]
        ]
    return found
