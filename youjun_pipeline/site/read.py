"""The rows of the publication that the site shows, read for some districts at a time.

For all districts of a batch there is one query per table, and the rows are grouped here: a query per page would be most of the
work, and the whole country would not fit into memory at once.
Keep out: shaping rows for a page.
"""

from __future__ import annotations

from collections import defaultdict, namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from youjun_pipeline.explain.facts import Facts
from youjun_pipeline.reports.evaluation import Evaluation as PublishedEvaluation
from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.reports.unchanged import digest, row_sums
from youjun_pipeline.site.names import anchor
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline.warehouse.contents import NOT_CONTENT
from youjun_pipeline.warehouse.tables import declared_tables

if TYPE_CHECKING:
    import duckdb

# Twenty districts of 75 schools in three phases are some 60 MB of rows.
BATCH = 20
# These columns are not shown on a district's pages, so that a nightly run with nothing new leaves the pages as they are.
NOT_SHOWN = (*NOT_CONTENT, "as_of", "evaluation_id", "school_id", "indicator_id")
# The tables that the pages show of an evaluation, each in its order of display.
PER_EVALUATION = {
    "mart.school": "school_code",
    "mart.school_indicator": "school_code, stage desc, indicator_code",
    "mart.school_verdict": "school_code, stage desc",
    "mart.stage_balance": "stage desc, indicator_code",
    "mart.balance_contribution": "variance_share desc nulls last, school_code",
    "mart.monitoring_subject": "cycle desc, grade, subject",
    "mart.recognition_group": "year desc, respondent_group, method",
    "mart.recognition_stratum": "sort_order, respondent_group",
    "mart.watched_item": "sort_order",
    "mart.district_indicator": "indicator_code",
    "mart.finding": "indicator_code, stage desc, finding_id",
    "mart.waiver_register": "due_on, school_code, indicator_code",
    "mart.measure_status": "measure_no",
    "mart.reported_not_passed": "measure_no, indicator_code, stage desc, school_code",
    "mart.milestone_status": "due, milestone_no",
    "mart.remediation_progress": "indicator_code, stage desc nulls last",
    "mart.unit_accountability": "overdue desc, kind, unit",
    "mart.plan_audit": "severity, rule, indicator_code, measure_no",
    "mart.projection": "coming_phase_id, basis, indicator_code, stage desc",
    "mart.target_progress": "target_no, period",
    "mart.phase_change": "indicator_code, abs(effect) desc nulls last, cause",
    "mart.reconciliation": "source nulls last, indicator_code, stage desc, school_name",
    "mart.indicator_money": "indicator_code",
    "mart.acceptance": "inspected_on desc, indicator_code, school_name",
    "mart.progress_report": "reported_on desc, measure_no, milestone_no nulls first",
    "mart.balance_cause": "stage desc, indicator_code",
    "mart.balance_group": "stage desc, indicator_code, grouping_name, between_share desc nulls last, group_name",
    "mart.balance_remedy": "stage desc, indicator_code, way, priority",
    "mart.verdict_margin": "school_code nulls first, stage desc, indicator_code, lever, move",
    "plan.scenario": "scenario_id, until, at_phase_id",
    "plan.scenario_action": "scenario_id, step nulls last, action_no",
    "plan.scenario_indicator": "scenario_id, indicator_code, stage desc, school_name, school_code",
    "plan.scenario_verdict": "scenario_id, level, stage desc, indicator_code",
    "plan.scenario_change": "scenario_id, step, stage desc, indicator_code",
    "plan.enrolment_forecast": "school_code nulls first, stage desc, year",
    "plan.forecast_verdict": "year, basis, level, stage desc, indicator_code, school_name, school_code",
    "plan.forecast_warning": "basis, year, level, stage desc, indicator_code",
    "plan.proposal_summary": "phase_id",
    "plan.proposal": "line_no",
    "plan.proposal_effect": "level, stage desc, indicator_code, school_name, school_code",
    "plan.proposal_obstacle": "obstacle_no",
    "plan.price_curve": 'curve desc, stage desc, indicator_code, "at"',
    "plan.shadow_price": "rank",
    "quality.suspicion": "dataset, school_code, rule",
    "quality.missing_input": "dataset, school_code nulls first, stage, column_name nulls first, item, message",
}
PER_DISTRICT = {
    "quality.check_result": "severity, phase_id nulls first, check_name, dataset",
    "quality.rejected_row": "delivery desc, dataset, file, sheet, row, column_name",
    "quality.unused_row": "delivery desc, dataset, file, sheet, row, rule",
}
# Tables that explanations read themselves (`explain.facts`).
EXPLAINED = ("mart.lineage", "mart.assurance_figure")
ONLY = {
    "quality.check_result": "not passed and ",
    "mart.balance_group": "between_share + within_share >= 0.05 and ",
    "plan.scenario_indicator": "(change <> 'same' or status_after in ('near', 'below')) and ",
    "plan.scenario_verdict": "level <> 'section' and ",
    "plan.scenario_change": "level = 'stage' and abs(effect) >= 0.0005 and ",
    "plan.proposal_effect": "(level = 'stage' or is_left) and ",
    "plan.enrolment_forecast": "grade is null and ",
    # Closed findings and failing schools are shown by their own rows, so rows without a change of status are left out.
    "mart.phase_change": "(level not in ('school', 'verdict') or status_before is distinct from status_after) and ",
}


class Rows(dict[str, list[Any]]):
    """Rows by table (`school`, `finding` …), each a named tuple; a table without rows is an empty list."""

    def __missing__(self, table: str) -> list[Any]:
        return []


@dataclass
class Evaluation:
    """One district in one phase: its row of `mart.evaluation`, its verdict, and its rows in the other tables."""

    row: Any
    verdict: Any
    rows: Rows
    indicators: list[Any]
    facts: Facts

    def __getattr__(self, name: str) -> Any:
        # gives the columns of mart.evaluation, so that templates can write e.phase_name
        return getattr(self.row, name)

    @property
    def is_reconstructed(self) -> bool:
        return bool(self.row.data_origin == "reconstructed")

    @property
    def cv_decimals(self) -> int:
        """Decimals of a coefficient of variation on paper, from the catalogue."""
        return int(load_catalogue(self.row.standard_id).parameters["cv_display_decimals"].value)

    @property
    def anchor(self) -> str:
        """Id of the phase's part on a page with several phases."""
        return anchor(self.row.phase_id)

    @cached_property
    def indicator(self) -> dict[str, Any]:
        """Indicators by code."""
        return {i.indicator_code: i for i in self.indicators}

    @property
    def school_indicators(self) -> list[Any]:
        """The indicators that schools are judged by, in the order of the catalogue."""
        return [i for i in self.indicators if i.level in ("section", "school")]

    @cached_property
    def school(self) -> dict[str, Any]:
        """Schools by code."""
        return {s.school_code: s for s in self.rows["school"]}

    @cached_property
    def measure(self) -> dict[str, Any]:
        """Measures by number."""
        return {m.measure_no: m for m in self.rows["measure_status"]}

    @cached_property
    def value(self) -> dict[tuple[str, str, str], Any]:
        """Judged values by school, stage and indicator."""
        return {(v.school_code, v.stage, v.indicator_code): v for v in self.rows["school_indicator"]}

    def judged(self, school: str, stage: str, indicator: str) -> Any:
        """The value that counts for a section: its own, or the common one of its school's stages; None if there is none."""
        return self.value.get((school, stage, indicator)) or self.value.get((school, "compulsory", indicator))

    @cached_property
    def finding(self) -> dict[tuple[str | None, str | None, str], Any]:
        """Findings of schools and of stages' CVs by school (None for a CV), stage and indicator."""
        return {
            (f.school_code, f.stage, f.indicator_code): f
            for f in self.rows["finding"]
            if f.level != "district"
        }

    @cached_property
    def by_school(self) -> dict[str, dict[str, list[Any]]]:
        """For each table about schools its rows by school code."""
        tables = (
            "school_indicator",
            "school_verdict",
            "finding",
            "waiver_register",
            "suspicion",
            "phase_change",
        )
        return {table: grouped(self.rows[table], lambda r: r.school_code) for table in tables}


@dataclass
class District:
    """A district with its evaluations in the order of the plan."""

    code: str
    name: str
    evaluations: list[Evaluation]
    rows: Rows

    @property
    def newest(self) -> Evaluation:
        return self.evaluations[-1]

    @property
    def is_reconstructed(self) -> bool:
        return any(e.is_reconstructed for e in self.evaluations)


def grouped(rows: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """Rows grouped by the result of `key`, in their order."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def district_codes(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Codes of all published districts, sorted."""
    return [
        c for (c,) in con.execute("select distinct district_code from mart.evaluation order by 1").fetchall()
    ]


def read_districts(con: duckdb.DuckDBPyConnection, codes: Sequence[str]) -> Iterator[District]:
    """The districts `codes` with all their rows, in this order, read a batch at a time."""
    indicators = defaultdict(list)
    for row in _fetch(con, "mart.indicator", "sort_order", None):
        indicators[row.standard_id].append(row)
    facts = {(e.district_code, e.phase_id): e for e in published_evaluations(con)}
    for start in range(0, len(codes), BATCH):
        yield from _batch(con, list(codes[start : start + BATCH]), indicators, facts)


def _batch(
    con: duckdb.DuckDBPyConnection,
    codes: list[str],
    indicators: dict[str, list[Any]],
    published: dict[tuple[str, str], PublishedEvaluation],
) -> Iterator[District]:
    rows: dict[tuple[str, str], Rows] = defaultdict(Rows)
    for full_name, order in PER_EVALUATION.items():
        table = full_name.split(".")[1]
        for row in _fetch(con, full_name, order, codes):
            rows[row.district_code, row.phase_id].setdefault(table, []).append(row)
    of_district: dict[str, Rows] = defaultdict(Rows)
    for full_name, order in PER_DISTRICT.items():
        table = full_name.split(".")[1]
        for row in _fetch(con, full_name, order, codes):
            of_district[row.district_code].setdefault(table, []).append(row)
    verdicts = {
        (v.district_code, v.phase_id): v for v in _fetch(con, "mart.district_verdict", "phase_id", codes)
    }
    evaluations = defaultdict(list)
    for row in _fetch(con, "mart.evaluation", "district_code, phase_order, phase_id", codes):
        key = (row.district_code, row.phase_id)
        facts = Facts(con, published[key])
        found = Evaluation(row, verdicts[key], rows.pop(key, Rows()), indicators[row.standard_id], facts)
        evaluations[row.district_code].append(found)
    for code in codes:
        phases = evaluations.pop(code)
        yield District(code, phases[-1].row.district_name, phases, of_district[code])


def _fetch(con: duckdb.DuckDBPyConnection, full_name: str, order: str, codes: list[str] | None) -> list[Any]:
    """Rows of a published table as named tuples, without the columns that are not shown."""
    names = [c for c in declared_tables()[full_name].columns if c not in NOT_SHOWN]
    where = f"where {ONLY.get(full_name, '')}district_code in (select unnest($1::varchar[]))" if codes else ""
    columns = ", ".join(f'"{name}"' for name in names)
    sql = f"select {columns} from {full_name} {where} order by {order}"
    row_type = namedtuple(full_name.split(".")[1], names)  # type: ignore[misc]
    return [row_type(*values) for values in con.execute(sql, [codes] if codes else []).fetchall()]


def fingerprints(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """For each district a hash of all that its pages show."""
    parts: dict[str, list[str]] = defaultdict(list)
    shown = ["mart.evaluation", "mart.district_verdict", *PER_EVALUATION, *PER_DISTRICT, *EXPLAINED]
    for full_name in shown:
        columns = [c for c in declared_tables()[full_name].columns if c not in NOT_SHOWN]
        only = f"{ONLY.get(full_name, '')} district_code is not null"
        for (code,), line in row_sums(con, full_name, columns, ["district_code"], only):
            parts[code].append(line)
    everywhere = str(_fetch(con, "mart.indicator", "standard_id, sort_order", None))
    return {code: digest(everywhere, *found) for code, found in parts.items()}
