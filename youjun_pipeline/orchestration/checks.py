"""Asset checks. Each check shows a state, not an event: it is red in every run for as long as the fault exists.

A check is attached to the asset that it judges, and names faults by district, phase and file. No check stops a run: a fault that
holds a district back holds back only this district, and the district's rows in `quality.check_result` show it (the gate). Such
checks are marked 【阻断】, with metadata `gate: blocking`. Keep out: the checks themselves (`warehouse.checks`, the contracts).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the functions that it calls.
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.orchestration.failures import reason_first
from youjun_pipeline.orchestration.lineage import DISTRICTS, FILES
from youjun_pipeline.orchestration.refresh import Refresh
from youjun_pipeline.orchestration.shown import markdown_table
from youjun_pipeline.warehouse.checks import Check, load_checks

if TYPE_CHECKING:
    import duckdb

CHECK_RESULT = dg.AssetKey(["quality", "check_result"])
# Rules that hold a district back before anything is computed, by their asset. `None` takes every rule that has no check of its
# own, so that a new rule is shown without being named here.
FAILURE_RULES = {
    FILES: {
        "file_unreadable": "交付文件都能读入",
        "required_column_missing": "交付文件的必需列齐全",
        "duplicate_key": "交付文件中没有重复的主键",
        "schools_missing": "每次评估都有学校名册",
        "files_are_usable": "交付文件没有其他使全区不能评估的问题",
    },
    DISTRICTS: {
        "district_file_unreadable": "district.toml 都能读取",
        "district_file_invalid": "district.toml 的内容都正确",
        "district_code_repeated": "没有两个文件夹用同一区县代码",
    },
}
OTHER_RULES = "files_are_usable"
# Rules of the folder and of single cells: they only warn and do not hold a district back.
CELLS, FOLDER = "cells_are_readable", "folder_is_present"
HEAD = ("区县", "阶段", "数据集", "处数", "说明")


def contract_checks() -> list[dg.AssetCheckSpec]:
    """The checks of the step that reads the deliveries: for every dataset, for whole files and for the folders."""
    contracts = [
        dg.AssetCheckSpec(
            "contract", asset=["raw", d.name], description="【阻断】使用中的文件都可用，各行都符合数据约定"
        )
        for d in load_datasets().values()
    ]
    rules = [
        dg.AssetCheckSpec(rule, asset=key, description=f"【阻断】{title}", metadata={"gate": "blocking"})
        for key, titles in FAILURE_RULES.items()
        for rule, title in titles.items()
    ]
    cells = dg.AssetCheckSpec(CELLS, asset=FILES, description="使用中的文件里每个单元格都能读入")
    folder = dg.AssetCheckSpec(FOLDER, asset=DISTRICTS, description="发布过的区县和阶段都还在数据文件夹中")
    return [*contracts, *rules, cells, folder]


def contract_results(
    con: "duckdb.DuckDBPyConnection", wanted: Iterable[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """The state of the files in use by the contracts; the run must be open for all phases."""
    failures = con.execute(_FAILURES).fetchall()
    rejected = con.execute(_REJECTED).fetchall()
    gone = con.execute(_GONE).fetchall()
    own = {rule for titles in FAILURE_RULES.values() for rule in titles}
    for key in wanted:
        if key.name == "contract":
            dataset = key.asset_key.path[-1]
            unusable = [row for row in failures if row[3] == dataset]
            lines = [row for row in rejected if row[2] == dataset]
            yield result(key, [row[1:] for row in unusable] + lines, bool(unusable))
        elif key.name == CELLS:
            yield result(key, rejected, False)
        elif key.name == FOLDER:
            yield result(key, gone, False)
        else:
            rules = {key.name} if key.name != OTHER_RULES else {row[0] for row in failures} - own
            yield result(key, [row[1:] for row in failures if row[0] in rules], True)


def result(key: dg.AssetCheckKey, rows: Sequence[Sequence[Any]], blocks: bool) -> dg.AssetCheckResult:
    """A check passes if there are no rows; each row is (district, phase, dataset, number, what is wrong)."""
    metadata: dict[str, Any] = {
        "districts": len({row[0] for row in rows}),
        "failed_rows": sum(int(row[3] or 0) for row in rows),
    }
    if rows:
        metadata["failing"] = markdown_table(HEAD, rows)
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not rows,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


_FAILURES = """
    select f.rule, f.district_code, coalesce(f.phase_id, ''), f.dataset, count(*),
        string_agg(distinct f.message, '；' order by f.message)
    from run_failure f
    group by all
    order by all
"""
_REJECTED = """
    select f.district_code, '', f.dataset, count(*),
        f.delivery || '/' || f.file || '：' || any_value(r.message order by r.row_number)
    from (select distinct district_code, dataset, delivery, file, content_sha256 from run_chosen_file) f
    join raw.rejection r using (content_sha256, dataset)
    group by f.district_code, f.dataset, f.delivery, f.file
    order by all
"""
_GONE = """
    select distinct e.district_code, if(d.district_code is null, '', e.phase_id), '', 1, '已不在数据文件夹中'
    from mart.evaluation e
    left join raw.district d using (district_code)
    anti join raw.phase p on p.district_code = e.district_code and p.phase_id = e.phase_id
    order by all
"""


def asset_of(check: Check) -> dg.AssetKey:
    """The asset that a stored check judges."""
    if check.dataset in load_datasets():
        return dg.AssetKey(["raw", check.dataset])
    if "." in check.dataset:
        return dg.AssetKey(check.dataset.split("."))
    return dg.AssetKey(["mart", "evaluation"]) if check.dataset == "mart" else FILES


CHECKS = {dg.AssetCheckKey(asset_of(check), check.name): check for check in load_checks()}


@dg.multi_asset_check(
    name="gate_checks",
    specs=[
        dg.AssetCheckSpec(
            check.name,
            asset=key.asset_key,
            description=("【阻断】" if check.severity == "blocking" else "") + check.title,
            additional_deps=[CHECK_RESULT],
            metadata={"gate": check.severity},
        )
        for key, check in CHECKS.items()
    ],
    can_subset=True,
)
@reason_first
def gate_checks(context: dg.AssetCheckExecutionContext, refresh: Refresh) -> Iterator[dg.AssetCheckResult]:
    """Say of every check on file which districts and phases fail it now, whichever run found that out."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, *row in refresh.session.con.execute(_STATE).fetchall():
        found.setdefault(name, []).append(tuple(row))
    for key in context.selected_asset_check_keys:
        check = CHECKS[key]
        yield result(key, found.get(check.name, []), check.severity == "blocking")


# As in the publication, results about removed districts and phases do not count.
_STATE = """
    select check_name, district_code, coalesce(phase_id, ''), dataset, failed_rows, message
    from quality.check_result c
    where not passed and (district_code is null or (district_code, phase_id) in (select district_code, phase_id from raw.phase)
        or (phase_id is null and district_code in (select district_code from raw.district)))
    order by all
"""
