"""Contracts applied to rows: which rows stay, which values go, the messages, and that no row is lost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import ROW_COLUMNS
from youjun_pipeline.ingest.cells import ARROW_TYPES, BLANKS
from youjun_pipeline.ingest.validate import REJECTION_COLUMNS, Validated, row_schema, validate
from youjun_pipeline_tests.unit.contract_rows import CLASS, SCHOOL, check, frame


def accepted(result: Validated, column: str) -> list[Any]:
    return result.accepted[column].to_pylist()


def told(result: Validated, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in result.rejections[list(columns)].itertuples(index=False)]


def test_accepted_rows_are_typed_and_traceable():
    result = check(
        "schools",
        {
            **SCHOOL,
            "school_code": "0031",
            "sponsor_code": "民办",
            "boarding": "否",
            "primary_students": "1,234",
        },
        {**SCHOOL, "school_code": "0032", "built_year": "1998年", "urban_rural": "rural"},
    )
    dataset = load_datasets()["schools"]
    assert result.accepted.column_names == [*ROW_COLUMNS, *dataset.columns]
    assert [result.accepted.schema.field(c.name).type for c in dataset.columns.values()] == [
        ARROW_TYPES[c.type] for c in dataset.columns.values()
    ]
    first, second = result.accepted.to_pylist()
    assert (first["content_sha256"], first["sheet"], first["row_number"]) == ("a", None, 2)
    assert (first["school_code"], first["sponsor_code"], first["boarding"]) == ("0031", 10, False)
    assert (first["primary_students"], first["junior_students"]) == (1234, None)
    assert (second["built_year"], second["urban_rural"], second["school_type"]) == (1998, "乡村", "小学")
    assert not result.failures and result.rejections.empty and result.warnings.empty


def test_amounts_and_dates_stay_exact():
    result = check(
        "measures", {"measure_no": "M1", "indicator": "R4", "quantity": "0.1", "due": "2024年12月"}
    )
    assert accepted(result, "quantity") == [Decimal("0.100000")]
    assert accepted(result, "due") == [date(2024, 12, 31)]


def test_a_bad_cell_loses_its_value_and_not_its_row():
    result = check(
        "schools", {**SCHOOL, "primary_students": "约300", "built_year": "1700", "urban_rural": "郊区"}
    )
    assert result.accepted.num_rows == 1
    assert [accepted(result, c) for c in ("primary_students", "built_year", "urban_rural")] == [[None]] * 3
    assert told(result, "column_name", "value", "rule", "rejects_row", "school_code", "row_number") == [
        ("urban_rural", "郊区", "unknown_value", False, "3101", 2),
        ("built_year", "1700", "out_of_range", False, "3101", 2),
        ("primary_students", "约300", "unreadable", False, "3101", 2),
    ]
    assert result.rejections["message"].tolist() == [
        "城乡类型“郊区”不在约定的取值之内，请填其中之一：城区、镇区、乡村",
        "建校年份“1700”超出范围，应不小于 1800、不大于 2100；没有数据请留空",
        "小学在校生数“约300”含有“约”，请只填确定的数字，单位和说明不要写进单元格",
    ]
    assert list(result.rejections.columns) == list(REJECTION_COLUMNS)
    assert set(result.rejections["dataset"]) == {"schools"}


def test_a_required_value_that_is_blank_is_told_and_keeps_the_row():
    result = check("classes", {**CLASS, "students": " "}, {**CLASS, "class_no": "2", "students": "很多"})
    assert accepted(result, "students") == [None, None]
    assert told(result, "row_number", "column_name", "value", "rule", "rejects_row") == [
        (2, "students", " ", "blank_required", False),
        (3, "students", "很多", "unreadable", False),
    ], "an unreadable value is told once, not as a blank too"
    assert result.rejections["message"][0] == "学生数是必填项，此处为空，请补填"


def test_a_row_falls_with_its_key():
    result = check(
        "classes",
        {**CLASS, "school_code": None},
        {**CLASS, "grade": "学前班", "stage": "幼儿园"},
        {**CLASS, "grade": "10", "students": "x"},
        CLASS,
    )
    assert accepted(result, "row_number") == [5]
    assert told(result, "row_number", "column_name", "rule", "rejects_row", "school_code") == [
        (2, "school_code", "blank_required", True, None),
        (3, "stage", "unknown_value", True, "3101"),
        (3, "grade", "unreadable", True, "3101"),
        (4, "grade", "out_of_range", True, "3101"),
        (4, "students", "unreadable", False, "3101"),
    ]


def test_a_key_column_that_may_be_blank_rejects_only_what_it_cannot_read():
    finding = {"source": "津教督导室〔2023〕6号", "indicator": "R4"}
    result = check(
        "superior_findings", finding, {**finding, "stage": "小学"}, {**finding, "stage": "小学和初中"}
    )
    assert accepted(result, "stage") == [None, "primary"]
    assert told(result, "row_number", "column_name", "rejects_row") == [(4, "stage", True)]


def test_a_count_and_a_coefficient_of_one_indicator_are_two_findings():
    finding = {"source": "6号", "indicator": "R4", "stage": "小学"}
    assert not check("superior_findings", finding, {**finding, "claimed_count": "21"}).failures
    assert check("superior_findings", finding, finding).failures


def test_bare_rates_above_one_are_refused_with_what_to_write():
    monitored = {"cycle": "2023", "grade": "四年级", "subject": "语文", "level": "Ⅱ"}
    result = check("quality_monitoring", {**monitored, "between_school_rate": "12.3"})
    assert accepted(result, "between_school_rate") == [None]
    assert result.rejections["message"].tolist() == [
        "校际差异率“12.3”超出范围，应不小于 0、不大于 1，比率请填小数（如 0.123）或带百分号（如 12.3%）；没有数据请留空"
    ]


@pytest.mark.parametrize("name", sorted(load_datasets()))
def test_every_dataset_can_be_empty_and_can_be_all_blank(name: str):
    dataset = load_datasets()[name]
    nothing = validate(dataset, frame(name))
    assert (nothing.accepted.num_rows, len(nothing.rejections), len(nothing.warnings)) == (0, 0, 0)
    assert [f.type for f in nothing.accepted.schema][3:] == [
        ARROW_TYPES[c.type] for c in dataset.columns.values()
    ]
    blank = validate(dataset, frame(name, {}))
    assert blank.accepted.num_rows == 0
    assert blank.rejections["column_name"].tolist() == list(dataset.required)
    assert set(blank.rejections.loc[blank.rejections["rejects_row"], "column_name"]) == set(
        dataset.required_key
    )


def test_a_frame_without_a_column_is_the_readers_fault():
    with pytest.raises(ValueError, match="schools: rows without township; they have content_sha256, sheet"):
        validate(load_datasets()["schools"], frame("schools", SCHOOL).drop(columns="township"))


def test_unparsed_rows_do_not_pass_the_schema():
    dataset = load_datasets()["school_aliases"]
    columns = {name: pd.Series(["1"], dtype=pd.ArrowDtype(pa.int64())) for name in dataset.columns}
    with pytest.raises(Exception, match="dtype"):
        row_schema(dataset).validate(pd.DataFrame(columns), lazy=True)


# Few distinct values, so that keys repeat; good, bad and blank ones for every type.
CELLS = st.sampled_from(
    [
        *(None, "", "　", "1", "2", "0012", "小学", "初中", "四年级", "-1", "约3", "1,234", "12.5", "1e400"),
        *(
            "2024-06-30",
            "2024年6月",
            "是",
            "50%",
            "进行中",
            "G7.students",
            "３",
            "9" * 25,
            "*",
            "并入",
            "甲、乙",
        ),
    ]
)
SMALL = ["classes", "school_changes", "assurance", "superior_findings", "quality_monitoring", "special_rooms"]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, pd.DataFrame]:
    """A dataset and the rows of one to three of its files, in one or two sheets each."""
    name = draw(st.sampled_from(SMALL))
    row = st.fixed_dictionaries(dict.fromkeys(load_datasets()[name].columns, CELLS))
    sheets: list[list[str | None]] = [[None], ["S1", "S2"]]
    files = [
        frame(name, *draw(st.lists(row, max_size=6)), content=content, sheet=sheet)
        for content in "abc"[: draw(st.integers(1, 3))]
        for sheet in draw(st.sampled_from(sheets))
    ]
    return name, pd.concat(files)


# Without shrinking, which takes minutes at 20 ms an example; the examples are small as they are drawn.
@settings(max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(deliveries())
def test_no_row_and_no_cell_is_lost(delivery: tuple[str, pd.DataFrame]):
    name, text = delivery
    dataset = load_datasets()[name]
    result = validate(dataset, text)
    place = list(ROW_COLUMNS)
    rejected = result.rejections.loc[result.rejections["rejects_row"].astype(bool), place].drop_duplicates()
    kept = [tuple(row[c] for c in place) for row in result.accepted.to_pylist()]
    fallen = [tuple(row) for row in rejected.itertuples(index=False)]
    assert len(kept) + len(fallen) == len(text)
    written = {
        tuple(row[c] for c in place): row
        for row in text.astype(object).where(text.notna(), None).to_dict("records")
    }
    assert set(kept) | set(fallen) == set(written)

    bad = set(result.rejections[[*place, "column_name"]].itertuples(index=False, name=None))
    for row in result.accepted.to_pylist():
        at = tuple(row[c] for c in place)
        for column in dataset.columns.values():
            cell = written[at][column.name]
            is_blank = cell is None or not cell.strip(BLANKS)
            told = (*at, column.name) in bad
            assert told == (row[column.name] is None and not (is_blank and not column.required))

    keys = [tuple(row[c] for c in ("content_sha256", *dataset.key)) for row in result.accepted.to_pylist()]
    repeated = {key[0] for key in keys if keys.count(key) > 1}
    assert set(result.failures) == (repeated if dataset.kind == "snapshot" else set())


def test_a_large_frame_is_checked_in_one_go():
    """This guards against Python work per row; the limit is thirty times the time that it takes."""
    import time

    n = 100_000
    columns = {
        "school_code": [f"{i // 30:08d}" for i in range(n)],
        "class_no": [str(i % 30) for i in range(n)],
    }
    text = pd.DataFrame({"content_sha256": "a", "sheet": None, "row_number": range(n), **columns})
    text = text.assign(
        campus=None, stage="小学", grade="四年级", students=[str(20 + i % 30) for i in range(n)]
    )
    dataset = load_datasets()["classes"]
    validate(dataset, text[:10])
    started = time.perf_counter()
    result = validate(dataset, text)
    assert time.perf_counter() - started < 3
    assert result.accepted.num_rows == n
