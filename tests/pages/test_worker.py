"""Tensor work beside each other: results, errors, turns and what is dropped."""

import os
import sys
import threading
import time

import pytest
import torch

from pages.parts.shared import worker
from pages.parts.shared.errand import Errand, errand, on_errand
from pages.parts.shared.worker import CORES, Workers, begun, on_worker, side_by_side
from quantlib.stopping import StoppedError, go_on

SECONDS = 30


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_short", Workers(1, "one of a test"))


def test_work_keeps_to_one_core_and_may_ask_for_more_work():
    assert on_worker(torch.get_num_threads) == 1
    assert on_worker(lambda: on_worker(threading.current_thread)) in threading.enumerate()


def test_every_item_has_its_result_or_its_error():
    with side_by_side(lambda n: 6 // n, [1, 0, 2, 3, 1]) as futures:
        assert list(futures) == [1, 0, 2, 3]
        assert [futures[n].result() for n in (1, 2, 3)] == [6, 3, 2]
        with pytest.raises(ZeroDivisionError):
            futures[0].result()


def test_what_has_not_begun_is_dropped():
    hold, started = threading.Event(), threading.Semaphore(0)

    def wait(item: int) -> None:
        started.release()
        hold.wait(SECONDS)

    with side_by_side(wait, range(CORES + 3)) as futures:
        for _ in range(CORES):
            assert started.acquire(timeout=SECONDS)
    hold.set()
    assert [future.cancelled() for future in futures.values()] == [False] * CORES + [True] * 3


def ends() -> None:
    """Goes on until it is not wanted any more."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        go_on()
        time.sleep(0.01)


def test_what_is_under_way_ends_when_the_block_is_left():
    started = threading.Event()

    def work(item: int) -> None:
        def piece() -> None:
            started.set()
            ends()

        on_worker(piece)

    with side_by_side(work, [0]) as futures:
        assert started.wait(SECONDS)
    with pytest.raises(StoppedError):
        futures[0].result(SECONDS)


def test_what_is_known_waits_for_no_core(one_core):
    hold = threading.Event()
    stuck = begun(lambda: hold.wait(SECONDS))
    with side_by_side(lambda item: item, ["known"]) as futures:
        assert futures["known"].result(SECONDS) == "known"
    assert not stuck.done()
    hold.set()
    assert stuck.result(SECONDS)


def test_visitors_take_turns(one_core):
    hold, order = threading.Event(), []
    first = begun(lambda: hold.wait(SECONDS), Errand("a"))
    pieces = [
        begun(lambda name=name: order.append(name), Errand(name[0]))
        for name in ("a1", "a2", "a3", "b1", "c1", "b2")
    ]
    hold.set()
    for piece in (first, *pieces):
        piece.result(SECONDS)
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_work_is_done_for_whom_the_asking_thread_works():
    with on_errand(Errand("somebody", is_long=True)):
        mine = on_worker(errand)
        with side_by_side(lambda _: on_worker(errand), [0]) as futures:
            others = futures[0].result(SECONDS)
    assert (mine.visitor, mine.is_long) == (others.visitor, others.is_long) == ("somebody", True)
    assert errand().visitor is None


def test_long_work_leaves_the_threads_of_short_work_alone():
    hold = threading.Event()
    stuck = [begun(lambda: hold.wait(SECONDS), Errand(n, is_long=True)) for n in range(2 * CORES)]
    assert on_worker(lambda: 1) == 1
    assert not any(piece.done() for piece in stuck)
    hold.set()
    assert all(piece.result(SECONDS) for piece in stuck)


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux")
def test_long_work_lets_others_go_first():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    long = begun(niceness, Errand(is_long=True)).result(SECONDS)
    assert long >= min(19, on_worker(niceness) + worker.NICE)


def test_what_nobody_waits_for_is_not_begun(one_core):
    hold, made = threading.Event(), []
    stuck = begun(lambda: hold.wait(SECONDS))
    with on_errand(Errand(unwanted=lambda: True)), pytest.raises(StoppedError):
        on_worker(made.append, 1)
    hold.set()
    assert stuck.result(SECONDS) and on_worker(list, made) == []
