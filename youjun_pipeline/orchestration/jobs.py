"""The jobs: the refresh, and planning alone."""

from __future__ import annotations

import dagster as dg

from youjun_pipeline.orchestration.lake import OF_LAKE

# Runs of these jobs write to the warehouse.
REFRESH, SHARD_REFRESH, PLANNING = "refresh", "refresh_shard", "planning"

# The care of a lake comes after the publications of all shards (`lake`).
OF_REFRESH = dg.AssetSelection.all() - OF_LAKE

REFRESH_JOB = dg.define_asset_job(
    REFRESH,
    selection=OF_REFRESH,
    description="读取交付、计算各阶段评估、检查并发布；夜间计划与 make run 用的是同一个作业",
    executor_def=dg.in_process_executor,
)

# More than what the publication reads: an evaluation counts as made only if every table was filled.
WITHOUT_REPORTS = OF_REFRESH - dg.AssetSelection.key_prefixes("reports")

# Everything that an evaluation publishes comes from one run, so the tables of planning are made again together with all tables
# that they read. Reports and the site wait for the next refresh.
PLANNING_JOB = dg.define_asset_job(
    PLANNING,
    selection=WITHOUT_REPORTS,
    description="重新计算并发布，不更新报表和网站：情景文件、方案和预测（schema plan）改动之后",
    executor_def=dg.in_process_executor,
)

# The folders beside a publication are made once for all shards, from the lake's publication (`lake`).
SHARD_JOB = dg.define_asset_job(
    SHARD_REFRESH,
    selection=WITHOUT_REPORTS,
    description="一份区县（run config 中的 shard，如 3/16）：计算并发布到数据湖；各份可在不同机器上同时运行",
    executor_def=dg.in_process_executor,
)
