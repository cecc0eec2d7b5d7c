"""Classes of which only size bands are known, after a change of pupils or of classes.

A band is an interval of class sizes and the number of classes in it. A limit that no interval straddles can still be judged.
Belongs here: intervals in, intervals out. Keep out: rosters (`figures`), which limits exist.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

SECTION = ["school_code", "stage"]
# What identifies a section; bands know no grades.
GRADES: Mapping[str, int] = {"primary": 6, "junior": 3}


def scaled_bands(
    bands: pd.DataFrame, touched: pd.Series, before: pd.DataFrame, after: pd.DataFrame
) -> pd.DataFrame:
    """Bands of the sections in `touched`: each class keeps its share of the pupils, as in a roster.

    `before` and `after` are the schools before and after the change. If a section's pupils were not known before, its classes are
    not known afterwards.
    """
    factor = _pupils(bands, after) / _pupils(bands, before).where(lambda p: p > 0)
    kept = ~touched | factor.notna()
    low, high = (bands[column].astype(float) for column in ("students_from", "students_to"))
    out = bands.assign(
        students_from=np.where(touched, np.floor(low * factor + 1e-9), low),
        students_to=np.where(touched, np.ceil(high * factor - 1e-9), high),
    )
    return out[kept].reset_index(drop=True)


def even_bands(bands: pd.DataFrame, school: str, stage: str, students: int, classes: int) -> pd.DataFrame:
    """The bands, where a section's pupils are spread evenly over `classes` classes and its old bands are replaced."""
    of = (bands["school_code"] == school) & (bands["stage"] == stage)
    size, larger = divmod(students, classes)
    sizes = [(size + 1, larger), (size, classes - larger)]
    new = [
        {
            "school_code": school,
            "stage": stage,
            "students_from": each,
            "students_to": each,
            "classes": count,
            "stage_classes": classes,
        }
        for each, count in sizes
        if count
    ]
    return pd.concat([bands[~of], pd.DataFrame(new)], ignore_index=True).reindex(columns=bands.columns)


def classes_in(bands: pd.DataFrame, school: str, stage: str) -> int:
    """How many classes the bands of a section hold; 0 if it has no bands, or if one of the numbers is not known."""
    own = bands[(bands["school_code"] == school) & (bands["stage"] == stage)]["classes"].astype(float)
    return 0 if own.isna().any() else int(own.sum())


def _pupils(bands: pd.DataFrame, schools: pd.DataFrame) -> pd.Series:
    """The pupils of each band's section."""
    long = schools.melt(
        "school_code", [f"{stage}_students" for stage in GRADES], var_name="stage", value_name="pupils"
    )
    long["stage"] = long["stage"].str.removesuffix("_students")
    found = bands[SECTION].merge(long, on=SECTION, how="left")["pupils"]
    return pd.Series(found.astype(float).to_numpy(), bands.index)
