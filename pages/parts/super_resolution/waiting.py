"""Measurements and searches that a page waits for."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import streamlit as st

from pages.parts.shared.asking import ask_first, begins_by_itself
from pages.parts.shared.progress import in_turn, results
from pages.parts.shared.worker import side_by_side
from pages.parts.super_resolution.measuring import (
    find_steps,
    known_search,
    knows_steps,
    measured,
    ranking_of,
)
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings
from quantlib.ptq.criteria import SEARCHED
from quantlib.ptq.parameters import PARAMETERS, OneOf
from quantlib.runtime.choice import IN_PYTORCH, Runtime
from quantlib.tasks.super_resolution import Measurement

MANY_CHANNELS = 1500  # of all sites together
UnderWay = dict[Settings, Future[Measurement]]


@contextmanager
def measurements(
    choices: Choices, settings: list[Settings], is_long: bool = False
) -> Iterator[UnderWay]:
    """The chosen picture and network under each of `settings`, side by side and in that order."""

    def runtime(one: Settings) -> Runtime:
        return choices.runtime if one == choices.settings else IN_PYTORCH

    def measure(one: Settings) -> Measurement:
        return measured(choices.subject, choices.network, one, runtime(one))

    with side_by_side(measure, settings, is_long) as futures:
        yield futures


def measured_all(choices: Choices, settings: list[Settings], what: str) -> list[Measurement]:
    """The chosen picture and network under each of `settings`."""
    with measurements(choices, settings, is_long=True) as under_way:
        return results(under_way, settings, what)


def wait_for_long_work(choices: Choices) -> None:
    """What takes longer than some seconds before anything can be shown, asked for by a link or not.

    The greedy search where it is chosen and not known yet; a link alone starts neither that nor the
    steps of entropy coding in a network of many channels.
    """
    settings = choices.settings
    channels = sum(site.channels for site in choices.network.sites.sites)
    if settings.entry.budgeted and channels > MANY_CHANNELS:
        if begins_by_itself("method", settings.method):
            ask_first(
                "This address asks for entropy coding, which first finds the steps of "
                f"{channels:,} channels: up to a minute.",
                "Find the steps of entropy coding",
            )
        if not knows_steps(choices.network, settings):
            in_turn(
                lambda watch: find_steps(choices.network, settings, watch),
                "Finding the steps of entropy coding",
            )
    elif settings.needs_ranking:
        _wait_for_greedy(choices)


def _wait_for_greedy(choices: Choices) -> None:
    settings = choices.settings
    if settings.criterion != SEARCHED or known_search(choices.network, settings):
        return

    def back_to_default() -> None:
        st.session_state[criterion.key] = criterion.begins_with

    criterion = PARAMETERS["criterion"]
    assert isinstance(criterion, OneOf)
    if begins_by_itself(criterion.key, criterion.title_of(SEARCHED)):
        ask_first(
            "This address asks for the paper's greedy search, which measures one pass for each "
            "channel and picture: some minutes.",
            f"Run the greedy search at {settings.bits} bits",
        )
    in_turn(
        lambda watch: ranking_of(choices.network, settings, watch),
        "Greedy search, one pass per channel and picture",
        back_to_default,
    )
