"""The reports in each published folder.

A folder is swapped as a whole, so all its reports are written together: add a new kind of report for `schools` here.
"""

from __future__ import annotations

from youjun_pipeline.reports.briefing import BRIEFING
from youjun_pipeline.reports.county.building import BUILDING
from youjun_pipeline.reports.county.evidence import EVIDENCE
from youjun_pipeline.reports.county.ledger import LEDGER
from youjun_pipeline.reports.county.self_report import SELF_REPORT
from youjun_pipeline.reports.county.site_check import SITE_CHECK
from youjun_pipeline.reports.county.wall_sheet import WALL_SHEET
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.missing import MISSING
from youjun_pipeline.reports.official.book import OFFICIAL
from youjun_pipeline.reports.proposal import PROPOSAL
from youjun_pipeline.reports.proposal_schools import DRAFTS
from youjun_pipeline.reports.schools.plan import SCHOOL_PLANS
from youjun_pipeline.reports.schools.plan_papers import PLAN_PAPERS
from youjun_pipeline.reports.schools.self_assessment import SELF_ASSESSMENT

FOLDERS: dict[str, tuple[Report, ...]] = {
    "official": (OFFICIAL,),
    "papers": (SELF_REPORT, LEDGER, EVIDENCE, SITE_CHECK, BUILDING, WALL_SHEET),
    "schools": (SELF_ASSESSMENT, SCHOOL_PLANS, PLAN_PAPERS, BRIEFING, MISSING, PROPOSAL, DRAFTS),
}
