"""The standard evaluated a second time, in exact fractions, to check the pipeline against.

Belongs here: one district in one phase, from plain rows to verdicts, typed in from the text of the standard.
Keep out: anything imported from ``youjun_pipeline`` (its code, its catalogue) and anything about files, time,
plans or DuckDB. A rule shared with the pipeline would hide the mistake the comparison is there to find.
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
