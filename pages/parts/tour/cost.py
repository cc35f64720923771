"""Stop 7: what it costs, at equal bytes."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.figures import charts, colours
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.super_resolution.waiting import measured_all
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene
from pages.parts.tour.stop import Answer, Lines, Stop
from quantlib.ptq import Settings
from quantlib.ptq.methods import DIRECT, DQA
from quantlib.tasks.super_resolution import Measurement

BITS, EXTRA, RATIO = 3, 3, 0.4
UNIFORM = (2, 3, 4, 5, 6, 7)
SAME = 0.1  # dB


def _measured(scene: Scene, bits: int) -> tuple[Measurement, list[Measurement]]:
    """DQA, and plain uniform quantization with more and more bits."""
    settings = [Settings(DQA.name, bits, EXTRA, RATIO)]
    settings += [Settings(DIRECT.name, n) for n in UNIFORM]
    choices = Choices(scene.subject, scene.network, settings[0])
    found = measured_all(choices, settings, "Measuring at equal bytes")
    return found[0], found[1:]


def gain(dqa: Measurement, uniform: list[Measurement]) -> float:
    """dB above the line between the plain points, at as many bits per activation."""
    bits = [one.ledger.bits_per_activation for one in uniform]
    level = np.interp(dqa.ledger.bits_per_activation, bits, [one.psnr_y or 0.0 for one in uniform])
    return (dqa.psnr_y or 0.0) - float(level)


def answer(scene: Scene) -> Answer:
    dqa, uniform = _measured(scene, BITS)
    difference = gain(dqa, uniform)
    right = 0 if difference > SAME else 2 if difference < -SAME else 1
    return Answer(
        right,
        f"{dqa.psnr_y:.2f} dB with {dqa.ledger.bits_per_activation:.2f} bits per activation: "
        f"{abs(difference):.2f} dB {'above' if difference >= 0 else 'below'} plain uniform "
        "quantization with as many bytes, for this picture.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    with left:
        bits = st.slider(
            "Bits n", 2, 5, BITS, key="tour_bits", bind="query-params", help="Of DQA's base codes."
        )
        dqa, uniform = _measured(scene, bits)
        sizes = dqa.ledger.total
        parts = {
            "codes": sizes.codes,
            "refinement": sizes.refinement,
            "tables": sizes.tables,
            "scales": sizes.scales,
        }
        spent = " + ".join(f"{32 * size / sizes.fp32:.3f}" for size in parts.values())
        show_numbers(
            f"n = {bits}, m = {EXTRA}, r = {RATIO}: bits per activation = {' + '.join(parts)} = "
            f"{spent} = **{sizes.bits_per_activation:.2f}**",
            f"PSNR with them: **{dqa.psnr_y:.2f} dB**",
            f"against plain uniform quantization with as many bytes: "
            f"**{gain(dqa, uniform):+.2f} dB**".replace("-", "−"),
        )
    with right:
        charts.draw(_curve(dqa, uniform), "PSNR over bits per activation", "equal bytes")
        caption(
            "Every point is a measured pass of this picture; between them the line is "
            "interpolated. All bytes that decoding needs are counted."
        )
    return {"bits": str(bits), "m": str(EXTRA), "r": f"{RATIO:g}"}


def _curve(dqa: Measurement, uniform: list[Measurement]) -> go.Figure:
    figure = go.Figure()
    for name, some, method, mode in (
        ("plain uniform", uniform, DIRECT, "lines+markers"),
        ("DQA", [dqa], DQA, "markers"),
    ):
        figure.add_scatter(
            x=[one.ledger.bits_per_activation for one in some],
            y=[one.psnr_y for one in some],
            name=name,
            mode=mode,
            line={"color": colours.of_method(method), "width": 2},
            marker={"size": 14 if len(some) == 1 else 8, "color": colours.of_method(method)},
            hovertemplate="%{x:.2f} bits<br>%{y:.2f} dB<extra></extra>",
        )
    figure.update_layout(height=340)
    figure.update_xaxes(title="bits per activation")
    figure.update_yaxes(title="PSNR in dB (Y)")
    return figure


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.ptq import Settings\n"
        "from quantlib.tasks.super_resolution import default_pairs, measure, prepare, sites_of\n",
        f'settings = [Settings("dqa", {BITS}, {EXTRA}, {RATIO})]\n'
        f'settings += [Settings("direct", bits) for bits in {UNIFORM}]\n'
        "sites, pairs = sites_of(network), default_pairs(network)\n"
        "for one in settings:\n"
        "    result = measure(prepare(sites, one, pairs), low, network.scale, truth)\n"
        "    print(one.summary, result.psnr_y, result.ledger.bits_per_activation)\n",
        layers=False,
    )


STOP = Stop(
    "What it costs at equal bytes",
    "The extra bits are not free: they take bytes, and so do code tables and scales. Uniform "
    "quantization could spend as many bytes on more bits for all.",
    f"n = {BITS}, m = {EXTRA}, r = {RATIO}: beside plain uniform quantization with as many bytes, "
    "DQA's picture is …",
    (
        f"better by more than {SAME} dB",
        f"the same, within {SAME} dB",
        f"worse by more than {SAME} dB",
    ),
    answer,
    show,
    lines,
    "A method is judged beside another that spends as many bytes, and the answer may be no.",
    "memory",
    "Memory: all methods at equal bytes",
)
