"""Dagster: assets, checks, partitions, jobs. Only this package and `definitions` import dagster.

Keep out: anything a script without Dagster could want (it belongs to `ingest`, `warehouse` or `reports`).
"""
