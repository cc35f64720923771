"""Work that takes longer than a moment: progress, time left, and a way to stop it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import streamlit as st

from pages.parts.shared.worker import side_by_side
from pages.parts.super_resolution.measuring import known_ranking, measured, ranking_of
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import Measurement

Passes = dict[Settings, Future[Measurement]]
PATIENCE, REFRESH = 0.6, 0.2


@contextmanager
def progress(what: str, on_stop: Callable[[], None] | None = None) -> Iterator[Callable]:
    """A bar with the time left, for work that is not done in a moment; yields `watch(done, total)`.

    A click on Stop, or on anything else, ends the work at the next call of `watch`.
    """
    place = st.empty()
    bar = None
    started = shown = time.perf_counter()

    def watch(done: int, total: int) -> None:
        nonlocal shown, bar
        now = time.perf_counter()
        if now - started < PATIENCE or now - shown < REFRESH:
            return
        if bar is None:
            with place.container():
                bar = st.progress(0.0, text=what)
                st.button("Stop", icon=":material/stop_circle:", on_click=on_stop, key=what)
        shown = now
        left = (now - started) / done * (total - done) if done else 0.0
        note = f", about {left:.0f} s left" if done else ""
        bar.progress(done / total, text=f"{what}: {done} of {total}{note}")

    try:
        yield watch
    finally:
        place.empty()


@contextmanager
def passes(choices: Choices, settings: list[Settings]) -> Iterator[Passes]:
    """The chosen picture and network under each of `settings`, side by side and in that order."""

    def measure(one: Settings) -> Measurement:
        return measured(choices.subject, choices.network, one)

    with side_by_side(measure, settings) as futures:
        yield futures


def wait_for(under_way: Passes, settings: list[Settings], what: str) -> list[Measurement]:
    """The measurements of `settings` among those under way."""
    found = []
    with progress(what) as watch:
        for done, one in enumerate(settings):
            watch(done, len(settings))
            found.append(under_way[one].result())
    return found


def measured_all(choices: Choices, settings: list[Settings], what: str) -> list[Measurement]:
    """The chosen picture and network under each of `settings`."""
    with passes(choices, settings) as under_way:
        return wait_for(under_way, settings, what)


def wait_for_greedy(choices: Choices) -> None:
    """Run the greedy search where it is asked for and not known yet."""
    settings = choices.settings
    if settings.criterion != "greedy" or known_ranking(choices.network, settings):
        return

    def back_to_fisher() -> None:
        st.session_state["criterion"] = "fisher"

    with progress("Greedy search, one pass per channel and picture", back_to_fisher) as watch:
        ranking_of(choices.network, settings, watch)
