"""The charts of the depth page."""

from collections.abc import Collection, Mapping, Sequence

import plotly.graph_objects as go

from pages.parts.figures import colours
from quantlib.ptq.methods import RLQ
from quantlib.qat.depth import DEPTHS
from quantlib.tasks.super_networks import SubNetwork

HEIGHT = 320


def shortcut_dots(shortcuts: Sequence[float], kept: Collection[int]) -> go.Figure:
    """One dot per block, since their axis does not begin at zero; kept blocks in colour."""
    figure = go.Figure()
    for title, colour, chosen in (
        ("kept", colours.of_method(RLQ), True),
        ("skipped", colours.reference(), False),
    ):
        blocks = [i for i in range(len(shortcuts)) if (i in kept) == chosen]
        figure.add_scatter(
            x=blocks,
            y=[shortcuts[i] for i in blocks],
            name=title,
            mode="markers",
            marker={"color": colour, "size": 9},
            hovertemplate="block %{x}<br>s = %{y:.3f}<extra></extra>",
        )
    figure.update_layout(height=HEIGHT)
    figure.update_xaxes(title="block", dtick=2)
    figure.update_yaxes(title="shortcut s")
    return figure


def depth_curve(
    curve: Mapping[int, SubNetwork],
    chosen: int,
    random: Sequence[SubNetwork],
    alone: Mapping[str, SubNetwork],
) -> go.Figure:
    """PSNR over the number of blocks kept by the learned order, random draws beside it."""
    figure = go.Figure()
    blocks = len(curve)
    trained = {blocks // divisor for divisor in DEPTHS.values()}
    figure.add_scatter(
        x=list(curve),
        y=[one.psnr_y for one in curve.values()],
        mode="lines+markers",
        name="by learned shortcuts",
        line={"color": colours.of_method(RLQ)},
        marker={"size": [11 if n in trained else 5 for n in curve]},
        hovertemplate="%{x} blocks<br>%{y:.2f} dB<extra></extra>",
    )
    figure.add_scatter(
        x=[chosen] * len(random),
        y=[one.psnr_y for one in random],
        mode="markers",
        name="random blocks",
        marker={"color": colours.reference(), "symbol": "x"},
        hovertemplate="%{x} random blocks<br>%{y:.2f} dB<extra></extra>",
    )
    if alone:
        figure.add_scatter(
            x=[blocks // DEPTHS[depth] for depth in alone],
            y=[one.psnr_y for one in alone.values()],
            mode="markers",
            name="trained alone",
            marker={"color": colours.own(), "symbol": "diamond", "size": 10},
            hovertemplate="%{x} blocks trained alone<br>%{y:.2f} dB<extra></extra>",
        )
    figure.add_scatter(
        x=[chosen],
        y=[curve[chosen].psnr_y],
        mode="markers",
        showlegend=False,
        marker={
            "size": 18,
            "symbol": "circle-open",
            "color": colours.choice(),
            "line": {"width": 3},
        },
        hoverinfo="skip",
    )
    figure.update_layout(height=HEIGHT)
    figure.update_xaxes(title="blocks kept", dtick=2)
    figure.update_yaxes(title="PSNR in dB")
    return figure
