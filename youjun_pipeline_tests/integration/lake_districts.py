"""Districts for the tests of lakes. It is not a test module: a module that is not run would take its names with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from youjun_pipeline.settings import Lake, Settings
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_district

PHASES = (Phase("2023-first", "第一阶段", date(2023, 7, 1), date(2023, 9, 30)),)
# Of three shards one has none of them, of two each has two.
CODES = ("120114", "120115", "120104", "120119")
AS_OF = date(2024, 1, 1)


def write(folder: Path, code: str, seed: int) -> None:
    """Write a district of six schools into the data folder."""
    made = generate_district(seed, n_schools=6, profile="mixed", code=code)
    write_district(folder, made.tables, made.settings, PHASES, style=PLAIN, code=code, slug="d", name=code)


def with_lake(settings: Settings, folder: Path, *, wait: bool = True) -> Settings:
    """The settings, with a lake in `folder` added."""
    return replace(settings, lake=Lake(str(folder / "lake.ducklake"), f"{folder / 'lake'}/", wait))
