"""The page on the published tables agrees with the declarations, and every name for people exists and is unique."""

from __future__ import annotations

from pathlib import Path

from youjun_pipeline.standard import DEFAULT_STANDARD, load_catalogue
from youjun_pipeline.standard.page import standard_page
from youjun_pipeline.vocabulary import words
from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline.warehouse.tables_page import tables_page
from youjun_pipeline.warehouse.views import display_names, title

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_declarations_give() -> None:
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == tables_page(), "run make docs"


def test_chinese_names_tell_columns_and_tables_apart() -> None:
    tables = declared_tables().values()
    titles = [title(table) for table in tables]
    assert len(set(titles)) == len(titles)
    for table in tables:
        names = display_names(table)
        assert len(set(names.values())) == len(table.columns), table.full_name
        assert all(names.values()), table.full_name


def test_every_column_says_since_which_version_it_is_there() -> None:
    tables = declared_tables()
    assert all(table.since.keys() == table.columns.keys() for table in tables.values())
    school = tables["mart.school"].since
    assert (school["school_name"], school["campus"], school["school_id"]) == ("0.1.0", "0.2.0", "0.2.0")
    assert set(tables["plan.proposal"].since.values()) == {"0.2.0"}
    known = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = {version for table in tables.values() for version in table.since.values()}
    assert all(f"## [{version}]" in known for version in versions)


def test_every_comment_is_in_chinese() -> None:
    for table in declared_tables().values():
        for text in (table.comment, *(comment for _, comment in table.columns.values())):
            assert any("\u4e00" <= c <= "\u9fff" for c in text), (table.full_name, text)


def test_statuses_have_words() -> None:
    assert words("status").keys() == {"met", "met_by_waiver", "near", "below", "no_data", "not_applicable"}


def test_the_page_of_the_standard_is_what_the_catalogue_gives() -> None:
    page = standard_page(load_catalogue(DEFAULT_STANDARD))
    assert (ROOT / "docs" / "standard.md").read_text(encoding="utf-8") == page, "run make docs"
    assert (
        "- 标准：≥ 6000（至 2025-02-28）；7000（2025-03-01 起，国家特殊教育学校生均公用经费补助标准" in page
    )
    assert "- 标准（小学）：≥ 4.2\n- 标准（初中）：≥ 5.3" in page
    assert "- 标准：≥ 10%\n- 标准（交流轮岗中的骨干教师）：≥ 20%" in page
