"""The charts of a district over its phases, as Vega-Lite specifications without data (`charts` describes their use).

Keep out: which figures are shown (trend).
"""

from __future__ import annotations

from typing import Any

INK, BLUE, BRICK = "#1f2933", "#2b6ca3", "#b5432a"


def trend_charts() -> dict[str, Any]:
    """The specifications by name."""
    return {
        "coefficients": _coefficients(),
        "failing": _failing(),
        "waterfall": _waterfall(),
        "burn_down": _burn_down(),
        "monthly": _monthly(),
    }


def _phase(alt: Any) -> Any:
    return alt.X("phase:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelLimit=90))


def _coefficients() -> Any:
    """A small chart for each indicator: its two CVs over the phases, the limit of each stage dashed in its colour."""
    import altair as alt

    stage = alt.Color("stage:N", title=None, scale=alt.Scale(domain=["小学", "初中"], range=[BLUE, BRICK]))
    base = alt.Chart().encode(x=_phase(alt), color=stage)
    tooltip = [
        alt.Tooltip("indicator:N", title="指标"), alt.Tooltip("stage:N", title="学段"), alt.Tooltip("phase:N", title="阶段"),
        alt.Tooltip("cv:Q", title="差异系数", format=".3f"), alt.Tooltip("limit:Q", title="上限", format=".2f"),
        alt.Tooltip("state:N", title="判定"),
    ]  # fmt: skip
    shape = alt.Shape(
        "stage:N", title=None, scale=alt.Scale(domain=["小学", "初中"], range=["circle", "square"])
    )
    lines = base.mark_line(strokeWidth=1.75).encode(
        y=alt.Y("cv:Q", title="差异系数", axis=alt.Axis(tickCount=4))
    )
    points = base.mark_point(size=50, filled=True).encode(y="cv:Q", shape=shape, tooltip=tooltip)
    limits = base.mark_line(strokeDash=[5, 3], strokeWidth=1.25).encode(y="limit:Q")
    return alt.layer(limits, lines, points, data=alt.NamedData(name="cvs")).properties(width=230, height=120).facet(
        facet=alt.Facet("indicator:N", title=None, header=alt.Header(labelFontSize=12, labelFontWeight=600)), columns=4
    )  # fmt: skip


def _failing() -> Any:
    import altair as alt

    base = alt.Chart(alt.NamedData(name="failing")).encode(
        x=_phase(alt),
        y=alt.Y("schools:Q", title="未达标学校（所）", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        tooltip=[
            alt.Tooltip("phase:N", title="阶段"), alt.Tooltip("schools:Q", title="未达标学校"),
            alt.Tooltip("all:Q", title="在评学校"),
        ],
    )  # fmt: skip
    return (
        base.mark_bar(color=BRICK, width=42) + base.mark_text(dy=-7, color=INK).encode(text="schools:Q")
    ).properties(height=190)


def _waterfall() -> Any:
    """For each phase a row of bars: the number before, what each cause added or removed, the number after."""
    import altair as alt

    kinds = alt.Scale(domain=["合计", "减少", "增加"], range=["#8896a5", BLUE, BRICK])
    base = alt.Chart().encode(
        x=alt.X("name:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelLimit=80)),
        tooltip=[
            alt.Tooltip("phase:N", title="阶段"), alt.Tooltip("name:N", title="原因"), alt.Tooltip("text:N", title="所数"),
        ],
    )  # fmt: skip
    bars = base.mark_bar(width=30).encode(
        y=alt.Y("low:Q", title="未达标学校（所）", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        y2="high:Q",
        color=alt.Color("kind:N", title=None, scale=kinds),
    )
    labels = base.mark_text(dy=-7, color=INK).encode(y="high:Q", text="text:N")
    # without a field to sort by, the phases would be in the order of their characters
    phases = alt.Facet("phase:N", title=None, sort=alt.EncodingSortField("order", op="min"))
    return (
        alt.layer(bars, labels, data=alt.NamedData(name="waterfall"))
        .properties(width=300, height=190)
        .facet(facet=phases, columns=3)
        .resolve_scale(x="independent")
    )


def _burn_down() -> Any:
    import altair as alt

    names = ["未解决问题", "未完成措施"]
    base = alt.Chart(alt.NamedData(name="left")).encode(
        x=_phase(alt),
        y=alt.Y("left:Q", title="剩余（个、项）", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=names, range=[BRICK, BLUE])),
        tooltip=[
            alt.Tooltip("what:N", title="剩余"), alt.Tooltip("phase:N", title="阶段"), alt.Tooltip("left:Q", title="数量"),
        ],
    )  # fmt: skip
    shape = alt.Shape("what:N", title=None, scale=alt.Scale(domain=names, range=["circle", "square"]))
    return (
        base.mark_line(strokeWidth=2)
        + base.mark_point(size=60, filled=True).encode(shape=shape)
        + base.mark_text(dy=-10).encode(text="left:Q")
    ).properties(height=190)


def _monthly() -> Any:
    """Unfinished measures by month, as reported and by the plan."""
    import altair as alt

    names = ["未完成", "按原定时间应剩"]
    base = alt.Chart(alt.NamedData(name="months")).encode(
        x=alt.X("month:N", title=None, sort=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
        y=alt.Y("left:Q", title="措施（项）", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=names, range=[BLUE, "#8896a5"])),
        tooltip=[
            alt.Tooltip("what:N", title="措施"), alt.Tooltip("month:N", title="月末"), alt.Tooltip("left:Q", title="剩余（项）"),
        ],
    )  # fmt: skip
    dash = alt.StrokeDash("what:N", title=None, scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]))
    shape = alt.Shape("what:N", title=None, scale=alt.Scale(domain=names, range=["circle", "square"]))
    lines = base.mark_line(strokeWidth=2, interpolate="step-after").encode(strokeDash=dash)
    return (lines + base.mark_point(size=30, filled=True).encode(shape=shape)).properties(height=190)
