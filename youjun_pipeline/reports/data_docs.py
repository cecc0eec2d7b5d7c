"""Great Expectations on what is published: run the declared expectations, write the Data Docs.

The expectations are data (`expectations.toml`). Great Expectations is imported when it runs, it takes seconds to load;
it gets pandas batches, its SQL source being broken on DuckDB. Keep out: the gate, which is SQL and runs before publication.
"""

from __future__ import annotations

import html
import logging
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.swap import PREVIOUS_NAME, building_folder
from youjun_pipeline.warehouse.tables import sql_text

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

DECLARATIONS = Path(__file__).with_name("expectations.toml")


class ExpectationFaultError(RuntimeError):
    """An expectation could not be evaluated: a fault of the pipeline, not of the data; the message names each."""


@dataclass(frozen=True)
class Batch:
    """Rows of the publication, by a query, and the expectations they must meet."""

    name: str
    title: str
    query: str
    expectations: tuple[dict[str, Any], ...]
    needs_before: bool = False


@dataclass(frozen=True)
class Outcome:
    """How one batch fared; `failures` says in words which expectations were not met."""

    name: str
    title: str
    rows: int
    checked: int
    failures: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.failures


def load_batches() -> tuple[Batch, ...]:
    """The declared batches, in the order of the file."""
    entries = tomllib.loads(DECLARATIONS.read_text(encoding="utf-8"))["batch"]
    return tuple(
        Batch(e["name"], e["title"], e["query"], tuple(e["expectations"]), e.get("needs_before", False))
        for e in entries
    )


def refresh_data_docs(con: duckdb.DuckDBPyConnection, published: Path) -> list[Outcome]:
    """Check the publication that `con` has open and put its Data Docs in the place of the old ones."""
    before = published / PREVIOUS_NAME
    if before.exists():
        con.execute(f"attach {sql_text(str(before))} as before (read_only)")
    frames = read_batches(con, before.exists())
    building = building_folder(published, "data_docs")
    outcomes = validate(frames, building)
    put_folder(building, published, "data_docs")
    return outcomes


def read_batches(con: duckdb.DuckDBPyConnection, has_before: bool) -> dict[str, pd.DataFrame]:
    """The rows of every batch that can be read: those about the publication before need one, attached as `before`."""
    return {b.name: con.execute(b.query).df() for b in load_batches() if has_before or not b.needs_before}


def validate(frames: dict[str, pd.DataFrame], docs: Path | None = None) -> list[Outcome]:
    """Check each frame against its batch's expectations and write the Data Docs to the folder `docs`.

    Raises ExpectationFaultError when an expectation errs instead of passing or failing.
    """
    # Progress bars and usage statistics are for people at notebooks, not for a nightly run.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.ERROR)

    # The default context makes a temporary folder for docs of its own and says so, whatever the logger's level above is.
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
                    getattr(gxe, e["type"])(**{k: v for k, v in e.items() if k != "type"})
                    for e in batch.expectations
                ],
            )
        )
        rows = source.add_dataframe_asset(batch.name).add_batch_definition_whole_dataframe("whole")
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=batch.name, data=rows, suite=suite)
        )
        result = definition.run(batch_parameters={"dataframe": _escaped(frames[batch.name])})
        faults += [f"{batch.name}: {text}" for text in _faults(result)]
        failures = tuple(_failure(r) for r in result.results if not r.success)
        outcomes.append(
            Outcome(batch.name, batch.title, len(frames[batch.name]), len(result.results), failures)
        )
    if docs is not None:
        _write_docs(context, docs)
    if faults:
        raise ExpectationFaultError("期望无法计算，属程序故障而非数据问题：\n" + "\n".join(faults))
    return outcomes


def _escaped(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with markup in their texts escaped: Great Expectations puts unexpected values into its pages as they are."""
    texts = frame.select_dtypes(["object", "string"])
    spoilt = [c for c in texts if texts[c].astype("string").str.contains("[&<>]", na=False).any()]
    marks = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    return frame.assign(**{c: frame[c].replace(marks, regex=True) for c in spoilt})


def _faults(result: Any) -> list[str]:
    """Expectations that raised; Great Expectations records those as failed, which would blame the data."""
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


def _failure(item: Any) -> str:
    config = item.expectation_config
    what = config.kwargs.get("column") or "、".join(config.kwargs.get("column_list", ())) or "行数"
    values = item.result.get("partial_unexpected_list") or [item.result.get("observed_value")]
    return f"{what} 不符合 {config.type}：{'、'.join(html.unescape(str(v)) for v in values[:5])}"


def _write_docs(context: Any, docs: Path) -> None:
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    context.add_data_docs_site(
        "published", {"class_name": "SiteBuilder", "site_index_builder": index, "store_backend": store}
    )
    context.build_data_docs(site_names=["published"])
