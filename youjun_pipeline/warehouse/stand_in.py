"""Rows that replace delivered files while a scenario is judged.

Keep out: what a scenario is (`scenario`), where the rows come from (`projection`, planning).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from youjun_pipeline.warehouse.tables import EVALUATION_KEY, describe, sql_text

# Separates phase and variant; no phase id of a district may contain it.
MARK = "@"


class ScenarioError(ValueError):
    """A variant names things that do not exist; the message lists all of them."""


def replace_files(con: duckdb.DuckDBPyConnection, base: str, files: Mapping[str, str]) -> None:
    """Replace delivered files by given rows, as one file for each evaluation and dataset.

    The new file inherits what is known of the replaced files: rejected rows still hide the same facts.

    `con` is in the scenario's database, where its evaluations are open; `base` is the working database. Raises ScenarioError if a
    dataset does not exist or columns are not its own.
    """
    con.execute(
        "create table main.replaced (district_code varchar, phase_id varchar, dataset varchar, content_sha256 varchar, "
        "new_sha256 varchar)"
    )
    for dataset, select in files.items():
        expected = set(describe(con, quoted("accepted", dataset))) - {"content_sha256"}
        if not expected:
            raise ScenarioError(f"没有数据集 {dataset}")
        rows = quoted("main", f"rows_of_{dataset}")
        con.execute(f"create table {rows} as {select}")
        if found := expected ^ (set(describe(con, rows)) - set(EVALUATION_KEY)):
            raise ScenarioError(f"{dataset} 的列不一致：{'、'.join(sorted(found))}")
        con.execute(f"""
            insert into main.replaced
            select f.district_code, f.phase_id, f.dataset, f.content_sha256,
                concat_ws('{MARK}', f.dataset, f.district_code, f.phase_id)
            from temp.run_chosen_file f
            semi join {rows} using (district_code, phase_id)
            where f.dataset = {sql_text(dataset)}
        """)
        con.execute(f"""
            create or replace view {quoted("accepted", dataset)} as
            from {quoted(base, "accepted", dataset)}
            union all by name
            select concat_ws('{MARK}', {sql_text(dataset)}, district_code, phase_id) as content_sha256,
                * exclude (district_code, phase_id)
            from {rows}
        """)
    _carry_over(con, base)


def _carry_over(con: duckdb.DuckDBPyConnection, base: str) -> None:
    """Copy what is known of delivered files to the files that replace them, and let evaluations use the new files."""
    for (table,) in con.execute(
        "select table_name from duckdb_columns() where database_name = ? and schema_name = 'raw' "
        "and column_name in ('content_sha256', 'dataset') and not table_name = 'delivered_file' "
        "group by all having count(*) = 2",
        [base],
    ).fetchall():
        source = quoted(base, "raw", table)
        con.execute(f"""
            create or replace view {quoted("raw", table)} as
            from {source}
            union all
            select t.* replace (r.new_sha256 as content_sha256)
            from {source} t
            join main.replaced r using (content_sha256, dataset)
        """)
    # The delivered rosters say which schools exist; the variant's own roster adds new schools.
    con.execute(f"""
        create or replace view raw.delivered_file as
        from {quoted(base, "raw", "delivered_file")}
        union all
        select distinct f.* replace (r.new_sha256 as content_sha256, r.dataset as file)
        from {quoted(base, "raw", "delivered_file")} f
        join main.replaced r using (district_code, dataset, content_sha256)
    """)
    con.execute("""
        create or replace temp table run_chosen_file as
        select distinct f.* replace (
            coalesce(r.new_sha256, f.content_sha256) as content_sha256, if(r.dataset is null, f.file, r.dataset) as file
        )
        from temp.run_chosen_file f
        left join main.replaced r using (district_code, phase_id, dataset, content_sha256)
    """)


def take_the_place(
    con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str, files: Mapping[str, str]
) -> None:
    """Make relations (`files`, by dataset) the delivered files of an evaluation, in a temporary database only.

    The evaluation's tables must be built again afterwards. What is known of the replaced files holds for the new ones.
    """
    key = [district_code, phase_id]
    known = con.execute(
        "select table_name from duckdb_columns() where schema_name = 'raw' and table_name != 'delivered_file' "
        "and column_name in ('content_sha256', 'dataset') group by all having count(*) = 2"
    ).fetchall()
    for dataset, rows in files.items():
        new = MARK.join((dataset, *key))
        con.execute(
            f"insert into {quoted('accepted', dataset)} by name select ? as content_sha256, * from {rows}",
            [new],
        )
        for (table,) in known:
            con.execute(
                f"insert into {quoted('raw', table)} select t.* replace (? as content_sha256) "
                f"from {quoted('raw', table)} t semi join temp.run_chosen_file f "
                "on f.dataset = t.dataset and f.content_sha256 = t.content_sha256 "
                "and f.district_code = ? and f.phase_id = ? and f.dataset = ?",
                [new, *key, dataset],
            )
        # every scenario looks up the chosen files by delivery, so the delivered file itself is replaced
        for table, named in (
            ("raw.delivered_file", ""),
            ("temp.run_chosen_file", " and t.phase_id = f.phase_id"),
        ):
            con.execute(
                f"update {table} t set content_sha256 = ? from temp.run_chosen_file f where t.dataset = f.dataset "
                f"and t.district_code = f.district_code and t.content_sha256 = f.content_sha256{named} "
                "and f.district_code = ? and f.phase_id = ? and f.dataset = ?",
                [new, *key, dataset],
            )


def quoted(*parts: str) -> str:
    """A full name for SQL, each part in quotes."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
