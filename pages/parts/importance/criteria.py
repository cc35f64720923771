"""What each criterion says of a layer, and how far they agree."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.parts.figures import charts
from pages.parts.shared.progress import in_turn
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.measuring import known_search, ranking_of, without_rlq
from pages.parts.super_resolution.sidebar import Choices
from quantlib.importance import Ranking
from quantlib.ptq import Site
from quantlib.ptq.criteria import CRITERIA, SEARCHED


def rankings_of(choices: Choices) -> dict[str, Ranking]:
    """Every criterion that is known or quick; greedy only where it has been run."""
    found = {}
    for name, criterion in CRITERIA.items():
        settings = replace(choices.settings, criterion=name)
        if name != SEARCHED or known_search(choices.network, settings):
            found[criterion.title] = ranking_of(choices.network, settings)
    return found


def show_criteria(choices: Choices, site: Site, rankings: dict[str, Ranking]) -> None:
    curves, agreement = st.columns(2, gap="medium", border=True)
    with curves:
        st.markdown("**Scores of this layer's channels, sorted**")
        figure = go.Figure()
        for title, ranking in rankings.items():
            scores = np.sort(ranking.scores[site.name].numpy())[::-1]
            if ranking.criterion == SEARCHED:
                scores = scores - scores.min()
            largest = max(float(scores.max()), 1e-30)
            figure.add_scatter(
                x=np.arange(1, len(scores) + 1), y=scores / largest, name=title, mode="lines"
            )
        figure.update_layout(height=320)
        figure.update_xaxes(title="rank")
        figure.update_yaxes(title="score, largest = 1")
        charts.draw(figure, "Sorted importance scores by criterion", "curves")
        caption("A steep curve says that few channels carry the layer.")
    with agreement:
        st.markdown("**Do the criteria agree?** Spearman's rank correlation, mean of all layers")
        titles = list(rankings)
        table = np.array([[rankings[a].correlation(rankings[b]) for b in titles] for a in titles])
        figure = charts.correlations(titles, table, height=320)
        charts.draw(figure, "Rank correlation between the criteria", "correlation")
        costs = ", ".join(f"{t} {r.seconds:.2f} s" for t, r in rankings.items())
        caption(f"Cost of ranking the whole network, measured here: {costs}.")
    offer_greedy(choices)


def offer_greedy(choices: Choices) -> None:
    settings = replace(choices.settings, criterion=SEARCHED)
    if known_search(choices.network, settings):
        return
    sites = without_rlq(choices.network, settings).sites.sites
    channels = sum(site.channels for site in sites)
    if st.button(
        f"Run the paper's greedy search at {settings.bits} bits",
        icon=":material/play_arrow:",
        key="run greedy",
        help=f"Algorithm 3: one pass for each of {channels:,} channels and each calibration "
        "picture. It can be stopped.",
    ):
        in_turn(lambda watch: ranking_of(choices.network, settings, watch), "Greedy search")
        st.rerun()
