"""A campus has a code and a name of its own inside the pipeline, and those of its school outside."""

from youjun_pipeline.ingest.campus import as_written
from youjun_pipeline_tests.unit.contract_rows import check

SCHOOL = {"school_code": "2120114001", "school_name": "育才学校", "school_type": "九年一贯制学校"}


def test_a_campus_has_a_code_and_a_name_of_its_own():
    result = check(
        "schools",
        SCHOOL,
        {**SCHOOL, "campus": "北校区"},
        {**SCHOOL, "campus": " 南校区　", "school_name": "育才学校南校区"},
    )
    assert not result.failures
    rows = result.accepted.to_pylist()
    assert [(r["school_code"], r["school_name"]) for r in rows] == [
        ("2120114001", "育才学校"),
        ("2120114001-北校区", "育才学校（北校区）"),
        ("2120114001-南校区", "育才学校南校区"),
    ]
    back = [as_written(row) for row in rows]
    assert {r["school_code"] for r in back} == {"2120114001"}
    assert [r["school_name"] for r in back] == ["育才学校", "育才学校", "育才学校南校区"]


def test_two_rows_of_one_campus_are_one_too_many():
    failure = check("facilities", *[{"school_code": "3101", "campus": "北校区"}] * 2).failures["a"]
    assert failure.rule == "duplicate_key"
    assert failure.message.startswith("学校标识码、校区相同的行只能有一行")
    assert "3101、北校区（第 2、3 行）" in failure.message


def test_a_campus_that_cannot_be_read_takes_its_row_along_and_hides_its_school():
    result = check("facilities", {"school_code": "3101", "campus": "#REF!", "multimedia_rooms": "3"})
    assert result.accepted.num_rows == 0
    assert result.hidden["school_code"].tolist() == ["3101"]


def test_a_campus_without_a_school_is_nobody():
    result = check(
        "facilities", {"school_code": None, "campus": "北校区"}, {"school_code": "3101", "campus": "北校区"}
    )
    assert [r["school_code"] for r in result.accepted.to_pylist()] == ["3101-北校区"]
    assert result.hidden["school_code"].tolist() == [None]
