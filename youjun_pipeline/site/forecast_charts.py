"""The chart of pupils by school year: what was delivered, the forecast, and the 80 % interval; its data is `forecast`.

Altair is loaded here, and only when the assets are made. Keep out: which figures are shown (forecast).
"""

from __future__ import annotations

from typing import Any

# Lines by stage; the forecast is dashed, because colour alone must not carry meaning.
STAGES = {"小学": "#2b6ca3", "初中": "#b5432a"}


def forecast_chart() -> Any:
    """A line for each stage with its interval as a band, and a point for each year that was delivered."""
    import altair as alt

    colour = alt.Color(
        "stage:N", title=None, scale=alt.Scale(domain=list(STAGES), range=list(STAGES.values()))
    )
    base = alt.Chart(alt.NamedData(name="forecast")).encode(
        x=alt.X("year:Q", title="学年（开始的年份）", axis=alt.Axis(format="d", tickMinStep=1)),
        tooltip=[
            alt.Tooltip("stage:N", title="学段"),
            alt.Tooltip("year:Q", title="学年", format="d"),
            alt.Tooltip("kind:N", title="类别"),
            alt.Tooltip("students:Q", title="学生数", format=",.0f"),
            alt.Tooltip("low:Q", title="80%区间下限", format=",.0f"),
            alt.Tooltip("high:Q", title="80%区间上限", format=",.0f"),
        ],
    )
    students = alt.Y("students:Q", title="学生数（人）", scale=alt.Scale(zero=True))
    # Without an interval the band has no height; without any row Vega would complain about its scales.
    band = (
        base.transform_calculate(
            bottom="isValid(datum.low) ? datum.low : datum.students",
            top="isValid(datum.high) ? datum.high : datum.students",
        )
        .mark_area(opacity=0.18)
        .encode(y=alt.Y("bottom:Q", title="学生数（人）"), y2="top:Q", color=colour)
    )
    line = base.mark_line(strokeWidth=2).encode(
        y=students,
        color=colour,
        strokeDash=alt.StrokeDash(
            "kind:N", title=None, scale=alt.Scale(domain=["填报", "预测"], range=[[1, 0], [5, 4]])
        ),
    )
    points = (
        base.transform_filter("datum.kind == '填报'")
        .mark_point(filled=True, size=55)
        .encode(y=students, color=colour)
    )
    return (band + line + points).properties(height=240)
