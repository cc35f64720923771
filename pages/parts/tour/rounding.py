"""Stop 2: rounding."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.parts.figures import charts, colours
from pages.parts.tour.numbers import in_words, show_numbers
from pages.parts.tour.scene import Scene, follow, no_planes
from pages.parts.tour.stop import Answer, Lines, Stop, nearest
from quantlib.quantizers.uniform import UniformQuantizer, fit_uniform

TIMES = (1.4, 2, 4, 10)
FROM = 4


def _error(plane: Tensor, bits: int) -> float:
    return (fit_uniform(plane, bits)(plane) - plane).square().mean().item()


def answer(scene: Scene) -> Answer:
    plane = scene.plane()
    times = _error(plane, FROM) / _error(plane, FROM + 1)
    return Answer(
        nearest(times, TIMES),
        f"From {FROM} to {FROM + 1} bits the mean squared error of this channel becomes "
        f"{times:.1f} times smaller.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    plane, channel = scene.plane(), scene.channel()
    with left:
        bits = st.slider(
            "Bits n", 2, 8, 3, key="tour_bits", bind="query-params", help="Bits of every code."
        )
        quantizer = fit_uniform(plane, bits)
        a = follow(plane)
        code = int(quantizer.to_int(torch.tensor(a)))
        step, largest = quantizer.scale.item(), plane.abs().max().item()
        show_numbers(
            f"Δ = max|a| / 2^(n−1) = {largest:.3f} / {2 ** (bits - 1)} = **{step:.4f}**",
            f"code = round(a / Δ) = round({a:.3f} / {step:.4f}) = **{code}**",
            f"back: Δ · code = {step:.4f} · {code} = **{step * code:.3f}**, "
            f"an error of {step * code - a:+.4f}",
            f"mean squared error of {plane.numel():,} values: **{in_words(_error(plane, bits))}**",
        )
    with right:
        charts.draw(
            staircase(quantizer, plane, a),
            f"Values of channel {channel} before and after rounding to {bits} bits",
            "staircase",
        )
    return {"bits": str(bits), "method": "Direct", "channel": str(channel)}


def staircase(quantizer: UniformQuantizer, plane: Tensor, a: float) -> go.Figure:
    """What becomes of every value of the range; and the value `a` that is followed."""
    low, high = plane.min().item(), plane.max().item()
    x = torch.linspace(low, high, 1200)
    figure = go.Figure()
    for name, y, colour, dash in (
        ("the value itself", x, colours.reference(), "dot"),
        ("the nearest level", quantizer(x), colours.codes(), "solid"),
    ):
        figure.add_scatter(
            x=x.numpy(),
            y=y.numpy(),
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x:.3f} → %{y:.3f}<extra></extra>",
        )
    figure.add_scatter(
        x=np.array([a]),
        y=quantizer(torch.tensor([a])).numpy(),
        name="the value followed here",
        mode="markers",
        marker={"color": colours.choice(), "size": 12},
        hovertemplate="%{x:.3f} → %{y:.3f}<extra></extra>",
    )
    figure.update_layout(height=360)
    figure.update_xaxes(title="activation a")
    figure.update_yaxes(title="Δ · code")
    return figure


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.quantizers.uniform import fit_uniform\n",
        f"for bits in ({FROM}, {FROM + 1}):\n"
        "    print(bits, (fit_uniform(plane, bits)(plane) - plane).square().mean().item())\n",
    )


STOP = Stop(
    "Rounding",
    "A code of n bits can say which of 2^n levels is nearest. What is stored is the code, and one "
    "scale for all of them.",
    f"From {FROM} to {FROM + 1} bits: how many times smaller becomes the mean squared error?",
    ("1.4 times", "2 times", "4 times", "10 times"),
    answer,
    show,
    lines,
    "One bit more halves the steps, so that the squared error becomes about four times smaller.",
    "workbench",
    "Workbench: all layers with these bits",
    no_planes,
)
