"""Which channels matter: by every criterion, and one of them looked at closely."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import charts
from pages.parts.figures.ablation import show_ablation
from pages.parts.importance.walkthrough import (
    Channel,
    show_coding,
    show_equality,
    show_map_and_histogram,
    show_value,
)
from pages.parts.shared.notices import notice
from pages.parts.shared.start import start_page
from pages.parts.super_resolution.activations import activation
from pages.parts.super_resolution.measuring import known_ranking, ranking_of
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import progress, wait_for_greedy
from quantlib.importance import Ranking
from quantlib.ptq import Site
from quantlib.ptq.criteria import CRITERIA

start_page(
    "Importance",
    "Which channels are worth extra bits, what each criterion says, "
    "and what DQA does to one of them.",
)


def choose_layer(choices: Choices) -> Site:
    sites = {site.name: site for site in choices.network.sites.sites}
    name = st.selectbox(
        "Layer whose input is quantized",
        list(sites),
        index=len(sites) // 2,
        format_func=lambda n: f"{n}, {sites[n].channels} channels",
        key="layer",
        bind="query-params",
    )
    return sites.get(name) or next(iter(sites.values()))


def rankings_of(choices: Choices) -> dict[str, Ranking]:
    """Every criterion that is known or quick; greedy only where it has been run."""
    found = {}
    for criterion, title in ((name, one.title) for name, one in CRITERIA.items()):
        settings = replace(choices.settings, criterion=criterion)
        if criterion == "greedy":
            known = known_ranking(choices.network, settings)
            if known:
                found[title] = known
        else:
            found[title] = ranking_of(choices.network, settings)
    return found


def show_criteria(choices: Choices, site: Site, rankings: dict[str, Ranking]) -> None:
    curves, agreement = st.columns(2, gap="medium", border=True)
    with curves:
        st.markdown("**Scores of this layer's channels, sorted**")
        figure = go.Figure()
        for title, ranking in rankings.items():
            scores = np.sort(ranking.scores[site.name].numpy())[::-1]
            if ranking.criterion == "greedy":
                scores = scores - scores.min()
            largest = max(float(scores.max()), 1e-30)
            figure.add_scatter(
                x=np.arange(1, len(scores) + 1), y=scores / largest, name=title, mode="lines"
            )
        figure.update_layout(height=320)
        figure.update_xaxes(title="rank")
        figure.update_yaxes(title="score, largest = 1")
        charts.draw(figure, "Sorted importance scores by criterion", "curves")
        st.caption("A steep curve says that few channels carry the layer.")
    with agreement:
        st.markdown("**Do the criteria agree?** Spearman's rank correlation, mean of all layers")
        titles = list(rankings)
        table = np.array([[rankings[a].correlation(rankings[b]) for b in titles] for a in titles])
        figure = charts.correlations(titles, table, height=320)
        charts.draw(figure, "Rank correlation between the criteria", "correlation")
        costs = ", ".join(f"{t} {r.seconds:.2f} s" for t, r in rankings.items())
        st.caption(f"Cost of ranking the whole network, measured here: {costs}.")
    offer_greedy(choices)


def offer_greedy(choices: Choices) -> None:
    settings = replace(choices.settings, criterion="greedy")
    if known_ranking(choices.network, settings):
        return
    channels = sum(site.channels for site in choices.network.sites.sites)
    if st.button(
        f"Run the paper's greedy search at {settings.bits} bits",
        icon=":material/play_arrow:",
        key="run greedy",
        help=f"Algorithm 3: one pass for each of {channels:,} channels and each calibration "
        "picture. It can be stopped.",
    ):
        with progress("Greedy search") as watch:
            ranking_of(choices.network, settings, watch)
        st.rerun()


def show_channel(choices: Choices, site: Site) -> None:
    settings = choices.settings
    ranking = ranking_of(choices.network, settings)
    order = ranking.order(site.name).tolist()
    kept = round(settings.important * len(order))
    st.subheader("One channel, step by step", anchor=False)
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
    values = activation(choices.subject, choices.network, site)
    size = choices.network.network.seen_size(*choices.subject.low.shape[:2])
    channel = Channel(site, values, index, settings, size)
    if index not in order[:kept]:
        st.caption("This channel is not among the important ones; here is what m bits would do.")
    with st.container(border=True):
        show_map_and_histogram(channel)
    with st.container(border=True):
        show_value(channel)
    with st.container(border=True):
        show_coding(channel)
        show_equality(channel)


with notice():
    choices = choose(with_method=False)
    wait_for_greedy(choices)
    site = choose_layer(choices)
    rankings = rankings_of(choices)
    show_criteria(choices, site, rankings)
    show_channel(choices, site)
    show_reproduce(choices)
    st.subheader("What the choice of channels buys", anchor=False)
    show_ablation()
