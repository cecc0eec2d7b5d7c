"""The state of a finding for every sequence of figures over four phases: failing, passing, not reported."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import (
    DAYS,
    ENOUGH,
    PHASES,
    TOO_MANY,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.steps import places, refresh

# Each test is a history of whole runs.
pytestmark = pytest.mark.long

COURSES = {f"21201141{n:02}": course for n, course in enumerate(product("FP-", repeat=len(DAYS)))}
SIZES = {"F": TOO_MANY, "P": ENOUGH}


def expected_states(course: str) -> list[str | None]:
    """The state after each phase; None while there is no finding."""
    states: list[str | None] = []
    state, was_closed = None, False
    for figure in course:
        if figure == "F":
            state = "reopened" if was_closed else "open"
        elif figure == "P" and state:
            state, was_closed = "closed", True
        states.append(state)
    return states


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[str, str]]]:
    """By school code and phase: the state and the status of its G5."""
    folder: Path = tmp_path_factory.mktemp("states")
    schools = [primary_school(code, f"第{n}小学") for n, code in enumerate(COURSES, start=1)]
    judged = {
        day: {
            "schools": schools,
            "classes": [one_class(code, SIZES[c[n]]) for code, c in COURSES.items() if c[n] in SIZES],
        }
        for n, day in enumerate(DAYS)
    }
    write_story(folder, judged, {})
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with connect(refresh(places(folder)).path, read_only=True) as con:
        for code, phase, state, status in con.execute(
            "select school_code, phase_id, state, status from mart.finding where indicator_code = 'G5'"
        ).fetchall():
            found.setdefault(code, {})[phase] = (state, status)
    return found


def test_every_course_has_the_states_it_should(states: dict[str, dict[str, tuple[str, str]]]) -> None:
    wrong = {}
    for code, course in COURSES.items():
        seen = [states.get(code, {}).get(phase.id, (None, None))[0] for phase in PHASES]
        if seen != expected_states("".join(course)):
            wrong["".join(course)] = seen
    assert wrong == {}


def test_a_silent_phase_says_that_it_has_no_figures(states: dict[str, dict[str, tuple[str, str]]]) -> None:
    courses = {"".join(course): code for code, course in COURSES.items()}
    assert states[courses["F-PF"]] == {
        "p1": ("open", "below"),
        "p2": ("open", "no_data"),
        "p3": ("closed", "met"),
        "p4": ("reopened", "below"),
    }
    assert states[courses["FP--"]]["p4"] == ("closed", "no_data")


@pytest.fixture
def relapse(tmp_path: Path) -> Settings:
    """One school whose largest class is too large, corrected, too large again and finally corrected."""
    code = "2120114199"
    judged = {
        day: {"schools": [primary_school(code, "独一小学")], "classes": [one_class(code, size)]}
        for day, size in zip(DAYS, (TOO_MANY, ENOUGH, TOO_MANY, ENOUGH), strict=True)
    }
    write_story(tmp_path, judged, {})
    return places(tmp_path)


def history(path: Path) -> list[dict[str, object]]:
    """The rows of the G5 finding, a dict each, by phase, without the run."""
    with connect(path, read_only=True) as con:
        found = con.execute(
            "select * exclude (run_id) from mart.finding where indicator_code = 'G5' order by phase_id"
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_an_earlier_phase_alone_gives_the_same_history(relapse: Settings) -> None:
    whole = history(refresh(relapse).path)
    assert [row["state"] for row in whole] == ["open", "closed", "reopened", "closed"]
    assert {row["first_phase_id"] for row in whole} == {"p1"}
    assert [row["gap"] for row in whole] == [5, 0, 5, 0]
    for phase in ("p3", "p2"):
        assert history(refresh(relapse, f"again-{phase}", phases=(phase,)).path) == whole


def test_a_later_phase_alone_makes_those_it_rests_on(relapse: Settings) -> None:
    first = history(refresh(relapse, "later-first", phases=("p3",)).path)
    assert [(row["phase_id"], row["state"], row["first_phase_id"]) for row in first] == [
        ("p1", "open", "p1"),
        ("p2", "closed", "p1"),
        ("p3", "reopened", "p1"),
    ]
    refresh(relapse, "last", phases=("p4",))
    again = history(refresh(relapse, "first-again", phases=("p1",)).path)
    assert again[:3] == first


def test_findings_survive_the_loss_of_the_working_database(relapse: Settings) -> None:
    whole = history(refresh(relapse).path)
    relapse.warehouse.unlink()
    assert history(refresh(relapse, "after-loss", phases=("p3",)).path) == whole
