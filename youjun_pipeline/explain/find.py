"""`youjun explain`: the complete origin of one number, from the clause to the cell, as Chinese text.

Belongs here: finding the requested numbers in the published database. Keep out: the text itself (`school`, `district`), and
opening the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from youjun_pipeline.explain.account import Account, accounts_of, judged_school
from youjun_pipeline.explain.facts import Facts
from youjun_pipeline.explain.text import COMPULSORY, stage_name
from youjun_pipeline.reports.evaluation import Evaluation, Row, published_evaluations
from youjun_pipeline.standard import CatalogueError, load_catalogue
from youjun_pipeline.vocabulary import word

if TYPE_CHECKING:
    import duckdb

CANDIDATES = 10


class ExplainError(ValueError):
    """The requested number does not exist, or the request has several meanings; the message lists what exists (Chinese)."""


def explain(
    con: duckdb.DuckDBPyConnection,
    district: str,
    phase: str,
    indicator: str,
    school: str | None = None,
    stage: str | None = None,
) -> str:
    """The origin of one number of the publication that `con` has open, as text; `accounts` says what can be requested."""
    evaluation, found = accounts(con, district, phase, indicator, school, stage)
    return text_of(evaluation, found)


def accounts(
    con: duckdb.DuckDBPyConnection,
    district: str,
    phase: str,
    indicator: str | None = None,
    school: str | None = None,
    stage: str | None = None,
) -> tuple[Evaluation, list[Account]]:
    """The evaluation that is meant, and the origin of each requested number.

    With `school` (its code, its name, or a part of the name that no other school has): the school's indicator, in `stage` or in
    every stage of the school. Without `school`: the stage's coefficient of variation if a stage is given, otherwise the
    district's indicator. Without `indicator`: all numbers of the school, or of the evaluation. District, phase and stage may be
    given by code or by name. Raises ExplainError with a list of the candidates.
    """
    evaluation = _evaluation(con, district, phase)
    facts = Facts(con, evaluation)
    wanted = _stage(evaluation, stage) if stage else None
    if indicator is None:
        code = _school(con, facts, school)[0] if school else None
        return evaluation, accounts_of(facts, code)
    code = _indicator(evaluation, indicator)
    if school is not None:
        rows = _school_rows(con, facts, code, school, wanted)
        return evaluation, [judged_school(facts, row) for row in rows]
    if wanted is not None:
        return evaluation, [Account.of_stage(facts, _balance(facts, code, wanted))]
    rows = facts.rows("mart.district_indicator", "indicator_code")
    return evaluation, [Account.of_district(facts, row) for row in rows if row["indicator_code"] == code]


def text_of(evaluation: Evaluation, found: list[Account]) -> str:
    """Explanations under a line that names their evaluation."""
    head = (
        f"{evaluation.district_name}（{evaluation.district_code}）{evaluation.phase_name}（{evaluation.phase_id}），"
        f"数据截至 {evaluation.effective_on}，{evaluation.catalogue.name}"
    )
    if evaluation.data_origin == "reconstructed":
        head += "；数据为重构样例"
    return "\n\n".join([head, *(account.text for account in found)]) + "\n"


def _evaluation(con: duckdb.DuckDBPyConnection, district: str, phase: str) -> Evaluation:
    published = published_evaluations(con)
    of_district = [e for e in published if district in (e.district_code, e.district_name)]
    if not of_district:
        known = sorted({f"{e.district_code} {e.district_name}" for e in published})
        raise ExplainError(f"没有区县“{district}”，现有：{'、'.join(known) or '无'}")
    found = [e for e in of_district if phase in (e.phase_id, e.phase_name)]
    if len(found) != 1:
        known = [f"{e.phase_id} {e.phase_name}" for e in of_district]
        raise ExplainError(f"{of_district[0].district_name}没有阶段“{phase}”，现有：{'、'.join(known)}")
    try:
        load_catalogue(found[0].standard_id)
    except CatalogueError as error:
        raise ExplainError(f"评估所用的标准目录现在读不出：{error}") from error
    return found[0]


def _indicator(evaluation: Evaluation, indicator: str) -> str:
    entries = evaluation.catalogue.indicators
    code = indicator.strip().upper()
    if code in entries:
        return code
    named = [c for c, entry in entries.items() if indicator in (entry.name, entry.short_name)]
    if len(named) != 1:
        known = "、".join(f"{c} {entry.short_name}" for c, entry in entries.items())
        raise ExplainError(f"没有指标“{indicator}”，现有：{known}")
    return named[0]


def _stage(evaluation: Evaluation, stage: str) -> str:
    known = {s: evaluation.catalogue.stages[s].name for s in evaluation.stages} | {COMPULSORY: "义务教育"}
    for code, name in known.items():
        if stage in (code, name):
            return code
    raise ExplainError(f"没有学段“{stage}”，可用：{'、'.join(f'{c}（{n}）' for c, n in known.items())}")


def _school_rows(
    con: duckdb.DuckDBPyConnection, facts: Facts, code: str, school: str, stage: str | None
) -> list[Row]:
    evaluation = facts.evaluation
    school_code, name = _school(con, facts, school)
    if evaluation.catalogue.indicators[code].level == "district":
        raise ExplainError(f"{code} 按全县判定，不分学校：不要给出学校")
    rows = [
        row
        for row in facts.rows("mart.school_indicator", "stage desc, school_code, indicator_code")
        if row["school_code"] == school_code and row["indicator_code"] == code
    ]
    if not rows:
        raise ExplainError(f"{name} 没有指标 {code} 的判定{_out_of_scope(facts, school_code)}")
    chosen = [row for row in rows if stage in (None, row["stage"])]
    if not chosen:
        known = "、".join(f"{r['stage']}（{stage_name(evaluation.catalogue, r['stage'])}）" for r in rows)
        raise ExplainError(f"{name} 的 {code} 不在这个学段，可用：{known}")
    return chosen


def _school(con: duckdb.DuckDBPyConnection, facts: Facts, school: str) -> tuple[str, str]:
    """Code and name of the school that is meant: by code, by exact name, or by the only name that contains the words."""
    roster = [(r["school_code"], r["school_name"]) for r in facts.schools]
    for matches in (
        [s for s in roster if school in s],
        [s for s in roster if school in (s[1] or "")],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            listed = "、".join(f"{name}（{code}）" for code, name in matches[:CANDIDATES])
            more = f"等 {len(matches)} 所" if len(matches) > CANDIDATES else ""
            raise ExplainError(f"“{school}”可能指：{listed}{more}；请写全称或学校标识码")
    if gone := _what_became_of(facts, school):
        raise ExplainError(f"名册中没有“{school}”：{gone}")
    evaluation = facts.evaluation
    similar = con.execute(
        "select school_name || '（' || school_code || '）' from mart.school where district_code = ? and phase_id = ? "
        "order by jaro_winkler_similarity(school_name, ?) desc, school_code limit 3",
        [evaluation.district_code, evaluation.phase_id, school],
    ).fetchall()
    raise ExplainError(f"名册中没有“{school}”，最接近的有：{'、'.join(name for (name,) in similar) or '无'}")


def _out_of_scope(facts: Facts, school_code: str) -> str:
    for row in facts.schools:
        if row["school_code"] == school_code and row["out_of_scope_reason"]:
            return f"：学校未纳入评估（{row['out_of_scope_reason']}）"
    return ""


def _what_became_of(facts: Facts, school: str) -> str:
    """What happened to a school that was merged, split, closed or renamed; empty if this is not known."""
    changes_told = []
    for change in facts.rows("mart.school_change", "effective_on, kind, from_school, to_school"):
        if change["kind"] == "open" or school not in (change["from_school_code"], change["from_school"]):
            continue
        to = change["to_school"] or ""
        if change["to_school_code"]:
            to += f"（{change['to_school_code']}）"
        where = f"{change['delivery']}/{change['file']} 第 {change['row']} 行"
        changes_told.append(f"{change['effective_on']} {word('kind', change['kind'])}{to}　← {where}")
    return "；".join(changes_told)


def _balance(facts: Facts, code: str, stage: str) -> Row:
    evaluation = facts.evaluation
    for row in facts.rows("mart.stage_balance", "stage desc, indicator_code"):
        if (row["indicator_code"], row["stage"]) == (code, stage):
            return row
    resources = "、".join(evaluation.resources)
    raise ExplainError(
        f"没有 {code} 在这个学段的差异系数：只有 {resources} 的小学、初中有；查全县指标请不给学段"
    )
