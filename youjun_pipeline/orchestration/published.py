"""Assets of what is published: the file, and the folders beside it.

Keep out: what is published and what the folders contain (`session`, `reports`, `site`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the functions that it calls.
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from youjun_pipeline import session
from youjun_pipeline.orchestration.assets import COMPUTED, computed
from youjun_pipeline.orchestration.checks import CHECK_RESULT, gate_checks, result
from youjun_pipeline.orchestration.failures import reason_first
from youjun_pipeline.orchestration.lineage import EXTERNAL
from youjun_pipeline.orchestration.refresh import Refresh
from youjun_pipeline.orchestration.shown import markdown_table
from youjun_pipeline.reports.data_docs import Outcome, load_batches
from youjun_pipeline.reports.kinds import FOLDERS
from youjun_pipeline.vocabulary import words
from youjun_pipeline.warehouse.held_back import HELD, STALE, concerns, evaluation_states
from youjun_pipeline.warehouse.published import open_publication
from youjun_pipeline.warehouse.summary import VERDICT_HEAD, verdicts

if TYPE_CHECKING:
    import duckdb

PUBLICATION = dg.AssetKey(["publication", "youjun"])
STATES = words("evaluation_state")
GATE = dg.AssetCheckKey(PUBLICATION, "districts_pass_the_gate")


@computed(
    PUBLICATION,
    [CHECK_RESULT],
    "发布库 youjun.duckdb 及其 Parquet 副本：过闸后整体替换",
    kinds={"duckdb", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            GATE.name,
            asset=PUBLICATION,
            description="没有区县因数据问题而未更新，也没有待更新的阶段",
            metadata={"gate": "blocking"},
        )
    ],
)
@reason_first
def publication(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult:
    """Publish what passed the gate; without anything new the file that stands stays, and the one before it."""
    made = refresh.publish(context)
    settings = refresh.settings
    with open_publication(settings.published, settings.lake_to_read) as con:
        states = _states(con)
        for phase in context.partition_keys:
            rows, failing = con.execute(_OF_PHASE, [phase]).fetchall()[0]
            found = {"dagster/partition_row_count": rows, "failing_schools": failing}
            context.add_asset_metadata(found, PUBLICATION, phase)
        held = [(c.district_code, c.phase_id, "", 1, c.message) for c in concerns(con) if c.kind == HELD]
        stale = [
            (s.district_code, s.phase_id, "", 1, "待更新：交付、设置或前面的阶段有变化，下一次运行重算")
            for s in evaluation_states(con)
            if s.state == STALE
        ]
        context.add_asset_metadata(
            {
                "verdicts": markdown_table(VERDICT_HEAD, verdicts(con)),
                "districts_and_phases": states,
            },
            PUBLICATION,
        )
    tags = {"youjun/published": made.run_id if made.is_new else "unchanged"}
    context.instance.add_run_tags(context.run.run_id, tags)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(made.path)),
            "published": made.is_new,
            "rows": made.rows,
            "content_sha256": made.content_sha256,
            "as_of": made.as_of.isoformat(),
        },
        check_results=[result(GATE, held + stale, bool(held))],
    )


_OF_PHASE = """
    select
        (select count(*) from mart.school_indicator where phase_id = $1),
        (select coalesce(sum(schools_failing), 0)::bigint from mart.district_verdict where phase_id = $1)
"""


def _states(con: "duckdb.DuckDBPyConnection") -> dg.MarkdownMetadataValue:
    """District × phase (in order of time) as Markdown: published by this run, kept, held back, stale, closed."""
    found = evaluation_states(con)
    in_order = con.execute("select phase_id from mart.evaluation group by all order by min(starts), phase_id")
    # evaluations that were held back and never published come last
    phases = list(dict.fromkeys([p for (p,) in in_order.fetchall()] + [state.phase_id for state in found]))
    districts = list(dict.fromkeys((state.district_code, state.district_name) for state in found))
    by_key = {(state.district_code, state.phase_id): STATES[state.state] for state in found}
    rows = [
        [f"{code} {name}", *(by_key.get((code, phase), "") for phase in phases)] for code, name in districts
    ]
    return markdown_table(["区县", *phases], rows)


def report_asset(folder: str) -> dg.AssetsDefinition:
    """The asset of one folder of reports beside the publication."""
    titles = "、".join(report.title for report in FOLDERS[folder])

    @computed(dg.AssetKey(["reports", folder]), [PUBLICATION], f"每个区县每个阶段：{titles}", kinds={"excel"})
    @reason_first
    def write_reports(refresh: Refresh) -> dg.MaterializeResult:
        settings = refresh.settings
        made = session.report(settings.published, folder, settings.data, settings.lake_to_read)
        found = {"files_written": made.written, "files_kept": made.kept}
        return dg.MaterializeResult(metadata=found | _place(refresh, folder))

    return write_reports


def _place(refresh: Refresh, name: str) -> dict[str, Any]:
    """Where a folder or page is: a link if the settings give the address under which it is served, otherwise its path."""
    settings = refresh.settings
    where = (
        dg.MetadataValue.url(f"{settings.base_url}/{name}")
        if settings.base_url
        else dg.MetadataValue.path(str(Path(settings.published) / name))
    )
    return {"where": where}


REPORT_ASSETS = [report_asset(folder) for folder in FOLDERS]
DATA_DOCS = dg.AssetKey(["reports", "data_docs"])


@computed(
    DATA_DOCS,
    [PUBLICATION],
    "数据文档：对发布的各表逐批检验，并写出检验报告",
    kinds={"greatexpectations"},
    check_specs=[
        dg.AssetCheckSpec(batch.name, asset=DATA_DOCS, description=batch.title) for batch in load_batches()
    ],
)
@reason_first
def data_docs(refresh: Refresh) -> dg.MaterializeResult:
    """Watch the published tables as a whole; what fails is shown and keeps nothing back, the gate has spoken already."""
    outcomes = session.data_docs(refresh.settings.published, refresh.settings.lake_to_read)
    # A first publication has no predecessor: comparisons with it have no result, and Dagster wants a result of every check.
    silent = [Outcome(b.name, b.title, 0) for b in load_batches() if b.name not in {o.name for o in outcomes}]
    found = {"batches": len(outcomes), "not_met": sum(len(o.failures) for o in outcomes)}
    return dg.MaterializeResult(
        metadata=found | _place(refresh, "data_docs/index.html"),
        check_results=[
            dg.AssetCheckResult(
                check_name=o.name,
                passed=o.passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rows": o.rows, "expectations": o.checked, "failures": list(o.failures)},
            )
            for o in (*outcomes, *silent)
        ],
    )


# The site's pages link to the reports. The site does not wait for data_docs: a fault there must not keep an old site online.
@computed(
    dg.AssetKey(["reports", "site"]),
    [PUBLICATION, *(dg.AssetKey(["reports", folder]) for folder in FOLDERS)],
    "网站：作战图、指标、学校和区县比较的静态网页",
    kinds={"html"},
)
@reason_first
def site(refresh: Refresh) -> dg.MaterializeResult:
    """Rewrite the pages of the districts that changed."""
    made = session.site(refresh.settings.published, refresh.settings.lake_to_read)
    found = {
        "pages_written": made.pages,
        "districts_written": made.districts_built,
        "districts_kept": made.districts_kept,
    }
    return dg.MaterializeResult(metadata=found | _place(refresh, "site/index.html"))


ASSETS = [*EXTERNAL, *COMPUTED, publication, *REPORT_ASSETS, data_docs, site]
ASSET_CHECKS = [gate_checks]
