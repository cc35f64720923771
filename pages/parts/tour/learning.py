"""Stop 8: a quantizer that learns."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from pages.parts.figures import charts, colours
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.networks import LoadedNetwork, loaded
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene
from pages.parts.tour.stop import Answer, Lines, Stop
from quantlib.models.catalogue import rlq_twin
from quantlib.ptq.methods import RLQ
from quantlib.qat import rlq
from quantlib.qat.scheme import quantized_layers
from quantlib.qat.soft_rounding import phi, phi_slope

BITS, ASKED = 4, 2.0
POINTS = 100_001


def largest_difference(k: float) -> float:
    """Between round(φ(x)) and round(x), over many x."""
    x = torch.linspace(-8, 8, POINTS, dtype=torch.float64)
    return (phi(x, k).round() - x.round()).abs().max().item()


def answer(scene: Scene) -> Answer:
    difference = largest_difference(ASKED)
    return Answer(
        0 if difference == 0 else 1,
        f"Over {POINTS:,} values the largest difference between round(φ(x)) and round(x) is "
        f"{difference:g}; what changes is the gradient.",
    )


def learned(network: LoadedNetwork) -> rlq.RLQ:
    """What quantizes the input of a layer in the middle of the network that RLQ has trained."""
    twin = rlq_twin(network.name, BITS)
    trained = network if network.trained_bits or twin is None else loaded(twin.name)
    found = [
        layer.activation
        for layer in quantized_layers(trained.network.network).values()
        if isinstance(layer.activation, rlq.RLQ)
    ]
    return found[len(found) // 2]


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    quantizer = learned(scene.network)
    step = quantizer.step.item()
    shifts = torch.zeros(1) if quantizer.shift is None else quantizer.shift.detach()
    channel = int(shifts.abs().argmax())
    tau = shifts[channel].item()
    a = 2.2 * step
    code = round((a + tau) / step)
    with left:
        k = st.slider(
            "Softness k of φ",
            0.0,
            8.0,
            ASKED,
            0.5,
            key="tour_k",
            bind="query-params",
            help="0 is the straight-through estimator; the released code has 1.",
        )
        place = (a + tau) / step
        slope = phi_slope(torch.tensor([place], dtype=torch.float64), k).item()
        show_numbers(
            f"learned step α = **{step:.4f}**, "
            f"learned shift τ of channel {channel} = **{tau:+.4f}**",
            f"code = round((a + τ) / α) = round(({a:.3f} {tau:+.4f}) / {step:.4f}) = "
            f"round({place:.2f}) = **{code}**",
            f"value = α · code = **{step * code:.4f}**",
            f"gradient, multiplied by φ′({place:.2f}) = **{slope:.3f}**; "
            "by the straight-through estimator 1",
        )
    with right:
        charts.draw(_slopes(k, place), f"φ and its slope for k = {k:g}", "soft rounding")
        caption(
            "Dotted: rounding. φ lies on the same side of every threshold, so rounding it gives "
            "the same; its slope is what training sees."
        )
    return {"k": f"{k:g}", "bits": str(quantizer.bits)}


def _slopes(k: float, place: float) -> go.Figure:
    middle = np.floor(place)
    x = np.linspace(middle - 2, middle + 3, 1201)
    inside = torch.from_numpy(x)
    figure = go.Figure()
    for name, y, colour, dash in (
        ("round(x)", np.round(x), colours.reference(), "dot"),
        ("φ(x)", phi(inside, k).numpy(), colours.of_method(RLQ), "solid"),
        ("φ′(x)", phi_slope(inside, k).numpy(), colours.own(), "dash"),
    ):
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
        )
    figure.add_scatter(
        x=[place],
        y=[phi_slope(torch.tensor([place], dtype=torch.float64), k).item()],
        mode="markers",
        name="the value here",
        marker={"color": colours.choice(), "size": 12},
        hovertemplate="φ′ = %{y:.3f}<extra></extra>",
    )
    figure.update_layout(height=340)
    figure.update_xaxes(title="x = (a + τ) / α")
    figure.update_yaxes(title="in steps")
    return figure


def lacks(network: LoadedNetwork) -> str:
    if network.trained_bits or rlq_twin(network.name, BITS):
        return ""
    return f"The chosen network has no form that was trained with RLQ at {BITS} bits"


def lines(scene: Scene) -> Lines:
    return Lines(
        "import torch\nfrom quantlib.qat.soft_rounding import phi\n",
        f"x = torch.linspace(-8, 8, {POINTS}, dtype=torch.float64)\n"
        f"print((phi(x, {ASKED}).round() - x.round()).abs().max().item())\n",
        layers=False,
    )


STOP = Stop(
    "A quantizer that learns",
    "RLQ learns its step α and a shift τ per channel together with the weights. Rounding has no "
    "slope to learn from, so φ lends it one.",
    f"φ is a curve inside every step. With k = {ASKED:g}, what does it change of the rounded "
    "values themselves?",
    ("Nothing", "Those near a threshold", "All but those on a level"),
    answer,
    show,
    lines,
    "φ changes what training sees, never what is computed.",
    "rlq",
    "RLQ lab: gradients, and a training",
    lacks,
)
