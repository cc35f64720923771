"""Work that takes longer than a moment: progress, time left, and a way to stop it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from pages.parts.choices import Choices
from pages.parts.measuring import known_ranking, ranking_of


@contextmanager
def progress(what: str, on_stop: Callable[[], None] | None = None) -> Iterator[Callable]:
    """A bar with the time left; yields `watch(done, total)`.

    A click on Stop, or on anything else, ends the work at the next call of `watch`.
    """
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, text=what)
        st.button("Stop", icon=":material/stop_circle:", on_click=on_stop, key=f"stop {what}")
    started = shown = time.perf_counter()

    def watch(done: int, total: int) -> None:
        nonlocal shown
        now = time.perf_counter()
        if now - shown < 0.2 and done < total:
            return
        shown = now
        left = (now - started) / done * (total - done) if done else 0.0
        note = f", about {left:.0f} s left" if done else ""
        bar.progress(done / total, text=f"{what}: {done} of {total}{note}")

    try:
        yield watch
    finally:
        place.empty()


def wait_for_greedy(choices: Choices) -> None:
    """Run the greedy search where it is asked for and not known yet."""
    settings = choices.settings
    if settings.criterion != "greedy" or known_ranking(choices.network, settings):
        return

    def back_to_fisher() -> None:
        st.session_state["criterion"] = "fisher"

    with progress("Greedy search, one pass per channel and picture", back_to_fisher) as watch:
        ranking_of(choices.network, settings, watch)
