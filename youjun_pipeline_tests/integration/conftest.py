"""Fixtures that several test modules of this tier share, made once per test process."""

from __future__ import annotations

import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline_tests.integration.sample_districts import refresh_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The places of the refreshed sample districts (`sample_districts`); tests open them read-only or copy them."""
    return refresh_sample(tmp_path_factory.mktemp("sample"))
