"""Stop 1: a photograph becomes activations."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.figures.plane import plane_png
from pages.parts.shared.layer_titles import layer_title
from pages.parts.super_resolution.measuring import measured
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene, no_planes
from pages.parts.tour.stop import Answer, Lines, Stop, nearest
from quantlib.imaging.reading import png_bytes
from quantlib.ptq import Settings
from quantlib.ptq.methods import FP32

TIMES = (1, 10, 1000)


def _bytes(scene: Scene) -> tuple[int, int]:
    """Of the photograph, and of all activations of one pass."""
    full = measured(scene.subject, scene.network, Settings(FP32.name))
    return scene.subject.low.size, full.ledger.total.fp32


def answer(scene: Scene) -> Answer:
    picture, activations = _bytes(scene)
    times = activations / picture
    return Answer(
        nearest(times, TIMES),
        f"{activations / 1024:,.0f} KiB of activations are {times:,.0f} times the "
        f"{picture / 1024:,.1f} KiB of the photograph.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    values, site = scene.values(), scene.site
    _, channels, height, width = values.shape
    with left:
        channel = st.slider(
            "Channel",
            0,
            channels - 1,
            scene.channel(),
            key="tour_channel",
            bind="query-params",
            help="One of the planes that the layer in the middle of the network receives.",
        )
        sites = len(scene.network.sites.sites)
        picture, activations = _bytes(scene)
        show_numbers(
            f"One layer: {channels} channels × {height} × {width} × 4 bytes = "
            f"**{4 * values.numel() / 1024:,.0f} KiB**",
            f"All {sites} layers: **{activations / 1024:,.0f} KiB**",
            f"Channel {channel}: from {values[0, channel].min():.3f} to "
            f"{values[0, channel].max():.3f}",
            f"The photograph: {height} × {width} × 3 bytes = **{picture / 1024:,.1f} KiB**",
        )
    with right:
        photo, plane = st.columns(2)
        photo.image(
            png_bytes(scene.subject.low),
            caption="The photograph, as the network gets it",
            alt=f"Photograph: {scene.subject.title}",
            width="stretch",
            output_format="PNG",
        )
        plane.image(
            plane_png(values[0, channel]),
            caption=f"Channel {channel} of {layer_title(site.name)}; bright is high",
            alt=f"Activations of channel {channel}",
            width="stretch",
            output_format="PNG",
        )
    return {"channel": str(channel)}


def lines(scene: Scene) -> Lines:
    return Lines(
        "",
        "print(sum(4 * a.numel() for a in layers.values()), low.size)\n",
    )


STOP = Stop(
    "A photograph becomes activations",
    "A network hands the picture from layer to layer, as channels of numbers. These activations "
    "have to be kept somewhere, and read again.",
    "How many bytes do all activations of one pass take, beside the photograph itself?",
    ("About as many", "Some ten times as many", "A thousand times as many, or more"),
    answer,
    show,
    lines,
    "What fills the memory is not the picture and not the weights: it is the activations.",
    "importance",
    "Importance: every channel",
    no_planes,
)
