"""Tensor work beside each other: results, errors, turns and what is dropped."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from pages.parts.shared import worker
from pages.parts.shared.worker import CORES, on_worker, side_by_side


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
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def wait(item: int) -> None:
        begun.release()
        go_on.wait(10)

    with side_by_side(wait, range(CORES + 3)) as futures:
        for _ in range(CORES):
            assert begun.acquire(timeout=10)
    go_on.set()
    assert [future.cancelled() for future in futures.values()] == [False] * CORES + [True] * 3


def test_two_who_ask_for_the_same_wait_for_one_piece_of_work_and_for_no_core(monkeypatch):
    monkeypatch.setattr(worker, "CORES", 2)
    monkeypatch.setattr(worker, "_threads", ThreadPoolExecutor(2))
    go_on, begun, made = threading.Event(), threading.Semaphore(0), []

    def make(item: int) -> int:
        made.append(item)
        begun.release()
        assert item or go_on.wait(10)
        return 6 // item

    with (
        side_by_side(make, [0], name=str) as first,
        side_by_side(make, [0, 1, 2, 3], name=str) as second,
    ):
        for _ in range(4):
            assert begun.acquire(timeout=10)
        assert not first[0].done() and not second[0].done()
        go_on.set()
        for futures in (first, second):
            with pytest.raises(ZeroDivisionError):
                futures[0].result(10)
        assert [second[n].result(10) for n in (1, 2, 3)] == [6, 3, 2]
    assert sorted(made) == [0, 1, 2, 3]


def test_what_was_done_is_done_again_for_who_asks_later():
    for _ in range(2):
        with side_by_side(lambda n: [n], [1], name=str) as futures:
            last = futures[1].result(10)
    assert last == [1]
