"""The peer in pandas: what a careful analyst would write for the seven resources, the school rule and the balance.

    python bench/peers/pandas_verdicts.py DATA PHASE AS_OF OUT

Reads the delivered CSV files of every district folder in DATA (English headers and words, as `generate_country` writes them) and
writes into the folder OUT `resource.parquet` (a section and indicator a row), `school_verdict.parquet` (a section a row) and
`stage_balance.parquet` (a district, stage and indicator a row). All profiles of generated districts are handled, with the
waivers W3 and W5 and the option `include_private`. Not handled, because no such file is generated for a country: campuses,
attached kindergartens, rows that cannot be read, workbooks, Chinese headers. Neither are G3–G15, Q, S and V, so there
is no district verdict.

Comparisons are of whole numbers, cross-multiplied, so that a value exactly at its limit is never lost to binary rounding.
Nothing of `youjun_pipeline` is used. Thresholds are those of docs/standard.md.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STAGES = ("primary", "junior")
WEIGHT = {"primary": 100, "junior": 110, "senior": 132}
"""Hundredths: what a pupil of a stage counts in the split of what a school's stages share."""
TEACHES = {
    "primary": ("primary", "teaching_point", "nine_year", "twelve_year"),
    "junior": ("junior", "nine_year", "complete_secondary", "twelve_year"),
    "senior": ("complete_secondary", "twelve_year", "senior"),
}
OUT_OF_SCOPE = ("special", "vocational")
# Tenths of the limit, per how many pupils, and whether the stages of a school share it.
INDICATORS: dict[str, tuple[dict[str, int], int, bool]] = {
    "R1": ({"primary": 42, "junior": 53}, 100, False),
    "R2": ({"primary": 10, "junior": 10}, 100, False),
    "R3": ({"primary": 9, "junior": 9}, 100, False),
    "R4": ({"primary": 45, "junior": 58}, 1, True),
    "R5": ({"primary": 75, "junior": 102}, 1, True),
    "R6": ({"primary": 20000, "junior": 25000}, 1, True),
    "R7": ({"primary": 23, "junior": 24}, 100, True),
}
FLOOR_PERCENT, MUST_BE_MET, YUAN_IN_WAN = 85, 6, 10_000
CV_LIMIT, CV_TOLERANCE = {"primary": 0.50, "junior": 0.45}, 1e-9
WAIVERS_HOLD = (date(2019, 10, 1), date(2022, 9, 30))
MILLION = 1_000_000
SCHOOL, SECTION = ["district_code", "school_code"], ["district_code", "school_code", "stage"]
CELL = ["district_code", "stage", "indicator_code"]
TEXTS = {"schools": ["school_type", "sponsor_code", "urban_rural", "dense_urban"], "teachers": ["stage"]}


def read_country(data: Path, phase_id: str, as_of: date) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The options of every district, and the newest roster, teachers and facilities that each delivered by the phase's end."""
    settings: list[dict[str, Any]] = []
    parts: dict[str, list[pd.DataFrame]] = {"schools": [], "teachers": [], "facilities": []}
    for file in sorted(data.glob("*/district.toml")):
        district = tomllib.loads(file.read_text("utf-8"))
        ends = next((p["ends"] for p in district["phase"] if p["id"] == phase_id), None)
        if ends is None:
            continue
        day, options = min(ends, as_of), district.get("options", {})
        by_nation = WAIVERS_HOLD[0] <= day <= WAIVERS_HOLD[1]
        settings.append(
            {
                "district_code": district["code"],
                "include_private": options.get("include_private", True),
                "town_is_rural": options.get("rural_waiver_places") == "rural_and_town",
                "W3": by_nation or "W3" in options.get("waivers", ()),
                "W5": by_nation or "W5" in options.get("waivers", ()),
            }
        )
        for dataset, found in parts.items():
            files = [
                path
                for path in file.parent.glob(f"deliveries/*/{dataset}.csv")
                if date.fromisoformat(path.parent.name) <= day
            ]
            if files:
                newest = max(files, key=lambda path: path.parent.name)
                found.append(pd.read_csv(newest, dtype=str).assign(district_code=district["code"]))
    return pd.DataFrame(settings), {
        name: with_numbers(pd.concat(found, ignore_index=True), name) for name, found in parts.items()
    }


def with_numbers(rows: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Every column that is a number as one; a blank is NaN."""
    texts = [*SCHOOL, "school_name", "township", "campus", "boarding", *TEXTS.get(dataset, ())]
    numbers = rows.columns.difference(texts)
    return rows.assign(**{name: pd.to_numeric(rows[name]) for name in numbers})


def sections_of(schools: pd.DataFrame, options: pd.DataFrame) -> pd.DataFrame:
    """Schools that are judged, once for each compulsory stage: pupils, weighted pupils of the school, waivers."""
    s = schools.merge(options, on="district_code")
    kind, known_type = s["school_type"], s["school_type"].notna()
    compulsory, weighted = pd.Series(0.0, s.index), pd.Series(0.0, s.index)
    has: dict[str, pd.Series] = {}
    for stage, weight in WEIGHT.items():
        told = s[f"{stage}_students"]
        # no pupils told: the school has the stage where its type teaches it, or may, its type being unknown
        has[stage] = (told > 0) | (told.isna() & (kind.isin(TEACHES[stage]) | ~known_type))
        counted = told.where(has[stage], 0.0)
        weighted += counted * weight
        if stage in STAGES:
            compulsory += counted
    private_left_out = ~s["include_private"] & (s["sponsor_code"] == "10")
    too_small = (kind == "teaching_point") & (compulsory < 50)
    in_scope = ~kind.isin(OUT_OF_SCOPE) & ~private_left_out & ~too_small & (has["primary"] | has["junior"])
    rural = (s["urban_rural"] == "乡村") | (s["town_is_rural"] & (s["urban_rural"] == "镇区"))
    s = s.assign(
        weighted_students=weighted,
        # whether the district judges it depends on a sponsor that nobody knows
        may_be_left_out=in_scope & ~s["include_private"] & s["sponsor_code"].isna(),
        has_w3=s["W3"] & (rural | (kind == "teaching_point")) & compulsory.between(50, 99),
        has_w5=s["W5"] & (s["dense_urban"] == "true"),
    )
    columns = [*SCHOOL, "weighted_students", "may_be_left_out", "has_w3", "has_w5"]
    return pd.concat(
        [
            s.loc[in_scope & has[stage], columns].assign(stage=stage, students=s[f"{stage}_students"])
            for stage in STAGES
        ],
        ignore_index=True,
    )


def amounts_of(
    sections: pd.DataFrame, teachers: pd.DataFrame, facilities: pd.DataFrame
) -> dict[str, tuple[pd.Series, Any]]:
    """For each indicator what the section (or its whole school) has, NaN where a part is missing, and what a waiver adds."""
    t = sections[SECTION].merge(teachers, on=SECTION, how="left", validate="one_to_one")
    f = sections[SCHOOL].merge(facilities, on=SCHOOL, how="left", validate="many_to_one")

    def of_teachers(*columns: str) -> pd.Series:
        found = t[list(columns)].sum(axis=1, skipna=False)
        # more of a kind than there are teachers cannot be
        return found.mask(found > t["full_time"])

    degrees = of_teachers("doctorate", "master", "bachelor")
    with_associates = of_teachers("doctorate", "master", "bachelor", "associate")
    rooms = (f["teaching_area_m2"] - f["indoor_sports_area_m2"]).round(6)
    elsewhere = f[["other_sports_area_m2", "rented_sports_area_m2"]].sum(axis=1)
    return {
        "R1": (with_associates.where(t["stage"] == "primary", degrees), 0.0),
        "R2": (of_teachers("backbone"), 0.0),
        "R3": (
            of_teachers("pe", "music", "fine_art", "art"),
            t["visiting_pe_art"].fillna(0).where(sections["has_w3"], 0.0),
        ),
        "R4": (rooms.mask(rooms < 0), 0.0),
        "R5": (
            f["outdoor_sports_area_m2"] + f["indoor_sports_area_m2"],
            elsewhere.where(sections["has_w5"], 0.0),
        ),
        "R6": (f["equipment_value_wan"] * YUAN_IN_WAN, 0.0),
        "R7": (f["multimedia_rooms"], 0.0),
    }


def judge(amount: pd.Series, base: pd.Series, factor: Any, limit: pd.Series) -> np.ndarray[Any, Any]:
    """met, near, below or no_data: amount × factor against limit × base, in whole numbers of their last digits.

    `amount` of up to six decimals and below 600 million (int64 holds no more), `base` in hundredths of a weighted pupil,
    `limit` in tenths.
    """
    unknown = amount.isna() | base.isna()
    has = (amount.fillna(0) * MILLION).round().astype("int64") * factor * 100
    needs = limit.astype("int64") * base.fillna(0).round().astype("int64") * (MILLION // 10)
    return np.select(
        [unknown, has >= needs * 100, has >= needs * FLOOR_PERCENT], ["no_data", "met", "near"], "below"
    )


def resources_of(sections: pd.DataFrame, teachers: pd.DataFrame, facilities: pd.DataFrame) -> pd.DataFrame:
    """R1–R7 of every section that may be judged: value and status with waivers, and the value without."""
    found = []
    for code, (plain, extra) in amounts_of(sections, teachers, facilities).items():
        limits, per, is_shared = INDICATORS[code]
        base = sections["weighted_students"] if is_shared else sections["students"] * 100
        factor = (sections["stage"].map(WEIGHT) if is_shared else 100) * per
        limit = sections["stage"].map(limits)
        strict, waived = judge(plain, base, factor, limit), judge(plain + extra, base, factor, limit)
        found.append(
            sections[[*SECTION, "students", "may_be_left_out"]].assign(
                indicator_code=code,
                value=(plain + extra) * factor / base,
                value_strict=plain * factor / base,
                status=np.where((waived == "met") & (strict != "met"), "met_by_waiver", waived),
            )
        )
    return pd.concat(found, ignore_index=True)


def settled(resources: pd.DataFrame) -> pd.DataFrame:
    """R1–R7 as they are judged: nothing is known of a section that is perhaps not judged at all."""
    unsure = resources["may_be_left_out"]
    return resources.assign(
        status=resources["status"].mask(unsure, "no_data"), value=resources["value"].mask(unsure)
    )


def verdicts_of(resources: pd.DataFrame) -> pd.DataFrame:
    """Six of seven met and none below the floor: true, false, or null while what is missing leaves it open."""
    status = resources["status"]
    counts = (
        resources[SECTION]
        .assign(
            met=status.isin(["met", "met_by_waiver"]), below=status == "below", unknown=status == "no_data"
        )
        .groupby(SECTION, sort=True)
        .sum()
        .reset_index()
    )
    fails = (counts["below"] > 0) | (counts["met"] + counts["unknown"] < MUST_BE_MET)
    passes = pd.Series(pd.NA, counts.index, dtype="boolean")
    passes = passes.mask(counts["unknown"] == 0, True).mask(fails, False)
    return counts[SECTION].assign(passes_resource_rule=passes)


def coefficient(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """By district, stage and indicator: the mean weighted by pupils, and the coefficient of variation around it."""
    told = rows[rows[column].notna()]
    told = told.assign(amount=told["students"] * told[column])
    sums = told.groupby(CELL).agg(
        students=("students", "sum"),
        amount=("amount", "sum"),
        least=(column, "min"),
        most=(column, "max"),
    )
    mean = (sums["amount"] / sums["students"]).rename("mean")
    off = told.join(mean, on=CELL)
    squares = (off["students"] * (off[column] - off["mean"]) ** 2).groupby([off[name] for name in CELL]).sum()
    # equal values have no variance: what binary rounding leaves of it is noise
    std = np.sqrt(squares / sums["students"]).mask(sums["most"] - sums["least"] <= CV_TOLERANCE * mean, 0.0)
    return pd.DataFrame({"mean": mean, "cv": (std / mean).where(mean > 0)})


def balances_of(resources: pd.DataFrame, districts: pd.Series) -> pd.DataFrame:
    """The coefficient of every district, stage and indicator with its verdict; unknown as soon as a section is."""
    cells = pd.MultiIndex.from_product([districts, STAGES, INDICATORS], names=CELL)
    sections = resources.groupby(CELL)["value"].agg(["size", "count"]).reindex(cells, fill_value=0)
    waived, plain = (coefficient(resources, column).reindex(cells) for column in ("value", "value_strict"))
    open_districts = resources.loc[resources["may_be_left_out"], "district_code"].unique()
    is_open = cells.get_level_values("district_code").isin(open_districts)
    limit = cells.get_level_values("stage").map(CV_LIMIT) * (1 + CV_TOLERANCE)

    strict_met = (plain["mean"] == 0) | (plain["cv"] <= limit)
    status = np.select(
        [
            is_open | (sections["size"] > sections["count"]),
            (sections["size"] == 0) | (waived["mean"] == 0),
            (waived["cv"] <= limit) & strict_met,
            waived["cv"] <= limit,
        ],
        ["no_data", "not_applicable", "met", "met_by_waiver"],
        "below",
    )
    return waived.assign(status=status)[["cv", "status"]].reset_index()


def main(data: Path, phase_id: str, as_of: date, out: Path) -> None:
    """Read, judge and write."""
    options, tables = read_country(data, phase_id, as_of)
    sections = sections_of(tables["schools"], options)
    resources = resources_of(sections, tables["teachers"], tables["facilities"])
    judged = settled(resources)
    out.mkdir(parents=True, exist_ok=True)
    judged[[*SECTION, "indicator_code", "value", "status"]].to_parquet(out / "resource.parquet")
    verdicts_of(judged).to_parquet(out / "school_verdict.parquet")
    balances_of(resources, options["district_code"]).to_parquet(out / "stage_balance.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]), Path(sys.argv[4]))
