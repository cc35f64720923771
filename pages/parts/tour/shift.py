"""Stop 5: n+m bits, and the shift."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.parts.figures import charts, colours
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene, follow, no_planes
from pages.parts.tour.stop import Answer, Lines, Stop
from quantlib.quantizers.dqa import DQAQuantizer, DQATensor, fit_dqa
from quantlib.quantizers.uniform import fit_uniform

BITS, EXTRA = 3, 3
SHARES = (0, 1 / 8, 1 / 2)
IMPORTANT = torch.tensor([True])


def fitted(plane: Tensor, extra_bits: int) -> DQAQuantizer:
    return fit_dqa(plane[None, None], BITS, extra_bits, IMPORTANT)


def changed(plane: Tensor, extra_bits: int) -> int:
    """How many values are others once they have been stored and read back."""
    quantizer, x = fitted(plane, extra_bits), plane[None, None]
    back = DQATensor.from_bytes(quantizer.encode(x).to_bytes()).decode()
    wide = fit_uniform(plane, BITS + extra_bits)(plane)
    return int((back[0, 0] != wide).sum())


def answer(scene: Scene) -> Answer:
    plane = scene.plane()
    others = changed(plane, EXTRA)
    share = others / plane.numel()
    return Answer(
        min(range(len(SHARES)), key=lambda i: abs(share - SHARES[i])),
        f"Stored as bytes, read back and put together again, {plane.numel() - others:,} of "
        f"{plane.numel():,} values are those of {BITS + EXTRA} bits, to the last bit.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    plane, channel = scene.plane(), scene.channel()
    with left:
        m = st.slider(
            "Extra bits m",
            1,
            4,
            EXTRA,
            key="tour_m",
            bind="query-params",
            help=f"Bits beyond the {BITS} of every code, for important channels.",
        )
        quantizer = fitted(plane, m)
        a = follow(plane)
        wide = int(quantizer.widened(torch.full((1, 1, 1, 1), a)))
        code, lost = wide >> m, wide & ((1 << m) - 1)
        fine = quantizer.steps.item()
        coarse = fine * 2**m
        plain = fit_uniform(plane, BITS)(torch.tensor(a)).item()
        show_numbers(
            f"q′ = round(a / Δ₍ₙ₊ₘ₎) = round({a:.3f} / {fine:.4f}) = {wide} = "
            f"`{binary(wide, BITS + m)}`",
            f"q′ shifted right by {m}: the code {code} = `{binary(code, BITS)}`",
            f"what falls off: the shifting error {lost} = `{binary(lost, m)}`",
            f"back: Δₙ · (code + {lost} / 2^{m}) = {coarse:.4f} · {code + lost / 2**m:g} = "
            f"**{coarse * (code + lost / 2**m):.4f}**",
            f"error {fine * wide - a:+.4f}; with {BITS} bits alone {plain - a:+.4f}",
        )
    with right:
        charts.draw(
            _levels(quantizer, a, plain),
            f"The value, the levels of {BITS} bits, and those of {BITS + m} bits around it",
            "fine levels",
        )
    return {"bits": str(BITS), "m": str(m), "channel": str(channel)}


def binary(value: int, bits: int) -> str:
    """In two's complement.

    >>> binary(-3, 4), binary(5, 3)
    ('1101', '101')
    """
    return format(value & ((1 << bits) - 1), f"0{bits}b")


def _levels(quantizer: DQAQuantizer, a: float, plain: float) -> go.Figure:
    fine = quantizer.steps.item()
    coarse = fine * 2**quantizer.extra_bits
    low, high = a - 2.2 * coarse, a + 2.2 * coarse
    figure = go.Figure()
    for step, height, colour, width, name in (
        (fine, 0.5, colours.extra_bits(), 1, f"levels of {BITS + quantizer.extra_bits} bits"),
        (coarse, 1.0, colours.codes(), 3, f"levels of {BITS} bits"),
    ):
        levels = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        figure.add_scatter(
            x=np.stack([levels, levels, np.full_like(levels, np.nan)], 1).ravel(),
            y=np.tile([0, height, np.nan], len(levels)),
            mode="lines",
            name=name,
            line={"color": colour, "width": width},
            hoverinfo="skip",
        )
    back = quantizer(torch.full((1, 1, 1, 1), a)).item()
    for x, name, symbol, colour in (
        (a, "the value a", "circle", colours.choice()),
        (back, "read back", "diamond", colours.extra_bits()),
        (plain, f"{BITS} bits alone", "square", colours.codes()),
    ):
        figure.add_scatter(
            x=[x],
            y=[1.2],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 12, "symbol": symbol},
            hovertemplate="%{x:.4f}<extra></extra>",
        )
    figure.update_layout(height=340)
    figure.update_xaxes(title="activation a", range=[low, high])
    figure.update_yaxes(visible=False, range=[0, 1.4])
    return figure


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.quantizers.dqa import DQATensor, encode\n"
        "from quantlib.quantizers.uniform import fit_uniform\n",
        "x = plane[None, None]\n"
        f"stored = encode(x, {BITS}, {EXTRA}, torch.tensor([True])).to_bytes()\n"
        "back = DQATensor.from_bytes(stored).decode()\n"
        f"wide = fit_uniform(plane, {BITS + EXTRA})(plane)\n"
        "print(int((back[0, 0] == wide).sum()), plane.numel())\n",
    )


STOP = Stop(
    "n+m bits, and the shift",
    "DQA gives important channels m bits more. So that all codes keep n bits, the wide code is "
    "shifted right, and what falls off is stored apart.",
    f"An important channel has codes of {BITS + EXTRA} bits, stored as {BITS} bits and the "
    f"{EXTRA} that were shifted out. How many values differ after reading back?",
    ("None", "About one in eight", "About half"),
    answer,
    show,
    lines,
    "The shift loses nothing: it is a way to store, and the accuracy is that of n+m bits.",
    "importance",
    "Importance: this channel step by step",
    no_planes,
)
