"""A fall in rolls alone turns a pass into a fail, in the figures of the sample of version 0.1.

`wuqing_0_1/facilities.csv` is the only file of 武清 in 2025 on which the coefficient depends and which the reconstruction has
changed since; all other files are those of today's sample.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.planning.scenario_file import read_scenario, write_scenario
from youjun_pipeline.planning.what_if import what_if
from youjun_pipeline.session import evaluated_in_memory
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.steps import places

FACILITIES = Path(__file__).with_name("wuqing_0_1") / "facilities.csv"
FALL = {"乡村": 80, "镇区": 90}  # rural rolls 20 % lower, town rolls 10 %


@pytest.mark.long
def test_rural_and_town_rolls_alone_take_junior_sports_area_over_its_limit(tmp_path: Path) -> None:
    folder = tmp_path / "120114-wuqing"
    shutil.copytree(CHECKOUT / "data" / "120114-wuqing", folder)
    shutil.copy(FACILITIES, folder / "deliveries" / "2025-11-30" / "facilities.csv")
    fall = tmp_path / "fall.toml"
    day = date(2025, 12, 1)
    rows = [
        {
            "action_no": str(n),
            "effective_on": day,
            "action": "scale_pupils",
            "scope": scope,
            "quantity": percent,
        }
        for n, (scope, percent) in enumerate(FALL.items(), 1)
    ]
    write_scenario(fall, "生源减少", rows)
    (district,) = scan(tmp_path).districts
    with evaluated_in_memory(places(tmp_path), district, "2025-national") as con:
        assert con is not None
        result = what_if(con, "120114", "2025-national", [read_scenario(fall)])
    verdict = result.frame("scenario_verdict").query("level == 'stage'")
    row = verdict.set_index(["stage", "indicator_code"]).loc[("junior", "R5")]
    assert row["value_before"] == pytest.approx(0.375, abs=1e-3)
    assert row["value_after"] == pytest.approx(0.466, abs=1e-3)
    assert (row["status_before"], row["status_after"], row["change"]) == ("met", "below", "broken")
    whole = result.frame("scenario").iloc[0]
    assert (bool(whole["passes_before"]), bool(whole["passes_after"])) == (True, False)
    assert list(whole["newly_broken"]) == ["初中 R5差异系数"]
