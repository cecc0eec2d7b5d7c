"""The few commands that are not Dagster's own: `youjun run`, `youjun close` and the like.

Each command is a parser in `main` and a function that returns the exit code: 0 well, 1 the work failed, 2 wrong call.
Keep out: the work itself. Heavy packages are imported by the command that needs them.
"""
# Long because every command has its function here, and a command is found by looking in one place.

# Long because each command is a parser and a function of its own, and nobody reads them but one by one.

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.lake_command import lake_parsers
from youjun_pipeline.planning.command import planning_parsers
from youjun_pipeline.precheck.command import check_parser
from youjun_pipeline.reports.command import report_parsers
from youjun_pipeline.settings import AS_OF, SHANGHAI, SHARD, Settings, SettingsError, day_in_china
from youjun_pipeline.templates.command import template_parsers

if TYPE_CHECKING:
    from pathlib import Path

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

    explain = commands.add_parser(
        "explain",
        help="说明一个数值的来龙去脉：依据、公式、代入的数值、所在文件和单元格、判定",
        usage="youjun explain [-h] district phase [school] indicator [--stage STAGE] [--json]\n"
        "       youjun explain [-h] district phase [school] --all [--json]",
    )
    explain.add_argument("district", help="区县代码或名称")
    explain.add_argument("phase", help="阶段编号或名称")
    what = explain.add_argument(
        "what", nargs="+", metavar="school, indicator", help="学校（名称的一部分或标识码，可省略）和指标编号"
    )
    explain.add_argument("--stage", help="学段：primary 小学、junior 初中；不给学校时为该学段的差异系数")
    explain.add_argument(
        "--all", action=_InsteadOf, other=what, help="全部数值：给学校时为该校的，不给时为整个评估的"
    )
    explain.add_argument("--json", action="store_true", help="以 JSON 输出，供程序读取")
    explain.set_defaults(handle=explain_command)

    planning_parsers(commands)

    _planning_parsers(commands)

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


class _InsteadOf(argparse.Action):
    """A flag with which another argument need not be given."""

    def __init__(self, option_strings: list[str], dest: str, other: argparse.Action, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=False, help=help)
        self.other = other

    def __call__(self, parser: object, namespace: argparse.Namespace, *_: object) -> None:
        setattr(namespace, self.dest, True)
        self.other.required = False


def _planning_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that look ahead (docs/planning.md)."""
    propose = commands.add_parser(
        "propose", help="求一个阶段达标的最省方案，并用同一套模型验证（需安装 planning 附加包）"
    )
    propose.add_argument("district", help="区县代码")
    propose.add_argument("phase", help="阶段编号")
    propose.add_argument(
        "--budget", type=float, metavar="金额", help="造价上限，单位同 prices.toml；缺省为其中的 budget"
    )
    propose.add_argument(
        "--lever", action="append", metavar="手段", help="只用这种手段，可多次给出，如 equipment"
    )
    propose.add_argument("--all-seven", action="store_true", help="七项全部达标，不把任何一项留在底线")
    propose.add_argument("--cv-at-most", type=float, metavar="系数", help="差异系数留有余地，如 0.48")
    propose.add_argument(
        "--pupils-of",
        type=_pupils_of,
        metavar="学年",
        help="按这一学年（如 2027）的预测学生数求解，delivered 为已填报的；缺省为单价文件的 pupils_of，没有则为已填报的",
    )
    propose.add_argument("--take-out", action="store_true", help="允许停用超出标准的资源（降低供给）")
    propose.add_argument(
        "--seconds", type=float, default=60.0, metavar="秒", help="时限；到时给出已找到的最好方案"
    )
    propose.add_argument("--write", metavar="文件夹", help="把方案逐行写出，另写成 measures 的格式")
    propose.set_defaults(handle=propose_command)


def _pupils_of(text: str) -> int:
    """The school year of `--pupils-of`; 0 (`least_cost.command.DELIVERED`) for the pupils delivered."""
    if text == "delivered":
        return 0
    if len(text) == 4 and text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} 不是学年：请写四位数的年份，如 2028，或 delivered")


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


def explain_command(settings: Settings, options: argparse.Namespace) -> int:
    """Print how one published number came about."""
    from youjun_pipeline.explain.find import ExplainError, accounts, text_of
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.published import NoPublicationError, open_publication

    school, indicator = list(options.what or []), None
    if not options.all:
        indicator = school.pop() if school else None
    if len(school) > 1 or (indicator is None and not options.all):
        print(f"只能给一所学校和一个指标，现为：{'、'.join(options.what or ['没有'])}", file=sys.stderr)
        return 2
    try:
        with open_publication(settings.published, settings.lake_to_read) as con:
            evaluation, found = accounts(
                con, options.district, options.phase, indicator, school[0] if school else None, options.stage
            )
    except (ExplainError, NoPublicationError, LakeError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([a.as_json() for a in found], ensure_ascii=False, indent=1, default=str))
    else:
        print(text_of(evaluation, found), end="")
    return 0


def propose_command(settings: Settings, options: argparse.Namespace) -> int:
    """Print the least-cost plan of one evaluation, or what stands in its way."""
    try:
        from youjun_pipeline.planning.actions import ActionError
        from youjun_pipeline.planning.least_cost.command import ProposeError, Request, propose_plan
        from youjun_pipeline.planning.least_cost.district import Aims
        from youjun_pipeline.planning.least_cost.failure import SolverFailedError
        from youjun_pipeline.planning.least_cost.figures import UnknownFiguresError
        from youjun_pipeline.planning.least_cost.prices import PricesError
    except ModuleNotFoundError as error:
        print(f"缺少 {error.name}：请安装附加包 pip install 'youjun-pipeline[planning]'", file=sys.stderr)
        return 1
    from youjun_pipeline.session import evaluated_in_memory

    aims = Aims(
        every_indicator=options.all_seven,
        coefficient_at_most=options.cv_at_most,
        budget=options.budget,
        take_out=options.take_out,
    )
    folder = Path(options.write) if options.write else None
    request = Request(
        options.district, options.phase, aims, options.lever, options.seconds, folder, options.pupils_of
    )
    try:
        text, holds = propose_plan(settings, request, partial(evaluated_in_memory, settings))
    except (ProposeError, PricesError, UnknownFiguresError) as error:
        print(error, file=sys.stderr)
        return 1
    except (SolverFailedError, ActionError) as error:
        print(f"求解器没有给出可信的结果，不显示方案：{error}", file=sys.stderr)
        return 1
    print(text)
    return 0 if holds else 1


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
