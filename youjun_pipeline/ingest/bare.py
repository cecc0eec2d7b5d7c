"""Delivered files without content: only a header, or rows in which only the template's own columns are filled.

Missing is never zero; this holds for whole files too. A snapshot replaces its whole dataset, so an untouched template would erase
what was reported before. For rooms, where no row means no room, it would turn a passing district into a failing one. So such a
file does not count as a delivery. A district that really has nothing of a dataset says so in words (`[[none]]` in district.toml).
Belongs here: which files have no content, and what is kept of them. Keep out: how they are reported
(`models/check/files_are_filled_in.sql`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from youjun_pipeline.contracts.model import EVENTS, Dataset
from youjun_pipeline.sql import transaction

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

    from youjun_pipeline.ingest.districts import District
    from youjun_pipeline.ingest.results import ReadResult

HEADER_ONLY, ONLY_KEYS = "header_only", "only_keys"
# A roster without pupils still says which schools exist: it counts if there is no older roster.
ROSTER = "schools"
NONE_DECLARED = "district.toml"


def without_bare_rows(dataset: Dataset, result: ReadResult) -> tuple[ReadResult, str | None]:
    """What is left of a file, and why it is no delivery (HEADER_ONLY, ONLY_KEYS; None if it is one).

    A snapshot keeps all its rows as soon as one row has content: a school with a blank row has not reported, and is listed as
    such. Of events a blank row is no report, because the template lists everything that may be reported.
    """
    if result.failure is not None:
        return result, None
    if result.frame.empty:
        return result, HEADER_ONLY
    if not dataset.telling:
        return result, None
    if dataset.kind == EVENTS:
        says = _says(result.frame, dataset.telling)
        if says.all():
            return result, None
        left = int((~says).sum())
        notices = [*result.notices, f"{left} 行没有填写内容，不是一次填报，没有读取"]
        kept = replace(result, frame=result.frame[says].reset_index(drop=True), notices=notices)
        return kept, None if says.any() else ONLY_KEYS
    if any(_is_filled(result.frame[name]).any() for name in dataset.telling):
        return result, None
    kept = result if dataset.name == ROSTER else replace(result, frame=result.frame.iloc[:0])
    return kept, ONLY_KEYS


def _says(frame: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """For every row, whether any of the columns is filled."""
    import numpy as np

    return np.logical_or.reduce([_is_filled(frame[name]) for name in columns])


def _is_filled(texts: pd.Series[str]) -> np.ndarray:
    """For every cell, whether it holds more than blanks."""
    return (texts.notna() & (texts.str.strip() != "")).to_numpy(dtype=bool)


def set_aside(con: duckdb.DuckDBPyConnection) -> None:
    """Remove the files without content from the delivered files; from then on they are in `raw.bare_file`."""
    with transaction(con):
        con.execute(_SET_ASIDE)
        con.execute("delete from raw.delivered_file f using raw.bare_file b where " + _SAME_FILE)
        con.execute(_DECLARED_AND_DELIVERED)


_SAME_FILE = "f.district_code = b.district_code and f.delivery = b.delivery and f.dataset = b.dataset and f.file = b.file"
_SET_ASIDE = f"""
    insert into raw.bare_file by name
    select f.*, b.reason, b.rows_seen
    from raw.delivered_file f
    join raw.bare_content b using (content_sha256, dataset)
    where f.file <> '{NONE_DECLARED}' and (
        f.dataset <> '{ROSTER}' or b.reason = '{HEADER_ONLY}' or exists (
            from raw.delivered_file o
            anti join raw.bare_content using (content_sha256, dataset)
            where o.district_code = f.district_code and o.dataset = f.dataset and o.delivery < f.delivery
        )
    )
"""
_DECLARED_AND_DELIVERED = f"""
    insert into raw.district_failure by name
    select f.district_code, f.dataset, 'declared_none_and_delivered' as rule,
        'district.toml 的 none 说 ' || f.delivery || ' 没有“' || d.title || '”（' || f.dataset || '），而这次报送有 '
            || o.file || '：请去掉其中之一' as message
    from raw.delivered_file f
    join raw.delivered_file o using (district_code, delivery, dataset)
    join raw.dataset d using (dataset)
    where f.file = '{NONE_DECLARED}' and o.file <> '{NONE_DECLARED}'
"""


def declared_none(district: District) -> list[tuple[str, object, str, str, str]]:
    """Rows of `raw.delivered_file` for the datasets of which a district declares that it has nothing."""
    return [
        (district.code, none.delivered_on, none.dataset, NONE_DECLARED, none_content(none.dataset))
        for none in district.nones
    ]


def none_content(dataset: str) -> str:
    """The hash that represents an intentionally empty delivery."""
    return hashlib.sha256(f"none:{dataset}".encode()).hexdigest()
