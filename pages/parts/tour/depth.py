"""Stop 9: going shallower."""

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.figures import charts, colours
from pages.parts.shared.caching import shared
from pages.parts.shared.progress import all_results
from pages.parts.shared.terms import caption
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.networks import LoadedNetwork, loaded
from pages.parts.super_resolution.pictures import Subject
from pages.parts.tour.numbers import show_numbers
from pages.parts.tour.scene import Scene
from pages.parts.tour.stop import Answer, Lines, Stop
from quantlib.models.catalogue import bundled
from quantlib.ptq.methods import RLQ
from quantlib.tasks.super_networks import SubNetwork, skip_order, super_network, through_blocks

LOST = (0.5, 2.0)  # dB between one option and the next
JOINT = "joint"


def super_network_for(scale: int) -> str:
    """A bundled network with three depths that enlarges by `scale`."""
    found = [one.name for one in bundled() if one.depths == JOINT and one.scale == scale]
    return next((name for name in found if "w4a4" in name), *found[:1])


def through(scene: Scene, counts: list[int]) -> dict[int, SubNetwork]:
    """The picture through the network with so many blocks, the first skipped by their shortcuts."""
    name = super_network_for(scene.network.scale)
    order = skip_order(loaded(name).network)[::-1]

    def measure(count: int) -> SubNetwork:
        kept = tuple(sorted(order[:count]))
        return _through(name, kept, scene.subject.digest, scene.subject)

    found = all_results(measure, counts, "Measuring depths")
    return {count: found[count] for count in counts}


@shared(megabytes=64)
def _through(name: str, kept: tuple[int, ...], digest: str, _subject: Subject) -> SubNetwork:
    network = loaded(name).network
    return on_worker(through_blocks, network, kept, _subject.low, _subject.truth)


def _blocks(scene: Scene) -> int:
    network = loaded(super_network_for(scene.network.scale)).network
    return len(super_network(network).residual_blocks)


def answer(scene: Scene) -> Answer:
    blocks = _blocks(scene)
    half, full = through(scene, [blocks // 2, blocks]).values()
    lost = (full.psnr_y or 0.0) - (half.psnr_y or 0.0)
    return Answer(
        sum(lost > limit for limit in LOST),
        f"All {blocks} blocks reach {full.psnr_y:.2f} dB, {blocks // 2} of them "
        f"{half.psnr_y:.2f} dB, with {half.macs.quantized / full.macs.quantized:.0%} of the "
        "low-bit multiplications.",
    )


def show(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> dict[str, str]:
    name, blocks = super_network_for(scene.network.scale), _blocks(scene)
    shortcuts = super_network(loaded(name).network).shortcuts.tolist()
    with left:
        count = st.slider(
            "Blocks that are kept",
            1,
            blocks,
            blocks // 2,
            key="tour_blocks",
            bind="query-params",
            help="Blocks with the largest learned shortcuts are skipped first.",
        )
        found = through(scene, list(dict.fromkeys([blocks, blocks // 2, blocks // 4, count])))
        chosen, full = found[count], found[blocks]
        skipped = next(one for one in skip_order(loaded(name).network))
        show_numbers(
            f"a block: y = s · x + body(x). Skipped first is block {skipped}, s = "
            f"**{shortcuts[skipped]:.3f}**; then only s · x is left of it",
            f"{count} of {blocks} blocks: **{chosen.psnr_y:.2f} dB** of {full.psnr_y:.2f} dB",
            f"low-bit multiplications: {chosen.macs.quantized:,} of {full.macs.quantized:,} = "
            f"**{chosen.macs.quantized / full.macs.quantized:.0%}**",
        )
    with right:
        charts.draw(_dots(found, count), "PSNR over the number of blocks kept", "depths")
        caption(
            f"{name}, measured with this picture. All, a half and a quarter of the blocks were "
            "trained; other numbers were not."
        )
    return {"blocks": str(count), "super_network": name}


def _dots(found: dict[int, SubNetwork], count: int) -> go.Figure:
    counts = sorted(found)
    figure = go.Figure(
        go.Scatter(
            x=counts,
            y=[found[n].psnr_y for n in counts],
            mode="lines+markers",
            name="blocks kept by their shortcuts",
            line={"color": colours.of_method(RLQ), "width": 2},
            marker={"size": 9},
            hovertemplate="%{x} blocks<br>%{y:.2f} dB<extra></extra>",
        )
    )
    figure.add_scatter(
        x=[count],
        y=[found[count].psnr_y],
        mode="markers",
        name="chosen",
        marker={
            "size": 18,
            "symbol": "circle-open",
            "color": colours.choice(),
            "line": {"width": 3},
        },
        hoverinfo="skip",
    )
    figure.update_layout(height=340)
    figure.update_xaxes(title="blocks kept", rangemode="tozero")
    figure.update_yaxes(title="PSNR in dB (Y)")
    return figure


def lacks(network: LoadedNetwork) -> str:
    known = {one.scale for one in bundled() if one.depths == JOINT}
    return "" if network.scale in known else "No network with several depths enlarges that much"


def lines(scene: Scene) -> Lines:
    return Lines(
        "from quantlib.tasks.super_networks import skip_order, through_blocks\n",
        f"network = load({super_network_for(scene.network.scale)!r})\n"
        "order = skip_order(network)[::-1]\n"
        "for count in (len(order) // 2, len(order)):\n"
        "    result = through_blocks(network, sorted(order[:count]), low, truth)\n"
        "    print(count, result.psnr_y, result.macs.quantized)\n",
        layers=False,
    )


STOP = Stop(
    "Going shallower",
    "QuantSR trains one network at three depths at once. Blocks whose shortcut is large pass their "
    "input on almost as it is, and can be skipped.",
    "Half of the blocks are skipped. How much does the picture lose?",
    (
        f"Less than {LOST[0]} dB",
        f"Between {LOST[0]} and {LOST[1]:g} dB",
        f"More than {LOST[1]:g} dB",
    ),
    answer,
    show,
    lines,
    "Depth is a dial too: fewer blocks cost fewer operations, and the shortcut says which to skip.",
    "depth",
    "Depth: any number of blocks",
    lacks,
)
