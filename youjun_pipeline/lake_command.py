"""`youjun migrate` and `youjun tidy-lake`: a publication from the file to the lake and back, and the care of the lake."""

from __future__ import annotations

import argparse
import sys

from youjun_pipeline.settings import LAKE, Settings


def lake_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands to `youjun`."""
    migrate = commands.add_parser("migrate", help="把当前发布从文件搬到数据湖，或从数据湖搬到文件")
    migrate.add_argument("to", choices=("lake", "file"), help="搬到哪里")
    migrate.add_argument("--reports", action="store_true", help="搬到文件后更新报表、数据文档和网站")
    migrate.set_defaults(handle=migrate_command)
    tidy = commands.add_parser("tidy-lake", help="整理数据湖：过期快照、小文件、无用文件")
    tidy.set_defaults(handle=tidy_command)


def migrate_command(settings: Settings, options: argparse.Namespace) -> int:
    """Bring the publication that stands to the other place; what was there before is kept as the one before it."""
    from youjun_pipeline.session import bring_to_lake, report_all
    from youjun_pipeline.warehouse.connection import WarehouseBusyError
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.lake_file import pull_when_new
    from youjun_pipeline.warehouse.publication import PublishedInPartError
    from youjun_pipeline.warehouse.published import is_published

    if settings.lake is None:
        return _refuse()
    try:
        if options.to == "lake":
            if not is_published(settings.published):
                print(f"还没有发布库 {settings.published}：请先运行 make run", file=sys.stderr)
                return 1
            bring_to_lake(settings)
            return 0
        made = pull_when_new(settings.lake, settings.warehouse, settings.published)
    except (LakeError, PublishedInPartError, WarehouseBusyError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"发布库 {made.path}（运行 {made.run_id}，截止 {made.as_of}，{made.rows} 行）")
    if options.reports:
        report_all(settings.published, settings.data)
    return 0


def tidy_command(settings: Settings, options: argparse.Namespace) -> int:
    """Tidy the lake and print what was done."""
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.lake_care import tidy

    if settings.lake is None:
        return _refuse()
    try:
        done = tidy(settings.lake)
    except LakeError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"过期快照 {done.snapshots}，合并文件 {done.merged}，删除旧文件 {done.removed}、孤立文件 {done.orphans}"
    )
    return 0


def _refuse() -> int:
    print(f"没有设置数据湖 {LAKE}，见 docs/scale.md", file=sys.stderr)
    return 2
