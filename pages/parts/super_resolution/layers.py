"""The choice of a layer of the network."""

import streamlit as st

from quantlib.ptq import Site, SiteNetwork


def choose_layer(sites: SiteNetwork, label: str) -> Site:
    """The input of a layer, the middle one unless another is chosen."""
    known = {site.name: site for site in sites.sites}
    name = st.selectbox(
        label,
        list(known),
        index=len(known) // 2,
        format_func=lambda n: f"{n}, {known[n].channels} channels",
        key="layer",
        bind="query-params",
    )
    return known.get(name) or next(iter(known.values()))
