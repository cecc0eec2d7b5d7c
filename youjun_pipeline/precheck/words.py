"""Words of open lists that are probably another spelling of a usual word: 老师 for 教师, 网上问卷 for 问卷, 河西 for 河西镇.

An open list keeps unknown words, so that a new kind of thing needs no new program; but then a misspelt word becomes a group of
its own. Belongs here: comparing words. Keep out: words that a list refuses (`ingest.validate`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import Dataset
from youjun_pipeline.contracts.model import Column, fold_word
from youjun_pipeline.precheck.findings import WARNING, Columns, Finding
from youjun_pipeline.standard import DEFAULT_STANDARD, load_catalogue

if TYPE_CHECKING:
    import duckdb

# How similar two words must be, measured by difflib: 老师 and 教师 share one character of two.
LIKENESS = 0.5


def unusual_words(
    con: duckdb.DuckDBPyConnection, file: str, sha: str, dataset: Dataset, columns: Columns
) -> Iterator[Finding]:
    """Words in a file's open lists, subjects and townships that almost equal a usual word."""
    for column in dataset.columns.values():
        usual = _usual(dataset, column)
        if not usual and column.name != "township":
            continue
        rows = con.execute(
            f'select a."{column.name}", min(a.sheet), min(a.row_number), count(*) from accepted.{dataset.name} a '
            f'where a.content_sha256 = ? and a."{column.name}" is not null group by 1 order by 1',
            [sha],
        ).fetchall()
        meant = (
            _townships([r[0] for r in rows])
            if column.name == "township"
            else _nearly([r[0] for r in rows], usual)
        )
        for word, sheet, row, count in rows:
            if word in meant:
                more = f"（共 {count} 行）" if count > 1 else ""
                detail = f"{column.zh}“{word}”{more}不在常用的写法之中，是不是“{meant[word]}”？如是请改成一致的写法"
                cell = columns.cell(sheet, row, column.name)
                yield Finding(WARNING, file, "unusual_word", "像是常用词的另一种写法", detail, (cell,), word)


def _usual(dataset: Dataset, column: Column) -> Mapping[str, str]:
    """Every usual spelling of a column's words, and the word that it means."""
    if column.is_open and dataset.name != "assurance":
        return {s: v if not v.isascii() or not w else w[0] for v, w in column.values.items() for s in (v, *w)}
    if dataset.name == "quality_monitoring" and column.name == "subject":
        subjects = load_catalogue(DEFAULT_STANDARD).monitoring.subjects
        return {spelling: word for word, more in subjects.items() for spelling in (word, *more)}
    return {}


def _nearly(given: Sequence[str], usual: Mapping[str, str]) -> dict[str, str]:
    """Words that are not usual but resemble a usual word, each with that word."""
    folded = {fold_word(spelling): word for spelling, word in usual.items() if not spelling.isascii()}
    stored = set(usual)
    found = {}
    for word in given:
        plain = fold_word(word)
        if word in stored:
            continue
        if plain in folded:
            # 语 文 is the same word with a blank in it; a list of text keeps the spelling as written
            found[word] = folded[plain]
            continue
        holding = [spelling for spelling in folded if spelling in plain or plain in spelling]
        close = holding or get_close_matches(plain, folded, n=1, cutoff=LIKENESS)
        if close:
            found[word] = folded[close[0]]
    return found


def _townships(given: Sequence[str]) -> dict[str, str]:
    """Townships written without their last characters (河西 if 河西镇 occurs too), each with the complete name."""
    return {
        short: whole
        for short in given
        for whole in given
        if whole != short and whole.startswith(short) and len(whole) - len(short) <= 2 and len(short) > 1
    }
