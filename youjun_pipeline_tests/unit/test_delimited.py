import pytest
from hypothesis import given
from hypothesis import strategies as st

from youjun_pipeline.ingest.formats import delimited
from youjun_pipeline.ingest.formats.book import Sheet, Unreadable
from youjun_pipeline.ingest.formats.delimited import decode, delimited_sheet

TEXT = "学校标识码,学校名称\n0112,第一小学\n"


def widest(head: list[list[str]]) -> int:
    return max((len(row) for row in head), default=0)


def rows_of(sheet: Sheet, index: int = 0) -> list[tuple[object, ...]]:
    body = sheet.content.body(index, None)
    columns = [column.to_pylist() for column in body.columns]
    return list(zip(body.row_numbers.tolist(), *columns, strict=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings_of_the_interface(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


def test_characters_only_gb18030_has() -> None:
    assert decode("校名,㐂田小学\n".encode("gb18030")) == "校名,㐂田小学\n"


def test_utf16_big_endian() -> None:
    assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (TEXT.encode()[:-5], "UTF-8 文本不完整或已损坏：第 2 行"),
        (TEXT.encode() + b"\xff,x\n", "UTF-8 文本不完整或已损坏：第 3 行"),
        (TEXT.encode("utf-16-le"), "没有 BOM 的 UTF-16"),
        (TEXT.encode("utf-16")[:-1], "UTF-16 文本不完整或已损坏"),
        (b"a,b\n\xff\xff\xff,1\n", "既不是 UTF-8 也不是 GB18030 编码（第 2 行起无法识别）"),
    ],
)
def test_damaged_text_is_never_guessed(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=r"。请.*。$") as caught:
        decode(data)
    assert reason in str(caught.value)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_the_one_that_gives_the_header(delimiter: str) -> None:
    text = delimiter.join(["a", "b,c;d" if delimiter == "\t" else "b"]) + "\n" + delimiter.join("12") + "\n"
    sheet = delimited_sheet(text.encode(), lambda head: int(head[0][:1] == ["a"]))
    assert rows_of(sheet) == [(2, "1", "2")]


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks() -> None:
    sheet = delimited_sheet(b'a,b\n"x\ny","1,""2"""\nz,3\n', widest)
    assert rows_of(sheet) == [(2, "x\ny", '1,"2"'), (4, "z", "3")]


@pytest.mark.parametrize("body", ['1,"2\n3,4\n', '1,"2"x\n'])
def test_unpaired_quotes_do_not_swallow_the_file(body: str) -> None:
    sheet = delimited_sheet(("a,b\n5,6\n" * 20 + body).encode(), widest)
    with pytest.raises(Unreadable, match="第 41 行起的引号不成对"):
        sheet.content.body(0, None)


def test_rows_longer_than_the_header_are_all_named() -> None:
    sheet = delimited_sheet("表\na,b\n1,2\n3,4,5\n6,7,,\n8,9,x\n".encode(), widest)
    with pytest.raises(Unreadable, match=r"第 4、6 行的单元格比表头多（表头在第 2 行，共 2 列）"):
        sheet.content.body(1, None)


def test_rows_shorter_than_the_header_leave_a_notice() -> None:
    sheet = delimited_sheet(b"a,b\n1\n\n2,3\n", widest)
    body = sheet.content.body(0, None)
    assert rows_of(sheet) == [(2, "1", None), (3, None, None), (4, "2", "3")]
    assert body.notices == ("第 2 行的单元格比表头少，缺少的按空白读取；请确认文件完整",)


CELL = st.text(alphabet="ab1 ０中\u3000", max_size=4)


@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8),
    odd=st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=1),
    title=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    ends=st.booleans(),
)
def test_the_fast_reader_reads_what_the_careful_one_reads(
    rows: list[list[str]], odd: list[list[str]], title: bool, newline: str, ends: bool
) -> None:
    lines = (["标题"] if title else []) + ["h1,h2,h3"] + [",".join(row) for row in rows + odd]
    text = newline.join(lines) + (newline if ends else "")
    fast = delimited._fast_body(text, ",", int(title))
    if fast is None:
        assert not rows or odd, "rows of one length are for the fast reader"
        return
    careful = delimited._careful_body(text, ",", int(title))
    assert fast.row_numbers.tolist() == careful.row_numbers.tolist()[: len(fast.row_numbers)]
    for quick, slow in zip(fast.columns, careful.columns, strict=True):
        assert quick.to_pylist() == slow.to_pylist()[: len(quick)]
        # Only blank lines at the end, which are no rows, may be missing.
        assert not any(slow.to_pylist()[len(quick) :])


def test_large_plain_text_takes_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "FAST_FROM_CHARACTERS", 10)
    monkeypatch.setattr(delimited, "_careful_body", lambda *_: pytest.fail("not taken"))
    sheet = delimited_sheet("表\r\na,b\r\n001,中\r\n,\r\n".encode(), widest)
    assert rows_of(sheet, 1) == [(3, "001", "中"), (4, None, None)]


CHINESE = "学校标识码,学校名称\n2111000001,向阳中心小学\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (CHINESE.encode("utf-32"), "是 UTF-32 编码"),
        (CHINESE.encode("utf-7"), "UTF-7、HZ 或 ISO-2022"),
        (b"school_code,school_name\n1," + "向阳小学".encode("utf-7") + b"\n", "UTF-7、HZ 或 ISO-2022"),
        (b"school_code,school_name\n1," + "向阳小学".encode("hz") + b"\n", "UTF-7、HZ 或 ISO-2022"),
        (b"school_code,school_name\n1," + "一小".encode("iso2022_jp") + b"\n", "UTF-7、HZ 或 ISO-2022"),
        (
            "学校标识码,学校名称\n".encode("gbk") + "2111000001,向阳中心小学\n".encode(),
            "文字有两种编码：第 2 行是 UTF-8",
        ),
    ],
)
def test_encodings_that_would_become_gibberish_are_named(data: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        decode(data)


@pytest.mark.parametrize(
    "text", ["code,phone\n1,+86-10-62661234\n", "code,note\n1,+abcde-f\n", "code,note\n1,~{x}\n"]
)
def test_signs_in_ascii_are_no_encoding(text: str) -> None:
    assert decode(text.encode()) == text


def test_chinese_of_both_encodings_in_one_line_is_not_taken_for_two() -> None:
    text = "学校标识码,学校名称\n2111000001,涓枃涓枃涓枃涓枃涓枃中文\n"
    assert decode(text.encode("gb18030")) == text


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b"])
def test_a_text_without_line_breaks_is_cut_at_what_stands_for_them(mark: str) -> None:
    sheet = delimited_sheet(CHINESE.replace("\n", mark).encode(), lambda _: 1)
    assert sheet.content.rows() == [["学校标识码", "学校名称"], ["2111000001", "向阳中心小学"]]
