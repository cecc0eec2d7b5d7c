"""The few commands that are not Dagster's own: `youjun run`, `youjun explain` and the like."""

from __future__ import annotations

import argparse
import logging
import sys

from youjun_pipeline.settings import Settings, SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the `youjun` command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="youjun", description="优均：义务教育优质均衡评估")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="读取交付、计算、检查并发布（与夜间计划同一个作业）")
    run.add_argument("--phase", action="append", help="只算这个阶段；给两个即为起止范围；缺省为全部")
    run.add_argument("--district", action="append", help="只算这个区县代码，可多次给出；缺省为全部")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("youjun").setLevel(logging.INFO)
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return run_command(settings, options.phase, options.district)


def run_command(settings: Settings, phases: list[str] | None, districts: list[str] | None) -> int:
    """Run the refresh job in this process and print where the results are; 1 when the run failed."""
    from youjun_pipeline.orchestration.execute import RefreshFailedError, run_refresh
    from youjun_pipeline.warehouse.summary import result_table

    try:
        run_refresh(settings, phases, districts)
    except RefreshFailedError as error:
        print(error, file=sys.stderr)
        return 1
    print(result_table(settings.published))
    return 0


if __name__ == "__main__":
    sys.exit(main())
