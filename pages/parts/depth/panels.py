"""Which blocks are kept, and what the picture loses."""

import streamlit as st

from pages.parts.depth.charts import depth_curve, shortcut_dots
from pages.parts.depth.sub_networks import DRAWS, Depths
from pages.parts.figures import charts
from pages.parts.shared.terms import caption
from quantlib.models import SRNetwork
from quantlib.tasks.super_networks import SubNetwork, skip_order, super_network


def show_shortcuts(network: SRNetwork, chosen: SubNetwork) -> None:
    st.markdown("**Which blocks are kept**")
    charts.draw(
        shortcut_dots(super_network(network).shortcuts.tolist(), chosen.kept),
        "Learned shortcut of every block, kept blocks highlighted",
        "shortcuts",
    )
    caption(
        "The learned shortcut s of each block, y = s·x + body(x). A large s says that x passes "
        "well without the body. Skipped in this order: "
        f"{', '.join(map(str, skip_order(network)))}."
    )


def show_quality(found: Depths) -> None:
    st.markdown("**What the picture loses**")
    if found.full.psnr_y is None:
        caption("PSNR needs the truth: use your picture as the truth in the sidebar.")
        return
    count = len(found.chosen.kept)
    charts.draw(
        depth_curve(found.curve, count, found.random, found.alone),
        "PSNR over the number of blocks kept",
        "depths",
    )
    alone = "Diamonds: the same blocks trained by themselves, as many steps. "
    caption(
        f"Grey: {DRAWS} random draws of {count} blocks. {alone if found.alone else ''}"
        "Only the three trained depths were ever part of the loss."
    )
