"""Every number at the bound of its contract: absurd, but computed without an error. The same with zeros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import Column
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import write_rows
from youjun_pipeline_tests.integration.test_suspicions import write_district_by_hand
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

DATASETS = (
    *(
        "schools",
        "classes",
        "teachers",
        "facilities",
        "special_rooms",
        "quality_monitoring",
        "school_finance",
    ),
    *("graduation_cohorts", "assurance", "recognition", "district_figures"),
)
WORDS = {
    "school_type": "十二年一贯制学校",
    "urban_rural": "乡村",
    "stage": "primary",
    "kind": "music",
    "campus": "",
}


def cell(column: Column, largest: bool) -> Any:
    """The largest (or the smallest) value that the column allows."""
    if column.type in ("count", "amount", "percent", "rate", "grade", "level"):
        bound = column.high if largest else max(column.low or 0, 0)
        return str(bound if bound is not None else 0)
    if column.type == "year":
        return "2023"
    if column.name == "school_code":
        return "2120114001"
    return WORDS.get(column.name, "是" if column.type == "flag" else "甲")


@pytest.mark.parametrize("largest", [True, False], ids=["largest", "smallest"])
def test_bounds_are_computed(tmp_path: Path, largest: bool) -> None:
    delivery = write_district_by_hand(tmp_path) / "2023-08-31"
    for name in DATASETS:
        columns = load_datasets()[name].columns
        write_rows(delivery, name, [{c.name: cell(c, largest) for c in columns.values()}])
    items = [
        "G7.funds_yuan",
        "G7.students",
        "G15.eligible",
        "G15.public",
        "G15.purchased",
        "G14.places",
        "G14.allotted",
    ]
    value = cell(load_datasets()["assurance"].columns["value"], largest)
    write_rows(delivery, "assurance", [{"item": item, "value": value} for item in items])
    publication = refresh(places(tmp_path))
    with connect(publication.path, read_only=True) as con:
        rejected = con.execute("select column_name, value, message from quality.rejected_row").fetchall()
        judged = con.execute("select count(*) from mart.school_indicator where phase_id = 'p1'").fetchall()
        overflow = con.execute(
            "select * from mart.school_indicator where isinf(value) or isnan(value) or isinf(gap) or isnan(gap)"
        ).fetchall()
    assert rejected == []
    assert judged[0][0] >= 7 if largest else judged == [(0,)]
    assert overflow == []
