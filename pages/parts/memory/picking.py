"""A point of the chart becomes the visitor's choice, and opens in the workbench."""

import streamlit as st

from pages.parts.memory.frontier import Point
from pages.parts.shared.method import address_of, take_over
from quantlib.ptq import Settings


def pick(settings: Settings) -> None:
    """Make a point the visitor's choice; for use in a callback, before the widgets are drawn."""
    st.session_state["picked"] = settings
    take_over(settings)


def offer_workbench(point: Point) -> None:
    """A link that opens a point in the workbench, with the picture and network as they are."""
    kept = {k: st.query_params[k] for k in ("picture", "network", "at") if k in st.query_params}
    st.page_link(
        "pages/workbench.py",
        label=f"Open {point.name} in the workbench: {point.psnr_y:.2f} dB, {point.kib:,.0f} KiB",
        icon=":material/compare:",
        query_params=kept | address_of(point.settings),
    )
