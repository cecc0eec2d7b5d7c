"""The least-cost plan of generated districts: by the models its lines are enough, and less would not be."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.planning.actions import Step, carry_out
from youjun_pipeline.planning.base import no_forecast
from youjun_pipeline.planning.judge import figures_of
from youjun_pipeline.planning.least_cost.answer import PARTIAL, Answer, Found, NoAnswer, find
from youjun_pipeline.planning.least_cost.curve import curves, grouped
from youjun_pipeline.planning.least_cost.district import Aims, build, with_limit
from youjun_pipeline.planning.least_cost.figures import UnknownFiguresError
from youjun_pipeline.planning.least_cost.prices import Prices, lever_kinds
from youjun_pipeline.planning.least_cost.proof import prove
from youjun_pipeline.planning.least_cost.proposal import known_sections
from youjun_pipeline.planning.least_cost.relaxation import relax
from youjun_pipeline.planning.least_cost.shadow import shadow_sentence, shadows
from youjun_pipeline.planning.least_cost.text import answer_text
from youjun_pipeline.planning.least_cost.write import write_plan
from youjun_pipeline.planning.scenario_file import read_scenario
from youjun_pipeline.planning.what_if import what_if
from youjun_pipeline.session import Session, in_memory
from youjun_pipeline.site.ahead import planning_doors, planning_pages
from youjun_pipeline.site.read import read_districts
from youjun_pipeline.site.writer import Writer
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.integration.site_pages import read_page
from youjun_pipeline_tests.steps import places

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

PHASE = "2023-startup"
PROFILES = ("mixed", "edge", "cv_limit", "passing")
DISTRICTS = 12
YUAN = {
    "above_degree_teachers": "12",
    "backbone_teachers": "12",
    "sports_art_teachers": "12",
    "teaching_area": "0.35",
    "sports_area": "0.05",
    "equipment": "1",
    "multimedia_rooms": "8",
}

PRICED = (
    'unit = "万元"\n'
    + "".join(f'[levers.{n}]\nprice = "{p}"\n' for n, p in YUAN.items())
    + '[classes]\nprice = "8"\n[rooms]\nprice = "30"\n'
)
# Which districts ask for a plan in every refresh: with prices, in physical units, with a file that cannot be used.
PRICE_FILES = {0: PRICED, 1: PRICED, 4: "", 5: 'unit = "万元"\n[levers.gold]\nprice = "1"\n'}


def prices(**changes: object) -> Prices:
    told = {
        "unit": "万元",
        "levers": {name: {"price": price} for name, price in YUAN.items()},
        "classes": {"price": "8"},
        "rooms": {"price": "30"},
    }
    return Prices.model_validate(told | changes)


@pytest.fixture(scope="module")
def districts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Generated districts of several profiles, computed in memory."""
    folder: Path = tmp_path_factory.mktemp("districts")
    for seed in range(DISTRICTS):
        own = code(seed)
        made = generate_district(seed, n_schools=14, code=own, profile=PROFILES[seed % len(PROFILES)])
        write_district(folder, made.tables, made.settings, seed=seed, code=own, slug="made-up", name=own)
        if seed in PRICE_FILES:
            (folder / f"{own}-made-up" / "prices.toml").write_text(PRICE_FILES[seed], encoding="utf-8")
    settings = places(folder)
    with in_memory() as con:
        session = Session(con, settings)
        session.ingest(scan(settings.data))
        session.begin("test", phases=(PHASE,))
        session.build()
        yield con


@pytest.fixture(scope="module")
def answers(districts: duckdb.DuckDBPyConnection) -> dict[int, Answer]:
    """The plans of all districts with known figures, proved in one pass."""
    found = dict[int, Found]()
    for number in range(DISTRICTS):
        try:
            plan = find(districts, code(number), PHASE, load_catalogue("national-2017"), prices(), Aims())
        except UnknownFiguresError as error:
            assert "缺数据" in str(error) or "classes" in str(error)
            continue
        assert isinstance(plan, Found)
        found[number] = plan
    proofs = prove(districts, [plan.draft for plan in found.values()])
    return {n: Answer(plan, proof) for (n, plan), proof in zip(found.items(), proofs, strict=True)}


def code(number: int) -> str:
    return f"{330101 + number}"


@pytest.mark.long
def test_what_a_plan_does_is_enough_by_the_models(answers: dict[int, Answer]):
    assert len(answers) > DISTRICTS / 2
    for number, answer_ in answers.items():
        found = answer_.found
        assert answer_.unexplained == [], number
        # without neighbours a school that is too large cannot be helped; nothing else stands in the way
        assert {obstacle.what for obstacle in found.beyond} <= {"school_size"}
        if found.beyond:
            assert answer_.verdict == PARTIAL
            assert "超过学校规模上限" in answer_text(answer_, prices())
        assert found.cost is not None
        assert found.bound is not None
        assert found.bound <= found.cost * (1 + 1e-9)
        assert found.cost == pytest.approx(sum(line.cost or 0 for line in found.lines))


@pytest.fixture(scope="module")
def first(answers: dict[int, Answer]) -> tuple[int, Answer]:
    """The first district that must buy something, and a plan with which everything passes."""
    return next(
        (n, a)
        for n, a in answers.items()
        if not a.found.beyond and any(line.cost and line.lever for line in a.found.lines)
    )


def again(con: duckdb.DuckDBPyConnection, number: int, told: Prices | None, aims: Aims) -> Found | NoAnswer:
    return find(con, code(number), PHASE, load_catalogue("national-2017"), told, aims)


def test_all_seven_cost_more_than_six_and_the_plan_says_what_it_left(
    districts: duckdb.DuckDBPyConnection, answers: dict[int, Answer]
):
    number, six = next((n, a) for n, a in answers.items() if a.found.left)
    seven = again(districts, number, prices(), Aims(every_indicator=True))
    assert isinstance(seven, Found)
    assert seven.left == []
    assert seven.cost is not None
    assert six.found.cost is not None
    assert six.found.cost <= seven.cost * (1 + 1e-4)
    assert "留在底线与标准之间" in answer_text(six, prices())
    assert six.found.every_indicator_cost == pytest.approx(seven.cost, rel=1e-3)


def test_without_prices_a_plan_is_in_physical_units_alone(
    districts: duckdb.DuckDBPyConnection, first: tuple[int, Answer]
):
    found = again(districts, first[0], None, Aims())
    assert isinstance(found, Found)
    assert found.cost is None
    assert {line.cost for line in found.lines} == {None}
    text = answer_text(Answer(found, prove(districts, [found.draft])[0]), None)
    assert "没有单价" in text
    assert "万元，" not in text.split("合计")[0]


def test_what_is_written_out_is_what_was_proved(
    districts: duckdb.DuckDBPyConnection, first: tuple[int, Answer], tmp_path: Path
):
    """The scenario file, tried like any other, gives the result of the proof; `measures` has the same lines."""
    number, found = first
    plan, measures, scenario = write_plan(found, tmp_path)
    tried = what_if(districts, code(number), PHASE, [read_scenario(scenario)])
    after = tried.frame("scenario_indicator")
    last = after[after["at_phase_id"] == after["at_phase_id"].iloc[-1]]
    written = {
        (r.school_code, r.stage, r.indicator_code): (r.value_after, r.status_after) for r in last.itertuples()
    }
    proved = {
        (r["school_code"], r["stage"], r["indicator_code"]): (r["value_after"], r["status_after"])
        for r in found.proof.effect
        if r["level"] == "school"
    }
    assert {key: status for key, (_, status) in written.items()} == {
        key: status for key, (_, status) in proved.items()
    }
    for key, (value, _) in proved.items():
        assert written[key][0] == (None if value is None else pytest.approx(value, rel=1e-12)), key
    verdicts = tried.frame("scenario_verdict")
    assert set(verdicts[verdicts["level"].isin(["section", "stage"])]["status_after"]) <= {
        "met",
        "met_by_waiver",
        "not_applicable",
    }
    with measures.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["数量"]) for row in rows] == [
        pytest.approx(line.quantity, abs=1e-6) for line in found.found.lines
    ]
    assert set(rows[0]) <= headers_of("measures")
    assert len(plan.read_text(encoding="utf-8-sig").splitlines()) == len(rows) + 1


def test_nobody_gives_away_what_he_has_not(districts: duckdb.DuckDBPyConnection, answers: dict[int, Answer]):
    """Teachers who leave a school exist in every column; of PE and art teachers the plan says which go."""
    moving = {n: {"price": p, "move_price": "0.01"} for n, p in YUAN.items() if lever_kinds()[n].can_move}
    told = prices(levers={name: {"price": price} for name, price in YUAN.items()} | moving)
    moved = set()
    for number in itertools.islice(answers, 3):
        found = again(districts, number, told, Aims())
        assert isinstance(found, Found)
        # carrying out raises where a line takes what is not there
        step = Step(figures_of(districts, code(number), PHASE))
        for action in found.draft.actions():
            step = carry_out(step, action, no_forecast)
        teachers = step.figures.frames["teachers"]
        assert (teachers["full_time"].astype(float) >= 0).all()
        moved |= {line.item for line in found.lines if line.kind == "move"}
    # who moves for R3 holds a degree, since R1 counts him in the new school
    assert {"bachelor", "equipment_value_wan", "pe、bachelor"} <= moved
    assert any(item.startswith(("music", "fine_art", "art")) for item in moved if item)


def test_no_more_teachers_rotate_than_must(districts: duckdb.DuckDBPyConnection, answers: dict[int, Answer]):
    moved = 0.0
    for number in itertools.islice(answers, 4):
        found = again(districts, number, prices(rotation={"move_price": "0.01"}), Aims())
        assert isinstance(found, Found)
        eligible = districts.execute(
            "select value from core.figure where district_code = ? and input = 'assurance.G11.eligible'",
            [code(number)],
        ).fetchall()[0][0]
        must = math.ceil(eligible / 10)
        backbone = math.ceil(must / 5)
        lines = [line for line in found.lines if line.kind == "move"]
        sums = {name: sum(x.quantity for x in lines if x.lever == name) for name in YUAN}
        assert sums["above_degree_teachers"] + sums["sports_art_teachers"] <= must - backbone
        assert sums["backbone_teachers"] <= backbone
        moved += sum(sums.values())
    assert moved > 0


def headers_of(dataset: str) -> set[str]:
    return {column.zh for column in load_datasets()[dataset].columns.values()}


def test_curves_are_monotone_and_end_at_what_the_thresholds_cost(answers: dict[int, Answer]):
    binding = 0
    for answer_ in itertools.islice(answers.values(), 4):
        found = answer_.found
        for (kind, stage, code_), points in grouped(curves(found)).items():
            known = [(p.at, p.value) for p in points if p.value is not None]
            slack = 1e-6 * max((abs(v) for _, v in known), default=1.0)
            falling = -1 if kind == "coefficient" else 1
            assert all(falling * (b - a) >= -slack for (_, a), (_, b) in itertools.pairwise(known)), (
                kind,
                stage,
            )
            assert sum(p.is_knee for p in points) <= 1
            assert sum(p.is_now for p in points) == 1, (kind, stage, code_)
            if kind == "coefficient":
                free = threshold_cost(found, str(stage), str(code_))
                assert points[-1].value == pytest.approx(free, rel=1e-6, abs=1e-6)
                binding += points[0].value is None or points[0].value > free + 1e-6
            elif kind == "schools":
                assert points[-1].at == len(found.figures.schools)
    assert binding > 5


def threshold_cost(found: Found, stage: str, code_: str) -> float:
    """The cost of one indicator's thresholds if the stage's coefficient has no limit, from its own program."""
    sections = known_sections(found.plan.sections, found.plan.left, found.aims)
    indicator = found.figures.indicators.index(code_)
    number = next(n for n, (_, s) in enumerate(found.figures.section_keys) if s == stage)
    free = with_limit(sections, int(sections.stage[number]), indicator, 1e6)
    relaxed = relax(build(free, found.levers, Aims(every_indicator=True, only=indicator)).program)
    assert relaxed is not None
    return relaxed.cost


def test_a_shadow_price_is_what_the_next_step_saves(answers: dict[int, Answer]):
    """The dual of a coefficient, compared with the cost at a slightly wider limit with everything else unchanged."""
    told = 0
    for answer_ in answers.values():
        found = answer_.found
        for shadow in shadows(found, "万元"):
            if shadow.limit != "coefficient" or found.plan.relaxed is None:
                continue
            indicator = found.figures.indicators.index(shadow.indicator)
            number = next(n for n, (_, s) in enumerate(found.figures.section_keys) if s == shadow.stage)
            stage = int(found.plan.sections.stage[number])
            limit = float(found.plan.sections.limit[stage, indicator])
            wider = with_limit(found.plan.sections, stage, indicator, limit + 1e-4)
            relaxed = relax(build(wider, found.levers, found.aims).program)
            assert relaxed is not None
            saved = (found.plan.relaxed.cost - relaxed.cost) / 1e-4 * shadow.step
            assert shadow.saves == pytest.approx(saved, rel=0.05, abs=1e-3)
            assert "再放宽 0.01" in shadow_sentence(shadow, found.figures.names)
            told += 1
            break
    assert told


def test_a_refresh_fills_the_tables_of_those_who_asked(
    districts: duckdb.DuckDBPyConnection, answers: dict[int, Answer]
):
    heads = {
        row[0]: row[1:]
        for row in districts.execute(
            "select district_code, verdict, cost, bound, gap, lines, summary from plan.proposal_summary"
        ).fetchall()
    }
    assert heads.keys() == {code(number) for number in PRICE_FILES}
    assert heads[code(5)][0] == "unknown"
    assert "没有这种手段" in heads[code(5)][-1]
    for number in (0, 1, 4):
        own, head = code(number), heads[code(number)]
        if number not in answers:
            assert head[0] == "unknown"
            continue
        lines = districts.execute(
            "select count(*), sum(cost), bool_and(due is not null) from plan.proposal where district_code = ?",
            [own],
        ).fetchall()[0]
        assert lines[0] == head[4]
        assert lines[2]
        # what is published of the effect is what the proof said, and nothing is lost between
        failing = districts.execute(
            "select count(*) filter (not holds_after), count(*) from plan.proposal_effect where district_code = ?",
            [own],
        ).fetchall()[0]
        assert failing[1] > 100
        assert (head[0] == "proved") == (failing[0] == 0)
        if PRICE_FILES[number]:
            answer_ = answers[number]
            assert head[0] == answer_.verdict
            assert head[1] == pytest.approx(answer_.found.cost)
            assert lines[1] == pytest.approx(head[1])
            assert head[2] <= head[1] * (1 + 1e-9)
        else:
            assert head[1] is head[2] is head[3] is None
        curves_ = districts.execute(
            "select curve, count(distinct (stage, indicator_code)) from plan.price_curve where district_code = ? "
            "group by 1 order by 1",
            [own],
        ).fetchall()
        assert dict(curves_)["coefficient"] == 14
        assert ("schools" in dict(curves_)) == bool(head[1])


def test_the_page_of_a_plan_tells_who_gives_who_gets_and_what_limits_cost(
    districts: duckdb.DuckDBPyConnection, answers: dict[int, Answer], tmp_path: Path
):
    """The page's sums are those of the tables; if a district's prices cannot be used, its page gives the reason."""
    number = next(n for n in (0, 1) if n in answers)
    planned, refused = read_districts(districts, [code(number), code(5)])
    site = Writer(tmp_path, tmp_path)
    texts = {}
    for district in (planned, refused):
        (own,) = [p for p in planning_pages(district) if p.template == "proposal.html"]
        assert planning_doors(district) == [("最省方案", own.name)]
        site.write(
            own.name,
            own.template,
            {"district": district, "title": own.title, "crumbs": [], "common": [], "is_reconstructed": False}
            | own.context,
        )
        texts[district.code] = read_page(tmp_path / own.name)
    page, found = texts[code(number)], answers[number].found
    shown = [row[-1].attributes["data-v"] for row in page.rows("schools")]
    assert sum(float(cost) for cost in shown if cost) == pytest.approx(found.cost)
    assert {row[0].text for row in page.rows("schools")} == {
        found.figures.names[school]
        for line in found.lines
        for school in (line.school, line.to_school)
        if school
    }
    assert len(page.rows("lines")) == len(found.lines)
    assert len(page.rows("coefficients")) == 14
    points = json.loads(page.one("script", id="data-schools").text)["curves"]
    assert {p["mark"] for p in points} == {"试算", "现行上限或方案", "拐点"}
    assert "拐点在" in page.text and "没有这种手段" in texts[code(5)].text
    assert "做什么" not in texts[code(5)].text


def test_a_budget_that_is_too_small_is_told_with_what_is_missing(
    districts: duckdb.DuckDBPyConnection, first: tuple[int, Answer]
):
    number, found = first
    half = sum(line.cost or 0 for line in found.found.lines if line.lever) / 2
    refused = again(districts, number, prices(), Aims(budget=half))
    assert isinstance(refused, NoAnswer)
    assert "预算至少还差" in answer_text(refused, prices())
