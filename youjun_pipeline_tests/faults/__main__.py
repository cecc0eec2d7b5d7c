"""`python -m youjun_pipeline_tests.faults [kills|readers|bombs] [--count N] [--seed N]`: run one harness, or all of them.

Each prints what it did and saw, and ends with 1 if anything was torn, missing, stuck or too large.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

HARNESSES = ("kills", "readers", "bombs")


def main(arguments: list[str] | None = None) -> int:
    """Run the requested harnesses; returns 1 if any of them found a fault."""
    parser = argparse.ArgumentParser(prog="python -m youjun_pipeline_tests.faults")
    parser.add_argument("harness", nargs="*", choices=[*HARNESSES, []], help="all of them when none is named")
    parser.add_argument("--count", type=int, help="kills, publications or 0 for the harness's own number")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tries the same things")
    asked = parser.parse_args(arguments)
    faults = 0
    for name in asked.harness or HARNESSES:
        print(f"== {name}", flush=True)
        faults += import_module(f"youjun_pipeline_tests.faults.{name}").run(asked.count, asked.seed)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
