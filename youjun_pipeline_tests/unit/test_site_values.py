"""A school's value as the site shows it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from youjun_pipeline.site.wall import value_text
from youjun_pipeline.standard import load_catalogue


@pytest.mark.parametrize(
    ("code", "value", "threshold", "status", "shown"),
    [
        ("G3", 1, 2, "below", "1 需 2"),
        ("G4", 2462, 2400, "below", "2,462 限 2,400"),
        ("G5", 46, 45, "below", "46 限 45"),
        ("G5", 45, 45, "met", "45"),
        ("R1", 3.9, 4.2, "below_floor", "3.90"),
    ],
)
def test_a_value_that_fails_is_shown_with_the_limit_of_its_own(
    code: str, value: float, threshold: float, status: str, shown: str
) -> None:
    declared = load_catalogue("national-2017").indicators[code]
    row = SimpleNamespace(value=value, threshold=threshold, status=status, rounding_sensitive=False)
    indicator = SimpleNamespace(direction=declared.direction, display_decimals=declared.display_decimals)
    assert value_text(row, indicator) == shown
