"""Dagster: assets, checks, partitions, jobs. Only this package and `definitions` import dagster.

Keep out: anything a script without Dagster could want (it belongs to `ingest`, `warehouse` or `reports`).
"""

import warnings

import dagster as dg

# backfill_policy is what makes a range of phases one run, code references are links to the SQL; without this every asset
# prints the same notice (1.13, 2026-11).
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*(backfill_policy|CodeReference)")
