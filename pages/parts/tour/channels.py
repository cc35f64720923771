"""Stop 4: channels differ."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.parts.figures import charts, colours
from pages.parts.shared.terms import caption
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene, no_planes
from pages.parts.tour.stop import Answer, Lines, Stop, nearest
from quantlib.quantizers.channels import largest_magnitude
from quantlib.quantizers.uniform import UniformQuantizer, fit_uniform

BITS = 4
TIMES = (2, 5, 20)
LAYER, CHANNEL = "The layer", "Each channel"


def _loudest_and_quietest(values: Tensor) -> tuple[float, float]:
    largest = largest_magnitude(values, 1)
    return largest.max().item(), largest[largest > 0].min().item()


def _sqnr(quantizer: UniformQuantizer, values: Tensor) -> float:
    """Mean over the channels, so that each counts alike."""
    error = (quantizer(values) - values).square().mean((0, 2, 3))
    signal = values.square().mean((0, 2, 3))
    some = (error > 0) & (signal > 0)
    return float((10 * torch.log10(signal[some] / error[some])).mean())


def answer(scene: Scene) -> Answer:
    loudest, quietest = _loudest_and_quietest(scene.values())
    times = loudest / quietest
    return Answer(
        nearest(times, TIMES),
        f"The largest value of the loudest channel is {loudest:.3g}, that of the quietest "
        f"{quietest:.3g}: {times:,.1f} times.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    values = scene.values()
    loudest, quietest = _loudest_and_quietest(values)
    with left:
        one_for = st.segmented_control(
            "One scale for",
            (LAYER, CHANNEL),
            default=LAYER,
            required=True,
            key="one_scale",
            bind="query-params",
            help="A scale per channel costs four bytes for each of them.",
        )
        quantizer = fit_uniform(values, BITS, None if one_for == LAYER else 1)
        half = 2 ** (BITS - 1)
        show_numbers(
            f"Δ of the layer = {loudest:.3f} / {half} = **{loudest / half:.4f}**",
            f"Δ of its quietest channel = {quietest:.3f} / {half} = **{quietest / half:.4f}**",
            f"SQNR, the mean over all channels, now: **{_sqnr(quantizer, values):.1f} dB**",
        )
    with right:
        charts.draw(
            _levels_by_channel(quantizer, values),
            f"Levels that each channel uses with one scale for {str(one_for).lower()}",
            "levels",
        )
        caption(f"Channels by rising magnitude; {2**BITS} levels is what {BITS} bits offer.")
    return {"bits": str(BITS), "m": "3"}


def _levels_by_channel(quantizer: UniformQuantizer, values: Tensor) -> go.Figure:
    order = largest_magnitude(values, 1).argsort()
    codes = quantizer.to_int(values)[0]
    used = np.array([len(codes[c].unique()) for c in order.tolist()])
    figure = go.Figure(
        go.Bar(
            x=np.arange(1, len(used) + 1),
            y=used,
            marker_color=colours.codes(),
            marker_line_width=0,
            customdata=order.numpy(),
            hovertemplate="channel %{customdata}: %{y} levels<extra></extra>",
        )
    )
    figure.update_layout(height=340)
    figure.update_xaxes(title="channel, from the quietest to the loudest")
    figure.update_yaxes(title="levels in use", range=[0, 2**BITS])
    return figure


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.quantizers.channels import largest_magnitude\n",
        "largest = largest_magnitude(values, 1)\n"
        "print(largest.max().item(), largest[largest > 0].min().item())\n",
    )


STOP = Stop(
    "Channels differ",
    "Some channels of a layer are loud and some are quiet. One scale for the whole layer is that "
    "of the loudest.",
    "How many times the largest value of the quietest channel is that of the loudest?",
    ("About 2 times", "About 5 times", "20 times or more"),
    answer,
    show,
    lines,
    "Each channel needs a scale of its own; and some channels deserve more bits than others.",
    "importance",
    "Importance: which channels matter",
    no_planes,
)
