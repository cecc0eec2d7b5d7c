"""Fixtures that several modules of this tier share, made once per test process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import dagster as dg
import pytest

from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.pipeline.runs import Place


@dataclass(frozen=True)
class SampleRun:
    """The sample districts after two runs on the same files."""

    place: Place
    first: dg.ExecuteInProcessResult
    first_content: str
    second: dg.ExecuteInProcessResult


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """Both districts of the repository, every phase, run twice. Tests only read."""
    data = tmp_path_factory.mktemp("sample")
    for district in ("120114-wuqing", "120115-baodi"):
        shutil.copytree(CHECKOUT / "data" / district, data / district)
    place = Place(data, as_of="2026-01-01")
    first = place.run()
    content = place.content()
    return SampleRun(place, first, content, place.run())
