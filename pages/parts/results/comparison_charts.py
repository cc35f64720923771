"""The figures of the comparison; each takes numbers and returns a figure."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import plotly.graph_objects as go

from pages.parts.figures import colours
from quantlib.evaluation.paired import Paired

ROW, EDGES = 34, 84


def scores_over_seeds(
    scores: Mapping[str, Sequence[float]], marked: str, start: float | None
) -> go.Figure:
    """Mean and standard deviation of each method, highest at the top, and each seed as a dot.

    `scores` holds the PSNR of every seed; `start` is that of the network all began with.
    """
    names = sorted(scores, key=lambda name: fmean(scores[name]))
    several = any(len(scores[name]) > 1 for name in names)
    fills = [colours.choice() if n == marked else colours.own() for n in names]
    figure = go.Figure()
    if several:
        figure.add_scatter(
            x=[score for name in names for score in scores[name]],
            y=[name for name in names for _ in scores[name]],
            name="one seed",
            mode="markers",
            marker={"size": 6, "color": colours.reference(), "opacity": 0.7},
            hovertemplate="%{y}<br>%{x:.3f} dB, one seed<extra></extra>",
        )
    for name, fill in zip(names, fills, strict=True):
        spread = Paired(tuple(scores[name])).deviation
        figure.add_scatter(
            x=[fmean(scores[name])],
            y=[name],
            error_x={"array": [spread], "thickness": 2, "width": 6} if spread else None,
            mode="markers",
            marker={"size": 11, "color": fill},
            showlegend=False,
            hovertemplate="%{y}<br>%{x:.3f} dB<extra></extra>",
        )
    if start is not None:
        figure.add_vline(
            x=start,
            line={"color": colours.reference(), "dash": "dot", "width": 1},
            annotation={"text": f"FP32 start {start:.2f} dB", "font_size": 11},
            annotation_position="bottom left",
        )
    figure.update_layout(height=EDGES + ROW * len(names))
    figure.update_xaxes(title="PSNR in dB (Y)", nticks=6)
    figure.update_yaxes(categoryorder="array", categoryarray=names)
    return figure


def differences(pairs: Mapping[str, Paired]) -> go.Figure:
    """A bar for every picture, in the order of its benchmark, and the mean of all as a line."""
    figure = go.Figure()
    fills = [colours.own(), colours.reference(), colours.choice()]
    for (benchmark, found), fill in zip(pairs.items(), fills, strict=False):
        numbers = range(1, len(found.differences) + 1)
        figure.add_bar(
            x=[f"{benchmark}, {number}" for number in numbers],
            y=list(found.differences),
            name=benchmark,
            marker_color=fill,
            hovertemplate="%{x}<br>%{y:+.3f} dB<extra></extra>",
        )
    mean = fmean(d for found in pairs.values() for d in found.differences)
    figure.add_hline(
        y=mean,
        line={"color": colours.reference(), "dash": "dot", "width": 2},
    )
    figure.update_layout(height=300, showlegend=len(pairs) > 1)
    figure.update_xaxes(title="picture", showticklabels=False)
    figure.update_yaxes(title="difference in dB")
    return figure
