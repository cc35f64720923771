"""Measurements and searches that a page waits for."""

from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import streamlit as st

from pages.parts.shared.progress import progress, results
from pages.parts.shared.worker import side_by_side
from pages.parts.super_resolution.measuring import known_search, measured, name_of, ranking_of
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings
from quantlib.ptq.criteria import SEARCHED
from quantlib.ptq.parameters import PARAMETERS
from quantlib.runtime.choice import IN_PYTORCH, Runtime
from quantlib.tasks.super_resolution import Measurement

UnderWay = dict[Settings, Future[Measurement]]


@contextmanager
def measurements(choices: Choices, settings: list[Settings]) -> Iterator[UnderWay]:
    """The chosen picture and network under each of `settings`, side by side and in that order."""

    def runtime(one: Settings) -> Runtime:
        return choices.runtime if one == choices.settings else IN_PYTORCH

    def measure(one: Settings) -> Measurement:
        return measured(choices.subject, choices.network, one, runtime(one))

    def name(one: Settings) -> Hashable:
        return name_of(choices.subject, choices.network, one, runtime(one))

    with side_by_side(measure, settings, name) as futures:
        yield futures


def measured_all(choices: Choices, settings: list[Settings], what: str) -> list[Measurement]:
    """The chosen picture and network under each of `settings`."""
    with measurements(choices, settings) as under_way:
        return results(under_way, settings, what)


def wait_for_greedy(choices: Choices) -> None:
    """Run the greedy search where it is asked for and not known yet."""
    settings = choices.settings
    if settings.criterion != SEARCHED or known_search(choices.network, settings):
        return

    def back_to_default() -> None:
        criterion = PARAMETERS["criterion"]
        st.session_state[criterion.key] = criterion.begins_with

    with progress("Greedy search, one pass per channel and picture", back_to_default) as watch:
        ranking_of(choices.network, settings, watch)
