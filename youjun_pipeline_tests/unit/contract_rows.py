"""Rows in the form of the reader's results, for the tests of contracts.

Belongs here: what several of those tests need to make rows. Keep out: what they assert.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import ROW_COLUMNS
from youjun_pipeline.ingest.validate import Validated, validate

SCHOOL = {"school_code": "3101", "school_name": "一小", "school_type": "小学"}
TEACHERS = {"school_code": "3101", "stage": "小学", "full_time": "20"}
CLASS = {"school_code": "3101", "stage": "小学", "grade": "四年级", "class_no": "1", "students": "40"}


def frame(
    dataset: str, *rows: Mapping[str, str | None], content: str = "a", sheet: str | None = None
) -> pd.DataFrame:
    """Rows in the form of the reader's results: text or None, the header in row 1."""
    columns = list(load_datasets()[dataset].columns)
    filled = [
        {"content_sha256": content, "sheet": sheet, "row_number": number, **dict.fromkeys(columns), **row}
        for number, row in enumerate(rows, 2)
    ]
    return pd.DataFrame(filled, columns=[*ROW_COLUMNS, *columns])


def check(dataset: str, *rows: Mapping[str, str | None]) -> Validated:
    return validate(load_datasets()[dataset], frame(dataset, *rows))
