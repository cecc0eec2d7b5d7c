"""A sample of the dirty files and mutants (`make dirty` runs them all): each has its required result, none a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from youjun_pipeline_tests.dirty import Case, all_cases
from youjun_pipeline_tests.dirty.__main__ import run
from youjun_pipeline_tests.dirty.deliveries import delivery_faults
from youjun_pipeline_tests.dirty.verify import Outcome, Specimen, case_faults, look_at

# A prime, so that every format and kind of cell comes up.
EVERY = 13
SAMPLE = all_cases()[::EVERY]
MUTANTS, DELIVERIES = 60, 4


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The result of each file of the sample; files are read one by one and checked together."""
    folder = tmp_path_factory.mktemp("dirty")
    made = [_made(case, folder / str(number)) for number, case in enumerate(SAMPLE)]
    return {outcome.specimen.name: outcome for outcome in look_at(made)}


def _made(case: Case, folder: Path) -> Specimen:
    folder.mkdir()
    case.write(folder / case.file)
    return Specimen(case.name, folder / case.file, case.dataset, case.header_row)


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_a_dirty_file_comes_to_what_it_must(case: Case, outcomes: dict[str, Outcome]) -> None:
    assert case_faults(case, outcomes[case.name]) == []


@pytest.mark.parametrize("seed", range(DELIVERIES))
def test_a_delivery_of_spoiled_files_is_checked_to_the_end(seed: int, tmp_path: Path) -> None:
    assert delivery_faults(seed, tmp_path) == []


def test_there_are_hundreds_of_kinds() -> None:
    cases = all_cases()
    assert len(cases) >= 300
    assert {case.file.rpartition(".")[2] for case in cases} == {"csv", "xlsx", "xls", "parquet"}
    failures = {case.failure for case in cases}
    assert failures >= {
        *(
            "file_unreadable",
            "header_not_found",
            "required_column_missing",
            "ambiguous_header",
            "duplicate_key",
        ),
    }


def test_spoiled_good_files_lose_no_row_and_end_no_program() -> None:
    assert run("mutants", 0, MUTANTS) == []


@pytest.mark.parametrize("seed", [5839, 2149, 4251])
def test_mutants_that_once_ended_the_program_or_spoke_its_words(seed: int) -> None:
    """A column's damaged statistics in a Parquet footer; an XML declaration with an unknown encoding."""
    assert run("mutants", seed, seed + 1) == []
