"""The chart of price curves: a small chart for each curve, with marks at its knee and its present limit; its data is `curves`.

Altair is loaded here, and only when the assets are made. Keep out: which figures are shown (proposal).
"""

from __future__ import annotations

from typing import Any

# Each kind of point has its own mark, because colour alone must not carry meaning.
MARKS = {
    "试算": ("#2b6ca3", "circle", 18),
    "现行上限或方案": ("#1f2933", "square", 80),
    "拐点": ("#b5432a", "diamond", 130),
}


def price_curve_chart() -> Any:
    """Cost against a limit, cost against schools, or schools against money: one panel each, with its own scales."""
    import altair as alt

    base = alt.Chart().encode(
        x=alt.X("at:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4, format=",.4~r")),
    )
    line = base.mark_line(strokeWidth=1.75, color="#2b6ca3")

    def scale(place: int) -> Any:
        return alt.Scale(domain=list(MARKS), range=[look[place] for look in MARKS.values()])

    points = base.mark_point(filled=True, opacity=1).encode(
        color=alt.Color("mark:N", title=None, scale=scale(0)),
        shape=alt.Shape("mark:N", title=None, scale=scale(1)),
        size=alt.Size("mark:N", title=None, sort=list(MARKS), scale=scale(2)),
        tooltip=[
            alt.Tooltip("panel:N", title="曲线"),
            alt.Tooltip("at:Q", title="横轴", format=",.4~r"),
            alt.Tooltip("value:Q", title="纵轴", format=",.2f"),
            alt.Tooltip("mark:N", title="标记"),
        ],
    )
    facet = alt.Facet(
        "panel:N",
        title=None,
        sort=alt.EncodingSortField("order", op="min"),
        header=alt.Header(labelFontSize=12, labelFontWeight=600),
    )
    return (
        alt.layer(line, points, data=alt.NamedData(name="curves"))
        .properties(width=230, height=130)
        .facet(facet=facet, columns=4)
        .resolve_scale(x="independent", y="independent")
    )
