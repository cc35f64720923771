"""The choice of a layer of the network."""

import streamlit as st

from pages.parts.shared.layer_titles import layer_title
from quantlib.ptq import Site, SiteNetwork


def choose_layer(sites: SiteNetwork, label: str) -> Site:
    """The input of a layer, the middle one unless another is chosen."""
    known = {site.name: site for site in sites.sites}
    name = st.selectbox(
        label,
        list(known),
        index=len(known) // 2,
        format_func=layer_title,
        key="layer",
        bind="query-params",
        help="An address may also call the layer as PyTorch does: `layer=body.8.body.2`.",
    )
    return known.get(name) or next(iter(known.values()))
