"""Tensor work beside each other: results, errors, turns and what is dropped."""

import threading

import pytest
import torch

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
