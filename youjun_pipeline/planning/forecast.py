"""Pupils of coming years by school, stage, grade and year: cohorts move up, schools are shrunk towards their district.

Rolls are one dense array over all schools of all requested districts, so one pass serves a whole country. Belongs here: the
method and its own backtest. Keep out: where rolls come from and what the pupils mean for a verdict (`enrolment`).

The method, tried on 27 years of real rolls (bench/bench_forecast.py):

- A district by grade: the grade below, times the progression ratio of the last years, pooled over its schools. The first grade:
  children who leave the kindergartens, or else the births of the fitting year, times the share that entered school in the last
  years. Where neither is known, entry stays as it was.
- A school by grade: its own cohorts move up by the district's ratios, and its entry is its part of the district's entry in the
  last years. Its total is shrunk towards its present part of the district. Cohorts alone are worse than "as last year".
- In every grade the schools add up to their district.
- Intervals: the errors that the same method would have made in each earlier year of the same rolls.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

HORIZON = 9
# How many pairs of years progression is pooled over, and how many years entry per birth is pooled over. More years lag behind a
# trend, fewer follow noise. Entry changes faster than progression (bench, 2026-11: 3 years instead of 5 lower the error at 3
# years from 2.1 to 1.9 %).
WINDOW = 5
ENTRY_WINDOW = 3
# Weight of a school's own cohorts against its present share of the district. A half is better one year ahead (4.35 against 4.38
# %), a third is better from the third year on (7.12 against 7.22 %; bench, 2026-11).
COHORT_WEIGHT = 0.3
COVERAGE = 0.8
# Children in a kindergarten in the origin year leave it within three years.
KINDERGARTEN_YEARS = 3
# Fewer earlier errors than this say nothing about an 80 % interval.
FEWEST_MISSES = 8
KEY = ["district_code", "school_code", "stage", "grade"]

COLUMNS = [*KEY, "year", "horizon", "students", "low", "high", "misses"]

Array = np.ndarray


@dataclass(frozen=True)
class Method:
    """Settings of the forecast.

    Shock years are left out of the fit and of the backtest. `entry_age` is the number of years from birth to the first grade.
    """

    window: int = WINDOW
    entry_window: int = ENTRY_WINDOW
    cohort_weight: float = COHORT_WEIGHT
    entry_age: int = 6
    shock_years: frozenset[int] = field(default_factory=frozenset)


def forecast(
    rolls: pd.DataFrame,
    births: pd.DataFrame | None = None,
    *,
    leavers: pd.DataFrame | None = None,
    horizon: int = HORIZON,
    method: Method | None = None,
) -> pd.DataFrame:
    """Pupils of the `horizon` years after the newest roll of each district.

    Args:
        rolls: one row per district_code, school_code, stage, grade (whole number, rising through the stages) and year (school
            year by the year it begins), with `students`. Nan: the school exists and did not report. No row: the school does not
            exist. A school without a figure in the newest year gets no forecast.
        births: district_code, year, births.
        leavers: district_code, year, leavers of kindergartens, also those expected in coming years. They take precedence over
            births.
        horizon: how many years ahead.
        method: changes to the defaults.

    Returns:
        district_code, school_code (null: all schools), stage (compulsory: both), grade (null: all grades), year, horizon,
        students, low, high, misses (how many earlier errors the interval rests on). low and high are null if the rolls have too
        few years to judge the method by.
    """
    method = method or Method()
    frames = []
    # Districts with the same newest year are forecast together.
    newest = rolls.groupby("district_code")["year"].max()
    for origin, codes in newest.groupby(newest).groups.items():
        laid = _laid_out(rolls[rolls["district_code"].isin(codes)], births, leavers)
        said = _said(laid, int(origin), horizon, method)
        misses = _misses(laid, int(origin), horizon, method)
        frames.append(_with_intervals(said, misses))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def backtest(
    rolls: pd.DataFrame,
    births: pd.DataFrame | None = None,
    *,
    horizon: int = 5,
    method: Method | None = None,
    first_origin: int | None = None,
) -> pd.DataFrame:
    """What the method would have forecast in each earlier year, beside what came.

    The fit of each origin, intervals included, uses only the years up to that origin. Shock years are left out, both as origins
    and as target years. Returns the columns of `forecast` and origin, actual, last (the figure in the origin year).
    """
    method = method or Method()
    laid = _laid_out(rolls, births)
    misses = _misses(laid, int(laid.years[-1]), horizon, method)
    frames = []
    for origin, said in misses.groupby("origin"):
        if first_origin is None or origin >= first_origin:
            frames.append(_with_intervals(said, misses[misses["year"] <= origin]))
    return (
        pd.concat(frames, ignore_index=True) if frames else misses.assign(low=np.nan, high=np.nan, misses=0)
    )


@dataclass(frozen=True)
class _Laid:
    """Rolls as an array [unit, year]; a unit is one grade of one school, a cell is one grade of one district.

    `below` is the unit of the grade below, `cell_below` the cell of the grade below; both are −1 in the first grade. Leavers and
    births are [district, year] over the years `span`.
    """

    units: pd.DataFrame
    years: Array
    rolls: Array
    unreported: Array
    school: Array
    section: Array
    below: Array
    cell: Array
    cell_below: Array
    cell_district: Array
    leavers: Array
    births: Array
    span: Array
    levels: list[tuple[pd.DataFrame, Array]]

    def at(self, year: int) -> Array:
        """Rolls of one year, by unit; nan where a roll was not reported."""
        place = year - int(self.years[0])
        return self.rolls[:, place] if 0 <= place < len(self.years) else np.full(len(self.units), np.nan)

    def by_section(self, of_units: Array) -> Array:
        """Sums of the known values by school and stage."""
        return np.bincount(self.section, np.nan_to_num(of_units), self.section.max() + 1)

    def silent_school(self, place: int) -> Array:
        """Marks the units of schools that left some grade unreported in the year at `place`."""
        return (np.bincount(self.school, self.unreported[:, place], self.school.max() + 1) > 0)[self.school]

    def by_cell(self, of_units: Array) -> Array:
        """Sums by district and grade; nan where no unit has a value."""
        known = ~np.isnan(of_units)
        total = np.bincount(self.cell, np.where(known, of_units, 0), len(self.cell_below))
        return np.where(np.bincount(self.cell, known, len(self.cell_below)) > 0, total, np.nan)


def _laid_out(rolls: pd.DataFrame, births: pd.DataFrame | None, leavers: pd.DataFrame | None = None) -> _Laid:
    wide = rolls.pivot_table(
        index=KEY, columns="year", values="students", aggfunc="sum", min_count=1, dropna=False
    )
    wide = wide[wide.index.isin(pd.MultiIndex.from_frame(rolls[KEY]))].sort_index()
    years = np.arange(int(rolls["year"].min()), int(rolls["year"].max()) + 1)
    wide = wide.reindex(columns=years)
    silent = rolls[rolls["students"].isna()].pivot_table(
        index=KEY, columns="year", values="students", aggfunc="size"
    )
    units = wide.index.to_frame(index=False)
    cells = units[["district_code", "grade"]].drop_duplicates().sort_values(["district_code", "grade"])
    place = pd.MultiIndex.from_frame(cells)
    districts, cell_district = np.unique(cells["district_code"].to_numpy(str), return_inverse=True)
    span = np.arange(int(years[0]) - 20, int(years[-1]) + HORIZON + 1)
    return _Laid(
        units=units,
        years=years,
        rolls=wide.to_numpy(float),
        unreported=silent.reindex(index=wide.index, columns=years).notna().to_numpy(),
        school=units.groupby(KEY[:2]).ngroup().to_numpy(),
        section=units.groupby(KEY[:3]).ngroup().to_numpy(),
        below=pd.MultiIndex.from_frame(units).get_indexer(
            pd.MultiIndex.from_frame(units.assign(grade=units["grade"] - 1))
        ),
        cell=place.get_indexer(pd.MultiIndex.from_frame(units[["district_code", "grade"]])),
        cell_below=place.get_indexer(pd.MultiIndex.from_frame(cells.assign(grade=cells["grade"] - 1))),
        cell_district=cell_district,
        leavers=_by_year(leavers, "leavers", districts, span),
        births=_by_year(births, "births", districts, span),
        span=span,
        levels=_level_keys(units),
    )


def _by_year(frame: pd.DataFrame | None, value: str, districts: Array, span: Array) -> Array:
    """A district figure by year, [district, year]; nan where it is not known."""
    if frame is None or frame.empty:
        return np.full((len(districts), len(span)), np.nan)
    table = frame.pivot_table(index="district_code", columns="year", values=value, aggfunc="sum")
    return table.reindex(index=districts, columns=span).to_numpy(float)


def _entrants(laid: _Laid, year: int, origin: int, method: Method) -> list[Array]:
    """Children who will enter school in `year`, by source of entry and district, as far as known in the origin year."""
    nobody = np.full(len(laid.births), np.nan)
    place, birth_year = year - int(laid.span[0]), year - method.entry_age
    return [
        laid.leavers[:, place] if year <= origin + KINDERGARTEN_YEARS else nobody,
        laid.births[:, place - method.entry_age] if birth_year <= origin else nobody,
    ]


def _level_keys(units: pd.DataFrame) -> list[tuple[pd.DataFrame, Array]]:
    """Each level of the forecast: its keys, and for every unit the index of its key (−1: the unit does not count there)."""
    found = []
    both = units.groupby(["district_code", "school_code"])["stage"].transform("nunique") > 1
    every = pd.Series(True, units.index)
    for level, columns, counted in (
        ("school_grade", KEY, every),
        ("school", KEY[:3], every),
        ("school", KEY[:2], both),
        ("district_grade", [KEY[0], *KEY[2:]], every),
        ("district", [KEY[0], KEY[2]], every),
        ("district", KEY[:1], every),
    ):
        kept = units[counted]
        keys = kept[columns].drop_duplicates()
        if "stage" not in columns and level == "district" and units["stage"].nunique() < 2:
            continue
        index = np.full(len(units), -1)
        index[counted.to_numpy()] = pd.MultiIndex.from_frame(keys).get_indexer(
            pd.MultiIndex.from_frame(kept[columns])
        )
        named = keys.reindex(columns=KEY).assign(level=level).reset_index(drop=True)
        if "stage" not in columns:
            named["stage"] = "compulsory"
        found.append((named, index))
    return found


def _ratios(laid: _Laid, origin: int, method: Method) -> tuple[Array, Array]:
    """Progression by cell, and entry per head by source and district [source, district], pooled over recent years.

    Shock years are left out. The ratios are those of whole districts, because pupils of a closing school go on elsewhere. A
    school that did not report in one of two years is left out of both. Without a pair of years the ratio is 1.
    """
    size = len(laid.cell_below)
    above, under, pairs = np.zeros(size), np.zeros(size), np.zeros(size)
    entered, expected, seen = (np.zeros((2, len(laid.births))) for _ in range(3))
    first = laid.cell_below < 0
    start = int(laid.years[0])
    for year in range(origin, start - 1, -1):
        if year in method.shock_years:
            continue
        now, place = laid.at(year), year - start
        entry = np.full(len(laid.births), np.nan)
        entry[laid.cell_district[first]] = laid.by_cell(now)[first]
        heads = np.array(_entrants(laid, year, origin, method))
        usable = ~np.isnan(entry) & ~np.isnan(heads) & (seen < method.entry_window)
        entered, expected = entered + np.where(usable, entry, 0), expected + np.where(usable, heads, 0)
        seen += usable
        if year == start or year - 1 in method.shock_years:
            continue
        silent = laid.silent_school(place) | laid.silent_school(place - 1)
        up = laid.by_cell(np.where(silent, np.nan, now))
        down = laid.by_cell(np.where(silent, np.nan, laid.at(year - 1)))[laid.cell_below]
        usable = (down > 0) & (up > 0) & ~first & (pairs < method.window)
        above, under = above + np.where(usable, up, 0), under + np.where(usable, down, 0)
        pairs += usable
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(under > 0, above / under, 1.0), np.where(expected > 0, entered / expected, np.nan)


def _project(laid: _Laid, origin: int, horizon: int, method: Method) -> Array:
    """Pupils of every unit in the `horizon` years after `origin`, [unit, year]."""
    ratio, per_head = _ratios(laid, origin, method)
    last = laid.at(origin)
    district = laid.by_cell(last)
    entry_share, last_share = _share(laid, origin, method, method.entry_window), last / district[laid.cell]
    cohort, first = last, laid.cell_below < 0
    out = np.full((len(last), horizon), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        for step in range(horizon):
            entry = district.copy()
            heads = _entrants(laid, origin + 1 + step, origin, method)
            for source in (1, 0):
                expected = (heads[source] * per_head[source])[laid.cell_district]
                entry = np.where(np.isnan(expected), entry, expected)
            moved = district[laid.cell_below] * ratio
            district = np.where(first, entry, np.where(np.isnan(moved), district, moved))
            own = np.where(laid.below >= 0, cohort[laid.below] * ratio[laid.cell], np.nan)
            cohort = np.where(np.isnan(own), entry_share * district[laid.cell], own)
            cohorts = laid.by_section(cohort)
            shrunk = laid.by_section(last_share * district[laid.cell])
            level = method.cohort_weight + (1 - method.cohort_weight) * shrunk / cohorts
            said = cohort * np.where(cohorts > 0, level, 1.0)[laid.section]
            out[:, step] = said * np.nan_to_num(district / laid.by_cell(said), nan=1.0, posinf=1.0)[laid.cell]
    return out


def _share(laid: _Laid, origin: int, method: Method, window: int) -> Array:
    """Each unit's part of its district's grade: the mean of recent years but shock years; nan if the unit has no roll now."""
    total, years = np.zeros(len(laid.units)), np.zeros(len(laid.units))
    for year in range(origin, int(laid.years[0]) - 1, -1):
        if year in method.shock_years and year != origin:
            continue
        roll = laid.at(year)
        known = ~np.isnan(roll) & (years < window)
        with np.errstate(invalid="ignore", divide="ignore"):
            total += np.where(known, roll / laid.by_cell(roll)[laid.cell], 0)
        years += known
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(laid.at(origin)), np.nan, total / years)


def _said(laid: _Laid, origin: int, horizon: int, method: Method) -> pd.DataFrame:
    """The forecast of every level, without intervals."""
    return _by_level(laid, _project(laid, origin, horizon, method), origin)


def _by_level(laid: _Laid, of_units: Array, origin: int) -> pd.DataFrame:
    """Sums of [unit, year] at every level, one row per key and year that has a value; the first year follows `origin`."""
    frames = []
    steps = of_units.shape[1]
    for keys, index in laid.levels:
        students = np.full((steps, len(keys)), np.nan)
        for step, figures in enumerate(of_units.T):
            known = (index >= 0) & ~np.isnan(figures)
            total = np.bincount(index[known], figures[known], len(keys))
            present = np.bincount(index[known], minlength=len(keys)) > 0
            students[step] = np.where(present, total, np.nan)
        horizon = np.repeat(np.arange(1, steps + 1), len(keys))
        repeated = keys.iloc[np.tile(np.arange(len(keys)), steps)]
        frames.append(repeated.assign(year=origin + horizon, horizon=horizon, students=students.ravel()))
    return pd.concat(frames, ignore_index=True).dropna(subset="students")


def _misses(laid: _Laid, until: int, horizon: int, method: Method) -> pd.DataFrame:
    """What the method would have forecast at every level in each year before `until`, beside what came by then."""
    came = _by_level(laid, laid.rolls, int(laid.years[0]) - 1)[[*KEY, "level", "year", "students"]]
    key = [*KEY, "level", "year"]
    frames = []
    for origin in laid.years[(laid.years < until) & (laid.years > laid.years[0])]:
        if int(origin) not in method.shock_years:
            said = _said(laid, int(origin), min(horizon, until - int(origin)), method).assign(
                origin=int(origin)
            )
            frames.append(said.merge(came.rename(columns={"students": "actual"}), on=key))
    if not frames:
        return pd.DataFrame(columns=[*COLUMNS[:-3], "level", "origin", "actual", "last"])
    said = pd.concat(frames, ignore_index=True)
    was = came.rename(columns={"students": "last", "year": "origin"})
    said = said.merge(was, on=[*KEY, "level", "origin"], how="left")
    return said[~said["year"].isin(method.shock_years)].reset_index(drop=True)


def _with_intervals(said: pd.DataFrame, misses: pd.DataFrame) -> pd.DataFrame:
    """Add intervals from earlier errors of the same level and horizon.

    An error counts in units of √students, so that small and large schools can be compared. If a horizon has too few errors, the
    interval of the nearest shorter horizon with enough errors is widened with the root of time.
    """
    scaled = misses.assign(
        miss=(misses["actual"] - misses["students"]) / np.sqrt(misses["students"].clip(lower=1))
    )
    found = (
        scaled.groupby(["level", "horizon"])["miss"]
        .agg(lambda m: _reach(m.to_numpy(float)))
        .unstack("level")
        .reindex(range(1, HORIZON + 1))
    )
    for column in found:
        known = found[column].ffill()
        since = pd.Series(np.where(found[column].notna(), found.index, np.nan), found.index).ffill()
        found[column] = known * np.sqrt(found.index / since)
    reach = found.stack().rename("reach").reset_index() if len(found.columns) else None
    count = scaled.groupby(["level", "horizon"]).size().rename("misses").reset_index()
    out = said.drop(columns=["misses"], errors="ignore").merge(count, on=["level", "horizon"], how="left")
    out["misses"] = out["misses"].fillna(0).astype(int)
    out["reach"] = np.nan if reach is None else out.merge(reach, on=["level", "horizon"], how="left")["reach"]
    spread = out["reach"] * np.sqrt(out["students"].clip(lower=1))
    return out.assign(low=(out["students"] - spread).clip(lower=0), high=out["students"] + spread).drop(
        columns="reach"
    )


def _reach(misses: Array) -> float:
    """How far, either way, a new error stays with probability COVERAGE; found from the ranks of the earlier errors."""
    rank = int(np.ceil((len(misses) + 1) * COVERAGE))
    return float(np.sort(np.abs(misses))[rank - 1]) if FEWEST_MISSES <= len(misses) >= rank else float("nan")
