"""What a visitor drops, read in a process of its own while the visitor waits."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.drawing import stepping_aside
from quantlib.apart.running import Watch

MOST_AT_ONCE = 2
PATIENCE, REFRESH = 0.6, 0.3
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)


@contextmanager
def reading(name: str) -> Iterator[Watch]:
    """A turn for a process that reads `name`; yields what watches it.

    Where the visitor leaves, or chooses something else, Streamlit ends this run of the script at
    the next call, and the process ends with it.
    """
    place = st.empty()
    started = shown = time.monotonic()

    def watch(said: Mapping[str, Any]) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - started > PATIENCE and now - shown > REFRESH:
            shown = now
            place.caption(f":material/hourglass_empty: Reading {as_text(name)} …")

    try:
        with stepping_aside(), turn(lambda: watch({})):
            yield watch
    finally:
        place.empty()


@contextmanager
def turn(look: Callable[[], None], places: threading.BoundedSemaphore = _turns) -> Iterator[None]:
    """Waits until few enough do the same; `look` is called meanwhile, and may raise."""
    while not places.acquire(timeout=0.1):
        look()
    try:
        yield
    finally:
        places.release()
