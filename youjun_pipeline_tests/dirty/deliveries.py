"""Whole deliveries of spoiled files, checked before sending: whatever they contain, the check reports something and ends.

Belongs here: these deliveries. Keep out: single files (verify.py) and the report on a certain fault.
"""

from __future__ import annotations

import datetime as dt
import traceback
from pathlib import Path

from youjun_pipeline.precheck.book import write_report
from youjun_pipeline.precheck.check import precheck
from youjun_pipeline.precheck.text import precheck_text
from youjun_pipeline_tests.dirty.grids import GOOD, copy_of, write_grid
from youjun_pipeline_tests.dirty.mutate import mutant
from youjun_pipeline_tests.dirty.verify import PROGRAM

DAY = dt.date(2024, 6, 30)
# Mutants in a delivery; datasets that none of them is stay good.
MUTANTS = 6


def spoiled_delivery(seed: int, folder: Path) -> Path:
    """A delivery of good files with some mutants among them."""
    delivery = folder / str(DAY)
    delivery.mkdir(parents=True)
    for dataset, grid in GOOD.items():
        write_grid(delivery / f"{dataset}.xlsx", copy_of(grid))
    for number in range(seed * MUTANTS, (seed + 1) * MUTANTS):
        made = mutant(number, folder)
        for same in delivery.glob(f"{made.dataset}.*"):
            same.unlink()
        made.path.rename(delivery / f"{made.dataset}{made.path.suffix}")
    return delivery


def delivery_faults(seed: int, folder: Path) -> list[str]:
    """Faults in the check of one delivery, as text and as workbooks."""
    delivery = spoiled_delivery(seed, folder)
    try:
        result = precheck(delivery, DAY)
        text = precheck_text(result)
        written = write_report(result, folder / "report")
    except Exception:
        return [f"delivery {seed}: the check raised:\n{traceback.format_exc()}"]
    faults = [
        f"delivery {seed}: told in a program's words: {line}"
        for line in text.splitlines()
        if PROGRAM.search(line)
    ]
    faults += [f"delivery {seed}: {path.name} is empty" for path in written if not path.stat().st_size]
    if len(result.files) != len(GOOD):
        faults.append(f"delivery {seed}: {len(result.files)} files checked")
    return faults
