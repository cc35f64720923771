"""Time as bars: of every form, and of what it is spent on."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import colours
from pages.parts.figures.charts import draw
from quantlib.runtime.shares import SHARES
from quantlib.tasks.ways import PYTORCH, Cost

ROW = 34  # pixels


def show_times(costs: Sequence[Cost]) -> None:
    """The median of every form, with its spread."""
    st.markdown("**How long it takes**")
    draw(times(costs), "Milliseconds of every form of the network", "times")


def show_shares(costs: Sequence[Cost]) -> None:
    """What the time of every form is spent on."""
    st.markdown("**Where the time goes**")
    draw(shares(costs), "Milliseconds by kind of work, for every form of the network", "shares")


def times(costs: Sequence[Cost]) -> go.Figure:
    ran = [cost for cost in costs if cost.seconds]
    fills = [colours.own() if cost.engine == PYTORCH else colours.reference() for cost in ran]
    figure = go.Figure(
        go.Bar(
            y=[_label(cost) for cost in ran],
            x=[1000 * cost.median for cost in ran],
            error_x={"array": [1000 * cost.spread for cost in ran], "thickness": 1},
            orientation="h",
            marker_color=fills,
            hovertemplate="%{y}<br>%{x:,.1f} ms<extra></extra>",
        )
    )
    return _laid_out(figure, ran)


def shares(costs: Sequence[Cost]) -> go.Figure:
    ran = [cost for cost in costs if cost.seconds]
    figure = go.Figure()
    for name, colour in zip(
        SHARES, (colours.own(), colours.choice(), colours.reference()), strict=True
    ):
        figure.add_bar(
            y=[_label(cost) for cost in ran],
            x=[1000 * cost.median * cost.shares[name] for cost in ran],
            name=name,
            orientation="h",
            marker_color=colour,
            hovertemplate="%{y}<br>" + name + " %{x:,.1f} ms<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    return _laid_out(figure, ran)


def _laid_out(figure: go.Figure, ran: Sequence[Cost]) -> go.Figure:
    figure.update_layout(height=ROW * len(ran) + 110)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title="milliseconds", rangemode="tozero")
    return figure


def _label(cost: Cost) -> str:
    return f"{cost.title}<br>{cost.engine}"
