"""`docs/tables.md`, written from the declarations: `python -m youjun_pipeline.warehouse.tables_page > docs/tables.md`.

Keep out: anything that is not declared; text written by hand becomes out of date.
"""

from __future__ import annotations

from youjun_pipeline.warehouse.tables import Table, declared_tables
from youjun_pipeline.warehouse.views import bi_views, display_names, title

HEAD = """# Published tables

What `youjun.duckdb` holds, made from the declarations in `youjun_pipeline/models/tables/` (`make docs` writes this page anew).
The comments are those in the file itself (`duckdb_columns()`, `meta.column_dictionary`). Keys are in bold, `since` is
the version that published the column first ([changelog](../CHANGELOG.md)). Every mart table
also stands in schema `zh` as a view with Chinese column names and values, under the title given here.
"""


def tables_page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for schema in dict.fromkeys(t.schema for t in declared_tables().values()):
        parts.append(f"## {schema}\n")
        parts += [_table(t) for t in declared_tables().values() if t.schema == schema]
    parts.append(
        "## bi\n\nViews for BI tools: dimensions, and of each fact the rows of every district's latest phase.\n"
    )
    parts.append("| view | |\n| --- | --- |")
    for name, sql in bi_views().items():
        parts.append(f"| `bi.{name}` | {sql.splitlines()[0].removeprefix('--').strip()} |")
    return "\n".join(parts) + "\n"


def _table(table: Table) -> str:
    names = display_names(table)
    lines = [f"### {table.full_name} {title(table)}", "", table.comment, ""]
    lines += ["| column | 列名 | type | | since |", "| --- | --- | --- | --- | --- |"]
    for column, (type_, text) in table.columns.items():
        shown = f"**{column}**" if column in table.key else column
        lines.append(f"| {shown} | {names[column]} | {type_} | {text} | {table.since[column]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(tables_page(), end="")
