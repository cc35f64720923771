"""Plotly figures that several pages draw; each takes numbers and returns a figure."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from quantlib.quantizers.sizes import ByteSizes

PARTS = ("codes", "refinement", "tables", "scales")
CONFIG = {
    "displaylogo": False,
    "displayModeBar": False,
    "scrollZoom": False,
}


def colour(name: str) -> str:
    """A colour of the theme in force, so that charts fit light and dark."""
    return str(st.get_option(f"theme.{st.context.theme.type or 'light'}.{name}"))


def kept_colour() -> str:
    return colour("orangeColor")


def quantized_colour() -> str:
    return colour("blueColor")


def quiet_colour() -> str:
    return "#7b8a94"


def draw(figure: go.Figure, alt: str, key: str, **options):
    """Show a figure as all pages do."""
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return st.plotly_chart(figure, key=key, alt=alt, config=CONFIG, **options)


def importance_map(
    names: list[str], scores: list[np.ndarray], masks: list[np.ndarray], height: int
) -> go.Figure:
    """Layers × channels: rank of every channel within its layer, the important ones marked.

    Channels stand where the network has them; the colour is the rank, 1 for the highest score.
    """
    widest = max(len(s) for s in scores)
    ranks = np.full((len(scores), widest), np.nan)
    marked_x, marked_y = [], []
    for row, (values, mask) in enumerate(zip(scores, masks, strict=True)):
        order = np.argsort(np.argsort(values))
        ranks[row, : len(values)] = (order + 1) / len(values)
        marked_x += np.flatnonzero(mask).tolist()
        marked_y += [row] * int(mask.sum())
    scale = st.get_option(f"theme.{st.context.theme.type or 'light'}.chartSequentialColors")
    figure = go.Figure(
        go.Heatmap(
            z=ranks,
            colorscale=scale,
            showscale=False,
            hovertemplate="%{customdata}<br>channel %{x}<br>rank %{z:.2f}<extra></extra>",
            customdata=np.array(names)[:, None].repeat(widest, 1),
            xgap=1,
            ygap=1,
        )
    )
    figure.add_scatter(
        x=marked_x,
        y=marked_y,
        mode="markers",
        marker={"size": 4, "color": kept_colour(), "symbol": "square"},
        hoverinfo="skip",
        name="important",
    )
    figure.update_layout(height=height, showlegend=False)
    figure.update_xaxes(title="channel", showgrid=False, zeroline=False)
    figure.update_yaxes(
        title="layer, first at the top", autorange="reversed", showgrid=False, zeroline=False
    )
    return figure


def memory_bars(rows: dict[str, ByteSizes], height: int) -> go.Figure:
    """Stacked bars of bytes: codes, refinement, tables and headers, scales."""
    colours = [quantized_colour(), kept_colour(), "#8f6fc0", "#4f9e61"]
    titles = ("codes", "refinement", "tables, headers", "scales")
    figure = go.Figure()
    for part, title, fill in zip(PARTS, titles, colours, strict=True):
        figure.add_bar(
            y=list(rows),
            x=[getattr(size, part) / 1024 for size in rows.values()],
            name=title,
            orientation="h",
            marker_color=fill,
            hovertemplate=f"{title}: %{{x:,.1f}} KiB<extra></extra>",
        )
    figure.add_scatter(
        y=list(rows),
        x=[size.total / 1024 for size in rows.values()],
        text=[f" {size.total / 1024:,.0f} KiB" for size in rows.values()],
        mode="text",
        textposition="middle right",
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
    )
    largest = max(size.total for size in rows.values()) / 1024
    figure.update_layout(barmode="stack", height=height)
    figure.update_xaxes(title="KiB", range=[0, 1.28 * largest])
    figure.update_yaxes(autorange="reversed")
    return figure


def quality_curve(
    curves: dict[str, list[tuple[float, float, str]]],
    chosen: tuple[float, float] | None,
    floor: float | None,
    ceiling: float | None,
    height: int,
    x_title: str = "bits per activation, measured",
) -> go.Figure:
    """PSNR over measured bits; each curve is a list of (bits, dB, label)."""
    palette = [kept_colour(), quantized_colour(), "#8f6fc0", "#4f9e61", quiet_colour()]
    figure = go.Figure()
    for (name, points), fill in zip(curves.items(), palette, strict=False):
        figure.add_scatter(
            x=[p[0] for p in points],
            y=[p[1] for p in points],
            text=[p[2] for p in points],
            name=name,
            mode="lines+markers",
            line={"color": fill, "width": 2},
            marker={"size": 7},
            hovertemplate="%{text}<br>%{x:.2f} bits<br>%{y:.2f} dB<extra></extra>",
        )
    for value, title in ((ceiling, "FP32"), (floor, "bicubic")):
        if value is not None:
            figure.add_hline(
                y=value,
                line={"color": quiet_colour(), "dash": "dot", "width": 1},
                annotation={"text": f"{title} {value:.2f} dB", "font_size": 11},
                annotation_position="bottom right",
            )
    if chosen:
        figure.add_scatter(
            x=[chosen[0]],
            y=[chosen[1]],
            mode="markers",
            marker={
                "size": 16,
                "color": "rgba(0,0,0,0)",
                "line": {"color": kept_colour(), "width": 3},
            },
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_layout(height=height)
    figure.update_xaxes(title=x_title, rangemode="tozero")
    figure.update_yaxes(title="PSNR in dB (Y)")
    return figure


def diverging() -> list[str]:
    return st.get_option(f"theme.{st.context.theme.type or 'light'}.chartDivergingColors")


def frontier(points: list, own, floor: float, ceiling: float | None) -> go.Figure:
    """PSNR over bits of all measured points; `customdata` is the index of a point."""
    figure = quality_curve({}, None, floor, ceiling, 520)
    numbered = list(enumerate(points))
    for method, title, fill, line in (
        ("direct", "direct, interpolated", quantized_colour(), "lines+markers"),
        ("noisyquant", "NoisyQuant", "#8f6fc0", "lines+markers"),
        ("dqa", "DQA", kept_colour(), "markers"),
    ):
        some = [(i, p) for i, p in numbered if p.settings.method == method]
        if some:
            figure.add_scatter(
                x=[p.bits_per_activation for _, p in some],
                y=[p.psnr_y for _, p in some],
                text=[p.label for _, p in some],
                customdata=[[i] for i, _ in some],
                name=title,
                mode=line,
                line={"color": fill, "width": 2},
                marker={"size": 9},
                hovertemplate="%{text}<br>%{x:.2f} bits per activation<br>"
                "%{y:.2f} dB<extra></extra>",
            )
    figure.add_scatter(
        x=[own.bits_per_activation],
        y=[own.psnr_y],
        mode="markers",
        name="current choice",
        marker={
            "size": 18,
            "color": "rgba(0,0,0,0)",
            "line": {"color": kept_colour(), "width": 3},
        },
        hoverinfo="skip",
    )
    return figure
