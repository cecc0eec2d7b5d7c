"""Every coded value has one Chinese word, wherever it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from youjun_pipeline import vocabulary
from youjun_pipeline.explain.text import DIRECTIONS, STATUS
from youjun_pipeline.reports import words as paper
from youjun_pipeline.reports.naming import STATES
from youjun_pipeline.site import words as site
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.conftest import CHECKOUT

PACKAGE = CHECKOUT / "youjun_pipeline"
CATALOGUE = load_catalogue("national-2017")
# What these words said before there was one for each; a district may still write the first, so contracts and examples know it.
GIVEN_UP = re.compile("不\u8fbe标|数据\u4e0d全|特\u4f8b|未达标但达到底线")
INPUT_WORDS = ("contracts", "templates/examples.toml")


def test_words_with_a_floor_say_the_share_of_the_catalogue():
    assert vocabulary.status_word("near", "85%") == "达到85%"
    assert vocabulary.status_word("below", "85%", has_floor=True) == "低于85%"
    assert vocabulary.status_word("below", "85%") == "未达标"
    assert paper.status_word("near", CATALOGUE, has_floor=True) == "达到85%"


def test_what_is_not_known_is_told_as_missing_and_what_is_strange_is_shown():
    assert vocabulary.status_word(None) == "缺数据"
    assert vocabulary.status_word("strange") == "strange"
    assert vocabulary.word("state", "strange") == "strange"


@pytest.mark.parametrize("code", vocabulary.words("status"))
def test_a_status_reads_alike_on_site_paper_and_in_explanations(code):
    floorless = vocabulary.words("status")[code]
    assert site.STATUS[code].name == STATUS[code] == floorless
    assert paper.status_word(code, CATALOGUE, has_floor=False) == vocabulary.words("status", "85%")[code]


def test_states_stages_and_the_rest_read_alike():
    states = vocabulary.words("state")
    for signs in (site.FINDING_STATE, site.WORK_STATE, site.TARGET_STATE):
        assert {code: sign.name for code, sign in signs.items()}.items() <= states.items()
    assert states == STATES
    assert vocabulary.words("stage").items() <= site.STAGE.items()
    assert {c: s.name for c, s in CATALOGUE.stages.items()}.items() <= vocabulary.words("stage").items()
    for kind, used in (
        ("category", site.CATEGORY),
        ("cause", site.CAUSE),
        ("basis", site.BASIS),
        ("direction", DIRECTIONS),
    ):
        assert vocabulary.words(kind) == used


def test_no_text_of_the_package_uses_a_word_that_was_given_up():
    found = {
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in PACKAGE.rglob("*")
        if path.suffix in (".py", ".sql", ".toml", ".html", ".js")
        and not path.relative_to(PACKAGE).as_posix().startswith(INPUT_WORDS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if GIVEN_UP.search(line)
    }
    assert found == set(), "the words are those of vocabulary/words.toml"


def test_a_published_table_is_described_once():
    twice = [
        name
        for name in declared_tables()
        if (path := Path(PACKAGE / "models" / f"{name.replace('.', '/')}.sql")).exists()
        and re.match("-- ?[\u4e00-\u9fff]", path.read_text(encoding="utf-8").splitlines()[0])
    ]
    assert twice == [], "its description stands in models/tables"
