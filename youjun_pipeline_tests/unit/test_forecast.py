"""The arithmetic of the forecast, on rolls whose future is known by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from youjun_pipeline.planning.forecast import Method, backtest, forecast

SIZES = {"S1": 40.0, "S2": 80.0, "S3": 120.0}
RATIO = 0.95


def rolls(years: range, sizes: dict[str, float] | None = None, entry: float = 1.0) -> pd.DataFrame:
    """Cohorts with constant entry that keep the share RATIO of their pupils from grade to grade."""
    return pd.DataFrame(
        [
            ("D", school, "primary", grade, year, size * entry * RATIO ** (grade - 1))
            for school, size in (sizes or SIZES).items()
            for grade in range(1, 7)
            for year in years
        ],
        columns=["district_code", "school_code", "stage", "grade", "year", "students"],
    )


def total(said: pd.DataFrame, **where: object) -> float:
    """The only figure that matches `where`; a None means null."""
    for column, value in where.items():
        said = said[said[column].isna()] if value is None else said[said[column] == value]
    assert len(said) == 1
    return float(said["students"].iloc[0])


def test_a_steady_district_stays_as_it_is() -> None:
    said = forecast(rolls(range(2010, 2020)))
    assert set(said["year"]) == set(range(2020, 2029))
    every = sum(SIZES.values())
    assert total(said, school_code=None, stage="primary", grade=3, year=2025) == pytest.approx(
        every * RATIO**2
    )
    assert total(said, school_code="S2", grade=6, year=2028) == pytest.approx(80 * RATIO**5)
    # a method that never missed has intervals of no width
    assert np.allclose(said["low"], said["students"]) and np.allclose(said["high"], said["students"])


def test_schools_and_grades_add_up_to_the_district() -> None:
    rng = np.random.default_rng(7)
    noisy = rolls(range(2010, 2020))
    noisy["students"] = (noisy["students"] * rng.uniform(0.8, 1.2, len(noisy))).round()
    said = forecast(noisy)
    grades = said[said["grade"].notna()]
    by_school = grades[grades["school_code"].notna()].groupby(["grade", "year"])["students"].sum()
    district = grades[grades["school_code"].isna()].set_index(["grade", "year"])["students"]
    assert np.allclose(by_school.sort_index(), district.sort_index())
    schools = said[said["school_code"].notna() & said["grade"].isna()]
    whole = said[said["school_code"].isna() & said["grade"].isna()].set_index("year")["students"]
    assert np.allclose(schools.groupby("year")["students"].sum().sort_index(), whole.sort_index())


def test_births_say_who_enters_as_far_as_they_are_known() -> None:
    born = pd.DataFrame({"district_code": "D", "year": range(2000, 2020), "births": 300.0})
    born.loc[born["year"] >= 2015, "births"] = 150.0
    said = forecast(rolls(range(2010, 2020)), born, method=Method(entry_age=6))
    entry = {y: total(said, school_code=None, stage="primary", grade=1, year=y) for y in range(2020, 2029)}
    # 240 of 300 born enter; those of 2015 to 2019 enter from 2021 to 2025, and nobody knows who is born later
    assert entry[2020] == pytest.approx(240)
    assert [entry[2021], entry[2025], entry[2028]] == pytest.approx([120] * 3)


def test_leavers_of_kindergartens_go_before_births() -> None:
    born = pd.DataFrame({"district_code": "D", "year": range(2000, 2020), "births": 300.0})
    left = pd.DataFrame({"district_code": "D", "year": range(2010, 2025), "leavers": 480.0})
    left.loc[left["year"] >= 2021, "leavers"] = 120.0
    said = forecast(rolls(range(2010, 2020)), born, leavers=left)
    entry = {y: total(said, school_code=None, stage="primary", grade=1, year=y) for y in range(2020, 2029)}
    # half of the leavers enter; of 2023 and later nobody is in a kindergarten yet in 2019, and births go on
    assert [entry[y] for y in (2020, 2021, 2022, 2023, 2025)] == pytest.approx([240, 60, 60, 240, 240])


def test_a_shock_year_that_is_named_leaves_no_trace() -> None:
    shocked = rolls(range(2010, 2020))
    shocked.loc[shocked["year"] == 2014, "students"] *= 0.6
    named = forecast(shocked, method=Method(shock_years=frozenset({2014})))
    assert total(named, school_code="S1", grade=4, year=2023) == pytest.approx(40 * RATIO**3)
    silent = forecast(shocked)
    assert total(silent, school_code="S1", grade=4, year=2023) != pytest.approx(40 * RATIO**3, rel=0.01)
    assert (silent["high"] - silent["low"]).max() > (named["high"] - named["low"]).max() + 1


def test_pupils_of_a_school_that_closed_go_on_elsewhere() -> None:
    closed = rolls(range(2010, 2020), {"S1": 40, "S2": 80})
    late = closed["year"] >= 2015
    gone = closed[(closed["school_code"] == "S1") & late].set_index(["grade", "year"])["students"]
    taken = closed[(closed["school_code"] == "S2") & late].index
    closed.loc[taken, "students"] += [
        gone[(g, y)] for g, y in closed.loc[taken, ["grade", "year"]].to_numpy()
    ]
    closed = closed[~((closed["school_code"] == "S1") & late)]
    said = forecast(closed)
    assert total(said, school_code=None, stage="primary", grade=2, year=2020) == pytest.approx(120 * RATIO)
    assert set(said["school_code"].dropna()) == {"S2"}


def test_a_school_that_did_not_report_is_neither_zero_nor_gone() -> None:
    holed = rolls(range(2010, 2020))
    holed.loc[(holed["school_code"] == "S3") & (holed["year"] == 2018), "students"] = np.nan
    said = forecast(holed)
    assert total(said, school_code=None, stage="primary", grade=5, year=2024) == pytest.approx(240 * RATIO**4)
    newest = rolls(range(2010, 2020))
    newest.loc[(newest["school_code"] == "S3") & (newest["year"] == 2019), "students"] = np.nan
    assert set(forecast(newest)["school_code"].dropna()) == {"S1", "S2"}


def test_a_junior_stage_is_fed_by_the_whole_district() -> None:
    years = range(2010, 2020)
    junior = pd.DataFrame(
        [("D", "J", "junior", g, y, 240 * RATIO ** (g - 1)) for g in (7, 8, 9) for y in years],
        columns=["district_code", "school_code", "stage", "grade", "year", "students"],
    )
    primary = rolls(years)
    # entry halves in 2018: grade 7 feels it six years later
    primary.loc[(primary["grade"] == 1) & (primary["year"] >= 2018), "students"] /= 2
    primary.loc[(primary["grade"] == 2) & (primary["year"] >= 2019), "students"] /= 2
    said = forecast(pd.concat([primary, junior]))
    whole = 240 * RATIO**6
    assert total(said, school_code="J", grade=7, year=2023) == pytest.approx(whole)
    assert total(said, school_code="J", grade=7, year=2025) == pytest.approx(whole / 2)
    assert {"primary", "junior", "compulsory"} == set(said.loc[said["school_code"].isna(), "stage"])


def test_one_year_of_rolls_gives_a_forecast_without_an_interval() -> None:
    said = forecast(rolls(range(2019, 2020)))
    assert total(said, school_code="S1", grade=2, year=2020) == pytest.approx(40)
    assert said["low"].isna().all() and said["high"].isna().all() and (said["misses"] == 0).all()


def test_the_backtest_knows_nothing_of_the_years_it_is_judged_by() -> None:
    noisy = rolls(range(2005, 2020))
    noisy["students"] *= np.random.default_rng(3).uniform(0.9, 1.1, len(noisy))
    tried = backtest(noisy, horizon=3)
    cut = forecast(noisy[noisy["year"] <= 2014], horizon=3)
    then = (
        tried[tried["origin"] == 2014]
        .set_index(["level", "school_code", "stage", "grade", "year"])
        .sort_index()
    )
    said = cut.set_index(["level", "school_code", "stage", "grade", "year"]).sort_index()
    assert np.allclose(then["students"], said["students"])
    assert np.allclose(then["low"], said["low"], equal_nan=True)


def test_districts_do_not_touch_each_other() -> None:
    one, other = rolls(range(2010, 2020)), rolls(range(2012, 2019), entry=3.0).assign(district_code="E")
    both = forecast(pd.concat([one, other]))
    alone = forecast(one)
    mine = both[both["district_code"] == "D"].reset_index(drop=True)
    assert np.allclose(mine["students"], alone["students"])
    assert set(both.loc[both["district_code"] == "E", "year"]) == set(range(2019, 2028))
