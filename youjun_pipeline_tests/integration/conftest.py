"""Fixtures that several test modules of this tier share, made once per test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.integration.sample_districts import refresh_sample
from youjun_pipeline_tests.integration.site_pages import Pages


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The folders of the refreshed sample districts (`sample_districts`); tests open them read-only or copy them."""
    return refresh_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def con(sample: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The publication of the sample districts, opened read-only."""
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        yield con


@pytest.fixture
def no_bundling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not bundle the chart library, which takes seconds and does not affect a page; `sample_site` has the real one."""
    monkeypatch.setattr("youjun_pipeline.site.charts.chart_library", lambda: "// not bundled\n")


# Documents beside the site that its pages link to where they are there.
DOCUMENTS = (
    "official/120114/2023-startup.xlsx",
    "schools/120114/2023-startup/自评表.xlsx",
    "schools/120114/2023-startup/一校一案/2120114018_泉昇.docx",
    "data_docs/index.html",
)


@pytest.fixture(scope="session")
def sample_site(sample: Settings) -> Path:
    """The folder of the site of the sample districts; tests do not change it."""
    for document in DOCUMENTS:
        (sample.published / document).parent.mkdir(parents=True, exist_ok=True)
        (sample.published / document).touch()
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        return build_site(con, sample.published).path.parent


@pytest.fixture(scope="module")
def pages(sample_site: Path) -> Pages:
    """The pages of that site."""
    return Pages(sample_site)
