"""Rows of closed phases that are older than the single-column keys get these keys, because such rows are never made again."""

from __future__ import annotations

import duckdb

from youjun_pipeline.warehouse.tables import declared_tables, ensure_tables

OLD = {
    "mart.evaluation": (
        "120114",
        "2023-startup",
        {"standard_id": "national-2017", "district_name": "武清区"},
    ),
    "mart.school_indicator": (
        "120114",
        "2023-startup",
        {"school_code": "2112000001", "indicator_code": "R4"},
    ),
    "mart.stage_balance": ("120114", "2023-startup", {"stage": "primary", "indicator_code": "R1"}),
}
KEYS = ("evaluation_id", "standard_id", "school_id", "indicator_id")


def test_old_rows_get_their_keys() -> None:
    con = duckdb.connect()
    for schema in {name.split(".")[0] for name in declared_tables()}:
        con.execute(f"create schema {schema}")
    for name, (district, phase, more) in OLD.items():
        table, kept = declared_tables()[name], {"district_code": district, "phase_id": phase, **more}
        columns = ", ".join(f'"{c}" {t}' for c, (t, _) in table.columns.items() if c in kept or c not in KEYS)
        con.execute(f"create table {name} ({columns})")
        con.execute(
            f"insert into {name} ({', '.join(kept)}) select {', '.join('?' for _ in kept)}",
            list(kept.values()),
        )
    ensure_tables(con)
    evaluation = con.execute("select evaluation_id, standard_id from mart.evaluation").fetchall()
    assert evaluation == [("120114/2023-startup", "national-2017")]
    school = con.execute(f"select {', '.join(KEYS)} from mart.school_indicator").fetchall()
    assert school == [("120114/2023-startup", "national-2017", "120114/2112000001", "national-2017/R4")]
    stage = con.execute("select evaluation_id, standard_id, indicator_id from mart.stage_balance").fetchall()
    assert stage == [("120114/2023-startup", "national-2017", "national-2017/R1")]
