"""Which reports each published folder holds.

A folder is swapped whole, so everything in it is written in one go: another kind of report for `schools` is named here.
"""

from __future__ import annotations

from youjun_pipeline.reports.briefing import BRIEFING
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.missing import MISSING
from youjun_pipeline.reports.official.book import OFFICIAL
from youjun_pipeline.reports.schools.plan import SCHOOL_PLANS
from youjun_pipeline.reports.schools.self_assessment import SELF_ASSESSMENT

FOLDERS: dict[str, tuple[Report, ...]] = {
    "official": (OFFICIAL,),
    "schools": (SELF_ASSESSMENT, SCHOOL_PLANS, BRIEFING, MISSING),
}
