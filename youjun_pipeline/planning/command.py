"""The commands of planning. Keep out: the work; heavy packages are imported by the command that needs them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from youjun_pipeline.settings import Settings


def planning_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands with their arguments."""
    what_if = commands.add_parser(
        "what-if", help="试算情景：措施落实或学生变动后会怎样，与现状比较；只读发布，不改动任何结果"
    )
    what_if.add_argument("district", help="区县代码")
    what_if.add_argument("phase", help="以哪个阶段的数据为基准：阶段编号")
    what_if.add_argument(
        "scenario",
        nargs="+",
        help="情景文件（.toml、.xlsx、.csv）、区县 scenarios/ 中的情景编号，或 plan（区县自己的方案）",
    )
    what_if.add_argument("--at", metavar="阶段", help="看到哪个阶段结束；缺省为方案最后一个阶段")
    what_if.add_argument("--out", metavar="FILE", help="另写比较结果到这个工作簿（.xlsx）")
    what_if.set_defaults(handle=what_if_command)


def what_if_command(settings: Settings, options: argparse.Namespace) -> int:
    """Print what scenarios would change. Returns 0, or 1 if a scenario or the publication cannot be used."""
    from pathlib import Path

    from youjun_pipeline.planning.book import write_book
    from youjun_pipeline.planning.scenario_file import ScenarioFileError
    from youjun_pipeline.planning.text import what_if_text
    from youjun_pipeline.planning.what_if import PlanningError, try_out
    from youjun_pipeline.warehouse.inputs import NoInputsError
    from youjun_pipeline.warehouse.lake import LakeError

    try:
        result = try_out(settings, options.district, options.phase, options.scenario)
    except ScenarioFileError as error:
        print(f"{error}\n没有试算：共 {len(error.problems)} 处问题，改好后请再运行", file=sys.stderr)
        return 1
    except (PlanningError, NoInputsError, LakeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(what_if_text(result, options.at))
    if options.out:
        print(f"工作簿 {write_book(result, Path(options.out)).resolve()}")
    return 0
