"""Q9 and S1: results of the national monitoring and of the recognition survey, both obtained outside the district.

Keep out: what the district itself reports (``assurance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.schools import Row
from youjun_pipeline_tests.oracle.shares import (
    District,
    Item,
    Pair,
    above,
    added,
    newest,
    of_whole,
    share,
    summed,
    together,
)


def monitored(row: Row) -> str:
    """One subject of one grade: level and between-school rate."""
    level, rate = f.maybe(row.get("level")), f.maybe(row.get("between_school_rate"))
    reached = f.NO_DATA if level is None else (f.MET if level >= f.LEVEL_AT_LEAST else f.BELOW)
    even = f.NO_DATA if rate is None else (f.MET if rate < f.RATE_BELOW else f.BELOW)
    return together([reached, even])


def subject_of(word: str) -> str:
    """The subject that a word means; an unknown word is a subject of its own."""
    return next((name for name, words in f.SUBJECTS.items() if word in words), word)


def monitoring(district: District) -> dict[tuple[int, str], tuple[Row, str]]:
    """The newest cycle of each grade and subject with its status."""
    found: dict[tuple[int, str], list[Row]] = {}
    for row in district.rows("quality_monitoring"):
        found.setdefault((int(row["grade"]), subject_of(row["subject"])), []).append(row)
    last = {key: newest(rows, "cycle")[0] for key, rows in found.items()}
    return {(grade, row["subject"]): (row, monitored(row)) for (grade, _), row in last.items()}


def all_subjects(district: District) -> Item:
    """Q9: every subject that was examined or should have been."""
    results = monitoring(district)
    statuses = [status for _, status in results.values()]
    there = {(grade, subject_of(word)) for grade, word in results}
    for stage, grade in f.MONITORED_GRADE.items():
        has_stage = any(s.in_scope and s.stage == stage for s in district.sections.values())
        for subject in f.SUBJECTS:
            left_out = {subject, f"{grade}年级{subject}"} & set(district.options.subjects_not_monitored)
            if has_stage and not left_out and (grade, subject) not in there:
                statuses.append(f.NO_DATA)
    return Item(together(statuses) if statuses else f.NO_DATA)


def population_year(district: District) -> int | None:
    """The year of the newest figure of residents."""
    return max(
        (int(r["year"]) for r in district.rows("district_figures") if r["item"] == "population_wan"),
        default=None,
    )


def answers(row: Row) -> Pair:
    """Satisfied and valid answers; with more valid answers than people asked, both are unknown."""
    valid = f.maybe(row.get("valid"))
    if above(valid, f.maybe(row.get("issued"))):
        return None, None
    return of_whole(f.maybe(row.get("satisfied")), valid)


def sample(district: District, rows: Sequence[Row]) -> str:
    """Whether enough people answered, and enough of them were parents."""
    people = newest([r for r in district.rows("district_figures") if r["item"] == "population_wan"], "year")
    residents = added(r.get("value") for r in people)
    valid = [answers(r)[1] for r in rows]
    total = added(valid)
    if residents is None or total is None:
        return f.NO_DATA
    parents = sum(
        (n or 0 for n, r in zip(valid, rows, strict=True) if r["respondent_group"] in f.PARENTS), Fraction(0)
    )
    enough = total >= f.SAMPLE_SHARE * residents * f.YUAN_IN_WAN and parents >= f.PARENTS_SHARE * total
    return f.MET if enough else f.NO_DATA


def surveys(district: District) -> tuple[list[int], list[int]]:
    """The years of the surveys, and the years in which every group was asked; without a rule, every group asked before."""
    asked: dict[int, set[str]] = {}
    for row in district.rows("recognition"):
        asked.setdefault(int(row["year"]), set()).add(row["respondent_group"])

    def expects(year: int, words: frozenset[str]) -> bool:
        earlier = any(groups & words for y, groups in asked.items() if y < year)
        return district.options.survey_rule == "national" or earlier

    whole = [
        y
        for y, groups in asked.items()
        if all(groups & words for words in map(frozenset, f.RESPONDENTS) if expects(y, words))
    ]
    return list(asked), whole


def survey_year(district: District) -> int | None:
    """The year on which S1 is judged."""
    asked, whole = surveys(district)
    return max(whole or asked, default=None)


def satisfaction(district: District) -> Item:
    """S1: satisfied among valid answers in the newest survey that asked every group; the survey must be a fair sample."""
    options, every = district.options, district.rows("recognition")
    (_, whole), year = surveys(district), survey_year(district)
    rows = [r for r in every if int(r["year"]) == year]

    def of(rows: Iterable[Row]) -> Item:
        return share(*summed(answers(r) for r in rows), f.SATISFIED, f.NO_DATA)

    statuses = [of(rows).status]
    if options.survey_rule == "national":
        statuses.append(sample(district, rows) if year in whole else f.NO_DATA)
        if year not in whole:
            statuses = [f.NO_DATA]
    if options.survey_methods == "each":
        statuses += [
            of(r for r in rows if r.get("method") == m).status for m in {r.get("method") for r in rows}
        ]
    return Item(together(statuses), of(rows).value, f.SATISFIED)
