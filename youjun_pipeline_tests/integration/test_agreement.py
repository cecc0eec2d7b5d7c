"""The published tables compared with the oracle: generated districts with every type of school, profile and file style."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.standard import DEFAULT_STANDARD, catalogue_tables, load_catalogue
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import GeneratedDistrict, Phase, generate_district, write_district
from youjun_pipeline_tests.oracle import Evaluation, Options, evaluate
from youjun_pipeline_tests.steps import places, refresh

WHOLE = TORN = int(os.environ.get("AGREEMENT_DISTRICTS", "60")) // 2
"""Districts whose rows can all be read, and districts of which some cannot; `make agreement` takes a thousand in all."""
ENDS = (
    *(date(2023, 9, 30), date(2025, 2, 28), date(2025, 3, 1), date(2019, 9, 30), date(2019, 10, 1)),
    *(date(2022, 9, 30), date(2022, 10, 1), date(2022, 12, 31), date(2023, 1, 1)),
)
"""Last days of the phase: on both sides of every day on which a limit, a waiver or a norm of the standard begins or ends."""
DISTRICTS = WHOLE + TORN
BEFORE_THE_END = timedelta(days=30)
"""When a phase's only delivery comes; figures of a later year are slips of the pen."""
PHASE = "2023-startup"
PER = {"R1": 100, "R2": 100, "R3": 100, "R4": 1, "R5": 1, "R6": 1, "R7": 100}


@pytest.fixture(scope="module")
def districts() -> dict[str, GeneratedDistrict]:
    return {
        f"{110101 + n}": generate_district(
            n % WHOLE, n_schools=24, code=f"{110101 + n}", lost=n % 3 + 1 if n >= WHOLE else 0, extras=True
        )
        for n in range(DISTRICTS)
    }


@pytest.fixture(scope="module")
def expected(districts: dict[str, GeneratedDistrict]) -> dict[str, Evaluation]:
    return {
        code: evaluate(
            district.tables,
            Options.from_settings(
                {
                    **district.settings,
                    "effective_on": ENDS[n % len(ENDS)],
                    "delivered_in": (ENDS[n % len(ENDS)] - BEFORE_THE_END).year,
                }
            ),
        )
        for n, (code, district) in enumerate(districts.items())
    }


@pytest.fixture(scope="module")
def published(
    districts: dict[str, GeneratedDistrict], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The publication of all districts together, each delivered in a style of its own."""
    folder: Path = tmp_path_factory.mktemp("districts")
    for seed, (code, district) in enumerate(districts.items()):
        ends = ENDS[seed % len(ENDS)]
        phase = Phase(PHASE, "启动准备", ends - timedelta(days=90), ends)
        write_district(
            folder,
            district.tables,
            district.settings,
            (phase,),
            seed=seed,
            code=code,
            slug="made-up",
            name=code,
            delivered_on=ends - BEFORE_THE_END,
        )
    publication = refresh(places(folder))
    with connect(publication.path, read_only=True) as con:
        yield con


def rows(con: duckdb.DuckDBPyConnection, table: str, *key: str) -> dict[str, dict[Any, dict[str, Any]]]:
    """Rows of a published table by district, then by key."""
    result: dict[str, dict[Any, dict[str, Any]]] = {}
    cursor = con.execute(f"from {table}")
    names = [d[0] for d in cursor.description]
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        result.setdefault(row["district_code"], {})[tuple(row[k] for k in key)] = row
    return result


def same(got: float | None, want: Fraction | float | None) -> bool:
    if got is None or want is None:
        return got is None and want is None
    return math.isclose(got, float(want), rel_tol=1e-9, abs_tol=1e-12)


def differences(
    got: dict[str, Any], want: Any, exact: tuple[str, ...], close: tuple[str, ...]
) -> list[tuple[str, Any, Any]]:
    """Columns in which a published row differs from the oracle's row."""
    return [(c, got[c], getattr(want, c)) for c in exact if got[c] != getattr(want, c)] + [
        (c, got[c], getattr(want, c)) for c in close if not same(got[c], getattr(want, c))
    ]


def test_days_on_both_sides_of_every_date_of_the_standard_are_drawn() -> None:
    tables, day = catalogue_tables([load_catalogue(DEFAULT_STANDARD)]), timedelta(days=1)
    dated = [row for rows in tables.values() for row in rows if "starts" in row]
    begins = {row["starts"] for row in dated if row["starts"]}
    last = {row["ends"] for row in dated if row["ends"]}
    assert begins and last
    assert begins | {d - day for d in begins} | last | {d + day for d in last} <= set(ENDS)


def test_nothing_was_kept_out(published: duckdb.DuckDBPyConnection) -> None:
    blocked = published.execute(
        "select district_code, check_name, message from quality.check_result where severity = 'blocking' and not passed"
    ).fetchall()
    assert blocked == []
    assert published.execute("select count(*) from mart.evaluation").fetchall() == [(DISTRICTS,)]
    assert published.execute(
        "select count(*) from ops.source_file where rows_read <> rows_accepted + rows_rejected"
    ).fetchall() == [(0,)]


def test_school_indicators_agree(
    published: duckdb.DuckDBPyConnection, expected: dict[str, Evaluation]
) -> None:
    got = rows(published, "mart.school_indicator", "school_code", "stage", "indicator_code")
    for code, evaluation in expected.items():
        assert got[code].keys() == evaluation.school_indicator.keys()
        for key, want in evaluation.school_indicator.items():
            row = got[code][key]
            assert not differences(row, want, ("status", "status_strict", "students"), ("threshold",)), (
                code,
                key,
            )
            if want.status != "no_data" and not want.partial:
                wrong = differences(
                    row, want, ("rounding_sensitive",), ("numerator", "value", "gap", "floor")
                )
                assert not wrong, (code, key, wrong)


def test_school_verdicts_agree(published: duckdb.DuckDBPyConnection, expected: dict[str, Evaluation]) -> None:
    got = rows(published, "mart.school_verdict", "school_code", "stage")
    counts = ("resource_met", "resource_near", "resource_below", "resource_no_data")
    for code, evaluation in expected.items():
        assert got[code].keys() == evaluation.school_verdict.keys()
        for key, want in evaluation.school_verdict.items():
            row = got[code][key]
            assert not differences(row, want, (*counts, "passes_resource_rule", "passes_strict"), ()), (
                code,
                key,
            )
            failing = {i for i in row["failing_indicators"] if i.startswith("R")}
            assert failing == set(want.failing_indicators), (code, key)


def test_balances_agree(published: duckdb.DuckDBPyConnection, expected: dict[str, Evaluation]) -> None:
    got = rows(published, "mart.stage_balance", "stage", "indicator_code")
    contributions = rows(published, "mart.balance_contribution", "stage", "indicator_code", "school_code")
    for code, evaluation in expected.items():
        assert len(got[code]) == 14
        for key, want in evaluation.stage_balance.items():
            row = got[code][key]
            exact = ("schools", "schools_no_data", "status", "status_strict", "rounding_sensitive")
            wrong = differences(row, want, exact, ("mean", "std", "cv", "cv_strict", "cv_limit"))
            assert not wrong, (code, key, wrong)
        for place, part in evaluation.balance_contribution.items():
            row = contributions[code][place]
            wrong = differences(
                row, part, (), ("value", "weight", "variance_share", "break_even", "level_break_even")
            )
            assert not wrong, (code, place, wrong)
            # the oracle's is per unit of the resource, the published one per unit of the indicator's value
            students = evaluation.sections[place[2], place[0]].students or 0
            per_unit = (
                None if part.marginal_effect is None else part.marginal_effect * students / PER[place[1]]
            )
            assert same(row["marginal_effect"], per_unit), (code, place)


def test_district_indicators_agree(
    published: duckdb.DuckDBPyConnection, expected: dict[str, Evaluation]
) -> None:
    got = rows(published, "mart.district_indicator", "indicator_code")
    exact = ("status", "status_strict", "failing_primary", "failing_junior", "failing_compulsory")
    for code, evaluation in expected.items():
        assert len(got[code]) == 39
        for indicator, want in evaluation.district_indicator.items():
            row = got[code][(indicator,)]
            wrong = differences(row, want, (*exact, "cv_primary_status", "cv_junior_status"), ())
            assert not wrong, (code, indicator, wrong, row["summary"])


def test_district_verdicts_agree(
    published: duckdb.DuckDBPyConnection, expected: dict[str, Evaluation]
) -> None:
    got = rows(published, "mart.district_verdict", "phase_id")
    passing = 0
    for code, evaluation in expected.items():
        row = got[code][(PHASE,)]
        exact = (
            "passes",
            "passes_strict",
            "schools_in_scope",
            "schools_failing",
            "failing_out_of_scope",
            "indicators_failing",
        )
        wrong = differences(row, evaluation.district_verdict, exact, ())
        assert not wrong, (code, wrong, row["blocking"], evaluation.district_verdict.blocking)
        assert bool(row["blocking"]) != row["passes"]
        passing += row["passes"]
    assert 0 < passing < DISTRICTS, "the generated districts should be of both kinds"
