"""Plotly figures that several pages draw; each takes numbers and returns a figure."""

from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from pages.parts.figures import colours
from pages.parts.shared.layer_titles import with_module
from pages.parts.shared.lecture import enlarged
from quantlib.ptq.methods import METHODS
from quantlib.quantizers.sizes import ByteSizes

PARTS = ("codes", "refinement", "tables", "scales")
MOST_WITH_GAPS = 72  # cells side by side, or above each other, that gaps part
CONFIG = {
    "displaylogo": False,
    "displayModeBar": False,
    "scrollZoom": False,
}


def draw(figure: go.Figure, alt: str, key: str, **options):
    """Show a figure as all pages do."""
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0},
    )
    figure.for_each_xaxis(_break_title)
    enlarged(figure)
    return st.plotly_chart(figure, key=key, alt=alt, config=CONFIG, **options)


def _break_title(axis: Any) -> None:
    """The title on as many lines as a chart in a narrow column needs."""
    if axis.title.text:
        axis.update(title=broken(axis.title.text, 18), automargin=True)


def correlations(titles: list[str], table: np.ndarray, height: int) -> go.Figure:
    """Rank correlations between all `titles`, `(N, N)` from -1 to 1."""
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=titles,
            y=titles,
            zmin=-1,
            zmax=1,
            showscale=False,
            colorscale=colours.diverging(),
            text=np.round(table, 2),
            texttemplate="%{text:.2f}",
            hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
        )
    )
    figure.update_layout(height=height)
    figure.update_yaxes(autorange="reversed")
    return figure


def importance_map(
    names: list[str], scores: list[np.ndarray], masks: list[np.ndarray], height: int
) -> go.Figure:
    """Layers × channels, shaded by rank within the layer; important channels in their colour.

    Channels stand where the network has them; the further from the page a shade is, the higher the
    channel ranks.
    """
    widest = max(len(s) for s in scores)
    shades = np.full((len(scores), widest), np.nan)
    notes = np.full((len(scores), widest), "", dtype=object)
    for row, (name, values, mask) in enumerate(zip(names, scores, masks, strict=True)):
        place = np.argsort(np.argsort(-values)) + 1
        shades[row, : len(values)] = 1 - place / len(values) + mask
        notes[row, : len(values)] = [
            f"{with_module(name)}<br>channel {c}<br>rank {p} of {len(values)}"
            + ("<br>important" if m else "")
            for c, (p, m) in enumerate(zip(place, mask, strict=True))
        ]
    figure = go.Figure(
        go.Heatmap(
            z=shades,
            zmin=0,
            zmax=2,
            colorscale=colours.importance(),
            showscale=False,
            customdata=notes,
            hovertemplate="%{customdata}<extra></extra>",
            xgap=int(widest <= MOST_WITH_GAPS),  # where cells are narrow, gaps are all there is
            ygap=int(len(names) <= MOST_WITH_GAPS),
            hoverongaps=False,
        )
    )
    figure.update_layout(height=height)
    figure.update_xaxes(title="channel", showgrid=False, zeroline=False)
    figure.update_yaxes(
        title="layer, first at the top", autorange="reversed", showgrid=False, zeroline=False
    )
    return figure


def layer_bars(names: list[str], bits: list[float], fill: str, height: int) -> go.Figure:
    """Bits per activation of every layer, the first at the top."""
    figure = go.Figure(
        go.Bar(
            x=bits,
            y=list(range(len(names))),
            customdata=[with_module(name) for name in names],
            orientation="h",
            marker_color=fill,
            hovertemplate="%{customdata}<br>%{x:.2f} bits per activation<extra></extra>",
        )
    )
    figure.update_layout(height=height, bargap=0.15)
    figure.update_xaxes(title="bits per activation", rangemode="tozero")
    figure.update_yaxes(title="layer", autorange="reversed")
    return figure


def memory_bars(rows: dict[str, ByteSizes], height: int) -> go.Figure:
    """Bytes at full length above; below the quantized ones again, magnified and in parts."""
    rows = {broken(name): size for name, size in rows.items()}
    small = {name: size for name, size in rows.items() if size.total < size.fp32}
    figure = make_subplots(
        rows=2 if small else 1,
        row_heights=[0.45, 0.55] if small else None,
        vertical_spacing=0.16,
    )
    figure.add_bar(
        y=list(rows),
        x=[size.total / 1024 for size in rows.values()],
        text=[f"{size.total / 1024:,.0f} KiB" for size in rows.values()],
        textposition="auto",
        textangle=0,
        textfont_size=11,
        constraintext="none",
        orientation="h",
        marker_color=colours.reference(),
        showlegend=False,
        hovertemplate="%{y}: %{x:,.1f} KiB<extra></extra>",
        row=1,
        col=1,
    )
    for part, fill in zip(PARTS, colours.parts(), strict=True):
        if small:
            figure.add_bar(
                y=list(small),
                x=[getattr(size, part) / 1024 for size in small.values()],
                name=part,
                orientation="h",
                marker_color=fill,
                hovertemplate=f"%{{y}}, {part}: %{{x:,.1f}} KiB<extra></extra>",
                row=2,
                col=1,
            )
    figure.update_layout(barmode="stack", height=height, legend_traceorder="normal")
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont_size=11)
    figure.update_xaxes(nticks=4, tickangle=0)
    if small:
        figure.update_xaxes(showticklabels=False, row=1, col=1)  # its bars carry their numbers
    figure.update_xaxes(title="KiB", row=2 if small else 1, col=1)
    return figure


def broken(title: str, width: int = 15) -> str:
    """A title on several lines, for an axis that has little room.

    >>> broken("DQA, base codes entropy-coded")
    'DQA, base codes<br>entropy-coded'
    """
    return "<br>".join(wrap(title, width, break_long_words=False))


def quality_curve(
    curves: dict[str, list[tuple[float, float, str]]],
    chosen: tuple[float, float] | None,
    floor: float | None,
    ceiling: float | None,
    height: int,
    x_title: str = "bits per activation",
) -> go.Figure:
    """PSNR over measured bits; `curves` holds a list of (bits, dB, label) by method."""
    figure = go.Figure()
    for name, points in curves.items():
        entry = METHODS[name]
        figure.add_scatter(
            x=[p[0] for p in points],
            y=[p[1] for p in points],
            text=[p[2] for p in points],
            name=broken(entry.title, 24),
            mode="lines+markers",
            line={"color": colours.of_method(entry), "width": 2},
            marker={"size": 7},
            hovertemplate="%{text}<br>%{x:.2f} bits<br>%{y:.2f} dB<extra></extra>",
        )
    for value, title, side in (
        (ceiling, "FP32", "top left"),
        (floor, "bicubic", "bottom right"),
    ):
        if value is not None:
            figure.add_hline(
                y=value,
                line={"color": colours.reference(), "dash": "dot", "width": 1},
                annotation={"text": f"{title} {value:.2f} dB", "font_size": 11},
                annotation_position=side,
            )
    if chosen:
        figure.add_scatter(
            x=[chosen[0]],
            y=[chosen[1]],
            mode="markers",
            marker={
                "size": 16,
                "color": "rgba(0,0,0,0)",
                "line": {"color": colours.choice(), "width": 3},
            },
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_layout(height=height)
    figure.update_xaxes(title=x_title, rangemode="tozero")
    figure.update_yaxes(title="PSNR in dB (Y)")
    return figure


def family_styles() -> dict[str, dict[str, Any]]:
    """How each line of the frontier is drawn: variants of one method share its colour."""
    return {
        variant.family: {
            "line": {
                "color": colours.of_method(entry),
                "dash": variant.dash,
                "width": variant.width,
            },
            "marker": {
                "size": 9,
                "symbol": variant.symbol,
                "color": colours.of_method(entry),
            },
            "mode": "lines+markers" if entry.joined else "markers",
        }
        for entry in METHODS.values()
        for variant in entry.variants
        if variant.family
    }


BELOW_FLOOR = 6.0  # dB below bicubic that the frontier shows; what lies lower is no picture


def frontier(points: list, own, floor: float, ceiling: float, bits: float) -> go.Figure:
    """PSNR over bits of all measured points, and the line at `bits`.

    `customdata` is the index of a point.
    """
    figure = quality_curve({}, None, floor, ceiling, 560)
    numbered = sorted(enumerate(points), key=lambda item: item[1].bits_per_activation)
    for family, style in family_styles().items():
        some = [(i, p) for i, p in numbered if p.family == family]
        if some:
            figure.add_scatter(
                x=[p.bits_per_activation for _, p in some],
                y=[p.psnr_y for _, p in some],
                text=[p.label for _, p in some],
                customdata=[[i] for i, _ in some],
                name=family,
                hovertemplate="%{text}<br>%{x:.2f} bits per activation<br>"
                "%{y:.2f} dB<extra></extra>",
                **style,
            )
    shown = [p.psnr_y for p in points if p.psnr_y >= floor - BELOW_FLOOR]
    lowest, highest = min([floor, *shown]), max([ceiling, *shown])
    margin = 0.08 * (highest - lowest)
    figure.update_yaxes(range=[lowest - margin, highest + margin])
    figure.add_vline(
        x=bits,
        line={"color": colours.reference(), "dash": "dash", "width": 1.5},
        annotation={"text": f"{bits:.2f} bits", "font_size": 11},
        annotation_position="bottom right",
    )
    figure.add_scatter(
        x=[own.bits_per_activation],
        y=[own.psnr_y],
        mode="markers",
        name="current choice",
        marker={
            "size": 18,
            "color": "rgba(0,0,0,0)",
            "line": {"color": colours.choice(), "width": 3},
        },
        hoverinfo="skip",
    )
    return figure
