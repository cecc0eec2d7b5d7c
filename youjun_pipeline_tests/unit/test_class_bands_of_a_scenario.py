"""Size bands of classes after a change of pupils or classes: the intervals contain the results for every possible roster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from youjun_pipeline.planning.actions import Action, ActionError, Step, carry_out
from youjun_pipeline.planning.base import no_forecast
from youjun_pipeline.planning.figures import Figures
from youjun_pipeline.planning.least_cost.proof import ANY_DAY

BANDS = [
    ("1", "primary", 26, 30, 4),
    ("1", "primary", 41, 45, 6),
    ("2", "primary", 66, np.nan, 1),
    ("2", "primary", 0, 25, 2),
]


def start() -> Step:
    """Two primary schools that report size bands."""
    schools = pd.DataFrame(
        {
            "school_code": ["1", "2"],
            "primary_students": [380, 110],
            "junior_students": [0, 0],
            "senior_students": [0, 0],
            "migrant_students": [10, 0],
            "catchment_primary_students": [300, 100],
            "catchment_junior_students": [0, 0],
        }
    )
    bands = pd.DataFrame(BANDS, columns=["school_code", "stage", "students_from", "students_to", "classes"])
    bands["stage_classes"] = bands.groupby("school_code")["classes"].transform("sum")
    roster = pd.DataFrame(columns=["school_code", "stage", "grade", "class_no", "students"])
    empty = pd.DataFrame(columns=["school_code"])
    frames = {"schools": schools, "class_bands": bands, "classes": roster, "teachers": empty}
    return Step(Figures(frames))


def after(kind: str, school: str = "1", **said: object) -> list[tuple[float, float, int]]:
    """The bands of a school once an action is carried out, smallest first."""
    action = Action("1", kind, ANY_DAY, school=school, **said)  # type: ignore[arg-type]
    frame = carry_out(start(), action, no_forecast).figures.frames["class_bands"]
    own = frame[frame["school_code"] == (said.get("to_school") or school)].sort_values("students_from")
    return list(own[["students_from", "students_to", "classes"]].itertuples(index=False, name=None))


def test_fewer_pupils_make_smaller_classes():
    assert after("scale_pupils", quantity=80.0) == [(20, 24, 4), (32, 36, 6)]


def test_a_band_without_an_end_keeps_none():
    bands = after("set_pupils", school="2", quantity=121.0)
    assert [(low, classes) for low, _, classes in bands] == [(0, 2), (72, 1)]
    assert [str(high) for _, high, _ in bands] == ["28.0", "nan"]


def test_pupils_who_go_make_classes_larger_where_they_come():
    bands = after("divert_pupils", school="1", to_school="2", quantity=11.0)
    assert [band[0] for band in bands] == [0, 72]
    assert bands[0] == (0, 28, 2)


def test_classes_more_spread_the_pupils_evenly():
    # one class in each of six grades: 380 pupils in 16 classes
    assert after("add_classes", quantity=1.0) == [(23, 23, 4), (24, 24, 12)]
    assert after("add_classes", quantity=1.0, grade=3) == [(34, 34, 5), (35, 35, 6)]
    assert after("regroup") == [(38, 38, 10)]


def test_pupils_who_were_not_known_leave_classes_that_are_not_known():
    step = start()
    figures = step.figures
    schools = figures.schools.assign(primary_students=[np.nan, 110])
    rows = pd.DataFrame([("1", "primary", 300.0)], columns=["school_code", "stage", "students"])
    assert set(figures.put(schools=schools).with_pupils(rows).frames["class_bands"]["school_code"]) == {"2"}


def test_no_classes_without_pupils():
    with pytest.raises(ActionError, match="不能增班"):
        carry_out(
            start(),
            Action("1", "add_classes", ANY_DAY, school="1", stage="junior", quantity=2.0),
            no_forecast,
        )
