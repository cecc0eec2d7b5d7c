"""The standard evaluated a second time, in exact fractions, as a check of the pipeline.

Belongs here: one district in one phase, from plain rows to verdicts, typed in from the text of the standard.
Keep out: anything imported from ``youjun_pipeline`` (its code, its catalogue) and anything about files, time, plans or DuckDB. A
rule shared with the pipeline would hide exactly the mistakes that the comparison must find.
"""

from youjun_pipeline_tests.oracle.balance import (
    Contribution,
    StageBalance,
    balance_of,
    judge_cv,
    root,
)
from youjun_pipeline_tests.oracle.district import (
    DistrictIndicator,
    DistrictVerdict,
    Evaluation,
    evaluate,
)
from youjun_pipeline_tests.oracle.school_data import SchoolIndicator, SchoolVerdict
from youjun_pipeline_tests.oracle.schools import Options, School, Section, split_share
from youjun_pipeline_tests.oracle.sections import resource_rule

__all__ = [
    "Contribution",
    "DistrictIndicator",
    "DistrictVerdict",
    "Evaluation",
    "Options",
    "School",
    "SchoolIndicator",
    "SchoolVerdict",
    "Section",
    "StageBalance",
    "balance_of",
    "evaluate",
    "judge_cv",
    "resource_rule",
    "root",
    "split_share",
]
