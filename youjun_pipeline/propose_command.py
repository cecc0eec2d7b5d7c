"""`youjun propose`: the least-cost plan of one evaluation (docs/planning.md). Keep out: finding it (`planning.least_cost`).

Beside the command line and not in `planning`, because it evaluates in a session of its own.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from youjun_pipeline.settings import Settings


def propose_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to `youjun`."""
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
