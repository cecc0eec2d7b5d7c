"""The commands of templates: writing them, and putting schools' workbooks together. Keep out: the work itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.settings import Settings, SettingsError

if TYPE_CHECKING:
    from youjun_pipeline.templates.books import Roster


def template_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands with their arguments."""
    compose = commands.add_parser("compose", help="把各校填好的工作簿汇总成区县报送的文件")
    compose.add_argument("folder", help="各校工作簿所在的文件夹")
    compose.add_argument("out", help="汇总的文件写到哪个文件夹，如 deliveries/2024-06-30")
    compose.add_argument("--district", help="区县代码：核对名册中哪些学校还没有交")
    compose.set_defaults(handle=compose_command, needs_settings=False)

    templates = commands.add_parser("templates", help="生成各数据集的空白填报模板（.xlsx）")
    templates.add_argument("folder", help="写到哪个文件夹；没有则新建")
    templates.add_argument("--district", help="区县代码：按其最近交付的学校名册预先填好学校")
    templates.add_argument(
        "--by-school", action="store_true", help="每校一个工作簿，由学校填写，再用 compose 汇总"
    )
    templates.set_defaults(handle=templates_command, needs_settings=False)


def templates_command(options: argparse.Namespace) -> int:
    """Write the templates, and print the dataset of each."""
    from youjun_pipeline.contracts import load_datasets
    from youjun_pipeline.templates.books import (
        TemplateError,
        write_price_template,
        write_scenario_template,
        write_templates,
    )

    try:
        district = options.district
        roster = _roster_with_open_items(Settings.from_environment(), district) if district else None
        if options.by_school:
            return _school_books(Path(options.folder), roster)
        paths = write_templates(Path(options.folder), roster)
        scenario = write_scenario_template(Path(options.folder), roster)
        prices = write_price_template(Path(options.folder))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except TemplateError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or options.folder}：无法写入（{error.strerror}）", file=sys.stderr)
        return 1
    filled = f"，已填好{roster.district}的 {len(roster.schools)} 所学校" if roster else ""
    print(f"{len(paths)} 个模板写入 {Path(options.folder).resolve()}{filled}：")
    for path in paths:
        print(f"  {path.name}  {load_datasets()[path.stem].title}")
    print(f"另有情景模板 {scenario.name}：填好后改名放入区县文件夹的 scenarios/，用 youjun what-if 试算")
    print(f"另有单价模板 {prices.name}：填好后放入区县文件夹，用 youjun propose 编制最省方案")
    return 0


def _roster_with_open_items(settings: Settings, district: str) -> Roster:
    """The district's newest roster, with the open items of the publication if there is one."""
    from youjun_pipeline.templates.books import TemplateError, newest_roster
    from youjun_pipeline.warehouse.lake import LakeError
    from youjun_pipeline.warehouse.published import NoPublicationError, open_publication

    try:
        with open_publication(settings.published, settings.lake_to_read) as con:
            return newest_roster(settings.data, district, con)
    except NoPublicationError:
        return newest_roster(settings.data, district)
    except LakeError as error:
        raise TemplateError(str(error)) from error


def _school_books(folder: Path, roster: Roster | None) -> int:
    """Write a workbook for every school of the roster."""
    from youjun_pipeline.templates.books import TemplateError
    from youjun_pipeline.templates.school_books import write_school_books

    if roster is None:
        raise TemplateError("--by-school 要同时用 --district 指明区县")
    paths = write_school_books(folder, roster)
    print(f"{len(paths)} 所学校的工作簿写入 {folder.resolve()}；填好后用 youjun compose 汇总")
    return 0


def compose_command(options: argparse.Namespace) -> int:
    """Compose schools' workbooks; returns 0 if written, 1 if something is wrong and nothing was written."""
    from youjun_pipeline.templates.books import TemplateError, newest_roster
    from youjun_pipeline.templates.school_books import compose_books

    try:
        roster = (
            newest_roster(Settings.from_environment().data, options.district) if options.district else None
        )
        result = compose_books(Path(options.folder), Path(options.out), roster)
    except (TemplateError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}：无法读取或写入（{error.strerror}）", file=sys.stderr)
        return 1
    for fault in result.faults:
        print(f"【错误】{fault}", file=sys.stderr)
    for notice in result.notices:
        print(f"【提示】{notice}")
    if result.faults:
        print("没有写任何文件：请改正后再汇总", file=sys.stderr)
        return 1
    for path, rows in result.written.items():
        print(f"  {path.name}  {rows} 行")
    print(
        f"{result.schools} 所学校的工作簿汇总到 {Path(options.out).resolve()}；报送前请用 youjun check 检查"
    )
    return 0
