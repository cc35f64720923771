"""Stop 3: one outlier ruins a scale."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.parts.figures import charts, colours
from pages.parts.figures.levels import histogram, teeth
from pages.parts.shared.terms import caption
from pages.parts.tour.numbers import in_words, show_numbers
from pages.parts.tour.scene import Scene, no_planes
from pages.parts.tour.stop import Answer, Lines, Stop, nearest
from quantlib.quantizers.uniform import Clip, UniformQuantizer, fit_uniform

BITS, ASKED = 4, 10
SHARES = (1, 1 / 2, 1 / 5)


def with_outlier(plane: Tensor, times: int) -> Tensor:
    """The values in one row, the first of them `times` the largest magnitude."""
    values = plane.flatten().clone()
    values[0] = times * values.abs().max()
    return values


def levels_of_the_others(values: Tensor, clip: Clip = "max") -> int:
    """How many different codes all values but the first have."""
    return len(fit_uniform(values, BITS, clip=clip).to_int(values)[1:].unique())


def error_of_the_others(values: Tensor, clip: Clip) -> float:
    quantizer = fit_uniform(values, BITS, clip=clip)
    return (quantizer(values) - values)[1:].square().mean().item()


def answer(scene: Scene) -> Answer:
    plane = scene.plane()
    before, after = (levels_of_the_others(with_outlier(plane, n)) for n in (1, ASKED))
    return Answer(
        nearest(after / before, SHARES),
        f"The other {plane.numel() - 1:,} values used {before} levels, and now {after}.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    plane, channel = scene.plane(), scene.channel()
    with left:
        times = st.slider(
            "The outlier, times the largest value",
            1,
            40,
            ASKED,
            key="outlier",
            bind="query-params",
            help="One value of the channel becomes this many times as large as the largest.",
        )
        values = with_outlier(plane, times)
        quantizer = fit_uniform(values, BITS)
        largest = plane.abs().max().item()
        show_numbers(
            f"Δ = max|a| / 2^(n−1) = {times} · {largest:.3f} / {2 ** (BITS - 1)} = "
            f"**{quantizer.scale.item():.4f}**",
            f"levels that the others use: **{levels_of_the_others(values)}** of {2**BITS}",
            f"their mean squared error: **{in_words(error_of_the_others(values, 'max'))}**",
            "the same where the scale follows the 99.9th percentile and the outlier is clipped: "
            f"**{in_words(error_of_the_others(values, 'percentile'))}**",
        )
    with right:
        charts.draw(
            _values_and_levels(values[1:], quantizer),
            f"Values of channel {channel}, and the levels that an outlier leaves for them",
            "outliers",
        )
        caption(f"Lines: the levels of {BITS} bits that lie among the other values.")
    return {"method": "Direct", "bits": str(BITS), "clip": "percentile"}


def _values_and_levels(others: Tensor, quantizer: UniformQuantizer) -> go.Figure:
    counts, edges = np.histogram(others.numpy(), bins=80)
    figure = histogram(counts, edges, "all other values")
    step, codes = quantizer.scale.item(), quantizer.bitwidth
    margin = 0.05 * (edges[-1] - edges[0])
    levels = np.arange(codes.qmin, codes.qmax + 1) * step
    levels = levels[(levels >= edges[0] - margin) & (levels <= edges[-1] + margin)]
    top = 1.6 * max(float(counts.max()), 1.0)
    figure.add_scatter(
        **teeth(levels, top),
        mode="lines",
        name="levels",
        hoverinfo="skip",
        line={"color": colours.codes(), "width": 2},
    )
    figure.update_layout(height=340, bargap=0)
    figure.update_yaxes(type="log", title="count", range=[-0.1, np.log10(top)])
    figure.update_xaxes(title="activation a", range=[edges[0] - margin, edges[-1] + margin])
    return figure


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.quantizers.uniform import fit_uniform\n",
        f"for times in (1, {ASKED}):\n"
        "    x = plane.flatten().clone()\n"
        "    x[0] = times * x.abs().max()\n"
        f"    print(times, len(fit_uniform(x, {BITS}).to_int(x)[1:].unique()))\n",
    )


STOP = Stop(
    "One outlier ruins a scale",
    "The largest value sets the scale. If a single value is far out, all others have to share the "
    "few levels near zero.",
    f"One value becomes {ASKED} times as large as the largest. Of the levels that they used, how "
    "many do the others still use?",
    ("All of them", "About half of them", "A fifth of them, or fewer"),
    answer,
    show,
    lines,
    "A scale that follows the largest value serves one value and harms all others.",
    "workbench",
    "Workbench: all layers, outliers clipped",
    no_planes,
)
