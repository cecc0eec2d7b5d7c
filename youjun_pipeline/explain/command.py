"""`youjun explain`: the origin of one published number, or of all. Keep out: finding the origin (`find`)."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from youjun_pipeline.settings import Settings


def explain_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to `youjun`."""
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


class _InsteadOf(argparse.Action):
    """A flag that replaces another required argument."""

    def __init__(self, option_strings: list[str], dest: str, other: argparse.Action, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=False, help=help)
        self.other = other

    def __call__(self, parser: object, namespace: argparse.Namespace, *_: object) -> None:
        setattr(namespace, self.dest, True)
        self.other.required = False


def explain_command(settings: Settings, options: argparse.Namespace) -> int:
    """Print the origin of one published number."""
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
