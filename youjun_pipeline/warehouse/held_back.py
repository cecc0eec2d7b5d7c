"""Districts that a publication does not have, no longer has, or that have been silent for long.

Belongs here: finding these districts. Keep out: who is told and in which words (`orchestration.notices`, `notify`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import duckdb

HELD, GONE, SILENT, TURNED = "held", "gone", "silent", "turned"

# The message about a silent district counts days, so another wording is not a new concern. Any other new wording is a new fault.
_CONCERNS = """
    select case when c.severity = 'blocking' then 'held' when c.check_name = 'folder_is_present' then 'gone'
            else 'silent' end as kind,
        coalesce(c.district_code, ''), coalesce(n.district_name, ''), coalesce(c.phase_id, ''), c.check_name, c.message
    from quality.check_result c
    left join (select district_code, any_value(district_name) as district_name from mart.evaluation group by district_code) n
        using (district_code)
    left join (select district_code, phase_id, min(phase_order) as phase_order from mart.evaluation group by all) p
        on p.district_code = c.district_code and p.phase_id = c.phase_id
    where not c.passed
        and (c.severity = 'blocking' or c.check_name in ('folder_is_present', 'deliveries_are_recent'))
        -- a run of some tables alone mixes runs; that is nobody's data, and the evaluation stays as it was
        and c.check_name <> 'evaluation_has_one_run'
    order by kind, c.district_code, p.phase_order, c.phase_id, c.check_name, c.message
"""


@dataclass(frozen=True)
class Concern:
    """One district (in one phase, or all phases: empty) that needs somebody's attention, and the reason."""

    kind: str
    district_code: str
    district_name: str
    phase_id: str
    check_name: str
    message: str

    @property
    def identity(self) -> str:
        """A key that stays the same as long as the cause does. It is short, because many keys are remembered."""
        parts = [self.kind, self.district_code, self.phase_id, self.check_name]
        text = "\0".join(parts if self.kind == SILENT else [*parts, self.message])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def turned(con: duckdb.DuckDBPyConnection) -> list[Concern]:
    """Districts whose verdict on a phase differs from the previous publication, which is attached as `before`."""
    return [Concern(TURNED, *row) for row in con.execute(_TURNED).fetchall()]


_TURNED = """
    select n.district_code, e.district_name, n.phase_id, 'verdict',
        '结论由' || if(b.passes, '通过', '未通过') || '变为' || if(n.passes, '通过', '未通过')
            || '（运行 ' || n.run_id || '；未达标学校 ' || b.schools_failing || ' → ' || n.schools_failing || '）'
    from mart.district_verdict n
    join before.mart.district_verdict b using (district_code, phase_id)
    join mart.evaluation e using (district_code, phase_id)
    where coalesce(n.passes, false) <> coalesce(b.passes, false)
    order by n.district_code, e.phase_order, n.phase_id
"""

PUBLISHED, KEPT, HELD_BACK, STALE, CLOSED = "published", "kept", "held_back", "stale", "closed"


@dataclass(frozen=True)
class EvaluationState:
    """The state of one district in one phase of a publication: made by its run, kept from before, held back, stale, or closed."""

    district_code: str
    district_name: str
    phase_id: str
    state: str


def evaluation_states(con: duckdb.DuckDBPyConnection) -> list[EvaluationState]:
    """Every evaluation of the open publication, and evaluations that were held back and never published; held back ones first."""
    return [EvaluationState(*row) for row in con.execute(_STATES).fetchall()]


_STATES = """
    with newest as (
        select run_id from ops.publication order by published_at desc, run_id limit 1
    ), held as (
        select distinct district_code, phase_id from quality.check_result
        where severity = 'blocking' and not passed and phase_id is not null
    ), everyone as (
        select district_code, phase_id from mart.evaluation union select district_code, phase_id from held
    )
    select k.district_code, coalesce(max(e.district_name) over (partition by k.district_code), ''), k.phase_id,
        case
            when e.is_closed then 'closed'
            when h.phase_id is not null then 'held_back'
            when e.is_stale then 'stale'
            when e.run_id = (from newest) then 'published'
            else 'kept'
        end as state
    from everyone k
    left join mart.evaluation e on e.district_code = k.district_code and e.phase_id = k.phase_id
    left join held h on h.district_code = k.district_code and h.phase_id = k.phase_id
    order by bool_or(h.phase_id is not null) over (partition by k.district_code) desc, k.district_code,
        e.phase_order nulls last, k.phase_id
"""


def concerns(con: duckdb.DuckDBPyConnection) -> list[Concern]:
    """The concerns of the open publication, by kind, district and phase."""
    return [Concern(*row) for row in con.execute(_CONCERNS).fetchall()]
