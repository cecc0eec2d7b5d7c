"""Findings that need several files of a district: schools missing from the roster, unknown names, sums, doubts.

They come from the pipeline's own models and checks, run in a database in memory, so that a check before sending says the same as
the refresh. Belongs here: which models and checks run, and their results as findings. Keep out: findings within a single file
(`findings`), and everything that judges by the standard: a failed standard is not a fault of the data.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import SNAPSHOT
from youjun_pipeline.precheck.findings import DOUBT, ERROR, GAP, NOTICE, WARNING, Columns, Finding
from youjun_pipeline.precheck.statistics import STATISTICS
from youjun_pipeline.warehouse.checks import Check, load_checks
from youjun_pipeline.warehouse.models import behind, build, tables_read
from youjun_pipeline.warehouse.run import RunScope, begin_run

if TYPE_CHECKING:
    import duckdb

REJECTED, SUSPICION, MISSING = "quality.rejected_row", "quality.suspicion", "quality.missing_input"
# These checks find cells that are listed in quality.rejected_row.
TOLD_ELSEWHERE = (
    "schools_are_in_roster",
    "school_names_resolve",
    "rows_reconcile",
    "progress_is_on_known_measures",
    "files_are_filled_in",
)
ACROSS_FILES = {
    "unknown_school": "学校标识码不在学校名册中",
    "unknown_school_name": "找不到这所学校",
    "ambiguous_school_name": "校名可能指多所学校",
    "unknown_measure": "方案中没有这项措施",
    "unknown_milestone": "方案中没有这个节点",
    "unknown_indicator": "标准中没有这项指标",
    "before_plan": "日期早于方案印发",
}
SUSPICIONS = {
    "jump": "与上次报送相差悬殊",
    "round_number": "数值过整，像是估计",
    "area_without_building": "有场地而无校舍",
    "unit_mistaken": "单位可能填错",
    "implausible_per_student": "与学生数不相称",
    "identical_figures": "与别校完全相同",
    "degrees_missing": "学历人数少于教师数",
    "duplicate_name": "校名重复",
    "silent_school": "上次报送过，这次没有",
    "preschool_unweighted": "附设幼儿班没有设定分摊权重",
    "same_ratio": "多所学校生均数值相同",
    "heaped": "多所学校刚过标准",
}
ANSWER = "；如属实，请在疑点答复（suspicion_answers）中说明"


def can_be_evaluated(con: duckdb.DuckDBPyConnection) -> None:
    """Set faulty files aside, so that the others can still be compared.

    An unusable file is removed; of rows with the same key only the first is kept. Only for a database in memory.
    """
    con.execute("delete from raw.district_failure")
    for dataset in load_datasets().values():
        if dataset.kind == SNAPSHOT:
            key = ", ".join(f'"{name}"' for name in ("content_sha256", *dataset.key))
            table = f"accepted.{dataset.name}"
            con.execute(
                f"delete from {table} where rowid not in (select min(rowid) from {table} group by {key})"
            )
    con.execute("update raw.content set failure_rule = null where failure_rule = 'duplicate_key'")
    con.execute(
        "delete from raw.delivered_file f using raw.content c "
        "where f.content_sha256 = c.content_sha256 and f.dataset = c.dataset and c.failure_rule is not null"
    )


def evaluate(con: duckdb.DuckDBPyConnection, phases: tuple[str, ...], as_of: dt.date) -> list[Check]:
    """Open a run of these phases and build the tables that the findings need; returns the checks that can run on it."""
    begin_run(con, RunScope("precheck", phases, as_of))
    checks = [c for c in load_checks() if c.name not in TOLD_ELSEWHERE and not _judges(tables_read(c.sql))]
    for model in behind({REJECTED, SUSPICION, MISSING}.union(*(tables_read(check.sql) for check in checks))):
        build(con, model)
    return checks


def _judges(tables: Iterable[str]) -> bool:
    """Whether these tables depend on verdicts."""
    read = set(tables).union(*(model.reads for model in behind(tables)))
    return any(name.startswith(("mart.", "ops.")) for name in read)


def roster_is_missing(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The deliveries for which no roster was known, as messages."""
    return [
        m
        for (m,) in con.execute(
            "select message from run_failure where rule = 'schools_missing' order by 1"
        ).fetchall()
    ]


def not_filled_in(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Files that count as not delivered, with what is used in their place and what they would have meant."""
    rows = con.execute(
        "select b.delivery, b.file, no_delivery(b.reason, b.rows_seen, d.kind, d.title, d.empty_means, max(f.delivery)) "
        "from raw.bare_file b join raw.dataset d using (dataset) left join raw.delivered_file f "
        "on f.district_code = b.district_code and f.dataset = b.dataset and f.delivery <= b.delivery "
        "group by b.delivery, b.file, b.reason, b.rows_seen, d.kind, d.title, d.empty_means order by all"
    ).fetchall()
    for delivery, file, message in rows:
        yield Finding(
            WARNING, f"{delivery}/{file}", "files_are_filled_in", "没有填写内容，不算一次报送", message
        )


def rejected_across_files(con: duckdb.DuckDBPyConnection, columns: dict[str, Columns]) -> Iterator[Finding]:
    """Schools that a file names and that are not on the roster."""
    rows = con.execute(
        f'select delivery, file, sheet, "row", column_name, value, rule, message from {REJECTED} '
        "where list_contains($1::varchar[], rule) order by all",
        [list(ACROSS_FILES)],
    ).fetchall()
    for delivery, file, sheet, row, name, value, rule, message in rows:
        key = f"{delivery}/{file}"
        cell = columns.get(key, Columns(None)).cell(sheet, row, name)
        yield Finding(ERROR, key, rule, ACROSS_FILES[rule], message, (cell,), value or "")


def doubts(con: duckdb.DuckDBPyConnection, columns: dict[str, Columns]) -> Iterator[Finding]:
    """Figures that look wrong but may be right, unless the district has explained them."""
    rows = con.execute(
        f'select distinct delivery, file, sheet, "row", column_name, rule, message, school_code, school_name, dataset '
        f"from {SUSPICION} where answer is null order by all"
    ).fetchall()
    for delivery, file, sheet, row, name, rule, message, code, school, dataset in rows:
        key = f"{delivery}/{file}" if file else ""
        title = load_datasets()[dataset].title if not file else ""
        cells = (columns.get(key, Columns(None)).cell(sheet, row, name),) if row is not None else ()
        who = " ".join(filter(None, (title, code, school)))
        yield Finding(DOUBT, key, rule, SUSPICIONS.get(rule, rule), f"{who}：{message}{ANSWER}", cells)


def missing_inputs(con: duckdb.DuckDBPyConnection, columns: dict[str, Columns]) -> Iterator[Finding]:
    """What was left blank, and which judgements this leaves open.

    A dataset that was never delivered gives a notice, a column without any value gives a gap. A blank among filled cells gives a
    warning, and so does a blank that leaves a coefficient of the whole district open.
    """
    rows = con.execute(
        f'select distinct delivery, file, sheet, "row", dataset, column_name, message, len(undecided_balances) > 0 '
        f"from {MISSING} order by all"
    ).fetchall()
    filled = {
        (delivery, file, name): _is_filled(con, dataset, delivery, file, name)
        for delivery, file, _, _, dataset, name, _, _ in rows
        if file and name
    }
    for delivery, file, sheet, row, _, name, message, decides_all in rows:
        key = f"{delivery}/{file}" if file and not file.startswith(STATISTICS) else ""
        cells = (columns.get(key, Columns(None)).cell(sheet, row, name),) if row is not None else ()
        is_warning = decides_all or filled.get((delivery, file, name), True)
        level = (WARNING if is_warning else GAP) if file else NOTICE
        yield Finding(level, key, "inputs_are_complete", "缺报，使判定悬空", message, cells)


def _is_filled(
    con: duckdb.DuckDBPyConnection, dataset: str, delivery: dt.date, file: str, column: str
) -> bool:
    """Whether any row of a delivered file has a value in the column."""
    found = con.execute(
        f'select count("{column}") from accepted."{dataset}" semi join ('
        "select content_sha256 from raw.delivered_file where dataset = $1 and delivery = $2 and file = $3) "
        "using (content_sha256)",
        [dataset, delivery, file],
    ).fetchall()
    return bool(found[0][0])


def failed_checks(
    con: duckdb.DuckDBPyConnection, checks: list[Check], files: Iterable[str]
) -> Iterator[Finding]:
    """The rows that fail the checks; a row whose text begins with a file and a row number is assigned to that file."""
    known = sorted(files, key=len, reverse=True)
    for check in checks:
        offenders = con.execute(f"select distinct offender from (\n{check.sql}\n) order by 1").fetchall()
        for (offender,) in offenders:
            file, sheet, row, rest = _placed(offender, known)
            cells = (Columns(None).cell(sheet, row, None),) if row else ()
            yield Finding(WARNING, file, check.name, f"不符合：{check.title}", rest, cells)


def _placed(offender: str, files: list[str]) -> tuple[str, str, int, str]:
    """File, sheet, row and the remaining text of a failure such as `delivery/file sheet 第 n 行：…` or `delivery/file：…`."""
    for file in files:
        if not offender.startswith(file):
            continue
        rest = offender[len(file) :]
        if found := re.fullmatch(r"(?: (.*?))? 第 (\d+) 行：(.*)", rest, re.DOTALL):
            return file, found[1] or "", int(found[2]), found[3]
        if rest.startswith("："):
            return file, "", 0, rest[1:]
    return "", "", 0, offender
