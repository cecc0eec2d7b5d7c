"""Read delivered files back for `check.py`, as plainly as possible and without the pipeline.

Belongs here: file reading, and choosing the newest file of a dataset on a day. Keep out: any rule of the standard.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import tables

COLUMNS = {
    "schools": tables.SCHOOLS, "classes": tables.CLASSES, "teachers": tables.TEACHERS,
    "facilities": tables.FACILITIES, "special_rooms": tables.SPECIAL_ROOMS,
    "quality_monitoring": tables.MONITORING, "school_finance": tables.FINANCE,
    "graduation_cohorts": tables.COHORTS, "assurance": tables.ASSURANCE, "recognition": tables.RECOGNITION,
    "district_figures": tables.FIGURES, "superior_findings": tables.FINDINGS, "measures": tables.MEASURES,
    "milestones": tables.MILESTONES, "budgets": tables.BUDGETS, "school_aliases": tables.ALIASES,
    "school_changes": tables.CHANGES, "progress": tables.PROGRESS, "acceptances": tables.ACCEPTANCES,
    "targets": tables.TARGETS, "target_actuals": tables.ACTUALS,
}  # fmt: skip


def plain(header: str) -> str:
    """A header without line breaks and without a bracketed unit."""
    return re.sub(r"\s|[（(].*?[）)]", "", str(header))


def grid(path: Path) -> pd.DataFrame:
    """The file as a frame of strings with its header row as column names."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).astype(str)
    if path.suffix == ".xlsx":
        cells = pd.read_excel(path, header=None, dtype=object, engine="calamine").iloc[2:]
    else:
        raw = path.read_bytes()
        is_utf8 = raw.startswith(b"\xef\xbb\xbf") or _decodes(raw)
        encoding = "utf-8-sig" if is_utf8 else "gb18030"
        cells = pd.read_csv(path, header=None, dtype=str, encoding=encoding, keep_default_na=False)
    cells = cells.map(lambda value: "" if pd.isna(value) else str(value).strip())
    frame = cells.iloc[1:].reset_index(drop=True)
    frame.columns = list(cells.iloc[0])
    return frame


def _decodes(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read(path: Path) -> list[dict[str, str]]:
    """Rows of one delivered file under the English names; an unknown or missing header is an error."""
    columns = COLUMNS[path.stem]
    names = {plain(zh): en for zh, en in columns} | {en: en for _, en in columns}
    frame = grid(path)
    unknown = [h for h in frame.columns if plain(h) not in names]
    frame.columns = [names.get(plain(h), h) for h in frame.columns]
    missing = [en for _, en in columns if en not in frame.columns]
    if unknown or missing:
        raise ValueError(f"{path}: 不认识的列 {unknown}，缺少的列 {missing}")
    return frame.to_dict("records")


def newest(district: Path, dataset: str, day: dt.date) -> list[dict[str, str]]:
    """The newest delivered version of a dataset on a day; no delivery gives no rows."""
    folders = sorted(f for f in (district / "deliveries").iterdir() if dt.date.fromisoformat(f.name) <= day)
    for folder in reversed(folders):
        for path in folder.glob(f"{dataset}.*"):
            return read(path)
    return []


def everything(district: Path, day: dt.date) -> dict[str, list[dict[str, str]]]:
    return {dataset: newest(district, dataset, day) for dataset in COLUMNS}
