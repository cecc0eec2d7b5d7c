"""Dagster: assets, checks, partitions, jobs. Only this package and `definitions` import dagster.

Keep out: anything that a script without Dagster could use (it belongs to `ingest`, `warehouse` or `reports`).
"""

import warnings

import dagster as dg

# backfill_policy makes one run of a range of phases, code references link to the SQL: both are needed. Without this filter every
# asset prints the same notice (1.13, 2026-11).
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*(backfill_policy|CodeReference)")
