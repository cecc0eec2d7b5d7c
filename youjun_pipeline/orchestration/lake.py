"""The assets of a lake: file, reports and site for all districts together, from the shards' contributions; and the care of the
lake.

These assets exist if the settings name a lake; every morning the job `lake` makes them. Keep out: the work itself (`session`,
`warehouse.lake_file`, `warehouse.lake_care`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the functions that it calls.
import dagster as dg

from youjun_pipeline import session
from youjun_pipeline.orchestration.lineage import OWNERS
from youjun_pipeline.settings import Automation, Lake, Settings

FILE, CARE = dg.AssetKey(["lake", "file"]), dg.AssetKey(["lake", "care"])
OF_LAKE = dg.AssetSelection.key_prefixes("lake")


class NoLakeError(RuntimeError):
    """The job runs although the settings name no lake."""


def _lake(settings: Settings) -> Lake:
    if settings.lake is None:
        raise NoLakeError("没有设置数据湖 YOUJUN_LAKE，见 docs/scale.md")
    return settings.lake


@dg.asset(
    key=FILE,
    group_name="lake",
    owners=OWNERS,
    kinds={"duckdb"},
    description="由数据湖当前的发布生成本机的发布库、报表和网站",
)
def file_from_lake() -> dg.MaterializeResult:
    """Pull the publication of the lake and bring everything beside it up to it; nothing where it is here already."""
    from youjun_pipeline.warehouse.lake_file import pull_when_new

    settings = Settings.from_environment()
    made = pull_when_new(_lake(settings), settings.warehouse, settings.published)
    if made.is_new:
        session.report_all(settings.published, settings.data, settings.lake_to_read)
    return dg.MaterializeResult(metadata={"run_id": made.run_id, "rows": made.rows, "published": made.is_new})


@dg.asset(
    key=CARE,
    deps=[FILE],
    group_name="lake",
    owners=OWNERS,
    kinds={"parquet"},
    description="数据湖整理：过期快照、小文件、无用文件",
)
def tidy_lake() -> dg.MaterializeResult:
    """Expire snapshots, merge files, remove what is out of use: after what people read."""
    from youjun_pipeline.warehouse.lake_care import tidy

    done = tidy(_lake(Settings.from_environment()))
    return dg.MaterializeResult(
        metadata={
            "snapshots": done.snapshots,
            "merged": done.merged,
            "removed": done.removed,
            "orphans": done.orphans,
        }
    )


LAKE_ASSETS = [file_from_lake, tidy_lake]
LAKE_JOB = dg.define_asset_job(
    "lake",
    selection=OF_LAKE,
    description="数据湖发布之后：本机的发布库、报表、网站，以及数据湖的整理",
    executor_def=dg.in_process_executor,
)


def lake_schedule(automation: Automation) -> dg.ScheduleDefinition:
    """The schedule `lake_morning`; it starts with the daemon if automation is on and the districts are divided into shards."""
    is_on = automation.is_on and automation.shards > 1
    return dg.ScheduleDefinition(
        name="lake_morning",
        job=LAKE_JOB,
        cron_schedule="0 5 * * *",
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED,
        description="清晨：由数据湖生成本机的发布库、报表和网站，并整理数据湖",
    )
