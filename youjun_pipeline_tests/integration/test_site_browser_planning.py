"""The pages about the future in a real browser: forecast, scenarios, the least-cost plan, on a desktop and on a phone."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from youjun_pipeline.planning.scenario_file import write_scenario
from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.integration.test_site_browser import AXE, BROWSER, LOOK, MOST_PIXELS, probe
from youjun_pipeline_tests.steps import places, refresh

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium"),
]

# Page, and how many charts it has.
PAGES = {
    "forecast.html": 1,
    "scenarios.html": 0,
    "scenario/2025-national/fall.html": 0,
    "proposal.html": 1,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """武清 with all its deliveries, a scenario, and an empty prices file: a plan in physical units."""
    folder = tmp_path_factory.mktemp("ahead")
    district = folder / "120114-wuqing"
    shutil.copytree(CHECKOUT / "data" / "120114-wuqing", district)
    (district / "prices.toml").touch()
    fall = {"action_no": "1", "effective_on": date(2025, 12, 1), "action": "scale_pupils", "scope": "乡村"}
    write_scenario(district / "scenarios" / "fall.toml", "生源减少", [{**fall, "quantity": 75}])
    settings = places(folder)
    refresh(settings)
    with connect(settings.published / FILE_NAME, read_only=True) as con:
        return build_site(con, settings.published).path.parent


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_looks_ahead_opens_in_silence_and_fits(
    site: Path, tmp_path: Path, page: str, width: int
) -> None:
    found = probe(site, f"district/120114/{page}", LOOK, tmp_path, width)
    assert (found["width"], found["overflow"] <= 0, found["headerButtons"]) == (width, True, 0)
    assert found["drawn"] == found["charts"] == PAGES[page]
    assert found["note"]
    if width == 390:
        assert found["height"] <= MOST_PIXELS


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious_ahead(site: Path, tmp_path: Path, page: str) -> None:
    axe = Path(pytest.importorskip("axe_core_python").__file__).with_name("axe.min.js")
    assert probe(site, f"district/120114/{page}", AXE, tmp_path, library=axe) == []
