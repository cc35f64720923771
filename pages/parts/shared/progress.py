"""Work that takes longer than a moment: progress, time left, and a way to stop it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st

from pages.parts.shared.worker import side_by_side

Item = TypeVar("Item")
T = TypeVar("T")
Watch = Callable[[int, int], None]
PATIENCE, REFRESH = 0.6, 0.2


@contextmanager
def progress(what: str, on_stop: Callable[[], None] | None = None) -> Iterator[Watch]:
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


def all_results(work: Callable[[Item], T], items: Sequence[Item], what: str) -> dict[Item, T]:
    """What `work` makes of each of `items`, side by side, with progress."""
    with side_by_side(work, items) as under_way:
        return dict(zip(items, results(under_way, items, what), strict=True))


def results(under_way: Mapping[Item, Future[T]], items: Sequence[Item], what: str) -> list[T]:
    """What the futures of `items` come to, with progress."""
    found = []
    with progress(what) as watch:
        for done, item in enumerate(items):
            watch(done, len(items))
            found.append(under_way[item].result())
    return found
