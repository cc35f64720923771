"""Which channels matter: by every criterion, and one of them looked at closely."""

import streamlit as st

from pages.parts.figures.ablation import show_ablation
from pages.parts.importance.criteria import rankings_of, show_criteria
from pages.parts.importance.walkthrough import (
    Channel,
    show_coding,
    show_equality,
    show_map_and_histogram,
    show_value,
)
from pages.parts.shared.address import opened_with
from pages.parts.shared.notices import body
from pages.parts.shared.quantizing import Quantizable
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.activations import activation
from pages.parts.super_resolution.layers import choose_layer
from pages.parts.super_resolution.measuring import ranking_of, without_rlq
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import wait_for_long_work
from quantlib.ptq import Site

start_page(
    "Importance",
    "Which channels are worth extra bits, what each criterion says, "
    "and what DQA does to one of them.",
)


def show_channel(choices: Choices, network: Quantizable, site: Site) -> None:
    settings = choices.settings
    ranking = ranking_of(choices.network, settings)
    order = ranking.order(site.name).tolist()
    kept = round(settings.important * len(order))
    st.subheader("One channel, step by step", anchor=False)
    asked = opened_with("channel")
    if asked.isdecimal() and int(asked) in order and "channel" not in st.session_state:
        st.session_state["channel"] = int(asked)  # from the tour, which knows of no ranks
    index = st.selectbox(
        "Channel",
        order,
        format_func=lambda c: (
            f"{c}, rank {order.index(c) + 1} of {len(order)}"
            + (", important" if order.index(c) < kept else "")
        ),
        key="channel",
        bind="query-params",
    )
    if index is None or index not in order:
        index = order[0]
    values = activation(choices.subject, network, site)
    size = choices.network.network.seen_size(*choices.subject.low.shape[:2])
    channel = Channel(site, values, index, settings, size)
    if index not in order[:kept]:
        caption("This channel is not among the important ones; here is what m bits would do.")
    with st.container(border=True):
        show_map_and_histogram(channel)
    with st.container(border=True):
        show_value(channel)
    with st.container(border=True):
        show_coding(channel)
        show_equality(channel)


with body():
    choices = choose(with_method=False)
    wait_for_long_work(choices)
    network = without_rlq(choices.network, choices.settings)
    site = choose_layer(network.sites, "Layer whose input is quantized")
    rankings = rankings_of(choices)
    show_criteria(choices, site, rankings)
    show_channel(choices, network, site)
    show_reproduce(choices)
    st.divider()
    st.subheader("Measured beforehand on benches of their own", anchor=False)
    caption(
        "What the choice of channels buys, over whole data sets. Nothing that is chosen above or "
        "in the sidebar changes what stands below."
    )
    show_ablation()
