"""What quantization does to each class: a chart and a table of percentages."""

from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from pages.parts import charts

ROW, MARGIN = 26, 90
LONGEST = 20  # rows of a table that is shown whole


def class_chart(full: dict[str, float], quantized: dict[str, float], measure: str) -> go.Figure:
    """Two points a class, in percent, with the way from one to the other between them."""
    names = list(full | quantized)
    figure = go.Figure()
    for name in names:
        if name in full and name in quantized:
            figure.add_scatter(
                x=[full[name], quantized[name]],
                y=[name, name],
                mode="lines",
                line={"color": charts.quiet_colour(), "width": 2},
                hoverinfo="skip",
                showlegend=False,
            )
    for title, percent, colour, symbol in (
        ("FP32", full, charts.quiet_colour(), "circle-open"),
        ("quantized", quantized, charts.kept_colour(), "circle"),
    ):
        figure.add_scatter(
            x=list(percent.values()),
            y=list(percent),
            mode="markers",
            name=title,
            marker={"size": 10, "color": colour, "symbol": symbol, "line": {"width": 2}},
            hovertemplate=f"%{{y}}, {title}: %{{x:.2f}} %<extra></extra>",
        )
    figure.update_layout(height=MARGIN + ROW * len(names))
    figure.update_xaxes(title=f"{measure} in %")
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names, autorange="reversed"
    )
    return figure


def show_class_changes(
    full: dict[str, float],
    quantized: dict[str, float],
    measure: str,
    counts: Mapping[str, int],
    counted: str,
) -> None:
    """Chart and table of `measure` by class; `counts` says on how much of what each rests."""
    charts.draw(class_chart(full, quantized, measure), f"{measure} by class", "classes")
    rows = [
        {
            "class": name,
            counted: counts.get(name, 0),
            "FP32 %": full.get(name),
            "quantized %": quantized.get(name),
            "change": quantized[name] - full[name] if name in full and name in quantized else None,
        }
        for name in full | quantized
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        height="content" if len(rows) <= LONGEST else "auto",
        column_config={
            counted: number(format="localized"),
            "FP32 %": number(format="%.2f"),
            "quantized %": number(format="%.2f"),
            "change": number(format="%+.2f", help="In percentage points"),
        },
    )
