"""A campus that is reported in rows of its own gets a code and a name of its own.

The stored code is `2120114001-北校区`, so that everything after reading treats a campus as a school: figures, verdicts, findings
and measures need no second key. Belongs here: making the code and the name. Keep out: which campuses may be reported separately
(the contract of `schools`), and what still belongs to the whole school (core.school, `campus_of`).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.ingest.cells import flat


def apart(typed: dict[str, Any]) -> dict[str, Any]:
    """Typed columns with the campus added to `school_code`, and to `school_name` unless the name contains it already."""
    if "campus" not in typed:
        return typed
    campus = flat(typed["campus"])
    if campus.null_count == len(campus):
        return typed
    school = flat(typed["school_code"])
    # A blank school code stays blank, even if a campus is given.
    code = pc.binary_join_element_wise(school, campus, pa.scalar("-", campus.type))
    joined = {"school_code": pc.if_else(pc.is_valid(campus), code, school)}
    if "school_name" in typed:
        names = zip(flat(typed["school_name"]).to_pylist(), campus.to_pylist(), strict=True)
        full_names = [n if n is None or c is None or c in n else f"{n}（{c}）" for n, c in names]
        joined["school_name"] = pa.array(full_names, campus.type)
    return typed | joined


def as_written(row: dict[str, Any]) -> dict[str, Any]:
    """A stored row of the roster with code and name as a district writes them, and the campus in its own column."""
    campus = row["campus"]
    if campus is None:
        return row
    code, name = row["school_code"].removesuffix(f"-{campus}"), row["school_name"]
    return row | {"school_code": code, "school_name": name and name.removesuffix(f"（{campus}）")}
