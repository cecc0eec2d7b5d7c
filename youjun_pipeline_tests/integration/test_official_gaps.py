"""The official tables if something about a school could not be read."""

from __future__ import annotations

from pathlib import Path

from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.reports.official.book import write_official
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.integration.workbook_cells import cells, find_row, sheets
from youjun_pipeline_tests.steps import places, refresh


def test_a_school_whose_type_could_not_be_read_is_counted_all_the_same(tmp_path: Path) -> None:
    made = generate_district(0, n_schools=6, profile="mixed", code="110101")
    rows = [dict(row) for row in made.tables["schools"] or []]
    rows[0]["school_type"] = None
    data = tmp_path / "data"
    write_district(data, made.tables | {"schools": rows}, made.settings, code="110101")
    settings = places(data)
    refresh(settings)
    with connect(settings.published / FILE_NAME, read_only=True) as con:
        (evaluation, *_) = published_evaluations(con)
        write_official(con, evaluation, tmp_path / "official.xlsx")
    grid = cells(sheets(tmp_path / "official.xlsx")["表Ⅰ"])
    row = find_row(
        grid, "类型未填报", column=next(c for r in grid for c, v in enumerate(r) if v == "类型未填报")
    )
    column = grid[row].index("类型未填报")
    assert grid[row + 2][column] == 1
