"""The DuckDB side: connections, table declarations, models, checks, gate and publication.

Only this package opens DuckDB connections. Keep out: reading files (`ingest`), Dagster (`orchestration`).
"""
