"""Long work in its turn: what is shown meanwhile, and when it ends."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from pages.parts.shared import progress, turns
from pages.parts.shared.errand import Errand, on_errand
from pages.parts.shared.progress import Watch, in_turn
from pages.parts.shared.turns import MOST_OF_ONE, Turns
from quantlib.errors import QuantlibError
from quantlib.stopping import go_on

SECONDS = 30


class Gone(BaseException):
    """What Streamlit raises in a script whose visitor has left."""


class Bar:
    """Notes what would be drawn; `leaves` once the visitor is gone."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.leaves = threading.Event()

    @contextmanager
    def shown(self, what: str, on_stop: object) -> Iterator[progress.Draw]:
        def draw(share: float, text: str) -> None:
            self.texts.append(text)
            if self.leaves.is_set():
                raise Gone

        yield draw

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in self.texts:
            assert time.monotonic() < deadline, self.texts
            time.sleep(0.01)


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> Bar:
    bar = Bar()
    monkeypatch.setattr(progress, "_bar", bar.shown)
    monkeypatch.setattr(progress, "REFRESH", 0.01)
    monkeypatch.setattr(progress, "TURNS", Turns(width=1))
    return bar


@pytest.fixture
def script() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_the_place_is_shown_until_it_is_ones_turn(bar, script):
    before = progress.TURNS.ask("another", "job")
    assert before.wait(0)
    asked = script.submit(in_turn, lambda watch: 42, "Work")
    bar.wait_for("Next in line")
    assert not asked.done()
    before.end()
    assert asked.result(SECONDS) == 42


def test_progress_is_what_the_work_told_last(bar, script):
    hold = threading.Event()

    def work(watch: Watch) -> int:
        watch(0, 4)
        watch(3, 4)
        assert hold.wait(SECONDS)
        return 4

    asked = script.submit(in_turn, work, "Work")
    deadline = time.monotonic() + SECONDS
    while not any(text.startswith("3 of 4, about ") for text in bar.texts):
        assert time.monotonic() < deadline
    hold.set()
    assert asked.result(SECONDS) == 4


def test_work_ends_and_the_next_one_begins_when_its_visitor_is_gone(bar, script):
    ended = threading.Event()

    def work(watch: Watch) -> None:
        try:
            while True:
                go_on()
                time.sleep(0.01)
        finally:
            ended.set()

    asked = script.submit(in_turn, work, "Work")
    bar.wait_for("0 of 1")
    bar.leaves.set()
    with pytest.raises(Gone):
        asked.result(SECONDS)
    assert ended.wait(SECONDS)
    assert progress.TURNS.ask("another", "job").wait(0)


def test_who_leaves_the_line_holds_nobody_up(bar, script):
    first = progress.TURNS.ask("another", "job")
    assert first.wait(0)
    asked = script.submit(in_turn, lambda watch: None, "Work")
    bar.wait_for("Next in line")
    bar.leaves.set()
    with pytest.raises(Gone):
        asked.result(SECONDS)
    first.end()
    assert progress.TURNS.ask("another", "job").wait(0)


def test_the_limit_for_one_job_is_a_sentence(bar, monkeypatch):
    monkeypatch.setattr(turns, "limit_seconds", lambda: 0.05)

    def work(watch: Watch) -> None:
        while True:
            watch(0, 1)
            time.sleep(0.01)

    with pytest.raises(QuantlibError, match="one job may take"):
        in_turn(work, "Work")


def test_errors_of_the_work_are_its_visitors(bar):
    with pytest.raises(ZeroDivisionError):
        in_turn(lambda watch: 1 / 0, "Work")
    assert in_turn(lambda watch: 1, "Work") == 1


def test_a_visitor_with_too_many_jobs_is_told(bar):
    for _ in range(MOST_OF_ONE):
        progress.TURNS.ask("ten tabs", "job")
    with on_errand(Errand("ten tabs")), pytest.raises(QuantlibError, match="jobs of yours"):
        in_turn(lambda watch: None, "Work")
