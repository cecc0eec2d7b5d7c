"""The two charts of an indicator's page and the chart of the region, as Vega-Lite specifications without data.

A specification is made once for the whole site. Each page contains only its data, under the names used here (`schools`, `lines`,
`shares`, `trend`), and assets/site.js joins the two. Altair and the bundler are loaded in this module, and only when the assets
are made. Keep out: which figures are shown (indicator, region).
"""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from youjun_pipeline import vocabulary
from youjun_pipeline.site import words
from youjun_pipeline.site.forecast_charts import __file__ as forecast_charts_module
from youjun_pipeline.site.forecast_charts import forecast_chart
from youjun_pipeline.site.proposal_charts import __file__ as proposal_charts_module
from youjun_pipeline.site.proposal_charts import price_curve_chart
from youjun_pipeline.site.trend_charts import __file__ as trend_charts_module
from youjun_pipeline.site.trend_charts import trend_charts

# Colours that colour-blind readers can tell apart; each state also has its own shape.
STATES = {
    words.STATUS[code].name: look
    for code, look in {
        "met": ("#2b6ca3", "circle"),
        "met_by_waiver": ("#6f8fae", "diamond"),
        "near": ("#c98500", "triangle-up"),
        "below": ("#b5432a", "square"),
    }.items()
}
LINES = {
    "标准": ("#1f2933", [1, 0]),
    "底线": ("#b5432a", [6, 3]),
    "全县均值": ("#2b6ca3", [2, 3]),
    "差异临界值": ("#6b4fa0", [8, 3, 2, 3]),
}
FONT = (
    '"Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'
)


def version() -> str:
    """A text that changes with everything that decides both scripts: the modules of charts and the libraries."""
    modules = (
        *(
            Path(__file__),
            Path(trend_charts_module),
            Path(forecast_charts_module),
            Path(proposal_charts_module),
        ),
        *(Path(words.__file__), vocabulary.WORDS),
    )
    text = hashlib.sha256(b"".join(path.read_bytes() for path in modules)).hexdigest()
    return f"altair {metadata.version('altair')}, vl-convert {metadata.version('vl-convert-python')}, {text}"


def chart_library() -> str:
    """Vega, Vega-Lite and vega-embed as one script (0.9 MB), so that pages work without a server."""
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def chart_specifications() -> str:
    """A script that puts the specifications where assets/site.js finds them."""
    charts = {
        "distribution": _distribution(),
        "contribution": _contribution(),
        "trend": _trend(),
        "forecast": forecast_chart(),
        "price_curve": price_curve_chart(),
    } | trend_charts()
    specifications = {name: _without_schema(chart.to_dict()) for name, chart in charts.items()}
    return f"window.YOUJUN_CHARTS = {json.dumps(specifications, ensure_ascii=False, sort_keys=True)};\n"


def _without_schema(specification: dict[str, Any]) -> dict[str, Any]:
    """Remove the schema's address, because nothing on the site may refer to the network."""
    return {k: v for k, v in specification.items() if k != "$schema"} | {"config": _config()}


def _config() -> dict[str, Any]:
    text = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 500,
    }
    return {
        "font": FONT,
        "view": {"stroke": None},
        "axis": text
        | {
            "labelColor": "#3d4852",
            "titleColor": "#3d4852",
            "gridColor": "#e4e8ec",
            "domainColor": "#9aa5b1",
        },
        "legend": text | {"orient": "bottom", "columns": 2, "symbolSize": 70},
        "background": "transparent",
    }


def _distribution() -> Any:
    """Above, the number of schools by value; below, each school by value and pupils; the limits cross both."""
    import altair as alt

    names, colours = list(STATES), [colour for colour, _ in STATES.values()]
    state = alt.Color("state:N", title=None, scale=alt.Scale(domain=names, range=colours))
    x = alt.X("value:Q", title="指标值{unit}", axis=alt.Axis(format=",~r", tickCount=6))
    schools = alt.NamedData(name="schools")
    counts = (
        alt.Chart(schools)
        .mark_bar(binSpacing=1)
        .encode(
            x=x.bin(maxbins=30).title(None),
            y=alt.Y("count()", title="学校数", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            color=state,
            tooltip=[alt.Tooltip("state:N", title="状态"), alt.Tooltip("count()", title="学校数")],
        )
    )
    points = (
        alt.Chart(schools)
        .mark_point(size=64, filled=True, opacity=0.75)
        .encode(
            x=x,
            y=alt.Y("students:Q", title="学生数（人）", axis=alt.Axis(tickCount=4)),
            color=state,
            shape=alt.Shape(
                "state:N", title=None, scale=alt.Scale(domain=names, range=[s for _, s in STATES.values()])
            ),
            tooltip=[
                alt.Tooltip("name:N", title="学校"),
                alt.Tooltip("value:Q", title="指标值", format=",.2f"),
                alt.Tooltip("students:Q", title="学生数", format=","),
                alt.Tooltip("state:N", title="状态"),
            ],
        )
    )
    upper = (counts + _lines(alt)).properties(height=120)
    lower = (points + _lines(alt)).properties(height=220)
    return alt.vconcat(upper, lower, spacing=8).resolve_scale(x="shared")


def _lines(alt: Any) -> Any:
    """Vertical lines at the limit, the floor, the mean and the break-even, each with its own dashes."""
    names = list(LINES)
    return (
        alt.Chart(alt.NamedData(name="lines"))
        .mark_rule(strokeWidth=1.75)
        .encode(
            x=alt.X("value:Q"),
            stroke=alt.Stroke("label:N", title=None, scale=alt.Scale(domain=names, range=[c for c, _ in LINES.values()])),
            strokeDash=alt.StrokeDash("label:N", title=None, scale=alt.Scale(domain=names, range=[d for _, d in LINES.values()])),
            tooltip=[alt.Tooltip("label:N", title="线"), alt.Tooltip("value:Q", title="数值", format=",.2f")],
        )
    )  # fmt: skip


def _contribution() -> Any:
    """The schools with the largest shares of the variance; schools below the mean are hollow."""
    import altair as alt

    sides = ["高于均值", "低于均值"]
    base = alt.Chart(alt.NamedData(name="shares")).encode(
        x=alt.X("share:Q", title="占差异的份额", axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=150, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("name:N", title="学校"),
            alt.Tooltip("share:Q", title="份额", format=".1%"),
            alt.Tooltip("value:Q", title="指标值", format=",.2f"),
            alt.Tooltip("side:N", title="位置"),
        ],
    )
    bars = base.mark_bar(strokeWidth=1.5, height=13).encode(
        fill=alt.Fill("side:N", title=None, scale=alt.Scale(domain=sides, range=["#2b6ca3", "#ffffff"])),
        stroke=alt.Stroke("side:N", title=None, scale=alt.Scale(domain=sides, range=["#2b6ca3", "#b5432a"])),
    )
    labels = base.mark_text(align="left", dx=4, color="#3d4852").encode(
        text=alt.Text("share:Q", format=".1%")
    )
    return (bars + labels).properties(height=alt.Step(21))


def _trend() -> Any:
    """Share of failing schools at the end of each phase, a line for each district."""
    import altair as alt

    base = alt.Chart(alt.NamedData(name="trend")).encode(
        # a day without a time is read as midnight in UTC, in whatever zone the reader is
        x=alt.X(
            "ends:T",
            title=None,
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(format="%Y-%m", tickCount=6, labelOverlap=True),
        ),
        y=alt.Y("share:Q", title="未达标学校占比", axis=alt.Axis(format="%", tickCount=5)),
        detail="district:N",
        tooltip=[
            alt.Tooltip("district:N", title="区县"),
            alt.Tooltip("phase:N", title="阶段"),
            alt.Tooltip("share:Q", title="未达标学校占比", format=".1%"),
        ],
    )
    lines = base.mark_line(
        color="#2b6ca3", strokeWidth=1.5, opacity=0.7, point=alt.OverlayMarkDef(size=40, color="#2b6ca3")
    )
    names = (
        base.mark_text(align="left", dx=7, dy=-6, color="#3d4852")
        .encode(text="district:N")
        .transform_filter("datum.is_labelled")
    )
    return (lines + names).properties(height=240)
