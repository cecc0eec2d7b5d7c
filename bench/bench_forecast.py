"""How well pupils are forecast: a folder with rolls.csv and births.csv, every year's forecast against what came.

    python bench/bench_forecast.py FOLDER [--shocks 2020,2021] [--first-origin 2004] [--entry-age 5]

rolls.csv: year, school, grade, students. births.csv: year, births. Mean absolute errors in % stand beside "as last year",
the floor: a method that does not beat it is not worth its code. Fitted only on years up to each origin.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from youjun_pipeline.planning.forecast import Method, backtest

LEVELS = {
    "district": "district",
    "district_grade": "district by grade",
    "school": "school",
    "school_grade": "school by grade",
}


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The folder's rolls and births in the shape of `forecast`."""
    rolls = pd.read_csv(folder / "rolls.csv").rename(columns={"school": "school_code"})
    rolls = rolls.assign(district_code="bench", stage="primary")
    path = folder / "births.csv"
    return rolls, pd.read_csv(path).assign(district_code="bench") if path.exists() else None


def table(tried: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Errors in % and coverage by level and horizon, a mean of each origin's mean; and coverage over all horizons."""
    tried = tried.dropna(subset=["last"]).assign(
        error=lambda t: 100 * (t["students"] / t["actual"] - 1).abs(),
        as_last_year=lambda t: 100 * (t["last"] / t["actual"] - 1).abs(),
    )
    means = tried.groupby(["level", "horizon", "origin"])[["error", "as_last_year"]].mean()
    out = means.groupby(["level", "horizon"]).mean()
    judged = tried.dropna(subset=["low"])
    inside = ((judged["actual"] >= judged["low"]) & (judged["actual"] <= judged["high"])).astype(float)
    out["coverage"] = 100 * inside.groupby([judged["level"], judged["horizon"]]).mean()
    level = judged["level"]
    return out, 100 * inside.groupby(level).mean()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--shocks", default="2020,2021")
    parser.add_argument("--first-origin", type=int, default=2004)
    parser.add_argument("--entry-age", type=int, default=5)
    parser.add_argument("--horizon", type=int, default=5)
    options = parser.parse_args()
    if options.folder is None:
        print(
            "bench_forecast: give a folder with rolls.csv and births.csv; real rolls are not part of this project"
        )
        return
    rolls, births = read(options.folder)
    shocks = frozenset(int(y) for y in options.shocks.split(",") if y)
    method = Method(entry_age=options.entry_age, shock_years=shocks)
    found, covered = table(
        backtest(rolls, births, method=method, first_origin=options.first_origin, horizon=options.horizon)
    )
    for level, title in LEVELS.items():
        print(
            f"{title}: 80 % intervals cover {covered[level]:.1f} %\n{found.loc[level].round(2).to_string()}\n"
        )


if __name__ == "__main__":
    main()
