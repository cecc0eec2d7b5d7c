"""Parts against the real thing: DuckDB, workbooks, folders of deliveries."""
