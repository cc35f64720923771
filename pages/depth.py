"""One super-network, any depth: what each block is worth."""

from statistics import fmean, stdev

import streamlit as st

from pages.parts.depth.costs import show_costs
from pages.parts.depth.panels import show_quality, show_shortcuts
from pages.parts.depth.pictures import show_crops
from pages.parts.depth.reproduce import show_depth_reproduce
from pages.parts.depth.sub_networks import (
    DRAWS,
    Depths,
    loaded_super_network,
    measured_depths,
    super_networks,
)
from pages.parts.shared.notices import body
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.pictures import Subject, choose_picture, subject
from quantlib.errors import QuantlibError
from quantlib.models import SRNetwork
from quantlib.qat.depth import DEPTHS, kept_blocks
from quantlib.tasks.super_networks import super_network

start_page(
    "Depth",
    "QuantSR's depth-dynamic architecture: one network, trained at three depths at once. Skip as "
    "many blocks as you like and see what the picture loses.",
)


def choose() -> tuple[str, Subject, SRNetwork, int]:
    """Network, picture and the number of blocks that are kept."""
    known = super_networks()
    if not known:
        raise QuantlibError("No super-network is bundled; train one with assets/recipes.")
    with st.sidebar:
        picture = choose_picture()
        name = st.selectbox(
            "Super-network",
            list(known),
            key="super_network",
            bind="query-params",
            help="QuantSR networks, trained here: C has convolutions, T is a transformer. W4A4 has "
            "weights and activations of 4 bits.",
        )
        caption(known[name].title)
        network = loaded_super_network(name)
        blocks = len(super_network(network).residual_blocks)
        count = st.slider(
            "Blocks that are kept",
            1,
            blocks,
            blocks // 2,
            key="blocks",
            bind="query-params",
            help="Blocks with the largest learned shortcuts are skipped first.",
        )
        marks = {len(kept_blocks(range(blocks), depth)): depth for depth in DEPTHS}
        caption(f"Trained depths: {', '.join(f'{n} ({d})' for n, d in marks.items())}.")
        return name, subject(picture, network.scale), network, count


def show(name: str, picture: Subject, network: SRNetwork, count: int) -> None:
    found = measured_depths(name, picture, count)
    chosen, full = found.chosen, found.full
    st.subheader(sentence(found), anchor=False)
    show_crops(picture, network, chosen, full)
    bars, quality = st.columns(2, gap="medium", border=True)
    with bars:
        show_shortcuts(network, chosen)
    with quality:
        show_quality(found)
    show_costs(name, picture, chosen, full)
    show_depth_reproduce(name, picture, network.scale, chosen, found.trained_depth)


def sentence(found: Depths) -> str:
    """What was measured, in one sentence."""
    chosen, full = found.chosen, found.full
    share = f"{len(chosen.kept)} of {len(full.kept)} blocks"
    saved = f"{chosen.macs.quantized / full.macs.quantized:.0%} of the low-bit multiplications"
    if chosen.psnr_y is None or full.psnr_y is None:
        return f"{share} take {saved}."
    drawn = [one.psnr_y or 0.0 for one in found.random]
    against = f"; {DRAWS} random draws give {fmean(drawn):.2f} ± {stdev(drawn):.2f} dB"
    against = "" if chosen is full else against
    return f"{share} keep {chosen.psnr_y:.2f} of {full.psnr_y:.2f} dB with {saved}{against}."


with body():
    show(*choose())
