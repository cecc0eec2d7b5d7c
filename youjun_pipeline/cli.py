"""The few commands that are not Dagster's own: `youjun run`, `youjun close` and the like.

Each command is a parser and a function that returns the exit code: 0 well, 1 the work failed, 2 wrong call. The commands of a
room are in its `command` module, those that need a session of their own beside this file. Keep out: the work itself. Heavy
packages are imported by the command that needs them.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from youjun_pipeline.explain.command import explain_parser
from youjun_pipeline.lake_command import lake_parsers
from youjun_pipeline.planning.command import planning_parsers
from youjun_pipeline.precheck.command import check_parser
from youjun_pipeline.propose_command import propose_parser
from youjun_pipeline.reports.command import report_parsers
from youjun_pipeline.settings import AS_OF, SHANGHAI, SHARD, Settings, SettingsError, day_in_china
from youjun_pipeline.templates.command import template_parsers

if TYPE_CHECKING:
    import duckdb


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the `youjun` command; returns its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("youjun").setLevel(logging.INFO)
    if not getattr(options, "needs_settings", True):
        # What a district does on its own machine, where there is no data folder.
        code: int = options.handle(options)
        return code
    try:
        given = {AS_OF: getattr(options, "as_of", None), SHARD: getattr(options, "shard", None)}
        settings = Settings.from_environment(
            os.environ | {name: text for name, text in given.items() if text}
        )
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    from youjun_pipeline.warehouse.connection import DatabaseDamagedError

    try:
        result: int = options.handle(settings, options)
    except DatabaseDamagedError as error:
        print(error, file=sys.stderr)
        return 1
    return result


def _parser() -> argparse.ArgumentParser:
    """Every command with its arguments; `handle` is the function that does it."""
    parser = argparse.ArgumentParser(prog="youjun", description="优均：义务教育优质均衡评估")
    commands = parser.add_subparsers(dest="command", required=True)

    _run_parser(commands)

    close = commands.add_parser("close", help="关闭一个区县的一个阶段：已发布的结果不再变动")
    close.add_argument("district", help="区县代码")
    close.add_argument("phase", help="阶段编号")
    _as_of_argument(close)
    close.set_defaults(handle=close_command)

    reopen = commands.add_parser("reopen", help="重新打开已关闭的阶段：下次运行重算，并登记改变的数值")
    reopen.add_argument("district", help="区县代码")
    reopen.add_argument("phase", help="阶段编号")
    reopen.add_argument("--reason", required=True, help="重新打开的原因，记入更正记录")
    _as_of_argument(reopen)
    reopen.set_defaults(handle=reopen_command)

    _operation_parsers(commands)
    lake_parsers(commands)

    explain_parser(commands)
    planning_parsers(commands)
    propose_parser(commands)
    report_parsers(commands)
    template_parsers(commands)
    check_parser(commands)
    return parser


def _run_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The refresh itself."""
    run = commands.add_parser("run", help="读取交付、计算、检查并发布（与夜间计划同一个作业）")
    run.add_argument("--phase", action="append", help="算这个阶段，连同以前的和待更新的；两个为起止范围")
    run.add_argument("--district", action="append", help="只算这个区县代码，可多次给出；缺省为全部")
    run.add_argument(
        "--as-of", metavar="日期", help="截止日期，如 2024-06-30；缺省为环境变量 YOUJUN_AS_OF 或今天"
    )
    run.add_argument(
        "--no-reports", action="store_true", help="只更新发布库，不更新旁边的报表、数据文档和网站"
    )
    run.add_argument("--shard", metavar="3/16", help="只算一份区县，发布到数据湖；缺省为 YOUJUN_SHARD 或全部")
    run.add_argument("--force", action="store_true", help="允许截止日期在今天之后")
    run.add_argument(
        "--verify", action="store_true", help="大小、时间没有变化的文件也逐个重新核对内容，没有变化也照常运行"
    )
    run.set_defaults(handle=run_command)


def _as_of_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as-of",
        metavar="日期",
        help="发布的截止日期，如 2024-06-30；缺省为环境变量 YOUJUN_AS_OF 或上一次发布的截止日期",
    )


def _operation_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of whoever keeps the service running (docs/operations.md)."""
    site = commands.add_parser("site", help="由发布库重新生成网站")
    site.set_defaults(handle=site_command)

    rollback = commands.add_parser(
        "rollback", help="把发布退回上一次：发布库、Parquet、报表和网站；再执行一次即换回来"
    )
    rollback.add_argument(
        "--as-of", metavar="日期", dest="expected_as_of", help="只有上一次发布的截止日期是这一天才退回"
    )
    rollback.set_defaults(handle=rollback_command)

    notify = commands.add_parser("notify-test", help="向配置的通知渠道各发一条试通知")
    notify.set_defaults(handle=notify_test_command, needs_settings=False)


def run_command(settings: Settings, options: argparse.Namespace) -> int:
    """Run the refresh job in this process and print where the results are; nothing is run where nothing has changed."""
    from youjun_pipeline.warehouse.last_run import Before
    from youjun_pipeline.warehouse.summary import result_table

    if not _means_today(settings, options):
        print("没有运行。请用 --as-of 或 YOUJUN_AS_OF 写明截止日期", file=sys.stderr)
        return 2
    in_part = options.phase or options.district or options.no_reports or options.force
    before = None if in_part else Before.of(settings)
    if before and not options.verify and before.is_as_left():
        print("没有变化：文件、程序和设置都与上一次运行时相同，没有重新计算（--verify 照常运行）")
        print(result_table(settings.published, settings.lake_to_read))
        return 0
    from youjun_pipeline.orchestration.execute import RefreshFailedError, run_refresh

    try:
        run_refresh(
            settings,
            options.phase,
            options.district,
            reports=not options.no_reports,
            allow_future=options.force,
            verify=options.verify,
        )
    except RefreshFailedError as error:
        if error.published:
            print(result_table(settings.published, settings.lake_to_read))
        print(error, file=sys.stderr)
        return 1
    if before:
        before.note()
    print(result_table(settings.published, settings.lake_to_read))
    return 0


def close_command(settings: Settings, options: argparse.Namespace) -> int:
    """Close a phase and publish that it is closed."""
    from youjun_pipeline.warehouse.closing import close_phase

    settings = _as_published(settings, options)
    return _change_phase(
        settings,
        lambda con: close_phase(con, options.district, options.phase),
        f"已关闭 {options.district} 的阶段 {options.phase}",
    )


def reopen_command(settings: Settings, options: argparse.Namespace) -> int:
    """Reopen a phase and publish that it is open."""
    from youjun_pipeline.warehouse.closing import reopen_phase

    settings = _as_published(settings, options)
    return _change_phase(
        settings,
        lambda con: reopen_phase(con, options.district, options.phase, options.reason, settings.as_of),
        f"已重新打开 {options.district} 的阶段 {options.phase}；下次 make run 重算并登记更正",
    )


def rollback_command(settings: Settings, options: argparse.Namespace) -> int:
    """Put the publication before this one back, and what stands beside it."""
    from youjun_pipeline.session import report_all
    from youjun_pipeline.warehouse.connection import WarehouseBusyError
    from youjun_pipeline.warehouse.rollback import RollbackError, roll_back

    try:
        publication = roll_back(settings.warehouse, settings.published, options.expected_as_of)
    except (RollbackError, WarehouseBusyError) as error:
        print(error, file=sys.stderr)
        return 1
    _roll_back_lake(settings)
    at = publication.published_at.replace(tzinfo=UTC).astimezone(SHANGHAI)
    print(
        f"已退回 {at:%Y-%m-%d %H:%M}（北京时间）发布的版本（运行 {publication.run_id}，截止 {publication.as_of}）。"
        "下一次刷新仍会重新发布：请先找到原因，再恢复夜间计划"
    )
    try:
        report_all(settings.published, settings.data)
    except Exception as error:
        # What an older version of the program published may lack a column that today's reports show.
        print(
            f"发布库和 Parquet 已退回，但旁边的报表和网站没有全部重新生成：{str(error).splitlines()[0]}。"
            "若上一次发布出自旧版本的程序，请先换回那个版本，再运行 make site 或 make run",
            file=sys.stderr,
        )
        return 1
    return 0


def _roll_back_lake(settings: Settings) -> None:
    """Bring the lake back to the file that was put back, where one file is what it has."""
    lake = settings.lake_to_read
    if lake is None:
        return
    from youjun_pipeline.session import bring_to_lake
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.lake_publication import is_of_one_share
    from youjun_pipeline.warehouse.publication import PublishedInPartError

    try:
        if is_of_one_share(lake):
            bring_to_lake(settings)
        else:
            print("数据湖由多份区县写成，没有退回：可按快照读取上一次发布，见 docs/scale.md", file=sys.stderr)
    except (LakeError, PublishedInPartError) as error:
        print(error, file=sys.stderr)


def notify_test_command(options: argparse.Namespace) -> int:
    """Send a notice that says that it is a test."""
    from youjun_pipeline.notify import NotifyError, send
    from youjun_pipeline.settings import Channels

    try:
        sent = send("优均：这是一条试通知，无须处理", Channels.from_environment())
    except NotifyError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"已发送：{'、'.join(sent)}" if sent else "没有配置通知渠道，见 README 的“设置”")
    return 0 if sent else 1


def site_command(settings: Settings, options: argparse.Namespace) -> int:
    """Make the site anew from the publication that stands, without computing anything."""
    from youjun_pipeline.session import site
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.published import NoPublicationError

    try:
        result = site(settings.published, settings.lake_to_read)
    except (NoPublicationError, LakeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"网站 {result.path}（新写 {result.pages} 页，{result.districts_kept} 个区县未变）")
    return 0


def _is_dated(options: argparse.Namespace) -> bool:
    """Whether somebody said which day counts as today."""
    return bool(options.as_of or os.environ.get(AS_OF, "").strip())


def _as_published(settings: Settings, options: argparse.Namespace) -> Settings:
    """The settings as of the last publication, where no day was given: closing a phase moves no date."""
    from youjun_pipeline.warehouse.manifest import last_published

    last = None if _is_dated(options) else last_published(settings.published)
    return replace(settings, as_of=last.as_of) if last else settings


def _means_today(settings: Settings, options: argparse.Namespace) -> bool:
    """Ask before the date is moved on for good by a run without one, after publications as of another day than their own."""
    from youjun_pipeline.warehouse.manifest import last_published

    last = None if _is_dated(options) else last_published(settings.published)
    if (
        last is None
        or day_in_china(last.published_at.replace(tzinfo=UTC)) == last.as_of
        or last.as_of >= settings.as_of
    ):
        return True
    text = (
        f"上一次发布的截止日期是 {last.as_of}，不是发布的当天；本次没有写明截止日期，将以今天 {settings.as_of} 发布，"
        f"此后不能再以更早的日期发布（youjun rollback 可退回一次）"
    )
    if not sys.stdin.isatty():
        print(text, file=sys.stderr)
        return True
    return input(f"{text}。继续？[y/N] ").strip().lower() in ("y", "yes", "是")


def _change_phase(settings: Settings, change: Callable[[duckdb.DuckDBPyConnection], None], done: str) -> int:
    from youjun_pipeline.session import open_session
    from youjun_pipeline.warehouse.closing import ClosingError
    from youjun_pipeline.warehouse.connection import WarehouseBusyError
    from youjun_pipeline.warehouse.publication import PublicationBusyError, PublishedInPartError
    from youjun_pipeline.warehouse.run import AsOfInFutureError, AsOfWentBackError

    refusals = (
        *(ClosingError, WarehouseBusyError, PublicationBusyError),
        *(PublishedInPartError, AsOfWentBackError, AsOfInFutureError),
    )
    try:
        with open_session(settings) as session:
            change(session.con)
            session.publish(f"{datetime.now(UTC):%Y%m%dT%H%M%S}-close")
    except refusals as error:
        print(error, file=sys.stderr)
        return 1
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
