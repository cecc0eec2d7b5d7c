"""Pure and fast: no DuckDB connection, no socket, writes only under `tmp_path`."""
