"""The figures of the RLQ lab; each takes numbers and returns a figure."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from pages.parts.figures import colours
from pages.parts.figures.levels import histogram, teeth
from pages.parts.rlq.layer import Findings
from quantlib.ptq.methods import RLQ
from quantlib.qat.soft_rounding import phi, phi_slope

HEIGHT = 300


def phi_curve(k: float) -> go.Figure:
    """φ_k between rounding and identity; both round to the same."""
    x = np.linspace(-2, 2, 1601)
    y = phi(torch.from_numpy(x), k).numpy()
    figure = _lines(
        x,
        {
            "round(x)": (np.round(x), colours.reference(), "solid"),
            "x": (x, colours.reference(), "dot"),
            f"φ(x), k = {k:g}": (y, colours.of_method(RLQ), "solid"),
        },
        "%{x:.2f} → %{y:.3f}",
    )
    dots = x[::20]
    figure.add_scatter(
        x=dots,
        y=np.round(phi(torch.from_numpy(dots), k).numpy()),
        mode="markers",
        name="round(φ(x))",
        marker={"size": 5, "color": colours.choice()},
        hovertemplate="round(φ(%{x:.2f})) = %{y}<extra></extra>",
    )
    return _titled(figure, "x, in steps", "value, in steps")


def phi_slope_curve(k: float) -> go.Figure:
    x = np.linspace(-2, 2, 1601)
    figure = _lines(
        x,
        {
            "STE: 1 everywhere": (np.ones_like(x), colours.reference(), "dash"),
            f"φ′(x), k = {k:g}": (
                phi_slope(torch.from_numpy(x), k).numpy(),
                colours.of_method(RLQ),
                "solid",
            ),
        },
        "%{x:.2f}: × %{y:.3f}",
    )
    figure.update_yaxes(rangemode="tozero")
    return _titled(figure, "x, in steps", "gradient multiplier")


def values_and_levels(found: Findings, x_title: str) -> go.Figure:
    """The histogram of the values, with the levels drawn over it: used ones long."""
    edges, counts = found.edges, found.counts
    figure = histogram(counts, edges, "values", places=4)
    top = max(float(counts.max()), 1.0) * 1.6
    low, high = _range(found)
    used = np.array(found.now.shares) > 0
    for some, name, height, dash in (
        (used, "levels in use", top, "solid"),
        (~used, "unused levels", top**0.4, "dot"),
    ):
        levels = found.levels[some]
        levels = levels[(levels >= low) & (levels <= high)]
        figure.add_scatter(
            **teeth(levels, max(height, 2.0)),
            mode="lines",
            name=name,
            hoverinfo="skip",
            line={"color": colours.codes(), "width": 1.6, "dash": dash},
        )
    figure.update_layout(bargap=0)
    figure.update_yaxes(type="log", range=[-0.1, np.log10(top)])
    figure.update_xaxes(range=[low, high])
    return _titled(figure, x_title, "count, logarithmic")


def code_shares(found: Findings) -> go.Figure:
    """How the values are spread over the codes, before and now."""
    width = found.quantizer.bitwidth
    codes = np.arange(width.qmin, width.qmax + 1)
    figure = go.Figure()
    for name, shares, colour in (
        ("at LSQ's start", found.before.shares, colours.reference()),
        ("now", found.now.shares, colours.of_method(RLQ)),
    ):
        figure.add_bar(
            x=codes,
            y=100 * np.array(shares),
            name=name,
            marker_color=colour,
            marker_line_width=0,
            hovertemplate=f"code %{{x}}, {name}: %{{y:.2f}} %<extra></extra>",
        )
    figure.update_xaxes(dtick=1 if len(codes) <= 16 else None)
    return _titled(figure, "code", "share of the values, %")


def gradient_curves(found: Findings, x_title: str) -> go.Figure:
    """What a value at each place would receive of the gradient."""
    soft, straight = found.curve
    figure = _lines(
        found.axis,
        {
            "RLQ": (soft, colours.of_method(RLQ), "solid"),
            "STE": (straight, colours.reference(), "dash"),
        },
        "%{x:.4f}: × %{y:.3f}",
    )
    figure.update_xaxes(range=_range(found))
    return _titled(figure, x_title, "gradient multiplier")


def multiplier_histogram(found: Findings) -> go.Figure:
    """How many of the real values receive which multiplier."""
    soft, straight = found.multipliers
    edges = np.linspace(-0.02, max(1.1, float(soft.max()) * 1.02), 57)
    figure = go.Figure()
    for name, values, colour in (
        ("STE", straight, colours.reference()),
        ("RLQ", soft, colours.of_method(RLQ)),
    ):
        counts, _ = np.histogram(values, edges)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=100 * counts / len(values),
            width=np.diff(edges),
            name=name,
            marker_color=colour,
            marker_line_width=0,
            opacity=0.75,
            hovertemplate=f"{name}, × %{{x:.2f}}: %{{y:.2f}} %<extra></extra>",
        )
    figure.update_layout(barmode="overlay", bargap=0)
    return _titled(figure, "gradient multiplier", "share of the values, %")


def courses(
    curves: Mapping[str, Sequence[tuple[int, float]]],
    steps: int,
    y_title: str,
    levels: Mapping[str, float] | None = None,
) -> go.Figure:
    """One line per contestant over the steps, and perhaps levels in dB to compare with."""
    figure = go.Figure()
    fills = (colours.of_method(RLQ), colours.own())
    for (name, points), colour in zip(curves.items(), fills, strict=True):
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[value for _, value in points],
            name=name,
            mode="lines+markers" if levels else "lines",
            line={"color": colour, "width": 2},
            marker={"size": 5},
            hovertemplate=f"{name}, step %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    for (name, value), side in zip(
        (levels or {}).items(), ("top left", "bottom right"), strict=False
    ):
        figure.add_hline(
            y=value,
            line={"color": colours.reference(), "dash": "dot", "width": 1},
            annotation={"text": f"{name} {value:.2f} dB", "font_size": 11},
            annotation_position=side,
        )
    figure.update_xaxes(range=[0, steps])
    return _titled(figure, "step", y_title)


def _range(found: Findings) -> tuple[float, float]:
    """The values with the nearest levels around them."""
    low, high = float(found.edges[0]), float(found.edges[-1])
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _lines(x: np.ndarray, curves: dict[str, tuple[np.ndarray, str, str]], hover: str) -> go.Figure:
    figure = go.Figure()
    for name, (y, colour, dash) in curves.items():
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"{name}<br>{hover}<extra></extra>",
        )
    return figure


def _titled(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_layout(height=HEIGHT)
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    return figure
