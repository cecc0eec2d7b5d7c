"""Whole runs for tests: a folder of districts, the refresh job as `make run` starts it, and the publication.

Belongs here: starting runs and reading their results. Keep out: what a test expects of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from youjun_pipeline.orchestration.execute import run_refresh
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, GeneratedDistrict, Phase, generate_district, write_district

FIRST = Phase("2023-first", "第一阶段", date(2023, 7, 1), date(2023, 9, 30))
SECOND = Phase("2024-second", "第二阶段", date(2023, 10, 1), date(2024, 9, 30))
LATE = Phase("2026-late", "第三阶段", date(2026, 1, 1), date(2026, 12, 31))
NORTH, SOUTH = "110101", "110102"
RUN_COLUMNS = ("run_id", "evaluated_at", "checked_at", "published_at", "restated_at")


@dataclass(frozen=True)
class Place:
    """A data folder with everything that a run makes inside it; `as_of` counts as today unless a run says otherwise."""

    data: Path
    as_of: str = "2025-01-01"

    @property
    def environment(self) -> dict[str, str]:
        """The environment that a process needs to work in this place."""
        return {"YOUJUN_DATA": str(self.data), "YOUJUN_AS_OF": self.as_of}

    @property
    def published(self) -> Path:
        return self.data / "published" / "youjun.duckdb"

    @property
    def warehouse(self) -> Path:
        return self.data / ".work" / "warehouse.duckdb"

    @contextmanager
    def settings(self, as_of: str | None = None) -> Iterator[Settings]:
        """The environment and the settings of this place."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            if as_of:
                patch.setenv("YOUJUN_AS_OF", as_of)
            yield Settings.from_environment(os.environ)

    def run(
        self,
        *phases: str,
        districts: list[str] | None = None,
        as_of: str | None = None,
        reports: bool = False,
    ) -> dg.ExecuteInProcessResult:
        """Run the refresh job; raises RefreshFailedError with the message that the command would print."""
        with self.settings(as_of) as settings:
            return run_refresh(settings, list(phases) or None, districts, reports=reports)

    def rows(self, query: str, *values: Any, of: Path | None = None) -> list[tuple[Any, ...]]:
        """The result of a query on the publication (or on another file)."""
        with connect(of or self.published, read_only=True) as con:
            return con.execute(query, list(values)).fetchall()

    def content(self) -> str:
        """The hash of the newest publication's content."""
        manifest = json.loads((self.published.parent / "manifest.json").read_text("utf-8"))
        return str(manifest["publication"]["content_sha256"])

    def tables(self, district: str, phase: str | None = None, *, whole: bool = False) -> dict[str, list[Any]]:
        """Every mart row of a district (in one phase) by table, without `is_stale`; with `whole` also run ids and times."""
        with connect(self.published, read_only=True) as con:
            names = con.execute(
                "select table_name from duckdb_columns() where schema_name = 'mart' and column_name = 'phase_id'"
                " and table_name in (select table_name from duckdb_tables() where schema_name = 'mart')"
            ).fetchall()
            left_out = ["is_stale", *(() if whole else RUN_COLUMNS)]
            columns = f"columns(lambda c: not list_contains({left_out!r}, c))"
            return {
                name: con.execute(
                    f"select {columns} from mart.{name} where district_code = $1 and ($2 is null or phase_id = $2)"
                    " order by all",
                    [district, phase],
                ).fetchall()
                for (name,) in sorted(names)
            }


def made(seed: int, code: str) -> GeneratedDistrict:
    """A small district with schools of every type."""
    return generate_district(seed, n_schools=12, profile="mixed", code=code, leading_zero=False)


def two_districts(data: Path, phases: tuple[Phase, ...] = (FIRST, SECOND)) -> Place:
    """A place with two small districts of the same phases."""
    for seed, code, slug, name in ((1, NORTH, "north", "北区"), (2, SOUTH, "south", "南区")):
        district = made(seed, code)
        write_district(
            data, district.tables, district.settings, phases, style=PLAIN, code=code, slug=slug, name=name
        )
    return Place(data)


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """The metadata of the (last) materialisation of an asset, such as `raw/schools`."""
    key = dg.AssetKey(asset.split("/"))
    found = [e for e in result.get_asset_materialization_events() if e.asset_key == key]
    return {name: value.value for name, value in found[-1].materialization.metadata.items()}
