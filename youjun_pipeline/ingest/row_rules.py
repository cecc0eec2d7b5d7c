"""Rules between the cells of one row, tested over whole columns.

Belongs here: one vectorised test for each kind of rule that a contract can declare. Keep out: which rules there are (the
declarations) and what is said to the district (validate.py).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.contracts.model import AnyGiven, AtMost, Dataset, Known, NotBetween, Rule, Within


def rule_breaks(rule: Rule, rows: Any, dataset: Dataset) -> np.ndarray:
    """Positions of the rows of a typed table that break the rule.

    A missing value breaks no rule. A sum skips it; if a bound, a condition or a word is missing, the row is not tested. Only
    AnyGiven asks whether a value is there.
    """
    broken = BREAKS[type(rule.test)](rule.test, rows, dataset)
    for name, values in rule.when.items():
        broken = pc.and_(broken, pc.is_in(rows[name], value_set=pa.array(values, rows[name].type)))
    return np.flatnonzero(pc.fill_null(broken, False).to_numpy(zero_copy_only=False))


def _at_most(test: AtMost, rows: Any, dataset: Dataset) -> Any:
    given = [rows[name] for name in test.sum]
    if len(given) > 1:
        # Missing values are skipped. No summed column may be negative (the loader checks this), so the sum of the others is a
        # lower bound.
        zero = pa.scalar(Decimal(0) if pa.types.is_decimal(given[0].type) else 0)
        given = [pc.fill_null(column, zero) for column in given]
    bounds = [rows[name] for name in test.of]
    return pc.greater(reduce(pc.add, given), reduce(pc.add, bounds))


def _within(test: Within, rows: Any, dataset: Dataset) -> Any:
    column = rows[test.column]
    outside = [pc.and_(pc.is_valid(column), False)]
    if test.low is not None:
        outside.append(pc.less(column, _bound(test.low)))
    if test.high is not None:
        outside.append(pc.greater(column, _bound(test.high)))
    return reduce(pc.or_, outside)


def _not_between(test: NotBetween, rows: Any, dataset: Dataset) -> Any:
    column = rows[test.column]
    return pc.and_(pc.greater(column, _bound(test.above)), pc.less(column, _bound(test.below)))


def _any_given(test: AnyGiven, rows: Any, dataset: Dataset) -> Any:
    return reduce(pc.and_, (pc.is_null(rows[name]) for name in test.columns))


def _known(test: Known, rows: Any, dataset: Dataset) -> Any:
    column = rows[test.column]
    values = pa.array(list(dataset.columns[test.column].values), column.type)
    return pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=values)))


def _bound(value: Any) -> Any:
    return pa.scalar(int(value) if value == int(value) else value)


BREAKS: dict[type, Callable[..., Any]] = {
    AtMost: _at_most,
    Within: _within,
    NotBetween: _not_between,
    AnyGiven: _any_given,
    Known: _known,
}
