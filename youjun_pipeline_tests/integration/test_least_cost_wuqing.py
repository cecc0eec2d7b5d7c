"""What 武清 lacked in 2023, one coefficient at a time: additions up to the thresholds, and then up to the limit."""

from __future__ import annotations

import numpy as np
import pytest

from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections, build
from youjun_pipeline.planning.least_cost.relaxation import relax
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME

# stage, indicator, limit → schools, coefficient as it was, physical units to the thresholds, and from there to the limit
WUQING = {
    ("primary", "R4", 0.50): (83, 0.5595, 15_034, 8_439),
    ("primary", "R5", 0.50): (83, 0.5329, 3_436, 22_388),
    ("primary", "R6", 0.50): (83, 0.5718, 37e4, 1_729e4),
    ("junior", "R5", 0.45): (38, 0.5577, 0, 54_533),
    ("junior", "R7", 0.45): (38, 0.5953, 0, 188),
}


def test_what_each_coefficient_of_wuqing_costs(sample: Settings) -> None:
    with connect(sample.published / FILE_NAME, read_only=True) as con:
        rows = con.execute(
            "select stage, indicator_code, students, numerator, threshold / per as per_pupil from mart.school_indicator "
            "where district_code = '120114' and phase_id = '2023-startup' and per is not null"
        ).df()
    for (stage, code, limit), (schools, cv, thresholds, more) in WUQING.items():
        own = rows[(rows["stage"] == stage) & (rows["indicator_code"] == code)]
        pupils, have, per_pupil = (own[c].to_numpy(float) for c in ("students", "numerator", "per_pupil"))
        assert len(own) == schools
        now = np.sqrt(pupils.sum() * (have**2 / pupils).sum() / have.sum() ** 2 - 1)
        assert now == pytest.approx(cv, abs=5e-5)
        sections = Sections(
            place=np.arange(schools),
            stage=np.zeros(schools, dtype=int),
            pupils=pupils,
            have=have[:, None],
            per_pupil=per_pupil[:, None],
            step=np.ones((schools, 1)),
            limit=np.array([[limit]]),
            floor_share=0.85,
            must_meet=1,
        )
        lever = Lever(0, False, False, np.ones(schools), np.full(schools, np.inf))
        relaxed = relax(build(sections, [lever], Aims(only=0, every_indicator=True)).program)
        assert relaxed is not None
        lacking = np.maximum(per_pupil * pupils - have, 0).sum()
        assert lacking == pytest.approx(thresholds, rel=0.01, abs=0.5)
        assert relaxed.cost - lacking == pytest.approx(more, rel=0.005)
