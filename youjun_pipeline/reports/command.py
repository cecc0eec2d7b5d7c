"""The command of reports. Keep out: the work; heavy packages are imported by the command that needs them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from youjun_pipeline.settings import Settings


def report_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command with its arguments."""
    wall = commands.add_parser("wall-pdf", help="把已发布的挂图（SVG）做成 A0 幅面的 PDF")
    wall.add_argument("district", nargs="?", help="区县代码；缺省为全部区县")
    wall.add_argument("phase", nargs="?", help="阶段编号；缺省为全部阶段")
    wall.add_argument("--out", metavar="FOLDER", default=".", help="写到这个文件夹；缺省为当前文件夹")
    wall.set_defaults(handle=wall_pdf_command)


def wall_pdf_command(settings: Settings, options: argparse.Namespace) -> int:
    """Make PDFs of the published wall maps and print their paths. Returns 0, or 1 if there is no map or no Chinese typeface."""
    from youjun_pipeline.reports.county.wall_pdf import NoTypefaceError, write_pdfs

    papers = settings.published / "papers"
    try:
        made = write_pdfs(papers, Path(options.out), options.district, options.phase)
    except NoTypefaceError as error:
        print(f"{error}；SVG 在 {papers}", file=sys.stderr)
        return 1
    if not made:
        asked = " ".join(filter(None, [options.district, options.phase]))
        print(f"{papers} 中没有{f' {asked} 的' if asked else ''}挂图：请先运行 make run", file=sys.stderr)
        return 1
    for path in made:
        print(path.resolve())
    return 0
