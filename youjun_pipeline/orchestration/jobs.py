"""The refresh job, and how it is run outside the Dagster daemon."""

from __future__ import annotations

import dagster as dg

REFRESH_JOB = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="读取交付、计算各阶段评估、检查并发布；夜间计划与 make run 用的是同一个作业",
    executor_def=dg.in_process_executor,
)
