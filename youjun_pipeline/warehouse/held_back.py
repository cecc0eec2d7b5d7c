"""What a publication says of districts that did not get into it, are gone from it, or have been silent for long.

Belongs here: the question. Keep out: who is told and in which words (`orchestration.notices`, `notify`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

HELD, GONE, SILENT = "held", "gone", "silent"

# The wording of a silent district counts days, which is no news; of the others a changed wording is a changed fault.
_CONCERNS = """
    select case when c.severity = 'blocking' then 'held' when c.check_name = 'folder_is_present' then 'gone'
            else 'silent' end as kind,
        coalesce(c.district_code, ''), coalesce(n.district_name, ''), coalesce(c.phase_id, ''), c.check_name, c.message
    from quality.check_result c
    left join (select district_code, any_value(district_name) as district_name from mart.evaluation group by district_code) n
        using (district_code)
    where not c.passed
        and (c.severity = 'blocking' or c.check_name in ('folder_is_present', 'deliveries_are_recent'))
    order by all
"""


@dataclass(frozen=True)
class Concern:
    """One district (in one phase, or all: empty) that somebody should look after, and why."""

    kind: str
    district_code: str
    district_name: str
    phase_id: str
    check_name: str
    message: str

    @property
    def identity(self) -> str:
        """The same as long as the same is the matter; short, since many are remembered."""
        parts = [self.kind, self.district_code, self.phase_id, self.check_name]
        text = "\0".join(parts if self.kind == SILENT else [*parts, self.message])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def concerns(con: duckdb.DuckDBPyConnection) -> list[Concern]:
    """Those of the open publication, by kind, district and phase."""
    return [Concern(*row) for row in con.execute(_CONCERNS).fetchall()]
