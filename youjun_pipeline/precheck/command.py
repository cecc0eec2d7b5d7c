"""The command of the check before sending. Keep out: the work itself."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path


def check_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command with its arguments."""
    check = commands.add_parser("check", help="报送前核对：逐处指出文件中的问题，不触动工作库")
    check.add_argument("folder", help="区县文件夹、一次交付的文件夹，或单个文件")
    check.add_argument("--report", metavar="FOLDER", help="另写标出问题单元格的副本和汇总到这个文件夹")
    check.add_argument("--dataset", help="单个文件的名称不是数据集名称时，指明是哪个数据集，如 schools")
    check.set_defaults(handle=check_command, needs_settings=False)


def check_command(options: argparse.Namespace) -> int:
    """Print everything wrong with a district's files; 0 clean, 1 problems, 2 wrong call."""
    from youjun_pipeline.contracts import load_datasets
    from youjun_pipeline.precheck.book import write_report
    from youjun_pipeline.precheck.check import precheck
    from youjun_pipeline.precheck.target import TargetError
    from youjun_pipeline.precheck.text import precheck_text
    from youjun_pipeline.settings import day_in_china

    folder, report = Path(options.folder), Path(options.report) if options.report else None
    if options.dataset and (options.dataset not in load_datasets() or not folder.is_file()):
        known = "、".join(load_datasets())
        print(f"--dataset 用于单个文件，可用：{known}", file=sys.stderr)
        return 2
    if report and report.resolve().is_relative_to((folder if folder.is_dir() else folder.parent).resolve()):
        print("--report 的文件夹请放在被检查的文件夹之外，以免混入交付", file=sys.stderr)
        return 2
    try:
        result = precheck(folder, day_in_china(datetime.now(UTC)), options.dataset)
        written = write_report(result, report) if report else []
    except TargetError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename or folder}：无法读取或写入（{error.strerror}）", file=sys.stderr)
        return 2
    print(precheck_text(result))
    if report:
        print(f"\n汇总和标注副本（{len(written)} 个文件）写入 {report.resolve()}")
    return 0 if result.is_clean else 1
