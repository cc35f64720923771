"""What quantization does to each class: a chart, and a table of percentages."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import charts, colours

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
                line={"color": colours.reference(), "width": 2},
                hoverinfo="skip",
                showlegend=False,
            )
    for title, percent, colour, symbol in (
        ("FP32", full, colours.reference(), "circle-open"),
        ("quantized", quantized, colours.own(), "circle"),
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


def show_class_changes(full: dict[str, float], quantized: dict[str, float], measure: str) -> None:
    """The chart of `measure` by class."""
    charts.draw(class_chart(full, quantized, measure), f"{measure} by class", "classes")


def show_class_table(
    full: dict[str, float], quantized: dict[str, float], counts: Mapping[str, int], counted: str
) -> None:
    """Both percentages of every class; `counts` says on how much of what each rests."""
    number = st.column_config.NumberColumn
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
    show_in_numbers(
        rows,
        {
            counted: number(format="localized"),
            "FP32 %": number(format="%.2f"),
            "quantized %": number(format="%.2f"),
            "change": number(format="%+.2f", help="In percentage points"),
        },
    )


def show_in_numbers(rows: list[dict[str, Any]], columns: dict[str, Any]) -> None:
    """A row per class under a heading that opens; `columns` are Streamlit's configurations."""
    with st.expander("Every class in numbers", icon=":material/table:"):
        st.dataframe(
            rows,
            hide_index=True,
            height="content" if len(rows) <= LONGEST else "auto",
            column_config=columns,
        )
