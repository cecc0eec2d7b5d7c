"""The least-cost plan of generated districts: what it says is done holds by the models, and less would not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.planning.least_cost.answer import Answer, NoAnswer, answer
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.figures import UnknownFiguresError
from youjun_pipeline.planning.least_cost.prices import (
    Prices,
    PricesError,
    UnitPrice,
    lever_kinds,
    read_prices,
)
from youjun_pipeline.planning.least_cost.text import answer_text
from youjun_pipeline.session import Session, in_memory
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.steps import places

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
        code = f"{330101 + seed}"
        made = generate_district(seed, n_schools=14, code=code, profile=PROFILES[seed % len(PROFILES)])
        write_district(folder, made.tables, made.settings, seed=seed, code=code, slug="made-up", name=code)
    settings = places(folder)
    with in_memory() as con:
        session = Session(con, settings)
        session.ingest(scan(settings.data))
        session.begin("test", phases=(PHASE,))
        session.build()
        yield con


@pytest.mark.parametrize("number", range(DISTRICTS))
def test_what_a_plan_does_is_enough_by_the_models(districts: duckdb.DuckDBPyConnection, number: int):
    try:
        found = answer(
            districts, f"{330101 + number}", PHASE, load_catalogue("national-2017"), prices(), Aims()
        )
    except UnknownFiguresError as error:
        assert "缺数据" in str(error) or "classes" in str(error)
        return
    if isinstance(found, NoAnswer):
        # without neighbours a school that is too large cannot be helped; nothing else stands in the way
        assert {obstacle.what for obstacle in found.obstacles} == {"school_size"}
        assert "超过学校规模上限" in answer_text(found, prices())
        return
    assert found.proof.failing == []
    assert found.cost is not None
    assert found.bound is not None
    assert found.bound <= found.cost * (1 + 1e-9)


def first_answer(con: duckdb.DuckDBPyConnection, told: Prices | None, aims: Aims) -> tuple[int, Answer]:
    """The first district that has something to do and a plan for it."""
    for number in range(DISTRICTS):
        try:
            found = answer(con, f"{330101 + number}", PHASE, load_catalogue("national-2017"), told, aims)
        except UnknownFiguresError:
            continue
        if isinstance(found, Answer) and found.lines:
            return number, found
    raise AssertionError("no generated district has a plan")


def test_all_seven_cost_more_than_six_and_the_plan_says_what_it_left(districts: duckdb.DuckDBPyConnection):
    number, six = first_answer(districts, prices(), Aims())
    code = f"{330101 + number}"
    seven = answer(
        districts, code, PHASE, load_catalogue("national-2017"), prices(), Aims(every_indicator=True)
    )
    assert isinstance(seven, Answer)
    assert seven.left == []
    assert seven.cost is not None
    assert six.cost is not None
    assert six.cost <= seven.cost * (1 + 1e-4)
    if six.left:
        assert "留在底线与标准之间" in answer_text(six, prices())
        assert six.every_indicator_cost == pytest.approx(seven.cost, rel=1e-3)


def test_without_prices_a_plan_is_in_physical_units_alone(districts: duckdb.DuckDBPyConnection):
    _, found = first_answer(districts, None, Aims())
    assert found.cost is None
    assert {line.cost for line in found.lines} == {None}
    text = answer_text(found, None)
    assert "没有单价" in text
    assert "万元，" not in text.split("合计")[0]


def test_a_budget_that_is_too_small_is_told_with_what_is_missing(districts: duckdb.DuckDBPyConnection):
    number, found = first_answer(districts, prices(), Aims())
    resources = sum(line.cost or 0 for line in found.lines if line.indicator.startswith("R"))
    if not resources:
        pytest.skip("nothing to buy")
    code = f"{330101 + number}"
    refused = answer(
        districts, code, PHASE, load_catalogue("national-2017"), prices(), Aims(budget=resources / 2)
    )
    assert isinstance(refused, NoAnswer)
    assert "预算至少还差" in answer_text(refused, prices())


FAULTS = [
    ('unit = "万元"\n[levers.gold]\nprice = "1"\n', ["levers.gold：没有这种手段"]),
    ('unit = "万元"\n[levers.equipment]\nprice = 1\n', ["levers.equipment.price", "写成文本"]),
    ('unit = "万元"\n[levers.equipment]\nprice = "-1"\n', ["不能是负数"]),
    (
        'unit = "万元"\n'
        + "".join(f'[levers.{name}]\nprice = "1"\n' for name in lever_kinds())
        + '[[sites]]\nschool = "1"\nlever = "rooms"\nmost = "1"\n',
        ["没有手段“rooms”"],
    ),
    (
        'unit = "万元"\n[levers.teaching_area]\nprice = "1"\nmove_price = "1"\n',
        ["不能在学校之间调配", "缺少单价"],
    ),
    ("unit = \n", ["不是规范的 TOML"]),
]


@pytest.mark.parametrize(("text", "told"), FAULTS)
def test_contradictions_of_the_prices_are_told_with_their_place(tmp_path: Path, text: str, told: list[str]):
    (tmp_path / "prices.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PricesError) as caught:
        read_prices(tmp_path)
    for words in (*told, "prices.toml"):
        assert words in str(caught.value)


def test_prices_of_a_district_are_exact(tmp_path: Path):
    (tmp_path / "prices.toml").write_text(
        'unit = "万元"\n' + "".join(f'[levers.{n}]\nprice = "{p}"\n' for n, p in YUAN.items()),
        encoding="utf-8",
    )
    read = read_prices(tmp_path)
    assert read is not None
    assert read.levers["teaching_area"].price == Decimal("0.35")
    assert read_prices(tmp_path / "nowhere") is None
    assert UnitPrice.model_validate({"price": "8"}).price == 8
