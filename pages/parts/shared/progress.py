"""Work that takes longer than a moment: its place in line, progress, time left, and a Stop."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import streamlit as st

from pages.parts.shared.drawing import stepping_aside
from pages.parts.shared.errand import errand, look_up
from pages.parts.shared.turns import TURNS, overdue
from pages.parts.shared.worker import begun, is_done_soon, side_by_side
from quantlib.stopping import go_on

Item = TypeVar("Item")
T = TypeVar("T")
Watch = Callable[[int, int], None]
Draw = Callable[[float, str], None]
PATIENCE, REFRESH = 0.6, 0.2


@contextmanager
def _bar(what: str, on_stop: Callable[[], None] | None) -> Iterator[Draw]:
    """A bar beside Stop, for what is not done in a moment; yields `draw(share, text)`.

    A click on Stop, or on anything else, ends the block at the next call of `draw`.
    """
    place = st.empty()
    bar = None
    started = shown = time.perf_counter()

    def draw(share: float, text: str) -> None:
        nonlocal shown, bar
        look_up()
        now = time.perf_counter()
        if now - started < PATIENCE or now - shown < REFRESH:
            return
        if bar is None:
            with place.container():
                bar = st.progress(0.0, text=what)
                st.button("Stop", icon=":material/stop_circle:", on_click=on_stop, key=what)
        shown = now
        bar.progress(share, text=f"{what}: {text}")

    try:
        yield draw
    finally:
        place.empty()


class _Pace:
    """How far work has come, and how long the rest takes at that pace."""

    def __init__(self) -> None:
        self.started, self.done, self.total = time.perf_counter(), 0, 1

    def note(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def draw(self, draw: Draw) -> None:
        done, total = self.done, self.total
        left = (time.perf_counter() - self.started) / done * (total - done) if done else 0.0
        note = f", about {left:.0f} s left" if done else ""
        draw(done / total, f"{done} of {total}{note}")


def in_turn(work: Callable[[Watch], T], what: str, on_stop: Callable[[], None] | None = None) -> T:
    """What `work(watch)` gives, begun when it is its turn among long jobs.

    Meanwhile its place in line is shown, then what `watch(done, total)` was told last. It ends
    where the visitor leaves or clicks; a QuantlibError at the limit for one job, and where too many
    are in line.
    """
    mine, pace, gone = errand(), _Pace(), False
    turn = TURNS.ask(mine.visitor, what)

    def watch(done: int, total: int) -> None:
        go_on()
        pace.note(done, total)

    own = replace(mine.until(lambda: gone or turn.is_overdue), is_long=True)
    try:
        with _bar(what, on_stop) as draw, stepping_aside():
            while not turn.wait(REFRESH):
                draw(0.0, turn.words)
            pace = _Pace()
            future = begun(lambda: work(watch), own)
            while not wait([future], REFRESH).done:
                pace.draw(draw)
        if turn.is_overdue and future.exception() is not None:
            raise overdue()
        return future.result()
    finally:
        gone = True
        turn.end()


def all_results(work: Callable[[Item], T], items: Sequence[Item], what: str) -> dict[Item, T]:
    """What `work` makes of each of `items`, side by side, with progress."""
    with side_by_side(work, items, is_long=True) as under_way:
        return dict(zip(items, results(under_way, items, what), strict=True))


def results(under_way: Mapping[Item, Future[T]], items: Sequence[Item], what: str) -> list[T]:
    """What the futures of `items` come to, with progress."""
    found, pace = [], _Pace()
    with _bar(what, None) as draw:
        for done, item in enumerate(items):
            pace.note(done, len(items))
            if not is_done_soon(under_way[item]):
                with stepping_aside():
                    while not wait([under_way[item]], REFRESH).done:
                        pace.draw(draw)
            found.append(under_way[item].result())
    return found
